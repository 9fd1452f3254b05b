//! A finding in words and figures: one sentence that an admin understands, reasons, evidence.
//!
//! In: a dossier, who it is about, what is usual. Out: `Finding`.
//! Never: prints a number in full, or text from outside unescaped.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use crate::baseline::Baseline;
use crate::baseline::calls::Lane;
use crate::finding::{Evidence, Exposure, Finding, Named, Rule, Sample, Step, Subject};
use crate::handsets::Who;
use crate::tally::Label;
use crate::text::escape;
use crate::time::{Span, Timestamp, civil_from_days};

use super::Verdict;
use super::dossier::Dossier;
use super::place::names;

/// What is needed to write about a dossier.
pub struct Writer<'a> {
    /// What is usual, and prices.
    pub baseline: &'a Baseline,
    /// Accounts and what people call them.
    pub names: &'a BTreeMap<String, String>,
    /// Now.
    pub now: Timestamp,
}

/// What came before, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chained {
    clause: String,
    word: String,
}

/// So many earlier steps are told in the sentence, all of them in the evidence.
const STEPS: usize = 3;
/// So many reasons are given.
const REASONS: usize = 3;

impl Chained {
    /// Adds it to a finding: its sentence, its reasons, its evidence.
    pub fn join(&self, finding: &mut Finding) {
        let _ = write!(finding.sentence, "; earlier, {}", self.clause);
        finding.reasons.truncate(REASONS - 1);
        finding.reasons.push(format!("Earlier steps of an attack: {}", self.clause));
        finding.evidence.push(("chain".into(), Evidence::Word(self.word.clone())));
    }
}

/// Without a new call for so long, nothing is going on any more.
const QUIET: Span = Span::hours(2);

