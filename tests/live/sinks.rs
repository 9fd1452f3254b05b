//! Every sink of a daemon that has let go of everything, against real receivers.

use std::net::UdpSocket;
use std::os::unix::fs::{PermissionsExt, chown};
use std::time::Duration;

use hmac::{Hmac, Mac};
use serde_json::Value;

use super::alarm::{Beside, alertmanager, until};
use super::net::{Daemon, Net, fixture, lacks, run};
use super::receiver::{Received, Receiver};

const TOOLS: [&str; 7] =
    ["ip", "tcpreplay", "sysctl", "kill", "prometheus-alertmanager", "aiosmtpd", "fail2ban-regex"];
const SOON: Duration = Duration::from_secs(20);
const SECRET: &str = "a-secret-of-this-test";

/// Alertmanager that tells a receiver at once.
pub(crate) const AT_ONCE: &str = "route:\n  receiver: person\n  group_by: ['...']\n  group_wait: 0s\n  \
    group_interval: 1s\n  repeat_interval: 1h\nreceivers:\n  - name: person\n    webhook_configs:\n      \
    - url: http://127.0.0.1:9999/alertmanager\n";

/// A cable, and at its end somebody who is told, by the daemon itself and by Alertmanager.
struct Told {
    alertmanager: Beside,
    person: Receiver,
    folder: tempfile::TempDir,
    config: std::path::PathBuf,
    state: std::path::PathBuf,
    net: Net,
}

impl Told {
    fn start() -> Self {
        let net = Net::new();
        net.cable("va", "vb");
        let folder = tempfile::tempdir().unwrap();
        let person = Receiver::start(&net, 9999);
        let (config, state) = (folder.path().join("am.yml"), folder.path().join("am"));
        std::fs::write(&config, AT_ONCE).unwrap();
        let alertmanager = alertmanager(&net, &config, &state);
        Self { alertmanager, person, folder, config, state, net }
    }
}

fn signed(received: &Received) -> bool {
    let header = |name: &str| {
        let line = received.head.lines().find(|line| line.to_lowercase().starts_with(name)).unwrap();
        line.split_once(':').unwrap().1.trim().to_owned()
    };
    let mut mac = <Hmac<sha2::Sha256> as Mac>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{}.{}", header("x-ringfence-timestamp"), received.body).as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    header("x-ringfence-signature") == format!("sha256={hex}")
}

/// Whoever the daemon becomes must be able to read it, and nobody else.
pub(crate) fn secret(folder: &std::path::Path, text: &str) {
    let file = folder.join("secret");
    let _ = std::fs::remove_file(&file);
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o400)).unwrap();
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    chown(&file, Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).unwrap();
}

const CONFIG: &str = "[capture]\ninterfaces = [\"va\"]\n[site]\npbx = [\"10.0.3.2\"]\n[run]\nuser = \"nobody\"\n\
    [notify.journal]\npath = \"journal/journal.jsonl\"\n\
    [notify.webhook]\nurl = \"http://127.0.0.1:9999/hook\"\nsecret_file = \"secret\"\n\
    [notify.alertmanager]\nurls = [\"http://127.0.0.1:9093\"]\n\
    [notify.email]\nserver = \"127.0.0.1:2525\"\ntls = \"none\"\nfrom = \"ringfence@office.example\"\n\
    to = [\"admin@office.example\"]\n\
    [notify.syslog]\nserver = \"udp://127.0.0.1:5514\"\n";

