//! Calls from outside that rang for a moment on many handsets, to be called back at a high price.
//!
//! In: inbound calls that nobody could answer. Out: whether a handset was lured.
//! Never: takes one wrong number for a lure.

use serde::{Deserialize, Serialize};

use crate::handsets::HandsetId;
use crate::time::{Span, Timestamp};

/// A call that rings for less can't be meant to be answered.
pub const MOMENT: Span = Span::seconds(4);
/// So many handsets rung within an hour are no accident.
const MANY: usize = 4;
/// For how long people call back.
const CALL_BACK: Span = Span::hours(6);
const KEPT: usize = 48;

/// The last such rings, oldest first: the handset's slot and when.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Lures {
    rings: Vec<(u64, Timestamp)>,
}

impl Lures {
    /// A handset rang for a moment.
    pub fn ring(&mut self, handset: HandsetId, now: Timestamp) {
        if self.rings.len() >= KEPT {
            self.rings.remove(0);
        }
        self.rings.push((handset.0.as_u64(), now));
    }

    /// No more than are kept, whatever a snapshot held.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.rings.truncate(KEPT);
        self
    }

    /// Whether a handset that calls out now was one of many that rang.
    pub fn lured(&self, handset: HandsetId, now: Timestamp) -> bool {
        let own = handset.0.as_u64();
        let rung = |(other, at): &&(u64, Timestamp)| *other == own && now.since(*at) <= CALL_BACK;
        let Some((_, at)) = self.rings.iter().rev().find(rung) else { return false };
        let near =
            self.rings.iter().filter(|(_, other)| other.since(*at).max(at.since(*other)) <= Span::HOUR);
        let mut handsets: Vec<u64> = near.map(|(other, _)| *other).collect();
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
    fn one_ring_is_no_lure_and_many_are_for_a_while() {
        let mut table: Table<u8, ()> = Table::new(9, 0);
        let mut id = |n| HandsetId(table.find_or_insert(&n, Timestamp(0), || ()).slot);
        let (mut lures, start) = (Lures::default(), Timestamp::from_parts(1_794_787_200, 0));
        lures.ring(id(0), start);
        assert!(!lures.lured(id(0), start));
        for n in 1..4 {
            lures.ring(id(n), start.plus(Span::minutes(i64::from(n))));
        }
        assert!(lures.lured(id(0), start.plus(Span::HOUR)));
        assert!(!lures.lured(id(5), start.plus(Span::HOUR)));
        assert!(!lures.lured(id(0), start.plus(Span::hours(7))));
    }
}
