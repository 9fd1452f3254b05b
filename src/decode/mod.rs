//! From a frame to what travels in it.
//!
//! In: `Frame`. Out: one of a UDP datagram, a TCP segment, or the reason why it's neither; a count
//! of what it was wrapped in.
//! Never: knows SIP, panics, or spends more than linear time on any bytes.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod decoder;
mod fast;
mod fragment;
pub mod hep;
mod l2tp;
mod link;
mod mpls;
mod net;
mod notice;
mod sctp;
mod speech;
mod transport;
mod tunnel;
mod way;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::labels;
use crate::tally::Tally;

pub use decoder::{Decoder, Settings};
pub use notice::{Notice, Told, notice};
pub use speech::Speech;

/// A hardware address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// Between whom a packet travels, as the innermost headers say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Sender's address and port.
    pub src: SocketAddr,
    /// Receiver's address and port.
    pub dst: SocketAddr,
    /// Sender's hardware address, where the link has one.
    pub src_mac: Option<Mac>,
    /// Receiver's hardware address, where the link has one.
    pub dst_mac: Option<Mac>,
    /// The innermost VLAN id (0..=4095).
    pub vlan: Option<u16>,
    /// The sender of the outermost tunnel, where the packet came in one (a remote mirror).
    pub mirror: Option<IpAddr>,
}

/// Two addresses as a key. Where both are IPv4, as nearly all are, it hashes in a few steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends(pub SocketAddr, pub SocketAddr);

impl Hash for Ends {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        match (self.0, self.1) {
            (SocketAddr::V4(a), SocketAddr::V4(b)) => {
                state.write_u64(u64::from(a.ip().to_bits()) << 16 | u64::from(a.port()));
                state.write_u64(u64::from(b.ip().to_bits()) << 16 | u64::from(b.port()));
            }
            both => both.hash(state),
        }
    }
}

impl Ends {
    /// The other direction.
    #[must_use]
    pub const fn turned(self) -> Self {
        Self(self.1, self.0)
    }

    /// The same for both directions.
    #[inline]
    pub fn of_both_ways(a: SocketAddr, b: SocketAddr) -> Self {
        let in_order = match (a, b) {
            (SocketAddr::V4(a), SocketAddr::V4(b)) => {
                (a.ip().to_bits(), a.port()) <= (b.ip().to_bits(), b.port())
            }
            _ => a <= b,
        };
        if in_order { Self(a, b) } else { Self(b, a) }
    }
}

impl Path {
    /// Sender and receiver.
    pub const fn ends(&self) -> Ends {
        Ends(self.src, self.dst)
    }

    /// Whether a datagram with these ports may be a tunnel's.
    pub fn may_be_tunnel(&self) -> bool {
        tunnel::is_port(self.src.port(), self.dst.port())
    }
}

/// The payload of a UDP datagram (or of a SIP message that a HEP packet carries).
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Between whom.
    pub path: Path,
    /// What it carries, by the UDP length, as far as it was captured.
    pub payload: &'a [u8],
    /// Whether the capture or a missing fragment cut the payload short.
    pub truncated: bool,
}

/// A TCP segment.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Between whom.
    pub path: Path,
    /// Sequence number of the first payload byte (SYN counts as one before it).
    pub seq: u32,
    /// SYN flag.
    pub syn: bool,
    /// FIN flag.
    pub fin: bool,
    /// RST flag.
    pub rst: bool,
    /// ACK flag.
    pub ack: bool,
    /// With the ACK flag: the sequence number that the sender expects next.
    pub ack_seq: u32,
    /// What it carries, as far as it was captured.
    pub payload: &'a [u8],
    /// Whether the capture cut the payload short.
    pub truncated: bool,
}

