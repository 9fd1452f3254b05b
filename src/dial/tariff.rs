//! What a call costs: the built-in bands, and the operator's rate deck over them.
//!
//! In: `data/tariff.csv`, `data/currencies.csv`, a deck's rows. Out: a `Rate` for each `RateId`.
//! Never: passes a guess off as a price; floating point.

use std::collections::BTreeMap;

use crate::labels;
use crate::tally::Label as _;
use crate::time::Span;

use super::deck::Deck;
use super::trie::{NONE, TrieBuilder};
use super::{DialError, Rate, RateId, Region};

const BANDS: &str = include_str!("data/tariff.csv");
const CURRENCIES: &str = include_str!("data/currencies.csv");
/// When the built-in bands were last judged.
pub(crate) const DATE: &str = "2026-11";
/// As many as a trie's values can tell apart, with the bands.
const MOST_RATES: usize = 65_000;
const MILLION: i64 = 1_000_000;

labels! {
    /// The bands of the built-in table.
    pub(crate) enum Band {
        Free = "free", "No charge.";
        National = "national", "Ordinary numbers at home.";
        NationalMobile = "national_mobile", "Mobile phones at home.";
        SharedCost = "shared_cost", "Shared cost numbers at home.";
        ServiceCharge = "service_charge", "Numbers with a service charge at home.";
        Premium = "premium", "Premium rate at home.";
        Personal = "personal", "Personal numbers at home.";
        Directory = "directory", "Directory enquiries.";
        ShortOrdinary = "short_ordinary", "Short numbers at ordinary cost.";
        ShortElevated = "short_elevated", "Short numbers at elevated cost.";
        ShortUnknown = "short_unknown", "Short numbers of unknown cost.";
        Overseas = "overseas", "Fixed lines abroad.";
        OverseasMobile = "overseas_mobile", "Mobile phones abroad.";
        HighRisk = "high_risk", "High-risk destinations.";
        PremiumAbroad = "premium_abroad", "Premium rate abroad.";
        Antarctic = "antarctic", "Antarctica and the remotest islands.";
        Network = "network", "International networks.";
        Satellite = "satellite", "Satellite phones.";
        Maritime = "maritime", "Ships and aircraft.";
        Unknown = "unknown", "A destination that isn't known.";
    }
}

impl Band {
    /// The band of a number that costs so much at home, when it is called from abroad.
    pub(crate) const fn abroad(self) -> Self {
        match self {
            Self::Premium | Self::Personal | Self::Directory => Self::PremiumAbroad,
            Self::ServiceCharge | Self::SharedCost | Self::National | Self::Free => Self::Overseas,
            Self::NationalMobile => Self::OverseasMobile,
            other => other,
        }
    }

    /// Its row in the tariff.
    pub(crate) fn rate(self) -> RateId {
        RateId(u32::try_from(self.index()).unwrap_or(0))
    }
}

/// What a call costs. Money is in millionths of the currency's unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// At the least.
    pub low: i64,
    /// The best guess.
    pub amount: i64,
    /// At the most.
    pub high: i64,
}

impl Cost {
    /// The sum of two costs; saturates.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            low: self.low.saturating_add(other.low),
            amount: self.amount.saturating_add(other.amount),
            high: self.high.saturating_add(other.high),
        }
    }
}

impl Rate {
    /// What a call costs that was talked for so long: the connection, and every increment that was
    /// started. Zero time is a call that was answered a moment ago: the initial increment is due.
    pub fn cost(&self, talked: Span) -> Cost {
        let seconds = self.charged_seconds(talked);
        let of = |per_minute: i64| {
            let money = i128::from(per_minute) * i128::from(seconds);
            // Rounded up to the millionth: a started increment is due in full.
            let money = (money + 59).div_euclid(60) + i128::from(self.connect);
            i64::try_from(money).unwrap_or(i64::MAX)
        };
        Cost { low: of(self.per_minute_low), amount: of(self.per_minute), high: of(self.per_minute_high) }
    }

    /// Seconds that are charged by the minute's price: the initial ones, unless the connection's price covers
    /// them, then whole increments.
    fn charged_seconds(&self, talked: Span) -> i64 {
        let (initial, increment) = (i64::from(self.initial_s.max(1)), i64::from(self.increment_s.max(1)));
        let started = talked.0.max(0).saturating_add(MILLION - 1) / MILLION;
        let beyond = started.saturating_sub(initial).max(0);
        let increments = beyond.saturating_add(increment - 1) / increment;
        let initial = if self.covers_initial { 0 } else { initial };
        initial.saturating_add(increments.saturating_mul(increment))
    }
}

