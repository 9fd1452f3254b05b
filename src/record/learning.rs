//! The learning report as JSON and as text.
//!
//! In: what `baseline` found to be habits. Out: records, lines, and the lines of configuration that
//! accept them. Never: says that a habit is in order: a person must.

use serde::Serialize;

use super::Recorder;
use super::json::Identity;
use crate::baseline::learning::Habitual;
use crate::text::escape;

/// A handset that calls abroad as a habit.
#[derive(Serialize)]
pub(super) struct HabitualRecord<'a> {
    #[serde(flatten)]
    who: Identity<'a>,
    name: Option<&'a str>,
    countries: Vec<CountryRecord>,
}

#[derive(Serialize)]
struct CountryRecord {
    region: String,
    calls: u16,
    days: u8,
}

impl Recorder {
    pub(super) fn learning<'a>(&'a self, report: &'a [Habitual]) -> Vec<HabitualRecord<'a>> {
        let record = |habitual: &'a Habitual| HabitualRecord {
            who: Identity::of(Some(&habitual.who)),
            name: self.name(&habitual.who),
            countries: habitual
                .countries
                .iter()
                .map(|(region, calls, days)| CountryRecord {
                    region: region.to_string(),
                    calls: *calls,
                    days: *days,
                })
                .collect(),
        };
        report.iter().map(record).collect()
    }

    /// The report as JSON, for whoever shows it elsewhere.
    pub fn learning_value(&self, report: &[Habitual]) -> serde_json::Value {
        serde_json::to_value(self.learning(report)).unwrap_or_default()
    }

    /// A line for each handset, and what to write to accept it.
    pub(super) fn learning_lines(&self, report: &[Habitual]) -> Vec<[String; 2]> {
        let line = |habitual: &Habitual| {
            let who = &habitual.who;
            let named =
                self.name(who).map(|name| format!(" ({})", escape(name.as_bytes()))).unwrap_or_default();
            let handset = if who.user.is_empty() {
                who.ip.to_string()
            } else {
                escape(who.user.as_bytes()).to_string()
            };
            let times =
                |n: u64, noun: &str| if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") };
            let countries: Vec<String> = habitual
                .countries
                .iter()
                .map(|(region, calls, days)| {
                    let (calls, days) = (times(u64::from(*calls), "call"), times(u64::from(*days), "day"));
                    format!("{} ({calls} on {days})", region.name())
                })
                .collect();
            let codes: Vec<String> =
                habitual.countries.iter().map(|(region, ..)| format!("\"{region}\"")).collect();
            let accept = format!("[[handset]] user = \"{handset}\", allow = [{}]", codes.join(", "));
            [format!("handset {handset}{named} calls {}", countries.join(", ")), accept]
        };
        report.iter().map(line).collect()
    }
}
