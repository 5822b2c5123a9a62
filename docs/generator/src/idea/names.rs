//! The ideas of the lessons on names, byte order and errors.

use super::{Canvas, Idea};

pub(super) const IDEAS: [Idea; 4] = [
    Idea {
        page: "names_ipv4",
        title: "The resolver looks for a name in the hosts file, and if it is not there, asks a name server",
        size: (720, 270),
        draw: names_ipv4,
    },
    Idea {
        page: "getaddrinfo",
        title: "getaddrinfo returns a list of entries, and each entry has the arguments of socket and of connect",
        size: (720, 330),
        draw: getaddrinfo,
    },
    Idea {
        page: "byte_order",
        title: "The same four bytes in two orders: the most significant byte first, or the least significant byte first",
        size: (720, 280),
        draw: byte_order,
    },
    Idea {
        page: "network_errors",
        title: "The lookup of a name, the connection and the wait for the reply can fail, each with its own error",
        size: (720, 220),
        draw: network_errors,
    },
];

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

fn getaddrinfo(canvas: &mut Canvas) {
    canvas.part((10, 10, 150, 40), "lip6.fr, www");
    canvas.arrow("send", &[(164, 30), (291, 30)]);
    canvas.part((295, 10, 150, 40), "getaddrinfo");
    canvas.arrow("reply", &[(370, 54), (370, 86)]);
    canvas.group((10, 90, 700, 150), "a list of entries, in the order to try them");
    for (x, name) in
        [(170, "family"), (300, "type"), (430, "protocol"), (593, "address")]
    {
        canvas.text((x, 140), "middle", name);
    }
    let entries = [
        (150, "entry 1", "AF_INET6", "[2001:db8:283c::15]:80"),
        (190, "entry 2", "AF_INET", "132.227.104.15:80"),
    ];
    for (y, entry, family, address) in entries {
        canvas.text((95, y + 20), "end", entry);
        canvas.part((110, y, 116, 30), family);
        canvas.part((232, y, 134, 30), "SOCK_STREAM");
        canvas.part((372, y, 118, 30), "IPPROTO_TCP");
        canvas.part((496, y, 194, 30), address);
    }
    canvas.arrow("", &[(300, 224), (300, 276)]);
    canvas.part((110, 280, 380, 40), "socket(family, type, protocol)");
    canvas.arrow("", &[(593, 224), (593, 276)]);
    canvas.part((496, 280, 194, 40), "connect(address)");
}

fn byte_order(canvas: &mut Canvas) {
    canvas.text((10, 40), "start", "the number 1234");
    canvas.text((10, 70), "start", "= 4 × 256 + 210 × 1");
    let bytes = ["00", "00", "04", "d2"];
    let worth = ["× 16,777,216", "× 65,536", "× 256", "× 1"];
    for (place, (byte, worth)) in bytes.iter().zip(worth).enumerate() {
        let x = 260 + 110 * place;
        canvas.part((x, 20, 100, 30), byte);
        canvas.text((x + 50, 70), "middle", worth);
    }
    canvas.text((310, 92), "middle", "most significant");
    canvas.text((640, 92), "middle", "least significant");
    let orders = [
        (140, "big-endian", "(network byte order)", bytes),
        (200, "little-endian", "(most processors)", ["d2", "04", "00", "00"]),
    ];
    for (y, order, of, bytes) in orders {
        canvas.text((10, y + 14), "start", order);
        canvas.text((10, y + 32), "start", of);
        canvas.parts((260, y, 100, 36), (110, 0), &bytes);
    }
    canvas.text((310, 264), "middle", "first byte");
    canvas.arrow("", &[(360, 259), (590, 259)]);
    canvas.text((640, 264), "middle", "last byte");
}

fn network_errors(canvas: &mut Canvas) {
    let steps = ["1. look up\nthe name", "2. connect", "3. wait for\nthe reply"];
    canvas.parts((10, 20, 150, 50), (190, 0), &steps);
    canvas.part((580, 20, 130, 50), "the reply");
    for x in [160, 350, 540] {
        canvas.arrow("", &[(x + 4, 45), (x + 36, 45)]);
    }
    canvas.arrow("lost", &[(85, 74), (85, 146)]);
    canvas.text((95, 115), "start", "no address");
    canvas.part((10, 150, 150, 60), "name error\ngaierror");
    canvas.arrow("lost", &[(250, 74), (250, 146)]);
    canvas.text((240, 115), "end", "RST");
    canvas.part((200, 150, 150, 60), "refused\nno server there");
    canvas.arrow("lost", &[(330, 74), (330, 106), (440, 106), (440, 146)]);
    canvas.text((385, 97), "middle", "silence");
    canvas.arrow("lost", &[(490, 74), (490, 146)]);
    canvas.text((500, 118), "start", "silence");
    canvas.part((390, 150, 150, 60), "timeout\nno reply in time");
}
