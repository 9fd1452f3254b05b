//! The operator's rate deck.
//!
//! In: CSV with tolerant headers, or as OpenSIPS (`rate_cacher` rate sheets, `fraud_detection`
//! profiles), CGRateS (`Destinations`, `Rates`, `DestinationRates`, one after the other) and Yeastar
//! export it. Out: prefixes with rates. Never: guesses a price; drops a row without counting it.

use super::tariff::millionths;
use super::{DialError, Rate, Risk, deck_cgrates};

/// More rows than any carrier's deck has.
const MOST_ROWS: usize = 1_000_000;

/// A row: numbers that begin with `prefix` cost `rate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeckRow {
    /// Digits in E.164 form; empty for all numbers.
    pub(crate) prefix: String,
    pub(crate) name: String,
    pub(crate) rate: Rate,
}

/// A deck.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deck {
    pub(crate) rows: Vec<DeckRow>,
    /// Prefixes to which the file gives a risk of its own.
    pub(crate) risks: Vec<(String, Risk)>,
    /// The file's currency, if it names one.
    pub(crate) currency: Option<String>,
    /// Rows that made no sense.
    pub(crate) skipped: usize,
}

/// What a column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Prefix,
    Name,
    PerMinute,
    /// A price per billable unit (Yeastar).
    PerUnit,
    Connect,
    /// The price of the whole initial time (Yeastar).
    InitialCost,
    Initial,
    Increment,
    /// `60/60`: initial and increment.
    Steps,
    Currency,
    Risk,
    /// A threshold of OpenSIPS' `fraud_detection`.
    Threshold,
}

impl Deck {
    /// Reads a deck in any of the known layouts.
    pub(crate) fn read(text: &[u8]) -> Result<Self, DialError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let deck = if deck_cgrates::is_one(text) { deck_cgrates::read(text)? } else { Self::flat(text)? };
        if deck.rows.is_empty() && deck.risks.is_empty() {
            return Err(DialError::Deck("it has no row with a prefix and a price".to_owned()));
        }
        Ok(deck)
    }

    fn flat(text: &[u8]) -> Result<Self, DialError> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter(text))
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text);
        let headers = reader.headers().map_err(|error| DialError::Deck(error.to_string()))?.clone();
        let columns = columns(&headers)?;
        let mut deck = Self::default();
        for record in reader.records() {
            deck.check_size()?;
            match record.ok().and_then(|record| deck.take(&columns, &record)) {
                Some(()) => {}
                None => deck.skipped += 1,
            }
        }
        Ok(deck)
    }

    pub(crate) fn check_size(&self) -> Result<(), DialError> {
        if self.rows.len() + self.risks.len() + self.skipped < MOST_ROWS {
            return Ok(());
        }
        Err(DialError::Deck(format!("it has more than {MOST_ROWS} rows")))
    }

    fn take(&mut self, columns: &[Option<Column>], record: &csv::StringRecord) -> Option<()> {
        let cell = |column| {
            let at = columns.iter().position(|c| *c == Some(column))?;
            record.get(at).filter(|cell| !cell.is_empty())
        };
        let prefix = prefix(cell(Column::Prefix)?)?;
        if let Some(currency) = cell(Column::Currency) {
            self.currency = Some(currency.to_ascii_uppercase());
        }
        let risk = cell(Column::Risk).and_then(risk);
        // OpenSIPS watches a prefix because it is risky; the file has no prices.
        let watched = cell(Column::Threshold).map(|_| Risk::High);
        if let Some(risk) = risk.or(watched) {
            self.risks.push((prefix.clone(), risk));
        }
        let name = cell(Column::Name).unwrap_or("").to_owned();
        match rate(&cell) {
            Some(rate) => self.rows.push(DeckRow { prefix, name, rate }),
            None => risk.or(watched).map(|_| ())?,
        }
        Some(())
    }
}

fn rate<'a>(cell: &impl Fn(Column) -> Option<&'a str>) -> Option<Rate> {
    let (first, then) = match cell(Column::Steps).and_then(|steps| steps.split_once('/')) {
        Some((first, then)) => (Some(seconds(first)?), seconds(then)?),
        None => (None, 1),
    };
    let increment = cell(Column::Increment).map_or(Some(then), seconds)?.max(1);
    let initial = cell(Column::Initial).map_or(Some(first.unwrap_or(0)), seconds)?;
    let per_minute = match cell(Column::PerUnit) {
        Some(price) => money(price)?.checked_mul(60)? / i64::from(increment),
        None => money(cell(Column::PerMinute)?)?,
    };
    // The price of the whole initial time may be less than its minutes would cost, or nothing.
    let initial_cost = cell(Column::InitialCost);
    let connect = initial_cost.or_else(|| cell(Column::Connect)).map_or(Some(0), money)?;
    let covers_initial = initial_cost.is_some() && initial > 0;
    Some(Rate {
        connect,
        per_minute,
        per_minute_low: per_minute,
        per_minute_high: per_minute,
        // Without an initial time the increments begin at once.
        initial_s: if initial == 0 { increment } else { initial },
        increment_s: increment,
        covers_initial,
    })
}

