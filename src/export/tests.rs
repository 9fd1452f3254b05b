//! Sinks against a real HTTP server that behaves as badly as receivers do.
#![expect(clippy::disallowed_methods, reason = "how long things take is what is looked at")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::alertmanager::Receivers;
use super::desk::Desk;
use super::post::Sink;
use super::sinks::{Settings, Sinks};
use super::webhook;
use crate::alert::{Alert, AlertState};
use crate::finding::Severity;
use crate::judge::Output;
use crate::record::Recorder;
use crate::record::testing::{NIGHT, alert};
use crate::store::{self, Opened, Store};
use crate::time::Span;
use zeroize::Zeroizing;

/// What the server does with a request.
#[derive(Clone, Debug)]
enum Does {
    Answer(&'static str),
    Hang,
    Close,
}

#[derive(Clone, Debug)]
struct Request {
    path: String,
    headers: Vec<String>,
    body: String,
    at: Instant,
}

impl Request {
    fn header(&self, name: &str) -> String {
        let found = self.headers.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        found.unwrap_or_default()
    }
}

/// A small HTTP server; does the script, then answers 200.
struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    fn start(script: Vec<Does>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    fn on(listener: TcpListener, script: Vec<Does>) -> Self {
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            let mut script = script.into_iter();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut lines = Vec::new();
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
                        break;
                    }
                    lines.push(line.trim().to_owned());
                }
                let Some(first) = lines.first() else { continue };
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                let mut request = Request { path, headers: lines, body: String::new(), at: Instant::now() };
                let length = request.header("content-length").parse().unwrap_or(0);
                let mut body = vec![0; length];
                if reader.read_exact(&mut body).is_err() {
                    continue;
                }
                request.body = String::from_utf8(body).unwrap();
                seen.lock().unwrap().push(request);
                match script.next().unwrap_or(Does::Answer("200 OK")) {
                    Does::Answer(status) => {
                        let _ = write!(
                            stream,
                            "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
                        );
                    }
                    Does::Close => {}
                    Does::Hang => {
                        std::thread::spawn(move || {
                            std::thread::sleep(Duration::from_secs(20));
                            drop(stream);
                        });
                    }
                }
            }
        });
        Self { address, requests }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until so many came.
    fn wait(&self, count: usize, at_most: Duration) -> Vec<Request> {
        let begun = Instant::now();
        while self.requests().len() < count {
            assert!(
                begun.elapsed() < at_most,
                "{} of {count} came: {:?}",
                self.requests().len(),
                self.requests()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        self.requests()
    }
}

fn settings(server: Option<&Server>) -> Settings {
    let webhook = server.map(|server| webhook::Settings {
        url: Zeroizing::new(format!("{}/hook", server.url())),
        secret: Zeroizing::new(b"canary".to_vec()),
        at_most: Duration::from_millis(400),
        authority: super::sinks::Authority::default(),
    });
    Settings { webhook, at_most: Duration::from_millis(400), ..Settings::default() }
}

fn open(folder: &std::path::Path) -> Opened {
    Store::open(store::Settings { path: folder.join("r.db"), ..store::Settings::default() }, NIGHT).unwrap()
}

fn close(opened: Opened) {
    opened.store.close();
    opened.thread.join().unwrap();
}

fn desk(store: Option<&Store>, sinks: &Arc<Sinks>, open: &[Alert]) -> Desk {
    let labels = Box::new(|who: Option<&crate::handsets::Who>| {
        who.map(|who| who.user.to_string()).unwrap_or_default()
    });
    Desk::new(Recorder::default(), labels, store.cloned(), Arc::clone(sinks), open)
}

fn numbered(id: u64, state: AlertState) -> Alert {
    let since = NIGHT.plus(Span::seconds(i64::try_from(id).unwrap()));
    Alert { id, since, time: since, ..alert(state, 2) }
}

fn say(desk: &mut Desk, alert: &Alert) {
    desk.output(&Output::Alert(Box::new(alert.clone())), |_| 0);
}

const SOON: Duration = Duration::from_secs(20);

#[test]
fn the_record_arrives_signed_whatever_the_receiver_does_first() {
    let script = vec![
        Does::Answer("500 Oh"),
        Does::Answer("429 Slow\r\nRetry-After: 1"),
        Does::Hang,
        Does::Answer("302 There\r\nLocation: http://169.254.169.254/latest"),
        Does::Close,
    ];
    let failures = script.len();
    let server = Server::start(script);
    let sinks = Arc::new(Sinks::start(settings(Some(&server)), None).unwrap());
    let mut desk = desk(None, &sinks, &[]);
    say(&mut desk, &numbered(1, AlertState::Raised));
    // 1, 1 (as asked), 4, 8, 16 s at the most, each shortened by up to a half.
    let requests = server.wait(failures + 1, Duration::from_secs(45));
    let ids: BTreeSet<String> = requests.iter().map(|request| request.header("x-ringfence-id")).collect();
    assert_eq!(ids.len(), 1, "the same at each attempt");
    let last = requests.last().unwrap();
    let record: serde_json::Value = serde_json::from_str(&last.body).unwrap();
    assert_eq!(
        (&record["type"], &record["state"], &record["id"]),
        (&"alert".into(), &"raised".into(), &1.into())
    );
    let stamp = last.header("x-ringfence-timestamp").parse().unwrap();
    assert_eq!(
        last.header("x-ringfence-signature"),
        webhook::signature(b"canary", stamp, last.body.as_bytes())
    );
    assert!(requests.iter().all(|request| request.path == "/hook"), "no redirect is followed");
    std::thread::sleep(Duration::from_millis(100));
    let counts = sinks.counts();
    assert_eq!((counts.sent(Sink::Webhook), counts.failed(Sink::Webhook)), (1, failures as u64));
    assert_eq!(sinks.backlog()[0].waiting, 0);
}

#[test]
fn a_message_that_is_called_wrong_is_dropped_and_the_next_one_goes() {
    let server = Server::start(vec![Does::Answer("400 Bad")]);
    let sinks = Arc::new(Sinks::start(settings(Some(&server)), None).unwrap());
    let mut desk = desk(None, &sinks, &[]);
    say(&mut desk, &numbered(1, AlertState::Raised));
    say(&mut desk, &numbered(2, AlertState::Raised));
    let requests = server.wait(2, SOON);
    assert!(requests[1].body.contains("\"id\":2"));
    assert_eq!(sinks.counts().dropped(Sink::Webhook), 1);
}

#[test]
fn what_could_not_be_sent_is_sent_after_a_restart_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there yet.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let down = Server { address, requests: Arc::default() };
    let first = open(folder.path());
    let sinks = Arc::new(Sinks::start(settings(Some(&down)), Some(&first.store)).unwrap());
    let mut one = desk(Some(&first.store), &sinks, &[]);
    for id in 1..=30 {
        say(&mut one, &numbered(id, AlertState::Raised));
    }
    assert!(sinks.counts().late() == 0 && sinks.backlog()[0].waiting == 30);
    drop((one, sinks));
    close(first);

    let server = Server::on(TcpListener::bind(address).unwrap(), Vec::new());
    let second = open(folder.path());
    let known: Vec<Alert> = (1..=30).map(|id| numbered(id, AlertState::Updated)).collect();
    let sinks = Arc::new(Sinks::start(settings(Some(&server)), Some(&second.store)).unwrap());
    let two = desk(Some(&second.store), &sinks, &known);
    let begun = Instant::now();
    let told = |server: &Server| -> Vec<u64> {
        let of = |value: &serde_json::Value| value["id"].as_u64().unwrap();
        server
            .requests()
            .iter()
            .flat_map(|request| {
                let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
                body["alerts"].as_array().map_or_else(|| vec![of(&body)], |all| all.iter().map(of).collect())
            })
            .collect()
    };
    while told(&server).len() < 30 {
        assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", told(&server));
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("30 alerts in {} messages, {:.1} s", server.requests().len(), begun.elapsed().as_secs_f64());
    assert_eq!(told(&server), (1..=30).collect::<Vec<_>>(), "all, in order, none twice");
    assert!(server.requests().len() <= 10);
    drop((two, sinks));
    close(second);

    let third = open(folder.path());
    assert!(third.store.reader().unwrap().letters("webhook").unwrap().is_empty());
    close(third);
}

#[test]
fn an_incident_that_the_judge_forgot_is_not_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Vec::new());
    let first = open(folder.path());
    let sinks = Arc::new(Sinks::start(settings(Some(&server)), Some(&first.store)).unwrap());
    let mut one = desk(Some(&first.store), &sinks, &[]);
    say(&mut one, &numbered(1, AlertState::Raised));
    server.wait(1, SOON);
    drop((one, sinks));
    close(first);

    // The save that would have remembered it never came: the judge raises it anew, under another number.
    let second = open(folder.path());
    let sinks = Arc::new(Sinks::start(settings(Some(&server)), Some(&second.store)).unwrap());
    let mut two = desk(Some(&second.store), &sinks, &[]);
    say(&mut two, &numbered(9, AlertState::Raised));
    say(&mut two, &numbered(9, AlertState::Cleared));
    let requests = server.wait(2, SOON);
    assert!(requests[1].body.contains("\"state\":\"cleared\""), "its end is told, its beginning was");
    // Another one, of which nothing is heard any more, ends by itself.
    assert!(second.store.reader().unwrap().open_alerts().unwrap().is_empty());
    say(&mut two, &numbered(20, AlertState::Raised));
    server.wait(3, SOON);
    drop((two, sinks));
    close(second);
    let third = open(folder.path());
    let sinks = Arc::new(Sinks::start(settings(Some(&server)), Some(&third.store)).unwrap());
    let mut three = desk(Some(&third.store), &sinks, &[]);
    three.tick(NIGHT.plus(Span::hours(11)));
    assert_eq!(third.store.reader().unwrap().open_alerts().unwrap().len(), 1);
    three.tick(NIGHT.plus(Span::hours(13)));
    let requests = server.wait(4, SOON);
    assert!(requests[3].body.contains("\"state\":\"cleared\"") && requests[3].body.contains("\"id\":20"));
    drop((three, sinks));
    close(third);
}

