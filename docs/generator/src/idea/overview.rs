//! The drawing on the first page of the book.

use super::{Canvas, Idea};

pub(super) const IDEAS: [Idea; 1] = [Idea {
    page: "index",
    title: "Four kinds of client send requests to the server of a lesson or to your own server",
    size: (720, 330),
    draw: overview,
}];

fn overview(canvas: &mut Canvas) {
    canvas.group((10, 10, 280, 310), "four kinds of client");
    let clients = [
        "tcp_client\nyou type, and you see the reply",
        "rude\none rude client, step by step",
        "check\nis this server correct?",
        "crowd\nwhich clients wait, and how long?",
    ];
    canvas.parts((25, 42, 250, 56), (0, 68), &clients);
    canvas.group((440, 10, 270, 216), "a lesson");
    let lesson = [
        "its page\nthe idea, questions, exercises",
        "its server in Rust",
        "its server in Python",
    ];
    canvas.parts((455, 42, 240, 50), (0, 60), &lesson);
    canvas.part((440, 250, 270, 70), "your own server\nin any language");
    canvas.arrow("send", &[(294, 140), (436, 140)]);
    canvas.text((365, 132), "middle", "request: straße");
    canvas.arrow("reply", &[(436, 174), (294, 174)]);
    canvas.text((365, 166), "middle", "reply: STRASSE");
    canvas.arrow("send", &[(294, 272), (436, 272)]);
    canvas.arrow("reply", &[(436, 298), (294, 298)]);
}
