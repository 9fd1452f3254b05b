//! Sliding counts with the ledger's windows, for what the judge itself counts.
//!
//! In: moments. Out: sums over 1 min, 15 min, 1 h and 24 h.
//! Never: counts beyond 65,535 a step.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Microseconds of a step, and how many steps a window has: the ledger's.
const SHAPE: [(i64, usize); 4] = [(5_000_000, 13), (60_000_000, 16), (300_000_000, 13), (3_600_000_000, 25)];
const STEPS: usize = 25;

/// Four rings of counts.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Windows {
    rings: [Ring; 4],
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Ring {
    latest: i64,
    steps: [u16; STEPS],
}

impl Default for Ring {
    fn default() -> Self {
        Self { latest: i64::MIN, steps: [0; STEPS] }
    }
}

impl Windows {
    /// Counts one.
    pub fn bump(&mut self, now: Timestamp) {
        for (ring, (step, len)) in self.rings.iter_mut().zip(SHAPE) {
            ring.bump(now.0.div_euclid(step), len);
        }
    }

    /// The sums, in the order of the ledger's windows.
    pub fn sums(&self, now: Timestamp) -> [u32; 4] {
        let mut sums = [0; 4];
        for ((sum, ring), (step, len)) in sums.iter_mut().zip(&self.rings).zip(SHAPE) {
            *sum = ring.sum(now.0.div_euclid(step), len);
        }
        sums
    }
}

fn place(step: i64, len: usize) -> usize {
    usize::try_from(step.rem_euclid(i64::try_from(len).unwrap_or(1))).unwrap_or(0)
}

impl Ring {
    fn bump(&mut self, step: i64, len: usize) {
        if step > self.latest {
            let first = step.saturating_sub(i64::try_from(len).unwrap_or(1) - 1);
            for stale in first.max(self.latest.saturating_add(1))..=step {
                self.steps[place(stale, len)] = 0;
            }
            self.latest = step;
        }
        let count = &mut self.steps[place(step, len)];
        *count = count.saturating_add(1);
    }

    fn sum(&self, step: i64, len: usize) -> u32 {
        let back = i64::try_from(len).unwrap_or(1) - 1;
        let first = step.saturating_sub(back).max(self.latest.saturating_sub(back));
        (first..=self.latest.min(step)).map(|s| u32::from(self.steps[place(s, len)])).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounded::Table;
    use crate::dial::Group;
    use crate::handsets::HandsetId;
    use crate::ledger::{Account, Key, Ledger};
    use crate::time::Span;
    use proptest::prelude::*;

    proptest! {
        /// The same moments give the same sums as in the ledger, so the one can be taken from the other.
        #[test]
        fn agrees_with_the_ledger(gaps in proptest::collection::vec(0i64..400_000_000, 1..150)) {
            let ledger = Ledger::default();
            let slot = Table::new(1, 0).find_or_insert(&0, Timestamp(0), || ()).slot;
            let key = Key { account: Account::Handset(HandsetId(slot)), group: Group::Overseas };
            let mut windows = Windows::default();
            let mut now = Timestamp::from_parts(1_700_000_000, 0);
            for gap in gaps {
                now = now.plus(Span(gap));
                ledger.attempt(key, now);
                windows.bump(now);
                prop_assert_eq!(windows.sums(now), ledger.counts(key, now).attempts);
                let later = now.plus(Span(gap * 7));
                prop_assert_eq!(windows.sums(later), ledger.counts(key, later).attempts);
            }
        }
    }
}
