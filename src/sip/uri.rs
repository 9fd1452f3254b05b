//! The parts of a URI that count: who is called, and where (RFC 3261 section 19.1, RFC 3966).
//!
//! In: a URI's bytes. Out: scheme, user and host, as they stand there or %-decoded.
//! Never: resolves, normalises digits (that's `dial`'s), or truncates at a NUL.

use super::block::find;
use super::lex::{from, is_lws, span, trim, upto};

/// How many decoded bytes [`decoded_user`] gives: no dialled string is longer.
pub const USER_MAX: usize = 64;

/// How many decoded bytes [`replaces`] gives.
pub const REPLACES_MAX: usize = 384;

/// What matters of a URI's scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `sip:`, or none at all.
    Sip,
    /// `sips:`
    Sips,
    /// `tel:`
    Tel,
    /// Any other: it names no caller and no called party.
    Other,
}

/// The URI's scheme, in any case.
pub fn scheme(uri: &[u8]) -> Scheme {
    split(uri).0
}

/// The user part as it stands there, with its own parameters (`;phone-context=`), without a
/// password; of a `tel:` URI all that follows the scheme. Empty if there is none.
pub fn user(uri: &[u8]) -> &[u8] {
    // One look, up to the first separator, is all that nearly every URI takes.
    if let Some((b"sip:", rest)) = uri.split_first_chunk::<4>()
        && let Some((user, [b'@', ..])) = find(rest, [b':', b'@']).and_then(|at| rest.split_at_checked(at))
    {
        return trim(user);
    }
    any_user(uri)
}

fn any_user(uri: &[u8]) -> &[u8] {
    let (scheme, rest) = split(uri);
    match scheme {
        Scheme::Sip | Scheme::Sips => find(rest, [b'@']).map_or(&[][..], |at| {
            let user = upto(rest, at);
            trim(upto(user, find(user, [b':']).unwrap_or(user.len())))
        }),
        Scheme::Tel => trim(upto(rest, find(rest, [b'?']).unwrap_or(rest.len()))),
        Scheme::Other => &[],
    }
}

/// The last eight digits of a number, however it is written; 0 if it has fewer.
pub fn last_digits(user: &[u8]) -> u32 {
    let digits = || user.iter().rev().filter(|byte| byte.is_ascii_digit());
    if digits().nth(7).is_none() {
        return 0;
    }
    let units = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
    digits().zip(units).map(|(byte, unit)| u32::from(byte.wrapping_sub(b'0')).wrapping_mul(unit)).sum()
}

/// The host as it stands there, an IPv6 address with its brackets; empty for `tel:` and others.
pub fn host(uri: &[u8]) -> &[u8] {
    let (scheme, rest) = split(uri);
    if matches!(scheme, Scheme::Tel | Scheme::Other) {
        return &[];
    }
    let rest = from(rest, find(rest, [b'@']).map_or(0, |at| at.saturating_add(1)));
    if rest.first() == Some(&b'[') {
        return upto(rest, find(rest, [b']']).map_or(rest.len(), |end| end.saturating_add(1)));
    }
    upto(rest, span(rest, |byte| !is_lws(byte) && !matches!(byte, b':' | b';' | b'?' | b'/' | b'>')))
}

/// The user part %-decoded and without a password, at most [`USER_MAX`] bytes of it. A `%` that
/// begins no escape stays as it is (RFC 3261 section 19.1.2; RFC 4475 section 3.1.1.3).
pub fn decoded_user<'b>(uri: &[u8], buffer: &'b mut [u8; USER_MAX]) -> &'b [u8] {
    decoded(user(uri), buffer)
}

/// The Replaces header that a URI asks for, as that of an attended transfer does (RFC 3891 section 4),
/// %-decoded, at most [`REPLACES_MAX`] bytes of it.
pub fn replaces<'b>(uri: &[u8], buffer: &'b mut [u8; REPLACES_MAX]) -> Option<&'b [u8]> {
    let behind = from(uri, find(uri, [b'@'])?);
    let headers = from(behind, find(behind, [b'?'])?.saturating_add(1));
    let value = headers.split(|byte| *byte == b'&').find_map(|header| {
        let (name, value) = header.split_at_checked(find(header, [b'='])?)?;
        name.eq_ignore_ascii_case(b"Replaces").then(|| from(value, 1))
    })?;
    Some(decoded(value, buffer))
}

