//! What a number comes to that neither the overlay nor the operator's overrides speak of.
//!
//! In: the automaton's labels, the home. Out: for each label the target of its numbers, but for the
//! number and the deck's price. Never: says anything that `Dial::target_of` says otherwise.

use super::automaton::MIXED;
use super::reading::rate_of;
use super::tariff::Band;
use super::trie::NONE;
use super::{Class, Dial, Group, Kind, Number, RATE, Region, Risk, Target};
use crate::tally::Label as _;

/// One answer for each label of the automaton.
#[derive(Clone, Default)]
pub(crate) struct Settled {
    /// Of numbers that exist.
    exact: Vec<Answer>,
    /// Of numbers under the home's calling code that don't, by what those nearest to them have in common.
    near: Vec<Answer>,
}

#[derive(Clone, Copy)]
struct Answer {
    region: Region,
    class: Class,
    kind: Kind,
    risk: Risk,
    group: Group,
    band: Band,
}

impl Settled {
    /// For a home: each label as the long way reads it.
    pub(crate) fn new(dial: &Dial) -> Self {
        let labels = u16::try_from(dial.world.automaton.labels()).unwrap_or(NONE);
        let of = |known| {
            (0..labels).map(|label| Answer::new(dial, label, known).unwrap_or(Answer::NONE)).collect()
        };
        Self { exact: of(true), near: of(false) }
    }

    /// The target of a number with a label of its own, or else that of its nearest, for which the
    /// prefixes have these values.
    #[inline]
    pub(crate) fn target(
        &self,
        (label, exact): (u16, bool),
        number: Option<Number>,
        values: [u16; 3],
        rule: &'static str,
    ) -> Option<Target> {
        let Answer { region, class, kind, risk, group, band } =
            *(if exact { &self.exact } else { &self.near }).get(usize::from(label))?;
        let rate = rate_of(values[RATE], group, band);
        Some(Target { class, kind, region: Some(region), number, exact, risk, group, rate, rule })
    }

    /// Bytes of the table.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.exact.as_slice()) + size_of_val(self.near.as_slice())
    }
}

impl Answer {
    const NONE: Self = Self {
        region: Region::WORLD,
        class: Class::Unknown,
        kind: Kind::Invalid,
        risk: Risk::Low,
        group: Group::Suspect,
        band: Band::Unknown,
    };

    fn new(dial: &Dial, label: u16, known: bool) -> Option<Self> {
        let mut found = dial.world.automaton.labelled(label)?;
        if found.plan == MIXED && !known {
            found.plan = dial.home.main;
        }
        let Target { class, kind, region, risk, group, rate, .. } =
            dial.target_of(None, (0, [NONE; 3]), (found, known), "");
        let band = *Band::ALL.get(rate.0 as usize)?;
        Some(Self { region: region?, class, kind, risk, group, band })
    }
}
