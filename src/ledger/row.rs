//! One row of the ledger: four sliding windows, open calls, a total.
//!
//! In: attempts and ends, each at a moment. Out: counts at a moment.
//! Never: blocks; touches more memory than an attempt needs.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};

use super::Counts;
use crate::time::{Span, Timestamp};

/// The finest step; every other one is a multiple of it.
const UNIT: i64 = Span::seconds(5).0;

/// How many units a step of each window has, in the order of `Window`.
const LENGTHS: [i64; 4] = [1, 12, 60, 720];

const _: () =
    assert!(LENGTHS[1] % LENGTHS[0] == 0 && LENGTHS[2] % LENGTHS[1] == 0 && LENGTHS[3] % LENGTHS[2] == 0);

/// Before any attempt.
const NEVER: i64 = i64::MIN;

/// Rings of steps that are over, and the counts of the steps that are running. What every attempt
/// changes stands together at the beginning, in one cache line: rows are many and used at random.
///
/// One writer, any readers: a reader that meets the writer at a step's edge may be one step behind,
/// never wrong by more.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Row {
    /// The unit of the latest attempt.
    latest: AtomicI64,
    /// Of each window, the attempts in the step that `latest` lies in.
    running: [AtomicU32; 4],
    total: AtomicU64,
    open: AtomicU32,
    minute: [AtomicU32; 13],
    quarter: [AtomicU32; 16],
    hour: [AtomicU32; 13],
    day: [AtomicU32; 25],
}

impl Default for Row {
    fn default() -> Self {
        fn zeroes<const N: usize>() -> [AtomicU32; N] {
            std::array::from_fn(|_| AtomicU32::new(0))
        }
        Self {
            latest: AtomicI64::new(NEVER),
            running: zeroes(),
            total: AtomicU64::new(0),
            open: AtomicU32::new(0),
            minute: zeroes(),
            quarter: zeroes(),
            hour: zeroes(),
            day: zeroes(),
        }
    }
}

/// What a row holds, as plain data.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Held {
    pub(super) latest: i64,
    pub(super) running: [u32; 4],
    /// Of each window, the steps that are over and in which something was counted.
    pub(super) past: [Vec<(i64, u32)>; 4],
    pub(super) total: u64,
}

impl Row {
    pub(super) fn attempt(&self, now: Timestamp) {
        let unit = now.0.div_euclid(UNIT);
        let latest = self.latest.load(Relaxed);
        if unit > latest {
            self.advance(latest, unit);
        }
        for count in &self.running {
            count.store(count.load(Relaxed).saturating_add(1), Relaxed);
        }
        self.total.store(self.total.load(Relaxed).saturating_add(1), Relaxed);
        self.reopen();
    }

    pub(super) fn close(&self) {
        self.open.store(self.open.load(Relaxed).saturating_sub(1), Relaxed);
    }

    pub(super) fn reopen(&self) {
        self.open.store(self.open.load(Relaxed).saturating_add(1), Relaxed);
    }

    pub(super) fn counts(&self, now: Timestamp) -> Counts {
        Counts {
            attempts: std::array::from_fn(|window| self.sum(window, now)),
            open: self.open.load(Relaxed),
            total: self.total.load(Relaxed),
        }
    }

    const fn rings(&self) -> [&[AtomicU32]; 4] {
        [&self.minute, &self.quarter, &self.hour, &self.day]
    }

    /// Running steps that are over go into their rings; steps that nobody counted in are emptied.
    fn advance(&self, latest: i64, unit: i64) {
        if latest != NEVER {
            let [minute, quarter, hour, day] = &self.running;
            // A longer step is over only when every shorter one is: each is a multiple of the one before.
            let _ = turn::<{ LENGTHS[0] }, _>(&self.minute, minute, latest, unit)
                && turn::<{ LENGTHS[1] }, _>(&self.quarter, quarter, latest, unit)
                && turn::<{ LENGTHS[2] }, _>(&self.hour, hour, latest, unit)
                && turn::<{ LENGTHS[3] }, _>(&self.day, day, latest, unit);
        }
        self.latest.store(unit, Relaxed);
    }

    fn sum(&self, window: usize, now: Timestamp) -> u32 {
        let latest = self.latest.load(Relaxed);
        let (Some(ring), Some(length), Some(running)) =
            (self.rings().get(window).copied(), LENGTHS.get(window), self.running.get(window))
        else {
            return 0;
        };
        if latest == NEVER {
            return 0;
        }
        let (step, last) = (now.0.div_euclid(UNIT).div_euclid(*length), latest.div_euclid(*length));
        let first = oldest(ring, step).max(oldest(ring, last));
        let over = sum_of(ring, first, last.min(step.saturating_add(1)));
        let running = if (first..=step).contains(&last) { running.load(Relaxed) } else { 0 };
        over.saturating_add(running)
    }

