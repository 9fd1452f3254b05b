//! From verdicts to incidents: who is paged for which calls.
//!
//! In: verdicts on a call. Out: dossiers, and alerts through the book.
//! Never: pages twice for one call's subject, or for one call alone.

use super::Judge;
use crate::alert::book::Gist;
use crate::alert::{Cause, Key};
use crate::baseline::calls::{Call, Lane, Tier};
use crate::baseline::hours::DayPart;
use crate::bounded::SlotId;
use crate::detect::Verdict;
use crate::detect::dossier::Dossier;
use crate::detect::sentence::Writer;
use crate::dial::{Group, Kind};
use crate::finding::{Rule, Sample, Severity, Subject};
use crate::time::{Span, Timestamp};

/// Calls that come so soon after an incident's last one belong to it.
const SOON: Span = Span::HOUR;

/// Lists of numbers are worked through within this time.
const LIST: Span = Span::hours(2);

/// What an incident of a lane's calls is about.
pub(super) const fn cause(lane: Lane) -> Cause {
    match lane {
        Lane::Home => Cause::Flood,
        Lane::Charged => Cause::Toll,
    }
}

impl Judge {
    /// One page for each subject at the most; what pages nobody becomes a notice.
    pub(super) fn decide(&mut self, lane: Lane, slot: SlotId, now: Timestamp, verdicts: &mut [Verdict]) {
        if verdicts.is_empty() {
            return self.note_call(lane, slot, now);
        }
        for verdict in verdicts.iter_mut() {
            self.temper(verdict, slot, now);
            if verdict.severity == Severity::Info && self.is_hunted(verdict, slot, now) {
                verdict.severity = Severity::Warning;
            }
        }
        match verdicts {
            [one] => self.tell_one(one, lane, slot, now),
            _ => self.tell_all(verdicts, lane, slot, now),
        }
        for verdict in verdicts.iter() {
            self.note_verdict(verdict, slot, now);
        }
    }

    /// What `tell_all` does where it's one verdict, as nearly always in a flood.
    fn tell_one(&mut self, verdict: &Verdict, lane: Lane, slot: SlotId, now: Timestamp) {
        if verdict.severity > Severity::Info {
            self.page(verdict, std::iter::once(verdict), lane, slot, now);
        } else {
            self.notice(verdict, lane, slot, now);
        }
    }

    fn tell_all(&mut self, verdicts: &[Verdict], lane: Lane, slot: SlotId, now: Timestamp) {
        for subject in [true, false] {
            let of = |v: &&Verdict| matches!(v.subject, Subject::Handset(_)) == subject;
            let pages = || verdicts.iter().filter(of).filter(|v| v.severity > Severity::Info);
            let Some(top) = pages().map(|v| v.severity).max() else {
                for verdict in verdicts.iter().filter(of) {
                    self.notice(verdict, lane, slot, now);
                }
                continue;
            };
            let Some(first) = pages().find(|v| v.severity == top).copied() else { continue };
            // What tells most of how the calls are made is named, though it wouldn't page by itself.
            let heard = verdicts.iter().filter(of).filter(|v| v.severity > Severity::Info || tells(v.rule));
            self.page(&first, heard, lane, slot, now);
        }
    }

    /// One call alone is `info`, unless it forwards to a premium or risky number.
    fn temper(&self, verdict: &mut Verdict, slot: SlotId, now: Timestamp) {
        if matches!(verdict.rule, Rule::Forwarding | Rule::Spike) || verdict.severity == Severity::Info {
            return;
        }
        if verdict.lane == Lane::Charged && !self.confirmed(verdict, slot, now) {
            verdict.severity = Severity::Info;
            return;
        }
        let span = now.since(verdict.since);
        let recent = |call: &&Call| call.counts() && now.since(call.time) <= span;
        let block = self.baseline.call(verdict.lane, slot).and_then(Call::block);
        let calls = match verdict.subject {
            // Neighbouring numbers count whoever of the office called them.
            Subject::Handset(_) if verdict.rule == Rule::NumberBlock => {
                let beside = |call: &&Call| recent(call) && call.block() == block;
                self.baseline.office_history(verdict.lane).filter(beside).take(2).count()
            }
            Subject::Handset(id) => self.baseline.history(id, verdict.lane).filter(recent).take(2).count(),
            Subject::Office => self.baseline.office_history(verdict.lane).filter(recent).take(2).count(),
        };
        if calls < 2 {
            verdict.severity = Severity::Info;
        }
    }

