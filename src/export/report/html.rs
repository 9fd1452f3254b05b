//! The page itself.
//!
//! In: `Report`. Out: HTML that prints on A4.
//! Never: lets text from the wire be anything but text.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use super::changes;
use super::chart::{self, Bar};
use super::gather::{Incident, Report, Totals};
use super::words::{country, day, label, many, moment, money, sentence, short_day, status, text, texts};
use crate::record::grouped;
use crate::time::Span;

const STYLE: &str = include_str!("style.css");
/// Countries that the chart shows.
const COUNTRIES: usize = 10;
/// Findings of a check that are told.
const FINDINGS: usize = 12;
/// Days that the chart shows; of a longer period the last ones.
const DAYS: i64 = 92;
const UNKNOWN: &str = "nothing is known of the time before";

pub(super) fn page(report: &Report) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Telephone security report: " (report.site) ", " (first_day(report)) " to " (last_day(report)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Telephone security report" }
                    p { strong { (report.site) } ", " (first_day(report)) " to " (last_day(report)) }
                }
                main {
                    (summary(report))
                    (changes::section(report))
                    (incidents(report))
                    (calls(report))
                    (checklist(report))
                    (coverage(report))
                }
                footer { (method(report)) }
            }
        }
    }
}

fn summary(report: &Report) -> Markup {
    let totals = &report.totals;
    let avoided: i64 = report.incidents.iter().map(|incident| incident.avoided).sum();
    let findings = findings(report.checklists[0].as_ref());
    let unseen = report.watched == 0 && report.sums.is_empty();
    let verdict = match (totals.incidents, findings) {
        (0, 0) if unseen => {
            "Nothing is known of this time: nobody can say whether there was toll fraud.".to_owned()
        }
        (0, 0) if report.checklists[0].is_none() => {
            "No toll fraud was seen. The handset-security checklist was not noted.".to_owned()
        }
        (0, 0) => "No toll fraud was seen, and the handset-security checklist has no finding.".to_owned(),
        (0, n) => {
            format!("No toll fraud was seen. The handset-security checklist has {}.", many(n, "finding"))
        }
        (n, 0) => format!("{} of suspected toll fraud or intrusion paged somebody.", many(n, "incident")),
        (n, m) => format!(
            "{} of suspected toll fraud or intrusion paged somebody, and the handset-security checklist has {}.",
            many(n, "incident"),
            many(m, "finding")
        ),
    };
    html! {
        section aria-labelledby="summary" {
            h2 id="summary" { "In short" }
            p class="verdict" { (verdict) }
            dl class="figures" {
                (figure("Incidents", &totals.incidents.to_string(), &change(report, totals.incidents, |b| b.incidents)))
                (figure("Money lost in them", &money(totals.lost, &report.currency), "by the prices that each incident names"))
                (figure("Money avoided", &money(avoided, &report.currency), "if each had gone on at its last rate until the office opened"))
                (figure("Calls out of the office", &grouped(totals.attempts), &change(report, totals.attempts, |b| b.attempts)))
                (figure("Cost of all calls", &money(totals.cost, &report.currency), &change_money(report)))
                (figure("Checklist findings", &report.checklists[0].as_ref().map_or_else(|| "not known".to_owned(), |_| findings.to_string()), &format!("before: {}", report.checklists[1].as_ref().map_or_else(|| "not known".to_owned(), |c| self::findings(Some(c)).to_string()))))
            }
        }
    }
}

fn figure(name: &str, figure: &str, note: &str) -> Markup {
    html! { div { dt { (name) } dd { strong { (figure) } br; small { (note) } } } }
}

fn incidents(report: &Report) -> Markup {
    html! {
        section aria-labelledby="incidents" {
            h2 id="incidents" { "Incidents" }
            @if report.incidents.is_empty() { p { "None." } }
            @for incident in &report.incidents { (told(report, incident)) }
            @if report.notices > 0 {
                p { (many(report.notices as u64, "notice")) " that paged nobody (single calls that were out of the ordinary)." }
            }
        }
    }
}

