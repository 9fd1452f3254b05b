//! Short and emergency numbers of the home country.
//!
//! In: libphonenumber's short-number patterns and the overlay's rows for the home. Out: what a short
//! number is and what it costs. Never: takes a code for text messages for a voice number unless its
//! cost is known.

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

use super::numbering::{Lengths, Plan, ShortSet};
use super::overlay::Overlay;
use super::tariff::Band;
use super::trie::{NONE, Trie, TrieBuilder};
use super::{DialError, Kind, Override, Risk, overrides};

/// The longest short number.
const LONGEST: usize = 9;

/// What a short number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Short {
    pub(crate) kind: Kind,
    pub(crate) band: Band,
    pub(crate) risk: Risk,
    /// Index of the overlay's row, in the order of `Overlay::short`.
    pub(crate) row: Option<u16>,
    /// Index of the operator's override.
    pub(crate) own: Option<u16>,
}

#[derive(Clone, Copy)]
struct Row {
    lengths: Lengths,
    kind: Option<Kind>,
    band: Option<Band>,
    risk: Risk,
}

/// The short numbers of one country.
#[derive(Clone)]
pub(crate) struct ShortNumbers {
    dfa: dense::DFA<Vec<u32>>,
    start: StateID,
    sets: Vec<ShortSet>,
    rows: Vec<Row>,
    prefixes: Trie<1>,
    /// The prefixes of the overlay and of the operator.
    listed: Vec<Vec<u8>>,
    /// What the operator says of them.
    pub(crate) own: Vec<Override>,
    own_prefixes: Trie<1>,
}