impl Writer<'_> {
    /// Writes it down; `deciding` is the call that made the difference.
    pub fn finding(&self, dossier: &Dossier, deciding: &Sample) -> Finding {
        let verdict = dossier.verdict;
        let who = match verdict.subject {
            Subject::Handset(id) => self.baseline.handset(id).map(|handset| handset.who),
            Subject::Office => None,
        };
        let mut finding = Finding {
            time: self.now,
            rule: verdict.rule.into(),
            severity: verdict.severity,
            subject: verdict.subject,
            who,
            sentence: self.sentence(dossier, who.as_ref()),
            reasons: self.reasons(dossier),
            calls: dossier.calls,
            numbers: dossier.numbers(),
            regions: dossier.regions(),
            exposure: self.exposure(dossier),
            evidence: self.evidence(dossier),
            samples: dossier.samples(deciding),
            first_call: dossier.first,
            last_call: dossier.last,
        };
        if let Some(chain) = self.chain(&dossier.chain) {
            chain.join(&mut finding);
        }
        finding
    }

    /// What came before, in words; `None` if nothing did.
    pub fn chain(&self, steps: &[Step]) -> Option<Chained> {
        let told = |step: &Step| {
            let about = step.link.about().trim_end_matches('.');
            let (first, rest) = about.split_at_checked(1).unwrap_or((about, ""));
            format!("{}{rest} ({})", first.to_lowercase(), self.when(step.time))
        };
        let last = steps.get(steps.len().saturating_sub(STEPS)..).unwrap_or(steps);
        let clauses: Vec<String> = last.iter().map(told).collect();
        let clause = match &clauses[..] {
            [] => return None,
            [one] => one.clone(),
            [most @ .., one] => format!("{} and {one}", most.join(", ")),
        };
        let words: Vec<String> = steps.iter().map(|step| format!("{} {}", step.link, step.time)).collect();
        Some(Chained { clause, word: words.join(", ") })
    }

    /// `Sat 21 Nov 02:14`, by the office's clock.
    fn when(&self, at: Timestamp) -> String {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let local = self.baseline.local(at);
        let (_, month, day) = civil_from_days(local.day);
        let name = |names: &[&'static str], n: u8| names.get(usize::from(n)).copied().unwrap_or("");
        format!(
            "{} {day} {} {:02}:{:02}",
            name(&DAYS, local.weekday),
            name(&MONTHS, month.saturating_sub(1)),
            local.minute / 60,
            local.minute % 60
        )
    }

    fn exposure(&self, dossier: &Dossier) -> Exposure {
        Exposure {
            low: dossier.money.low,
            amount: dossier.money.amount,
            high: dossier.money.high,
            currency: self.baseline.prices().currency().to_owned(),
            basis: self.baseline.prices().basis().to_owned(),
        }
    }

    fn sentence(&self, dossier: &Dossier, who: Option<&Who>) -> String {
        let verdict = dossier.verdict;
        let mut s = self.subject(who);
        let verb = if verdict.rule == Rule::Forwarding { "forwarded" } else { "placed" };
        let _ = write!(s, " {verb} {}", plural(dossier.calls, "call"));
        if verdict.lane == Lane::Charged {
            let _ = write!(s, " to {}", names(&dossier.places()));
        } else {
            s.push_str(" in the home country");
        }
        if verdict.subject == Subject::Office {
            let _ = write!(s, " from {}", plural(count(dossier.handsets()), "handset"));
        }
        if dossier.calls > 1 {
            let placed_in = dossier.last.since(dossier.first).max(Span::SECOND);
            let _ = write!(s, " in {}", duration(placed_in));
        }
        s.push_str(&self.clause(&verdict));
        if verdict.rule == Rule::NumberBlock && f64::from(dossier.calls) < verdict.count {
            s.push_str(", next to numbers that other handsets called just before");
        }
        match (dossier.neighbours(), dossier.numbers()) {
            (0, _) => {}
            (n, all) if n == all => s.push_str(", each number next to another one"),
            (n, _) => {
                let _ = write!(s, ", {n} of the numbers next to each other");
            }
        }
        s.push_str(&self.usual(&verdict));
        s.push_str(&self.cost(dossier));
        s
    }

    fn subject(&self, who: Option<&Who>) -> String {
        who.map_or_else(|| "the office".to_owned(), |who| named(who, self.names))
    }

    fn clause(&self, verdict: &Verdict) -> String {
        let within = duration(verdict.within);
        match verdict.rule {
            Rule::HandsetCeiling | Rule::OfficeCeiling => {
                format!(", {:.0} within {within} where {:.0} are too many", verdict.count, verdict.limit)
            }
            Rule::OutOfHours => " out of office hours".to_owned(),
            Rule::FirstCountry => ", the first ever there".to_owned(),
            Rule::PrefixProbe => format!(", trying one number behind {:.0} prefixes", verdict.count),
            Rule::Concurrent => format!(", {:.0} of them at once", verdict.count),
            Rule::LongCall => format!(", up for {within}"),
            Rule::Spend => {
                let currency = self.baseline.prices().currency();
                format!(", for {} within {within}", units(currency, verdict.count))
            }
            Rule::CallidReuse => format!(", {:.0} of them under Call-IDs used before", verdict.count),
            Rule::Spike | Rule::Forwarding | Rule::NumberBlock | Rule::ClearSipDrop => String::new(),
        }
    }

    fn usual(&self, verdict: &Verdict) -> String {
        let Subject::Handset(id) = verdict.subject else { return String::new() };
        let usual = self.baseline.handset(id).and_then(|h| h.usual_per_hour(verdict.lane, self.now));
        match usual {
            None => String::new(),
            Some(rate) if rate < 0.0005 => "; usually none".to_owned(),
            Some(rate) if rate < 0.1 => format!("; usual {rate:.3} an hour"),
            Some(rate) => format!("; usual {rate:.1} an hour"),
        }
    }

    fn cost(&self, dossier: &Dossier) -> String {
        let currency = self.baseline.prices().currency();
        let so_far = dossier.money.amount;
        if so_far <= 0 {
            return String::new();
        }
        if dossier.talking == 0 && self.now.since(dossier.last) >= QUIET {
            return format!("; about {} in all", money(currency, so_far));
        }
        let per_hour = dossier.per_hour(self.now);
        format!(
            "; about {} so far, {} an hour if it goes on",
            money(currency, so_far),
            money(currency, per_hour)
        )
    }

    fn reasons(&self, dossier: &Dossier) -> Vec<String> {
        let rules = std::iter::once(dossier.verdict.rule).chain(dossier.also.iter().copied());
        rules.take(REASONS).map(|rule| rule.about().trim_end_matches('.').to_owned()).collect()
    }

    fn evidence(&self, dossier: &Dossier) -> Vec<Named> {
        let verdict = dossier.verdict;
        let mut evidence: Vec<(&'static str, Evidence)> = vec![
            ("count", Evidence::Figure(verdict.count)),
            ("limit", Evidence::Figure(verdict.limit)),
            ("within_s", Evidence::Figure(verdict.within.as_secs_f64())),
            ("when", Evidence::Word(self.baseline.part(dossier.last).name().to_owned())),
            ("numbers_side_by_side", Evidence::Count(u64::from(dossier.neighbours()))),
            ("calls_up", Evidence::Count(u64::from(dossier.talking))),
            ("per_hour", Evidence::Figure(as_units(dossier.per_hour(self.now)))),
        ];
        if let Subject::Handset(id) = verdict.subject {
            let usual = self.baseline.handset(id).and_then(|h| h.usual_per_hour(verdict.lane, self.now));
            evidence.extend(usual.map(|rate| ("usual_per_hour", Evidence::Figure(rate))));
        } else {
            evidence.push(("handsets", Evidence::Count(u64::from(count(dossier.handsets())))));
        }
        if !dossier.also.is_empty() {
            let also: Vec<&str> = dossier.also.iter().map(|rule| rule.name()).collect();
            evidence.push(("also", Evidence::Word(also.join(" "))));
        }
        evidence.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect()
    }
}

