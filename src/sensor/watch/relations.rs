//! What two SIP addresses are to each other: looked up once in a while, not with each message.
//!
//! In: addresses. Out: `Relation`. Never: outlives a change that says so, nor ten minutes.

use std::cell::Cell;
use std::hash::BuildHasher;
use std::net::IpAddr;

use crate::bounded::{FixedHash, SlotId, warm};
use crate::handsets::Standing;
use crate::time::{Span, Timestamp};
use crate::touches::{Place, Side, Zone};

/// A power of two.
const SLOTS: usize = 8_192;
/// Places for each hash: an office of 2,000 handsets has few that more than so many share.
const WAYS: usize = 4;
/// After so long it's all looked at anew, changes or not.
const FOR: Span = Span::minutes(10);
/// What devices say of themselves is told again after so long.
const TOLD_FOR: Span = Span::minutes(10);

/// An invitation holds for minutes: it's not renewed with every message.
const INVITED_FOR: Span = Span::MINUTE;

/// What two addresses are to each other.
#[derive(Clone, Copy, Debug)]
pub(in crate::sensor) struct Relation {
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
    /// What both are to the office's calls.
    pub(in crate::sensor) standing: Standing,
    /// Where the sender's handset is remembered.
    pub(in crate::sensor) sender: Option<SlotId>,
}

/// A pair's slot: one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Slot {
    tag: u64,
    /// See `Zones::changes`.
    changes: u32,
    until: Second,
    /// Half a hash of what the sender last called itself, and until when that needn't be told again.
    agent: u32,
    agent_until: Second,
    /// Half a hash of the Contact whose address was invited last, and when that is to be done again.
    contact: u32,
    invited_until: Second,
    relation: Relation,
}

/// A moment in whole seconds; what lies outside of 1970 to 2106 is the nearest that it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Second(u32);

impl Second {
    /// Before anything.
    const NEVER: Self = Self(0);

    #[inline]
    fn of(at: Timestamp) -> Self {
        Self(u32::try_from(at.as_secs().max(0)).unwrap_or(u32::MAX))
    }
}

/// The upper half of a tag stands apart from its slot, so that a look-up reads one slot or none.
const fn upper(tag: u64) -> u32 {
    (tag >> 32) as u32
}

/// Relations by the two addresses, in sets of slots; a collision costs a look-up.
#[derive(Debug)]
pub(super) struct Relations {
    uppers: Vec<[u32; WAYS]>,
    slots: Vec<Slot>,
    /// The pair that was looked up last: a message that begins a call is looked up twice.
    last: Cell<Option<Pair>>,
    /// Without a key, so that what is told when is the same in every run; a collision that somebody
    /// makes costs him a look-up.
    hash: FixedHash,
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
            standing: Standing::default(),
            sender: None,
        };
        Self {
            uppers: vec![[0; WAYS]; SLOTS / WAYS],
            slots: vec![Slot::new(0, Second::NEVER, 0, relation); SLOTS],
            last: Cell::new(None),
            hash: FixedHash::default(),
        }
    }
}

impl Slot {
    const fn new(tag: u64, until: Second, changes: u32, relation: Relation) -> Self {
        Self {
            tag,
            changes,
            until,
            agent: 0,
            agent_until: Second::NEVER,
            contact: 0,
            invited_until: Second::NEVER,
            relation,
        }
    }
}

/// Two addresses, hashed, and where they stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) tag: u64,
    slot: Option<usize>,
}

