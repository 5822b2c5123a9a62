//! Finds the most likely reasons of a failure.

use std::process::ExitStatus;
use std::str::{self, Utf8Error};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::connection::{LONG, shown};
use crate::lessons::Kind::{Block, Conversation, Datagram};
use crate::reasons::{self as why, Reason};
use crate::server::status_words;
use crate::wire::{Ending, Lab, Seen, Talk};

/// The time in which a process exits that an error has ended.
const DEATH: Duration = Duration::from_millis(300);

/// Why a check failed.
pub struct Blame {
    pub reasons: Vec<&'static Reason>,
    /// How the process exited.
    pub exit: Option<ExitStatus>,
}

impl Blame {
    /// Returns the sentences of all reasons. About a program in Rust, they name its functions.
    pub fn text(&self, is_rust: bool) -> String {
        let sentences = |reason: &&Reason| {
            if is_rust { reason.says_in_rust() } else { reason.says.to_owned() }
        };
        let says: Vec<_> = self.reasons.iter().map(sentences).collect();
        let status = self.exit.map(|exit| format!(" ({})", status_words(exit)));
        says.join(" ") + &status.unwrap_or_default()
    }
}

/// Returns the reasons of a failure. A process that has exited comes first, then the reason that
/// the check itself knows, then the general rules.
pub fn blame(lab: &Lab, miss: &Seen, is_first: bool) -> Blame {
    // These reasons say why the process has exited.
    let known =
        [&why::ACCEPTS_ONCE, &why::FEW_DESCRIPTORS, &why::BUG_ENDS_THREADS, &why::LAST_EXITS];
    if let Some(reason) = miss.reason.filter(|reason| known.contains(reason)) {
        return Blame { reasons: vec![reason], exit: None };
    }
    let is_cut = matches!(miss.ending, Ending::End | Ending::Reset | Ending::Refused);
    let exit = lab.exits_within(if miss.ending == Ending::Enough { DEATH / 10 } else { DEATH });
    let is_refused = miss.ending == Ending::Refused && lab.row.is_stream();
    let is_gone = exit.is_some() || is_refused || (is_cut && lab.is_gone());
    let mut reasons = Vec::new();
    let says_more = miss.reason.is_some() || !miss.talk.came.is_empty();
    if !is_gone || (!is_cut && says_more) {
        reasons.push(miss.reason.unwrap_or_else(|| general(lab, miss)));
    }
    if is_gone {
        reasons.push(match exit {
            Some(status) if status_words(status).contains("SIGPIPE") => &why::SIGPIPE,
            Some(status) if status.success() => &why::EXITED,
            _ if is_first && lab.first_reply().is_zero() => &why::DIES_AT_FIRST,
            _ => &why::DIED,
        });
    }
    Blame { reasons, exit }
}

/// Returns the reason that the bytes or their ending show.
fn general(lab: &Lab, miss: &Seen) -> &'static Reason {
    let Talk { want, came, sent } = &*miss.talk;
    let is_datagram = lab.row.kind == Datagram && miss.ending == Ending::Enough;
    if is_datagram && came.len() < want.len() && want.starts_with(came) {
        return if is_without_space(want, came) { &why::STRIPPED } else { &why::CUT_REPLY };
    }
    if came.is_empty() || came == want || (miss.ending == Ending::Reset && want.starts_with(came)) {
        return match miss.ending {
            // A socket that is connected to another client refuses the datagrams of this one.
            Ending::Refused if lab.row.kind == Datagram => &why::ONE_PEER,
            Ending::Unconnected => &why::NO_CONNECTION,
            Ending::Reset => &why::UNREAD,
            Ending::Silence if came.is_empty() => &why::NO_ANSWER,
            Ending::Silence => &why::NOT_CLOSED,
            _ => &why::AN_ERROR,
        };
    }
    if lab.row.kind != Block {
        return of_bytes(lab, want, came, sent);
    }
    of_prefix(miss).unwrap_or_else(|| of_bytes(lab, cut(want), cut(came), cut(sent)))
}

/// Returns a length-prefixed message without its length.
fn cut(message: &[u8]) -> &[u8] {
    message.get(4..).unwrap_or_default()
}

/// Returns the reason that the length in front of a reply shows.
pub fn of_prefix(miss: &Seen) -> Option<&'static Reason> {
    let Talk { want, came, .. } = &*miss.talk;
    if came.is_empty() {
        return None;
    }
    let body = cut(want);
    let characters = String::from_utf8_lossy(body).chars().count();
    let starts_with = |number: usize| {
        u32::try_from(number).is_ok_and(|number| came.starts_with(&number.to_be_bytes()))
    };
    let little_endian: Vec<u8> = want.iter().take(4).rev().copied().collect();
    if !body.is_empty() && came.starts_with(&little_endian) {
        Some(&why::WRONG_ORDER)
    } else if !body.is_empty() && came.starts_with(&body[..body.len().min(came.len())]) {
        Some(&why::NO_PREFIX)
    } else if starts_with(body.len() + 4) {
        Some(&why::LENGTH_WITH_PREFIX)
    } else if characters < body.len() && starts_with(characters) {
        Some(&why::LENGTH_IN_CHARACTERS)
    } else {
        None
    }
}

