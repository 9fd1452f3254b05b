//! What outlives the daemon: opened before anything runs, restored, saved while it runs.
//!
//! In: a configuration, outputs, snapshots. Out: a sensor and a judge that know what they knew; what
//! the judge says, kept and sent. Never: holds up the sensor or the judge for a disk.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use super::clock::wall;
use super::outlet::{Fired, Outlet};
use crate::alert::Alert;
use crate::baseline::exposure::Prices;
use crate::config::Config;
use crate::export::desk::Desk;
use crate::export::metrics::Names;
use crate::export::sinks::Sinks;
use crate::fact::{CallFact, Direction};
use crate::judge::{self, Judge, Output};
use crate::record::NumberKey;
use crate::sensor::{self, Sensor};
use crate::store::{self, Blob, Figure, Store};
use crate::tally::{Label, Tally};
use crate::time::{Span, Timestamp};
use crate::view::{Board, Queue, Sink};

/// How often state is saved without news.
const EVERY: Span = Span::MINUTE;
/// A new incident is saved at once, but not more often than this.
const SOONEST: Span = Span::SECOND;
/// The last save may take so long.
const LAST: Duration = Duration::from_secs(5);
/// Layouts of the saved state: one more whenever a snapshot's fields change.
const LAYOUTS: [(&str, u32); 2] = [("sensor", 2), ("judge", 3)];

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
            }
            (Ok(None), _) | (_, Ok(None)) => {}
            (Err(error), _) | (_, Err(error)) => tracing::error!("{error}: learning begins anew"),
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
        let names = Names { configured: config.names(), key: self.key.derive("labels") };
        let desk = Desk::new(
            config.recorder_with(Some(&self.key)),
            Box::new(move |who| names.label(who)),
            self.store.clone(),
            Arc::clone(&sinks),
            open,
        );
        let (store, thread) = (self.store, self.thread);
        Ok(Box::new(Kept { desk: Some(desk), sinks, store, thread, prices, board: Arc::clone(board) }))
    }
}

/// Keeps and sends.
struct Kept {
    desk: Option<Desk>,
    sinks: Arc<Sinks>,
    store: Option<Store>,
    thread: Option<JoinHandle<()>>,
    prices: Prices,
    board: Arc<Board>,
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
        let (vitals, counts) = (&self.board.vitals, self.sinks.counts());
        let mut lost = 0;
        for sink in Sink::ALL {
            reach(&vitals.sent, *sink, counts.sent(*sink));
            reach(&vitals.failed, *sink, counts.failed(*sink));
            lost += counts.dropped(*sink);
        }
        reach(&vitals.dropped, Queue::Letters, lost);
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
        self.sinks.drill().into_iter().map(fired).collect()
    }

    fn finish(&mut self) {
        self.tick();
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

/// When one half's state is saved.
pub(super) struct Saver {
    store: Option<Store>,
    half: usize,
    saved: Timestamp,
    news: bool,
}

impl Saver {
    /// For the sensor.
    pub(super) const fn sensor(store: Option<Store>) -> Self {
        Self { store, half: 0, saved: Timestamp(0), news: false }
    }

    /// For the judge.
    pub(super) const fn judge(store: Option<Store>) -> Self {
        Self { store, half: 1, saved: Timestamp(0), news: false }
    }

    /// Something must not be forgotten.
    pub(super) const fn news(&mut self) {
        self.news = true;
    }

    /// Saves if it is time; `last` always.
    pub(super) fn save<S: serde::Serialize>(
        &mut self,
        now: Timestamp,
        last: bool,
        snapshot: impl FnOnce() -> S,
    ) {
        let Some(store) = &self.store else { return };
        let passed = now.since(self.saved);
        let due = passed >= EVERY || (self.news && passed >= SOONEST) || now < self.saved;
        if !due && !last {
            return;
        }
        (self.saved, self.news) = (now, false);
        let Some((name, layout)) = LAYOUTS.get(self.half).copied() else { return };
        match Blob::encode(name, layout, &snapshot()) {
            Ok(blob) => store.save(vec![blob]),
            Err(error) => tracing::error!("{error}"),
        }
    }
}