/// All rates.
#[derive(Clone)]
pub(crate) struct Tariff {
    rates: Vec<Rate>,
    /// The bands' descriptions.
    bands: Vec<String>,
    /// The deck's destinations.
    names: BTreeMap<String, String>,
    /// The deck's name, or none for the built-in table alone.
    deck: Option<String>,
    currency: String,
}

impl Tariff {
    /// The built-in bands in a currency.
    pub(crate) fn built_in(currency: &str) -> Result<Self, DialError> {
        let currency = currency.to_ascii_uppercase();
        let factor = per_gbp(&currency)?.ok_or_else(|| DialError::Currency(currency.clone()))?;
        let mut tariff =
            Self { rates: Vec::new(), bands: Vec::new(), names: BTreeMap::new(), deck: None, currency };
        let mut reader = csv::Reader::from_reader(BANDS.as_bytes());
        for (index, record) in reader.records().enumerate() {
            let row = record.ok().and_then(|record| tariff.band(index, &record, factor));
            row.ok_or(DialError::Data { file: "tariff.csv", line: index + 2 })?;
        }
        Ok(tariff)
    }

    fn band(&mut self, index: usize, record: &csv::StringRecord, factor: i64) -> Option<()> {
        if Band::ALL.get(index)?.name() != record.get(0)? {
            return None;
        }
        let money = |i| Some(scaled(millionths(record.get(i)?)?, factor));
        self.rates.push(Rate {
            per_minute_low: money(1)?,
            per_minute: money(2)?,
            per_minute_high: money(3)?,
            connect: money(4)?,
            initial_s: 60,
            increment_s: 60,
            covers_initial: false,
        });
        self.bands.push(record.get(5)?.to_owned());
        Some(())
    }

    /// Lays a deck over the bands: a number that it has is priced by it. Its prefixes go into a trie's lane.
    pub(crate) fn lay(
        &mut self,
        name: &str,
        deck: Deck,
        lane: usize,
        trie: &mut TrieBuilder<3>,
    ) -> Result<(), DialError> {
        // Equal rates are stored once: a deck has many prefixes and few prices, and they stay in cache.
        let mut known: BTreeMap<[i64; 7], u16> = BTreeMap::new();
        for row in deck.rows {
            let id = *known.entry(parts(&row.rate)).or_insert_with(|| {
                self.rates.push(row.rate);
                u16::try_from(self.rates.len() - 1).unwrap_or(NONE)
            });
            if !trie.insert(row.prefix.as_bytes(), lane, id) {
                return Err(DialError::Deck(format!("it has more than {MOST_RATES} different prices")));
            }
            self.names.insert(row.prefix, row.name);
        }
        if let Some(currency) = deck.currency {
            self.currency = currency;
        }
        self.deck = Some(name.to_owned());
        Ok(())
    }

    pub(crate) fn rate(&self, id: RateId) -> &Rate {
        const NOTHING: &Rate = &Rate {
            connect: 0,
            per_minute: 0,
            per_minute_low: 0,
            per_minute_high: 0,
            initial_s: 1,
            increment_s: 1,
            covers_initial: false,
        };
        self.rates.get(id.0 as usize).unwrap_or(NOTHING)
    }

    /// The name of the price of a number: a band's description or a deck's destination.
    pub(crate) fn name(&self, id: RateId, digits: &[u8]) -> &str {
        if self.is_built_in(id) {
            return self.bands.get(id.0 as usize).map_or("", String::as_str);
        }
        let digits = std::str::from_utf8(digits).unwrap_or("");
        let prefixes = (0..=digits.len()).rev().filter_map(|len| digits.get(..len));
        prefixes.filter_map(|prefix| self.names.get(prefix)).next().map_or("", String::as_str)
    }

    pub(crate) const fn is_built_in(&self, id: RateId) -> bool {
        (id.0 as usize) < Band::ALL.len()
    }

    pub(crate) fn basis(&self, id: RateId) -> String {
        match &self.deck {
            Some(deck) if !self.is_built_in(id) => format!("rate deck {deck}"),
            Some(deck) if id != Band::Free.rate() => {
                format!("not in rate deck {deck}: priced by built-in table {DATE}")
            }
            _ => format!("built-in table {DATE}"),
        }
    }

    /// Both sources, where there are two.
    pub(crate) fn bases(&self) -> String {
        match &self.deck {
            Some(deck) => format!("rate deck {deck}, else built-in table {DATE}"),
            None => format!("built-in table {DATE}"),
        }
    }

    pub(crate) fn rates(&self) -> &[Rate] {
        &self.rates
    }

    pub(crate) const fn has_deck(&self) -> bool {
        self.deck.is_some()
    }

    pub(crate) fn currency(&self) -> &str {
        &self.currency
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.rates.as_slice())
    }
}

