//! The daemon: everything that `run` starts, and how it ends.
//!
//! In: a configuration, signals. Out: an exit.
//! Never: touches a packet on the thread that serves readers.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::clock::{moment, wall};
use super::decide::{self, Asked, Decide, Publish};
use super::outlet::{self, Outlet};
use super::sense::{self, Reload, Sense};
use crate::baseline::exposure::Prices;
use crate::capture::hep;
use crate::capture::live::Live;
use crate::config::Config;
use crate::dial::Dial;
use crate::export::api::Api;
use crate::export::http::{Events, Server, Site};
use crate::export::metrics::Metrics;
use crate::judge::{Command, Judge, Output};
use crate::ledger::{self, Ledger};
use crate::sensor::Sensor;
use crate::view::Board;

/// What the command line says beside the configuration.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The configuration's file: read again at a reload.
    pub config: Option<PathBuf>,
    /// Interfaces instead of the configuration's.
    pub interfaces: Vec<String>,
}

/// Why the daemon can't start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// It was told something that can't be.
    #[error("{0}")]
    Usage(String),
    /// Something failed.
    #[error("{0}")]
    Runtime(String),
}

impl From<io::Error> for DaemonError {
    fn from(error: io::Error) -> Self {
        Self::Runtime(error.to_string())
    }
}

/// Facts and outputs that may wait.
const FACTS: usize = 8_192;
const OUTPUTS: usize = 4_096;
/// How often the main thread looks whether the others move.
const LOOK: Duration = Duration::from_millis(500);
/// Without progress for so long, it isn't healthy.
const STUCK: Duration = Duration::from_secs(10);
/// How often readers of the event stream get a status.
const STATUS: u32 = 10;

/// Runs until told to stop.
///
/// # Errors
/// Why it couldn't start, or why it ended without being told to.
pub fn run(config: Config, options: &Options, outlets: Vec<Box<dyn Outlet>>) -> Result<(), DaemonError> {
    let parts = Parts::new(&config, options)?;
    parts.run(config, options, outlets)
}

/// What is made before anything runs.
struct Parts {
    board: Arc<Board>,
    ledger: Arc<Ledger>,
    sensor: Sensor,
    judge: Judge,
    prices: Prices,
    live: Live,
    hep: Option<hep::Listener>,
    server: Option<Server>,
    api: Arc<Api>,
    metrics: Arc<Metrics>,
    key: [u8; 32],
}

