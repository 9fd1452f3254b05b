//! Rule `first_country`: the first calls ever to a country.
//!
//! In: an attempt. Out: a verdict on its handset.
//! Never: pages for one call, or in a new installation's first days, when every country is new;
//! counts numbers that the public plan doesn't know.

use crate::baseline::calls::{Call, Tier};
use crate::baseline::hours::DayPart;
use crate::dial::Region;
use crate::finding::{Rule, Severity};
use crate::time::Span;

use super::{Counted, Moment, Verdict};

/// One handset.
pub fn attempt(moment: &Moment<'_>) -> Option<Verdict> {
    let call = moment.call;
    let abroad =
        call.tier >= Tier::Warm && call.region != Region::WORLD && call.group != crate::dial::Group::Premium;
    if !abroad || !call.new_to_site || !call.counts() || !call.exact {
        return None;
    }
    let there = |past: &Call| past.region == call.region && past.exact;
    let limits = moment.settings.first_country;
    let (found, count, limit, within) = if call.part == DayPart::Shut {
        let found = moment.find(moment.history(), Span::DAY, there);
        (found, found.calls, limits.shut, Span::DAY)
    } else {
        let found = moment.find(moment.history(), Span::minutes(15), there);
        (found, found.numbers, limits.open, Span::minutes(15))
    };
    let counted = Counted::of(count, limit, within);
    let severity = if count < limit || moment.baseline.in_grace(moment.now) {
        Severity::Info
    } else {
        counted.severity()
    };
    Some(moment.verdict(Rule::FirstCountry, severity, found.since, counted))
}
