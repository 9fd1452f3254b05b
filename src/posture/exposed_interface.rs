//! Check `exposed_interface`: a handset answers on a management interface, or announces one.
//!
//! A port is only known if somebody asks it; a refusal is proof that it is closed.

use serde::{Deserialize, Serialize};

use crate::bounded::Table;
use crate::fact::{Sighting, What};
use crate::finding::{Check, Severity};
use crate::hints::Source;
use crate::tally::Label;
use crate::time::Timestamp;
use crate::touches::{Proto, Touch, TouchState, Way, Zone};

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, called, is_phone, key_of, plural};
use super::services::{self, Kind};

/// Ports that are remembered, at the most.
const ROOM: usize = 16_384;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Port {
    asked: u32,
    answered: u32,
    first: Timestamp,
}

/// Which ports were asked, and which answered.
#[derive(Debug)]
pub struct ExposedInterface {
    ports: Table<(u64, Proto, u16), Port>,
    refused: u64,
    announced: u64,
}

impl Default for ExposedInterface {
    fn default() -> Self {
        Self { ports: Table::new(ROOM, 0), refused: 0, announced: 0 }
    }
}

crate::kept! {
    /// Which ports answered before a restart.
    pub struct Memory of ExposedInterface {
        ports: Table<(u64, Proto, u16), Port>,
        refused: u64,
        announced: u64,
    }
}

impl Watcher for ExposedInterface {
    fn check(&self) -> Check {
        Check::ExposedInterface
    }

    fn sighting(&mut self, sighting: &Sighting, _scene: &Scene<'_>, out: &mut Vec<Found>) {
        if !is_phone(sighting.device.role) {
            return;
        }
        match &sighting.what {
            What::Touch(touch) if touch.way == Way::Inbound => out.extend(self.touched(sighting, touch)),
            What::Service(service) => {
                let name = service.name.to_string();
                if let Some(found) = announced(sighting, service.source, &name) {
                    self.announced = self.announced.saturating_add(1);
                    out.push(match service.port {
                        Some(port) => found.count("port", port),
                        None => found,
                    });
                }
            }
            _ => {}
        }
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        let asked = u64::try_from(self.ports.len()).unwrap_or(u64::MAX);
        match asked {
            _ if !sight.home => Say::CannotSee(Blind::NoTraffic, String::new()),
            0 => {
                Say::NotSeen("nobody asked any handset's port; one that nobody asks can't be seen".to_owned())
            }
            n if self.refused > 0 => {
                Say::Pass(format!("{} asked, none open but SIP; others can't be seen", plural(n, "port")))
            }
            n => Say::NotSeen(format!("{} asked, no answer but SIP", plural(n, "port"))),
        }
    }

    fn evicted(&self) -> u64 {
        self.ports.evicted()
    }
}

impl ExposedInterface {
    fn touched(&mut self, sighting: &Sighting, touch: &Touch) -> Option<Found> {
        use TouchState::{Data, Reset, Syn, SynAck, UdpReply, UdpRequest};
        let service = services::of(touch.proto, touch.port, touch.banner);
        // SIP from the PBX is what a handset is for, and so is media.
        let counts = match touch.proto {
            Proto::Tcp => service.kind != Kind::Signalling,
            Proto::Udp => matches!(service.kind, Kind::Clear | Kind::Encrypted),
        };
        if !counts {
            return None;
        }
        let now = sighting.time;
        let key = (key_of(&sighting.device), touch.proto, touch.port);
        let fresh = || Port { asked: 0, answered: 0, first: now };
        let slot = self.ports.find_or_insert(&key, now, fresh).slot;
        let port = self.ports.get_mut(slot)?;
        match touch.state {
            Syn | UdpRequest => port.asked = port.asked.saturating_add(1),
            SynAck | UdpReply => port.answered = port.answered.saturating_add(1),
            Reset => self.refused = self.refused.saturating_add(1),
            _ => {}
        }
        if !matches!(touch.state, SynAck | UdpReply | Data) {
            return None;
        }
        let (asked, first) = (port.asked.max(port.answered), port.first);
        Some(open(sighting, touch, service, asked, first))
    }
}

fn open(
    sighting: &Sighting,
    touch: &Touch,
    service: services::Service,
    asked: u32,
    first: Timestamp,
) -> Found {
    let outside = touch.zone == Zone::Outside;
    let severity = match service.kind {
        _ if outside => Severity::Critical,
        Kind::Clear => Severity::Warning,
        Kind::Encrypted | Kind::Signalling | Kind::Unknown => Severity::Info,
    };
    let (device, name, port) = (called(&sighting.device), service.name, touch.port);
    let clear = if service.kind == Kind::Clear { ", in clear text" } else { "" };
    let whom = if outside { ", even to strangers outside" } else { "" };
    let proto = touch.proto.name().to_uppercase();
    let sentence = format!("{device} answers on {proto} port {port}: {name}{clear}{whom}");
    Found::of(Check::ExposedInterface, severity, sighting, sentence)
        .about(&[touch.proto.name().as_bytes(), &port.to_be_bytes()])
        .seen(asked, first)
        .word("proto", touch.proto)
        .count("port", port)
        .word("service", name)
        .word("banner", touch.banner)
        .word("asked_from", touch.zone)
        .count("times_asked", asked)
}

/// Interfaces that a device announces by itself, besides what every phone does.
fn announced(sighting: &Sighting, source: Source, name: &str) -> Option<Found> {
    let page = ["_http._tcp", "_https._tcp", "_telnet._tcp", "_ssh._tcp", "_sftp-ssh._tcp", "_ftp._tcp"];
    // UPnP announces a device with a page of its own (UPnP Device Architecture 1.1, section 1.2.2).
    let upnp = source == Source::Ssdp && name == "upnp:rootdevice";
    if !upnp && !page.iter().any(|page| name.starts_with(page)) {
        return None;
    }
    let sentence =
        format!("{} announces an interface to everybody on the network: {name}", called(&sighting.device));
    Some(
        Found::of(Check::ExposedInterface, Severity::Info, sighting, sentence)
            .about(&[name.as_bytes()])
            .word("service", name),
    )
}
