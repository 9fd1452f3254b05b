//! Passwords that were proved or shown on the wire, in the running daemon: nothing of them gets anywhere, a
//! reload switches the check on and off, and a flood of them holds up no alert.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use md5::{Digest as _, Md5};
use serde_json::Value;

use super::crowd::Capture;
use super::net::{Daemon, Net, fixture, lacks};

const TOOLS: [&str; 4] = ["ip", "tcpreplay", "sysctl", "kill"];
const PBX: ([u8; 6], Ipv4Addr) = ([2, 0, 0, 0, 1, 2], Ipv4Addr::new(203, 0, 113, 10));
const CHECK: &str =
    "[password_check]\nenabled = true\nnetworks = [\"10.0.0.0/8\"]\nrealms = [\"canary-realm\"]\n";
const OFFICE: &str = "[capture]\ninterfaces = [\"va\"]\n[site]\npbx = [\"203.0.113.10\", \"10.0.3.2\"]\n";

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What handset `n` sends and is answered to prove its password; gives what nobody may see again.
fn proves(capture: &mut Capture, n: u32, password: &str, challenged: bool) -> [String; 4] {
    let [_, high, middle, low] = n.to_be_bytes();
    let phone = ([0x00, 0x15, 0x65, high, middle, low], Ipv4Addr::new(10, high, middle, low));
    let (user, ip) = (2_000 + n, phone.1);
    let (nonce, cnonce) = (format!("canarynonce{n:06}"), format!("canarycnonce{n:06}"));
    let ha1 = md5(&format!("{user}:canary-realm:{password}"));
    let ha2 = md5("REGISTER:sip:canary-realm");
    let response = md5(&format!("{ha1}:{nonce}:00000001:{cnonce}:auth:{ha2}"));
    let head = |cseq: u32| {
        format!(
            "Via: SIP/2.0/UDP {ip}:5060;branch=z9hG4bK{n}x{cseq}\r\nFrom: <sip:{user}@canary-realm>;tag=t{n}\r\n\
             To: <sip:{user}@canary-realm>\r\nCall-ID: c{n}@{ip}\r\nCSeq: {cseq} REGISTER\r\n\
             Contact: <sip:{user}@{ip}>;expires=3600\r\n"
        )
    };
    let ask = "REGISTER sip:canary-realm SIP/2.0\r\nMax-Forwards: 70\r\n";
    let end = "Content-Length: 0\r\n\r\n";
    if challenged {
        let challenge =
            format!("WWW-Authenticate: Digest realm=\"canary-realm\", nonce=\"{nonce}\", qop=\"auth\"\r\n");
        capture.udp(phone, PBX, &format!("{ask}{}{end}", head(1)));
        capture.udp(PBX, phone, &format!("SIP/2.0 401 Unauthorized\r\n{}{challenge}{end}", head(1)));
    }
    let proof = format!(
        "Authorization: Digest username=\"{user}\", realm=\"canary-realm\", nonce=\"{nonce}\", uri=\"sip:canary-realm\", \
         response=\"{response}\", cnonce=\"{cnonce}\", nc=00000001, qop=auth\r\n"
    );
    capture.udp(phone, PBX, &format!("{ask}{}{proof}{end}", head(2)));
    capture.udp(PBX, phone, &format!("SIP/2.0 200 OK\r\n{}{end}", head(2)));
    [response, cnonce, nonce, ha1]
}

/// A log-in to handset `n`'s page, its header cut in two where the password stands.
fn logs_in(capture: &mut Capture, n: u32, request: &str, cut: usize) {
    let [_, high, middle, low] = n.to_be_bytes();
    let phone = ([0x00, 0x15, 0x65, high, middle, low], Ipv4Addr::new(10, high, middle, low), 80);
    let admin = ([2, 0, 0, 0, 1, 9], Ipv4Addr::new(10, 9, 9, 9), 50_000 + low as u16 + request.len() as u16);
    capture.tcp(admin, phone, "S", 100, "");
    capture.tcp(phone, admin, "SA", 500, "");
    capture.tcp(admin, phone, "A", 101, &request[..cut]);
    capture.tcp(admin, phone, "A", 101 + u32::try_from(cut).unwrap(), &request[cut..]);
    capture.tcp(phone, admin, "A", 501, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

fn findings(daemon: &Daemon<'_>, check: &str) -> usize {
    let rows: Vec<Value> = serde_json::from_str(&daemon.get("/api/v1/posture")).unwrap();
    rows.iter().filter(|row| row["check"] == check && row["status"] == "finding").count()
}

/// Everything that a folder holds, below it too.
fn contents(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => contents(&entry.path(), found),
            kind if kind.is_file() => {
                found.push((entry.path().display().to_string(), std::fs::read(entry.path()).unwrap()));
            }
            _ => {}
        }
    }
}

