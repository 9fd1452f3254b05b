//! Restarts: what was known is known, whether it was told to stop or killed.

use std::time::Duration;

use ringfence::store::Reader;
use ringfence::time::Timestamp;
use serde_json::Value;

use super::alarm::until;
use super::net::{Daemon, Net, fixture, lacks, must};
use super::receiver::Receiver;

const TOOLS: [&str; 4] = ["ip", "tcpreplay", "sysctl", "kill"];
const CONFIG: &str =
    "[capture]\ninterfaces = [\"va\"]\n[site]\npbx = [\"10.0.3.2\"]\n[run]\nuser = \"nobody\"\n";

fn list(daemon: &Daemon<'_>, path: &str) -> Vec<Value> {
    let list: Value = serde_json::from_str(&daemon.get(path)).unwrap();
    list.as_array().unwrap().clone()
}

#[test]
fn history_acceptances_and_notes_outlive_a_restart() {
    if lacks(&TOOLS) {
        return;
    }
    let net = Net::new();
    net.cable("va", "vb");
    let mut daemon = Daemon::start(&net, CONFIG);
    net.replay("vb", &["-t"], &fixture("attacks/satellite"));
    let open = || list(&daemon, "/api/v1/alerts?open=true");
    let paged = until("the alert", Duration::from_secs(20), || {
        open().into_iter().find(|alert| alert["severity"] != "info")
    });
    let id = paged["id"].as_u64().unwrap();
    let ack = daemon.command(&["ack", &id.to_string(), "--for", "2h", "--why", "a drill"]);
    assert!(ack.status.success());
    let calls = list(&daemon, "/api/v1/calls").len();
    assert!(calls > 10, "{calls}");
    daemon.signal("-TERM");
    assert!(daemon.child.wait().unwrap().success(), "{}", daemon.log());
    let folder = daemon.keep();

    let reader = Reader::open(&folder.path().join("state/ringfence.db")).unwrap();
    let acks = reader.acks(Timestamp(0)).unwrap();
    assert_eq!((acks.len(), acks[0].id, acks[0].why.as_str()), (1, id, "a drill"));
    let note = reader.note_before(i64::MAX).unwrap().expect("the last moment was noted");
    let checklist: Value = serde_json::from_str(&note.checklist.unwrap()).unwrap();
    assert_eq!(checklist["checks"].as_array().unwrap().len(), 19, "{checklist}");
    let coverage: Value = serde_json::from_str(&note.coverage.unwrap()).unwrap();
    assert_eq!((&coverage["blind"], &coverage["warnings"].is_array()), (&Value::Bool(false), &true));
    drop(reader);

    let daemon = Daemon::spawn_in(folder, &net, CONFIG, &[], &[]);
    daemon.wait("ready", || daemon.log().contains("ready"));
    assert!(daemon.log().contains("what was learnt before is known again"), "{}", daemon.log());
    let kept = list(&daemon, "/api/v1/calls");
    assert_eq!(kept.len(), calls, "calls of the former run");
    assert_eq!(list(&daemon, "/api/v1/calls?limit=3"), kept[calls - 3..], "the newest of them");
    assert!(list(&daemon, "/api/v1/alerts").iter().any(|alert| alert["since"] == paged["since"]));
    let report = daemon.command(&["report", "--html", "-"]);
    let page = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(
        report.status.success()
            && page.contains("Something was noted on 1 of")
            && !page.contains("The checklist was not noted"),
        "{}",
        String::from_utf8_lossy(&report.stderr)
    );
}

#[test]
fn killed_at_any_moment_the_daemon_starts_with_one_state() {
    if lacks(&TOOLS) {
        return;
    }
    const KILLS: u32 = 8;
    let net = Net::new();
    net.cable("va", "vb");
    let file = fixture("attacks/irsf_fast");
    let mut folder = tempfile::tempdir().unwrap();
    let (mut chance, mut known): (u64, u32) = (7, 0);
    for kill in 0..KILLS {
        let mut daemon = Daemon::spawn_in(folder, &net, CONFIG, &[], &[]);
        daemon.wait("ready", || daemon.log().contains("ready"));
        let log = daemon.log();
        known += u32::from(log.contains("what was learnt before is known again"));
        assert!(
            !log.contains("anew") && !log.contains("broken") && !log.contains("ERROR"),
            "kill {kill}: {log}"
        );
        net.replay("vb", &["-t"], &file);
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Within the first seconds state is saved twice or so.
        std::thread::sleep(Duration::from_millis(chance >> 33 & 0x1ff));
        daemon.child.kill().unwrap();
        daemon.child.wait().unwrap();
        folder = daemon.keep();
    }
    assert!(known > KILLS / 2, "state is kept: {known} of {KILLS} times");
    println!("{KILLS} times killed, {known} times it knew what it had saved");
}

/// Incidents that are open and page: number, rule, since when, how many calls.
fn open(daemon: &Daemon<'_>) -> Vec<(u64, String, String, u64)> {
    let all = list(daemon, "/api/v1/alerts?open=true");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let short = |alert: &Value| {
        let calls = alert["calls"].as_u64().unwrap();
        (alert["id"].as_u64().unwrap(), text(&alert["rule"]), text(&alert["since"]), calls)
    };
    all.iter().filter(|alert| alert["severity"] != "info").map(short).collect()
}

