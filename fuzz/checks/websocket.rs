//! What must hold for any WebSocket connection; shared by the fuzz target and the test that replays
//! its corpus.

use ringfence::decode::{Path, Segment};
use ringfence::sip::Message;
use ringfence::streams::{Event, Settings, Streams};
use ringfence::time::Timestamp;

const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

/// The input is what follows the upgrade. However it is cut into segments, the messages are the same;
/// the first byte says how many cut marks follow it, each the length of one segment.
pub(super) fn check(data: &[u8]) {
    let Some((count, rest)) = data.split_first() else { return };
    let (cuts, bytes) = rest.split_at(usize::from(*count & 31).min(rest.len()));
    let (whole, cut) = (messages(bytes, &[]), messages(bytes, cuts));
    // A broken stream is read on where a segment begins like SIP.
    if let (Some(whole), Some(cut)) = (&whole, cut) {
        assert_eq!(cut, *whole);
    }
    for message in whole.into_iter().flatten() {
        let _ = Message::parse(&message);
    }
}

/// What comes out; `None` for a broken stream.
fn messages(bytes: &[u8], cuts: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut streams, mut out, mut seq) = (Streams::new(Settings::default()), Vec::new(), 1u32);
    let mut lengths = cuts.iter().map(|cut| usize::from(*cut) + 1);
    let mut rest = bytes;
    let mut push = |payload: &[u8]| {
        streams.push(&segment(seq, payload), Timestamp(0), &mut |_, message| out.push(message.to_vec()));
        seq = seq.wrapping_add(u32::try_from(payload.len()).unwrap());
    };
    push(UPGRADE);
    while !rest.is_empty() {
        let (piece, more) = rest.split_at(lengths.next().unwrap_or(usize::MAX).min(rest.len()));
        push(piece);
        rest = more;
    }
    (streams.stats().events.get(Event::Resync) == 0).then_some(out)
}

fn segment(seq: u32, payload: &[u8]) -> Segment<'_> {
    let path = Path {
        src: ([10, 0, 3, 17], 40_000).into(),
        dst: ([203, 0, 113, 10], 80).into(),
        src_mac: None,
        dst_mac: None,
        vlan: None,
        mirror: None,
    };
    Segment {
        path,
        seq,
        syn: false,
        fin: false,
        rst: false,
        ack: true,
        ack_seq: 1,
        payload,
        truncated: false,
    }
}