/// Returns the reason that the bytes of a reply show. They differ from the expected bytes.
fn of_bytes(lab: &Lab, want: &[u8], came: &[u8], sent: &[u8]) -> &'static Reason {
    let same = want.iter().zip(came).take_while(|(want, came)| want == came).count();
    let rest = &came[same..];
    let text = String::from_utf8_lossy(came);
    let is_ascii = sent.is_ascii();
    // Of a long reply, only a part was read. Its last character can be incomplete.
    let is_cut = |err: Utf8Error| err.error_len().is_none() && came.len() > LONG;
    let is_utf_8 = str::from_utf8(came).err().is_none_or(is_cut);
    // The first bytes are right, and a wrong one follows them.
    let is_behind = same == want.len() || (same > 0 && !want.ends_with(b"\0"));
    let is_one_nul = rest.starts_with(b"\0") && rest.get(1) != Some(&0);
    let without_returns: Vec<u8> = came.iter().copied().filter(|byte| *byte != b'\r').collect();
    let is_after_old = |before: &[u8]| is_in_history(lab, end_of(before));
    let is_old = is_in_history(lab, rest) || (!want.ends_with(end_of(came)) && is_after_old(came));
    // The letters that are not ASCII are the first difference, and they are as they were sent.
    let ascii = sent.to_ascii_uppercase();
    let same_as_ascii = ascii.iter().zip(came).take_while(|(one, two)| one == two).count();
    let is_ascii_only = ascii.starts_with(came) || same_as_ascii > same + 4;
    let is_repr = ["B'", "b'", "B\"", "b\""].iter().any(|start| text.starts_with(start));
    let has_new_mark = is_utf_8 && came.contains(&b'?') && !want.contains(&b'?');
    let is_stripped = is_without_space(want, came);
    // The first rule that applies counts.
    let rules = [
        (lab.row.reads_lines() && lacks_newline(want, came), &why::NO_NEWLINE),
        (rest.is_empty() && !is_stripped, &why::ONE_RECV),
        (contains(came, b"\r\n") && without_returns == want, &why::CRLF),
        (same > 2 && same == want.len() && rest.starts_with(want), &why::TWICE),
        (same > 0 && (rest.starts_with(b"\n") || rest.starts_with(b"\r\n")), &why::ADDS_NEWLINE),
        (is_utf_16(came), &why::LATIN_1),
        (same > 0 && is_one_nul && lab.row.kind != Block, &why::NUL_SENT),
        (rest.ends_with(b"\0") && is_behind, &why::WHOLE_BUFFER),
        (came.strip_suffix(want).is_some_and(is_after_old), &why::ACCUMULATES),
        (is_old && same == 0, &why::ACCUMULATES),
        (is_old, &why::WHOLE_BUFFER),
        (same == want.len() && lab.sends_old_bytes.load(SeqCst), &why::WHOLE_BUFFER),
        (contains(came, "\u{fffd}".as_bytes()), &why::REPLACED),
        (is_repr, &why::BYTES_REPR),
        (!is_ascii && has_new_mark, &why::QUESTION_MARKS),
        (is_stripped, &why::STRIPPED),
        (sent.starts_with(came), &why::SAME_BYTES),
        (!is_ascii && is_ascii_only, &why::NOT_DECODED),
        (!is_ascii && (!is_utf_8 || text.contains(['Ã', 'ã'])), &why::LATIN_1),
        (text.to_uppercase().as_bytes() == want, &why::LOWER_OR_TITLE),
        (same == want.len(), &why::MORE_BYTES),
    ];
    let rule = rules.into_iter().find(|(applies, _)| *applies);
    let reason = rule.map_or(&why::OTHER_BYTES, |(_, reason)| reason);
    if reason == &why::WHOLE_BUFFER {
        lab.sends_old_bytes.store(true, SeqCst);
    }
    reason
}

/// Returns true for ASCII letters in UTF-16, that is with a NUL byte behind each letter.
fn is_utf_16(bytes: &[u8]) -> bool {
    let is_letter = |pair: &[u8]| pair[0] != 0 && pair.get(1) == Some(&0);
    bytes.len() > 3 && bytes.chunks(2).all(is_letter)
}

/// Returns true if only the newline at the end is missing.
pub fn lacks_newline(want: &[u8], came: &[u8]) -> bool {
    want.strip_suffix(b"\n") == Some(came)
}

/// Returns true if only white space is missing.
fn is_without_space(want: &[u8], came: &[u8]) -> bool {
    let letters = |bytes: &[u8]| -> Vec<u8> {
        bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
    };
    let ends = want.trim_ascii_end() == came.trim_ascii_end();
    let is_inside = !want.starts_with(came) && letters(want).starts_with(&letters(came));
    came.len() < want.len() && (ends || is_inside)
}

/// Returns the last bytes, enough of them to recognise a text.
fn end_of(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.len().saturating_sub(5)..]
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Returns true if these bytes are a part of an older reply, and long enough to recognise it.
fn is_in_history(lab: &Lab, bytes: &[u8]) -> bool {
    bytes.len() > 2 && lab.history.lock().is_ok_and(|old| contains(&old, bytes))
}

/// Returns the expected bytes above those that came, at the first difference. Only the most
/// general reasons need that.
pub fn side_by_side(miss: &Seen, reasons: &[&Reason]) -> Vec<String> {
    const BEFORE: usize = 12;
    if !reasons.contains(&&why::OTHER_BYTES) && !reasons.contains(&&why::MORE_BYTES) {
        return Vec::new();
    }
    let from = miss.talk.same().saturating_sub(BEFORE);
    let part = |bytes: &[u8]| shown(Conversation, &bytes[from..bytes.len().min(from + LONG)]);
    let Talk { want, came, .. } = &*miss.talk;
    let place = if from > 0 { format!(" (from byte {})", from + 1) } else { String::new() };
    vec![format!("expected {}{place}", part(want)), format!("got      {}", part(came))]
}
