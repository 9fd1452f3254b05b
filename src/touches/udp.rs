//! UDP flows: a question, and perhaps an answer.
//!
//! In: datagrams that aren't settled. Out: touches.
//! Never: takes an answer for a question.

use std::net::SocketAddr;

use super::flow::{Flow, Meeting};
use super::{Banner, Place, Places, Proto, TouchState, Touches, Way, Zone, meeting};
use crate::bounded::SlotId;
use crate::decode::{Ends, Path};
use crate::sip::Sniff;
use crate::sip::sniff::sniff;
use crate::time::{Span, Timestamp};

/// An outbound flow to the same place is told once in so long.
const TOLD_FOR: Span = Span::HOUR;

/// Ports that are asked for as such, never a client's own: an inbound packet to them is a question
/// even while the sensor is new.
const fn is_service(port: u16) -> bool {
    matches!(port, 7 | 17 | 19 | 69 | 111 | 137 | 161 | 389 | 514 | 623 | 1900 | 5351 | 5353 | 11_211)
}

impl Touches {
    #[cold]
    pub(super) fn unsettled_datagram(
        &mut self,
        tag: u64,
        path: &Path,
        payload: &[u8],
        places: Places<'_>,
        now: Timestamp,
    ) {
        self.starts(now);
        let fresh = now.minus(self.settings.invites_for);
        // A flow is in one of the two: it goes into one only if it is in neither.
        if let Some(slot) = self.own.find_fresh(path, fresh) {
            self.goes_on(tag, path, payload, (true, slot), now);
        } else if let Some(slot) = self.theirs.find_fresh(path, fresh) {
            self.goes_on(tag, path, payload, (false, slot), now);
        } else {
            self.begins(tag, path, payload, places, now);
        }
    }

    fn goes_on(
        &mut self,
        tag: u64,
        path: &Path,
        payload: &[u8],
        (own, slot): (bool, SlotId),
        now: Timestamp,
    ) {
        let answer_within = self.settings.answer_within;
        let flows = if own { &mut self.own } else { &mut self.theirs };
        flows.touch(slot, now);
        let Some(flow) = flows.get_mut(slot) else { return };
        let side = flow.side_of(path.src);
        let first_answer = side == 1 && flow.seen[1].is_none();
        let again = flow.is_asked_again(side, now);
        flow.sent(side, payload.len(), now);
        if flow.meeting.is_none() {
            self.settled.settle(tag, now);
            return;
        }
        if first_answer && now.since(flow.started) <= answer_within {
            flow.state = TouchState::UdpReply;
            flow.banner = if payload.starts_with(b"SIP/") { Banner::Sip } else { Banner::Other };
            self.told.push_back(flow.told(TouchState::UdpReply, now));
        } else if again {
            self.told.push_back(flow.told(TouchState::Again, now));
        } else if flow.lasts(now) {
            self.told.push_back(flow.told(TouchState::Lasting, now));
        } else if flow.state == TouchState::UdpReply && sniff(payload) == Sniff::Rtp {
            // A call without an SDP that could be read: its bytes aren't worth counting.
            self.settled.settle(tag, now);
        }
    }

    fn begins(&mut self, tag: u64, path: &Path, payload: &[u8], places: Places<'_>, now: Timestamp) {
        let (src, dst) = (places(path.src.ip()), places(path.dst.ip()));
        if !src.ours && !dst.ours {
            return self.settled.settle(tag, now);
        }
        let own = src.ours && !dst.ours;
        // What was told of an outbound flow is told of this one: none of the questions about it need be asked.
        let known = own && src.phone && self.was_told(path, now);
        let meeting = if known { None } else { self.meets(src, dst, path, now) };
        let mut flow = Flow::new(Proto::Udp, path, path.src, meeting, now);
        flow.sent(0, payload.len(), now);
        if meeting.is_some_and(|m| m.zone == Zone::Outside && m.way == Way::Inbound) {
            let question = payload_asks(payload) || is_service(path.dst.port());
            // Of a device that was never heard nobody knows what it asked for: the mirror may have
            // one direction only.
            let knows = !self.in_grace(now) && self.heard.find(&path.dst.ip()).is_some();
            flow.unsolicited = !is_stun_answer(payload) && (question || knows);
        }
        if meeting.is_none() {
            self.settled.settle(tag, now);
        } else {
            self.told.push_back(flow.told(TouchState::UdpRequest, now));
        }
        let flows = if own { &mut self.own } else { &mut self.theirs };
        let slot = flows.insert(path, flow, now);
        if meeting.is_some_and(|m| m.way == Way::Inbound) {
            self.wait(Proto::Udp, slot, now);
        }
    }

    /// What is to be told of a flow that begins, if anything.
    fn meets(&mut self, src: Place, dst: Place, path: &Path, now: Timestamp) -> Option<Meeting> {
        if src.ours {
            self.heard.find_or_insert(&path.src.ip(), now, || ());
        }
        let meeting = meeting(src, dst, path.src, path.dst).filter(|m| m.zone != Zone::Pbx)?;
        let invited = || self.invited.has(path.src, now) || self.invited.has(path.dst, now);
        if is_group(path) || invited() {
            return None;
        }
        if meeting.way == Way::Outbound {
            self.told_lately.put(&told_key(path), now, || now);
        }
        let asked = is_service(path.dst.port()) || path.dst.port() == 5060;
        (meeting.zone != Zone::Home || asked).then_some(meeting)
    }

    /// Whether a flow of this device to this port of this peer was told lately.
    fn was_told(&mut self, path: &Path, now: Timestamp) -> bool {
        let Some(slot) = self.told_lately.find(&told_key(path)) else { return false };
        self.told_lately.touch(slot, now);
        self.told_lately.get(slot).is_some_and(|at| now.since(*at) < TOLD_FOR)
    }
}

/// An outbound flow of a device, from whatever port.
const fn told_key(path: &Path) -> Ends {
    Ends(SocketAddr::new(path.src.ip(), 0), path.dst)
}

/// A SIP request is a question whatever the port: only an answer begins with `SIP/`.
fn payload_asks(payload: &[u8]) -> bool {
    sniff(payload) == Sniff::Sip && !payload.starts_with(b"SIP/")
}

/// A STUN success or error response (RFC 8489 section 5: class bit 1).
fn is_stun_answer(payload: &[u8]) -> bool {
    matches!(payload, [high, ..] if high & 1 == 1) && sniff(payload) == Sniff::Stun
}

/// Multicast and broadcast reach nobody in particular.
fn is_group(path: &Path) -> bool {
    let ip = path.dst.ip();
    ip.is_multicast() || ip.is_unspecified() || ip == std::net::IpAddr::from([255, 255, 255, 255])
}