impl Parts {
    /// Opens every socket and makes both halves.
    fn new(config: &Config, options: &Options) -> Result<Self, DaemonError> {
        let usage = DaemonError::Usage;
        let live = config.live(&options.interfaces);
        if live.interfaces.is_empty() && config.hep_listen().is_none() {
            let known = crate::capture::live::interfaces().join(", ");
            return Err(usage(format!(
                "nothing to capture from: name the interface on the mirror port with -i or in [capture] \
                 interfaces (there are {known}), or set [capture.hep] listen"
            )));
        }
        let dial =
            Dial::new(&config.dial()).map_err(|e| usage(format!("the dial plan can't be made: {e}")))?;
        let prices = prices(&dial);
        let board = Arc::<Board>::default();
        board.vitals.reload(true, crate::time::Timestamp(0));
        board.vitals.started.store(wall().0, Ordering::Relaxed);
        let ledger = Arc::new(Ledger::new(ledger::Settings::default()));
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|e| DaemonError::Runtime(format!("no random numbers: {e}")))?;
        let live = Live::open(live).map_err(|e| DaemonError::Runtime(e.to_string()))?;
        let hep = config
            .hep_listen()
            .map(|listen| {
                hep::Listener::bind(hep::Settings::new(listen))
                    .map_err(|e| DaemonError::Runtime(format!("[capture.hep] listen {listen}: {e}")))
            })
            .transpose()?;
        let server = config.http().as_ref().map(Server::bind).transpose().map_err(DaemonError::Runtime)?;
        let metrics = Metrics::new(Arc::clone(&board), config.metrics(key))
            .map_err(|e| DaemonError::Runtime(e.to_string()))?;
        Ok(Self {
            api: Arc::new(Api::new(Arc::clone(&board), config.recorder(), config.site_name().to_owned())),
            sensor: Sensor::new(config.sensor(), dial, Arc::clone(&ledger)),
            judge: Judge::new(config.judge(), Arc::clone(&ledger), prices.clone()),
            metrics: Arc::new(metrics),
            board,
            ledger,
            prices,
            live,
            hep,
            server,
            key,
        })
    }

    fn run(
        self,
        config: Config,
        options: &Options,
        outlets: Vec<Box<dyn Outlet>>,
    ) -> Result<(), DaemonError> {
        let stop = Arc::<AtomicBool>::default();
        let events = Arc::new(Events::new(Arc::clone(&self.board)));
        let (items, taken) = sync_channel(FACTS);
        let (outputs, put) = sync_channel::<Arc<Output>>(OUTPUTS);
        let (reloads, reloaded) = sync_channel(1);
        let (ask, asked) = sync_channel::<Asked>(16);
        let sense = Sense {
            sensor: self.sensor,
            live: self.live,
            hep: self.hep.map(hep::Listener::start).transpose()?,
            items,
            reloads: reloaded,
            board: Arc::clone(&self.board),
            ledger: self.ledger,
            addresses: config.sensor().handsets,
            stop: Arc::clone(&stop),
        };
        let decide = Decide {
            judge: self.judge,
            prices: self.prices,
            items: taken,
            asked,
            outputs,
            events: publisher(Arc::clone(&events), Arc::clone(&self.api)),
            board: Arc::clone(&self.board),
        };
        let board = Arc::clone(&self.board);
        let threads = Threads {
            outlet: spawn("outlet", move || outlet::run(outlets, &put, &board))?,
            judge: spawn("judge", move || drop(decide::run(decide)))?,
            sensor: spawn("sensor", move || sense::run(sense).map(drop))?,
        };
        let keeper = Keeper {
            options: options.clone(),
            reloads,
            _ask: ask,
            site: Arc::new(Site { api: self.api, metrics: self.metrics, events }),
            key: self.key,
        };
        let ended = keeper.keep(self.server, &threads);
        stop.store(true, Ordering::Relaxed);
        threads.join().and(ended)
    }
}

fn prices(dial: &Dial) -> Prices {
    Prices::new(dial.rates().to_vec(), dial.currency().to_owned(), dial.prices_basis())
}

/// Hands what the judge says to readers of the event stream.
fn publisher(events: Arc<Events>, api: Arc<Api>) -> Publish {
    Box::new(move |output| {
        let kind = match output {
            Output::Call(_) => "call",
            Output::Finding(_) => "finding",
            Output::Alert(_) => "alert",
        };
        events.send(kind, || api.output(output));
    })
}

fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body)
}

struct Threads {
    sensor: JoinHandle<io::Result<()>>,
    judge: JoinHandle<()>,
    outlet: JoinHandle<()>,
}

impl Threads {
    /// A thread that ended by itself.
    fn ended(&self) -> Option<&'static str> {
        [("sensor", self.sensor.is_finished()), ("judge", self.judge.is_finished())]
            .into_iter()
            .chain([("outlet", self.outlet.is_finished())])
            .find_map(|(name, ended)| ended.then_some(name))
    }

    /// Waits for them in the order in which the queues run dry.
    fn join(self) -> Result<(), DaemonError> {
        let gone = |name: &str| DaemonError::Runtime(format!("the {name} ended in a panic"));
        let sensor = self.sensor.join().map_err(|_| gone("sensor"));
        let judge = self.judge.join().map_err(|_| gone("judge"));
        let outlet = self.outlet.join().map_err(|_| gone("outlet"));
        sensor??;
        judge?;
        outlet
    }
}

/// The main thread: signals, readers, the watchdog.
struct Keeper {
    options: Options,
    reloads: SyncSender<Box<Reload>>,
    _ask: SyncSender<Asked>,
    site: Arc<Site>,
    key: [u8; 32],
}

