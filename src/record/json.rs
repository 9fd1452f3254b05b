//! The JSON shapes: one object a line, `type` first, `null` where something is unknown.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::coverage::CoverageRecord;
use super::findings::statuses;
use super::learning::HabitualRecord;
use super::money::units;
use super::sighting::{SightingRecord, inventory};
use super::{Recorder, Summary, handset, wire};
use crate::alert::Alert;
use crate::dial::{Explained, Leg, Region};
use crate::fact::{CallFact, CallState, Fact};
use crate::finding::{Evidence, Exposure, Named};
use crate::handsets::Who;
use crate::inventory::Entry;
use crate::judge::Output;
use crate::posture::Row;
use crate::tally::Label;
use crate::time::Timestamp;

#[derive(Serialize)]
pub(super) struct Identity<'a> {
    handset: Option<String>,
    user: Option<Cow<'a, str>>,
    ip: Option<String>,
    mac: Option<String>,
}

impl<'a> Identity<'a> {
    pub(super) fn of(who: Option<&'a Who>) -> Self {
        Self {
            handset: who.map(handset),
            user: who.filter(|who| !who.user.is_empty()).map(|who| wire(&who.user)),
            ip: who.map(|who| who.ip.to_string()),
            mac: who.and_then(|who| who.mac).map(|mac| mac.to_string()),
        }
    }
}

#[derive(Serialize)]
struct CallRecord<'a> {
    r#type: &'static str,
    time: String,
    id: u64,
    call_id: Cow<'a, str>,
    #[serde(flatten)]
    who: Identity<'a>,
    dialled: Cow<'a, str>,
    number: Option<String>,
    class: &'static str,
    kind: &'static str,
    region: Option<String>,
    direction: &'static str,
    state: &'static str,
    code: Option<u16>,
    duration_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_by: Option<&'static str>,
    leg: &'static str,
}

/// A fact is a call record with what only the judge needs to know.
#[derive(Serialize)]
struct FactRecord<'a> {
    #[serde(flatten)]
    call: CallRecord<'a>,
    started: String,
    verified: bool,
    joined: bool,
    cause: &'static str,
    group: &'static str,
    risk: &'static str,
    exact: bool,
    rule: &'static str,
    expired: bool,
    call_id_reused: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repeated: bool,
}

#[derive(Serialize)]
struct RegisteredRecord<'a> {
    r#type: &'static str,
    time: String,
    #[serde(flatten)]
    who: Identity<'a>,
}

#[derive(Serialize)]
struct LossyRecord {
    r#type: &'static str,
    time: String,
    permille: u16,
}

#[derive(Serialize)]
struct ClearSipDropRecord<'a> {
    r#type: &'static str,
    time: String,
    #[serde(flatten)]
    who: Identity<'a>,
    usual: u32,
    last: u32,
    encrypted: bool,
}

#[derive(Serialize)]
struct AlertRecord<'a> {
    r#type: &'static str,
    time: String,
    id: u64,
    state: &'static str,
    rule: &'static str,
    severity: &'static str,
    #[serde(flatten)]
    who: Identity<'a>,
    name: Option<&'a str>,
    sentence: &'a str,
    calls: u32,
    numbers: u32,
    regions: Vec<&'a str>,
    exposure: ExposureRecord<'a>,
    #[serde(serialize_with = "pairs")]
    evidence: &'a [Named],
    call_ids: Vec<Cow<'a, str>>,
    first_call: String,
    last_call: String,
    since: String,
    accepted_until: Option<String>,
    reasons: &'a [String],
}

#[derive(Serialize)]
struct ExposureRecord<'a> {
    low: f64,
    high: f64,
    amount: f64,
    currency: &'a str,
    basis: &'a str,
}

impl<'a> From<&'a Exposure> for ExposureRecord<'a> {
    fn from(exposure: &'a Exposure) -> Self {
        Self {
            low: units(exposure.low),
            high: units(exposure.high),
            amount: units(exposure.amount),
            currency: &exposure.currency,
            basis: &exposure.basis,
        }
    }
}

#[derive(Serialize)]
struct SummaryRecord<'a> {
    r#type: &'static str,
    frames: u64,
    sip_messages: u64,
    invites: u64,
    attempts: u64,
    /// `null` if the mirror shows one direction only: then nobody knows.
    answered: Option<u64>,
    handsets: u64,
    alerts: u64,
    #[serde(serialize_with = "statuses")]
    posture: &'a [Row],
    /// `null` while the report isn't due.
    learning: Option<Vec<HabitualRecord<'a>>>,
    #[serde(serialize_with = "counts")]
    skipped: &'a [(&'static str, u64)],
    coverage: CoverageRecord<'a>,
    seconds: f64,
}

