//! From a capture file to SIP messages, over every shared capture: capture, decode and streams
//! together find as many as tshark does.

use std::path::PathBuf;

use ringfence::capture::file::{Source, open};
use ringfence::decode::{Decoder, Packet, Path};
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
