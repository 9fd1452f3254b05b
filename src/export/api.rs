//! What the API, the event stream and the control socket answer: the records of the journal.
//!
//! In: the `Board`, a query. Out: JSON.
//! Never: shows more of a number than `[privacy]` says.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use serde_json::{Value, json};

use crate::alert::Alert;
use crate::judge::Output;
use crate::record::Recorder;
use crate::tally::Label;
use crate::time::Timestamp;
use crate::view::{Backlog, Board, Queue};

/// What to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Only incidents that are open.
    pub open: bool,
    /// Only what happened since.
    pub since: Option<Timestamp>,
    /// How many at the most, the newest.
    pub limit: Option<usize>,
}

/// The most that one answer lists.
pub const MOST: usize = 10_000;

/// What was, from before the view begins: the store's.
pub trait History: Send + Sync {
    /// Calls that began before `before`, as JSON records, oldest first, the newest `limit` of them.
    ///
    /// # Errors
    /// If it can't be read.
    fn calls(&self, query: &Query, before: Option<Timestamp>) -> io::Result<Vec<String>>;

    /// Incidents other than `known`, which are named by when they were raised and by number, as JSON records, oldest first, the newest `limit` of them.
    ///
    /// # Errors
    /// If it can't be read.
    fn alerts(&self, query: &Query, known: &[(Timestamp, u64)]) -> io::Result<Vec<String>>;
}

/// Answers.
pub struct Api {
    /// Where the pictures are.
    pub board: Arc<Board>,
    recorder: RwLock<Arc<Recorder>>,
    history: OnceLock<Box<dyn History>>,
    site: RwLock<String>,
}

impl Api {
    /// Over a board; `site` is the office's name.
    pub fn new(board: Arc<Board>, recorder: Recorder, site: String) -> Self {
        Self {
            board,
            recorder: RwLock::new(Arc::new(recorder)),
            history: OnceLock::new(),
            site: RwLock::new(site),
        }
    }

    /// What was before the view begins comes from here. Only the first one counts.
    pub fn set_history(&self, history: Box<dyn History>) {
        let _ = self.history.set(history);
    }

    /// Takes other names and another privacy.
    pub fn reload(&self, recorder: Recorder, site: String) {
        *self.recorder.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(recorder);
        *self.site.write().unwrap_or_else(PoisonError::into_inner) = site;
    }

