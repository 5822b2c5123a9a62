//! The ideas of the servers beyond the lecture.

use super::{Canvas, Idea};

pub(super) const IDEAS: [Idea; 2] = [
    Idea {
        page: "event_server",
        title: "Each call of poll examines all sockets, but an event queue contains only the tokens of sockets with new events",
        size: (720, 380),
        draw: event_server,
    },
    Idea {
        page: "async_server",
        title: "The runtime waits for events. After an event, it runs the task of this event until its next await",
        size: (720, 330),
        draw: async_server,
    },
];

fn event_server(canvas: &mut Canvas) {
    // The list.
    canvas.group((10, 10, 340, 360), "poll: a list of all sockets");
    canvas.part((25, 45, 310, 50), "the program builds the list\nin each iteration");
    canvas.arrow("send", &[(120, 99), (120, 156)]);
    canvas.text((112, 132), "end", "A B C D E");
    canvas.arrow("reply", &[(240, 156), (240, 99)]);
    canvas.text((248, 124), "start", "A B C D E");
    canvas.text((248, 142), "start", "B is ready");
    canvas.group((25, 160, 310, 175), "the kernel looks at every socket");
    canvas.parts((38, 230, 52, 46), (58, 0), &["A", "B\nready", "C", "D", "E"]);
    canvas.text((180, 358), "middle", "the work grows with the number of sockets");

    // The queue.
    canvas.group((370, 10, 340, 360), "epoll: a queue of events");
    canvas.part(
        (385, 45, 310, 50),
        "the program registers each socket once,\nand waits for events",
    );
    canvas.arrow("send", &[(430, 99), (430, 156)]);
    canvas.text((438, 132), "start", "register, once");
    canvas.arrow("reply", &[(610, 186), (610, 99)]);
    canvas.text((618, 132), "start", "token 2");
    canvas.group((385, 160, 310, 175), "the kernel");
    canvas.part((398, 190, 284, 30), "queue: 2");
    canvas.arrow("", &[(482, 273), (482, 224)]);
    canvas.text((490, 254), "start", "bytes arrive at B");
    let tokens = ["A\n1", "B\n2", "C\n3", "D\n4", "E\n5"];
    canvas.parts((398, 277, 52, 46), (58, 0), &tokens);
    canvas.text((540, 358), "middle", "the work grows with the number of events");
}

fn async_server(canvas: &mut Canvas) {
    canvas.part((10, 50, 90, 50), "client A");
    canvas.part((10, 145, 90, 50), "client B");
    canvas.part((10, 240, 90, 50), "client C");
    canvas.group((150, 10, 140, 310), "the kernel");
    canvas.part((165, 120, 110, 100), "event queue:\n\nB is readable");
    canvas.arrow("send", &[(104, 170), (161, 170)]);
    canvas.text((128, 162), "middle", "bytes");
    canvas.group((340, 10, 370, 310), "the server's process, with one thread");
    canvas.part((355, 120, 110, 100), "runtime\n\ncalls\nepoll_wait");
    canvas.arrow("", &[(279, 170), (351, 170)]);
    canvas.text((315, 162), "middle", "event");
    canvas.part((530, 45, 165, 60), "task of A\nwaits at read");
    canvas.part((530, 140, 165, 60), "task of B\nruns to its next await");
    canvas.part((530, 235, 165, 60), "task of C\nwaits at write_all");
    canvas.arrow("", &[(469, 170), (526, 170)]);
    canvas.text((497, 162), "middle", "runs");
}
