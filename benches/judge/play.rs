//! Feeds a made-up office to a judge, as the sensor would, and keeps what it says.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ringfence::alert::{Alert, AlertState};
use ringfence::baseline::exposure::Prices;
use ringfence::bounded::Table;
use ringfence::config::Config;
use ringfence::dial::{Dial, Leg};
use ringfence::fact::{CallFact, CallNo, CallState, Cause, Direction, Fact};
use ringfence::finding::Severity;
use ringfence::handsets::{HandsetId, Who};
use ringfence::judge::{Judge, Output};
use ringfence::ledger::{Account, Key, Ledger};
use ringfence::text::Text;
use ringfence::time::{Span, Timestamp};

use super::dice::Dice;
use super::fraud::{self, Episode, SCHEMES};
use super::office::{Call, DAY, Office, World};

/// Monday 2026-01-05.
const START: i64 = 1_767_571_200;

pub struct Page {
    pub at: f64,
    pub handset: Option<usize>,
    pub rule: String,
    /// Any of its calls.
    pub calls: Vec<usize>,
    pub state: AlertState,
    pub sentence: String,
    pub severity: Severity,
}

pub struct Played {
    pub calls: Vec<Call>,
    pub episodes: Vec<Episode>,
    pub pages: Vec<Page>,
    pub rate: Vec<f64>,
    pub nanos: Vec<u32>,
    pub infos: usize,
}

fn stamp(at: f64) -> Timestamp {
    Timestamp(START * 1_000_000 + (at * 1e6) as i64)
}

pub fn make(world: &World, seed: u64) -> (Vec<Call>, Vec<Episode>) {
    let mut dice = Dice::new(seed, 1);
    let mut office = Office::new(world, &mut dice);
    let mut calls = Vec::new();
    for day in 0..world.days {
        office.day(day, &mut dice, &mut calls);
    }
    // A person places one call at a time.
    calls.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut free = vec![0.0; world.handsets];
    calls.retain(|call| {
        let keep = !call.alone || call.at >= free[call.handset];
        if keep && call.alone {
            free[call.handset] = call.end() + 2.0;
        }
        keep
    });
    let mut dice = Dice::new(seed, 2);
    let mut episodes = Vec::new();
    let mut day = world.fraud_from as f64;
    let mut turn = dice.below(SCHEMES.len());
    let last = world.days as f64 - if world.twice { 33.0 } else { 8.0 };
    while day < last {
        let scheme = SCHEMES[turn % SCHEMES.len()];
        turn += 1;
        let episode = fraud::plan(scheme, world, &office, day as usize, &mut dice);
        if !episode.calls.is_empty() {
            if world.twice {
                episodes.push(fraud::again(&episode));
            }
            episodes.push(episode);
        }
        day += dice.between(1.6, 3.0) * if world.fraud_from < 10 { 0.8 } else { 1.0 };
    }
    episodes.sort_by(|a, b| a.start.total_cmp(&b.start));
    for (number, episode) in episodes.iter_mut().enumerate() {
        episode.calls.iter_mut().for_each(|call| call.episode = Some(number));
        calls.extend(episode.calls.iter().cloned());
    }
    calls.retain(|call| call.at < world.days as f64 * DAY);
    calls.sort_by(|a, b| a.at.total_cmp(&b.at));
    (calls, episodes)
}

enum Step {
    Attempt(usize),
    Answer(usize),
    End(usize),
}

/// A trace of calls in a file, as another generator wrote it: `H handsets start`, `E scheme` for each
/// episode, `C time handset number talk setup episode inbound rate lost` for each call.
fn read(path: &str) -> (usize, Vec<Call>, Vec<Episode>) {
    let text = std::fs::read_to_string(path).expect("the trace can be read");
    let (mut handsets, mut start) = (0, 0.0);
    let (mut calls, mut episodes): (Vec<Call>, Vec<Episode>) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |i: usize| words[i].parse::<f64>().ok();
        match words[0] {
            "H" => (handsets, start) = (number(1).unwrap_or(1.0) as usize, number(2).unwrap_or(0.0)),
            "E" => {
                let scheme = SCHEMES.iter().find(|s| **s == words[1]).copied().unwrap_or("other");
                episodes.push(Episode { scheme, start: f64::MAX, calls: Vec::new(), again: false });
            }
            _ => {
                let at = number(1).unwrap_or(0.0) - start;
                let mut call = Call::new(
                    at,
                    number(2).unwrap_or(0.0) as usize,
                    words[3].to_owned(),
                    number(5).unwrap_or(1.0),
                    number(4),
                );
                call.inbound = words[7] == "1";
                call.episode = number(6).map(|n| n as usize);
                call.rate = number(8).filter(|rate| *rate > 0.0);
                if let Some(n) = call.episode {
                    episodes[n].start = episodes[n].start.min(at);
                    episodes[n].calls.push(call.clone());
                }
                calls.push(call);
            }
        }
    }
    calls.sort_by(|a, b| a.at.total_cmp(&b.at));
    (handsets, calls, episodes)
}