/// What a frame turned out to be.
#[derive(Clone, Copy, Debug)]
pub enum Packet<'a> {
    /// UDP.
    Datagram(Datagram<'a>),
    /// TCP.
    Segment(Segment<'a>),
}

labels! {
    /// Why a frame carries no payload for the next stage.
    pub enum Skip {
        LinkTruncated = "link_truncated", "The capture ends inside the link header.";
        NotIp = "not_ip", "A link-layer protocol other than IP: ARP, LLDP, spanning tree and the like.";
        TooManyTags = "too_many_tags", "More than 8 VLAN tags or MPLS labels.";
        TooDeep = "too_deep", "Tunnels inside tunnels, more than 4 deep.";
        IpMalformed = "ip_malformed", "An IP header that contradicts itself or ends early.";
        Fragment = "fragment", "A fragment that waits for the rest of its packet.";
        FragmentBad = "fragment_bad", "A fragment that contradicts itself or its predecessors.";
        TransportTruncated = "transport_truncated", "The capture ends inside the UDP, TCP or SCTP header.";
        UdpMalformed = "udp_malformed", "A UDP length that contradicts the packet.";
        TcpMalformed = "tcp_malformed", "A TCP header that contradicts the packet.";
        TunnelMalformed = "tunnel_malformed", "A tunnel header that ends early or contradicts itself.";
        TunnelEncrypted = "tunnel_encrypted", "IPsec ESP: nothing inside can be read.";
        OtherTransport = "other_transport", "IP with a protocol other than UDP and TCP, such as ICMP.";
        HepMalformed = "hep_malformed", "A HEP packet that ends early or contradicts itself.";
        HepOther = "hep_other", "A HEP packet that carries no SIP, or carries it compressed.";
    }
}

labels! {
    /// What a packet was wrapped in.
    pub enum Encap {
        Vlan = "vlan", "An 802.1Q, 802.1ad or 0x9100 tag.";
        Pppoe = "pppoe", "PPP over Ethernet (RFC 2516).";
        Mpls = "mpls", "MPLS labels (RFC 3032), also in UDP (RFC 7510).";
        Gre = "gre", "GRE (RFC 2784, 2890).";
        Nvgre = "nvgre", "Ethernet in GRE with a key (RFC 7637).";
        Erspan = "erspan", "A switch's remote mirror in GRE, types I, II and III.";
        IpInIp = "ip_in_ip", "IPv4 or IPv6 directly in IP (RFC 2003, 4213).";
        EtherIp = "ether_ip", "Ethernet in IP (RFC 3378).";
        Vxlan = "vxlan", "VXLAN (RFC 7348).";
        Geneve = "geneve", "Geneve (RFC 8926).";
        GtpU = "gtp_u", "GTP-U, a mobile network's user plane (3GPP TS 29.281).";
        L2tp = "l2tp", "L2TP, version 2 (RFC 2661) and 3 (RFC 3931).";
        Tzsp = "tzsp", "TZSP, a remote mirror of wireless and MikroTik devices.";
        Hep = "hep", "HEPv3, a copy that a PBX or proxy sent.";
        Sctp = "sctp", "SCTP DATA chunks (RFC 4168, 9260), also in UDP (RFC 6951).";
    }
}

labels! {
    /// What became of fragments: IP's, and those of SCTP messages.
    pub enum Defrag {
        Joined = "joined", "Packets and messages that were put together.";
        Duplicate = "duplicate", "Fragments that had been seen already.";
        Overlap = "overlap", "Fragments that overlap others with different bytes; what came first counts.";
        Expired = "expired", "Packets whose rest never came.";
        Evicted = "evicted", "Packets given up because too many were waiting.";
        FirstOnly = "first_only", "Packets given up of which the beginning was there and was read.";
        Lost = "lost", "Beginnings that couldn't be kept until somebody asked for them.";
    }
}

/// What the decoder counts beside its outcomes. Any thread may read it.
#[derive(Debug, Default)]
pub struct Stats {
    /// Packets by what they were wrapped in; one packet may count several times.
    pub encap: Tally<Encap>,
    /// Fragments.
    pub defrag: Tally<Defrag>,
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the tests' own sums")]
mod tests;
