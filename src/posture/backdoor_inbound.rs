//! Check `backdoor_inbound`: somebody outside opens a management service of a handset. The support
//! provider may: then it is no alert but an audit line, the answer to "who was in our phones?".

use crate::fact::{Sighting, What};
use crate::finding::{Check, Severity};
use crate::tally::Label;
use crate::time::Span;
use crate::touches::{Side, Touch, TouchState, Way, Zone};

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, called, is_phone, octets, plural};
use super::services;

/// A visit of the support provider that lasts for longer is unusual.
const LONG_VISIT: Span = Span::hours(4);

/// Asked for and refused so far.
#[derive(Debug, Default)]
pub struct BackdoorInbound {
    asked: u64,
    refused: u64,
}

crate::kept! {
    /// What was asked before a restart.
    pub struct Memory of BackdoorInbound {
        asked: u64,
        refused: u64,
    }
}

impl Watcher for BackdoorInbound {
    fn check(&self) -> Check {
        Check::BackdoorInbound
    }

    fn sighting(&mut self, sighting: &Sighting, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let What::Touch(touch) = &sighting.what else { return };
        if touch.way != Way::Inbound
            || !is_phone(sighting.device.role)
            || !services::is_back_door(touch.proto, touch.port)
        {
            return;
        }
        match touch.zone {
            Zone::Support => out.extend(visit(sighting, touch, scene)),
            Zone::Outside => {
                let asks = matches!(touch.state, TouchState::Syn | TouchState::UdpRequest);
                self.asked = self.asked.saturating_add(u64::from(asks));
                self.refused = self.refused.saturating_add(u64::from(touch.state == TouchState::Reset));
                out.extend(intrusion(sighting, touch));
            }
            Zone::Home | Zone::Pbx | Zone::Provisioning | Zone::Service => {}
        }
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        match (self.asked, self.refused) {
            _ if !sight.home => Say::CannotSee(Blind::NoTraffic, String::new()),
            (asked, refused) if refused > 0 && asked == refused => {
                Say::Pass(format!("{} from outside, all refused", plural(asked, "request")))
            }
            _ => Say::NotSeen("no stranger outside asked for a management service of a handset".to_owned()),
        }
    }
}

fn intrusion(sighting: &Sighting, touch: &Touch) -> Option<Found> {
    use TouchState::{Data, Ended, Established, Lasting, Syn, SynAck, UdpReply, UdpRequest};
    let (device, peer) = (called(&sighting.device), touch.peer.ip());
    let service = services::of(touch.proto, touch.port, touch.banner).name;
    let (severity, sentence) = match touch.state {
        Syn | UdpRequest if touch.side == Side::Wan => {
            (Severity::Info, format!("{peer}, outside, knocks at the {service} of {device}"))
        }
        Syn | UdpRequest => (
            Severity::Warning,
            format!("{peer}, outside, knocks at the {service} of {device}: the router lets it in"),
        ),
        SynAck | Established | UdpReply => {
            (Severity::Critical, format!("the {service} of {device} answers {peer}, a stranger outside"))
        }
        Data | Lasting | Ended if touch.sent > 0 && touch.received > 0 => (
            Severity::Critical,
            format!("{peer}, a stranger outside, has a session with the {service} of {device}"),
        ),
        _ => return None,
    };
    Some(session(Found::of(Check::BackdoorInbound, severity, sighting, sentence), touch))
}

/// The support provider came, or left.
fn visit(sighting: &Sighting, touch: &Touch, scene: &Scene<'_>) -> Option<Found> {
    use TouchState::{Data, Ended, Lasting, UdpReply};
    if !matches!(touch.state, Data | Ended | Lasting | UdpReply) {
        return None;
    }
    let (device, peer) = (called(&sighting.device), touch.peer.ip());
    let service = services::of(touch.proto, touch.port, touch.banner).name;
    let long = touch.lasted > LONG_VISIT;
    let late = !scene.hours.is_open(touch.started);
    let bytes = touch.sent.saturating_add(touch.received);
    if touch.state == Ended && !late && !long {
        let minutes = touch.lasted.as_secs() / 60;
        let sentence = format!(
            "the support provider, {peer}, was in the {service} of {device} for {minutes} min, {bytes} bytes"
        );
        return Some(
            session(Found::of(Check::BackdoorInbound, Severity::Info, sighting, sentence), touch)
                .about(&[&touch.started.0.to_be_bytes()])
                .allowed(true),
        );
    }
    let unusual = match (late, long) {
        (true, _) => "out of office hours",
        (_, true) => "for more than four hours",
        _ => {
            let sentence = format!("the support provider, {peer}, is in the {service} of {device}");
            return Some(
                session(Found::of(Check::BackdoorInbound, Severity::Info, sighting, sentence), touch)
                    .about(&[&touch.started.0.to_be_bytes()])
                    .allowed(false),
            );
        }
    };
    let sentence = format!("the support provider, {peer}, is in the {service} of {device} {unusual}");
    Some(session(Found::of(Check::BackdoorInbound, Severity::Warning, sighting, sentence), touch))
}

fn session(found: Found, touch: &Touch) -> Found {
    let first = touch.started;
    found
        .about(&[&octets(touch.peer.ip()), touch.proto.name().as_bytes(), &touch.port.to_be_bytes()])
        .seen(1, first)
        .word("peer", touch.peer)
        .word("proto", touch.proto)
        .count("port", touch.port)
        .word("service", services::of(touch.proto, touch.port, touch.banner).name)
        .word("state", touch.state)
        .word("banner", touch.banner)
        .word("started", first)
        .with("lasted_s", crate::finding::Evidence::Figure(touch.lasted.as_secs_f64()))
        .count("bytes_sent", touch.sent)
        .count("bytes_received", touch.received)
        .word("side", touch.side)
}
