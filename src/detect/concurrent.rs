//! Rule `concurrent`: one handset has more costly calls up at once than a person can hold.
//!
//! In: an attempt. Out: a verdict on its handset.
//! Never: counts calls that are over.

use crate::baseline::calls::{Call, Tier};
use crate::baseline::hours::DayPart;
use crate::finding::Rule;
use crate::time::Span;

use super::{Counted, Moment, Verdict};

/// One handset. How many are up is the judge's own view: a call whose end was lost is closed
/// there with the call table's expiry.
pub fn attempt(moment: &Moment<'_>) -> Option<Verdict> {
    let call = moment.call;
    if call.tier < Tier::Warm || !call.counts() {
        return None;
    }
    let limits = moment.settings.concurrent;
    let up = |past: &Call, tier: Tier| past.is_up(moment.now) && past.tier >= tier;
    let hot = moment.find(moment.history(), Span::DAY, |past| up(past, Tier::Hot));
    let all = moment.find(moment.history(), Span::DAY, |past| up(past, Tier::Warm));
    let limit = if call.part == DayPart::Open { limits.open } else { limits.shut };
    if call.part != DayPart::Open && !call.familiar {
        let same = moment
            .find(moment.history(), Span::DAY, |past| past.number == call.number && past.is_up(moment.now));
        let counted = Counted::of(same.calls, limits.same_number, Span::ZERO);
        if same.calls >= limits.same_number {
            return Some(moment.verdict(Rule::Concurrent, counted.severity(), same.since, counted));
        }
    }
    let (found, limit) = if hot.calls >= limits.hot { (hot, limits.hot) } else { (all, limit) };
    let counted = Counted::of(found.calls, limit, Span::ZERO);
    (found.calls >= limit).then(|| moment.verdict(Rule::Concurrent, counted.severity(), found.since, counted))
}
