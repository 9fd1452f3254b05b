//! Addresses that a handset's own calls invite: media and contacts that SDP and SIP name.
//!
//! In: bodies and Contacts of exchanges with allowed servers, or that the handset began. Out:
//! whether an address was named. Never: believes a stranger's own invitation.

use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};

use crate::bounded::KeyedHash;
use crate::sip::Lines;
use crate::text::ip_address;
use crate::time::{Span, Timestamp};

/// Sets of four addresses that are remembered, a power of two; media with the port next to theirs.
const SETS: usize = 4_096;
/// Media begins within this time of its invitation; once it flows the flow itself is known.
const FOR: Span = Span::minutes(15);
/// Media lines and candidates that are read of one body.
const LINES: usize = 64;

/// When an address was named, and when with the next port, in seconds; 0 = never.
#[derive(Clone, Copy, Debug, Default)]
struct Named {
    tag: u64,
    at: u32,
    pair_at: u32,
}

impl Named {
    const fn last(&self) -> u32 {
        if self.at > self.pair_at { self.at } else { self.pair_at }
    }
}

/// Four share a cache line: of a full set, the one that was named longest ago goes.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Set([Named; 4]);

/// Addresses that were named, by a keyed hash.
#[derive(Debug)]
pub(super) struct Invited {
    sets: Vec<Set>,
    hash: KeyedHash,
}

impl Default for Invited {
    fn default() -> Self {
        Self { sets: vec![Set::default(); SETS], hash: KeyedHash::default() }
    }
}

fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_secs()).unwrap_or(0).max(1)
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
const fn index(tag: u64) -> usize {
    tag as usize & (SETS - 1)
}

impl Invited {
    /// Whether an address was named lately.
    pub(super) fn has(&self, address: SocketAddr, now: Timestamp) -> bool {
        let now = seconds(now);
        let lately = |at: u32| at != 0 && i64::from(now.saturating_sub(at)) <= FOR.as_secs();
        let before = address.port().checked_sub(1).map(|port| SocketAddr::new(address.ip(), port));
        self.find(address).is_some_and(|named| lately(named.at))
            || before.and_then(|before| self.find(before)).is_some_and(|named| lately(named.pair_at))
    }

    fn find(&self, address: SocketAddr) -> Option<&Named> {
        let tag = self.key(address);
        self.sets.get(index(tag))?.0.iter().find(|named| named.tag == tag)
    }

    fn key(&self, address: SocketAddr) -> u64 {
        match address {
            SocketAddr::V4(v4) => {
                self.hash.hash_one(u64::from(v4.ip().to_bits()) << 16 | u64::from(v4.port()))
            }
            SocketAddr::V6(v6) => self.hash.hash_one((v6.ip().to_bits(), v6.port())),
        }
    }

    pub(super) fn name(&mut self, address: SocketAddr, now: Timestamp) {
        if let Some(named) = self.slot(address) {
            named.at = seconds(now);
        }
    }

    fn slot(&mut self, address: SocketAddr) -> Option<&mut Named> {
        let tag = self.key(address);
        let set = self.sets.get_mut(index(tag))?;
        let known = set.0.iter().position(|named| named.tag == tag);
        let oldest = || set.0.iter().enumerate().min_by_key(|(_, named)| named.last()).map(|(at, _)| at);
        let at = known.or_else(oldest)?;
        let named = set.0.get_mut(at)?;
        if named.tag != tag {
            *named = Named { tag, ..Named::default() };
        }
        Some(named)
    }

    /// Every address that a body names, with the next port: RTCP's (RFC 3550 section 11).
    pub(super) fn body(&mut self, body: &[u8], now: Timestamp) {
        sdp(body, &mut |address| {
            if let Some(named) = self.slot(address) {
                (named.at, named.pair_at) = (seconds(now), seconds(now));
            }
        });
    }
}

/// The addresses and ports of an SDP's `c=`, `m=` and `a=candidate` lines (RFC 8866, RFC 8839).
fn sdp(body: &[u8], each: &mut dyn FnMut(SocketAddr)) {
    let mut session: Option<IpAddr> = None;
    let mut media: Option<u16> = None;
    let mut own: Option<IpAddr> = None;
    let mut lines = 0usize;
    let mut text = Lines::new(body);
    while !text.rest().is_empty() {
        let line = text.one().text;
        match line {
            [b'c', b'=', rest @ ..] => {
                let ip = connection(rest);
                if media.is_some() { own = ip } else { session = ip }
            }
            [b'm', b'=', rest @ ..] => {
                flush(media, own.or(session), each);
                (media, own) = (port(rest), None);
                lines = lines.saturating_add(1);
            }
            [b'a', b'=', rest @ ..] => {
                if let Some(address) = candidate(rest) {
                    each(address);
                    lines = lines.saturating_add(1);
                }
            }
            _ => {}
        }
        if lines > LINES {
            break;
        }
    }
    flush(media, own.or(session), each);
}

fn flush(media: Option<u16>, ip: Option<IpAddr>, each: &mut dyn FnMut(SocketAddr)) {
    if let (Some(port), Some(ip)) = (media, ip)
        && port != 0
    {
        each(SocketAddr::new(ip, port));
    }
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(12)
}

/// What stands before a slash.
fn before_slash(word: &[u8]) -> &[u8] {
    word.split(|byte| *byte == b'/').next().unwrap_or_default()
}

fn number(word: &[u8]) -> Option<u16> {
    let digits = !word.is_empty() && word.len() <= 5 && word.iter().all(u8::is_ascii_digit);
    let value = word.iter().fold(0u32, |n, byte| n.saturating_mul(10).saturating_add(u32::from(byte & 15)));
    if digits { u16::try_from(value).ok() } else { None }
}

/// `IN IP4 192.0.2.1`, with `/ttl` behind a multicast address.
fn connection(rest: &[u8]) -> Option<IpAddr> {
    let plain = rest.strip_prefix(b"IN IP4 ").and_then(ip_address);
    plain.or_else(|| ip_address(before_slash(words(rest).nth(2)?)))
}

/// `audio 49170 RTP/AVP 0`, with `/2` behind a pair of ports.
fn port(rest: &[u8]) -> Option<u16> {
    number(before_slash(words(rest).nth(1)?))
}

/// `candidate:1 1 UDP 2130706431 10.0.1.1 8998 typ host`.
fn candidate(rest: &[u8]) -> Option<SocketAddr> {
    if !rest.starts_with(b"candidate:") {
        return None;
    }
    let mut words = words(rest).skip(4);
    Some(SocketAddr::new(ip_address(words.next()?)?, number(words.next()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(body: &str) -> Vec<String> {
        let mut all = Vec::new();
        sdp(body.as_bytes(), &mut |address| all.push(address.to_string()));
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

    #[test]
    fn an_invitation_ends() {
        let mut invited = Invited::default();
        invited.body(b"c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n", Timestamp(0));
        let (rtp, rtcp) = ("192.0.2.1:4000".parse().unwrap(), "192.0.2.1:4001".parse().unwrap());
        assert!(invited.has(rtp, Timestamp(1)) && invited.has(rtcp, Timestamp(1)));
        assert!(!invited.has(rtp, Timestamp(0).plus(FOR).plus(Span::seconds(2))));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            sdp(&bytes, &mut |_| {});
        }
    }
}
