//! What is known of one handset.
//!
//! In: its calls and what they cost. Out: its history, spending and usual rate.
//! Never: grows.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bounded::SlotId;
use crate::dial::{Group, Region};
use crate::handsets::Who;
use crate::tally::Label;
use crate::time::{Span, Timestamp};

use super::calls::{Lane, Ring};
use super::countries::Habits;
use super::odds::HandsetOdds;

/// Calls of a handset that are remembered in order, for each lane.
pub const RING: usize = 24;

/// How many groups there are.
pub const GROUPS: usize = <Group as Label>::ALL.len();

/// What is known of one handset. In this order: what every call changes stands at the beginning, whose
/// memory is asked for before.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[repr(C)]
pub struct Handset {
    /// Who it is, as of its last fact.
    pub who: Who,
    /// When it was first seen.
    pub since: Timestamp,
    /// Its last calls.
    pub rings: [Ring<RING>; 2],
    /// The countries it calls.
    pub countries: Habits,
    /// What the learned odds keep of it.
    pub odds: HandsetOdds,
    /// What it spent, by lane.
    pub spend: [Spend; 2],
    /// Unsuspicious calls, by lane.
    pub clean: [u32; 2],
    /// For each group, how many more calls can't reach any ceiling.
    pub room: [u32; GROUPS],
}

impl Handset {
    /// Seen for the first time.
    pub fn new(who: Who, now: Timestamp) -> Self {
        Self {
            who,
            since: now,
            rings: [Ring::default(), Ring::default()],
            countries: Habits::default(),
            odds: HandsetOdds::new(now),
            spend: Default::default(),
            clean: [0; 2],
            room: [0; GROUPS],
        }
    }

    /// A call begins.
    pub fn push(&mut self, lane: Lane, slot: SlotId, learnt: bool) {
        self.rings[lane.index()].push(slot);
        if learnt || lane == Lane::Home {
            self.clean[lane.index()] = self.clean[lane.index()].saturating_add(1);
        }
    }

    /// What was learnt of earlier times; `unit` turns its units into the present ones.
    pub fn precede(&mut self, past: &Self, unit: f64) {
        self.since = self.since.min(past.since);
        self.countries.precede(&past.countries);
        self.odds.precede(&past.odds, unit);
        self.clean.iter_mut().zip(past.clean).for_each(|(n, m)| *n = n.saturating_add(m));
        // How far it is from its ceilings depends on what is usual for it.
        self.room = [0; GROUPS];
    }

    /// A call turned out to be suspicious.
    pub fn unlearn(&mut self, lane: Lane, region: Region) {
        self.clean[lane.index()] = self.clean[lane.index()].saturating_sub(1);
        self.countries.unlearn(region);
    }

    /// Unsuspicious calls an hour since it was first seen; `None` in its first day.
    pub fn usual_per_hour(&self, lane: Lane, now: Timestamp) -> Option<f64> {
        let age = now.since(self.since);
        (age >= Span::DAY).then(|| f64::from(self.clean[lane.index()]) * 3_600.0 / age.as_secs_f64())
    }
}

/// Money spent in the last hour and day, in millionths.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Spend {
    hour: Buckets<12, 300>,
    day: Buckets<24, 3_600>,
}

impl Spend {
    /// So much more was spent.
    pub fn add(&mut self, amount: i64, now: Timestamp) {
        self.hour.add(amount, now);
        self.day.add(amount, now);
    }

    /// Spent in the last hour and in the last day; a step of 5 min or 1 h is kept whole.
    pub fn sums(&self, now: Timestamp) -> [i64; 2] {
        [self.hour.sum(now), self.day.sum(now)]
    }
}

/// Sums over `N` steps of `SECONDS`.
#[derive(Clone, Debug)]
struct Buckets<const N: usize, const SECONDS: i64> {
    latest: i64,
    sums: [i64; N],
}

impl<const N: usize, const SECONDS: i64> Default for Buckets<N, SECONDS> {
    fn default() -> Self {
        Self { latest: i64::MIN, sums: [0; N] }
    }
}

/// As a list, for snapshots.
impl<const N: usize, const SECONDS: i64> Serialize for Buckets<N, SECONDS> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.latest, self.sums.as_slice()).serialize(serializer)
    }
}

impl<'de, const N: usize, const SECONDS: i64> Deserialize<'de> for Buckets<N, SECONDS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (latest, sums) = <(i64, Vec<i64>)>::deserialize(deserializer)?;
        let mut buckets = Self { latest, ..Self::default() };
        buckets.sums.iter_mut().zip(sums).for_each(|(sum, kept)| *sum = kept);
        Ok(buckets)
    }
}

impl<const N: usize, const SECONDS: i64> Buckets<N, SECONDS> {
    const LEN: i64 = N as i64;

    fn place(step: i64) -> usize {
        usize::try_from(step.rem_euclid(Self::LEN)).unwrap_or(0)
    }

    fn add(&mut self, amount: i64, now: Timestamp) {
        let step = now.as_secs().div_euclid(SECONDS);
        if step > self.latest {
            let first = step.saturating_sub(Self::LEN - 1).max(self.latest.saturating_add(1));
            for stale in first..=step {
                self.sums[Self::place(stale)] = 0;
            }
            self.latest = step;
        }
        let sum = &mut self.sums[Self::place(step)];
        *sum = sum.saturating_add(amount);
    }

    fn sum(&self, now: Timestamp) -> i64 {
        let step = now.as_secs().div_euclid(SECONDS);
        let first = step.saturating_sub(Self::LEN - 1).max(self.latest.saturating_sub(Self::LEN - 1));
        (first..=self.latest.min(step)).fold(0, |sum, s| sum.saturating_add(self.sums[Self::place(s)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spending_leaves_the_windows() {
        let mut spend = Spend::default();
        let start = Timestamp::from_parts(1_700_000_000, 0);
        spend.add(5, start);
        spend.add(7, start.plus(Span::minutes(30)));
        assert_eq!(spend.sums(start.plus(Span::minutes(31))), [12, 12]);
        assert_eq!(spend.sums(start.plus(Span::minutes(70))), [7, 12]);
        assert_eq!(spend.sums(start.plus(Span::hours(25))), [0, 0]);
    }
}
