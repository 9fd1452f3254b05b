//! Where a dialled string goes and what it costs.
//!
//! In: the dialled string of a Request-URI, on which leg. Out: `Target`.
//! Never: decides by the calling code alone, allocates per number, or panics.

mod automaton;
mod classify;
mod compile;
mod deck;
mod deck_cgrates;
mod explain;
mod extensions;
mod extract;
mod feature;
mod number;
mod numbering;
mod outside;
mod overlay;
mod overrides;
mod packed;
mod pattern;
mod plan;
mod probe;
mod reading;
mod settings;
mod settled;
mod short;
mod shortcut;
mod tails;
mod target;
mod tariff;
mod trie;
mod world;

use std::fmt;

pub use explain::Explained;
pub use number::{Number, Region};
pub use outside::OutsideLine;
pub use settings::{DialError, Override, Settings};
pub use target::{Class, Group, Kind, Leg, Rate, RateId, Risk, Target};
pub use tariff::{Cost, currency_of};

/// The deck's rates, in the trie of prefixes.
const RATE: usize = 0;
/// The overlay's rows.
const ROW: usize = 1;
/// The operator's overrides.
const OWN: usize = 2;

/// The dial plan and tariff of one office.
#[derive(Clone)]
pub struct Dial {
    world: &'static world::World,
    home: plan::HomePlan,
    tariff: tariff::Tariff,
    overrides: Vec<Override>,
    /// Prefixes in E.164 form; the lanes are `RATE`, `ROW` and `OWN`.
    prefixes: trie::Trie<3>,
    /// What most numbers of a label come to.
    settled: settled::Settled,
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
            prefixes: trie::Trie::default(),
            settled: settled::Settled::default(),
            deck_skipped: 0,
        };
        let mut prefixes = trie::TrieBuilder::default();
        world.overlay.index(ROW, &mut prefixes);
        let mut risks = Vec::new();
        if let Some((name, text)) = &settings.tariff {
            let mut deck = deck::Deck::read(text)?;
            dial.deck_skipped = deck.skipped;
            for (prefix, risk) in std::mem::take(&mut deck.risks) {
                risks.push(Override {
                    prefix,
                    kind: None,
                    risk: Some(risk),
                    why: format!("rate deck {name}"),
                });
            }
            dial.tariff.lay(name, deck, RATE, &mut prefixes)?;
        }
        // The deck's come first: the configuration knows better.
        dial.overrides = overrides::settled(risks.into_iter().chain(settings.overrides.iter().cloned()))?;
        for (index, row) in (0u16..).zip(&dial.overrides) {
            prefixes.insert(row.prefix.as_bytes(), OWN, index);
        }
        let automaton = &world.automaton;
        dial.prefixes = prefixes.build_along(automaton.begin(), |walk, digit| automaton.go_on(walk, digit));
        dial.settled = settled::Settled::new(&dial);
        Ok(dial)
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

    /// The learned extensions as (digits, value), for a snapshot.
    pub fn learned_extensions(&self) -> Vec<(usize, u64)> {
        self.home.extensions.learned().to_vec()
    }

    /// Takes learned extensions back from a snapshot; what can't be one is left out.
    pub fn restore_learned(&mut self, learned: Vec<(usize, u64)>) {
        self.home.extensions.restore_learned(learned);
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

    /// Where a price comes from: `built-in table 2026-11`, `rate deck NAME`, or that the deck lacks it.
    pub fn basis(&self, id: RateId) -> String {
        self.tariff.basis(id)
    }

    /// Whether the operator configured an outside line.
    pub fn has_outside_line(&self) -> bool {
        !self.home.outside.is_empty()
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
        TableSize {
            nodes,
            labels,
            numbering_bytes,
            tariff_bytes: self.tariff.bytes() + self.prefixes.bytes() + self.settled.bytes(),
        }
    }

    /// The version of libphonenumber's metadata.
    pub const fn metadata_version(&self) -> &'static str {
        self.world.numbering.version
    }
}
