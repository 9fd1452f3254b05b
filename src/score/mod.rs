//! How well detection does on labelled traffic, ours and other systems' rules side by side.
//!
//! In: folders of captures with labels, or drill worlds and seeds. Out: `Scorecard`.
//! Never: tunes anything; looks at a label before everybody has spoken.
//!
//! # What counts
//!
//! - An *alert* is a page: severity `warning` or `critical`, raised or updated. A rival's is whatever
//!   its rule calls an alert.
//! - An attack is *detected* by the first alert that names one of its calls, or one of its handsets
//!   between its first call and the end of its last one.
//! - *Calls* and *money until the alert* are the attack's calls dialled by then and what they had cost
//!   by the second. An attack that nobody reports counts as infinitely many calls and its whole cost.
//! - A *false alarm* is an alert that names no attack. What one subject exceeds within 12 hours is one
//!   alert. The rate is per 1,000 handset-days: handsets that registered or called, times the days of
//!   the traffic.
//! - In a stretch of eight weeks or more false alarms are counted from its 29th day on; those before
//!   it, the cold start, stand apart. Attacks count whenever they come.
//! - Intervals are 95% bootstrap intervals over seeds (over attacks and weeks where there are fewer
//!   than five), with random numbers that are the same every time.
//! - Money lost is the sum over all attacks: an expensive attack weighs more.
//!
//! Pages of handset-security checks count like any other, where the traffic is a capture; worlds that
//! are told instead of filmed show calls only.
//!
//! Rivals see the same calls at the same time: see `rivals`. Their thresholds are the published ones.

mod contest;
mod figures;
mod labels;
mod matching;
mod report;
mod rivals;
mod shortcut;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::baseline::exposure::Prices;
use crate::capture::file::Source;
use crate::dial::{Dial, DialError};
use crate::drill::{self, DrillError};
use crate::run::engine::{Engine, Settings, Sink};
use crate::run::replay::replay;
use crate::time::Span;

use contest::{Contest, Followed};
use labels::Attack;
pub use report::Scorecard;

/// Why there is nothing to score.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// A folder can't be read.
    #[error("{0}: {1}")]
    Folder(PathBuf, io::Error),
    /// No capture with labels anywhere.
    #[error("no FILE.pcap with a FILE.labels.jsonl beside it in {0}")]
    Nothing(PathBuf),
    /// A world that doesn't exist.
    #[error(transparent)]
    Drill(#[from] DrillError),
    /// The settings make no dial plan.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// Standard output or a file failed.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// What to play and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Leave the rivals out: quicker.
    pub alone: bool,
    /// Shorter or smaller worlds.
    pub drill: drill::Options,
    /// Threads at work at once; 0 is 1.
    pub jobs: usize,
}

