//! Every fixture: what the engine says of it, to the byte, and what must hold of it besides.
//!
//! A fixture is a folder under `fixtures/` with `origin.txt`. Its first line is the `ringfence drill`
//! command that made the capture; further lines are notes. `UPDATE_GOLDEN=1` writes captures, labels,
//! facts and alerts anew; read the difference.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use ringfence::alert::AlertState;
use ringfence::capture::file::Source;
use ringfence::config::Config;
use ringfence::drill::Episode;
use ringfence::fact::Fact;
use ringfence::finding::{Check, Severity};
use ringfence::judge::Output;
use ringfence::ledger;
use ringfence::record::{Privacy, Recorder, Report, Style, Summary, Writer};
use ringfence::run::engine::{Engine, Settings, Sink};
use ringfence::run::replay::replay;
use ringfence::tally::Label as _;
use serde_json::Value;

/// Page at this call of an attack at the latest, if its `origin.txt` doesn't say otherwise.
const LATEST_CALL: usize = 3;
/// No capture is larger, in bytes.
const MAX_CAPTURE: usize = 1 << 20;

struct Fixture {
    folder: PathBuf,
}

/// All fixtures, or those in one folder, in order.
fn fixtures(of: &str) -> Vec<Fixture> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(of)];
    while let Some(folder) = folders.pop() {
        folders.extend(fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()));
        if folder.join("origin.txt").exists() {
            found.push(Fixture { folder });
        }
    }
    found.sort_by(|a, b| a.folder.cmp(&b.folder));
    assert!(!found.is_empty(), "no fixture in fixtures/{of}");
    found
}

fn updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// What one replay gave.
#[derive(Default, PartialEq)]
struct Replayed {
    facts: Vec<u8>,
    records: Vec<u8>,
    alerts: Vec<u8>,
    findings: Vec<u8>,
    text: Vec<u8>,
}

/// Writes records as `replay` does.
struct Records<'r> {
    recorder: &'r Recorder,
    report: Report,
    to: Replayed,
}

impl Sink for Records<'_> {
    fn fact(&mut self, fact: &Fact) -> io::Result<()> {
        self.recorder.fact(&mut self.to.facts, fact)
    }

    fn output(&mut self, output: &Output) -> io::Result<()> {
        if let Output::Alert(alert) = output {
            self.report.add(alert);
            self.recorder.output(&mut self.to.alerts, output)?;
        }
        if let Output::Finding(_) = output {
            self.recorder.output(&mut self.to.findings, output)?;
        }
        self.recorder.output(&mut self.to.records, output)
    }
}

impl Fixture {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn name(&self) -> &str {
        self.folder.file_name().and_then(|name| name.to_str()).unwrap()
    }

    fn is_posture(&self) -> bool {
        self.folder.parent().is_some_and(|parent| parent.ends_with("posture"))
    }

    /// The checks that found something, each with its highest severity.
    fn findings(&self) -> BTreeMap<String, Severity> {
        let mut found = BTreeMap::new();
        for line in self.read("findings.jsonl").lines() {
            let finding: Value = serde_json::from_str(line).unwrap();
            let label = |key: &str| finding[key].as_str().unwrap().to_owned();
            if label("status") == "finding" {
                let severity = Severity::of_name(&label("severity")).unwrap();
                let worst = found.entry(label("check")).or_insert(severity);
                *worst = severity.max(*worst);
            }
        }
        found
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{}: {e}", self.path(name).display()))
    }

    /// Compares with a golden file, or writes it.
    fn golden(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        if updating() {
            fs::write(&path, bytes).unwrap();
        }
        assert!(
            fs::read(&path).unwrap_or_default() == bytes,
            "{} has changed; UPDATE_GOLDEN=1 writes it anew, then read the difference",
            path.display()
        );
    }

    /// Runs the command of `origin.txt`: a capture and its labels.
    fn play(&self) -> [Vec<u8>; 2] {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("made.pcap");
        let origin = self.read("origin.txt");
        let command = origin.lines().next().and_then(|line| line.strip_prefix("ringfence drill "));
        let command = command.expect("origin.txt begins with `ringfence drill`");
        let mut drill = Command::new(env!("CARGO_BIN_EXE_ringfence"));
        let output = drill.arg("drill").args(command.split(' ')).arg("-o").arg(&made).output().unwrap();
        assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
        [made.clone(), made.with_extension("labels.jsonl")].map(|path| fs::read(path).unwrap())
    }

