//! What libphonenumber leaves out: kinds of the odd ranges, and how often a destination turns up in
//! toll fraud.
//!
//! In: `data/overlay.csv`, dated and sourced row by row. Out: the row that applies to a number.
//! Never: makes a list entry an alert of its own.

use super::numbering::{Lengths, Numbering};
use super::tariff::Band;
use super::trie::TrieBuilder;
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

/// The part of a row that decides; the rest explains.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    pub(crate) lengths: Lengths,
    pub(crate) kind: Option<Kind>,
    pub(crate) risk: Risk,
    pub(crate) band: Option<Band>,
}

/// All rows, indexed by what they apply to.
#[derive(Clone, Default)]
pub(crate) struct Overlay {
    rows: Vec<Row>,
    /// What the rows decide, side by side.
    verdicts: Vec<Verdict>,
    /// For each plan, the row of its region.
    regions: Vec<Option<u16>>,
}

impl Overlay {
    /// The shipped rows.
    pub(crate) fn shipped(numbering: &Numbering) -> Result<Self, DialError> {
        let mut all = Self { regions: vec![None; numbering.plans.len()], ..Self::default() };
        let mut reader = csv::Reader::from_reader(FILE.as_bytes());
        for (index, record) in reader.records().enumerate() {
            let row = record.ok().and_then(|record| row(&record));
            let row = row.ok_or(DialError::Data { file: "overlay.csv", line: index + 2 })?;
            all.take(row, numbering);
        }
        Ok(all)
    }

    fn take(&mut self, row: Row, numbering: &Numbering) {
        let index = self.rows.len();
        if row.scope == "region" {
            let of = Region::new(&row.prefix);
            for (plan, slot) in numbering.plans.iter().zip(&mut self.regions) {
                if Some(plan.region) == of {
                    *slot = u16::try_from(index).ok();
                }
            }
        }
        let Row { lengths, kind, risk, band, .. } = row;
        self.verdicts.push(Verdict { lengths, kind, risk, band });
        self.rows.push(row);
    }

    /// Puts the rows of number ranges into a trie's lane.
    pub(crate) fn index(&self, lane: usize, trie: &mut TrieBuilder<3>) {
        for (index, row) in (0u16..).zip(&self.rows).filter(|(_, row)| row.scope == "world") {
            trie.insert(row.prefix.as_bytes(), lane, index);
        }
    }

    /// What a row decides.
    #[inline]
    pub(crate) fn verdict(&self, index: u16) -> Option<Verdict> {
        self.verdicts.get(usize::from(index)).copied()
    }

    /// A row in full.
    pub(crate) fn row(&self, index: u16) -> Option<&Row> {
        self.rows.get(usize::from(index))
    }

    /// What the row of a plan's region decides.
    #[inline]
    pub(crate) fn region_verdict(&self, plan: u16) -> Option<Verdict> {
        let index = (*self.regions.get(usize::from(plan))?)?;
        self.verdicts.get(usize::from(index)).copied()
    }

    /// The row of a region.
    pub(crate) fn region_named(&self, region: Region) -> Option<&Row> {
        self.rows.iter().find(|row| row.scope == "region" && row.prefix == region.as_str())
    }

    /// The rows for short numbers of a home country.
    pub(crate) fn short(&self, home: Region) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.scope == home.as_str())
    }
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
