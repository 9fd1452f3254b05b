//! What must hold for any frames; shared by the fuzz target and the test that replays its corpus.

use std::sync::{Arc, LazyLock};

use ringfence::dial::{self, Dial};
use ringfence::frame::{Frame, Link};
use ringfence::ledger::Ledger;
use ringfence::sensor::{Sensor, Settings};
use ringfence::time::Timestamp;

static DIAL: LazyLock<Dial> = LazyLock::new(|| Dial::new(&dial::Settings::default()).unwrap());

const LINKS: [Link; 11] = [
    Link::Ethernet,
    Link::Null,
    Link::Loop,
    Link::Ppp,
    Link::Raw,
    Link::Ipv4,
    Link::Ipv6,
    Link::Sll,
    Link::Sll2,
    Link::Nflog,
    Link::Hep,
];

/// Whatever the frames hold, each comes to exactly one end, and no table outgrows its bound. A frame
/// is a byte for the link, one for the time that passed (in quarter seconds, or hours from 128 on),
/// two for its length, and itself.
pub(super) fn check(data: &[u8]) {
    let mut settings = Settings { queue: 64, ..Settings::default() };
    settings.decode.fragmented_packets = 4;
    settings.decode.fragment_bytes = 16 * 1024;
    settings.streams.flows = 4;
    settings.streams.total_bytes = 256 * 1024;
    settings.handsets.strangers = 4;
    settings.handsets.registered = 4;
    settings.calls.unanswered = 4;
    settings.calls.answered = 2;
    let mut sensor = Sensor::new(settings, DIAL.clone(), Arc::new(Ledger::default()));
    let (mut rest, mut frames, mut ts) = (data, 0, Timestamp::from_parts(1_700_000_000, 0));
    while let Some((&[link, passed, high, low], more)) = rest.split_first_chunk::<4>() {
        let (bytes, more) = more.split_at(usize::from(u16::from_be_bytes([high, low])).min(more.len()));
        rest = more;
        let quarter = if passed < 128 { 250_000 } else { 3_600_000_000 };
        ts.0 += i64::from(passed & 127) * quarter;
        let wire_len = u32::try_from(bytes.len()).unwrap();
        let link = LINKS[usize::from(link) % LINKS.len()];
        sensor.handle_frame(&Frame { ts, link, interface: 0, wire_len, data: bytes });
        frames += 1;
        while sensor.poll_fact().is_some() {}
    }
    sensor.finish();
    let totals = sensor.totals();
    assert_eq!(totals.frames, frames);
    assert_eq!(sensor.outcomes().packets().map(|(_, n)| n).sum::<u64>(), frames);
    assert!(totals.answered <= totals.attempts && totals.attempts <= totals.sip_messages);
}