    /// How records are written.
    pub fn recorder(&self) -> Arc<Recorder> {
        Arc::clone(&self.recorder.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// One output as a record.
    pub fn output(&self, output: &Output) -> Option<String> {
        record(|out| self.recorder().output(out, output))
    }

    /// Incidents, oldest first: those that are over, then those that are open.
    pub fn alerts(&self, query: &Query) -> Vec<String> {
        let view = self.board.judge();
        let recorder = self.recorder();
        let over = view.over.iter().filter(|_| !query.open);
        let wanted: Vec<&Arc<Alert>> = over
            .chain(&view.open)
            .filter(|alert| query.since.is_none_or(|since| alert.time >= since || alert.since >= since))
            .collect();
        let ids: Vec<_> = view.over.iter().chain(&view.open).map(|alert| (alert.since, alert.id)).collect();
        let known = wanted.into_iter().filter_map(|alert| record(|out| recorder.alert_line(out, alert)));
        let older = if query.open { Vec::new() } else { self.older(|history| history.alerts(query, &ids)) };
        newest(older, known, query)
    }

    /// Calls, oldest first.
    pub fn calls(&self, query: &Query) -> Vec<String> {
        let view = self.board.judge();
        let recorder = self.recorder();
        let wanted = view.calls.iter().filter(|call| query.since.is_none_or(|since| call.time >= since));
        let known = wanted.filter_map(|call| record(|out| recorder.call_line(out, call)));
        let before = view.calls.iter().map(|call| call.started).min();
        newest(self.older(|history| history.calls(query, before)), known, query)
    }

    /// What was before the view begins.
    fn older(&self, ask: impl FnOnce(&dyn History) -> io::Result<Vec<String>>) -> Vec<String> {
        let Some(history) = self.history.get() else { return Vec::new() };
        ask(&**history).unwrap_or_else(|error| {
            tracing::warn!("the history can't be read: {error}");
            Vec::new()
        })
    }

    /// The inventory, handsets that registered first.
    pub fn handsets(&self, query: &Query) -> Vec<String> {
        let recorder = self.recorder();
        let view = self.board.judge();
        let most = query.limit.unwrap_or(MOST).min(MOST);
        let mut entries: Vec<_> = view.inventory.iter().collect();
        entries.sort_by_key(|entry| entry.state(view.now).index());
        let records = entries.into_iter().take(most);
        records.filter_map(|entry| record(|out| recorder.handset_line(out, entry, view.now))).collect()
    }

    /// The handset-security checklist.
    pub fn posture(&self, query: &Query) -> Vec<String> {
        let view = self.board.judge();
        newest(Vec::new(), self.recorder().posture_lines(&view.checklist, view.now).into_iter(), query)
    }

    /// How the program fares.
    pub fn status(&self) -> Value {
        let (sensor, judge) = (self.board.sensor(), self.board.judge());
        let vitals = &self.board.vitals;
        let at = |micros: i64| (micros != 0).then(|| Timestamp(micros).to_string());
        let sources: Vec<Value> = sensor
            .sources
            .iter()
            .map(|source| {
                let last = source.last.iter().map(|(name, at)| (*name, at.to_string()));
                json!({
                    "interface": source.name,
                    "up": source.up,
                    "received": source.received,
                    "dropped": counts(&source.dropped),
                    "last_packet": last.collect::<std::collections::BTreeMap<_, _>>(),
                    "reopened": source.reopened,
                })
            })
            .collect();
        let sandbox = vitals.sandbox.iter().map(|(layer, holds)| (layer.name(), holds > 0));
        let sink = |one: &Backlog| json!({ "sink": one.sink.name(), "waiting": one.waiting, "trouble": one.trouble });
        let sinks: Vec<Value> = self.board.sinks().iter().map(sink).collect();
        let mut warnings = sensor.warnings.clone();
        let lost = vitals.dropped.get(Queue::Facts);
        if lost > 0 {
            warnings.push(format!(
                "{lost} facts found the queue to the judge full: every call is counted, some were judged by \
                 the counts alone"
            ));
        }
        let dropped: Vec<_> = vitals.dropped.iter().map(|(queue, n)| (queue.name(), n)).collect();
        json!({
            "type": "status",
            "time": sensor.now.to_string(),
            "site": *self.site.read().unwrap_or_else(PoisonError::into_inner),
            "version": env!("CARGO_PKG_VERSION"),
            "started": at(vitals.started.load(Ordering::Relaxed)),
            "healthy": vitals.alive.load(Ordering::Relaxed) > 0,
            "sources": sources,
            "frames": sensor.totals.frames,
            "sip_messages": sensor.totals.sip_messages,
            "invites": sensor.totals.invites,
            "attempts": sensor.totals.attempts,
            "answered": sensor.totals.answered,
            "handsets": judge.inventory.len(),
            "calls_active": sensor.calls.iter().fold(0, |sum: u64, (_, n)| sum.saturating_add(n[3])),
            "alerts_open": judge.open.len(),
            "watched_days": judge.days,
            "first_fact": judge.since.map(|since| since.to_string()),
            "learning": judge.learning.as_ref().map(|report| self.recorder().learning_value(report)),
            "encrypted_flows": sensor.encrypted_flows,
            "warnings": warnings,
            "sinks": sinks,
            "queue_dropped": counts(&dropped),
            "sandbox": sandbox.collect::<std::collections::BTreeMap<_, _>>(),
            "config_last_reload_successful": vitals.reload_successful.load(Ordering::Relaxed) > 0,
            "config_last_reload": at(vitals.reloaded.load(Ordering::Relaxed)),
            "state_last_save": at(vitals.state_saved.load(Ordering::Relaxed)),
        })
    }
}

fn counts(rows: &[(&'static str, u64)]) -> Value {
    rows.iter()
        .map(|(name, n)| ((*name).to_owned(), Value::from(*n)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The newest of both, as many as were asked for.
fn newest(older: Vec<String>, known: impl Iterator<Item = String>, query: &Query) -> Vec<String> {
    let mut all = older;
    all.extend(known);
    let most = query.limit.unwrap_or(MOST).min(MOST);
    all.drain(..all.len().saturating_sub(most));
    all
}

/// A record's line without its end.
fn record(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Option<String> {
    let mut line = Vec::new();
    write(&mut line).ok()?;
    let mut line = String::from_utf8(line).ok()?;
    line.truncate(line.trim_end().len());
    Some(line)
}
