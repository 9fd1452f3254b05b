//! What each stage of the sensor costs an INVITE.
//!
//! `cargo bench --bench stages`, or with a capture's name behind `--`. Each row runs the stages so
//! far over the same capture, the last one the whole sensor; the difference to the row above is the
//! stage's own cost. See `benches/README.md`.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

mod measure;

use std::fs::File;
use std::hint::black_box;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use measure::{median, seconds};
use ringfence::bounded::SlotId;
use ringfence::calls::{Calls, Seen, Step};
use ringfence::capture::file::{self, Source};
use ringfence::decode::{Decoder, Packet};
use ringfence::dial::{Dial, Leg};
use ringfence::drill;
use ringfence::handsets::{Handsets, Said};
use ringfence::ledger::{Account, Key, Ledger};
use ringfence::sensor::Sensor;
use ringfence::sip::{Message, Sniff, sniff, uri};

const INVITES: u64 = 200_000;
const ROUNDS: usize = 3;

/// The stages in the order of the packet's way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Read,
    Decode,
    Scan,
    Calls,
    Handsets,
    Dial,
    Ledger,
    Whole,
}

const STAGES: [(Stage, &str); 8] = [
    (Stage::Read, "read the file"),
    (Stage::Decode, "decode"),
    (Stage::Scan, "sniff and scan"),
    (Stage::Calls, "calls"),
    (Stage::Handsets, "handsets"),
    (Stage::Dial, "dial"),
    (Stage::Ledger, "ledger"),
    (Stage::Whole, "touches, hints, exchanges, coverage, facts"),
];

/// The stages up to the ledger, put together as the sensor does.
struct Prefix {
    upto: Stage,
    decoder: Decoder,
    calls: Calls<Key>,
    handsets: Handsets,
    dial: Dial,
    ledger: Ledger,
}

impl Prefix {
    fn new(upto: Stage) -> Self {
        Self {
            upto,
            decoder: Decoder::default(),
            calls: Calls::new(Default::default()),
            handsets: Handsets::new(Default::default()),
            dial: dial(),
            ledger: Ledger::default(),
        }
    }

    fn frame(&mut self, frame: &ringfence::frame::Frame<'_>) {
        let Self { upto, decoder, calls, handsets, dial, ledger } = self;
        let now = frame.ts;
        if *upto == Stage::Read {
            return;
        }
        let Ok(Packet::Datagram(datagram)) = decoder.decode(frame) else { return };
        if *upto == Stage::Decode || sniff::sniff(black_box(&datagram).payload) != Sniff::Sip {
            return;
        }
        let Ok(msg) = Message::parse(datagram.payload) else { return };
        if *upto == Stage::Scan {
            black_box(&msg);
            return;
        }
        while let Some(step) = calls.expire(now) {
            if let Step::Ended(slot) | Step::Failed(slot) = step {
                if let Some(key) = calls.get(slot).and_then(|call| call.tag) {
                    ledger.closed(key);
                }
                calls.release(slot);
            }
        }
        let (dialled, caller) = (uri::user(msg.called()), uri::user(msg.from.uri));
        let seen = Seen { msg: &msg, path: &datagram.path, dialled, caller, now };
        let Step::Attempted(slot) = calls.observe(&seen) else { return };
        if *upto == Stage::Calls {
            return;
        }
        let sender = handsets.sender(&datagram.path, &Said { from: caller, ..Said::default() }, None, now);
        let who = handsets.who_is(&sender);
        if *upto == Stage::Handsets {
            black_box(who);
            return;
        }
        let target = dial.classify(Leg::Handset, msg.called());
        if *upto == Stage::Dial {
            black_box(target);
            return;
        }
        count(ledger, calls, slot, Key { account: Account::Handset(who.id), group: target.group }, now);
    }
}

fn count(ledger: &Ledger, calls: &mut Calls<Key>, slot: SlotId, key: Key, now: ringfence::time::Timestamp) {
    ledger.attempt(key, now);
    ledger.attempt(Key { account: Account::Office, ..key }, now);
    calls.tag(slot, key);
}

/// The part that is the same for every home is compiled once in the process.
fn dial() -> Dial {
    Dial::new(&Default::default()).expect("the default dial plan compiles")
}

/// Seconds that a stage takes with those before it, and the frames it took. What is made once for
/// all frames isn't timed.
fn run(stage: Stage, path: &Path) -> (f64, u64) {
    let mut capture = file::open(&Source::Path(path.to_path_buf())).expect("the capture opens");
    let mut frames = 0;
    if stage == Stage::Whole {
        let mut sensor = Sensor::new(Default::default(), dial(), Arc::new(Ledger::default()));
        let taken = seconds(|| {
            while let Ok(Some(frame)) = capture.next() {
                frames += 1;
                sensor.handle_frame(&frame);
                while let Some(fact) = sensor.poll_fact() {
                    black_box(fact);
                }
            }
        });
        return (taken, frames);
    }
    let mut prefix = Prefix::new(stage);
    let taken = seconds(|| {
        while let Ok(Some(frame)) = capture.next() {
            frames += 1;
            prefix.frame(&frame);
        }
    });
    (taken, frames)
}

fn main() {
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let given = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let path = given.map_or_else(
        || {
            let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("stages.pcap");
            let mut out = BufWriter::new(File::create(&path).expect("the target folder can be written"));
            drill::bench_invites(INVITES, &mut out).expect("the bench's capture is written");
            path
        },
        PathBuf::from,
    );
    let mut times = [const { Vec::new() }; STAGES.len()];
    let mut frames = 1;
    for _ in 0..ROUNDS {
        for ((stage, _), times) in STAGES.iter().zip(&mut times) {
            let (taken, count) = run(*stage, &path);
            times.push(taken);
            frames = count.max(1);
        }
    }
    println!("{frames} frames; nanoseconds a frame");
    let mut before = 0.0;
    for ((_, name), times) in STAGES.iter().zip(&times) {
        let all = median(times) / frames as f64 * 1e9;
        println!("{name:<44} {:>6.0} ns, {all:>6.0} ns so far", all - before);
        before = all;
    }
}
