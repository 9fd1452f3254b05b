//! SIPVicious from Debian against a real registrar in network namespaces: found within a second
//! (svmap, svwar) and five (svcrack) of the trace, under its name and without.
#![expect(clippy::print_stdout, reason = "a test says what it found, how fast, and why it is skipped")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const TOOLS: [&str; 6] = ["svmap", "svwar", "svcrack", "kamailio", "dumpcap", "ip"];

fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{why}");
    println!("skipped: {why}");
}

fn has(tool: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    std::env::split_paths(&path).any(|dir| dir.join(tool).exists())
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Seconds of the day.
fn seconds(record: &Value) -> f64 {
    let clock: Vec<f64> =
        record["time"].as_str().unwrap()[11..26].split(':').map(|part| part.parse().unwrap()).collect();
    clock[0] * 3_600.0 + clock[1] * 60.0 + clock[2]
}

#[test]
fn sipvicious_is_found_in_time_with_and_without_its_name() {
    if let Some(missing) = TOOLS.iter().find(|tool| !has(tool)) {
        return skip(&format!("{missing} is not installed"));
    }
    let root = Command::new("id").arg("-u").output().unwrap();
    if root.stdout != b"0\n" {
        return skip("network namespaces need root");
    }
    std::thread::scope(|scope| {
        for options in [&[][..], &["-c"]] {
            scope.spawn(move || attack(options));
        }
    });
}

fn attack(options: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let (pcap, facts) = (dir.path().join("sv.pcap"), dir.path().join("facts.jsonl"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipvicious/attack.sh");
    let ran = Command::new("sh").arg(script).arg(&pcap).args(options).status().unwrap();
    if !ran.success() {
        return skip("no network namespace can be made here");
    }
    let replay = Command::new(env!("CARGO_BIN_EXE_ringfence"))
        .args(["replay", "--no-store", "--format", "jsonl", "--facts"])
        .args([&facts, &pcap])
        .output()
        .unwrap();
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stderr));
    let records = lines(std::str::from_utf8(&replay.stdout).unwrap());
    let facts = lines(&std::fs::read_to_string(&facts).unwrap());
    let began = |method: &str, step: &str| {
        let first = facts.iter().find(|f| f["type"] == "sip" && f["method"] == method && f["step"] == step);
        seconds(first.unwrap_or_else(|| panic!("no {method} {step}")))
    };
    for (check, method, step, limit) in [
        ("scanner", "OPTIONS", "request", 1.0),
        ("enumeration", "REGISTER", "request", 1.0),
        ("brute_force", "REGISTER", "refused", 5.0),
    ] {
        let pages = |r: &&Value| r["status"] == "finding" && r["check"] == check && r["severity"] != "info";
        let found = records.iter().find(pages).unwrap_or_else(|| panic!("{check} {options:?}: not found"));
        let delay = seconds(found) - began(method, step);
        println!("{check} {options:?}: found after {delay:.3} s");
        assert!(delay <= limit, "{check} {options:?}: {delay} s");
    }
}
