//! What readers see of the running engine: whole pictures that are swapped, never changed.
//!
//! In: what the sensor and the judge publish. Out: `Board`, which any thread reads.
//! Never: makes the sensor or the judge wait for a reader.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::alert::Alert;
use crate::baseline::learning::Habitual;
use crate::dial::{Class, Kind, Region};
use crate::fact::CallFact;
use crate::finding::{Check, Rule, Severity, Topic};
use crate::handsets::Who;
use crate::inventory::Entry;
use crate::labels;
use crate::posture::{Checklist, Sight};
use crate::record::Summary;
use crate::sensor::Totals;
use crate::tally::{Label, Tally};
use crate::time::{Span, Timestamp};

/// One interface or feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The interface's name; `hep` for the HEP feed.
    pub name: String,
    /// Frames taken in.
    pub received: u64,
    /// Frames lost, by where: the kernel's ring, the interface, the feed's queue.
    pub dropped: Vec<(&'static str, u64)>,
    /// When the last frame came that goes `outbound`, `inbound` or neither, by its own time.
    pub last: Vec<(&'static str, Timestamp)>,
    /// Whether frames can come.
    pub up: bool,
    /// How often it was opened again.
    pub reopened: u64,
}

/// What the sensor came to, at one moment between two frames.
#[derive(Clone, Debug, Default)]
pub struct SensorView {
    /// The sensor's time.
    pub now: Timestamp,
    /// Interfaces and feeds.
    pub sources: Vec<Source>,
    /// What became of every frame: sums up to what the sources received.
    pub packets: Vec<(&'static str, u64)>,
    /// SIP messages: method, whether it is a response to that method, transport, how many.
    pub messages: Vec<(&'static str, bool, &'static str, u64)>,
    /// Frames, messages, calls.
    pub totals: Totals,
    /// Calls by class: attempted, answered, microseconds talked, up now.
    pub calls: Vec<(Class, [u64; 4])>,
    /// Signs of what can and can't be seen.
    pub signs: Vec<(&'static str, u64)>,
    /// Flows that can't be read.
    pub encrypted_flows: u64,
    /// What had to be forgotten because a table was full.
    pub evicted: Vec<(&'static str, u64)>,
    /// What to know before trusting a silence.
    pub warnings: Vec<String>,
    /// What the checks of handset security could see.
    pub sight: Option<Sight>,
    /// Handsets, bounded.
    pub handsets: Arc<Vec<Who>>,
    /// What was there and what could be seen, renewed every few seconds.
    pub seen: Arc<Summary>,
}

/// Where calls went that leave the office.
#[derive(Clone, Debug, PartialEq)]
pub struct Destination {
    /// What sort of number.
    pub kind: Kind,
    /// Where; `None` for all regions that have no row of their own.
    pub region: Option<Region>,
    /// Attempts.
    pub calls: u64,
    /// Microseconds talked.
    pub talked: u64,
    /// Money, in millionths.
    pub money: u64,
}

/// What the judge came to, at one moment between two facts.
#[derive(Clone, Debug, Default)]
pub struct JudgeView {
    /// The judge's time.
    pub now: Timestamp,
    /// Open incidents, oldest first.
    pub open: Vec<Arc<Alert>>,
    /// Incidents that are over, the newest last; bounded.
    pub over: VecDeque<Arc<Alert>>,
    /// Calls in the order in which they began, each as it stands; bounded.
    pub calls: Vec<Arc<CallFact>>,
    /// How often each rule raised an incident, by severity.
    pub raised: Vec<(Topic, Severity, u64)>,
    /// Handsets that call abroad as a habit which nobody has allowed; `None` before the report is due.
    pub learning: Option<Arc<Vec<Habitual>>>,
    /// The checklist of handset security.
    pub checklist: Arc<Checklist>,
    /// Every device that is remembered; bounded.
    pub inventory: Arc<Vec<Entry>>,
    /// How many findings stand, for each check and severity.
    pub findings: Vec<(Check, Severity, u64)>,
    /// Where calls went, and the money's currency.
    pub destinations: Vec<Destination>,
    /// ISO 4217.
    pub currency: String,
    /// What had to be forgotten because a table was full.
    pub evicted: Vec<(&'static str, u64)>,
    /// From the deciding packet to the alert.
    pub delay: Delay,
    /// When the first fact was seen.
    pub since: Option<Timestamp>,
    /// Days on which something was seen, those before a restart included.
    pub days: u32,
}

/// Upper bounds of the delay's buckets, in seconds.
pub const DELAY_BOUNDS: [f64; 10] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// A histogram of delays.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Delay {
    /// How many were no longer than each bound.
    pub within: [u64; DELAY_BOUNDS.len()],
    /// How many there were.
    pub count: u64,
    /// Their sum in seconds.
    pub sum: f64,
}

impl Delay {
    /// Counts one.
    pub fn observe(&mut self, delay: Span) {
        let seconds = delay.as_secs_f64().max(0.0);
        self.count = self.count.saturating_add(1);
        self.sum += seconds;
        for (within, bound) in self.within.iter_mut().zip(DELAY_BOUNDS) {
            *within = within.saturating_add(u64::from(seconds <= bound));
        }
    }
}

labels! {
    /// Queues that drop what they can't hold, and count it.
    pub enum Queue {
        Facts = "facts", "From the sensor to the judge.";
        Outputs = "outputs", "From the judge to the store and the sinks.";
        Letters = "letters", "To sinks that are away or refuse a message; and lines for the journal.";
        Store = "store", "To a disk that is slow, full or broken.";
        Passwords = "passwords", "To the password check, which takes its time.";
        Events = "events", "From the judge to readers of /api/v1/events that are too slow.";
    }
}

labels! {
    /// Threads whose panics are caught.
    pub enum Worker {
        Sensor = "sensor", "Reads frames.";
        Judge = "judge", "Decides.";
        Outlet = "outlet", "Keeps and sends what the judge said.";
    }
}

labels! {
    /// What holds the program back from what it has no business with.
    pub enum Layer {
        User = "user", "It runs as another user than root.";
        Capabilities = "capabilities", "Threads that touch packets hold none.";
        NoNewPrivileges = "no_new_privileges", "It can't gain any.";
        Seccomp = "seccomp", "System calls that it has no use for are refused.";
        Landlock = "landlock", "Files that it has no use for are out of reach.";
    }
}

labels! {
    /// Where alerts go.
    pub enum Sink {
        Journal = "journal", "The JSON-lines journal.";
        Webhook = "webhook", "The webhook.";
        Alertmanager = "alertmanager", "Direct push to Alertmanager.";
        Email = "email", "E-mail.";
        Syslog = "syslog", "Syslog.";
    }
}

/// Figures that threads other than the sensor and the judge write; each cell has one writer.
#[derive(Debug, Default)]
pub struct Vitals {
    /// What queues dropped.
    pub dropped: Tally<Queue>,
    /// Panics that were caught.
    pub panics: Tally<Worker>,
    /// 1 for each layer of the sandbox that holds.
    pub sandbox: Tally<Layer>,
    /// Deliveries that succeeded.
    pub sent: Tally<Sink>,
    /// Attempts at delivery that failed.
    pub failed: Tally<Sink>,
    /// Bytes of the database.
    pub state_bytes: AtomicU64,
    /// When state was last saved, Unix microseconds; 0 = never.
    pub state_saved: AtomicI64,
    /// 1 if alerts are pushed to Alertmanager directly.
    pub push_enabled: AtomicU64,
    /// 1 if the last reload was taken.
    pub reload_successful: AtomicU64,
    /// When the last reload was tried, Unix microseconds; 0 = never.
    pub reloaded: AtomicI64,
    /// Facts on their way from the sensor to the judge.
    pub facts_waiting: AtomicU64,
    /// Rounds of the sensor's loop: does it move?
    pub sensor_rounds: AtomicU64,
    /// Rounds of the judge's loop.
    pub judge_rounds: AtomicU64,
    /// 1 while the sensor and the judge move.
    pub alive: AtomicU64,
    /// When the program started, Unix microseconds.
    pub started: AtomicI64,
}

/// How a sink stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Which sink.
    pub sink: Sink,
    /// What waits to be sent.
    pub waiting: usize,
    /// What was wrong with the last attempt, if it failed.
    pub trouble: Option<String>,
}

/// The pictures that hold now.
#[derive(Debug, Default)]
pub struct Board {
    sensor: RwLock<Arc<SensorView>>,
    judge: RwLock<Arc<JudgeView>>,
    sinks: RwLock<Vec<Backlog>>,
    /// Figures of the other threads.
    pub vitals: Vitals,
}

impl Board {
    /// What the sensor published last.
    pub fn sensor(&self) -> Arc<SensorView> {
        Arc::clone(&self.sensor.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the judge published last.
    pub fn judge(&self) -> Arc<JudgeView> {
        Arc::clone(&self.judge.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The sensor publishes. Readers hold the lock for the time of a pointer's copy.
    pub fn publish_sensor(&self, view: SensorView) {
        *self.sensor.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }

    /// How the sinks stand.
    pub fn sinks(&self) -> Vec<Backlog> {
        self.sinks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whoever sends publishes.
    pub fn publish_sinks(&self, sinks: Vec<Backlog>) {
        *self.sinks.write().unwrap_or_else(PoisonError::into_inner) = sinks;
    }

    /// The judge publishes.
    pub fn publish_judge(&self, view: JudgeView) {
        *self.judge.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }
}

impl Vitals {
    /// Says whether a layer of the sandbox holds. Written once, at start.
    pub fn holds(&self, layer: Layer, holds: bool) {
        let is = self.sandbox.get(layer) > 0;
        if holds && !is {
            self.sandbox.bump(layer);
        }
    }

    /// Whether the last reload was taken; true before the first.
    pub fn reload(&self, taken: bool, at: Timestamp) {
        self.reload_successful.store(taken.into(), Ordering::Relaxed);
        self.reloaded.store(at.0, Ordering::Relaxed);
    }
}

/// Every rule and every check that can open an incident, with every severity.
pub fn rule_pairs() -> impl Iterator<Item = (Topic, Severity)> {
    let rules = Rule::ALL.iter().map(|rule| Topic::from(*rule));
    let topics = rules.chain(Check::ALL.iter().map(|check| Topic::from(*check)));
    topics.flat_map(|topic| Severity::ALL.iter().map(move |severity| (topic, *severity)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_fall_into_every_bucket_above_them() {
        let mut delay = Delay::default();
        delay.observe(Span(30_000));
        delay.observe(Span(20_000_000));
        delay.observe(Span(-5));
        assert_eq!(delay.within, [1, 1, 2, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(delay.count, 3);
    }

    #[test]
    fn readers_keep_the_picture_they_took() {
        let board = Board::default();
        let before = board.sensor();
        board.publish_sensor(SensorView { encrypted_flows: 7, ..SensorView::default() });
        assert_eq!((before.encrypted_flows, board.sensor().encrypted_flows), (0, 7));
    }
}
