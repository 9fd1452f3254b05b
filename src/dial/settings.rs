//! What the operator says of the office, and what can be wrong with it.
//!
//! In: the configuration. Out: `Settings`, `DialError`.
//! Never: reads a file.

use super::{Kind, Region, Risk};

/// How the office dials and what it pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The country from which the office dials.
    pub home: Region,
    /// Regions that count as national besides the home's own group, such as CX and CC for AU.
    pub domestic: Vec<Region>,
    /// Digits for an outside line, on the handsets' leg only: `9`. Up to four digits each.
    pub outside_line: Vec<String>,
    /// `214`, `2XX` (X any digit, Z 1 to 9, N 2 to 9), `4000-4099`.
    pub extensions: Vec<String>,
    /// Three letters of ISO 4217; empty for the home country's.
    pub currency: String,
    /// The rate deck's name and its bytes: CSV with tolerant headers, or as OpenSIPS, CGRateS or Yeastar
    /// export it; CGRateS' three files go one after the other.
    pub tariff: Option<(String, Vec<u8>)>,
    /// Prefixes about which the operator knows better than the shipped lists; the longest one counts.
    pub overrides: Vec<Override>,
    /// The same for short numbers of the home country, as they are dialled: `118`.
    pub short_overrides: Vec<Override>,
}

/// What the operator says of a prefix. What it leaves open a shorter prefix around it may say, and else
/// the shipped lists and the public plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Override {
    /// In E.164 form, with or without `+`; of a short number its digits.
    pub prefix: String,
    /// What its numbers are, one of [`Override::KINDS`], whether the public plan knows them or not; none
    /// to leave it.
    pub kind: Option<Kind>,
    /// How risky they are; none to leave it. High puts numbers at home among the premium ones.
    pub risk: Option<Risk>,
    /// For `explain`.
    pub why: String,
}

impl Override {
    /// What a telephone number can be.
    pub const KINDS: [Kind; 12] = [
        Kind::TollFree,
        Kind::FixedLine,
        Kind::Mobile,
        Kind::FixedLineOrMobile,
        Kind::SharedCost,
        Kind::PremiumRate,
        Kind::PersonalNumber,
        Kind::Voip,
        Kind::Uan,
        Kind::Pager,
        Kind::Satellite,
        Kind::IntlNetwork,
    ];

    /// What a short number can be.
    pub const SHORT_KINDS: [Kind; 3] = [Kind::TollFree, Kind::SharedCost, Kind::PremiumRate];
}

impl Default for Settings {
    /// Home GB, no outside line, no extensions, GBP, the built-in table.
    fn default() -> Self {
        Self {
            home: Region::GB,
            domestic: Vec::new(),
            outside_line: Vec::new(),
            extensions: Vec::new(),
            currency: "GBP".to_owned(),
            tariff: None,
            overrides: Vec::new(),
            short_overrides: Vec::new(),
        }
    }
}

impl Settings {
    /// The defaults for another home, in its currency.
    pub fn for_home(home: Region) -> Self {
        Self { home, currency: String::new(), ..Self::default() }
    }
}

/// Why a dial plan can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The shipped data are broken.
    #[error("{file}: line {line} can't be read")]
    Data {
        /// Which file.
        file: &'static str,
        /// Counted from 1; 0 for the file as a whole.
        line: usize,
    },
    /// A pattern of the shipped data can't be compiled.
    #[error("a number pattern can't be compiled: {0}")]
    Pattern(String),
    /// The patterns make more nodes than the table can number.
    #[error("the number patterns need more nodes than the table can hold")]
    TooManyNodes,
    /// No plan for this home.
    #[error("there is no numbering plan for home {0}")]
    Home(Region),
    /// An outside line that isn't one to four digits.
    #[error("outside line {0:?} isn't one to four digits")]
    OutsideLine(String),
    /// An extension pattern that makes no sense.
    #[error("extension {0:?} is neither digits, a pattern such as 2XX, nor a range such as 4000-4099")]
    Extension(String),
    /// A currency without a built-in table.
    #[error("the built-in table has no prices in {0}")]
    Currency(String),
    /// A rate deck that can't be used.
    #[error("the rate deck can't be used: {0}")]
    Deck(String),
    /// More overrides than the table can hold.
    #[error("there are more than {0} overrides")]
    TooManyOverrides(usize),
    /// An override for something that is no prefix.
    #[error("{0:?} is no prefix of a number")]
    Prefix(String),
}