#[test]
fn below_the_severity_only_the_journal_and_the_store_hear_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Vec::new());
    let opened = open(folder.path());
    let journal = folder.path().join("journal.jsonl");
    let settings = Settings { journal: Some(journal.clone()), ..settings(Some(&server)) };
    let sinks = Arc::new(Sinks::start(settings, Some(&opened.store)).unwrap());
    let mut desk = desk(Some(&opened.store), &sinks, &[]);
    let mut notice = numbered(1, AlertState::Raised);
    notice.finding.severity = Severity::Info;
    say(&mut desk, &notice);
    say(&mut desk, &numbered(2, AlertState::Raised));
    let requests = server.wait(1, SOON);
    assert!(requests[0].body.contains("\"id\":2"));
    let lines = std::fs::read_to_string(&journal).unwrap();
    assert_eq!(lines.lines().count(), 2, "and it was written before anybody was told");
    assert_eq!(opened.store.reader().unwrap().open_alerts().unwrap().len(), 2);
    drop((desk, sinks));
    close(opened);
}

#[test]
fn open_alerts_are_pushed_to_every_replica_also_to_one_that_was_away() {
    let folder = tempfile::tempdir().unwrap();
    let here = Server::start(Vec::new());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let away = listener.local_addr().unwrap();
    drop(listener);
    let push = Settings {
        alertmanagers: Receivers {
            urls: vec![here.url(), format!("http://{away}/")],
            ..Receivers::default()
        },
        ..settings(None)
    };
    let opened = open(folder.path());
    let sinks = Arc::new(Sinks::start(push.clone(), Some(&opened.store)).unwrap());
    let mut one = desk(Some(&opened.store), &sinks, &[]);
    say(&mut one, &numbered(1, AlertState::Raised));
    here.wait(1, SOON);
    let back = Server::on(TcpListener::bind(away).unwrap(), Vec::new());
    let requests = back.wait(1, SOON);
    assert_eq!(requests[0].path, "/api/v2/alerts");
    let posted: serde_json::Value = serde_json::from_str(&requests[0].body).unwrap();
    let labels = &posted[0]["labels"];
    assert_eq!(
        (&labels["alertname"], &labels["handset"], &labels["severity"], &labels["site"]),
        (&"RingfenceTollFraudSuspected".into(), &"214".into(), &"critical".into(), &"office".into())
    );
    assert!(posted[0]["endsAt"].as_str().unwrap() > posted[0]["startsAt"].as_str().unwrap());
    drop((one, sinks));
    close(opened);
    // A restart repeats what is open; nobody has to wait for the judge.
    let opened = open(folder.path());
    let sinks = Arc::new(Sinks::start(push, Some(&opened.store)).unwrap());
    let mut two = desk(Some(&opened.store), &sinks, &[numbered(1, AlertState::Updated)]);
    let before = here.wait(2, SOON).len();
    say(&mut two, &numbered(1, AlertState::Cleared));
    let requests = here.wait(before + 1, SOON);
    let posted: serde_json::Value = serde_json::from_str(&requests.last().unwrap().body).unwrap();
    let over = numbered(1, AlertState::Cleared).time.to_string();
    assert_eq!(posted[0]["endsAt"].as_str().unwrap(), over);
    drop((two, sinks));
    close(opened);
}

