//! The scorecard: as a table for people, as JSON for machines.
//!
//! In: trials. Out: text, JSON.
//! Never: leaves out a world or a scenario because it went badly.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::Trial;
use super::contest::OURS;
use super::figures::{Estimate, Figures, Unit};
use crate::time::Span;

/// Everything that was scored.
#[derive(Debug)]
pub struct Scorecard {
    trials: Vec<Trial>,
}

const WEEK: f64 = 7.0;

impl Scorecard {
    pub(super) const fn new(trials: Vec<Trial>) -> Self {
        Self { trials }
    }

    fn worlds(&self) -> Vec<&str> {
        let mut worlds: Vec<&str> = Vec::new();
        for trial in &self.trials {
            if !worlds.contains(&trial.world.as_str()) {
                worlds.push(&trial.world);
            }
        }
        worlds
    }

    fn contestants(&self) -> Vec<&'static str> {
        self.trials
            .first()
            .map_or_else(Vec::new, |trial| trial.results.iter().map(|(name, _)| *name).collect())
    }

    fn scenarios(&self, world: Option<&str>) -> Vec<String> {
        let of_world = self.trials.iter().filter(|trial| world.is_none_or(|world| trial.world == world));
        let outcomes = of_world.filter_map(|trial| trial.results.first()).flat_map(|(_, r)| &r.outcomes);
        let mut scenarios: Vec<String> = outcomes.map(|outcome| outcome.scenario.clone()).collect();
        scenarios.sort();
        scenarios.dedup();
        scenarios
    }

    /// A contestant's figures: of one world or all, of one scenario or all.
    pub(super) fn figures(&self, world: Option<&str>, contestant: &str, scenario: Option<&str>) -> Figures {
        let trials: Vec<&Trial> =
            self.trials.iter().filter(|trial| world.is_none_or(|world| trial.world == world)).collect();
        let by_week = trials.len() < 5;
        let mut units = Vec::new();
        for trial in trials {
            let Some((_, result)) = trial.results.iter().find(|(name, _)| *name == contestant) else {
                continue;
            };
            let outcomes = result
                .outcomes
                .iter()
                .filter(|o| scenario.is_none_or(|name| o.scenario == name))
                .cloned()
                .collect();
            let parts = if by_week { trial.weeks } else { 1 };
            let first = units.len();
            #[expect(clippy::cast_precision_loss, reason = "a few weeks")]
            let handset_days = trial.handset_days / parts as f64;
            units.extend((0..parts).map(|_| Unit { handset_days, ..Unit::default() }));
            for alarm in &result.false_alarms {
                let days = alarm.time.since(trial.first).as_secs_f64() / Span::DAY.as_secs_f64();
                let days = days - trial.cold;
                if days < 0.0 {
                    continue;
                }
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few weeks")]
                let week = if by_week { ((days / WEEK) as usize).min(parts - 1) } else { 0 };
                units[first + week].false_alarms += 1.0;
            }
            units[first].outcomes = outcomes;
        }
        Figures::of(&units)
    }

    /// Whether a rule of ours spoke falsely, or not at all where it should: world, seed, what.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for trial in &self.trials {
            let Some((_, result)) = trial.results.first() else { continue };
            for alarm in &result.false_alarms {
                faults
                    .push(format!("false {} {} {} {}", trial.world, trial.seed, alarm.time, alarm.sentence));
            }
            for outcome in &result.outcomes {
                match outcome.found {
                    None => faults.push(format!(
                        "missed {} {} {} {:.2}",
                        trial.world, trial.seed, outcome.name, outcome.cost
                    )),
                    Some(found) if found.calls > 5 => faults.push(format!(
                        "late {} {} {} after {} calls, {:.2} of {:.2}",
                        trial.world, trial.seed, outcome.name, found.calls, found.money, outcome.cost
                    )),
                    Some(_) => {}
                }
            }
        }
        faults
    }

    /// For people.
    ///
    /// # Errors
    /// Whatever `out` can't write.
    pub fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{RULES}")?;
        for world in self.worlds() {
            self.write_world(world, out)?;
        }
        if self.worlds().len() > 1 {
            self.write_overview(out)?;
        }
        Ok(())
    }

    fn write_world(&self, world: &str, out: &mut dyn Write) -> io::Result<()> {
        let seeds = self.trials.iter().filter(|trial| trial.world == world).count();
        let ours = self.figures(Some(world), OURS, None);
        writeln!(
            out,
            "\n{world}: {seeds} {}, {} {}, {:.0} handset-days",
            if seeds == 1 { "seed" } else { "seeds" },
            ours.attacks,
            if ours.attacks == 1 { "attack" } else { "attacks" },
            ours.handset_days
        )?;
        let cold: Vec<&Trial> = self.trials.iter().filter(|t| t.world == world && t.cold > 0.0).collect();
        if !cold.is_empty() {
            let early =
                cold.iter().filter_map(|t| Some((t, &t.results.first()?.1))).flat_map(|(t, result)| {
                    let end = t.first.plus(Span::days(28));
                    result.false_alarms.iter().filter(move |alarm| alarm.time < end)
                });
            writeln!(out, "  (and {} false alarms of ours in their first four weeks)", early.count())?;
        }
        writeln!(
            out,
            "  {:<17} {:>22} {:>22} {:>22} {:>6} {:>8}",
            "", "false/1,000 hd", "detected %", "money lost %", "calls", "money"
        )?;
        for contestant in self.contestants() {
            let figures = self.figures(Some(world), contestant, None);
            writeln!(out, "  {contestant:<17} {}", row(&figures))?;
        }
        writeln!(out, "  {:<17} {:>5}  {OURS:<30} {:<30}", "scenario", "n", "opensips_warning")?;
        for scenario in self.scenarios(Some(world)) {
            let ours = self.figures(Some(world), OURS, Some(&scenario));
            let mut line = format!("  {scenario:<17} {:>5}  {}", ours.attacks, brief(&ours));
            if self.contestants().contains(&"opensips_warning") {
                let theirs = self.figures(Some(world), "opensips_warning", Some(&scenario));
                let _ = write!(line, " {}", brief(&theirs));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn write_overview(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write_worlds(out)?;
        writeln!(out, "\nall worlds, by scenario")?;
        for scenario in self.scenarios(None) {
            let ours = self.figures(None, OURS, Some(&scenario));
            writeln!(out, "  {scenario:<17} {:>5}  {}", ours.attacks, brief(&ours).trim_end())?;
        }
        Ok(())
    }

    /// A line a world, with the best-known rival beside it: what the README shows.
    fn write_worlds(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "\n{:<12} {:>14} {:>10} {:>12} {:>13}   OpenSIPS' warnings: false, detected, lost",
            "all worlds", "false/1,000 hd", "detected %", "money lost %", "median calls"
        )?;
        for world in self.worlds() {
            let ours = self.figures(Some(world), OURS, None);
            let calls = ours.calls.map_or_else(|| "-".to_owned(), |calls| calls.to_string());
            let mut line = format!(
                "{world:<12} {:>14.2} {:>10.1} {:>12.2} {calls:>13}",
                ours.false_rate.value, ours.detected.value, ours.lost.value
            );
            if self.contestants().contains(&"opensips_warning") {
                let theirs = self.figures(Some(world), "opensips_warning", None);
                let (rate, found, lost) = (theirs.false_rate.value, theirs.detected.value, theirs.lost.value);
                let _ = write!(line, "   {rate:>18.2} {found:>9.1} {lost:>7.2}");
            }
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    /// For machines: one object.
    pub fn json(&self) -> Value {
        let contestants = self.contestants();
        let of = |world: Option<&str>, scenario: Option<&str>| -> Value {
            contestants
                .iter()
                .map(|name| ((*name).to_owned(), self.figures(world, name, scenario).json()))
                .collect()
        };
        let scenarios = |world: Option<&str>| -> Value {
            self.scenarios(world).iter().map(|name| (name.clone(), of(world, Some(name)))).collect()
        };
        let worlds: Value = self
            .worlds()
            .into_iter()
            .map(|world| {
                (
                    world.to_owned(),
                    json!({ "contestants": of(Some(world), None), "scenarios": scenarios(Some(world)) }),
                )
            })
            .collect();
        json!({ "rules": RULES, "worlds": worlds, "scenarios": scenarios(None) })
    }
}

/// The matching rules in brief; the module says them whole.
const RULES: &str = "\
An attack is detected by the first page (warning or critical) that names one of its calls, or one of
its handsets while it lasts; calls and money: the attack's until then, medians, never found = infinite
and its whole cost. Pages that name no attack are false alarms; a subject's within 12 h are one.
[brackets]: 95% bootstrap intervals.";

fn row(figures: &Figures) -> String {
    format!(
        "{} {} {} {:>6} {:>8.2}",
        interval(figures.false_rate, 2),
        interval(figures.detected, 1),
        interval(figures.lost, 2),
        figures.calls.map_or_else(|| "-".to_owned(), |calls| calls.to_string()),
        figures.money,
    )
}

fn interval(estimate: Estimate, digits: usize) -> String {
    let Estimate { value, low, high } = estimate;
    let text = format!("{value:.digits$} [{low:.digits$}-{high:.digits$}]");
    format!("{text:>22}")
}

fn brief(figures: &Figures) -> String {
    let calls = figures.calls.map_or_else(|| "-".to_owned(), |calls| calls.to_string());
    let text = format!(
        "{:.0}% {calls} calls {:.2} lost {:.2}%",
        figures.detected.value, figures.money, figures.lost.value
    );
    format!("{text:<34}")
}
