//! Where calls went, for the metrics: bounded, and every count only ever grows.
//!
//! In: calls. Out: rows by kind and region; regions beyond the 50 most called share one.
//! Never: grows with what strangers dial.

use std::collections::BTreeMap;

use crate::baseline::exposure::Prices;
use crate::dial::{Class, Kind, Region};
use crate::fact::{CallFact, CallState, Direction};
use crate::time::Span;
use crate::view::Destination;

/// Regions with rows of their own.
const REGIONS: usize = 50;

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    calls: u64,
    talked: u64,
    money: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.talked = self.talked.saturating_add(other.talked);
        self.money = self.money.saturating_add(other.money);
    }
}

/// Counts by kind and region.
#[derive(Debug, Default)]
pub(super) struct Destinations {
    /// Attempts of each region, with or without rows of its own; the numbering plan bounds them.
    totals: BTreeMap<Region, u64>,
    own: BTreeMap<Region, BTreeMap<Kind, Counts>>,
    other: BTreeMap<Kind, Counts>,
}

impl Destinations {
    /// Takes in a call that began or ended. Calls inside the office and calls that come in aren't
    /// counted, nor is a call's second leg.
    pub(super) fn observe(&mut self, call: &CallFact, prices: &Prices) {
        let target = &call.target;
        let inside = matches!(target.class, Class::Internal | Class::Feature);
        if call.joined || call.direction == Direction::Inbound || inside {
            return;
        }
        let counts = match call.state {
            CallState::Attempted if call.repeated => return,
            CallState::Attempted => Counts { calls: 1, ..Counts::default() },
            CallState::Ended => {
                // An end that was told too early is told again: only the rest is new.
                let money = prices.cost(target.rate, call.talked).amount;
                let told =
                    if call.told > Span::ZERO { prices.cost(target.rate, call.told).amount } else { 0 };
                Counts {
                    talked: u64::try_from(call.talked.0.saturating_sub(call.told.0)).unwrap_or(0),
                    money: u64::try_from(money.saturating_sub(told)).unwrap_or(0),
                    calls: 0,
                }
            }
            _ => return,
        };
        let Some(region) = target.region else {
            return self.other.entry(target.kind).or_default().add(counts);
        };
        let total = self.totals.entry(region).or_default();
        *total = total.saturating_add(counts.calls);
        let total = *total;
        if self.has_rows(region, total) {
            self.own.entry(region).or_default().entry(target.kind).or_default().add(counts);
        } else {
            self.other.entry(target.kind).or_default().add(counts);
        }
    }

    /// Whether a region has rows of its own, or gets them now: then the least called one's are folded
    /// into the common rows, so that the sum stays right and nothing shrinks.
    fn has_rows(&mut self, region: Region, total: u64) -> bool {
        if self.own.contains_key(&region) || self.own.len() < REGIONS {
            return true;
        }
        let total_of = |region: &Region| self.totals.get(region).copied().unwrap_or(0);
        let Some((least, calls)) =
            self.own.keys().map(|region| (*region, total_of(region))).min_by_key(|(_, calls)| *calls)
        else {
            return false;
        };
        if total <= calls {
            return false;
        }
        for (kind, counts) in self.own.remove(&least).unwrap_or_default() {
            self.other.entry(kind).or_default().add(counts);
        }
        true
    }

    /// The rows.
    pub(super) fn rows(&self) -> Vec<Destination> {
        let row = |kind: &Kind, region, counts: &Counts| Destination {
            kind: *kind,
            region,
            calls: counts.calls,
            talked: counts.talked,
            money: counts.money,
        };
        let own = self.own.iter().flat_map(|(region, kinds)| {
            kinds.iter().map(move |(kind, counts)| row(kind, Some(*region), counts))
        });
        own.chain(self.other.iter().map(|(kind, counts)| row(kind, None, counts))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dial::Dial;
    use crate::record::testing::call;

    #[test]
    fn a_call_that_was_told_before_counts_once() {
        let dial = Dial::new(&Default::default()).unwrap();
        let prices = Prices::new(dial.rates().to_vec(), dial.currency().to_owned(), dial.prices_basis());
        let mut destinations = Destinations::default();
        for repeated in [false, true] {
            destinations.observe(&CallFact { repeated, ..call() }, &prices);
        }
        assert_eq!(destinations.rows().iter().map(|row| row.calls).sum::<u64>(), 1);
    }

    #[test]
    fn regions_are_bounded_and_nothing_shrinks() {
        let mut destinations = Destinations::default();
        let code = |n: u8| [b'A' + n / 26, b'A' + n % 26];
        let mut expected = 0_u64;
        let mut other_before = 0_u64;
        for round in 1..4_u64 {
            for n in 0..120_u8 {
                let region = Region::new(std::str::from_utf8(&code(n)).unwrap()).unwrap();
                // The later ones are called more often.
                for _ in 0..round * u64::from(n) {
                    let total = destinations.totals.entry(region).or_default();
                    *total += 1;
                    let total = *total;
                    let counts = Counts { calls: 1, ..Counts::default() };
                    if destinations.has_rows(region, total) {
                        destinations
                            .own
                            .entry(region)
                            .or_default()
                            .entry(Kind::Mobile)
                            .or_default()
                            .add(counts);
                    } else {
                        destinations.other.entry(Kind::Mobile).or_default().add(counts);
                    }
                    expected += 1;
                }
            }
            let rows = destinations.rows();
            assert!(rows.len() <= REGIONS + 1);
            assert_eq!(rows.iter().map(|row| row.calls).sum::<u64>(), expected);
            let other = rows.iter().find(|row| row.region.is_none()).map_or(0, |row| row.calls);
            assert!(other >= other_before);
            other_before = other;
        }
        let last = Region::new(std::str::from_utf8(&code(119)).unwrap()).unwrap();
        assert!(destinations.own.contains_key(&last), "the most called has rows of its own");
    }
}
