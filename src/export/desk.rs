//! Where the judge's outputs are written down and sent on: the store and the journal first, people
//! when it is safe, or after half a second at the latest.
//!
//! In: `Output`, in order, on one thread. Out: rows, lines, letters, pushes.
//! Never: tells of one incident twice, also over a restart.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::courier::now;
use super::post::Notice;
use super::sinks::{self, SinkError, Sinks};
use crate::alert::{Alert, AlertState};
use crate::finding::Severity;
use crate::handsets::Who;
use crate::judge::Output;
use crate::record::Recorder;
use crate::store::{AlertRow, CallRow, Durability, FindingRow, Store};
use crate::tally::Label;
use crate::time::{Span, Timestamp};

/// How a handset is named in labels; empty for the whole office.
pub type Labels = Box<dyn Fn(Option<&Who>) -> String + Send>;

/// After so long people are told, whether it is safe on disk or not.
const PATIENCE: Duration = Duration::from_millis(500);
/// An incident that a former run left open, and of which the judge knows nothing, is over after so
/// long: as long as the judge holds its own.
const HOLD: Span = Span::hours(12);

/// Writes down and sends on.
pub struct Desk {
    recorder: Recorder,
    labels: Labels,
    store: Option<Store>,
    sinks: Arc<Sinks>,
    /// Incidents that a former run told of and the judge does not remember: it stopped between the
    /// telling and the next save.
    orphans: BTreeMap<(String, String), AlertRow>,
}

impl Desk {
    /// Takes up where the former run stopped: open alerts are pushed again, letters that wait are
    /// with the sinks already. `open` is what the judge remembers as open.
    pub fn new(
        recorder: Recorder,
        labels: Labels,
        store: Option<Store>,
        sinks: Arc<Sinks>,
        open: &[Alert],
    ) -> Self {
        let mut desk = Self { recorder, labels, store, sinks, orphans: BTreeMap::new() };
        let reader = desk.store.as_ref().and_then(|store| store.reader().ok());
        let kept = reader.and_then(|reader| reader.open_alerts().ok()).unwrap_or_default();
        for row in &kept {
            if !open.iter().any(|alert| (alert.since, alert.id) == (row.raised, row.id)) {
                desk.orphans.insert((row.label.clone(), row.rule.clone()), row.clone());
            }
            desk.push(row);
        }
        for alert in open
            .iter()
            .filter(|alert| !kept.iter().any(|row| (row.raised, row.id) == (alert.since, alert.id)))
        {
            // An alert and its letters are kept together or not at all: nobody was told of this one.
            let row = desk.row(alert);
            desk.tell(row, true);
        }
        desk
    }

    /// The judge said something; `cost` prices a call, in millionths.
    pub fn output(&mut self, output: &Output, cost: impl Fn(&crate::fact::CallFact) -> i64) {
        match output {
            Output::Call(call) => {
                if self.sinks.settings().journal_calls {
                    self.journal_output(output);
                }
                if let Some(store) = &self.store {
                    store.call(CallRow::new(&self.recorder, call, cost(call)));
                }
            }
            Output::Finding(finding) => {
                self.journal_output(output);
                if let Some(store) = &self.store {
                    store.finding(FindingRow::new(&self.recorder, finding));
                }
            }
            Output::Alert(alert) => self.alert(alert),
        }
    }

    /// Time passes: what a former run left open and nobody renewed ends.
    pub fn tick(&mut self, now: Timestamp) {
        let quiet = |row: &AlertRow| now.since(row.updated) >= HOLD;
        while let Some(key) = self.orphans.iter().find(|(_, row)| quiet(row)).map(|(key, _)| key.clone()) {
            if let Some(row) = self.orphans.remove(&key) {
                let over = cleared(row, now);
                self.tell(over, true);
            }
        }
    }

