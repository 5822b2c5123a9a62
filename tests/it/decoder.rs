//! The text decoder: wherever the reads cut a stream, the outcome is the same.

use sockets101::Decoder;

/// What a whole stream comes to: all its text, and how it ended.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (String, String) {
    let mut decoder = Decoder::default();
    let mut whole = String::new();
    for piece in pieces {
        let (text, verdict) = decoder.feed(piece);
        whole += &text;
        if let Err(err) = verdict {
            return (whole, err.to_string());
        }
    }
    let verdict = decoder.finish();
    (
        whole,
        verdict.map_or_else(|err| format!("at the end: {err}"), |()| "good".into()),
    )
}

#[test]
fn every_way_to_cut_a_text_gives_the_same() {
    let good = "good";
    let flawed = "not UTF-8";
    let cut = "at the end: not UTF-8";
    let cases: [(&[u8], &str, &str); 17] = [
        (b"", "", good),
        ("aé€🦀z".as_bytes(), "aé€🦀z", good),
        ("ßﬁΐ\u{10ffff}".as_bytes(), "ßﬁΐ\u{10ffff}", good),
        ("e\u{301}\0\u{feff}\n".as_bytes(), "e\u{301}\0\u{feff}\n", good),
        (b"good\xffbad", "good", flawed),
        (b"\x80", "", flawed),
        (b"\xc3\xa9\xa9", "é", flawed),
        (b"\xe2\x82A", "", flawed),
        (b"ab\xf0\x9f\xa6\xc3\xa9", "ab", flawed),
        (b"\xed\xa0\x80", "", flawed),     // a surrogate
        (b"a\xc0\x80", "a", flawed),       // an overlong NUL
        (b"\xf4\x90\x80\x80", "", flawed), // above U+10FFFF
        (b"\xf8\x88\x80\x80\x80", "", flawed),
        (b"\xc3", "", cut),
        (b"ok\xe2\x82", "ok", cut),
        (b"\xf0\x9f\xa6", "", cut),
        (b"\xc3\xa9\xf0", "é", cut),
    ];
    for (bytes, text, verdict) in cases {
        // Bit i of `cuts` says whether there is a cut after byte i.
        for cuts in 0..1_u32 << bytes.len().saturating_sub(1) {
            let mut pieces = Vec::new();
            let mut start = 0;
            for end in 1..=bytes.len() {
                if end == bytes.len() || cuts >> (end - 1) & 1 == 1 {
                    pieces.push(&bytes[start..end]);
                    start = end;
                }
            }
            let outcome = decode(pieces.iter().copied());
            assert_eq!(outcome, (text.into(), verdict.into()), "{pieces:02x?}");
        }
    }
}
