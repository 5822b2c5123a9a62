//! The ideas of the pages about a server that stops, and about one socket for IPv4 and IPv6.

use super::{Canvas, Idea};

pub(super) const IDEAS: [Idea; 2] = [
    Idea {
        page: "stop_server",
        title: "After quit, the kernel refuses new clients, and connected clients have a limited time to finish",
        size: (720, 310),
        draw: stop_server,
    },
    Idea {
        page: "dual_stack",
        title: "One socket accepts IPv4 and IPv6 clients, and it shows an IPv4 address as an IPv6 address",
        size: (720, 260),
        draw: dual_stack,
    },
];

fn stop_server(canvas: &mut Canvas) {
    // The times.
    canvas.text((340, 20), "middle", "quit");
    // The line must not cross the texts in the boxes.
    for (top, bottom) in [(28, 96), (136, 156), (196, 285)] {
        canvas.path("", &[(340, top), (340, bottom)], &[]);
    }
    canvas.text((590, 20), "middle", "the grace period is over");
    canvas.path("", &[(590, 28), (590, 285)], &[]);
    canvas.arrow("", &[(130, 285), (705, 285)]);
    canvas.text((130, 303), "start", "time");

    canvas.text((120, 60), "end", "listener");
    canvas.part((130, 38, 206, 36), "open");
    canvas.text((350, 60), "start", "closed");

    canvas.text((120, 120), "end", "client A");
    canvas.part((180, 98, 290, 36), "connected, gets all its replies");

    canvas.text((120, 180), "end", "client B");
    canvas.part((230, 158, 356, 36), "connected, but never disconnects");
    canvas.text((600, 180), "start", "cut off");

    canvas.text((120, 240), "end", "client C");
    canvas.arrow("lost", &[(400, 216), (400, 262)]);
    canvas.text((412, 244), "start", "connects: refused");
}

fn dual_stack(canvas: &mut Canvas) {
    canvas.part((10, 50, 190, 60), "IPv4 client\non 127.0.0.1");
    canvas.part((10, 160, 190, 60), "IPv6 client\non ::1");
    canvas.group((300, 10, 410, 240), "the server");
    canvas.part((315, 100, 120, 70), "one socket\n[::]:1245");
    canvas.arrow("send", &[(204, 80), (250, 80), (250, 120), (311, 120)]);
    canvas.arrow("send", &[(204, 190), (250, 190), (250, 150), (311, 150)]);
    canvas.part((515, 50, 180, 60), "from\n::ffff:127.0.0.1");
    canvas.part((515, 160, 180, 60), "from\n::1");
    canvas.arrow("send", &[(439, 120), (475, 120), (475, 80), (511, 80)]);
    canvas.arrow("send", &[(439, 150), (475, 150), (475, 190), (511, 190)]);
}
