//! One row of the ledger: four sliding windows, open calls, a total.
//!
//! In: attempts and ends, each at a moment. Out: counts at a moment.
//! Never: blocks; touches more memory than an attempt needs.

use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, fence};

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

/// Nothing is too old for a ring.
const EVER: i64 = i64::MIN;

/// The group of a row that is nobody's.
const NOBODYS: u32 = u32::MAX;

/// What every attempt changes: one cache line, since rows are many and used at random. The counts of the
/// steps that are running, and whose they are.
///
/// One writer, any readers: a reader that meets the writer at a step's edge may be one step behind,
/// never wrong by more.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Head {
    /// The unit of the latest attempt.
    latest: AtomicI64,
    /// From which step on the rings of the two shorter windows hold anything: a row that is seldom used
    /// has nothing in them, and needn't write that down step by step.
    since: [AtomicI64; 2],
    /// Whose row this is: a handset's, and of which group.
    handset: AtomicU64,
    total: AtomicU64,
    /// Of each window, the attempts in the step that `latest` lies in.
    running: [AtomicU32; 4],
    open: AtomicU32,
    group: AtomicU32,
}

/// Rings of steps that are over.
#[derive(Debug)]
pub(super) struct Rings {
    minute: [AtomicU32; 13],
    quarter: [AtomicU32; 16],
    hour: [AtomicU32; 13],
    day: [AtomicU32; 25],
}

impl Default for Head {
    fn default() -> Self {
        Self {
            latest: AtomicI64::new(NEVER),
            since: [const { AtomicI64::new(EVER) }; 2],
            handset: AtomicU64::new(0),
            total: AtomicU64::new(0),
            running: [const { AtomicU32::new(0) }; 4],
            open: AtomicU32::new(0),
            group: AtomicU32::new(NOBODYS),
        }
    }
}

impl Default for Rings {
    fn default() -> Self {
        fn zeroes<const N: usize>() -> [AtomicU32; N] {
            [const { AtomicU32::new(0) }; N]
        }
        Self { minute: zeroes(), quarter: zeroes(), hour: zeroes(), day: zeroes() }
    }
}

/// One row: its head, and its rings, which stand apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) head: &'a Head,
    pub(super) rings: &'a Rings,
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

impl Head {
    /// Whether it's the row of a handset and group.
    #[inline]
    pub(super) fn is_of(&self, handset: u64, group: u32) -> bool {
        self.handset.load(Relaxed) == handset && self.group.load(Relaxed) == group
    }

    pub(super) fn give_to(&self, handset: u64, group: u32) {
        self.handset.store(handset, Relaxed);
        self.group.store(group, Relaxed);
    }

    pub(super) fn close(&self) {
        self.open.store(self.open.load(Relaxed).saturating_sub(1), Relaxed);
    }

    pub(super) fn reopen(&self) {
        self.open.store(self.open.load(Relaxed).saturating_add(1), Relaxed);
    }
}

