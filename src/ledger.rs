//! Running counts for each handset, for the whole office, and for each group of destinations.
//!
//! In: attempts, answers and ends. Out: sliding windows of 1 min, 15 min, 1 h and 24 h, and open
//! calls. Never: blocks the writer for a reader.
//!
//! The map is DashMap: sharded read-write locks, not lock-free. A known handset's update takes a
//! shard's read lock and bumps atomics; only a first sighting and an eviction take the write lock.

mod row;
mod snapshot;

use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use row::Row;
pub use snapshot::Snapshot;

use serde::{Deserialize, Serialize};

use crate::bounded::KeyedHash;
use crate::dial::{Class, Group};
use crate::handsets::HandsetId;
use crate::labels;
use crate::tally::{Label, Tally};
use crate::time::{Span, Timestamp};

/// Whose counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Account {
    /// All handsets together; a call with two legs counts once.
    Office,
    /// One handset or trunk.
    Handset(HandsetId),
}

/// A row of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Whose.
    pub account: Account,
    /// Where to.
    pub group: Group,
}

labels! {
    /// The sliding windows. Each is a ring of steps; the running step counts whole, so a window
    /// covers at least its length and at most one step more.
    pub enum Window {
        Minute = "1m", "60 seconds, in steps of 5.";
        Quarter = "15m", "15 minutes, in steps of 60 seconds.";
        Hour = "1h", "60 minutes, in steps of 5.";
        Day = "24h", "24 hours, in steps of one.";
    }
}

impl Window {
    /// The window's length.
    pub const fn span(self) -> Span {
        match self {
            Self::Minute => Span::MINUTE,
            Self::Quarter => Span::minutes(15),
            Self::Hour => Span::HOUR,
            Self::Day => Span::DAY,
        }
    }
}

/// What a row says at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Attempts in each window, in the order of `Window`.
    pub attempts: [u32; 4],
    /// Calls that ring or talk now.
    pub open: u32,
    /// Attempts since the row was made.
    pub total: u64,
}

impl Counts {
    /// Attempts in one window.
    pub const fn in_window(&self, window: Window) -> u32 {
        self.attempts[window as usize]
    }
}

/// The ledger's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Rows at the most: one for each handset and group that was called.
    pub rows: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { rows: 131_072 }
    }
}

