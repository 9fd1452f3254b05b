//! The whole way of a packet, against a bare libpcap loop over the same file in the same run.
//!
//! `cargo bench --bench pipeline` (or `make bench`). See `benches/README.md` for how to read it.
#![allow(missing_docs, clippy::print_stdout, clippy::disallowed_methods)]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use ringfence::capture::file::{self, Source};
use ringfence::dial::Dial;
use ringfence::drill;
use ringfence::fact::Fact;
use ringfence::judge::Output;
use ringfence::ledger::Ledger;
use ringfence::run::engine::{Engine, Settings, Sink};
use ringfence::sensor::Sensor;

const INVITES: u64 = 1_000_000;
const MIRROR_FRAMES: u64 = 3_000_000;
const ROUNDS: usize = 5;

struct Nowhere;

impl Sink for Nowhere {
    fn fact(&mut self, fact: &Fact) -> io::Result<()> {
        black_box(fact);
        Ok(())
    }

    fn output(&mut self, output: &Output) -> io::Result<()> {
        black_box(output);
        Ok(())
    }
}

fn bare_loop(path: &Path) -> u64 {
    let mut capture = pcap::Capture::from_file(path).expect("the bench's own capture opens");
    let mut bytes = 0u64;
    while let Ok(packet) = capture.next_packet() {
        bytes += u64::from(packet.header.len);
    }
    black_box(bytes)
}

fn sensor_alone(path: &Path) -> u64 {
    let dial = Dial::new(&Default::default()).expect("the default dial plan compiles");
    let mut sensor = Sensor::new(Default::default(), dial, Arc::new(Ledger::default()));
    let mut capture = file::open(&Source::Path(path.to_path_buf())).expect("the bench's own capture opens");
    while let Some(frame) = capture.next().expect("the bench's own capture is whole") {
        sensor.handle_frame(&frame);
        while let Some(fact) = sensor.poll_fact() {
            black_box(&fact);
        }
    }
    sensor.totals().attempts
}

fn with_judge(path: &Path) -> u64 {
    let mut engine = Engine::new(Settings::default()).expect("the default settings hold");
    let mut capture = file::open(&Source::Path(path.to_path_buf())).expect("the bench's own capture opens");
    while let Some(frame) = capture.next().expect("the bench's own capture is whole") {
        engine.frame(&frame, &mut Nowhere).expect("nowhere takes everything");
    }
    engine.finish(&mut Nowhere).expect("nowhere takes everything");
    engine.sensor().totals().attempts
}

fn seconds(work: fn(&Path) -> u64, path: &Path) -> f64 {
    let start = Instant::now();
    black_box(work(path));
    start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// One row: seconds, and the ratio to the bare loop that ran right beside it.
fn row(name: &str, unit: &str, count: u64, work: fn(&Path) -> u64, path: &Path) {
    let mut times = Vec::new();
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let bare = seconds(bare_loop, path);
        let ours = seconds(work, path);
        times.push(ours);
        ratios.push(ours / bare);
    }
    let (time, ratio) = (median(times), median(ratios));
    #[allow(clippy::cast_precision_loss)]
    let count = count as f64;
    println!(
        "{name:<34} {time:>7.3} s  {:>9.0} {unit}/s  {:>6.0} ns/{unit}  {ratio:>5.2} x the bare loop",
        count / time,
        time / count * 1e9
    );
}

fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kib| kib / 1024)
}

fn generated(name: &str, make: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(name);
    let mut out = BufWriter::new(File::create(&path).expect("the target folder can be written"));
    make(&mut out).expect("the bench's capture is written");
    path
}

fn main() {
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let invites_of = |n: u64| move |out: &mut dyn io::Write| drill::bench_invites(n, out).map(|_| ());
    let tenth = generated("invites-100k.pcap", invites_of(INVITES / 10));
    let invites = generated("invites.pcap", invites_of(INVITES));
    let mirror = generated("mirror.pcap", |out| drill::bench_mirror(MIRROR_FRAMES, out).map(|_| ()));

    let attempts = with_judge(&tenth);
    let small = peak_mib();
    assert_eq!(attempts, INVITES / 10, "every INVITE of the file is an attempt of its own");
    with_judge(&invites);
    println!("peak memory: {small} MiB after 100,000 INVITEs, {} MiB after 1,000,000", peak_mib());

    println!("\n{INVITES} INVITEs of about 930 bytes (10GbE carries 1,314,000/s: 761 ns each)");
    row("bare libpcap loop", "INVITE", INVITES, bare_loop, &invites);
    row("sensor", "INVITE", INVITES, sensor_alone, &invites);
    row("sensor and judge", "INVITE", INVITES, with_judge, &invites);

    println!("\n{MIRROR_FRAMES} frames of an office mirror, 95% of them RTP");
    row("bare libpcap loop", "frame", MIRROR_FRAMES, bare_loop, &mirror);
    row("sensor", "frame", MIRROR_FRAMES, sensor_alone, &mirror);
    row("sensor and judge", "frame", MIRROR_FRAMES, with_judge, &mirror);
}
