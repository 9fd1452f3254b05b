//! Handset security on whole captures: the weak office, the sound one, attacks packet by packet, and no
//! secret in any output.

mod capture;
mod days;
mod headers;
mod intruders;
mod offices;
mod passwords;
mod perimeter;
mod ports;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use capture::Capture;
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
    folder: PathBuf,
    records: Vec<Value>,
}

impl Office {
    /// The capture and the configuration of a fixture.
    fn new(scenario: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/posture").join(scenario);
        let (file, config) = (folder.join("capture.pcap"), folder.join("config.toml"));
        let lines =
            ringfence(&["--config", path(&config), "replay", "--no-store", "--format", "jsonl", path(&file)]);
        let records = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { folder, records }
    }

    /// Another capture, with a configuration.
    fn of(capture: &[u8], text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (file, config) = (dir.path().join("capture.pcap"), dir.path().join("config.toml"));
        std::fs::write(&file, capture).unwrap();
        std::fs::write(&config, text).unwrap();
        let lines =
            ringfence(&["--config", path(&config), "replay", "--no-store", "--format", "jsonl", path(&file)]);
        let records = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { folder: dir.path().to_path_buf(), records }
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
            ("default_sip_password", "critical"),
            ("default_web_password", "critical"),
            ("digest_leak", "critical"),
            ("enumeration", "warning"),
            ("exposed_interface", "critical"),
            ("idle_handset", "info"),
            ("lapsed_registration", "info"),
            ("new_device", "warning"),
            ("opened_port", "critical"),
            ("outdated_firmware", "critical"),
            ("scanner", "critical"),
            ("stranger_sip", "critical"),
            ("unregistered_handset", "warning"),
            ("unsolicited_inbound", "critical"),
            ("weak_auth", "info"),
        ]
    );
    let statuses = office.statuses();
    assert_eq!(statuses.len(), 19);
    assert!(statuses.values().all(|status| status == "finding"), "{statuses:?}");
    // What pages has an alert whose rule is the check's name.
    for (check, severity) in worst.iter().filter(|(_, severity)| *severity != "info") {
        let has = office.records.iter().any(|r| r["type"] == "alert" && r["rule"] == check.as_str());
        assert!(has, "{check} {severity}");
    }
    let capture = office.folder.join("capture.pcap");
    let text = ringfence(&["replay", "--no-store", path(&capture)]);
    for heading in
        ["Handset security", "Router and firewall", "Back door", "Passwords", "Unused handsets", "cannot see"]
    {
        assert!(text.contains(heading), "{heading}");
    }
}

/// Nothing is found, and what can be proved is.
#[test]
fn the_sound_office_has_no_finding() {
    let office = Office::new("sound_office");
    assert_eq!(office.worst(), BTreeMap::new());
    let statuses = office.statuses();
    assert_eq!(statuses.len(), 19);
    for check in [
        "default_sip_password",
        "weak_auth",
        "exposed_interface",
        "idle_handset",
        "unregistered_handset",
        "lapsed_registration",
    ] {
        assert_eq!(statuses[check], "pass", "{check}");
    }
    for (check, status) in statuses {
        assert!(status == "pass" || status == "not_seen", "{check} {status}");
    }
    assert_eq!(office.records.iter().filter(|r| r["type"] == "alert").count(), 0);
}

