//! What calls cost: the one place that asks the tariff.
//!
//! In: a row of the tariff, a time talked. Out: `Money`.
//! Never: prices a call by itself.

use serde::{Deserialize, Serialize};

use crate::dial::{Rate, RateId};
use crate::time::Span;

/// A range of money around the best guess, in millionths of the currency's unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// At the least.
    pub low: i64,
    /// The best guess.
    pub amount: i64,
    /// At the most.
    pub high: i64,
}

impl Money {
    /// The sum; saturates.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            low: self.low.saturating_add(other.low),
            amount: self.amount.saturating_add(other.amount),
            high: self.high.saturating_add(other.high),
        }
    }

    /// The difference; saturates.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self {
            low: self.low.saturating_sub(other.low),
            amount: self.amount.saturating_sub(other.amount),
            high: self.high.saturating_sub(other.high),
        }
    }
}

/// The tariff as far as detection needs it.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    rates: Vec<Rate>,
    currency: String,
    basis: String,
}

impl Prices {
    /// From rows, the currency's ISO 4217 code, and where the rows come from.
    pub const fn new(rates: Vec<Rate>, currency: String, basis: String) -> Self {
        Self { rates, currency, basis }
    }

    /// ISO 4217 code.
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// Where the prices come from.
    pub fn basis(&self) -> &str {
        &self.basis
    }

    /// Per minute, the best guess.
    pub fn per_minute(&self, rate: RateId) -> i64 {
        self.rate(rate).per_minute
    }

    /// What a call costs that was talked for so long.
    pub fn cost(&self, rate: RateId, talked: Span) -> Money {
        let cost = self.rate(rate).cost(talked);
        Money { low: cost.low, amount: cost.amount, high: cost.high }
    }

    /// For the connection and per minute, in the currency's unit.
    #[expect(clippy::cast_precision_loss, reason = "prices stay far below 2^53 millionths")]
    pub fn in_units(&self, rate: RateId) -> [f64; 2] {
        let rate = self.rate(rate);
        [rate.connect, rate.per_minute].map(|micros| micros as f64 / 1e6)
    }

    fn rate(&self, id: RateId) -> Rate {
        usize::try_from(id.0).ok().and_then(|i| self.rates.get(i)).copied().unwrap_or_default()
    }
}
