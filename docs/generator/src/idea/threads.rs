//! The ideas of the lessons with threads.

use super::{Canvas, Idea};

pub(super) const IDEAS: [Idea; 3] = [
    Idea {
        page: "thread_per_client",
        title: "The main thread accepts each connection and moves its socket to a new thread, which serves only this client",
        size: (720, 320),
        draw: thread_per_client,
    },
    Idea {
        page: "slow_thread_per_client",
        title: "Threads can wait at the same time in both languages, but the GIL lets only one Python thread compute",
        size: (720, 360),
        draw: slow_thread_per_client,
    },
    Idea {
        page: "thread_pool",
        title: "Four workers take connections from the same queue, and a connection waits there while all four are busy",
        size: (720, 320),
        draw: thread_pool,
    },
];

fn thread_per_client(canvas: &mut Canvas) {
    canvas.part((10, 60, 100, 50), "client A");
    canvas.part((10, 145, 100, 50), "client B");
    canvas.part((10, 250, 100, 50), "client C");
    canvas.group((240, 10, 470, 300), "the server's process");
    canvas.part((260, 50, 170, 70), "thread client-1\nowns A's socket");
    canvas.part((260, 135, 170, 70), "thread client-2\nowns B's socket");
    canvas.part((560, 50, 130, 240), "main thread\ncalls accept");
    canvas.both_ways("send", &[(114, 85), (256, 85)]);
    canvas.text((175, 77), "middle", "A's bytes");
    canvas.both_ways("send", &[(114, 170), (256, 170)]);
    canvas.text((175, 162), "middle", "B's bytes");
    canvas.arrow("send", &[(114, 275), (556, 275)]);
    canvas.text((175, 267), "middle", "connects");
    canvas.arrow("", &[(556, 85), (434, 85)]);
    canvas.text((495, 77), "middle", "moves socket");
    canvas.arrow("", &[(556, 170), (434, 170)]);
    canvas.text((495, 162), "middle", "moves socket");
}

fn slow_thread_per_client(canvas: &mut Canvas) {
    canvas.text((10, 24), "start", "waiting (Python and Rust)");
    bars(canvas, 36, "waits for 5 s", &[0], &[0]);
    canvas.text((10, 134), "start", "computing in Rust, on two CPU cores");
    bars(canvas, 146, "computes for 5 s", &[0], &[0]);
    canvas.text((10, 244), "start", "computing in Python, with the GIL");
    bars(canvas, 256, "", &[0, 2, 4, 6], &[1, 3, 5, 7]);
    canvas.arrow("", &[(130, 336), (700, 336)]);
    for (seconds, x) in [("0 s", 130), ("5 s", 390), ("10 s", 650)] {
        canvas.text((x, 354), "middle", seconds);
    }
}

/// Draws the work of two threads, as bars. One bar fills the time to the reply, or each of
/// several bars has an eighth of ten seconds.
fn bars(
    canvas: &mut Canvas,
    y: usize,
    text: &str,
    first: &[usize],
    second: &[usize],
) {
    for (row, steps) in [first, second].into_iter().enumerate() {
        let y = y + 34 * row;
        canvas.text((10, y + 19), "start", &format!("client-{}", row + 1));
        for step in steps {
            let width = if steps.len() == 1 { 260 } else { 65 };
            canvas.part((130 + 65 * step, y, width, 28), text);
        }
    }
}

fn thread_pool(canvas: &mut Canvas) {
    canvas.part((10, 110, 90, 40), "client E");
    canvas.part((10, 200, 90, 40), "client F");
    canvas.group((160, 10, 420, 300), "the server's machine");
    canvas.part((180, 95, 130, 160), "listening socket\nqueue: E, F");
    canvas.arrow("send", &[(104, 130), (176, 130)]);
    canvas.arrow("send", &[(104, 220), (176, 220)]);
    canvas.text((352, 167), "middle", "accept");
    canvas.path("", &[(314, 175), (390, 175)], &[]);
    for (number, client) in ["A", "B", "C", "D"].into_iter().enumerate() {
        let y = 50 + 65 * number;
        let middle = y + 25;
        canvas.arrow("", &[(390, 175), (390, middle), (426, middle)]);
        canvas.part((430, y, 130, 50), &format!("worker-{}", number + 1));
        canvas.both_ways("send", &[(564, middle), (616, middle)]);
        canvas.part((620, y + 5, 90, 40), &format!("client {client}"));
    }
}
