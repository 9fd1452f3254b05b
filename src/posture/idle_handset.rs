//! Check `idle_handset`: a handset is registered but nobody has used it for long.
//!
//! Days without any traffic on the mirror don't count, nor do those on which it lost packets: nothing is
//! known of them.

use serde::{Deserialize, Serialize};

use crate::bounded::Table;
use crate::fact::sighting::SipStep;
use crate::fact::{CallFact, CallState, Sighting, What};
use crate::finding::{Check, Severity};
use crate::handsets::{HandsetId, Who};
use crate::sip::Method;
use crate::time::{Span, Timestamp};

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, named, plural};

/// Handsets that are remembered, at the most.
const ROOM: usize = 16_384;
/// Without a sign that a registration goes on, it is taken to be over after so long.
const FRESH: Span = Span::days(2);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Handset {
    who: Who,
    /// The day, as they are counted, on which it was used last, or seen first.
    used_on: u32,
    used: Option<Timestamp>,
    registered: Option<Timestamp>,
    told: Option<Severity>,
}

/// When each handset was used.
#[derive(Debug)]
pub struct IdleHandset {
    handsets: Table<HandsetId, Handset>,
}

impl Default for IdleHandset {
    fn default() -> Self {
        Self { handsets: Table::loose(ROOM, 0) }
    }
}

crate::kept! {
    /// When handsets were used before a restart.
    pub struct Memory of IdleHandset {
        handsets: Table<HandsetId, Handset>,
    }
}

impl Watcher for IdleHandset {
    fn check(&self) -> Check {
        Check::IdleHandset
    }

    fn sighting(&mut self, sighting: &Sighting, scene: &Scene<'_>, out: &mut Vec<Found>) {
        if let (What::Wrote, Some(who)) = (&sighting.what, &sighting.device.who) {
            return self.is_used(who, scene, out);
        }
        let (What::Sip(sip), Some(who)) = (&sighting.what, &sighting.device.who) else { return };
        if sip.method != Method::Register {
            return;
        }
        match sip.step {
            SipStep::Accepted => self.registered(who, scene),
            SipStep::Removed => {
                if let Some(slot) = self.handsets.find_near(Some(who.id.0), &who.id)
                    && let Some(handset) = self.handsets.get_mut(slot)
                {
                    handset.registered = None;
                }
            }
            _ => {}
        }
    }

    fn registered(&mut self, who: &Who, scene: &Scene<'_>) {
        if let Some(handset) = self.handset(who, scene) {
            handset.registered = Some(scene.now);
        }
    }

    fn call(&mut self, call: &CallFact, scene: &Scene<'_>, out: &mut Vec<Found>) {
        if call.state == CallState::Attempted {
            self.is_used(&call.who, scene, out);
        }
    }

    fn tick(&mut self, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let slots: Vec<_> = self.handsets.iter().map(|(slot, ..)| slot).collect();
        for slot in slots {
            let Some(handset) = self.handsets.get_mut(slot) else { continue };
            let idle = scene.watched.days.saturating_sub(handset.used_on);
            let severity = match idle {
                days if days >= scene.settings.idle_warning_days => Severity::Warning,
                days if days >= scene.settings.idle_days => Severity::Info,
                _ => continue,
            };
            let alive = handset.registered.is_some_and(|at| scene.now.since(at) < FRESH);
            let kept = scene.settings.keeps(&handset.who);
            if alive && !kept && handset.told < Some(severity) {
                handset.told = Some(severity);
                out.push(finding(handset, idle, severity, scene.now));
            }
        }
    }

    fn say(&self, scene: &Scene<'_>, sight: Sight) -> Say {
        let (watched, needed) = (scene.watched.days, scene.settings.idle_days);
        match sight {
            Sight { home: false, .. } => Say::CannotSee(Blind::NoTraffic, String::new()),
            Sight { sip: false, encrypted: true, .. } => Say::CannotSee(Blind::Encrypted, String::new()),
            _ if watched < needed => {
                let lossy = match scene.watched.lossy {
                    0 => String::new(),
                    n => format!(", {} more with packets lost", plural(u64::from(n), "day")),
                };
                let all = plural(u64::from(needed), "day");
                Say::CannotSee(Blind::History, format!("{watched} of {all}{lossy}"))
            }
            _ if self.handsets.is_empty() => Say::NotSeen("no handset registered".to_owned()),
            _ => Say::Pass(format!("all {} were used", plural(self.handsets.len() as u64, "handset"))),
        }
    }

    fn evicted(&self) -> u64 {
        self.handsets.evicted()
    }
}

impl IdleHandset {
    /// It calls or is called, writes or is written to.
    fn is_used(&mut self, who: &Who, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let (now, today) = (scene.now, scene.watched.days);
        let Some(handset) = self.handset(who, scene) else { return };
        handset.used = Some(now);
        handset.used_on = today;
        if handset.told.take().is_some() {
            let sentence = format!("{} is used again", named(who));
            out.push(Found::handset(Check::IdleHandset, Severity::Info, now, who, sentence).mended());
        }
    }

    fn handset(&mut self, who: &Who, scene: &Scene<'_>) -> Option<&mut Handset> {
        let fresh =
            || Handset { who: *who, used_on: scene.watched.days, used: None, registered: None, told: None };
        let slot = self.handsets.find_or_insert_near(Some(who.id.0), &who.id, scene.now, fresh).slot;
        let handset = self.handsets.get_mut(slot)?;
        handset.who = *who;
        Some(handset)
    }
}

fn finding(handset: &Handset, idle: u32, severity: Severity, now: Timestamp) -> Found {
    let days = plural(u64::from(idle), "day");
    let sentence = format!("{} is registered but was not used for {days}", named(&handset.who));
    let last = handset.used.map_or_else(|| "never seen".to_owned(), |used| used.to_string());
    let registered = handset.registered.map(|at| at.to_string()).unwrap_or_default();
    Found::handset(Check::IdleHandset, severity, now, &handset.who, sentence)
        .count("idle_days", idle)
        .word("last_call", last)
        .word("last_registration", registered)
}
