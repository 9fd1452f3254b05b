//! The daemon: everything that `run` starts, and how it ends.
//!
//! In: a configuration, signals. Out: an exit.
//! Never: touches a packet on the thread that serves readers.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};

use super::clock::wall;
use super::control::Control;
use super::decide::{self, Asked, Decide, Publish};
use super::keep::{Keep, Saver};
use super::keeper::Keeper;
use super::outlet::{self, Desired, Outlet};
use super::passwords;
use super::privileges::{self, Files};
use super::sense::{self, Item, Sense};
use crate::baseline::exposure::Prices;
use crate::capture::hep;
use crate::capture::live::{Live, Opener};
use crate::config::Config;
use crate::dial::Dial;
use crate::export::api::Api;
use crate::export::history::Stored;
use crate::export::http::{Events, Server, Site};
use crate::export::metrics::Metrics;
use crate::fact::secret::Exercise;
use crate::judge::{Judge, Output};
use crate::ledger::{self, Ledger};
use crate::posture::password::Checker;
use crate::record::{NumberKey, Recorder};
use crate::sensor::Sensor;
use crate::store::Store;
use crate::view::Board;

/// What the command line says beside the configuration.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The configuration's file: read again at a reload.
    pub config: Option<PathBuf>,
    /// Interfaces instead of the configuration's.
    pub interfaces: Vec<String>,
    /// The user to run as instead of the configuration's.
    pub user: Option<String>,
    /// Whether it may stay root.
    pub allow_root: bool,
}

/// Makes those who show what the judge says, beside the one that keeps and sends; the recorder knows
/// how numbers are written. Called once privileges are dropped, so that what they write is theirs;
/// whatever they write must be among [`Config::written`].
pub type MakeOutlets = Box<dyn FnOnce(&Config, &Recorder) -> Result<Vec<Box<dyn Outlet>>, String>>;

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
pub(super) const FACTS: usize = 8_192;
const OUTPUTS: usize = 4_096;
/// Passwords on their way to the check: more wait with the sensor.
const EXERCISES: usize = 64;
/// Open files at the most.
const MOST_FILES: u64 = 8_192;

/// Runs until told to stop.
///
/// # Errors
/// Why it couldn't start, or why it ended without being told to.
pub fn run(config: Config, options: &Options, outlets: MakeOutlets) -> Result<(), DaemonError> {
    more_files();
    let mut parts = Parts::new(&config, options)?.confined(&config, options)?;
    let kept = parts.keep(&config).map_err(DaemonError::Runtime)?;
    let recorder = config.recorder_with(parts.numbers.as_ref());
    let shown = outlets(&config, &recorder).map_err(DaemonError::Runtime)?;
    parts.run(config, options, std::iter::once(kept).chain(shown).collect())
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
    control: Option<Control>,
    api: Arc<Api>,
    metrics: Arc<Metrics>,
    key: [u8; 32],
    numbers: Option<NumberKey>,
    store: Option<Store>,
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
        warn_of_filter(&live.filter);
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
                hep::Listener::bind(hep::Settings::new(listen)).map_err(|e| {
                    DaemonError::Runtime(format!(
                        "[capture.hep] listen {listen}: {e}; is another program listening there?"
                    ))
                })
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
            control: None,
            key,
            numbers: None,
            store: None,
        })
    }

    /// Lets go of what was needed to open the sockets.
    fn confined(mut self, config: &Config, options: &Options) -> Result<Self, DaemonError> {
        let user = options.user.as_deref().unwrap_or(config.run_as());
        let whom = privileges::whom(user, options.allow_root).map_err(DaemonError::Usage)?;
        let mut files = Files::default();
        for (key, file) in config.written() {
            match privileges::prepare(&file, whom.as_ref()) {
                Ok(folder) => files.write.extend(folder),
                Err(why)
                    if config.control_socket().as_ref() != Some(&file) && privileges::is_spent(&file) =>
                {
                    tracing::error!("{key}: {why}: nothing can be written there; detection and alerts go on");
                }
                Err(why) => {
                    let cure = "make that folder, or write another path";
                    return Err(DaemonError::Runtime(format!("{key}: {why}: {cure}")));
                }
            }
        }
        self.control = config
            .control_socket()
            .as_deref()
            .map(Control::bind)
            .transpose()
            .map_err(DaemonError::Runtime)?;
        if let (Some(path), Some(whom)) = (config.control_socket(), &whom) {
            whom.own(&path).map_err(DaemonError::Runtime)?;
        }
        // A reload reads the file, and the rate deck beside it.
        files.read.extend(options.config.as_deref().map(folder_of));
        let (opening, letting_go) = privileges::change(files);
        self.live.set_opener(Opener::start(move || opening.run())?);
        letting_go.run(whom.as_ref(), &self.board.vitals).map_err(DaemonError::Runtime)?;
        Ok(self)
    }

    /// Takes back what a former run saved. The outlet keeps and sends from here on.
    fn keep(&mut self, config: &Config) -> Result<Box<dyn Outlet>, String> {
        let keep = Keep::open(config)?;
        keep.restore(&mut self.sensor, &mut self.judge);
        self.key = keep.key.derive("labels");
        self.numbers = Some(keep.key.clone());
        self.store.clone_from(&keep.store);
        self.metrics.reload(config.metrics(self.key));
        self.api.reload(config.recorder_with(self.numbers.as_ref()), config.site_name().to_owned());
        if let Some(store) = &self.store {
            self.api.set_history(Box::new(Stored(store.clone())));
        }
        let open = self.judge.open_alerts(wall());
        keep.outlet(config, self.prices.clone(), &open, &self.board)
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
        let (fires, fired) = sync_channel(1);
        let (teach, lessons) = sync_channel(1);
        let (news, desired) = (Arc::<AtomicBool>::default(), Desired::default());
        let checks = passwords::Wish::default();
        let (exercises, checker) = checker(&config, &items, &self.board, &checks)?;
        let sense = Sense {
            sensor: self.sensor,
            live: self.live,
            hep: self.hep.map(hep::Listener::start).transpose()?,
            items,
            reloads: reloaded,
            lessons,
            board: Arc::clone(&self.board),
            ledger: self.ledger,
            addresses: config.sensor().handsets,
            stop: Arc::clone(&stop),
            saver: Saver::new(self.store.is_some(), Arc::clone(&news)),
            exercises,
        };
        let decide = Decide {
            judge: self.judge,
            prices: self.prices,
            items: taken,
            asked,
            outputs,
            events: publisher(Arc::clone(&events), Arc::clone(&self.api)),
            board: Arc::clone(&self.board),
            store: self.store,
            news,
        };
        let board = Arc::clone(&self.board);
        let wish = Arc::clone(&desired);
        let threads = Threads {
            outlet: spawn("outlet", move || outlet::run(outlets, &put, &fired, &wish, &board))?,
            judge: spawn("judge", move || drop(decide::run(decide)))?,
            sensor: spawn("sensor", move || sense::run(sense).map(drop))?,
            checker,
        };
        let keeper = Keeper {
            options: options.clone(),
            reloads,
            checks,
            ask,
            fires,
            teach,
            desired,
            control: self.control,
            site: Arc::new(Site { api: self.api, metrics: self.metrics, events }),
            key: self.key,
            numbers: self.numbers,
        };
        let ended = keeper.keep(self.server, &threads);
        stop.store(true, Ordering::Relaxed);
        threads.join().and(ended)
    }
}

