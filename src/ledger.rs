//! Running counts for each handset, for the whole office, and for each group of destinations.
//!
//! In: attempts, answers and ends. Out: sliding windows of 1 min, 15 min, 1 h and 24 h, and open
//! calls. Never: blocks the writer for a reader.
//!
//! The map is DashMap: sharded read-write locks, not lock-free. It says where a row stands. A first sighting
//! and an eviction take a shard's write lock; who asks for a row for the first time takes its read lock,
//! and whoever asks again finds the place where it was noted, and bumps atomics.

mod row;
mod rows;
mod snapshot;

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use dashmap::DashMap;
use row::{Head, Rings, Row};
use rows::{Place, Rows};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Whose.
    pub account: Account,
    /// Where to.
    pub group: Group,
}

/// As one number: two look-ups of each call begin with it.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let whose = match self.account {
            Account::Office => u64::MAX,
            Account::Handset(id) => id.0.as_u64(),
        };
        state.write_u64(whose.rotate_left(3) ^ self.group as u64);
    }
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

/// A handset's places that are noted side by side, a power of two.
const GROUPS: usize = Group::ALL.len().next_power_of_two();
/// Places that are noted: those of 8,192 handsets fit.
const NOTED: usize = 8_192 * GROUPS;

/// The shared counts: the sensor writes, everyone else reads.
#[derive(Debug)]
pub struct Ledger {
    places: DashMap<Key, Place, KeyedHash>,
    rows: Rows,
    /// Where rows stood when they were last asked for, by handset and group. Two that share a slot cost
    /// look-ups.
    noted: Box<[AtomicU32]>,
    office: Box<[(Head, Rings)]>,
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
            places: DashMap::with_hasher(KeyedHash::default()),
            rows: Rows::new(settings.rows),
            noted: std::iter::repeat_with(AtomicU32::default).take(NOTED).collect(),
            office: Group::ALL.iter().map(|_| Default::default()).collect(),
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
        self.with_row(key, |row| row.head.close());
    }

    /// A call that had been closed is open after all: another branch of it answered.
    pub fn reopened(&self, key: Key) {
        self.with_row(key, |row| row.head.reopen());
    }

    /// What a row says at `now`; all zero if there is none.
    pub fn counts(&self, key: Key, now: Timestamp) -> Counts {
        let Some(row) = self.row(key) else { return Counts::default() };
        let counts = row.counts(now);
        // Meanwhile the sensor may have forgotten the handset and given its row to another.
        fence(Ordering::Acquire);
        let still = matches!(key.account, Account::Office) || row.is_of(key);
        if still { counts } else { Counts::default() }
    }

    /// Asks for the memory of a row: it will be updated in a moment.
    #[inline]
    pub fn warm(&self, key: Key) {
        if let Some(noted) = self.noted(key) {
            self.rows.warm(Place(noted.load(Ordering::Relaxed)));
        }
    }

    /// Forgets a handset that is remembered no longer.
    pub fn forget(&self, handset: HandsetId) {
        for group in Group::ALL {
            let key = Key { account: Account::Handset(handset), group: *group };
            if let Some((_, place)) = self.places.remove(&key) {
                self.rows.give_back(place);
            }
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
        self.places.len()
    }

    /// Whether no handset has a row.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Counts that were refused because the ledger was full.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn with_row(&self, key: Key, change: impl FnOnce(Row<'_>)) {
        if let Some(row) = self.row(key).or_else(|| self.new_row(key)) {
            change(row);
        }
    }

    /// Where the place of a handset's row is noted.
    #[inline]
    fn noted(&self, key: Key) -> Option<&AtomicU32> {
        match key.account {
            Account::Office => None,
            Account::Handset(id) => self.noted.get((id.0.index() * GROUPS + key.group.index()) % NOTED),
        }
    }

    #[inline]
    fn row(&self, key: Key) -> Option<Row<'_>> {
        let Some(noted) = self.noted(key) else {
            return self.office.get(key.group.index()).map(|(head, rings)| Row { head, rings });
        };
        let near = self.rows.get(Place(noted.load(Ordering::Relaxed))).filter(|row| row.is_of(key));
        near.or_else(|| self.row_by_key(key, noted))
    }

    #[inline(never)]
    fn row_by_key(&self, key: Key, noted: &AtomicU32) -> Option<Row<'_>> {
        let place = *self.places.get(&key)?;
        noted.store(place.0, Ordering::Relaxed);
        self.rows.get(place)
    }

    /// The row of a handset that has none, unless the ledger is full.
    #[cold]
    fn new_row(&self, key: Key) -> Option<Row<'_>> {
        let place = if self.places.len() < self.capacity { self.rows.take() } else { None };
        let Some(place) = place else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let row = self.rows.get(place)?;
        row.give_to(key);
        self.places.insert(key, place);
        Some(row)
    }
}

