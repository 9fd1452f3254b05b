//! The rules against toll fraud, one file each.
//!
//! In: a call in its context, or a tick. Out: `Verdict`; `dossier` makes a `Finding` of it.
//! Never: reads a clock, tells anybody.

pub mod callid_reuse;
pub mod clear_sip_drop;
pub mod concurrent;
pub mod dossier;
pub mod first_country;
pub mod forwarding;
pub mod handset_ceiling;
pub mod limits;
pub mod long_call;
pub mod number_block;
pub mod office_ceiling;
pub mod out_of_hours;
pub mod place;
pub mod prefix_probe;
pub mod sentence;
pub mod spend;
pub mod spike;

use serde::{Deserialize, Serialize};

use crate::baseline::Baseline;
use crate::baseline::calls::{Call, Lane};
use crate::finding::{Rule, Severity, Subject};
use crate::handsets::HandsetId;
use crate::ledger::Ledger;
use crate::time::{Span, Timestamp};

pub use limits::Settings;

/// What a rule decided, before anybody writes it down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which rule.
    pub rule: Rule,
    /// How urgent.
    pub severity: Severity,
    /// Whom it is about.
    pub subject: Subject,
    /// Which calls it rests on: those of this lane …
    pub lane: Lane,
    /// … from this moment on.
    pub since: Timestamp,
    /// What was counted: calls, numbers, seconds or money, as the rule's unit says.
    pub count: f64,
    /// From which count on the rule speaks.
    pub limit: f64,
    /// The time in which it was counted.
    pub within: Span,
}

/// A call in its context.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// Now.
    pub now: Timestamp,
    /// The call that is judged.
    pub call: &'a Call,
    /// What is usual.
    pub baseline: &'a Baseline,
    /// The shared counts.
    pub ledger: &'a Ledger,
    /// From where on rules speak.
    pub settings: &'a Settings,
    /// Handsets with an open incident of their own, in order: the office's rules leave them out.
    pub suspects: &'a [HandsetId],
}

/// What a search through a history found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// How many calls.
    pub calls: u32,
    /// To how many different numbers.
    pub numbers: u32,
    /// From how many handsets.
    pub handsets: u32,
    /// When the first of them was attempted.
    pub since: Timestamp,
}

/// Numbers and handsets of the calls found so far. Most searches find one call: it takes no memory.
#[derive(Default)]
struct Seen {
    first: Option<(u64, HandsetId)>,
    more: Vec<(u64, HandsetId)>,
}

impl Seen {
    fn all(&self) -> impl Iterator<Item = &(u64, HandsetId)> {
        self.first.iter().chain(&self.more)
    }

    fn push(&mut self, pair: (u64, HandsetId)) {
        if self.first.is_none() {
            self.first = Some(pair);
        } else {
            self.more.push(pair);
        }
    }
}

impl<'a> Moment<'a> {
    /// The handset's last calls in the call's lane, the judged one first.
    pub fn history(&self) -> impl Iterator<Item = &'a Call> {
        self.baseline.history(self.call.handset, self.call.lane)
    }

    /// The office's last calls in the call's lane but for suspects', the judged one first.
    pub fn office_history(&self) -> impl Iterator<Item = &'a Call> {
        let suspects = self.suspects;
        self.baseline
            .office_history(self.call.lane)
            .filter(move |call| suspects.binary_search(&call.handset).is_err())
    }

    /// Counts the calls of a history that began within a span and count against somebody.
    pub fn find<'b>(
        &self,
        history: impl Iterator<Item = &'b Call>,
        within: Span,
        keep: impl Fn(&Call) -> bool,
    ) -> Found {
        let mut found = Found { calls: 0, numbers: 0, handsets: 0, since: self.now };
        let mut seen = Seen::default();
        let recent = history.take_while(|call| self.now.since(call.time) <= within);
        recent.filter(|call| call.counts() && keep(call)).for_each(|call| {
            found.calls += 1;
            found.since = call.time;
            found.numbers += u32::from(seen.all().all(|(number, _)| *number != call.number));
            found.handsets += u32::from(seen.all().all(|(_, handset)| *handset != call.handset));
            seen.push((call.number, call.handset));
        });
        found
    }

    /// A verdict on the call's handset.
    pub fn verdict(&self, rule: Rule, severity: Severity, since: Timestamp, counted: Counted) -> Verdict {
        self.verdict_on(Subject::Handset(self.call.handset), rule, severity, since, counted)
    }

    /// A verdict on anybody.
    pub fn verdict_on(
        &self,
        subject: Subject,
        rule: Rule,
        severity: Severity,
        since: Timestamp,
        counted: Counted,
    ) -> Verdict {
        let Counted(count, limit, within) = counted;
        Verdict { rule, severity, subject, lane: self.call.lane, since, count, limit, within }
    }
}

/// What was counted, from where on the rule speaks, and in which time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted(pub f64, pub f64, pub Span);

impl Counted {
    /// Of two counts.
    pub fn of(count: u32, limit: u32, within: Span) -> Self {
        Self(f64::from(count), f64::from(limit), within)
    }

    /// `warning` from the limit on, `critical` from three times as much.
    pub fn severity(self) -> Severity {
        if self.0 >= self.1 * 3.0 { Severity::Critical } else { Severity::Warning }
    }
}

/// Every rule that speaks at an attempt, the most telling first.
pub fn on_attempt(moment: &Moment<'_>, verdicts: &mut Vec<Verdict>) {
    const RULES: [fn(&Moment<'_>) -> Option<Verdict>; 11] = [
        forwarding::attempt,
        out_of_hours::attempt,
        number_block::attempt,
        number_block::together,
        concurrent::attempt,
        prefix_probe::attempt,
        first_country::attempt,
        callid_reuse::attempt,
        out_of_hours::office,
        spike::attempt,
        spike::office,
    ];
    if moment.call.lane == Lane::Charged {
        verdicts.extend(RULES.iter().filter_map(|rule| rule(moment)));
    }
}
