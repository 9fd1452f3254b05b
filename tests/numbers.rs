//! Tricky dialled strings, one table for each home country, each row with its source.

use std::collections::BTreeMap;
use std::path::Path;

use ringfence::dial::{Dial, Region, Settings};
use ringfence::tally::Label;

const HOMES: [&str; 8] = ["AU", "DE", "ES", "FR", "GB", "IE", "IN", "US"];

/// Columns: outside line, input, class, kind, E.164 or `-`, region or `-`, exact, source.
struct Row {
    outside: String,
    input: String,
    expected: String,
}

fn rows(home: &str) -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/numbers").join(format!("{home}.tsv"));
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!(cells.len(), 8, "{home}: {line}");
            assert!(!cells[7].is_empty(), "{home}: no source: {line}");
            Row { outside: cells[0].to_owned(), input: cells[1].to_owned(), expected: cells[2..7].join(" ") }
        })
        .collect()
}

fn dial(home: &str, outside: &str) -> Dial {
    let outside_line = if outside == "-" { Vec::new() } else { vec![outside.to_owned()] };
    let settings = Settings { outside_line, ..Settings::for_home(Region::new(home).unwrap()) };
    Dial::new(&settings).unwrap()
}

fn read(dial: &Dial, input: &str) -> String {
    let told = dial.explain(input);
    format!(
        "{} {} {} {} {}",
        told.class.name(),
        told.kind.name(),
        told.e164.as_deref().unwrap_or("-"),
        told.region.as_ref().map_or("-", Region::as_str),
        if told.exact { "exact" } else { "inexact" },
    )
}

#[test]
fn tricky_strings_read_as_the_tables_say() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for home in HOMES {
        let mut dials = BTreeMap::new();
        for row in rows(home) {
            let dial = dials.entry(row.outside.clone()).or_insert_with(|| dial(home, &row.outside));
            let told = read(dial, &row.input);
            count += 1;
            if told != row.expected {
                wrong.push(format!("{home} {} {}: {told}, not {}", row.outside, row.input, row.expected));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 700, "only {count} strings");
}
