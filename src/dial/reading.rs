//! What a dialled string means, with the way that led there.
//!
//! In: a number that the world has, a short number, or the news that it's internal. Out: `Reading`:
//! class, kind, group, risk and rate.
//! Never: decides by the calling code alone.

use super::automaton::{Found, Label, NumberType};
use super::numbering::PlanType;
use super::overlay::Verdict;
use super::short::Short;
use super::tariff::Band;
use super::trie::NONE;
use super::world::Place;
use super::{Class, Dial, Group, Kind, Number, OWN, RATE, ROW, RateId, Region, Risk, Target};

/// What was taken off a string, in the order in which it is dialled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps(u16);

/// One thing that was taken off or put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Outside,
    CallerId,
    Carrier,
    Operator,
    Rewrite,
    Context,
    International,
    Plus,
    Trunk,
}

impl Steps {
    const NAMES: [(Step, &'static str); 9] = [
        (Step::Outside, "outside line"),
        (Step::CallerId, "caller-id prefix"),
        (Step::Carrier, "carrier code"),
        (Step::Operator, "operator prefix"),
        (Step::Rewrite, "rewritten by the national plan"),
        (Step::Context, "phone-context"),
        (Step::International, "international prefix"),
        (Step::Plus, "+"),
        (Step::Trunk, "trunk prefix"),
    ];

    /// With one more.
    #[must_use]
    pub(crate) const fn with(self, step: Step) -> Self {
        Self(self.0 | 1 << step as u16)
    }

    /// Whether a step is among them.
    pub(crate) const fn has(self, step: Step) -> bool {
        self.0 >> step as u16 & 1 == 1
    }

    /// Their names.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(step, _)| self.0 >> *step as u16 & 1 == 1).map(|(_, name)| name)
    }
}

/// A target, and how it was found.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) target: Target,
    pub(crate) steps: Steps,
    /// For a short number, the index of its row among the home's in the overlay.
    pub(crate) short_row: Option<u16>,
    /// For a short number, the index of the operator's override.
    pub(crate) short_own: Option<u16>,
    /// Whether the number's length fits its plan.
    pub(crate) plausible: bool,
}

impl Reading {
    /// A reading without a number.
    pub(crate) fn plain(class: Class, kind: Kind, group: Group, band: Band, rule: &'static str) -> Self {
        let exact = !matches!(kind, Kind::Invalid);
        let target = Target {
            class,
            kind,
            region: None,
            number: None,
            exact,
            risk: Risk::Low,
            group,
            rate: band.rate(),
            rule,
        };
        Self { target, steps: Steps::default(), short_row: None, short_own: None, plausible: true }
    }

    pub(crate) fn unknown(rule: &'static str) -> Self {
        Self::plain(Class::Unknown, Kind::Invalid, Group::Suspect, Band::Unknown, rule)
    }

    pub(crate) fn internal(kind: Kind, rule: &'static str) -> Self {
        Self::plain(Class::Internal, kind, Group::Free, Band::Free, rule)
    }

    pub(crate) fn leftover() -> Self {
        let mut reading = Self::internal(Kind::Extension, "too short for the public plan: an extension");
        reading.target.exact = false;
        reading
    }

    pub(crate) fn emergency(home: Region, rule: &'static str) -> Self {
        let mut reading = Self::plain(Class::Emergency, Kind::Emergency, Group::Free, Band::Free, rule);
        reading.target.region = Some(home);
        reading
    }

    pub(crate) fn short(home: Region, short: Short) -> Self {
        let group = match (short.kind, short.band) {
            (Kind::TollFree, _) => Group::Free,
            (Kind::UnknownCost, Band::ShortOrdinary) => Group::National,
            _ => Group::Premium,
        };
        let mut reading = Self::plain(Class::Short, short.kind, group, short.band, "short number");
        reading.target.region = Some(home);
        reading.target.risk = short.risk;
        reading.short_row = short.row;
        reading.short_own = short.own;
        reading
    }

