//! As much of HTTP/1 as it takes to pass its bodies by (RFC 9112), and to see where it turns into
//! WebSocket.
//!
//! In: a head, of either side; chunks. Out: what follows it.
//! Never: takes what a body says for SIP.

use memchr::memchr;

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
    let Some(end) = end(bytes, seen.saturating_sub(3)) else {
        *seen = bytes.len();
        return if bytes.len() > HEAD_MAX { Head::No } else { Head::More };
    };
    let head = bytes.get(..end).unwrap_or_default();
    let said = Said::read(head);
    if said.websocket && said.sip { Head::Sip(end) } else { Head::Other(end, said.body(head)) }
}

/// Where the empty line that begins at `from` or later ends. Line by line: heads are short, and setting
/// up a search for four bytes costs more than to go through one.
fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from.saturating_add(3);
    loop {
        let line_end = at.saturating_add(memchr(b'\n', bytes.get(at..)?)?);
        if bytes.get(line_end.saturating_sub(3)..line_end) == Some(b"\r\n\r") {
            return Some(line_end.saturating_add(1));
        }
        at = line_end.saturating_add(1);
    }
}

/// What the headers say that bears on what follows them.
#[derive(Default)]
struct Said {
    websocket: bool,
    sip: bool,
    chunked: bool,
    length: Option<u64>,
}

/// Whether a line's first letter is one of a name that is read; a space before it is no letter.
fn may_matter(line: &[u8]) -> bool {
    line.first().is_some_and(|first| b"usct".contains(&(first | 0x20)) || first.is_ascii_whitespace())
}

impl Said {
    /// One pass. Names are told apart by their length first: most are none of these.
    fn read(head: &[u8]) -> Self {
        let mut said = Self::default();
        let mut rest = head;
        let mut is_first = true;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, after) = rest.split_at_checked(end).unwrap_or_default();
            if !std::mem::take(&mut is_first) && may_matter(line) {
                let (name, value) =
                    line.split_at_checked(memchr(b':', line).unwrap_or(end)).unwrap_or_default();
                said.take(name.trim_ascii(), value.get(1..).unwrap_or_default());
            }
            rest = after.get(1..).unwrap_or_default();
        }
        said
    }

    fn take(&mut self, name: &[u8], value: &[u8]) {
        let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
        match name.len() {
            7 if is(b"upgrade") => self.websocket |= has_token(value, b"websocket"),
            14 if is(b"content-length") && self.length.is_none() => {
                self.length = std::str::from_utf8(value.trim_ascii()).ok().and_then(|text| text.parse().ok());
            }
            17 if is(b"transfer-encoding") => self.chunked |= has_token(value, b"chunked"),
            22 if is(b"sec-websocket-protocol") => self.sip |= has_token(value, b"sip"),
            _ => {}
        }
    }

    fn body(&self, head: &[u8]) -> Body {
        let status = head.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
        let never = status.is_some_and(|code| code.starts_with(b"1") || code == b"204" || code == b"304");
        match self.length {
            _ if never => Body::Length(0),
            _ if self.chunked => Body::Chunks,
            Some(length) => Body::Length(length),
            None if status.is_some() => Body::ToTheEnd,
            None => Body::Length(0),
        }
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

/// Whether a comma-separated list has a token.
fn has_token(value: &[u8], token: &[u8]) -> bool {
    value.split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same, header by header: slowly.
    fn plainly(bytes: &[u8]) -> Head {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at.saturating_add(4))
        else {
            return if bytes.len() > HEAD_MAX { Head::No } else { Head::More };
        };
        let head = &bytes[..end];
        let values = |name: &str| -> Vec<Vec<u8>> {
            let named = head.split(|byte| *byte == b'\n').skip(1).filter_map(|line| {
                let mut halves = line.splitn(2, |byte| *byte == b':');
                let found = halves.next()?.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
                found.then(|| halves.next().unwrap_or_default().trim_ascii().to_vec())
            });
            named.collect()
        };
        let has = |name: &str, token: &str| {
            let is_it = |one: &[u8]| one.trim_ascii().eq_ignore_ascii_case(token.as_bytes());
            values(name).iter().any(|value| value.split(|byte| *byte == b',').any(is_it))
        };
        if has("upgrade", "websocket") && has("sec-websocket-protocol", "sip") {
            return Head::Sip(end);
        }
        let status = head.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
        let never = status.is_some_and(|code| code[0] == b'1' || code == b"204" || code == b"304");
        let length =
            values("content-length").into_iter().find_map(|v| String::from_utf8(v).ok()?.parse().ok());
        let body = match length {
            _ if never => Body::Length(0),
            _ if has("transfer-encoding", "chunked") => Body::Chunks,
            Some(length) => Body::Length(length),
            None if status.is_some() => Body::ToTheEnd,
            None => Body::Length(0),
        };
        Head::Other(end, body)
    }

    const PARTS: [&str; 24] = [
        "GET / HTTP/1.1",
        "HTTP/1.1 200 OK",
        "HTTP/1.1 101 x",
        "HTTP/1.0 304 x",
        "\r\n",
        "\n",
        "\r",
        ":",
        ",",
        " ",
        "Upgrade",
        "WebSocket",
        "Sec-WebSocket-Protocol",
        "sip",
        "Content-Length",
        "17",
        "-1",
        "\u{e4}",
        "Transfer-Encoding",
        "chunked",
        "Host: x",
        "\r\n\r\n",
        "Upgrade: websocket\r\n",
        "Sec-WebSocket-Protocol: xmpp, sip\r\n",
    ];

    proptest! {
        #[test]
        fn one_pass_reads_what_many_do(parts in proptest::collection::vec(0..PARTS.len(), 0..24), cut in 0usize..80) {
            let text: String = parts.iter().map(|part| PARTS[*part]).collect();
            let bytes = text.as_bytes();
            prop_assert_eq!(head(bytes, &mut 0), plainly(bytes));
            // In two parts too.
            let mut seen = 0;
            let first = head(&bytes[..cut.min(bytes.len())], &mut seen);
            if first == Head::More {
                prop_assert_eq!(head(bytes, &mut seen), plainly(bytes));
            }
        }
    }
}
