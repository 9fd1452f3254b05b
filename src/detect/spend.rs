//! Rule `spend`: more money in an hour or a day than any ordinary handset or office spends.
//!
//! In: an accrual of a call that is up or just ended. Out: verdicts on its handset and the office.
//! Never: waits for the end of a call.

use crate::finding::{Rule, Subject};
use crate::handsets::HandsetId;
use crate::time::{Span, Timestamp};

use super::{Counted, Moment, Verdict};

const SPANS: [Span; 2] = [Span::HOUR, Span::DAY];
const UNIT: f64 = 1_000_000.0;

/// The call's handset.
pub fn handset(moment: &Moment<'_>) -> Option<Verdict> {
    let handset = moment.baseline.handset(moment.call.handset)?;
    let sums = handset.spend[moment.call.lane.index()].sums(moment.now);
    verdict(moment, Subject::Handset(moment.call.handset), sums, moment.settings.spend.handset)
}

/// The whole office but for suspects.
pub fn office(moment: &Moment<'_>) -> Option<Verdict> {
    let mut sums = moment.baseline.office_spend(moment.call.lane, moment.now);
    for (sum, limit) in sums.iter().zip(moment.settings.spend.office) {
        if units(*sum) >= limit {
            return office_without(moment, moment.suspects, &mut sums);
        }
    }
    None
}

fn office_without(moment: &Moment<'_>, suspects: &[HandsetId], sums: &mut [i64; 2]) -> Option<Verdict> {
    for suspect in suspects {
        let theirs = moment
            .baseline
            .handset(*suspect)
            .map_or([0; 2], |h| h.spend[moment.call.lane.index()].sums(moment.now));
        for (sum, n) in sums.iter_mut().zip(theirs) {
            *sum = sum.saturating_sub(n);
        }
    }
    verdict(moment, Subject::Office, *sums, moment.settings.spend.office)
}

fn verdict(moment: &Moment<'_>, subject: Subject, sums: [i64; 2], limits: [f64; 2]) -> Option<Verdict> {
    SPANS.iter().zip(sums.iter().zip(limits)).find_map(|(within, (sum, limit))| {
        let counted = Counted(units(*sum), limit, *within);
        let since: Timestamp = moment.now.minus(*within);
        (limit > 0.0 && counted.0 >= limit)
            .then(|| moment.verdict_on(subject, Rule::Spend, counted.severity(), since, counted))
    })
}

#[expect(clippy::cast_precision_loss, reason = "money stays far below 2^53 millionths")]
fn units(micros: i64) -> f64 {
    micros as f64 / UNIT
}
