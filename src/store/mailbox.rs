//! What waits to be written: bounded, urgent things first, of states only the newest.

use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::blob::Blob;
use super::rows::{AckRow, AlertRow, CallRow, FindingRow, HandsetRow, Letter, NoteRow};

/// Alerts, letters and acceptances that may wait.
pub const URGENT: usize = 4_096;
/// Calls, handsets and findings that may wait.
pub const ORDINARY: usize = 16_384;

/// One thing to write.
#[derive(Debug)]
pub(super) enum Job {
    Call(Box<CallRow>),
    Handset(Box<HandsetRow>),
    Finding(Box<FindingRow>),
    Note(Box<NoteRow>),
    Ack(Box<AckRow>),
    Alert(Box<AlertRow>, Vec<Letter>, Option<SyncSender<bool>>),
    Delivered(&'static str, u64),
    State(Vec<Blob>),
    Flush(SyncSender<bool>),
}

impl Job {
    pub(super) const fn is_urgent(&self) -> bool {
        matches!(self, Self::Ack(_) | Self::Alert(..) | Self::Delivered(..) | Self::Flush(_))
    }
}

#[derive(Debug, Default)]
struct Waiting {
    urgent: VecDeque<Job>,
    ordinary: VecDeque<Job>,
    state: Option<Vec<Blob>>,
    closed: bool,
}

/// Filled by any thread, emptied by the writer.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

/// What the writer takes at once.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) jobs: Vec<Job>,
    pub(super) closed: bool,
}

/// Rows of one transaction, at the most.
const BATCH: usize = 2_048;

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that holds the lock can panic half-way through a change.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there was room.
    pub(super) fn post(&self, job: Job) -> bool {
        let mut waiting = self.lock();
        let urgent = job.is_urgent();
        let (queue, room) =
            if urgent { (&mut waiting.urgent, URGENT) } else { (&mut waiting.ordinary, ORDINARY) };
        if queue.len() >= room {
            return false;
        }
        queue.push_back(job);
        let half_full = queue.len() >= BATCH;
        drop(waiting);
        if urgent || half_full {
            self.filled.notify_one();
        }
        true
    }

    pub(super) fn state(&self, blobs: Vec<Blob>) {
        let mut waiting = self.lock();
        let state = waiting.state.get_or_insert_default();
        state.retain(|old| blobs.iter().all(|new| new.name != old.name));
        state.extend(blobs);
        drop(waiting);
        self.filled.notify_one();
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
    }

    /// Waits for something urgent, a state or a full batch, at most so long; takes what there is.
    pub(super) fn take(&self, at_most: Duration) -> Batch {
        let idle = |waiting: &mut Waiting| {
            waiting.urgent.is_empty()
                && waiting.state.is_none()
                && waiting.ordinary.len() < BATCH
                && !waiting.closed
        };
        let guard = self.lock();
        let (mut waiting, _) =
            self.filled.wait_timeout_while(guard, at_most, idle).unwrap_or_else(PoisonError::into_inner);
        let mut jobs: Vec<Job> = waiting.urgent.drain(..).collect();
        let ordinary = waiting.ordinary.len().min(BATCH);
        jobs.extend(waiting.ordinary.drain(..ordinary));
        // A flush answers for everything before it.
        jobs.sort_by_key(|job| matches!(job, Job::Flush(_)));
        let at = jobs.iter().position(|job| matches!(job, Job::Flush(_))).unwrap_or(jobs.len());
        if let Some(blobs) = waiting.state.take() {
            jobs.insert(at, Job::State(blobs));
        }
        Batch { jobs, closed: waiting.closed && waiting.ordinary.is_empty() }
    }
}
