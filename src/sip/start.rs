//! The start line (RFC 3261 sections 7.1 and 7.2), as loosely as PBXs take it.
//!
//! In: the first line without its line end. Out: request or status, or why it's neither.
//! Never: decodes a method, or takes `invite` for `INVITE` (see `sensor::miscased`).

use memchr::memchr;

use super::block::{find, is_graphic};
use super::lex::{from, is_lws, is_token, span, trim, trim_end, trim_start, upto};
use super::{Method, Quirk, Quirks, Reject, Start};
use crate::tally::Label;

const VERSION: &[u8; 7] = b"SIP/2.0";

impl Method {
    /// The method of a token; case-sensitive.
    #[inline(always)]
    pub fn from_token(token: &[u8]) -> Self {
        const INVI: u32 = u32::from_le_bytes(*b"INVI");
        const CANC: u32 = u32::from_le_bytes(*b"CANC");
        const REGI: u32 = u32::from_le_bytes(*b"REGI");
        const OPTI: u32 = u32::from_le_bytes(*b"OPTI");
        const PRAC: u32 = u32::from_le_bytes(*b"PRAC");
        const UPDA: u32 = u32::from_le_bytes(*b"UPDA");
        const INFO: u32 = u32::from_le_bytes(*b"INFO");
        const SUBS: u32 = u32::from_le_bytes(*b"SUBS");
        const NOTI: u32 = u32::from_le_bytes(*b"NOTI");
        const PUBL: u32 = u32::from_le_bytes(*b"PUBL");
        const REFE: u32 = u32::from_le_bytes(*b"REFE");
        const MESS: u32 = u32::from_le_bytes(*b"MESS");
        let Some(head) = token.first_chunk() else {
            return match token {
                b"ACK" => Self::Ack,
                b"BYE" => Self::Bye,
                _ => Self::Other,
            };
        };
        let (method, right) = match u32::from_le_bytes(*head) {
            INVI => (Self::Invite, token == b"INVITE"),
            CANC => (Self::Cancel, token == b"CANCEL"),
            REGI => (Self::Register, token == b"REGISTER"),
            OPTI => (Self::Options, token == b"OPTIONS"),
            PRAC => (Self::Prack, token == b"PRACK"),
            UPDA => (Self::Update, token == b"UPDATE"),
            INFO => (Self::Info, token == b"INFO"),
            SUBS => (Self::Subscribe, token == b"SUBSCRIBE"),
            NOTI => (Self::Notify, token == b"NOTIFY"),
            PUBL => (Self::Publish, token == b"PUBLISH"),
            REFE => (Self::Refer, token == b"REFER"),
            MESS => (Self::Message, token == b"MESSAGE"),
            _ => return Self::Other,
        };
        if right { method } else { Self::Other }
    }

    /// The method of CSeq's token, in whatever case: Kamailio takes it so, and the request line says
    /// which it really is.
    #[cold]
    pub(super) fn from_loose_token(token: &[u8]) -> Self {
        let is_it = |method: &&Self| token.eq_ignore_ascii_case(method.name().as_bytes());
        Self::ALL
            .iter()
            .find(|method| **method != Self::Other && is_it(method))
            .copied()
            .unwrap_or(Self::Other)
    }
}

/// A start line and the token of its method (empty in a response), however it is written.
#[inline(never)]
pub(super) fn loose<'a>(line: &'a [u8], quirks: &mut Quirks) -> Result<(Start<'a>, &'a [u8]), Reject> {
    let read = read(line, quirks);
    // Only a line that isn't quite right can hold a CR.
    let suspect =
        read.is_err() || quirks.has(Quirk::LooseStartLine) || matches!(read, Ok((Start::Response(_), _)));
    if suspect && memchr(b'\r', line).is_some() { Err(Reject::CrOnly) } else { read }
}

fn read<'a>(line: &'a [u8], quirks: &mut Quirks) -> Result<(Start<'a>, &'a [u8]), Reject> {
    if line.first_chunk::<4>().is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/")) {
        return Ok((status_line(line, quirks)?, &[]));
    }
    request_line(line, quirks)
}

/// A request line as RFCs write it: nothing is odd about it, nor about its bytes.
#[inline(always)]
pub(super) fn plain(line: &[u8]) -> Option<(Start<'_>, &[u8])> {
    let (rest, version) = line.split_last_chunk()?;
    let (token, uri) = rest.split_at_checked(find(rest, [b' '])?)?;
    let uri = uri.get(1..)?;
    if version != b" SIP/2.0" {
        return None;
    }
    let method = Method::from_token(token);
    let usual = method != Method::Other && !matches!(uri, [] | [b'<', ..]);
    (usual && is_graphic(uri)).then_some((Start::Request { method, uri }, token))
}

