//! What tshark reads in the same captures: method, Request-URI's user, users of From and To, Call-ID,
//! CSeq, status, message by message. `tests/tshark_differences.tsv` lists where it differs and why.

#[cfg(test)]
mod office;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use office::{Office, have};
use ringfence::capture::file::{Source, open};
use ringfence::decode::{Decoder, Packet};
use ringfence::drill::{Options, generate_with};
use ringfence::sip::{Message, Sniff, Start, sniff::sniff, uri};
use ringfence::streams::Streams;
use ringfence::time::Timestamp;

const FIELDS: [&str; 8] = [
    "sip.Method",
    "sip.Status-Code",
    "sip.r-uri.user",
    "sip.from.user",
    "sip.to.user",
    "sip.Call-ID",
    "sip.CSeq.seq",
    "sip.CSeq.method",
];
/// Messages to compare at the least.
const ENOUGH: usize = 10_000;

/// One message's fields, in the order of `FIELDS`.
type Row = [String; 8];

/// What Ringfence reads: rows by frame number.
fn ours(file: &Path) -> BTreeMap<u64, Vec<Row>> {
    let (mut decoder, mut streams) = (Decoder::default(), Streams::default());
    let mut capture = open(&Source::Path(file.to_owned())).unwrap();
    let (mut rows, mut number) = (BTreeMap::<u64, Vec<Row>>::new(), 0);
    while let Some(frame) = capture.next().unwrap() {
        number += 1;
        let mut take = |payload: &[u8]| {
            if sniff(payload) == Sniff::Sip
                && let Ok(msg) = Message::parse(payload)
            {
                rows.entry(number).or_default().push(row(&msg));
            }
        };
        match decoder.decode(&frame) {
            Ok(Packet::Datagram(datagram)) => take(datagram.payload),
            Ok(Packet::Segment(segment)) => {
                streams.push(&segment, frame.ts, &mut |_, payload| take(payload));
            }
            Err(_) => {}
        }
    }
    streams.handle_timeout(Timestamp(i64::MAX), &mut |_, _| {});
    rows
}

fn row(msg: &Message<'_>) -> Row {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (method, status, target) = match msg.start {
        Start::Request { method, uri: target } => (Some(method), String::new(), text(uri::user(target))),
        Start::Response(code) => (None, code.to_string(), String::new()),
    };
    [
        method.map_or_else(String::new, |method| method.to_string().to_uppercase()),
        status,
        target,
        text(uri::user(msg.from.uri)),
        text(uri::user(msg.to.uri)),
        text(msg.call_id),
        msg.cseq.to_string(),
        msg.cseq_method.to_string().to_uppercase(),
    ]
}

/// What tshark reads.
fn theirs(file: &Path, port: u16) -> BTreeMap<u64, Vec<Row>> {
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(file).args([
        "-Y",
        "sip",
        "-T",
        "fields",
        "-E",
        "separator=/t",
        "-E",
        "aggregator=\u{1}",
    ]);
    tshark.args(["-o", "tcp.reassemble_out_of_order:TRUE", "-e", "frame.number"]);
    if port != 0 {
        tshark.args(["-d", &format!("udp.port=={port},sip"), "-d", &format!("tcp.port=={port},sip")]);
    }
    for field in FIELDS {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut rows = BTreeMap::<u64, Vec<Row>>::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut columns = line.split('\t');
        let number = columns.next().unwrap().parse().unwrap();
        let columns: Vec<Vec<&str>> = columns.map(|column| column.split('\u{1}').collect()).collect();
        let first = |n: usize| columns.get(n).and_then(|c| c.first()).copied().unwrap_or_default().to_owned();
        rows.entry(number).or_default().push(std::array::from_fn(first));
        // Further messages of the frame: their Call-IDs are as many.
        let more = columns.get(5).map_or(1, Vec::len);
        for _ in 1..more {
            rows.entry(number).or_default().push(Default::default());
        }
    }
    rows
}

/// Differences that are known: `file` (a part of its name), field, why.
struct Known(Vec<(String, String, usize)>);

impl Known {
    fn load() -> Self {
        let text = include_str!("tshark_differences.tsv");
        let rows = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        Self(
            rows.map(|line| {
                let columns: Vec<_> = line.split('\t').collect();
                assert!(columns.len() == 3 && columns[2].len() > 20, "file, field and reason: {line}");
                (columns[0].to_owned(), columns[1].to_owned(), 0)
            })
            .collect(),
        )
    }

