//! From results to figures: rates, medians and their intervals.
//!
//! In: results of many stretches. Out: `Figures`.
//! Never: gives a figure without saying how many cases it rests on; never the same intervals by
//! chance only: the bootstrap's random numbers are the same every time.

use serde_json::{Value, json};

use super::matching::Outcome;

/// A figure with its 95% bootstrap interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// What is resampled: a stretch of traffic of its own seed (or a week of it, if seeds are few).
#[derive(Clone, Debug, Default)]
pub(super) struct Unit {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) false_alarms: f64,
    pub(super) handset_days: f64,
}

/// A contestant's figures on one world or scenario.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    pub(super) attacks: usize,
    pub(super) handset_days: f64,
    pub(super) false_alarms: f64,
    /// Per 1,000 handset-days.
    pub(super) false_rate: Estimate,
    /// Per cent of attacks.
    pub(super) detected: Estimate,
    /// Per cent of the attacks' money.
    pub(super) lost: Estimate,
    /// Median of all attacks; `None`: more than half were never found.
    pub(super) calls: Option<usize>,
    pub(super) money: f64,
    /// Seconds from the first call to the alert.
    pub(super) seconds: Option<f64>,
}

const RESAMPLES: usize = 1_000;

/// splitmix64.
struct Coins(u64);

impl Coins {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let wide = u128::from(z ^ (z >> 31)) * n as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }
}

/// A ratio of sums over units, with its interval.
fn ratio(parts: &[(f64, f64)], scale: f64) -> Estimate {
    let of = |sums: (f64, f64)| if sums.1 > 0.0 { sums.0 / sums.1 * scale } else { 0.0 };
    let add = |sum: (f64, f64), part: &(f64, f64)| (sum.0 + part.0, sum.1 + part.1);
    let value = of(parts.iter().fold((0.0, 0.0), add));
    if parts.len() < 2 {
        return Estimate { value, low: value, high: value };
    }
    let mut coins = Coins(42);
    let mut draws: Vec<f64> = (0..RESAMPLES)
        .map(|_| of((0..parts.len()).fold((0.0, 0.0), |sum, _| add(sum, &parts[coins.below(parts.len())]))))
        .collect();
    draws.sort_by(f64::total_cmp);
    Estimate { value, low: draws[RESAMPLES / 40], high: draws[RESAMPLES - 1 - RESAMPLES / 40] }
}

fn median<T: Copy>(mut values: Vec<T>, order: impl Fn(&T, &T) -> std::cmp::Ordering) -> Option<T> {
    values.sort_by(order);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

impl Figures {
    /// Of so many units; attacks are resampled with their unit, or one by one where units are few.
    pub(super) fn of(units: &[Unit]) -> Self {
        let all: Vec<&Outcome> = units.iter().flat_map(|unit| &unit.outcomes).collect();
        let found = |outcome: &Outcome| f64::from(u8::from(outcome.found.is_some()));
        let single = |part: &dyn Fn(&Outcome) -> (f64, f64)| all.iter().map(|o| part(o)).collect::<Vec<_>>();
        let together = |part: &dyn Fn(&Outcome) -> (f64, f64)| {
            let sum =
                |unit: &Unit| unit.outcomes.iter().map(part).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
            units.iter().map(sum).collect::<Vec<_>>()
        };
        let parts = |part: &dyn Fn(&Outcome) -> (f64, f64)| {
            if units.iter().filter(|unit| !unit.outcomes.is_empty()).count() < 5 {
                single(part)
            } else {
                together(part)
            }
        };
        let days: Vec<(f64, f64)> = units.iter().map(|unit| (unit.false_alarms, unit.handset_days)).collect();
        let calls = all.iter().map(|o| o.found.map_or(usize::MAX, |found| found.calls)).collect();
        let seconds = all.iter().map(|o| o.found.map_or(f64::INFINITY, |f| f.after.as_secs_f64())).collect();
        Self {
            attacks: all.len(),
            handset_days: units.iter().map(|unit| unit.handset_days).sum(),
            false_alarms: units.iter().map(|unit| unit.false_alarms).sum(),
            false_rate: ratio(&days, 1_000.0),
            detected: ratio(&parts(&|o| (found(o), 1.0)), 100.0),
            lost: ratio(&parts(&|o| (o.lost(), o.cost)), 100.0),
            calls: median(calls, usize::cmp).filter(|calls| *calls != usize::MAX),
            money: median(all.iter().map(|o| o.lost()).collect(), f64::total_cmp).unwrap_or(0.0),
            seconds: median(seconds, f64::total_cmp).filter(|seconds| seconds.is_finite()),
        }
    }

    pub(super) fn json(&self) -> Value {
        let estimate =
            |e: Estimate| json!({ "value": round(e.value), "low": round(e.low), "high": round(e.high) });
        json!({
            "attacks": self.attacks,
            "handset_days": round(self.handset_days),
            "false_alarms": self.false_alarms,
            "false_alarms_per_1000_handset_days": estimate(self.false_rate),
            "detected_percent": estimate(self.detected),
            "money_lost_percent": estimate(self.lost),
            "median_calls_to_alert": self.calls,
            "median_money_to_alert": round(self.money),
            "median_seconds_to_alert": self.seconds.map(round),
        })
    }
}

fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
