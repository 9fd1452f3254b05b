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
    /// Left out first where a terminal is too narrow for all.
    spare: bool,
}

impl Column {
    pub(super) const fn text(heading: &'static str, key: &'static str) -> Self {
        Self { heading, key, spare: false, sort: Sort::Text }
    }

    pub(super) const fn figure(heading: &'static str, key: &'static str) -> Self {
        Self { heading, key, spare: false, sort: Sort::Figure }
    }

    /// The same column, but one that a narrow terminal can do without.
    pub(super) const fn spare(self) -> Self {
        Self { spare: true, ..self }
    }

    /// To the second; all times are UTC.
    pub(super) const fn time(heading: &'static str, key: &'static str) -> Self {
        Self { heading, key, spare: false, sort: Sort::Time }
    }

    pub(super) const fn money(heading: &'static str, key: &'static str) -> Self {
        Self { heading, key, spare: false, sort: Sort::Money }
    }

    fn cell(&self, record: &Value) -> String {
        let value = &record[self.key];
        match self.sort {
            Sort::Text => plain(value),
            Sort::Figure => value.as_f64().map_or_else(
                || plain(value),
                |figure| if value.is_u64() { value.to_string() } else { format!("{figure:.2}") },
            ),
            Sort::Time => moment(value).trim_end_matches(" UTC").to_owned(),
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

/// A record's time to the second: `2026-11-26 18:01:44 UTC`; `-` for none.
pub(super) fn moment(value: &Value) -> String {
    let text = plain(value);
    match text.split_once('T') {
        Some((day, clock)) => format!("{day} {} UTC", clock.chars().take(8).collect::<String>()),
        None => text,
    }
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
    let mut columns = columns.to_vec();
    let prose = columns.last().is_some_and(|column| column.sort == Sort::Text);
    loop {
        let heading: Vec<String> = columns.iter().map(|column| column.heading.to_owned()).collect();
        let cells = records.iter().map(|record| columns.iter().map(|column| column.cell(record)).collect());
        let rows: Vec<Vec<String>> = std::iter::once(heading).chain(cells).collect();
        let widest = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| measured(cell)).max();
        let widths: Vec<usize> = (0..columns.len()).map(|at| widest(at).unwrap_or(0)).collect();
        let fixed = columns.len().saturating_sub(usize::from(prose));
        let before: usize = widths.iter().take(fixed).map(|width| width.saturating_add(2)).sum();
        let tight = width.is_some_and(|width| before > width.saturating_add(2));
        if let Some(spare) = columns.iter().position(|column| column.spare).filter(|_| tight) {
            columns.remove(spare);
            continue;
        }
        let below = prose && width.is_some_and(|width| before.saturating_add(LAST) > width);
        return write(out, &columns, &rows, &widths, &Fold { width, before, prose, below });
    }
}

fn measured(cell: &str) -> usize {
    console::measure_text_width(cell)
}

/// How rows fit.
struct Fold {
    width: Option<usize>,
    /// Columns that stand before the last one, if that is prose.
    before: usize,
    /// Whether the last one is: it may be folded.
    prose: bool,
    /// Whether it stands on lines of its own.
    below: bool,
}

fn write(
    out: &mut dyn Write,
    columns: &[Column],
    rows: &[Vec<String>],
    widths: &[usize],
    fold: &Fold,
) -> io::Result<()> {
    let Fold { width, before, prose, below } = *fold;
    for (n, row) in rows.iter().enumerate() {
        let mut line = String::new();
        let last = row.len().saturating_sub(1);
        for (at, ((cell, widest), column)) in row.iter().zip(widths).zip(columns).enumerate() {
            let pad = " ".repeat(widest.saturating_sub(measured(cell)));
            let right = matches!(column.sort, Sort::Figure | Sort::Money);
            if at == last && below {
                folded(out, width, BELOW, line.trim_end())?;
                // The heading of what needs none would take a line.
                line = if n == 0 { String::new() } else { format!("{}{cell}", " ".repeat(BELOW)) };
            } else if at == last && prose {
                line += cell;
            } else {
                line += &if right { format!("{pad}{cell}  ") } else { format!("{cell}{pad}  ") };
            }
        }
        if !line.is_empty() {
            folded(out, width, if below { BELOW } else { before }, line.trim_end())?;
        }
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
    fn a_narrow_terminal_does_without_what_is_spare() {
        let columns =
            [Column::text("WHO", "who").spare(), Column::time("WHEN", "when"), Column::figure("N", "n")];
        let records = [json!({ "who": "reception", "when": "2026-11-26T18:01:44.632000Z", "n": 3 })];
        let written = |width| {
            let mut out = Vec::new();
            table(&mut out, Some(width), &columns, &records).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(60), "WHO        WHEN                 N\nreception  2026-11-26 18:01:44  3\n");
        assert_eq!(written(30), "WHEN                 N\n2026-11-26 18:01:44  3\n");
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
        assert!(below.starts_with("ID  RULE\n"), "{below}");
        assert!(below.contains("\n 7  out_of_hours\n    handset 214 placed"), "{below}");
        for (text, width) in [(&beside, 60), (&below, 44)] {
            assert!(
                text.lines().count() >= 3 && text.lines().all(|line| line.chars().count() <= width),
                "{text}"
            );
        }
    }
}
