//! Signalling that can't be read, and what its handsets' media still tell: how many calls, how many
//! at once, at what time of day. Rate only, destination unknown: never a call of the ledger.
//!
//! In: first and later sights of TLS and DTLS on signalling ports, RTP. Out: flows, phones.
//! Never: makes a call of it; costs anything while nobody encrypts.

use std::net::{IpAddr, SocketAddr};

use crate::bounded::Table;
use crate::decode::{Path, Speech};
use crate::time::{Span, Timestamp};

/// Encrypted flows that are followed.
const FLOWS: usize = 4_096;
/// Handsets with encrypted signalling that are followed.
const PHONES: usize = 1_024;
/// Media streams of one handset at a time.
const STREAMS: usize = 8;
/// A stream that is silent for longer is over; on hold some phones send nothing.
const SILENT: Span = Span::seconds(30);
/// A silent connection is forgotten, as reassembly forgets it.
const IDLE: Span = Span::HOUR;

/// Where SIP over TLS and DTLS listens (RFC 3261 section 19.1.2), and where it often does besides.
const fn is_signalling_port(port: u16) -> bool {
    matches!(port, 5061 | 5081)
}

/// Which end of an encrypted connection is the handset: `(handset, server)`, or `None` if nothing
/// says that it carries SIP. `is_pbx` tells a PBX or registrar.
pub fn ends(path: &Path, first: &[u8], is_pbx: impl Fn(IpAddr) -> bool) -> Option<(SocketAddr, SocketAddr)> {
    let near = |port: u16| is_signalling_port(port) || (5_060..5_100).contains(&port);
    if is_signalling_port(path.dst.port()) || (near(path.dst.port()) && is_pbx(path.dst.ip())) {
        Some((path.src, path.dst))
    } else if is_signalling_port(path.src.port()) || (near(path.src.port()) && is_pbx(path.src.ip())) {
        Some((path.dst, path.src))
    } else if offers_sip(first) {
        Some((path.src, path.dst))
    } else {
        None
    }
}

/// Whether a ClientHello offers SIP by ALPN (RFC 7301; `sip/2` in IANA's registry).
pub fn offers_sip(record: &[u8]) -> bool {
    alpn(record).is_some_and(|mut list| {
        while let Some((length, rest)) = list.split_first() {
            let Some(name) = rest.get(..usize::from(*length)) else { return false };
            if matches!(name, b"sip/2" | b"sip" | b"sips") {
                return true;
            }
            list = rest.get(name.len()..).unwrap_or_default();
        }
        false
    })
}

/// The protocol names of a ClientHello that lies whole in one record (RFC 8446 section 4.1.2).
fn alpn(record: &[u8]) -> Option<&[u8]> {
    let [22, 3, _, _, _, 1, _, _, _, hello @ ..] = record else { return None };
    let rest = hello.get(34..)?;
    let rest = rest.get(1 + usize::from(*rest.first()?)..)?;
    let rest = rest.get(2 + length16(rest)?..)?;
    let rest = rest.get(1 + usize::from(*rest.first()?)..)?;
    let mut extensions = rest.get(2..)?;
    while let Some((&[k1, k2, l1, l2], more)) = extensions.split_first_chunk::<4>() {
        let value = more.get(..usize::from(u16::from_be_bytes([l1, l2])))?;
        if [k1, k2] == [0, 16] {
            return value.get(2..);
        }
        extensions = more.get(value.len()..)?;
    }
    None
}

fn length16(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk::<2>().map(|pair| usize::from(u16::from_be_bytes(*pair)))
}

/// A media stream of a handset, by its port.
#[derive(Clone, Copy, Debug)]
struct Stream {
    port: u16,
    last: Timestamp,
}

/// A handset whose signalling can't be read.
#[derive(Clone, Copy, Debug)]
pub struct Phone {
    /// When its first encrypted connection was seen.
    pub since: Timestamp,
    /// When its latest one began.
    pub latest: Timestamp,
    /// When one of them was last alive.
    pub active: Timestamp,
    /// Where that goes.
    pub server: SocketAddr,
    /// Encrypted connections that were seen to begin.
    pub connections: u32,
    /// Media streams that began since: calls, as far as can be told. A hold or a transfer may
    /// count again.
    pub calls: u32,
    /// The most streams at a time.
    pub at_once: u8,
    /// Streams by the hour of the day (UTC) in which they began.
    pub by_hour: [u32; 24],
    /// Whether the fall of its SIP in clear has been told.
    pub told: bool,
    streams: [Option<Stream>; STREAMS],
}

impl Phone {
    fn new(server: SocketAddr, now: Timestamp) -> Self {
        Self {
            since: now,
            latest: now,
            active: now,
            server,
            connections: 0,
            calls: 0,
            at_once: 0,
            by_hour: [0; 24],
            told: false,
            streams: [None; STREAMS],
        }
    }

