//! The ideas of the lessons on the backlog and on slow replies.

use super::{Canvas, Idea};

pub(super) const IDEAS: [Idea; 2] = [
    Idea {
        page: "listen_backlog",
        title: "The kernel keeps incomplete handshakes in the SYN queue, and complete connections in the accept queue until accept",
        size: (720, 360),
        draw: listen_backlog,
    },
    Idea {
        page: "slow_sequential_server",
        title: "Three clients connect at the same time, and each waits until the server has served all clients before it",
        size: (720, 240),
        draw: slow_sequential_server,
    },
];

fn listen_backlog(canvas: &mut Canvas) {
    canvas.part((10, 40, 110, 230), "kernel\nof client C");
    canvas.group((270, 10, 270, 340), "kernel of the server");
    canvas.part((295, 45, 220, 80), "SYN queue\nincomplete handshakes");
    canvas.part((295, 195, 220, 80), "accept queue\ncomplete connections");
    canvas.part((620, 195, 90, 80), "server\nprogram");
    canvas.arrow("send", &[(124, 60), (291, 60)]);
    canvas.text((207, 54), "middle", "1. SYN");
    canvas.arrow("reply", &[(291, 85), (124, 85)]);
    canvas.text((207, 79), "middle", "2. SYN-ACK");
    canvas.arrow("send", &[(124, 110), (291, 110)]);
    canvas.text((207, 104), "middle", "3. ACK");
    canvas.arrow("", &[(405, 129), (405, 191)]);
    canvas.text((415, 165), "start", "after the ACK");
    canvas.arrow("send", &[(124, 235), (291, 235)]);
    canvas.text((207, 229), "middle", "first bytes");
    canvas.arrow("", &[(519, 235), (616, 235)]);
    canvas.text((580, 229), "middle", "accept");
    canvas.part((10, 300, 110, 40), "kernel of D");
    canvas.arrow("lost", &[(124, 320), (291, 320)]);
    canvas.text((207, 314), "middle", "SYN");
    canvas.text((300, 316), "start", "accept queue is full:");
    canvas.text((300, 334), "start", "the kernel drops the SYN");
}

/// A second is 36 pixels wide.
fn slow_sequential_server(canvas: &mut Canvas) {
    let rows = [("client A", 30), ("client B", 85), ("client C", 140)];
    for (row, (client, y)) in rows.into_iter().enumerate() {
        let start = 110 + 180 * row;
        canvas.text((100, y + 22), "end", client);
        canvas.part((start, y, 180, 34), "server: 5 seconds");
        canvas.text((start + 187, y + 22), "start", "reply");
        if row > 0 {
            canvas.arrow("send", &[(110, y + 17), (start - 4, y + 17)]);
            canvas.text((110 + 90 * row, y + 11), "middle", "waits in the queue");
        }
    }
    canvas.path("", &[(110, 200), (650, 200)], &[]);
    for (number, time) in ["0 s", "5 s", "10 s", "15 s"].into_iter().enumerate() {
        let x = 110 + 180 * number;
        canvas.path("", &[(x, 196), (x, 204)], &[]);
        canvas.text((x, 224), "middle", time);
    }
}