/// A listed password and a good one, log-ins in clear: the store with its journal and what it saved of the
/// sensor and the judge, the log at its most talkative, metrics, API, pages, report and commands.
#[test]
fn no_secret_leaves_the_daemon() {
    if lacks(&TOOLS) {
        return;
    }
    let net = Net::new();
    net.cable("va", "vb");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.pcap");
    let mut capture = Capture::new(&file);
    let mut secrets =
        vec!["canary-pw-7431".to_owned(), "Y2FuYXJ5LXB3LTc0MzE".to_owned(), "canary%2Dpw".to_owned()];
    for (n, password) in [(0x00_03_01, "2769"), (0x00_03_02, "canary-pw-7431")] {
        // 2769 is handset 0x301's extension.
        secrets.extend(proves(&mut capture, n, password, true));
        let basic =
            "GET / HTTP/1.1\r\nHost: phone\r\nAuthorization: Basic YWRtaW46Y2FuYXJ5LXB3LTc0MzE=\r\n\r\n";
        logs_in(&mut capture, n, basic, 75);
        let form = "POST /login HTTP/1.1\r\nHost: phone\r\nContent-Length: 42\r\n\r\nusername=admin&password=canary%2Dpw%2D7431";
        logs_in(&mut capture, n, form, 90);
    }
    drop(capture);
    let journal = "[notify.journal]\npath = \"state/journal.jsonl\"\n";
    let config = format!("{OFFICE}{CHECK}{journal}");
    let mut daemon = Daemon::spawn(&net, &config, &["env", "RUST_LOG=trace"], &[]);
    daemon.wait("ready", || daemon.log().contains("ready"));
    net.replay("vb", &["--pps=200"], &file);
    daemon.wait("the finding", || findings(&daemon, "default_sip_password") == 1);
    daemon.wait("the log-ins", || {
        daemon.get("/api/v1/posture").contains("1 checked, none on the list")
            || findings(&daemon, "weak_auth") > 0
    });
    let mut places: Vec<(String, Vec<u8>)> = Vec::new();
    for path in [
        "/metrics",
        "/",
        "/api/v1/alerts",
        "/api/v1/handsets",
        "/api/v1/calls",
        "/api/v1/posture",
        "/api/v1/status",
    ] {
        places.push((path.to_owned(), daemon.get(path).into_bytes()));
    }
    for words in [
        &["posture"][..],
        &["posture", "--json"],
        &["handsets"],
        &["handsets", "--json"],
        &["alerts"],
        &["status"],
    ] {
        let out = daemon.command(words);
        assert!(out.status.success(), "{words:?}");
        places.push((words.join(" "), [out.stdout, out.stderr].concat()));
    }
    daemon.signal("-TERM");
    assert!(daemon.child.wait().unwrap().success(), "{}", daemon.log());
    let html = folder.path().join("report.html");
    let out = daemon.command(&["report", "--html", html.to_str().unwrap()]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    places.push(("report".to_owned(), std::fs::read(&html).unwrap()));
    let before = places.len();
    contents(daemon.folder.path(), &mut places);
    let names: Vec<&str> = places[before..].iter().map(|(name, _)| name.as_str()).collect();
    for kept in ["ringfence.db", "journal.jsonl", "log"] {
        assert!(names.iter().any(|name| name.ends_with(kept)), "{kept}: {names:?}");
    }
    for (place, bytes) in &places {
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} in {place}");
        }
    }
    println!(
        "{} secrets, {} places, {} bytes",
        secrets.len(),
        places.len(),
        places.iter().map(|(_, b)| b.len()).sum::<usize>()
    );
}

/// The check is switched on and off by a reload.
#[test]
fn a_reload_switches_the_password_check() {
    if lacks(&TOOLS) {
        return;
    }
    let net = Net::new();
    net.cable("va", "vb");
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for n in 1..=3u32 {
        let file = folder.path().join(format!("{n}.pcap"));
        proves(&mut Capture::new(&file), n, &(2_000 + n).to_string(), true);
        files.push(file);
    }
    let daemon = Daemon::start(&net, OFFICE);
    let reload = |more: &str, times: usize| {
        daemon.config(&format!("{OFFICE}{more}"));
        daemon.signal("-HUP");
        daemon.wait("the reload", || daemon.log().matches("was read again and holds").count() == times);
        std::thread::sleep(Duration::from_millis(1_500));
    };
    let off = |text: String| text.contains("The check is off");
    net.replay("vb", &["--pps=50"], &files[0]);
    daemon.wait("the registration", || daemon.get("/api/v1/handsets").contains("\"2001\""));
    assert!(off(daemon.get("/api/v1/posture")) && findings(&daemon, "default_sip_password") == 0);
    reload(CHECK, 1);
    net.replay("vb", &["--pps=50"], &files[1]);
    daemon.wait("the finding", || findings(&daemon, "default_sip_password") == 1);
    reload("", 2);
    net.replay("vb", &["--pps=50"], &files[2]);
    daemon.wait("the registration", || daemon.get("/api/v1/handsets").contains("\"2003\""));
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(findings(&daemon, "default_sip_password"), 1, "and nothing more");
    let nice = std::process::Command::new("ps")
        .args(["-L", "-o", "comm=,ni=", "-p", &daemon.child.id().to_string()])
        .output()
        .unwrap();
    let nice = String::from_utf8_lossy(&nice.stdout).into_owned();
    let of = |name: &str| {
        nice.lines().find_map(|line| line.trim().strip_prefix(name)).map(|n| n.trim().to_owned())
    };
    assert_eq!(of("passwords").as_deref(), Some("19"), "{nice}");
    assert_ne!(of("sensor").as_deref(), Some("19"), "{nice}");
}