    fn media(&mut self, port: u16, now: Timestamp) {
        let going = |stream: &Stream| now.since(stream.last) <= SILENT;
        if let Some(known) =
            self.streams.iter_mut().flatten().find(|stream| stream.port == port && going(stream))
        {
            known.last = now;
            return;
        }
        let stream = Some(Stream { port, last: now });
        // More than fit: the calls are counted, their end isn't.
        if let Some(free) = self.streams.iter_mut().find(|slot| slot.is_none_or(|stream| !going(&stream))) {
            *free = stream;
        }
        self.calls = self.calls.saturating_add(1);
        let going = self.streams.iter().flatten().filter(|stream| going(stream)).count();
        self.at_once = self.at_once.max(u8::try_from(going).unwrap_or(u8::MAX));
        let hour = usize::try_from(now.as_secs().div_euclid(3_600).rem_euclid(24)).unwrap_or(0);
        if let Some(count) = self.by_hour.get_mut(hour) {
            *count = count.saturating_add(1);
        }
    }
}

/// All of it.
#[derive(Debug)]
pub struct Encrypted {
    flows: Table<(SocketAddr, SocketAddr), ()>,
    phones: Table<IpAddr, Phone>,
    /// How many phones' addresses end in a byte: where there are none, nobody needs to look.
    ends_in: [u16; 256],
    begun: u64,
}

impl Default for Encrypted {
    fn default() -> Self {
        Self { flows: Table::new(FLOWS, 0), phones: Table::new(PHONES, 0), ends_in: [0; 256], begun: 0 }
    }
}

fn last_byte(ip: IpAddr) -> usize {
    usize::from(match ip {
        IpAddr::V4(v4) => v4.octets()[3],
        IpAddr::V6(v6) => v6.octets()[15],
    })
}

impl Encrypted {
    /// A handset has an encrypted connection to a server.
    pub fn begin(&mut self, handset: SocketAddr, server: SocketAddr, now: Timestamp) {
        if !self.flows.find_or_insert(&(handset, server), now, || ()).new {
            return;
        }
        self.begun = self.begun.saturating_add(1);
        let inserted = self.phones.find_or_insert(&handset.ip(), now, || Phone::new(server, now));
        if inserted.new {
            self.mark(handset.ip(), true);
        }
        if let Some((_, gone, _)) = inserted.evicted {
            self.mark(gone, false);
        }
        if let Some(phone) = self.phones.get_mut(inserted.slot) {
            phone.connections = phone.connections.saturating_add(1);
            phone.latest = now;
            phone.active = now;
            phone.server = server;
        }
    }

    fn mark(&mut self, ip: IpAddr, there: bool) {
        if let Some(count) = self.ends_in.get_mut(last_byte(ip)) {
            *count = if there { count.saturating_add(1) } else { count.saturating_sub(1) };
        }
    }

    /// More of a connection, in either direction; `over` if it ends.
    pub fn more(&mut self, path: &Path, over: bool, now: Timestamp) {
        for key in [(path.src, path.dst), (path.dst, path.src)] {
            let Some(slot) = self.flows.find(&key) else { continue };
            if over {
                self.flows.remove(slot);
                continue;
            }
            self.flows.touch(slot, now);
            if let Some(phone) = self.phones.find(&key.0.ip()).and_then(|slot| self.phones.get_mut(slot)) {
                phone.active = now;
            }
        }
    }

