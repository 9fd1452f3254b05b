//! The odds that a stream of fraud runs beside a handset's ordinary calls: one ratio for each speed
//! and sort of stream, kept as an e-process with a floor (a mixture CUSUM).
//!
//! In: the usual rate of calls like this one, what marks it. Out: odds, before and after.
//! Never: calls odds a probability: they are exact only if the usual rate is.

use libm::{exp, log10};
use serde::{Deserialize, Serialize};

use super::marks::SORTS;

/// Calls an hour of the streams that are looked for.
const SPEEDS: [f64; 5] = [0.3, 1.5, 6.0, 30.0, 200.0];
/// How likely each is, for both sorts of marks together.
const WEIGHTS: [f64; 5] = [0.15, 0.20, 0.20, 0.20, 0.10];
/// Hunting for a range that pays: fast, all over the world, nearly all calls fail.
const HUNT: f64 = 40.0;
const HUNT_WEIGHT: f64 = 0.15;
/// Streams: each speed with block marks, each with scattered ones, and hunting.
pub const STREAMS: usize = 2 * SPEEDS.len() + 1;

/// Odds are capped, so that an incident can end: at 0.3 an hour they fall by .13 decades an hour.
const CAP: f64 = 1e14;
/// Shares of calls that are answered: in fraud, ordinarily, while hunting.
const ANSWERED: [f64; 3] = [0.87, 0.72, 0.25];
/// Money an hour that neither adds to the score nor takes from it, and how far money counts.
const MONEY: f64 = 10.0;
const MONEY_RANGE: [f64; 2] = [0.03, 10.0];
/// Minutes that a call of a fraudster lasts.
const MINUTES: f64 = 6.0;

/// The ratios of one handset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    ratios: [f32; STREAMS],
}

impl Default for Evidence {
    fn default() -> Self {
        Self { ratios: [1.0; STREAMS] }
    }
}

/// A call as the streams see it.
#[derive(Clone, Copy, Debug)]
pub struct Weighed {
    /// Calls like this an hour, usually.
    pub usual: f64,
    /// The share of a stream's calls that goes to this zone, given where its last one went.
    pub share: f64,
    /// The same for hunting, which goes anywhere.
    pub anywhere: f64,
    /// How much likelier the marks are in each sort of fraud.
    pub marks: [f64; SORTS],
    /// Money for the connection, and per minute.
    pub price: [f64; 2],
}

/// What became of the odds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Odds {
    /// Decades of evidence, weighed by the money at stake.
    pub score: f32,
    /// Decades of evidence without the money.
    pub decades: f32,
    /// How much of the evidence this call brought, 0..=1.
    pub due: f32,
}

const fn speed(stream: usize) -> f64 {
    if stream == STREAMS - 1 { HUNT } else { SPEEDS[stream % SPEEDS.len()] }
}

const fn weight(stream: usize) -> f64 {
    if stream == STREAMS - 1 { HUNT_WEIGHT } else { WEIGHTS[stream % SPEEDS.len()] / 2.0 }
}

impl Evidence {
    /// A call, `hours` after the one before it.
    pub fn weigh(&mut self, call: &Weighed, hours: f64) -> Odds {
        let (mut before, mut after, mut worth) = (0.0, 0.0, 0.0);
        // Both streams of a speed fade alike.
        let mut faded = [0.0; STREAMS];
        for stream in 0..STREAMS {
            let twin = stream.checked_sub(SPEEDS.len()).filter(|_| stream < STREAMS - 1);
            faded[stream] = twin.map_or_else(|| exp(-speed(stream) * hours), |twin| faded[twin]);
        }
        for (stream, ratio) in self.ratios.iter_mut().enumerate() {
            let (speed, weight) = (speed(stream), weight(stream));
            let old = (f64::from(*ratio) * faded[stream]).clamp(1.0, CAP);
            let (share, marks) = if stream == STREAMS - 1 {
                (call.anywhere, call.marks[0])
            } else {
                (call.share, call.marks[stream / SPEEDS.len()])
            };
            let new = (old * (1.0 + speed * share * marks / call.usual)).min(CAP);
            let money = speed * (call.price[0] + MINUTES * call.price[1]) / MONEY;
            before += weight * old;
            after += weight * new;
            worth += weight * new * money.clamp(MONEY_RANGE[0], MONEY_RANGE[1]);
            *ratio = to_f32(new);
        }
        Odds { score: to_f32(log10(worth)), decades: to_f32(log10(after)), due: to_f32(1.0 - before / after) }
    }

    /// A call was answered, or ended without an answer.
    pub fn outcome(&mut self, answered: bool) {
        let odds = |share: f64| if answered { share } else { 1.0 - share };
        let [fraud, usual, hunt] = ANSWERED.map(odds);
        for (stream, ratio) in self.ratios.iter_mut().enumerate() {
            // Ordinary ratios count half: answers of one afternoon are not independent.
            let factor = if stream == STREAMS - 1 { hunt / usual } else { libm::sqrt(fraud / usual) };
            *ratio = to_f32((f64::from(*ratio) * factor).clamp(1e-3, CAP));
        }
    }

    /// A call is up for so long that fraud is `factor` times likelier.
    pub fn holds(&mut self, factor: f64) {
        for ratio in &mut self.ratios[..STREAMS - 1] {
            *ratio = to_f32((f64::from(*ratio) * factor).min(CAP));
        }
    }

    /// Nothing is suspected any more.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Of the same handset, seen by another sensor: the mean of two e-processes is one.
    pub fn merge(&mut self, other: &Self) {
        for (ratio, theirs) in self.ratios.iter_mut().zip(other.ratios) {
            *ratio = (*ratio + theirs) / 2.0;
        }
    }

    /// Whether all ratios are ones that `weigh` could have made.
    pub fn is_whole(&self) -> bool {
        self.ratios.iter().all(|ratio| ratio.is_finite() && *ratio >= 0.0)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the state is kept short; all values fit")]
pub(super) const fn to_f32(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Weighed =
        Weighed { usual: 1e-4, share: 0.6, anywhere: 0.01, marks: [1.0, 0.1], price: [0.0, 1.0] };

    #[test]
    fn odds_grow_with_calls_and_fade_without() {
        let mut evidence = Evidence::default();
        let first = evidence.weigh(&CALL, 0.0);
        let second = evidence.weigh(&CALL, 0.01);
        assert!(second.score > first.score + 3.0);
        let late = evidence.weigh(&Weighed { usual: 1e6, ..CALL }, 1_000.0);
        assert!(late.score < 1.0 && late.due < 0.1, "{late:?}");
    }

    #[test]
    fn the_weights_sum_to_one() {
        let sum: f64 = (0..STREAMS).map(weight).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }
}
