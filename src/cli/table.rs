//! Records as an aligned table.
//!
//! In: JSON records. Out: text. Never: passes on what a terminal would obey.

use std::io::{self, Write};

use serde_json::Value;

use crate::record::folded;

/// How a column is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Text,
    Figure,
    Time,
    Money,
}

/// A column: its heading and the record's key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    heading: &'static str,
    key: &'static str,
    sort: Sort,
}

impl Column {
    pub(super) const fn text(heading: &'static str, key: &'static str) -> Self {
        Self { heading, key, sort: Sort::Text }
    }

    pub(super) const fn figure(heading: &'static str, key: &'static str) -> Self {
        Self { heading, key, sort: Sort::Figure }
    }

    /// To the second; all times are UTC.
    pub(super) const fn time(heading: &'static str, key: &'static str) -> Self {
        Self { heading, key, sort: Sort::Time }
    }

    pub(super) const fn money(heading: &'static str, key: &'static str) -> Self {
        Self { heading, key, sort: Sort::Money }
    }

    fn cell(&self, record: &Value) -> String {
        let value = &record[self.key];
        match self.sort {
            Sort::Text => plain(value),
            Sort::Figure => value.as_f64().map_or_else(
                || plain(value),
                |figure| if value.is_u64() { value.to_string() } else { format!("{figure:.2}") },
            ),
            Sort::Time => plain(value).replace('T', " ").chars().take(19).collect(),
            Sort::Money => match (value["amount"].as_f64(), value["currency"].as_str()) {
                (Some(amount), Some(currency)) => format!("{currency} {amount:.2}"),
                _ => "-".to_owned(),
            },
        }
    }
}

/// A value as text that a terminal can't misread; `-` for none.
pub(super) fn plain(value: &Value) -> String {
    let text = match value {
        Value::Null => return "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) if text.is_empty() => return "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    // Records were escaped when they were written; names come from the configuration.
    crate::text::escape(text.as_bytes()).replace("\\\\", "\\")
}

/// What the last column must be able to hold beside the others; else it gets lines of its own.
const LAST: usize = 32;
/// The indent of those.
const BELOW: usize = 4;

/// Writes the table, folded to `width` columns where there is one; the last column isn't padded.
pub(super) fn table(
    out: &mut dyn Write,
    width: Option<usize>,
    columns: &[Column],
    records: &[Value],
) -> io::Result<()> {
    let heading: Vec<String> = columns.iter().map(|column| column.heading.to_owned()).collect();
    let mut rows = vec![heading];
    rows.extend(records.iter().map(|record| columns.iter().map(|column| column.cell(record)).collect()));
    let widest = |at: usize| {
        rows.iter()
            .filter_map(|row| row.get(at))
            .map(|cell| console::measure_text_width(cell))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(widest).collect();
    let before: usize = widths.iter().rev().skip(1).map(|width| width.saturating_add(2)).sum();
    let prose = columns.last().is_some_and(|column| column.sort == Sort::Text);
    let below = prose && width.is_some_and(|width| before.saturating_add(LAST) > width);
    for (n, row) in rows.iter().enumerate() {
        let mut line = String::new();
        let last = row.len().saturating_sub(1);
        for (at, ((cell, width), column)) in row.iter().zip(&widths).zip(columns).enumerate() {
            let pad = " ".repeat(width.saturating_sub(console::measure_text_width(cell)));
            let right = matches!(column.sort, Sort::Figure | Sort::Money);
            if at == last && below && n > 0 {
                writeln!(out, "{}", line.trim_end())?;
                line = format!("{}{cell}", " ".repeat(BELOW));
            } else if at == last && prose {
                line += cell;
            } else {
                line += &if right { format!("{pad}{cell}  ") } else { format!("{cell}{pad}  ") };
            }
        }
        folded(out, width, if below { BELOW } else { before }, line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_are_aligned_and_harmless() {
        let columns = [Column::figure("ID", "id"), Column::text("WHO", "who"), Column::money("MONEY", "m")];
        let records = [
            json!({ "id": 7, "who": "a\u{1b}[31m", "m": { "amount": 1.5, "currency": "GBP" } }),
            json!({ "id": 123, "who": null }),
            json!({ "id": 8, "who": "受付" }),
        ];
        let mut out = Vec::new();
        table(&mut out, None, &columns, &records).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            " ID  WHO           MONEY\n  7  a\\x1b[31m  GBP 1.50\n123  -                 -\n  8  受付              -\n"
        );
    }

    #[test]
    fn what_is_long_is_folded_beside_the_rest_or_below_it() {
        let columns =
            [Column::figure("ID", "id"), Column::text("RULE", "rule"), Column::text("WHAT", "what")];
        let what = "handset 214 placed 62 calls to Latvia and Cuba in 2.4 h out of office hours";
        let records = [json!({ "id": 7, "rule": "out_of_hours", "what": what })];
        let folded = |width| {
            let mut out = Vec::new();
            table(&mut out, Some(width), &columns, &records).unwrap();
            String::from_utf8(out).unwrap()
        };
        let beside = folded(60);
        assert!(
            beside.starts_with("ID  RULE          WHAT\n 7  out_of_hours  handset 214 placed"),
            "{beside}"
        );
        assert!(beside.lines().skip(2).all(|line| line.starts_with("                  ")), "{beside}");
        let below = folded(44);
        assert!(below.contains("\n 7  out_of_hours\n    handset 214 placed"), "{below}");
        for (text, width) in [(&beside, 60), (&below, 44)] {
            assert!(
                text.lines().count() > 3 && text.lines().all(|line| line.chars().count() <= width),
                "{text}"
            );
        }
    }
}
