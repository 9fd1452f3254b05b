//! What the learned odds keep of one handset: its rates and places, its last calls, the evidence.
//!
//! In: costly calls, their outcomes. Out: `Odds` of each.
//! Never: grows, or learns fully from a call that looks like fraud.

use libm::exp;
use serde::{Deserialize, Serialize};

use crate::dial::Risk;
use crate::time::{Span, Timestamp};

use super::evidence::{Evidence, Odds, Weighed, to_f32};
use super::marks::{Mark, Marks};
use super::office::{Moment, Office};
use super::quarantine::Quarantine;
use super::week::PARTS;
use super::zone::{Class, Prior, Zone};

/// A costly call as the odds see it.
#[derive(Clone, Copy, Debug)]
pub struct Dialled {
    /// Where to.
    pub zone: Zone,
    /// At home or abroad.
    pub class: Class,
    /// How often the destination turns up in fraud.
    pub risk: Risk,
    /// Stands for the number.
    pub number: u64,
    /// The 10,000 numbers around it, if it is a number.
    pub block: Option<u64>,
    /// Whether the office has called it before, on another day, in an ordinary call.
    pub known: bool,
    /// Whether it was forwarded to an ordinary number abroad.
    pub forwarded: bool,
    /// Whether the handset was one of many that rang for a moment a short while ago.
    pub lured: bool,
    /// Its number in this run.
    pub call: u32,
    /// Money for the connection, and per minute.
    pub price: [f64; 2],
}

/// How many of the last numbers, open calls and zones are kept.
const RECENT: usize = 8;
const UP: usize = 4;
const ZONES: usize = 8;

/// Bursts: how much a call excites further ones, and for how long, in hours.
const EXCITES: [f64; 2] = [0.30, 0.30];
const LASTS: [f64; 2] = [0.25, 8.0];
/// At work, one call brings about many more: people work through lists.
const AT_WORK: f64 = 2.5;
/// Pseudo-calls of the office's mean rate, of its zones.
const RATE_BELIEF: f64 = 0.3;
const ZONE_BELIEF: f64 = 2.0;
/// No calls are rarer than this, an hour.
const RAREST: f64 = 1e-7;
/// A stream of fraud stays in the country of its last call with this share.
const STAYS: f64 = 0.6;
const A_DAY_S: u32 = 86_400;
/// A call that was never answered, and one whose end was lost, is over by now.
const RINGS_S: u32 = 300;
const LONGEST_S: u32 = 4 * 3_600;
const REDIAL_S: u32 = 15 * 60;
const REDIAL: f64 = 0.03;
/// Calls that are forwarded to an ordinary number abroad, one at a time, are somebody who travels.
const TRAVELS: f64 = 0.1;
/// A number that rang for a moment to be called back.
const LURE: f64 = 5.0;
/// A call that brought less of the odds than this is plainly ordinary.
const PLAIN: f32 = 0.3;
/// In its first days a handset learns at least half of everything.
const GREEN: Span = Span::days(14);

/// One handset.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HandsetOdds {
    evidence: Evidence,
    /// When evidence and bursts were last brought up to date.
    at: Timestamp,
    since: Timestamp,
    bursts: [f32; 2],
    numbers: [u64; RECENT],
    times: [u32; RECENT],
    failed: u64,
    failed_at: u32,
    next: u8,
    last: Zone,
    last_at: u32,
    /// Calls that are up, when they began, and whether they were answered, in bits.
    up: [(u32, u32); UP],
    talks: u8,
    marks: Marks,
    /// Ordinary calls by class, and calls by part of the day, in the office's units.
    counts: [f32; 2],
    parts: [f32; PARTS],
    zones: [Zone; ZONES],
    zone_counts: [f32; ZONES],
    quarantine: Quarantine,
}

const _: () = assert!(size_of::<HandsetOdds>() <= 512, "the detector's state of a handset is bounded");

/// What a call did: its odds, and how much was learnt from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Of its handset.
    pub odds: Odds,
    /// How many such calls an hour are usual for the handset.
    pub usual: f32,
    /// How ordinary it is, 0..=1: that is how far it is learnt from.
    pub weight: f32,
    /// How much was learnt from it, in the office's units.
    pub learnt: f32,
}

fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_secs().clamp(0, i64::from(u32::MAX))).unwrap_or(0)
}

fn hours(span: Span) -> f64 {
    span.as_secs_f64() / 3_600.0
}