impl ShortNumbers {
    /// Compiles a plan's short numbers.
    pub(crate) fn new(plan: &Plan, overlay: &Overlay, own: &[Override]) -> Result<Self, DialError> {
        let bad = |error: String| DialError::Pattern(error);
        let sources: Vec<&str> = plan.short.iter().map(|(_, pattern)| *pattern).collect();
        let dfa = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .match_kind(MatchKind::All)
                    .start_kind(StartKind::Anchored)
                    .accelerate(false),
            )
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .build_many(&sources)
            .map_err(|error| bad(error.to_string()))?;
        let start = dfa
            .start_state(&start::Config::new().anchored(Anchored::Yes))
            .map_err(|error| bad(error.to_string()))?;
        let mut all = Self {
            dfa,
            start,
            sets: plan.short.iter().map(|(set, _)| *set).collect(),
            rows: Vec::new(),
            prefixes: Trie::default(),
            listed: Vec::new(),
            own: overrides::settled(own.iter().cloned())?,
            own_prefixes: Trie::default(),
        };
        let mut prefixes = TrieBuilder::<1>::default();
        for (index, row) in (0u16..).zip(&all.own) {
            prefixes.insert(row.prefix.as_bytes(), 0, index);
            all.listed.push(row.prefix.as_bytes().to_vec());
        }
        all.own_prefixes = prefixes.build();
        let mut prefixes = TrieBuilder::<1>::default();
        for row in overlay.short(plan.region) {
            prefixes.insert(row.prefix.as_bytes(), 0, u16::try_from(all.rows.len()).unwrap_or(NONE));
            all.listed.push(row.prefix.as_bytes().to_vec());
            all.rows.push(Row { lengths: row.lengths, kind: row.kind, band: row.band, risk: row.risk });
        }
        all.prefixes = prefixes.build();
        Ok(all)
    }

    /// Whether any emergency number, short number or override can begin with these digits.
    pub(crate) fn may_begin(&self, digits: &[u8]) -> bool {
        let state = digits.iter().fold(self.start, |state, byte| self.dfa.next_state(state, *byte));
        let meets =
            |listed: &Vec<u8>| listed.iter().zip(digits).all(|(one, byte)| one == byte || *one == b'x');
        !self.dfa.is_dead_state(state) || self.listed.iter().any(meets)
    }

    /// Whether these digits are an emergency number.
    #[inline]
    pub(crate) fn is_emergency(&self, digits: &[u8]) -> bool {
        digits.len() <= 5 && self.matched(digits) & bit(ShortSet::Emergency) != 0
    }

    /// What these digits are, if they are a short number.
    #[inline]
    pub(crate) fn find(&self, digits: &[u8]) -> Option<Short> {
        if digits.len() > LONGEST {
            return None;
        }
        let listed = self.find_listed(digits);
        if self.own.is_empty() { listed } else { self.overridden(digits, listed) }
    }

    /// As the operator has it. A whole number that he names is one, whether the plan knows it or not.
    #[cold]
    fn overridden(&self, digits: &[u8], listed: Option<Short>) -> Option<Short> {
        let [index] = self.own_prefixes.longest(digits);
        let Some(own) = self.own.get(usize::from(index)) else { return listed };
        let whole = own.prefix.len() == digits.len();
        let unknown = Short {
            kind: Kind::UnknownCost,
            band: Band::ShortUnknown,
            risk: Risk::Low,
            row: None,
            own: None,
        };
        let listed = listed.or_else(|| whole.then_some(unknown))?;
        let (kind, band) = match own.kind {
            Some(kind @ Kind::TollFree) => (kind, Band::Free),
            Some(kind @ Kind::SharedCost) => (kind, Band::SharedCost),
            Some(kind) => (kind, Band::Premium),
            None => (listed.kind, listed.band),
        };
        let risk = own.risk.unwrap_or(listed.risk);
        Some(Short { kind, band, risk, own: Some(index), ..listed })
    }

    fn find_listed(&self, digits: &[u8]) -> Option<Short> {
        let row = self.row(digits);
        let (kind, band) = self.by_pattern(digits).or_else(|| {
            let known = row.filter(|(_, row)| row.kind.is_some());
            known.map(|_| (Kind::UnknownCost, Band::ShortUnknown))
        })?;
        let Some((index, row)) = row else {
            return Some(Short { kind, band, risk: Risk::Low, row: None, own: None });
        };
        let kind = row.kind.unwrap_or(kind);
        let band = row.band.unwrap_or(if kind == Kind::TollFree { Band::Free } else { band });
        Some(Short { kind, band, risk: row.risk, row: u16::try_from(index).ok(), own: None })
    }

    fn row(&self, digits: &[u8]) -> Option<(usize, Row)> {
        let [index] = self.prefixes.longest(digits);
        let row = *self.rows.get(usize::from(index))?;
        (row.lengths >> digits.len() & 1 == 1).then_some((usize::from(index), row))
    }

    /// libphonenumber's `getExpectedCostForRegion`, for numbers that can be called.
    fn by_pattern(&self, digits: &[u8]) -> Option<(Kind, Band)> {
        let matched = self.matched(digits);
        let has = |set| matched & bit(set) != 0;
        if !has(ShortSet::Valid) {
            return None;
        }
        if has(ShortSet::Premium) {
            Some((Kind::PremiumRate, Band::Premium))
        } else if has(ShortSet::Standard) {
            Some((Kind::UnknownCost, Band::ShortOrdinary))
        } else if has(ShortSet::TollFree) || has(ShortSet::Emergency) {
            Some((Kind::TollFree, Band::Free))
        } else if has(ShortSet::Messages) || has(ShortSet::Carrier) {
            None
        } else {
            Some((Kind::UnknownCost, Band::ShortUnknown))
        }
    }

    /// The sets that have exactly these digits, as bits.
    fn matched(&self, digits: &[u8]) -> u8 {
        let mut state = self.start;
        for byte in digits {
            state = self.dfa.next_state(state, *byte);
            if self.dfa.is_dead_state(state) {
                return 0;
            }
        }
        let end = self.dfa.next_eoi_state(state);
        if !self.dfa.is_match_state(end) {
            return 0;
        }
        (0..self.dfa.match_len(end))
            .filter_map(|i| self.sets.get(self.dfa.match_pattern(end, i).as_usize()))
            .fold(0, |bits, set| bits | bit(*set))
    }
}

const fn bit(set: ShortSet) -> u8 {
    1 << set as u8
}