/// The shared counts: the sensor writes, everyone else reads.
#[derive(Debug)]
pub struct Ledger {
    rows: DashMap<Key, Row, KeyedHash>,
    office: Box<[Row]>,
    capacity: usize,
    refused: AtomicU64,
    attempted: Tally<Class>,
    over: Tally<Class>,
    back: Tally<Class>,
    answered: Tally<Class>,
    talked_micros: Tally<Class>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Ledger {
    /// An empty ledger.
    pub fn new(settings: Settings) -> Self {
        Self {
            rows: DashMap::with_hasher(KeyedHash::default()),
            office: Group::ALL.iter().map(|_| Row::default()).collect(),
            capacity: settings.rows,
            refused: AtomicU64::new(0),
            attempted: Tally::default(),
            over: Tally::default(),
            back: Tally::default(),
            answered: Tally::default(),
            talked_micros: Tally::default(),
        }
    }

    /// A call was attempted; it is open until `closed`.
    pub fn attempt(&self, key: Key, now: Timestamp) {
        self.with_row(key, |row| row.attempt(now));
    }

    /// A call that was attempted is over.
    pub fn closed(&self, key: Key) {
        self.with_row(key, Row::close);
    }

    /// A call that had been closed is open after all: another branch of it answered.
    pub fn reopened(&self, key: Key) {
        self.with_row(key, Row::reopen);
    }

    /// What a row says at `now`; all zero if there is none.
    pub fn counts(&self, key: Key, now: Timestamp) -> Counts {
        match key.account {
            Account::Office => self.office[key.group.index()].counts(now),
            Account::Handset(_) => self.rows.get(&key).map(|row| row.counts(now)).unwrap_or_default(),
        }
    }

    /// Forgets a handset that is remembered no longer.
    pub fn forget(&self, handset: HandsetId) {
        for group in Group::ALL {
            self.rows.remove(&Key { account: Account::Handset(handset), group: *group });
        }
    }

    /// Counts of human calls by class: attempted.
    pub const fn attempted(&self) -> &Tally<Class> {
        &self.attempted
    }

    /// A human call is over.
    pub fn over(&self, class: Class) {
        self.over.bump(class);
    }

    /// A human call that was over is up again: another branch of it answered.
    pub fn back(&self, class: Class) {
        self.back.bump(class);
    }

    /// Human calls that ring or talk now.
    pub fn up(&self, class: Class) -> u64 {
        let begun = self.attempted.get(class).saturating_add(self.back.get(class));
        begun.saturating_sub(self.over.get(class))
    }

    /// Counts of human calls by class: answered.
    pub const fn answered(&self) -> &Tally<Class> {
        &self.answered
    }

    /// Microseconds talked by class.
    pub const fn talked_micros(&self) -> &Tally<Class> {
        &self.talked_micros
    }

    /// Rows at the moment.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no handset has a row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Counts that were refused because the ledger was full.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn with_row(&self, key: Key, change: impl FnOnce(&Row)) {
        if key.account == Account::Office {
            change(&self.office[key.group.index()]);
            return;
        }
        if let Some(row) = self.rows.get(&key) {
            change(&row);
            return;
        }
        if self.rows.len() >= self.capacity {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return;
        }
        change(&self.rows.entry(key).or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounded::Table;
    use proptest::prelude::*;

    fn key() -> Key {
        let mut table = Table::new(1, 0);
        let slot = table.find_or_insert(&0, Timestamp(0), || ()).slot;
        Key { account: Account::Handset(HandsetId(slot)), group: Group::Overseas }
    }

    #[test]
    fn windows_slide_over_midnight() {
        let ledger = Ledger::default();
        let midnight = Timestamp::from_parts(86_400 * 20_000, 0);
        ledger.attempt(key(), midnight.minus(Span::seconds(20)));
        ledger.attempt(key(), midnight.plus(Span::seconds(20)));
        let counts = ledger.counts(key(), midnight.plus(Span::seconds(21)));
        assert_eq!(counts.attempts, [2, 2, 2, 2]);
        assert_eq!(ledger.counts(key(), midnight.plus(Span::minutes(3))).attempts, [0, 2, 2, 2]);
        assert_eq!(ledger.counts(key(), midnight.plus(Span::hours(3))).attempts, [0, 0, 0, 2]);
        assert_eq!(ledger.counts(key(), midnight.plus(Span::days(2))).attempts, [0; 4]);
        assert_eq!(counts.open, 2);
    }

    #[test]
    fn open_calls_never_fall_below_zero() {
        let ledger = Ledger::default();
        ledger.attempt(key(), Timestamp(0));
        ledger.closed(key());
        ledger.closed(key());
        assert_eq!(ledger.counts(key(), Timestamp(0)).open, 0);
    }

    #[test]
    fn a_full_ledger_refuses_and_says_so() {
        let ledger = Ledger::new(Settings { rows: 0 });
        ledger.attempt(key(), Timestamp(0));
        assert_eq!((ledger.len(), ledger.refused()), (0, 1));
    }

    proptest! {
        /// A window counts every attempt within its length and none older than a step more.
        #[test]
        fn windows_bracket_the_truth(gaps in proptest::collection::vec(0i64..200_000_000, 1..200)) {
            let ledger = Ledger::default();
            let mut now = Timestamp::from_parts(1_700_000_000, 0);
            let mut times = Vec::new();
            for gap in gaps {
                now = now.plus(Span(gap));
                ledger.attempt(key(), now);
                times.push(now);
                let counts = ledger.counts(key(), now);
                for (window, step) in [(Window::Minute, 5), (Window::Quarter, 60), (Window::Hour, 300), (Window::Day, 3_600)] {
                    let within = |span: Span| u32::try_from(times.iter().filter(|t| now.since(**t) < span).count()).unwrap();
                    let got = counts.in_window(window);
                    prop_assert!(got >= within(window.span()));
                    prop_assert!(got <= within(Span(window.span().0 + Span::seconds(step).0)));
                }
            }
        }
    }
}
