//! Check `lapsed_registration`: a handset that was registered for long no longer is.
//!
//! Where a fifth of the office stops at once, something happened to the office (a move, a new PBX, a
//! broken line): that is one finding, not one for each handset.

use serde::{Deserialize, Serialize};

use crate::bounded::Table;
use crate::fact::sighting::SipStep;
use crate::fact::{Sighting, What};
use crate::finding::{Check, Severity};
use crate::handsets::{HandsetId, Who};
use crate::sip::Method;
use crate::time::{Span, Timestamp};
use crate::touches::Way;

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, named, plural};

/// Registered for so long, it belongs to the office.
const LONG: Span = Span::days(7);
/// Watched for so many hours after it ran out.
const OVER_HOURS: u32 = 24;
/// Those that run out so close together stopped for one reason.
const TOGETHER: Span = Span::hours(6);
/// That reason is the office's if it stops one handset in so many, and at least three.
const SHARE: usize = 5;
const AT_LEAST: usize = 3;
/// Handsets that are remembered, at the most.
const ROOM: usize = 16_384;
/// A registration without Expires lasts for an hour (RFC 3261 section 10.2).
const DEFAULT_EXPIRES: i64 = 3_600;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Registration {
    who: Who,
    first: Timestamp,
    ends: Timestamp,
    /// The hour, as they are counted, in which it was renewed last.
    renewed: u32,
    seen: Timestamp,
    told: bool,
}

/// Who was registered until when.
#[derive(Debug)]
pub struct LapsedRegistration {
    handsets: Table<HandsetId, Registration>,
}

impl Default for LapsedRegistration {
    fn default() -> Self {
        Self { handsets: Table::loose(ROOM, 0) }
    }
}

crate::kept! {
    /// Who was registered before a restart.
    pub struct Memory of LapsedRegistration {
        handsets: Table<HandsetId, Registration>,
    }
}

impl Watcher for LapsedRegistration {
    fn check(&self) -> Check {
        Check::LapsedRegistration
    }

    fn sighting(&mut self, sighting: &Sighting, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let Some(who) = &sighting.device.who else { return };
        let now = sighting.time;
        let ends = match &sighting.what {
            What::Sip(sip) if sip.method == Method::Register && sip.way == Way::Outbound => match sip.step {
                SipStep::Accepted if sip.expires > 0 => Some(now.plus(Span::seconds(i64::from(sip.expires)))),
                SipStep::Accepted => Some(now.plus(Span::seconds(DEFAULT_EXPIRES))),
                SipStep::Removed => Some(now),
                _ => None,
            },
            _ => None,
        };
        let Some(ends) = ends else {
            if let Some(slot) = self.handsets.find_near(Some(who.id.0), &who.id)
                && let Some(handset) = self.handsets.get_mut(slot)
            {
                handset.seen = now;
            }
            return;
        };
        let renewed = scene.watched.hours;
        let fresh = || Registration { who: *who, first: now, ends, renewed, seen: now, told: false };
        let slot = self.handsets.find_or_insert_near(Some(who.id.0), &who.id, now, fresh).slot;
        let Some(handset) = self.handsets.get_mut(slot) else { return };
        let back = std::mem::take(&mut handset.told);
        let first = if back { now } else { handset.first };
        *handset = Registration { who: *who, first, ends, renewed, seen: now, told: false };
        if back {
            let sentence = format!("{} is registered again", named(who));
            out.push(Found::handset(Check::LapsedRegistration, Severity::Info, now, who, sentence).mended());
        }
    }

    fn tick(&mut self, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let now = scene.now;
        let settled = |handset: &Registration| handset.ends.since(handset.first) >= LONG;
        let lapsed = |handset: &Registration| {
            let over = scene.watched.hours.saturating_sub(handset.renewed) >= OVER_HOURS;
            settled(handset) && over && now.since(handset.ends) >= Span::hours(i64::from(OVER_HOURS))
        };
        let all: Vec<(Timestamp, bool)> = self
            .handsets
            .iter()
            .filter(|(.., handset)| settled(handset))
            .map(|(.., handset)| (handset.ends, handset.ends < now))
            .collect();
        let due: Vec<_> = self
            .handsets
            .iter()
            .filter(|(.., handset)| lapsed(handset) && !handset.told && !scene.settings.keeps(&handset.who))
            .map(|(slot, ..)| slot)
            .collect();
        for slot in due {
            let Some(handset) = self.handsets.get_mut(slot) else { continue };
            handset.told = true;
            let with =
                all.iter().filter(|(ends, over)| *over && distance(*ends, handset.ends) <= TOGETHER).count();
            out.push(if with >= AT_LEAST && with * SHARE > all.len() {
                site(with, all.len(), handset, now)
            } else {
                finding(handset, now)
            });
        }
    }

    fn say(&self, scene: &Scene<'_>, sight: Sight) -> Say {
        let days = scene.watched.days;
        match sight {
            Sight { home: false, .. } => Say::CannotSee(Blind::NoTraffic, String::new()),
            Sight { sip: false, encrypted: true, .. } => Say::CannotSee(Blind::Encrypted, String::new()),
            Sight { one_way: true, .. } => Say::CannotSee(Blind::OneWay, String::new()),
            _ if days < 8 => Say::CannotSee(Blind::History, format!("{days} of 8 days")),
            _ if self.handsets.is_empty() => Say::NotSeen("no registration was seen".to_owned()),
            _ => Say::Pass(format!(
                "{} keep their registrations",
                plural(self.handsets.len() as u64, "handset")
            )),
        }
    }

    fn evicted(&self) -> u64 {
        self.handsets.evicted()
    }
}

fn distance(a: Timestamp, b: Timestamp) -> Span {
    Span(a.since(b).0.max(b.since(a).0))
}

fn finding(handset: &Registration, now: Timestamp) -> Found {
    let here = now.since(handset.seen) < Span::DAY && handset.seen > handset.ends;
    let severity = if here { Severity::Warning } else { Severity::Info };
    let state = if here { "but is still connected" } else { "and hasn't been seen since" };
    let sentence =
        format!("{} has not been registered since {}, {state}", named(&handset.who), date(handset.ends));
    Found::handset(Check::LapsedRegistration, severity, now, &handset.who, sentence)
        .seen(1, handset.ends)
        .word("registered_from", handset.first)
        .word("until", handset.ends)
        .word("last_seen", handset.seen)
}

fn site(with: usize, all: usize, handset: &Registration, now: Timestamp) -> Found {
    let sentence = format!(
        "{with} of {all} handsets stopped registering together on {}: a move, a new PBX or a broken line?",
        date(handset.ends)
    );
    Found::office(Check::LapsedRegistration, Severity::Warning, now, sentence)
        .about(&[b"site", &(handset.ends.as_secs() / (7 * 86_400)).to_be_bytes()])
        .seen(u32::try_from(with).unwrap_or(u32::MAX), handset.ends)
        .count("stopped", with as u64)
        .count("handsets", all as u64)
        .word("event", "site")
}

/// The day of a moment, UTC.
fn date(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