    /// Replays the capture, and checks that every frame came to exactly one end.
    fn replay(&self, capture: &[u8]) -> Replayed {
        let config = Config::load(&self.path("config.toml")).unwrap();
        let recorder = Recorder { privacy: Privacy::Full, names: config.names() };
        let mut engine = Engine::new(Settings {
            dial: config.dial(),
            sensor: config.sensor(),
            ledger: ledger::Settings::default(),
            judge: config.judge(),
        })
        .unwrap();
        let to = Replayed::default();
        let mut sink = Records { recorder: &recorder, report: Report::default(), to };
        let sources = [Source::Path(self.path("capture.pcap"))];
        let broken = replay(&mut engine, &sources, &mut sink, &mut |_| {}).unwrap();
        assert!(broken.is_empty(), "{broken:?}");

        let Records { report, mut to, .. } = sink;
        let (now, length) = engine.now();
        let summary = Summary::new(engine.sensor(), engine.judge(), report.raised(), now, length);
        let outcomes: u64 = engine.sensor().outcomes().packets().map(|(_, n)| n).sum();
        assert_eq!(outcomes, frames(capture), "{}: a frame is lost, or counted twice", self.name());
        assert_eq!(summary.totals.frames, outcomes, "{}", self.name());
        assert!(summary.totals.attempts > 0, "{}: empty", self.name());
        recorder.summary(&mut to.records, &summary).unwrap();
        let (hours, zone) = (config.office_hours().clone(), config.timezone().to_owned());
        let writer = Writer {
            style: Style::Plain,
            recorder: recorder.clone(),
            hours,
            zone,
            verbose: true,
            width: None,
        };
        writer.write(&mut to.text, &report, &summary).unwrap();
        to
    }

    /// The alerts of the golden file that page somebody, raised or escalated.
    fn pages(&self) -> Vec<Value> {
        let alerts = self.read("alerts.jsonl");
        let alerts = alerts.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        alerts.filter(|a| a["severity"] != "info" && a["state"] != AlertState::Cleared.to_string()).collect()
    }

