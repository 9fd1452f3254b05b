//! The whole engine over generated office traffic: quiet scenarios page nobody, attacks page early.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use ringfence::alert::{Alert, AlertState};
use ringfence::config::Config;
use ringfence::drill::{self, Episode, Sort};
use ringfence::fact::Fact;
use ringfence::finding::Severity;
use ringfence::judge::Output;
use ringfence::run::engine::{Settings, Sink};
use ringfence::score;

const SEEDS: [u64; 3] = [101, 102, 103];

#[derive(Default)]
struct Pages(Vec<Alert>);

impl Sink for Pages {
    fn fact(&mut self, _: &Fact) -> io::Result<()> {
        Ok(())
    }

    fn output(&mut self, output: &Output) -> io::Result<()> {
        if let Output::Alert(alert) = output
            && alert.finding.severity > Severity::Info
            // Checks of handset security need packets.
            && alert.finding.rule.rule().is_some()
        {
            self.0.push((**alert).clone());
        }
        Ok(())
    }
}

/// Plays a scenario through the judge with the shipped settings. That this is what a capture of it
/// gives is tested where the short way lives, in `score`.
fn play(name: &str, seed: u64) -> (Vec<Alert>, Vec<Episode>) {
    let config = Config::parse("defaults", "", Path::new("")).unwrap();
    let settings = Settings {
        dial: config.dial(),
        sensor: config.sensor(),
        judge: config.judge(),
        ..Settings::default()
    };
    let mut pages = Pages::default();
    let episodes = score::play(name, seed, drill::Options::default(), &settings, &mut pages).unwrap();
    (pages.0, episodes)
}

/// How many calls of an attack had been dialled when the first page named one of them.
fn calls_until_page(pages: &[Alert], episode: &Episode) -> Option<usize> {
    let calls: BTreeSet<&[u8]> = episode.calls.iter().map(|call| call.call_id.as_bytes()).collect();
    let page =
        pages.iter().find(|p| p.finding.samples.iter().any(|s| calls.contains(s.call_id.as_bytes())))?;
    let at = page.time.to_string();
    Some(episode.calls.iter().filter(|call| call.time <= at).count())
}

#[test]
fn quiet_scenarios_page_nobody() {
    for scenario in drill::scenarios().iter().filter(|s| s.sort == Sort::Quiet) {
        for seed in SEEDS {
            let (pages, _) = play(scenario.name, seed);
            let said: Vec<&str> = pages.iter().map(|page| page.finding.sentence.as_str()).collect();
            assert!(said.is_empty(), "{} {seed}: {said:?}", scenario.name);
        }
    }
}

#[test]
fn attacks_page_early() {
    // The rest needs the learned detector: calls spread over days, or a number that rang before.
    for (name, most) in [
        ("irsf_fast", 5),
        ("long_held", 3),
        ("distributed", 5),
        ("premium_dom", 3),
        ("range_hunt", 3),
        ("forwarding", 1),
        ("redirecting", 3),
        ("transferring", 3),
        ("prefix_probe", 5),
        ("satellite", 2),
        ("incident_a", 3),
        ("incident_b", 4),
        ("incident_c", 3),
        ("incident_d", 3),
        ("incident_e", 3),
        ("incident_f", 3),
        ("demo", 3),
    ] {
        for seed in SEEDS {
            let (pages, episodes) = play(name, seed);
            for episode in &episodes {
                let calls = calls_until_page(&pages, episode);
                assert!(calls.is_some_and(|calls| calls <= most), "{name} {seed}: {calls:?}");
            }
        }
    }
}

#[test]
fn the_same_capture_gives_the_same_alerts() {
    let (first, _) = play("incident_e", 7);
    let (second, _) = play("incident_e", 7);
    assert!(!first.is_empty());
    assert_eq!(first, second);
}

#[test]
fn an_attack_is_few_pages() {
    for (name, most) in [("irsf_fast", 1), ("demo", 1), ("incident_b", 2), ("incident_e", 4)] {
        for seed in SEEDS {
            let (pages, _) = play(name, seed);
            let raised = pages.iter().filter(|page| page.state == AlertState::Raised).count();
            assert!((1..=most).contains(&raised), "{name} {seed}: {raised}");
        }
    }
}
