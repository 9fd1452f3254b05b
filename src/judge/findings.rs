//! From the checks of handset security to incidents.
//!
//! In: what `posture` found. Out: findings, and alerts through the book.
//! Never: pages for what is only worth knowing.

use super::{Judge, Output};
use crate::alert::book::Gist;
use crate::alert::{Cause, Key};
use crate::detect::clear_sip_drop::{self, Drop};
use crate::detect::sentence::Chained;
use crate::finding::{CheckFinding, Exposure, Finding, Severity, Status, Subject};
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

    fn costs_nothing(&self) -> Exposure {
        let prices = self.baseline.prices();
        Exposure {
            currency: prices.currency().to_owned(),
            basis: prices.basis().to_owned(),
            ..Exposure::default()
        }
    }

    /// A handset's calls can no longer be seen: worse if somebody was after it before.
    pub(super) fn fell_silent(&mut self, drop: &Drop<'_>, now: Timestamp) {
        let mut finding = clear_sip_drop::heard(drop, &self.names, self.costs_nothing());
        let before = self.hunters(drop.who, now);
        if let Some(chain) = self.writer(now).chain(&before) {
            finding.severity = Severity::Critical;
            chain.join(&mut finding);
        }
        let own = Key { subject: finding.subject, cause: Cause::Unseen };
        let key = self.book.place(own, true, now);
        if key != own {
            (finding.subject, finding.who) = (key.subject, None);
        }
        let gist = Gist { severity: finding.severity, calls: 1, amount: 0, evidence: 0 };
        let reported = self.book.report(key, gist, now, || finding);
        self.tell(reported);
    }

    fn incident(&mut self, found: &CheckFinding, now: Timestamp) {
        let before = self.before_finding(found);
        self.note_finding(found);
        let mut found = found.clone();
        if !before.is_empty() {
            found.severity = Severity::Critical;
        }
        let found = &found;
        let own = Key { subject: found.subject, cause: Cause::Posture(found.check) };
        let key = self.book.place(own, true, now);
        let gist = Gist { severity: found.severity, calls: found.count.max(1), amount: 0, evidence: 0 };
        let none = self.costs_nothing();
        let chain = self.writer(now).chain(&before);
        let reported = self.book.report(key, gist, now, || finding(found, key.subject, none, chain));
        self.tell(reported);
    }
}

/// In the shape of an alert: it rests on no calls and costs nothing yet.
fn finding(found: &CheckFinding, subject: Subject, exposure: Exposure, chain: Option<Chained>) -> Finding {
    let mut finding = Finding {
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
    };
    if let Some(chain) = chain {
        chain.join(&mut finding);
    }
    finding
}
