//! Who opened which handset's port, from where: flows, not packets.
//!
//! In: datagrams and segments, who is home and who is allowed. Out: `Touch`, once for each change
//! of a flow's state.
//! Never: keeps payload.

mod banner;
mod flow;
mod invited;
mod settled;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use crate::bounded::SlotId;
use crate::decode::{Ends, Mac, Path, Segment, Speech};
use crate::labels;
use crate::text::Text;
use crate::time::{Span, Timestamp};

use flow::{Flows, Meeting};
use invited::Invited;
use settled::Settled;

pub use banner::classify as classify_banner;

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
        Again = "again", "What nobody asked for came again on the same ports, and still without an answer; told twice.";
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
    /// The peer's name, where TLS (SNI) or DNS told it; of an outbound flow.
    pub name: Text<48>,
    /// Payload bytes that the device sent.
    pub sent: u64,
    /// Payload bytes that the peer sent.
    pub received: u64,
    /// When it began.
    pub started: Timestamp,
    /// How long it has lasted.
    pub lasted: Span,
}

/// What the sensor knows of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The office's own, or an account is registered from it.
    pub ours: bool,
    /// Where it belongs.
    pub zone: Zone,
    /// A handset, or a phone by what it says of itself.
    pub phone: bool,
    /// On which side of the router it is seen.
    pub side: Side,
}

/// A touch, and the device that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The device's address.
    pub ip: IpAddr,
    /// The hardware address that its packets carry; perhaps a router's.
    pub mac: Option<Mac>,
    /// Its VLAN.
    pub vlan: Option<u16>,
    /// What happened.
    pub touch: Touch,
}

/// The limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// TCP connections of handsets that are followed.
    pub connections: usize,
    /// UDP flows that are remembered, of those begun by the office and of the others, each.
    pub datagrams: usize,
    /// How long a UDP packet of ours invites answers.
    pub invites_for: Span,
    /// How long after the start an answer may be one to a question that was not seen.
    pub grace: Span,
    /// How long an answer may take.
    pub answer_within: Span,
    /// How long a silent connection is followed.
    pub idle: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: 16_384,
            datagrams: 32_768,
            invites_for: Span::seconds(300),
            grace: Span::seconds(300),
            answer_within: Span::seconds(5),
            idle: Span::HOUR,
        }
    }
}

/// Who knows what an address is.
pub type Places<'p> = &'p dyn Fn(IpAddr) -> Place;

/// Questions that wait for an answer, at the most; beyond, the oldest is given up untold.
const WAITING: usize = 16_384;

#[derive(Clone, Copy, Debug)]
struct Waiting {
    due: Timestamp,
    proto: Proto,
    slot: SlotId,
}

/// All flows that are followed.
#[derive(Debug)]
pub struct Touches {
    settings: Settings,
    begun: Option<Timestamp>,
    settled: Settled,
    invited: Invited,
    tcp: Flows,
    /// Begun by the office: strangers can't push these out.
    own: Flows,
    theirs: Flows,
    /// Devices of the office that were seen to begin or accept a flow.
    heard: crate::bounded::Table<IpAddr, ()>,
    /// Outbound flows that were told lately: device, with port 0, and peer.
    told_lately: crate::bounded::Table<Ends, Timestamp>,
    waiting: VecDeque<Waiting>,
    /// Whether a question was put there since `has_stirred` was asked.
    waits_anew: bool,
    told: VecDeque<Told>,
}

