//! Direct push to Alertmanager, API v2: open alerts are sent again and again while they are open, and
//! that they are over for 15 minutes, to every replica, each by a thread of its own.
//!
//! Alertmanager forgets what isn't repeated: so each alert carries `endsAt` three minutes ahead and is
//! repeated every 30 s, and after a restart the open ones are repeated from the store.

mod board;
mod shape;

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::client::{Authority, Client, Outcome};
use super::courier::{chance, now, wall};
use super::outbox::pause;
use super::post::{Counts, Notice, Sink, Trouble};
use crate::time::{Span, Timestamp};
use board::{Board, Item};
use shape::{Post, annotations, labels};

/// How often alerts are repeated.
const REPEAT: Duration = Duration::from_secs(30);
/// A replica that was away is asked again at least this often.
const AWAY: Duration = Duration::from_secs(30);
/// Alerts in one request.
const TOGETHER: usize = 100;

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
        let successor = self.shared.lock().successor(to.urls.len());
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
        if !self.shared.lock().update(notice, raised) {
            self.counts.count_dropped(Sink::Alertmanager);
        }
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
        (board.untold(), board.trouble.iter().find_map(Trouble::why).cloned())
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

type News = Vec<Item>;
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
                board.sweep(clock());
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
            let posts: Vec<&Post> = part.iter().map(|item| &item.post).collect();
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
                board.hear(self.replica, part, clock());
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
