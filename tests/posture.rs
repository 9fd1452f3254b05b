//! Handset security on whole captures: the weak office, the sound one, and no secret in any output.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn ringfence(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_ringfence")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

struct Office {
    dir: tempfile::TempDir,
    records: Vec<Value>,
}

impl Office {
    fn new(scenario: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("office.pcap");
        ringfence(&["drill", scenario, "--seed", "7", "-o", path(&file)]);
        let lines = ringfence(&["replay", "--no-store", "--format", "jsonl", path(&file)]);
        let records = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { dir, records }
    }

    /// Each check's status at the end.
    fn statuses(&self) -> BTreeMap<String, String> {
        let summary = self.records.iter().find(|r| r["type"] == "summary").unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        summary["posture"].as_object().unwrap().iter().map(|(k, v)| (k.clone(), text(v))).collect()
    }

    /// The highest severity of each check's findings.
    fn worst(&self) -> BTreeMap<String, String> {
        let mut worst: BTreeMap<String, String> = BTreeMap::new();
        let rank = |s: &str| ["info", "warning", "critical"].iter().position(|x| *x == s);
        for finding in self.records.iter().filter(|r| r["type"] == "finding" && r["status"] == "finding") {
            let (check, severity) =
                (finding["check"].as_str().unwrap(), finding["severity"].as_str().unwrap());
            let known = worst.entry(check.to_owned()).or_insert_with(|| severity.to_owned());
            if rank(severity) > rank(known) {
                severity.clone_into(known);
            }
            assert!(finding["advice"].as_str().is_some_and(|advice| advice.ends_with('.')), "{finding}");
        }
        worst
    }
}

#[test]
fn the_weak_office_shows_its_weaknesses() {
    let office = Office::new("weak_office");
    let worst = office.worst();
    let shown: Vec<(&str, &str)> =
        worst.iter().map(|(check, severity)| (check.as_str(), severity.as_str())).collect();
    assert_eq!(
        shown,
        [
            ("backdoor_inbound", "critical"),
            ("backdoor_outbound", "warning"),
            ("brute_force", "warning"),
            ("clear_provisioning", "warning"),
            ("digest_leak", "critical"),
            ("enumeration", "warning"),
            ("exposed_interface", "critical"),
            ("opened_port", "critical"),
            ("scanner", "critical"),
            ("stranger_sip", "critical"),
            ("unsolicited_inbound", "critical"),
            ("weak_auth", "info"),
        ]
    );
    let statuses = office.statuses();
    assert_eq!(statuses.len(), 19);
    assert_eq!(statuses["default_sip_password"], "cannot_see", "the check is off");
    assert_eq!(statuses["idle_handset"], "cannot_see", "a day is no history");
    // What pages has an alert whose rule is the check's name.
    for (check, severity) in worst.iter().filter(|(_, severity)| *severity != "info") {
        let has = office.records.iter().any(|r| r["type"] == "alert" && r["rule"] == check.as_str());
        assert!(has, "{check} {severity}");
    }
    let text = ringfence(&["replay", "--no-store", path(&office.dir.path().join("office.pcap"))]);
    for heading in
        ["Handset security", "Router and firewall", "Back door", "Passwords", "Unused handsets", "cannot see"]
    {
        assert!(text.contains(heading), "{heading}");
    }
}

#[test]
fn the_sound_office_pages_nobody() {
    let office = Office::new("sound_office");
    let worst = office.worst();
    assert!(worst.values().all(|severity| severity == "info"), "{worst:?}");
    let posture =
        |r: &&Value| r["type"] == "alert" && office.statuses().contains_key(r["rule"].as_str().unwrap());
    assert_eq!(office.records.iter().filter(posture).count(), 0);
    assert_eq!(office.statuses()["exposed_interface"], "pass");
}