impl Default for Touches {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Touches {
    /// Nothing seen yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            begun: None,
            settled: Settled::default(),
            invited: Invited::default(),
            tcp: Flows::new(settings.connections),
            own: Flows::new(settings.datagrams),
            theirs: Flows::new(settings.datagrams),
            heard: crate::bounded::Table::loose(settings.connections, 0),
            told_lately: crate::bounded::Table::loose(settings.connections, 0),
            waiting: VecDeque::new(),
            waits_anew: false,
            told: VecDeque::new(),
        }
    }

    /// A UDP datagram passes. The answer is whether it was looked at: that of a settled flow isn't.
    #[inline]
    pub fn datagram(&mut self, path: &Path, payload: &[u8], places: Places<'_>, now: Timestamp) -> bool {
        let tag = self.settled.tag(path.src, path.dst, Proto::Udp);
        let looks = !self.settled.is_settled(tag, now);
        if looks {
            self.unsettled_datagram(tag, path, payload, places, now);
        }
        looks
    }

    /// Asks for the memory of a flow: a packet of it will be looked at in a moment.
    #[inline]
    pub fn warm(&self, path: &Path, proto: Proto) {
        self.settled.warm(self.settled.tag(path.src, path.dst, proto));
    }

    /// Whether speech is of a settled flow that may pass unread. Every frame of RTP is asked about here.
    #[inline(always)]
    pub fn passes(&self, speech: &Speech, now: Timestamp) -> bool {
        self.settled.passes(speech, now)
    }

    /// If the UDP flow of a datagram that was just looked at is settled now, its speech may pass unread
    /// until it's looked at again.
    pub fn let_pass(&mut self, path: &Path) {
        self.settled.let_pass(self.settled.tag(path.src, path.dst, Proto::Udp));
    }

    /// When a datagram of a settled UDP flow last passed, from here to there, to about a second; `None` if
    /// the flow isn't among those that are settled.
    pub fn last_heard(&self, src: SocketAddr, dst: SocketAddr) -> Option<Timestamp> {
        self.settled.last(self.settled.tag(src, dst, Proto::Udp))
    }

    /// A TCP segment passes.
    #[inline]
    pub fn segment(&mut self, segment: &Segment<'_>, places: Places<'_>, now: Timestamp) {
        let tag = self.settled.tag(segment.path.src, segment.path.dst, Proto::Tcp);
        if segment.syn || !self.settled.is_settled(tag, now) {
            self.unsettled_segment(tag, segment, places, now);
        }
    }

    /// A body of an exchange with an allowed server, or one that the handset began, names addresses.
    pub fn invite(&mut self, body: &[u8], now: Timestamp) {
        self.invited.body(body, now);
    }

    /// An exchange of that kind names an address for SIP.
    pub fn invite_address(&mut self, address: SocketAddr, now: Timestamp) {
        self.invited.name(address, now);
    }

    /// Whether an exchange of that kind has named an address lately.
    pub fn is_invited(&self, address: SocketAddr, now: Timestamp) -> bool {
        self.invited.has(address, now)
    }

    /// Whether the office began the UDP flow between these two.
    pub fn is_own(&self, path: &Path) -> bool {
        self.own.find(path.src, path.dst).is_some()
    }

    /// The peer of a followed connection has told its name.
    pub fn name(&mut self, path: &Path, name: &[u8]) {
        if let Some(flow) = self.tcp.find(path.src, path.dst).and_then(|slot| self.tcp.get_mut(slot)) {
            flow.name = Text::new(name);
        }
    }

    /// Whether a TCP connection is followed: it leads to or from a handset.
    pub fn follows(&self, path: &Path) -> bool {
        self.tcp.find(path.src, path.dst).is_some()
    }

    /// Questions without an answer, and connections that fell silent.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        while let Some(waiting) = self.waiting.front().copied().filter(|waiting| waiting.due <= now) {
            self.waiting.pop_front();
            self.unanswered(waiting, now);
        }
        while let Some(flow) = self.tcp.expire(now.minus(self.settings.idle)) {
            if flow.is_up() {
                self.told.push_back(flow.told(TouchState::Ended, now));
            }
        }
    }

    /// When `handle_timeout` has something to do.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let silent = self.tcp.oldest().map(|at| at.plus(self.settings.idle).plus(Span(1)));
        [self.waiting.front().map(|waiting| waiting.due), silent].into_iter().flatten().min()
    }

    /// Whether a datagram that was just looked at left a touch, or another `poll_timeout`.
    pub fn has_stirred(&mut self) -> bool {
        std::mem::take(&mut self.waits_anew) || !self.told.is_empty()
    }

    /// The next touch.
    pub fn poll(&mut self) -> Option<Told> {
        self.told.pop_front()
    }

    /// Flows that had to be forgotten because a table was full.
    pub const fn evicted(&self) -> u64 {
        self.tcp.evicted().saturating_add(self.own.evicted()).saturating_add(self.theirs.evicted())
    }

    fn wait(&mut self, proto: Proto, slot: SlotId, now: Timestamp) {
        if self.waiting.len() >= WAITING {
            self.waiting.pop_front();
        }
        self.waits_anew = true;
        self.waiting.push_back(Waiting { due: now.plus(self.settings.answer_within), proto, slot });
    }

    fn unanswered(&mut self, waiting: Waiting, now: Timestamp) {
        let flows = if waiting.proto == Proto::Tcp { &mut self.tcp } else { &mut self.theirs };
        if let Some(flow) = flows.get_mut(waiting.slot)
            && flow.waits()
        {
            flow.state = TouchState::Silent;
            self.told.push_back(flow.told(TouchState::Silent, now));
        }
    }

    fn in_grace(&self, now: Timestamp) -> bool {
        self.begun.is_none_or(|begun| now.since(begun) < self.settings.grace)
    }

    fn starts(&mut self, now: Timestamp) {
        self.begun.get_or_insert(now);
    }
}

/// How two addresses meet, if there is anything to tell of it.
fn meeting(src: Place, dst: Place, sender: SocketAddr, receiver: SocketAddr) -> Option<Meeting> {
    let inbound = |zone| Meeting { device: receiver, peer: sender, way: Way::Inbound, zone, side: dst.side };
    let outbound =
        |zone| Meeting { device: sender, peer: receiver, way: Way::Outbound, zone, side: src.side };
    match (src.ours, dst.ours) {
        // A PBX lives by what comes in; it is no handset.
        (false, true) if dst.zone != Zone::Pbx => Some(inbound(src.zone)),
        (true, false) if src.phone => Some(outbound(dst.zone)),
        (true, true) if dst.phone && dst.zone != Zone::Pbx => Some(inbound(src.zone)),
        (true, true) if src.phone && dst.zone == Zone::Pbx => Some(outbound(dst.zone)),
        _ => None,
    }
}
