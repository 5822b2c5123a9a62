//! The ideas of the lesson on poll.

use super::{Canvas, Idea};

pub(super) const IDEAS: [Idea; 1] = [Idea {
    page: "poll_server",
    title: "The event loop waits in poll until a socket is ready, and each client is open, then closing, then closed",
    size: (720, 390),
    draw: poll_server,
}];

fn poll_server(canvas: &mut Canvas) {
    // The event loop.
    canvas.group((10, 10, 280, 370), "one thread: the event loop");
    let steps = [
        "build the list of sockets\nlistener, A, B, C",
        "poll\nwait until a socket is ready",
        "serve the ready clients\none read, one write",
        "accept new connections\nif the listener is ready",
    ];
    canvas.parts((55, 45, 215, 50), (0, 85), &steps);
    for y in [95, 180, 265] {
        canvas.arrow("", &[(162, y + 2), (162, y + 33)]);
    }
    canvas.arrow("", &[(53, 325), (30, 325), (30, 70), (51, 70)]);

    // The kernel.
    canvas.group((430, 10, 280, 170), "the kernel");
    let sockets = [
        "listener: no connection",
        "A: no bytes",
        "B: 8 bytes, ready for reading",
        "C: no bytes",
    ];
    canvas.parts((450, 45, 240, 26), (0, 32), &sockets);
    canvas.arrow("", &[(274, 143), (426, 143)]);
    canvas.text((360, 136), "middle", "the list");
    canvas.arrow("reply", &[(426, 166), (274, 166)]);
    canvas.text((360, 159), "middle", "B is ready");

    // The states of a client.
    canvas.group((320, 205, 390, 175), "one client: three states");
    canvas.part((335, 280, 70, 36), "open");
    canvas.part((478, 280, 74, 36), "closing");
    canvas.part((625, 280, 70, 36), "closed");
    canvas.arrow("", &[(407, 298), (474, 298)]);
    canvas.text((442, 252), "middle", "the last request");
    canvas.text((442, 269), "middle", "is read");
    canvas.arrow("", &[(554, 298), (621, 298)]);
    canvas.text((588, 252), "middle", "the last reply");
    canvas.text((588, 269), "middle", "is sent");
    canvas.path("lost", &[(515, 318), (515, 345)], &[]);
    canvas.arrow("lost", &[(370, 318), (370, 345), (660, 345), (660, 320)]);
    canvas.text((515, 366), "middle", "a read or a write fails");
}
