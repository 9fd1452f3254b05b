//! Rule `forwarding`: calls are forwarded or transferred to a premium, risky or foreign number.
//!
//! In: an attempt that a 302, a Diversion, a REFER or a feature code made, or such a code itself.
//! Out: a verdict on the handset that forwards.
//! Never: pages for calls that are forwarded to an ordinary number abroad: people travel.

use crate::baseline::calls::{Call, Tier};
use crate::baseline::hours::DayPart;
use crate::dial::Kind;
use crate::fact::Cause;
use crate::finding::{Rule, Severity};
use crate::time::Span;

use super::{Counted, Moment, Verdict};

fn is_forwarded(call: &Call) -> bool {
    call.cause != Cause::Dialled || call.kind == Kind::ForwardTo
}

/// One handset.
pub fn attempt(moment: &Moment<'_>) -> Option<Verdict> {
    let call = moment.call;
    if !is_forwarded(call) || call.tier < Tier::Warm || !call.counts() {
        return None;
    }
    let found = moment.find(moment.history(), Span::DAY, is_forwarded);
    let counted = Counted::of(found.calls, 1, Span::DAY);
    // Nobody is there at night to key in a forwarding.
    let set_up_at_night = call.kind == Kind::ForwardTo && call.part == DayPart::Shut && !call.familiar;
    let severity =
        if call.tier == Tier::Hot || set_up_at_night { counted.severity() } else { Severity::Info };
    Some(moment.verdict(Rule::Forwarding, severity, found.since, counted))
}
