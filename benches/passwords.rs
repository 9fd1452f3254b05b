//! The password check: 500 candidates on each of 500 handsets, what 100,000 digests that wait cost, and
//! what they cost the alerts that are found meanwhile.
//!
//! `cargo bench --bench passwords`. One core; the passwords are on no list, so every candidate is tried.
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

mod measure;
#[path = "measure/memory.rs"]
mod memory;

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use measure::{median, seconds};
use memory::mib;
use ringfence::capture::file::{self, Source};
use ringfence::fact::Fact;
use ringfence::fact::secret::{Exercise, Lock, Secret};
use ringfence::fact::{Device, Role};
use ringfence::judge::Output;
use ringfence::posture::password::{Checker, Settings};
use ringfence::run::engine::{self, Engine, Sink};
use ringfence::sip::digest::Credentials;
use ringfence::sip::proof::Proof;
use ringfence::text::Text;
use ringfence::time::{Span, Timestamp};

const HANDSETS: u16 = 500;
const WAITING: u64 = 100_000;

fn exercise(n: u64, algorithm: &str, time: Timestamp) -> Exercise {
    let [.., high, low] = n.to_be_bytes();
    let digits = if algorithm == "MD5" { 32 } else { 64 };
    let text = format!(
        "Digest username=\"{}\", realm=\"pbx\", nonce=\"{n:016x}\", uri=\"sip:pbx\", response=\"{:0digits$x}\", \
         algorithm={algorithm}, qop=auth, nc=00000001, cnonce=\"{n:08x}\"",
        2_000 + n,
        n + 1
    );
    let credentials = Credentials::parse(text.as_bytes());
    let proof = credentials.and_then(|read| Proof::new(&read, b"REGISTER", None));
    let ip = IpAddr::from([10, 0, high, low]);
    Exercise {
        time,
        device: Device { role: Role::Handset, ip: Some(ip), mac: None, vlan: None, who: None },
        lock: Lock::Sip,
        account: Text::default(),
        secret: Secret::Digest(Box::new(proof.unwrap_or_else(|| unreachable!("credentials")))),
    }
}

fn settings() -> Settings {
    let network = |text: &str| text.parse().unwrap_or_else(|_| unreachable!("{text}"));
    Settings {
        enabled: true,
        networks: vec![network("10.0.0.0/8")],
        realms: vec!["pbx".to_owned()],
        words: (0..500).map(|n| format!("word-of-the-operator-{n}")).collect(),
        queue: usize::from(HANDSETS),
        ..Settings::default()
    }
}

/// Says whether an alert was raised or has changed.
#[derive(Default)]
struct Alerts(bool);

impl Sink for Alerts {
    fn fact(&mut self, _: &Fact) -> io::Result<()> {
        Ok(())
    }

    fn output(&mut self, output: &Output) -> io::Result<()> {
        self.0 |= matches!(output, Output::Alert(_));
        Ok(())
    }
}

/// How long each alert of some captures took, from its packet to what the judge says of it, in seconds.
fn delays(captures: &[PathBuf]) -> Vec<f64> {
    let mut delays = Vec::new();
    for path in captures {
        let mut engine = Engine::new(engine::Settings::default()).expect("the default settings hold");
        let mut capture = file::open(&Source::Path(path.clone())).expect("a shipped capture opens");
        while let Some(frame) = capture.next().expect("a shipped capture is whole") {
            let (mut alerts, begun) = (Alerts::default(), Instant::now());
            engine.frame(&frame, &mut alerts).expect("nobody refuses anything");
            if alerts.0 {
                delays.push(begun.elapsed().as_secs_f64());
            }
        }
    }
    delays
}

