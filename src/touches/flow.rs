//! One flow, and the tables that hold them.
//!
//! In: packets of both directions. Out: what is told of the flow.
//! Never: grows beyond its table; counts the two directions as two flows.

use std::net::SocketAddr;

use super::{Banner, Proto, Side, Told, Touch, TouchState, Way, Zone};
use crate::bounded::{SlotId, Table};
use crate::decode::{Ends, Mac, Path};
use crate::text::Text;
use crate::time::{Span, Timestamp};

/// After how long a flow that goes on is told of again.
const LASTING: [Span; 3] = [Span::HOUR, Span::hours(4), Span::hours(8)];

/// How two addresses meet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meeting {
    pub(super) device: SocketAddr,
    pub(super) peer: SocketAddr,
    pub(super) way: Way,
    pub(super) zone: Zone,
    pub(super) side: Side,
}

/// A first packet that comes again is told so often: with the first, three packets are known.
const AGAIN: u8 = 2;
/// Copies of one packet, of a mirror that has it twice or of a router's two sides, come closer together.
const COPIES: Span = Span(1_000);

/// A flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    /// Who sent the first packet.
    pub(super) opener: SocketAddr,
    /// `None`: nothing is told of it.
    pub(super) meeting: Option<Meeting>,
    pub(super) proto: Proto,
    mac: Option<Mac>,
    vlan: Option<u16>,
    pub(super) started: Timestamp,
    /// When the opener, and the other side, last sent.
    pub(super) seen: [Option<Timestamp>; 2],
    /// Payload bytes of the opener, and of the other side.
    pub(super) bytes: [u64; 2],
    pub(super) state: TouchState,
    pub(super) unsolicited: bool,
    pub(super) banner: Banner,
    pub(super) name: Text<48>,
    lasting: u8,
    /// How often it was told that the same was asked again.
    again: u8,
    /// FINs of the opener (1) and of the other side (2).
    pub(super) fins: u8,
}

impl Flow {
    /// A flow that `path`'s packet begins, or answers if `opener` is its receiver.
    pub(super) fn new(
        proto: Proto,
        path: &Path,
        opener: SocketAddr,
        meeting: Option<Meeting>,
        now: Timestamp,
    ) -> Self {
        let mac = meeting.and_then(|m| if m.device == path.src { path.src_mac } else { path.dst_mac });
        Self {
            opener,
            meeting,
            proto,
            mac,
            vlan: path.vlan,
            started: now,
            seen: [None; 2],
            bytes: [0; 2],
            state: if proto == Proto::Tcp { TouchState::Syn } else { TouchState::UdpRequest },
            unsolicited: false,
            banner: Banner::None,
            name: Text::default(),
            lasting: 0,
            again: 0,
            fins: 0,
        }
    }

    /// 0 if `src` is the opener, else 1.
    pub(super) fn side_of(&self, src: SocketAddr) -> usize {
        usize::from(src != self.opener)
    }

    pub(super) fn sent(&mut self, side: usize, bytes: usize, now: Timestamp) {
        if let (Some(count), Some(seen)) = (self.bytes.get_mut(side), self.seen.get_mut(side)) {
            *count = count.saturating_add(bytes as u64);
            *seen = Some(now);
        }
    }

    /// When anybody last sent.
    pub(super) fn last(&self) -> Timestamp {
        self.seen.iter().flatten().max().copied().unwrap_or(self.started)
    }

    /// Whether it still waits for the first answer.
    pub(super) const fn waits(&self) -> bool {
        matches!(self.state, TouchState::Syn | TouchState::UdpRequest) && self.seen[1].is_none()
    }

    /// Whether the opener asks once more for what nobody asked it to, and has no answer yet. To be called
    /// before the packet is counted.
    pub(super) fn is_asked_again(&mut self, side: usize, now: Timestamp) -> bool {
        let [asked, answered] = self.seen;
        let new = asked.is_some_and(|at| now.since(at) >= COPIES);
        let again = side == 0 && self.unsolicited && answered.is_none() && new && self.again < AGAIN;
        self.again = self.again.saturating_add(u8::from(again));
        again
    }

    /// Whether the handshake came to its end, and nothing after it.
    pub(super) const fn is_up(&self) -> bool {
        matches!(self.state, TouchState::SynAck | TouchState::Established | TouchState::Data)
    }

    /// Whether another mark of its age is passed.
    pub(super) fn lasts(&mut self, now: Timestamp) -> bool {
        let passed =
            LASTING.get(usize::from(self.lasting)).is_some_and(|mark| now.since(self.started) >= *mark);
        self.lasting = self.lasting.saturating_add(u8::from(passed));
        passed
    }

    pub(super) fn told(&self, state: TouchState, now: Timestamp) -> Told {
        // Nothing is told of flows without a meeting; the opener stands in so that this can't fail.
        let meeting = self.meeting.unwrap_or(Meeting {
            device: self.opener,
            peer: self.opener,
            way: Way::Outbound,
            zone: Zone::Home,
            side: Side::Lan,
        });
        let [opener, other] = self.bytes;
        let device_opened = meeting.device == self.opener;
        let (sent, received) = if device_opened { (opener, other) } else { (other, opener) };
        let asked = if meeting.way == Way::Inbound { meeting.device } else { meeting.peer };
        Told {
            ip: meeting.device.ip(),
            mac: self.mac,
            vlan: self.vlan,
            touch: Touch {
                peer: meeting.peer,
                zone: meeting.zone,
                way: meeting.way,
                proto: self.proto,
                port: asked.port(),
                state,
                unsolicited: self.unsolicited,
                side: meeting.side,
                banner: self.banner,
                name: self.name,
                sent,
                received,
                started: self.started,
                lasted: now.since(self.started),
            },
        }
    }
}

/// Flows by the two addresses.
#[derive(Debug)]
pub(super) struct Flows {
    table: Table<Ends, Flow>,
}

impl Flows {
    pub(super) fn new(capacity: usize) -> Self {
        Self { table: Table::new(capacity, 0) }
    }

    pub(super) fn find(&self, a: SocketAddr, b: SocketAddr) -> Option<SlotId> {
        self.table.find(&Ends::of_both_ways(a, b))
    }

    /// The flow, unless it was silent since before `fresh`: then it's forgotten.
    pub(super) fn find_fresh(&mut self, path: &Path, fresh: Timestamp) -> Option<SlotId> {
        let slot = self.find(path.src, path.dst)?;
        if self.table.get(slot).is_some_and(|flow| flow.last() < fresh) {
            self.table.discard(slot);
            return None;
        }
        Some(slot)
    }

    pub(super) fn get_mut(&mut self, slot: SlotId) -> Option<&mut Flow> {
        self.table.get_mut(slot)
    }

    pub(super) fn touch(&mut self, slot: SlotId, now: Timestamp) {
        self.table.touch(slot, now);
    }

    pub(super) fn insert(&mut self, path: &Path, flow: Flow, now: Timestamp) -> SlotId {
        self.table.put(&Ends::of_both_ways(path.src, path.dst), now, || flow)
    }

    pub(super) fn expire(&mut self, before: Timestamp) -> Option<Flow> {
        self.table.expire(before).map(|(_, flow)| flow)
    }

    /// When the flow that was silent longest last said anything.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.table.oldest().map(|(_, at)| at)
    }

    pub(super) const fn evicted(&self) -> u64 {
        self.table.evicted()
    }
}