    /// Takes other names, privacy and sinks (SIGHUP); the journal is opened anew.
    ///
    /// # Errors
    /// Sinks that can't work: the former ones stay.
    pub fn reload(
        &mut self,
        recorder: Recorder,
        labels: Labels,
        sinks: sinks::Settings,
    ) -> Result<(), SinkError> {
        self.recorder = recorder;
        self.labels = labels;
        let pushed = self.sinks.pushes();
        Arc::get_mut(&mut self.sinks).ok_or(SinkError::Shared)?.reload(sinks, self.store.as_ref())?;
        if self.sinks.pushes() && !pushed {
            let reader = self.store.as_ref().and_then(|store| store.reader().ok());
            for row in reader.and_then(|reader| reader.open_alerts().ok()).unwrap_or_default() {
                self.push(&row);
            }
        }
        Ok(())
    }

    /// Where it sends.
    pub fn sinks(&self) -> &Sinks {
        &self.sinks
    }

    fn alert(&mut self, alert: &Alert) {
        let row = self.row(alert);
        let known = alert.state == AlertState::Raised && self.adopts(&row, alert.time);
        // A judge that was restored from an older save may tell the end of what was an orphan.
        self.tell(row, !known);
    }

    /// Whether a new incident is the same as one of which a former run told: then nobody is told
    /// anew, and the former one goes on under the new number.
    fn adopts(&mut self, row: &AlertRow, time: Timestamp) -> bool {
        let Some(former) = self.orphans.remove(&(row.label.clone(), row.rule.clone())) else { return false };
        if let Some(store) = &self.store {
            store.alert(cleared(former, time), Vec::new());
        }
        true
    }

    fn row(&self, alert: &Alert) -> AlertRow {
        AlertRow::new(&self.recorder, alert, &(self.labels)(alert.finding.who.as_ref()))
    }

    /// Writes it down, then tells people unless they know.
    fn tell(&self, row: AlertRow, news: bool) {
        let notice = self.notice(&row);
        let pages = self.pages(&row);
        let letters = if pages && news { self.sinks.letters(&notice) } else { Vec::new() };
        let begun = now();
        let receipt = self.store.as_ref().map(|store| store.alert(row.clone(), letters.clone()));
        let journalled = self.sinks.journal(&row.record, true);
        let left = || PATIENCE.saturating_sub(begun.elapsed());
        let kept = receipt.map(|receipt| receipt.wait(left()));
        let written = journalled.map(|done| done.recv_timeout(left()));
        let safe = kept == Some(Durability::Durable) || written == Some(Ok(true));
        if !safe && (self.store.is_some() || self.sinks.settings().journal.is_some()) {
            self.sinks.counts().count_late();
        }
        self.sinks.post(letters);
        if pages {
            self.sinks.push(&notice, row.raised);
        }
    }

    fn push(&self, row: &AlertRow) {
        if self.pages(row) {
            self.sinks.push(&self.notice(row), row.raised);
        }
    }

    fn pages(&self, row: &AlertRow) -> bool {
        let least = self.sinks.settings().severity;
        Severity::ALL.iter().any(|severity| *severity >= least && severity.name() == row.severity)
    }

    fn notice(&self, row: &AlertRow) -> Notice {
        let record: serde_json::Value = serde_json::from_str(&row.record).unwrap_or_default();
        let sentence = record.get("sentence").and_then(serde_json::Value::as_str).unwrap_or_default();
        Notice {
            incident: format!("{}-{}", row.raised.0, row.id),
            site: self.sinks.settings().site.clone(),
            label: row.label.clone(),
            state: row.state.clone(),
            rule: row.rule.clone(),
            severity: row.severity.clone(),
            time: row.updated.0,
            sentence: sentence.to_owned(),
            record: row.record.clone(),
        }
    }

    fn journal_output(&self, output: &Output) {
        let mut line = Vec::new();
        if self.recorder.output(&mut line, output).is_ok() {
            self.sinks.journal(String::from_utf8_lossy(line.trim_ascii_end()).as_ref(), false);
        }
    }
}

/// The incident as it ends.
fn cleared(row: AlertRow, now: Timestamp) -> AlertRow {
    let state = AlertState::Cleared.name().to_owned();
    let mut record: serde_json::Value = serde_json::from_str(&row.record).unwrap_or_default();
    if let Some(record) = record.as_object_mut() {
        record.insert("state".to_owned(), state.clone().into());
        record.insert("time".to_owned(), now.to_string().into());
    }
    AlertRow { state, updated: now, record: record.to_string(), ..row }
}
