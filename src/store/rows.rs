//! What is kept of the judge's outputs: columns to ask by, and the JSON record.
//!
//! Records are written by the recorder, so `[privacy]` holds in the file as everywhere.

use crate::alert::{Alert, AlertState};
use crate::dial::{Leg, Region};
use crate::fact::{CallFact, CallState};
use crate::finding::{CheckFinding, Severity};
use crate::handsets::Who;
use crate::judge::Output;
use crate::record::{self, Recorder};
use crate::tally::Label;
use crate::time::Timestamp;

/// One leg of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    pub(super) started: Timestamp,
    pub(super) id: u64,
    pub(super) leg: &'static str,
    pub(super) state: &'static str,
    pub(super) direction: &'static str,
    pub(super) class: &'static str,
    pub(super) kind: &'static str,
    pub(super) region: String,
    pub(super) joined: bool,
    pub(super) answered: bool,
    pub(super) talked: i64,
    pub(super) cost: i64,
    pub(super) who: HandsetRow,
    pub(super) record: String,
}

impl CallRow {
    /// From what the judge says of a call; `cost` in millionths.
    pub fn new(recorder: &Recorder, call: &CallFact, cost: i64) -> Self {
        Self {
            started: call.started,
            id: call.call.0,
            leg: match call.leg {
                Leg::Handset => "handset",
                Leg::Trunk => "trunk",
            },
            state: call.state.name(),
            direction: call.direction.name(),
            class: call.target.class.name(),
            kind: call.target.kind.name(),
            region: call.target.region.as_ref().map(Region::to_string).unwrap_or_default(),
            joined: call.joined,
            answered: matches!(call.state, CallState::Answered | CallState::Ended),
            talked: call.talked.0,
            cost,
            who: HandsetRow {
                attempts: u32::from(call.state == CallState::Attempted && !call.joined && !call.repeated),
                ..HandsetRow::new(&call.who, call.time)
            },
            record: written(recorder, &Output::Call(*call)),
        }
    }
}

/// What is known of a handset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandsetRow {
    pub(super) handset: String,
    pub(super) user: String,
    pub(super) ip: String,
    pub(super) mac: String,
    pub(super) verified: bool,
    pub(super) seen: Timestamp,
    pub(super) attempts: u32,
    /// The inventory's JSON record; `None` leaves the one that is stored.
    pub record: Option<String>,
}

impl HandsetRow {
    /// From who it is.
    pub fn new(who: &Who, seen: Timestamp) -> Self {
        Self {
            handset: record::handset(who),
            user: who.user.to_string(),
            ip: who.ip.to_string(),
            mac: who.mac.map(|mac| mac.to_string()).unwrap_or_default(),
            verified: who.verified,
            seen,
            attempts: 0,
            record: None,
        }
    }
}

/// An incident as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRow {
    /// When it was raised; with `id`, which incident.
    pub raised: Timestamp,
    /// Its number.
    pub id: u64,
    /// `raised`, `updated`, `cleared`.
    pub state: String,
    /// Which rule raised it.
    pub rule: String,
    /// `info`, `warning`, `critical`.
    pub severity: String,
    /// The extension or address; empty for the whole office.
    pub handset: String,
    /// The handset as metrics and other labels name it; empty for the whole office.
    pub label: String,
    /// When this was said.
    pub updated: Timestamp,
    /// How many calls.
    pub calls: u32,
    /// Money at risk, in millionths.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// The JSON record.
    pub record: String,
}

impl AlertRow {
    /// From what the judge says; `label` is the handset as labels name it.
    pub fn new(recorder: &Recorder, alert: &Alert, label: &str) -> Self {
        let finding = &alert.finding;
        Self {
            raised: alert.since,
            id: alert.id,
            state: alert.state.name().to_owned(),
            rule: finding.rule.name().to_owned(),
            severity: finding.severity.name().to_owned(),
            handset: finding.who.as_ref().map(record::handset).unwrap_or_default(),
            label: label.to_owned(),
            updated: alert.time,
            calls: finding.calls,
            amount: finding.exposure.amount,
            currency: finding.exposure.currency.clone(),
            record: written(recorder, &Output::Alert(Box::new(alert.clone()))),
        }
    }

    /// When it was cleared.
    pub fn cleared(&self) -> Option<Timestamp> {
        (self.state == AlertState::Cleared.name()).then_some(self.updated)
    }

    /// Whether it pages somebody.
    pub fn pages(&self) -> bool {
        self.severity != Severity::Info.name()
    }
}

/// Where a check stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRow {
    /// Which check.
    pub check: &'static str,
    /// The extension or address; empty for the whole office.
    pub handset: String,
    /// `pass`, `finding`, `not_seen`, `cannot_see`.
    pub status: &'static str,
    /// `info`, `warning`, `critical`.
    pub severity: &'static str,
    /// When this was found.
    pub time: Timestamp,
    /// The JSON record.
    pub record: String,
}

impl FindingRow {
    /// From what a check says.
    pub fn new(recorder: &Recorder, finding: &CheckFinding) -> Self {
        Self {
            check: finding.check.name(),
            handset: finding.who.as_ref().map(record::handset).unwrap_or_default(),
            status: finding.status.name(),
            severity: finding.severity.name(),
            time: finding.time,
            record: written(recorder, &Output::Finding(Box::new(finding.clone()))),
        }
    }
}

/// Somebody accepted an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AckRow {
    /// When the alert was raised.
    pub raised: Timestamp,
    /// Its number.
    pub id: u64,
    /// When it was accepted.
    pub time: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The reason.
    pub why: String,
}

/// What the checklist and the coverage said on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteRow {
    /// Days since the epoch, in the office's time.
    pub day: i64,
    /// The checklist's JSON record.
    pub checklist: String,
    /// The coverage's JSON.
    pub coverage: String,
}

/// One day of a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayRow {
    /// Days since the epoch, in the office's time.
    pub day: i64,
    /// Attempts that left the office.
    pub attempts: u64,
    /// What they cost by the best guess, in millionths.
    pub cost: i64,
    /// The checklist's JSON record as it was noted last.
    pub checklist: Option<String>,
    /// The coverage's JSON as it was noted last.
    pub coverage: Option<String>,
}

/// Something that waits to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// By which sink.
    pub sink: &'static str,
    /// Its number there; the order in which letters are sent.
    pub seq: u64,
    /// When it was written.
    pub made: Timestamp,
    /// 0 = info, 1 = warning, 2 = critical.
    pub urgency: u8,
    /// What is sent.
    pub body: Vec<u8>,
}

/// The record without its line end.
fn written(recorder: &Recorder, output: &Output) -> String {
    let mut line = Vec::new();
    // A vector takes everything, and a record is always UTF-8.
    let _ = recorder.output(&mut line, output);
    String::from_utf8_lossy(line.trim_ascii_end()).into_owned()
}
