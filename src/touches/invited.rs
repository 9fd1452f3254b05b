//! Addresses that a handset's own calls invite: media and contacts that SDP and SIP name.
//!
//! In: bodies and Contacts of exchanges with allowed servers, or that the handset began. Out:
//! whether an address was named. Never: believes a stranger's own invitation.

use std::hash::BuildHasher;
use std::net::SocketAddr;

use crate::bounded::{KeyedHash, warm};
use crate::sip::sdp;
use crate::time::{Span, Timestamp};

/// Sets of four addresses that are remembered, a power of two; media with the port next to theirs.
const SETS: usize = 4_096;
/// Media begins within this time of its invitation; once it flows the flow itself is known.
const FOR: Span = Span::minutes(15);

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

/// An address that was named, and whether with the next port.
#[derive(Clone, Copy, Debug)]
struct Coming {
    tag: u64,
    at: u32,
    pair: bool,
}

impl Coming {
    const fn write(self, named: &mut Named) {
        named.at = self.at;
        if self.pair {
            named.pair_at = self.at;
        }
    }
}

/// Addresses that were named, by a keyed hash.
#[derive(Debug)]
pub(super) struct Invited {
    sets: Vec<Set>,
    /// The last one, written when the next comes: by then the memory is there that was asked for.
    coming: Option<Coming>,
    hash: KeyedHash,
}

impl Default for Invited {
    fn default() -> Self {
        Self { sets: vec![Set::default(); SETS], coming: None, hash: KeyedHash::default() }
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

    fn find(&self, address: SocketAddr) -> Option<Named> {
        let tag = self.key(address);
        let known = self.sets.get(index(tag))?.0.iter().find(|named| named.tag == tag).copied();
        let Some(coming) = self.coming.filter(|coming| coming.tag == tag) else { return known };
        let mut named = known.unwrap_or_default();
        coming.write(&mut named);
        Some(named)
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
        self.comes(address, false, now);
    }

    fn comes(&mut self, address: SocketAddr, pair: bool, now: Timestamp) {
        let coming = Coming { tag: self.key(address), at: seconds(now), pair };
        warm(&self.sets, index(coming.tag));
        if let Some(before) = self.coming.replace(coming)
            && let Some(named) = self.slot(before.tag)
        {
            before.write(named);
        }
    }

    fn slot(&mut self, tag: u64) -> Option<&mut Named> {
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
        sdp::addresses(body, |address| self.comes(address, true, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_invitation_holds_like_those_before() {
        let mut invited = Invited::default();
        let of = |port: u16| SocketAddr::from(([192, 0, 2, 1], port));
        for port in [4_000, 4_002, 4_004] {
            invited.name(of(port), Timestamp(0));
        }
        invited.body(b"c=IN IP4 192.0.2.1\r\nm=audio 4004 RTP/AVP 0\r\n", Timestamp(0));
        let has = [4_000, 4_001, 4_002, 4_003, 4_004, 4_005].map(|port| invited.has(of(port), Timestamp(1)));
        assert_eq!(has, [true, false, true, false, true, true]);
        invited.name(of(4_004), Timestamp(0));
        assert!(invited.has(of(4_005), Timestamp(1)), "a name takes nothing back");
    }

    #[test]
    fn an_invitation_ends() {
        let mut invited = Invited::default();
        invited.body(b"c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n", Timestamp(0));
        let (rtp, rtcp) = ("192.0.2.1:4000".parse().unwrap(), "192.0.2.1:4001".parse().unwrap());
        assert!(invited.has(rtp, Timestamp(1)) && invited.has(rtcp, Timestamp(1)));
        assert!(!invited.has(rtp, Timestamp(0).plus(FOR).plus(Span::seconds(2))));
    }
}
