//! The daemon on real interfaces: cables in network namespaces.
#![cfg(feature = "daemon")]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests of the program measure and print"
)]

#[path = "live/alarm.rs"]
mod alarm;
#[path = "live/crowd.rs"]
mod crowd;
#[path = "live/hostile.rs"]
mod hostile;
#[path = "live/mail.rs"]
mod mail;
#[path = "live/net.rs"]
mod net;
#[path = "live/office.rs"]
mod office;
#[path = "live/privacy.rs"]
mod privacy;
#[path = "live/receiver.rs"]
mod receiver;
#[path = "live/restart.rs"]
mod restart;
#[path = "office/running.rs"]
mod running;
#[path = "live/secrets.rs"]
mod secrets;
#[path = "live/sinks.rs"]
mod sinks;
#[path = "live/soak.rs"]
mod soak;
#[path = "live/storm.rs"]
mod storm;
#[path = "live/strangers.rs"]
mod strangers;
#[path = "live/tariff.rs"]
mod tariff;

use std::io::Read;
use std::time::{Duration, Instant};

use net::{Daemon, Net, fixture, lacks, run};

const TOOLS: [&str; 4] = ["ip", "tcpreplay", "sysctl", "kill"];
const WATCHED: &str = "[capture]\ninterfaces = [\"va\"]\n";
const RECEIVED: &str = "ringfence_capture_received_packets_total{interface=\"va\"}";

fn net_with_cable() -> Net {
    let net = Net::new();
    net.cable("va", "vb");
    net
}

/// Sums the series of a metric.
fn sum(text: &str, metric: &str) -> u64 {
    let values =
        text.lines().filter_map(|line| line.strip_prefix(metric)?.strip_prefix('{')?.rsplit_once(' '));
    values.map(|(_, value)| value.parse::<f64>().unwrap() as u64).sum()
}

#[test]
fn an_attack_on_the_wire_is_on_the_metrics_and_nothing_is_sent() {
    if lacks(&TOOLS) {
        return;
    }
    let net = net_with_cable();
    let daemon = Daemon::start(&net, WATCHED);
    let sent = net.replay("vb", &["-t"], &fixture("attacks/satellite"));
    // Which rule speaks first depends on whether the office is open at the moment of the test.
    let pages =
        |line: &str| line.starts_with("ringfence_alert_active{") && !line.contains("severity=\"info\"");
    let waited = daemon.wait("the alert", || daemon.get("/metrics").lines().any(pages));
    println!("the alert was on /metrics {waited:?} after the last packet");
    daemon.wait("every frame", || daemon.metric(RECEIVED) == sent);
    let text = daemon.get("/metrics");
    assert_eq!(sum(&text, "ringfence_packets_total"), sent, "the outcomes partition what was received");
    assert_eq!(sum(&text, "ringfence_capture_dropped_packets_total"), 0);
    assert_eq!(net.figure("vb", "rx_packets"), 0, "it never sends");

    let open: serde_json::Value = serde_json::from_str(&daemon.get("/api/v1/alerts?open=true")).unwrap();
    let paged = open.as_array().unwrap().iter().find(|alert| alert["severity"] != "info").unwrap();
    let (id, rule) = (paged["id"].to_string(), paged["rule"].as_str().unwrap().to_owned());
    let calls: serde_json::Value = serde_json::from_str(&daemon.get("/api/v1/calls?limit=5")).unwrap();
    assert_eq!(calls.as_array().unwrap().len(), 5);
    for path in ["/api/v1/handsets", "/api/v1/posture", "/api/v1/status"] {
        let _: serde_json::Value = serde_json::from_str(&daemon.get(path)).unwrap();
    }
    assert!(daemon.get("/").contains("Ringfence"));

    let list = daemon.command(&["alerts", "--open", "--json"]);
    assert!(String::from_utf8_lossy(&list.stdout).contains(&rule));
    let ack = daemon.command(&["ack", &id, "--for", "2h", "--why", "a drill"]);
    assert!(ack.status.success(), "{}", String::from_utf8_lossy(&ack.stderr));
    let list = daemon.command(&["alerts", "--open", "--json"]);
    assert!(String::from_utf8_lossy(&list.stdout).contains("\"accepted_until\":\"20"));
    assert_eq!(daemon.command(&["ack", "99", "--for", "2h", "--why", "x"]).status.code(), Some(1));
    for (span, why, key) in [("99999d", "x", "--for"), ("2h", " ", "--why")] {
        let refused = daemon.command(&["ack", &id, "--for", span, "--why", why]);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(2) && said.contains(key), "{said}");
    }
    for command in ["calls", "handsets", "posture", "status"] {
        assert!(daemon.command(&[command]).status.success(), "{command}");
    }
    documented(&text);
    checked_by_promtool(&text);
}

