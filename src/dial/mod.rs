//! Where a dialled string goes and what it costs.
//!
//! In: the dialled string of a Request-URI, on which leg. Out: `Target`.
//! Never: decides by the calling code alone, allocates per number, or panics.

mod automaton;
mod classify;
mod deck;
mod deck_cgrates;
mod explain;
mod extensions;
mod extract;
mod feature;
mod numbering;
mod outside;
mod overlay;
mod pattern;
mod plan;
mod probe;
mod reading;
mod short;
mod tariff;
mod trie;
mod world;

use std::fmt;

use crate::labels;

pub use explain::Explained;
pub use outside::OutsideLine;
pub use tariff::{Cost, currency_of};

labels! {
    /// Where a call goes, seen from the office.
    pub enum Class {
        Internal = "internal", "An extension or an alias of the office's own PBX.";
        Emergency = "emergency", "An emergency number; never raises an alert.";
        Feature = "feature", "A PBX feature code such as *21*.";
        Short = "short", "A short number of the home country.";
        National = "national", "A number in the home country.";
        Overseas = "overseas", "A number in another region, by region and not by calling code.";
        Global = "global", "Satellite and international networks, region 001.";
        Suspect = "suspect", "Makes sense only behind a guessed stem: someone is probing prefixes.";
        Unknown = "unknown", "Fits no plan.";
    }
}

labels! {
    /// What sort of number it is.
    pub enum Kind {
        Extension = "extension", "An extension of the office.";
        Alias = "alias", "A name instead of a number.";
        Emergency = "emergency", "An emergency service.";
        Feature = "feature", "A feature code.";
        ForwardTo = "forward_to", "A feature code that forwards calls to the number inside it.";
        TollFree = "toll_free", "Free for the caller.";
        FixedLine = "fixed_line", "A fixed line.";
        Mobile = "mobile", "A mobile phone.";
        FixedLineOrMobile = "fixed_line_or_mobile", "A fixed line or a mobile phone; the plan doesn't tell.";
        SharedCost = "shared_cost", "Shared cost or service charge.";
        PremiumRate = "premium_rate", "Premium rate.";
        PersonalNumber = "personal_number", "A personal number such as GB 070; priced like premium rate.";
        Voip = "voip", "A VoIP number.";
        Uan = "uan", "A company-wide number.";
        Pager = "pager", "A pager.";
        Satellite = "satellite", "A satellite phone.";
        IntlNetwork = "intl_network", "An international network such as +883.";
        UnknownCost = "unknown_cost", "A short number whose cost is ordinary or isn't known.";
        PrefixProbe = "prefix_probe", "A number behind a guessed stem.";
        Invalid = "invalid", "No such number in the public plan.";
    }
}

labels! {
    /// The buckets in which calls are counted for detection: few, and each with its own ceilings.
    pub enum Group {
        Free = "free", "Internal, emergency, feature codes and toll-free numbers: never counted against anyone.";
        National = "national", "Ordinary numbers of the home country.";
        Premium = "premium", "Premium rate, personal and unknown-cost numbers of the home country, and their shared-cost bands.";
        Overseas = "overseas", "Ordinary numbers abroad.";
        Risky = "risky", "High-risk destinations, premium numbers abroad, unallocated numbers abroad, satellite and international networks.";
        Suspect = "suspect", "Prefix probing and numbers that fit no plan.";
    }
}

labels! {
    /// How often a destination turns up in toll fraud, from the shipped, dated list.
    pub enum Risk {
        Low = "low", "Seldom named.";
        Medium = "medium", "Named by some sources.";
        High = "high", "Named by many sources, or priced far above ordinary calls.";
    }
}

/// An ISO 3166-1 alpha-2 country code, or `001` for numbers of no country.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region([u8; 3]);

impl Region {
    /// Numbers of no country.
    pub const WORLD: Self = Self(*b"001");

    /// From two letters or `001`; `None` for anything else.
    pub fn new(code: &str) -> Option<Self> {
        match *code.as_bytes() {
            [b'0', b'0', b'1'] => Some(Self::WORLD),
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase(), 0]))
            }
            _ => None,
        }
    }

    /// Its English name, such as `Latvia`; `international networks` for `001`.
    pub fn name(&self) -> &'static str {
        let named = numbering::Numbering::shipped().ok().and_then(|numbering| numbering.name(*self));
        named.unwrap_or("an unknown country")
    }

    /// `GB`, `001`.
    pub fn as_str(&self) -> &str {
        let len = if self.0[2] == 0 { 2 } else { 3 };
        std::str::from_utf8(&self.0[..len]).unwrap_or("??")
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A telephone number: up to 15 digits of E.164, no sign. Printed masked (law 9).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    len: u8,
    digits: [u8; 15],
}

