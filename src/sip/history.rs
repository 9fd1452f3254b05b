//! History-Info (RFC 7044, RFC 4244): who sent a call elsewhere.
//!
//! In: the header's values. Out: the user that diverted last.
//! Never: takes a proxy's look-up of where somebody is for a diversion.

use super::lex::{from, span, trim, values};
use super::uri::user;
use super::{Lines, Message, NameAddr};

/// How many entries are looked at.
const ENTRIES: usize = 16;

/// Lines of a message that are looked at.
const LINES: usize = 256;

/// The user part of the last entry from which the call was sent to somebody else; empty if there is
/// none.
pub fn diverted_by<'a>(msg: &Message<'a>) -> &'a [u8] {
    let (first, last) = (msg.history(), msg.history_last());
    if first.is_empty() {
        return &[];
    }
    if std::ptr::eq(first, last) { last_diversion(values(first)) } else { in_lines(msg.head()) }
}

/// The same where the history stands in several lines.
#[cold]
fn in_lines(head: &[u8]) -> &[u8] {
    let mut lines = Lines::new(head);
    let named = (0..LINES).map_while(move |_| {
        if lines.rest().is_empty() {
            return None;
        }
        let (behind, line) = lines.folded(head);
        lines = behind;
        let line = line.text;
        let (name, value) = line.split_at_checked(span(line, |byte| byte != b':')).unwrap_or_default();
        Some(if trim(name).eq_ignore_ascii_case(b"history-info") { from(value, 1) } else { &[] })
    });
    last_diversion(named.flat_map(values))
}

fn last_diversion<'a>(entries: impl Iterator<Item = &'a [u8]>) -> &'a [u8] {
    let entries = entries.filter_map(NameAddr::parse).take(ENTRIES);
    let (mut found, mut before): (&[u8], Option<NameAddr<'_>>) = (&[], None);
    for entry in entries {
        // `mp`: the one who was called was mapped to another; a cause in the new target (RFC 4458).
        let mapped = entry.param(b"mp").is_some() || has(entry.uri, b";cause=");
        if let Some(by) = before.filter(|by| mapped && user(by.uri) != user(entry.uri)) {
            found = user(by.uri);
        }
        // A reason why it went on from there: a 302 or busy, say.
        if has(entry.uri, b"reason=") {
            found = user(entry.uri);
        }
        before = Some(entry);
    }
    found
}

fn has(uri: &[u8], part: &[u8]) -> bool {
    uri.windows(part.len()).any(|here| here.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_sent_the_call_elsewhere_is_named() {
        for (first, last, by) in [
            ("<sip:214@p>;index=1", "", ""),
            ("<sip:214@p>;index=1, <sip:214@10.0.3.17>;index=1.1;rc=1", "", ""),
            ("<sip:214@p?Reason=SIP%3Bcause%3D302>;index=1, <sip:+882160@t>;index=1.1;mp=1", "", "214"),
            ("<sip:214@p>;index=1", "<sip:+882160@t>;index=1.1;mp=1", "214"),
            (
                "<sip:+4420@p>;index=1|<sip:214@p?Reason=SIP>;index=1.1",
                "<sip:+882160@t>;index=1.1.1;mp=1.1",
                "214",
            ),
            (
                "<sip:1@p>;index=1|<sip:2@p>;index=2;mp=1|<sip:3@p>;index=3;mp=2",
                "<sip:4@t>;index=4;mp=3",
                "3",
            ),
            ("<sip:214@p>;index=1, <sip:+882160@t;cause=302>;index=1.1", "", "214"),
            ("<sip:214@p>;index=1,<sip:231@p>;index=1.1;mp=1,<sip:+882160@t>;index=1.1.1;mp=1.1", "", "231"),
            ("<sip:214@p>;index=1", "<sip:+882160@t>;index=1.1", ""),
            ("\"a, <b>\" <sip:214@p?reason=SIP;cause=486>;index=1", "", "214"),
            ("<sip:214@p", "<", ""),
            ("", "", ""),
        ] {
            let lines =
                [first, last].into_iter().filter(|line| !line.is_empty()).flat_map(|line| line.split('|'));
            let lines: String =
                lines.map(|line| format!("HISTORY-info :\r\n {line}\r\nX-Other\r\n")).collect();
            let text = format!(
                "INVITE sip:1@h SIP/2.0\r\nFrom: <sip:1@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n{lines}\r\n\
                 History-Info: <sip:9@p?Reason=SIP>\r\n"
            );
            let msg = Message::parse(text.as_bytes()).unwrap();
            assert_eq!(diverted_by(&msg), by.as_bytes(), "{first} {last}");
        }
    }
}
