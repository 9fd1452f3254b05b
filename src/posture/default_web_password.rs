//! Check `default_web_password`: a handset's own page takes its maker's default password.
//!
//! A default that is tried and refused is only worth knowing; one that is accepted is an open door.

use serde::{Deserialize, Serialize};

use crate::bounded::Table;
use crate::fact::secret::Lock;
use crate::fact::sighting::LoginOutcome;
use crate::fact::{Device, Sighting, What};
use crate::finding::{Check, Severity};
use crate::time::{Span, Timestamp};

use super::checklist::{Blind, Say, Sight};
use super::password::Verdict;
use super::scene::{Found, Scene, Watcher, called, key_of, plural};

/// Devices that are remembered, at the most.
const ROOM: usize = 8_192;
/// A log-in's answer belongs to a password that was checked so close to it.
const TOGETHER: Span = Span::DAY;

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Page {
    listed: Option<Timestamp>,
    accepted: Option<Timestamp>,
    refused: Option<Timestamp>,
}

/// What is known of each device's page.
#[derive(Debug)]
pub struct DefaultWebPassword {
    pages: Table<u64, Page>,
    checked: u64,
    logins: u64,
}

impl Default for DefaultWebPassword {
    fn default() -> Self {
        Self { pages: Table::new(ROOM, 0), checked: 0, logins: 0 }
    }
}

crate::kept! {
    /// What was known of pages before a restart.
    pub struct Memory of DefaultWebPassword {
        pages: Table<u64, Page>,
        checked: u64,
        logins: u64,
    }
}

impl Watcher for DefaultWebPassword {
    fn check(&self) -> Check {
        Check::DefaultWebPassword
    }

    fn sighting(&mut self, sighting: &Sighting, _scene: &Scene<'_>, out: &mut Vec<Found>) {
        let What::Login(login) = &sighting.what else { return };
        let now = sighting.time;
        let page = self.page(&sighting.device, now);
        match (page, login.outcome) {
            (Some(page), LoginOutcome::Accepted) => page.accepted = Some(now),
            (Some(page), LoginOutcome::Refused) => page.refused = Some(now),
            _ => return,
        }
        self.logins = self.logins.saturating_add(1);
        self.judge(&sighting.device, now, out);
    }

    fn verdict(&mut self, verdict: &Verdict, now: Timestamp, out: &mut Vec<Found>) {
        if verdict.lock == Lock::Sip {
            return;
        }
        self.checked = self.checked.saturating_add(1);
        let Some(page) = self.page(&verdict.device, now) else { return };
        if verdict.lock == Lock::Refused {
            page.refused = verdict.listed.then_some(verdict.time).or(page.refused);
        }
        if verdict.listed || verdict.lock == Lock::Web {
            page.listed = verdict.listed.then_some(verdict.time);
        }
        self.judge(&verdict.device, now, out);
    }

    fn say(&self, scene: &Scene<'_>, sight: Sight) -> Say {
        match self.checked {
            _ if !scene.settings.password.enabled => {
                Say::CannotSee(Blind::Off, "set [password_check] enabled and networks".to_owned())
            }
            0 if !sight.home => Say::CannotSee(Blind::NoTraffic, String::new()),
            0 => Say::NotSeen("nobody logged in to a handset's page in clear text".to_owned()),
            n => Say::Pass(format!("{} checked, none on the list", plural(n, "log-in"))),
        }
    }

    fn evicted(&self) -> u64 {
        self.pages.evicted()
    }
}

impl DefaultWebPassword {
    fn page(&mut self, device: &Device, now: Timestamp) -> Option<&mut Page> {
        let slot = self.pages.find_or_insert(&key_of(device), now, Page::default).slot;
        self.pages.get_mut(slot)
    }

    fn judge(&mut self, device: &Device, now: Timestamp, out: &mut Vec<Found>) {
        let Some(page) = self.page(device, now).copied() else { return };
        let Some(listed) = page.listed else { return };
        let with = |at: Option<Timestamp>| at.is_some_and(|at| at >= listed && at.since(listed) < TOGETHER);
        let name = called(device);
        let (severity, sentence) = if with(page.accepted) {
            (Severity::Critical, format!("the web page of {name} takes a default password of its maker"))
        } else if with(page.refused) {
            (
                Severity::Info,
                format!(
                    "somebody tried a maker's default password on the web page of {name}; it was refused"
                ),
            )
        } else {
            return;
        };
        out.push(
            Found::office(Check::DefaultWebPassword, severity, now, sentence)
                .on(device)
                .word("list", super::LIST_VERSION)
                .with("accepted", crate::finding::Evidence::Flag(severity == Severity::Critical)),
        );
    }
}