impl Number {
    /// From ASCII digits; `None` if there are none, more than 15, or anything but digits.
    pub fn new(digits: &[u8]) -> Option<Self> {
        if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut number = Self { len: u8::try_from(digits.len()).ok()?, digits: [0; 15] };
        number.digits[..digits.len()].copy_from_slice(digits);
        Some(number)
    }

    /// The digits in full: only for the journal, the store, the notifier and pattern tests.
    pub fn digits(&self) -> &[u8] {
        &self.digits[..usize::from(self.len)]
    }

    /// `+` and all digits: only for sinks that apply `[privacy]`.
    pub fn full(&self) -> String {
        format!("+{}", std::str::from_utf8(self.digits()).unwrap_or(""))
    }

    /// The number without its last four digits: numbers of one block share it.
    pub fn block(&self) -> &[u8] {
        let digits = self.digits();
        &digits[..digits.len().saturating_sub(4)]
    }
}

/// The masked form: the first digits and the last two, `+4420…96`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = std::str::from_utf8(self.digits()).unwrap_or("");
        let head = digits.len().saturating_sub(6).min(4);
        write!(f, "+{}…{}", &digits[..head], &digits[digits.len().saturating_sub(2)..])
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// On which side of the PBX a string was dialled: only handsets dial the outside-line digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leg {
    /// Handset to PBX.
    Handset,
    /// PBX to trunk.
    Trunk,
}

/// Which row of the tariff prices a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct RateId(pub u32);

/// What a call costs. Money is in millionths of the currency's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Rate {
    /// For the connection.
    pub connect: i64,
    /// Per minute, the best guess.
    pub per_minute: i64,
    /// Per minute, the lower end of the guess; equal to `per_minute` for a known price.
    pub per_minute_low: i64,
    /// Per minute, the upper end of the guess.
    pub per_minute_high: i64,
    /// Seconds that are charged at the least, at least 1.
    pub initial_s: u32,
    /// Seconds that are charged at a time after that, at least 1.
    pub increment_s: u32,
}

/// Where a dialled string goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Seen from the office.
    pub class: Class,
    /// What sort of number.
    pub kind: Kind,
    /// Its country; `None` for internal, feature and unknown.
    pub region: Option<Region>,
    /// The number; `None` for internal, feature, short, emergency and unknown.
    pub number: Option<Number>,
    /// Whether the public plan knows the number exactly; `false` is evidence, never an alert alone.
    pub exact: bool,
    /// How often the destination turns up in toll fraud.
    pub risk: Risk,
    /// In which bucket detection counts it.
    pub group: Group,
    /// Prices it.
    pub rate: RateId,
    /// Which rule decided, for `explain`.
    pub rule: &'static str,
}

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
}

/// What the operator says of a prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Override {
    /// In E.164 form, with or without `+`.
    pub prefix: String,
    /// What its numbers are, whether the public plan knows them or not; none to leave it.
    pub kind: Option<Kind>,
    /// How risky they are; none to leave it.
    pub risk: Option<Risk>,
    /// For `explain`.
    pub why: String,
}

impl Default for Settings {
    /// Home GB, no outside line, no extensions, GBP, the built-in table.
    fn default() -> Self {
        Self {
            home: Region(*b"GB\0"),
            domestic: Vec::new(),
            outside_line: Vec::new(),
            extensions: Vec::new(),
            currency: "GBP".to_owned(),
            tariff: None,
            overrides: Vec::new(),
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
    /// An override for something that is no prefix.
    #[error("{0:?} is no prefix of a number")]
    Prefix(String),
}

/// The dial plan and tariff of one office.
#[derive(Clone)]
pub struct Dial {
    world: &'static world::World,
    home: plan::HomePlan,
    tariff: tariff::Tariff,
    overrides: Vec<Override>,
    /// Prefix to index in `overrides`.
    overridden: trie::Trie,
    deck_skipped: usize,
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dial").field("home", &self.home.region).finish_non_exhaustive()
    }
}

/// How big the tables are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSize {
    /// Nodes of the number automaton.
    pub nodes: usize,
    /// Distinct answers of the number automaton.
    pub labels: usize,
    /// Bytes of the number automaton.
    pub numbering_bytes: usize,
    /// Bytes of the tariff with its prefixes.
    pub tariff_bytes: usize,
}

