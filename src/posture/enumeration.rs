//! Check `enumeration`: somebody searches for extensions that exist.
//!
//! An extension counts once it was refused, or challenged without anybody taking up the challenge:
//! a gateway that registers thirty accounts at once takes up every one of them.

use std::net::IpAddr;

use crate::bounded::{Keep, Table};
use crate::fact::sighting::{SipSighting, SipStep};
use crate::fact::{Role, Sighting, What};
use crate::finding::{Check, Severity};
use crate::sip::Method;
use crate::text::Text;
use crate::time::{Span, Timestamp};
use crate::touches::{Way, Zone};

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, octets, plural, sender};

/// So many extensions in a minute are a search, and so many one after the other.
const MANY: usize = 20;
const RUN: u64 = 10;
/// Fewer extensions in a minute are neither.
const FEWEST: usize = 10;
const _: () = assert!(FEWEST as u64 <= RUN && FEWEST <= MANY, "the short way never misses a search");
const WINDOW: Span = Span::MINUTE;
/// Whoever means it answers a challenge sooner.
const PATIENCE: Span = Span(500_000);
/// Sources that are remembered, at the most, and extensions of each.
const ROOM: usize = 1_024;
const USERS: usize = 256;

/// What became of the attempt on an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Asked for, or challenged, and nothing since.
    Open,
    /// There is no such, or it is forbidden.
    Refused,
    /// The challenge was taken up.
    TakenUp,
}

/// An extension that somebody asked for.
#[derive(Clone, Copy, Debug)]
struct User {
    name: Text<32>,
    since: Timestamp,
    fate: Fate,
}

#[derive(Clone, Debug)]
struct Source {
    /// By name.
    users: Vec<User>,
    /// When the last extensions were asked for first: as many as make a run, the oldest at `next`.
    latest: [Option<Timestamp>; FEWEST],
    next: usize,
    first: Timestamp,
    /// What it is, for the finding when it falls due.
    zone: Zone,
    server: IpAddr,
    method: Method,
}

/// Who asked for which extensions.
#[derive(Debug)]
pub struct Enumeration {
    sources: Table<IpAddr, Source>,
    due: Option<Timestamp>,
}

impl Default for Enumeration {
    fn default() -> Self {
        Self { sources: Table::new(ROOM, 0), due: None }
    }
}

/// A search lasts a minute: over a restart it begins anew.
impl Keep for Enumeration {
    type Kept = ();

    fn kept(&self) {}

    fn recall(&mut self, (): ()) {}
}

impl Watcher for Enumeration {
    fn check(&self) -> Check {
        Check::Enumeration
    }

    fn sighting(&mut self, sighting: &Sighting, _scene: &Scene<'_>, out: &mut Vec<Found>) {
        let What::Sip(sip) = &sighting.what else { return };
        if sip.client_zone.is_allowed() || is_dialling(sip, sighting) || sip.target.is_empty() {
            return;
        }
        let fate = match sip.step {
            SipStep::Request | SipStep::Challenged => Fate::Open,
            SipStep::Denied if !matches!(sip.code, 403 | 404 | 410 | 484 | 604) => return,
            SipStep::Denied | SipStep::Refused => Fate::Refused,
            SipStep::Credentials | SipStep::Accepted | SipStep::Removed | SipStep::Ringing => Fate::TakenUp,
        };
        let now = sighting.time;
        let fresh = || Source {
            users: Vec::new(),
            latest: [None; FEWEST],
            next: 0,
            first: now,
            zone: sip.client_zone,
            server: sip.server.ip(),
            method: sip.method,
        };
        let from = sip.client.ip();
        let slot = self.sources.find_or_insert_near(sender(sip, sighting), &from, now, fresh).slot;
        let Some(source) = self.sources.get_mut(slot) else { return };
        source.note(sip.target, fate, now);
        out.extend(source.judge(from, now));
        if fate == Fate::Open && source.users.len() >= MANY {
            self.due = Some(self.due.map_or(now.plus(PATIENCE), |due| due.min(now.plus(PATIENCE))));
        }
    }