    /// Whether what was learnt leaves room for a rule's doubt: ordinary calls of a busy phone page
    /// nobody, whatever limit they reach, unless they go far beyond it.
    fn confirmed(&self, verdict: &Verdict, slot: SlotId, now: Timestamp) -> bool {
        let confirm = self.detect.confirm;
        if tells(verdict.rule) || verdict.count >= verdict.limit * confirm.beyond {
            return true;
        }
        self.baseline.call(Lane::Charged, slot).is_some_and(|call| {
            let crowd = call.crowd.filter(|_| verdict.subject == Subject::Office);
            let score = crowd.map_or(call.judged.odds.score, |crowd| crowd.score.max(call.judged.odds.score));
            let risky = call.tier == Tier::Hot && call.group == Group::Risky;
            let least = match (call.part == DayPart::Open, verdict.rule) {
                (false, Rule::NumberBlock) => confirm.block,
                (true, Rule::NumberBlock) if risky || now.since(verdict.since) >= LIST => confirm.block,
                // By day, people reach these limits with lists, campaigns and wrong numbers.
                (true, Rule::HandsetCeiling) if risky => confirm.list_risky,
                (true, Rule::NumberBlock) if call.group == Group::Premium => confirm.list_risky,
                (true, Rule::HandsetCeiling | Rule::NumberBlock | Rule::Spend) if !risky => confirm.list,
                (true, _) if risky => confirm.open_risky,
                (true, _) => confirm.open,
                (false, _) if call.group == Group::Premium => confirm.shut_premium,
                (false, _) => confirm.shut,
            };
            let young = self.baseline.in_grace(now) && risky;
            let least = if young { least.min(confirm.shut) } else { least };
            call.zone.is_none() || f64::from(score) >= least
        })
    }

    fn notice(&mut self, verdict: &Verdict, lane: Lane, slot: SlotId, now: Timestamp) {
        let cause = cause(verdict.lane);
        if self.book.is_open(&Key { subject: verdict.subject, cause }) {
            return;
        }
        let key = Key { subject: verdict.subject, cause: Cause::Notice(verdict.rule) };
        if self.book.is_open(&key) {
            self.book.touch(&key, now);
            return;
        }
        if self.book.refuses(&key) {
            return;
        }
        let dossier = self.open_dossier(*verdict, slot);
        let Some(call) = self.baseline.call(lane, slot) else { return };
        let finding = self.writer(now).finding(&dossier, &sample(call));
        let gist = gist(&dossier);
        let reported = self.book.report(key, gist, now, || finding);
        self.tell(reported);
    }

