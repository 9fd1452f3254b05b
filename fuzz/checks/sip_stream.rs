//! What must hold for any stream; shared by the fuzz target and the test that replays its corpus.

use ringfence::sip::Message;
use ringfence::sip::framing::{Framing, Scan};

/// However a stream is cut, the messages are the same. The first byte says how many cut marks
/// follow it; each is the length of one segment.
pub(super) fn check(data: &[u8]) {
    let Some((count, rest)) = data.split_first() else { return };
    let (cuts, bytes) = rest.split_at(usize::from(*count & 31).min(rest.len()));
    let whole = framed(bytes, &[]);
    assert_eq!(framed(bytes, cuts), whole);
    for message in whole {
        let _ = Message::parse(&message);
    }
}

fn framed(mut bytes: &[u8], cuts: &[u8]) -> Vec<Vec<u8>> {
    let (mut scan, mut buffer, mut out) = (Scan::default(), Vec::new(), Vec::new());
    let mut lengths = cuts.iter().map(|cut| usize::from(*cut) + 1);
    while !bytes.is_empty() {
        let (segment, rest) = bytes.split_at(lengths.next().unwrap_or(usize::MAX).min(bytes.len()));
        buffer.extend_from_slice(segment);
        bytes = rest;
        loop {
            match scan.next(&buffer) {
                Framing::NeedMore => break,
                Framing::Lost => assert!(scan.is_hunting()),
                Framing::Skip(n) => drop(buffer.drain(..n)),
                Framing::Message(n) => out.push(buffer.drain(..n).collect()),
            }
        }
    }
    out
}
