//! The judge alone over made-up offices: how well it decides, and how long a decision takes.
//!
//! `cargo bench --bench judge -- [WORLD|all [FROM TO [CONFIG]]]`. See `benches/README.md`.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss
)]

mod dice;
mod fraud;
mod office;
mod play;
mod rival;

use std::collections::BTreeMap;

use office::{DAY, World};
use play::{Played, play};
use ringfence::alert::AlertState;

fn world(name: &str) -> World {
    let base = World {
        handsets: 90,
        days: 112,
        abroad: 1.0,
        bursts: 1.0,
        agents: 0.0,
        lost: 0.0,
        scatter: false,
        low_risk: false,
        fraud_from: 28,
        twice: false,
        trace: None,
    };
    if let Some(path) = name.strip_prefix("file:") {
        let cold = path.ends_with("cold");
        let handsets = if path.ends_with("small") { 16 } else { 90 };
        return World {
            trace: Some(path.to_owned()),
            handsets,
            fraud_from: if cold { 2 } else { 28 },
            ..base
        };
    }
    match name {
        "small" => World { handsets: 16, ..base },
        "scatter" => World { scatter: true, ..base },
        "lowrisk" => World { low_risk: true, ..base },
        "bursty" => World { bursts: 3.0, ..base },
        "global" => World { abroad: 5.0, ..base },
        "callcentre" => World { agents: 0.6, ..base },
        "lossy" => World { lost: 0.03, ..base },
        "cold" => World { fraud_from: 2, days: 30, ..base },
        "twice" => World { twice: true, ..base },
        _ => base,
    }
}

const WORLDS: &[&str] =
    &["base", "small", "scatter", "lowrisk", "bursty", "global", "callcentre", "lossy", "cold", "twice"];

#[derive(Default)]
struct Score {
    episodes: usize,
    found: usize,
    cost: f64,
    lost: f64,
    calls: Vec<usize>,
    schemes: BTreeMap<&'static str, (usize, usize, Vec<usize>)>,
    again: (usize, usize),
    false_alarms: usize,
    young: usize,
    days: f64,
    young_days: f64,
    by_rule: BTreeMap<String, usize>,
}

fn cost_until(played: &Played, episode: &fraud::Episode, until: f64, number: usize) -> f64 {
    let _ = episode;
    let mut sum = 0.0;
    for (i, call) in played.calls.iter().enumerate() {
        if call.episode == Some(number) && !call.inbound {
            if let Some(talk) = call.talk {
                let answered = call.at + call.setup;
                sum += talk.min((until - answered).max(0.0)) / 60.0 * played.rate[i];
            }
        }
    }
    sum
}

fn score(world: &World, played: &Played, total: &mut Score, verbose: bool) {
    for (number, episode) in played.episodes.iter().enumerate() {
        let page =
            played.pages.iter().find(|p| p.calls.iter().any(|c| played.calls[*c].episode == Some(number)));
        let whole = cost_until(played, episode, f64::MAX, number);
        let until = page.map_or(f64::MAX, |p| p.at);
        let lost = cost_until(played, episode, until, number);
        let n = played
            .calls
            .iter()
            .filter(|c| c.episode == Some(number) && !c.inbound && c.at <= until + 1e-3)
            .count();
        let entry = total.schemes.entry(episode.scheme).or_default();
        total.episodes += 1;
        entry.0 += 1;
        total.cost += whole;
        total.lost += lost;
        total.again.0 += usize::from(episode.again);
        if let Some(page) = page {
            if verbose {
                println!(
                    "FOUND {} day {:.2} call {n} {} {} {}",
                    episode.scheme,
                    page.at / DAY,
                    page.severity,
                    page.rule,
                    page.sentence
                );
            }
            total.found += 1;
            entry.1 += 1;
            total.again.1 += usize::from(episode.again);
            entry.2.push(n);
            total.calls.push(n);
        } else {
            entry.2.push(usize::MAX);
            total.calls.push(usize::MAX);
            if verbose {
                println!(
                    "MISSED {} day {:.1} {} calls",
                    episode.scheme,
                    episode.start / DAY,
                    episode.calls.len()
                );
            }
        }
    }
    let from = world.fraud_from.max(14) as f64;
    for page in &played.pages {
        if page.state != AlertState::Raised || page.calls.iter().any(|c| played.calls[*c].episode.is_some()) {
            continue;
        }
        let young = page.at < 14.0 * DAY;
        if young {
            total.young += 1;
        } else if page.at >= 28.0 * DAY || world.fraud_from < 28 {
            total.false_alarms += 1;
        }
        *total.by_rule.entry(page.rule.clone()).or_default() += 1;
        if verbose {
            println!(
                "FALSE day {:.2} {:?} {} {} {}",
                page.at / DAY,
                page.handset,
                page.severity,
                page.rule,
                page.sentence
            );
        }
    }
    let _ = from;
    total.young_days += world.handsets as f64 * 14.0;
    total.days +=
        world.handsets as f64 * (world.days as f64 - if world.fraud_from < 28 { 14.0 } else { 28.0 });
}

