//! Who opened which handset's port, from where: flows, not packets.
//!
//! In: datagrams and segments, who is home and who is allowed. Out: `Touch`, once for each change
//! of a flow's state.
//! Never: keeps payload.

use std::net::SocketAddr;

use crate::labels;
use crate::time::{Span, Timestamp};

labels! {
    /// The transport of a flow.
    pub enum Proto {
        Tcp = "tcp", "TCP.";
        Udp = "udp", "UDP.";
    }
}

labels! {
    /// Where an address belongs.
    pub enum Zone {
        Home = "home", "The office's own networks.";
        Pbx = "pbx", "The PBX or Cloud PBX: configured, or it accepted registrations from here.";
        Support = "support", "The support provider.";
        Provisioning = "provisioning", "A provisioning server, by address or by a name that DNS answered.";
        Service = "service", "A DNS, NTP or DHCP server that DHCP named.";
        Outside = "outside", "Anywhere else.";
    }
}

impl Zone {
    /// Whether the operator allows it to reach handsets.
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Pbx | Self::Support | Self::Provisioning | Self::Service)
    }
}

labels! {
    /// Who began a flow.
    pub enum Way {
        Inbound = "inbound", "The peer began it.";
        Outbound = "outbound", "The handset began it.";
    }
}

labels! {
    /// What became of a flow. Each is told once, in this order where several apply.
    pub enum TouchState {
        Syn = "syn", "A connection was asked for.";
        SynAck = "synack", "The other side accepted it.";
        Established = "established", "The handshake is complete.";
        Data = "data", "Both sides have sent at least one byte.";
        Lasting = "lasting", "It is an hour old, then four, then eight; data still flows.";
        Reset = "rst", "The side that was asked refused: the port is closed.";
        Silent = "silent", "No answer within 5 s: filtered, or nobody there.";
        Ended = "ended", "FIN or RST after the handshake, or silence of an hour.";
        UdpRequest = "udp_request", "A first datagram.";
        UdpReply = "udp_reply", "The other side sent a datagram back within 5 s.";
    }
}

labels! {
    /// On which side of the router the mirror stands, as the device's address shows it.
    pub enum Side {
        Lan = "lan", "A private address, or one that registers: the router let it in.";
        Wan = "wan", "A public address: an attempt, perhaps no more.";
    }
}

labels! {
    /// What the side that was asked said first: a class, never its words.
    pub enum Banner {
        None = "none", "Nothing was said.";
        Ssh = "ssh", "An SSH version string.";
        Telnet = "telnet", "Telnet options (IAC), or a log-in prompt.";
        Http = "http", "An HTTP response.";
        Tls = "tls", "A TLS record.";
        Sip = "sip", "SIP.";
        Vnc = "vnc", "An RFB version string.";
        Other = "other", "Anything else.";
    }
}

/// What is known of a flow between a device and a peer when its state changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The peer's address and port.
    pub peer: SocketAddr,
    /// Where the peer belongs.
    pub zone: Zone,
    /// Who began it.
    pub way: Way,
    /// TCP or UDP.
    pub proto: Proto,
    /// The port that was asked for: the device's if `way` is inbound, else the peer's.
    pub port: u16,
    /// What became of it.
    pub state: TouchState,
    /// Inbound from the outside, and nothing that the device sent had invited it: no dialog, no
    /// SDP, no packet of its own within 300 s, and the sensor has watched for 300 s.
    pub unsolicited: bool,
    /// Whether the mirror stands before or behind the router.
    pub side: Side,
    /// What the side that was asked said first.
    pub banner: Banner,
    /// Payload bytes that the device sent.
    pub sent: u64,
    /// Payload bytes that the peer sent.
    pub received: u64,
    /// When it began.
    pub started: Timestamp,
    /// How long it has lasted.
    pub lasted: Span,
}
