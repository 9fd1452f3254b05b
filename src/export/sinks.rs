//! All sinks of an office, and the fire drill through them.
//!
//! In: notices. Out: threads that send them.
//! Never: waits for a receiver.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use super::alertmanager::{Alertmanagers, Receivers};
pub use super::client::Authority;
use super::client::Outcome;
use super::courier::{Carrier, Courier, now, wall};
use super::email::{self, Email, EmailError};
use super::journal::Journal;
use super::post::{Counts, DRILL, Notice, Sink, Trouble};
use super::syslog::{Server, Syslog};
use super::webhook::{self, Webhook};
use crate::finding::Severity;
use crate::store::{Letter, Store};
use crate::tally::Label;
use crate::time::Timestamp;
pub use crate::view::Backlog;

/// What goes where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What the operator calls the office.
    pub site: String,
    /// Below this, only the journal and the store hear of it.
    pub severity: Severity,
    /// The journal; none without a path.
    pub journal: Option<PathBuf>,
    /// Whether the journal has calls as well.
    pub journal_calls: bool,
    /// The webhook.
    pub webhook: Option<webhook::Settings>,
    /// Alertmanager's replicas.
    pub alertmanagers: Receivers,
    /// The mail server.
    pub email: Option<email::Settings>,
    /// The syslog server.
    pub syslog: Option<Server>,
    /// The longest that a request to Alertmanager may take.
    pub at_most: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            site: "office".to_owned(),
            severity: Severity::Warning,
            journal: None,
            journal_calls: false,
            webhook: None,
            alertmanagers: Receivers::default(),
            email: None,
            syslog: None,
            at_most: Duration::from_secs(10),
        }
    }
}

/// Why the sinks can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// Mail settings that can't work.
    #[error("notify.email: {0}")]
    Email(#[from] EmailError),
    /// No thread.
    #[error("a sink's thread can't be started: {0}")]
    Thread(#[from] std::io::Error),
    /// Somebody else uses the sinks, too.
    #[error("the sinks are in use elsewhere")]
    Shared,
}

/// What became of a fire drill in one sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drilled {
    /// Which sink.
    pub sink: Sink,
    /// How long it took until the receiver had it, or what went wrong.
    pub result: Result<Duration, String>,
}

enum Entry {
    Line(String, Option<SyncSender<bool>>),
    Reopen,
}

/// Every sink that is configured.
#[derive(Debug)]
pub struct Sinks {
    settings: Settings,
    counts: Arc<Counts>,
    scribe: Option<SyncSender<Entry>>,
    couriers: Vec<Courier>,
    alertmanagers: Option<Alertmanagers>,
}

/// Lines that wait for the journal's disk.
const LINES: usize = 10_000;
/// A drill waits so long for its receivers.
const DRILL_AT_MOST: Duration = Duration::from_secs(15);

impl Sinks {
    /// Starts a thread for each sink, with what a former run left unsent in the store.
    ///
    /// # Errors
    /// Settings that can't work.
    pub fn start(settings: Settings, store: Option<&Store>) -> Result<Self, SinkError> {
        let counts = Arc::new(Counts::default());
        let reader = store.and_then(|store| store.reader().ok());
        let left = |sink: Sink| -> Vec<Letter> {
            reader.as_ref().and_then(|reader| reader.letters(sink.name()).ok()).unwrap_or_default()
        };
        let mut couriers = Vec::new();
        for (sink, carrier) in carriers(&settings)? {
            if let Some(carrier) = carrier {
                couriers.push(Courier::start(sink, carrier, store.cloned(), &counts, left(sink))?);
            }
        }
        let alertmanagers = (!settings.alertmanagers.urls.is_empty())
            .then(|| Alertmanagers::start(&settings.alertmanagers, settings.at_most, &counts))
            .transpose()?;
        let scribe = settings.journal.clone().map(|path| scribe(path, &counts)).transpose()?;
        Ok(Self { settings, counts, scribe, couriers, alertmanagers })
    }

