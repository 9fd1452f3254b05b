//! What an administrator reads after an incident.

use std::io::{self, Write};

use super::money::{amount, grouped};
use super::report::Incident;
use super::{Recorder, Report, Summary, advice, coverage, layout, wire};
use crate::alert::{Alert, AlertState};
use crate::detect::clear_sip_drop;
use crate::finding::{Evidence, Severity, Topic};
use crate::posture::sheet;
use crate::tally::Label;
use crate::time::{OfficeHours, Span, Timestamp, civil_from_days};

/// Handsets that encrypt, as many as a screen takes.
const MAX_HIDDEN: usize = 20;

/// Whether to colour: only on a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// No escape sequences.
    #[default]
    Plain,
    /// ANSI colours.
    Colour,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }

    /// Something to look at.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Something beside the point.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(super) fn warn(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(super) fn severity(self, severity: Severity) -> String {
        let word = severity.name().to_uppercase();
        match severity {
            Severity::Critical => self.paint("1;31", &word),
            Severity::Warning => self.paint("1;33", &word),
            Severity::Info => self.paint("36", &word),
        }
    }
}

/// Writes a replay's result as text.
#[derive(Clone, Debug)]
pub struct Writer {
    /// Colours or none.
    pub style: Style,
    /// Names of handsets.
    pub recorder: Recorder,
    /// The office's local time.
    pub hours: OfficeHours,
    /// What that time zone is called.
    pub zone: String,
    /// Evidence and calls as well.
    pub verbose: bool,
    /// Columns of the terminal; `None` leaves lines as long as they are, for `grep` and files.
    pub width: Option<usize>,
}

