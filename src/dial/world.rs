//! The part of the dial plan that is the same for every home: compiled once in a process.
//!
//! In: the shipped data. Out: numbers in E.164 form with plan, type and overlay row.
//! Never: knows from where a number is dialled.

use std::sync::OnceLock;

use super::automaton::{Automaton, Found};
use super::extract::Dialled;
use super::numbering::{Numbering, Plan};
use super::overlay::Overlay;
use super::packed::Packed;
use super::pattern::Prefix;
use super::{DialError, Region};

static WORLD: OnceLock<Result<World, DialError>> = OnceLock::new();

/// Plans, automaton and overlay.
pub(crate) struct World {
    pub(crate) numbering: &'static Numbering,
    pub(crate) automaton: Automaton,
    pub(crate) overlay: Overlay,
    trunks: Vec<Trunk>,
    /// For each plan, the digits with which a trunk prefix can begin in any plan of its calling code.
    strips: Vec<u16>,
    /// The plans' regions.
    regions: Vec<Region>,
}

/// How a plan's trunk prefix is taken off.
#[derive(Clone)]
struct Trunk {
    pattern: Prefix,
    /// Digits before the first group of the pattern, or none to drop the match.
    before: Option<Vec<u8>>,
}

/// A number that some plan has, exactly or by its beginning.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) number: Dialled,
    pub(crate) found: Found,
    /// Whether the plan has numbers of this length, or longer ones only.
    pub(crate) plausible: bool,
}

impl World {
    /// The shipped world.
    pub(crate) fn shipped() -> Result<&'static Self, DialError> {
        WORLD.get_or_init(Self::compile).as_ref().map_err(Clone::clone)
    }

    fn compile() -> Result<Self, DialError> {
        let numbering = Numbering::shipped()?;
        let trunks = numbering.plans.iter().map(Trunk::new).collect::<Result<Vec<_>, _>>()?;
        let with_code = |code| {
            let all = numbering.plans.iter().zip(&trunks).filter(move |(plan, _)| plan.calling_code == code);
            all.fold(0, |set, (_, trunk): (_, &Trunk)| set | trunk.pattern.first())
        };
        let strips = numbering.plans.iter().map(|plan| with_code(plan.calling_code)).collect();
        Ok(Self {
            numbering,
            automaton: Automaton::new(numbering)?,
            overlay: Overlay::shipped(numbering)?,
            trunks,
            strips,
            regions: numbering.plans.iter().map(|plan| plan.region).collect(),
        })
    }

    pub(crate) fn plan(&self, index: u16) -> Option<&Plan> {
        self.numbering.plans.get(usize::from(index))
    }

    pub(crate) fn region(&self, index: u16) -> Option<Region> {
        self.regions.get(usize::from(index)).copied()
    }

    /// Where an international number leads: `None` if no plan has room for it.
    #[inline]
    pub(crate) fn place(&self, digits: &[u8]) -> Option<Place> {
        if digits.len() < 5 {
            return None;
        }
        let found = self.automaton.find(digits)?;
        if found.exact {
            return Some(Place { number: Dialled::joined(digits, &[])?, found, plausible: true });
        }
        self.place_inexact(digits, found)
    }

    /// A number that isn't exact as it stands may have kept its trunk prefix: +44 (0)20 …
    fn place_inexact(&self, digits: &[u8], found: Found) -> Option<Place> {
        let plan = self.plan(found.plan)?;
        let (code, national) = digits.split_at_checked(usize::from(found.code_len))?;
        let stripped =
            self.without_trunk(found.plan, national).and_then(|rest| Dialled::joined(code, rest.bytes()));
        if let Some(number) = stripped
            && let Some(found) = self.automaton.find(number.bytes())
            && plan.lengths >> national_len(&number, &found).min(31) & 1 == 1
        {
            return Some(Place { number, found, plausible: true });
        }
        let longest = usize::try_from(plan.lengths.checked_ilog2()?).ok()?;
        let len = u32::try_from(national.len()).ok()?;
        let plausible = plan.lengths >> len.min(31) & 1 == 1 || len < plan.lengths.trailing_zeros();
        let number = Dialled::joined(digits, &[])?;
        (national.len() <= longest).then_some(Place { number, found, plausible })
    }

    /// Whether a number's plan has numbers of its length.
    pub(crate) fn is_of_full_length(&self, place: &Place) -> bool {
        let lengths = self.plan(place.found.plan).map_or(0, |plan| plan.lengths);
        place.found.code_len > 0 && lengths >> national_len(&place.number, &place.found).min(31) & 1 == 1
    }

    /// The digits with which a plan's trunk prefix can begin, one bit each.
    pub(crate) fn trunk_first(&self, plan: u16) -> u16 {
        self.trunks.get(usize::from(plan)).map_or(0, |trunk| trunk.pattern.first())
    }

    /// Whether a number exists as it stands or without a trunk prefix behind its calling code: what
    /// [`World::place`] takes for exact.
    #[inline]
    pub(crate) fn exists(&self, number: &Packed, digits: &[u8]) -> bool {
        if self.automaton.label_of(number).is_some() {
            return true;
        }
        let Some((main, code_len)) = self.automaton.code_of(number) else { return false };
        let first = number.without(usize::from(code_len)).first();
        let strips = self.strips.get(usize::from(main)).is_some_and(|set| set >> first & 1 == 1);
        strips && self.place(digits).is_some_and(|place| place.found.exact)
    }

    /// A national number as it was dialled, without its trunk prefix; `None` if it has none.
    #[inline]
    pub(crate) fn without_trunk(&self, plan: u16, national: &[u8]) -> Option<Dialled> {
        let trunk = self.trunks.get(usize::from(plan))?;
        let found = trunk.pattern.find(national)?;
        let rest = national.get(found.len..)?;
        let group = found.groups.get(trunk.pattern.groups()).copied().flatten();
        match (&trunk.before, group) {
            (Some(before), Some((from, to))) => {
                let kept = Dialled::joined(before, national.get(usize::from(from)..usize::from(to))?)?;
                Dialled::joined(kept.bytes(), rest)
            }
            _ => Dialled::joined(rest, &[]),
        }
    }
}

fn national_len(number: &Dialled, found: &Found) -> usize {
    number.bytes().len().saturating_sub(usize::from(found.code_len))
}

impl Trunk {
    fn new(plan: &Plan) -> Result<Self, DialError> {
        let pattern = Prefix::new(plan.trunk_pattern)?;
        // Every rule of the data ends in one group: `264\1`, `9\1`, `\2`.
        let before = plan.transform.split_once('\\').map(|(before, _)| before.as_bytes().to_vec());
        Ok(Self { pattern, before })
    }
}
