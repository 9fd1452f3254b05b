//! The rules for Prometheus: they hold in promtool, and each alert and rule has a page on what to do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use ringfence::finding::{Check, Rule};
use ringfence::tally::Label;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rules() -> String {
    std::fs::read_to_string(root().join("etc/prometheus/ringfence.rules.yml")).unwrap()
}

#[test]
fn promtool_agrees() {
    let run =
        |args: &[&str], folder: &Path| match Command::new("promtool").args(args).current_dir(folder).output()
        {
            Ok(output) => {
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                true
            }
            Err(why) => {
                println!("skipped: promtool: {why}");
                assert!(std::env::var_os("CI").is_none(), "must not be skipped in CI");
                false
            }
        };
    let folder = root().join("etc/prometheus");
    if run(&["check", "rules", "ringfence.rules.yml"], &folder) {
        run(&["test", "rules", "ringfence.test.yml"], &folder.join("tests"));
    }
}

#[test]
fn every_alert_and_rule_has_a_page_and_all_that_an_alert_needs() {
    let page = |name: &str| root().join(format!("docs/runbooks/{name}.md"));
    let rules = rules();
    let mut alerts = 0;
    for block in rules.split("- alert: ").skip(1) {
        let name = block.lines().next().unwrap().trim();
        for part in ["severity:", "summary:", "description:", &format!("runbooks/{name}.md")] {
            assert!(block.contains(part), "{name} lacks {part}");
        }
        assert!(page(name).is_file(), "{name} has no page");
        alerts += 1;
    }
    assert_eq!(alerts, 16);
    let labels = Rule::ALL.iter().map(|rule| rule.name()).chain(Check::ALL.iter().map(|check| check.name()));
    for label in labels.chain(["fire_drill"]) {
        assert!(page(label).is_file(), "{label} has no page");
    }
}

#[test]
fn toll_fraud_is_everything_that_is_no_check() {
    let checks = Check::ALL.iter().map(|check| check.name()).collect::<Vec<_>>().join("|");
    assert_eq!(rules().matches(&format!("rule!~\"{checks}\"")).count(), 2);
}

/// Each promise names its tests, and they are there.
#[test]
fn every_promise_names_tests_that_exist() {
    let page = std::fs::read_to_string(root().join("docs/promises.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| R") || line.starts_with("| | "));
    assert!(tests_named(rows) > 25);
}

/// So does each check, and none is left out.
#[test]
fn every_check_names_tests_that_exist() {
    let page = std::fs::read_to_string(root().join("docs/posture.md")).unwrap();
    let (_, table) = page.split_once("## What shows it").unwrap();
    let rows = || table.lines().filter(|line| line.starts_with("| `") || line.starts_with("| all"));
    let named: BTreeSet<&str> = rows().filter_map(|row| row.split('`').nth(1)).collect();
    let missing: Vec<_> = Check::ALL.iter().filter(|check| !named.contains(check.name())).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(tests_named(rows()) > 30);
}

/// How many tests the third column of these rows names; each is there.
fn tests_named<'r>(rows: impl Iterator<Item = &'r str>) -> usize {
    let mut tests = 0;
    for row in rows {
        let shown = row.split(" | ").nth(2).unwrap_or_else(|| panic!("{row}"));
        let mut source = String::new();
        for word in shown.split('`').skip(1).step_by(2) {
            if word.ends_with(".rs") {
                source = std::fs::read_to_string(root().join(word)).unwrap_or_else(|e| panic!("{word}: {e}"));
            } else {
                assert!(source.contains(&format!("fn {word}(")), "{word} isn't there: {row}");
                tests += 1;
            }
        }
    }
    tests
}
