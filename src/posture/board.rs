//! What was found, kept until it is mended or long over.
//!
//! In: reports of the checks. Out: findings that are new or got worse; the checklist's evidence.
//! Never: lets strangers' attacks push out what is known of the handsets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::bounded::{Image, Keep, Table};
use crate::finding::{Check, CheckFinding, Severity, Status, Subject};
use crate::tally::Label;
use crate::time::{Span, Timestamp};

/// What tells one finding of a check from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// Which check.
    pub check: Check,
    /// Whom it is about.
    pub subject: Subject,
    /// What else tells it apart: a port, an account, a source; 0 if nothing does.
    pub detail: u64,
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// As it stands now.
    pub finding: CheckFinding,
    /// Whether it is new or got more urgent: then somebody is told.
    pub fresh: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pinned {
    finding: CheckFinding,
    last: Timestamp,
}

/// Findings of each sort that are kept, at the most.
const ROOM: usize = 4_096;
/// An attack is forgotten when nothing more was seen of it for so long; a weakness stays until it is
/// mended, or until nothing was seen of it for a year.
const KEPT: [Span; 2] = [Span::days(31), Span::days(366)];

/// Everything found.
#[derive(Debug)]
pub struct Board {
    /// Attacks, and weaknesses.
    pinned: [Table<Mark, Pinned>; 2],
    /// Checks whose weakness was forgotten without being mended.
    faded: BTreeSet<Check>,
}

impl Default for Board {
    fn default() -> Self {
        Self { pinned: [Table::new(ROOM, 0), Table::new(ROOM, 0)], faded: BTreeSet::new() }
    }
}

/// What was found before a restart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory([Image<Mark, Pinned>; 2], BTreeSet<Check>);

impl Keep for Board {
    type Kept = Memory;

    fn kept(&self) -> Memory {
        Memory([self.pinned[0].image(), self.pinned[1].image()], self.faded.clone())
    }

    fn recall(&mut self, Memory(kept, faded): Memory) {
        self.faded = faded;
        for (table, image) in self.pinned.iter_mut().zip(kept) {
            table.restore(image);
        }
    }
}

impl Board {
    /// A check found something: a finding that is there already counts on, and keeps its first time,
    /// its highest severity and what that rests on.
    pub fn report(&mut self, detail: u64, finding: CheckFinding) -> Told {
        let now = finding.time;
        let mark = Mark { check: finding.check, subject: finding.subject, detail };
        let table = &mut self.pinned[usize::from(finding.check.lasts())];
        let inserted = table.find_or_insert(&mark, now, || Pinned { finding: finding.clone(), last: now });
        if inserted.new {
            return Told { finding, fresh: true };
        }
        let Some(pinned) = table.get_mut(inserted.slot) else { return Told { finding, fresh: true } };
        let told = pinned.finding.severity;
        let fresh = finding.severity > told;
        let first = pinned.finding.first.min(finding.first);
        pinned.last = now;
        if finding.severity < told {
            // What made it so urgent stays to be read.
            let (time, count) = (finding.time, finding.count.max(pinned.finding.count));
            let urgent = pinned.finding.clone();
            pinned.finding = CheckFinding { time, count, first, ..urgent };
        } else {
            pinned.finding = CheckFinding { first, ..finding };
        }
        Told { finding: pinned.finding.clone(), fresh }
    }

    /// Something was mended: the finding as it was, if there was one.
    pub fn mend(&mut self, mark: &Mark) -> Option<CheckFinding> {
        let table = &mut self.pinned[usize::from(mark.check.lasts())];
        let slot = table.find(mark)?;
        table.remove(slot).map(|(_, pinned)| pinned.finding)
    }

    /// Whether something is pinned.
    pub fn has(&self, mark: &Mark) -> bool {
        self.pinned[usize::from(mark.check.lasts())].find(mark).is_some()
    }

    /// Forgets what is long over.
    pub fn expire(&mut self, now: Timestamp) {
        for (table, kept) in self.pinned.iter_mut().zip(KEPT) {
            while let Some((mark, pinned)) = table.expire(now.minus(kept)) {
                if pinned.finding.status == Status::Finding && mark.check.lasts() {
                    self.faded.insert(mark.check);
                }
            }
        }
    }

    /// Whether something was found once and forgotten without being mended: no reason for `pass`.
    pub fn has_faded(&self, check: Check) -> bool {
        self.faded.contains(&check)
    }

    /// What is pinned for a check, the most urgent first, then in order of time.
    pub fn of(&self, check: Check) -> Vec<(&CheckFinding, Timestamp)> {
        let all = self.pinned[usize::from(check.lasts())].iter();
        let mut found: Vec<_> = all
            .filter(|(_, mark, _)| mark.check == check)
            .map(|(_, _, pinned)| (&pinned.finding, pinned.last))
            .collect();
        found.sort_by_key(|(finding, _)| (std::cmp::Reverse(finding.severity), finding.first));
        found
    }

    /// How many findings stand, for each check and severity: the source of a metric.
    pub fn counts(&self) -> Vec<(Check, Severity, u64)> {
        let mut counts = vec![[0u64; 3]; Check::ALL.len()];
        for (_, mark, pinned) in self.pinned.iter().flat_map(Table::iter) {
            if pinned.finding.status == Status::Finding {
                counts[mark.check.index()][pinned.finding.severity.index()] += 1;
            }
        }
        let cell = |check: &Check| {
            let row = counts[check.index()];
            Severity::ALL.iter().map(move |severity| (severity, row[severity.index()]))
        };
        Check::ALL
            .iter()
            .flat_map(|check| cell(check).map(move |(severity, n)| (*check, *severity, n)))
            .collect()
    }

    /// Findings forgotten because too many were kept.
    pub fn evicted(&self) -> u64 {
        self.pinned.iter().map(Table::evicted).sum()
    }
}
