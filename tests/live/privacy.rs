//! `[privacy]` in every place that numbers can reach: each mode, through a whole daemon.

use std::net::UdpSocket;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use super::alarm::{Beside, alertmanager, until};
use super::net::{Daemon, Net, fixture, lacks, run};
use super::receiver::Receiver;
use super::sinks::AT_ONCE;

pub(crate) const TOOLS: [&str; 7] =
    ["ip", "tcpreplay", "sysctl", "kill", "prometheus-alertmanager", "aiosmtpd", "sqlite3"];
const SOON: Duration = Duration::from_secs(30);

fn config(mode: &str) -> String {
    format!(
        "[capture]\ninterfaces = [\"va\"]\n[site]\npbx = [\"10.0.3.2\"]\n[run]\nuser = \"nobody\"\n\
         [privacy]\nnumbers = \"{mode}\"\n[notify]\nseverity = \"info\"\n\
         [notify.journal]\npath = \"journal/journal.jsonl\"\ncalls = true\n\
         [notify.webhook]\nurl = \"http://127.0.0.1:9999/hook\"\n\
         [notify.alertmanager]\nurls = [\"http://127.0.0.1:9093\"]\n\
         [notify.email]\nserver = \"127.0.0.1:2525\"\ntls = \"none\"\nfrom = \"ringfence@office.example\"\n\
         to = [\"admin@office.example\"]\n[notify.syslog]\nserver = \"udp://127.0.0.1:5514\"\n"
    )
}

/// The numbers that the capture's attack calls, in full, without anything before the country.
fn called() -> Vec<String> {
    let file = fixture("attacks/satellite");
    let config = file.with_file_name("config.toml");
    let [config, file] = [&config, &file].map(|path| path.to_str().unwrap());
    let out =
        run(&[env!("CARGO_BIN_EXE_ringfence"), "--config", config, "replay", "--format", "jsonl", file]);
    let text = String::from_utf8(out.stdout).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let costly = records.filter(|one| one["type"] == "call" && one["class"] == "global");
    let mut all: Vec<String> =
        costly.filter_map(|one| Some(one["number"].as_str()?.trim_start_matches('+').to_owned())).collect();
    all.sort();
    all.dedup();
    assert!(all.len() >= 3, "{all:?}");
    all
}

