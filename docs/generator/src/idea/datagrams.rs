//! The ideas of the lessons on UDP.

use super::{Canvas, Idea, Point};

pub(super) const IDEAS: [Idea; 3] = [
    Idea {
        page: "udp_server_bytes",
        title: "Each datagram carries the address of its sender, so one socket of the server replies to both clients",
        size: (720, 352),
        draw: udp_server_bytes,
    },
    Idea {
        page: "udp_server",
        title: "The server decodes bytes to text, converts the text to upper case and encodes the result as bytes",
        size: (720, 270),
        draw: udp_server,
    },
    Idea {
        page: "ttl_pong",
        title: "Each router subtracts 1 from the TTL, so a datagram needs a TTL of 4 to pass three routers",
        size: (720, 320),
        draw: ttl_pong,
    },
];

fn udp_server_bytes(canvas: &mut Canvas) {
    canvas.part((10, 10, 144, 156), "client A\n127.0.0.1:50001");
    canvas.part((10, 186, 144, 156), "client B\n127.0.0.1:50002");
    canvas.part((566, 10, 144, 332), "server\none socket\n127.0.0.1:1235");
    for (y, port, request, reply) in
        [(10, "50001", "hello", "HELLO"), (186, "50002", "one", "ONE")]
    {
        let text =
            format!("from 127.0.0.1:{port}\nto 127.0.0.1:1235\n\"{request}\"");
        datagram(canvas, "send", y, &text);
        let text = format!("from 127.0.0.1:1235\nto 127.0.0.1:{port}\n\"{reply}\"");
        datagram(canvas, "reply", y + 84, &text);
    }
}

/// Draws a datagram on its way between a client and the server.
fn datagram(canvas: &mut Canvas, class: &str, y: usize, text: &str) {
    canvas.part((260, y, 200, 72), text);
    let middle = y + 36;
    let left = [(158, middle), (256, middle)];
    let right = [(464, middle), (562, middle)];
    if class == "send" {
        canvas.path(class, &left, &[]);
        canvas.arrow(class, &right);
    } else {
        canvas.path(class, &right, &[]);
        canvas.arrow(class, &[left[1], left[0]]);
    }
}

fn udp_server(canvas: &mut Canvas) {
    let columns = [
        (14, "start", "bytes received"),
        (153, "middle", "decode"),
        (216, "middle", "text"),
        (279, "middle", "upper"),
        (342, "middle", "text"),
        (405, "middle", "encode"),
        (475, "start", "bytes of the reply"),
    ];
    for (x, anchor, name) in columns {
        canvas.text((x, 24), anchor, name);
    }
    let rows: [(&[&str], &str, &str, &[&str]); 4] = [
        (&["68"], "h", "H", &["48"]),
        (&["c3", "a9"], "é", "É", &["c3", "89"]),
        (&["c3", "9f"], "ß", "SS", &["53", "53"]),
        (&["ce", "90"], "ΐ", "Ϊ́", &["ce", "99", "cc", "88", "cc", "81"]),
    ];
    let mut y = 42;
    for (received, text, upper, reply) in rows {
        bytes(canvas, (14, y), received);
        canvas.text((216, y + 20), "middle", text);
        canvas.text((342, y + 20), "middle", upper);
        for x in [128, 254, 380] {
            canvas.arrow("", &[(x, y + 15), (x + 50, y + 15)]);
        }
        bytes(canvas, (475, y), reply);
        y += 46;
    }
    bytes(canvas, (14, y), &["ff"]);
    canvas.arrow("lost", &[(128, y + 15), (178, y + 15)]);
    canvas.text(
        (200, y + 20),
        "start",
        "invalid UTF-8: the server drops the datagram",
    );
}

/// Draws a row of bytes.
fn bytes(canvas: &mut Canvas, (x, y): Point, bytes: &[&str]) {
    canvas.parts((x, y, 34, 30), (38, 0), bytes);
}

fn ttl_pong(canvas: &mut Canvas) {
    let names = ["client", "router 1", "router 2", "router 3", "server"];
    let middle = |machine: usize| 60 + 150 * machine;
    for (machine, name) in names.iter().enumerate() {
        let x = middle(machine);
        canvas.part((x - 45, 10, 90, 40), name);
        canvas.path("life", &[(x, 50), (x, 308)], &[]);
    }
    for ttl in 1..=4 {
        let y = 50 + 48 * ttl;
        for link in 0..ttl {
            let (from, to) = (middle(link), middle(link + 1));
            canvas.arrow("send", &[(from, y), (to - 4, y)]);
            let now = format!("TTL {}", ttl - link);
            canvas.text((from.midpoint(to), y - 8), "middle", &now);
        }
        if ttl < 4 {
            canvas.text((middle(ttl) + 8, y + 5), "start", "TTL 0: dropped");
        }
    }
    canvas.arrow("reply", &[(middle(4), 290), (middle(0) + 4, 290)]);
    canvas.text((middle(2) + 75, 282), "middle", "PONG");
}