/// One stretch of traffic, scored.
#[derive(Debug)]
pub(crate) struct Trial {
    world: String,
    seed: String,
    handset_days: f64,
    weeks: usize,
    results: Vec<(&'static str, matching::Result)>,
    first: crate::time::Timestamp,
    /// Days at the beginning whose false alarms stand apart.
    cold: f64,
}

/// A stretch this long has a cold start of half of it at the most.
const LONG: f64 = 56.0;
const COLD: f64 = 28.0;

/// Plays each world with each seed, without writing captures, and scores it.
///
/// # Errors
/// A world that doesn't exist; settings that make no dial plan.
pub fn worlds(
    names: &[String],
    seeds: std::ops::RangeInclusive<u64>,
    settings: &Settings,
    options: &Options,
) -> Result<Scorecard, ScoreError> {
    let work: Vec<(&String, u64)> =
        names.iter().flat_map(|name| seeds.clone().map(move |seed| (name, seed))).collect();
    let done: Vec<Mutex<Option<Result<Trial, ScoreError>>>> = work.iter().map(|_| Mutex::default()).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        while let Some(((name, seed), slot)) = work.get(next.load(Ordering::Relaxed)).and_then(|_| {
            let i = next.fetch_add(1, Ordering::Relaxed);
            work.get(i).zip(done.get(i))
        }) {
            let trial = world(name, *seed, settings, options);
            if let Ok(mut slot) = slot.lock() {
                *slot = Some(trial);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..options.jobs.max(1) {
            scope.spawn(worker);
        }
        worker();
    });
    let mut trials = Vec::with_capacity(work.len());
    for slot in done {
        if let Some(trial) = slot.into_inner().ok().flatten() {
            trials.push(trial?);
        }
    }
    Ok(Scorecard::new(trials))
}

/// Plays a drill's scenario through the judge without writing a capture: facts and outputs go to
/// `sink` as if the capture were replayed.
///
/// # Errors
/// A scenario that doesn't exist; settings that make no dial plan; whatever the sink can't write.
pub fn play(
    name: &str,
    seed: u64,
    drill: drill::Options,
    settings: &Settings,
    sink: &mut dyn Sink,
) -> Result<Vec<drill::Episode>, ScoreError> {
    let mut shortcut = shortcut::Shortcut::new(settings.clone())?;
    let mut failed = Ok(());
    let (_, episodes) = drill::tell(name, seed, drill, &mut |event| {
        if failed.is_ok() {
            failed = shortcut.event(event, sink);
        }
    })?;
    failed?;
    shortcut.finish(sink)?;
    Ok(episodes)
}

fn world(name: &str, seed: u64, settings: &Settings, options: &Options) -> Result<Trial, ScoreError> {
    let mut contest = Contest::new(&settings.judge.hours, prices(settings)?, options.alone, false);
    let episodes = play(name, seed, options.drill, settings, &mut contest)?;
    let name = name.strip_prefix("world_").unwrap_or(name);
    Ok(trial(name.to_owned(), seed.to_string(), &contest.finish(), &labels::of_drill(&episodes)))
}

fn prices(settings: &Settings) -> Result<Prices, DialError> {
    let dial = Dial::new(&settings.dial)?;
    Ok(Prices::new(dial.rates().to_vec(), dial.currency().to_owned(), dial.prices_basis()))
}

/// Replays every capture with labels in the folders, and scores it. What can't be read is told to
/// `complain` and left out.
///
/// # Errors
/// A folder that can't be read or has no capture with labels; settings that make no dial plan.
pub fn folders(
    folders: &[PathBuf],
    settings: &Settings,
    options: &Options,
    complain: &mut dyn FnMut(String),
) -> Result<Scorecard, ScoreError> {
    let mut trials = Vec::new();
    for folder in folders {
        let pairs = pairs(folder).map_err(|cause| ScoreError::Folder(folder.clone(), cause))?;
        if pairs.is_empty() {
            return Err(ScoreError::Nothing(folder.clone()));
        }
        for (capture, labels) in pairs {
            let text =
                fs::read_to_string(&labels).map_err(|cause| ScoreError::Folder(labels.clone(), cause))?;
            let (attacks, bad) = labels::read(&text);
            bad.iter().for_each(|what| complain(format!("{}: {what}", labels.display())));
            let mut engine = Engine::new(settings.clone())?;
            let mut contest = Contest::new(&settings.judge.hours, prices(settings)?, options.alone, true);
            let broken = replay(&mut engine, &[Source::from_arg(&capture)], &mut contest, &mut |_| ())?;
            broken.iter().for_each(|error| complain(error.to_string()));
            let stem = capture.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            // A folder such as `.` has a name only once it is resolved.
            let whole = fs::canonicalize(folder).unwrap_or_else(|_| folder.clone());
            let world = whole.file_name().map(|name| name.to_string_lossy().into_owned());
            trials.push(trial(
                world.unwrap_or_else(|| "/".to_owned()),
                stem.unwrap_or_default(),
                &contest.finish(),
                &attacks,
            ));
        }
    }
    Ok(Scorecard::new(trials))
}

/// Captures with their labels, by name.
fn pairs(folder: &Path) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let mut pairs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let labels = entry?.path();
        let Some(stem) = labels.file_name().and_then(|name| name.to_str()?.strip_suffix(".labels.jsonl"))
        else {
            continue;
        };
        let capture = ["pcap", "pcapng", "pcap.gz", "pcapng.gz"]
            .map(|end| folder.join(format!("{stem}.{end}")))
            .into_iter()
            .find(|path| path.exists());
        if let Some(capture) = capture {
            pairs.push((capture, labels));
        }
    }
    pairs.sort();
    Ok(pairs)
}

fn trial(world: String, seed: String, followed: &Followed, attacks: &[Attack]) -> Trial {
    let days = followed.last.since(followed.first).as_secs_f64() / Span::DAY.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "an office has few handsets")]
    let handsets = followed.handsets.len() as f64;
    let cold = if days >= LONG { COLD } else { 0.0 };
    let results = followed
        .exceedances
        .iter()
        .map(|(name, exceedances)| (*name, matching::sort(followed, exceedances, attacks)))
        .collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few weeks")]
    let weeks = ((days - cold) / 7.0).ceil().max(1.0) as usize;
    Trial { world, seed, handset_days: (days - cold) * handsets, weeks, results, first: followed.first, cold }
}
