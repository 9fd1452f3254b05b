//! Calls that looked like fraud and perhaps weren't: held for a week before they are learnt.
//!
//! In: what wasn't learnt of a call. Out: the same, a week or two later.
//! Never: holds more than a few zones for two generations.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

use super::zone::{Class, Zone};

const PLACES: usize = 3;
const WEEK_S: i64 = 7 * 86_400;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Generation {
    week: i16,
    zones: [Zone; PLACES],
    at_home: [bool; PLACES],
    amounts: [f32; PLACES],
}

impl Default for Generation {
    fn default() -> Self {
        Self { week: i16::MIN, zones: [Zone::NONE; PLACES], at_home: [false; PLACES], amounts: [0.0; PLACES] }
    }
}

/// Two generations of a week each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quarantine {
    held: [Generation; 2],
}

fn week(now: Timestamp) -> i16 {
    i16::try_from(now.as_secs().div_euclid(WEEK_S)).unwrap_or(i16::MAX)
}

impl Quarantine {
    /// Holds so much of a call.
    pub fn hold(&mut self, zone: Zone, class: Class, amount: f32, now: Timestamp) {
        if amount <= 0.01 {
            return;
        }
        let week = week(now);
        let place = usize::from(week.rem_euclid(2) == 1);
        if self.held[place].week != week {
            self.held[place] = Generation { week, ..Generation::default() };
        }
        let held = &mut self.held[place];
        let same = (0..PLACES).find(|i| held.zones[*i] == zone);
        if let Some(i) = same.or_else(|| (0..PLACES).find(|i| held.zones[*i] == Zone::NONE)) {
            held.zones[i] = zone;
            held.at_home[i] = class == Class::Premium;
            held.amounts[i] += amount;
        }
    }

    /// The next entry that was held for at least a week; no more than a week's usual calls of it.
    pub fn release(&mut self, now: Timestamp) -> Option<(Zone, Class, f32)> {
        let week = week(now);
        let ripe = |held: &&mut Generation| held.week != i16::MIN && held.week < week - 1;
        self.held.iter_mut().filter(ripe).find_map(Generation::take)
    }

    /// All of it.
    pub fn everything(mut self) -> Vec<(Zone, Class, f32)> {
        self.held.iter_mut().flat_map(|held| std::iter::from_fn(move || held.take())).collect()
    }

    /// Whether all amounts are ones that `hold` could have made.
    pub fn is_whole(&self) -> bool {
        self.held.iter().flat_map(|held| held.amounts).all(|n| n.is_finite() && n >= 0.0)
    }
}

impl Generation {
    fn take(&mut self) -> Option<(Zone, Class, f32)> {
        let i = (0..PLACES).find(|i| self.zones[*i] != Zone::NONE)?;
        let zone = std::mem::replace(&mut self.zones[i], Zone::NONE);
        let class = if self.at_home[i] { Class::Premium } else { Class::Abroad };
        Some((zone, class, self.amounts[i]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    #[test]
    fn what_is_held_comes_back_after_a_week() {
        let mut quarantine = Quarantine::default();
        let start = Timestamp::from_parts(1_794_787_200, 0);
        quarantine.hold(Zone::default(), Class::Abroad, 0.5, start);
        assert_eq!(quarantine.release(start.plus(Span::days(6))), None);
        let late = start.plus(Span::days(15));
        assert_eq!(quarantine.release(late), Some((Zone::default(), Class::Abroad, 0.5)));
        assert_eq!(quarantine.release(late), None);
    }
}
