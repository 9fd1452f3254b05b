//! Rule `number_block`: calls to many different numbers next to each other, as a rented range of
//! premium numbers is pumped or hunted for.
//!
//! In: an attempt. Out: a verdict on its handset.
//! Never: counts a number twice, or numbers at home.

use crate::baseline::calls::Tier;
use crate::baseline::hours::DayPart;
use crate::finding::Rule;
use crate::time::Span;

use super::{Counted, Moment, Verdict};

/// One handset.
pub fn attempt(moment: &Moment<'_>) -> Option<Verdict> {
    let call = moment.call;
    let block = call.block()?;
    if call.tier < Tier::Warm || !call.counts() {
        return None;
    }
    let limits = moment.settings.number_block;
    let unusual = call.part == DayPart::Shut || (call.new_to_site && !moment.baseline.in_grace(moment.now));
    let spans = [(Span::HOUR, limits.unusual_hour, unusual), (Span::DAY, limits.day, true)];
    spans.iter().filter(|(_, _, applies)| *applies).find_map(|(within, limit, _)| {
        let found = moment.find(moment.history(), *within, |past| past.block() == Some(block));
        let counted = Counted::of(found.numbers, *limit, *within);
        (found.numbers >= *limit)
            .then(|| moment.verdict(Rule::NumberBlock, counted.severity(), found.since, counted))
    })
}
