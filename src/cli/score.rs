//! `score`: how well detection does, beside other systems' rules.

use std::io::{self, Write};

use super::args::{self, Args};
use super::{Failure, complain, json};
use crate::drill::{self, Sort};
use crate::ledger;
use crate::run::engine::Settings;
use crate::score::{self, Options, ScoreError};

pub(super) fn run(args: &Args, score: &args::Score, out: &mut dyn Write) -> Result<(), Failure> {
    let config = args.config()?;
    let settings = Settings {
        dial: config.dial(),
        sensor: config.sensor(),
        ledger: ledger::Settings::default(),
        judge: config.judge(),
    };
    let options = Options {
        alone: score.alone,
        drill: drill::Options { handsets: score.handsets, days: score.days, attack_calls: None },
        jobs: score.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
    };
    let card = match &score.worlds {
        Some(names) => score::worlds(&worlds(names)?, seeds(&score.seeds)?, &settings, &options),
        None => score::folders(&score.folders, &settings, &options, &mut |what| complain(&what)),
    };
    let card = card.map_err(|error| match error {
        ScoreError::Drill(_) => Failure::Usage(error.to_string()),
        other => Failure::Runtime(other.to_string()),
    })?;
    if score.json {
        json(out, &card.json())?;
    } else {
        card.write_text(out)?;
    }
    if score.faults {
        card.faults().iter().try_for_each(|fault| writeln!(io::stderr().lock(), "{fault}"))?;
    }
    Ok(())
}

/// Worlds and scenarios by name, with or without `world_`; `all` is every world.
fn worlds(names: &[String]) -> Result<Vec<String>, Failure> {
    let mut chosen = Vec::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        let all = drill::scenarios().iter();
        match name.as_str() {
            "all" => chosen.extend(all.filter(|s| s.sort == Sort::World).map(|s| s.name.to_owned())),
            "attacks" => chosen.extend(all.filter(|s| s.sort == Sort::Attack).map(|s| s.name.to_owned())),
            "quiet" => chosen.extend(all.filter(|s| s.sort == Sort::Quiet).map(|s| s.name.to_owned())),
            name => {
                let found = all
                    .clone()
                    .find(|s| s.name == format!("world_{name}"))
                    .or(all.clone().find(|s| s.name == name));
                let Some(found) = found else {
                    return Err(Failure::Usage(drill::DrillError::Unknown(name.to_owned()).to_string()));
                };
                chosen.push(found.name.to_owned());
            }
        }
    }
    Ok(chosen)
}

/// `A-B`, or one seed.
fn seeds(text: &str) -> Result<std::ops::RangeInclusive<u64>, Failure> {
    let wrong = || Failure::Usage(format!("--seeds {text:?}: a number, or two as in 1001-1016"));
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let parse = |part: &str| part.trim().parse::<u64>().map_err(|_| wrong());
    let (first, last) = (parse(first)?, parse(last)?);
    if first > last || last - first >= 10_000 {
        return Err(wrong());
    }
    Ok(first..=last)
}
