//! Which header a line is: only those that the tracker uses have a name here.
//!
//! In: one line (with its folds). Out: the header and where its value begins.
//! Never: takes a control character for a blank before the colon.

use super::lex::{from, trim};

/// A header that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    Authorization,
    CallId,
    Contact,
    ContentLength,
    CSeq,
    Diversion,
    Expires,
    From,
    HistoryInfo,
    AssertedIdentity,
    PreferredIdentity,
    ProxyAuthenticate,
    ProxyAuthorization,
    ReferTo,
    ReferredBy,
    RemotePartyId,
    Replaces,
    Route,
    Server,
    SessionId,
    To,
    UserAgent,
    Via,
    WwwAuthenticate,
}

impl Header {
    /// Its bit in a set of headers seen.
    pub(super) const fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

/// A line that is one of ours.
pub(super) struct Field<'a> {
    pub(super) header: Header,
    /// Trimmed; folds inside stay.
    pub(super) value: &'a [u8],
    /// Whether blanks stood before the colon.
    pub(super) colon_blank: bool,
}

/// By the first letter's five low bits, those of the second letters that names in use have, and of
/// what may follow a name of one letter.
const BEGINNINGS: [u32; 32] = {
    let mut table = [0u32; 32];
    let pairs =
        b"vifrtocacscoussesiauexroreprp-dihiwwv:f:t:i:m:l:r:b:v f t i m l r b v\tf\tt\ti\tm\tl\tr\tb\t";
    let (mut pairs, _) = pairs.as_chunks::<2>();
    while let [[first, second], rest @ ..] = pairs {
        #[expect(clippy::indexing_slicing, reason = "five bits, at compile time")]
        {
            table[(*first & 31) as usize] |= 1 << (*second & 31);
        }
        pairs = rest;
    }
    table
};

/// Whether a line may be one that is used, by its first two bytes: most that aren't fail here.
#[inline(always)]
pub(super) fn may_be_used(line: &[u8]) -> bool {
    let [first, second, ..] = line else { return false };
    let seconds = BEGINNINGS.get(usize::from(first & 31)).copied().unwrap_or_default();
    seconds & (1 << (second & 31)) != 0
}

/// Recognises a line: one or two letters leave one name to compare with, or none.
#[inline]
pub(super) fn field(line: &[u8]) -> Option<Field<'_>> {
    with_field(line, Give)
}

/// Who gets a line that is recognised.
pub(super) trait Take<'a, R> {
    fn take(self, field: Field<'a>) -> R;
}

struct Give;

impl<'a> Take<'a, Field<'a>> for Give {
    #[inline(always)]
    fn take(self, field: Field<'a>) -> Field<'a> {
        field
    }
}

/// As [`field`], and hands what it recognises to `found`, which is compiled for each name by
/// itself: the name is decided upon once.
#[inline(always)]
pub(super) fn with_field<'a, R>(line: &'a [u8], found: impl Take<'a, R>) -> Option<R> {
    use Header as H;
    let [first, second, third, ..] = line else { return short_line(line).map(|field| found.take(field)) };
    if matches!(second, b':' | b' ' | b'\t') {
        return compact(line).map(|field| found.take(field));
    }
    let letter = |at: usize| line.get(at).map_or(0, |byte| byte | 0x20);
    match (first | 0x20, second | 0x20, third | 0x20) {
        (b'v', b'i', _) => of(line, b"Via", H::Via, found),
        (b'f', b'r', _) => of(line, b"From", H::From, found),
        (b't', b'o', _) => of(line, b"To", H::To, found),
        (b'c', b'a', _) => of(line, b"Call-ID", H::CallId, found),
        (b'c', b's', _) => of(line, b"CSeq", H::CSeq, found),
        (b'c', b'o', b'n') if letter(4) == b'a' => of(line, b"Contact", H::Contact, found),
        (b'c', b'o', b'n') if letter(8) == b'l' => of(line, b"Content-Length", H::ContentLength, found),
        (b'u', b's', _) => of(line, b"User-Agent", H::UserAgent, found),
        (b's', b'e', b'r') => of(line, b"Server", H::Server, found),
        (b's', b'e', b's') => of(line, b"Session-ID", H::SessionId, found),
        (b'a', b'u', _) => of(line, b"Authorization", H::Authorization, found),
        (b'e', b'x', _) => of(line, b"Expires", H::Expires, found),
        (b'r', b'o', _) => of(line, b"Route", H::Route, found),
        (b'r', b'e', b'f') if letter(5) == b'r' => of(line, b"Referred-By", H::ReferredBy, found),
        (b'r', b'e', b'f') => of(line, b"Refer-To", H::ReferTo, found),
        (b'r', b'e', b'p') => of(line, b"Replaces", H::Replaces, found),
        (b'r', b'e', b'm') => of(line, b"Remote-Party-ID", H::RemotePartyId, found),
        (b'p', b'-', b'a') => of(line, b"P-Asserted-Identity", H::AssertedIdentity, found),
        (b'p', b'-', b'p') => of(line, b"P-Preferred-Identity", H::PreferredIdentity, found),
        (b'p', b'r', b'o') if letter(10) == b'o' => {
            of(line, b"Proxy-Authorization", H::ProxyAuthorization, found)
        }
        (b'p', b'r', b'o') if letter(10) == b'e' => {
            of(line, b"Proxy-Authenticate", H::ProxyAuthenticate, found)
        }
        (b'd', b'i', _) => of(line, b"Diversion", H::Diversion, found),
        (b'h', b'i', _) => of(line, b"History-Info", H::HistoryInfo, found),
        (b'w', b'w', _) => of(line, b"WWW-Authenticate", H::WwwAuthenticate, found),
        _ => None,
    }
}

