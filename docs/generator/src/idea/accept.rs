//! The idea of the page about the errors of `accept`.

use super::{Canvas, Idea};

pub(super) const IDEAS: [Idea; 1] = [Idea {
    page: "accept_errors",
    title: "Without a free file descriptor, accept fails, and the new connections stay in the queue",
    size: (720, 270),
    draw: accept_errors,
}];

fn accept_errors(canvas: &mut Canvas) {
    canvas.parts((10, 70, 85, 40), (0, 60), &["client E", "client F"]);
    canvas.arrow("send", &[(99, 90), (206, 90)]);
    canvas.arrow("send", &[(99, 150), (206, 150)]);
    canvas.text((143, 80), "middle", "connected");
    canvas.text((143, 140), "middle", "connected");
    canvas.group((190, 10, 150, 250), "the kernel");
    canvas.text((265, 56), "middle", "the queue");
    canvas.parts((210, 70, 110, 40), (0, 60), &["E waits", "F waits"]);
    canvas.arrow("lost", &[(420, 120), (344, 120)]);
    canvas.text((382, 110), "middle", "accept");
    canvas.text((382, 140), "middle", "EMFILE");
    canvas.group((425, 10, 285, 250), "the server: 8 file descriptors");
    let used = ["0, 1, 2\nthe terminal", "3\nthe listener"];
    canvas.parts((440, 45, 125, 50), (130, 0), &used);
    let clients = ["4\nclient A", "5\nclient B", "6\nclient C", "7\nclient D"];
    canvas.parts((440, 110, 125, 50), (130, 0), &clients[..2]);
    canvas.parts((440, 175, 125, 50), (130, 0), &clients[2..]);
    canvas.text((567, 249), "middle", "free when a client disconnects");
}