fn md5(text: &str) -> String {
    use md5::{Digest, Md5};
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A password on the list and one that isn't, both with canaries for what must not come out; a log-in
/// to a page in clear.
#[test]
fn no_secret_is_in_any_output() {
    let mut capture = Capture::new();
    let pbx = ([203, 0, 113, 10], 5_060);
    let mut secrets = vec!["canary-pw-7431".to_owned(), "Y2FuYXJ5LXB3LTc0MzE".to_owned()];
    for (n, password) in [(1u8, "201"), (2, "canary-pw-7431")] {
        let (phone, user) = (([10, 0, 3, n], 5_060), format!("20{n}"));
        let (nonce, cnonce) = (format!("canarynonce{n}"), format!("canarycnonce{n}"));
        let ha1 = md5(&format!("{user}:canary-realm:{password}"));
        let ha2 = md5("REGISTER:sip:canary-realm");
        let response = md5(&format!("{ha1}:{nonce}:00000001:{cnonce}:auth:{ha2}"));
        let head = |cseq| {
            format!(
                "Via: SIP/2.0/UDP 10.0.3.{n}:5060;branch=z9hG4bK{n}{cseq}\r\nFrom: <sip:{user}@canary-realm>;tag=t{n}\r\n\
                 To: <sip:{user}@canary-realm>\r\nCall-ID: c{n}\r\nCSeq: {cseq} REGISTER\r\n\
                 Contact: <sip:{user}@10.0.3.{n}>;expires=3600\r\n"
            )
        };
        let ask = |cseq, more: &str| {
            format!(
                "REGISTER sip:canary-realm SIP/2.0\r\n{}Max-Forwards: 70\r\n{more}Content-Length: 0\r\n\r\n",
                head(cseq)
            )
        };
        let challenge =
            format!("WWW-Authenticate: Digest realm=\"canary-realm\", nonce=\"{nonce}\", qop=\"auth\"\r\n");
        let proof = format!(
            "Authorization: Digest username=\"{user}\", realm=\"canary-realm\", nonce=\"{nonce}\", uri=\"sip:canary-realm\", \
             response=\"{response}\", cnonce=\"{cnonce}\", nc=00000001, qop=auth\r\n"
        );
        capture.udp(phone, pbx, ask(1, ""));
        capture.udp(
            pbx,
            phone,
            format!("SIP/2.0 401 Unauthorized\r\n{}{challenge}Content-Length: 0\r\n\r\n", head(1)),
        );
        capture.udp(phone, pbx, ask(2, &proof));
        capture.udp(pbx, phone, format!("SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n", head(2)));
        let login =
            "GET / HTTP/1.1\r\nHost: phone\r\nAuthorization: Basic YWRtaW46Y2FuYXJ5LXB3LTc0MzE=\r\n\r\n";
        capture.tcp(
            ([10, 0, 9, 9], 50_000 + u16::from(n)),
            (phone.0, 80),
            login,
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        );
        secrets.extend([response, cnonce, ha1, nonce]);
    }
    let dir = tempfile::tempdir().unwrap();
    let (pcap, config, facts) =
        (dir.path().join("c.pcap"), dir.path().join("c.toml"), dir.path().join("facts.jsonl"));
    std::fs::write(&pcap, capture.bytes()).unwrap();
    let text = "[password_check]\nenabled = true\nnetworks = [\"10.0.0.0/8\"]\nrealms = [\"canary-realm\"]\n";
    std::fs::write(&config, text).unwrap();
    let replay = ["--config", path(&config), "-v", "replay", "--no-store"];
    let with = |more: &[&str]| ringfence(&[&replay[..], more, &[path(&pcap)]].concat());
    let lines = with(&["--format", "jsonl", "--facts", path(&facts)]);
    let outputs = [with(&[]), std::fs::read_to_string(&facts).unwrap(), lines.clone()];
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let weak: Vec<&Value> =
        records.iter().filter(|r| r["status"] == "finding" && r["check"] == "default_sip_password").collect();
    assert_eq!(weak.len(), 1, "{lines}");
    assert_eq!((&weak[0]["severity"], &weak[0]["handset"]), (&Value::from("critical"), &Value::from("201")));
    for output in &outputs {
        for secret in &secrets {
            assert!(!output.contains(secret.as_str()), "{secret} in {output}");
        }
    }
}

/// svcrack sends one digest after the other under one Call-ID, one CSeq and one nonce.
#[test]
fn guesses_under_one_cseq_are_counted_each() {
    let mut capture = Capture::new();
    let (pbx, from) = (([203, 0, 113, 10], 5_060), ([10, 0, 3, 66], 5_060));
    let head = "Via: SIP/2.0/UDP 10.0.3.66:5060;branch=z9hG4bK1\r\nFrom: <sip:201@pbx>;tag=t\r\nTo: <sip:201@pbx>\r\n\
                Call-ID: one\r\nCSeq: 2 REGISTER\r\n";
    for n in 0..40 {
        let proof = format!(
            "Authorization: Digest username=\"201\", realm=\"pbx\", nonce=\"n\", uri=\"sip:pbx\", response=\"{n:032x}\"\r\n"
        );
        capture.udp(from, pbx, format!("REGISTER sip:pbx SIP/2.0\r\n{head}{proof}Content-Length: 0\r\n\r\n"));
        let no = "WWW-Authenticate: Digest realm=\"pbx\", nonce=\"n\"\r\nContent-Length: 0\r\n\r\n";
        capture.udp(pbx, from, format!("SIP/2.0 401 Unauthorized\r\n{head}{no}"));
    }
    let dir = tempfile::tempdir().unwrap();
    let (pcap, config) = (dir.path().join("c.pcap"), dir.path().join("c.toml"));
    std::fs::write(&pcap, capture.bytes()).unwrap();
    std::fs::write(&config, "[site]\npbx = [\"203.0.113.10\"]\n").unwrap();
    let lines =
        ringfence(&["--config", path(&config), "replay", "--no-store", "--format", "jsonl", path(&pcap)]);
    let found = lines
        .lines()
        .any(|l| l.contains("\"check\":\"brute_force\"") && l.contains("\"severity\":\"warning\""));
    assert!(found, "{lines}");
}