    fn page<'v>(
        &mut self,
        verdict: &Verdict,
        all: impl Iterator<Item = &'v Verdict>,
        lane: Lane,
        slot: SlotId,
        now: Timestamp,
    ) {
        let cause = cause(verdict.lane);
        let joins = matches!(verdict.subject, Subject::Handset(_)) && self.is_offices(lane, slot, now);
        let key = self.book.place(Key { subject: verdict.subject, cause }, joins, now);
        let verdict = Verdict { subject: key.subject, ..*verdict };
        let fresh = !self.dossiers.contains(&key);
        if fresh {
            let dossier = self.adopt(verdict, key, slot);
            self.dossiers.insert(key, dossier);
        }
        self.grow(key, lane, slot, now, |judge, dossier| {
            all.for_each(|other| dossier.hear(other));
            judge.add(dossier, key.subject, lane, slot);
            judge.join_links(dossier, &key, now);
        });
        if fresh && !self.book.is_open(&key) {
            self.dossiers.remove(&key);
        }
    }

    /// Changes an incident's dossier where it stands, because of a call, and tells the book.
    pub(super) fn grow(
        &mut self,
        key: Key,
        lane: Lane,
        slot: SlotId,
        now: Timestamp,
        change: impl FnOnce(&mut Self, &mut Dossier),
    ) {
        if let Some(mut dossier) = self.dossiers.lend(&key) {
            change(self, &mut dossier);
            self.report(key, &dossier, lane, slot, now);
            self.dossiers.give_back(key, dossier);
        }
    }

    /// Whether a call is one of those that the office's open incident is about: one attack over many
    /// handsets to one destination. An incident that says only that the office calls or spends too
    /// much in all must not swallow an attack on one handset.
    fn is_offices(&self, lane: Lane, slot: SlotId, now: Timestamp) -> bool {
        let office = Key { subject: Subject::Office, cause: cause(lane) };
        let Some(call) = self.baseline.call(lane, slot) else { return false };
        self.dossiers.get(&office).is_some_and(|dossier| {
            let diffuse = matches!(dossier.verdict.rule, Rule::OfficeCeiling | Rule::Spend);
            !diffuse && now.since(dossier.last) <= SOON && dossier.has_region(call.region)
        })
    }

    /// Tells the book how an incident stands; the call is the one that decides.
    fn report(&mut self, key: Key, dossier: &Dossier, lane: Lane, slot: SlotId, now: Timestamp) {
        let writer = Writer { baseline: &self.baseline, names: &self.names, now };
        let Some(call) = self.baseline.call(lane, slot) else { return };
        let write = || writer.finding(dossier, &sample(call));
        let reported = self.book.report(key, gist(dossier), now, write);
        self.tell(reported);
    }

    /// The calls on which a verdict rests, oldest first.
    fn resting_on(&self, verdict: &Verdict) -> Vec<SlotId> {
        let (id, newest_first) = match verdict.subject {
            Subject::Handset(id) => (Some(id), self.baseline.slots(id, verdict.lane).collect::<Vec<_>>()),
            Subject::Office => (None, self.baseline.office_slots(verdict.lane).collect()),
        };
        let call = |slot: &SlotId| self.baseline.call(verdict.lane, *slot);
        // Only the last few are at hand; a ceiling may rest on more.
        let more = newest_first.last().and_then(call).is_some_and(|oldest| oldest.time >= verdict.since);
        let slots = if more && f64::from(count(&newest_first)) < verdict.count {
            self.baseline.slots_since(id, verdict.lane, verdict.since)
        } else {
            newest_first.into_iter().rev().collect()
        };
        let belongs = |slot: &SlotId| call(slot).is_some_and(|c| c.counts() && c.time >= verdict.since);
        slots.into_iter().filter(belongs).collect()
    }

    /// A dossier with the calls on which a verdict rests; nothing is marked.
    fn open_dossier(&self, verdict: Verdict, deciding: SlotId) -> Dossier {
        let mut dossier = Dossier::new(verdict);
        let mut slots = self.resting_on(&verdict);
        if !slots.contains(&deciding) {
            slots.push(deciding);
        }
        for call in slots.iter().filter_map(|slot| self.baseline.call(verdict.lane, *slot)) {
            dossier.add(call, self.baseline.prices().per_minute(call.rate));
        }
        dossier
    }

    /// The same for an incident: its calls are marked, and what was learnt from them is taken back.
    /// A mark of an incident that is over, or was never told, doesn't count.
    fn adopt(&mut self, verdict: Verdict, key: Key, deciding: SlotId) -> Dossier {
        let mut dossier = Dossier::new(verdict);
        let slots = self.resting_on(&verdict);
        for slot in slots.iter().chain([&deciding]) {
            if let Some(call) = self.baseline.call_mut(verdict.lane, *slot) {
                call.cased[whose(key.subject)] = false;
            }
        }
        for slot in slots {
            if slot != deciding {
                self.add(&mut dossier, key.subject, verdict.lane, slot);
            }
        }
        dossier
    }

    fn add(&mut self, dossier: &mut Dossier, subject: Subject, lane: Lane, slot: SlotId) {
        let Some(call) = self.baseline.call_mut(lane, slot) else { return };
        if lane != dossier.lane() || std::mem::replace(&mut call.cased[whose(subject)], true) {
            return;
        }
        if let Some(call) = self.baseline.call(lane, slot) {
            dossier.add(call, self.baseline.prices().per_minute(call.rate));
        }
        self.baseline.unlearn(lane, slot);
    }

    /// Whether a call just adds to an incident of its handset that can't get more urgent: no rule
    /// need be asked. Keeps a flood cheap.
    pub(super) fn goes_on(&self, lane: Lane, slot: SlotId, now: Timestamp) -> bool {
        let Some(call) = self.baseline.call(lane, slot) else { return false };
        let key = Key { subject: Subject::Handset(call.handset), cause: cause(lane) };
        let urgent = |dossier: &Dossier| {
            let named = |rule| dossier.rules().any(|spoken| spoken == rule);
            dossier.severity() == Severity::Critical
                && now.since(dossier.last) <= SOON
                && (!call.call_id_reused || named(Rule::CallidReuse))
                && (call.kind != Kind::PrefixProbe || named(Rule::PrefixProbe))
        };
        call.counts() && self.dossiers.get(&key).is_some_and(urgent)
    }

    /// A call that no rule speaks of still belongs to its handset's incident if it comes soon after.
    pub(super) fn follow(&mut self, lane: Lane, slot: SlotId, now: Timestamp) {
        let Some(call) = self.baseline.call(lane, slot) else { return };
        // Who has an incident of calls is a suspect.
        if self.suspects.binary_search(&call.handset).is_err() {
            return;
        }
        let cause = cause(lane);
        let subject = Subject::Handset(call.handset);
        let key = Key { subject, cause };
        let soon = |dossier: &Dossier| call.counts() && now.since(dossier.last) <= SOON;
        if call.cased[whose(subject)] || !self.dossiers.get(&key).is_some_and(soon) {
            return;
        }
        self.grow(key, lane, slot, now, |judge, dossier| {
            judge.add(dossier, subject, lane, slot);
            if dossier.rules().any(|rule| rule == Rule::PrefixProbe) {
                judge.join_links(dossier, &key, now);
            }
        });
    }
}

fn sample(call: &Call) -> Sample {
    Sample { call_id: call.call_id, time: call.time }
}

fn count(slots: &[SlotId]) -> u32 {
    u32::try_from(slots.len()).unwrap_or(u32::MAX)
}

fn gist(dossier: &Dossier) -> Gist {
    Gist {
        severity: dossier.severity(),
        calls: dossier.calls,
        amount: dossier.money.amount,
        evidence: dossier.evidence,
    }
}

/// Whether a rule speaks of what nobody does by chance.
const fn tells(rule: Rule) -> bool {
    matches!(rule, Rule::CallidReuse | Rule::PrefixProbe)
}

/// Which of a call's two marks says that it belongs to a subject's incident.
const fn whose(subject: Subject) -> usize {
    match subject {
        Subject::Handset(_) => 0,
        Subject::Office => 1,
    }
}

/// The incidents to which a call belongs.
pub(super) fn cases(call: &Call) -> impl Iterator<Item = Key> {
    let cause = cause(call.lane);
    let subjects = [Subject::Handset(call.handset), Subject::Office];
    subjects
        .into_iter()
        .zip(call.cased)
        .filter(|(_, cased)| *cased)
        .map(move |(subject, _)| Key { subject, cause })
}