fn request_line<'a>(line: &'a [u8], quirks: &mut Quirks) -> Result<(Start<'a>, &'a [u8]), Reject> {
    let (token, rest) = find(line, [b' ', b'\t', b'\r', b'\n'])
        .and_then(|end| line.split_at_checked(end))
        .unwrap_or((line, &[]));
    let method = Method::from_token(token);
    if rest.is_empty() || (method == Method::Other && !is_method(token)) {
        return Err(Reject::StartLine);
    }
    let (uri, version) = rest.split_last_chunk::<7>().ok_or(Reject::StartLine)?;
    let (uri, version) = match uri {
        [.., b' ' | b'\t'] if version == VERSION => (uri, &version[..]),
        _ => loose_version(rest, quirks)?,
    };
    check_version(version, quirks)?;
    let uri = match uri {
        [b' ', inside @ .., b' '] if find(inside, [b' ', b'\t', b'\r']).is_none() => inside,
        _ => {
            quirks.set(Quirk::LooseStartLine);
            trim(uri)
        }
    };
    let uri = match uri {
        [b'<', inside @ .., b'>'] => {
            quirks.set(Quirk::LooseStartLine);
            trim(inside)
        }
        bare => bare,
    };
    if uri.is_empty() {
        return Err(Reject::StartLine);
    }
    if method == Method::Other && is_miscased(token) {
        return Err(Reject::MethodCase);
    }
    Ok((Start::Request { method, uri }, token))
}

/// The version in a line that doesn't simply end in `SIP/2.0`: other case, other version, or
/// blanks after it.
#[cold]
fn loose_version<'a>(rest: &'a [u8], quirks: &mut Quirks) -> Result<(&'a [u8], &'a [u8]), Reject> {
    let trimmed = trim_end(rest);
    if trimmed.len() != rest.len() {
        quirks.set(Quirk::LooseStartLine);
    }
    let blank = trimmed.iter().rposition(|byte| is_lws(*byte)).ok_or(Reject::StartLine)?;
    let (uri, version) = trimmed.split_at_checked(blank.saturating_add(1)).ok_or(Reject::StartLine)?;
    Ok((uri, version))
}

#[inline]
fn check_version(version: &[u8], quirks: &mut Quirks) -> Result<(), Reject> {
    if version == VERSION {
        return Ok(());
    }
    // Kamailio looks no further than that either.
    if version.get(..VERSION.len()).is_some_and(|head| head.eq_ignore_ascii_case(VERSION)) {
        quirks.set(Quirk::VersionCase);
        return Ok(());
    }
    let named = version.first_chunk::<4>().is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/"));
    Err(if named { Reject::Version } else { Reject::StartLine })
}

#[cold]
fn is_method(token: &[u8]) -> bool {
    !token.is_empty() && token.iter().all(|byte| is_token(*byte))
}

#[cold]
fn is_miscased(token: &[u8]) -> bool {
    Method::ALL
        .iter()
        .any(|known| *known != Method::Other && token.eq_ignore_ascii_case(known.name().as_bytes()))
}

fn status_line<'a>(line: &'a [u8], quirks: &mut Quirks) -> Result<Start<'a>, Reject> {
    let end = span(line, |byte| !is_lws(byte));
    check_version(upto(line, end), quirks)?;
    let rest = from(line, end);
    let code = trim_start(rest);
    if rest.len().saturating_sub(code.len()) > 1 {
        quirks.set(Quirk::LooseStartLine);
    }
    let (digits, after) = code.split_first_chunk::<3>().ok_or(Reject::StatusCode)?;
    if after.first().is_some_and(|byte| !is_lws(*byte)) {
        return Err(Reject::StatusCode);
    }
    super::lex::number(digits)
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (100..700).contains(code) && digits.iter().all(u8::is_ascii_digit))
        .map(Start::Response)
        .ok_or(Reject::StatusCode)
}

/// Whether a whole line (line end and blanks around it allowed) can only be a SIP start line of
/// some version: `TOKEN SP ... SP SIP/n.n` or `SIP/n.n SP ...`.
pub(super) fn is_plausible(line: &[u8]) -> bool {
    let line = trim(line);
    if is_sip_version(line) {
        return true;
    }
    let token = span(line, is_token);
    token > 0
        && line.get(token).is_some_and(|byte| is_lws(*byte))
        && line
            .iter()
            .rposition(|byte| is_lws(*byte))
            .is_some_and(|blank| is_sip_version(from(line, blank.saturating_add(1))))
}

/// Whether text begins like a request: a known method and a URI of a scheme that calls.
pub(super) fn is_plausible_beginning(line: &[u8]) -> bool {
    // No known method is longer than SUBSCRIBE.
    let word = span(upto(line, 12), |byte| byte.is_ascii_uppercase());
    let (token, rest) = line.split_at_checked(word).unwrap_or_default();
    if Method::from_token(token) == Method::Other {
        return false;
    }
    let trimmed = trim_start(rest);
    let uri = trimmed.strip_prefix(b"<").unwrap_or(trimmed);
    rest.len() != trimmed.len()
        && [&b"sip:"[..], b"sips:", b"tel:"]
            .iter()
            .any(|scheme| uri.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)))
}

