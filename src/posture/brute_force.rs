//! Check `brute_force`: somebody guesses passwords.
//!
//! Only refused credentials count: the challenge that every registration begins with is no failure,
//! so any number of phones may register as often as they like.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bounded::Table;
use crate::fact::sighting::{SipSighting, SipStep};
use crate::fact::{Sighting, What};
use crate::finding::{Check, Severity};
use crate::text::Text;
use crate::time::{Span, Timestamp};
use crate::touches::Zone;

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, mix, octets, plural};

/// Refusals of a source, or of an account, in a minute and in ten.
const LIMITS: [(usize, Span); 2] = [(5, Span::MINUTE), (20, Span::minutes(10))];
/// A phone with a wrong password makes fewer than this in ten minutes, all for its own account.
const WRONG_PASSWORD: usize = 10;
/// Success after so many failures looks like a guess that came true.
const GUESSED: usize = 3;
const WINDOW: Span = Span::minutes(10);
/// Sources and accounts that are remembered, at the most; refusals and accounts of each.
const ROOM: usize = 2_048;
const REFUSALS: usize = 64;
const ACCOUNTS: usize = 64;

/// Refusals of one source, or of one account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Refusals {
    times: VecDeque<Timestamp>,
    /// How often each account was refused, or each source.
    by: BTreeMap<Text<32>, u32>,
    total: u32,
    first: Timestamp,
}

impl Refusals {
    fn add(&mut self, other: Text<32>, now: Timestamp) {
        self.fade(now);
        if self.times.is_empty() {
            *self = Self { first: now, ..Self::default() };
        }
        if self.times.len() == REFUSALS {
            self.times.pop_front();
        }
        self.times.push_back(now);
        self.total = self.total.saturating_add(1);
        if self.by.len() < ACCOUNTS || self.by.contains_key(&other) {
            let n = self.by.entry(other).or_default();
            *n = n.saturating_add(1);
        }
    }

    fn fade(&mut self, now: Timestamp) {
        while self.times.front().is_some_and(|at| now.since(*at) >= WINDOW) {
            self.times.pop_front();
        }
    }

    fn within(&self, span: Span, now: Timestamp) -> usize {
        self.times.iter().rev().take_while(|at| now.since(**at) < span).count()
    }

    fn is_many(&self, now: Timestamp) -> bool {
        LIMITS.iter().any(|(limit, span)| self.within(*span, now) >= *limit)
    }

    fn top(&self) -> String {
        let mut rows: Vec<_> = self.by.iter().collect();
        rows.sort_by_key(|(name, n)| (std::cmp::Reverse(**n), **name));
        rows.iter().take(5).map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(" ")
    }
}

/// Refused credentials by source and by account.
#[derive(Debug)]
pub struct BruteForce {
    sources: Table<IpAddr, Refusals>,
    accounts: Table<Text<32>, Refusals>,
    accepted: u64,
}

impl Default for BruteForce {
    fn default() -> Self {
        Self { sources: Table::new(ROOM, 0), accounts: Table::new(ROOM, 0), accepted: 0 }
    }
}

crate::kept! {
    /// Who was refused before a restart.
    pub struct Memory of BruteForce {
        sources: Table<IpAddr, Refusals>,
        accounts: Table<Text<32>, Refusals>,
        accepted: u64,
    }
}

impl Watcher for BruteForce {
    fn check(&self) -> Check {
        Check::BruteForce
    }

    fn sighting(&mut self, sighting: &Sighting, _scene: &Scene<'_>, out: &mut Vec<Found>) {
        let What::Sip(sip) = &sighting.what else { return };
        match sip.step {
            SipStep::Refused => out.extend(self.refused(sip, sighting)),
            SipStep::Accepted => {
                self.accepted = self.accepted.saturating_add(1);
                out.extend(self.accepted(sip, sighting));
            }
            _ => {}
        }
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        match self.accepted {
            _ if !sight.home => Say::CannotSee(Blind::NoTraffic, String::new()),
            0 if !sight.sip && sight.encrypted => Say::CannotSee(Blind::Encrypted, String::new()),
            _ if sight.one_way => Say::CannotSee(Blind::OneWay, String::new()),
            0 => Say::NotSeen("no password was tried here; elsewhere on the PBX it can't be seen".to_owned()),
            n => Say::NotSeen(format!(
                "{} accepted, hardly any refused; elsewhere on the PBX it can't be seen",
                plural(n, "password")
            )),
        }
    }

