//! What is other than in the time before, of the same length.
//!
//! In: `Report`. Out: sentences.
//! Never: compares with a time of which nothing is known.

use std::collections::BTreeSet;

use maud::{Markup, html};
use serde_json::Value;

use super::gather::{Report, Totals};
use super::words;
use crate::store::Sum;

pub(super) fn section(report: &Report) -> Markup {
    let lines = lines(report);
    html! {
        section aria-labelledby="changes" {
            h2 id="changes" { "What changed" }
            @if report.before.is_none() { p { "Nothing is known of the calls and incidents of the time before, so they can't be compared." } }
            @if lines.is_empty() && report.before.is_some() { p { "Nothing against the time before." } }
            @if !lines.is_empty() { ul { @for line in &lines { li { (line) } } } }
        }
    }
}

fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(before) = &report.before {
        totals(report, before, &mut lines);
    }
    let now = report.checklists[0].as_ref();
    if let (Some(now), Some(before)) = (now, &report.checklists[1]) {
        checks(now, before, &mut lines);
    }
    lines
}

fn totals(report: &Report, before: &Totals, lines: &mut Vec<String>) {
    let now = &report.totals;
    let money = |micros| words::money(micros, &report.currency);
    if now.incidents != before.incidents {
        lines.push(format!("Incidents: {}, before {}.", now.incidents, before.incidents));
    }
    if now.lost != before.lost {
        lines.push(format!("Money lost in incidents: {}, before {}.", money(now.lost), money(before.lost)));
    }
    if now.attempts != before.attempts {
        lines.push(format!("Calls out of the office: {}, before {}.", now.attempts, before.attempts));
    }
    if now.cost != before.cost {
        lines.push(format!("Cost of all calls: {}, before {}.", money(now.cost), money(before.cost)));
    }
    let (called, then) = (regions(&report.sums), regions(&report.sums_before));
    let named =
        |regions: Vec<&&str>| regions.iter().map(|r| words::country(r)).collect::<Vec<_>>().join(", ");
    let fresh: Vec<_> = called.difference(&then).collect();
    if !fresh.is_empty() {
        lines.push(format!("Called now and not before: {}.", named(fresh)));
    }
}

fn regions(sums: &[Sum]) -> BTreeSet<&str> {
    sums.iter().filter(|sum| !sum.region.is_empty()).map(|sum| sum.region.as_str()).collect()
}

fn checks(now: &Value, before: &Value, lines: &mut Vec<String>) {
    for row in rows(now) {
        let check = words::text(&row["check"]);
        let then = rows(before).find(|old| old["check"] == row["check"]);
        let Some(then) = then.map(|old| words::text(&old["status"])) else { continue };
        let status = words::text(&row["status"]);
        if then != status {
            let name = words::label(check);
            lines.push(format!("{name}: {}, before {}.", words::status(status), words::status(then)));
        }
    }
}

fn rows(checklist: &Value) -> impl Iterator<Item = &Value> {
    checklist["checks"].as_array().into_iter().flatten()
}