/// `explain --json`: the fields of the interface first, then what else is known.
#[derive(Serialize)]
struct ExplainedRecord<'a> {
    input: &'a str,
    class: &'static str,
    kind: &'static str,
    e164: Option<&'a str>,
    region: Option<String>,
    overseas: bool,
    exact: bool,
    rule: &'a str,
    price_per_min: Option<f64>,
    currency: &'a str,
    price_low: Option<f64>,
    price_high: Option<f64>,
    connect_fee: f64,
    connect_covers_s: u32,
    basis: &'a str,
    rate: &'a str,
    group: &'static str,
    risk: &'static str,
    range: Option<&'a str>,
    list: Option<&'a str>,
    ambiguity: Option<&'a str>,
    metadata: &'a str,
}

/// How a dialled string is read, as one line. The user gave the number: it is in full.
///
/// # Errors
/// Whatever `out` can't write.
pub fn explained(out: &mut dyn Write, e: &Explained) -> io::Result<()> {
    line(
        out,
        &ExplainedRecord {
            input: &e.input,
            class: e.class.name(),
            kind: e.kind.name(),
            e164: e.e164.as_deref(),
            region: e.region.map(|region| region.to_string()),
            overseas: e.overseas,
            exact: e.exact,
            rule: &e.rule,
            price_per_min: e.price_per_min.map(units),
            currency: &e.currency,
            price_low: e.price_low.map(units),
            price_high: e.price_high.map(units),
            connect_fee: units(e.connect_fee),
            connect_covers_s: e.connect_covers_s,
            basis: &e.basis,
            rate: &e.rate_name,
            group: e.group.name(),
            risk: e.risk.name(),
            range: e.range.as_deref(),
            list: e.list.as_deref(),
            ambiguity: e.ambiguity.as_deref(),
            metadata: e.metadata,
        },
    )
}

