//! From a capture file to SIP messages, over every shared capture: capture, decode and streams
//! together find as many as tshark does.

use std::path::PathBuf;
use std::sync::Arc;

use ringfence::capture::file::{Source, open};
use ringfence::decode::{Decoder, Packet, Path};
use ringfence::dial::{self, Dial};
use ringfence::ledger::Ledger;
use ringfence::sensor::{self, Sensor};
use ringfence::sip::{Message, Sniff, sniff::sniff};
use ringfence::streams::Streams;
use ringfence::time::Timestamp;

/// How many SIP messages a capture has, UDP and TCP together.
fn messages(file: PathBuf) -> usize {
    let (mut decoder, mut streams) = (Decoder::default(), Streams::default());
    let mut capture = open(&Source::Path(file)).unwrap();
    let mut found = 0;
    let mut count = |_: &Path, payload: &[u8]| {
        found += usize::from(sniff(payload) == Sniff::Sip && Message::parse(payload).is_ok());
    };
    while let Some(frame) = capture.next().unwrap() {
        match decoder.decode(&frame) {
            Ok(Packet::Datagram(datagram)) => count(&datagram.path, datagram.payload),
            Ok(Packet::Segment(segment)) => {
                streams.push(&segment, frame.ts, &mut count);
            }
            Err(_) => {}
        }
    }
    streams.handle_timeout(Timestamp(i64::MAX), &mut count);
    found
}

#[test]
fn every_capture_has_the_messages_that_tshark_counts() {
    let dir = std::env::var("RINGFENCE_CORPORA")
        .map_or_else(|_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"), PathBuf::from);
    let Ok(truth) = std::fs::read_to_string(dir.join("ground_truth_files.csv")) else {
        println!("skipped: corpora not present");
        return;
    };
    let mut captures = 0;
    for line in truth.lines().skip(1) {
        let columns: Vec<_> = line.split(',').collect();
        // The torture messages are made to be read differently: the parser's tests have them.
        if columns[0].starts_with("rfc") {
            continue;
        }
        assert_eq!(messages(dir.join(columns[0])).to_string(), columns[4], "{}", columns[0]);
        captures += 1;
    }
    assert_eq!(captures, 40);
}

/// Frames and attempts of what can be read of a capture.
fn frames_and_attempts(file: PathBuf, dial: &Dial) -> (u64, u64) {
    let mut settings = sensor::Settings::default();
    settings.streams.flows = 64;
    settings.handsets.strangers = 64;
    settings.handsets.registered = 64;
    settings.calls.unanswered = 64;
    settings.calls.answered = 64;
    let mut sensor = Sensor::new(settings, dial.clone(), Arc::new(Ledger::default()));
    if let Ok(mut capture) = open(&Source::Path(file)) {
        while let Ok(Some(frame)) = capture.next() {
            sensor.handle_frame(&frame);
            while sensor.poll_fact().is_some() {}
        }
    }
    sensor.finish();
    let totals = sensor.totals();
    assert_eq!(sensor.outcomes().packets().map(|(_, n)| n).sum::<u64>(), totals.frames);
    (totals.frames, totals.attempts)
}

/// Wherever a capture is cut off, what is there is read, and more bytes never make fewer frames or calls.
#[test]
fn a_capture_cut_anywhere_gives_calls_and_no_panic() {
    let dial = Dial::new(&dial::Settings::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let name = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/attacks/forwarding/capture.pcap");
    let whole = std::fs::read(name).unwrap();
    let invite = memchr::memmem::find(&whole, b"INVITE sip:").unwrap();
    let cut = folder.path().join("cut.pcap");
    let mut before = (0, 0);
    // The registrations before it in steps, then every byte.
    for length in (0..invite).step_by(97).chain(invite..invite + 2_000) {
        std::fs::write(&cut, &whole[..length]).unwrap();
        let now = frames_and_attempts(cut.clone(), &dial);
        assert!(now >= before && now.1 >= before.1, "{length}: {before:?}, then {now:?}");
        before = now;
    }
    assert!(before.0 > 3 && before.1 > 0, "{before:?}");
}
