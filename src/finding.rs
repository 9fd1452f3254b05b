//! What a rule says.
//!
//! In: a rule's verdict. Out: `Finding`.
//! Never: formats for a sink.

use crate::dial::Region;
use crate::handsets::{HandsetId, Who};
use crate::labels;
use crate::text::Text;
use crate::time::Timestamp;

labels! {
    /// How urgent a finding is. `warning` and `critical` page somebody, `info` never does.
    pub enum Severity {
        Info = "info", "Worth knowing; never pages.";
        Warning = "warning", "Look today: pages.";
        Critical = "critical", "Money is being lost now: pages.";
    }
}

labels! {
    /// The rules, each with a file in `detect/`, a fixture folder and a row in the README.
    pub enum Rule {
        Spike = "spike", "Costly calls that can hardly be ordinary for this handset, by what was learnt of it.";
        HandsetCeiling = "handset_ceiling", "One handset places more calls of one kind in a window than any ordinary handset does.";
        OfficeCeiling = "office_ceiling", "The whole office places more calls of one kind in a window than any ordinary office does.";
        OutOfHours = "out_of_hours", "Premium or risky calls while the office is shut, or repeated calls abroad.";
        FirstCountry = "first_country", "The first calls ever to a country.";
        Forwarding = "forwarding", "Calls are forwarded or transferred to a premium, risky or foreign number.";
        NumberBlock = "number_block", "Calls to many different numbers next to each other.";
        PrefixProbe = "prefix_probe", "One number is tried behind different prefixes.";
        Concurrent = "concurrent", "One handset has more costly calls up at once than a person can hold.";
        LongCall = "long_call", "Costly calls stay up for very long; judged while they run.";
        Spend = "spend", "More money in an hour or a day than any ordinary handset or office spends.";
        CallidReuse = "callid_reuse", "Call-IDs are used again for other numbers, which hides calls from counters.";
    }
}

/// Whom a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// One handset or trunk.
    Handset(HandsetId),
    /// The whole office.
    Office,
}

/// Money at risk, in millionths of the currency's unit.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Exposure {
    /// At the least.
    pub low: i64,
    /// The best guess.
    pub amount: i64,
    /// At the most.
    pub high: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// Where the prices come from: `built-in table 2026-11`, `rate deck FILE`.
    pub basis: String,
}

/// A piece of evidence: numbers stay numbers until a sink prints them.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// A count.
    Count(u64),
    /// A measured or estimated figure.
    Figure(f64),
    /// A word of ours, or escaped text from outside.
    Word(String),
    /// A yes or no.
    Flag(bool),
}

/// One call that a finding rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Its Call-ID.
    pub call_id: Text<128>,
    /// When it was attempted.
    pub time: Timestamp,
}

/// What a rule says about a subject at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The deciding packet's time.
    pub time: Timestamp,
    /// Which rule.
    pub rule: Rule,
    /// How urgent.
    pub severity: Severity,
    /// Whom it is about.
    pub subject: Subject,
    /// Who that is, for a handset.
    pub who: Option<Who>,
    /// One sentence that an admin understands, with numbers masked.
    pub sentence: String,
    /// Why, in words: the three most telling reasons at the most.
    pub reasons: Vec<String>,
    /// How many calls it rests on.
    pub calls: u32,
    /// How many different numbers they went to; counted up to 2,048.
    pub numbers: u32,
    /// Where they went, most calls first.
    pub regions: Vec<Region>,
    /// What they cost so far.
    pub exposure: Exposure,
    /// Names and values, in the order in which they convince.
    pub evidence: Vec<(&'static str, Evidence)>,
    /// Up to 20 of the calls, the deciding one last.
    pub samples: Vec<Sample>,
    /// When the first of the calls was attempted.
    pub first_call: Timestamp,
    /// When the last of them was.
    pub last_call: Timestamp,
}