    /// Takes other settings (SIGHUP). What waits goes where it shall go now; a sink whose settings are
    /// as they were notices nothing.
    ///
    /// # Errors
    /// Settings that can't work: then nothing has changed.
    pub fn reload(&mut self, settings: Settings, store: Option<&Store>) -> Result<(), SinkError> {
        let carriers = carriers(&settings)?;
        let old = &self.settings;
        let same = [
            (Sink::Webhook, settings.webhook == old.webhook),
            (Sink::Email, settings.email == old.email),
            (Sink::Syslog, settings.syslog == old.syslog),
        ];
        let changed = |sink: Sink| same.iter().any(|(one, same)| *one == sink && !same);
        for (sink, carrier) in carriers.into_iter().filter(|(sink, _)| changed(*sink)) {
            let at = self.couriers.iter().position(|courier| courier.sink == sink);
            match (at, carrier) {
                (Some(at), Some(carrier)) => self.couriers[at].replace(carrier),
                (Some(at), None) => self.couriers.remove(at).retire()?,
                (None, Some(carrier)) => {
                    let new = Courier::start(sink, carrier, store.cloned(), &self.counts, Vec::new())?;
                    self.couriers.push(new);
                }
                (None, None) => {}
            }
        }
        if settings.alertmanagers != self.settings.alertmanagers {
            self.push_to(&settings)?;
        }
        if settings.journal == self.settings.journal {
            self.reopen();
        } else {
            // The former one writes what it has and ends.
            self.scribe = settings.journal.clone().map(|path| scribe(path, &self.counts)).transpose()?;
        }
        self.settings = settings;
        Ok(())
    }

    fn push_to(&mut self, settings: &Settings) -> Result<(), SinkError> {
        let (to, at_most) = (&settings.alertmanagers, settings.at_most);
        let new = match &self.alertmanagers {
            _ if to.urls.is_empty() => None,
            Some(former) => Some(former.successor(to, at_most)?),
            None => Some(Alertmanagers::start(to, at_most, &self.counts)?),
        };
        let former = std::mem::replace(&mut self.alertmanagers, new);
        // An attempt may be under way, which nobody waits for.
        std::thread::Builder::new().name("retired".to_owned()).spawn(move || drop(former))?;
        Ok(())
    }

    /// What is counted.
    pub const fn counts(&self) -> &Arc<Counts> {
        &self.counts
    }

    /// What they were started with.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether open alerts are pushed to Alertmanager.
    pub const fn pushes(&self) -> bool {
        self.alertmanagers.is_some()
    }

    /// Letters about a notice, one for each sink that takes letters.
    pub(super) fn letters(&self, notice: &Notice) -> Vec<Letter> {
        self.couriers.iter().map(|courier| courier.letter(notice)).collect()
    }

    /// Hands letters over to be sent.
    pub(super) fn post(&self, letters: Vec<Letter>) {
        for letter in letters {
            if let Some(courier) = self.couriers.iter().find(|courier| courier.sink.name() == letter.sink) {
                courier.post(letter);
            }
        }
    }

    pub(super) fn push(&self, notice: &Notice, raised: Timestamp) {
        if let Some(alertmanagers) = &self.alertmanagers {
            alertmanagers.update(notice, raised);
        }
    }