fn raised(person: &Receiver) -> usize {
    person.taken().iter().filter(|one| one.body.contains("\"state\":\"raised\"")).count()
}

#[test]
fn an_attack_goes_on_over_a_restart() {
    if lacks(&TOOLS) || lacks(&["editcap"]) {
        return;
    }
    let config = format!("{CONFIG}[notify.webhook]\nurl = \"http://127.0.0.1:9999/hook\"\n");
    let net = Net::new();
    net.cable("va", "vb");
    let person = Receiver::start(&net, 9999);
    let parts = tempfile::tempdir().unwrap();
    let [first, second] = ["first.pcap", "second.pcap"].map(|name| parts.path().join(name));
    let whole = fixture("attacks/irsf_fast");
    let frames = 60;
    let (capture, head) = (whole.to_str().unwrap(), format!("1-{frames}"));
    must(&["editcap", "-r", capture, first.to_str().unwrap(), &head]);
    must(&["editcap", capture, second.to_str().unwrap(), &head]);

    let mut daemon = Daemon::start(&net, &config);
    net.replay("vb", &["-t"], &first);
    daemon.wait("the alert", || !open(&daemon).is_empty());
    person.wait_for("the first telling", |one| one.body.contains("\"state\":\"raised\""));
    // What follows within the second belongs to it.
    std::thread::sleep(Duration::from_secs(2));
    let (before, told) = (open(&daemon), raised(&person));
    println!("before: {before:?}, told {told} times");
    daemon.signal("-TERM");
    assert!(daemon.child.wait().unwrap().success(), "{}", daemon.log());
    let folder = daemon.keep();

    let daemon = Daemon::spawn_in(folder, &net, &config, &[], &[]);
    daemon.wait("ready", || daemon.log().contains("ready"));
    let after = open(&daemon);
    let short =
        |all: &[(u64, String, String, u64)]| all.iter().map(|a| (a.0, a.2.clone())).collect::<Vec<_>>();
    assert_eq!(short(&after), short(&before), "{}", daemon.log());
    let line = format!("rule=\"{}\"", after[0].1);
    let on_metrics = |line: &str| line.starts_with("ringfence_alert_active{");
    assert!(daemon.get("/metrics").lines().any(|l| on_metrics(l) && l.contains(&line)));
    net.replay("vb", &["-t"], &second);
    let calls = |all: &[(u64, String, String, u64)]| all[0].3;
    daemon.wait("the attack goes on", || calls(&open(&daemon)) > calls(&before));
    std::thread::sleep(Duration::from_secs(2));
    let after = open(&daemon);
    println!("after: {after:?}, told {} times", raised(&person));
    assert_eq!(after[0].0, before[0].0, "the same incident");
    let new = after.iter().filter(|one| !before.iter().any(|old| old.0 == one.0)).count();
    assert_eq!(raised(&person), told + new, "nobody is told twice of what was open");
}

/// Six weeks of a PBX's records: 214 calls France each working day.
fn records(path: &std::path::Path) -> usize {
    let mut text = String::from("caller,destination,start,duration\n");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut rows = 0;
    for day in (2..44_u64).rev() {
        for minute in [0, 20, 40] {
            let at = Timestamp(i64::try_from((now - day * 86_400 + minute * 60) * 1_000_000).unwrap());
            let at = at.to_string();
            text += &format!("214,0033140000{minute:03},{}Z,120\n", at.split_once('.').unwrap().0);
            rows += 1;
        }
    }
    std::fs::write(path, text).unwrap();
    rows
}

#[test]
fn past_calls_are_learnt_by_a_running_daemon_and_kept() {
    if lacks(&TOOLS) {
        return;
    }
    let net = Net::new();
    net.cable("va", "vb");
    let mut daemon = Daemon::start(&net, CONFIG);
    let file = daemon.folder.path().join("Master.csv");
    let rows = records(&file);
    let habit = |daemon: &Daemon<'_>| {
        let status: Value = serde_json::from_str(&daemon.get("/api/v1/status")).unwrap();
        status["learning"].to_string()
    };
    assert!(!habit(&daemon).contains("FR"), "{}", habit(&daemon));
    let said = daemon.command(&["learn", "--json", file.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    assert!(said.status.success() && text.contains(&format!("\"learnt\":{rows}")), "{text}");
    daemon.wait("the habit", || habit(&daemon).contains("FR"));
    let again = daemon.command(&["learn", file.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(
        text.starts_with("0 calls were learnt") && text.contains(&format!("{rows} were passed over")),
        "{text}"
    );
    assert!(list(&daemon, "/api/v1/alerts").is_empty(), "nothing is raised");
    let wrong = daemon.command(&["learn", "/dev/null"]);
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");

    // It is saved soon, like other news: a kill loses nothing of it.
    let saved = || daemon.metric("ringfence_state_last_save_timestamp_seconds");
    let before = saved();
    daemon.wait("a save", || saved() > before || saved() > 0);
    std::thread::sleep(Duration::from_secs(3));
    daemon.child.kill().unwrap();
    daemon.child.wait().unwrap();
    let folder = daemon.keep();
    let daemon = Daemon::spawn_in(folder, &net, CONFIG, &[], &[]);
    daemon.wait("ready", || daemon.log().contains("ready"));
    daemon.wait("the habit is known", || habit(&daemon).contains("FR"));
}
