//! The password check's thread: it tries its short list at its own slow pace.
//!
//! In: passwords that were proved, each wiped once it was tried. Out: verdicts to the judge: listed, or
//! not. Never: holds up the sensor or the judge; lets a password, or which word it was, go further.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::clock::wall;
use super::sense::Item;
use crate::fact::secret::Exercise;
use crate::posture::password::{Checker, Settings};
use crate::view::{Board, Queue};

/// The longest between two looks.
const IDLE: Duration = Duration::from_secs(1);

/// The newest settings, until the check has taken them.
pub(super) type Wish = Arc<Mutex<Option<Settings>>>;

/// Everybody else on the machine goes first.
const LOWEST: i32 = 19;

/// Runs until the sensor's end of the queue is gone.
pub(super) fn run(
    mut checker: Checker,
    exercises: &Receiver<Exercise>,
    items: &SyncSender<Item>,
    board: &Board,
    wish: &Wish,
) {
    // On Linux a thread has a priority of its own (setpriority(2), section Bugs).
    if let Err(error) = rustix::process::setpriority_process(None, LOWEST) {
        tracing::warn!("the password check runs at an ordinary priority: {error}");
    }
    loop {
        let wait = checker.deadline().map_or(IDLE, |at| {
            let micros = u64::try_from(at.since(wall()).0).unwrap_or(0);
            Duration::from_micros(micros).clamp(Duration::from_millis(1), IDLE)
        });
        let taken = exercises.recv_timeout(wait);
        if let Some(settings) = wish.lock().unwrap_or_else(PoisonError::into_inner).take() {
            checker.reload(settings);
        }
        match taken {
            Ok(exercise) => checker.submit(exercise),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let dropped = &board.vitals.dropped;
        let (_, unchecked) = checker.counts();
        dropped.add(Queue::Passwords, unchecked.saturating_sub(dropped.get(Queue::Passwords)));
        while let Some(verdict) = checker.poll(wall()) {
            // The judge's queue may be full of calls, which go first: this thread can wait.
            if items.send(Item::Verdict(Box::new(verdict))).is_err() {
                return;
            }
        }
    }
}
