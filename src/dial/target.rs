//! The answer: where a dialled string goes.
//!
//! In: nothing. Out: `Target` and the labels it's made of.
//! Never: decides anything.

use serde::{Deserialize, Serialize};

use crate::labels;

use super::{Number, Region};

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

/// On which side of the PBX a string was dialled: only handsets dial the outside-line digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leg {
    /// Handset to PBX.
    Handset,
    /// PBX to trunk.
    Trunk,
}

/// Which row of the tariff prices a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
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
    /// Whether `connect` is the price of the initial seconds too, as in Yeastar's decks.
    pub covers_initial: bool,
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

impl Target {
    /// No destination: for whoever writes all of it.
    pub(crate) const fn nowhere() -> Self {
        Self {
            class: Class::Unknown,
            kind: Kind::Alias,
            region: None,
            number: None,
            exact: false,
            risk: Risk::Low,
            group: Group::Free,
            rate: RateId(0),
            rule: "",
        }
    }
}