impl Row<'_> {
    #[inline]
    fn is_of(self, key: Key) -> bool {
        matches!(key.account, Account::Handset(id) if self.head.is_of(id.0.as_u64(), key.group as u32))
    }

    fn give_to(self, key: Key) {
        if let Account::Handset(id) = key.account {
            self.head.give_to(id.0.as_u64(), key.group as u32);
        }
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

    /// A handset in a table of one, after so many others that had its slot.
    fn after(others: u32) -> Key {
        let mut table = Table::new(1, 0);
        let slots = (0..=others).map(|n| table.find_or_insert(&n, Timestamp(0), || ()).slot);
        Key { account: Account::Handset(HandsetId(slots.last().unwrap())), group: Group::Overseas }
    }

    #[test]
    fn a_forgotten_handset_leaves_nothing_to_whoever_gets_its_row() {
        let ledger = Ledger::new(Settings { rows: 1 });
        let (first, second) = (after(0), after(1));
        for minute in 0..200 {
            ledger.attempt(first, Timestamp(0).plus(Span::minutes(minute)));
        }
        let now = Timestamp(0).plus(Span::minutes(200));
        ledger.attempt(second, now);
        assert_eq!((ledger.counts(second, now), ledger.refused()), (Counts::default(), 1));
        let Account::Handset(gone) = first.account else { unreachable!() };
        ledger.forget(gone);
        assert_eq!((ledger.counts(first, now), ledger.len()), (Counts::default(), 0));
        ledger.attempt(second, now);
        assert_eq!(ledger.counts(first, now), Counts::default(), "its row is the other's now");
        assert_eq!(ledger.counts(second, now), Counts { attempts: [1; 4], open: 1, total: 1 });
    }

    #[test]
    fn a_reader_never_sees_the_counts_of_the_next_owner() {
        let mut table = Table::new(1, 0);
        let keys: Vec<Key> = (0..30_000)
            .map(|n| table.find_or_insert(&n, Timestamp(0), || ()).slot)
            .map(|slot| Key { account: Account::Handset(HandsetId(slot)), group: Group::Overseas })
            .collect();
        let (ledger, current) = (Ledger::new(Settings { rows: 1 }), AtomicU64::new(0));
        let own = |n: usize| n as u64 % 7 + 1;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for (n, key) in keys.iter().enumerate() {
                    current.store(n as u64, Ordering::Relaxed);
                    (0..own(n)).for_each(|_| ledger.attempt(*key, Timestamp(1)));
                    let Account::Handset(id) = key.account else { continue };
                    ledger.forget(id);
                }
                current.store(u64::MAX, Ordering::Relaxed);
            });
            while let Ok(n) = usize::try_from(current.load(Ordering::Relaxed))
                && n < keys.len()
            {
                let counts = ledger.counts(keys[n], Timestamp(1));
                assert!(counts.total <= own(n), "{n}: {counts:?}");
            }
        });
        assert!(ledger.is_empty() && ledger.refused() == 0);
    }

    #[test]
    fn two_handsets_whose_places_are_noted_in_one_slot_keep_their_own_counts() {
        let ledger = Ledger::default();
        let (first, second) = (after(0), after(1));
        assert!(std::ptr::eq(ledger.noted(first).unwrap(), ledger.noted(second).unwrap()));
        for n in 1..=3 {
            ledger.attempt(first, Timestamp(n));
            ledger.attempt(second, Timestamp(n));
            ledger.closed(second);
        }
        let counts = [first, second].map(|key| ledger.counts(key, Timestamp(3)));
        assert_eq!(counts.map(|counts| (counts.total, counts.open)), [(3, 3), (3, 0)]);
    }

    proptest! {
        /// A window counts every attempt within its length and none older than a step more.
        #[test]
        fn windows_bracket_the_truth(
            gaps in proptest::collection::vec(prop_oneof![4 => 0i64..200_000_000, 1 => 0i64..9_000_000_000], 1..200),
        ) {
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
