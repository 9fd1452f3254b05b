//! A captured frame, borrowed from whoever captured it.
//!
//! In: a packet of a file, an interface or a HEP feed. Out: `Frame`.
//! Never: owns its bytes.

use crate::time::Timestamp;

/// One captured packet.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When the capture says it passed.
    pub ts: Timestamp,
    /// What `data` begins with.
    pub link: Link,
    /// Which interface of the capture it came from, counted from 0.
    pub interface: u16,
    /// Length on the wire in bytes; more than `data` if the capture cut it.
    pub wire_len: u32,
    /// What was captured.
    pub data: &'a [u8],
}

/// Link types that can be read, by the numbers of the tcpdump.org link-layer registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// 1 Ethernet
    Ethernet,
    /// 0 BSD loopback, family in the capturing host's byte order
    Null,
    /// 108 OpenBSD loopback, family in network order
    Loop,
    /// 9, 50, 104 PPP, with or without HDLC-like framing, or Cisco's
    Ppp,
    /// 51 PPP over Ethernet, without the Ethernet header
    PppEther,
    /// 12, 14, 101 raw IPv4 or IPv6
    Raw,
    /// 228 raw IPv4
    Ipv4,
    /// 229 raw IPv6
    Ipv6,
    /// 113 Linux cooked v1
    Sll,
    /// 276 Linux cooked v2
    Sll2,
    /// 239 Linux netfilter log
    Nflog,
    /// not a capture's link type: a HEPv3 packet taken from a socket
    Hep,
}

impl Link {
    /// The link type of a capture file's number; `None` if it can't be read.
    pub const fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            0 => Self::Null,
            1 => Self::Ethernet,
            9 | 50 | 104 => Self::Ppp,
            51 => Self::PppEther,
            12 | 14 | 101 => Self::Raw,
            108 => Self::Loop,
            113 => Self::Sll,
            228 => Self::Ipv4,
            229 => Self::Ipv6,
            239 => Self::Nflog,
            276 => Self::Sll2,
            _ => return None,
        })
    }
}
