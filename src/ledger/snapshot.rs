//! The ledger's counts, written down.
//!
//! In: a ledger. Out: `Snapshot`, and the same counts again.
//! Never: keeps open calls: those that were up are gone with the call table, and their ends would
//! never be counted off.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::row::Held;
use super::{Account, Key, Ledger, Place, Row};
use crate::dial::Group;
use crate::handsets::HandsetId;
use crate::tally::Label;

/// Windows and totals of every row, as plain data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    rows: Vec<Kept>,
    refused: u64,
    attempted: Vec<(String, u64)>,
    answered: Vec<(String, u64)>,
    talked_micros: Vec<(String, u64)>,
}

/// One row, as `Held` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    /// `None` = the office.
    handset: Option<HandsetId>,
    group: Group,
    latest: i64,
    running: [u32; 4],
    past: [Vec<(i64, u32)>; 4],
    total: u64,
}

impl Row<'_> {
    fn kept(self, key: Key) -> Kept {
        let Held { latest, running, past, total } = self.held();
        let handset = match key.account {
            Account::Office => None,
            Account::Handset(id) => Some(id),
        };
        Kept { handset, group: key.group, latest, running, past, total }
    }
}

impl Ledger {
    /// Windows and totals as plain data, in the order of the keys.
    #[expect(clippy::disallowed_methods, reason = "the rows are sorted before anyone sees them")]
    pub fn snapshot(&self) -> Snapshot {
        let office = Group::ALL.iter().zip(&self.office).map(|(group, (head, rings))| {
            Row { head, rings }.kept(Key { account: Account::Office, group: *group })
        });
        let mut rows: Vec<Kept> = office.collect();
        let row = |place: &Place| self.rows.get(*place);
        rows.extend(self.places.iter().filter_map(|at| Some(row(at.value())?.kept(*at.key()))));
        rows.sort_by_key(|kept| (kept.handset, kept.group));
        Snapshot {
            rows,
            refused: self.refused.load(Ordering::Relaxed),
            attempted: self.attempted.image(),
            answered: self.answered.image(),
            talked_micros: self.talked_micros.image(),
        }
    }

    /// Takes counts back into an empty ledger; rows beyond its limit are left out. Only before
    /// anyone else writes.
    pub fn restore(&self, snapshot: Snapshot) {
        for kept in snapshot.rows {
            let account = kept.handset.map_or(Account::Office, Account::Handset);
            let Kept { latest, running, past, total, .. } = kept;
            let held = Held { latest, running, past, total };
            self.with_row(Key { account, group: kept.group }, |row| row.take_back(held));
        }
        self.refused.fetch_add(snapshot.refused, Ordering::Relaxed);
        self.attempted.restore(&snapshot.attempted);
        // None of them is up any more.
        self.over.restore(&snapshot.attempted);
        self.answered.restore(&snapshot.answered);
        self.talked_micros.restore(&snapshot.talked_micros);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounded::Table;
    use crate::dial::Class;
    use crate::time::{Span, Timestamp};
    use proptest::prelude::*;

    fn keys() -> [Key; 2] {
        let mut table = Table::new(2, 0);
        [(0, Group::Overseas), (1, Group::National)].map(|(n, group)| {
            let slot = table.find_or_insert(&n, Timestamp(0), || ()).slot;
            Key { account: Account::Handset(HandsetId(slot)), group }
        })
    }

    proptest! {
        /// Windows read from a restored ledger are those of the first, at once and after more calls.
        #[test]
        fn a_restored_ledger_counts_on(gaps in proptest::collection::vec((0i64..9_000_000_000, 0usize..3), 1..60)) {
            let office = Key { account: Account::Office, group: Group::Risky };
            let [a, b] = keys();
            let first = Ledger::default();
            let second = Ledger::default();
            let mut now = Timestamp::from_parts(1_700_000_000, 0);
            let half = gaps.len() / 2;
            for (at, (gap, which)) in gaps.into_iter().enumerate() {
                if at == half {
                    let bytes = postcard::to_stdvec(&first.snapshot()).unwrap();
                    second.restore(postcard::from_bytes(&bytes).unwrap());
                }
                now = now.plus(Span(gap));
                let key = [office, a, b][which];
                first.attempt(key, now);
                first.closed(key);
                if at >= half {
                    second.attempt(key, now);
                    second.closed(key);
                }
            }
            for key in [office, a, b] {
                prop_assert_eq!(first.counts(key, now), second.counts(key, now));
            }
            prop_assert_eq!(first.snapshot(), second.snapshot());
        }

        #[test]
        fn a_hostile_snapshot_does_no_harm(
            steps in proptest::collection::vec((any::<i64>(), any::<u32>()), 0..40),
            total in any::<u64>(), now in any::<i64>(), latest in any::<i64>(),
        ) {
            let ledger = Ledger::default();
            let [a, _] = keys();
            let kept = Kept {
                handset: None,
                group: a.group,
                latest,
                running: [u32::MAX; 4],
                past: [steps.clone(), steps.clone(), steps.clone(), steps],
                total,
            };
            ledger.restore(Snapshot { rows: vec![kept; 3], ..Snapshot::default() });
            let office = Key { account: Account::Office, group: a.group };
            ledger.attempt(office, Timestamp(now));
            let _ = ledger.counts(office, Timestamp(now));
        }
    }

    #[test]
    fn no_call_is_up_after_a_restart() {
        let first = Ledger::default();
        first.attempted().add(Class::Overseas, 3);
        first.over(Class::Overseas);
        let second = Ledger::default();
        second.restore(first.snapshot());
        assert_eq!([&first, &second].map(|ledger| ledger.up(Class::Overseas)), [2, 0]);
        assert_eq!(second.attempted().get(Class::Overseas), 3);
    }

    #[test]
    fn rows_beyond_the_limit_are_left_out() {
        let first = Ledger::default();
        for key in keys() {
            first.attempt(key, Timestamp(0));
        }
        let small = Ledger::new(super::super::Settings { rows: 1 });
        small.restore(first.snapshot());
        assert_eq!(small.len(), 1);
    }
}
