//! Rule `handset_ceiling`: one handset places more calls of one kind in a window than any ordinary
//! handset does.
//!
//! In: an attempt, the ledger. Out: a verdict on its handset.
//! Never: counts redials of a number that can't be reached, or known numbers.

use crate::baseline::hours::DayPart;
use crate::dial::Group;
use crate::finding::Rule;
use crate::ledger::{Account, Key, Window};
use crate::tally::Label;

use super::{Counted, Moment, Verdict};

/// One handset; `trunk` if it stands for many. Also how many more calls of the group can't reach
/// any ceiling of this part of the day, so that the ledger needn't be read for them.
pub fn attempt(moment: &Moment<'_>, trunk: bool) -> (Option<Verdict>, u32) {
    let group = moment.call.group;
    let settings = moment.settings;
    let day = if trunk { settings.office_ceiling.of(group) } else { settings.handset_ceiling.of(group) };
    let at_night = if trunk || group != Group::National { day } else { settings.home_at_night };
    let limits = if moment.call.part == DayPart::Shut { at_night } else { day };
    let key = Key { account: Account::Handset(moment.call.handset), group };
    let counts = moment.ledger.counts(key, moment.now).attempts;
    let excused = moment.baseline.excused(&key, moment.now);
    let fresh: [u32; 4] = std::array::from_fn(|i| counts[i].saturating_sub(excused[i]));
    let verdict = exceeded(limits, fresh).map(|(window, counted)| {
        let since = moment.now.minus(window.span());
        moment.verdict(Rule::HandsetCeiling, counted.severity(), since, counted)
    });
    (verdict, room(limits, counts))
}

/// The first window whose ceiling is reached.
pub fn exceeded(limits: [u32; 4], counts: [u32; 4]) -> Option<(Window, Counted)> {
    Window::ALL.iter().zip(counts.iter().zip(limits)).find_map(|(window, (count, limit))| {
        (limit > 0 && *count >= limit).then(|| (*window, Counted::of(*count, limit, window.span())))
    })
}

/// How many more attempts stay below every ceiling.
pub fn room(limits: [u32; 4], counts: [u32; 4]) -> u32 {
    let left = counts.iter().zip(limits).filter(|(_, limit)| *limit > 0);
    left.map(|(count, limit)| limit.saturating_sub(*count).saturating_sub(1)).min().unwrap_or(u32::MAX)
}