/// Every metric of a real page stands in the table, and the other way round.
fn documented(text: &str) {
    let table = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md")).unwrap();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let row = table.lines().find(|row| row.starts_with(&format!("| `{name}` ")));
        assert!(row.is_some_and(|row| row.contains(kind)), "{name} ({kind}) isn't in docs/metrics.md");
    }
}

fn checked_by_promtool(text: &str) {
    use std::io::Write;
    let mut promtool = match std::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
    {
        Ok(child) => child,
        Err(why) => {
            assert!(std::env::var("CI").is_err(), "promtool: {why}");
            println!("skipped: promtool: {why}");
            return;
        }
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let out = promtool.wait_with_output().unwrap();
    let said = [out.stdout, out.stderr].concat();
    assert!(out.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn links_and_interfaces_come_back() {
    if lacks(&TOOLS) {
        return;
    }
    let net = net_with_cable();
    let daemon = Daemon::start(&net, WATCHED);
    let file = fixture("rules/prefix_probe");
    let mut sent = net.replay("vb", &["-t"], &file);
    daemon.wait("the first frames", || daemon.metric(RECEIVED) == sent);

    net.ip(&["link", "set", "va", "down"]);
    daemon
        .wait("the link is seen down", || daemon.get("/metrics").contains("capture_up{interface=\"va\"} 0"));
    net.ip(&["link", "set", "va", "up"]);
    let back = daemon
        .wait("the link is seen up", || daemon.get("/metrics").contains("capture_up{interface=\"va\"} 1"));
    sent += net.replay("vb", &["-t"], &file);
    daemon.wait("frames after the link", || daemon.metric(RECEIVED) == sent);
    println!("back {back:?} after the link");

    net.ip(&["link", "del", "va"]);
    daemon.wait("the loss is said", || daemon.log().contains("capture lost"));
    std::thread::sleep(Duration::from_millis(1_500));
    net.cable("va", "vb");
    let back = daemon
        .wait("it is opened again", || daemon.get("/metrics").contains("capture_up{interface=\"va\"} 1"));
    assert!(back < Duration::from_secs(5), "{back:?}");
    sent += net.replay("vb", &["-t"], &file);
    daemon.wait("frames after it was made anew", || daemon.metric(RECEIVED) == sent);
    println!("back {back:?} after the interface was made anew");
    let log = daemon.log();
    assert!(log.contains("the link is down") && log.contains("capturing again"), "{log}");
    assert_eq!(daemon.metric("ringfence_capture_reopened_total{interface=\"va\"}"), 1);
}

#[test]
fn two_interfaces_are_one_office() {
    if lacks(&TOOLS) {
        return;
    }
    let net = net_with_cable();
    net.cable("vc", "vd");
    let daemon = Daemon::start(&net, "[capture]\ninterfaces = [\"va\", \"vc\"]\n");
    let file = fixture("rules/prefix_probe");
    let first = net.replay("vb", &["-t"], &file);
    let attempts = "ringfence_calls_total{class=\"suspect\"}";
    daemon.wait("frames of one", || daemon.metric(RECEIVED) == first);
    std::thread::sleep(Duration::from_millis(500));
    let calls = daemon.metric(attempts);
    let second = net.replay("vd", &["-t"], &file);
    let other = "ringfence_capture_received_packets_total{interface=\"vc\"}";
    daemon.wait("frames of the other", || daemon.metric(other) == second);
    std::thread::sleep(Duration::from_millis(500));
    assert!(calls > 0, "{}", daemon.get("/metrics"));
    assert_eq!(daemon.metric(attempts), calls, "what both show is one call");
}

#[test]
fn a_thousand_reloads_under_load_lose_no_packet() {
    if lacks(&TOOLS) {
        return;
    }
    let net = net_with_cable();
    let daemon = Daemon::start(&net, WATCHED);
    let file = fixture("demo");
    let before = daemon.memory();
    // Signals that come while one is followed fold into one: they go on until a thousand were followed.
    let reloads = || daemon.log().matches("read again and holds").count();
    let (done, mut signals) = (std::sync::atomic::AtomicBool::new(false), 0);
    let sent = std::thread::scope(|scope| {
        let replay = scope.spawn(|| {
            let mut sent = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                sent += net.replay("vb", &["--pps=4000", "--loop=200", "--duration=4"], &file);
            }
            sent
        });
        let begun = Instant::now();
        while reloads() < 1_000 && begun.elapsed() < Duration::from_secs(150) {
            for _ in 0..50 {
                daemon.signal("-HUP");
                signals += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        replay.join().unwrap()
    });
    daemon.wait("every frame", || daemon.metric(RECEIVED) == sent);
    let text = daemon.get("/metrics");
    assert_eq!(sum(&text, "ringfence_packets_total"), sent);
    assert_eq!(sum(&text, "ringfence_capture_dropped_packets_total"), 0);
    assert!(text.contains("ringfence_config_last_reload_successful 1"));
    let taken = reloads();
    assert!(taken >= 1_000, "{taken} reloads");
    println!(
        "{signals} signals, {taken} reloads beside {sent} frames; memory {before} KiB before, {} after",
        daemon.memory()
    );
    // What the traffic itself fills is bounded; a reload that leaked would show by its tables.
    let first = daemon.memory();
    for _ in 0..100 {
        daemon.signal("-HUP");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(500));
    let last = daemon.memory();
    assert!(last < first + 4_096, "{first} KiB before 100 more reloads, {last} after");

    daemon.config("[capture]\ninterfaces = [\"va\"]\n[site]\nhmoe = \"GB\"\n");
    daemon.signal("-HUP");
    daemon.wait("the bad file is refused", || {
        daemon.get("/metrics").contains("ringfence_config_last_reload_successful 0")
    });
    assert!(daemon.log().contains("hmoe"), "the log names the key");
    daemon.config("[capture]\ninterfaces = [\"va\"]\n");
    let reload = daemon.command(&["reload"]);
    assert!(reload.status.success(), "{}", String::from_utf8_lossy(&reload.stderr));
    assert!(daemon.get("/metrics").contains("ringfence_config_last_reload_successful 1"));
}

#[test]
fn it_holds_nothing_and_ends_when_told() {
    if lacks(&TOOLS) {
        return;
    }
    let net = net_with_cable();
    let mut daemon = Daemon::start(&net, WATCHED);
    for (name, status) in daemon.threads() {
        let field = |key: &str| status.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone()).unwrap();
        for set in ["CapEff", "CapPrm", "CapAmb"] {
            let held = u64::from_str_radix(&field(set), 16).unwrap();
            // The opener may hold CAP_NET_RAW, to open an interface again.
            let may = if name == "opener" && set != "CapAmb" { 1 << 13 } else { 0 };
            assert_eq!(held & !may, 0, "{name} {set}");
        }
        assert_eq!((field("NoNewPrivs"), field("Seccomp")), ("1".into(), "2".into()), "{name}");
        assert!(!field("Uid").starts_with("0\t"), "{name} is root");
    }
    let text = daemon.get("/metrics");
    for layer in ["user", "capabilities", "no_new_privileges", "seccomp"] {
        assert!(text.contains(&format!("ringfence_sandbox{{layer=\"{layer}\"}} 1")), "{layer}");
    }
    let listening = daemon.net.exec(&["ss", "-Hlntu"]);
    let listening = String::from_utf8_lossy(&listening.stdout).into_owned();
    assert_eq!(listening.lines().count(), 1, "{listening}");
    assert!(listening.contains("127.0.0.1:9765"), "{listening}");
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
        let answer = daemon.ask(&format!("{method} /metrics HTTP/1.1"));
        assert!(answer.starts_with("HTTP/1.1 405") && answer.contains("allow: GET, HEAD"), "{answer}");
    }
    let head = daemon.ask("HEAD /metrics HTTP/1.1");
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"));
    let long = format!("GET /{} HTTP/1.1", "a".repeat(20_000));
    assert!(!daemon.ask(&long).starts_with("HTTP/1.1 200"));
    assert!(daemon.ask("GET /api/v1/alerts?since=yesterday HTTP/1.1").starts_with("HTTP/1.1 400"));

    let socket = daemon.folder.path().join("run/control.sock");
    assert!(socket.exists());
    let begun = Instant::now();
    daemon.signal("-TERM");
    let ended = daemon.child.wait().unwrap();
    assert!(ended.success() && begun.elapsed() < Duration::from_secs(5), "{ended} {:?}", begun.elapsed());
    assert!(!socket.exists(), "the control socket goes with it");
    let lost = daemon.command(&["status"]);
    let said = String::from_utf8_lossy(&lost.stderr).into_owned();
    assert!(lost.status.code() == Some(1) && said.contains("control.sock"), "{said}");
}

#[test]
fn it_refuses_what_it_must_not_do() {
    if lacks(&TOOLS) {
        return;
    }
    let net = net_with_cable();
    for (config, code, what) in [
        ("[capture]\ninterfaces = [\"va\"]\n[run]\nuser = \"root\"\n", 2, "--allow-root"),
        ("[capture]\ninterfaces = [\"nosuch0\"]\n", 1, "no such interface"),
        ("", 2, "nothing to capture from"),
        ("[capture]\ninterfaces = [\"va\"]\nfilter = \"udp portt 1\"\n", 2, "c.toml:7: capture.filter"),
        ("[capture]\ninterfaces = [\"va\"]\n[http]\nlisten = \"0.0.0.0:9765\"\n", 2, "token_file"),
    ] {
        let mut daemon = Daemon::spawn(&net, config, &[], &[]);
        let ended = daemon.child.wait().unwrap();
        let log = daemon.log();
        assert!(ended.code() == Some(code) && log.contains(what), "{config}: {ended} {log}");
    }
}

/// A reload that comes while it starts neither ends it nor is forgotten; a port that somebody else has is
/// named, and what to do.
#[test]
fn a_reload_while_it_starts_comes_a_moment_later() {
    if lacks(&TOOLS) {
        return;
    }
    let net = net_with_cable();
    let mut daemon = Daemon::spawn(&net, "[capture]\ninterfaces = [\"va\"]\n", &[], &[]);
    let status = format!("/proc/{}/status", daemon.child.id());
    daemon.wait("that it holds signals", || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let blocked = text.lines().find_map(|line| line.strip_prefix("SigBlk:"));
        blocked.is_some_and(|set| u64::from_str_radix(set.trim(), 16).unwrap() & 1 == 1)
    });
    daemon.signal("-HUP");
    daemon.wait("ready", || daemon.log().contains("ready"));
    daemon.wait("the reload", || daemon.log().contains("the configuration was read again and holds"));
    let mut second = Daemon::spawn(&net, "[capture]\ninterfaces = [\"va\"]\n", &[], &[]);
    let (ended, log) = (second.child.wait().unwrap(), second.log());
    assert!(ended.code() == Some(1) && log.contains("9765: Address already in use"), "{ended} {log}");
    assert!(log.contains("; stop what listens there"), "{log}");
    daemon.signal("-TERM");
    assert!(daemon.child.wait().unwrap().success());
}

/// A folder for its state that takes nothing costs history, and is named.
#[test]
fn a_disk_that_takes_nothing_keeps_it_from_nothing_but_history() {
    if lacks(&TOOLS) || lacks(&["unshare", "mount"]) {
        return;
    }
    let net = net_with_cable();
    for options in ["size=64k,ro", "size=4k,nr_inodes=1"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("state")).unwrap();
        let own = folder.path().to_str().unwrap().to_owned();
        let mount = format!("mount -t tmpfs -o {options} none $0/state && exec \"$@\"");
        let before = ["unshare", "-m", "sh", "-c", &mount, &own];
        let mut daemon = Daemon::spawn_in(folder, &net, "[capture]\ninterfaces = [\"va\"]\n", &before, &[]);
        daemon.wait("ready", || daemon.log().contains(" ready"));
        let log = daemon.log();
        assert!(log.contains("state") && log.contains("nothing can be written there"), "{log}");
        assert!(daemon.get("/metrics").contains("ringfence_build_info"));
        assert!(daemon.command(&["status"]).status.success());
        daemon.signal("-TERM");
        assert!(daemon.child.wait().unwrap().success(), "{}", daemon.log());
    }
}

