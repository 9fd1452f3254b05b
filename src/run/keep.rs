//! What outlives the daemon: opened before anything runs, restored, saved while it runs.
//!
//! In: a configuration, outputs, snapshots. Out: a sensor and a judge that know what they knew; what
//! the judge says, kept and sent. Never: holds up the sensor or the judge for a disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::clock::wall;
use super::outlet::{Fired, Outlet, Renewed};
use crate::alert::Alert;
use crate::baseline::exposure::Prices;
use crate::config::Config;
use crate::export::desk::{Desk, Labels};
use crate::export::metrics::Names;
use crate::export::sinks::Sinks;
use crate::fact::{CallFact, Direction};
use crate::judge::{self, Judge, Output};
use crate::record::{NumberKey, Recorder};
use crate::sensor::{self, Sensor};
use crate::store::{self, Blob, Figure, NoteRow, Store};
use crate::tally::{Label, Tally};
use crate::time::{OfficeHours, Span, Timestamp};
use crate::view::{Board, Queue, Sink};

/// How often state is saved without news.
const EVERY: Span = Span::MINUTE;
/// A new incident is saved at once, but not more often than this.
const SOONEST: Span = Span::SECOND;
/// How often checklist and coverage are noted.
const NOTE: Span = Span::minutes(10);
/// The last save may take so long.
const LAST: Duration = Duration::from_secs(5);
/// Layouts of the saved state: one more whenever a snapshot's fields change.
const LAYOUTS: [(&str, u32); 2] = [("sensor", 3), ("judge", 6)];

/// The store and the key, opened.
pub(super) struct Keep {
    pub(super) store: Option<Store>,
    pub(super) key: NumberKey,
    thread: Option<JoinHandle<()>>,
}

impl Keep {
    /// Opens the store and reads or makes the key.
    ///
    /// # Errors
    /// A store of a later version; numbers that shall be hashed without a key.
    pub(super) fn open(config: &Config) -> Result<Self, String> {
        let key = match store::number_key(&config.key_file()) {
            Ok(key) => key,
            Err(error) if config.hashes_numbers() => return Err(error.to_string()),
            Err(error) => {
                tracing::warn!("{error}: until that is mended, handsets' labels change at every start");
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes).map_err(|e| format!("no random numbers: {e}"))?;
                NumberKey::new(bytes)
            }
        };
        let Some(settings) = config.store() else { return Ok(Self { store: None, key, thread: None }) };
        let opened = Store::open(settings, wall()).map_err(|error| error.to_string())?;
        for note in &opened.notes {
            tracing::error!("{note}");
        }
        Ok(Self { store: Some(opened.store), key, thread: Some(opened.thread) })
    }

    /// Gives both halves what they knew when it was last saved.
    pub(super) fn restore(&self, sensor: &mut Sensor, judge: &mut Judge) {
        let Some(store) = &self.store else { return };
        let [(sensor_name, sensor_layout), (judge_name, judge_layout)] = LAYOUTS;
        let known = store.load::<sensor::Snapshot>(sensor_name, sensor_layout);
        let decided = store.load::<judge::Snapshot>(judge_name, judge_layout);
        // Incidents name handsets by the sensor's numbers: one without the other is worth nothing.
        match (known, decided) {
            (Ok(Some(known)), Ok(Some(decided))) => {
                sensor.restore(known);
                judge.restore(decided);
                judge.lose_sight();
                tracing::info!("what was learnt before is known again");
                self.accept(judge);
            }
            (Ok(None), _) | (_, Ok(None)) => {}
            (Err(error), _) | (_, Err(error)) => tracing::error!("{error}: learning begins anew"),
        }
    }

    /// Acceptances that were given after the last save hold all the same.
    fn accept(&self, judge: &mut Judge) {
        let now = wall();
        let reader = self.store.as_ref().and_then(|store| store.reader().ok());
        let acks = reader.and_then(|reader| reader.acks(now).ok()).unwrap_or_default();
        for ack in acks {
            let forgotten = |alert: &Alert| {
                (alert.since, alert.id) == (ack.raised, ack.id)
                    && alert.accepted_until.is_none_or(|until| until < ack.until)
            };
            if judge.open_alerts(now).iter().any(forgotten) {
                let (id, until, why) = (ack.id, ack.until, ack.why);
                judge.handle_command(judge::Command::Acknowledge { id, until, why }, now);
            }
        }
    }

    /// The outlet that keeps and sends.
    ///
    /// # Errors
    /// Sinks that can't be set up.
    pub(super) fn outlet(
        self,
        config: &Config,
        prices: Prices,
        open: &[Alert],
        board: &Arc<Board>,
    ) -> Result<Box<dyn Outlet>, String> {
        let settings = config.sinks().map_err(|error| error.to_string())?;
        let sinks = Arc::new(Sinks::start(settings, self.store.as_ref()).map_err(|error| error.to_string())?);
        board.vitals.push_enabled.store(sinks.pushes().into(), Ordering::Relaxed);
        let recorder = config.recorder_with(Some(&self.key));
        let desk = Desk::new(recorder.clone(), labels(config, &self.key), self.store.clone(), sinks, open);
        Ok(Box::new(Kept {
            desk: Some(desk),
            store: self.store,
            key: self.key,
            recorder,
            thread: self.thread,
            prices,
            board: Arc::clone(board),
            begun: wall(),
            noted: None,
            hours: config.office_hours().clone(),
        }))
    }
}