impl Row<'_> {
    /// It's nobody's from now on, and empty.
    pub(super) fn clear(self) {
        let Self { head, rings } = self;
        head.give_to(0, NOBODYS);
        // Whoever reads a count of the next owner sees that it's no longer the first one's; see `Ledger::counts`.
        fence(Release);
        head.latest.store(NEVER, Relaxed);
        head.total.store(0, Relaxed);
        head.open.store(0, Relaxed);
        head.since.iter().for_each(|since| since.store(EVER, Relaxed));
        let counts = head.running.iter().chain(rings.all().into_iter().flatten());
        counts.for_each(|count| count.store(0, Relaxed));
    }

    pub(super) fn attempt(self, now: Timestamp) {
        let head = self.head;
        let unit = now.0.div_euclid(UNIT);
        let latest = head.latest.load(Relaxed);
        if unit > latest {
            self.advance(latest, unit);
        }
        for count in &head.running {
            count.store(count.load(Relaxed).saturating_add(1), Relaxed);
        }
        head.total.store(head.total.load(Relaxed).saturating_add(1), Relaxed);
        head.reopen();
    }

    pub(super) fn counts(self, now: Timestamp) -> Counts {
        Counts {
            attempts: std::array::from_fn(|window| self.sum(window, now)),
            open: self.head.open.load(Relaxed),
            total: self.head.total.load(Relaxed),
        }
    }

    /// Running steps that are over go into their rings; steps that nobody counted in are emptied.
    fn advance(self, latest: i64, unit: i64) {
        let Self { head, rings } = self;
        if latest != NEVER {
            let [minute, quarter, hour, day] = &head.running;
            let [since_minute, since_quarter] = &head.since;
            // A longer step is over only when every shorter one is: each is a multiple of the one before.
            let _ = turn::<{ LENGTHS[0] }, _>(&rings.minute, minute, Some(since_minute), latest, unit)
                && turn::<{ LENGTHS[1] }, _>(&rings.quarter, quarter, Some(since_quarter), latest, unit)
                && turn::<{ LENGTHS[2] }, _>(&rings.hour, hour, None, latest, unit)
                && turn::<{ LENGTHS[3] }, _>(&rings.day, day, None, latest, unit);
        }
        head.latest.store(unit, Relaxed);
    }

    /// The first step of a window's ring that holds anything.
    fn since(self, window: usize) -> i64 {
        self.head.since.get(window).map_or(EVER, |since| since.load(Relaxed))
    }

    fn sum(self, window: usize, now: Timestamp) -> u32 {
        let latest = self.head.latest.load(Relaxed);
        let (Some(ring), Some(length), Some(running)) =
            (self.rings.all().get(window).copied(), LENGTHS.get(window), self.head.running.get(window))
        else {
            return 0;
        };
        if latest == NEVER {
            return 0;
        }
        let (step, last) = (now.0.div_euclid(UNIT).div_euclid(*length), latest.div_euclid(*length));
        let first = oldest(ring, step).max(oldest(ring, last));
        let over = sum_of(ring, first.max(self.since(window)), last.min(step.saturating_add(1)));
        let running = if (first..=step).contains(&last) { running.load(Relaxed) } else { 0 };
        over.saturating_add(running)
    }

    pub(super) fn held(self) -> Held {
        let latest = self.head.latest.load(Relaxed);
        let past = |window: usize, ring: &[AtomicU32], length: i64| {
            let last = latest.div_euclid(length);
            let steps = oldest(ring, last).max(self.since(window))..last;
            let counts = steps.map(|step| (step, get(ring, step)));
            if latest == NEVER { Vec::new() } else { counts.filter(|(_, count)| *count > 0).collect() }
        };
        let [minute, quarter, hour, day] = self.rings.all();
        let [a, b, c, d] = LENGTHS;
        let running = self.head.running.each_ref().map(|count| count.load(Relaxed));
        let past = [past(0, minute, a), past(1, quarter, b), past(2, hour, c), past(3, day, d)];
        Held { latest, running, past, total: self.head.total.load(Relaxed) }
    }

    /// An empty row becomes what was held. Steps that aren't among the latest ones of their ring don't count.
    pub(super) fn take_back(self, held: Held) {
        let Self { head, rings } = self;
        head.latest.store(held.latest, Relaxed);
        head.total.store(held.total, Relaxed);
        for (running, count) in head.running.iter().zip(held.running) {
            running.store(count, Relaxed);
        }
        for ((ring, length), past) in rings.all().into_iter().zip(LENGTHS).zip(held.past) {
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

impl Rings {
    const fn all(&self) -> [&[AtomicU32]; 4] {
        [&self.minute, &self.quarter, &self.hour, &self.day]
    }
}

/// One window goes from the unit `latest` on to `unit`; the answer is whether a step was over. Its
/// lengths are known when it is compiled: a division by a number that isn't costs more than all the rest.
#[inline]
fn turn<const LENGTH: i64, const N: usize>(
    ring: &[AtomicU32; N],
    running: &AtomicU32,
    since: Option<&AtomicI64>,
    latest: i64,
    unit: i64,
) -> bool {
    let (old, new) = (latest.div_euclid(LENGTH), unit.div_euclid(LENGTH));
    if old == new {
        return false;
    }
    let steps = usize::try_from(new.saturating_sub(old)).unwrap_or(0);
    let ended = running.load(Relaxed);
    running.store(0, Relaxed);
    if let Some(since) = since.filter(|_| steps >= N) {
        // All that the ring holds is too old, and so is what would go into it.
        since.store(new, Relaxed);
        return true;
    }
    let Some(mut at) = index(N, old) else { return true };
    set(ring, at, ended);
    for _ in 0..steps.min(N) {
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
        assert_eq!(size_of::<Head>(), 64);
        assert!(size_of::<Rings>() <= 272, "{}", size_of::<Rings>());
    }
}
