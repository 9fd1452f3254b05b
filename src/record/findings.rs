//! Findings of handset security and the checklist, as JSON.

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::Recorder;
use super::json::{Identity, line, pairs};
use crate::finding::{CheckFinding, Named, Severity, Status};
use crate::posture::{Checklist, Row, sheet};
use crate::tally::Label;
use crate::time::Timestamp;

#[derive(Serialize)]
pub(super) struct FindingRecord<'a> {
    r#type: &'static str,
    time: String,
    check: &'static str,
    status: &'static str,
    severity: Option<&'static str>,
    #[serde(flatten)]
    who: Identity<'a>,
    name: Option<&'a str>,
    sentence: &'a str,
    advice: &'static str,
    #[serde(serialize_with = "pairs")]
    evidence: &'a [Named],
    count: u32,
    first: String,
}

#[derive(Serialize)]
struct ChecklistRecord<'a> {
    r#type: &'static str,
    time: String,
    checks: Vec<RowRecord<'a>>,
}

#[derive(Serialize)]
struct RowRecord<'a> {
    check: &'static str,
    section: &'static str,
    about: &'static str,
    status: &'static str,
    why: Option<&'a str>,
    severity: Option<&'static str>,
    advice: Option<&'static str>,
    findings: Vec<Pinned<'a>>,
    more: usize,
    audit: Vec<FindingRecord<'a>>,
}

#[derive(Serialize)]
struct Pinned<'a> {
    #[serde(flatten)]
    finding: FindingRecord<'a>,
    last: String,
}

/// Each check's status by its name.
pub(super) fn statuses<S: Serializer>(rows: &[Row], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(rows.len()))?;
    for row in rows {
        map.serialize_entry(row.check.name(), row.status.name())?;
    }
    map.end()
}

impl Recorder {
    pub(super) fn finding<'a>(&'a self, finding: &'a CheckFinding) -> FindingRecord<'a> {
        FindingRecord {
            r#type: "finding",
            time: finding.time.to_string(),
            check: finding.check.name(),
            status: finding.status.name(),
            severity: (finding.status == Status::Finding).then(|| finding.severity.name()),
            who: Identity::of(finding.who.as_ref()),
            name: finding.who.as_ref().and_then(|who| self.name(who)),
            sentence: &finding.sentence,
            advice: sheet::advice(finding.check),
            evidence: &finding.evidence,
            count: finding.count,
            first: finding.first.to_string(),
        }
    }

    fn row<'a>(&'a self, row: &'a Row) -> RowRecord<'a> {
        let pinned = |(finding, last): &'a (CheckFinding, Timestamp)| Pinned {
            finding: self.finding(finding),
            last: last.to_string(),
        };
        RowRecord {
            check: row.check.name(),
            section: row.section.name(),
            about: row.check.about(),
            status: row.status.name(),
            why: (!row.why.is_empty()).then_some(&row.why),
            severity: row.severity.as_ref().map(|severity: &Severity| severity.name()),
            advice: (row.status == Status::Finding).then_some(row.advice),
            findings: row.findings.iter().map(pinned).collect(),
            more: row.more,
            audit: row.audit.iter().map(|finding| self.finding(finding)).collect(),
        }
    }

    /// The whole checklist, as one line.
    ///
    /// # Errors
    /// Whatever `out` can't write.
    pub fn checklist(&self, out: &mut dyn Write, checklist: &Checklist, now: Timestamp) -> io::Result<()> {
        let checks = checklist.rows.iter().map(|row| self.row(row)).collect();
        line(out, &ChecklistRecord { r#type: "checklist", time: now.to_string(), checks })
    }

    /// A record for each check without a finding, which says what could be seen of it; findings have
    /// records of their own, made when they were found.
    ///
    /// # Errors
    /// Whatever `out` can't write.
    pub fn unfound(&self, out: &mut dyn Write, checklist: &Checklist, now: Timestamp) -> io::Result<()> {
        let rows =
            checklist.rows.iter().filter(|row| row.findings.is_empty() && row.status != Status::Finding);
        rows.map(|row| Self::nothing(row, now)).try_for_each(|record| line(out, &record))
    }

    fn nothing(row: &Row, now: Timestamp) -> FindingRecord<'_> {
        FindingRecord {
            r#type: "finding",
            time: now.to_string(),
            check: row.check.name(),
            status: row.status.name(),
            severity: None,
            who: Identity::of(None),
            name: None,
            sentence: if row.why.is_empty() { row.check.about() } else { &row.why },
            advice: row.advice,
            evidence: &[],
            count: 0,
            first: now.to_string(),
        }
    }

    /// The checklist as single records: every finding that stands, or for a check without one what
    /// could be seen of it; then what was allowed, as visits of the support provider.
    pub fn posture_lines(&self, checklist: &Checklist, now: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        for row in &checklist.rows {
            let found = row.findings.iter().map(|(finding, _)| self.finding(finding));
            let none = row.findings.is_empty().then(|| Self::nothing(row, now));
            let allowed = row.audit.iter().map(|visit| self.finding(visit));
            lines.extend(
                found.chain(none).chain(allowed).filter_map(|record| serde_json::to_string(&record).ok()),
            );
        }
        lines
    }
}
