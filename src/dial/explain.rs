//! Why a dialled string goes where it goes.
//!
//! In: an input as a user types it. Out: `Explained`, with all fields of `explain --json` and the text
//! behind them. Never: hides that a price or a reading is a guess.

use std::borrow::Cow;

use super::overlay::Row;
use super::reading::Reading;
use super::{Class, Dial, Group, Kind, Leg, OWN, Override, ROW, Region, Risk};

/// A reading in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// As it was given.
    pub input: String,
    /// Seen from the office.
    pub class: Class,
    /// What sort of number.
    pub kind: Kind,
    /// `+` and digits.
    pub e164: Option<String>,
    /// Its country.
    pub region: Option<Region>,
    /// Whether its country isn't the home.
    pub overseas: bool,
    /// Whether the public plan knows the number exactly.
    pub exact: bool,
    /// What was taken off, and which rule decided: `outside line, international prefix`.
    pub rule: String,
    /// Millionths of the currency's unit; `None` where nothing is known.
    pub price_per_min: Option<i64>,
    /// The lower end of the guess; equal to the price if that is known.
    pub price_low: Option<i64>,
    /// The upper end of the guess.
    pub price_high: Option<i64>,
    /// For the connection.
    pub connect_fee: i64,
    /// So many seconds are paid with the connection; 0 in most decks.
    pub connect_covers_s: u32,
    /// Of the prices.
    pub currency: String,
    /// Where the price comes from.
    pub basis: String,
    /// The band or the deck's destination.
    pub rate_name: String,
    /// In which bucket detection counts it.
    pub group: Group,
    /// How often the destination turns up in toll fraud.
    pub risk: Risk,
    /// The range of the overlay that the number lies in, such as `+88216: Thuraya`.
    pub range: Option<String>,
    /// What the list says, with source and date.
    pub list: Option<String>,
    /// Another way to read the string, which a setting could choose.
    pub ambiguity: Option<String>,
    /// The version of the numbering metadata.
    pub metadata: &'static str,
}

impl Dial {
    /// Explains a string that was dialled on a handset.
    pub fn explain(&self, input: &str) -> Explained {
        self.explain_on(Leg::Handset, input)
    }

    /// Explains a string that was dialled on a leg.
    pub fn explain_on(&self, leg: Leg, input: &str) -> Explained {
        let reading = self.read(leg, input.as_bytes());
        let target = reading.target;
        let rate = self.rate(target.rate);
        let priced = target.class != Class::Unknown;
        Explained {
            input: input.to_owned(),
            class: target.class,
            kind: target.kind,
            e164: target.number.map(|number| number.full()),
            region: target.region,
            overseas: target.region.is_some_and(|region| !self.is_domestic(region)),
            exact: target.exact,
            rule: self.rule(&reading),
            price_per_min: priced.then_some(rate.per_minute),
            price_low: priced.then_some(rate.per_minute_low),
            price_high: priced.then_some(rate.per_minute_high),
            connect_fee: rate.connect,
            connect_covers_s: if rate.covers_initial { rate.initial_s } else { 0 },
            currency: self.currency().to_owned(),
            basis: self.basis(target.rate),
            rate_name: self.tariff.name(target.rate, target.number.unwrap_or_default().digits()).to_owned(),
            group: target.group,
            risk: target.risk,
            range: self.row(&reading).map(range),
            list: self.list(&reading),
            ambiguity: self.ambiguity(&reading, input.as_bytes()).map(str::to_owned),
            metadata: self.metadata_version(),
        }
    }

    /// The overlay's row for a number or a short number.
    fn row(&self, reading: &Reading) -> Option<&Row> {
        if let Some(index) = reading.short_row {
            return self.world.overlay.short(self.home.region).nth(usize::from(index));
        }
        let values = self.prefixes.longest(reading.target.number?.digits());
        self.world.overlay.row(values[ROW])
    }

    /// What was taken off, and which rule decided.
    fn rule(&self, reading: &Reading) -> String {
        let mut parts: Vec<Cow<'_, str>> = reading.steps.names().map(Cow::Borrowed).collect();
        if !parts.iter().any(|part| part == reading.target.rule) {
            parts.push(reading.target.rule.into());
        }
        if let Some(own) = self.own(reading) {
            parts.push(format!("override of {}", prefix(own, reading)).into());
        }
        parts.join(", ")
    }

    /// What the operator says of the number.
    fn own(&self, reading: &Reading) -> Option<&Override> {
        if let Some(index) = reading.short_own {
            return self.home.short.own.get(usize::from(index));
        }
        let values = self.prefixes.longest(reading.target.number?.digits());
        self.overrides.get(usize::from(values[OWN]))
    }

    /// What the operator's overrides or the overlay say of the destination.
    fn list(&self, reading: &Reading) -> Option<String> {
        if let Some(own) = self.own(reading) {
            let why = if own.why.is_empty() { "the operator's word" } else { &own.why };
            return Some(format!("{why} (configured for {})", prefix(own, reading)));
        }
        let abroad = reading.target.region.filter(|region| !self.is_domestic(*region));
        let region = abroad.and_then(|region| self.world.overlay.region_named(region));
        let row = match (self.row(reading), region) {
            (Some(row), Some(region)) => Some(if row.risk >= region.risk { row } else { region }),
            (row, region) => row.or(region),
        }?;
        Some(format!("{} ({}, {})", row.what, row.source, row.date))
    }
}

/// An override's prefix as people write it.
fn prefix(own: &Override, reading: &Reading) -> String {
    format!("{}{}", if reading.short_own.is_some() { "" } else { "+" }, own.prefix)
}

fn range(row: &Row) -> String {
    let sign = if row.scope == "world" { "+" } else { "" };
    format!("{sign}{}: {}", row.prefix, row.what)
}
