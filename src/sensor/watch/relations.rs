//! What two SIP addresses are to each other: looked up once in a while, not with each message.
//!
//! In: addresses. Out: `Relation`. Never: outlives what it was made of by more than 30 s.

use std::net::SocketAddr;

use crate::bounded::KeyedHash;
use crate::time::{Span, Timestamp};
use crate::touches::{Place, Side, Zone};
use std::hash::BuildHasher;

/// A power of two.
const SLOTS: usize = 4_096;
/// An ordinary pair stays one for so long; a strange one may register at any moment.
const ORDINARY_FOR: Span = Span::seconds(30);
const STRANGE_FOR: Span = Span::seconds(2);

/// What two addresses are to each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relation {
    /// A registered handset and its PBX, or the other way round.
    pub(super) ordinary: bool,
    /// The sender.
    pub(super) src: Place,
    /// The receiver.
    pub(super) dst: Place,
    /// See `SipSighting`.
    pub(super) dst_came_first: bool,
    /// See `SipSighting`.
    pub(super) src_came_first: bool,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    tag: u64,
    until: Timestamp,
    relation: Relation,
}

/// Relations by the two addresses; a collision costs a look-up.
#[derive(Debug)]
pub(super) struct Relations {
    slots: Vec<Slot>,
    hash: KeyedHash,
}

impl Default for Relations {
    fn default() -> Self {
        let nowhere = Place { ours: false, zone: Zone::Outside, phone: false, side: Side::Wan };
        let relation = Relation {
            ordinary: false,
            src: nowhere,
            dst: nowhere,
            dst_came_first: false,
            src_came_first: false,
        };
        let slot = Slot { tag: 0, until: Timestamp(i64::MIN), relation };
        Self { slots: vec![slot; SLOTS], hash: KeyedHash::default() }
    }
}

impl Relations {
    #[inline]
    pub(super) fn tag(&self, src: SocketAddr, dst: SocketAddr) -> u64 {
        self.hash.hash_one((src.ip(), dst.ip()))
    }

    #[inline]
    pub(super) fn get(&self, tag: u64, now: Timestamp) -> Option<Relation> {
        let slot = self.slots.get(index(tag))?;
        (slot.tag == tag && now < slot.until).then_some(slot.relation)
    }

    pub(super) fn put(&mut self, tag: u64, relation: Relation, now: Timestamp) {
        if let Some(slot) = self.slots.get_mut(index(tag)) {
            let for_so_long = if relation.ordinary { ORDINARY_FOR } else { STRANGE_FOR };
            *slot = Slot { tag, until: now.plus(for_so_long), relation };
        }
    }

    /// Something changed between these two.
    pub(super) fn forget(&mut self, a: SocketAddr, b: SocketAddr) {
        for tag in [self.tag(a, b), self.tag(b, a)] {
            if let Some(slot) = self.slots.get_mut(index(tag)) {
                slot.until = Timestamp(i64::MIN);
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
const fn index(tag: u64) -> usize {
    tag as usize & (SLOTS - 1)
}
