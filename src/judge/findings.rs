//! From the checks of handset security to incidents.
//!
//! In: what `posture` found. Out: findings, and alerts through the book.
//! Never: pages for what is only worth knowing.

use super::{Judge, Output};
use crate::alert::book::Gist;
use crate::alert::chain::Link;
use crate::alert::{Cause, Key};
use crate::finding::{Check, CheckFinding, Exposure, Finding, Severity, Status, Subject};
use crate::posture::password::Verdict;
use crate::tally::Label;
use crate::time::Timestamp;

impl Judge {
    /// Takes in what the password check came to.
    pub fn handle_verdict(&mut self, verdict: &Verdict, now: Timestamp) {
        self.handle_timeout(now);
        self.posture.handle_verdict(verdict, now);
        self.found(now);
    }

    /// Passes on what was found, and opens an incident for what pages.
    pub(super) fn found(&mut self, now: Timestamp) {
        while let Some(told) = self.posture.poll() {
            if told.fresh {
                self.outputs.push_back(Output::Finding(Box::new(told.finding.clone())));
            }
            if told.finding.status == Status::Finding && told.finding.severity > Severity::Info {
                self.incident(&told.finding, now);
            }
        }
    }

    fn incident(&mut self, found: &CheckFinding, now: Timestamp) {
        if let Some(link) = link(found) {
            self.note(found.subject, link, found.time);
        }
        let own = Key { subject: found.subject, cause: Cause::Posture(found.check) };
        let key = self.book.place(own, true, now);
        let gist = Gist { severity: found.severity, calls: found.count.max(1), amount: 0 };
        let prices = self.baseline.prices();
        let none = Exposure {
            currency: prices.currency().to_owned(),
            basis: prices.basis().to_owned(),
            ..Exposure::default()
        };
        let reported = self.book.report(key, gist, now, || finding(found, key.subject, none));
        self.tell(reported);
    }
}

/// What a finding means for fraud that follows: the first steps of an attack.
const fn link(found: &CheckFinding) -> Option<Link> {
    let critical = matches!(found.severity, Severity::Critical);
    match found.check {
        Check::Scanner | Check::Enumeration => Some(Link::Scan),
        Check::BruteForce => Some(Link::BruteForce),
        Check::NewDevice => Some(Link::NewDevice),
        Check::UnsolicitedInbound
        | Check::StrangerSip
        | Check::BackdoorInbound
        | Check::BackdoorOutbound
        | Check::DigestLeak
        | Check::DefaultWebPassword
            if critical =>
        {
            Some(Link::Access)
        }
        _ => None,
    }
}

/// In the shape of an alert: it rests on no calls and costs nothing yet.
fn finding(found: &CheckFinding, subject: Subject, exposure: Exposure) -> Finding {
    Finding {
        time: found.time,
        rule: found.check.into(),
        severity: found.severity,
        subject,
        who: if subject == found.subject { found.who } else { None },
        sentence: found.sentence.clone(),
        reasons: vec![found.check.about().trim_end_matches('.').to_owned()],
        calls: 0,
        numbers: 0,
        regions: Vec::new(),
        exposure,
        evidence: found.evidence.clone(),
        samples: Vec::new(),
        first_call: found.first,
        last_call: found.time,
    }
}