/// Where the value of a row begins.
const VALUE: usize = 12;

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Writer {
    /// All of it: incidents, coverage, summary.
    ///
    /// # Errors
    /// Whatever `out` can't write.
    pub fn write(&self, out: &mut dyn Write, report: &Report, summary: &Summary) -> io::Result<()> {
        let (paging, other): (Vec<_>, Vec<_>) =
            report.incidents().partition(|i| i.last.finding.severity >= Severity::Warning);
        for incident in paging {
            self.incident(out, incident)?;
        }
        if !other.is_empty() {
            writeln!(out, "{}", self.style.bold("Worth knowing"))?;
            for incident in other {
                self.notice(out, &incident.last)?;
            }
            writeln!(out)?;
        }
        if report.left_out() > 0 {
            writeln!(
                out,
                "and {} more alerts; --format jsonl prints all of them\n",
                grouped(report.left_out())
            )?;
        }
        self.checklist(out, &summary.checklist)?;
        self.learning(out, summary)?;
        self.coverage(out, summary)?;
        self.summary(out, report, summary)
    }

    /// Who calls abroad as a habit: it is for people to say whether that is in order.
    fn learning(&self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        let report = summary.learning.as_deref().unwrap_or_default();
        if report.is_empty() {
            return Ok(());
        }
        writeln!(out, "{}", self.style.bold("Learnt: these handsets call abroad. Accept?"))?;
        for [habit, accept] in self.recorder.learning_lines(report) {
            self.line(out, 4, &format!("  {habit}"))?;
            self.line(out, 6, &self.style.dim(&format!("    to accept: {accept}")))?;
        }
        writeln!(out)
    }

    /// What became of an incident, for whoever watches: told in full once, then a line each time.
    ///
    /// # Errors
    /// Whatever `out` can't write.
    pub fn alert(&self, out: &mut dyn Write, alert: &Alert) -> io::Result<()> {
        let finding = &alert.finding;
        if alert.state == AlertState::Raised && finding.severity >= Severity::Warning {
            return self.incident(out, &Incident { raised: alert.clone(), last: alert.clone() });
        }
        let time = self.style.dim(&self.time(alert.time));
        let severity = self.style.severity(finding.severity);
        let text = match alert.state {
            AlertState::Cleared => format!("{time}  over: {}, {}", self.who(alert), finding.rule.name()),
            AlertState::Updated => format!("{time}  {severity}  goes on: {}", finding.sentence),
            AlertState::Raised => format!("{time}  {severity}  {}", finding.sentence),
        };
        self.line(out, 4, &text)?;
        if self.verbose { self.evidence(out, alert) } else { Ok(()) }
    }

    fn incident(&self, out: &mut dyn Write, incident: &Incident) -> io::Result<()> {
        let (first, last) = (&incident.raised, &incident.last);
        let finding = &last.finding;
        let rule = self.style.dim(finding.rule.name());
        let severity = self.style.severity(finding.severity);
        self.line(out, 2, &format!("{severity}  {}  {rule}", self.style.bold(&self.who(last))))?;
        self.line(out, 2, &format!("  {}", finding.sentence))?;
        if let Topic::Check(check) = finding.rule {
            return self.weakness(out, first, last, sheet::advice(check));
        }
        if finding.calls == 0 {
            return self.weakness(out, first, last, clear_sip_drop::ADVICE);
        }
        let calls = first.finding.calls;
        let at = finding_call(first);
        self.row(out, "alert", &format!("{} at call {calls}{at}", self.time(first.since)))?;
        let during = self.during(finding.first_call, finding.last_call);
        let numbers = count(u64::from(finding.numbers), "number");
        self.row(
            out,
            "calls",
            &format!("{} to {numbers}, {during}", count(u64::from(finding.calls), "call")),
        )?;
        // `001` says little to people.
        let place = |code: &str| if code == "001" { advice::country(code) } else { code.to_owned() };
        let places: Vec<String> = finding.regions.iter().map(|region| place(region.as_str())).collect();
        if !places.is_empty() {
            self.row(out, "where to", &places.join(", "))?;
        }
        self.row(out, "money", &self.money(first, last))?;
        for (n, reason) in finding.reasons.iter().enumerate() {
            self.row(out, if n == 0 { "why" } else { "" }, reason)?;
        }
        self.ending(out, last)
    }

    /// The rest of an incident that isn't about calls.
    fn weakness(&self, out: &mut dyn Write, first: &Alert, last: &Alert, advice: &str) -> io::Result<()> {
        let finding = &last.finding;
        self.row(out, "alert", &self.time(first.since))?;
        if finding.last_call > finding.first_call {
            self.row(out, "seen", &self.during(finding.first_call, finding.last_call))?;
        }
        self.row(out, "do", advice)?;
        self.ending(out, last)
    }

    fn ending(&self, out: &mut dyn Write, last: &Alert) -> io::Result<()> {
        if last.state == AlertState::Cleared {
            self.row(out, "over", &format!("cleared {}", self.time(last.time)))?;
        }
        if self.verbose {
            self.evidence(out, last)?;
        }
        writeln!(out)
    }

    fn notice(&self, out: &mut dyn Write, alert: &Alert) -> io::Result<()> {
        let time = self.style.dim(&self.time(alert.since));
        self.line(out, 4, &format!("  {time}  {}", alert.finding.sentence))?;
        if self.verbose { self.evidence(out, alert) } else { Ok(()) }
    }

    fn evidence(&self, out: &mut dyn Write, alert: &Alert) -> io::Result<()> {
        let pieces = alert.finding.evidence.iter().map(|(name, value)| format!("{name} {}", evidence(value)));
        let pieces: Vec<String> = pieces.collect();
        if !pieces.is_empty() {
            self.row(out, "evidence", &pieces.join(", "))?;
        }
        for sample in &alert.finding.samples {
            self.row(out, "call", &format!("{}  {}", self.time(sample.time), sample.call_id))?;
        }
        Ok(())
    }

    /// Who it is: name or account, address, hardware address.
    fn who(&self, alert: &Alert) -> String {
        let Some(who) = &alert.finding.who else { return "the whole office".to_owned() };
        let mut parts = Vec::new();
        if !who.user.is_empty() {
            let name = self.recorder.name(who).map(|name| format!(" ({name})")).unwrap_or_default();
            let doubt = if who.verified { "" } else { " (as it calls itself)" };
            parts.push(format!("handset {}{name}{doubt}", who.user));
        }
        parts.push(who.ip.to_string());
        parts.extend(who.mac.map(|mac| mac.to_string()));
        parts.join(", ")
    }

    fn money(&self, first: &Alert, last: &Alert) -> String {
        let exposure = &last.finding.exposure;
        let currency = &exposure.currency;
        let range = if exposure.low == exposure.high {
            String::new()
        } else {
            format!(" ({} to {})", amount(exposure.low), amount(exposure.high))
        };
        let then = amount(first.finding.exposure.amount);
        let basis = &exposure.basis;
        format!(
            "about {currency} {}{range}, {currency} {then} of it before the alert; {basis}",
            amount(exposure.amount)
        )
    }

    fn coverage(&self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        writeln!(out, "{}", self.style.bold("Coverage"))?;
        for warning in &summary.warnings {
            self.line(out, 4, &format!("  {} {warning}", self.style.warn("!")))?;
        }
        for (ip, phone) in summary.hidden_handsets.iter().take(MAX_HIDDEN) {
            self.row(out, "encrypted", &coverage::hidden(*ip, phone))?;
        }
        let more = summary.hidden_handsets.len().saturating_sub(MAX_HIDDEN);
        if more > 0 {
            self.row(out, "encrypted", &format!("and {more} more handsets"))?;
        }
        self.counts(out, "skipped", &summary.skipped)?;
        self.counts(out, "seen", &summary.signs)?;
        self.counts(out, "forgotten", &summary.evicted)?;
        writeln!(out)
    }

    fn counts(&self, out: &mut dyn Write, rows_name: &str, rows: &[(&'static str, u64)]) -> io::Result<()> {
        for (at, (figure, about, label)) in layout::counts(rows).enumerate() {
            let name = self.style.dim(&format!("{:<9}", if at == 0 { rows_name } else { "" }));
            let what = match rows_name {
                "skipped" => format!("{about} {}", self.style.dim(&format!("({label})"))),
                "forgotten" => format!("of the full table {label}"),
                _ => about.to_owned(),
            };
            self.line(out, VALUE + figure.len() + 2, &format!("  {name} {figure}  {what}"))?;
        }
        Ok(())
    }

    fn summary(&self, out: &mut dyn Write, report: &Report, summary: &Summary) -> io::Result<()> {
        let totals = &summary.totals;
        writeln!(out, "{}", self.style.bold("Summary"))?;
        let alerts = match report.paging() {
            0 => "nothing to page anyone for".to_owned(),
            paging => format!("{} to page somebody for", grouped(paging)),
        };
        self.row(out, "alerts", &format!("{} raised, {alerts}", grouped(report.raised())))?;
        self.row(
            out,
            "calls",
            &match (summary.blind, totals.attempts) {
                // 0 would say that nobody called.
                (Some(why), 0) => format!("unknown: {why}"),
                _ => format!(
                    "{} attempted, {} answered, by {}",
                    grouped(totals.attempts),
                    summary.answered().map_or_else(|| "unknown how many".to_owned(), grouped),
                    count(totals.handsets, "handset")
                ),
            },
        )?;
        self.row(
            out,
            "traffic",
            &format!(
                "{}, {}, {}, over {}",
                count(totals.frames, "frame"),
                count(totals.sip_messages, "SIP message"),
                count(totals.invites, "INVITE"),
                length(summary.length)
            ),
        )?;
        self.row(out, "times", &self.zone)
    }

    fn row(&self, out: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
        self.line(out, VALUE, &format!("  {} {value}", self.style.dim(&format!("{name:<9}"))))
    }

    /// A line as wide as the terminal at the most; what doesn't fit goes on below, indented.
    pub(super) fn line(&self, out: &mut dyn Write, hang: usize, text: &str) -> io::Result<()> {
        layout::line(out, self.width, hang, text)
    }

    /// From one moment to another: of the second one only what differs.
    pub(super) fn during(&self, from: Timestamp, to: Timestamp) -> String {
        let (begin, end) = (self.time(from), self.time(to));
        if begin == end {
            return begin;
        }
        let same = self.hours.local(from).day == self.hours.local(to).day;
        let clock = end.rsplit(' ').next().filter(|_| same).unwrap_or(&end);
        format!("{begin} to {clock}")
    }

    /// `Sat 2026-11-21 02:14:07`, local.
    pub(super) fn time(&self, at: Timestamp) -> String {
        let local = self.hours.local(at);
        let (year, month, day) = civil_from_days(local.day);
        let weekday = WEEKDAYS.get(usize::from(local.weekday)).copied().unwrap_or_default();
        let (hour, minute, second) = (local.minute / 60, local.minute % 60, at.as_secs().rem_euclid(60));
        format!("{weekday} {year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// A piece of evidence, for people.
pub(super) fn evidence(value: &Evidence) -> String {
    match value {
        Evidence::Count(n) => grouped(*n),
        Evidence::Figure(x) => figure(*x),
        Evidence::Word(word) => word.clone(),
        Evidence::Flag(flag) => (if *flag { "yes" } else { "no" }).to_owned(),
    }
}

/// To three places, without zeros at its end.
fn figure(x: f64) -> String {
    let text = format!("{x:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Which call decided: the last of the samples.
fn finding_call(alert: &Alert) -> String {
    alert.finding.samples.last().map(|sample| format!(" ({})", wire(&sample.call_id))).unwrap_or_default()
}

pub(super) fn count(n: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// `2 d 14 h`, `3 h 20 min`, `12.5 s`
pub fn length(span: Span) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", span.as_secs_f64()),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}
