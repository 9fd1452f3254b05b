//! Rule `number_block`: calls to many different numbers next to each other, as a rented range of
//! premium numbers is pumped or hunted for.
//!
//! In: an attempt. Out: a verdict on its handset.
//! Never: counts a number twice; takes the few neighbours of a televote at home for a block.

use crate::baseline::calls::{Call, Tier};
use crate::baseline::hours::DayPart;
use crate::dial::Group;
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
    if call.group == Group::Premium {
        return judged(moment, block, &[(Span::hours(3), limits.premium, true)]);
    }
    let unusual = call.part == DayPart::Shut || (call.new_to_site && !moment.baseline.in_grace(moment.now));
    let alarming = call.exact && !call.familiar && (call.tier == Tier::Hot || (unusual && call.new_to_site));
    let spans = [
        (Span::HOUR, limits.alarming_hour, alarming),
        (Span::hours(3), limits.unusual, unusual),
        (Span::DAY, limits.day, true),
    ];
    judged(moment, block, &spans)
}

/// One handset, beside others of the office: together they work through one block of a risky country
/// that nobody here has ever called.
pub fn together(moment: &Moment<'_>) -> Option<Verdict> {
    let call = moment.call;
    let block = call.block()?;
    let alarming = call.tier == Tier::Hot && call.group == Group::Risky && call.exact && !call.familiar;
    if !alarming || !call.counts() || !call.new_to_site || moment.baseline.in_grace(moment.now) {
        return None;
    }
    let limit = moment.settings.number_block.alarming_hour;
    let office = moment.baseline.office_history(call.lane);
    let found = moment.find(office, Span::HOUR, |past| past.block() == Some(block));
    let counted = Counted::of(found.numbers, limit, Span::HOUR);
    (found.handsets >= 2 && found.numbers >= limit)
        .then(|| moment.verdict(Rule::NumberBlock, counted.severity(), found.since, counted))
}

fn judged(moment: &Moment<'_>, block: u64, spans: &[(Span, u32, bool)]) -> Option<Verdict> {
    let applying = || spans.iter().filter(|(_, _, applies)| *applies);
    let longest = applying().map(|(within, ..)| *within).max()?;
    // The history is read once, and nearly always nothing lies beside the call.
    let recent = || moment.history().take_while(|past| moment.now.since(past.time) <= longest);
    let beside = || recent().filter(|past| past.block() == Some(block));
    let fewest = applying().map(|(_, limit, _)| usize::try_from(*limit).unwrap_or(usize::MAX)).min()?;
    if beside().take(fewest).count() < fewest {
        return None;
    }
    let beside: Vec<&Call> = beside().collect();
    applying().find_map(|(within, limit, _)| {
        if beside.len() < usize::try_from(*limit).unwrap_or(usize::MAX) {
            return None;
        }
        let found = moment.find(beside.iter().copied(), *within, |_| true);
        let counted = Counted::of(found.numbers, *limit, *within);
        (found.numbers >= *limit)
            .then(|| moment.verdict(Rule::NumberBlock, counted.severity(), found.since, counted))
    })
}
