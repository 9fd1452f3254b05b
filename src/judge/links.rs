//! The links of one attack: what is noted of findings and calls, and what they make of later ones.
//!
//! In: findings of handset security, verdicts on calls. Out: noted links, higher severities.
//! Never: raises for a link alone.

use super::Judge;
use crate::alert::Key;
use crate::alert::Whom;
use crate::baseline::calls::{Call, Lane, Tier};
use crate::baseline::hours::DayPart;
use crate::bounded::SlotId;
use crate::detect::Verdict;
use crate::detect::dossier::Dossier;
use crate::dial::Kind;
use crate::finding::{Check, CheckFinding, Evidence, Link, Rule, Severity, Step, Subject};
use crate::handsets::Who;
use crate::text::Text;
use crate::time::Timestamp;

/// Decades of evidence from which on a single call may be a test.
const ODD: f32 = 3.0;

impl Judge {
    /// A finding of handset security is a step, if attacks take it.
    pub(super) fn note_finding(&mut self, found: &CheckFinding) {
        let Some(link) = link(found) else { return };
        for whom in whom_found(found) {
            self.chain.note(whom, link, found.time);
        }
    }

    /// What a finding of handset security follows: earlier steps against the same handset or account.
    pub(super) fn before_finding(&self, found: &CheckFinding) -> Vec<Step> {
        let Some(own) = link(found) else { return Vec::new() };
        let whom: Vec<Whom> = whom_found(found).into_iter().filter(|whom| *whom != Whom::Office).collect();
        let mut steps = self.chain.before(&whom, found.first, found.time);
        steps.retain(|step| step.own && step.link < own && step.raises(found.time));
        steps
    }

    /// What a handset, or the office, went through before calls of which the first was placed at `first`.
    fn before(&self, subject: Subject, handsets: &[Subject], first: Timestamp, now: Timestamp) -> Vec<Step> {
        let subjects = std::iter::once(&subject).chain(handsets);
        let whom: Vec<Whom> = subjects.flat_map(|subject| self.whom(*subject)).collect();
        self.chain.before(&whom, first, now)
    }

    fn whom(&self, subject: Subject) -> Vec<Whom> {
        match subject {
            Subject::Office => Vec::new(),
            Subject::Handset(id) => self.baseline.handset(id).map_or_else(Vec::new, |h| whom_is(&h.who)),
        }
    }

    /// Whether somebody was at this handset, or after its account, a few days ago: then one odd call is
    /// enough.
    pub(super) fn is_hunted(&self, verdict: &Verdict, slot: SlotId, now: Timestamp) -> bool {
        let late = |call: &Call| call.tier == Tier::Warm && call.part == DayPart::Shut;
        let odd = |call: &Call| call.counts() && !call.familiar && (call.tier == Tier::Hot || late(call));
        verdict.lane == Lane::Charged
            && matches!(verdict.subject, Subject::Handset(_))
            && self.baseline.call(verdict.lane, slot).is_some_and(odd)
            && self.before(verdict.subject, &[], now, now).iter().any(|step| step.wakes(now))
    }

    /// What somebody did to a handset, or after its account, in the last days.
    pub(super) fn hunters(&self, who: &Who, now: Timestamp) -> Vec<Step> {
        let mut steps = self.chain.before(&whom_is(who), now, now);
        steps.retain(|step| step.wakes(now));
        steps
    }

    /// An incident takes in what came before it, and is more urgent for it.
    pub(super) fn join_links(&self, dossier: &mut Dossier, key: &Key, now: Timestamp) {
        if dossier.lane() != Lane::Charged || !dossier.asks(self.chain.news(), now) {
            return;
        }
        let handsets: Vec<Subject> = dossier.who().iter().map(|id| Subject::Handset(*id)).collect();
        for step in self.before(key.subject, &handsets, dossier.first, now) {
            // Probing that is all there is has nothing before it.
            if step.link != Link::Probing || !dossier.only_probes() {
                dossier.follows(step, now);
            }
        }
    }

    /// A verdict on calls is a step itself.
    pub(super) fn note_verdict(&mut self, verdict: &Verdict, slot: SlotId, now: Timestamp) {
        let Some(call) = self.baseline.call(verdict.lane, slot) else { return };
        let odd = !call.familiar && call.tier >= Tier::Warm && call.counts();
        let link = match verdict.rule {
            Rule::PrefixProbe => Link::Probing,
            Rule::Forwarding if odd && call.kind == Kind::ForwardTo => Link::Forwarding,
            _ if verdict.severity == Severity::Info && odd && verdict.lane == Lane::Charged => Link::Test,
            _ => return,
        };
        self.note(verdict.subject, link, now);
    }

    fn note(&mut self, subject: Subject, link: Link, now: Timestamp) {
        let Subject::Handset(id) = subject else { return };
        let Some(handset) = self.baseline.handset(id) else { return };
        for whom in names(&handset.who) {
            self.chain.note(whom, link, now);
        }
    }

    /// A call of which no rule speaks may be a test all the same.
    pub(super) fn note_call(&mut self, lane: Lane, slot: SlotId, now: Timestamp) {
        let Some(call) = self.baseline.call(lane, slot) else { return };
        let odds = call.judged.odds;
        let odd = odds.decades >= ODD && odds.due > 0.5 && call.tier >= Tier::Warm;
        if lane == Lane::Charged && odd && call.counts() && !call.familiar {
            self.note(Subject::Handset(call.handset), Link::Test, now);
        }
    }

    /// An incident of costly calls was raised, or accepted.
    pub(super) fn note_incident(&mut self, subject: Subject, accepted: bool, now: Timestamp) {
        let mut whom = self.whom(subject);
        if subject == Subject::Office {
            whom.push(Whom::Office);
        }
        for whom in whom {
            if accepted {
                self.chain.excuse(whom);
            } else {
                self.chain.note(whom, Link::Burst, now);
            }
        }
    }
}

fn whom_is(who: &Who) -> Vec<Whom> {
    names(who).collect()
}

/// A handset, and its account if the registrar or PBX accepted it.
fn names(who: &Who) -> impl Iterator<Item = Whom> + use<> {
    let account = (who.verified && !who.user.is_empty()).then_some(Whom::Account(who.user));
    std::iter::once(Whom::Handset(who.id)).chain(account)
}

/// The handset and account of a finding, and the account that it names if that is somebody else's.
fn whom_found(found: &CheckFinding) -> Vec<Whom> {
    let mut whom = found.who.as_ref().map_or_else(Vec::new, whom_is);
    for (name, value) in &found.evidence {
        let Evidence::Word(word) = value else { continue };
        // One account: many are the office's.
        let one = *name == "account" || (*name == "top_accounts" && !word.contains(' '));
        if one && !word.is_empty() {
            whom.push(Whom::Account(Text::from(word.as_str())));
        }
    }
    if whom.is_empty() {
        whom.push(Whom::Office);
    }
    whom
}

/// What a finding means for fraud that follows: the first steps of an attack.
const fn link(found: &CheckFinding) -> Option<Link> {
    let critical = matches!(found.severity, Severity::Critical);
    match found.check {
        Check::Scanner | Check::Enumeration => Some(Link::Scan),
        Check::BruteForce => Some(Link::BruteForce),
        Check::NewDevice => Some(Link::NewDevice),
        Check::DigestLeak => Some(Link::Leak),
        Check::UnsolicitedInbound
        | Check::StrangerSip
        | Check::BackdoorInbound
        | Check::BackdoorOutbound
        | Check::DefaultWebPassword
            if critical =>
        {
            Some(Link::Access)
        }
        _ => None,
    }
}
