//! Rule `spike`: a handset's costly calls, or the office's to one destination, can hardly be ordinary
//! any more by what was learnt of them.
//!
//! In: an attempt with its odds. Out: a verdict on its handset, and on the office.
//! Never: speaks because of a call that brought little of the odds itself; calls odds a probability.

use crate::baseline::calls::Call;
use crate::baseline::excuse::Excuse;
use crate::baseline::hours::DayPart;
use crate::baseline::odds::Odds;
use crate::finding::{Rule, Severity, Subject};
use crate::time::{Span, Timestamp};

use super::{Counted, Moment, Verdict};

/// A call must have brought more than this of the odds, or they were long before it.
const DUE: f32 = 0.5;
/// So many decades beyond the limit, money is being lost for sure.
const CRITICAL: f64 = 3.0;
/// At work, people go through lists of numbers: it takes so many decades more.
const AT_WORK: f64 = 1.5;
/// Calls back to numbers that rang many handsets for a moment: it takes so many decades less.
const LURED: f64 = 3.0;
/// Calls within this time of each other are one story.
const STORY: Span = Span::hours(12);

/// One handset.
pub fn attempt(moment: &Moment<'_>) -> Option<Verdict> {
    let odds = moment.call.judged.odds;
    let since = || earliest(moment, moment.history());
    let more = if moment.call.part == DayPart::Open { AT_WORK } else { 0.0 };
    verdict(moment, odds, Subject::Handset(moment.call.handset), moment.settings.spike + more, since)
}

/// Several handsets, one destination.
pub fn office(moment: &Moment<'_>) -> Option<Verdict> {
    let odds = moment.call.crowd?;
    let there = moment.office_history().filter(|past| past.zone == moment.call.zone);
    let since = || earliest(moment, there);
    let less = if moment.call.lured { LURED } else { 0.0 };
    verdict(moment, odds, Subject::Office, moment.settings.spike - less, since)
}

fn verdict(
    moment: &Moment<'_>,
    odds: Odds,
    subject: Subject,
    limit: f64,
    since: impl FnOnce() -> Timestamp,
) -> Option<Verdict> {
    let score = f64::from(odds.score);
    if score < limit || odds.due <= DUE || moment.call.excuse == Some(Excuse::Allowed) {
        return None;
    }
    let since = since();
    let counted = Counted(score, limit, moment.now.since(since));
    let severity = if score >= limit + CRITICAL { Severity::Critical } else { Severity::Warning };
    Some(moment.verdict_on(subject, Rule::Spike, severity, since, counted))
}

/// When the first of the calls was placed that brought the odds: none of them may have been plainly ordinary.
fn earliest<'a>(moment: &Moment<'_>, history: impl Iterator<Item = &'a Call>) -> Timestamp {
    let story = history.take_while(|past| moment.now.since(past.time) <= STORY);
    story.filter(|past| past.judged.odds.due > DUE).last().map_or(moment.call.time, |past| past.time)
}
