//! Direct push to Alertmanager, API v2: open alerts are sent again and again while they are open,
//! to every replica, each by a thread of its own.
//!
//! Alertmanager forgets what isn't repeated: so each alert carries `endsAt` three minutes ahead and is
//! repeated every 30 s, and after a restart the open ones are repeated from the store.

mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::client::{Authority, Client, Outcome};
use super::courier::{chance, now, wall};
use super::outbox::pause;
use super::post::{Counts, Notice, Sink, Trouble};
use crate::time::{Span, Timestamp};
use shape::{Annotations, Labels, Post, annotations, labels};

/// How often open alerts are repeated, and how long a replica holds them without word of us.
const REPEAT: Duration = Duration::from_secs(30);
const HOLD: Span = Span::minutes(3);
/// A replica that was away is asked again at least this often.
const AWAY: Duration = Duration::from_secs(30);
/// Alerts in one request.
const TOGETHER: usize = 100;
/// Alerts that are kept for replicas at the most: open ones, and resolved ones not yet told.
const ROOM: usize = 10_000;
/// After this long a replica need not hear any more that something is over.
const STALE: Span = Span::HOUR;

#[derive(Clone, Debug)]
struct Entry {
    annotations: Annotations,
    starts: Timestamp,
    /// Incidents that are open under these labels.
    open: BTreeSet<String>,
    ended: Option<Timestamp>,
    /// Since when it is known here that it is over.
    over_since: Option<Timestamp>,
    version: u64,
}

#[derive(Debug, Default)]
struct Board {
    entries: BTreeMap<Labels, Entry>,
    /// Under which labels each open incident stands.
    incidents: BTreeMap<String, Labels>,
    version: u64,
    /// What each replica has taken: the version of each alert.
    told: Vec<BTreeMap<Labels, u64>>,
    drills: Vec<Vec<(Notice, SyncSender<Outcome>)>>,
    trouble: Vec<Trouble>,
    closed: bool,
}

impl Board {
    fn new(replicas: usize) -> Self {
        Self {
            told: vec![BTreeMap::new(); replicas],
            drills: (0..replicas).map(|_| Vec::new()).collect(),
            trouble: (0..replicas).map(|_| Trouble::default()).collect(),
            ..Self::default()
        }
    }

    fn update(&mut self, notice: &Notice, raised: Timestamp) {
        let labels = labels(notice);
        let over = notice.state == "cleared";
        let before = self.incidents.get(&notice.incident).cloned();
        // The severity rose: to Alertmanager that is another alert, and the former one is over.
        if let Some(before) = before.filter(|before| over || *before != labels) {
            self.incidents.remove(&notice.incident);
            self.close(&before, &notice.incident, notice.at());
        }
        self.version += 1;
        if over {
            return;
        }
        if self.entries.len() >= ROOM && !self.entries.contains_key(&labels) {
            return;
        }
        self.incidents.insert(notice.incident.clone(), labels.clone());
        let version = self.version;
        let entry = self.entries.entry(labels).or_insert_with(|| Entry {
            annotations: annotations(notice),
            starts: raised,
            open: BTreeSet::new(),
            ended: None,
            over_since: None,
            version,
        });
        if entry.ended.take().is_some() {
            entry.starts = raised;
            entry.over_since = None;
        }
        entry.open.insert(notice.incident.clone());
        entry.annotations = annotations(notice);
        entry.version = version;
    }

    fn close(&mut self, labels: &Labels, incident: &str, at: Timestamp) {
        self.version += 1;
        if let Some(entry) = self.entries.get_mut(labels) {
            entry.open.remove(incident);
            if entry.open.is_empty() {
                entry.ended = Some(at);
                entry.version = self.version;
            }
        }
    }

    /// What a replica should hear: with `all` every open alert, else only what changed.
    fn news(&self, replica: usize, all: bool, now: Timestamp) -> News {
        let told = self.told.get(replica);
        let of = |labels: &Labels| told.and_then(|told| told.get(labels).copied());
        let mut news = Vec::new();
        for (labels, entry) in &self.entries {
            let known = of(labels);
            let changed = known != Some(entry.version);
            if !changed && (!all || entry.ended.is_some()) {
                continue;
            }
            // It came and went while the replica was away: people must hear of it, and it ends by itself.
            let ends = match entry.ended {
                Some(ended) if known.is_some() => ended.max(entry.starts),
                _ => now.plus(HOLD),
            };
            news.push((labels.clone(), entry.version, post(labels, entry, ends)));
        }
        news
    }

