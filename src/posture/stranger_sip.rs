//! Check `stranger_sip`: SIP requests from strangers outside: ghost calls, probes.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bounded::Table;
use crate::fact::sighting::SipStep;
use crate::fact::{Role, Sighting, What};
use crate::finding::{Check, Severity};
use crate::sip::Method;
use crate::time::Timestamp;
use crate::touches::{Way, Zone};

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, called, key_of, octets};

/// Strangers that are remembered, at the most.
const ROOM: usize = 4_096;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Caller {
    requests: u32,
    first: Timestamp,
}

/// Who called so far.
#[derive(Debug)]
pub struct StrangerSip {
    callers: Table<(u64, IpAddr), Caller>,
}

impl Default for StrangerSip {
    fn default() -> Self {
        Self { callers: Table::new(ROOM, 0) }
    }
}

crate::kept! {
    /// Who called before a restart.
    pub struct Memory of StrangerSip {
        callers: Table<(u64, IpAddr), Caller>,
    }
}

impl Watcher for StrangerSip {
    fn check(&self) -> Check {
        Check::StrangerSip
    }

    fn sighting(&mut self, sighting: &Sighting, _scene: &Scene<'_>, out: &mut Vec<Found>) {
        let What::Sip(sip) = &sighting.what else { return };
        let from = sip.client.ip();
        if sip.way != Way::Inbound || sip.client_zone != Zone::Outside || sighting.device.role == Role::Pbx {
            return;
        }
        let now = sighting.time;
        let fresh = Caller { requests: 0, first: now };
        let slot = self.callers.find_or_insert(&(key_of(&sighting.device), from), now, || fresh).slot;
        let Some(caller) = self.callers.get_mut(slot) else { return };
        if matches!(sip.step, SipStep::Request | SipStep::Credentials) {
            caller.requests = caller.requests.saturating_add(1);
        }
        let device = called(&sighting.device);
        let ghost = sip.method == Method::Invite && matches!(sip.step, SipStep::Ringing | SipStep::Accepted);
        let method = sip.method.to_string();
        let (severity, sentence) = if ghost {
            let did = if sip.step == SipStep::Ringing { "rang" } else { "answered" };
            (
                Severity::Critical,
                format!("{device} {did} when a stranger outside, {from}, called it: a ghost call"),
            )
        } else {
            (Severity::Warning, format!("a stranger outside, {from}, sends SIP to {device}: {method}"))
        };
        let found = Found::of(Check::StrangerSip, severity, sighting, sentence)
            .about(&[&octets(from)])
            .seen(caller.requests.max(1), caller.first)
            .word("peer", from)
            .word("method", method)
            .count("requests", caller.requests.max(1))
            .word("target", sip.target)
            .word("agent", sip.agent);
        out.push(if sip.code > 0 { found.count("code", sip.code) } else { found });
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        match sight {
            Sight { home: false, .. } => Say::CannotSee(Blind::NoTraffic, String::new()),
            Sight { sip: false, encrypted: true, .. } => Say::CannotSee(Blind::Encrypted, String::new()),
            _ => Say::NotSeen("no SIP from a stranger outside to a handset".to_owned()),
        }
    }

    fn evicted(&self) -> u64 {
        self.callers.evicted()
    }
}
