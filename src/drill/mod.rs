//! Labelled office traffic for tests, benches and fire drills.
//!
//! In: a scenario and a seed. Out: a capture and its labels.
//! Never: anything but the same bytes for the same seed; a number of a real person at home.

mod attack;
mod audience;
mod bench;
mod calendar;
mod call;
mod devices;
mod happening;
mod incidents;
mod intruders;
mod kit;
mod labels;
mod leg;
mod message;
mod numbers;
mod oddity;
mod ordinary;
mod packet;
mod parties;
mod proof;
mod rng;
mod scenarios;
mod schemes;
mod site;
mod stage;
#[cfg(test)]
mod tests;
mod variety;
mod weaknesses;
mod world;

use std::io::{self, Write};

use audience::Teller;

pub use audience::{Event, EventKind};
pub use bench::{bench_dialogs, bench_invites, bench_mirror, bench_strangers};
pub use labels::{Episode, EpisodeCall};
pub use scenarios::{Scenario, Sort};
pub use stage::Summary;

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// No scenario of that name.
    #[error("no scenario is called {0:?}; `ringfence drill --list` names them all")]
    Unknown(String),
    /// The capture or the labels couldn't be written.
    #[error("can't write the capture or its labels")]
    Write(#[from] io::Error),
}

/// What may be changed about a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Handsets of the office, 2..=2,000.
    pub handsets: Option<u16>,
    /// Calendar days, 1..=400.
    pub days: Option<u16>,
    /// The most calls of any one attack; the others are left out.
    pub attack_calls: Option<usize>,
}

/// Every scenario: quiet ones, attacks, worlds.
pub fn scenarios() -> &'static [Scenario] {
    scenarios::SCENARIOS
}

/// Plays a scenario: a classic pcap file to `out`, a JSON object an attack to `labels`.
/// The same name and seed give the same bytes on every machine.
///
/// # Errors
/// If there is no such scenario, or `out` or `labels` can't be written.
pub fn generate(
    name: &str,
    seed: u64,
    out: &mut dyn Write,
    labels: &mut dyn Write,
) -> Result<Summary, DrillError> {
    generate_with(name, seed, Options::default(), out, labels)
}

/// Plays a scenario with changes; see [`generate`].
///
/// # Errors
/// As [`generate`].
pub fn generate_with(
    name: &str,
    seed: u64,
    options: Options,
    out: &mut dyn Write,
    labels: &mut dyn Write,
) -> Result<Summary, DrillError> {
    (find(name)?.world)().with(options).play(seed, out, labels)
}

/// Plays a scenario without writing a capture: tells what the mirror port would show, message by
/// message, and answers with the labels. The same name and seed give the same calls, to the
/// microsecond, as [`generate_with`].
///
/// # Errors
/// If there is no such scenario.
pub fn tell(
    name: &str,
    seed: u64,
    options: Options,
    listener: &mut dyn FnMut(&Event<'_>),
) -> Result<(Summary, Vec<Episode>), DrillError> {
    (find(name)?.world)().with(options).perform(seed, &mut Teller { tell: listener })
}

fn find(name: &str) -> Result<&'static Scenario, DrillError> {
    let scenario = scenarios().iter().find(|scenario| scenario.name == name);
    scenario.ok_or_else(|| DrillError::Unknown(name.to_owned()))
}
