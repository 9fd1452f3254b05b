//! Rule `prefix_probe`: one number is tried behind different prefixes, as a thief looks for the
//! outside line and the carrier that lets him out.
//!
//! In: an attempt. Out: a verdict on its handset.
//! Never: counts the same string twice.

use crate::baseline::calls::Call;
use crate::dial::{Group, Kind};
use crate::finding::Rule;
use crate::time::Span;

use super::{Counted, Moment, Verdict};

const WITHIN: Span = Span::minutes(15);

/// One handset.
pub fn attempt(moment: &Moment<'_>) -> Option<Verdict> {
    let call = moment.call;
    if call.group != Group::Suspect || call.kind != Kind::PrefixProbe || !call.counts() {
        return None;
    }
    let limit = moment.settings.prefix_probe;
    let same = |past: &Call| past.number == call.number;
    let found = moment.find(moment.history(), WITHIN, same);
    let mut variants: Vec<u64> = moment
        .history()
        .take_while(|past| moment.now.since(past.time) <= WITHIN)
        .filter(|past| same(past))
        .map(|past| past.dialled)
        .collect();
    variants.sort_unstable();
    variants.dedup();
    let count = u32::try_from(variants.len()).unwrap_or(u32::MAX);
    let counted = Counted::of(count, limit, WITHIN);
    (count >= limit).then(|| moment.verdict(Rule::PrefixProbe, counted.severity(), found.since, counted))
}