impl HandsetOdds {
    /// Seen for the first time.
    pub fn new(now: Timestamp) -> Self {
        Self {
            evidence: Evidence::default(),
            at: now,
            since: now,
            bursts: [0.0; 2],
            numbers: [0; RECENT],
            times: [0; RECENT],
            failed: 0,
            failed_at: 0,
            next: 0,
            last: Zone::NONE,
            last_at: 0,
            up: [(0, 0); UP],
            talks: 0,
            marks: Marks::default(),
            counts: [0.0; 2],
            parts: [0.0; PARTS],
            zones: [Zone::NONE; ZONES],
            zone_counts: [0.0; ZONES],
            quarantine: Quarantine::default(),
        }
    }

    /// A call that costs little says when the handset is used.
    pub fn ordinary(&mut self, part: u8, unit: f64) {
        self.parts[usize::from(part) % PARTS] += to_f32(unit);
    }

    /// A costly call begins; `watched` is for how many hours the office was.
    pub fn attempt(
        &mut self,
        call: &Dialled,
        prior: Prior,
        office: &mut Office,
        moment: &Moment,
        watched: f64,
        learn: bool,
    ) -> Judged {
        self.release(office, moment);
        let now_s = seconds(moment.now);
        let passed = hours(moment.now.since(self.at));
        for (burst, lasts) in self.bursts.iter_mut().zip(LASTS) {
            *burst = to_f32(f64::from(*burst) * exp(-passed / lasts));
        }
        let (mark, up) = (self.mark(call, now_s), self.still_up(now_s));
        let exposed = [super::office::exposure(moment.now.since(self.since)), watched];
        let (usual, share) = self.usual(call, prior, office, moment, exposed);
        let weighed = Weighed {
            usual,
            share: self.fraud_share(call, prior, now_s),
            anywhere: prior.fraud,
            marks: self.marks_of(call, mark, up, now_s),
            price: call.price,
        };
        let odds = self.evidence.weigh(&weighed, passed);
        self.at = moment.now;
        let weight = self.weight(odds, moment);
        // While a handset is under suspicion, only what is plainly ordinary is learnt.
        let learnt =
            if learn || odds.due < PLAIN { self.learn(call, mark, up, weight, office, moment) } else { 0.0 };
        self.remember(call, now_s);
        let usual = to_f32(self.rate(call.class, office, moment, exposed) * share);
        Judged { odds, usual, weight: to_f32(weight), learnt }
    }

    fn mark(&self, call: &Dialled, now_s: u32) -> Mark {
        let lately = || {
            self.numbers
                .iter()
                .zip(self.times)
                .filter(|(_, at)| *at != 0 && now_s.wrapping_sub(*at) < A_DAY_S)
        };
        if lately().any(|(number, _)| *number == call.number) {
            Mark::Repeat
        } else if call.known {
            Mark::Known
        } else if call.block.is_some_and(|block| lately().any(|(number, _)| number / 10_000 == block)) {
            Mark::Beside
        } else {
            Mark::Fresh
        }
    }

    fn still_up(&self, now_s: u32) -> usize {
        let lasts = |i: usize| if self.talks & (1 << i) == 0 { RINGS_S } else { LONGEST_S };
        let up = self.up.iter().enumerate();
        up.filter(|(i, (call, at))| *call != 0 && now_s.wrapping_sub(*at) < lasts(*i)).count()
    }

    fn marks_of(&self, call: &Dialled, mark: Mark, up: usize, now_s: u32) -> [f64; 2] {
        let mut factor = 1.0;
        if up == 0 && self.failed == call.number && now_s.wrapping_sub(self.failed_at) < REDIAL_S {
            factor *= REDIAL;
        }
        if call.forwarded && matches!(mark, Mark::Repeat | Mark::Known) && up < 2 {
            factor *= TRAVELS;
        }
        if call.lured {
            factor *= LURE;
        }
        self.marks.ratio(mark, up).map(|ratio| ratio * factor)
    }

    /// Ordinary calls of a class an hour, over a mean week.
    /// `exposed` are the hours for which the handset and the office were watched.
    fn rate(&self, class: Class, office: &Office, moment: &Moment, exposed: [f64; 2]) -> f64 {
        let mine = f64::from(self.counts[class.index()]) / moment.unit;
        let [exposure, watched] = exposed;
        let mean = office.mean_rate(class, moment, watched);
        (mine + RATE_BELIEF) / (exposure + RATE_BELIEF / mean)
    }