#[test]
fn every_sink_works_in_the_sandbox() {
    if lacks(&TOOLS) {
        return;
    }
    let Told { net, folder, person, alertmanager: _running, .. } = Told::start();
    let mails = folder.path().join("mails");
    let _smtp = Beside::start(
        &net,
        &["/usr/bin/python3", "-u", "/usr/bin/aiosmtpd", "-n", "-l", "127.0.0.1:2525"],
        &mails,
    );
    let syslog = net.inside(|| UdpSocket::bind("127.0.0.1:5514").unwrap());
    syslog.set_read_timeout(Some(SOON)).unwrap();
    until("Alertmanager runs", SOON, || net.json(9093, "/api/v2/status"));
    until("the mail server runs", SOON, || net.connect(2525).ok());

    let own = tempfile::tempdir().unwrap();
    secret(own.path(), SECRET);
    let daemon = Daemon::spawn_in(own, &net, CONFIG, &[], &[]);
    daemon.wait("ready", || daemon.log().contains("ready"));
    let text = daemon.get("/metrics");
    let holds = |layer: &str| text.contains(&format!("ringfence_sandbox{{layer=\"{layer}\"}} 1"));
    assert!(holds("seccomp") && holds("user") && holds("capabilities"), "{text}");
    println!("Landlock: {}", if holds("landlock") { "holds" } else { "this kernel has none" });

    let drill = daemon.command(&["drill", "--fire"]);
    let said = String::from_utf8_lossy(&drill.stdout).into_owned();
    println!("{said}");
    assert!(drill.status.success(), "{said}{}\n{}", String::from_utf8_lossy(&drill.stderr), daemon.log());
    for sink in ["journal", "webhook", "alertmanager", "email", "syslog"] {
        assert!(said.lines().any(|line| line.starts_with(sink)), "{sink}: {said}");
    }
    person.wait_for("the drill", |one| one.path == "/hook" && one.body.contains("fire drill"));
    person.wait_for("Alertmanager's drill", |one| one.path == "/alertmanager" && one.body.contains("Drill"));

    net.replay("vb", &["-t"], &fixture("attacks/satellite"));
    let ours = |one: &Received| one.path == "/hook" && !one.body.contains("fire drill");
    let hook = person.wait_for("the webhook", ours);
    assert!(signed(&hook), "{hook:?}");
    let record = hook.json();
    assert_eq!((&record["type"], &record["state"]), (&"alert".into(), &"raised".into()), "{record}");
    let sentence = record["sentence"].as_str().unwrap().to_owned();
    assert!(!sentence.is_empty());
    let pushed = |one: &Received| one.path == "/alertmanager" && !one.body.contains("Drill");
    let notice = person.wait_for("Alertmanager", pushed).json();
    assert_eq!(notice["alerts"][0]["labels"]["rule"], record["rule"], "{notice}");
    let rule = record["rule"].as_str().unwrap();
    until("the mail", SOON, || {
        let mails = std::fs::read_to_string(&mails).unwrap();
        (mails.contains("admin@office.example") && mails.contains(rule)).then_some(())
    });
    let mut datagram = [0; 65_536];
    loop {
        let n = syslog.recv(&mut datagram).expect("syslog is told");
        if String::from_utf8_lossy(&datagram[..n]).contains(rule) {
            break;
        }
    }
    let journal = daemon.folder.path().join("journal/journal.jsonl");
    let lines = || std::fs::read_to_string(&journal).unwrap();
    assert!(lines().lines().any(|line| line.contains(&format!("\"rule\":\"{rule}\""))));
    for sink in ["journal", "webhook", "alertmanager", "email", "syslog"] {
        daemon.wait(sink, || daemon.metric(&format!("ringfence_sink_sent_total{{sink=\"{sink}\"}}")) >= 2);
        assert_eq!(daemon.metric(&format!("ringfence_sink_failed_total{{sink=\"{sink}\"}}")), 0, "{sink}");
    }
    for place in [daemon.log(), lines(), daemon.get("/metrics"), daemon.get("/api/v1/status")] {
        assert!(!place.contains(SECRET));
    }
    banned(&daemon, &net, &journal);
}

