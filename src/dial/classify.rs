//! The order in which a dialled string is read.
//!
//! In: what `extract` found, and the leg. Out: one `Reading`.
//! Never: allocates, or reads a string more than a fixed number of times.
//!
//! Emergency numbers come first, then the office's own extensions, then the home's short numbers, then
//! the outside line and the public plan; what is left over is tried behind guessed stems (`probe`).

use super::extract::{Dialled, Extracted, Quick, extract, plain};
use super::reading::{Reading, Step, Steps};
use super::tariff::Band;
use super::world::Place;
use super::{Class, Dial, Group, Kind, Leg};

/// Outside-line digits of most PBXs: an emergency call behind one of them is one even where none is
/// configured.
const USUAL_OUTSIDE: [&[u8]; 2] = [b"9", b"0"];
/// More digits make no extension and no local number.
const LONGEST_EXTENSION: usize = 5;
/// More digits make no short number.
const LONGEST_SHORT: usize = 9;
/// Fewer digits make no international number.
const SHORTEST_WORLDWIDE: usize = 9;

impl Dial {
    #[inline]
    pub(crate) fn read(&self, leg: Leg, input: &[u8]) -> Reading {
        let quick = Quick::read(input).and_then(|dialled| self.shortcut(leg, &dialled));
        quick.unwrap_or_else(|| self.read_slowly(leg, input))
    }

    /// The long way, which knows everything.
    #[inline(never)]
    pub(crate) fn read_slowly(&self, leg: Leg, input: &[u8]) -> Reading {
        // Digits need no copy.
        if let Some((plus, digits)) = plain(input) {
            return self.read_plain(leg, plus, digits);
        }
        match extract(input) {
            Extracted::Dialled(dialled) => self.read_dialled(leg, &dialled),
            Extracted::Within(context, dialled) => self.read_within(leg, &context, &dialled),
            Extracted::Private => Reading::internal(Kind::Extension, "number of a private plan"),
            Extracted::Alias => Reading::internal(Kind::Alias, "name"),
            Extracted::Emergency => Reading::emergency(self.home.region, "emergency service URN"),
            Extracted::Empty => Reading::unknown("nothing was dialled"),
            Extracted::TooLong => Reading::unknown("too long for any plan"),
        }
    }

    pub(crate) fn read_dialled(&self, leg: Leg, dialled: &Dialled) -> Reading {
        if dialled.digits {
            return self.read_plain(leg, dialled.plus, dialled.bytes());
        }
        self.read_feature(leg, dialled)
    }

    /// Digits, the long way.
    pub(crate) fn read_plain(&self, leg: Leg, plus: bool, digits: &[u8]) -> Reading {
        if plus { self.read_plus(digits) } else { self.read_digits(leg, digits) }
    }

    fn read_digits(&self, leg: Leg, digits: &[u8]) -> Reading {
        if let Some(reading) = self.read_emergency(leg, digits) {
            return reading;
        }
        if self.home.extensions.is_configured(digits) {
            return Reading::internal(Kind::Extension, "configured extension");
        }
        if self.home.extensions.is_learned(digits) {
            return Reading::internal(Kind::Extension, "learned extension");
        }
        if leg == Leg::Handset
            && let Some(reading) = self.read_outside(digits)
        {
            return reading;
        }
        self.read_public(leg, digits, Steps::default())
    }

    /// A number within `phone-context=+…` (RFC 3966 section 5.1.5).
    fn read_within(&self, leg: Leg, context: &Dialled, dialled: &Dialled) -> Reading {
        if !dialled.digits {
            return self.read_feature(leg, dialled);
        }
        let digits = dialled.bytes();
        let at_home = context.bytes() == self.home.code.as_slice();
        if at_home {
            let own = self.home.short.is_emergency(digits) || self.home.short.find(digits).is_some();
            if own || self.home.extensions.is_configured(digits) {
                return self.read_dialled(leg, dialled);
            }
        }
        let joined = Dialled::joined(context.bytes(), digits);
        let Some(place) = joined.and_then(|joined| self.world.place(joined.bytes())) else {
            return Reading::unknown("fits no plan");
        };
        self.read_place(&place, "number within its phone-context").by(Steps::default().with(Step::Context))
    }

    fn read_plus(&self, digits: &[u8]) -> Reading {
        let steps = Steps::default().with(Step::Plus);
        if self.home.short.is_emergency(digits) {
            return Reading::emergency(self.home.region, "emergency number").by(steps);
        }
        if let Some(reading) = self.read_world(digits, "international number") {
            return reading.by(steps);
        }
        let probe = self.read_probe(digits, true).or_else(|| self.read_unallocated_probe(digits));
        probe.unwrap_or_else(|| self.no_plan(digits)).by(steps)
    }

