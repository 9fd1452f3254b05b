//! What a number comes to that neither the overlay nor the operator's overrides speak of.
//!
//! In: the automaton's labels, the home. Out: for each label the target of its numbers, but for the
//! number and the deck's price. Never: says anything that `Dial::target_of` says otherwise.

use super::reading::rate_of;
use super::tariff::Band;
use super::trie::NONE;
use super::{Class, Dial, Group, Kind, Number, RATE, Region, Risk, Target};
use crate::tally::Label as _;

/// One answer for each label of the automaton.
#[derive(Clone, Default)]
pub(crate) struct Settled(Vec<Answer>);

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
        Self((0..labels).map(|label| Answer::new(dial, label).unwrap_or(Answer::NONE)).collect())
    }

    /// The target of a number with a label, for which the prefixes have these values.
    #[inline]
    pub(crate) fn target(
        &self,
        label: u16,
        number: Option<Number>,
        values: [u16; 3],
        rule: &'static str,
    ) -> Option<Target> {
        let Answer { region, class, kind, risk, group, band } = *self.0.get(usize::from(label))?;
        let rate = rate_of(values[RATE], group, band);
        Some(Target { class, kind, region: Some(region), number, exact: true, risk, group, rate, rule })
    }

    /// Bytes of the table.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
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

    fn new(dial: &Dial, label: u16) -> Option<Self> {
        let found = dial.world.automaton.labelled(label)?;
        let Target { class, kind, region, risk, group, rate, .. } =
            dial.target_of(None, (0, [NONE; 3]), (found, true), "");
        let band = *Band::ALL.get(rate.0 as usize)?;
        Some(Self { region: region?, class, kind, risk, group, band })
    }
}
