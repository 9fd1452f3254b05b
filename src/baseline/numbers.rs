//! The numbers that the office calls.
//!
//! In: attempts, failures, taints. Out: whether a number is known, retried, or a conference.
//! Never: lets an attack make its numbers known.

use serde::{Deserialize, Serialize};

use crate::bounded::{Image, Table};
use crate::handsets::HandsetId;
use crate::time::{Span, Timestamp};

/// How long after a failure another attempt is a retry.
const RETRY: Span = Span::minutes(30);
/// How long ago a number must have been called first to be known.
const SETTLED: Span = Span::DAY;
/// How close together handsets call a conference.
const CONFERENCE: Span = Span::hours(2);
/// How long a number stays known after its last call.
const MEMORY: Span = Span::days(60);

/// What is known of a number.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Seen {
    first: Timestamp,
    last: Timestamp,
    failed: Option<Timestamp>,
    tainted: bool,
    days: u8,
    last_day: Option<i64>,
    callers: [Option<(HandsetId, Timestamp)>; 3],
}

impl Seen {
    /// Whether the last attempt failed a short while ago.
    pub fn is_retry(&self, now: Timestamp) -> bool {
        self.failed.is_some_and(|failed| now.since(failed) <= RETRY)
    }

    /// Whether the office called it before. A number of a hot destination must have been called
    /// on two earlier days: test calls come a day before an attack.
    pub fn is_known(&self, hot: bool, now: Timestamp) -> bool {
        !self.tainted
            && self.days >= if hot { 2 } else { 1 }
            && now.since(self.first) > SETTLED
            && now.since(self.last) < MEMORY
    }

    /// Whether at least two other handsets called it lately.
    pub fn is_conference(&self, handset: HandsetId, now: Timestamp) -> bool {
        let others =
            self.callers.iter().flatten().filter(|(id, at)| *id != handset && now.since(*at) <= CONFERENCE);
        !self.tainted && others.count() >= 2
    }

    fn called_by(&mut self, handset: HandsetId, now: Timestamp) {
        let same = self.callers.iter().position(|c| c.is_some_and(|(id, _)| id == handset));
        let oldest = || (0..3).min_by_key(|i| self.callers[*i].map_or(Timestamp(i64::MIN), |(_, at)| at));
        if let Some(place) = same.or_else(oldest) {
            self.callers[place] = Some((handset, now));
        }
    }
}

/// All of them, bounded.
#[derive(Debug)]
pub struct Numbers {
    seen: Table<u64, Seen>,
}

impl Numbers {
    /// So many at the most.
    pub fn new(capacity: usize) -> Self {
        Self { seen: Table::new(capacity, 0) }
    }

    /// What is known of a number.
    pub fn get(&self, number: u64) -> Option<&Seen> {
        self.seen.find(&number).and_then(|slot| self.seen.get(slot))
    }

    /// A handset calls it.
    pub fn attempt(&mut self, number: u64, handset: HandsetId, now: Timestamp) {
        let slot =
            self.seen.find_or_insert(&number, now, || Seen { first: now, last: now, ..Seen::default() }).slot;
        if let Some(seen) = self.seen.get_mut(slot) {
            seen.failed = None;
            seen.called_by(handset, now);
        }
    }

    /// An unsuspicious call to it.
    pub fn learn(&mut self, number: u64, day: i64, now: Timestamp) {
        if let Some(seen) = self.entry(number) {
            seen.last = now;
            if seen.last_day != Some(day) {
                seen.last_day = Some(day);
                seen.days = seen.days.saturating_add(1);
            }
        }
    }

    /// The last attempt to reach it failed.
    pub fn failed(&mut self, number: u64, now: Timestamp) {
        if let Some(seen) = self.entry(number) {
            seen.failed = Some(now);
        }
    }

    /// It was called in an attack.
    pub fn taint(&mut self, number: u64) {
        if let Some(seen) = self.entry(number) {
            seen.tainted = true;
        }
    }

    /// What was learnt of earlier times, the latest first, as long as there is room: `most` numbers.
    pub fn precede(&mut self, past: &Self, most: usize) {
        let mut old: Vec<(u64, Seen)> = past.seen.iter().map(|(_, number, seen)| (*number, *seen)).collect();
        old.sort_by_key(|(number, seen)| (std::cmp::Reverse(seen.last), *number));
        for (number, was) in old {
            if self.seen.find(&number).is_none() && self.seen.len() >= most {
                continue;
            }
            let fresh = || Seen { days: 0, last_day: None, ..was };
            let slot = self.seen.find_or_insert(&number, was.last, fresh).slot;
            if let Some(seen) = self.seen.get_mut(slot) {
                let apart = seen.last_day.is_none() || seen.last_day != was.last_day;
                seen.days =
                    seen.days.saturating_add(if apart { was.days } else { was.days.saturating_sub(1) });
                seen.first = seen.first.min(was.first);
                seen.last = seen.last.max(was.last);
                seen.last_day = seen.last_day.max(was.last_day);
                seen.tainted |= was.tainted;
            }
        }
    }

    /// All of them as plain data.
    pub fn image(&self) -> Image<u64, Seen> {
        self.seen.image()
    }

    /// Takes back what `image` gave.
    pub fn restore(&mut self, image: Image<u64, Seen>) {
        self.seen.restore(image);
    }

    /// How many were forgotten for lack of room.
    pub const fn evicted(&self) -> u64 {
        self.seen.evicted()
    }

    fn entry(&mut self, number: u64) -> Option<&mut Seen> {
        self.seen.find(&number).and_then(|slot| self.seen.get_mut(slot))
    }
}