    /// Whether nobody encrypts.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.phones.is_empty()
    }

    /// Whether RTP between two addresses counts for nobody. Only the addresses' last bytes are looked at.
    #[inline(always)]
    pub fn passes(&self, speech: &Speech) -> bool {
        let nobody = |end: u64| self.ends_in.get((end & 0xff) as usize).is_some_and(|count| *count == 0);
        self.is_empty() || (nobody(speech.addresses) && nobody(speech.addresses >> 32))
    }

    /// RTP passed; it counts if one of the ends is a handset whose signalling can't be read.
    #[inline]
    pub fn rtp(&mut self, path: &Path, payload: &[u8], now: Timestamp) {
        if !self.is_empty() {
            self.media(path, payload, now);
        }
    }

    fn media(&mut self, path: &Path, payload: &[u8], now: Timestamp) {
        // RTCP's packet types, where RTP would have the marker and payload types 72 to 76 (RFC 5761).
        if payload.get(1).is_none_or(|kind| (200..=207).contains(kind)) {
            return;
        }
        for end in [path.src, path.dst] {
            if self.ends_in.get(last_byte(end.ip())).is_some_and(|count| *count == 0) {
                continue;
            }
            let slot = self.phones.find(&end.ip());
            if let Some(phone) = slot.and_then(|slot| self.phones.get_mut(slot)) {
                phone.media(end.port(), now);
                return;
            }
        }
    }

    /// Forgets connections that were silent for long.
    pub fn expire(&mut self, now: Timestamp) {
        while self.flows.expire(now.minus(IDLE)).is_some() {}
    }

    /// Encrypted signalling connections now.
    pub fn flows(&self) -> u64 {
        u64::try_from(self.flows.len()).unwrap_or(u64::MAX)
    }

    /// Encrypted signalling connections ever.
    pub const fn begun(&self) -> u64 {
        self.begun
    }

    /// Every handset whose signalling can't be read.
    pub fn phones(&self) -> impl Iterator<Item = (IpAddr, &Phone)> {
        self.phones.iter().map(|(_, ip, phone)| (*ip, phone))
    }

    /// The fall of a handset's SIP in clear has been told.
    pub fn told(&mut self, ip: IpAddr, told: bool) {
        if let Some(phone) = self.phones.find(&ip).and_then(|slot| self.phones.get_mut(slot)) {
            phone.told = told;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: [u8; 4] = [10, 0, 3, 17];
    const PBX: [u8; 4] = [203, 0, 113, 10];

    fn path(src: ([u8; 4], u16), dst: ([u8; 4], u16)) -> Path {
        Path { src: src.into(), dst: dst.into(), src_mac: None, dst_mac: None, vlan: None, mirror: None }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp(0).plus(Span::seconds(seconds))
    }

    /// A ClientHello with one extension.
    fn hello(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
        let extension = [&kind.to_be_bytes()[..], &length(value), value].concat();
        let body = [&[3, 3][..], &[7; 32], &[0], &[0, 2, 0x13, 1], &[1, 0], &length(&extension), &extension]
            .concat();
        let hello = [&[1, 0][..], &length(&body), &body].concat();
        [&[22, 3, 1][..], &length(&hello), &hello].concat()
    }

    #[test]
    fn sip_is_known_by_port_by_alpn_and_by_the_pbx() {
        let nobody = |_: IpAddr| false;
        let to = path((PHONE, 40_000), (PBX, 5061));
        let back = path((PBX, 5061), (PHONE, 40_000));
        assert_eq!(ends(&to, b"", nobody), Some((to.src, to.dst)));
        assert_eq!(ends(&back, b"", nobody), Some((to.src, to.dst)));
        let web = path((PHONE, 40_000), (PBX, 443));
        assert_eq!(ends(&web, &hello(16, b"\0\x09\x08http/1.1"), nobody), None);
        assert_eq!(ends(&web, &hello(16, b"\0\x0f\x08http/1.1\x05sip/2"), nobody), Some((web.src, web.dst)));
        assert_eq!(ends(&web, b"", |ip| ip == IpAddr::from(PBX)), None, "the PBX has a web page too");
        let odd = path((PHONE, 40_000), (PBX, 5071));
        assert_eq!(ends(&odd, b"", nobody), None);
        assert!(ends(&odd, b"", |ip| ip == IpAddr::from(PBX)).is_some());
        let whole = hello(16, b"\0\x06\x05sip/2");
        assert!((0..whole.len()).all(|cut| !offers_sip(&whole[..cut])));
    }

    #[test]
    fn calls_are_streams_that_begin_and_several_at_once_are_seen() {
        let mut encrypted = Encrypted::default();
        let media = |port| path((PHONE, port), ([198, 51, 100, 7], 20_000));
        let rtp = [0x80, 8, 0, 1, 0, 0, 0, 0];
        encrypted.rtp(&media(4_000), &rtp, at(0));
        encrypted.begin((PHONE, 40_000).into(), (PBX, 5061).into(), at(1));
        encrypted.begin((PHONE, 40_000).into(), (PBX, 5061).into(), at(2));
        for second in 3..60 {
            encrypted.rtp(&media(4_000), &rtp, at(second));
            encrypted.rtp(&path(([198, 51, 100, 7], 20_000), (PHONE, 4_000)), &rtp, at(second));
            encrypted.rtp(&media(4_001), &[0x80, 200, 0, 1, 0, 0, 0, 0], at(second));
            if second > 30 {
                encrypted.rtp(&media(4_002), &rtp, at(second));
            }
        }
        encrypted.rtp(&media(4_000), &rtp, at(3_600 + 90));
        encrypted.rtp(&path(([10, 0, 4, 17], 4_000), ([198, 51, 100, 7], 20_000)), &rtp, at(3_700));
        let phones: Vec<_> = encrypted.phones().collect();
        let [(ip, phone)] = phones[..] else { panic!("{phones:?}") };
        assert_eq!((ip, phone.connections, phone.calls, phone.at_once), (PHONE.into(), 1, 3, 2));
        assert_eq!((phone.by_hour[0], phone.by_hour[1]), (2, 1));
        assert_eq!((encrypted.flows(), encrypted.begun()), (1, 1));
        encrypted.more(&path((PBX, 5061), (PHONE, 40_000)), false, at(4_000));
        encrypted.expire(at(4_000 + 3_599));
        assert_eq!(encrypted.flows(), 1);
        encrypted.more(&path((PBX, 5061), (PHONE, 40_000)), true, at(9_000));
        assert_eq!((encrypted.flows(), encrypted.begun()), (0, 1));
    }
}