    #[must_use]
    pub(crate) fn by(mut self, steps: Steps) -> Self {
        self.steps = Steps(self.steps.0 | steps.0);
        self
    }

    #[must_use]
    pub(crate) const fn ruled(mut self, rule: &'static str) -> Self {
        self.target.rule = rule;
        self
    }

    /// Whether it has a number that exists, or a stem before one.
    pub(crate) fn is_known(&self) -> bool {
        self.target.number.is_some() && (self.target.exact || self.target.group == Group::Suspect)
    }

    /// Whether it stands for something that exists.
    pub(crate) fn is_good(&self) -> bool {
        self.target.exact && !matches!(self.target.class, Class::Unknown | Class::Suspect)
    }
}

impl Dial {
    /// The reading of a number that the world has.
    #[inline]
    pub(crate) fn read_place(&self, place: &Place, rule: &'static str) -> Reading {
        self.read_found(place.number.bytes(), place.found, place.plausible, rule, Steps::default())
    }

    /// The same for a number in place.
    pub(crate) fn read_found(
        &self,
        digits: &[u8],
        found: Found,
        plausible: bool,
        rule: &'static str,
        steps: Steps,
    ) -> Reading {
        let (number, values) = (Number::of_digits(digits), self.prefixes.longest(digits));
        let label = Label { plan: found.plan, kind: found.kind };
        let target = self.target_of(number, (digits.len(), values), (label, found.exact), rule);
        Reading { target, steps, short_row: None, short_own: None, plausible }
    }

    /// The target of a number of so many digits, for which the prefixes have some values.
    pub(crate) fn target_of(
        &self,
        number: Option<Number>,
        (len, values): (usize, [u16; 3]),
        (found, known): (Label, bool),
        rule: &'static str,
    ) -> Target {
        let region = self.world.region(found.plan).unwrap_or(Region::WORLD);
        let domestic = self.home.is_domestic(region);
        let class = match (region, domestic) {
            (Region::WORLD, _) => Class::Global,
            (_, true) => Class::National,
            _ => Class::Overseas,
        };
        let row = self.world.overlay.verdict(values[ROW]);
        let region_row = if domestic { None } else { self.world.overlay.region_verdict(found.plan) };
        let own = self.overrides.get(usize::from(values[OWN]));
        let own_kind = own.and_then(|own| own.kind);
        let (kind, exact) = match own_kind {
            Some(kind) => (kind, true),
            None => kind_of(len, found.kind, known, row),
        };
        // The kind that all numbers with this beginning share, known or not.
        let likely = if exact { kind } else { kind_named(found.kind) };
        let likely = row.and_then(|row| row.kind).filter(|_| !exact).unwrap_or(likely);
        let risk =
            own.and_then(|own| own.risk).unwrap_or_else(|| listed_risk(class, likely, row, region_row));
        let group = group(class, likely, exact, risk);
        // The list prices what it takes the numbers for.
        let band = band(class, likely, row.filter(|_| own_kind.is_none()), region_row);
        let rate = rate_of(values[RATE], group, band);
        Target { class, kind, region: Some(region), number, exact, risk, group, rate, rule }
    }
}

/// The deck's rate, or the band's.
#[inline]
pub(super) fn rate_of(deck: u16, group: Group, band: Band) -> RateId {
    match (group, deck) {
        (Group::Free, _) => Band::Free.rate(),
        (_, NONE) => band.rate(),
        (_, deck) => RateId(u32::from(deck)),
    }
}

/// What the lists say; they speak of calls from abroad.
fn listed_risk(class: Class, kind: Kind, row: Option<Verdict>, region: Option<Verdict>) -> Risk {
    let listed = row.map_or(Risk::Low, |row| row.risk);
    let costly =
        matches!(kind, Kind::PremiumRate | Kind::PersonalNumber | Kind::Satellite | Kind::IntlNetwork);
    match class {
        Class::National => listed.min(Risk::Medium),
        _ if costly => Risk::High,
        _ => listed.max(region.map_or(Risk::Low, |row| row.risk)),
    }
}

