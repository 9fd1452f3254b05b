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
    /// What stands for the call in charging: P-Charging-Vector, and other names for the same.
    Charging,
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
        b"vifrtocacscociussesiauavexroreprp-dihiwwv:f:t:i:m:l:r:b:v f t i m l r b v\tf\tt\ti\tm\tl\tr\tb\t";
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

/// Whether a line may be one that is used, by its first bytes, the first one lowest: most that
/// aren't fail here.
#[inline(always)]
pub(super) fn may_be_used(word: u32) -> bool {
    let seconds = BEGINNINGS.get((word & 31) as usize).copied().unwrap_or_default();
    (seconds >> ((word >> 8) & 31)) & 1 != 0
}

/// Recognises a line: one or two letters leave one name to compare with, or none.
pub(super) fn field(line: &[u8]) -> Option<Field<'_>> {
    use Header as H;
    let [first, second, third, ..] = line else { return short_line(line) };
    if matches!(second, b':' | b' ' | b'\t') {
        return compact(line);
    }
    let letter = |at: usize| line.get(at).map_or(0, |byte| byte | 0x20);
    match (first | 0x20, second | 0x20, third | 0x20) {
        (b'v', b'i', _) => of(line, b"Via", H::Via),
        (b'f', b'r', _) => of(line, b"From", H::From),
        (b't', b'o', _) => of(line, b"To", H::To),
        (b'c', b'a', _) => of(line, b"Call-ID", H::CallId),
        (b'c', b's', _) => of(line, b"CSeq", H::CSeq),
        (b'c', b'o', b'n') if letter(4) == b'a' => of(line, b"Contact", H::Contact),
        (b'c', b'o', b'n') if letter(8) == b'l' => of(line, b"Content-Length", H::ContentLength),
        (b'u', b's', _) => of(line, b"User-Agent", H::UserAgent),
        (b's', b'e', b'r') => of(line, b"Server", H::Server),
        (b's', b'e', b's') if letter(8) == b'i' => of(line, b"Session-ID", H::SessionId),
        (b'a', b'u', _) => of(line, b"Authorization", H::Authorization),
        (b'e', b'x', _) => of(line, b"Expires", H::Expires),
        (b'r', b'o', _) => of(line, b"Route", H::Route),
        (b'r', b'e', b'f') if letter(5) == b'r' => of(line, b"Referred-By", H::ReferredBy),
        (b'r', b'e', b'f') => of(line, b"Refer-To", H::ReferTo),
        (b'r', b'e', b'p') => of(line, b"Replaces", H::Replaces),
        (b'r', b'e', b'm') => of(line, b"Remote-Party-ID", H::RemotePartyId),
        (b'p', b'-', b'a') => of(line, b"P-Asserted-Identity", H::AssertedIdentity),
        (b'p', b'-', b'c') => of(line, b"P-Charging-Vector", H::Charging),
        (b'a', b'v', _) => of(line, b"Av-Global-Session-ID", H::Charging),
        (b'c', b'i', _) => of(line, b"Cisco-Guid", H::Charging),
        (b'p', b'-', b'p') => of(line, b"P-Preferred-Identity", H::PreferredIdentity),
        (b'p', b'r', b'o') if letter(10) == b'o' => of(line, b"Proxy-Authorization", H::ProxyAuthorization),
        (b'p', b'r', b'o') if letter(10) == b'e' => of(line, b"Proxy-Authenticate", H::ProxyAuthenticate),
        (b'd', b'i', _) => of(line, b"Diversion", H::Diversion),
        (b'h', b'i', _) => of(line, b"History-Info", H::HistoryInfo),
        (b'w', b'w', _) => of(line, b"WWW-Authenticate", H::WwwAuthenticate),
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
        b'v' => of(line, b"v", H::Via),
        b'f' => of(line, b"f", H::From),
        b't' => of(line, b"t", H::To),
        b'i' => of(line, b"i", H::CallId),
        b'm' => of(line, b"m", H::Contact),
        b'l' => of(line, b"l", H::ContentLength),
        b'r' => of(line, b"r", H::ReferTo),
        b'b' => of(line, b"b", H::ReferredBy),
        _ => None,
    }
}

#[inline(always)]
fn of<'a, const N: usize>(line: &'a [u8], name: &[u8; N], header: Header) -> Option<Field<'a>> {
    let (head, rest) = line.split_first_chunk::<N>()?;
    if head != name && !head.eq_ignore_ascii_case(name) {
        return None;
    }
    let (value, colon_blank) = match rest {
        [b':', value @ ..] => (value, false),
        _ => (late_colon(rest)?, true),
    };
    Some(Field { header, value: trim(value), colon_blank })
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
            assert!(may_be_used(line.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte))));
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
