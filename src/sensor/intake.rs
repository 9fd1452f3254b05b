//! From a datagram or a stream's bytes to whoever reads them.
//!
//! In: datagrams, messages as they came. Out: what the watch and the call table make of them.
//! Never: looks anything up before the message is read, where the memory can be asked for instead.

use super::{Core, Transport, watch};
use crate::coverage::Sign;
use crate::decode::{Datagram, Path};
use crate::sip::{Message, Reject, Sniff, sniff};
use crate::time::Timestamp;
use crate::touches::Proto;

impl Core {
    #[inline]
    pub(super) fn datagram(&mut self, datagram: &Datagram<'_>, now: Timestamp, counted: bool) -> bool {
        self.coverage.signs.add(Sign::Truncated, u64::from(datagram.truncated));
        let kind = sniff::sniff(datagram.payload);
        if counted {
            self.outcomes.datagram(kind);
        }
        if kind == Sniff::Sip {
            self.sip_datagram(datagram, now);
            return true;
        }
        let watch::Look { looked, stirs } = self.watch.datagram(datagram, &self.handsets, now);
        if stirs {
            self.sightings();
        }
        match kind {
            Sniff::Rtp => {
                self.coverage.encrypted.rtp(&datagram.path, datagram.payload, now);
                if looked {
                    self.lifelines.media(&datagram.path, now);
                }
                return stirs;
            }
            Sniff::Dtls => self.dtls(datagram, now),
            _ => return stirs,
        }
        true
    }

    /// A message is read before anything is looked up: meanwhile the memory comes that was asked for.
    fn sip_datagram(&mut self, datagram: &Datagram<'_>, now: Timestamp) {
        let (path, payload) = (&datagram.path, datagram.payload);
        self.watch.warm(path, Proto::Udp);
        // Read where it stands: it is too big to be moved about.
        let parsed = &Message::parse(payload);
        self.watch.warm_relation(path);
        if self.watch.datagram(datagram, &self.handsets, now).stirs {
            self.sightings();
        }
        self.parsed(parsed, path, payload, Transport::Udp, now);
    }

    /// A message out of a stream, whole.
    pub(super) fn stream_message(&mut self, path: &Path, payload: &[u8], now: Timestamp) {
        self.watch.warm(path, Proto::Tcp);
        let parsed = &Message::parse(payload);
        self.watch.warm_relation(path);
        self.parsed(parsed, path, payload, Transport::Tcp, now);
    }

    fn parsed(
        &mut self,
        parsed: &Result<Message<'_>, Reject>,
        path: &Path,
        payload: &[u8],
        transport: Transport,
        now: Timestamp,
    ) {
        let msg = match parsed {
            Ok(msg) => msg,
            Err(reject) => return self.rejected(*reject, payload, path, now),
        };
        if let Some(sender) = self.watch.relation(path, &self.handsets, now).and_then(|known| known.sender) {
            self.handsets.warm(sender);
        }
        self.outcomes.message(msg, transport);
        if transport == Transport::Udp {
            self.coverage.doubles.observe(msg, path, now);
        }
        if let Some(slot) = self.track(msg, path, now) {
            self.lives(slot, (msg, payload), path, now);
        }
        let proto = if transport == Transport::Udp { Proto::Udp } else { Proto::Tcp };
        self.watch.message((msg, payload), path, proto, &self.handsets, now);
        self.sightings();
    }
}
