//! One sink's thread: takes letters, tries, waits, tries again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::client::Outcome;
use super::outbox::Outbox;
use super::post::{Counts, Notice, Sink, Trouble};
use crate::store::{Letter, Store};
use crate::tally::Label;

/// How a sink sends.
pub trait Carrier: Send + 'static {
    /// Sends one notice, or several as one message.
    fn carry(&mut self, notices: &[Notice]) -> Outcome;
}

/// Somebody waits to hear what became of a fire drill.
#[derive(Debug)]
struct Drill {
    notice: Notice,
    answer: SyncSender<Outcome>,
}

#[derive(Debug, Default)]
struct Desk {
    outbox: Outbox,
    drills: Vec<Drill>,
    /// Who carries from now on.
    next: Option<Next>,
    closed: bool,
    trouble: Trouble,
}

/// A carrier, which may hold secrets.
struct Next(Box<dyn Carrier>);

impl std::fmt::Debug for Next {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Next(***)")
    }
}

#[derive(Debug, Default)]
struct Shared {
    desk: Mutex<Desk>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Desk> {
        // Nothing that holds the lock can panic half-way through a change.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to one sink's thread.
#[derive(Debug)]
pub struct Courier {
    /// Which sink.
    pub sink: Sink,
    shared: Arc<Shared>,
    counts: Arc<Counts>,
    store: Option<Store>,
    next: AtomicU64,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Courier {
    /// Starts the thread, with the letters that a former run left.
    ///
    /// # Errors
    /// No thread can be made.
    pub fn start(
        sink: Sink,
        carrier: Box<dyn Carrier>,
        store: Option<Store>,
        counts: &Arc<Counts>,
        left: Vec<Letter>,
    ) -> std::io::Result<Self> {
        let next = left.last().map_or(0, |letter| letter.seq).saturating_add(1).max(wall());
        let shared = Arc::new(Shared::default());
        for letter in left {
            shared.lock().outbox.push(letter);
        }
        let worker = Worker {
            sink,
            carrier,
            shared: Arc::clone(&shared),
            counts: Arc::clone(counts),
            store: store.clone(),
            begun: now(),
        };
        let thread =
            std::thread::Builder::new().name(format!("to-{}", sink.name())).spawn(move || worker.run())?;
        Ok(Self {
            sink,
            shared,
            counts: Arc::clone(counts),
            store,
            next: AtomicU64::new(next),
            thread: Some(thread),
        })
    }

    /// A letter about a notice, to be kept with it and then handed to `post`.
    pub fn letter(&self, notice: &Notice) -> Letter {
        let seq = self.next.fetch_add(1, Ordering::Relaxed);
        let body = serde_json::to_vec(notice).unwrap_or_default();
        Letter { sink: self.sink.name(), seq, made: notice.at(), urgency: notice.urgency(), body }
    }

    /// Hands a letter over.
    pub fn post(&self, letter: Letter) {
        let dropped = self.shared.lock().outbox.push(letter);
        self.shared.changed.notify_one();
        if let Some(seq) = dropped {
            self.counts.count_dropped(self.sink);
            if let Some(store) = &self.store {
                store.delivered(self.sink.name(), seq);
            }
        }
    }

    /// Whoever carries from now on: what waits goes that way, and at once.
    pub fn replace(&self, carrier: Box<dyn Carrier>) {
        let mut desk = self.shared.lock();
        desk.next = Some(Next(carrier));
        desk.outbox.hurry();
        drop(desk);
        self.shared.changed.notify_one();
    }

    /// The sink is no more: what waits is forgotten, and the thread ends by itself.
    pub fn retire(self) -> std::io::Result<()> {
        for seq in self.shared.lock().outbox.clear() {
            self.counts.count_dropped(self.sink);
            if let Some(store) = &self.store {
                store.delivered(self.sink.name(), seq);
            }
        }
        // An attempt may be under way, which nobody waits for.
        std::thread::Builder::new().name("retired".to_owned()).spawn(move || drop(self)).map(drop)
    }

    /// Sends a fire drill past the queue; the answer says what became of it.
    pub fn drill(&self, notice: Notice, answer: SyncSender<Outcome>) {
        self.shared.lock().drills.push(Drill { notice, answer });
        self.shared.changed.notify_one();
    }

    /// How many letters wait, and what is wrong if the last attempt failed.
    pub fn backlog(&self) -> (usize, Option<String>) {
        let desk = self.shared.lock();
        (desk.outbox.len(), desk.trouble.why().cloned())
    }
}

impl Drop for Courier {
    /// What waits is in the store; the thread ends after the attempt that is under way.
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    sink: Sink,
    carrier: Box<dyn Carrier>,
    shared: Arc<Shared>,
    counts: Arc<Counts>,
    store: Option<Store>,
    begun: Instant,
}

/// When there is nothing to do.
const IDLE: Duration = Duration::from_secs(60);

impl Worker {
    fn run(mut self) {
        while let Some((letters, drills)) = self.next() {
            for drill in drills {
                let outcome = self.carrier.carry(std::slice::from_ref(&drill.notice));
                self.counts.count(self.sink, outcome == Outcome::Arrived);
                // Whoever asked may have stopped waiting.
                let _ = drill.answer.try_send(outcome);
            }
            if !letters.is_empty() {
                self.send(&letters);
            }
        }
    }

    /// Waits for something to do; `None` at the end.
    fn next(&mut self) -> Option<(Vec<Letter>, Vec<Drill>)> {
        let mut desk = self.shared.lock();
        loop {
            if desk.closed {
                return None;
            }
            if let Some(Next(carrier)) = desk.next.take() {
                self.carrier = carrier;
            }
            let drills = std::mem::take(&mut desk.drills);
            let letters = desk.outbox.take(self.begun.elapsed());
            if !letters.is_empty() || !drills.is_empty() {
                return Some((letters, drills));
            }
            let wait = desk.outbox.wait(self.begun.elapsed()).unwrap_or(IDLE).min(IDLE);
            let woken = self.shared.changed.wait_timeout(desk, wait.max(Duration::from_millis(1)));
            desk = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn send(&mut self, letters: &[Letter]) {
        // A letter that an older version wrote otherwise can't be read: it counts as refused.
        let notices: Vec<Notice> =
            letters.iter().filter_map(|letter| serde_json::from_slice(&letter.body).ok()).collect();
        let outcome = if notices.is_empty() {
            Outcome::Refused("written by another version".to_owned())
        } else {
            self.carrier.carry(&notices)
        };
        self.counts.count(self.sink, outcome == Outcome::Arrived);
        let mut desk = self.shared.lock();
        let now = self.begun.elapsed();
        let waiting = desk.outbox.len();
        desk.trouble.hear(self.sink.name(), &outcome, waiting);
        let gone = match outcome {
            Outcome::Arrived => desk.outbox.done(now),
            Outcome::Refused(_) => {
                self.counts.count_dropped(self.sink);
                desk.outbox.done(now)
            }
            Outcome::Later(_, asked) => {
                desk.outbox.failed(now, chance(), asked);
                Vec::new()
            }
        };
        drop(desk);
        if let Some(store) = &self.store {
            gone.into_iter().for_each(|seq| store.delivered(self.sink.name(), seq));
        }
    }
}

/// In 0..1; spreads attempts, nothing more depends on it.
pub(super) fn chance() -> f64 {
    f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX)
}

#[expect(clippy::disallowed_methods, reason = "when to try again is a matter of the machine's clock")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Microseconds since the epoch: numbers of letters go up from run to run.
#[expect(clippy::disallowed_methods, reason = "letters are numbered, and requests signed, by the wall clock")]
pub(super) fn wall() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
