//! As much of HTTP/1 as it takes to pass its bodies by (RFC 9112), and to see where it turns into
//! WebSocket.
//!
//! In: a head, of either side; chunks. Out: what follows it.
//! Never: takes what a body says for SIP.

use memchr::{memchr, memmem};

/// Longest head that is waited for, in bytes.
const HEAD_MAX: usize = 16 * 1024;
/// Longest line that says how long a chunk is, in bytes.
const CHUNK_LINE_MAX: usize = 1024;

/// What a head turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// It goes on.
    More,
    /// The way into WebSocket with SIP; so many bytes long.
    Sip(usize),
    /// Anything else, so many bytes long, and what follows it.
    Other(usize, Body),
    /// It never ends.
    No,
}

/// What follows a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes, perhaps none.
    Length(u64),
    /// Chunks, each with its length before it.
    Chunks,
    /// All until the connection ends.
    ToTheEnd,
}

/// Reads a head, of either side. `seen` bytes of it were looked at before.
pub(super) fn head(bytes: &[u8], seen: &mut usize) -> Head {
    let from = seen.saturating_sub(3);
    let Some(end) = memmem::find(bytes.get(from..).unwrap_or_default(), b"\r\n\r\n") else {
        *seen = bytes.len();
        return if bytes.len() > HEAD_MAX { Head::No } else { Head::More };
    };
    let end = from.saturating_add(end).saturating_add(4);
    let head = bytes.get(..end).unwrap_or_default();
    if has_token(head, b"upgrade", b"websocket") && has_token(head, b"sec-websocket-protocol", b"sip") {
        Head::Sip(end)
    } else {
        Head::Other(end, body(head))
    }
}

fn body(head: &[u8]) -> Body {
    let status = head.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
    let never = status.is_some_and(|code| code.starts_with(b"1") || code == b"204" || code == b"304");
    let length =
        values(head, b"content-length").find_map(|value| std::str::from_utf8(value).ok()?.parse().ok());
    match length {
        _ if never => Body::Length(0),
        _ if has_token(head, b"transfer-encoding", b"chunked") => Body::Chunks,
        Some(length) => Body::Length(length),
        None if status.is_some() => Body::ToTheEnd,
        None => Body::Length(0),
    }
}

/// How long the next chunk is with its line and its line end, and whether it's the last one. The outer
/// `None`: more is needed; the inner one: no chunk.
pub(super) fn chunk(bytes: &[u8]) -> Option<Option<(u64, bool)>> {
    let Some(end) = memchr(b'\n', bytes) else {
        return if bytes.len() > CHUNK_LINE_MAX { Some(None) } else { None };
    };
    let line = bytes.get(..end).unwrap_or_default();
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let length = std::str::from_utf8(line.get(..digits).unwrap_or_default())
        .ok()
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let whole = |length: u32| u64::from(length).saturating_add(end as u64).saturating_add(3);
    Some(length.map(|length| {
        if length == 0 { ((end as u64).saturating_add(1), true) } else { (whole(length), false) }
    }))
}

fn values<'h>(head: &'h [u8], name: &'static [u8]) -> impl Iterator<Item = &'h [u8]> {
    head.split(|byte| *byte == b'\n').skip(1).filter_map(move |line| {
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let found = halves.next()?.trim_ascii().eq_ignore_ascii_case(name);
        found.then(|| halves.next().unwrap_or_default().trim_ascii())
    })
}

/// Whether a header names a token in its comma-separated list.
fn has_token(head: &[u8], name: &'static [u8], token: &[u8]) -> bool {
    let is_it = |one: &[u8]| one.trim_ascii().eq_ignore_ascii_case(token);
    values(head, name).any(|value| value.split(|byte| *byte == b',').any(is_it))
}