/// The most frequent of the usual delimiters in the first line.
fn delimiter(text: &[u8]) -> u8 {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: &u8| line.iter().filter(|byte| *byte == delimiter).count();
    // On a tie the last one wins, and that is the comma.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

fn columns(headers: &csv::StringRecord) -> Result<Vec<Option<Column>>, DialError> {
    let yeastar = headers.iter().any(|header| plain(header) == "billableunits");
    let mut columns: Vec<Option<Column>> = Vec::new();
    for header in headers {
        let bare = header.split('(').next().unwrap_or_default();
        let column = column(&plain(header), yeastar).or_else(|| column(&plain(bare), yeastar));
        let column = column.filter(|column| !columns.contains(&Some(*column)));
        columns.push(column);
    }
    let has = |column| columns.contains(&Some(column));
    if !has(Column::Prefix) {
        return Err(DialError::Deck("no column is called prefix".to_owned()));
    }
    if !(has(Column::PerMinute) || has(Column::PerUnit) || has(Column::Risk) || has(Column::Threshold)) {
        return Err(DialError::Deck("no column is called rate_per_min".to_owned()));
    }
    Ok(columns)
}

/// Lower case, letters and digits only.
fn plain(header: &str) -> String {
    header.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn column(header: &str, yeastar: bool) -> Option<Column> {
    Some(match header {
        "prefix" | "prefixes" | "matchprefix" | "code" | "dialcode" | "dialprefix" | "dialledprefix"
        | "areacode" | "destinationcode" | "e164" | "e164prefix" => Column::Prefix,
        "rate" if yeastar => Column::PerUnit,
        "initialcost" if yeastar => Column::InitialCost,
        "pricemin" | "costmin" | "ratepermin" | "rateperminute" | "ratemin" | "rate" | "price"
        | "pricepermin" | "priceperminute" | "cost" | "costpermin" | "costperminute" | "permin"
        | "perminute" | "chargepermin" => Column::PerMinute,
        "connectfee" | "connect" | "connection" | "connectionfee" | "connectcharge" | "setup"
        | "setupfee" | "callsetup" => Column::Connect,
        "initials" | "initial" | "initialtime" | "initialtimes" | "initialinterval" | "minimum"
        | "minimums" | "mintime" | "minimumseconds" | "interval1" | "firstinterval" => Column::Initial,
        "increments" | "increment" | "billableunits" | "billingincrement" | "rateincrement" | "intervaln"
        | "nextinterval" | "subsequent" => Column::Increment,
        "steps" | "billing" | "rounding" | "interval" | "intervals" | "billinginterval" => Column::Steps,
        "currency" => Column::Currency,
        "risk" => Column::Risk,
        "name" | "destination" | "destinationname" | "description" | "country" | "destname" => Column::Name,
        "cpmcritical" | "cpmwarning" => Column::Threshold,
        _ => return None,
    })
}

/// Digits in E.164 form; `+` and a leading `00` are dropped, `*` alone stands for all numbers.
pub(crate) fn prefix(cell: &str) -> Option<String> {
    let digits: String = cell.chars().filter(|c| !matches!(c, ' ' | '-' | '.')).collect();
    let digits = digits.strip_prefix('+').or_else(|| digits.strip_prefix("00")).unwrap_or(&digits);
    if digits == "*" {
        return Some(String::new());
    }
    let fits = !digits.is_empty() && digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| digits.to_owned())
}

/// A price, with a decimal point or comma, with or without a currency's sign.
pub(crate) fn money(cell: &str) -> Option<i64> {
    let digits: String =
        cell.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-')).collect();
    match digits.split_once(',') {
        // 1,234.5
        Some((whole, rest)) if rest.contains('.') => millionths(&format!("{whole}{rest}")),
        _ => millionths(&digits.replace(',', ".")),
    }
}

/// `60`, `60s`, `1m`.
pub(crate) fn seconds(cell: &str) -> Option<u32> {
    let cell = cell.trim();
    if let Some(minutes) = cell.strip_suffix('m') {
        return minutes.parse::<u32>().ok()?.checked_mul(60);
    }
    cell.strip_suffix('s').unwrap_or(cell).parse().ok()
}

fn risk(cell: &str) -> Option<Risk> {
    match cell.to_ascii_lowercase().as_str() {
        "low" => Some(Risk::Low),
        "medium" => Some(Risk::Medium),
        "high" => Some(Risk::High),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> DeckRow {
        let deck = Deck::read(text.as_bytes()).unwrap();
        assert_eq!((deck.rows.len(), deck.skipped), (1, 0), "{text}");
        deck.rows[0].clone()
    }

    #[test]
    fn reads_tolerant_headers() {
        for text in [
            "prefix,name,rate_per_min,connect_fee,initial_s,increment_s\n+371,Latvia,0.25,0.01,30,6\n",
            "\u{feff}Dial Code;Destination;Price/min;Connect Fee;Billing\n00371;Latvia;0,25;0,01;30/6\n",
            "Code\tDescription\tRate per minute\tSetup fee\tInitial\tIncrement\n371\tLatvia\t$0.25\t0.01\t30s\t6s\n",
            "Prefix;Destination;Price per minute (EUR);Connection fee (EUR);Initial (s);Increment (s)\n371;Latvia;0,25;0,01;30;6\n",
        ] {
            let row = one(text);
            assert_eq!((row.prefix.as_str(), row.name.as_str()), ("371", "Latvia"));
            assert_eq!((row.rate.per_minute, row.rate.connect), (250_000, 10_000));
            assert_eq!((row.rate.initial_s, row.rate.increment_s), (30, 6));
        }
    }

    #[test]
    fn reads_yeastar() {
        let row = one(
            "Name,Match Prefix,Number Length,Rate,Billable Unit(s),Initial Time(s),Initial Cost\nCuba,0053,0,0.05,6,60,1\n",
        );
        assert_eq!((row.prefix.as_str(), row.rate.per_minute), ("53", 500_000));
        assert_eq!(row.rate.cost(crate::time::Span::seconds(60)).amount, 1_000_000);
        assert_eq!(row.rate.cost(crate::time::Span::seconds(61)).amount, 1_050_000);
    }

    /// An initial time that is free, cheaper than its minutes, or none at all; no fee is negative.
    #[test]
    fn reads_yeastars_initial_times() {
        let header = "Name,Match Prefix,Number Length,Rate,Billable Unit(s),Initial Time(s),Initial Cost";
        for (cells, at_once, minute, two_minutes) in [
            ("0.10,60,60,0", 0, 0, 100_000),
            ("0.10,60,60,0.04", 40_000, 40_000, 140_000),
            ("0.10,60,0,0", 100_000, 100_000, 200_000),
            ("0.01,6,0,0.5", 510_000, 600_000, 700_000),
            ("0.01,6,,", 10_000, 100_000, 200_000),
            ("0.05,6,30,1", 1_000_000, 1_250_000, 1_750_000),
        ] {
            let rate = one(&format!("{header}\nCuba,0053,0,{cells}\n")).rate;
            let cost = |seconds| rate.cost(crate::time::Span::seconds(seconds)).amount;
            assert_eq!([cost(0), cost(60), cost(120)], [at_once, minute, two_minutes], "{cells}");
            assert!(rate.connect >= 0, "{cells}");
        }
    }

    #[test]
    fn reads_opensips() {
        let sheet =
            one("id,ratesheet_id,prefix,destination,price,minimum,increment\n1,1,882,Satellite,9.5,60,60\n");
        assert_eq!(
            (sheet.prefix.as_str(), sheet.rate.per_minute, sheet.rate.initial_s),
            ("882", 9_500_000, 60)
        );
        let text = "ruleid,profileid,prefix,start_hour,end_hour,daysoftheweek,cpm_warning,cpm_critical\n1,1,99,09:00,17:00,Mon,3,5\n";
        let deck = Deck::read(text.as_bytes()).unwrap();
        assert_eq!((deck.rows.len(), deck.risks), (0, vec![("99".to_owned(), Risk::High)]));
    }

    #[test]
    fn counts_what_it_can_not_read_and_refuses_what_is_no_deck() {
        let deck = Deck::read(b"prefix,rate\n44,0.01\nabc,0.01\n45,free\n,1\n").unwrap();
        assert_eq!((deck.rows.len(), deck.skipped), (1, 3));
        for text in ["", "a,b\n1,2\n", "prefix,name\n44,x\n", "prefix,rate\nx,y\n"] {
            assert!(matches!(Deck::read(text.as_bytes()), Err(DialError::Deck(_))), "{text}");
        }
    }
}