    /// An emergency number, bare or behind an outside line.
    #[inline]
    fn read_emergency(&self, leg: Leg, digits: &[u8]) -> Option<Reading> {
        if digits.len() > 8 {
            return None;
        }
        let home = &self.home;
        if home.short.is_emergency(digits) {
            return Some(Reading::emergency(home.region, "emergency number"));
        }
        if leg != Leg::Handset || home.extensions.is_configured(digits) {
            return None;
        }
        let behind =
            |prefix: &[u8]| digits.strip_prefix(prefix).is_some_and(|rest| home.short.is_emergency(rest));
        let usual = home.outside.is_empty() && USUAL_OUTSIDE.iter().any(|prefix| behind(prefix));
        if !usual && !home.outside.iter().any(|prefix| behind(prefix)) {
            return None;
        }
        let steps = Steps::default().with(Step::Outside);
        Some(Reading::emergency(home.region, "emergency number behind the outside line").by(steps))
    }

    /// The longest configured outside line that digits begin with, and go on behind.
    #[inline]
    pub(crate) fn outside_prefix(&self, digits: &[u8]) -> Option<&[u8]> {
        let fits = |prefix: &&Vec<u8>| digits.len() > prefix.len() && digits.starts_with(prefix);
        self.home.outside.iter().filter(fits).max_by_key(|prefix| prefix.len()).map(Vec::as_slice)
    }

    /// A string that begins with a configured outside line. If nothing sensible is left without it and
    /// the whole is a number, it was no outside line: US 907 … with outside line 9.
    fn read_outside(&self, digits: &[u8]) -> Option<Reading> {
        let prefix = self.outside_prefix(digits)?;
        let steps = Steps::default().with(Step::Outside);
        let rest = digits.get(prefix.len()..)?;
        let inner = self.read_public(Leg::Handset, rest, Steps::default()).by(steps);
        if inner.is_good() && inner.target.class != Class::Internal {
            return Some(inner);
        }
        let useless = matches!(inner.target.class, Class::Unknown | Class::Internal);
        if !useless && !self.may_be_number(digits) {
            return Some(inner);
        }
        let whole = self.read_public(Leg::Handset, digits, Steps::default());
        Some(if useless || whole.is_good() { whole } else { inner })
    }

    /// False if digits are no number of the public plan for sure; asked before they are read at length.
    fn may_be_number(&self, digits: &[u8]) -> bool {
        let home = &self.home;
        let Some(first) = digits.first().map(|byte| byte.wrapping_sub(b'0') & 15) else { return false };
        let prefixed = home.service_first | home.international.first() | self.world.trunk_first(home.plan);
        let rewritten = home.rewrites.iter().any(|(from, _)| digits.starts_with(from));
        if digits.len() <= LONGEST_SHORT
            || prefixed >> first & 1 == 1
            || rewritten
            || (home.nanp && first == 0)
        {
            return true;
        }
        let exact = |place: Option<Place>| place.is_some_and(|place| place.found.exact);
        exact(self.home_place(digits)) || exact(self.world.place(digits))
    }