    /// Writes a line into the journal; the receiver, if there is a journal and `sync` is asked for,
    /// hears when it is on disk.
    pub(super) fn journal(&self, record: &str, sync: bool) -> Option<Receiver<bool>> {
        let scribe = self.scribe.as_ref()?;
        let (done, receiver) = sync_channel(1);
        match scribe.try_send(Entry::Line(record.to_owned(), sync.then_some(done))) {
            Ok(()) => sync.then_some(receiver),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.counts.count_dropped(Sink::Journal);
                None
            }
        }
    }

    /// The journal's file was rotated.
    pub fn reopen(&self) {
        if let Some(scribe) = &self.scribe {
            let _ = scribe.try_send(Entry::Reopen);
        }
    }

    /// How each sink stands.
    pub fn backlog(&self) -> Vec<Backlog> {
        let couriers = self.couriers.iter().map(|courier| (courier.sink, courier.backlog()));
        let pushed = self.alertmanagers.iter().map(|all| (Sink::Alertmanager, all.backlog()));
        let backlog = |(sink, (waiting, trouble))| Backlog { sink, waiting, trouble };
        couriers.chain(pushed).map(backlog).collect()
    }

    /// Sends one marked test incident through every sink, and waits for what becomes of it.
    pub fn drill(&self) -> Vec<Drilled> {
        let notice = self.drill_notice();
        let begun = now();
        let mut waiting: Vec<(Sink, Receiver<Outcome>, usize)> = Vec::new();
        for courier in &self.couriers {
            let (answer, receiver) = sync_channel(1);
            courier.drill(notice.clone(), answer);
            waiting.push((courier.sink, receiver, 1));
        }
        if let Some(alertmanagers) = &self.alertmanagers {
            let (answer, receiver) = sync_channel(self.settings.alertmanagers.urls.len());
            let replicas = alertmanagers.drill(&notice, &answer);
            waiting.push((Sink::Alertmanager, receiver, replicas));
        }
        let mut drilled = Vec::new();
        if self.scribe.is_some() {
            let written = self.journal(&notice.record, true).map(|done| done.recv_timeout(DRILL_AT_MOST));
            let result = match written {
                Some(Ok(true)) => Ok(begun.elapsed()),
                _ => Err("the file can't be written".to_owned()),
            };
            drilled.push(Drilled { sink: Sink::Journal, result });
        }
        for (sink, receiver, answers) in waiting {
            let results = (0..answers).map(|_| answer(&receiver, begun));
            // Every replica must have it.
            let result =
                results.collect::<Result<Vec<_>, _>>().map(|all| all.into_iter().max().unwrap_or_default());
            drilled.push(Drilled { sink, result });
        }
        drilled
    }

    fn drill_notice(&self) -> Notice {
        let time = Timestamp(i64::try_from(wall()).unwrap_or(i64::MAX));
        let sentence = "This is a fire drill: nothing happened, somebody tests whether alerts arrive.";
        let record = serde_json::json!({
            "type": "alert", "time": time.to_string(), "id": 0, "state": "raised", "rule": DRILL,
            "severity": "warning", "drill": true, "handset": null, "user": null, "ip": null, "mac": null,
            "name": null, "sentence": sentence, "calls": 0, "numbers": 0, "regions": [], "call_ids": [],
        });
        Notice {
            incident: format!("{}-drill", time.0),
            site: self.settings.site.clone(),
            label: String::new(),
            state: "raised".to_owned(),
            rule: DRILL.to_owned(),
            severity: "warning".to_owned(),
            time: time.0,
            sentence: sentence.to_owned(),
            record: record.to_string(),
        }
    }
}

/// Whether settings can work at all.
///
/// # Errors
/// What is wrong with them.
pub fn check(settings: &Settings) -> Result<(), SinkError> {
    carriers(settings).map(drop)
}

type Carriers = [(Sink, Option<Box<dyn Carrier>>); 3];

/// Whoever carries for each sink that takes letters.
fn carriers(settings: &Settings) -> Result<Carriers, SinkError> {
    let boxed = |carrier| -> Box<dyn Carrier> { carrier };
    let webhook = settings.webhook.clone().map(|hook| boxed(Box::new(Webhook::new(hook))));
    let email = settings.email.as_ref().map(Email::new).transpose()?;
    let email = email.map(|email| boxed(Box::new(email)));
    let syslog = settings.syslog.clone().map(|server| boxed(Box::new(Syslog::new(server))));
    Ok([(Sink::Webhook, webhook), (Sink::Email, email), (Sink::Syslog, syslog)])
}

fn answer(receiver: &Receiver<Outcome>, begun: Instant) -> Result<Duration, String> {
    match receiver.recv_timeout(DRILL_AT_MOST.saturating_sub(begun.elapsed())) {
        Ok(Outcome::Arrived) => Ok(begun.elapsed()),
        Ok(Outcome::Later(why, _) | Outcome::Refused(why)) => Err(why),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            Err("no answer in time".to_owned())
        }
    }
}

/// The journal's own thread: a disk that hangs must not keep anybody from being told.
fn scribe(path: PathBuf, counts: &Arc<Counts>) -> std::io::Result<SyncSender<Entry>> {
    let (sender, entries) = sync_channel::<Entry>(LINES);
    let counts = Arc::clone(counts);
    std::thread::Builder::new().name("to-journal".to_owned()).spawn(move || {
        let mut journal = Journal::new(path);
        let mut trouble = Trouble::default();
        while let Ok(entry) = entries.recv() {
            match entry {
                Entry::Reopen => journal.reopen(),
                Entry::Line(line, done) => {
                    let outcome = match journal.line(&line, done.is_some()) {
                        Ok(()) => Outcome::Arrived,
                        Err(error) => Outcome::Refused(error.to_string()),
                    };
                    trouble.hear(Sink::Journal.name(), &outcome, 0);
                    let written = outcome == Outcome::Arrived;
                    counts.count(Sink::Journal, written);
                    if let Some(done) = done {
                        // Whoever asked may have stopped waiting.
                        let _ = done.try_send(written);
                    }
                }
            }
        }
    })?;
    Ok(sender)
}
