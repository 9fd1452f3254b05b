//! The marks of a call: whether its number is known, repeated, beside another or fresh, and how many
//! costly calls are up already.
//!
//! In: counts of ordinary calls by mark. Out: how much likelier each mark is in fraud.
//! Never: lets fraud teach that numbers beside each other are ordinary.

use serde::{Deserialize, Serialize};

/// What is special about the number of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mark {
    /// The office has called it before, on another day, in an ordinary call.
    Known,
    /// The handset called it within its last few calls.
    Repeat,
    /// Nothing is known of it.
    Fresh,
    /// The handset called another number of its 10,000 within a day.
    Beside,
}

/// Two sorts of fraud: one pumps a rented block of numbers, one scatters its numbers.
pub const SORTS: usize = 2;
/// The odds of each mark in each sort of fraud: known, repeat, fresh, beside.
const FRAUD: [[f64; 4]; SORTS] = [[0.03, 0.35, 0.30, 0.32], [0.02, 0.18, 0.79, 0.01]];
/// What is believed of ordinary calls before any is seen.
const START: [f64; 4] = [5.0, 2.5, 4.0, 0.3];
/// An ordinary handset doesn't call neighbours more often than this, whatever it learns.
const MOST_BESIDE: f64 = 0.08;
/// Halved beyond, so that habits may change.
const MOST_MARKS: f32 = 300.0;

/// Costly calls that the handset has up already: none, one, two, more.
const FRAUD_UP: [f64; 4] = [0.50, 0.20, 0.12, 0.18];
const START_UP: [f64; 4] = [40.0, 2.0, 0.3, 0.08];
const MOST_UP: f32 = 600.0;

/// Ordinary calls of a handset by mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Marks {
    number: [f32; 4],
    up: [f32; 4],
}

impl Marks {
    /// How much likelier a call's marks are in each sort of fraud than in ordinary calls.
    pub fn ratio(&self, mark: Mark, up: usize) -> [f64; SORTS] {
        let usual = share(&self.number, &START, mark as usize);
        let usual = if mark == Mark::Beside { usual.min(MOST_BESIDE) } else { usual };
        let up = up.min(3);
        let crowd = FRAUD_UP[up] / share(&self.up, &START_UP, up);
        FRAUD.map(|fraud| fraud[mark as usize] / usual * crowd)
    }

    /// An ordinary call, by so much.
    pub fn learn(&mut self, mark: Mark, up: usize, weight: f32) {
        bump(&mut self.number, mark as usize, weight, MOST_MARKS);
        bump(&mut self.up, up.min(3), weight, MOST_UP);
    }

    /// What was learnt of earlier times.
    pub fn precede(&mut self, past: &Self) {
        for which in 0..4 {
            bump(&mut self.number, which, past.number[which], MOST_MARKS);
            bump(&mut self.up, which, past.up[which], MOST_UP);
        }
    }

    /// Whether all counts are ones that `learn` could have made.
    pub fn is_whole(&self) -> bool {
        self.number.iter().chain(&self.up).all(|n| n.is_finite() && *n >= 0.0)
    }
}

fn share(counts: &[f32; 4], start: &[f64; 4], which: usize) -> f64 {
    let seen: f64 = counts.iter().map(|n| f64::from(*n)).sum();
    let prior: f64 = start.iter().sum();
    (f64::from(counts[which]) + start[which]) / (seen + prior)
}

fn bump(counts: &mut [f32; 4], which: usize, weight: f32, most: f32) {
    counts[which] += weight;
    if counts.iter().sum::<f32>() > most {
        counts.iter_mut().for_each(|n| *n /= 2.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_stay_suspicious_whatever_is_learnt() {
        let mut marks = Marks::default();
        for _ in 0..1_000 {
            marks.learn(Mark::Beside, 0, 1.0);
        }
        assert!(marks.ratio(Mark::Beside, 0)[0] > 1.9);
        assert!(marks.is_whole());
    }
}