/// A folder that can't be made is named with the key that asks for it.
#[test]
fn a_file_below_a_file_is_refused_by_its_key() {
    if lacks(&TOOLS) {
        return;
    }
    let net = net_with_cable();
    let wish = "[capture]\ninterfaces = [\"va\"]\n[notify.journal]\npath = \"c.toml/j/j.jsonl\"\n";
    let mut daemon = Daemon::spawn(&net, wish, &[], &[]);
    assert_eq!(daemon.child.wait().unwrap().code(), Some(1));
    let log = daemon.log();
    assert!(log.contains("[notify.journal] path: ") && log.contains("make that folder"), "{log}");
}

#[test]
fn beyond_this_machine_it_wants_a_token_or_a_certificate() {
    if lacks(&TOOLS) || lacks(&["openssl", "curl"]) {
        return;
    }
    let net = net_with_cable();
    let keys = tempfile::tempdir().unwrap();
    let path = |name: &str| keys.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("token"), "a-token-of-some-length\n").unwrap();
    let open = "[capture]\ninterfaces = [\"va\"]\n[http]\nlisten = \"0.0.0.0:9765\"\n";
    {
        let daemon = Daemon::start(&net, &format!("{open}token_file = \"{}\"\n", path("token")));
        let without = daemon.ask("GET /metrics HTTP/1.1");
        assert!(without.starts_with("HTTP/1.1 401"), "{without}");
        let wrong = daemon.ask("GET /metrics HTTP/1.1\r\nAuthorization: Bearer a-token-of-some-lengtH");
        assert!(wrong.starts_with("HTTP/1.1 401"), "{wrong}");
        let right = daemon.ask("GET /metrics HTTP/1.1\r\nAuthorization: Bearer a-token-of-some-length");
        assert!(right.starts_with("HTTP/1.1 200"), "{right}");
        assert!(!daemon.log().contains("a-token-of"), "no secret in the log");
    }
    net::certificates(keys.path());
    let tls = format!(
        "{open}tls_cert = \"{}\"\ntls_key = \"{}\"\nclient_ca = \"{}\"\n",
        path("server.pem"),
        path("server.key"),
        path("ca.pem")
    );
    let daemon = Daemon::start(&net, &tls);
    let curl = |client: Option<&str>| {
        let (ca, mut words) = (path("ca.pem"), vec!["curl", "-sS", "--max-time", "10"]);
        let (cert, key);
        if let Some(name) = client {
            (cert, key) = (path(&format!("{name}.pem")), path(&format!("{name}.key")));
            words.extend(["--cert", &cert, "--key", &key]);
        }
        words.extend(["--cacert", &ca, "https://127.0.0.1:9765/-/healthy"]);
        String::from_utf8_lossy(&daemon.net.exec(&words).stdout).into_owned()
    };
    assert_eq!(curl(Some("client")), "ok\n", "{}", daemon.log());
    assert_eq!(curl(None), "", "no certificate, no answer");
    assert_eq!(curl(Some("other")), "", "another authority's certificate, no answer");
}

