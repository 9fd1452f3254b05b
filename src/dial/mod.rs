//! Where a dialled string goes and what it costs.
//!
//! In: the dialled string of a Request-URI, on which leg. Out: `Target`.
//! Never: decides by the calling code alone, allocates per number, or panics.

use std::fmt;

use crate::labels;

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
        UnknownCost = "unknown_cost", "A short number of unknown cost.";
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
