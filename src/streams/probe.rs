//! What a stream is, by the first bytes of a stream or of a segment.
//!
//! In: bytes. Out: `Probe`. Never: goes by a port.

use super::websocket;
use crate::decode::hep;
use crate::sip::{Sniff, sniff::sniff};

/// What a stream looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// Too little to tell.
    More,
    /// TLS records.
    Tls,
    /// HTTP: perhaps the way into WebSocket.
    Http,
    /// HEPv3 packets: copies of SIP.
    Hep,
    /// WebSocket frames with SIP in them, met in the middle.
    WebSocket,
    /// Anything else: SIP or something that only reading on will tell.
    Other,
}

/// What begins here.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    match bytes {
        [] | [20..=23] | [20..=23, 3] => Probe::More,
        [20..=23, 3, 0..=4, rest @ ..] if is_record_length(rest) => Probe::Tls,
        [b'A'..=b'Z', ..] => word(bytes),
        [0x81 | 0x82 | 0x01 | 0x02, ..] if websocket::begins_with_sip(bytes) => Probe::WebSocket,
        _ => Probe::Other,
    }
}

/// Longest method of HTTP that is looked for, in bytes.
const METHOD_MAX: usize = 9;

/// HTTP's requests are for a path, which no SIP request is.
fn word(bytes: &[u8]) -> Probe {
    let known = [&b"HTTP/1."[..], &hep::MAGIC, b"GET "];
    if let Some(at) = known.iter().position(|known| bytes.starts_with(known)) {
        return if at == 1 { Probe::Hep } else { Probe::Http };
    }
    let letters = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    match bytes.get(letters..) {
        _ if known.iter().any(|known| known.starts_with(bytes)) => Probe::More,
        _ if letters > METHOD_MAX => Probe::Other,
        Some([] | [b' ']) => Probe::More,
        Some([b' ', b'/', ..]) => Probe::Http,
        _ => Probe::Other,
    }
}

/// A TLS record holds at most 2^14 bytes and what encryption adds (RFC 8446 section 5.2).
fn is_record_length(rest: &[u8]) -> bool {
    match rest {
        [high, low, ..] => (1..=0x4800).contains(&u16::from_be_bytes([*high, *low])),
        _ => true,
    }
}

/// Whether something that is known begins here, so that reading may begin here too.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    match probe(bytes) {
        Probe::Tls | Probe::Http | Probe::Hep | Probe::WebSocket => true,
        Probe::More | Probe::Other => matches!(sniff(bytes), Sniff::Sip),
    }
}

/// Whether SIP, or the way to it, begins here.
pub(super) fn may_begin_sip(bytes: &[u8]) -> bool {
    probe(bytes) != Probe::Tls && may_begin(bytes)
}
