//! What the learned odds keep of the whole office: its week, its rates, its zones.
//!
//! In: ordinary calls. Out: mean rates, shares of zones, how busy a moment is.
//! Never: knows a single handset.

use libm::exp;
use serde::{Deserialize, Serialize};

use crate::time::{OfficeHours, Span, Timestamp};

use super::week::{MEMORY_H, PARTS, Place, Week};
use super::zone::{Class, Prior, Zone};

/// Pseudo-calls of the zones' priors.
const ZONE_BELIEF: f64 = 25.0;
/// Pseudo-calls of a class in the office, and the hours of each handset in which there were none.
const RATE_BELIEF: f64 = 0.5;
const RATE_HOURS: f64 = 24.0;
/// Units are divided when they have grown so much.
const MOST_UNIT: f64 = 1e9;
/// Ages beyond this many time constants make no difference.
const OLDEST: f64 = 60.0;

/// A moment as the odds see it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Now.
    pub now: Timestamp,
    /// Where in the week.
    pub place: Place,
    /// What a call that is made now weighs: counts are kept in such units, which grow with time, so
    /// that old calls fade.
    pub unit: f64,
    /// How many handsets the office has.
    pub handsets: f64,
}

/// The office.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Office {
    since: Option<Timestamp>,
    /// When a unit was 1.
    epoch: Timestamp,
    unit: f64,
    /// Until when `unit` and `place` hold.
    until: Timestamp,
    place: Place,
    week: Week,
    counts: [f64; 2],
    zones: Vec<(Zone, f64)>,
}

/// Hours for which something was watched, old ones faded like the calls in them.
pub fn exposure(age: Span) -> f64 {
    MEMORY_H * (1.0 - exp(-age.as_secs_f64() / 3_600.0 / MEMORY_H))
}

impl Office {
    /// Nothing is learnt.
    pub fn new(hours: &OfficeHours) -> Self {
        Self {
            since: None,
            epoch: Timestamp(0),
            unit: 1.0,
            until: Timestamp(i64::MIN),
            place: Place { hour: 0, part: 0 },
            week: Week::new(hours),
            counts: [0.0; 2],
            zones: Vec::new(),
        }
    }

    /// The moment `now`; `Some` factor if all units must be divided by it.
    pub fn moment(&mut self, now: Timestamp, hours: &OfficeHours, handsets: usize) -> (Moment, Option<f64>) {
        let mut rebased = None;
        if now >= self.until {
            if self.since.is_none() {
                (self.since, self.epoch) = (Some(now), now);
            }
            // A snapshot may claim any age.
            let age = now.since(self.epoch).as_secs_f64() / 3_600.0 / MEMORY_H;
            self.unit = exp(age.min(OLDEST));
            if self.unit > MOST_UNIT {
                rebased = Some(self.unit);
                self.rebase(self.unit);
                (self.epoch, self.unit) = (now, 1.0);
            }
            self.place = self.week.place(hours, now);
            // Half hours are the finest step of any time zone.
            let half = Span::minutes(30).0;
            self.until = Timestamp(now.0.div_euclid(half).saturating_add(1).saturating_mul(half));
        }
        let handsets = f64::from(u32::try_from(handsets.max(1)).unwrap_or(u32::MAX));
        (Moment { now, place: self.place, unit: self.unit, handsets }, rebased)
    }

    fn rebase(&mut self, by: f64) {
        self.week.rebase(by);
        self.counts.iter_mut().chain(self.zones.iter_mut().map(|(_, n)| n)).for_each(|n| *n /= by);
    }

    /// What was learnt of earlier times, as if it had been learnt first. Answers with what turns its
    /// units into the present ones.
    pub fn precede(&mut self, past: &Self) -> f64 {
        let Some(began) = past.since else { return 0.0 };
        if self.since.is_none() {
            *self = past.clone();
            return 1.0;
        }
        let earlier = self.epoch.since(past.epoch).as_secs_f64() / 3_600.0 / MEMORY_H;
        let unit = exp(-earlier.clamp(-OLDEST, OLDEST));
        self.since = self.since.min(Some(began));
        self.week.precede(&past.week, unit);
        self.counts.iter_mut().zip(past.counts).for_each(|(n, m)| *n += m * unit);
        for (zone, amount) in &past.zones {
            self.zone(*zone, amount * unit);
        }
        unit
    }

    fn zone(&mut self, zone: Zone, amount: f64) {
        match self.zones.binary_search_by_key(&zone, |(zone, _)| *zone) {
            Ok(i) => self.zones[i].1 += amount,
            Err(i) => self.zones.insert(i, (zone, amount)),
        }
    }

    /// A call that costs little.
    pub fn ordinary(&mut self, moment: &Moment) {
        self.week.learn(moment.place, moment.unit);
    }

    /// An ordinary costly call, in present units.
    pub fn learn(&mut self, zone: Zone, class: Class, amount: f64, place: Place) {
        self.week.learn(place, amount);
        self.counts[class.index()] += amount;
        self.zone(zone, amount);
    }

    /// What was learnt from a call is taken back.
    pub fn unlearn(&mut self, zone: Zone, class: Class, amount: f64) {
        let count = &mut self.counts[class.index()];
        *count = (*count - amount).max(0.0);
        if let Ok(i) = self.zones.binary_search_by_key(&zone, |(zone, _)| *zone) {
            self.zones[i].1 = (self.zones[i].1 - amount).max(0.0);
        }
    }

    /// Hours for which the office was watched, old ones faded.
    pub fn watched(&self, now: Timestamp) -> f64 {
        self.since.map_or(0.0, |since| exposure(now.since(since)))
    }

    /// Calls of a class an hour, of the mean handset; `watched` is what that function says.
    pub fn mean_rate(&self, class: Class, moment: &Moment, watched: f64) -> f64 {
        self.rate(class, moment, watched) / moment.handsets
    }

    /// Calls of a class an hour, of all handsets.
    pub fn rate(&self, class: Class, moment: &Moment, watched: f64) -> f64 {
        (self.counts[class.index()] / moment.unit + RATE_BELIEF) / (watched + RATE_HOURS)
    }

    /// The share of a class's calls that goes to a zone.
    pub fn share(&self, zone: Zone, class: Class, prior: Prior, moment: &Moment) -> f64 {
        let there = self.zones.binary_search_by_key(&zone, |(zone, _)| *zone);
        let there = there.map_or(0.0, |i| self.zones[i].1) / moment.unit;
        (there + ZONE_BELIEF * prior.usual) / (self.counts[class.index()] / moment.unit + ZONE_BELIEF)
    }

    /// How busy a moment is for a handset with such calls by part; 1 = as the mean of its week.
    pub fn season(&self, place: Place, own: [f64; PARTS]) -> f64 {
        self.week.season(place, own)
    }

    /// Whether it is a state that calls could have led to; a snapshot may hold anything.
    pub fn is_whole(&self) -> bool {
        let fine = |n: f64| n.is_finite() && n >= 0.0;
        self.week.is_whole()
            && (1.0..=MOST_UNIT * 2.0).contains(&self.unit)
            && self.counts.iter().all(|n| fine(*n))
            && self.zones.iter().all(|(_, n)| fine(*n))
            && self.zones.is_sorted_by(|(a, _), (b, _)| a < b)
    }
}