/// What fail2ban makes of the journal of an office that is attacked from outside.
fn banned(daemon: &Daemon<'_>, net: &Net, journal: &std::path::Path) {
    let capture = daemon.folder.path().join("weak.pcap");
    let made = run(&[
        env!("CARGO_BIN_EXE_ringfence"),
        "drill",
        "weak_office",
        "--seed",
        "1",
        "-o",
        capture.to_str().unwrap(),
    ]);
    assert!(made.status.success());
    net.replay("vb", &["-t"], &capture);
    let filter = concat!(env!("CARGO_MANIFEST_DIR"), "/etc/fail2ban/filter.d/ringfence.conf");
    let has = |line: &str, rule: &str| {
        line.contains("\"state\":\"raised\"") && line.contains(&format!("\"rule\":\"{rule}\""))
    };
    until("scanner and guesser are in the journal", SOON, || {
        let text = std::fs::read_to_string(journal).unwrap();
        let of = |rule| text.lines().any(|line| has(line, rule));
        (of("scanner") && of("brute_force") && of("enumeration")).then_some(())
    });
    let out = run(&["fail2ban-regex", "--out", "ip", journal.to_str().unwrap(), filter]);
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let addresses: std::collections::BTreeSet<&str> = text.split_whitespace().collect();
    println!("fail2ban would ban {addresses:?}");
    // The scanner outside, and the machine inside that searches and guesses; no handset.
    assert!(addresses.contains("192.0.2.99") && addresses.contains("10.0.3.200"), "{text}");
    let handsets = daemon.get("/api/v1/handsets");
    let handsets: Value = serde_json::from_str(&handsets).unwrap();
    for handset in handsets.as_array().unwrap() {
        let ip = handset["ip"].as_str().unwrap_or_default();
        assert!(handset["user"].is_null() || !addresses.contains(ip), "{handset}");
    }
}