    fn labels(&self) -> Vec<Episode> {
        self.read("labels.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What a note `KEY: VALUE` in `origin.txt` says.
    fn note(&self, key: &str) -> Option<String> {
        let origin = self.read("origin.txt");
        let note = origin.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        note.map(str::to_owned)
    }
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

/// At which call of an attack its first page came, counted from 1 in the order of the labels.
fn paged_at(episode: &Episode, pages: &[Value]) -> Option<usize> {
    pages.iter().find_map(|page| {
        let deciding = page["call_ids"].as_array()?.last()?;
        episode.calls.iter().position(|call| *deciding == *call.call_id).map(|place| place + 1)
    })
}

/// One test, not several: the captures have to be there before they are replayed.
#[test]
fn fixtures_say_what_they_said() {
    for fixture in fixtures("") {
        let [capture, labels] = fixture.play();
        assert!(capture.len() < MAX_CAPTURE, "{}: {} bytes", fixture.name(), capture.len());
        fixture.golden("capture.pcap", &capture);
        fixture.golden("labels.jsonl", &labels);
        let first = fixture.replay(&capture);
        fixture.golden("facts.jsonl", &first.facts);
        fixture.golden("alerts.jsonl", &first.alerts);
        if fixture.is_posture() {
            fixture.golden("findings.jsonl", &first.findings);
        }
        let again = fixture.replay(&capture);
        for (name, one, two) in [
            ("facts", &first.facts, &again.facts),
            ("records", &first.records, &again.records),
            ("text", &first.text, &again.text),
        ] {
            let (one, two) = (String::from_utf8_lossy(one), String::from_utf8_lossy(two));
            let differing = one.lines().zip(two.lines()).find(|(a, b)| a != b);
            assert!(one == two, "{}: another replay, other {name}: {differing:?}", fixture.name());
        }
        assert!(first == again, "{}: another replay, other bytes", fixture.name());
    }
}

/// A rule's fixture pages by that rule, and names the deciding call last.
#[test]
fn rules_speak_in_their_own_fixtures() {
    for fixture in fixtures("rules").iter().filter(|_| !updating()) {
        let pages = fixture.pages();
        let page = pages.iter().find(|page| page["rule"] == fixture.name());
        let page = page.unwrap_or_else(|| panic!("{} doesn't page in its own fixture", fixture.name()));
        // What can't be seen any more has no calls to name.
        let Some(deciding) = page["call_ids"].as_array().and_then(|ids| ids.last()) else {
            assert_eq!((page["rule"].as_str(), &page["calls"]), (Some("clear_sip_drop"), &0.into()));
            continue;
        };
        let labels = fixture.labels();
        let mut marked = labels.iter().flat_map(|episode| &episode.calls);
        assert!(marked.any(|call| *deciding == *call.call_id), "{}: {deciding}", fixture.name());
    }
}

/// A check speaks in its own fixture, as urgently as its weakness is; in the weak office all do, in the
/// sound one none.
#[test]
fn checks_speak_in_their_own_fixtures() {
    use Severity::{Critical, Info, Warning};
    let fixtures: Vec<_> = fixtures("posture").into_iter().filter(|_| !updating()).collect();
    for check in Check::ALL.iter().filter(|_| !updating()) {
        let fixture = fixtures.iter().find(|fixture| fixture.name() == check.name());
        let found = fixture.unwrap_or_else(|| panic!("{check} has no fixture")).findings();
        let severity = match check {
            Check::WeakAuth | Check::IdleHandset | Check::LapsedRegistration => Info,
            Check::UnsolicitedInbound
            | Check::BackdoorOutbound
            | Check::ExposedInterface
            | Check::ClearProvisioning
            | Check::UnregisteredHandset
            // Critical takes a second source, or a day.
            | Check::OutdatedFirmware
            | Check::Scanner
            | Check::BruteForce
            | Check::Enumeration
            | Check::NewDevice => Warning,
            _ => Critical,
        };
        assert_eq!(found.get(check.name()), Some(&severity), "{check}: {found:?}");
    }
    for fixture in &fixtures {
        let found = fixture.findings();
        match fixture.name() {
            "weak_office" => assert_eq!(found.len(), Check::ALL.len(), "{found:?}"),
            "sound_office" => assert!(found.is_empty(), "{found:?}"),
            _ => {}
        }
    }
}

/// One incident tells what came before it, with times, and is critical for it.
#[test]
fn chains_are_told_with_what_follows() {
    for (of, step, told) in [
        ("chains/scan_then_calls", "scan", "; earlier, somebody searched the network for SIP devices"),
        ("attacks/prefix_probe", "probing", "; earlier, dial prefixes were probed (Fri 6 Nov 23:0"),
    ] {
        for fixture in fixtures(of).iter().filter(|_| !updating()) {
            let calls = |page: &&Value| page["calls"].as_u64() > Some(0);
            let pages = fixture.pages();
            let page = pages.iter().filter(calls).find(|page| page["evidence"]["chain"].is_string());
            let page = page.unwrap_or_else(|| panic!("{of} tells no chain: {pages:?}"));
            assert_eq!(page["severity"], "critical", "{of}");
            assert!(page["evidence"]["chain"].as_str().unwrap().starts_with(step), "{of}: {page}");
            assert!(page["sentence"].as_str().unwrap().contains(told), "{of}: {page}");
            let reasons = page["reasons"].as_array().unwrap();
            assert!(
                reasons.len() <= 3
                    && reasons.iter().any(|r| r.as_str().unwrap().starts_with("Earlier steps"))
            );
        }
    }
}

/// A false alarm is a defect too.
#[test]
fn quiet_fixtures_page_nobody() {
    for fixture in fixtures("quiet").iter().filter(|_| !updating()) {
        assert!(fixture.labels().is_empty(), "{} isn't quiet", fixture.name());
        let pages = fixture.pages();
        assert!(pages.is_empty(), "{}: {pages:?}", fixture.name());
    }
}

/// An attack pages at its third call, or as early as its `origin.txt` says and explains:
/// `pages at call: 4, because ...`, `pages at call: none, because ...`.
#[test]
fn attacks_page_within_their_first_calls() {
    let demo = fixtures("demo");
    for fixture in fixtures("attacks").iter().chain(&demo).filter(|_| !updating()) {
        let (pages, labels) = (fixture.pages(), fixture.labels());
        let [episode] = &labels[..] else { panic!("{}: {} attacks", fixture.name(), labels.len()) };
        let at = paged_at(episode, &pages);
        let (name, note) = (fixture.name(), fixture.note("pages at call"));
        match note.as_deref().map(|note| note.split(", because ").collect::<Vec<_>>()) {
            // What the fixed rules can't do is written down, so that it's noticed when they can.
            Some(told) => {
                let [call, _why] = told[..] else { panic!("{name}: origin.txt doesn't say why") };
                assert_eq!(at.map_or("none".to_owned(), |at| at.to_string()), call, "{name}");
            }
            None => assert!(at.is_some_and(|at| at <= LATEST_CALL), "{name}: paged at call {at:?}"),
        }
        let others = pages.iter().filter(|page| page["handset"].is_string());
        let mut others = others.filter(|page| !episode.handsets.iter().any(|user| page["handset"] == **user));
        assert!(others.next().is_none(), "{name}: a handset that has no part in it is named");
    }
}

/// The demo's promise: the attack is named at its second or third call.
#[test]
fn the_demo_alerts_at_the_second_or_third_call() {
    for demo in fixtures("demo").iter().filter(|_| !updating()) {
        let (pages, labels) = (demo.pages(), demo.labels());
        let at = paged_at(&labels[0], &pages[..1]);
        assert!(matches!(at, Some(2 | 3)), "call {at:?}");
        assert_eq!((&pages[0]["handset"], &pages[0]["name"]), (&"214".into(), &"Reception".into()));
    }
}
