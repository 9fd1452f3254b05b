//! Calls from outside that rang for a moment on several handsets, to be called back at a high price
//! (wangiri).
//!
//! In: inbound calls that nobody could answer. Out: whether a number is one that lured.
//! Never: takes one wrong number for a lure.

use serde::{Deserialize, Serialize};

use crate::handsets::HandsetId;
use crate::time::{Span, Timestamp};

/// A call that rings for less can't be meant to be answered.
pub const MOMENT: Span = Span::seconds(4);
/// So many handsets rung within an hour are no accident.
const MANY: usize = 3;
/// For how long people call back.
const CALL_BACK: Span = Span::hours(24);
const KEPT: usize = 64;
/// Numbers are told apart by their last eight digits: callers are shown in many forms.
const TAIL: u64 = 100_000_000;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Ring {
    handset: u64,
    caller: u32,
    at: Timestamp,
}

/// The last such rings, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Lures {
    rings: Vec<Ring>,
}

impl Lures {
    /// A handset rang for a moment; `caller` are the last eight digits of the number shown, 0 if none.
    pub fn ring(&mut self, handset: HandsetId, caller: u32, now: Timestamp) {
        if caller == 0 {
            return;
        }
        if self.rings.len() >= KEPT {
            self.rings.remove(0);
        }
        self.rings.push(Ring { handset: handset.0.as_u64(), caller, at: now });
    }

    /// No more than are kept, whatever a snapshot held.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.rings.truncate(KEPT);
        self
    }

    /// Whether a number that is called now rang for a moment, when several handsets rang so.
    pub fn lured(&self, number: u64, now: Timestamp) -> bool {
        let rung = |ring: &&Ring| u64::from(ring.caller) == number % TAIL && now.since(ring.at) <= CALL_BACK;
        let Some(own) = self.rings.iter().rev().find(rung) else { return false };
        let near = |ring: &&Ring| ring.at.since(own.at).max(own.at.since(ring.at)) <= Span::HOUR;
        let mut handsets: Vec<u64> = self.rings.iter().filter(near).map(|ring| ring.handset).collect();
        handsets.sort_unstable();
        handsets.dedup();
        handsets.len() >= MANY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounded::Table;

    #[test]
    fn one_ring_is_no_lure_and_several_are_for_a_while() {
        let mut table: Table<u8, ()> = Table::new(9, 0);
        let mut id = |n| HandsetId(table.find_or_insert(&n, Timestamp(0), || ()).slot);
        let (mut lures, start) = (Lures::default(), Timestamp::from_parts(1_794_787_200, 0));
        let number = |n: u8| 37_120_000_000 + u64::from(n);
        let tail = |n: u8| u32::try_from(number(n) % TAIL).unwrap();
        lures.ring(id(0), tail(0), start);
        assert!(!lures.lured(number(0), start));
        for n in 1..3 {
            lures.ring(id(n), tail(n), start.plus(Span::minutes(i64::from(n))));
        }
        lures.ring(id(4), 0, start);
        assert!(lures.lured(number(0), start.plus(Span::HOUR)));
        assert!(!lures.lured(number(5), start.plus(Span::HOUR)), "nobody was rung by it");
        assert!(!lures.lured(number(0), start.plus(Span::hours(25))));
    }
}
