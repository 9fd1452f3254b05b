//! What tells whose speech a frame is, straight from its bytes: the flow of nearly all frames is known.
//!
//! In: `Frame`. Out: addresses and ports of an RTP packet that the long way would read just so, or
//! `None`: take the long way.
//! Never: decides about anything odd: options, fragments, tunnels' frames, lengths that don't fit.

use super::{Encap, Stats};
use crate::frame::{Frame, Link};

/// A UDP datagram in IPv4 in Ethernet, perhaps behind a VLAN tag, whose payload begins like RTP. What
/// its ports promise is not looked at: whoever lets it pass must know that of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speech {
    /// Sender's address in the upper half, receiver's in the lower.
    pub addresses: u64,
    /// Sender's port in the upper half, receiver's in the lower.
    pub ports: u32,
    /// Whether a VLAN tag stands before it.
    tagged: bool,
}

impl Speech {
    /// Reads it; its length is checked as [`super::Decoder::decode`] does.
    #[inline(always)]
    pub fn read(frame: &Frame<'_>) -> Option<Self> {
        if frame.link != Link::Ethernet {
            return None;
        }
        match frame.data {
            [_, _, _, _, _, _, _, _, _, _, _, _, 0x08, 0x00, ip @ ..] => Self::inside(ip, false),
            [_, _, _, _, _, _, _, _, _, _, _, _, 0x81, 0x00, _, _, 0x08, 0x00, ip @ ..] => {
                Self::inside(ip, true)
            }
            _ => None,
        }
    }

    #[inline(always)]
    fn inside(data: &[u8], tagged: bool) -> Option<Self> {
        // 20 bytes of IPv4 (RFC 791 section 3.1), 8 of UDP (RFC 768), RTP's first (RFC 3550 section 5.1).
        let (head, _) = data.split_first_chunk::<29>()?;
        let &[0x45, _, t1, t2, _, _, f1, f2, _, 17, _, _, a, b, c, d, e, f, g, h, rest @ ..] = head else {
            return None;
        };
        let [p1, p2, p3, p4, u1, u2, _, _, first] = rest;
        let total = usize::from(u16::from_be_bytes([t1, t2]));
        let udp = usize::from(u16::from_be_bytes([u1, u2]));
        // More fragments, or an offset: a part of a packet. 8 bytes are the smallest RTCP packet.
        let whole = u16::from_be_bytes([f1, f2]) & 0x3fff == 0;
        let fits = total <= data.len() && udp.saturating_add(20) <= total && udp >= 16;
        (whole && fits && first & 0xc0 == 0x80).then_some(Self {
            addresses: u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            ports: u32::from_be_bytes([p1, p2, p3, p4]),
            tagged,
        })
    }

    /// Counts what the long way would have counted of its headers.
    #[inline(always)]
    pub fn count(&self, stats: &Stats) {
        if self.tagged {
            stats.encap.bump(Encap::Vlan);
        }
    }
}
