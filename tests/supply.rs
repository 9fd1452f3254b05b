//! What the program is made of: under which licences, and that the bill of materials names all of it.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, ParseMode};

/// Licences that ask for no more than their text.
const ALLOWED: [&str; 10] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];
/// Packages that only bring the text of their licence, which was read: MIT.
const TEXT_ONLY: [&str; 2] = ["rsip", "rsip-derives"];

fn json(words: &[&str]) -> Value {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let out = command.output().unwrap_or_else(|e| panic!("{words:?}: {e}"));
    assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{words:?}: {e}"))
}

fn names(list: &Value) -> BTreeSet<(String, String)> {
    let of = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    list.as_array().unwrap().iter().map(|one| (of(one, "name"), of(one, "version"))).collect()
}

/// What is built here, for the program and for its tests.
fn metadata() -> Value {
    let said = Command::new("rustc").arg("-vV").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    json(&[env!("CARGO"), "metadata", "--locked", "--filter-platform", host, "--format-version", "1"])
}

#[test]
fn every_licence_asks_for_no_more_than_its_text() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let Some(licence) = package["license"].as_str() else {
            assert!(TEXT_ONLY.contains(&name), "{name} names no licence: read its text");
            continue;
        };
        let parsed = Expression::parse_mode(licence, ParseMode::LAX);
        let parsed = parsed.unwrap_or_else(|e| panic!("{name}: {licence}: {e}"));
        let allowed = parsed
            .evaluate(|wanted| wanted.license.id().is_some_and(|licence| ALLOWED.contains(&licence.name)));
        assert!(allowed, "{name} is under {licence}: may it be linked?");
    }
}

#[test]
fn the_bill_of_materials_names_everything_that_is_linked() {
    let found = Command::new("jq").arg("--version").output();
    if found.is_err() {
        assert!(std::env::var("CI").is_err(), "jq isn't installed");
        return;
    }
    let bill = json(&["scripts/bill-of-materials"]);
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    let own = &bill["metadata"]["component"];
    assert_eq!((&own["name"], &own["version"]), (&"ringfence".into(), &env!("CARGO_PKG_VERSION").into()));
    let components = bill["components"].as_array().unwrap();
    for component in components {
        let sum = component["hashes"][0]["content"].as_str().unwrap_or_default();
        assert!(
            sum.len() == 64 && component["purl"].as_str().unwrap().starts_with("pkg:cargo/"),
            "{component}"
        );
    }
    // What it must have, and what only tests use.
    let has = |name: &str| components.iter().any(|one| one["name"] == name);
    for name in ["pcap", "etherparse", "rsip", "tokio", "dashmap", "prometheus", "rusqlite"] {
        assert!(has(name), "{name}");
    }
    assert!(!has("spdx") && !has("proptest"));
    let metadata = metadata();
    assert!(names(&bill["components"]).is_subset(&names(&metadata["packages"])));
}
