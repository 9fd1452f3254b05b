//! Check `opened_port`: a device asks the router to open a port to a handset (SSDP, UPnP, NAT-PMP,
//! PCP).

use crate::fact::sighting::{MappingBy, MappingSighting};
use crate::fact::{Role, Sighting, What};
use crate::finding::{Check, Severity};
use crate::tally::Label;

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, called};

/// Ports that nobody opens for a game: SIP and the pages and shells of handsets.
const OURS: [u16; 5] = [22, 80, 443, 5060, 5061];

/// Asked for so far.
#[derive(Debug, Default)]
pub struct OpenedPort {
    asked: u64,
}

crate::kept! {
    /// What was asked before a restart.
    pub struct Memory of OpenedPort {
        asked: u64,
    }
}

impl Watcher for OpenedPort {
    fn check(&self) -> Check {
        Check::OpenedPort
    }

    fn sighting(&mut self, sighting: &Sighting, _scene: &Scene<'_>, out: &mut Vec<Found>) {
        let What::Mapping(asked) = &sighting.what else { return };
        self.asked = self.asked.saturating_add(1);
        let Some(severity) = severity(asked, sighting.device.role) else { return };
        let device = called(&sighting.device);
        let sentence = match asked.by {
            MappingBy::Search => format!("{device} looks for a router that opens ports (UPnP)"),
            _ => format!(
                "{device} asked the router {} to open port {} to {}:{}{}",
                asked.gateway.ip(),
                asked.external,
                asked.target.map_or_else(|| "itself".to_owned(), |target| target.to_string()),
                asked.internal,
                match asked.accepted {
                    Some(true) => ", and it did",
                    Some(false) => "; it refused",
                    None => "",
                }
            ),
        };
        let ports = [asked.external.to_be_bytes(), asked.internal.to_be_bytes()].concat();
        let found = Found::of(Check::OpenedPort, severity, sighting, sentence)
            .about(&[asked.by.name().as_bytes(), &ports])
            .word("by", asked.by)
            .word("gateway", asked.gateway.ip());
        out.push(match asked.by {
            MappingBy::Search => found,
            _ => found
                .word("target", asked.target.map(|ip| ip.to_string()).unwrap_or_default())
                .word("proto", asked.proto.map(|proto| proto.to_string()).unwrap_or_default())
                .count("external_port", asked.external)
                .count("internal_port", asked.internal)
                .count("lease_s", asked.lease)
                .word("description", asked.description),
        });
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        match self.asked {
            0 if !sight.home => Say::CannotSee(Blind::NoTraffic, String::new()),
            0 => Say::NotSeen("nobody asked the router to open a port".to_owned()),
            n => Say::NotSeen(format!("{n} requests to the router, none of them for a handset")),
        }
    }
}

/// Only holes to handsets, or to the ports that handsets have, are of interest.
fn severity(asked: &MappingSighting, asker: Role) -> Option<Severity> {
    let is_phone = |role: Role| matches!(role, Role::Handset | Role::Phone);
    if asked.by == MappingBy::Search {
        return is_phone(asker).then_some(Severity::Info);
    }
    let ours = OURS.contains(&asked.external) || OURS.contains(&asked.internal);
    let hole = is_phone(asked.target_role) || (asked.target.is_none() && is_phone(asker)) || ours;
    let severity = if asked.accepted == Some(false) { Severity::Warning } else { Severity::Critical };
    hole.then_some(severity)
}
