//! How much of the mirror is seen twice.
//!
//! In: SIP over UDP, message by message. Out: how many repeat one of a moment ago.
//! Never: takes a retransmission for a mirror's copy; decides what counts.

use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};

use crate::bounded::FixedHash;
use crate::decode::Path;
use crate::sip::{Message, Start};
use crate::time::{Span, Timestamp};

/// A mirror's second copy comes within this; the first retransmission after 500 ms (RFC 3261
/// section 17.1.1.1).
const WITHIN: Span = Span(200_000);
/// Messages that are remembered: a busy office has fewer within 200 ms.
const REMEMBERED: usize = 256;

/// Counts messages that repeat one of a moment ago.
#[derive(Debug)]
pub struct Doubles {
    // Two messages that share a place hide a copy, so the place must not be random: the share is printed.
    hash: FixedHash,
    latest: Box<[(u64, Timestamp)]>,
    seen: u64,
    twice: u64,
}

impl Default for Doubles {
    fn default() -> Self {
        let latest = vec![(0, Timestamp(i64::MIN)); REMEMBERED].into_boxed_slice();
        Self { hash: FixedHash::default(), latest, seen: 0, twice: 0 }
    }
}

impl Doubles {
    /// A message passed.
    pub fn observe(&mut self, msg: &Message<'_>, path: &Path, now: Timestamp) {
        let code = if let Start::Response(code) = msg.start { code } else { 0 };
        let of = |socket: SocketAddr| match socket.ip() {
            IpAddr::V4(ip) => u64::from(ip.to_bits()) << 16 | u64::from(socket.port()),
            IpAddr::V6(_) => self.hash.hash_one(socket),
        };
        let numbers = u64::from(path.src.port()) << 48 | u64::from(code) << 32 | u64::from(msg.cseq);
        let hash = self.hash.hash_one((of(path.dst), numbers, msg.body.len(), msg.branch));
        self.seen = self.seen.saturating_add(1);
        // A usize holds at least the low bits that choose the place.
        let place = usize::try_from(hash % (REMEMBERED as u64)).unwrap_or(0);
        if let Some(known) = self.latest.get_mut(place) {
            if known.0 == hash && now.since(known.1) <= WITHIN && now >= known.1 {
                self.twice = self.twice.saturating_add(1);
                // The third copy is measured by the second's time: a storm stays within reach.
            }
            *known = (hash, now);
        }
    }

    /// Which share of what passed once passed again: 1.0 if everything is doubled; `None` if too
    /// little was seen to tell.
    pub fn share(&self) -> Option<f64> {
        let once = self.seen.saturating_sub(self.twice);
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
        (self.seen >= super::ENOUGH).then(|| (self.twice as f64 / once.max(1) as f64).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(doubles: &mut Doubles, n: u32, port: u16, at: i64) {
        let text = format!(
            "OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK{n}\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:h>\r\nCall-ID: {n}\r\nCSeq: {n} OPTIONS\r\n\r\n"
        );
        let path = Path {
            src: ([10, 0, 0, 1], port).into(),
            dst: ([10, 0, 0, 2], 5060).into(),
            src_mac: None,
            dst_mac: None,
            vlan: None,
            mirror: None,
        };
        doubles.observe(&Message::parse(text.as_bytes()).unwrap(), &path, Timestamp(at));
    }

    #[test]
    fn a_copy_comes_at_once_and_a_retransmission_later() {
        let mut doubles = Doubles::default();
        for n in 0..20 {
            let at = i64::from(n) * 1_000_000;
            pass(&mut doubles, n, 5060, at);
            assert!(n >= 3 || doubles.share().is_none());
            pass(&mut doubles, n, 5060, at + 500_000);
            pass(&mut doubles, n, 5062, at + 500_001);
        }
        assert_eq!(doubles.share(), Some(0.0));
        for n in 100..160 {
            let at = i64::from(n) * 1_000_000;
            pass(&mut doubles, n, 5060, at);
            pass(&mut doubles, n, 5060, at + 3_000);
        }
        assert_eq!(doubles.share(), Some(0.5));
    }
}