    pub(super) fn held(&self) -> Held {
        let latest = self.latest.load(Relaxed);
        let past = |ring: &[AtomicU32], length: i64| {
            let last = latest.div_euclid(length);
            let steps = (oldest(ring, last)..last).map(|step| (step, get(ring, step)));
            if latest == NEVER { Vec::new() } else { steps.filter(|(_, count)| *count > 0).collect() }
        };
        let [minute, quarter, hour, day] = self.rings();
        let [a, b, c, d] = LENGTHS;
        Held {
            latest,
            running: std::array::from_fn(|at| self.running.get(at).map_or(0, |count| count.load(Relaxed))),
            past: [past(minute, a), past(quarter, b), past(hour, c), past(day, d)],
            total: self.total.load(Relaxed),
        }
    }

    /// Becomes what was held. Steps that aren't among the latest ones of their ring don't count.
    pub(super) fn take_back(&self, held: Held) {
        self.latest.store(held.latest, Relaxed);
        self.total.store(held.total, Relaxed);
        for (running, count) in self.running.iter().zip(held.running) {
            running.store(count, Relaxed);
        }
        for ((ring, length), past) in self.rings().into_iter().zip(LENGTHS).zip(held.past) {
            let last = held.latest.div_euclid(length);
            for (step, count) in past {
                if (oldest(ring, last)..last).contains(&step)
                    && let Some(at) = index(ring.len(), step)
                {
                    set(ring, at, count);
                }
            }
        }
    }
}

/// One window goes from the unit `latest` on to `unit`; the answer is whether a step was over. Its
/// lengths are known when it is compiled: a division by a number that isn't costs more than all the rest.
#[inline]
fn turn<const LENGTH: i64, const N: usize>(
    ring: &[AtomicU32; N],
    running: &AtomicU32,
    latest: i64,
    unit: i64,
) -> bool {
    let (old, new) = (latest.div_euclid(LENGTH), unit.div_euclid(LENGTH));
    if old == new {
        return false;
    }
    let Some(mut at) = index(N, old) else { return true };
    set(ring, at, running.load(Relaxed));
    running.store(0, Relaxed);
    for _ in 0..usize::try_from(new.saturating_sub(old)).unwrap_or(0).min(N) {
        at = if at + 1 == N { 0 } else { at + 1 };
        set(ring, at, 0);
    }
    true
}

/// The oldest step that a ring holds beside `step`.
#[inline]
fn oldest(ring: &[AtomicU32], step: i64) -> i64 {
    step.saturating_sub(length(ring)).saturating_add(1)
}

#[inline]
fn length(ring: &[AtomicU32]) -> i64 {
    i64::try_from(ring.len()).unwrap_or(i64::MAX)
}

/// Where a step stands in a ring of so many.
#[inline]
fn index(length: usize, step: i64) -> Option<usize> {
    usize::try_from(step.rem_euclid(i64::try_from(length).ok()?.max(1))).ok()
}

/// What was counted from the step `first` to before `end`, at most a ring's length away.
fn sum_of(ring: &[AtomicU32], first: i64, end: i64) -> u32 {
    let count = usize::try_from(end.saturating_sub(first)).unwrap_or(0).min(ring.len());
    let start = index(ring.len(), first).unwrap_or(0);
    // Steps are places in turn, begun again at the ring's end.
    let (before, from) = ring.split_at_checked(start).unwrap_or((ring, &[]));
    let ahead = from.get(..count).unwrap_or(from);
    let behind = before.get(..count.saturating_sub(ahead.len())).unwrap_or(before);
    let add = |sum: u32, count: &AtomicU32| sum.saturating_add(count.load(Relaxed));
    behind.iter().fold(ahead.iter().fold(0, add), add)
}

fn get(ring: &[AtomicU32], step: i64) -> u32 {
    index(ring.len(), step).and_then(|at| ring.get(at)).map_or(0, |count| count.load(Relaxed))
}

#[inline]
fn set(ring: &[AtomicU32], at: usize, count: u32) {
    if let Some(place) = ring.get(at) {
        place.store(count, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_attempt_changes_stands_in_one_cache_line() {
        assert!(std::mem::offset_of!(Row, minute) <= 64);
        assert!(size_of::<Row>() <= 320, "{}", size_of::<Row>());
    }
}
