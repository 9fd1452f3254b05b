//! Flows about which there is nothing to say: the budget of an RTP packet is one look in here.
//!
//! In: a flow's hash. Out: whether it was settled lately.
//! Never: grows, or decides anything but "nothing new here".

use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

use super::Proto;
use crate::bounded::{KeyedHash, warm};
use crate::decode::Speech;
use crate::time::{Span, Timestamp};

/// Slots; a power of two. 24 bytes each: it fits into a core's own cache.
const SLOTS: usize = 8_192;

/// How long nobody looks at a settled flow again. Far below the 300 s that a flow is remembered,
/// so that a flow that goes on is never forgotten.
const FOR: Span = Span::MINUTE;

/// In a slot's tag: that bit of a flow's number is always 0.
const PASSES: u64 = 1;

#[derive(Debug)]
struct Slot {
    /// The flow's number, and whether its speech may pass unread.
    tag: u64,
    until: Timestamp,
    /// When a packet last passed, in units of 2^`UNIT` microseconds.
    last: AtomicU32,
}

/// About a second: with every packet it costs a shift.
const UNIT: u32 = 20;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "136 years from 1970 on")]
const fn units(at: Timestamp) -> u32 {
    (at.0 >> UNIT) as u32
}

impl Slot {
    fn new(tag: u64, now: Timestamp, until: Timestamp) -> Self {
        Self { tag, until, last: AtomicU32::new(units(now)) }
    }

    const fn is_of(&self, tag: u64) -> bool {
        self.tag & !PASSES == tag
    }

    /// A packet passes.
    #[inline(always)]
    fn hears(&self, now: Timestamp) {
        self.last.store(units(now), Ordering::Relaxed);
    }
}

/// A direct-mapped cache: a collision costs a look-up, no more.
#[derive(Debug)]
pub(super) struct Settled {
    slots: Vec<Slot>,
    hash: KeyedHash,
}

impl Default for Settled {
    fn default() -> Self {
        let empty = || Slot::new(0, Timestamp(0), Timestamp(i64::MIN));
        Self { slots: std::iter::repeat_with(empty).take(SLOTS).collect(), hash: KeyedHash::default() }
    }
}

impl Settled {
    /// One direction of a flow as a number.
    #[inline]
    pub(super) fn tag(&self, src: SocketAddr, dst: SocketAddr, proto: Proto) -> u64 {
        let ports = u64::from(src.port()) << 17 | u64::from(dst.port()) << 1 | u64::from(proto == Proto::Tcp);
        match (src.ip(), dst.ip()) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                self.tag_of(u64::from(u32::from(src)) << 32 | u64::from(u32::from(dst)), ports)
            }
            (src, dst) => self.hash.hash_one((src, dst, ports)) & !PASSES,
        }
    }

    #[inline(always)]
    fn tag_of(&self, addresses: u64, ports: u64) -> u64 {
        self.hash.hash_one((addresses, ports)) & !PASSES
    }

    #[inline]
    pub(super) fn warm(&self, tag: u64) {
        warm(&self.slots, index(tag));
    }

    #[inline]
    pub(super) fn is_settled(&self, tag: u64, now: Timestamp) -> bool {
        let slot = self.slots.get(index(tag)).filter(|slot| slot.is_of(tag) && now < slot.until);
        slot.inspect(|slot| slot.hears(now)).is_some()
    }

    /// Whether speech is of a flow that is settled, and may pass unread.
    #[inline(always)]
    pub(super) fn passes(&self, speech: &Speech, now: Timestamp) -> bool {
        let tag = self.tag_of(speech.addresses, u64::from(speech.ports) << 1);
        let slot = self.slots.get(index(tag)).filter(|slot| slot.tag == tag | PASSES && now < slot.until);
        slot.inspect(|slot| slot.hears(now)).is_some()
    }

    /// The speech of a flow may pass unread for as long as it's settled.
    pub(super) fn let_pass(&mut self, tag: u64) {
        if let Some(slot) = self.slots.get_mut(index(tag)).filter(|slot| slot.tag == tag) {
            slot.tag |= PASSES;
        }
    }

    pub(super) fn settle(&mut self, tag: u64, now: Timestamp) {
        if let Some(slot) = self.slots.get_mut(index(tag)) {
            *slot = Slot::new(tag, now, now.plus(FOR));
        }
    }

    /// When a packet of a flow last passed while it was settled, if nobody took its place.
    pub(super) fn last(&self, tag: u64) -> Option<Timestamp> {
        let slot = self.slots.get(index(tag)).filter(|slot| slot.is_of(tag))?;
        Some(Timestamp(i64::from(slot.last.load(Ordering::Relaxed)) << UNIT))
    }
}

const fn index(tag: u64) -> usize {
    (tag >> 1) as usize & (SLOTS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settles_one_direction_for_a_while() {
        let (a, b) = (SocketAddr::from(([10, 0, 0, 1], 4_000)), SocketAddr::from(([192, 0, 2, 1], 5_000)));
        let mut settled = Settled::default();
        let (there, back) = (settled.tag(a, b, Proto::Udp), settled.tag(b, a, Proto::Udp));
        assert_ne!(there, back);
        assert_ne!(there, settled.tag(a, b, Proto::Tcp));
        settled.settle(there, Timestamp(0));
        assert!(settled.is_settled(there, Timestamp(1)) && !settled.is_settled(back, Timestamp(1)));
        assert!(!settled.is_settled(there, Timestamp(0).plus(FOR)));
        assert!(settled.is_settled(there, Timestamp(7_300_000)));
        assert_eq!(settled.last(there).map(Timestamp::as_secs), Some(6), "6 times 2^20 microseconds");
        assert_eq!(settled.last(back), None);
    }
}