fn decoded<'b>(mut raw: &[u8], buffer: &'b mut [u8]) -> &'b [u8] {
    let mut used = 0usize;
    for slot in buffer.iter_mut() {
        raw = match raw {
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                *slot = (hex(*high) << 4) | hex(*low);
                rest
            }
            [byte, rest @ ..] => {
                *slot = *byte;
                rest
            }
            [] => break,
        };
        used = used.saturating_add(1);
    }
    upto(buffer, used)
}

const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit & 0x0f,
        _ => (digit & 0x0f).wrapping_add(9),
    }
}

fn split(uri: &[u8]) -> (Scheme, &[u8]) {
    let uri = trim(uri);
    if let Some((b"sip:", rest)) = uri.split_first_chunk::<4>() {
        return (Scheme::Sip, rest);
    }
    // A colon after the @ is a port's: such a URI has no scheme, and a lax PBX takes it as sip.
    let Some(colon) = find(uri, [b':', b'@']).filter(|at| uri.get(*at) == Some(&b':')) else {
        return (Scheme::Sip, uri);
    };
    let (name, rest) = (trim(upto(uri, colon)), from(uri, colon.saturating_add(1)));
    let scheme = if name.eq_ignore_ascii_case(b"sip") {
        Scheme::Sip
    } else if name.eq_ignore_ascii_case(b"sips") {
        Scheme::Sips
    } else if name.eq_ignore_ascii_case(b"tel") {
        Scheme::Tel
    } else {
        Scheme::Other
    };
    (scheme, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user_host(uri: &str) -> (&str, &str) {
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        (text(user(uri.as_bytes())), text(host(uri.as_bytes())))
    }

    #[test]
    fn users_and_hosts() {
        for (uri, user, host) in [
            ("sip:214@pbx.example:5060;user=phone?Route=%3Csip:x@y%3E", "214", "pbx.example"),
            ("SIP:+44;phone-context=x@h", "+44;phone-context=x", "h"),
            ("sips:a:secret@[2001:db8::10:5070]:5061", "a", "[2001:db8::10:5070]"),
            ("sip:h", "", "h"),
            ("sip:h;x=1", "", "h"),
            ("sip:a?b/;c,d@h", "a?b/;c,d", "h"),
            ("sip:[::1", "", "[::1"),
            ("tel:+1-201.555(0123);ext=5", "+1-201.555(0123);ext=5", ""),
            ("Tel:911", "911", ""),
            ("00882@h:5060", "00882", "h"),
            ("http://www.example.com", "", ""),
            ("soap.beep://192.0.2.103:3002", "", ""),
            ("isbn:2983792873", "", ""),
            ("sip : 1 23 @h", "1 23", "h"),
            ("", "", ""),
            ("@", "", ""),
            (":", "", ""),
        ] {
            assert_eq!(user_host(uri), (user, host), "{uri}");
        }
    }

    #[test]
    fn a_dialog_inside_a_uri() {
        let of = |uri: &str| {
            let mut buffer = [0; REPLACES_MAX];
            replaces(uri.as_bytes(), &mut buffer).map(|value| String::from_utf8(value.to_vec()).unwrap())
        };
        let uri = "sip:b@h;x=1?Subject=y&replaces=a%40h%3Bto-tag%3D1%3Bfrom-tag%3D2";
        assert_eq!(of(uri).as_deref(), Some("a@h;to-tag=1;from-tag=2"));
        for none in ["sip:b@h", "sip:a?Replaces=x@h", "sip:b@h?Replaces", "tel:+44?Replaces=x"] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn escapes_are_decoded_and_a_nul_survives() {
        for (uri, want) in [
            (&b"sip:%30%30882@h"[..], &b"00882"[..]),
            (b"sip:sips%3Auser%40example.com@h", b"sips:user@example.com"),
            (b"sip:null-%00-null@h", b"null-\0-null"),
            (b"sip:%75se%72@h", b"user"),
            (b"sip:a%4@h", b"a%4"),
            (b"sip:a%zz%@h", b"a%zz%"),
            (b"sip:%aF%Af@h", b"\xaf\xaf"),
            (b"tel:%2b44", b"+44"),
        ] {
            assert_eq!(decoded_user(uri, &mut [0; USER_MAX]), want, "{}", uri.escape_ascii());
        }
        let long = [b"sip:", &b"%41".repeat(80)[..], b"@h"].concat();
        assert_eq!(decoded_user(&long, &mut [0; USER_MAX]), [b'A'; 64]);
    }
}