    fn has(&mut self, file: &str, field: &str) -> bool {
        let found = self
            .0
            .iter_mut()
            .find(|(part, name, _)| file.contains(part.as_str()) && (name == field || name == "*"));
        found.is_some_and(|(_, _, met)| {
            *met += 1;
            true
        })
    }
}

/// Compares a capture; gives how many messages were the same, and what differs.
fn compare(file: &Path, port: u16, known: &mut Known, faults: &mut Vec<String>) -> usize {
    let name = file.iter().rev().take(3).map(|part| part.to_string_lossy()).collect::<Vec<_>>();
    let name = name.into_iter().rev().collect::<Vec<_>>().join("/");
    let (ours, theirs) = (ours(file), theirs(file, port));
    let mut compared = 0;
    let numbers: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).copied().collect();
    for number in numbers {
        let none = Vec::new();
        let (a, b) = (ours.get(&number).unwrap_or(&none), theirs.get(&number).unwrap_or(&none));
        if a.len() != b.len() {
            if !known.has(&name, "messages") {
                faults.push(format!("{name} frame {number}: {} messages, tshark {}", a.len(), b.len()));
            }
            continue;
        }
        compared += a.len();
        let (Some(a), Some(b)) = (a.first(), b.first()) else { continue };
        for (field, (a, b)) in FIELDS.iter().zip(a.iter().zip(b)) {
            // Ours names only methods that are known; tshark writes what stands there.
            if a != b && !known.has(&name, field) {
                faults.push(format!(
                    "{name} frame {number} {field}: `{}`, tshark `{}`",
                    a.escape_debug(),
                    b.escape_debug()
                ));
            }
        }
    }
    compared
}

#[cfg(test)]
fn corpora() -> Vec<PathBuf> {
    let folder = std::env::var_os("RINGFENCE_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"), PathBuf::from);
    let mut found = Vec::new();
    let mut folders: Vec<_> =
        ["rfc4475/pcap", "rfc5118/pcap", "sngrep", "suricata-verify"].map(|f| folder.join(f)).into();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            println!("skipped: {} is not there", folder.display());
            continue;
        };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.retain(|path| path.extension().is_some_and(|e| e == "pcap"));
    found.sort();
    found
}

/// Records the loopback interface until it's dropped.
struct Recording(Child);

#[cfg(test)]
impl Recording {
    /// `None` where this user may not.
    fn start(file: &Path, port: u16) -> Option<Self> {
        let filter = format!("port {port} and not port 9");
        let child = Command::new("dumpcap")
            .args(["-q", "-i", "lo", "-P", "-f", &filter, "-w"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut recording = Self(child);
        for _ in 0..100 {
            std::thread::sleep(std::time::Duration::from_millis(50));
            if recording.0.try_wait().unwrap().is_some() {
                println!("skipped: dumpcap may not record the loopback interface");
                return None;
            }
            if file.metadata().is_ok_and(|meta| meta.len() >= 24) {
                return Some(recording);
            }
        }
        panic!("dumpcap doesn't begin");
    }

    fn stop(mut self) {
        std::thread::sleep(std::time::Duration::from_millis(700));
        let _ = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

#[test]
fn ten_thousand_messages_as_tshark_reads_them() {
    if !have(&["tshark", "dumpcap", "kamailio", "sipp"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut known, mut faults, mut counts) = (Known::load(), Vec::new(), Vec::new());

    let drilled = folder.path().join("drill.pcap");
    let options = Options { handsets: Some(60), days: None, attack_calls: None };
    generate_with("quiet_week", 3, options, &mut File::create(&drilled).unwrap(), &mut Vec::new()).unwrap();
    counts.push(("drill", compare(&drilled, 0, &mut known, &mut faults)));

    let mut messages = 0;
    for file in corpora() {
        messages += compare(&file, 0, &mut known, &mut faults);
    }
    counts.push(("corpora", messages));

    let live = folder.path().join("live.pcap");
    let office = Office::open("9");
    if let Some(recording) = Recording::start(&live, office.port()) {
        office.call("u1", "00882160012", 250);
        office.call("t1", "02079460", 100);
        recording.stop();
        counts.push(("SIPp and Kamailio", compare(&live, office.port(), &mut known, &mut faults)));
    }
    let total: usize = counts.iter().map(|(_, n)| n).sum();
    println!("{total} messages compared: {counts:?}");
    assert!(
        faults.is_empty(),
        "{} differences that are not listed:\n{}",
        faults.len(),
        faults[..faults.len().min(60)].join("\n")
    );
    assert!(total >= ENOUGH, "{total}");
}
