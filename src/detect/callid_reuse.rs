//! Rule `callid_reuse`: Call-IDs are used again for other numbers, which hides calls from counters.
//!
//! In: an attempt. Out: a verdict on its handset.
//! Never: pages for one such call: some phones do it.

use crate::baseline::calls::Call;
use crate::finding::{Rule, Severity};
use crate::time::Span;

use super::{Counted, Moment, Verdict};

/// One handset.
pub fn attempt(moment: &Moment<'_>) -> Option<Verdict> {
    if !moment.call.call_id_reused || !moment.call.counts() {
        return None;
    }
    let limit = moment.settings.callid_reuse;
    let found = moment.find(moment.history(), Span::HOUR, |past: &Call| past.call_id_reused);
    let counted = Counted::of(found.numbers, limit, Span::HOUR);
    let severity = if found.numbers < limit { Severity::Info } else { counted.severity() };
    Some(moment.verdict(Rule::CallidReuse, severity, found.since, counted))
}
