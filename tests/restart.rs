//! A judge that is written down and made anew at any fact says what it would have said without.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use ringfence::baseline::exposure::Prices;
use ringfence::capture::file::{self, Source};
use ringfence::config::Config;
use ringfence::dial::Dial;
use ringfence::judge::{Judge, Output};
use ringfence::ledger::{self, Ledger};
use ringfence::record::{Privacy, Recorder};
use ringfence::sensor::Sensor;

const CAPTURES: [&str; 8] = [
    "attacks/irsf_fast",
    "attacks/forwarding",
    "attacks/prefix_probe",
    "attacks/distributed",
    "attacks/wangiri",
    "attacks/ultra_slow",
    "chains/scan_then_calls",
    "quiet/travellers",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// Both halves, driven as the engine drives them; the judge is made anew before some facts.
struct House<'c> {
    config: Config,
    sensor: Sensor,
    judge: Judge,
    ledger: Arc<Ledger>,
    prices: Prices,
    recorder: Recorder,
    cuts: &'c BTreeSet<usize>,
    facts: usize,
    said: Vec<u8>,
}

impl<'c> House<'c> {
    fn new(name: &str, cuts: &'c BTreeSet<usize>) -> Self {
        let config = Config::load(&folder(name).join("config.toml")).unwrap();
        let dial = Dial::new(&config.dial()).unwrap();
        let ledger = Arc::new(Ledger::new(ledger::Settings::default()));
        let prices = Prices::new(dial.rates().to_vec(), dial.currency().to_owned(), dial.prices_basis());
        Self {
            sensor: Sensor::new(config.sensor(), dial, Arc::clone(&ledger)),
            judge: Judge::new(config.judge(), Arc::clone(&ledger), prices.clone()),
            recorder: Recorder { privacy: Privacy::Full, names: config.names() },
            config,
            ledger,
            prices,
            cuts,
            facts: 0,
            said: Vec::new(),
        }
    }

    fn restart(&mut self) {
        let kept = postcard::to_stdvec(&self.judge.snapshot()).unwrap();
        self.judge = Judge::new(self.config.judge(), Arc::clone(&self.ledger), self.prices.clone());
        self.judge.restore(postcard::from_bytes(&kept).unwrap());
    }

    fn drain(&mut self, now: ringfence::time::Timestamp) {
        while let Some(fact) = self.sensor.poll_fact().copied() {
            if self.cuts.contains(&self.facts) {
                self.hear();
                self.restart();
            }
            self.facts += 1;
            self.judge.handle_fact(&fact, now);
        }
        self.hear();
    }

    fn hear(&mut self) {
        while let Some(output) = self.judge.poll_output() {
            if matches!(output, Output::Alert(_) | Output::Finding(_)) {
                self.recorder.output(&mut self.said, &output).unwrap();
            }
        }
    }

    fn play(mut self, name: &str) -> (String, usize) {
        let mut capture = file::open(&Source::Path(folder(name).join("capture.pcap"))).unwrap();
        let mut now = None;
        while let Some(frame) = capture.next().unwrap() {
            let (ts, mut at) = (frame.ts, now.unwrap_or(frame.ts));
            loop {
                let next =
                    [self.sensor.poll_timeout(), self.judge.poll_timeout()].into_iter().flatten().min();
                let Some(due) = next.filter(|due| *due <= ts) else { break };
                at = due.max(at);
                self.sensor.handle_timeout(at);
                self.drain(at);
                self.judge.handle_timeout(at);
                self.hear();
            }
            let after = self.sensor.handle_frame(&frame);
            now = Some(after);
            self.drain(after);
        }
        let now = now.unwrap();
        self.judge.finish(now);
        self.hear();
        let open: Vec<String> =
            self.judge.open_alerts(now).iter().map(|alert| format!("{alert:?}")).collect();
        (String::from_utf8(self.said).unwrap() + &open.join("\n"), self.facts)
    }
}

fn say(name: &str, cuts: &BTreeSet<usize>) -> (String, usize) {
    House::new(name, cuts).play(name)
}

fn same(name: &str, cuts: &BTreeSet<usize>) {
    let (through, _) = say(name, &BTreeSet::new());
    let (cut, _) = say(name, cuts);
    let differing = through.lines().zip(cut.lines()).find(|(a, b)| a != b);
    assert!(through == cut, "{name} {cuts:?}: {differing:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_changes_nothing_that_is_said(
        which in 0..CAPTURES.len(),
        cuts in proptest::collection::btree_set(0usize..400, 1..6),
    ) {
        same(CAPTURES[which], &cuts);
    }
}

/// In an attack, at every seventh fact, so that each kind of state is once in the middle of something.
#[test]
fn many_restarts_in_an_attack_change_nothing_that_is_said() {
    for name in ["attacks/irsf_fast", "attacks/forwarding", "chains/scan_then_calls"] {
        let (_, facts) = say(name, &BTreeSet::new());
        assert!(facts > 30, "{name}: {facts} facts");
        same(name, &(0..facts).step_by(7).collect());
    }
}