pub(super) fn counts<S: Serializer>(rows: &[(&'static str, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(rows.len()))?;
    for (name, n) in rows {
        map.serialize_entry(name, n)?;
    }
    map.end()
}

pub(super) fn pairs<S: Serializer>(rows: &[Named], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(rows.len()))?;
    for (name, value) in rows {
        match value {
            Evidence::Count(n) => map.serialize_entry(name, n)?,
            Evidence::Figure(x) => map.serialize_entry(name, x)?,
            Evidence::Word(word) => map.serialize_entry(name, word)?,
            Evidence::Flag(flag) => map.serialize_entry(name, flag)?,
        }
    }
    map.end()
}

pub(super) fn line(out: &mut dyn Write, record: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}

impl Recorder {
    /// A record of what the judge said, as one line.
    ///
    /// # Errors
    /// Whatever `out` can't write.
    pub fn output(&self, out: &mut dyn Write, output: &Output) -> io::Result<()> {
        match output {
            Output::Call(call) => line(out, &self.call(call, "call")),
            Output::Finding(finding) => line(out, &self.finding(finding)),
            Output::Alert(alert) => line(out, &self.alert(alert)),
        }
    }

    /// A call as it stands, as one line.
    ///
    /// # Errors
    /// Whatever `out` can't write.
    pub fn call_line(&self, out: &mut dyn Write, call: &CallFact) -> io::Result<()> {
        line(out, &self.call(call, "call"))
    }

    /// An incident as it stands, as one line.
    ///
    /// # Errors
    /// Whatever `out` can't write.
    pub fn alert_line(&self, out: &mut dyn Write, alert: &Alert) -> io::Result<()> {
        line(out, &self.alert(alert))
    }

    /// A handset of the inventory, as one line.
    ///
    /// # Errors
    /// Whatever `out` can't write.
    pub fn handset_line(&self, out: &mut dyn Write, entry: &Entry, now: Timestamp) -> io::Result<()> {
        let account = std::str::from_utf8(entry.account.as_bytes()).unwrap_or_default();
        let named = self.names.get(account).map(String::as_str);
        let name = named.or_else(|| entry.who.as_ref().and_then(|who| self.name(who)));
        line(out, &inventory(entry, name, now))
    }

    /// A fact as it crossed the waist, as one line.
    ///
    /// # Errors
    /// Whatever `out` can't write.
    pub fn fact(&self, out: &mut dyn Write, fact: &Fact) -> io::Result<()> {
        match fact {
            Fact::Call(call) => line(out, &self.whole_fact(call)),
            Fact::Registered { time, who } => line(
                out,
                &RegisteredRecord {
                    r#type: "registered",
                    time: time.to_string(),
                    who: Identity::of(Some(who)),
                },
            ),
            Fact::Sighting(sighting) => line(out, &SightingRecord::of(sighting)),
            Fact::Lossy { time, permille } => {
                line(out, &LossyRecord { r#type: "lossy", time: time.to_string(), permille: *permille })
            }
            Fact::ClearSipDrop { time, who, usual, last, encrypted } => line(
                out,
                &ClearSipDropRecord {
                    r#type: "clear_sip_drop",
                    time: time.to_string(),
                    who: Identity::of(Some(who)),
                    usual: *usual,
                    last: *last,
                    encrypted: *encrypted,
                },
            ),
        }
    }

    /// The replay's last line.
    ///
    /// # Errors
    /// Whatever `out` can't write.
    pub fn summary(&self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        let totals = &summary.totals;
        line(
            out,
            &SummaryRecord {
                r#type: "summary",
                frames: totals.frames,
                sip_messages: totals.sip_messages,
                invites: totals.invites,
                attempts: totals.attempts,
                answered: summary.answered(),
                handsets: totals.handsets,
                alerts: summary.alerts,
                posture: &summary.checklist.rows,
                learning: summary.learning.as_ref().map(|report| self.learning(report)),
                skipped: &summary.skipped,
                coverage: CoverageRecord::new(summary),
                seconds: summary.length.as_secs_f64(),
            },
        )
    }

    fn call<'a>(&self, call: &'a CallFact, kind: &'static str) -> CallRecord<'a> {
        let target = &call.target;
        CallRecord {
            r#type: kind,
            time: call.time.to_string(),
            id: call.call.0,
            call_id: wire(&call.call_id),
            who: Identity::of(Some(&call.who)),
            dialled: self.dialled(&call.dialled, target),
            number: target.number.as_ref().map(|number| self.number(number)),
            class: target.class.name(),
            kind: target.kind.name(),
            region: target.region.as_ref().map(Region::to_string),
            direction: call.direction.name(),
            state: call.state.name(),
            code: (call.code != 0).then_some(call.code),
            // Until a call is over, nobody knows how long it will have been.
            duration_s: matches!(call.state, CallState::Ended | CallState::Failed)
                .then(|| call.talked.as_secs_f64()),
            expired_by: call.expired.map(|lapse| lapse.name()),
            leg: match call.leg {
                Leg::Handset => "handset",
                Leg::Trunk => "trunk",
            },
        }
    }

    fn whole_fact<'a>(&self, call: &'a CallFact) -> FactRecord<'a> {
        FactRecord {
            call: self.call(call, "call"),
            started: call.started.to_string(),
            verified: call.who.verified,
            joined: call.joined,
            cause: call.cause.name(),
            group: call.target.group.name(),
            risk: call.target.risk.name(),
            exact: call.target.exact,
            rule: call.target.rule,
            expired: call.expired.is_some(),
            call_id_reused: call.call_id_reused,
            repeated: call.repeated,
        }
    }

    fn alert<'a>(&'a self, alert: &'a Alert) -> AlertRecord<'a> {
        let finding = &alert.finding;
        AlertRecord {
            r#type: "alert",
            time: alert.time.to_string(),
            id: alert.id,
            state: alert.state.name(),
            rule: finding.rule.name(),
            severity: finding.severity.name(),
            who: Identity::of(finding.who.as_ref()),
            name: finding.who.as_ref().and_then(|who| self.name(who)),
            sentence: &finding.sentence,
            calls: finding.calls,
            numbers: finding.numbers,
            regions: finding.regions.iter().map(Region::as_str).collect(),
            exposure: (&finding.exposure).into(),
            evidence: &finding.evidence,
            call_ids: finding.samples.iter().map(|sample| wire(&sample.call_id)).collect(),
            first_call: finding.first_call.to_string(),
            last_call: finding.last_call.to_string(),
            since: alert.since.to_string(),
            accepted_until: alert.accepted_until.map(|until| until.to_string()),
            reasons: &finding.reasons,
        }
    }
}
