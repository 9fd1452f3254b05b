//! The password check: 500 candidates on each of 500 handsets, and what 100,000 digests that wait cost.
//!
//! `cargo bench --bench passwords`. One core; the passwords are on no list, so every candidate is tried.
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

mod measure;
#[path = "measure/memory.rs"]
mod memory;

use std::net::IpAddr;

use measure::{median, seconds};
use memory::resident_mib;
use ringfence::fact::secret::{Exercise, Lock, Secret};
use ringfence::fact::{Device, Role};
use ringfence::posture::password::{Checker, Settings};
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
    println!("{} wait, {:.0} MiB in use", settings().queue, resident_mib());
    println!("a poll while the bucket is empty: {:.0} ns", each(idle));
}
