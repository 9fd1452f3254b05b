//! Does everything move? Only then is the watchdog fed.
//!
//! In: the rounds of the sensor and the judge. Out: health, systemd's watchdog, a status for readers.
//! Never: feeds the watchdog for a thread that stands still.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::clock::moment;
use crate::export::http::Site;

/// Without progress for so long, it isn't healthy.
const STUCK: Duration = Duration::from_secs(10);
/// How many looks lie between two statuses in the event stream.
const STATUS: u32 = 10;

/// When the threads moved last, and when the watchdog was fed.
pub(super) struct Watch {
    rounds: [u64; 2],
    moved: [Instant; 2],
    fed: Instant,
    every: Option<Duration>,
    ready: bool,
    looks: u32,
}

impl Watch {
    pub(super) fn new() -> Self {
        let mut micros = 0;
        let every = sd_notify::watchdog_enabled(false, &mut micros);
        let now = moment();
        Self {
            rounds: [0; 2],
            moved: [now; 2],
            fed: now,
            every: every.then(|| Duration::from_micros(micros / 3)),
            ready: false,
            looks: 0,
        }
    }

    /// Whether it is time to feed the watchdog, and both threads have moved since the last time.
    fn feeds(&mut self, now: Instant) -> bool {
        let due = self.every.is_some_and(|every| now - self.fed >= every);
        let feeds = due && self.moved.iter().all(|at| *at > self.fed);
        if feeds {
            self.fed = now;
        }
        feeds
    }

    pub(super) fn look(&mut self, site: &Site) {
        let vitals = &site.api.board.vitals;
        let now = moment();
        let rounds = [&vitals.sensor_rounds, &vitals.judge_rounds].map(|n| n.load(Ordering::Relaxed));
        for ((was, is), moved) in self.rounds.iter_mut().zip(rounds).zip(&mut self.moved) {
            if *was != is {
                (*was, *moved) = (is, now);
            }
        }
        let alive = rounds.iter().all(|n| *n > 0) && self.moved.iter().all(|at| now - *at < STUCK);
        vitals.alive.store(alive.into(), Ordering::Relaxed);
        if alive && !self.ready {
            self.ready = true;
            notify(&[sd_notify::NotifyState::Ready]);
            tracing::info!("ready");
        }
        if self.feeds(now) {
            notify(&[sd_notify::NotifyState::Watchdog]);
        }
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(STATUS) {
            site.events.keep_alive();
            site.events.send("status", || Some(site.api.status().to_string()));
        }
    }
}

/// Tells systemd, if it asked to be told.
pub(super) fn notify(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, state) {
        tracing::debug!("systemd can't be told: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_is_fed_only_while_both_move() {
        let start = moment();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut watch = Watch { every: Some(Duration::from_secs(10)), fed: start, ..Watch::new() };
        watch.moved = [at(9), at(9)];
        assert!(!watch.feeds(at(9)), "not yet");
        assert!(watch.feeds(at(10)));
        watch.moved = [at(19), at(9)];
        assert!(!watch.feeds(at(20)), "the judge stands still");
        watch.moved = [at(19), at(21)];
        assert!(watch.feeds(at(22)));
        watch.every = None;
        assert!(!watch.feeds(at(99)), "nobody wants to be told");
    }
}