fn told(report: &Report, incident: &Incident) -> Markup {
    let (row, record) = (&incident.row, &incident.record);
    let exposure = &record["exposure"];
    let range = |end: &str| exposure[end].as_f64().map(|amount| money(millionths(amount), &row.currency));
    let reasons = texts(&record["reasons"]);
    let places: Vec<String> = texts(&record["regions"]).iter().map(|region| country(region)).collect();
    html! {
        article class=(format!("incident {}", row.severity)) {
            h3 { (sentence(&row.severity)) ", " (moment(row.raised, &report.hours)) ": " (row.rule.replace('_', " ")) }
            p { (sentence(text(&record["sentence"]))) "." }
            @if !reasons.is_empty() { ul { @for reason in &reasons { li { (reason) } } } }
            dl class="facts" {
                @if let (Some(low), Some(high)) = (range("low"), range("high")) {
                    div { dt { "Lost" } dd { (money(row.amount, &row.currency)) " (" (low) " to " (high) ", " (text(&exposure["basis"])) ")" } }
                }
                @if incident.avoided > 0 { div { dt { "Avoided" } dd { "about " (money(incident.avoided, &row.currency)) } } }
                div { dt { "Handset" } dd { (whom(record)) } }
                @if row.calls > 0 { div { dt { "Calls" } dd { (many(u64::from(row.calls), "call")) " to " (many(record["numbers"].as_u64().unwrap_or(0), "number")) @if !places.is_empty() { " in " (places.join(", ")) } } } }
                div { dt { "Ended" } dd { @if let Some(at) = row.cleared() { (moment(at, &report.hours)) } @else { "still open" } } }
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float that is too large becomes the largest")]
fn millionths(amount: f64) -> i64 {
    (amount * 1e6).round() as i64
}

fn whom(record: &Value) -> String {
    let parts: Vec<String> = ["handset", "name", "ip", "mac"]
        .iter()
        .filter_map(|key| record[*key].as_str())
        .map(str::to_owned)
        .collect();
    if parts.is_empty() { "the whole office".to_owned() } else { parts.join(", ") }
}

/// A bar for each day, also those without a call.
fn bars(report: &Report) -> Vec<Bar> {
    let local = |at| report.hours.local(at).day;
    let raised: Vec<i64> = report.incidents.iter().map(|i| local(i.row.raised)).collect();
    let known: BTreeMap<i64, u64> = report.days.iter().map(|d| (d.day, d.attempts)).collect();
    let last = local(report.period.until.minus(Span(1)));
    let first = local(report.period.from).max(last.saturating_sub(DAYS - 1));
    #[expect(clippy::cast_precision_loss, reason = "a bar's length needs no more")]
    let bar = |day: i64| {
        let attempts = known.get(&day).copied().unwrap_or(0);
        Bar {
            label: short_day(day),
            value: attempts as f64,
            figure: many(attempts, "call"),
            marked: raised.contains(&day),
        }
    };
    (first..=last).map(bar).collect()
}

fn calls(report: &Report) -> Markup {
    html! {
        section aria-labelledby="calls" {
            h2 id="calls" { "Calls and money" }
            @if report.sums.is_empty() { p { "No call from the office was seen in this time." } } @else {
                figure { figcaption { "Calls out of the office by day; ! marks the days of incidents" } (chart::days("Calls by day", &bars(report))) }
                figure { figcaption { "Money by country, by the price table or your carrier's deck" } (chart::rows("Money by country", &countries(report))) }
                (classes(report))
            }
        }
    }
}

fn countries(report: &Report) -> Vec<Bar> {
    let mut by: BTreeMap<&str, i64> = BTreeMap::new();
    for sum in report.sums.iter().filter(|sum| !sum.region.is_empty() && sum.class != "internal") {
        *by.entry(&sum.region).or_default() += sum.cost;
    }
    let mut all: Vec<_> = by.into_iter().collect();
    all.sort_by_key(|(region, cost)| (std::cmp::Reverse(*cost), *region));
    #[expect(clippy::cast_precision_loss, reason = "a bar's length needs no more")]
    let bar = |(region, cost): (&str, i64)| Bar {
        label: sentence(&country(region)),
        value: cost as f64,
        figure: money(cost, &report.currency),
        marked: false,
    };
    all.into_iter().take(COUNTRIES).map(bar).collect()
}

fn classes(report: &Report) -> Markup {
    let mut by: BTreeMap<(&str, &str), (u64, u64, Span, i64)> = BTreeMap::new();
    for sum in &report.sums {
        let row = by.entry((&sum.class, &sum.kind)).or_default();
        row.0 += sum.attempts;
        row.1 += sum.answered;
        row.2 = Span(row.2.0.saturating_add(sum.talked.0));
        row.3 += sum.cost;
    }
    html! {
        table {
            thead { tr { th scope="col" { "Class" } th scope="col" { "Kind" } th scope="col" class="n" { "Calls" } th scope="col" class="n" { "Answered" } th scope="col" class="n" { "Minutes" } th scope="col" class="n" { "Money" } } }
            tbody {
                @for ((class, kind), (attempts, answered, talked, cost)) in &by {
                    tr { td { (class) } td { (kind.replace('_', " ")) } td class="n" { (grouped(*attempts)) } td class="n" { (grouped(*answered)) }
                        td class="n" { (minutes(*talked)) } td class="n" { (money(*cost, &report.currency)) } }
                }
            }
        }
    }
}

fn checklist(report: &Report) -> Markup {
    let before = |check: &str| {
        let rows = report.checklists[1].as_ref().and_then(|list| list["checks"].as_array());
        rows.and_then(|rows| rows.iter().find(|row| row["check"] == check))
            .and_then(|row| row["status"].as_str())
    };
    html! {
        section aria-labelledby="checklist" {
            h2 id="checklist" { "Handset security" }
            @match report.checklists[0].as_ref().and_then(|list| list["checks"].as_array()) {
                None => p { "The checklist was not noted in this time." },
                Some(rows) => @for (n, row) in rows.iter().enumerate() {
                    @if n == 0 || rows[n - 1]["section"] != row["section"] { h3 { (section(row)) } }
                    (check(row, before(text(&row["check"]))))
                }
            }
        }
    }
}

fn section(row: &Value) -> String {
    use crate::tally::Label as _;
    let known = crate::posture::sheet::Section::ALL
        .iter()
        .find(|section| Some(section.name()) == row["section"].as_str());
    known.map_or_else(|| text(&row["section"]).replace('_', " "), |section| section.title().to_owned())
}

fn check(row: &Value, before: Option<&str>) -> Markup {
    let state = text(&row["status"]);
    let found: Vec<&Value> = row["findings"].as_array().map(|list| list.iter().collect()).unwrap_or_default();
    html! {
        div class=(format!("check {state}")) {
            p {
                span class="state" { (sentence(status(state))) } " " strong { (label(text(&row["check"]))) }
                @if let Some(before) = before.filter(|b| *b != state) { " " em { "(before: " (status(before)) ")" } }
            }
            @if let Some(why) = row["why"].as_str().filter(|why| !why.is_empty()) { p class="why" { (sentence(why)) } }
            @if !found.is_empty() {
                ul { @for finding in found.iter().take(FINDINGS) { li { (sentence(text(&finding["sentence"]))) } } }
                @if found.len() > FINDINGS { p { "and " (found.len() - FINDINGS) " more" } }
            }
            @if let Some(advice) = row["advice"].as_str() { p class="advice" { "To do: " (advice) } }
        }
    }
}

fn findings(list: Option<&Value>) -> u64 {
    let rows = list.and_then(|list| list["checks"].as_array());
    rows.map_or(0, |rows| rows.iter().filter(|row| row["status"] == "finding").count() as u64)
}

fn coverage(report: &Report) -> Markup {
    let length = report.period.until.since(report.period.from).as_secs().div_euclid(86_400).max(1);
    let warnings = report.coverage.as_ref().map(|coverage| texts(&coverage["warnings"])).unwrap_or_default();
    html! {
        section aria-labelledby="coverage" {
            h2 id="coverage" { "What could be seen" }
            p { "Something was noted on " (report.watched) " of " (length) " days; " (many(report.handsets as u64, "handset")) @if report.handsets == 1 { " is" } @else { " are" } " known." }
            @if report.watched == 0 { p { "Nothing is known of this time: the absence of incidents means nothing." } }
            @if !warnings.is_empty() { ul { @for warning in &warnings { li { (sentence(warning)) } } } }
            p { "Calls placed with stolen passwords from outside, straight to a PBX in the cloud, never cross the office's switch and can't be seen from here." }
        }
    }
}

fn method(report: &Report) -> Markup {
    html! {
        p { "Made by Ringfence " (env!("CARGO_PKG_VERSION")) ", " (moment(report.made, &report.hours)) ". Times are " (report.zone) ". Ringfence is passive: it reads a copy of the traffic." }
        p { "Money is an estimate unless your carrier's rate deck is configured. Money avoided is an estimate too: the last known rate of an incident, until the office next opened, five days at most." }
    }
}

fn change(report: &Report, now: u64, of: impl Fn(&Totals) -> u64) -> String {
    let Some(before) = report.before.as_ref().map(of) else { return UNKNOWN.to_owned() };
    match now.abs_diff(before) {
        0 => "as many as in the time before".to_owned(),
        n if now > before => format!("{} more than in the time before", grouped(n)),
        n => format!("{} fewer than in the time before", grouped(n)),
    }
}

fn change_money(report: &Report) -> String {
    report.before.as_ref().map_or_else(
        || UNKNOWN.to_owned(),
        |before| format!("{} in the time before", money(before.cost, &report.currency)),
    )
}

fn first_day(report: &Report) -> String {
    day(report.hours.local(report.period.from).day)
}

fn last_day(report: &Report) -> String {
    day(report.hours.local(report.period.until.minus(Span(1))).day)
}

/// Whole minutes, as a carrier counts them: one that has begun is one.
fn minutes(talked: Span) -> String {
    grouped(u64::try_from(talked.0).unwrap_or(0).div_ceil(Span::MINUTE.0.unsigned_abs()))
}