    /// Calls like this one an hour, now; and the share of the handset's calls that goes to the zone.
    fn usual(
        &self,
        call: &Dialled,
        prior: Prior,
        office: &Office,
        moment: &Moment,
        exposed: [f64; 2],
    ) -> (f64, f64) {
        let own = self.parts.map(|n| f64::from(n) / moment.unit);
        let season = office.season(moment.place, own);
        let site = office.share(call.zone, call.class, prior, moment);
        let all = f64::from(self.counts[call.class.index()]) / moment.unit;
        let there = self.zones.iter().zip(self.zone_counts).find(|(zone, _)| **zone == call.zone);
        let there = there.map_or(0.0, |(_, n)| f64::from(n) / moment.unit);
        let share = (there + ZONE_BELIEF * site) / (all + ZONE_BELIEF);
        let busy = if moment.place.is_work() { AT_WORK } else { 1.0 };
        let awake = [busy, season.clamp(0.1, 1.0)];
        let stays = if call.zone == self.last { 0.75 + 0.25 * share } else { share.max(0.02) };
        let excited: f64 =
            (0..2).map(|i| EXCITES[i] / LASTS[i] * f64::from(self.bursts[i]) * awake[i] * stays).sum();
        let usual = self.rate(call.class, office, moment, exposed) * season * share + excited;
        (usual.max(RAREST), share)
    }

    fn fraud_share(&self, call: &Dialled, prior: Prior, now_s: u32) -> f64 {
        if self.last == Zone::NONE || now_s.wrapping_sub(self.last_at) >= A_DAY_S {
            return prior.fraud;
        }
        let stays = if call.zone.is_beside(self.last) { STAYS } else { 0.0 };
        stays + (1.0 - STAYS) * prior.fraud
    }

    /// How ordinary a call is: what it added to the odds counts against it once the odds are long.
    fn weight(&self, odds: Odds, moment: &Moment) -> f64 {
        let evidence = 0.01 * libm::exp10(f64::from(odds.decades));
        let weight = 1.0 - f64::from(odds.due) * evidence / (1.0 + evidence);
        let green = moment.now.since(self.since) < GREEN;
        if green { weight.max(0.5) } else { weight }
    }

    fn learn(
        &mut self,
        call: &Dialled,
        mark: Mark,
        up: usize,
        weight: f64,
        office: &mut Office,
        moment: &Moment,
    ) -> f32 {
        self.marks.learn(mark, up, to_f32(weight));
        self.ordinary(moment.place.part, moment.unit * weight);
        let learnt = to_f32(weight * moment.unit);
        self.count(call.zone, call.class, learnt);
        office.learn(call.zone, call.class, weight * moment.unit, moment.place);
        self.quarantine.hold(call.zone, call.class, to_f32(1.0 - weight), moment.now);
        learnt
    }

    fn count(&mut self, zone: Zone, class: Class, amount: f32) {
        let total = &mut self.counts[class.index()];
        *total = (*total + amount).max(0.0);
        let known = self.zones.iter().position(|z| *z == zone);
        let least = || {
            let counts = self.zone_counts;
            (0..ZONES).min_by(|a, b| counts[*a].total_cmp(&counts[*b])).unwrap_or(0)
        };
        let place = known.unwrap_or_else(least);
        if self.zones[place] != zone {
            // Keeps the rarest zone's place for the newest: a habit takes two calls to settle.
            self.zones[place] = zone;
            self.zone_counts[place] = 0.0;
        }
        self.zone_counts[place] = (self.zone_counts[place] + amount).max(0.0);
    }

    /// What the quarantine held for long enough is learnt at half weight.
    fn release(&mut self, office: &mut Office, moment: &Moment) {
        while let Some((zone, class, amount)) = self.quarantine.release(moment.now) {
            let amount = to_f32(f64::from(amount) * 0.5 * moment.unit);
            self.count(zone, class, amount);
            office.learn(zone, class, f64::from(amount), moment.place);
        }
    }

    fn remember(&mut self, call: &Dialled, now_s: u32) {
        for burst in &mut self.bursts {
            *burst += 1.0;
        }
        let next = usize::from(self.next) % RECENT;
        self.numbers[next] = call.number;
        self.times[next] = now_s.max(1);
        self.next = self.next.wrapping_add(1) % (RECENT as u8);
        let oldest = (0..UP).min_by_key(|i| self.up[*i].1).unwrap_or(0);
        self.up[oldest] = (call.call.max(1), now_s);
        self.talks &= !(1 << oldest);
        (self.last, self.last_at) = (call.zone, now_s);
    }

