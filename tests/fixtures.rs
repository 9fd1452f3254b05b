//! Every fixture: what the engine says of it, to the byte.
//!
//! A fixture is a folder under `fixtures/` with `origin.txt`: the `ringfence drill` command that made
//! its capture. `UPDATE_GOLDEN=1` writes captures, facts and alerts anew; read the difference.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Fixture {
    folder: PathBuf,
}

fn fixtures() -> Vec<Fixture> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")];
    while let Some(folder) = folders.pop() {
        folders.extend(fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()));
        if folder.join("origin.txt").exists() {
            found.push(Fixture { folder });
        }
    }
    found.sort_by(|a, b| a.folder.cmp(&b.folder));
    assert!(!found.is_empty());
    found
}

fn ringfence(args: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_ringfence")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}\n{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

impl Fixture {
    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_else(|e| panic!("{}: {e}", self.path(name)))
    }

    fn is_in(&self, parent: &str) -> bool {
        self.folder.parent().is_some_and(|p| p.ends_with(parent))
    }

    /// Compares with a golden file, or writes it.
    fn golden(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.join(name);
        if updating() {
            fs::write(&path, bytes).unwrap();
        }
        let same = fs::read(&path).unwrap_or_default() == bytes;
        assert!(
            same,
            "{} has changed; UPDATE_GOLDEN=1 writes it anew, then read the difference",
            path.display()
        );
    }

    fn replay(&self) -> Vec<serde_json::Value> {
        self.lines(&[]).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn lines(&self, more: &[&str]) -> Vec<String> {
        let (config, capture) = (self.path("config.toml"), self.path("capture.pcap"));
        let start = ["--config", &config, "replay", "--format", "jsonl"];
        let out = ringfence(&[&start, more, &[capture.as_str()]].concat());
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }
}

fn alerts(records: &[serde_json::Value]) -> impl Iterator<Item = &serde_json::Value> {
    records.iter().filter(|r| r["type"] == "alert")
}

fn pages(alert: &serde_json::Value) -> bool {
    alert["severity"] != "info"
}

/// Frames of a classic little-endian capture, counted by its own record headers.
fn frames(capture: &[u8]) -> u64 {
    let (mut at, mut count) = (24, 0);
    while let Some(length) = capture.get(at + 8..at + 12) {
        at += 16 + u32::from_le_bytes(length.try_into().unwrap()) as usize;
        count += 1;
    }
    assert_eq!(at, capture.len());
    count
}

/// One test, not several: the captures have to be there before they are replayed.
#[test]
fn fixtures_say_what_they_said() {
    let folder = tempfile::tempdir().unwrap();
    for fixture in fixtures() {
        let made = folder.path().join("made.pcap");
        let origin = fixture.read("origin.txt");
        let command = origin.trim().strip_prefix("ringfence ").expect("origin.txt: ringfence drill ...");
        let args: Vec<&str> = command.split(' ').chain(["-o", made.to_str().unwrap()]).collect();
        ringfence(&args);
        let capture = fs::read(&made).unwrap();
        assert!(capture.len() < 1 << 20, "{}: over 1 MiB", fixture.path("capture.pcap"));
        fixture.golden("capture.pcap", &capture);

        let facts = folder.path().join("facts.jsonl");
        let lines = fixture.lines(&["--facts", facts.to_str().unwrap()]);
        fixture.golden("facts.jsonl", &fs::read(&facts).unwrap());
        let alerts = lines.iter().filter(|line| line.starts_with("{\"type\":\"alert\""));
        let alerts: String = alerts.map(|line| format!("{line}\n")).collect();
        fixture.golden("alerts.jsonl", alerts.as_bytes());
        let summary: serde_json::Value = serde_json::from_str(lines.last().unwrap()).unwrap();
        assert_eq!(summary["frames"], frames(&capture), "{}", fixture.path(""));
    }
}

/// A rule's fixture pages by that rule, and names the deciding call last.
#[test]
fn rules_speak_in_their_own_fixtures() {
    if updating() {
        return;
    }
    for fixture in fixtures().iter().filter(|f| f.is_in("rules")) {
        let rule = fixture.folder.file_name().unwrap().to_str().unwrap().to_owned();
        let records = fixture.replay();
        let alert = alerts(&records).find(|a| a["rule"] == rule.as_str() && pages(a));
        let alert = alert.unwrap_or_else(|| panic!("{rule} doesn't page in its own fixture"));
        assert!(alert["call_ids"].as_array().is_some_and(|ids| !ids.is_empty()), "{alert}");
    }
}

/// A false alarm is a defect too.
#[test]
fn quiet_fixtures_page_nobody() {
    if updating() {
        return;
    }
    for fixture in fixtures().iter().filter(|f| f.is_in("quiet")) {
        let records = fixture.replay();
        let loud: Vec<_> = alerts(&records).filter(|a| pages(a)).collect();
        assert!(loud.is_empty(), "{}: {loud:?}", fixture.path(""));
        assert!(records.last().unwrap()["attempts"].as_u64().unwrap() > 0, "{}: empty", fixture.path(""));
    }
}

/// The demo's promise: the attack is named at its second or third call.
#[test]
fn the_demo_alerts_at_the_second_or_third_call() {
    if updating() {
        return;
    }
    let demo = fixtures().into_iter().find(|f| f.folder.ends_with("demo")).expect("fixtures/demo");
    let labels_folder = tempfile::tempdir().unwrap();
    let made = labels_folder.path().join("a.pcap");
    let origin = demo.read("origin.txt");
    let args: Vec<&str> = origin.trim().split(' ').skip(1).chain(["-o", made.to_str().unwrap()]).collect();
    ringfence(&args);
    let labels = fs::read_to_string(made.with_extension("labels.jsonl")).unwrap();
    let label: serde_json::Value = serde_json::from_str(labels.lines().next().unwrap()).unwrap();
    let records = demo.replay();
    let first = alerts(&records).find(|a| pages(a)).expect("an alert");
    let deciding = first["call_ids"].as_array().unwrap().last().unwrap();
    let calls = label["calls"].as_array().unwrap();
    let place = calls.iter().position(|call| call["call_id"] == *deciding).expect("a call of the attack");
    assert!((1..=2).contains(&place), "call {}", place + 1);
    assert_eq!(first["handset"], label["handsets"][0]);
}