/// What one mode left everywhere of a capture: the place and its text.
pub(crate) fn everywhere(mode: &str, capture: &Path) -> (Vec<(&'static str, String)>, tempfile::TempDir) {
    let net = Net::new();
    net.cable("va", "vb");
    let folder = tempfile::tempdir().unwrap();
    let person = Receiver::start(&net, 9999);
    let file = folder.path().join("am.yml");
    std::fs::write(&file, AT_ONCE).unwrap();
    let _alertmanager = alertmanager(&net, &file, &folder.path().join("am"));
    let mails = folder.path().join("mails");
    let smtp = ["/usr/bin/python3", "-u", "/usr/bin/aiosmtpd", "-n", "-l", "127.0.0.1:2525"];
    let _smtp = Beside::start(&net, &smtp, &mails);
    let syslog = net.inside(|| UdpSocket::bind("127.0.0.1:5514").unwrap());
    syslog.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    until("Alertmanager runs", SOON, || net.json(9093, "/api/v2/status"));
    until("the mail server runs", SOON, || net.connect(2525).ok());

    let mut daemon = Daemon::start(&net, &config(mode));
    let events = net.connect(daemon.port).unwrap();
    events.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    std::io::Write::write_all(&mut &events, b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    net.replay("vb", &["-t"], capture);
    let told = |sink: &str| daemon.metric(&format!("ringfence_sink_sent_total{{sink=\"{sink}\"}}")) > 0;
    for sink in ["journal", "webhook", "alertmanager", "email", "syslog"] {
        daemon.wait(sink, || told(sink));
    }
    person.wait_for("Alertmanager", |one| one.path == "/alertmanager");
    std::thread::sleep(Duration::from_secs(3));
    // The inventory is pictured every five seconds.
    daemon.wait("handsets", || !daemon.command(&["handsets", "--json"]).stdout.is_empty());
    let mut places: Vec<(&'static str, String)> = Vec::new();
    for path in [
        "/metrics",
        "/api/v1/alerts",
        "/api/v1/calls",
        "/api/v1/handsets",
        "/api/v1/posture",
        "/api/v1/status",
        "/",
    ] {
        places.push((path, daemon.get(path)));
    }
    for command in ["alerts", "calls", "handsets", "posture", "status"] {
        let out = daemon.command(&[command, "--json"]);
        assert!(out.status.success(), "{command}");
        places.push((command, String::from_utf8(out.stdout).unwrap()));
    }
    let report = daemon.command(&["report", "--html", "-"]);
    assert!(report.status.success(), "{report:?}");
    places.push(("report", String::from_utf8(report.stdout).unwrap()));
    let mut stream = Vec::new();
    let _ = std::io::Read::read_to_end(&mut &events, &mut stream);
    places.push(("events", String::from_utf8_lossy(&stream).into_owned()));
    let (mut lines, mut datagram) = (String::new(), [0; 65_536]);
    while let Ok(n) = syslog.recv(&mut datagram) {
        lines += &String::from_utf8_lossy(&datagram[..n]);
    }
    places.push(("syslog", lines));
    let of = |path: &str| {
        let all: Vec<String> =
            person.taken().iter().filter(|one| one.path == path).map(|one| one.body.clone()).collect();
        all.join("\n")
    };
    places.push(("webhook", of("/hook")));
    places.push(("Alertmanager's receiver", of("/alertmanager")));
    places.push(("mail", std::fs::read_to_string(&mails).unwrap()));
    let journal = daemon.folder.path().join("journal/journal.jsonl");
    places.push(("journal", std::fs::read_to_string(journal).unwrap()));
    daemon.signal("-TERM");
    assert!(daemon.child.wait().unwrap().success());
    places.push(("log", daemon.log()));
    let db = daemon.folder.path().join("state/ringfence.db");
    let dump = run(&[
        "sqlite3",
        db.to_str().unwrap(),
        "SELECT record FROM alerts UNION ALL SELECT record FROM calls \
        UNION ALL SELECT coalesce(record,'') FROM handsets UNION ALL SELECT record FROM findings \
        UNION ALL SELECT checklist || coverage FROM days UNION ALL SELECT body FROM letters",
    ]);
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    places.push(("store", String::from_utf8_lossy(&dump.stdout).into_owned()));
    for (place, text) in &places {
        assert!(!text.trim().is_empty(), "{mode}: {place} is empty");
    }
    (places, daemon.keep())
}

#[test]
fn numbers_are_written_everywhere_as_privacy_says() {
    if lacks(&TOOLS) {
        return;
    }
    let called = called();
    let holds = |text: &str| called.iter().any(|number| text.contains(number.as_str()));
    // Those that hold numbers at all.
    let telling = ["/api/v1/calls", "calls", "events", "journal", "store"];

    let (full, _) = everywhere("full", &fixture("attacks/satellite"));
    for (place, text) in &full {
        if telling.contains(place) {
            assert!(holds(text), "full: {place} has them: {text}");
        }
        if *place == "/metrics" {
            assert!(!holds(text), "never in a label");
        }
    }
    let (masked, _) = everywhere("masked", &fixture("attacks/satellite"));
    for (place, text) in &masked {
        assert!(!holds(text), "masked: {place}: {text}");
    }
    let (hashed, folder) = everywhere("hashed", &fixture("attacks/satellite"));
    let mut tokens = std::collections::BTreeSet::new();
    for (place, text) in &hashed {
        assert!(!holds(text), "hashed: {place}: {text}");
        if *place == "/api/v1/calls" {
            let calls: serde_json::Value = serde_json::from_str(text).unwrap();
            let costly = calls.as_array().unwrap().iter().filter(|call| call["class"] == "global");
            tokens = costly.map(|call| call["number"].to_string()).collect();
        }
    }
    assert_eq!(tokens.len(), called.len(), "a hash for each number: {tokens:?}");
    // The key: made at the first start, apart from the data, for its owner only.
    let key = folder.path().join("state/keys/numbers.key");
    let meta = std::fs::metadata(&key).unwrap();
    let store = std::fs::metadata(folder.path().join("state/ringfence.db")).unwrap();
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    assert_eq!(store.permissions().mode() & 0o777, 0o600);
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    assert_eq!((meta.uid(), store.uid()), (nobody.uid.as_raw(), nobody.uid.as_raw()));
    println!("{} places, {} numbers; hashed as {:?}", full.len(), called.len(), tokens.first());
}