    fn hear(&mut self, replica: usize, told: Vec<(Labels, u64)>) {
        if let Some(known) = self.told.get_mut(replica) {
            known.extend(told);
        }
        self.sweep(None);
    }

    /// Forgets what is over and known to all, or long over.
    fn sweep(&mut self, now: Option<Timestamp>) {
        let told = &self.told;
        self.entries.retain(|labels, entry| {
            if entry.ended.is_none() {
                return true;
            }
            entry.over_since = entry.over_since.or(now);
            let stale = now.zip(entry.over_since).is_some_and(|(now, since)| now.since(since) >= STALE);
            let heard = |known: &BTreeMap<Labels, u64>| known.get(labels) == Some(&entry.version);
            !stale && !told.iter().all(heard)
        });
        let entries = &self.entries;
        for known in &mut self.told {
            known.retain(|labels, _| entries.contains_key(labels));
        }
    }
}

fn post(labels: &Labels, entry: &Entry, ends: Timestamp) -> Post {
    Post {
        labels: labels.clone(),
        annotations: entry.annotations.clone(),
        starts_at: entry.starts.to_string(),
        ends_at: ends.to_string(),
    }
}

#[derive(Debug)]
struct Shared {
    board: Mutex<Board>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Board> {
        // Nothing that holds the lock can panic half-way through a change.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom to push to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receivers {
    /// Replicas, by their base addresses.
    pub urls: Vec<String>,
    /// Whose certificates are trusted.
    pub authority: Authority,
}

/// All replicas.
#[derive(Debug)]
pub struct Alertmanagers {
    shared: Arc<Shared>,
    threads: Vec<std::thread::JoinHandle<()>>,
    counts: Arc<Counts>,
}

impl Alertmanagers {
    /// Starts a thread for each replica, by its base address (`http://host:9093`).
    ///
    /// # Errors
    /// No thread can be made.
    pub fn start(to: &Receivers, at_most: Duration, counts: &Arc<Counts>) -> std::io::Result<Self> {
        Self::begin(Board::new(to.urls.len()), to, at_most, counts)
    }

    /// Other replicas, which hear of everything that is open. The former ones let it end by itself.
    ///
    /// # Errors
    /// No thread can be made.
    pub fn successor(&self, to: &Receivers, at_most: Duration) -> std::io::Result<Self> {
        let board = self.shared.lock();
        let open = board.entries.iter().filter(|(_, entry)| entry.ended.is_none());
        let successor = Board {
            entries: open.map(|(labels, entry)| (labels.clone(), entry.clone())).collect(),
            incidents: board.incidents.clone(),
            version: board.version,
            ..Board::new(to.urls.len())
        };
        drop(board);
        Self::begin(successor, to, at_most, &self.counts)
    }

    fn begin(board: Board, to: &Receivers, at_most: Duration, counts: &Arc<Counts>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { board: Mutex::new(board), changed: Condvar::new() });
        let mut threads = Vec::new();
        for (replica, url) in to.urls.iter().enumerate() {
            let worker = Worker {
                replica,
                url: format!("{}/api/v2/alerts", url.trim_end_matches('/')),
                client: Client::new(at_most, &to.authority),
                shared: Arc::clone(&shared),
                counts: Arc::clone(counts),
                failures: 0,
            };
            let name = format!("to-alertmanager-{replica}");
            threads.push(std::thread::Builder::new().name(name).spawn(move || worker.run())?);
        }
        Ok(Self { shared, threads, counts: Arc::clone(counts) })
    }

    /// An incident was raised, changed or is over.
    pub fn update(&self, notice: &Notice, raised: Timestamp) {
        let mut board = self.shared.lock();
        if board.entries.len() >= ROOM {
            self.counts.count_dropped(Sink::Alertmanager);
        }
        board.update(notice, raised);
        drop(board);
        self.shared.changed.notify_all();
    }

    /// Sends a fire drill to every replica; each answers.
    pub fn drill(&self, notice: &Notice, answer: &SyncSender<Outcome>) -> usize {
        let mut board = self.shared.lock();
        for waiting in &mut board.drills {
            waiting.push((notice.clone(), answer.clone()));
        }
        let replicas = board.drills.len();
        drop(board);
        self.shared.changed.notify_all();
        replicas
    }

