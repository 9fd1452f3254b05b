//! Many days of an office, one after the other (R26): what is counted is exact, nothing grows.
//!
//! `RINGFENCE_SOAK_SECONDS` makes it longer than the minute that a build has time for.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::crowd::files;
use super::net::{Daemon, Net, lacks, run};

const TOOLS: [&str; 4] = ["ip", "tcpreplay", "sysctl", "kill"];
const RECEIVED: &str = "ringfence_capture_received_packets_total{interface=\"va\"}";
const BIN: &str = env!("CARGO_BIN_EXE_ringfence");
const CONFIG: &str = "[capture]\ninterfaces = [\"va\"]\nbuffer_mib = 64\n[site]\npbx = [\"10.0.3.2\"]\n";

/// What a remembered call, its number and its handset take at the most; and the whole daemon with its
/// ring of 64 MiB.
const BYTES_A_CALL: u64 = 2_048;
const MOST_KIB: u64 = 256 << 10;

/// One day with calls of its own: messages and attempts in it, by the engine's own account of the file.
fn day(folder: &Path, seed: u64) -> (std::path::PathBuf, u64, u64) {
    let file = folder.join("day.pcap");
    let (path, seed) = (file.to_str().unwrap(), seed.to_string());
    let drill = ["drill", "quiet_day", "--seed", &seed, "--days", "1", "--handsets", "40", "-o", path];
    assert!(run(&[&[BIN][..], &drill].concat()).status.success());
    let out = run(&[BIN, "replay", "--format", "jsonl", path]);
    let text = String::from_utf8(out.stdout).unwrap();
    let summary: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    (file, summary["sip_messages"].as_u64().unwrap(), summary["attempts"].as_u64().unwrap())
}

fn sum(page: &str, metric: &str) -> u64 {
    let values =
        page.lines().filter_map(|line| line.strip_prefix(metric)?.strip_prefix('{')?.rsplit_once(' '));
    values.map(|(_, value)| value.parse::<f64>().unwrap() as u64).sum()
}

#[test]
fn day_after_day_nothing_grows_beyond_its_tables_and_every_count_is_exact() {
    if lacks(&TOOLS) {
        return;
    }
    let lasts = std::env::var("RINGFENCE_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let lasts = Duration::from_secs(lasts);
    let net = Net::new();
    net.cable("va", "vb");
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::start(&net, CONFIG);
    let (mut frames, mut messages, mut attempts, mut days) = (0, 0, 0, 0);
    let mut seen: Vec<(f64, u64, usize, u64)> = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < lasts {
        days += 1;
        let (file, with_messages, with_attempts) = day(folder.path(), days);
        frames += net.replay("vb", &["--pps=8000"], &file);
        messages += with_messages;
        attempts += with_attempts;
        daemon.wait("every frame", || daemon.metric(RECEIVED) == frames);
        seen.push((begun.elapsed().as_secs_f64(), daemon.memory(), files(&daemon), attempts));
    }
    std::thread::sleep(Duration::from_secs(2));
    let page = daemon.get("/metrics");
    assert_eq!(sum(&page, "ringfence_packets_total"), frames);
    assert_eq!(sum(&page, "ringfence_capture_dropped_packets_total"), 0);
    assert_eq!(sum(&page, "ringfence_sip_messages_total"), messages, "every message once");
    // A day that passes within seconds: calls of one caller to two phones, an hour apart, look like those of
    // a group that a PBX rings at once.
    let calls = sum(&page, "ringfence_calls_total");
    assert!(
        (attempts - attempts / 200..=attempts).contains(&calls),
        "{calls} of {attempts}: every call once"
    );
    assert_eq!(sum(&page, "ringfence_queue_dropped_total"), 0);
    assert_eq!(sum(&page, "ringfence_worker_panics_total"), 0);
    let (first, last) = (seen[seen.len() / 2], seen[seen.len() - 1]);
    println!(
        "{days} days, {frames} frames, {messages} messages, {attempts} calls in {:.0} s; {} KiB and {} files at half-time, \
         {} KiB and {} at the end",
        last.0, first.1, first.2, last.1, last.2
    );
    // Tables fill until they are full, which takes some 60 such days: until then a call leaves its rows,
    // and no more than them.
    let (grown, calls) = (last.1.saturating_sub(first.1), last.3 - first.3);
    assert!(grown * 1_024 <= calls * BYTES_A_CALL + (4 << 20), "{grown} KiB for {calls} calls: {seen:?}");
    assert!(last.1 < MOST_KIB && last.2 <= first.2 + 2, "{seen:?}");
}
