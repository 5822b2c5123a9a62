//! The ideas of the lessons on messages and conversations.

use super::{Canvas, Idea};

pub(super) const IDEAS: [Idea; 2] = [
    Idea {
        page: "recvall_server",
        title: "Two messages in one stream: without framing, with a newline after each message, and with a length before each message",
        size: (720, 260),
        draw: recvall_server,
    },
    Idea {
        page: "sequential_server",
        title: "Client B waits in the queue until client A closes its sending side, because the server reads only from A",
        size: (720, 290),
        draw: sequential_server,
    },
];

fn recvall_server(canvas: &mut Canvas) {
    canvas.text((10, 37), "start", "no framing");
    bytes(canvas, 15, &["h", "i", "b", "y", "e"]);
    canvas.text((360, 37), "start", "one message, or two?");

    canvas.text((10, 107), "start", "a delimiter");
    bytes(canvas, 85, &["h", "i", "\\n", "b", "y", "e", "\\n"]);
    canvas.text((452, 107), "start", "read as far as the newline");

    canvas.text((10, 177), "start", "a length");
    let stream =
        ["00", "00", "00", "02", "h", "i", "00", "00", "00", "03", "b", "y", "e"];
    bytes(canvas, 155, &stream);
    for (first, count, name) in [
        (0, 4, "length: 2"),
        (4, 2, "2 bytes"),
        (6, 4, "length: 3"),
        (10, 3, "3 bytes"),
    ] {
        let (start, end) = (place(first) + 3, place(first + count) - 3);
        canvas.both_ways("", &[(start, 204), (end, 204)]);
        canvas.text((usize::midpoint(start, end), 224), "middle", name);
    }
    canvas.text((10, 250), "start", "Each box is one byte of the stream.");
}

/// Draws a row of bytes, each in its own box.
fn bytes(canvas: &mut Canvas, y: usize, bytes: &[&str]) {
    canvas.parts((place(0), y, 40, 34), (BYTE, 0), bytes);
}

/// The distance from one byte to the next.
const BYTE: usize = 44;

/// Returns the left end of the box of a byte.
fn place(number: usize) -> usize {
    130 + BYTE * number
}

fn sequential_server(canvas: &mut Canvas) {
    canvas.text((10, 41), "start", "client A");
    canvas.part((90, 15, 280, 44), "sends requests, gets replies");
    canvas.text((10, 136), "start", "server");
    canvas.part((90, 110, 314, 44), "reads from A and replies to A");
    canvas.part((420, 110, 290, 44), "reads from B and replies to B");
    canvas.text((10, 231), "start", "client B");
    canvas.part((200, 205, 214, 44), "is connected, but waits");
    canvas.part((420, 205, 290, 44), "sends requests, gets replies");
    canvas.arrow("send", &[(371, 61), (400, 106)]);
    canvas.text((400, 86), "start", "FIN from A: recv returns 0 bytes");
    canvas.arrow("", &[(428, 201), (428, 158)]);
    canvas.text((440, 184), "start", "accept takes B out of the queue");
    canvas.text((10, 275), "start", "time");
    canvas.arrow("", &[(90, 270), (710, 270)]);
}