pub fn play(world: &World, seed: u64, config: &str) -> Played {
    let mut world = world.clone();
    let (calls, episodes) = match &world.trace {
        Some(trace) => {
            let (handsets, calls, episodes) = read(&format!("{trace}.{seed}"));
            world.handsets = handsets;
            (calls, episodes)
        }
        None => make(&world, seed),
    };
    let world = &world;
    let config = Config::parse("bench", config, std::path::Path::new("")).expect("the bench's config holds");
    let dial = Dial::new(&config.dial()).expect("dial");
    let ledger = Arc::new(Ledger::default());
    let prices = Prices::new(dial.rates().to_vec(), dial.currency().to_owned(), dial.prices_basis());
    let mut judge = Judge::new(config.judge(), Arc::clone(&ledger), prices);
    let mut places = Table::new(4_096, 0);
    let who: Vec<Who> = (0..world.handsets)
        .map(|n| Who {
            id: HandsetId(places.find_or_insert(&n, Timestamp(0), || ()).slot),
            user: Text::from(format!("{}", 200 + n).as_str()),
            verified: true,
            ip: IpAddr::V4(Ipv4Addr::new(10, 0, (n / 250) as u8, (n % 250) as u8 + 1)),
            mac: None,
        })
        .collect();
    let mut pages = Vec::new();
    let (mut infos, mut nanos) = (0, Vec::new());
    for (n, who) in who.iter().enumerate() {
        let time = stamp(n as f64);
        judge.handle_fact(&Fact::Registered { time, who: *who }, time);
    }
    let targets: Vec<_> = calls.iter().map(|call| dial.classify(Leg::Handset, call.to.as_bytes())).collect();
    let rate = targets
        .iter()
        .zip(&calls)
        .map(|(t, c)| c.rate.unwrap_or(dial.rate(t.rate).per_minute as f64 / 1e6))
        .collect();
    let mut steps = Vec::new();
    let mut dice = Dice::new(seed, 3);
    for (i, call) in calls.iter().enumerate() {
        let mut put = |at: f64, step: Step| {
            if !dice.chance(world.lost) {
                steps.push((at, step));
            }
        };
        put(call.at, Step::Attempt(i));
        if call.talk.is_some() {
            put(call.at + call.setup, Step::Answer(i));
        }
        put(call.end(), Step::End(i));
    }
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut seen = vec![false; calls.len()];
    for (at, step) in steps {
        let now = stamp(at);
        let (i, state) = match step {
            Step::Attempt(i) => (i, CallState::Attempted),
            Step::Answer(i) => (i, CallState::Answered),
            Step::End(i) => (i, if calls[i].talk.is_some() { CallState::Ended } else { CallState::Failed }),
        };
        if state == CallState::Attempted {
            seen[i] = true;
        } else if !seen[i] {
            continue;
        }
        let call = &calls[i];
        let target = targets[i];
        let fact = CallFact {
            time: now,
            call: CallNo(i as u64 + 1),
            state,
            leg: Leg::Handset,
            joined: false,
            direction: if call.inbound { Direction::Inbound } else { Direction::Outbound },
            cause: if call.forwarded { Cause::Forwarded } else { Cause::Dialled },
            code: 0,
            started: stamp(call.at),
            talked: Span(if state == CallState::Ended { (call.talk.unwrap_or(0.0) * 1e6) as i64 } else { 0 }),
            expired: None,
            told: Span::ZERO,
            call_id_reused: false,
            repeated: false,
            who: who[call.handset],
            call_id: Text::from(format!("{i}").as_str()),
            dialled: Text::from(call.to.as_str()),
            target,
            // The worlds don't say who calls in.
            caller: 0,
        };
        let rows = [Account::Office, Account::Handset(fact.who.id)]
            .map(|account| Key { account, group: target.group });
        if !call.inbound {
            match state {
                CallState::Attempted => rows.iter().for_each(|row| ledger.attempt(*row, now)),
                CallState::Answered => {}
                _ => rows.iter().for_each(|row| ledger.closed(*row)),
            }
        }
        let before = std::time::Instant::now();
        judge.handle_fact(&Fact::Call(fact), now);
        if state == CallState::Attempted && !call.inbound && target.overseas() {
            nanos.push(u32::try_from(before.elapsed().as_nanos()).unwrap_or(u32::MAX));
        }
        while let Some(output) = judge.poll_output() {
            if let Output::Alert(alert) = output {
                if alert.finding.severity == Severity::Info {
                    infos += usize::from(alert.state == AlertState::Raised);
                } else if alert.state != AlertState::Cleared {
                    pages.push(page(&alert, &who));
                }
            }
        }
    }
    Played { calls, episodes, pages, rate, nanos, infos }
}

trait Overseas {
    fn overseas(&self) -> bool;
}

impl Overseas for ringfence::dial::Target {
    fn overseas(&self) -> bool {
        !matches!(self.group, ringfence::dial::Group::Free | ringfence::dial::Group::National)
    }
}

fn page(alert: &Alert, who: &[Who]) -> Page {
    let index = |id: &Text<128>| std::str::from_utf8(id.as_bytes()).ok().and_then(|s| s.parse().ok());
    let finding = &alert.finding;
    let calls: Vec<usize> = finding.samples.iter().filter_map(|s| index(&s.call_id)).collect();
    let also = finding.evidence.iter().find(|(name, _)| *name == "also");
    Page {
        at: (alert.time.0 - START * 1_000_000) as f64 / 1e6,
        handset: finding.who.and_then(|w| who.iter().position(|h| h.id == w.id)),
        rule: format!("{}{}", finding.rule.name(), also.map_or("", |_| "+")),
        calls,
        state: alert.state,
        sentence: finding.sentence.clone(),
        severity: finding.severity,
    }
}
