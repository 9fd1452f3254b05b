//! The countries that the office and its handsets call.
//!
//! In: unsuspicious calls. Out: whether a country is known or a habit.
//! Never: lets an attack make its countries known.

use serde::{Deserialize, Serialize};

use crate::bounded::{Image, Table};
use crate::dial::Region;
use crate::time::{Span, Timestamp};

/// Calls within this time of a country's first don't make it known: they are the same event.
const EVENT: Span = Span::DAY;

/// When a country was called first, and how often.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Visit {
    first: Timestamp,
    calls: u32,
}

/// The office's countries.
#[derive(Debug)]
pub struct Countries {
    visits: Table<Region, Visit>,
}

impl Default for Countries {
    /// Room for every ISO code.
    fn default() -> Self {
        Self { visits: Table::new(512, 0) }
    }
}

impl Countries {
    /// All of them as plain data.
    pub fn image(&self) -> Image<Region, Visit> {
        self.visits.image()
    }

    /// Takes back what `image` gave.
    pub fn restore(&mut self, image: Image<Region, Visit>) {
        self.visits.restore(image);
    }

    /// Whether the office called a country before, the last day apart.
    pub fn is_known(&self, region: Region, now: Timestamp) -> bool {
        self.visits
            .find(&region)
            .and_then(|slot| self.visits.get(slot))
            .is_some_and(|visit| now.since(visit.first) > EVENT)
    }

    /// An unsuspicious call there.
    pub fn learn(&mut self, region: Region, now: Timestamp) {
        let slot = self.visits.find_or_insert(&region, now, || Visit { first: now, calls: 0 }).slot;
        if let Some(visit) = self.visits.get_mut(slot) {
            visit.calls = visit.calls.saturating_add(1);
        }
    }

    /// What was learnt of earlier times, as if it had been learnt first.
    pub fn precede(&mut self, past: &Self) {
        for (_, region, visit) in past.visits.iter() {
            let slot = self.visits.find_or_insert(region, visit.first, || Visit { calls: 0, ..*visit }).slot;
            if let Some(known) = self.visits.get_mut(slot) {
                known.first = known.first.min(visit.first);
                known.calls = known.calls.saturating_add(visit.calls);
            }
        }
    }

    /// A call there turned out to be suspicious.
    pub fn unlearn(&mut self, region: Region) {
        let Some(slot) = self.visits.find(&region) else { return };
        let Some(visit) = self.visits.get_mut(slot) else { return };
        visit.calls = visit.calls.saturating_sub(1);
        if visit.calls == 0 {
            self.visits.remove(slot);
        }
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Habit {
    region: Region,
    calls: u16,
    days: u8,
    last_day: i64,
}

/// A handset's countries: the eight that it called last.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Habits {
    habits: [Option<Habit>; 8],
}

impl Habits {
    /// Whether the handset called a country at least three times on at least two days.
    pub fn is_familiar(&self, region: Region) -> bool {
        self.familiar().any(|(known, ..)| known == region)
    }

    /// The countries that it calls as a habit: how many calls, on how many days.
    pub fn familiar(&self) -> impl Iterator<Item = (Region, u16, u8)> {
        let habits = self.habits.iter().flatten().filter(|h| h.calls >= 3 && h.days >= 2);
        habits.map(|h| (h.region, h.calls, h.days))
    }

    /// An unsuspicious call there on a local day.
    pub fn learn(&mut self, region: Region, day: i64) {
        let place = self.place(region);
        let fresh = Habit { region, calls: 0, days: 0, last_day: i64::MIN };
        let mut habit = self.habits[place].filter(|h| h.region == region).unwrap_or(fresh);
        habit.calls = habit.calls.saturating_add(1);
        if habit.last_day != day {
            habit.last_day = day;
            habit.days = habit.days.saturating_add(1);
        }
        self.habits[place] = Some(habit);
    }

    /// What was learnt of earlier times. A country of the past takes no place of one called since.
    pub fn precede(&mut self, past: &Self) {
        for old in past.habits.iter().flatten() {
            let place = self.place(old.region);
            let known = self.habits[place].filter(|h| h.region == old.region);
            if known.is_none() && self.habits[place].is_some_and(|other| other.last_day >= old.last_day) {
                continue;
            }
            let now = known.unwrap_or(Habit { calls: 0, days: 0, ..*old });
            self.habits[place] = Some(Habit {
                region: old.region,
                calls: now.calls.saturating_add(old.calls),
                days: now.days.saturating_add(old.days),
                last_day: now.last_day.max(old.last_day),
            });
        }
    }

    /// A call there turned out to be suspicious.
    pub fn unlearn(&mut self, region: Region) {
        let place = self.place(region);
        if let Some(habit) = self.habits[place].as_mut().filter(|h| h.region == region) {
            habit.calls = habit.calls.saturating_sub(1);
            if habit.calls == 0 {
                self.habits[place] = None;
            }
        }
    }

    /// Where a country stands, or may stand: a free place, else that of the one called longest ago.
    fn place(&self, region: Region) -> usize {
        let age = |i: &usize| self.habits[*i].map_or(i64::MIN, |h| h.last_day);
        let known = (0..8).find(|i| self.habits[*i].is_some_and(|h| h.region == region));
        known.or_else(|| (0..8).min_by_key(age)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(code: &str) -> Region {
        Region::new(code).unwrap()
    }

    #[test]
    fn a_country_is_known_a_day_after_its_first_call() {
        let mut countries = Countries::default();
        let start = Timestamp(0);
        countries.learn(region("LV"), start);
        assert!(!countries.is_known(region("LV"), start.plus(Span::hours(23))));
        assert!(countries.is_known(region("LV"), start.plus(Span::hours(25))));
        countries.unlearn(region("LV"));
        assert!(!countries.is_known(region("LV"), start.plus(Span::hours(25))));
    }

    #[test]
    fn a_habit_takes_three_calls_on_two_days_and_the_oldest_goes_first() {
        let mut habits = Habits::default();
        for day in [1, 1, 2] {
            assert!(!habits.is_familiar(region("FR")));
            habits.learn(region("FR"), day);
        }
        assert!(habits.is_familiar(region("FR")));
        for code in ["AA", "AB", "AC", "AD", "AE", "AF", "AG", "AH"] {
            habits.learn(region(code), 9);
        }
        assert!(!habits.is_familiar(region("FR")));
    }
}