/// Handsets as metrics name them.
fn labels(config: &Config, key: &NumberKey) -> Labels {
    let names = Names { configured: config.names(), key: key.derive("labels") };
    Box::new(move |who| names.label(who))
}

/// Keeps and sends.
struct Kept {
    desk: Option<Desk>,
    store: Option<Store>,
    key: NumberKey,
    recorder: Recorder,
    thread: Option<JoinHandle<()>>,
    prices: Prices,
    board: Arc<Board>,
    begun: Timestamp,
    /// When checklist and coverage were noted last.
    noted: Option<Timestamp>,
    /// The office's time: a note is of one of its days.
    hours: OfficeHours,
}

impl Kept {
    /// Notes what checklist and coverage say today. The last note of a day stays.
    fn note(&mut self, now: Timestamp, last: bool) {
        let Some(store) = &self.store else { return };
        let since = self.noted.unwrap_or(self.begun);
        let (day, last_day) = (self.hours.local(now).day, self.hours.local(since).day);
        // A daemon that has just begun knows too little to replace what was noted before.
        let due = now.since(since) >= NOTE || (self.noted.is_some() && day != last_day);
        let (judge, sensor) = (self.board.judge(), self.board.sensor());
        if !(due || last) || sensor.totals.frames == 0 {
            return;
        }
        self.noted = Some(now);
        let mut checklist = Vec::new();
        // A vector takes everything.
        let _ = self.recorder.checklist(&mut checklist, &judge.checklist, judge.now);
        let checklist = String::from_utf8_lossy(checklist.trim_ascii_end()).into_owned();
        store.note(NoteRow { day, checklist, coverage: sensor.seen.coverage_json() });
    }
}

impl Outlet for Kept {
    fn output(&mut self, output: &Output) {
        let prices = &self.prices;
        if let Some(desk) = &mut self.desk {
            desk.output(output, |call| cost(prices, call));
        }
    }

    fn tick(&mut self) {
        if let Some(desk) = &mut self.desk {
            desk.tick(wall());
        }
        self.note(wall(), false);
        let vitals = &self.board.vitals;
        if let Some(desk) = &self.desk {
            let counts = desk.sinks().counts();
            let mut lost = 0;
            for sink in Sink::ALL {
                reach(&vitals.sent, *sink, counts.sent(*sink));
                reach(&vitals.failed, *sink, counts.failed(*sink));
                lost += counts.dropped(*sink);
            }
            reach(&vitals.dropped, Queue::Letters, lost);
            self.board.publish_sinks(desk.sinks().backlog());
        }
        if let Some(store) = &self.store {
            let figures = &store.health().figures;
            reach(&vitals.dropped, Queue::Store, figures.get(Figure::Dropped));
            vitals.state_bytes.store(figures.get(Figure::Bytes), Ordering::Relaxed);
            let saved = i64::try_from(figures.get(Figure::LastSave)).unwrap_or(0);
            vitals.state_saved.store(saved, Ordering::Relaxed);
        }
    }

