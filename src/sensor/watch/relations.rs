//! What two SIP addresses are to each other: looked up once in a while, not with each message.
//!
//! In: addresses. Out: `Relation`. Never: outlives a change that says so, nor two minutes.

use std::net::{IpAddr, SocketAddr};

use crate::bounded::FixedHash;
use crate::time::{Span, Timestamp};
use crate::touches::{Place, Side, Zone};
use std::hash::BuildHasher;

/// A power of two.
const SLOTS: usize = 8_192;
/// Places for each hash: an office of 2,000 handsets has few that more than so many share.
const WAYS: usize = 4;
/// After so long it's all looked at anew, changes or not.
const FOR: Span = Span::minutes(2);
/// What devices say of themselves is told again after so long.
const TOLD_FOR: Span = Span::minutes(10);

/// An invitation holds for minutes: it's not renewed with every message.
const INVITED_FOR: Span = Span::MINUTE;

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
    /// See `Zones::changes`.
    changes: u32,
    /// Half a hash of what the sender last called itself, and until when that needn't be told again.
    agent: u32,
    agent_until: Timestamp,
    /// Half a hash of the Contact whose address was invited last, and when that is to be done again.
    contact: u32,
    invited_until: Timestamp,
    relation: Relation,
}

/// Before anything.
const NEVER: Timestamp = Timestamp(i64::MIN);

impl Slot {
    const fn new(tag: u64, until: Timestamp, changes: u32, relation: Relation) -> Self {
        Self { tag, until, changes, agent: 0, agent_until: NEVER, contact: 0, invited_until: NEVER, relation }
    }
}

/// Relations by the two addresses, in sets of slots; a collision costs a look-up.
#[derive(Debug)]
pub(super) struct Relations {
    slots: Vec<Slot>,
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
        };
        Self { slots: vec![Slot::new(0, NEVER, 0, relation); SLOTS], hash: FixedHash::default() }
    }
}

impl Relations {
    #[inline]
    pub(super) fn tag(&self, src: SocketAddr, dst: SocketAddr) -> u64 {
        match (src.ip(), dst.ip()) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                self.hash.hash_one(u64::from(src.to_bits()) << 32 | u64::from(dst.to_bits()))
            }
            both => self.hash.hash_one(both),
        }
    }

    #[inline]
    fn set(&self, tag: u64) -> &[Slot] {
        self.slots.get(index(tag)..).and_then(|slots| slots.get(..WAYS)).unwrap_or_default()
    }

    #[inline]
    fn own(&mut self, tag: u64) -> Option<&mut Slot> {
        self.slots.get_mut(index(tag)..)?.iter_mut().take(WAYS).find(|slot| slot.tag == tag)
    }

    #[inline]
    pub(super) fn get(&self, tag: u64, changes: u32, now: Timestamp) -> Option<Relation> {
        let slot = self.set(tag).iter().find(|slot| slot.tag == tag)?;
        (slot.changes == changes && now < slot.until).then_some(slot.relation)
    }

    pub(super) fn put(&mut self, tag: u64, relation: Relation, changes: u32, now: Timestamp) {
        let until = now.plus(FOR);
        if let Some(own) = self.own(tag).filter(|own| own.changes == changes) {
            (own.until, own.relation) = (until, relation);
            return;
        }
        let set =
            self.slots.get_mut(index(tag)..).and_then(|slots| slots.get_mut(..WAYS)).unwrap_or_default();
        let own = set.iter_mut().min_by_key(|slot| (slot.tag != tag, slot.until));
        if let Some(slot) = own {
            *slot = Slot::new(tag, until, changes, relation);
        }
    }

    /// Whether the sender calls itself otherwise than in its last message, or is to be listened to
    /// again; from now on it isn't.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "half of a keyed hash is as good as the whole")]
    pub(super) fn renames(&mut self, tag: u64, agent: &[u8], now: Timestamp) -> bool {
        let agent = self.hash.hash_one(agent) as u32 | 1;
        let Some(slot) = self.own(tag) else { return true };
        let again = slot.agent != agent || now >= slot.agent_until;
        if again {
            (slot.agent, slot.agent_until) = (agent, now.plus(TOLD_FOR));
        }
        again
    }

    /// Whether the address in the sender's Contact is to be invited, now that this message names it.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "half of a keyed hash is as good as the whole")]
    pub(super) fn invites(&mut self, tag: u64, contact: &[u8], now: Timestamp) -> bool {
        let contact = self.hash.hash_one(contact) as u32 | 1;
        let Some(slot) = self.own(tag) else { return true };
        let again = slot.contact != contact || now >= slot.invited_until;
        if again {
            (slot.contact, slot.invited_until) = (contact, now.plus(INVITED_FOR));
        }
        again
    }

    /// Something changed between these two.
    pub(super) fn forget(&mut self, a: SocketAddr, b: SocketAddr) {
        for tag in [self.tag(a, b), self.tag(b, a)] {
            if let Some(slot) = self.own(tag) {
                (slot.until, slot.agent) = (NEVER, 0);
            }
        }
    }
}

/// The first of a set.
#[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
const fn index(tag: u64) -> usize {
    tag as usize & (SLOTS - WAYS)
}
