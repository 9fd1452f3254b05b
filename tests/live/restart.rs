//! Restarts: what was known is known, whether it was told to stop or killed.

use std::time::Duration;

use ringfence::store::Reader;
use ringfence::time::Timestamp;
use serde_json::Value;

use super::alarm::until;
use super::net::{Daemon, Net, fixture, lacks};

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
    let note = reader.note_before(Timestamp(i64::MAX)).unwrap().expect("the last moment was noted");
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
        report.status.success() && page.contains("scanner"),
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