    fn fire(&mut self) -> Vec<Fired> {
        let fired = |drilled: crate::export::sinks::Drilled| Fired {
            sink: drilled.sink.name().to_owned(),
            seconds: drilled.result.as_ref().map_or(0.0, Duration::as_secs_f64),
            error: drilled.result.err(),
        };
        let desk = self.desk.as_ref();
        desk.map(|desk| desk.sinks().drill()).unwrap_or_default().into_iter().map(fired).collect()
    }

    fn reload(&mut self, renewed: &Renewed) {
        let Renewed { config, prices } = renewed;
        self.prices = prices.clone();
        self.recorder = config.recorder_with(Some(&self.key));
        self.hours = config.office_hours().clone();
        let Some(desk) = &mut self.desk else { return };
        let sinks = config.sinks().map_err(|error| error.to_string());
        let taken = sinks.and_then(|sinks| {
            desk.reload(self.recorder.clone(), labels(config, &self.key), sinks).map_err(|e| e.to_string())
        });
        if let Err(why) = taken {
            tracing::error!("the sinks stay as they were: {why}");
        }
        self.board.vitals.push_enabled.store(desk.sinks().pushes().into(), Ordering::Relaxed);
    }

    fn finish(&mut self) {
        self.tick();
        self.note(wall(), true);
        self.desk = None;
        if let Some(store) = &self.store {
            store.flush(LAST);
            store.close();
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the office pays for a call.
fn cost(prices: &Prices, call: &CallFact) -> i64 {
    if call.joined || call.direction == Direction::Inbound {
        return 0;
    }
    prices.cost(call.target.rate, call.talked).amount
}

/// Brings a counter to where another one stands.
fn reach<E: Label>(tally: &Tally<E>, which: E, n: u64) {
    tally.add(which, n.saturating_sub(tally.get(which)));
}

/// The sensor's half of the state; says so if it can't be had.
pub(super) fn sensor_blob(sensor: &Sensor) -> Option<Blob> {
    let [(name, layout), _] = LAYOUTS;
    blob(Blob::encode(name, layout, &sensor.snapshot()))
}

/// Keeps both halves, which are of one moment: both or neither.
pub(super) fn save(store: Option<&Store>, sensor: Blob, judge: &Judge) {
    let [_, (name, layout)] = LAYOUTS;
    if let Some(store) = store
        && let Some(judge) = blob(Blob::encode(name, layout, &judge.snapshot()))
    {
        store.save(vec![sensor, judge]);
    }
}

fn blob(encoded: Result<Blob, store::BlobError>) -> Option<Blob> {
    encoded.map_err(|error| tracing::error!("{error}")).ok()
}

/// When state is saved.
pub(super) struct Saver {
    keeps: bool,
    saved: Timestamp,
    news: Arc<AtomicBool>,
}

impl Saver {
    /// `keeps` if there is a store; `news` says that something must not be forgotten.
    pub(super) const fn new(keeps: bool, news: Arc<AtomicBool>) -> Self {
        Self { keeps, saved: Timestamp(0), news }
    }

    /// Whether it is time; for the `last` save it always is.
    pub(super) fn is_due(&mut self, now: Timestamp, last: bool) -> bool {
        let passed = now.since(self.saved);
        let news = passed >= SOONEST && self.news.swap(false, Ordering::Relaxed);
        let due = self.keeps && (last || news || passed >= EVERY || now < self.saved);
        if due {
            self.saved = now;
        }
        due
    }

    /// It could not be handed over: soon again.
    pub(super) fn again(&mut self, now: Timestamp) {
        self.saved = now;
        self.news.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_saved_each_minute_and_soon_after_news() {
        let news = Arc::<AtomicBool>::default();
        let mut saver = Saver::new(true, Arc::clone(&news));
        let at = |seconds: i64| Timestamp(0).plus(Span::seconds(1_000 + seconds));
        let due = |saver: &mut Saver, seconds: i64| saver.is_due(at(seconds), false);
        assert!(due(&mut saver, 0) && !due(&mut saver, 59) && due(&mut saver, 60));
        news.store(true, Ordering::Relaxed);
        assert!(due(&mut saver, 61) && !due(&mut saver, 62), "news is saved once");
        news.store(true, Ordering::Relaxed);
        saver.again(at(62));
        assert!(!saver.is_due(at(62), false) && due(&mut saver, 63), "not more often than each second");
        assert!(saver.is_due(at(63), true));
        assert!(!Saver::new(false, news).is_due(at(63), true), "nowhere to keep it");
    }
}