    fn tick(&mut self, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let now = scene.now;
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        self.due = None;
        for (_, from, source) in self.sources.iter() {
            out.extend(source.judge(*from, now));
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.due
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        match sight {
            Sight { home: false, .. } => Say::CannotSee(Blind::NoTraffic, String::new()),
            Sight { sip: false, encrypted: true, .. } => Say::CannotSee(Blind::Encrypted, String::new()),
            Sight { one_way: true, .. } => Say::CannotSee(Blind::OneWay, String::new()),
            _ => Say::NotSeen(
                "nobody searched for extensions; elsewhere on the PBX it can't be seen".to_owned(),
            ),
        }
    }

    fn evicted(&self) -> u64 {
        self.sources.evicted()
    }
}

/// A handset of the office that calls, subscribes to or writes to its colleagues.
fn is_dialling(sip: &SipSighting, sighting: &Sighting) -> bool {
    let own = sip.way == Way::Outbound && sighting.device.role == Role::Handset;
    own && sip.method != Method::Register && sip.method != Method::Options
}

impl Source {
    fn note(&mut self, name: Text<32>, fate: Fate, now: Timestamp) {
        let mut place = self.users.binary_search_by(|user| user.name.cmp(&name));
        if let Ok(known) = place {
            // An extension that is asked for again is as old as its first challenge.
            let user = &mut self.users[known];
            user.fate = match (user.fate, fate) {
                (Fate::TakenUp, _) => Fate::TakenUp,
                (Fate::Refused, Fate::Open) => Fate::Refused,
                (_, fate) => fate,
            };
            return;
        }
        if self.users.len() >= USERS {
            self.users.retain(|user| now.since(user.since) < WINDOW);
            place = self.users.binary_search_by(|user| user.name.cmp(&name));
        }
        if let (Err(place), true) = (place, self.users.len() < USERS) {
            self.users.insert(place, User { name, since: now, fate });
            self.latest[self.next] = Some(now);
            self.next = (self.next + 1) % FEWEST;
        }
    }

    fn judge(&self, from: IpAddr, now: Timestamp) -> Option<Found> {
        // Nearly always there are too few: nobody need be counted.
        if self.latest[self.next].is_none_or(|earliest| now.since(earliest) >= WINDOW) {
            return None;
        }
        let searched = |user: &&User| {
            now.since(user.since) < WINDOW
                && match user.fate {
                    Fate::Open => now.since(user.since) >= PATIENCE,
                    Fate::Refused => true,
                    Fate::TakenUp => false,
                }
        };
        let users: Vec<&Text<32>> = self.users.iter().filter(searched).map(|user| &user.name).collect();
        let run = longest_run(&users);
        if users.len() < MANY && run.is_none_or(|(first, last)| last - first + 1 < RUN) {
            return None;
        }
        let n = users.len() as u64;
        let outside = if self.zone == Zone::Outside { ", outside," } else { "" };
        let which = run.filter(|(first, last)| last - first + 1 >= RUN);
        let which = which.map(|(first, last)| format!(", {first} to {last} in a row")).unwrap_or_default();
        let sentence =
            format!("{from}{outside} searches for extensions: {} in a minute{which}", plural(n, "extension"));
        let range = match (users.first(), users.last()) {
            (Some(first), Some(last)) => format!("{first} to {last}"),
            _ => String::new(),
        };
        Some(
            Found::office(Check::Enumeration, Severity::Warning, now, sentence)
                .about(&[&octets(from)])
                .seen(u32::try_from(n).unwrap_or(u32::MAX), self.first)
                .word("source", from)
                .word("source_zone", self.zone)
                .word("server", self.server)
                .word("method", self.method.to_string())
                .count("extensions", n)
                .word("range", range),
        )
    }
}

/// The longest run of numbers that follow each other.
fn longest_run(users: &[&Text<32>]) -> Option<(u64, u64)> {
    let number = |user: &&Text<32>| {
        let digits = std::str::from_utf8(user.as_bytes()).ok()?;
        let plain = digits.len() <= 9 && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if plain { digits.parse::<u64>().ok() } else { None }
    };
    let mut numbers: Vec<u64> = users.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut best: Option<(u64, u64)> = None;
    let mut run: Option<(u64, u64)> = None;
    for n in numbers {
        run = match run {
            Some((first, last)) if last + 1 == n => Some((first, n)),
            _ => Some((n, n)),
        };
        if best.is_none_or(|(first, last)| run.is_some_and(|(f, l)| l - f > last - first)) {
            best = run;
        }
    }
    best
}