    /// Another way to read a string, which a setting could choose.
    pub(crate) fn ambiguity(&self, reading: &Reading, input: &[u8]) -> Option<&'static str> {
        let Extracted::Dialled(dialled) = extract(input) else { return None };
        if !reading.steps.has(Step::Outside) || !dialled.digits {
            return None;
        }
        let whole = self.read_public(Leg::Handset, dialled.bytes(), Steps::default());
        let other = whole.is_good() && whole.target.number != reading.target.number;
        (other && whole.target.class != Class::Internal)
            .then_some("without the outside line it would be a number too")
    }

    /// What the public network makes of digits.
    #[inline]
    pub(crate) fn read_public(&self, leg: Leg, digits: &[u8], steps: Steps) -> Reading {
        if let Some(reading) = self.read_short(digits) {
            return reading.by(steps);
        }
        if let Some((rest, step)) = self.service_prefix(digits) {
            let steps = steps.with(step);
            if self.home.short.is_emergency(rest) {
                return Reading::emergency(self.home.region, "emergency number").by(steps);
            }
            // A carrier code may follow a caller-id prefix, but no more than that.
            let (rest, steps) = match self.service_prefix(rest) {
                Some((rest, step)) if step == Step::Carrier => (rest, steps.with(step)),
                _ => (rest, steps),
            };
            let inner = self.read_network(leg, rest, steps);
            if inner.target.exact || inner.target.class != Class::Unknown {
                return inner;
            }
        }
        self.read_network(leg, digits, steps)
    }

    /// The digits behind a caller-id or carrier prefix.
    #[inline]
    fn service_prefix<'d>(&self, digits: &'d [u8]) -> Option<(&'d [u8], Step)> {
        let home = &self.home;
        let first = digits.first()?.wrapping_sub(b'0') & 15;
        if home.service_first >> first & 1 == 0 {
            return None;
        }
        let after = |prefixes: &[super::pattern::Prefix]| {
            let len = prefixes.iter().find_map(|prefix| prefix.find(digits)).map(|found| found.len)?;
            digits.get(len..).filter(|rest| rest.len() >= 3)
        };
        let caller_id = after(&home.caller_id).map(|rest| (rest, Step::CallerId));
        caller_id.or_else(|| after(&home.carrier).map(|rest| (rest, Step::Carrier)))
    }

    #[inline]
    fn read_short(&self, digits: &[u8]) -> Option<Reading> {
        let home = &self.home;
        if home.short.is_emergency(digits) {
            return Some(Reading::emergency(home.region, "emergency number"));
        }
        let short = home.short.find(digits)?;
        Some(Reading::short(home.region, short))
    }

    fn read_network(&self, leg: Leg, digits: &[u8], steps: Steps) -> Reading {
        let mut invalid = None;
        let abroad = self.home.international.find(digits);
        if let Some(found) = abroad {
            let rest = digits.get(found.len..).unwrap_or_default();
            let steps = steps.with(Step::International);
            match self.read_world(rest, "international prefix") {
                Some(reading) if reading.target.exact => return reading.by(steps),
                other => invalid = other.map(|reading| reading.by(steps)),
            }
        }
        if let Some(reading) = self.read_rewritten(digits).or_else(|| self.read_operator(digits)) {
            return reading.by(steps);
        }
        match self.read_national(leg, digits) {
            Some(reading) if reading.target.exact => return reading.by(steps),
            // What begins with the international prefix is an international number, right or wrong.
            other if abroad.is_none() => invalid = other.map(|reading| reading.by(steps)),
            _ => {}
        }
        // Other countries' international prefixes say more than a national number that doesn't exist, or
        // an international one of a length that no number of its country has.
        let sure = invalid.as_ref().is_some_and(|r| r.plausible && r.target.class != Class::National);
        if !sure && let Some(reading) = self.read_probe(digits, false) {
            return reading.by(steps);
        }
        let left = || self.read_unallocated_probe(digits).or_else(|| self.read_leftover(leg, digits));
        invalid.or_else(left).unwrap_or_else(|| self.no_plan(digits)).by(steps)
    }

    /// An international number without any prefix.
    #[inline]
    fn read_world(&self, digits: &[u8], rule: &'static str) -> Option<Reading> {
        // No calling code begins with 0.
        if digits.first() == Some(&b'0') {
            return None;
        }
        let place = self.world.place(digits)?;
        if !place.found.exact
            && let Some(rest) = digits.strip_prefix(self.home.code.as_slice())
            && let Some(reading) = self.read_short(rest)
        {
            return Some(reading);
        }
        Some(self.read_place(&place, rule))
    }

    /// Numbers that the national plan sends to another country, allocated or not.
    fn read_rewritten(&self, digits: &[u8]) -> Option<Reading> {
        for (from, to) in &self.home.rewrites {
            if let Some(rest) = digits.strip_prefix(from.as_slice()) {
                let place =
                    self.world.place(Dialled::joined(to, rest)?.bytes()).filter(|place| place.plausible)?;
                let steps = Steps::default().with(Step::Rewrite);
                return Some(self.read_place(&place, "national number of a neighbour").by(steps));
            }
        }
        None
    }

    /// NANP: 01 and 0 ask for an operator.
    fn read_operator(&self, digits: &[u8]) -> Option<Reading> {
        if !self.home.nanp {
            return None;
        }
        let steps = Steps::default().with(Step::Operator);
        let place = match digits {
            [b'0', b'1', rest @ ..] if rest.first() != Some(&b'1') => self.world.place(rest),
            [b'0', rest @ ..] if rest.len() == 10 => self.world.place(Dialled::joined(b"1", rest)?.bytes()),
            _ => None,
        };
        let place = place.filter(|place| place.found.exact)?;
        Some(self.read_place(&place, "operator-assisted number").by(steps))
    }

    fn read_national(&self, leg: Leg, digits: &[u8]) -> Option<Reading> {
        let home = &self.home;
        let invalid = match self.read_trunk(digits) {
            Some(reading) if reading.target.exact => return Some(reading),
            other => other,
        };
        let bare = self.home_place(digits).filter(|place| place.found.code_len > 0);
        let closed = home.trunk.is_empty() || home.nanp || digits.first() == Some(&b'1');
        let exact = bare.filter(|place| place.found.exact);
        if closed && let Some(place) = exact {
            return Some(self.read_place(&place, "national number"));
        }
        if leg == Leg::Handset && self.is_local(digits) {
            return Some(self.read_local(digits));
        }
        if let Some(reading) = self.read_bare(leg, digits, exact) {
            return Some(reading);
        }
        let whole = home.lengths >> digits.len().min(31) & 1 == 1 && digits.len() > LONGEST_EXTENSION;
        let whole = whole && (home.nanp || home.trunk.is_empty());
        let place = bare.filter(|_| whole);
        invalid.or_else(|| place.map(|place| self.read_place(&place, "national number")))
    }

    /// A number behind its trunk prefix, and perhaps a carrier's digits.
    fn read_trunk(&self, digits: &[u8]) -> Option<Reading> {
        let home = &self.home;
        let steps = Steps::default().with(Step::Trunk);
        let national = self.world.without_trunk(home.plan, digits)?;
        let mut place = self.home_place(national.bytes());
        // A carrier's digits may also begin a number: Colombia's 03 and its mobile phones.
        if !place.is_some_and(|place| place.found.exact)
            && let Some(rest) = digits.strip_prefix(home.trunk)
        {
            place = self.home_place(rest).filter(|place| place.found.exact).or(place);
        }
        // A number that would begin with a second trunk prefix is none.
        let doubled = home.trunk == b"0" && national.bytes().starts_with(home.trunk);
        let place = place.filter(|place| place.found.exact || !doubled);
        place.map(|place| self.read_place(&place, "national number").by(steps))
    }

    /// A number without its trunk prefix, or one with its calling code and no `+`.
    fn read_bare(&self, leg: Leg, digits: &[u8], national: Option<Place>) -> Option<Reading> {
        // Ten digits are a whole number of the NANP to a handset, allocated or not.
        let closed = leg == Leg::Handset && self.home.nanp && digits.len() == 10;
        let worldwide = || {
            let fits = digits.len() >= SHORTEST_WORLDWIDE && digits.first() != Some(&b'0') && !closed;
            let place = fits.then(|| self.world.place(digits)).flatten();
            place.filter(|place| place.found.exact)
        };
        let rule = "number with its calling code and no prefix";
        let home_first = leg == Leg::Trunk || digits.starts_with(&self.home.code);
        if home_first && let Some(place) = worldwide() {
            return Some(self.read_place(&place, rule));
        }
        let long = digits.len() >= SHORTEST_WORLDWIDE;
        if let Some(place) = national.filter(|_| long) {
            return Some(self.read_place(&place, "national number without its trunk prefix"));
        }
        worldwide().map(|place| self.read_place(&place, rule))
    }

    /// A national number with the home's calling code put before it.
    #[inline]
    fn home_place(&self, national: &[u8]) -> Option<Place> {
        // A number that is dialled at home belongs to the home's plan, even under a shared code.
        self.world.place(Dialled::joined(&self.home.code, national)?.bytes())
    }

    fn is_local(&self, digits: &[u8]) -> bool {
        let fits = self.home.local >> digits.len().min(31) & 1 == 1;
        fits && digits.len() > LONGEST_EXTENSION && !matches!(digits.first(), Some(b'0' | b'1'))
    }

    fn read_local(&self, digits: &[u8]) -> Reading {
        let rule = "local number without its area code";
        // The exchange 976 is pay-per-call in every area of the NANP.
        let (kind, group, band) = if self.home.nanp && digits.starts_with(b"976") {
            (Kind::PremiumRate, Group::Premium, Band::Premium)
        } else {
            (Kind::FixedLine, Group::National, Band::National)
        };
        let mut reading = Reading::plain(Class::National, kind, group, band, rule);
        reading.target.region = Some(self.home.region);
        reading.target.exact = false;
        reading
    }

    /// Too few digits for the public plan: an extension that nobody configured and nobody registered.
    fn read_leftover(&self, leg: Leg, digits: &[u8]) -> Option<Reading> {
        let abroad = self.home.international.find(digits).is_some();
        if leg != Leg::Handset || digits.len() > LONGEST_EXTENSION || abroad {
            return None;
        }
        Some(Reading::leftover())
    }

    fn no_plan(&self, digits: &[u8]) -> Reading {
        Reading::unknown(if digits.len() > 15 { "too long for any plan" } else { "fits no plan" })
    }
}
