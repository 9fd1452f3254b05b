//! The page itself.
//!
//! In: `Report`. Out: HTML that prints on A4.
//! Never: lets text from the wire be anything but text.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use super::chart::{self, Bar};
use super::gather::{Incident, Report, Totals};
use crate::time::{Span, Timestamp, civil_from_days};

const STYLE: &str = include_str!("style.css");
/// Countries that the chart shows.
const COUNTRIES: usize = 10;
/// Findings of a check that are told.
const FINDINGS: usize = 12;

pub(super) fn page(report: &Report) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Telephone security report: " (report.site) ", " (day(report.period.from)) " to " (last_day(report)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Telephone security report" }
                    p { strong { (report.site) } ", " (day(report.period.from)) " to " (last_day(report)) }
                }
                main {
                    (summary(report))
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
    let verdict = match (totals.incidents, findings) {
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
                (figure("Calls out of the office", &totals.attempts.to_string(), &change(report, totals.attempts, |b| b.attempts)))
                (figure("Cost of all calls", &money(totals.cost, &report.currency), &change_money(report)))
                (figure("Checklist findings", &findings.to_string(), &format!("before: {}", report.checklists[1].as_ref().map_or_else(|| "not known".to_owned(), |c| self::findings(Some(c)).to_string()))))
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
            @for incident in &report.incidents { (told(incident)) }
            @if report.notices > 0 {
                p { (many(report.notices as u64, "notice")) " that paged nobody (single calls that were out of the ordinary)." }
            }
        }
    }
}

fn told(incident: &Incident) -> Markup {
    let (row, record) = (&incident.row, &incident.record);
    let exposure = &record["exposure"];
    let range = |end: &str| exposure[end].as_f64().map(|amount| format!("{} {amount:.2}", row.currency));
    let reasons = texts(&record["reasons"]);
    html! {
        article class=(format!("incident {}", row.severity)) {
            h3 { (row.severity) ": " (moment(row.raised)) ", " (row.rule.replace('_', " ")) }
            p { (text(&record["sentence"])) "." }
            @if !reasons.is_empty() { ul { @for reason in &reasons { li { (reason) } } } }
            dl class="facts" {
                @if let (Some(low), Some(high)) = (range("low"), range("high")) {
                    div { dt { "Lost" } dd { (money(row.amount, &row.currency)) " (" (low) " to " (high) ", " (text(&exposure["basis"])) ")" } }
                }
                @if incident.avoided > 0 { div { dt { "Avoided" } dd { "about " (money(incident.avoided, &row.currency)) } } }
                div { dt { "Handset" } dd { (whom(record)) } }
                @if row.calls > 0 { div { dt { "Calls" } dd { (row.calls) " to " (record["numbers"].as_u64().unwrap_or(0)) " numbers; " (texts(&record["regions"]).join(", ")) } } }
                div { dt { "Ended" } dd { @if let Some(at) = row.cleared() { (moment(at)) } @else { "still open" } } }
            }
        }
    }
}

fn whom(record: &Value) -> String {
    let parts: Vec<String> = ["handset", "name", "ip", "mac"]
        .iter()
        .filter_map(|key| record[*key].as_str())
        .map(str::to_owned)
        .collect();
    if parts.is_empty() { "the whole office".to_owned() } else { parts.join(", ") }
}

fn calls(report: &Report) -> Markup {
    let raised: Vec<i64> =
        report.incidents.iter().map(|i| i.row.raised.as_secs().div_euclid(86_400)).collect();
    #[expect(clippy::cast_precision_loss, reason = "a bar's length needs no more")]
    let days: Vec<Bar> = report
        .days
        .iter()
        .map(|d| Bar {
            label: short_day(d.day),
            value: d.attempts as f64,
            figure: many(d.attempts, "call"),
            marked: raised.contains(&d.day),
        })
        .collect();
    html! {
        section aria-labelledby="calls" {
            h2 id="calls" { "Calls and money" }
            @if days.is_empty() { p { "No call out of the office was seen in this time." } } @else {
                figure { figcaption { "Calls out of the office by day; ! marks the days of incidents" } (chart::days("Calls by day", &days)) }
                figure { figcaption { "Money by country, by the price table or your carrier's deck" } (chart::rows("Money by country", &countries(report))) }
                (classes(report))
            }
        }
    }
}

fn countries(report: &Report) -> Vec<Bar> {
    let mut by: std::collections::BTreeMap<&str, i64> = std::collections::BTreeMap::new();
    for sum in report.sums.iter().filter(|sum| !sum.region.is_empty() && sum.class != "internal") {
        *by.entry(&sum.region).or_default() += sum.cost;
    }
    let mut all: Vec<_> = by.into_iter().collect();
    all.sort_by_key(|(region, cost)| (std::cmp::Reverse(*cost), *region));
    #[expect(clippy::cast_precision_loss, reason = "a bar's length needs no more")]
    let bar = |(region, cost): (&str, i64)| Bar {
        label: country(region),
        value: cost as f64,
        figure: money(cost, &report.currency),
        marked: false,
    };
    all.into_iter().take(COUNTRIES).map(bar).collect()
}

