//! Rule `office_ceiling`: the whole office places more calls of one kind in a window than any
//! ordinary office does.
//!
//! In: an attempt or a tick, the ledger. Out: a verdict on the office.
//! Never: counts a handset that has an incident of its own: one attack, one page.

use crate::baseline::Baseline;
use crate::baseline::calls::Lane;
use crate::dial::Group;
use crate::finding::{Rule, Subject};
use crate::handsets::HandsetId;
use crate::ledger::{Account, Key, Ledger};
use crate::time::Timestamp;

use super::handset_ceiling::{exceeded, room};
use super::{Settings, Verdict};

/// The office's counts in one group. Also how many more calls can't reach any ceiling.
pub fn check(
    group: Group,
    ledger: &Ledger,
    baseline: &Baseline,
    settings: &Settings,
    suspects: &[HandsetId],
    now: Timestamp,
) -> (Option<Verdict>, u32) {
    let limits = settings.office_ceiling.of(group);
    let key = Key { account: Account::Office, group };
    let mut counts = ledger.counts(key, now).attempts;
    let left = room(limits, counts);
    if exceeded(limits, counts).is_none() {
        return (None, left);
    }
    take(&mut counts, baseline.excused(&key, now));
    for handset in suspects {
        let key = Key { account: Account::Handset(*handset), group };
        let mut theirs = ledger.counts(key, now).attempts;
        take(&mut theirs, baseline.excused(&key, now));
        take(&mut counts, theirs);
    }
    let lane = if group == Group::National { Lane::Home } else { Lane::Charged };
    let verdict = exceeded(limits, counts).map(|(window, counted)| Verdict {
        rule: Rule::OfficeCeiling,
        severity: counted.severity(),
        subject: Subject::Office,
        lane,
        since: now.minus(window.span()),
        count: counted.0,
        limit: counted.1,
        within: counted.2,
    });
    (verdict, room(limits, counts))
}

fn take(counts: &mut [u32; 4], some: [u32; 4]) {
    for (count, n) in counts.iter_mut().zip(some) {
        *count = count.saturating_sub(n);
    }
}
