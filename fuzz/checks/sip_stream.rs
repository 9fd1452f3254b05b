//! What must hold for any stream; shared by the fuzz target and the test that replays its corpus.

use ringfence::decode::{Path, Segment};
use ringfence::sip::Message;
use ringfence::sip::framing::{Framing, Scan};
use ringfence::streams::{Event, Settings, Streams};
use ringfence::time::Timestamp;

/// However a stream is cut, the messages are the same; in whatever order and however often its
/// segments come, so they are behind a SYN. The first byte says how many cut marks follow it: each is
/// the length of one segment, and its upper bits say where that one goes in the order of arrival.
pub(super) fn check(data: &[u8]) {
    let Some((count, rest)) = data.split_first() else { return };
    let (cuts, bytes) = rest.split_at(usize::from(*count & 31).min(rest.len()));
    let whole = framed(bytes, &[]);
    assert_eq!(framed(bytes, cuts), whole);
    // Behind a SYN, and within what may wait for its turn, order is no matter; unless the stream is
    // broken, or is HTTP at first: then reading goes on where a segment begins like SIP.
    let (in_order, shuffled) = (reassembled(bytes, cuts, false), reassembled(bytes, cuts, true));
    if let (true, Some(in_order), Some(shuffled)) = (bytes.len() < 16 * 1024, in_order, shuffled) {
        assert_eq!(in_order, shuffled);
    }
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

/// Through TCP reassembly, in order or shuffled by the cut marks' upper bits and partly doubled; `None`
/// for a broken stream, and for HTTP that doesn't turn into WebSocket.
fn reassembled(bytes: &[u8], cuts: &[u8], shuffled: bool) -> Option<Vec<Vec<u8>>> {
    let (mut segments, mut rest, mut at) = (Vec::new(), bytes, 0u32);
    let mut marks = cuts.iter();
    while !rest.is_empty() {
        let mark = marks.next().copied();
        let length = mark.map_or(usize::MAX, |mark| usize::from(mark) + 1).min(rest.len());
        let (piece, more) = rest.split_at(length);
        segments.push((mark.unwrap_or(0), at, piece));
        at += u32::try_from(length).unwrap();
        rest = more;
    }
    if shuffled {
        segments.sort_by_key(|(mark, ..)| mark >> 4);
        let doubled: Vec<_> = segments.iter().filter(|(mark, ..)| mark & 3 == 3).copied().collect();
        segments.extend(doubled);
    }
    let (mut streams, mut out) = (Streams::new(Settings::default()), Vec::new());
    let mut push = |segment: Segment<'_>| {
        streams.push(&segment, Timestamp(0), &mut |_, message| out.push(message.to_vec()));
    };
    push(Segment { syn: true, ..segment(0, &[]) });
    for (_, at, piece) in segments {
        push(segment(at, piece));
    }
    let begin = bytes.iter().position(|byte| !b"\r\n\0 \t".contains(byte)).unwrap_or(0);
    let http = [&b"GET "[..], b"HTTP/1."].iter().any(|word| bytes[begin..].starts_with(word));
    let events = &streams.stats().events;
    let broken = events.get(Event::Resync) > 0 || (http && events.get(Event::WebSocket) == 0);
    (!broken).then_some(out)
}

fn segment(at: u32, payload: &[u8]) -> Segment<'_> {
    let path = Path {
        src: ([10, 0, 3, 17], 40_000).into(),
        dst: ([203, 0, 113, 10], 5060).into(),
        src_mac: None,
        dst_mac: None,
        vlan: None,
        mirror: None,
    };
    Segment {
        path,
        // Numbers wrap in the middle of what a corpus holds.
        seq: at.wrapping_sub(200),
        syn: false,
        fin: false,
        rst: false,
        ack: true,
        ack_seq: 1,
        payload,
        truncated: false,
    }
}
