//! How far into a packet the decoder has come, and what it learnt on the way.
//!
//! In: headers. Out: `Way`, which becomes a `Path`. Never: goes deeper than its budget.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::fragment::{Key, Piece};
use super::{Mac, Path, Skip};
use crate::time::Timestamp;

/// Tunnels inside tunnels.
const MAX_DEPTH: u8 = 4;
/// VLAN tags and MPLS labels in front of one network header.
const MAX_TAGS: u8 = 8;

/// What stands next in a packet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Layer<'f> {
    /// An Ethernet frame.
    Ethernet(&'f [u8]),
    /// What an EtherType (or an 802.3 length) says.
    Typed(u16, &'f [u8]),
    /// PPP, beginning with its protocol field or HDLC-like framing.
    Ppp(&'f [u8]),
    /// IPv4 or IPv6, as the first four bits say.
    Ip(&'f [u8]),
    /// What an IP protocol number says.
    Carried(u8, &'f [u8]),
    /// A HEP packet.
    Hep(&'f [u8]),
    /// A part of what an IP protocol number says.
    Fragment(Key, Piece<'f>),
}

/// What the headers so far have said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) ts: Timestamp,
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) src_mac: Option<Mac>,
    pub(super) dst_mac: Option<Mac>,
    pub(super) vlan: Option<u16>,
    mirror: Option<IpAddr>,
    depth: u8,
    tags: u8,
    /// Whether there is less of the packet than its IP header says.
    pub(super) truncated: bool,
}

impl Way {
    pub(super) fn new(ts: Timestamp) -> Self {
        let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self {
            ts,
            src: nobody,
            dst: nobody,
            src_mac: None,
            dst_mac: None,
            vlan: None,
            mirror: None,
            depth: 0,
            tags: 0,
            truncated: false,
        }
    }

    /// Passes a VLAN tag or MPLS label.
    pub(super) fn tag(&mut self) -> Result<(), Skip> {
        self.tags = self.tags.saturating_add(1);
        if self.tags > MAX_TAGS { Err(Skip::TooManyTags) } else { Ok(()) }
    }

    /// Goes into a tunnel that IP carries: from here on hardware addresses and VLAN are others.
    pub(super) fn enter(&mut self) -> Result<(), Skip> {
        self.mirror = self.mirror.or(Some(self.src));
        self.src_mac = None;
        self.dst_mac = None;
        self.vlan = None;
        self.deeper()
    }

    /// Goes into a frame inside a frame.
    pub(super) fn deeper(&mut self) -> Result<(), Skip> {
        self.tags = 0;
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH { Err(Skip::TooDeep) } else { Ok(()) }
    }

    /// Who sent a copy that arrives here: the outermost sender, if there was any IP header.
    pub(super) fn copied_by(&self) -> Option<IpAddr> {
        self.mirror.or_else(|| (!self.src.is_unspecified()).then_some(self.src))
    }

    pub(super) fn path(&self, src_port: u16, dst_port: u16) -> Path {
        Path {
            src: SocketAddr::new(self.src, src_port),
            dst: SocketAddr::new(self.dst, dst_port),
            src_mac: self.src_mac,
            dst_mac: self.dst_mac,
            vlan: self.vlan,
            mirror: self.mirror,
        }
    }
}
