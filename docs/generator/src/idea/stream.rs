//! The idea of the first lesson on TCP.

use super::{Canvas, Idea};

pub(super) const IDEAS: [Idea; 1] = [Idea {
    page: "tcp_server",
    title: "The kernel puts each new connection into a queue, and accept takes it out and returns a second socket",
    size: (720, 300),
    draw: tcp_server,
}];

fn tcp_server(canvas: &mut Canvas) {
    canvas.part((10, 60, 110, 40), "client A");
    canvas.part((10, 190, 110, 40), "client B");
    canvas.group((330, 10, 380, 280), "the server's machine");
    canvas.part((360, 40, 150, 70), "socket for A\ncarries A's bytes");
    canvas.part((360, 175, 150, 70), "listening socket\ncarries no bytes");
    canvas.part((570, 175, 120, 70), "queue\nB");
    canvas.both_ways("send", &[(124, 80), (356, 80)]);
    canvas.text((240, 70), "middle", "bytes in both directions");
    canvas.arrow("send", &[(124, 196), (356, 196)]);
    canvas.text((240, 188), "middle", "SYN");
    canvas.arrow("reply", &[(356, 212), (124, 212)]);
    canvas.text((180, 229), "middle", "SYN-ACK");
    canvas.arrow("send", &[(124, 240), (356, 240)]);
    canvas.text((300, 234), "middle", "ACK");
    canvas.arrow("", &[(514, 210), (566, 210)]);
    canvas.arrow("", &[(630, 171), (630, 140), (435, 140), (435, 114)]);
    canvas.text((532, 134), "middle", "accept: a second socket");
}