#[test]
fn a_drill_goes_through_every_sink_and_says_how_long_each_took() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Vec::new());
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = Settings {
        journal: Some(folder.path().join("journal.jsonl")),
        alertmanagers: Receivers {
            urls: vec![server.url(), format!("http://{gone}")],
            ..Receivers::default()
        },
        ..settings(Some(&server))
    };
    let sinks = Sinks::start(settings, None).unwrap();
    let drilled = sinks.drill();
    let of = |sink: Sink| drilled.iter().find(|drilled| drilled.sink == sink).unwrap().result.clone();
    assert!(of(Sink::Journal).unwrap() < SOON && of(Sink::Webhook).unwrap() < SOON);
    assert!(of(Sink::Alertmanager).is_err(), "one replica is down");
    // The replica that is down says so at once, perhaps before the other has been reached.
    let requests = server.wait(2, SOON);
    assert!(requests.iter().any(|request| request.body.contains("RingfenceFireDrill")));
    let hook = requests.iter().find(|request| request.path == "/hook").unwrap();
    assert!(hook.body.contains("\"drill\":true"));
}

#[test]
fn text_from_outside_stays_text_in_every_body() {
    let server = Server::start(Vec::new());
    let push = Settings {
        alertmanagers: Receivers { urls: vec![server.url()], ..Receivers::default() },
        ..settings(Some(&server))
    };
    let sinks = Arc::new(Sinks::start(push, None).unwrap());
    let mut desk = desk(None, &sinks, &[]);
    let payloads: [&[u8]; 8] = [
        b"a\r\nb: c",
        b"\x1b]0;x\x07",
        b"{{ .Labels }}",
        b"<img src=a>",
        b"'; DROP",
        b"%n\"\\",
        "\u{202e}x\u{2028}".as_bytes(),
        b"\xff\x00",
    ];
    for (n, payload) in payloads.iter().enumerate() {
        let mut hostile = numbered(n as u64 + 1, AlertState::Raised);
        let who = hostile.finding.who.as_mut().unwrap();
        who.user = crate::text::Text::new(payload);
        hostile.finding.samples[0].call_id = crate::text::Text::new(payload);
        say(&mut desk, &hostile);
    }
    let requests = server.wait(6, SOON);
    for request in requests {
        let body: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
        assert!(body.is_array() || body["type"] == "alert" || body["type"] == "alerts");
        assert!(
            !request.body.chars().any(|c| c.is_control() || matches!(c, '\u{202e}' | '\u{2028}')),
            "{}",
            request.body
        );
        assert!(request.headers.iter().all(|line| !line.starts_with("b:")));
    }
    // Requests come one at a time.
    assert!(server.requests().windows(2).all(|pair| pair[0].at <= pair[1].at));
}