impl Relations {
    #[inline]
    pub(super) fn tag(&self, src: IpAddr, dst: IpAddr) -> u64 {
        match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                self.hash.hash_one(u64::from(src.to_bits()) << 32 | u64::from(dst.to_bits()))
            }
            both => self.hash.hash_one(both),
        }
    }

    #[inline]
    pub(super) fn find(&self, src: IpAddr, dst: IpAddr) -> Pair {
        let tag = self.tag(src, dst);
        if let Some(pair) = self.last.get().filter(|pair| pair.tag == tag) {
            return pair;
        }
        let pair = self.look_up(tag);
        self.last.set(Some(pair));
        pair
    }

    fn look_up(&self, tag: u64) -> Pair {
        let (set, upper) = (set(tag), upper(tag));
        let is_it = |way: usize| self.slots.get(set * WAYS + way).is_some_and(|slot| slot.tag == tag);
        let ways = self.uppers.get(set).into_iter().flatten().enumerate();
        let way = ways.filter(|(_, known)| **known == upper).map(|(way, _)| way).find(|way| is_it(*way));
        Pair { tag, slot: way.map(|way| set * WAYS + way) }
    }

    /// Asks for what a look-up reads first.
    #[inline]
    pub(super) fn warm_set(&self, src: IpAddr, dst: IpAddr) {
        warm(&self.uppers, set(self.tag(src, dst)));
    }

    /// Asks for what a look-up reads then.
    #[inline]
    pub(super) fn warm_slot(&self, src: IpAddr, dst: IpAddr) {
        let tag = self.tag(src, dst);
        let ways = self.uppers.get(set(tag)).into_iter().flatten();
        if let Some(way) = ways.enumerate().find(|(_, known)| **known == upper(tag)) {
            warm(&self.slots, set(tag) * WAYS + way.0);
        }
    }

    #[inline]
    fn own(&mut self, pair: Pair) -> Option<&mut Slot> {
        self.slots.get_mut(pair.slot?)
    }

    #[inline]
    pub(super) fn get(&self, pair: Pair, changes: u32, now: Timestamp) -> Option<&Relation> {
        let slot = self.slots.get(pair.slot?)?;
        (slot.changes == changes && Second::of(now) < slot.until).then_some(&slot.relation)
    }

    pub(super) fn put(&mut self, pair: &mut Pair, relation: Relation, changes: u32, now: Timestamp) {
        let until = Second::of(now.plus(FOR));
        if let Some(own) = self.own(*pair).filter(|own| own.changes == changes) {
            (own.until, own.relation) = (until, relation);
            return;
        }
        let first = set(pair.tag) * WAYS;
        let ways = self.slots.iter().enumerate().skip(first).take(WAYS);
        let oldest = ways.min_by_key(|(_, slot)| slot.until).map(|(at, _)| at);
        let Some(at) = pair.slot.or(oldest) else { return };
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Slot::new(pair.tag, until, changes, relation);
        }
        if let Some(known) = self.uppers.get_mut(at / WAYS).and_then(|ways| ways.get_mut(at % WAYS)) {
            *known = upper(pair.tag);
        }
        pair.slot = Some(at);
        self.last.set(None);
    }

    /// Whether the sender calls itself otherwise than in its last message, or is to be listened to
    /// again; from now on it isn't.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "half of a keyed hash is as good as the whole")]
    pub(super) fn renames(&mut self, pair: Pair, agent: &[u8], now: Timestamp) -> bool {
        let agent = self.hash.hash_one(agent) as u32 | 1;
        let Some(slot) = self.own(pair) else { return true };
        let again = slot.agent != agent || Second::of(now) >= slot.agent_until;
        if again {
            (slot.agent, slot.agent_until) = (agent, Second::of(now.plus(TOLD_FOR)));
        }
        again
    }

    /// Whether the address in the sender's Contact is to be invited, now that this message names it.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "half of a keyed hash is as good as the whole")]
    pub(super) fn invites(&mut self, pair: Pair, contact: &[u8], now: Timestamp) -> bool {
        let contact = self.hash.hash_one(contact) as u32 | 1;
        let Some(slot) = self.own(pair) else { return true };
        let again = slot.contact != contact || Second::of(now) >= slot.invited_until;
        if again {
            (slot.contact, slot.invited_until) = (contact, Second::of(now.plus(INVITED_FOR)));
        }
        again
    }

    /// The sender's Contact, asked for last, names nobody who needs an invitation: as long as it stays
    /// what it is it needn't be read again.
    pub(super) fn invites_nobody(&mut self, pair: Pair) {
        if let Some(slot) = self.own(pair) {
            slot.invited_until = Second(u32::MAX);
        }
    }

    /// Something changed between these two.
    pub(super) fn forget(&mut self, a: IpAddr, b: IpAddr) {
        for pair in [self.find(a, b), self.find(b, a)] {
            if let Some(slot) = self.own(pair) {
                (slot.until, slot.agent) = (Second::NEVER, 0);
            }
        }
    }
}

/// The set of a tag.
#[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
const fn set(tag: u64) -> usize {
    tag as usize & (SLOTS / WAYS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_fits_a_cache_line() {
        assert_eq!(size_of::<Slot>(), 64);
    }
}
