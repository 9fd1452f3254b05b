//! History-Info (RFC 7044, RFC 4244): who sent a call elsewhere.
//!
//! In: the header's values. Out: the user that diverted last.
//! Never: takes a proxy's look-up of where somebody is for a diversion.

use super::NameAddr;
use super::lex::values;
use super::uri::user;

/// How many entries are looked at.
const ENTRIES: usize = 16;

/// The user part of the last entry from which the call was sent to somebody else; empty if there is
/// none. `first` and `last` are the first and the last line's value, which may be the same.
pub fn diverted_by<'a>(first: &'a [u8], last: &'a [u8]) -> &'a [u8] {
    if first.is_empty() {
        return &[];
    }
    let more = if std::ptr::eq(first, last) { &[][..] } else { last };
    let entries = values(first).chain(values(more)).filter_map(NameAddr::parse).take(ENTRIES);
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
            ("<sip:214@p>;index=1, <sip:+882160@t;cause=302>;index=1.1", "", "214"),
            ("<sip:214@p>;index=1,<sip:231@p>;index=1.1;mp=1,<sip:+882160@t>;index=1.1.1;mp=1.1", "", "231"),
            ("<sip:214@p>;index=1", "<sip:+882160@t>;index=1.1", ""),
            ("\"a, <b>\" <sip:214@p?reason=SIP;cause=486>;index=1", "", "214"),
            ("<sip:214@p", "<", ""),
            ("", "<sip:1@h>;mp=1", ""),
        ] {
            let last = if last.is_empty() { first } else { last };
            assert_eq!(diverted_by(first.as_bytes(), last.as_bytes()), by.as_bytes(), "{first} {last}");
        }
    }
}
