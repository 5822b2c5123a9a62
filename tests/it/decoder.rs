//! The text decoder: the result does not depend on where the reads cut the stream.

use sockets101::Decoder;

/// Decodes a stream. Returns its text, and `valid` or what is wrong with it.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (String, String) {
    let mut decoder = Decoder::default();
    let mut whole = String::new();
    for piece in pieces {
        let (text, valid) = decoder.decode(piece);
        whole += &text;
        if !valid {
            return (whole, "invalid".into());
        }
    }
    match decoder.finish() {
        Ok(()) => (whole, "valid".into()),
        Err(err) => (whole, format!("at the end: {err}")),
    }
}

#[test]
fn every_way_to_cut_a_text_gives_the_same_result() {
    let good = "valid";
    let bad = "invalid";
    let cut = "at the end: invalid UTF-8";
    let cases: [(&[u8], &str, &str); 17] = [
        (b"", "", good),
        ("aé€🦀z".as_bytes(), "aé€🦀z", good),
        ("ßﬁΐ\u{10ffff}".as_bytes(), "ßﬁΐ\u{10ffff}", good),
        ("e\u{301}\0\u{feff}\n".as_bytes(), "e\u{301}\0\u{feff}\n", good),
        (b"good\xffbad", "good", bad),
        (b"\x80", "", bad),
        (b"\xc3\xa9\xa9", "é", bad),
        (b"\xe2\x82A", "", bad),
        (b"ab\xf0\x9f\xa6\xc3\xa9", "ab", bad),
        (b"\xed\xa0\x80", "", bad),     // a surrogate
        (b"a\xc0\x80", "a", bad),       // an overlong NUL
        (b"\xf4\x90\x80\x80", "", bad), // above U+10FFFF
        (b"\xf8\x88\x80\x80\x80", "", bad),
        (b"\xc3", "", cut),
        (b"ok\xe2\x82", "ok", cut),
        (b"\xf0\x9f\xa6", "", cut),
        (b"\xc3\xa9\xf0", "é", cut),
    ];
    for (bytes, text, expected) in cases {
        // If bit i of `cuts` is 1, the stream is cut after byte i.
        for cuts in 0..1_u32 << bytes.len().saturating_sub(1) {
            let mut pieces = Vec::new();
            let mut start = 0;
            for end in 1..=bytes.len() {
                if end == bytes.len() || cuts >> (end - 1) & 1 == 1 {
                    pieces.push(&bytes[start..end]);
                    start = end;
                }
            }
            let result = decode(pieces.iter().copied());
            assert_eq!(result, (text.into(), expected.into()), "{pieces:02x?}");
        }
    }
}
