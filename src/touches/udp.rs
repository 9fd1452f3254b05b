//! UDP flows: a question, and perhaps an answer.
//!
//! In: datagrams that aren't settled. Out: touches.
//! Never: takes an answer for a question.

use std::net::SocketAddr;

use super::flow::Flow;
use super::{Banner, Places, Proto, TouchState, Touches, Way, Zone, meeting};
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
        let mut flow = Flow::new(Proto::Udp, path, path.src, meeting(src, dst, path.src, path.dst), now);
        flow.sent(0, payload.len(), now);
        let invited = || self.invited.has(path.src, now) || self.invited.has(path.dst, now);
        flow.meeting = flow.meeting.filter(|m| m.zone != Zone::Pbx && !is_group(path) && !invited());
        let own = src.ours && !dst.ours;
        if src.ours {
            self.heard.find_or_insert(&path.src.ip(), now, || ());
        }
        match flow.meeting {
            Some(m) if m.way == Way::Outbound && !self.is_news(path, now) => flow.meeting = None,
            Some(m) if m.zone == Zone::Home && !is_service(path.dst.port()) && path.dst.port() != 5060 => {
                flow.meeting = None;
            }
            Some(m) if m.zone == Zone::Outside && m.way == Way::Inbound => {
                let question = payload_asks(payload) || is_service(path.dst.port());
                // Of a device that was never heard nobody knows what it asked for: the mirror may have
                // one direction only.
                let knows = !self.in_grace(now) && self.heard.find(&path.dst.ip()).is_some();
                flow.unsolicited = !is_stun_answer(payload) && (question || knows);
            }
            _ => {}
        }
        if flow.meeting.is_none() {
            self.settled.settle(tag, now);
        } else {
            self.told.push_back(flow.told(TouchState::UdpRequest, now));
        }
        let inbound = flow.meeting.is_some_and(|m| m.way == Way::Inbound);
        let flows = if own { &mut self.own } else { &mut self.theirs };
        let slot = flows.insert(path, flow, now);
        if inbound {
            self.wait(Proto::Udp, slot, now);
        }
    }

    /// Whether nothing was told of this device and this port of this peer lately.
    fn is_news(&mut self, path: &Path, now: Timestamp) -> bool {
        let key = Ends(SocketAddr::new(path.src.ip(), 0), path.dst);
        let known = self.told_lately.find_or_insert(&key, now, || now);
        if known.new {
            return true;
        }
        let Some(at) = self.told_lately.get_mut(known.slot) else { return false };
        let news = now.since(*at) >= TOLD_FOR;
        if news {
            *at = now;
        }
        news
    }
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