/// The password check and the way to it. It waits even while it is switched off: a reload may switch it on.
fn checker(
    config: &Config,
    items: &SyncSender<Item>,
    board: &Arc<Board>,
    checks: &passwords::Wish,
) -> io::Result<(SyncSender<Exercise>, JoinHandle<()>)> {
    let checker = Checker::new(config.judge().posture.password);
    let (exercises, submitted) = sync_channel(EXERCISES);
    let (items, board, checks) = (items.clone(), Arc::clone(board), Arc::clone(checks));
    let thread = spawn("passwords", move || passwords::run(checker, &submitted, &items, &board, &checks))?;
    Ok((exercises, thread))
}

/// The operator's own filter is widened, which they should know.
pub(super) fn warn_of_filter(filter: &str) {
    if !filter.trim().is_empty() {
        tracing::warn!(
            "[capture] filter is widened so that fragments and frames with a VLAN tag pass, too: without \
             them calls would be missed"
        );
    }
}

/// The folder that a file is in.
fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// As many open files as the system lets it have: idle readers shall not keep others out.
/// SIGHUP ends a program that doesn't expect it. It is held until the keeper does: a reload that is
/// asked for while the daemon starts comes a moment later.
///
/// # Errors
/// The system's.
pub fn hold_hangups() -> Result<(), DaemonError> {
    Ok(hangups().thread_block().map_err(io::Error::from)?)
}

pub(super) fn hangups() -> SigSet {
    SigSet::from_iter([Signal::SIGHUP])
}

fn more_files() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // If it can't be had, connections are shed earlier.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most.min(MOST_FILES), most);
    }
}

pub(super) fn prices(dial: &Dial) -> Prices {
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

pub(super) struct Threads {
    sensor: JoinHandle<io::Result<()>>,
    judge: JoinHandle<()>,
    outlet: JoinHandle<()>,
    /// Ends when the sensor has, before the judge.
    checker: JoinHandle<()>,
}

impl Threads {
    /// A thread that ended by itself.
    pub(super) fn ended(&self) -> Option<&'static str> {
        [("sensor", self.sensor.is_finished()), ("judge", self.judge.is_finished())]
            .into_iter()
            .chain([("outlet", self.outlet.is_finished())])
            .find_map(|(name, ended)| ended.then_some(name))
    }

    /// Waits for them in the order in which the queues run dry.
    fn join(self) -> Result<(), DaemonError> {
        let gone = |name: &str| DaemonError::Runtime(format!("the {name} ended in a panic"));
        let sensor = self.sensor.join().map_err(|_| gone("sensor"));
        // A check that panicked has said nothing more: that ends nobody.
        let _ = self.checker.join();
        let judge = self.judge.join().map_err(|_| gone("judge"));
        let outlet = self.outlet.join().map_err(|_| gone("outlet"));
        sensor??;
        judge?;
        outlet
    }
}