fn country(region: &str) -> String {
    if region == "001" {
        return "satellite, international networks".to_owned();
    }
    crate::dial::Region::new(region)
        .map_or_else(|| region.to_owned(), |known| format!("{} ({region})", known.name()))
}

fn classes(report: &Report) -> Markup {
    let mut by: std::collections::BTreeMap<(&str, &str), (u64, u64, u64, i64)> =
        std::collections::BTreeMap::new();
    for sum in &report.sums {
        let row = by.entry((&sum.class, &sum.kind)).or_default();
        row.0 += sum.attempts;
        row.1 += sum.answered;
        row.2 += sum.seconds;
        row.3 += sum.cost;
    }
    html! {
        table {
            thead { tr { th { "Class" } th { "Kind" } th class="n" { "Calls" } th class="n" { "Answered" } th class="n" { "Minutes" } th class="n" { "Money" } } }
            tbody {
                @for ((class, kind), (attempts, answered, seconds, cost)) in &by {
                    tr { td { (class) } td { (kind.replace('_', " ")) } td class="n" { (attempts) } td class="n" { (answered) }
                        td class="n" { (seconds.div_ceil(60)) } td class="n" { (money(*cost, &report.currency)) } }
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
    let status = text(&row["status"]);
    let found: Vec<&Value> = row["findings"].as_array().map(|list| list.iter().collect()).unwrap_or_default();
    html! {
        div class=(format!("check {status}")) {
            p {
                strong { (word(status)) } " " (text(&row["check"]).replace('_', " "))
                @if let Some(before) = before.filter(|b| *b != status) { " " em { "(before: " (word(before)) ")" } }
            }
            @if let Some(why) = row["why"].as_str() { p class="why" { (why) } }
            @if !found.is_empty() {
                ul { @for finding in found.iter().take(FINDINGS) { li { (text(&finding["sentence"])) } } }
                @if found.len() > FINDINGS { p { "and " (found.len() - FINDINGS) " more" } }
            }
            @if let Some(advice) = row["advice"].as_str() { p class="advice" { "To do: " (advice) } }
        }
    }
}

/// A state in the words that people are used to; "not seen" is never "pass".
fn word(status: &str) -> &str {
    match status {
        "pass" => "Pass:",
        "finding" => "Finding:",
        "not_seen" => "Not seen:",
        "cannot_see" => "Cannot see:",
        other => other,
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
            p { "Something was noted on " (report.watched) " of " (length) " days; " (report.handsets) " handsets are known." }
            @if report.watched == 0 { p { "Nothing is known of this time: the absence of incidents means nothing." } }
            @if !warnings.is_empty() { ul { @for warning in &warnings { li { (warning) } } } }
            p { "Calls placed with stolen passwords from outside, straight to a PBX in the cloud, never cross the office's switch and can't be seen from here." }
        }
    }
}

fn method(report: &Report) -> Markup {
    html! {
        p { "Made by Ringfence " (env!("CARGO_PKG_VERSION")) " at " (moment(report.made)) ". Times are UTC. Ringfence is passive: it reads a copy of the traffic." }
        p { "Money is an estimate unless your carrier's rate deck is configured. Money avoided is an estimate too: the last known rate of an incident, until the office next opened, five days at most." }
    }
}

fn change(report: &Report, now: u64, of: impl Fn(&Totals) -> u64) -> String {
    report.before.as_ref().map_or_else(
        || "nothing is known of the time before".to_owned(),
        |before| {
            let before = of(before);
            let sign = if now >= before { "+" } else { "−" };
            format!("{sign}{} against the time before", now.abs_diff(before))
        },
    )
}

fn change_money(report: &Report) -> String {
    report.before.as_ref().map_or_else(
        || "nothing is known of the time before".to_owned(),
        |before| format!("{} in the time before", money(before.cost, &report.currency)),
    )
}

fn money(micros: i64, currency: &str) -> String {
    let cents = micros.div_euclid(10_000);
    format!("{currency} {}.{:02}", cents.div_euclid(100), cents.rem_euclid(100))
}

fn many(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<String> {
    let list =
        value.as_array().map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    list.unwrap_or_default()
}

fn day(at: Timestamp) -> String {
    let (year, month, day) = civil_from_days(at.as_secs().div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02}")
}

fn short_day(days: i64) -> String {
    let (_, month, day) = civil_from_days(days);
    format!("{day}.{month}.")
}

fn last_day(report: &Report) -> String {
    day(report.period.until.minus(Span(1)))
}

fn moment(at: Timestamp) -> String {
    let second = at.as_secs().rem_euclid(86_400);
    format!("{} {:02}:{:02}", day(at), second / 3_600, second / 60 % 60)
}
