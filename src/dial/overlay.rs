//! What libphonenumber leaves out: kinds of the odd ranges, and how often a destination turns up in
//! toll fraud.
//!
//! In: `data/overlay.csv`, dated and sourced row by row. Out: the row that applies to a number.
//! Never: makes a list entry an alert of its own.

use super::numbering::{Lengths, Numbering};
use super::tariff::Band;
use super::trie::Trie;
use super::{DialError, Kind, Region, Risk};

const FILE: &str = include_str!("data/overlay.csv");

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) scope: String,
    pub(crate) prefix: String,
    /// Lengths of whole numbers at which the row makes the number known; none: only known ones.
    pub(crate) lengths: Lengths,
    pub(crate) kind: Option<Kind>,
    pub(crate) risk: Risk,
    pub(crate) band: Option<Band>,
    pub(crate) what: String,
    pub(crate) source: String,
    pub(crate) date: String,
}

/// All rows, indexed by what they apply to.
#[derive(Clone, Default)]
pub(crate) struct Overlay {
    rows: Vec<Row>,
    world: Trie,
    /// Prefixes with `x` for any digit; very few.
    wild: Vec<(Vec<u8>, usize)>,
    /// For each plan, the row of its region.
    regions: Vec<Option<usize>>,
}

impl Overlay {
    /// The shipped rows.
    pub(crate) fn shipped(numbering: &Numbering) -> Result<Self, DialError> {
        let mut all = Self { regions: vec![None; numbering.plans.len()], ..Self::default() };
        let mut reader = csv::Reader::from_reader(FILE.as_bytes());
        for (index, record) in reader.records().enumerate() {
            let row = record.ok().and_then(|record| row(&record));
            all.take(row.ok_or(DialError::Data { file: "overlay.csv", line: index + 2 })?, numbering);
        }
        Ok(all)
    }

    fn take(&mut self, row: Row, numbering: &Numbering) {
        let index = self.rows.len();
        match row.scope.as_str() {
            "world" => {
                let value = u32::try_from(index).unwrap_or(u32::MAX);
                if !self.world.insert(row.prefix.as_bytes(), value) {
                    self.wild.push((row.prefix.clone().into_bytes(), index));
                }
            }
            "region" => {
                let of = Region::new(&row.prefix);
                for (plan, slot) in numbering.plans.iter().zip(&mut self.regions) {
                    if Some(plan.region) == of {
                        *slot = Some(index);
                    }
                }
            }
            _ => {}
        }
        self.rows.push(row);
    }

    /// The row of the longest prefix of a number in E.164 form.
    #[inline]
    pub(crate) fn number(&self, digits: &[u8]) -> Option<&Row> {
        let wild = self.wild.iter().find(|(prefix, _)| fits(prefix, digits)).map(|(_, index)| *index);
        let index = wild.or_else(|| self.world.longest(digits).map(|(index, _)| index as usize))?;
        self.rows.get(index)
    }

    /// The row of a plan's region.
    #[inline]
    pub(crate) fn region(&self, plan: u16) -> Option<&Row> {
        self.rows.get((*self.regions.get(usize::from(plan))?)?)
    }

    /// The rows for short numbers of a home country.
    pub(crate) fn short(&self, home: Region) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.scope == home.as_str())
    }
}

fn fits(prefix: &[u8], digits: &[u8]) -> bool {
    digits.len() >= prefix.len() && prefix.iter().zip(digits).all(|(p, d)| *p == b'x' || p == d)
}

fn row(record: &csv::StringRecord) -> Option<Row> {
    let cell = |i| record.get(i).map(str::to_owned);
    Some(Row {
        scope: cell(0)?,
        prefix: cell(1)?,
        lengths: lengths(record.get(2)?)?,
        kind: named(record.get(3)?)?,
        risk: named(record.get(4)?)??,
        band: named(record.get(5)?)?,
        what: cell(6)?,
        source: cell(7)?,
        date: cell(8)?,
    })
}

/// Lengths with spaces between them.
fn lengths(cell: &str) -> Option<Lengths> {
    cell.split(' ')
        .filter(|n| !n.is_empty())
        .try_fold(0, |set, n| Some(set | 1u32.checked_shl(n.parse().ok()?)?))
}

/// `Some(None)` for an empty cell, `None` for a name that no variant has.
fn named<E: crate::tally::Label>(name: &str) -> Option<Option<E>> {
    if name.is_empty() {
        return Some(None);
    }
    E::ALL.iter().find(|label| label.name() == name).map(|label| Some(*label))
}