    /// A call was answered.
    pub fn answered(&mut self, call: u32) {
        if let Some(i) = self.up.iter().position(|(up, _)| *up == call.max(1)) {
            self.talks |= 1 << i;
        }
        self.evidence.outcome(true);
    }

    /// A call is over; `answered` if it ever was.
    pub fn over(&mut self, call: u32, number: u64, answered: bool, now: Timestamp) {
        if let Some(up) = self.up.iter_mut().find(|(up, _)| *up == call.max(1)) {
            *up = (0, 0);
        }
        if !answered {
            self.evidence.outcome(false);
            (self.failed, self.failed_at) = (number, seconds(now));
        }
    }

    /// A call is still up after so many minutes: 30, 60 or 120.
    pub fn holds(&mut self, minutes: i64) {
        let factor = match minutes {
            30 | 120 => 2.0,
            60 => 1.7,
            _ => return,
        };
        self.evidence.holds(factor);
    }

    /// What was learnt from a call is taken back.
    pub fn unlearn(&mut self, zone: Zone, class: Class, learnt: f32) {
        self.count(zone, class, -learnt);
    }

    /// An incident of the handset is over: nothing is suspected any more. What the quarantine holds
    /// was part of it.
    pub fn forget(&mut self) {
        self.evidence.forget();
        self.quarantine = Quarantine::default();
    }

    /// Somebody said that the incident was fine: what the quarantine holds is learnt at once.
    pub fn accept(&mut self, office: &mut Office, moment: &Moment) {
        for (zone, class, amount) in std::mem::take(&mut self.quarantine).everything() {
            let amount = to_f32(f64::from(amount) * moment.unit);
            self.count(zone, class, amount);
            office.learn(zone, class, f64::from(amount), moment.place);
        }
        self.evidence.forget();
    }

    /// Divides all units.
    pub fn rebase(&mut self, by: f64) {
        let counts = self.counts.iter_mut().chain(&mut self.parts).chain(&mut self.zone_counts);
        counts.for_each(|n| *n = to_f32(f64::from(*n) / by));
    }

    /// What was learnt of earlier times; `unit` turns its units into the present ones. Suspicions are
    /// of the present only.
    pub fn precede(&mut self, past: &Self, unit: f64) {
        let present = |amount: f32| to_f32(f64::from(amount) * unit);
        let before = self.counts;
        for (zone, amount) in past.zones.iter().zip(past.zone_counts) {
            let amount = present(amount);
            // A zone of the past takes no place of one that is called more now.
            let has_place = self.zones.iter().zip(self.zone_counts).any(|(z, n)| z == zone || n < amount);
            if *zone != Zone::NONE && has_place {
                self.count(*zone, Class::Abroad, amount);
            }
        }
        self.counts = before;
        self.counts.iter_mut().zip(past.counts).for_each(|(n, m)| *n += present(m));
        self.parts.iter_mut().zip(past.parts).for_each(|(n, m)| *n += present(m));
        self.marks.precede(&past.marks);
        self.since = self.since.min(past.since);
    }

    /// Of the same handset, seen by another sensor in the same units: counts add, odds are averaged.
    pub fn merge(&mut self, other: &Self) {
        for (zone, amount) in other.zones.iter().zip(other.zone_counts) {
            if *zone != Zone::NONE {
                let before = self.counts;
                self.count(*zone, Class::Abroad, amount);
                self.counts = before;
            }
        }
        self.counts.iter_mut().zip(other.counts).for_each(|(n, m)| *n += m);
        self.parts.iter_mut().zip(other.parts).for_each(|(n, m)| *n += m);
        self.since = self.since.min(other.since);
        self.evidence.merge(&other.evidence);
    }

    /// Whether it is a state that calls could have led to; a snapshot may hold anything.
    pub fn is_whole(&self) -> bool {
        let fine = |n: &f32| n.is_finite() && *n >= 0.0;
        self.evidence.is_whole()
            && self.marks.is_whole()
            && self.quarantine.is_whole()
            && self.bursts.iter().chain(&self.counts).chain(&self.parts).chain(&self.zone_counts).all(fine)
    }
}
