//! Records as an aligned table.
//!
//! In: JSON records. Out: text. Never: passes on what a terminal would obey.

use std::io::{self, Write};

use serde_json::Value;

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

/// Writes the table; the last column isn't padded.
pub(super) fn table(out: &mut dyn Write, columns: &[Column], records: &[Value]) -> io::Result<()> {
    let heading: Vec<String> = columns.iter().map(|column| column.heading.to_owned()).collect();
    let mut rows = vec![heading];
    rows.extend(records.iter().map(|record| columns.iter().map(|column| column.cell(record)).collect()));
    let width = |at: usize| {
        rows.iter()
            .filter_map(|row| row.get(at))
            .map(|cell| console::measure_text_width(cell))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for row in &rows {
        let mut line = String::new();
        for ((cell, width), column) in row.iter().zip(&widths).zip(columns) {
            let pad = " ".repeat(width.saturating_sub(console::measure_text_width(cell)));
            let right = matches!(column.sort, Sort::Figure | Sort::Money);
            line += &if right { format!("{pad}{cell}  ") } else { format!("{cell}{pad}  ") };
        }
        writeln!(out, "{}", line.trim_end())?;
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
        table(&mut out, &columns, &records).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            " ID  WHO           MONEY\n  7  a\\x1b[31m  GBP 1.50\n123  -                 -\n  8  受付              -\n"
        );
    }
}
