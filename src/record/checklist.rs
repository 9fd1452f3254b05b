//! The checklist of handset security, for people.

use std::io::{self, Write};

use super::text::{Writer, count};
use crate::finding::{CheckFinding, Status};
use crate::posture::{Checklist, Row};
use crate::tally::Label;
use crate::time::Timestamp;

/// Findings of a check that the text shows, at the most.
const SHOWN: usize = 3;
/// Where a check's reason begins, and what was found.
const REASON: usize = 36;
const FOUND: usize = 15;

impl Writer {
    /// The checklist, grouped as the provider's sheet is.
    ///
    /// # Errors
    /// Whatever `out` can't write.
    pub fn checklist(&self, out: &mut dyn Write, checklist: &Checklist) -> io::Result<()> {
        writeln!(out, "{}", self.style.bold("Handset security"))?;
        let mut section = None;
        for row in &checklist.rows {
            if section.replace(row.section) != Some(row.section) {
                writeln!(out, "  {}", self.style.bold(row.section.title()))?;
            }
            self.check(out, row)?;
        }
        writeln!(out)
    }

    fn check(&self, out: &mut dyn Write, row: &Row) -> io::Result<()> {
        let name = row.check.name();
        let word = match row.status {
            Status::Pass => "pass",
            Status::Finding => "finding",
            Status::NotSeen => "not seen",
            Status::CannotSee => "cannot see",
        };
        let status = format!("{word:<10}");
        if row.status == Status::Finding {
            let severity = row.severity.map(|severity| self.style.severity(severity)).unwrap_or_default();
            self.line(out, FOUND, &format!("    {} {name:<20} {severity}", self.style.warn(&status)))?;
        } else {
            let status = if row.status == Status::Pass { self.style.good(&status) } else { status };
            let why = self.style.dim(&row.why);
            self.line(out, REASON, format!("    {status} {name:<20} {why}").trim_end())?;
        }
        for (finding, last) in row.findings.iter().take(self.shown()) {
            self.found(out, finding, *last)?;
        }
        let left = row.more + row.findings.len().saturating_sub(self.shown());
        if left > 0 {
            writeln!(out, "               and {}", count(left as u64, "more finding"))?;
        }
        if row.status == Status::Finding {
            self.line(out, FOUND, &format!("               {} {}", self.style.dim("do:"), row.advice))?;
        }
        for visit in row.audit.iter().take(self.shown()) {
            let allowed = self.style.dim("allowed:");
            self.line(out, FOUND, &format!("               {allowed} {}", visit.sentence))?;
        }
        Ok(())
    }

    fn found(&self, out: &mut dyn Write, finding: &CheckFinding, last: Timestamp) -> io::Result<()> {
        let when = self.style.dim(&format!("({})", self.during(finding.first, last)));
        self.line(out, FOUND, &format!("             - {} {when}", finding.sentence))?;
        if self.verbose {
            for (name, value) in &finding.evidence {
                let name = self.style.dim(name);
                self.line(
                    out,
                    FOUND + 2,
                    &format!("               {name} {}", super::text::evidence(value)),
                )?;
            }
        }
        Ok(())
    }

    const fn shown(&self) -> usize {
        if self.verbose { usize::MAX } else { SHOWN }
    }
}