/// The check as its thread runs it: 100,000 digests have come, it holds as many as it may, and tries them at
/// its pace until it is told to end.
fn check(all: Vec<Exercise>, began: Timestamp, full: &Sender<()>, over: &Receiver<()>) {
    let (mut checker, begun) = (Checker::new(Settings { queue: 1_000, ..settings() }), Instant::now());
    all.into_iter().for_each(|exercise| checker.submit(exercise));
    full.send(()).expect("somebody waits");
    while over.try_recv().is_err() {
        let now = began.plus(Span(i64::try_from(begun.elapsed().as_micros()).unwrap_or(0)));
        while checker.poll(now).is_some() {}
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What of all lies in the middle, and what 99 of 100 don't exceed.
fn shares(delays: &[f64]) -> [f64; 2] {
    let mut delays = delays.to_vec();
    delays.sort_by(f64::total_cmp);
    [delays.len() / 2, delays.len() * 99 / 100].map(|at| delays[at])
}

/// Alerts with and without the check beside them, in turn, so that whatever else the machine does meets
/// both alike.
fn alerts(now: Timestamp) {
    const ROUNDS: usize = 21;
    let attacks =
        ["irsf_fast", "premium_dom", "range_hunt", "satellite", "wangiri", "forwarding", "exec_comp"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/attacks");
    let captures = attacks.map(|attack| folder.join(attack).join("capture.pcap"));
    delays(&captures);
    let (mut ratios, mut all) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for _ in 0..ROUNDS {
        let off = delays(&captures);
        let exercises: Vec<Exercise> = (0..WAITING).map(|n| exercise(n, "MD5", now)).collect();
        let ((full, is_full), (over, is_over)) = (channel(), channel());
        let beside = std::thread::spawn(move || check(exercises, now, &full, &is_over));
        is_full.recv().expect("the check runs");
        let on = delays(&captures);
        over.send(()).expect("the check runs");
        beside.join().expect("the check ends");
        for (ratio, (on, off)) in ratios.iter_mut().zip(shares(&on).into_iter().zip(shares(&off))) {
            ratio.push(on / off);
        }
        all[0].extend(off);
        all[1].extend(on);
    }
    let [off, on] = all.map(|all| (all.len(), shares(&all).map(|s| s * 1e6)));
    println!(
        "an alert, from its packet to its words: half within {:.0} us, 99% within {:.0} us ({})",
        off.1[0], off.1[1], off.0
    );
    println!(
        "with {WAITING} digests queued: half within {:.0} us, 99% within {:.0} us ({})",
        on.1[0], on.1[1], on.0
    );
    let [half, most] = ratios.map(|ratio| median(&ratio));
    println!("with over without, the middle of {ROUNDS} rounds: {half:.3} and {most:.3}");
}

fn main() {
    let now = Timestamp::from_parts(1_795_510_800, 0);
    for algorithm in ["MD5", "SHA-256", "SHA-512-256"] {
        let runs: Vec<f64> = (0..5)
            .map(|_| {
                let mut checker = Checker::new(settings());
                (0..u64::from(HANDSETS)).for_each(|n| checker.submit(exercise(n, algorithm, now)));
                seconds(|| while checker.finish().is_some_and(|verdict| !verdict.listed) {})
            })
            .collect();
        let s = median(&runs);
        println!("500 candidates x {HANDSETS} handsets, {algorithm}: {s:.3} s on one core");
    }
    let mut checker = Checker::new(settings());
    let all: Vec<Exercise> = (0..WAITING).map(|n| exercise(n, "MD5", now)).collect();
    let submit = seconds(|| all.into_iter().for_each(|one| checker.submit(one)));
    // The bucket is emptied, then asked again and again as a busy thread would.
    while checker.poll(now).is_some() {}
    let idle = seconds(|| (0..WAITING).filter(|_| checker.poll(now.plus(Span(1))).is_some()).count());
    let each = |s: f64| s * 1e9 / WAITING as f64;
    println!("{WAITING} digests that wait: {:.0} ns each to take or to count as dropped", each(submit));
    println!("{} wait, {:.0} MiB in use", settings().queue, mib("VmRSS"));
    println!("a poll while the bucket is empty: {:.0} ns", each(idle));
    alerts(now);
}
