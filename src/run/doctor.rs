//! Is the mirror right? What a capture or a minute of a live interface shows of it.
//!
//! In: frames. Out: `Report`: a verdict, what was found, what to do, the phones that were seen.
//! Never: judges calls; says that all is well where nothing could be seen.

mod checksum;
#[cfg(feature = "daemon")]
mod listen;
mod report;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

#[cfg(feature = "daemon")]
pub use listen::listen;
pub use report::{Level, Line, Report, Verdict};

use crate::coverage::Kernel;
use crate::decode::{Decoder, Mac, Packet, Path};
use crate::dial::Dial;
use crate::frame::{Frame, Link};
use crate::hints::user_agent::{self, Agent};
use crate::ledger::Ledger;
use crate::sensor::{self, Sensor};
use crate::sip::{Message, Sniff, Start, sniff::sniff};
use crate::streams::{self, Streams};
use crate::text::Text;
use crate::time::{Span, Timestamp};

/// Phones that are listed.
const MAX_PHONES: usize = 1_024;
/// VLANs that are listed.
const MAX_VLANS: usize = 64;

/// A device that spoke SIP in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phone {
    /// Its hardware address, or that of the router before it.
    pub mac: Option<Mac>,
    /// Its VLAN.
    pub vlan: Option<u16>,
    /// What it says it is, word for word.
    pub agent: Text<64>,
    /// Maker, model and firmware, where its User-Agent follows a known grammar.
    pub device: Option<Agent>,
}

/// What frames show beside what the sensor makes of them.
#[derive(Debug, Default)]
struct Look {
    frames: u64,
    unicast: u64,
    group: u64,
    rtp: u64,
    checked: u64,
    bad_checksums: u64,
    tcp_sip: u64,
    vlans: BTreeMap<u16, u64>,
    phones: BTreeMap<IpAddr, Phone>,
    mirrors: BTreeMap<IpAddr, u64>,
}

/// Looks at frames one by one.
pub struct Doctor {
    sensor: Sensor,
    decoder: Decoder,
    streams: Streams,
    look: Look,
    first: Option<Timestamp>,
    last: Timestamp,
}

impl Doctor {
    /// With the office's own settings.
    pub fn new(settings: sensor::Settings, dial: Dial) -> Self {
        Self {
            sensor: Sensor::new(settings, dial, Arc::new(Ledger::default())),
            decoder: Decoder::default(),
            streams: Streams::new(streams::Settings::default()),
            look: Look::default(),
            first: None,
            last: Timestamp(0),
        }
    }

    /// Takes in a frame.
    pub fn take(&mut self, frame: &Frame<'_>) {
        self.first.get_or_insert(frame.ts);
        self.last = self.sensor.handle_frame(frame);
        while self.sensor.poll_fact().is_some() {}
        self.look.frame(frame);
        let Self { decoder, streams, look, .. } = self;
        match decoder.decode(frame) {
            Ok(Packet::Datagram(datagram)) => {
                look.path(&datagram.path);
                match sniff(datagram.payload) {
                    Sniff::Sip => look.message(&datagram.path, datagram.payload),
                    Sniff::Rtp => look.rtp += 1,
                    _ => {}
                }
            }
            Ok(Packet::Segment(segment)) => {
                look.path(&segment.path);
                streams.push(&segment, frame.ts, &mut |path: &Path, payload: &[u8]| {
                    look.tcp_sip += 1;
                    look.message(path, payload);
                });
            }
            Err(_) => {}
        }
    }

    /// The drops that a live capture counted.
    pub fn note_kernel(&mut self, kernel: Kernel) {
        self.sensor.note_kernel(kernel);
    }

    /// What all of it comes to.
    pub fn finish(mut self) -> Report {
        self.sensor.finish();
        let length = self.first.map_or(Span::ZERO, |first| self.last.since(first));
        report::report(&self.sensor, &self.look, length)
    }
}

impl Look {
    fn frame(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        if frame.link == Link::Ethernet
            && let Some(first) = frame.data.first()
        {
            if first & 1 == 1 {
                self.group += 1;
            } else {
                self.unicast += 1;
            }
            if let Some(right) = checksum::is_right(frame.data) {
                self.checked += 1;
                self.bad_checksums += u64::from(!right);
            }
        }
    }

    fn path(&mut self, path: &Path) {
        if let Some(id) = path.vlan
            && (self.vlans.len() < MAX_VLANS || self.vlans.contains_key(&id))
        {
            *self.vlans.entry(id).or_default() += 1;
        }
        if let Some(ip) = path.mirror
            && (self.mirrors.len() < MAX_VLANS || self.mirrors.contains_key(&ip))
        {
            *self.mirrors.entry(ip).or_default() += 1;
        }
    }

    /// Whoever sends a request with a User-Agent is a device with a name.
    fn message(&mut self, path: &Path, payload: &[u8]) {
        let Ok(msg) = Message::parse(payload) else { return };
        if !matches!(msg.start, Start::Request { .. }) || msg.user_agent.is_empty() {
            return;
        }
        let ip = path.src.ip();
        if self.phones.len() < MAX_PHONES || self.phones.contains_key(&ip) {
            let phone = Phone {
                mac: path.src_mac,
                vlan: path.vlan,
                agent: Text::new(msg.user_agent),
                device: user_agent::parse(msg.user_agent),
            };
            self.phones.insert(ip, phone);
        }
    }
}

#[cfg(test)]
mod tests;