/// The currency of a country: where the table has none, US dollars.
pub fn currency_of(region: Region) -> String {
    let mut reader = csv::Reader::from_reader(CURRENCIES.as_bytes());
    let row = reader
        .records()
        .flatten()
        .find(|row| row.get(2).is_some_and(|regions| regions.split(' ').any(|code| code == region.as_str())));
    row.and_then(|row| row.get(0).map(str::to_owned)).unwrap_or_else(|| "USD".to_owned())
}

/// Millionths of a currency's unit for a pound.
fn per_gbp(currency: &str) -> Result<Option<i64>, DialError> {
    let mut reader = csv::Reader::from_reader(CURRENCIES.as_bytes());
    for (index, record) in reader.records().enumerate() {
        let bad = DialError::Data { file: "currencies.csv", line: index + 2 };
        let Ok(record) = record else { return Err(bad) };
        if record.get(0) == Some(currency) {
            return record.get(1).and_then(millionths).map(Some).ok_or(bad);
        }
    }
    Ok(None)
}

fn parts(rate: &Rate) -> [i64; 7] {
    let Rate { connect, per_minute, per_minute_low, per_minute_high, initial_s, increment_s, covers_initial } =
        *rate;
    let [initial, increment, covers] = [initial_s, increment_s, u32::from(covers_initial)].map(i64::from);
    [connect, per_minute, per_minute_low, per_minute_high, initial, increment, covers]
}

fn scaled(money: i64, factor: i64) -> i64 {
    i64::try_from(i128::from(money) * i128::from(factor) / i128::from(MILLION)).unwrap_or(i64::MAX)
}

/// A decimal number such as `0.0125` in millionths; digits beyond the sixth are dropped. `None` for
/// anything else, negative numbers included.
pub(crate) fn millionths(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let padded: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
    whole.checked_mul(MILLION)?.checked_add(padded.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: Rate = Rate {
        connect: 50_000,
        per_minute: 600_000,
        per_minute_low: 300_000,
        per_minute_high: 1_200_000,
        initial_s: 30,
        increment_s: 6,
        covers_initial: false,
    };

    #[test]
    fn charges_started_increments() {
        for (talked, seconds) in [(0, 30), (29, 30), (30, 30), (31, 36), (36, 36), (37, 42)] {
            let cost = RATE.cost(Span::seconds(talked));
            assert_eq!(cost.amount, 50_000 + seconds * 10_000, "{talked} s");
            assert_eq!((cost.low, cost.high), (50_000 + seconds * 5_000, 50_000 + seconds * 20_000));
        }
        assert_eq!(RATE.cost(Span(30_000_001)).amount, 50_000 + 36 * 10_000);
        let covering = Rate { covers_initial: true, ..RATE };
        for (talked, seconds) in [(0, 0), (30, 0), (31, 6), (37, 12)] {
            assert_eq!(covering.cost(Span::seconds(talked)).amount, 50_000 + seconds * 10_000, "{talked} s");
        }
    }

    #[test]
    fn reads_decimal_numbers() {
        assert_eq!(millionths("0.0125"), Some(12_500));
        assert_eq!(millionths(".5"), Some(500_000));
        assert_eq!(millionths("3"), Some(3_000_000));
        assert_eq!(millionths("1.23456789"), Some(1_234_567));
        for bad in ["", ".", "-1", "1,5", "abc", "99999999999999999999"] {
            assert_eq!(millionths(bad), None, "{bad}");
        }
    }

    #[test]
    fn has_bands_in_every_currency() {
        for record in csv::Reader::from_reader(CURRENCIES.as_bytes()).records() {
            let currency = record.unwrap()[0].to_owned();
            let tariff = Tariff::built_in(&currency).unwrap();
            assert_eq!(tariff.rates.len(), Band::ALL.len());
            assert!(
                tariff
                    .rates
                    .iter()
                    .all(|r| r.per_minute_low <= r.per_minute && r.per_minute <= r.per_minute_high)
            );
        }
        assert!(matches!(Tariff::built_in("XXX"), Err(DialError::Currency(_))));
        assert_eq!(currency_of(Region::new("IE").unwrap()), "EUR");
    }

    proptest! {
        /// Longer calls never cost less, and no rate or length overflows.
        #[test]
        fn cost_never_falls(a in any::<i64>(), b in any::<i64>(), per in 0..i64::MAX, initial in 0u32.., step in 0u32.., covers_initial in any::<bool>()) {
            let rate = Rate { connect: 1, per_minute: per, per_minute_low: per, per_minute_high: per, initial_s: initial, increment_s: step, covers_initial };
            let (short, long) = (rate.cost(Span(a.min(b))), rate.cost(Span(a.max(b))));
            prop_assert!(short.amount <= long.amount && short.amount >= 1);
        }
    }
}