fn median(values: &mut Vec<usize>) -> usize {
    values.sort_unstable();
    if values.is_empty() { 0 } else { values[values.len() / 2] }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if args.iter().any(|a| a == "--test") {
        return;
    }
    let verbose = args.iter().any(|a| a == "-v");
    let args: Vec<&String> = args.iter().filter(|a| *a != "-v").collect();
    let which = args.first().map_or("base", |s| s.as_str());
    let from: u64 = args.get(1).and_then(|s| s.parse().ok()).unwrap_or(1);
    let to: u64 = args.get(2).and_then(|s| s.parse().ok()).unwrap_or(from);
    let config = args.get(3).map_or("", |s| s.as_str());
    let names: Vec<&str> = if which == "all" { WORLDS.to_vec() } else { which.split(',').collect() };
    for name in names {
        let world = world(name);
        let mut total = Score::default();
        let mut nanos = Vec::new();
        let mut infos = 0;
        let mut rivals = (0, 0);
        for seed in from..=to {
            let played = play(&world, seed, config);
            score(&world, &played, &mut total, verbose);
            nanos.extend(played.nanos.iter().copied());
            infos += played.infos;
            let (warn, critical) = rival::opensips(&world, &played);
            rivals.0 += warn;
            rivals.1 += critical;
        }
        nanos.sort_unstable();
        let p = |q: f64| nanos.get((nanos.len() as f64 * q) as usize).copied().unwrap_or(0);
        println!(
            "{name:<10} false {:.2} (n {}), first fortnight {:.2}; found {}/{} = {:.1}%, lost {:.2}%, median {} calls; again {}/{}; infos {:.1}; ns p50 {} p99 {}",
            1_000.0 * total.false_alarms as f64 / total.days,
            total.false_alarms,
            1_000.0 * total.young as f64 / total.young_days,
            total.found,
            total.episodes,
            100.0 * total.found as f64 / total.episodes.max(1) as f64,
            100.0 * total.lost / total.cost.max(1e-9),
            median(&mut total.calls),
            total.again.1,
            total.again.0,
            1_000.0 * infos as f64 / total.days,
            p(0.5),
            p(0.99),
        );
        println!(
            "   OpenSIPS warnings {:.1}, critical {:.2}",
            1_000.0 * rivals.0 as f64 / total.days,
            1_000.0 * rivals.1 as f64 / total.days
        );
        let rules: Vec<String> = total.by_rule.iter().map(|(rule, n)| format!("{rule} {n}")).collect();
        println!("   false by rule: {}", rules.join(", "));
        let mut line = Vec::new();
        for (scheme, (all, found, calls)) in &mut total.schemes {
            let m = median(calls);
            line.push(format!(
                "{scheme} {found}/{all} {}",
                if m == usize::MAX { "-".to_owned() } else { m.to_string() }
            ));
        }
        println!("   {}", line.join("; "));
    }
}
