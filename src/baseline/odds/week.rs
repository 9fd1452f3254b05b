//! When the office calls: the mass of each hour of the week and of each part of the day.
//!
//! In: moments of calls. Out: how busy a moment is compared with the week's mean.
//! Never: forgets at once: old calls fade over weeks.

use serde::{Deserialize, Serialize};

use crate::time::{OfficeHours, Span, Timestamp};

/// Old counts fade with this time constant, in hours: 40 days.
pub const MEMORY_H: f64 = 40.0 * 24.0;
const HOURS: usize = 168;

/// The parts of a week: work, evening and early morning, night, days off.
pub const PARTS: usize = 4;
const WORK: usize = 0;
const EVENING: usize = 1;
const NIGHT: usize = 2;
const OFF: usize = 3;

/// What each part weighs before anything is learnt, and an hour of it.
const PART_START: [f64; PARTS] = [40.0, 4.0, 1.0, 1.0];
const HOUR_START: [f64; PARTS] = [1.0, 0.08, 0.02, 0.02];
/// What a call adds to its hour, and to each of the two beside it.
const BUMP: f64 = 0.1;
const BESIDE: f64 = 0.03;
/// A handset's own parts weigh as much as the office's from so many calls on.
const BELIEF: f64 = 15.0;

/// Where in the week a moment lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Hour of the local week, 0..168, Monday first.
    pub hour: u8,
    /// Part of the day, 0..4.
    pub part: u8,
}

impl Place {
    /// Whether it lies in the office's opening times.
    pub const fn is_work(self) -> bool {
        self.part as usize == WORK
    }
}

/// The office's week. Counts are kept in units that grow by e in `MEMORY_H`, so that nothing need
/// be faded one by one; `unit` is the present one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Week {
    hours: Vec<f64>,
    parts: [f64; PARTS],
    /// The part of each hour, and each part's mass of hours.
    of: Vec<u8>,
    sums: [f64; PARTS],
}

impl Week {
    /// Nothing is learnt.
    pub fn new(hours: &OfficeHours) -> Self {
        let of: Vec<u8> = (0..HOURS).map(|hour| usual_part(hours, hour)).collect();
        let mass: Vec<f64> = of.iter().map(|part| HOUR_START[usize::from(*part) % PARTS]).collect();
        let mut week = Self { hours: mass, parts: PART_START, of, sums: [0.0; PARTS] };
        week.sum_up();
        week
    }

    fn sum_up(&mut self) {
        self.sums = [0.0; PARTS];
        for (mass, part) in self.hours.iter().zip(&self.of) {
            self.sums[usize::from(*part) % PARTS] += mass;
        }
    }

    /// Whether it has the shape that the code relies on; a snapshot may not.
    pub fn is_whole(&self) -> bool {
        let fine = |values: &[f64]| values.iter().all(|v| v.is_finite() && *v >= 0.0);
        self.hours.len() == HOURS
            && self.of.len() == HOURS
            && fine(&self.hours)
            && fine(&self.parts)
            && self.sums.iter().zip(&self.parts).all(|(sum, _)| sum.is_finite() && *sum > 0.0)
    }

    /// Where a moment lies. A holiday is a day off.
    pub fn place(&self, hours: &OfficeHours, at: Timestamp) -> Place {
        let local = hours.local(at);
        let hour = usize::from(local.weekday) * 24 + usize::from(local.minute) / 60;
        let holiday = hours.holidays.binary_search(&local.day).is_ok();
        let part = if holiday { OFF } else { usize::from(self.of.get(hour).copied().unwrap_or(0)) };
        Place { hour: u8::try_from(hour).unwrap_or(0), part: u8::try_from(part).unwrap_or(0) }
    }

    /// A call, in present units.
    pub fn learn(&mut self, place: Place, unit: f64) {
        let hour = usize::from(place.hour) % HOURS;
        self.parts[usize::from(place.part) % PARTS] += unit;
        for (hour, bump) in [(hour, BUMP), ((hour + 1) % HOURS, BESIDE), ((hour + HOURS - 1) % HOURS, BESIDE)]
        {
            self.hours[hour] += bump * unit;
            self.sums[usize::from(self.of[hour]) % PARTS] += bump * unit;
        }
    }

    /// The share of a handset's calls that falls into a part of the day; `own` are its calls by part.
    fn share(&self, own: [f64; PARTS], part: usize) -> f64 {
        let total: f64 = self.parts.iter().sum();
        let mine: f64 = own.iter().sum();
        (own[part] + BELIEF * self.parts[part] / total) / (mine + BELIEF)
    }

    /// How busy a moment is for a handset, compared with the mean of its week; 1 = as the mean.
    /// `own` are its calls by part in present units of 1.
    pub fn season(&self, place: Place, own: [f64; PARTS]) -> f64 {
        let part = usize::from(place.part) % PARTS;
        let hour = usize::from(place.hour) % HOURS;
        // On a holiday the hour's own mass belongs to another part: take the mean of a day off.
        let within =
            if usize::from(self.of[hour]) == part { self.hours[hour] / self.sums[part] } else { 1.0 / 48.0 };
        168.0 * self.share(own, part) * within
    }

    /// What was learnt of earlier times; `unit` turns its units into the present ones.
    pub fn precede(&mut self, past: &Self, unit: f64) {
        // What was believed before anything was learnt is in both, and has faded since the past began.
        let starts = past.of.iter().map(|part| HOUR_START[usize::from(*part) % PARTS]);
        for ((mine, theirs), start) in self.hours.iter_mut().zip(&past.hours).zip(starts) {
            *mine = (*mine - start).max(0.0) + theirs * unit;
        }
        for ((mine, theirs), start) in self.parts.iter_mut().zip(past.parts).zip(PART_START) {
            *mine = (*mine - start).max(0.0) + theirs * unit;
        }
        self.sum_up();
    }

    /// Divides all units, so that they stay within range.
    pub fn rebase(&mut self, by: f64) {
        for mass in self.hours.iter_mut().chain(&mut self.parts) {
            *mass /= by;
        }
        self.sum_up();
    }
}

/// The part of an hour of the week by the office's opening times: the three hours around them are
/// half awake, the rest of a working day is night.
fn usual_part(hours: &OfficeHours, hour: usize) -> u8 {
    let (day, minute) = (hour / 24, i64::try_from(hour % 24).unwrap_or(0) * 60);
    let Some((open, close)) = hours.open[day % 7] else { return OFF as u8 };
    let (open, close) = (i64::from(open) - minute, i64::from(close) - minute);
    // `open` and `close` as minutes from the hour's beginning.
    let part = if open < 60 && close > 0 {
        WORK
    } else if open < 120 && close > -Span::hours(4).as_secs() / 60 {
        EVENING
    } else {
        NIGHT
    };
    u8::try_from(part).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_week_is_a_density_and_knows_its_nights() {
        let hours = OfficeHours::default();
        let week = Week::new(&hours);
        let parts = [0, 8, 18, 22, 5 * 24 + 10].map(|hour| week.of[hour]);
        assert_eq!(parts, [NIGHT, WORK, EVENING, NIGHT, OFF].map(|p| p as u8));
        let own = [3.0, 1.0, 0.0, 0.0];
        let mean: f64 = (0..168u8)
            .map(|hour| week.season(Place { hour, part: week.of[usize::from(hour)] }, own))
            .sum::<f64>()
            / 168.0;
        assert!((mean - 1.0).abs() < 1e-9, "{mean}");
    }
}