/// `handset 214 (Reception)`, `handset 10.0.3.17`.
pub(super) fn named(who: &Who, names: &BTreeMap<String, String>) -> String {
    let user = std::str::from_utf8(who.user.as_bytes()).unwrap_or("");
    let name = names.get(user).map(|name| format!(" ({})", escape(name.as_bytes()))).unwrap_or_default();
    if who.user.is_empty() { format!("handset {}", who.ip) } else { format!("handset {}{name}", who.user) }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

pub(super) fn plural(n: u32, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// `40 s`, `4 min`, `2.5 h`, `3 days`.
fn duration(span: Span) -> String {
    let seconds = span.as_secs();
    match seconds {
        ..=99 => format!("{seconds} s"),
        100..=5_999 => format!("{} min", (seconds + 30) / 60),
        6_000..=172_799 => {
            let tenths = (seconds + 180) / 360;
            if tenths % 10 == 0 {
                format!("{} h", tenths / 10)
            } else {
                format!("{}.{} h", tenths / 10, tenths % 10)
            }
        }
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

#[expect(clippy::cast_precision_loss, reason = "money stays far below 2^53 millionths")]
fn as_units(micros: i64) -> f64 {
    micros as f64 / 1e6
}

fn money(currency: &str, micros: i64) -> String {
    units(currency, as_units(micros))
}

/// `GBP 38`, `GBP 1.22`.
fn units(currency: &str, units: f64) -> String {
    if units >= 10.0 { format!("{currency} {units:.0}") } else { format!("{currency} {units:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let say = |seconds| duration(Span::seconds(seconds));
        assert_eq!(
            [say(40), say(240), say(9_000), say(7_200), say(259_200)],
            ["40 s", "4 min", "2.5 h", "2 h", "3 days"]
        );
    }

    #[test]
    fn money_has_cents_only_when_they_matter() {
        assert_eq!([money("GBP", 38_400_000), money("GBP", 1_220_000)], ["GBP 38", "GBP 1.22"]);
    }
}
