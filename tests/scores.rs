//! The learned odds of every costly call in the shipped captures, to 1e-6, in `fixtures/scores.txt`; the
//! decisions and counts that follow from them are pinned in each fixture's `alerts.jsonl`.
//!
//! Tuning changes this file, and is meant to: `UPDATE_GOLDEN=1 cargo test --test scores --test fixtures`
//! writes it anew, then read the difference. A refactoring must not change it. The maths comes from
//! `libm`, which gives the same bits on every machine.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use ringfence::capture::file::{self, Source};
use ringfence::config::Config;
use ringfence::fact::{CallNo, CallState, Fact};
use ringfence::judge::Output;
use ringfence::ledger;
use ringfence::run::engine::{Engine, Settings, Sink};

#[derive(Default)]
struct Attempts(Vec<CallNo>);

impl Sink for Attempts {
    fn fact(&mut self, fact: &Fact) -> io::Result<()> {
        if let Fact::Call(call) = fact
            && call.state == CallState::Attempted
        {
            self.0.push(call.call);
        }
        Ok(())
    }

    fn output(&mut self, _: &Output) -> io::Result<()> {
        Ok(())
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// A line for each costly call: which capture, which call, then score, decades, share of the evidence
/// that it brought, and the office's score and decades.
fn scores(name: &str, out: &mut String) {
    let config = Config::load(&fixtures().join(name).join("config.toml")).unwrap();
    let (dial, sensor, judge) = (config.dial(), config.sensor(), config.judge());
    let settings = Settings { dial, sensor, ledger: ledger::Settings::default(), judge };
    let mut engine = Engine::new(settings).unwrap();
    let mut capture = file::open(&Source::Path(fixtures().join(name).join("capture.pcap"))).unwrap();
    let mut attempts = Attempts::default();
    while let Some(frame) = capture.next().unwrap() {
        engine.frame(&frame, &mut attempts).unwrap();
        for call in attempts.0.drain(..) {
            let Some((own, office)) = engine.judge().weighed(call) else { continue };
            let [of, for_office] = [Some(own), office].map(|odds| {
                odds.map_or_else(|| "- -".to_owned(), |odds| format!("{:.7} {:.7}", odds.score, odds.decades))
            });
            writeln!(out, "{name} {} {of} {:.7} {for_office}", call.0, own.due).unwrap();
        }
    }
}

#[test]
fn odds_are_those_of_the_golden_file() {
    let mut now = String::new();
    for folder in ["attacks", "chains", "demo", "quiet"] {
        let entries = std::fs::read_dir(fixtures().join(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| format!("{folder}/{}", entry.unwrap().file_name().into_string().unwrap()))
            .filter(|name| fixtures().join(name).join("capture.pcap").exists())
            .collect();
        names.sort();
        names.iter().for_each(|name| scores(name, &mut now));
    }
    let path = fixtures().join("scores.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(now.lines().count() > 100, "hardly any costly call");
    assert_eq!(
        now.lines().count(),
        golden.lines().count(),
        "calls were weighed that weren't, or the reverse"
    );
    for (now, golden) in now.lines().zip(golden.lines()) {
        let alike = |a: &str, b: &str| match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => (a - b).abs() <= 1e-6,
            _ => a == b,
        };
        let same = now.split(' ').count() == golden.split(' ').count()
            && now.split(' ').zip(golden.split(' ')).all(|(a, b)| alike(a, b));
        assert!(same, "UPDATE_GOLDEN=1 writes it anew, if that was meant\n  now: {now}\nbefore: {golden}");
    }
}
