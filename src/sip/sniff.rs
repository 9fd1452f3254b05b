//! What a payload is, by its first bytes (RFC 7983) and, where they could be text, its first line.
//!
//! In: a UDP payload or the beginning of a stream, from any port. Out: `Sniff`.
//! Never: looks beyond the first line; RTP leaves after two compares.

use memchr::memchr2;

use super::lex::{is_filler, span, upto};
use super::{Sniff, start};

/// How far a start line's end is looked for, in bytes.
const FIRST_LINE: usize = 8 * 1024;

/// RFC 8489 section 5: bytes 4 to 7 of every STUN message.
const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// Classifies a payload.
#[inline]
pub fn sniff(payload: &[u8]) -> Sniff {
    match payload {
        // RTP's version 2 in the two top bits; 8 bytes are the smallest RTCP packet.
        [first, ..] if first & 0xc0 == 0x80 && payload.len() >= 8 => Sniff::Rtp,
        _ if is_plain(payload) => Sniff::Sip,
        _ => sniff_text(payload),
    }
}

/// The commonest beginnings of SIP, as [`is_sip`] takes them all.
#[inline]
fn is_plain(payload: &[u8]) -> bool {
    payload.starts_with(b"SIP/2.0 ")
        || payload.starts_with(b"INVITE sip:")
        || payload.starts_with(b"ACK sip:")
        || payload.starts_with(b"BYE sip:")
        || payload.starts_with(b"REGISTER sip:")
        || payload.starts_with(b"OPTIONS sip:")
        || payload.starts_with(b"CANCEL sip:")
}

fn sniff_text(payload: &[u8]) -> Sniff {
    let text = payload.get(span(payload, is_filler)..).unwrap_or_default();
    let Some(first) = text.first() else { return Sniff::Keepalive };
    if first.is_ascii_graphic() && is_sip(text) {
        return Sniff::Sip;
    }
    if is_word(text) { Sniff::Keepalive } else { sniff_binary(payload) }
}

fn is_sip(text: &[u8]) -> bool {
    // A known method that calls a telephone's URI is SIP whatever its line's end says.
    if text.starts_with(b"SIP/2.0 ") || start::is_plausible_beginning(text) {
        return true;
    }
    let first = upto(text, FIRST_LINE);
    start::is_plausible(upto(first, memchr2(b'\r', b'\n', first).unwrap_or(first.len())))
}

/// `hello`, `ping` and `jaK` keep a NAT's mapping open as well as CRLF does.
fn is_word(text: &[u8]) -> bool {
    let letters = span(text, |byte| byte.is_ascii_alphabetic());
    let rest = text.get(letters..).unwrap_or_default();
    (1..=8).contains(&letters) && rest.len() <= 4 && rest.iter().all(|byte| is_filler(*byte))
}

fn sniff_binary(payload: &[u8]) -> Sniff {
    let [first, second, high, low, rest @ ..] = payload else { return Sniff::Other };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    match *first {
        0..=3 if rest.starts_with(&STUN_COOKIE) || payload.len() == length.saturating_add(20) => Sniff::Stun,
        // TLS and DTLS records carry their version, 3.x or 254.x, in the second byte.
        20..=26 if matches!(*second, 3 | 254) => Sniff::Dtls,
        // DTLS 1.3's unified header (RFC 9147 section 4) has no fixed second byte.
        32..=63 if !first.is_ascii_graphic() || !second.is_ascii() => Sniff::Dtls,
        // A TURN channel's data ends with the datagram, bar up to 3 bytes of padding.
        64..=79 if (length..length.saturating_add(4)).contains(&rest.len()) => Sniff::Stun,
        _ => Sniff::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sip_is_sip_on_any_port_and_after_any_filler() {
        for text in [
            &b"INVITE sip:a@h SIP/2.0\r\nVia: x"[..],
            b"INVITE  sip:a@h  sip/2.0  \n",
            b"\r\n\r\n\0 \tINVITE sip:a@h SIP/2.0\r\n",
            b"\0\0\0\0OPTIONS sip:a@h SIP/2.0\r\n",
            b"!interesting-Method0123456789_*+`.%indeed'~ sip:a@h SIP/2.0\r\n",
            b"SIP/2.0 200 OK\r\n",
            b"sip/2.0 200\r\n",
            b"OPTIONS sip:a@h SIP/7.0\r\n",
            b"INVITE tel:+44 SIP/2.0\rVia: cr only",
            b"INVITE <sip:cut@short",
            b"ACK sip:a@h SIP/2.0",
        ] {
            assert_eq!(sniff(text), Sniff::Sip, "{}", text.escape_ascii());
        }
        let long = [b"REGISTER sip:", &b"a".repeat(32 * 1024)[..], b" SIP/2.0\r\n"].concat();
        assert_eq!(sniff(&long), Sniff::Sip);
    }

    #[test]
    fn other_text_is_not_sip() {
        for text in [
            &b"NOTIFY * HTTP/1.1\r\nHost: x"[..],
            b"M-SEARCH * HTTP/1.1\r\n",
            b"GET / HTTP/1.1\r\n\r\nINVITE sip:a@h SIP/2.0\r\n",
            b"OPTIONS rtsp://h/ RTSP/1.0\r\n",
            b"hello there, INVITE",
            b"SIP/x",
            b"\xef\xbb\xbfINVITE sip:a@h SIP/2.0\r\n",
        ] {
            assert_eq!(sniff(text), Sniff::Other, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn keepalives() {
        for text in [&b""[..], b"\r\n\r\n", b"\0", b"\0\0\0\0", b"hello", b"jaK\0", b"ping\r\n"] {
            assert_eq!(sniff(text), Sniff::Keepalive, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn binary_by_rfc_7983() {
        assert_eq!(sniff(&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), Sniff::Rtp);
        assert_eq!(sniff(&[0x81, 200, 0, 1, 0, 0, 0, 0]), Sniff::Rtp);
        assert_eq!(sniff(&[0x80, 0, 0]), Sniff::Other);
        let mut stun = [0u8; 20];
        stun[1] = 1;
        assert_eq!(sniff(&stun), Sniff::Stun);
        stun[4..8].copy_from_slice(&STUN_COOKIE);
        assert_eq!(sniff(&stun), Sniff::Stun);
        assert_eq!(sniff(&[0x40, 0, 0, 4, 1, 2, 3, 4]), Sniff::Stun);
        assert_eq!(sniff(&[22, 3, 1, 0, 100, 1]), Sniff::Dtls);
        assert_eq!(sniff(&[22, 254, 253, 0, 0, 0]), Sniff::Dtls);
        assert_eq!(sniff(&[0xf8, 1, 2, 3, 4, 5, 6, 7, 8]), Sniff::Other);
    }
}
