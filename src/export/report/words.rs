//! Figures, times and labels in the words of the report.
//!
//! In: what the store has. Out: text. Never: knows the page.

use serde_json::Value;

pub(super) use crate::record::advice::country;
use crate::time::{OfficeHours, Timestamp, civil_from_days};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// `GBP 38.20`, from millionths.
pub(super) fn money(micros: i64, currency: &str) -> String {
    let cents = micros.div_euclid(10_000);
    let (whole, part) = (cents.div_euclid(100), cents.rem_euclid(100));
    let whole = crate::record::grouped(u64::try_from(whole).unwrap_or(0));
    format!("{currency} {whole}.{part:02}")
}

/// `1 incident`, `2 incidents`.
pub(super) fn many(n: u64, what: &str) -> String {
    format!("{} {what}{}", crate::record::grouped(n), if n == 1 { "" } else { "s" })
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn texts(value: &Value) -> Vec<String> {
    let list =
        value.as_array().map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    list.unwrap_or_default()
}

/// A label as the beginning of a sentence: `outdated_firmware` is `Outdated firmware`.
pub(super) fn label(label: &str) -> String {
    sentence(&label.replace('_', " ").replace("sip", "SIP"))
}

/// With a capital at its beginning.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A state in the words that people are used to; "not seen" is never "pass".
pub(super) fn status(status: &str) -> &str {
    match status {
        "not_seen" => "not seen",
        "cannot_see" => "cannot see",
        other => other,
    }
}

/// `10 October 2026`, from days since the epoch.
pub(super) fn day(days: i64) -> String {
    let (year, month, day) = civil_from_days(days);
    format!("{day} {} {year:04}", month_name(month))
}

/// `10 Oct`
pub(super) fn short_day(days: i64) -> String {
    let (_, month, day) = civil_from_days(days);
    format!("{day} {}", &month_name(month)[..3])
}

/// `Saturday 10 October 2026, 02:00`, in the office's time.
pub(super) fn moment(at: Timestamp, hours: &OfficeHours) -> String {
    let local = hours.local(at);
    let weekday = WEEKDAYS.get(usize::from(local.weekday)).copied().unwrap_or_default();
    format!("{weekday} {}, {:02}:{:02}", day(local.day), local.minute / 60, local.minute % 60)
}

fn month_name(month: impl TryInto<usize>) -> &'static str {
    let month = month.try_into().unwrap_or(1);
    MONTHS.get(month.wrapping_sub(1)).copied().unwrap_or("January")
}