/// What a webhook was told of: each alert's number and state, however they were put together.
fn records(received: &[Received], path: &str) -> Vec<(u64, String)> {
    let told = received.iter().filter(|one| one.path == path).flat_map(|one| {
        let body = one.json();
        if body["type"] == "alerts" { body["alerts"].as_array().unwrap().clone() } else { vec![body] }
    });
    told.map(|one| (one["id"].as_u64().unwrap(), one["state"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn receivers_that_were_away_are_told_everything_once() {
    if lacks(&TOOLS) {
        return;
    }
    let Told { net, folder, person, alertmanager: running, config, state } = Told::start();
    until("Alertmanager runs", SOON, || net.json(9093, "/api/v2/status"));
    let daemon = Daemon::start(
        &net,
        "[capture]\ninterfaces = [\"va\"]\n[site]\npbx = [\"10.0.3.2\"]\n\
         [notify.webhook]\nurl = \"http://127.0.0.1:9999/hook\"\n\
         [notify.alertmanager]\nurls = [\"http://127.0.0.1:9093\"]\n",
    );
    // One alert before; then both are away.
    net.replay("vb", &["-t"], &fixture("attacks/satellite"));
    person.wait_for("the first", |one| one.path == "/alertmanager");
    person.wait_for_silence();
    running.stop();
    person.answer(503);
    let away = std::time::Instant::now();
    let capture = folder.path().join("weak.pcap");
    let drill = ["drill", "weak_office", "--seed", "1", "-o", capture.to_str().unwrap()];
    assert!(daemon.command(&drill).status.success());
    net.replay("vb", &["-t"], &capture);
    net.replay("vb", &["-t"], &fixture("attacks/irsf_fast"));
    std::thread::sleep(Duration::from_secs(5));
    let failed = |sink: &str| daemon.metric(&format!("ringfence_sink_failed_total{{sink=\"{sink}\"}}"));
    assert!(failed("alertmanager") > 0 && failed("webhook") > 0, "both were tried");
    let told_before = person.taken().len();
    let _running = alertmanager(&net, &config, &state);
    person.answer(200);
    let (back, was_away) = (std::time::Instant::now(), away.elapsed());

    let open = || {
        let list: Value = serde_json::from_str(&daemon.get("/api/v1/alerts?open=true")).unwrap();
        let all = list.as_array().unwrap().iter().filter(|alert| alert["severity"] != "info");
        all.cloned().collect::<Vec<_>>()
    };
    assert!(open().len() >= 20, "many are open: {}", open().len());
    let firing = || {
        let mut told: Vec<String> = Vec::new();
        for one in person.taken().iter().filter(|one| one.path == "/alertmanager") {
            for alert in one.json()["alerts"].as_array().unwrap() {
                if alert["status"] == "firing" {
                    let labels = &alert["labels"];
                    told.push(format!("{} {} {}", labels["rule"], labels["severity"], labels["handset"]));
                }
            }
        }
        told.sort();
        told
    };
    let everything = |told: &[String]| {
        let rules = open();
        let known = |alert: &Value| {
            let start = format!("{} {} ", alert["rule"], alert["severity"]);
            told.iter().filter(|one| one.starts_with(&start)).count()
                >= rules
                    .iter()
                    .filter(|one| one["rule"] == alert["rule"] && one["severity"] == alert["severity"])
                    .count()
        };
        rules.iter().all(known)
    };
    until("Alertmanager has told of every open alert", Duration::from_secs(90), || {
        everything(&firing()).then_some(())
    });
    println!(
        "away for {was_away:.1?} with {} alerts open: all told by Alertmanager {:.1?} after it was back",
        open().len(),
        back.elapsed()
    );
    let raised = |id: &u64| {
        let all = records(&person.taken(), "/hook");
        all.iter().filter(|(told, state)| told == id && state == "raised").count()
    };
    let ids: Vec<u64> = open().iter().map(|alert| alert["id"].as_u64().unwrap()).collect();
    until("the webhook is told of every open alert", Duration::from_secs(90), || {
        ids.iter().all(|id| raised(id) > 0).then_some(())
    });
    println!("and by the webhook {:.1?} after", back.elapsed());
    // A repetition would have come by now.
    std::thread::sleep(Duration::from_secs(3));
    for id in &ids {
        assert_eq!(raised(id), 1, "alert {id} is told once");
    }
    let told = firing();
    let mut once = told.clone();
    once.dedup();
    assert_eq!(told, once, "Alertmanager tells of each once");
    assert!(person.taken().len() > told_before);
}

#[test]
fn a_reload_reaches_the_sinks() {
    if lacks(&TOOLS) {
        return;
    }
    let net = Net::new();
    net.cable("va", "vb");
    let person = Receiver::start(&net, 9999);
    let with = |more: &str| format!("[capture]\ninterfaces = [\"va\"]\n[site]\npbx = [\"10.0.3.2\"]\n{more}");
    let hook = |path: &str| with(&format!("[notify.webhook]\nurl = \"http://127.0.0.1:9999/{path}\"\n"));
    let daemon = Daemon::start(&net, &with(""));
    let reload = |config: &str| {
        daemon.config(config);
        daemon.command(&["reload"])
    };
    let fire = || {
        let out = daemon.command(&["drill", "--fire"]);
        String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned()
    };
    assert!(fire().contains("no sink is configured"));
    // One that is added; nobody answers there yet.
    person.answer(503);
    assert!(reload(&hook("first")).status.success());
    net.replay("vb", &["-t"], &fixture("attacks/satellite"));
    daemon.wait("an attempt", || daemon.metric("ringfence_sink_failed_total{sink=\"webhook\"}") > 0);
    // One that moves: what waits goes to the new place, at once.
    person.answer(200);
    assert!(reload(&hook("second")).status.success());
    person.wait_for("what waited", |one| one.path == "/second" && one.body.contains("\"raised\""));
    assert!(person.taken().iter().all(|one| one.path == "/second"));
    assert!(fire().starts_with("SINK") && fire().contains("webhook"));
    // One that can't work: all stays as it was.
    let wrong = "[notify.email]\nserver = \"127.0.0.1:2525\"\npassword_file = \"nosuch\"\nuser = \"x\"\n\
                 from = \"a@b.example\"\nto = [\"c@d.example\"]\n";
    let refused = reload(&format!("{}{wrong}", hook("third")));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("password_file"), "{said}");
    let before = person.taken().len();
    fire();
    assert!(person.taken().len() > before && person.taken().iter().all(|one| one.path == "/second"));
    // One that is taken away.
    assert!(reload(&with("")).status.success());
    until("it is gone", SOON, || fire().contains("no sink is configured").then_some(()));
    // A filter of the operator's is widened, and said so.
    assert!(!daemon.log().contains("is widened"));
    assert!(reload(&with("").replace("[site]", "filter = \"udp port 5060\"\n[site]")).status.success());
    assert!(daemon.log().contains("[capture] filter is widened"));
}
