//! What must hold for any HEP packet; shared by the fuzz target and the test that replays its corpus.

use ringfence::decode::hep::{Hep, length};
use ringfence::decode::{Decoder, Packet};
use ringfence::frame::{Frame, Link};
use ringfence::sip::Message;
use ringfence::time::Timestamp;

/// Reading a packet never panics, what it carries lies inside it, and a stream of packets is cut
/// where each says it ends.
pub(super) fn check(data: &[u8]) {
    let inside = |field: &[u8]| {
        let all = data.as_ptr_range();
        field.is_empty() || (all.contains(&field.as_ptr()) && field.as_ptr_range().end <= all.end)
    };
    if let Ok(packet) = Hep::parse(data) {
        assert!(inside(packet.payload) && inside(packet.key));
        assert!(matches!(length(data), Ok(Some(n)) if n <= data.len()));
        let _ = packet.timestamp();
    }
    let wire_len = u32::try_from(data.len()).unwrap();
    let frame = Frame { ts: Timestamp(0), link: Link::Hep, interface: 0, wire_len, data };
    if let Ok(Packet::Datagram(datagram)) = Decoder::default().decode(&frame) {
        assert!(!datagram.payload.is_empty() && inside(datagram.payload));
        let _ = Message::parse(datagram.payload);
    }
    let mut stream = data;
    while let Ok(Some(length)) = length(stream) {
        assert!(length >= 6);
        let Some(more) = stream.get(length..) else { break };
        let _ = Hep::parse(stream);
        stream = more;
    }
}