/// The kind and whether the number is exact.
fn kind_of(len: usize, found: NumberType, known: bool, row: Option<Verdict>) -> (Kind, bool) {
    let listed = row.and_then(|row| Some((row.kind?, row.lengths)));
    match listed {
        Some((kind, _)) if known => (kind, true),
        Some((kind, lengths)) if lengths >> len.min(31) & 1 == 1 => (kind, true),
        _ if known => (kind_named(found), true),
        _ => (Kind::Invalid, false),
    }
}

const fn kind_named(kind: NumberType) -> Kind {
    match kind {
        NumberType::Unknown | NumberType::Of(PlanType::General) => Kind::Invalid,
        NumberType::FixedOrMobile => Kind::FixedLineOrMobile,
        NumberType::Of(what) => match what {
            PlanType::Premium => Kind::PremiumRate,
            PlanType::TollFree => Kind::TollFree,
            PlanType::SharedCost => Kind::SharedCost,
            PlanType::Voip => Kind::Voip,
            PlanType::Personal => Kind::PersonalNumber,
            PlanType::Pager => Kind::Pager,
            PlanType::Uan => Kind::Uan,
            PlanType::Fixed | PlanType::General => Kind::FixedLine,
            // A mailbox is reached through its mobile phone's number.
            PlanType::Mobile | PlanType::Voicemail => Kind::Mobile,
        },
    }
}

fn group(class: Class, kind: Kind, exact: bool, risk: Risk) -> Group {
    let premium = matches!(kind, Kind::PremiumRate | Kind::PersonalNumber | Kind::UnknownCost);
    match class {
        Class::National => match kind {
            Kind::TollFree => Group::Free,
            // Only the operator says so of numbers at home.
            _ if risk == Risk::High => Group::Premium,
            Kind::SharedCost => Group::Premium,
            Kind::Satellite | Kind::IntlNetwork => Group::Risky,
            _ if premium => Group::Premium,
            _ => Group::National,
        },
        Class::Global if kind == Kind::TollFree => Group::Free,
        Class::Global if kind == Kind::SharedCost => Group::Overseas,
        // Only the operator knows an ordinary number among them.
        Class::Global if exact && is_ordinary(kind) && risk != Risk::High => Group::Overseas,
        Class::Global => Group::Risky,
        _ if risk == Risk::High || premium || !exact => Group::Risky,
        _ => Group::Overseas,
    }
}

const fn is_ordinary(kind: Kind) -> bool {
    use Kind::{FixedLine, FixedLineOrMobile, Mobile, Pager, Uan, Voip};
    matches!(kind, FixedLine | FixedLineOrMobile | Mobile | Pager | Uan | Voip)
}

/// The band of the built-in table.
fn band(class: Class, kind: Kind, row: Option<Verdict>, region: Option<Verdict>) -> Band {
    let home = match kind {
        Kind::TollFree => Band::Free,
        Kind::PremiumRate => Band::Premium,
        Kind::PersonalNumber => Band::Personal,
        Kind::SharedCost => Band::SharedCost,
        Kind::Mobile => Band::NationalMobile,
        Kind::Satellite => Band::Satellite,
        Kind::IntlNetwork => Band::Network,
        _ => Band::National,
    };
    let listed = row.and_then(|row| row.band);
    if class == Class::National {
        // A list of destinations abroad prices nothing at home.
        return listed.filter(|band| !matches!(band, Band::HighRisk | Band::Antarctic)).unwrap_or(home);
    }
    if class == Class::Global {
        return listed.unwrap_or(if kind == Kind::TollFree { Band::Free } else { home.abroad() });
    }
    let home = if kind == Kind::Invalid { Band::OverseasMobile } else { home.abroad() };
    let region = region.and_then(|row| row.band);
    match listed.map(Band::abroad).or(region) {
        Some(listed) if home != Band::PremiumAbroad => listed,
        _ => home,
    }
}
