//! Check `unsolicited_inbound`: packets that nobody asked for reach a handset from outside.
//!
//! Seen behind the router they prove that it lets them in; seen before it, on a public address,
//! they are an attempt and no more, unless the handset answers.

use serde::{Deserialize, Serialize};

use crate::bounded::Table;
use crate::fact::sighting::SipStep;
use crate::fact::{Device, Sighting, What};
use crate::finding::{Check, Severity};
use crate::tally::Label;
use crate::time::{Span, Timestamp};
use crate::touches::{Proto, Side, Touch, TouchState, Way, Zone};

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, block, called, is_phone, key_of, plural};

/// So many packets are no stray.
const REACHED: u32 = 3;
/// Senders that are remembered, at the most.
const ROOM: usize = 8_192;
/// Packets further apart than this are strays.
const TOGETHER: Span = Span::DAY;

/// Who knocks where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Knock {
    device: u64,
    proto: Proto,
    port: u16,
    from: [u8; 16],
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Knocks {
    packets: u32,
    first: Timestamp,
    last: Timestamp,
    answered: bool,
}

/// Who knocked so far.
#[derive(Debug)]
pub struct UnsolicitedInbound {
    knocks: Table<Knock, Knocks>,
    seen: u64,
}

impl Default for UnsolicitedInbound {
    fn default() -> Self {
        Self { knocks: Table::new(ROOM, 0), seen: 0 }
    }
}

/// What a sighting says of a packet from outside.
struct Arrival {
    proto: Proto,
    port: u16,
    from: std::net::IpAddr,
    side: Side,
    packet: bool,
    answered: bool,
    sip: bool,
}

crate::kept! {
    /// Who knocked before a restart.
    pub struct Memory of UnsolicitedInbound {
        knocks: Table<Knock, Knocks>,
        seen: u64,
    }
}

impl Watcher for UnsolicitedInbound {
    fn check(&self) -> Check {
        Check::UnsolicitedInbound
    }

    fn sighting(&mut self, sighting: &Sighting, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let device = &sighting.device;
        if !is_phone(device.role) {
            return;
        }
        let arrival = match &sighting.what {
            What::Touch(touch) => of_touch(touch),
            What::Sip(sip) if sip.way == Way::Inbound && sip.client_zone == Zone::Outside => Some(Arrival {
                proto: sip.proto,
                port: sip.server.port(),
                from: sip.client.ip(),
                side: scene.side(device),
                packet: false,
                answered: matches!(sip.step, SipStep::Accepted | SipStep::Ringing),
                sip: true,
            }),
            _ => None,
        };
        if let Some(arrival) = arrival {
            self.seen = self.seen.saturating_add(u64::from(arrival.packet));
            let country = scene.settings.countries.of(arrival.from).unwrap_or_default();
            out.extend(self.knock(device, &arrival, sighting).map(|found| found.word("country", country)));
        }
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        match self.seen {
            _ if !sight.home => Say::CannotSee(Blind::NoTraffic, String::new()),
            _ if sight.one_way => Say::CannotSee(Blind::OneWay, String::new()),
            0 => Say::NotSeen("no packet from outside that no handset had asked for".to_owned()),
            n => Say::NotSeen(format!("{} from outside, too few to tell from strays", plural(n, "packet"))),
        }
    }

    fn evicted(&self) -> u64 {
        self.knocks.evicted()
    }
}

impl UnsolicitedInbound {
    fn knock(&mut self, device: &Device, arrival: &Arrival, sighting: &Sighting) -> Option<Found> {
        let now = sighting.time;
        let from = block(arrival.from);
        let knock = Knock { device: key_of(device), proto: arrival.proto, port: arrival.port, from };
        let fresh = Knocks { packets: 0, first: now, last: now, answered: false };
        let slot = self.knocks.find_or_insert(&knock, now, || fresh).slot;
        let knocks = self.knocks.get_mut(slot)?;
        if now.since(knocks.last) > TOGETHER {
            *knocks = fresh;
        }
        knocks.last = now;
        knocks.packets = knocks.packets.saturating_add(u32::from(arrival.packet));
        knocks.answered |= arrival.answered;
        let severity = match (knocks.answered, arrival.side) {
            (true, _) => Severity::Critical,
            (false, Side::Lan) if arrival.sip || knocks.packets >= REACHED => Severity::Warning,
            (false, Side::Wan) if arrival.sip || knocks.packets >= REACHED => Severity::Info,
            _ => return None,
        };
        Some(finding(sighting, arrival, knocks, severity))
    }
}

fn of_touch(touch: &Touch) -> Option<Arrival> {
    use TouchState::{Again, Data, Established, Syn, SynAck, UdpReply, UdpRequest};
    let packet = matches!(touch.state, Syn | UdpRequest | Again);
    let answered = matches!(touch.state, SynAck | UdpReply | Established | Data);
    let arrives = touch.unsolicited && touch.way == Way::Inbound && touch.zone == Zone::Outside;
    (arrives && (packet || answered)).then_some(Arrival {
        proto: touch.proto,
        port: touch.port,
        from: touch.peer.ip(),
        side: touch.side,
        packet,
        answered,
        sip: false,
    })
}

fn finding(sighting: &Sighting, arrival: &Arrival, knocks: &Knocks, severity: Severity) -> Found {
    let device = called(&sighting.device);
    let (proto, port, from) = (arrival.proto.name().to_uppercase(), arrival.port, arrival.from);
    let sentence = match (knocks.answered, arrival.side) {
        (true, _) => format!(
            "{device} answered {from}, a stranger outside that it had not asked, on {proto} port {port}"
        ),
        (false, Side::Lan) => {
            format!("the router lets a stranger outside, {from}, reach {device} on {proto} port {port}")
        }
        (false, Side::Wan) => format!("a stranger, {from}, tries to reach {device} on {proto} port {port}"),
    };
    Found::of(Check::UnsolicitedInbound, severity, sighting, sentence)
        .about(&[arrival.proto.name().as_bytes(), &port.to_be_bytes(), &block(from)])
        .seen(knocks.packets.max(1), knocks.first)
        .word("peer", from)
        .word("proto", arrival.proto)
        .count("port", port)
        .count("packets", knocks.packets.max(1))
        .with("answered", crate::finding::Evidence::Flag(knocks.answered))
        .word("side", arrival.side)
}