    fn evicted(&self) -> u64 {
        self.sources.evicted() + self.accounts.evicted()
    }
}

impl BruteForce {
    fn refused(&mut self, sip: &SipSighting, sighting: &Sighting) -> Option<Found> {
        let (now, from) = (sighting.time, sip.client.ip());
        let place = Text::from(from.to_string().as_str());
        let slot = self.accounts.find_or_insert(&sip.account, now, Refusals::default).slot;
        let account = self.accounts.get_mut(slot)?;
        account.add(place, now);
        let spread = account.by.len() > 1 && account.is_many(now);
        let account_gist = spread.then_some((account.total, account.first, account.by.len()));
        let slot = self.sources.find_or_insert(&from, now, Refusals::default).slot;
        let source = self.sources.get_mut(slot)?;
        source.add(sip.account, now);
        let one_account = source.by.len() == 1;
        let in_window = source.within(WINDOW, now);
        let many = source.is_many(now);
        if many && one_account && in_window < WRONG_PASSWORD {
            let sentence = format!("{from} has a wrong password for account {}", sip.account);
            return Some(finding(Severity::Info, sentence, source, sip, sighting));
        }
        if many {
            let whom = match source.by.len() {
                1 => format!("account {}", sip.account),
                n => plural(n as u64, "account"),
            };
            let refusals = plural(u64::from(source.total), "refused password");
            let sentence = format!("{from} guesses passwords: {refusals} for {whom}");
            return Some(finding(Severity::Warning, sentence, source, sip, sighting));
        }
        let (total, first, places) = account_gist?;
        let sentence = format!(
            "somebody guesses the password of account {} from {}: {} refused",
            sip.account,
            plural(places as u64, "address").replace("addresss", "addresses"),
            total
        );
        Some(
            Found::office(Check::BruteForce, Severity::Warning, now, sentence)
                .about(&[b"account", sip.account.as_bytes()])
                .seen(total, first)
                .word("account", sip.account)
                .count("refused", total)
                .count("sources", places as u64),
        )
    }

    /// Somebody got in: was it a guess that came true?
    fn accepted(&mut self, sip: &SipSighting, sighting: &Sighting) -> Option<Found> {
        let (now, from) = (sighting.time, sip.client.ip());
        let slot = self.sources.find(&from)?;
        let source = self.sources.get_mut(slot)?;
        source.fade(now);
        let failures = source.times.len();
        let tried = source.by.contains_key(&sip.account);
        // Somebody who mistyped a phone's password a few times and then had it right is no thief.
        let clumsy = source.by.len() == 1 && failures < WRONG_PASSWORD && sip.client_zone != Zone::Outside;
        if failures < GUESSED || !tried || clumsy {
            return None;
        }
        let sentence = format!(
            "account {} taken? {from} was let in after {} refused",
            sip.account,
            plural(failures as u64, "password")
        );
        let found = finding(Severity::Critical, sentence, source, sip, sighting);
        source.times.clear();
        Some(found)
    }
}

fn finding(
    severity: Severity,
    sentence: String,
    source: &Refusals,
    sip: &SipSighting,
    sighting: &Sighting,
) -> Found {
    let from = sip.client.ip();
    let mut found = Found::office(Check::BruteForce, severity, sighting.time, sentence)
        .seen(source.total, source.first)
        .word("source", from)
        .word("source_zone", sip.client_zone)
        .word("server", sip.server.ip())
        .count("refused", source.total)
        .count("accounts", source.by.len() as u64)
        .word("top_accounts", source.top())
        .word("agent", sip.agent);
    found.detail = mix(0, &[b"source", &octets(from)]);
    found
}
