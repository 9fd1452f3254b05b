//! Rate decks as CGRateS writes them.
//!
//! In: `Destinations.csv`, `Rates.csv` and `DestinationRates.csv` of a tariff plan, one after the other,
//! each with its `#Id,…` header. Out: prefixes with rates.
//! Never: follows time-of-day rating plans.

use std::collections::BTreeMap;

use super::deck::{Deck, DeckRow, money, prefix, seconds};
use super::{DialError, Rate};

/// Which file of the tariff plan a line belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Destinations,
    Rates,
    DestinationRates,
    Other,
}

/// Whether a text begins like a CGRateS file.
pub(crate) fn is_one(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    part_of(&String::from_utf8_lossy(line)).is_some_and(|part| part != Part::Other)
}

/// Reads all parts, then joins them.
pub(crate) fn read(text: &[u8]) -> Result<Deck, DialError> {
    let mut deck = Deck::default();
    let mut destinations: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut rates: BTreeMap<String, Rate> = BTreeMap::new();
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut part = Part::Other;
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text);
    for record in reader.records() {
        let record = record.map_err(|error| DialError::Deck(error.to_string()))?;
        if let Some(next) = header(&record) {
            part = next;
            continue;
        }
        let cell = |i| record.get(i).unwrap_or("");
        match part {
            Part::Destinations => match prefix(cell(1)) {
                Some(prefix) => destinations.entry(cell(0).to_owned()).or_default().push(prefix),
                None => deck.skipped += 1,
            },
            Part::Rates => match rate(&record) {
                Some(rate) => {
                    let known = rates.get(cell(0)).copied();
                    rates.insert(cell(0).to_owned(), known.map_or(rate, |known| widened(known, rate)));
                }
                None => deck.skipped += 1,
            },
            Part::DestinationRates => pairs.push((cell(1).to_owned(), cell(2).to_owned())),
            Part::Other => {}
        }
    }
    let everywhere = vec![String::new()];
    for (destination, tag) in pairs {
        let prefixes = if destination == "*any" { Some(&everywhere) } else { destinations.get(&destination) };
        let (Some(prefixes), Some(rate)) = (prefixes, rates.get(&tag)) else {
            deck.skipped += 1;
            continue;
        };
        for prefix in prefixes {
            deck.check_size()?;
            deck.rows.push(DeckRow { prefix: prefix.clone(), name: destination.clone(), rate: *rate });
        }
    }
    Ok(deck)
}

fn header(record: &csv::StringRecord) -> Option<Part> {
    part_of(&record.iter().collect::<Vec<_>>().join(","))
}

fn part_of(line: &str) -> Option<Part> {
    let line: String = line.to_ascii_lowercase().chars().filter(|c| *c != ' ').collect();
    if !line.starts_with('#') {
        return None;
    }
    Some(if line.starts_with("#id,prefix") {
        Part::Destinations
    } else if line.starts_with("#id,connectfee,rate,rateunit") {
        Part::Rates
    } else if line.starts_with("#id,destinationid,ratestag") {
        Part::DestinationRates
    } else {
        Part::Other
    })
}

/// `Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart`.
fn rate(record: &csv::StringRecord) -> Option<Rate> {
    let unit = i64::from(seconds(record.get(3)?)?.max(1));
    let per_minute = money(record.get(2)?)?.checked_mul(60)? / unit;
    let increment = seconds(record.get(4)?)?.max(1);
    Some(Rate {
        connect: money(record.get(1)?)?,
        per_minute,
        per_minute_low: per_minute,
        per_minute_high: per_minute,
        initial_s: seconds(record.get(5)?)?.max(increment),
        increment_s: increment,
        covers_initial: false,
    })
}

/// A later interval of the same rate: its start ends the initial time, its price widens the range.
fn widened(known: Rate, later: Rate) -> Rate {
    Rate {
        connect: known.connect,
        per_minute: later.per_minute,
        per_minute_low: known.per_minute_low.min(later.per_minute_low),
        per_minute_high: known.per_minute_high.max(later.per_minute_high),
        initial_s: later.initial_s,
        increment_s: later.increment_s,
        covers_initial: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_the_three_files() {
        let text = "#Id,Prefix\nDST_CUBA,53\nDST_UK,44\nDST_UK,447\n\
            #Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart\n\
            RT_UK,0,0.02,60s,1s,0s\nRT_CUBA,0.4,0.2,60s,60s,0s\nRT_CUBA,0,0.1,60s,1s,60s\n\
            #Id,DestinationId,RatesTag,RoundingMethod,RoundingDecimals,MaxCost,MaxCostStrategy\n\
            DR,DST_UK,RT_UK,*up,4,0,\nDR,DST_CUBA,RT_CUBA,*up,4,0,\nDR,DST_NONE,RT_UK,*up,4,0,\n";
        let deck = Deck::read(text.as_bytes()).unwrap();
        assert_eq!(deck.skipped, 1);
        let rows: Vec<_> = deck.rows.iter().map(|row| (row.prefix.as_str(), row.rate.per_minute)).collect();
        assert_eq!(rows, [("44", 20_000), ("447", 20_000), ("53", 100_000)]);
        let cuba = deck.rows[2].rate;
        assert_eq!((cuba.connect, cuba.initial_s, cuba.increment_s), (400_000, 60, 1));
        assert_eq!((cuba.per_minute_low, cuba.per_minute_high), (100_000, 200_000));
    }
}