fn is_sip_version(text: &[u8]) -> bool {
    let Some((head, rest)) = text.split_first_chunk::<4>() else { return false };
    let digits = span(rest, |byte| byte.is_ascii_digit() || byte == b'.');
    head.eq_ignore_ascii_case(b"SIP/") && digits > 0 && rest.get(digits).is_none_or(|byte| is_lws(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(line: &[u8]) -> Result<(Start<'_>, Quirks), Reject> {
        let mut quirks = Quirks::default();
        let read = plain(line).map_or_else(|| loose(line, &mut quirks), Ok);
        read.map(|(start, _)| (start, quirks))
    }

    fn uri(line: &[u8]) -> (&[u8], Quirks) {
        match read(line) {
            Ok((Start::Request { uri, .. }, quirks)) => (uri, quirks),
            other => panic!("{}: {other:?}", line.escape_ascii()),
        }
    }

    #[test]
    fn a_plain_request_line_has_no_quirk() {
        assert_eq!(uri(b"INVITE sip:a@h SIP/2.0"), (&b"sip:a@h"[..], Quirks::default()));
    }

    #[test]
    fn loose_request_lines_are_read_and_flagged() {
        for line in [
            &b"INVITE  sip:a@h SIP/2.0"[..],
            b"INVITE sip:a@h  SIP/2.0",
            b"INVITE\tsip:a@h\tSIP/2.0",
            b"INVITE sip:a@h SIP/2.0  ",
            b"INVITE <sip:a@h> SIP/2.0",
            b"INVITE < sip:a@h > SIP/2.0\t",
        ] {
            let (uri, quirks) = uri(line);
            assert_eq!(uri, b"sip:a@h", "{}", line.escape_ascii());
            assert!(quirks.has(Quirk::LooseStartLine));
        }
        assert_eq!(uri(b"INVITE sip:a@h; lr SIP/2.0").0, b"sip:a@h; lr");
        assert!(uri(b"INVITE sip:a@h sIp/2.0").1.has(Quirk::VersionCase));
        assert!(uri(b"INVITE sip:a@h SIP/2.01").1.has(Quirk::VersionCase));
    }

    #[test]
    fn what_is_no_start_line_says_why() {
        for (line, why) in [
            (&b"INVITE sip:a@h SIP/7.0"[..], Reject::Version),
            (b"INVITE sip:a@h sip/2.1", Reject::Version),
            (b"SIP/7.0 200 OK", Reject::Version),
            (b"INVITE sip:a@h HTTP/1.1", Reject::StartLine),
            (b"INVITE SIP/2.0", Reject::StartLine),
            (b"INVITE   SIP/2.0", Reject::StartLine),
            (b"INVITE sip:a@hSIP/2.0", Reject::StartLine),
            (b"IN(VITE sip:a@h SIP/2.0", Reject::StartLine),
            (b"invite sip:a@h SIP/2.0", Reject::MethodCase),
            (b"SIP/2.0  ", Reject::StatusCode),
            (b"SIP/2.0 99999", Reject::StatusCode),
            (b"SIP/2.0 4294967301 no", Reject::StatusCode),
            (b"SIP/2.0 099 no", Reject::StatusCode),
            (b"SIP/2.0 700 no", Reject::StatusCode),
            (b"SIP/2.0 +20 no", Reject::StatusCode),
            (b"SIP/2.0 20  no", Reject::StatusCode),
            (b"", Reject::StartLine),
        ] {
            assert_eq!(read(line).map(|_| ()), Err(why), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn any_reason_phrase_will_do() {
        for line in [&b"SIP/2.0 183"[..], b"SIP/2.0 183 ", b"sip/2.0  183 \xd0\xbd\xff"] {
            assert_eq!(read(line).map(|(start, _)| start), Ok(Start::Response(183)));
        }
    }

    #[test]
    fn methods_are_tokens_and_never_decoded() {
        assert_eq!(Method::from_token(b"RE%47IST%45R"), Method::Other);
        for method in Method::ALL {
            if *method != Method::Other {
                assert_eq!(Method::from_token(method.name().as_bytes()), *method);
            }
        }
    }

    proptest! {
        #[test]
        fn a_plain_line_is_read_as_any_is(
            line in "(INVITE|ACK|BYE|REGISTER|SUBSCRIBE|invite|FOO|INVITEs|SIP/2.0)[ \t]{1,2}<?[!-~\u{e9}\r ]{0,40}>? (SIP/2.0|sip/2.0|SIP/3.0)",
        ) {
            let line = line.as_bytes();
            let mut quirks = Quirks::default();
            if let Some(read) = plain(line) {
                prop_assert_eq!(loose(line, &mut quirks), Ok(read));
                prop_assert_eq!(quirks, Quirks::default());
            }
        }
    }
}
