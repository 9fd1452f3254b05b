//! Rule `out_of_hours`: premium or risky calls while the office is shut, or repeated calls abroad.
//!
//! In: an attempt. Out: a verdict on its handset, or on the office when several handsets take part.
//! Never: pages for one call; counts redials of a number that can't be reached, or known numbers.

use crate::baseline::calls::{Call, Tier};
use crate::baseline::hours::DayPart;
use crate::finding::{Rule, Severity, Subject};
use crate::time::Span;

use super::{Counted, Moment, Verdict};

const NIGHT: Span = Span::hours(12);

fn is_hot(call: &Call) -> bool {
    call.tier == Tier::Hot
}

fn is_abroad(call: &Call) -> bool {
    call.tier >= Tier::Warm
}

/// One handset.
pub fn attempt(moment: &Moment<'_>) -> Option<Verdict> {
    let call = moment.call;
    if call.part == DayPart::Open || !call.counts() {
        return None;
    }
    hot(moment).or_else(|| abroad(moment))
}

fn hot(moment: &Moment<'_>) -> Option<Verdict> {
    if !is_hot(moment.call) {
        return None;
    }
    let limit = moment.settings.out_of_hours.hot;
    // A call in the last hour of the working day belongs to an attack that goes on after it.
    let found = moment.find(moment.history(), NIGHT, |call| {
        is_hot(call) && (call.part != DayPart::Open || moment.now.since(call.time) <= Span::HOUR)
    });
    let counted = Counted::of(found.calls, limit, NIGHT);
    let severity = if found.calls < limit { Severity::Info } else { counted.severity() };
    Some(moment.verdict(Rule::OutOfHours, severity, found.since, counted))
}

fn abroad(moment: &Moment<'_>) -> Option<Verdict> {
    if !is_abroad(moment.call) {
        return None;
    }
    let limits = moment.settings.out_of_hours;
    let extra = if moment.call.familiar { limits.familiar_extra } else { 0 };
    let spans: &[(Span, u32)] = match moment.call.part {
        DayPart::Near => &[(Span::minutes(15), limits.abroad_near)],
        _ => &[(Span::minutes(30), limits.abroad_fast), (NIGHT, limits.abroad_slow)],
    };
    spans.iter().find_map(|(within, limit)| {
        // Over a whole night, what the day left behind doesn't count.
        let found = moment.find(moment.history(), *within, |call| {
            is_abroad(call) && (*within < NIGHT || call.part == DayPart::Shut)
        });
        let counted = Counted::of(found.calls, limit + extra, *within);
        (found.calls >= limit + extra)
            .then(|| moment.verdict(Rule::OutOfHours, counted.severity(), found.since, counted))
    })
}

/// Several handsets together.
pub fn office(moment: &Moment<'_>) -> Option<Verdict> {
    let call = moment.call;
    if call.part != DayPart::Shut || !call.counts() || !is_abroad(call) {
        return None;
    }
    let limits = moment.settings.out_of_hours;
    let hot = moment.find(moment.office_history(), Span::hours(2), is_hot);
    if is_hot(call) && hot.handsets >= 2 && hot.calls >= limits.office_hot {
        let counted = Counted::of(hot.calls, limits.office_hot, Span::hours(2));
        return Some(verdict(moment, hot.since, counted));
    }
    let there = moment.find(moment.office_history(), Span::HOUR, |past| {
        past.region == call.region && is_abroad(past) && !past.familiar
    });
    let limit = limits.office_abroad + u32::from(!call.new_to_site);
    let counted = Counted::of(there.calls, limit, Span::HOUR);
    (!call.familiar && there.handsets >= 3 && there.calls >= limit)
        .then(|| verdict(moment, there.since, counted))
}

fn verdict(moment: &Moment<'_>, since: crate::time::Timestamp, counted: Counted) -> Verdict {
    moment.verdict_on(Subject::Office, Rule::OutOfHours, counted.severity(), since, counted)
}
