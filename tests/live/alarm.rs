//! From the handset to the person: every program on the way is the real one.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use super::net::{Daemon, Net, lacks, must};
use super::office::{Office, SITE};
use super::receiver::{Received, Receiver, now};

const TOOLS: [&str; 9] =
    ["ip", "bridge", "ss", "sysctl", "kill", "kamailio", "sipp", "prometheus", "prometheus-alertmanager"];
const PHONES: u8 = 12;

/// A program beside the daemon; killed with the test.
pub(crate) struct Beside(Child);

impl Beside {
    /// Runs it inside; what it says goes to a file.
    pub(crate) fn start(net: &Net, words: &[&str], log: &Path) -> Self {
        let said = File::create(log).unwrap();
        let mut command = net.command(words);
        command.stdin(Stdio::null()).stderr(said.try_clone().unwrap()).stdout(said);
        Self(command.spawn().unwrap())
    }

    /// Ends it as an operator would: it may save what it must not forget.
    pub(crate) fn stop(mut self) {
        must(&["kill", "-TERM", &self.0.id().to_string()]);
        let _ = self.0.wait();
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is shipped for an operator.
fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("etc").join(name)
}

/// Debian's Alertmanager on its usual port, with a configuration.
pub(crate) fn alertmanager(net: &Net, config: &Path, state: &Path) -> Beside {
    let config = format!("--config.file={}", config.display());
    let state_folder = format!("--storage.path={}", state.display());
    let words = [
        "prometheus-alertmanager",
        &config,
        &state_folder,
        "--web.listen-address=127.0.0.1:9093",
        "--cluster.listen-address=",
    ];
    Beside::start(net, &words, &state.with_extension("log"))
}

/// Debian's Prometheus with the shipped sample; only its pace is another.
fn prometheus(net: &Net, folder: &Path) -> Beside {
    let sample = std::fs::read_to_string(shipped("prometheus/prometheus.yml")).unwrap();
    let rules = shipped("prometheus/ringfence.rules.yml");
    let quick = sample
        .replace(": 15s", ": 1s")
        .replace("/usr/share/ringfence/prometheus/ringfence.rules.yml", rules.to_str().unwrap());
    assert!(quick.contains("scrape_interval: 1s") && quick.contains(rules.to_str().unwrap()));
    let config = folder.join("prometheus.yml");
    std::fs::write(&config, quick).unwrap();
    let config = format!("--config.file={}", config.display());
    let data = format!("--storage.tsdb.path={}", folder.join("data").display());
    // What it can't deliver, as in the first seconds, it sends again after this.
    let again = "--rules.alert.resend-delay=5s";
    let words = ["prometheus", &config, &data, again, "--web.listen-address=127.0.0.1:9090"];
    Beside::start(net, &words, &folder.join("prometheus.log"))
}

/// Waits for an answer.
pub(crate) fn until<T>(what: &str, at_most: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < at_most, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const SOON: Duration = Duration::from_secs(30);

/// Whether an open alert of a handset pages somebody.
fn pages(metrics: &str, handset: &str) -> bool {
    let is = |line: &str| {
        line.starts_with("ringfence_alert_active{")
            && line.contains(&format!("handset=\"{handset}\""))
            && !line.contains("severity=\"info\"")
    };
    metrics.lines().any(is)
}

/// Notices of toll fraud that a receiver was told.
fn told(received: &[Received], handset: &str) -> Option<(Received, Value)> {
    received.iter().find_map(|one| {
        let body: Value = serde_json::from_str(&one.body).ok()?;
        let alerts = body["alerts"].as_array()?.clone();
        let ours = alerts.into_iter().find(|alert| {
            alert["labels"]["alertname"] == "RingfenceTollFraudSuspected"
                && alert["labels"]["handset"] == handset
                && alert["labels"]["severity"] == "critical"
        });
        Some((one.clone(), ours?))
    })
}

#[test]
fn toll_fraud_reaches_a_person() {
    if lacks(&TOOLS) {
        return;
    }
    let begun = Instant::now();
    let office = Office::open(PHONES);
    let net = &office.switch;
    let folder = tempfile::tempdir().unwrap();
    let person = Receiver::start(net, 9999);
    let _alertmanager =
        alertmanager(net, &shipped("alertmanager/alertmanager.yml"), &folder.path().join("am"));
    let _prometheus = prometheus(net, folder.path());
    let daemon = Daemon::start(net, SITE);
    println!("{:5.1} s: everything runs", begun.elapsed().as_secs_f64());

    office.register(PHONES);
    let ordinary: Vec<_> = (0..6).map(|n| (201 + n, format!("0207946010{n}"))).collect();
    office.call(&ordinary, 10).finish();
    daemon.wait("every call", || daemon.metric("ringfence_calls_total{class=\"national\"}") == 6);
    assert!(!daemon.get("/metrics").lines().any(|line| line.starts_with("ringfence_alert_active{")));
    until("Prometheus scrapes", SOON, || {
        let up = net.json(9090, "/api/v1/query?query=up%7Bjob%3D%22ringfence%22%7D")?;
        (up["data"]["result"][0]["value"][1] == "1").then_some(())
    });
    println!(
        "{:5.1} s: an ordinary day: 12 registrations, 6 calls, nobody is paged",
        begun.elapsed().as_secs_f64()
    );

    // Handset 212 calls a satellite network again and again.
    let attack: Vec<_> = (10..22).map(|n| (212, format!("008821600123{n}"))).collect();
    let calls = office.call(&attack, 3);
    until("the alert is on /metrics", SOON, || pages(&daemon.get("/metrics"), "212").then_some(()));
    let on_metrics = now();
    let open: Value = serde_json::from_str(&daemon.get("/api/v1/alerts?open=true")).unwrap();
    let ours = |alert: &&Value| alert["handset"] == "212" && alert["severity"] != "info";
    let alert = open.as_array().unwrap().iter().find(ours).unwrap_or_else(|| panic!("{open}"));
    let decided = moment(&alert["since"]);
    let first = format!("{}, {}", plain(&alert["rule"]), plain(&alert["severity"]));

    let fires = |alert: &&Value| alert["state"] == "firing" && alert["labels"]["handset"] == "212";
    until("Prometheus fires", SOON, || {
        let all = net.json(9090, "/api/v1/alerts")?;
        all["data"]["alerts"].as_array()?.iter().any(|alert| fires(&alert)).then_some(())
    });
    let fired = now();
    // By then it is worse, and another rule may speak.
    let (letter, notice) = until("the person is told", SOON, || told(&person.taken(), "212"));
    assert_eq!(letter.path, "/night", "the sample wakes somebody for this");
    let rule = plain(&notice["labels"]["rule"]);
    let same = |alert: &&Value| alert["labels"]["rule"] == rule && alert["labels"]["severity"] == "critical";
    let all = net.json(9090, "/api/v1/alerts").unwrap();
    let alerts = all["data"]["alerts"].as_array().unwrap();
    let firing = alerts.iter().filter(fires).find(same).unwrap_or_else(|| panic!("{all}"));
    let all = net.json(9093, "/api/v2/alerts").unwrap();
    let held = all.as_array().unwrap().iter().find(same).unwrap_or_else(|| panic!("{all}"));
    let labels = [
        ("alertname", "RingfenceTollFraudSuspected"),
        ("handset", "212"),
        ("rule", &rule),
        ("severity", "critical"),
        ("job", "ringfence"),
        ("instance", "127.0.0.1:9765"),
    ];
    for (who, alert) in [("Prometheus", firing), ("Alertmanager", held), ("webhook", &notice)] {
        for (label, value) in labels {
            assert_eq!(alert["labels"][label], value, "{who}: {alert}");
        }
        assert_eq!(alert["labels"].as_object().unwrap().len(), labels.len(), "{who}: {alert}");
    }
    assert_eq!(notice["status"], "firing");
    assert!(notice["annotations"]["summary"].as_str().is_some_and(|text| text.ends_with('.')));
    let runbook = notice["annotations"]["runbook_url"].as_str().unwrap().rsplit_once('/').unwrap().1;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runbooks").join(runbook);
    assert!(page.exists(), "{runbook}");
    until("the dead man's switch", SOON, || {
        person.taken().iter().any(|one| one.path == "/alive").then_some(())
    });

    let after = |at: SystemTime| at.duration_since(decided).unwrap_or_default().as_secs_f64();
    println!("handset 212: {first}; later {rule}, critical. After the deciding INVITE:");
    println!("  {:5.2} s on /metrics (goal: 1 s)", after(on_metrics));
    println!("  {:5.2} s firing in Prometheus (scrapes and evaluates each second here)", after(fired));
    println!("  {:5.2} s told by Alertmanager's webhook", after(letter.at));
    println!("  labels {labels:?}");
    assert!(after(on_metrics) < 10.0 && after(letter.at) < 30.0);
    let delays = daemon.metric("ringfence_alert_delay_seconds_count");
    assert!(delays > 0, "the delay is a metric, too");

    calls.finish();
    daemon.wait("every call", || daemon.metric("ringfence_calls_total{class=\"global\"}") == 12);
    assert_eq!(daemon.metric("ringfence_calls_total{class=\"national\"}"), 6, "{}", daemon.get("/metrics"));
    assert_eq!(net.figure("copies", "rx_packets"), 0, "it never sends on the mirror port");
    println!("{:5.1} s: done", begun.elapsed().as_secs_f64());
}

#[test]
fn a_password_that_nobody_should_have_is_found_and_kept_to_itself() {
    if lacks(&TOOLS) {
        return;
    }
    let office = Office::open(3);
    let check = "[password_check]\nenabled = true\nnetworks = [\"10.0.3.0/24\"]\nrealms = [\"office\"]\n";
    let daemon = Daemon::start(&office.switch, &format!("{SITE}{check}"));
    office.register(3);
    let found = until("the finding", SOON, || {
        let posture: Value = serde_json::from_str(&daemon.get("/api/v1/posture")).unwrap();
        let is = |one: &&Value| one["check"] == "default_sip_password" && one["status"] == "finding";
        let found: Vec<Value> = posture.as_array().unwrap().iter().filter(is).cloned().collect();
        (found.len() == 3).then_some(found)
    });
    for finding in &found {
        assert_eq!(finding["severity"], "critical", "{finding}");
    }
    let open = daemon.get("/api/v1/alerts?open=true");
    assert!(open.contains("\"rule\":\"default_sip_password\""), "{open}");
    // What was proved goes nowhere.
    for place in [open, daemon.get("/api/v1/posture"), daemon.log(), daemon.get("/metrics")] {
        assert!(!place.contains("response=") && !place.contains("cnonce"), "{place}");
    }
    assert_eq!(daemon.metric("ringfence_queue_dropped_total{queue=\"passwords\"}"), 0);
}

fn plain(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A time as records have it.
fn moment(value: &Value) -> SystemTime {
    let text = value.as_str().unwrap();
    let at = ringfence::time::since(text, ringfence::time::Timestamp(0)).unwrap();
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(at.0).unwrap())
}
