//! What becomes of what is sent, and the shape in which it waits.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::client::Outcome;
use crate::tally::Tally;
use crate::time::Timestamp;
pub use crate::view::Sink;

/// What is counted; any thread may read it. Each sink has one thread that writes its counts;
/// Alertmanager's replicas have one each, so theirs are kept apart in `alertmanager`.
#[derive(Debug, Default)]
pub struct Counts {
    sent: Tally<Sink>,
    failed: Tally<Sink>,
    dropped: Tally<Sink>,
    alertmanager: [AtomicU64; 2],
    late: AtomicU64,
}

impl Counts {
    /// Messages that arrived.
    pub fn sent(&self, sink: Sink) -> u64 {
        let [sent, _] = &self.alertmanager;
        self.sent.get(sink) + if sink == Sink::Alertmanager { sent.load(Ordering::Relaxed) } else { 0 }
    }

    /// Attempts that failed.
    pub fn failed(&self, sink: Sink) -> u64 {
        let [_, failed] = &self.alertmanager;
        self.failed.get(sink) + if sink == Sink::Alertmanager { failed.load(Ordering::Relaxed) } else { 0 }
    }

    /// Messages that had to go because too many waited, or that the receiver refused for good.
    pub fn dropped(&self, sink: Sink) -> u64 {
        self.dropped.get(sink)
    }

    /// Alerts that people were told of before they were safe on disk.
    pub fn late(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }

    pub(super) fn count_late(&self) {
        self.late.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_dropped(&self, sink: Sink) {
        self.dropped.bump(sink);
    }

    pub(super) fn count(&self, sink: Sink, arrived: bool) {
        if sink == Sink::Alertmanager {
            let [sent, failed] = &self.alertmanager;
            (if arrived { sent } else { failed }).fetch_add(1, Ordering::Relaxed);
        } else if arrived {
            self.sent.bump(sink);
        } else {
            self.failed.bump(sink);
        }
    }
}

/// What is wrong with a receiver: the log says it once, not at every attempt.
#[derive(Debug, Default)]
pub(super) struct Trouble(Option<String>);

impl Trouble {
    /// What became of an attempt; `waiting` are messages that are tried again.
    pub(super) fn hear(&mut self, receiver: &str, outcome: &Outcome, waiting: usize) {
        let before = match outcome {
            Outcome::Arrived => self.0.take(),
            Outcome::Later(why, _) | Outcome::Refused(why) => self.0.replace(why.clone()),
        };
        match outcome {
            Outcome::Arrived if before.is_some() => tracing::warn!("{receiver} is told again"),
            Outcome::Arrived => {}
            Outcome::Later(why, _) if before.as_ref() != Some(why) => {
                tracing::error!(
                    "{receiver} can't be told: {why}; {waiting} messages wait and are tried again"
                );
            }
            Outcome::Refused(why) if before.as_ref() != Some(why) => {
                tracing::error!("{receiver} refuses what it is told: {why}; it isn't told this again");
            }
            Outcome::Later(..) | Outcome::Refused(_) => {}
        }
    }

    /// What was wrong with the last attempt.
    pub(super) const fn why(&self) -> Option<&String> {
        self.0.as_ref()
    }
}

/// An alert on its way: the record, and what sinks need beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The same for everything that is said about an incident.
    pub incident: String,
    /// What the operator calls the office.
    pub site: String,
    /// The handset as labels name it; empty for the whole office.
    pub label: String,
    /// `raised`, `updated`, `cleared`.
    pub state: String,
    /// Which rule or check.
    pub rule: String,
    /// `info`, `warning`, `critical`.
    pub severity: String,
    /// When this was said, in microseconds since the epoch.
    pub time: i64,
    /// What was said, in a sentence.
    pub sentence: String,
    /// The JSON record.
    pub record: String,
}

impl Notice {
    /// The same at every attempt to send it, and different for everything else: receivers can tell
    /// by it what they have got already.
    pub fn id(&self) -> String {
        format!("{}-{}-{}", self.incident, self.state, self.time)
    }

    /// 0 = info, 1 = warning, 2 = critical.
    pub fn urgency(&self) -> u8 {
        match self.severity.as_str() {
            "critical" => 2,
            "warning" => 1,
            _ => 0,
        }
    }

    /// Whether it is a fire drill.
    pub fn is_drill(&self) -> bool {
        self.rule == DRILL
    }

    /// When this was said.
    pub const fn at(&self) -> Timestamp {
        Timestamp(self.time)
    }
}

/// The rule of fire drills.
pub const DRILL: &str = "fire_drill";