    /// How many alerts some replica has not heard of, and what is wrong with the last that failed.
    pub fn backlog(&self) -> (usize, Option<String>) {
        let board = self.shared.lock();
        let untold = board.entries.iter().filter(|(labels, entry)| {
            !board.told.iter().all(|told| told.get(*labels) == Some(&entry.version))
        });
        (untold.count(), board.trouble.iter().find_map(Trouble::why).cloned())
    }
}

impl Drop for Alertmanagers {
    /// Open alerts stay open there for up to three minutes: long enough for a restart.
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

struct Worker {
    replica: usize,
    url: String,
    client: Client,
    shared: Arc<Shared>,
    counts: Arc<Counts>,
    failures: u32,
}

type News = Vec<(Labels, u64, Post)>;
type Drills = Vec<(Notice, SyncSender<Outcome>)>;

impl Worker {
    fn run(mut self) {
        let mut repeated: Option<Instant> = None;
        let mut not_before: Option<Instant> = None;
        while let Some((news, drills, all)) = self.next(repeated, not_before) {
            for (notice, answer) in drills {
                let outcome = self.drill(&notice);
                // Whoever asked may have stopped waiting.
                let _ = answer.try_send(outcome);
            }
            if news.is_empty() {
                if all {
                    repeated = Some(now());
                }
                continue;
            }
            if self.send(news) {
                not_before = None;
                if all {
                    repeated = Some(now());
                }
            } else {
                not_before = Some(now() + pause(self.failures, chance()).min(AWAY));
                self.failures = self.failures.saturating_add(1);
            }
        }
    }

