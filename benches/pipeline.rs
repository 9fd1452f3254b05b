//! The whole way of a packet, against a bare libpcap loop over the same file in the same run.
//!
//! `cargo bench --bench pipeline` (or `make bench`). See `benches/README.md` for how to read it.
//! `-- run sensor 50000` runs one of bare, sensor and judge once over so many INVITEs (or
//! `strangers:50000`, `mirror:50000`, or a capture's name), for a profiler.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

mod measure;
#[path = "measure/memory.rs"]
mod memory;

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use measure::{median, seconds};
use memory::mib;
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
const ROUNDS: usize = 7;

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
            black_box(fact);
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

type Work = fn(&Path) -> u64;

/// The bare loop and the others in turn, several times over. A row's ratio is the median of its
/// ratios to the bare loop of the same round.
fn table(unit: &str, count: u64, rows: &[(&str, Work)], path: &Path) {
    let mut bare = Vec::new();
    let mut times = vec![Vec::new(); rows.len()];
    for _ in 0..ROUNDS {
        bare.push(seconds(|| bare_loop(path)));
        for ((_, work), times) in rows.iter().zip(&mut times) {
            times.push(seconds(|| work(path)));
        }
    }
    print_row("bare libpcap loop", unit, count, &bare, &bare);
    for ((name, _), times) in rows.iter().zip(&times) {
        print_row(name, unit, count, times, &bare);
    }
}

fn print_row(name: &str, unit: &str, count: u64, times: &[f64], bare: &[f64]) {
    let ratios: Vec<f64> = times.iter().zip(bare).map(|(ours, bare)| ours / bare).collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    let (time, ratio) = (median(times), median(&ratios));
    println!(
        "{name:<20} {:>9.0} {unit}/s  {:>6.0} ns/{unit}  {ratio:>5.2} x the bare loop ({least:.2} to {most:.2})",
        count as f64 / time,
        time / count as f64 * 1e9
    );
}

fn generated(name: &str, make: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(name);
    let mut out = BufWriter::new(File::create(&path).expect("the target folder can be written"));
    make(&mut out).expect("the bench's capture is written");
    path
}

fn invites(n: u64) -> PathBuf {
    generated(&format!("invites-{n}.pcap"), |out| drill::bench_invites(n, out).map(|_| ()))
}

fn strangers(n: u64) -> PathBuf {
    generated(&format!("strangers-{n}.pcap"), |out| drill::bench_strangers(n, out).map(|_| ()))
}

fn mirror(n: u64) -> PathBuf {
    generated(&format!("mirror-{n}.pcap"), |out| drill::bench_mirror(n, out).map(|_| ()))
}

/// `50000`, `strangers:50000`, `mirror:50000`, or a capture's name.
fn capture_of(of: &str) -> PathBuf {
    let (kind, count) = of.split_once(':').unwrap_or(("invites", of));
    match (kind, count.parse()) {
        ("invites", Ok(n)) => invites(n),
        ("strangers", Ok(n)) => strangers(n),
        ("mirror", Ok(n)) => mirror(n),
        _ => PathBuf::from(of),
    }
}

fn run(what: &str, of: &str) {
    let work: Work = match what {
        "sensor" => sensor_alone,
        "judge" => with_judge,
        _ => bare_loop,
    };
    let path = capture_of(of);
    // Compiled once in a process; not what is measured.
    drop(Dial::new(&Default::default()));
    let mut counted = 0;
    let taken = seconds(|| {
        counted = work(&path);
        counted
    });
    println!("{what}: {counted} in {taken:.3} s");
}

/// The same office and the same numbers, ten times as many calls: what is in use must not grow.
fn memory(tenth: &Path, whole: &Path) {
    for (name, work) in [("sensor", sensor_alone as Work), ("sensor and judge", with_judge)] {
        let mut sizes = [0.0; 2];
        for (size, path) in sizes.iter_mut().zip([tenth, whole]) {
            // Resets the mark of the most that was resident (proc(5)).
            fs::write("/proc/self/clear_refs", "5").expect("a process may reset its own mark");
            work(path);
            *size = mib("VmHWM");
        }
        println!(
            "memory, {name}: {:.0} MiB at the most in {} INVITEs, {:.0} MiB in {INVITES}",
            sizes[0],
            INVITES / 10,
            sizes[1]
        );
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    if let [run_it, what, of] = &args[..]
        && run_it == "run"
    {
        return run(what, of);
    }
    let rounds: [(&str, Work); 2] = [("sensor", sensor_alone), ("sensor and judge", with_judge)];
    let (tenth, whole) = (invites(INVITES / 10), invites(INVITES));
    assert_eq!(sensor_alone(&tenth), INVITES / 10, "every INVITE of the file is an attempt of its own");
    memory(&tenth, &whole);
    println!("\n{INVITES} INVITEs of about 930 bytes (10GbE carries 1,314,000/s: 761 ns each)");
    table("INVITE", INVITES, &rounds, &whole);
    println!("\nthe same, of senders that never registered");
    table("INVITE", INVITES / 5, &rounds, &strangers(INVITES / 5));
    println!("\n{MIRROR_FRAMES} frames of an office mirror, 95% of them RTP");
    table("frame", MIRROR_FRAMES, &rounds, &mirror(MIRROR_FRAMES));
}
