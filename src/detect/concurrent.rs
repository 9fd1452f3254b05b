//! Rule `concurrent`: one handset has more costly calls up at once than a person can hold.
//!
//! In: an attempt. Out: a verdict on its handset.
//! Never: counts calls that are over.

use crate::baseline::calls::{Call, Tier};
use crate::baseline::hours::DayPart;
use crate::finding::Rule;
use crate::time::{Span, Timestamp};

use super::{Counted, Moment, Verdict};

/// Calls that are up, and when the first of them was attempted.
#[derive(Clone, Copy)]
struct Up {
    calls: u32,
    since: Timestamp,
}

impl Up {
    fn take(&mut self, call: &Call, counts: bool) {
        if counts {
            self.calls += 1;
            self.since = call.time;
        }
    }
}

/// One handset. How many are up is the judge's own view: a call whose end was lost is closed
/// there with the call table's expiry.
pub fn attempt(moment: &Moment<'_>) -> Option<Verdict> {
    let call = moment.call;
    if call.tier < Tier::Warm || !call.counts() {
        return None;
    }
    let limits = moment.settings.concurrent;
    let fresh = Up { calls: 0, since: moment.now };
    let (mut hot, mut all, mut same) = (fresh, fresh, fresh);
    let today = moment.history().take_while(|past| moment.now.since(past.time) <= Span::DAY);
    today.filter(|past| past.counts() && past.is_up(moment.now)).for_each(|past| {
        hot.take(past, past.tier >= Tier::Hot);
        all.take(past, past.tier >= Tier::Warm);
        same.take(past, past.number == call.number);
    });
    let limit = if call.part == DayPart::Open { limits.open } else { limits.shut };
    if call.part != DayPart::Open && !call.familiar && same.calls >= limits.same_number {
        let counted = Counted::of(same.calls, limits.same_number, Span::ZERO);
        return Some(moment.verdict(Rule::Concurrent, counted.severity(), same.since, counted));
    }
    let (found, limit) = if hot.calls >= limits.hot { (hot, limits.hot) } else { (all, limit) };
    let counted = Counted::of(found.calls, limit, Span::ZERO);
    (found.calls >= limit).then(|| moment.verdict(Rule::Concurrent, counted.severity(), found.since, counted))
}