    /// Waits for news, a drill, or the time to repeat; `None` at the end.
    fn next(&self, repeated: Option<Instant>, not_before: Option<Instant>) -> Option<(News, Drills, bool)> {
        let mut board = self.shared.lock();
        loop {
            if board.closed {
                return None;
            }
            let drills = board.drills.get_mut(self.replica).map(std::mem::take).unwrap_or_default();
            let at = now();
            let all = repeated.is_none_or(|last| at.duration_since(last) >= REPEAT);
            let rests = not_before.map(|until| until.saturating_duration_since(at)).unwrap_or_default();
            let news = if rests.is_zero() { board.news(self.replica, all, clock()) } else { Vec::new() };
            if !drills.is_empty() || !news.is_empty() || (all && rests.is_zero()) {
                board.sweep(Some(clock()));
                return Some((news, drills, all));
            }
            let repeat =
                repeated.map(|last| REPEAT.saturating_sub(at.duration_since(last))).unwrap_or(REPEAT);
            let wait = if rests.is_zero() { repeat } else { rests };
            let woken = self.shared.changed.wait_timeout(board, wait.max(Duration::from_millis(1)));
            board = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn send(&mut self, news: News) -> bool {
        for part in news.chunks(TOGETHER) {
            let posts: Vec<&Post> = part.iter().map(|(_, _, post)| post).collect();
            let outcome = self.client.post(&self.url, &[], &serde_json::to_vec(&posts).unwrap_or_default());
            let arrived = outcome == Outcome::Arrived;
            self.counts.count(Sink::Alertmanager, arrived);
            let mut board = self.shared.lock();
            if let Some(trouble) = board.trouble.get_mut(self.replica) {
                let receiver = format!("alertmanager {}", self.replica + 1);
                trouble.hear(&receiver, &outcome, part.len());
            }
            // What it calls wrong it will call wrong again: the next repetition is soon enough.
            if matches!(outcome, Outcome::Arrived | Outcome::Refused(_)) {
                board.hear(
                    self.replica,
                    part.iter().map(|(labels, version, _)| (labels.clone(), *version)).collect(),
                );
            }
            drop(board);
            if matches!(outcome, Outcome::Later(..)) {
                return false;
            }
        }
        self.failures = 0;
        true
    }

    fn drill(&self, notice: &Notice) -> Outcome {
        let at = clock();
        let post = Post {
            labels: labels(notice),
            annotations: annotations(notice),
            starts_at: at.to_string(),
            ends_at: at.plus(Span::MINUTE).to_string(),
        };
        let outcome = self.client.post(&self.url, &[], &serde_json::to_vec(&[post]).unwrap_or_default());
        self.counts.count(Sink::Alertmanager, outcome == Outcome::Arrived);
        outcome
    }
}

fn clock() -> Timestamp {
    Timestamp(i64::try_from(wall()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::shape::{DRILL, POSTURE, TOLL};
    use super::*;

    fn notice(incident: &str, state: &str, severity: &str, time: i64) -> Notice {
        Notice {
            incident: incident.to_owned(),
            site: "office".to_owned(),
            label: "214".to_owned(),
            state: state.to_owned(),
            rule: "spend".to_owned(),
            severity: severity.to_owned(),
            time,
            sentence: "too dear".to_owned(),
            record: "{}".to_owned(),
        }
    }

    fn told(board: &mut Board, replica: usize, all: bool, now: i64) -> Vec<(String, String)> {
        let news = board.news(replica, all, Timestamp(now));
        let out =
            news.iter().map(|(labels, _, post)| (labels.severity.clone(), post.ends_at.clone())).collect();
        board.hear(replica, news.into_iter().map(|(labels, version, _)| (labels, version)).collect());
        out
    }

    fn ends(at: i64) -> String {
        Timestamp(at).to_string()
    }

    const AHEAD: i64 = HOLD.0;

    #[test]
    fn open_alerts_are_repeated_and_resolved_once_to_each_replica() {
        let mut board = Board::new(2);
        board.update(&notice("a", "raised", "critical", 5), Timestamp(5));
        let critical = |at| vec![("critical".to_owned(), ends(at))];
        assert_eq!(told(&mut board, 0, false, 10), critical(10 + AHEAD));
        assert!(told(&mut board, 0, false, 20).is_empty());
        assert_eq!(told(&mut board, 0, true, 30), critical(30 + AHEAD), "while it is open");
        assert_eq!(told(&mut board, 1, true, 30), critical(30 + AHEAD));
        board.update(&notice("a", "cleared", "critical", 40), Timestamp(5));
        assert_eq!(told(&mut board, 0, false, 50), critical(40), "over");
        assert!(told(&mut board, 0, true, 60).is_empty());
        assert_eq!(told(&mut board, 1, true, 60), critical(40));
        assert!(
            board.entries.is_empty()
                && board.told.iter().all(BTreeMap::is_empty)
                && board.incidents.is_empty()
        );
    }

    #[test]
    fn a_severity_that_rises_ends_the_former_alert() {
        let mut board = Board::new(1);
        board.update(&notice("a", "raised", "warning", 5), Timestamp(5));
        told(&mut board, 0, false, 10);
        board.update(&notice("a", "updated", "critical", 20), Timestamp(5));
        let mut news = told(&mut board, 0, false, 30);
        news.sort();
        assert_eq!(news, [("critical".to_owned(), ends(30 + AHEAD)), ("warning".to_owned(), ends(20))]);
    }

    #[test]
    fn what_came_and_went_while_a_replica_was_away_is_still_told() {
        let mut board = Board::new(1);
        board.update(&notice("a", "raised", "critical", 5), Timestamp(5));
        board.update(&notice("a", "cleared", "critical", 20), Timestamp(5));
        assert_eq!(told(&mut board, 0, true, 30), [("critical".to_owned(), ends(30 + AHEAD))]);
        assert!(board.entries.is_empty(), "it ends there by itself");
    }

    #[test]
    fn two_incidents_under_the_same_labels_are_over_when_both_are() {
        let mut board = Board::new(1);
        board.update(&notice("a", "raised", "critical", 5), Timestamp(5));
        board.update(&notice("b", "raised", "critical", 6), Timestamp(6));
        told(&mut board, 0, false, 10);
        board.update(&notice("a", "cleared", "critical", 20), Timestamp(5));
        assert!(told(&mut board, 0, false, 25).is_empty());
        board.update(&notice("b", "cleared", "critical", 30), Timestamp(6));
        assert_eq!(told(&mut board, 0, false, 35), [("critical".to_owned(), ends(30))]);
        // And raised anew, it starts anew.
        board.update(&notice("c", "raised", "critical", 50), Timestamp(50));
        let news = board.news(0, false, Timestamp(60));
        assert_eq!(news[0].2.starts_at, Timestamp(50).to_string());
    }

    #[test]
    fn labels_are_never_empty_of_a_name() {
        let names = |rule: &str| {
            labels(&Notice { rule: rule.to_owned(), ..notice("a", "raised", "critical", 1) }).alertname
        };
        assert_eq!((names("spend"), names("scanner"), names("fire_drill")), (TOLL, POSTURE, DRILL));
    }
}
