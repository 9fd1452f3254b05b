//! The whole engine over traffic that nobody in this project made: calls are counted as people
//! count them, and nothing panics.

use std::io;
use std::path::{Path, PathBuf};

use ringfence::capture::file::Source;
use ringfence::fact::{CallState, Fact};
use ringfence::judge::Output;
use ringfence::record::Recorder;
use ringfence::run::engine::{Engine, Settings, Sink};
use ringfence::run::replay::replay;

const SKIPPED: &str = "skipped: corpora not present";

fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("RINGFENCE_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"), PathBuf::from);
    folder.is_dir().then_some(folder)
}

#[derive(Default)]
struct Seen {
    attempted: u64,
    /// Every record, as it would be written.
    lines: Vec<u8>,
}

impl Sink for Seen {
    fn fact(&mut self, fact: &Fact) -> io::Result<()> {
        if let Fact::Call(call) = fact {
            self.attempted += u64::from(call.state == CallState::Attempted && !call.joined);
        }
        Recorder::default().fact(&mut self.lines, fact)
    }

    fn output(&mut self, output: &Output) -> io::Result<()> {
        Recorder::default().output(&mut self.lines, output)
    }
}

/// One file alone: attempts, INVITEs, SIP messages, frames.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    attempts: u64,
    invites: u64,
    messages: u64,
    frames: u64,
}

fn count(file: &Path) -> Counts {
    let mut engine = Engine::new(Settings::default()).unwrap();
    let mut seen = Seen::default();
    let sources = [Source::Path(file.to_owned())];
    let broken = replay(&mut engine, &sources, &mut seen, &mut |_| {}).unwrap();
    assert!(broken.is_empty(), "{broken:?}");
    let totals = engine.sensor().totals();
    let outcomes: u64 = engine.sensor().outcomes().packets().map(|(_, n)| n).sum();
    assert_eq!(totals.frames, outcomes, "{}", file.display());
    assert_eq!(totals.attempts, seen.attempted, "{}: attempts without a fact", file.display());
    let text = String::from_utf8(seen.lines).unwrap();
    assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    let (attempts, invites, messages) = (totals.attempts, totals.invites, totals.sip_messages);
    Counts { attempts, invites, messages, frames: totals.frames }
}

fn rows(file: &Path) -> Vec<csv::StringRecord> {
    csv::Reader::from_path(file).unwrap().records().map(Result::unwrap).collect()
}

/// Every capture below a folder, in order.
fn captures(folder: PathBuf) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "pcap") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn calls_are_counted_once_whatever_is_resent_challenged_fragmented_or_tunnelled() {
    let Some(corpora) = corpora() else { return println!("{SKIPPED}") };
    // The manifest says why each is what it is.
    for (file, attempts, invites) in [
        ("sngrep/aaa.pcap", 4, 11),
        ("sngrep/ipv6frag.pcap", 1, 2),
        ("sngrep/ipip.pcap", 1, 1),
        ("suricata-verify/sip-method_sip.pcap", 4, 11),
        ("suricata-verify/sip-body-large_sip-body-large.pcap", 1, 1),
        ("suricata-verify/sip-body-frames_public-cloudshark-sip-s0.pcap", 2, 2),
        ("suricata-verify/sip-compact-form_sip_compact_form.pcap", 1, 1),
        ("suricata-verify/http-evader_http-evader-486_input.pcap", 0, 0),
        ("suricata-verify/sip-ssdp-pm_ssdp.pcap", 0, 0),
    ] {
        let counts = count(&corpora.join(file));
        assert_eq!((counts.attempts, counts.invites), (attempts, invites), "{file}");
    }
}

/// Frames, messages and attempts of every capture that tshark's counts exist for.
#[test]
fn every_capture_agrees_with_the_ground_truth() {
    let Some(corpora) = corpora() else { return println!("{SKIPPED}") };
    let mut compared = 0;
    for row in rows(&corpora.join("ground_truth_files.csv")) {
        // The torture messages are made to be read differently: see below.
        if row[0].starts_with("rfc") {
            continue;
        }
        let counts = count(&corpora.join(&row[0]));
        let truth = [1, 4, 7, 12].map(|column: usize| row[column].parse::<u64>().unwrap());
        let ours = [counts.frames, counts.messages, counts.invites, counts.attempts];
        assert_eq!(ours, truth, "{}: frames, messages, INVITEs, attempts", &row[0]);
        compared += 1;
    }
    assert_eq!(compared, 40);
}

#[test]
fn the_torture_messages_are_seventeen_calls() {
    let Some(corpora) = corpora() else { return println!("{SKIPPED}") };
    let (mut files, mut attempts) = (0, 0);
    for row in rows(&corpora.join("rfc_expectations.csv")) {
        let (folder, file) = row[0].split_once('/').unwrap();
        let capture = corpora.join(folder).join("pcap").join(file).with_extension("pcap");
        let counts = count(&capture);
        let expected: u64 = row[row.len() - 2].parse().unwrap();
        assert_eq!(counts.attempts, expected, "{}: {}", &row[0], &row[row.len() - 1]);
        files += 1;
        attempts += counts.attempts;
    }
    assert_eq!((files, attempts), (61, 17));
}

#[test]
fn odd_encapsulations_hold_no_calls() {
    let Some(corpora) = corpora() else { return println!("{SKIPPED}") };
    let captures = captures(corpora.join("tcpdump-encap"));
    assert_eq!(captures.len(), 25);
    for capture in captures {
        let counts = count(&capture);
        assert_eq!((counts.attempts, counts.messages), (0, 0), "{}", capture.display());
    }
}

#[test]
fn every_file_comes_to_an_end() {
    let Some(corpora) = corpora() else { return println!("{SKIPPED}") };
    let captures = captures(corpora);
    assert_eq!(captures.len(), 101);
    for capture in captures {
        assert!(count(&capture).frames > 0, "{}", capture.display());
    }
}
