//! The addresses that a session description names (RFC 8866, RFC 8839).
//!
//! In: a body. Out: the address and port of each media line and candidate.
//! Never: reads a line that names none, or more than 64 that do.

use std::net::{IpAddr, SocketAddr};

use super::block::{BLOCK, equal, find};
use super::lex::{from, plain_number, span, upto};
use super::lines::last_feeds;
use crate::text::ip_address;

/// Media lines and candidates that are read of one body.
const LINES: usize = 64;

/// Gives each address and port of `c=`, `m=` and `a=candidate` lines.
pub fn addresses(body: &[u8], each: impl FnMut(SocketAddr)) {
    let mut reader = Reader { session: None, media: None, own: None, count: 0, each };
    each_line(body, |line| {
        reader.take(line);
        reader.count <= LINES
    });
    reader.flush();
}

/// Gives each line that can name an address, until told to stop: most are known by a letter or two.
#[inline(always)]
fn each_line<'a>(body: &'a [u8], mut take: impl FnMut(&'a [u8]) -> bool) {
    let (blocks, left) = body.as_chunks();
    let (mut begin, mut block) = (0usize, 0usize);
    let mut within = |mut feeds: u64| {
        while feeds != 0 {
            let end = block.wrapping_add(feeds.trailing_zeros() as usize);
            feeds &= feeds.wrapping_sub(1);
            if may_name(body, begin)
                && let Some(line) = body.get(begin..end)
                && !take(line.strip_suffix(b"\r").unwrap_or(line))
            {
                return false;
            }
            begin = end.wrapping_add(1);
        }
        block = block.wrapping_add(BLOCK);
        true
    };
    let goes_on = blocks.iter().all(|block| within(equal(block, b'\n'))) && within(last_feeds(left));
    if goes_on && may_name(body, begin) {
        take(from(body, begin));
    }
}

/// Whether the line that begins there can be a `c=`, an `m=` or an `a=candidate`.
#[inline(always)]
fn may_name(body: &[u8], begin: usize) -> bool {
    match body.get(begin) {
        Some(b'a') => body.get(begin.wrapping_add(2)) == Some(&b'c'),
        first => matches!(first, Some(b'c' | b'm')),
    }
}

struct Reader<F> {
    /// The session's address.
    session: Option<IpAddr>,
    /// The last media line's port.
    media: Option<u16>,
    /// Its own address.
    own: Option<IpAddr>,
    count: usize,
    each: F,
}

impl<F: FnMut(SocketAddr)> Reader<F> {
    #[inline(never)]
    fn take(&mut self, line: &[u8]) {
        match line {
            [b'c', b'=', rest @ ..] => {
                let ip = connection(rest);
                if self.media.is_some() { self.own = ip } else { self.session = ip }
            }
            [b'm', b'=', rest @ ..] => {
                self.flush();
                (self.media, self.own) = (port(rest), None);
                self.count = self.count.saturating_add(1);
            }
            [b'a', b'=', rest @ ..] => {
                if let Some(address) = candidate(rest) {
                    (self.each)(address);
                    self.count = self.count.saturating_add(1);
                }
            }
            _ => {}
        }
    }

    fn flush(&mut self) {
        if let (Some(port), Some(ip)) = (self.media, self.own.or(self.session))
            && port != 0
        {
            (self.each)(SocketAddr::new(ip, port));
        }
    }
}

/// The first word, which is empty if there is none, and what follows it.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = from(text, span(text, |byte| byte.is_ascii_whitespace()));
    text.split_at_checked(span(text, |byte| !byte.is_ascii_whitespace())).unwrap_or_default()
}

/// The word behind so many others.
fn word_behind(mut text: &[u8], others: usize) -> &[u8] {
    for _ in 0..others {
        (_, text) = word(text);
    }
    word(text).0
}

/// What stands before a slash.
fn before_slash(word: &[u8]) -> &[u8] {
    upto(word, span(word, |byte| byte != b'/'))
}

fn number(word: &[u8]) -> Option<u16> {
    if word.len() > 5 { None } else { u16::try_from(plain_number(word)?).ok() }
}

/// `IN IP4 192.0.2.1`, with `/ttl` behind a multicast address.
pub(super) fn connection(rest: &[u8]) -> Option<IpAddr> {
    let plain = rest.strip_prefix(b"IN IP4 ").and_then(ip_address);
    plain.or_else(|| ip_address(before_slash(word_behind(rest, 2))))
}

/// `audio 49170 RTP/AVP 0`, with `/2` behind a pair of ports.
pub(super) fn port(rest: &[u8]) -> Option<u16> {
    plain_port(rest).or_else(|| number(before_slash(word_behind(rest, 1))))
}

/// The same where one blank stands before and behind it.
fn plain_port(rest: &[u8]) -> Option<u16> {
    let kind = find(rest, [b' ', b'\t', b'\r', b'\x0c']).filter(|at| *at > 0)?;
    let digits = from(rest, kind.saturating_add(1));
    let (digits, rest) = digits.split_at_checked(span(digits, |byte| byte.is_ascii_digit()))?;
    if rest.first() == Some(&b' ') { number(digits) } else { None }
}

/// `candidate:1 1 UDP 2130706431 10.0.1.1 8998 typ host`.
fn candidate(rest: &[u8]) -> Option<SocketAddr> {
    if !rest.starts_with(b"candidate:") {
        return None;
    }
    Some(SocketAddr::new(ip_address(word_behind(rest, 4))?, number(word_behind(rest, 5))?))
}

#[cfg(test)]
mod tests {
    use super::super::Lines;
    use super::*;
    use proptest::prelude::*;

    fn named(body: &str) -> Vec<String> {
        let mut all = Vec::new();
        addresses(body.as_bytes(), |address| all.push(address.to_string()));
        all
    }

    #[test]
    fn reads_session_and_media_addresses() {
        let body = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
            m=audio 49170 RTP/AVP 0\r\na=candidate:1 1 UDP 2130706431 10.0.1.1 8998 typ host\r\n\
            m=video 0 RTP/AVP 31\r\nm=video 51372/2 RTP/AVP 31\r\nc=IN IP6 2001:db8::2\r\n";
        assert_eq!(named(body), ["10.0.1.1:8998", "192.0.2.1:49170", "[2001:db8::2]:51372"]);
    }

    #[test]
    fn what_cannot_be_read_names_nobody() {
        assert_eq!(named("c=IN IP4 host.example\r\nm=audio 4000 RTP/AVP 0\r\n"), Vec::<String>::new());
        assert_eq!(named("m=audio 99999 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n"), Vec::<String>::new());
        let many = format!("c=IN IP4 192.0.2.1\r\n{}", "m=audio 4000 RTP/AVP 0\r\n".repeat(1_000));
        assert!(named(&many).len() <= LINES + 1);
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            addresses(&bytes, |_| {});
        }

        /// Its lines are those that the messages' heads are read by.
        #[test]
        fn lines_are_those_of_heads(
            pieces in proptest::collection::vec("[a-z]{0,40}|[acm]=c?[a-z]{0,9}|[a-z]{60,66}|\r|\n|\r\n|\r\n |\u{fc}", 0..40),
        ) {
            let text = pieces.concat().into_bytes();
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            each_line(&text, |line| {
                ours.push(line);
                true
            });
            let mut heads = Lines::new(&text);
            while !heads.rest().is_empty() {
                theirs.push(heads.one().text);
            }
            let names = |line: &&[u8]| matches!(line, [b'c' | b'm', ..] | [b'a', _, b'c', ..]);
            ours.retain(names);
            theirs.retain(names);
            prop_assert_eq!(ours, theirs);
        }
    }
}