#[test]
fn idle_clients_and_a_lack_of_descriptors_keep_nobody_out() {
    if lacks(&TOOLS) || lacks(&["prlimit"]) {
        return;
    }
    let net = net_with_cable();
    {
        let daemon = Daemon::start(&net, WATCHED);
        let idle: Vec<_> = (0..1_000).filter_map(|_| net.connect(daemon.port).ok()).collect();
        let begun = Instant::now();
        daemon.get("/metrics");
        println!("a scrape beside {} idle connections took {:?}", idle.len(), begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(2));
        drop(idle);
    }
    let daemon = Daemon::spawn(&net, WATCHED, &["prlimit", "--nofile=48:48"], &[]);
    daemon.wait("ready", || daemon.log().contains("ready"));
    let idle: Vec<_> = (0..200).filter_map(|_| net.connect(daemon.port).ok()).collect();
    let begun = Instant::now();
    daemon.get("/metrics");
    println!("a scrape without descriptors, {} idle: {:?}", idle.len(), begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(idle);
    daemon.get("/-/healthy");
}

#[test]
fn systemd_is_told_and_the_watchdog_fed() {
    if lacks(&TOOLS) {
        return;
    }
    let net = net_with_cable();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    run(&["chmod", "-R", "a+rwx", folder.path().to_str().unwrap()]);
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let env = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "1500000")];
    let pid = ["sh", "-c", "WATCHDOG_PID=$$ exec \"$@\"", "sh"];
    let daemon = Daemon::spawn(&net, WATCHED, &pid, &env);
    let mut heard = String::new();
    let mut hear = |what: &str| {
        while !heard.contains(what) {
            let mut message = [0; 512];
            let n = socket.recv(&mut message).unwrap_or_else(|e| panic!("no {what}: {e}; {heard}"));
            heard += &String::from_utf8_lossy(&message[..n]);
        }
        heard.clear();
    };
    hear("READY=1");
    // On a link on which nothing comes at all.
    hear("WATCHDOG=1");
    hear("WATCHDOG=1");
    daemon.signal("-HUP");
    hear("RELOADING=1");
    hear("READY=1");
    daemon.signal("-TERM");
    hear("STOPPING=1");
}

#[test]
fn events_are_told_as_they_happen() {
    if lacks(&TOOLS) {
        return;
    }
    let net = net_with_cable();
    let daemon = Daemon::start(&net, WATCHED);
    let mut stream = net.connect(daemon.port).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    let mut more = |until: &str| {
        while !text.contains(until) {
            let mut bytes = [0; 4_096];
            let n = stream.read(&mut bytes).unwrap();
            assert!(n > 0, "{text}");
            text += &String::from_utf8_lossy(&bytes[..n]);
        }
    };
    more("retry:");
    net.replay("vb", &["-t"], &fixture("attacks/camouflage"));
    more("event: call");
    more("event: alert");
    more("\"type\":\"alert\"");
    more("event: status");
}
