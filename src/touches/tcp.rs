//! TCP connections: asked for, accepted, used, over.
//!
//! In: segments that aren't settled. Out: touches.
//! Never: needs both directions: what one side's numbers prove counts too.

use super::flow::Flow;
use super::{Places, Proto, TouchState, Touches, Way, Zone, banner, meeting};
use crate::bounded::SlotId;
use crate::decode::Segment;
use crate::time::{Span, Timestamp};

/// A SYN without an answer is sent again within this time (RFC 9293 section 3.8.3: 3 min at most;
/// what phones and scanners use stays far below).
const SYN_RESENT_FOR: Span = Span::minutes(2);

impl Touches {
    #[cold]
    pub(super) fn unsettled_segment(
        &mut self,
        tag: u64,
        segment: &Segment<'_>,
        places: Places<'_>,
        now: Timestamp,
    ) {
        self.starts(now);
        let known = self.tcp.find(segment.path.src, segment.path.dst);
        match known {
            Some(slot) if !self.is_again(slot, segment, now) => self.goes_on_tcp(slot, segment, now),
            _ if segment.syn => self.begins_tcp(segment, places, now),
            _ => self.settled.settle(tag, now),
        }
    }

    /// Whether a SYN begins another connection on the ports of one that is over.
    fn is_again(&mut self, slot: SlotId, segment: &Segment<'_>, now: Timestamp) -> bool {
        let over = |flow: &mut Flow| match flow.state {
            TouchState::Ended | TouchState::Reset | TouchState::Data => true,
            TouchState::Silent => now.since(flow.started) >= SYN_RESENT_FOR,
            _ => false,
        };
        segment.syn && !segment.ack && self.tcp.get_mut(slot).is_some_and(over)
    }

    fn begins_tcp(&mut self, segment: &Segment<'_>, places: Places<'_>, now: Timestamp) {
        let path = &segment.path;
        // An acceptance whose question was not seen: the mirror has one direction only.
        let (opener, asked) = if segment.ack { (path.dst, path.src) } else { (path.src, path.dst) };
        let (from, to) = (places(opener.ip()), places(asked.ip()));
        if (if segment.ack { to } else { from }).ours {
            self.heard.find_or_insert(&path.src.ip(), now, || ());
        }
        let met = meeting(from, to, opener, asked);
        let sip = matches!(asked.port(), 5060 | 5061);
        let Some(met) = met.filter(|m| !(m.zone == Zone::Pbx && m.way == Way::Inbound && sip)) else {
            return;
        };
        let mut flow = Flow::new(Proto::Tcp, path, opener, Some(met), now);
        flow.unsolicited = met.zone == Zone::Outside && met.way == Way::Inbound;
        let side = flow.side_of(path.src);
        flow.sent(side, segment.payload.len(), now);
        if segment.ack {
            flow.state = TouchState::SynAck;
        }
        self.told.push_back(flow.told(flow.state, now));
        let slot = self.tcp.insert(path, flow, now);
        if !segment.ack {
            self.wait(Proto::Tcp, slot, now);
        }
    }

    fn goes_on_tcp(&mut self, slot: SlotId, segment: &Segment<'_>, now: Timestamp) {
        self.tcp.touch(slot, now);
        let Some(flow) = self.tcp.get_mut(slot) else { return };
        let side = flow.side_of(segment.path.src);
        if segment.syn && flow.is_asked_again(side, now) {
            self.told.push_back(flow.told(TouchState::Again, now));
        }
        flow.sent(side, segment.payload.len(), now);
        if flow.banner == super::Banner::None && side == 1 && !segment.payload.is_empty() {
            flow.banner = banner::classify(segment.payload);
        }
        for state in steps(flow, side, segment).into_iter().flatten() {
            flow.state = state;
            self.told.push_back(flow.told(state, now));
        }
        if flow.is_up() && flow.lasts(now) {
            self.told.push_back(flow.told(TouchState::Lasting, now));
        }
    }
}

/// Which states a segment leads through.
fn steps(flow: &mut Flow, side: usize, segment: &Segment<'_>) -> [Option<TouchState>; 3] {
    use TouchState::{Data, Ended, Established, Reset, Silent, Syn, SynAck};
    let mut state = flow.state;
    let mut steps = [None; 3];
    let mut go = |at: usize, next: TouchState, state: &mut TouchState| {
        steps[at] = Some(next);
        *state = next;
    };
    let asked = matches!(state, Syn | Silent);
    if side == 1 && asked {
        if segment.rst {
            go(0, Reset, &mut state);
        } else if segment.syn && segment.ack {
            go(0, SynAck, &mut state);
        }
    }
    let goes_on = side == 0 && segment.ack && !segment.syn && !segment.rst;
    // The opener acknowledges an acceptance; that proves it even where it wasn't seen.
    if (goes_on || (side == 1 && !segment.payload.is_empty())) && matches!(state, Syn | Silent | SynAck) {
        go(0, Established, &mut state);
    }
    if state == Established && flow.bytes.iter().all(|bytes| *bytes > 0) {
        go(1, Data, &mut state);
    }
    if segment.fin {
        flow.fins |= 1 << side;
    }
    let up = matches!(state, SynAck | Established | Data);
    if up && (segment.rst || flow.fins == 3) {
        go(2, Ended, &mut state);
    }
    steps
}
