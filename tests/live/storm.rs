//! Five hundred alerts while Alertmanager is away (R18). A daemon never raises so many at once: what
//! strikes many handsets becomes one incident of the office. So they are told to the desk itself.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence::alert::{Alert, AlertState};
use ringfence::bounded::Table;
use ringfence::export::alertmanager::Receivers;
use ringfence::export::desk::Desk;
use ringfence::export::sinks::{Settings, Sinks};
use ringfence::finding::{Exposure, Finding, Rule, Severity, Subject};
use ringfence::handsets::{HandsetId, Who};
use ringfence::judge::Output;
use ringfence::record::Recorder;
use ringfence::store::{self, Store};
use ringfence::text::Text;
use ringfence::time::Timestamp;
use ringfence::view::Sink;

use super::alarm::{alertmanager, until};
use super::net::{Net, lacks};
use super::receiver::Receiver;
use super::sinks::AT_ONCE;

const TOOLS: [&str; 4] = ["ip", "sysctl", "kill", "prometheus-alertmanager"];
const SOON: Duration = Duration::from_secs(20);
const ALERTS: u16 = 500;

fn clock() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_micros()).unwrap())
}

/// Incidents of so many handsets, raised now.
fn alerts() -> Vec<Alert> {
    let mut handsets = Table::new(usize::from(ALERTS), 0);
    let now = clock();
    let one = |n: u16| {
        let id = HandsetId(handsets.find_or_insert(&n, now, || ()).slot);
        let [high, low] = n.to_be_bytes();
        let user = Text::from((2_000 + n).to_string().as_str());
        let who = Who { id, user, verified: true, ip: IpAddr::from([10, 1, high, low]), mac: None };
        let finding = Finding {
            time: now,
            rule: Rule::Spend.into(),
            severity: if n.is_multiple_of(2) { Severity::Critical } else { Severity::Warning },
            subject: Subject::Handset(id),
            who: Some(who),
            sentence: format!("handset {user} spends too much"),
            reasons: Vec::new(),
            calls: 3,
            numbers: 3,
            regions: Vec::new(),
            exposure: Exposure::default(),
            evidence: Vec::new(),
            samples: Vec::new(),
            first_call: now,
            last_call: now,
        };
        let state = AlertState::Raised;
        Alert { id: u64::from(n) + 1, state, time: now, since: now, accepted_until: None, finding }
    };
    (0..ALERTS).map(one).collect()
}

/// How often each handset was told to be firing, and to be over.
fn told(received: &Receiver) -> BTreeMap<String, [u32; 2]> {
    let mut told: BTreeMap<String, [u32; 2]> = BTreeMap::new();
    for one in received.taken().iter().filter(|one| one.path == "/alertmanager") {
        for alert in one.json()["alerts"].as_array().unwrap() {
            let handset = alert["labels"]["handset"].as_str().unwrap_or_default().to_owned();
            told.entry(handset).or_default()[usize::from(alert["status"] == "resolved")] += 1;
        }
    }
    told
}

#[test]
fn five_hundred_alerts_wait_for_alertmanager_and_come_once() {
    if lacks(&TOOLS) {
        return;
    }
    let net = Net::new();
    let folder = tempfile::tempdir().unwrap();
    let person = Receiver::start(&net, 9999);
    let config = folder.path().join("am.yml");
    std::fs::write(&config, AT_ONCE).unwrap();
    let opened = Store::open(
        store::Settings { path: folder.path().join("r.db"), ..store::Settings::default() },
        clock(),
    )
    .unwrap();
    let store = opened.store.clone();
    let to = Receivers { urls: vec!["http://127.0.0.1:9093".to_owned()], ..Receivers::default() };
    let settings = Settings { alertmanagers: to, ..Settings::default() };
    let sinks = net.inside(move || Arc::new(Sinks::start(settings, None).unwrap()));
    let labels = Box::new(|who: Option<&Who>| who.map(|who| who.user.to_string()).unwrap_or_default());
    let mut desk = Desk::new(Recorder::default(), labels, Some(store), Arc::clone(&sinks), &[]);
    let mut say = |alert: &Alert| desk.output(&Output::Alert(Box::new(alert.clone())), |_| 0);

    let alerts = alerts();
    let begun = Instant::now();
    alerts.iter().for_each(&mut say);
    println!("{ALERTS} alerts written down and handed over in {:.1?}", begun.elapsed());
    let failed = || sinks.counts().failed(Sink::Alertmanager);
    until("attempts", SOON, || (failed() >= 4).then_some(()));
    let running = alertmanager(&net, &config, &folder.path().join("am"));
    let back = Instant::now();
    until("Alertmanager runs", SOON, || net.json(9093, "/api/v2/status"));
    until("all are told", Duration::from_secs(90), || {
        (told(&person).len() == usize::from(ALERTS)).then_some(())
    });
    println!("all told {:.1?} after Alertmanager was back", back.elapsed());

    // It is away once more while a half of them ends.
    person.wait_for_silence();
    running.stop();
    let before = failed();
    let (over, open) = alerts.split_at(alerts.len() / 2);
    for alert in over {
        say(&Alert { state: AlertState::Cleared, time: clock(), ..alert.clone() });
    }
    until("attempts", Duration::from_secs(60), || (failed() > before).then_some(()));
    let _running = alertmanager(&net, &config, &folder.path().join("am"));
    let back = Instant::now();
    until("all ends are told", Duration::from_secs(90), || {
        let ended = told(&person).values().filter(|told| told[1] > 0).count();
        (ended == over.len()).then_some(())
    });
    println!("all ends told {:.1?} after it was back the second time", back.elapsed());
    // What is said again every 30 s, that they are open or over, must not be told again.
    std::thread::sleep(Duration::from_secs(33));
    let told = told(&person);
    for (alerts, times) in [(over, [1, 1]), (open, [1, 0])] {
        for alert in alerts {
            let handset = alert.finding.who.unwrap().user.to_string();
            assert_eq!(told[&handset], times, "{handset}: told once, and of its end if it has one");
        }
    }
    assert_eq!(sinks.counts().dropped(Sink::Alertmanager), 0);
    opened.store.close();
    opened.thread.join().unwrap();
}
