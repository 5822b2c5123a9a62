//! The ideas of the lessons on names, byte order and errors.

use super::{Canvas, Idea};

pub(super) const IDEAS: [Idea; 1] = [Idea {
    lesson: "names_ipv4",
    title: "The resolver looks for a name in the hosts file, and if it is not there, asks a name server",
    size: (720, 270),
    draw: names_ipv4,
}];

fn names_ipv4(canvas: &mut Canvas) {
    canvas.group((10, 10, 450, 250), "your machine");
    canvas.part((30, 70, 120, 60), "your program");
    canvas.part((310, 70, 130, 60), "resolver\n(a library)");
    canvas.part((310, 200, 130, 40), "hosts file");
    canvas.part((600, 70, 110, 60), "name server\n(DNS)");
    canvas.arrow("send", &[(154, 88), (306, 88)]);
    canvas.text((230, 79), "middle", "lip6.fr");
    canvas.arrow("reply", &[(306, 112), (154, 112)]);
    canvas.text((230, 131), "middle", "132.227.104.15");
    canvas.both_ways("", &[(375, 134), (375, 196)]);
    canvas.text((365, 170), "end", "1. look in the file");
    canvas.arrow("send", &[(444, 88), (596, 88)]);
    canvas.text((532, 79), "middle", "2. ask: lip6.fr");
    canvas.arrow("reply", &[(596, 112), (444, 112)]);
    canvas.text((532, 131), "middle", "132.227.104.15");
}
