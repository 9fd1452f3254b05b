//! HEPv3, in which a PBX or proxy sends copies of its SIP messages, also those under TLS.
//!
//! In: a HEP packet, from a socket or out of a captured datagram. Out: `Hep`, which borrows it.
//! Never: believes a length, or a sender.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Datagram, Path, Skip};
use crate::time::Timestamp;

/// What every HEPv3 packet begins with.
pub const MAGIC: [u8; 4] = *b"HEP3";
/// Length of the packet's own header, and of each chunk's: 6 bytes.
const HEADER: usize = 6;
const SIP: u8 = 1;

/// One HEP packet. Chunks of other vendors and unknown types are passed over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hep<'a> {
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    src_port: u16,
    dst_port: u16,
    seconds: Option<u32>,
    micros: u32,
    vlan: Option<u16>,
    /// What it carries: 1 SIP, 5 RTCP, 100 a log line.
    pub kind: u8,
    /// IP protocol by which the message travelled: 17 UDP, 6 TCP (also TLS), 132 SCTP.
    pub protocol: u8,
    /// Which agent sent it.
    pub capture_id: u32,
    /// The agent's password; empty if it sent none. Compare it in constant time.
    pub key: &'a [u8],
    /// The copied message.
    pub payload: &'a [u8],
}

impl<'a> Hep<'a> {
    /// Reads a packet. The bytes may go on behind it.
    ///
    /// # Errors
    /// [`Skip::HepMalformed`] if a length contradicts another.
    pub fn parse(data: &'a [u8]) -> Result<Self, Skip> {
        let length = length(data)?.ok_or(Skip::HepMalformed)?;
        let mut chunks = data.get(HEADER..length).ok_or(Skip::HepMalformed)?;
        let mut hep = Self::default();
        while !chunks.is_empty() {
            let (&[v1, v2, t1, t2, l1, l2], _) =
                chunks.split_first_chunk::<HEADER>().ok_or(Skip::HepMalformed)?;
            let end = usize::from(u16::from_be_bytes([l1, l2]));
            let value = chunks.get(HEADER..end).ok_or(Skip::HepMalformed)?;
            if [v1, v2] == [0, 0] {
                hep.take(u16::from_be_bytes([t1, t2]), value);
            }
            chunks = chunks.get(end..).unwrap_or_default();
        }
        Ok(hep)
    }

    fn take(&mut self, kind: u16, value: &'a [u8]) {
        match (kind, value) {
            (2, [protocol]) => self.protocol = *protocol,
            (3, [a, b, c, d]) => self.src = Some(Ipv4Addr::new(*a, *b, *c, *d).into()),
            (4, [a, b, c, d]) => self.dst = Some(Ipv4Addr::new(*a, *b, *c, *d).into()),
            (5, _) => self.src = address6(value).or(self.src),
            (6, _) => self.dst = address6(value).or(self.dst),
            (7, [a, b]) => self.src_port = u16::from_be_bytes([*a, *b]),
            (8, [a, b]) => self.dst_port = u16::from_be_bytes([*a, *b]),
            (9, [a, b, c, d]) => self.seconds = Some(u32::from_be_bytes([*a, *b, *c, *d])),
            (10, [a, b, c, d]) => self.micros = u32::from_be_bytes([*a, *b, *c, *d]),
            (11, [kind]) => self.kind = *kind,
            (12, [a, b, c, d]) => self.capture_id = u32::from_be_bytes([*a, *b, *c, *d]),
            (14, key) => self.key = key,
            (15, payload) => self.payload = payload,
            (18, [a, b]) => self.vlan = Some(u16::from_be_bytes([*a, *b]) & 0x0fff),
            _ => {}
        }
    }

    /// When the sender says that the message passed.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.seconds.map(|seconds| Timestamp::from_parts(i64::from(seconds), i64::from(self.micros)))
    }

    /// The message as if it had been captured. `mirror` is who sent the copy, where that's known.
    ///
    /// # Errors
    /// [`Skip::HepOther`] if it isn't SIP, [`Skip::HepMalformed`] if it doesn't say between whom.
    pub fn datagram(&self, mirror: Option<IpAddr>) -> Result<Datagram<'a>, Skip> {
        if self.kind != SIP || self.payload.is_empty() {
            return Err(Skip::HepOther);
        }
        let (Some(src), Some(dst)) = (self.src, self.dst) else { return Err(Skip::HepMalformed) };
        let path = Path {
            src: SocketAddr::new(src, self.src_port),
            dst: SocketAddr::new(dst, self.dst_port),
            src_mac: None,
            dst_mac: None,
            vlan: self.vlan.filter(|id| *id != 0),
            mirror,
        };
        Ok(Datagram { path, payload: self.payload, truncated: false })
    }
}

/// The whole packet's length, by which a TCP stream of them is cut; `None` if more bytes are
/// needed to know it.
///
/// # Errors
/// [`Skip::HepMalformed`] if no HEPv3 packet begins here.
pub fn length(data: &[u8]) -> Result<Option<usize>, Skip> {
    if !MAGIC.starts_with(data.get(..4).unwrap_or(data)) {
        return Err(Skip::HepMalformed);
    }
    let Some(&[_, _, _, _, a, b]) = data.first_chunk::<HEADER>() else { return Ok(None) };
    match usize::from(u16::from_be_bytes([a, b])) {
        0..HEADER => Err(Skip::HepMalformed),
        length => Ok(Some(length)),
    }
}

fn address6(value: &[u8]) -> Option<IpAddr> {
    <[u8; 16]>::try_from(value).ok().map(|octets| Ipv6Addr::from(octets).into())
}