impl Dial {
    /// Compiles the plan; the part that is the same for every home only once in a process.
    pub fn new(settings: &Settings) -> Result<Self, DialError> {
        let world = world::World::shipped()?;
        let home = plan::HomePlan::new(world, settings)?;
        let own = tariff::currency_of(settings.home);
        let currency = if settings.currency.is_empty() { own.as_str() } else { &settings.currency };
        let mut dial = Self {
            world,
            home,
            tariff: tariff::Tariff::built_in(currency)?,
            overrides: Vec::new(),
            overridden: trie::Trie::default(),
            deck_skipped: 0,
        };
        if let Some((name, text)) = &settings.tariff {
            let deck = deck::Deck::read(text)?;
            dial.deck_skipped = deck.skipped;
            for (prefix, risk) in &deck.risks {
                let why = format!("rate deck {name}");
                dial.take(Override { prefix: prefix.clone(), kind: None, risk: Some(*risk), why })?;
            }
            dial.tariff.lay(name, deck);
        }
        for row in &settings.overrides {
            dial.take(row.clone())?;
        }
        Ok(dial)
    }

    fn take(&mut self, row: Override) -> Result<(), DialError> {
        let prefix = deck::prefix(&row.prefix).ok_or_else(|| DialError::Prefix(row.prefix.clone()))?;
        self.overridden.insert(prefix.as_bytes(), u32::try_from(self.overrides.len()).unwrap_or(0));
        self.overrides.push(row);
        Ok(())
    }

    /// Where a URI (`sip:`, `sips:`, `tel:`, `urn:service:sos`) or a bare user part leads. Takes time in
    /// proportion to the input's length, and no memory.
    #[inline]
    pub fn classify(&self, leg: Leg, user: &[u8]) -> Target {
        self.read(leg, user).target
    }

    /// Learns the account of a handset that the registrar accepted. False if it can't be an extension:
    /// not one to six digits, or there are 16,384 already.
    pub fn learn_extension(&mut self, user: &[u8]) -> bool {
        self.home.extensions.learn(user)
    }

    /// Takes over what another plan learned, when settings are swapped.
    pub fn keep_learned(&mut self, other: &Self) {
        self.home.extensions.keep_learned(&other.home.extensions);
    }

    /// How many accounts found no room.
    pub const fn extensions_refused(&self) -> u64 {
        self.home.extensions.refused()
    }

    /// How many rows of the rate deck couldn't be read.
    pub const fn deck_rows_skipped(&self) -> usize {
        self.deck_skipped
    }

    /// The rate of a target.
    pub fn rate(&self, id: RateId) -> &Rate {
        self.tariff.rate(id)
    }

    /// All rates, by `RateId`.
    pub fn rates(&self) -> &[Rate] {
        self.tariff.rates()
    }

    /// Where the prices come from, all in all.
    pub fn prices_basis(&self) -> String {
        self.tariff.bases()
    }

    /// Whether the price is one of the operator's deck; free calls are known too.
    pub fn price_known(&self, id: RateId) -> bool {
        !self.tariff.is_built_in(id) || id == tariff::Band::Free.rate()
    }

    /// Whether there is a rate deck and it lacks this destination.
    pub fn missing_from_deck(&self, id: RateId) -> bool {
        self.tariff.has_deck() && !self.price_known(id)
    }

    /// The currency of all rates: three letters of ISO 4217.
    pub fn currency(&self) -> &str {
        self.tariff.currency()
    }

    /// Where a price comes from: `built-in table 2026-11` or `rate deck NAME`.
    pub fn basis(&self, id: RateId) -> String {
        self.tariff.basis(id)
    }

    /// The home country.
    pub const fn home(&self) -> Region {
        self.home.region
    }

    /// Whether a call to a region counts as a call within the country.
    pub fn is_domestic(&self, region: Region) -> bool {
        self.home.is_domestic(region)
    }

    /// How big the tables are.
    pub fn table_size(&self) -> TableSize {
        let (nodes, labels, numbering_bytes) = self.world.automaton.size();
        TableSize { nodes, labels, numbering_bytes, tariff_bytes: self.tariff.bytes() }
    }

    /// The version of libphonenumber's metadata.
    pub const fn metadata_version(&self) -> &'static str {
        self.world.numbering.version
    }
}
