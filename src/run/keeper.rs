//! The main thread: signals, readers, the watchdog.
//!
//! In: signals, requests. Out: reloads, answers, the end.
//! Never: touches a packet.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::clock::wall;
use super::control::{self, Control, Doers};
use super::daemon::{DaemonError, Options, Threads, hangups, prices, warn_of_filter};
use super::decide::Asked;
use super::lesson::Lesson;
use super::outlet::{Desired, Fire, Renewed};
use super::passwords;
use super::sense::Reload;
use super::watch::{Watch, notify};
use crate::config::Config;
use crate::dial::Dial;
use crate::export::http::{Server, Site};
use crate::export::sinks;
use crate::judge::Command;
use crate::learn::PastCall;
use crate::record::NumberKey;

/// How often it looks whether the others move.
const LOOK: Duration = Duration::from_millis(500);

/// What the main thread holds.
pub(super) struct Keeper {
    pub(super) options: Options,
    pub(super) reloads: SyncSender<Box<Reload>>,
    pub(super) checks: passwords::Wish,
    pub(super) ask: SyncSender<Asked>,
    pub(super) fires: SyncSender<Fire>,
    pub(super) teach: SyncSender<Lesson<PastCall>>,
    pub(super) desired: Desired,
    pub(super) control: Option<Control>,
    pub(super) site: Arc<Site>,
    pub(super) key: [u8; 32],
    pub(super) numbers: Option<NumberKey>,
}

impl Keeper {
    pub(super) fn keep(self, server: Option<Server>, threads: &Threads) -> Result<(), DaemonError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let ended = runtime.block_on(self.serve(server, threads));
        // Connections and a reload under way don't hold up the end.
        runtime.shutdown_timeout(Duration::from_millis(200));
        ended
    }

    async fn serve(mut self, server: Option<Server>, threads: &Threads) -> Result<(), DaemonError> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        hangups().thread_unblock().map_err(std::io::Error::from)?;
        if let Some(server) = server {
            tracing::info!("serving on {}", server.address()?);
            let site = Arc::clone(&self.site);
            tokio::spawn(async move {
                if let Err(error) = server.serve(site).await {
                    tracing::error!("the listener failed: {error}");
                }
            });
        }
        let (reload, mut reloads) = mpsc::channel(1);
        if let Some(control) = self.control.take() {
            let doers = Doers {
                api: Arc::clone(&self.site.api),
                judge: self.ask.clone(),
                fires: self.fires.clone(),
                teach: self.teach.clone(),
                reload: reload.clone(),
            };
            tokio::spawn(async move {
                if let Err(error) = control::serve(control, Arc::new(doers)).await {
                    tracing::error!("the control socket failed: {error}");
                }
            });
        }
        let mut watch = Watch::new();
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => drop(self.reload().await),
                Some(asked) = reloads.recv() => drop(asked.send(self.reload().await)),
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
    async fn reload(&self) -> Result<(), String> {
        if let Ok(now) = sd_notify::NotifyState::monotonic_usec_now() {
            notify(&[sd_notify::NotifyState::Reloading, now]);
        }
        let (options, reloads) = (self.options.clone(), self.reloads.clone());
        let checks = Arc::clone(&self.checks);
        let done = tokio::task::spawn_blocking(move || load(&options, &reloads, &checks)).await;
        let done = done.unwrap_or_else(|_| Err("reading it panicked".to_owned()));
        let site = &self.site;
        site.api.board.vitals.reload(done.is_ok(), wall());
        let done = match done {
            Ok(renewed) => {
                let config = &renewed.config;
                site.metrics.reload(config.metrics(self.key));
                site.api.reload(config.recorder_with(self.numbers.as_ref()), config.site_name().to_owned());
                tracing::info!("the configuration was read again and holds");
                *self.desired.lock().unwrap_or_else(PoisonError::into_inner) = Some(renewed);
                Ok(())
            }
            Err(why) => {
                tracing::error!("the configuration stays as it was: {why}");
                Err(why)
            }
        };
        notify(&[sd_notify::NotifyState::Ready]);
        done
    }
}

/// Reads the file and hands the sensor, the judge and the password check their share.
fn load(
    options: &Options,
    reloads: &SyncSender<Box<Reload>>,
    checks: &passwords::Wish,
) -> Result<Arc<Renewed>, String> {
    let config = match &options.config {
        Some(path) => Config::load(path).map_err(|e| e.to_string())?,
        None => Config::default(),
    };
    let dial = Dial::new(&config.dial()).map_err(|e| e.to_string())?;
    let live = config.live(&options.interfaces);
    crate::capture::live::check_filter(&live.filter).map_err(|e| format!("[capture] filter: {e}"))?;
    let sinks = config.sinks().map_err(|e| e.to_string())?;
    sinks::check(&sinks).map_err(|e| e.to_string())?;
    warn_of_filter(&live.filter);
    let prices = prices(&dial);
    let (sensor, settings) = (config.sensor(), config.judge());
    let check = settings.posture.password.clone();
    let judge = Command::Reload(Box::new(settings), prices.clone());
    let reload = Reload { dial, handsets: sensor.handsets, watch: sensor.watch, live, judge };
    reloads.send(Box::new(reload)).map_err(|_| "the sensor has ended".to_owned())?;
    *checks.lock().unwrap_or_else(PoisonError::into_inner) = Some(check);
    Ok(Arc::new(Renewed { config, prices }))
}
