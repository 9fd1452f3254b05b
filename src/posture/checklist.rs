//! The whole checklist as it stands: each check with its status, and why where nothing is known.

use crate::coverage::{Coverage, Sign};
use crate::finding::{Check, CheckFinding, Severity, Status};
use crate::labels;
use crate::tally::Label;
use crate::time::Timestamp;

use super::sheet::{self, Section};

labels! {
    /// Why a check can't be answered from here.
    pub enum Blind {
        NoTraffic = "no_traffic", "Nothing of the handsets' traffic reaches this mirror port.";
        OneWay = "one_way", "Only one direction of the traffic is mirrored.";
        Encrypted = "encrypted", "What would tell is encrypted.";
        Hidden = "hidden", "The kind of packet that would tell doesn't pass this mirror port.";
        History = "history", "Not enough history: it has to be watched for longer.";
        Off = "off", "The check is off; it has to be switched on in the configuration.";
    }
}

/// What is kept of one check.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which check.
    pub check: Check,
    /// The line of the sheet that it answers.
    pub section: Section,
    /// What the wire says.
    pub status: Status,
    /// For `cannot_see` why, for the others on what the status rests; one sentence.
    pub why: String,
    /// The highest severity of its findings.
    pub severity: Option<Severity>,
    /// Its findings, the most urgent first, each with the time when it was seen last.
    pub findings: Vec<(CheckFinding, Timestamp)>,
    /// Findings beyond those.
    pub more: usize,
    /// What was allowed and is listed for the record: visits of the support provider.
    pub audit: Vec<CheckFinding>,
    /// What to do about it.
    pub advice: &'static str,
}

/// The checklist, in the order of the sheet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checklist {
    /// One row for each check.
    pub rows: Vec<Row>,
}

/// What a check itself can say when it found nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Say {
    /// Proof that it is in order: what was seen.
    Pass(String),
    /// Nothing was seen of it; how much was watched.
    NotSeen(String),
    /// It can't be seen, and why.
    CannotSee(Blind, String),
}

/// Findings that a row shows, at the most.
const SHOWN: usize = 50;

impl Row {
    /// A row from what is pinned and, if nothing is, what the check says.
    pub fn new(check: Check, pinned: Vec<(&CheckFinding, Timestamp)>, say: Say) -> Self {
        let (found, audit): (Vec<_>, Vec<_>) =
            pinned.into_iter().partition(|(finding, _)| finding.status == Status::Finding);
        let (status, why) = match (found.is_empty(), say) {
            (false, _) => (Status::Finding, String::new()),
            (true, Say::Pass(why)) => (Status::Pass, why),
            (true, Say::NotSeen(why)) => (Status::NotSeen, why),
            (true, Say::CannotSee(blind, why)) => {
                let about = blind.about().trim_end_matches('.');
                let why = if why.is_empty() { about.to_owned() } else { format!("{about}: {why}") };
                (Status::CannotSee, why)
            }
        };
        Self {
            check,
            section: sheet::section(check),
            status,
            why,
            severity: found.iter().map(|(finding, _)| finding.severity).max(),
            more: found.len().saturating_sub(SHOWN),
            findings: found.into_iter().take(SHOWN).map(|(finding, last)| (finding.clone(), last)).collect(),
            audit: audit.into_iter().take(SHOWN).map(|(finding, _)| finding.clone()).collect(),
            advice: sheet::advice(check),
        }
    }
}

/// What the sensor could see at all, as far as every check depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Whether anything of the office's network was seen at all.
    pub home: bool,
    /// Whether any SIP could be read.
    pub sip: bool,
    /// Whether only one direction is mirrored.
    pub one_way: bool,
    /// Whether there was signalling that is encrypted.
    pub encrypted: bool,
}

impl Sight {
    /// Reads the sensor's account.
    pub fn of(coverage: &Coverage, frames: u64) -> Self {
        Self {
            home: frames > 0,
            sip: coverage.signs.get(Sign::Requests) + coverage.signs.get(Sign::Responses) > 0,
            one_way: coverage.one_way() == Some(true),
            encrypted: coverage.is_encrypted() || coverage.signs.get(Sign::EncryptedDatagrams) > 0,
        }
    }
}
