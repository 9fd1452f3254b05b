//! Rule `long_call`: costly calls stay up for very long; judged while they run.
//!
//! In: a tick of a call that is up. Out: a verdict on its handset.
//! Never: waits for the end of a call, or pages for one call alone.

use crate::baseline::calls::{Call, Progress, Tier};
use crate::baseline::hours::DayPart;
use crate::finding::{Rule, Severity};
use crate::time::Span;

use super::{Counted, Moment, Verdict};

/// One handset.
pub fn tick(moment: &Moment<'_>) -> Option<Verdict> {
    let call = moment.call;
    let limit = limit_of(moment, call)?;
    let talked = moment.now.since(call.answered?);
    if talked < limit || !call.counts() {
        return None;
    }
    let company = moment.find(moment.history(), Span::DAY, |past| {
        past.progress == Progress::Talking
            && limit_of(moment, past).is_some_and(|limit| has_talked(moment, past, limit))
    });
    let severity = if company.calls >= 2 { Severity::Warning } else { Severity::Info };
    let counted = Counted(talked.as_secs_f64(), limit.as_secs_f64(), talked);
    Some(moment.verdict(Rule::LongCall, severity, company.since, counted))
}

fn has_talked(moment: &Moment<'_>, call: &Call, limit: Span) -> bool {
    call.answered.is_some_and(|answered| moment.now.since(answered) >= limit)
}

fn limit_of(moment: &Moment<'_>, call: &Call) -> Option<Span> {
    let limits = moment.settings.long_call;
    match (call.tier, call.part) {
        (Tier::Hot, _) => Some(limits.hot),
        (Tier::Warm, DayPart::Shut) => Some(limits.shut),
        (Tier::Warm, _) => Some(limits.open),
        _ => None,
    }
}