impl Keeper {
    fn keep(self, server: Option<Server>, threads: &Threads) -> Result<(), DaemonError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let ended = runtime.block_on(self.serve(server, threads));
        // Connections and a reload under way don't hold up the end.
        runtime.shutdown_timeout(Duration::from_millis(200));
        ended
    }

    async fn serve(self, server: Option<Server>, threads: &Threads) -> Result<(), DaemonError> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        if let Some(server) = server {
            tracing::info!("serving on {}", server.address()?);
            let site = Arc::clone(&self.site);
            tokio::spawn(async move {
                if let Err(error) = server.serve(site).await {
                    tracing::error!("the listener failed: {error}");
                }
            });
        }
        let mut watch = Watch::new();
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => self.reload().await,
                _ = look.tick() => {
                    if let Some(name) = threads.ended() {
                        return Err(DaemonError::Runtime(format!("the {name} ended by itself")));
                    }
                    watch.look(&self.site);
                }
            }
        }
        tracing::info!("told to stop");
        notify(&[sd_notify::NotifyState::Stopping]);
        Ok(())
    }

    /// Takes the configuration's file again, whole or not at all.
    async fn reload(&self) {
        if let Ok(now) = sd_notify::NotifyState::monotonic_usec_now() {
            notify(&[sd_notify::NotifyState::Reloading, now]);
        }
        let (options, reloads) = (self.options.clone(), self.reloads.clone());
        let done = tokio::task::spawn_blocking(move || load(&options, &reloads)).await;
        let done = done.unwrap_or_else(|_| Err("reading it panicked".to_owned()));
        let site = &self.site;
        site.api.board.vitals.reload(done.is_ok(), wall());
        match done {
            Ok(config) => {
                site.metrics.reload(config.metrics(self.key));
                site.api.reload(config.recorder(), config.site_name().to_owned());
                tracing::info!("the configuration was read again and holds");
            }
            Err(why) => tracing::error!("the configuration stays as it was: {why}"),
        }
        notify(&[sd_notify::NotifyState::Ready]);
    }
}

/// Reads the file and hands the sensor and the judge their share.
fn load(options: &Options, reloads: &SyncSender<Box<Reload>>) -> Result<Box<Config>, String> {
    let config = match &options.config {
        Some(path) => Config::load(path).map_err(|e| e.to_string())?,
        None => Config::default(),
    };
    let dial = Dial::new(&config.dial()).map_err(|e| e.to_string())?;
    let live = config.live(&options.interfaces);
    crate::capture::live::check_filter(&live.filter).map_err(|e| format!("[capture] filter: {e}"))?;
    let judge = Command::Reload(Box::new(config.judge()), prices(&dial));
    let reload = Reload { dial, handsets: config.sensor().handsets, live, judge };
    reloads.send(Box::new(reload)).map_err(|_| "the sensor has ended".to_owned())?;
    Ok(Box::new(config))
}

/// Does everything move? Only then is the watchdog fed.
struct Watch {
    rounds: [u64; 2],
    moved: [std::time::Instant; 2],
    fed: std::time::Instant,
    every: Option<Duration>,
    ready: bool,
    looks: u32,
}

impl Watch {
    fn new() -> Self {
        let mut micros = 0;
        let every = sd_notify::watchdog_enabled(false, &mut micros);
        let now = moment();
        Self {
            rounds: [0; 2],
            moved: [now; 2],
            fed: now,
            every: every.then(|| Duration::from_micros(micros / 3)),
            ready: false,
            looks: 0,
        }
    }

    fn look(&mut self, site: &Site) {
        let vitals = &site.api.board.vitals;
        let now = moment();
        let rounds = [&vitals.sensor_rounds, &vitals.judge_rounds].map(|n| n.load(Ordering::Relaxed));
        for ((was, is), moved) in self.rounds.iter_mut().zip(rounds).zip(&mut self.moved) {
            if *was != is {
                (*was, *moved) = (is, now);
            }
        }
        let alive = rounds.iter().all(|n| *n > 0) && self.moved.iter().all(|at| now - *at < STUCK);
        vitals.alive.store(alive.into(), Ordering::Relaxed);
        if alive && !self.ready {
            self.ready = true;
            notify(&[sd_notify::NotifyState::Ready]);
            tracing::info!("ready");
        }
        if let Some(every) = self.every
            && now - self.fed >= every
            && self.moved.iter().all(|at| *at > self.fed)
        {
            self.fed = now;
            notify(&[sd_notify::NotifyState::Watchdog]);
        }
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(STATUS) {
            site.events.keep_alive();
            site.events.send("status", || Some(site.api.status().to_string()));
        }
    }
}

/// Tells systemd, if it asked to be told.
fn notify(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, state) {
        tracing::debug!("systemd can't be told: {error}");
    }
}
