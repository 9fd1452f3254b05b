//! What a rule says.
//!
//! In: a rule's verdict. Out: `Finding`.
//! Never: formats for a sink.

mod step;

use std::borrow::Cow;

pub use step::{Link, Step};

use serde::{Deserialize, Serialize};

use crate::dial::Region;
use crate::handsets::{HandsetId, Who};
use crate::labels;
use crate::tally::Label;
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
        ClearSipDrop = "clear_sip_drop", "A handset has gone over to encrypted SIP, or hardly speaks any: its calls can no longer be seen.";
    }
}

labels! {
    /// The checks of handset security, each with a file in `posture/`, a fixture folder and a row in
    /// the README. In the order of the provider's sheet.
    pub enum Check {
        UnsolicitedInbound = "unsolicited_inbound", "Packets that nobody asked for reach a handset from outside: the router lets them in.";
        StrangerSip = "stranger_sip", "A stranger outside sends SIP requests to a handset.";
        OpenedPort = "opened_port", "A device asks the router to open a port to a handset.";
        BackdoorInbound = "backdoor_inbound", "Somebody outside opens a management session to a handset.";
        BackdoorOutbound = "backdoor_outbound", "A handset itself opens a tunnel or a management session to the outside.";
        DigestLeak = "digest_leak", "A stranger asks a handset for its SIP credentials.";
        DefaultSipPassword = "default_sip_password", "A SIP password is a published default or follows from the extension.";
        DefaultWebPassword = "default_web_password", "A handset's web page takes its maker's default password.";
        WeakAuth = "weak_auth", "Passwords travel in a form that is easily read, replayed or guessed.";
        ExposedInterface = "exposed_interface", "A handset answers on a management interface.";
        ClearProvisioning = "clear_provisioning", "A handset fetches its settings, passwords among them, in clear text.";
        OutdatedFirmware = "outdated_firmware", "A handset runs firmware with known holes, or below the office's floor.";
        IdleHandset = "idle_handset", "A handset is registered but hasn't been used for long.";
        UnregisteredHandset = "unregistered_handset", "A phone is connected to the network but registers nowhere.";
        LapsedRegistration = "lapsed_registration", "A handset that was registered for long no longer is.";
        Scanner = "scanner", "Somebody searches the network for SIP devices.";
        BruteForce = "brute_force", "Somebody guesses passwords.";
        Enumeration = "enumeration", "Somebody searches for extensions that exist.";
        NewDevice = "new_device", "An account registers from a place or device that was never seen with it.";
    }
}

impl Check {
    /// Whether it names a weakness, which stays until somebody mends it, and not an attack, which
    /// is over when it stops.
    pub const fn lasts(self) -> bool {
        !matches!(
            self,
            Self::UnsolicitedInbound
                | Self::StrangerSip
                | Self::BackdoorInbound
                | Self::BackdoorOutbound
                | Self::DigestLeak
                | Self::Scanner
                | Self::BruteForce
                | Self::Enumeration
                | Self::NewDevice
        )
    }
}

labels! {
    /// What the wire says to a check. Silence is not proof: `not_seen` is never `pass`.
    pub enum Status {
        Pass = "pass", "What passed on the wire proves that it is in order.";
        Finding = "finding", "The weakness, or the attack, was seen.";
        NotSeen = "not_seen", "Nothing of it was seen; that proves nothing.";
        CannotSee = "cannot_see", "From this mirror port it can't be seen, and the reason is given.";
    }
}

/// What a finding is about: a rule against toll fraud or a check of handset security.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// Toll fraud.
    Rule(Rule),
    /// Handset security.
    Check(Check),
}

impl Topic {
    /// The label as records and metrics show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.name(),
            Self::Check(check) => check.name(),
        }
    }

    /// One sentence for people.
    pub fn about(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.about(),
            Self::Check(check) => check.about(),
        }
    }

    /// The rule against toll fraud, if it is one.
    pub const fn rule(self) -> Option<Rule> {
        match self {
            Self::Rule(rule) => Some(rule),
            Self::Check(_) => None,
        }
    }

    /// The check of handset security, if it is one.
    pub const fn check(self) -> Option<Check> {
        match self {
            Self::Rule(_) => None,
            Self::Check(check) => Some(check),
        }
    }
}

impl From<Rule> for Topic {
    fn from(rule: Rule) -> Self {
        Self::Rule(rule)
    }
}

impl From<Check> for Topic {
    fn from(check: Check) -> Self {
        Self::Check(check)
    }
}

impl PartialEq<Rule> for Topic {
    fn eq(&self, rule: &Rule) -> bool {
        self.rule() == Some(*rule)
    }
}

impl PartialEq<Check> for Topic {
    fn eq(&self, check: &Check) -> bool {
        self.check() == Some(*check)
    }
}

/// Whom a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// One handset or trunk.
    Handset(HandsetId),
    /// The whole office.
    Office,
}

/// Money at risk, in millionths of the currency's unit.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// A piece of evidence with its name.
pub type Named = (Cow<'static, str>, Evidence);

/// One call that a finding rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Its Call-ID.
    pub call_id: Text<128>,
    /// When it was attempted.
    pub time: Timestamp,
}

/// What a rule says about a subject at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The deciding packet's time.
    pub time: Timestamp,
    /// Which rule, or which check.
    pub rule: Topic,
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
    pub evidence: Vec<Named>,
    /// Up to 20 of the calls, the deciding one last.
    pub samples: Vec<Sample>,
    /// When the first of the calls was attempted.
    pub first_call: Timestamp,
    /// When the last of them was.
    pub last_call: Timestamp,
}

/// What a check says about a subject at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckFinding {
    /// The deciding packet's time.
    pub time: Timestamp,
    /// Which check.
    pub check: Check,
    /// What the wire says: `finding`, or `pass` for what has been mended or was allowed.
    pub status: Status,
    /// How urgent.
    pub severity: Severity,
    /// Whom it is about.
    pub subject: Subject,
    /// Who that is, for a handset.
    pub who: Option<Who>,
    /// One sentence that an admin understands; text from outside is escaped.
    pub sentence: String,
    /// Names and values, in the order in which they convince. Never a password, nor anything from
    /// which one can be guessed.
    pub evidence: Vec<Named>,
    /// How often it was seen: packets, requests, attempts, days, as the check counts.
    pub count: u32,
    /// When it was seen first.
    pub first: Timestamp,
}
