//! What the learned detector costs: time for each outbound call, memory for each handset.
//!
//! `cargo bench --bench detector`. Each update is timed by itself, so the clock's own cost is in it;
//! another program on the same core shows in the last percentiles, and in nothing else.
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use ringfence::baseline::exposure::Prices;
use ringfence::baseline::handset::Handset;
use ringfence::baseline::odds::HandsetOdds;
use ringfence::baseline::{self, Baseline};
use ringfence::capture::file::{self, Source};
use ringfence::dial::Dial;
use ringfence::drill;
use ringfence::fact::{CallFact, CallState, Fact};
use ringfence::ledger::Ledger;
use ringfence::sensor::Sensor;
use ringfence::time::OfficeHours;

const CALLS: u64 = 300_000;

/// The calls of a busy office of 2,000 handsets: 30% abroad, premium or satellite.
fn attempts() -> Vec<CallFact> {
    let path = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    let mut out = std::io::BufWriter::new(path.reopen().expect("it opens"));
    drill::bench_invites(CALLS, &mut out).expect("it can be written");
    drop(out);
    let dial = Dial::new(&Default::default()).expect("the default dial plan compiles");
    let mut sensor = Sensor::new(Default::default(), dial, Arc::new(Ledger::default()));
    let mut capture = file::open(&Source::Path(path.path().to_path_buf())).expect("the capture opens");
    let mut calls = Vec::new();
    while let Some(frame) = capture.next().expect("the capture is whole") {
        sensor.handle_frame(&frame);
        while let Some(fact) = sensor.poll_fact() {
            match fact {
                Fact::Call(call) if call.state == CallState::Attempted => calls.push(*call),
                _ => {}
            }
        }
    }
    calls
}

fn main() {
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let dial = Dial::new(&Default::default()).expect("the default dial plan compiles");
    let prices = Prices::new(dial.rates().to_vec(), dial.currency().to_owned(), dial.prices_basis());
    let mut baseline = Baseline::new(baseline::Settings::default(), OfficeHours::default(), prices);
    let calls = attempts();
    let mut nanos: Vec<u128> = calls
        .iter()
        .map(|call| {
            let begin = Instant::now();
            black_box(baseline.attempt(call, call.time, true));
            begin.elapsed().as_nanos()
        })
        .collect();
    // The first calls build the tables; what follows is how it stays.
    let mut steady = nanos.split_off(nanos.len() / 10);
    steady.sort_unstable();
    let at = |share: usize| steady.get(steady.len() * share / 1_000).copied().unwrap_or_default();
    println!(
        "{} outbound calls of 2,000 handsets: p50 {} ns, p90 {} ns, p99 {} ns, p99.9 {} ns an update",
        steady.len(),
        at(500),
        at(900),
        at(990),
        at(999)
    );
    println!(
        "state: {} bytes a handset for the learned odds (at most 512), {} with its history, habits and spending",
        size_of::<HandsetOdds>(),
        size_of::<Handset>()
    );
}