/// `v:` has an empty value, and yet it is a Via.
#[cold]
fn short_line(line: &[u8]) -> Option<Field<'_>> {
    if line.len() == 2 { compact(line) } else { None }
}

/// Names of one letter (RFC 3261 section 7.3.3, RFC 3515, RFC 3892).
fn compact(line: &[u8]) -> Option<Field<'_>> {
    use Header as H;
    match line.first()? | 0x20 {
        b'v' => of(line, b"v", H::Via, Give),
        b'f' => of(line, b"f", H::From, Give),
        b't' => of(line, b"t", H::To, Give),
        b'i' => of(line, b"i", H::CallId, Give),
        b'm' => of(line, b"m", H::Contact, Give),
        b'l' => of(line, b"l", H::ContentLength, Give),
        b'r' => of(line, b"r", H::ReferTo, Give),
        b'b' => of(line, b"b", H::ReferredBy, Give),
        _ => None,
    }
}

#[inline(always)]
fn of<'a, const N: usize, R>(
    line: &'a [u8],
    name: &[u8; N],
    header: Header,
    found: impl Take<'a, R>,
) -> Option<R> {
    let (head, rest) = line.split_first_chunk::<N>()?;
    if head != name && !head.eq_ignore_ascii_case(name) {
        return None;
    }
    let (value, colon_blank) = match rest {
        [b':', value @ ..] => (value, false),
        _ => (late_colon(rest)?, true),
    };
    Some(found.take(Field { header, value: trim(value), colon_blank }))
}

/// Blanks, and only blanks, may stand before the colon (RFC 3261 section 7.3.1).
#[cold]
fn late_colon(rest: &[u8]) -> Option<&[u8]> {
    let blanks = super::lex::span(rest, |byte| matches!(byte, b' ' | b'\t'));
    match from(rest, blanks) {
        [b':', value @ ..] => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case_compact_and_with_blanks() {
        for (line, want) in [
            (&b"Via: x"[..], Header::Via),
            (b"v:x", Header::Via),
            (b"V \t: x", Header::Via),
            (b"fRoM: x", Header::From),
            (b"F: x", Header::From),
            (b"TO :x", Header::To),
            (b"t: x", Header::To),
            (b"CALL-id: x", Header::CallId),
            (b"i: x", Header::CallId),
            (b"cseq: x", Header::CSeq),
            (b"CONTENT-length: x", Header::ContentLength),
            (b"L: x", Header::ContentLength),
            (b"m: x", Header::Contact),
            (b"contact: x", Header::Contact),
            (b"r: x", Header::ReferTo),
            (b"refer-to: x", Header::ReferTo),
            (b"b: x", Header::ReferredBy),
            (b"REFERRED-BY: x", Header::ReferredBy),
            (b"proxy-authorization\t:x", Header::ProxyAuthorization),
            (b"Session-ID: x", Header::SessionId),
        ] {
            assert!(may_be_used(line));
            let field = field(line).unwrap_or_else(|| panic!("{}", line.escape_ascii()));
            assert_eq!((field.header, field.value), (want, &b"x"[..]));
        }
    }

    #[test]
    fn names_that_only_look_alike() {
        for line in [
            &b"To\x01: x"[..],
            b"To\0: x",
            b"To\x0b: x",
            b"\x01To: x",
            b"To\xa0: x",
            b"To-Other: x",
            b"Topic: x",
            b"Via",
            b"Vi a: x",
            b"Content-Type: x",
            b"c: x",
            b"s: x",
            b"o: x",
            b"Record-Route: x",
            b"X-From: x",
            b": x",
            b"",
            b"Tothe point: x",
            b"\x14o: x",
        ] {
            assert!(field(line).is_none(), "{}", line.escape_ascii());
        }
    }
}
