//! The idea of the server beyond the lecture.

use super::{Canvas, Idea};

pub(super) const IDEAS: [Idea; 1] = [Idea {
    page: "event_server",
    title: "Each call of poll examines all sockets, but an event queue contains only the tokens of sockets with new events",
    size: (720, 380),
    draw: event_server,
}];

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
