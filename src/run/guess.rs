//! What a first look at the traffic and the machine says of an office: guesses for a configuration.
//!
//! In: frames, the machine's time zone and locale. Out: `Guesses`, each with what it rests on.
//! Never: guesses from too little: what isn't seen often enough stays at its default.

use std::net::IpAddr;
use std::sync::Arc;

use crate::dial::{Dial, DialError};
use crate::fact::{CallState, Direction, Fact};
use crate::frame::Frame;
use crate::ledger::{self, Ledger};
use crate::sensor::{self, Sensor};
use crate::time::OfficeHours;

/// A value for a key, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The section.
    pub section: &'static str,
    /// The key.
    pub key: &'static str,
    /// The value as TOML writes it.
    pub value: String,
    /// What it rests on.
    pub why: String,
}

/// Looks at frames.
pub struct Look {
    sensor: Sensor,
    hours: OfficeHours,
    /// Calls that people placed, by weekday and hour.
    calls: [[u32; 24]; 7],
    days: std::collections::BTreeSet<i64>,
}

/// Days with calls before office hours are guessed, and calls.
const DAYS: usize = 5;
const CALLS: u32 = 50;

impl Look {
    /// Has seen nothing yet; `hours` knows the office's local time.
    ///
    /// # Errors
    /// Settings that make no dial plan.
    pub fn new(
        dial: &crate::dial::Settings,
        sensor: sensor::Settings,
        hours: OfficeHours,
    ) -> Result<Self, DialError> {
        let ledger = Arc::new(Ledger::new(ledger::Settings::default()));
        let sensor = Sensor::new(sensor, Dial::new(dial)?, ledger);
        Ok(Self { sensor, hours, calls: [[0; 24]; 7], days: std::collections::BTreeSet::new() })
    }

    /// Takes in a frame.
    pub fn frame(&mut self, frame: &Frame<'_>) {
        self.sensor.handle_frame(frame);
        while let Some(fact) = self.sensor.poll_fact() {
            let Fact::Call(call) = fact else { continue };
            if call.state != CallState::Attempted || call.joined || call.direction == Direction::Inbound {
                continue;
            }
            let local = self.hours.local(call.time);
            self.days.insert(local.day);
            let hour = usize::from(local.minute / 60);
            if let Some(calls) = self.calls.get_mut(usize::from(local.weekday)).and_then(|d| d.get_mut(hour))
            {
                *calls = calls.saturating_add(1);
            }
        }
    }

    /// What was learnt.
    pub fn guesses(&self) -> Vec<Guess> {
        let mut guesses = Vec::new();
        let registrars: Vec<IpAddr> = self.sensor.registrars(8);
        if !registrars.is_empty() {
            let list: Vec<String> = registrars.iter().map(|ip| format!("\"{ip}\"")).collect();
            guesses.push(Guess {
                section: "site",
                key: "pbx",
                value: format!("[{}]", list.join(", ")),
                why: "they accepted registrations".to_owned(),
            });
        }
        if let Some(digit) = self.sensor.coverage().outside_line {
            guesses.push(Guess {
                section: "site",
                key: "outside_line",
                value: format!("[\"{digit}\"]"),
                why: "most numbers make sense only without it".to_owned(),
            });
        }
        guesses.extend(self.hours());
        guesses
    }

    /// Office hours: from and until when nearly all calls are placed, on the days that have many.
    fn hours(&self) -> Option<Guess> {
        let total: u32 = self.calls.iter().flatten().sum();
        if self.days.len() < DAYS || total < CALLS {
            return None;
        }
        let of_day = |day: &[u32; 24]| day.iter().sum::<u32>();
        let busiest = self.calls.iter().map(of_day).max().unwrap_or(0);
        let open: Vec<usize> = (0..7).filter(|day| of_day(&self.calls[*day]) * 5 >= busiest).collect();
        let mut hours = [0_u32; 24];
        for day in &open {
            for (sum, n) in hours.iter_mut().zip(self.calls[*day]) {
                *sum = sum.saturating_add(n);
            }
        }
        let all: u32 = hours.iter().sum();
        // Calls at the edges are few: an hour with less than a fiftieth of all belongs to the night.
        let busy = |hour: &usize| hours[*hour] * 50 >= all;
        let (from, until) = ((0..24).find(busy)?, (0..24).rev().find(busy)?);
        let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let (first, last) = (*open.first()?, *open.last()?);
        let days = if first == last {
            names[first].to_owned()
        } else if last - first + 1 == open.len() {
            format!("{}-{}", names[first], names[last])
        } else {
            return None;
        };
        Some(Guess {
            section: "site",
            key: "office_hours",
            value: format!("\"{days} {from:02}:00-{:02}:00\"", until + 1),
            why: format!("{total} calls on {} days were placed then", self.days.len()),
        })
    }
}

/// The example file with the guesses put in place of its defaults.
pub fn write(example: &str, guesses: &[Guess]) -> String {
    let mut out = String::with_capacity(example.len());
    let mut section = String::new();
    for line in example.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        }
        let of = |guess: &&Guess| {
            guess.section == section
                && line
                    .strip_prefix('#')
                    .and_then(|rest| rest.strip_prefix(guess.key))
                    .is_some_and(|rest| rest.starts_with(" ="))
        };
        match guesses.iter().find(of) {
            Some(guess) => {
                out += &format!(
                    "# Guessed: {}. The default:\n{line}\n{} = {}\n",
                    guess.why, guess.key, guess.value
                );
            }
            None => {
                out += line;
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_stand_where_the_defaults_stood() {
        let guess =
            Guess { section: "site", key: "home", value: "\"DE\"".into(), why: "the time zone".into() };
        let text = write("[other]\n#home = 1\n[site]\n# Home.\n#home = \"GB\"\n", &[guess]);
        assert_eq!(
            text,
            "[other]\n#home = 1\n[site]\n# Home.\n# Guessed: the time zone. The default:\n#home = \"GB\"\nhome = \"DE\"\n"
        );
    }
}