const FLOOD: u32 = 100_000;
const RECEIVED: &str = "ringfence_capture_received_packets_total{interface=\"va\"}";
const DELAY: &str = "ringfence_alert_delay_seconds";

/// How many alerts there were, and the sum of their delays in seconds.
fn delays(daemon: &Daemon<'_>) -> (u64, f64) {
    let text = daemon.get("/metrics");
    let of = |what: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{DELAY}_{what} ")));
        line.map_or(0.0, |value| value.parse::<f64>().unwrap())
    };
    (of("count") as u64, of("sum"))
}

/// Waits until nothing more of what was sent comes in.
fn rests(daemon: &Daemon<'_>) {
    let before = std::cell::Cell::new(u64::MAX);
    daemon.wait("the flood's end", || {
        std::thread::sleep(Duration::from_millis(500));
        before.replace(daemon.metric(RECEIVED)) == before.get()
    });
}

/// 100,000 digests wait to be checked, or are counted as unchecked; alerts come as fast as with the check
/// switched off, and the check takes next to nothing of the machine.
#[test]
fn a_hundred_thousand_digests_hold_up_no_alert() {
    if lacks(&TOOLS) {
        return;
    }
    let net = Net::new();
    net.cable("va", "vb");
    let folder = tempfile::tempdir().unwrap();
    let flood = folder.path().join("flood.pcap");
    let mut capture = Capture::new(&flood);
    for n in 0..FLOOD {
        proves(&mut capture, 0x10_0000 + n, "canary-pw-7431", false);
    }
    drop(capture);
    let mut found = Vec::new();
    for check in ["", CHECK] {
        let daemon = Daemon::start(&net, &format!("{OFFICE}{check}"));
        let begun = Instant::now();
        let sent = net.replay("vb", &["--pps=10000"], &flood);
        assert_eq!(sent, u64::from(2 * FLOOD));
        // The attacks come when the queue is full and the flood itself is over: it alone holds up whatever
        // is behind it.
        rests(&daemon);
        let before = delays(&daemon);
        for attack in
            ["irsf_fast", "premium_dom", "range_hunt", "satellite", "wangiri", "forwarding", "exec_comp"]
        {
            net.replay("vb", &["--pps=2000"], &fixture(&format!("attacks/{attack}")));
        }
        daemon.wait("alerts", || delays(&daemon).0 >= before.0 + 4);
        rests(&daemon);
        let (after, cpu) = (delays(&daemon), cpu_of(&daemon, "passwords"));
        let mean = (after.1 - before.1) / (after.0 - before.0) as f64;
        let unchecked = daemon.metric("ringfence_queue_dropped_total{queue=\"passwords\"}")
            + daemon.metric("ringfence_evicted_total{table=\"passwords\"}");
        println!(
            "check {}: {} alerts, {mean:.3} s each; {unchecked} digests unchecked; {cpu:.2} s of processor time in {:.1} s",
            if check.is_empty() { "off" } else { "on" },
            after.0 - before.0,
            begun.elapsed().as_secs_f64()
        );
        found.push((mean, unchecked, cpu / begun.elapsed().as_secs_f64()));
    }
    let [off, on] = found.try_into().unwrap();
    // `cargo bench --bench passwords` measures finely; here the machine may be anybody's.
    assert!(on.0 <= (off.0 * 2.5).max(0.5), "an alert: {:.3} s without, {:.3} s with the check", off.0, on.0);
    // A machine that is short of time loses frames before anybody reads them.
    assert!(on.1 > u64::from(FLOOD) / 5, "what isn't checked is counted: {}", on.1);
    assert!(on.2 < 0.1, "the check takes {:.0}% of a processor", on.2 * 100.0);
}

/// Seconds of processor time that a thread has used (proc(5), fields 14 and 15 in ticks of 1/100 s).
fn cpu_of(daemon: &Daemon<'_>, thread: &str) -> f64 {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", daemon.child.id())).unwrap();
    let stat = tasks.flatten().find_map(|task| {
        let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
        stat.contains(&format!("({thread})")).then_some(stat)
    });
    let stat = stat.unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit_once(") ").map_or(Vec::new(), |(_, rest)| rest.split(' ').collect());
    let ticks = |n: usize| fields.get(n).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
