//! Letters of one sink that wait, and when the next attempt is due.
//!
//! In: letters, outcomes, a clock. Out: what to send now.
//! Never: more than [`ROOM`] letters; one letter twice after it arrived.

use std::collections::VecDeque;
use std::time::Duration;

use crate::store::Letter;

/// Letters that may wait.
pub const ROOM: usize = 10_000;
/// The first and the longest pause after a failure.
const PAUSE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];
/// Messages of a lane within `WINDOW` that go out one by one; beyond, what waits goes out together.
const SINGLY: usize = 5;
const WINDOW: Duration = Duration::from_secs(120);
/// How long letters gather once there are too many, and how many go out together at the most.
const GATHER: Duration = Duration::from_secs(15);
const TOGETHER: usize = 200;

/// Letters of one urgency class: critical ones, or all others.
#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Letter>,
    recent: VecDeque<Duration>,
}

impl Lane {
    /// When its next message may go; `None` if nothing waits.
    fn due(&self) -> Option<Duration> {
        self.waiting.front()?;
        let crowded = self.recent.len() >= SINGLY;
        let gathered = self.recent.back().map_or(Duration::ZERO, |last| *last + GATHER);
        Some(if crowded { gathered } else { Duration::ZERO })
    }
}

/// The queue of one sink. Time is a span since any fixed moment.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Critical letters, which no storm of others delays; all others.
    lanes: [Lane; 2],
    failures: u32,
    not_before: Duration,
    /// What is being sent: so many letters of a lane.
    taken: (usize, usize),
}

const CRITICAL: u8 = 2;

impl Outbox {
    /// Adds a letter. If there is no room the oldest of the least urgent goes; gives its number.
    pub fn push(&mut self, letter: Letter) -> Option<u64> {
        let lane = usize::from(letter.urgency < CRITICAL);
        self.lanes[lane].waiting.push_back(letter);
        if self.len() <= ROOM {
            return None;
        }
        let (busy, taken) = self.taken;
        let candidates = self.lanes.iter().enumerate().flat_map(|(lane, letters)| {
            // What is being sent stays where it is.
            let skip = if lane == busy { taken } else { 0 };
            letters.waiting.iter().enumerate().skip(skip).map(move |(at, letter)| (letter.urgency, at, lane))
        });
        let (_, at, lane) = candidates.min()?;
        self.lanes[lane].waiting.remove(at).map(|letter| letter.seq)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.lanes.iter().map(|lane| lane.waiting.len()).sum()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How long until there is something to do; `None` if nothing waits.
    pub fn wait(&self, now: Duration) -> Option<Duration> {
        let due = self.lanes.iter().filter_map(Lane::due).min()?;
        Some(due.max(self.not_before).saturating_sub(now))
    }

    /// What to send now: one letter, or in a storm all that have gathered. They stay in the queue
    /// until `done`.
    pub fn take(&mut self, now: Duration) -> Vec<Letter> {
        self.taken = (0, 0);
        for (n, lane) in self.lanes.iter_mut().enumerate() {
            while lane.recent.front().is_some_and(|at| *at + WINDOW <= now) {
                lane.recent.pop_front();
            }
            if self.not_before <= now && lane.due().is_some_and(|due| due <= now) {
                let most = if lane.recent.len() < SINGLY { 1 } else { TOGETHER };
                self.taken = (n, most.min(lane.waiting.len()));
                return lane.waiting.iter().take(self.taken.1).cloned().collect();
            }
        }
        Vec::new()
    }

    /// What was taken has arrived, or was refused for good: it is forgotten. Gives its numbers.
    pub fn done(&mut self, now: Duration) -> Vec<u64> {
        self.failures = 0;
        self.not_before = now;
        let (lane, taken) = std::mem::take(&mut self.taken);
        let lane = &mut self.lanes[lane];
        lane.recent.push_back(now);
        let taken = taken.min(lane.waiting.len());
        lane.waiting.drain(..taken).map(|letter| letter.seq).collect()
    }

    /// The receiver is another one now: it is tried at once.
    pub fn hurry(&mut self) {
        self.failures = 0;
        self.not_before = Duration::ZERO;
    }

    /// Nobody wants what waits any more. Gives its numbers.
    pub fn clear(&mut self) -> Vec<u64> {
        self.taken = (0, 0);
        self.lanes.iter_mut().flat_map(|lane| lane.waiting.drain(..)).map(|letter| letter.seq).collect()
    }

    /// What was taken could not be sent now. `chance` in 0..1 spreads the next attempt, so that many
    /// senders don't all come back at once; `asked` is what the receiver asked for.
    pub fn failed(&mut self, now: Duration, chance: f64, asked: Option<Duration>) {
        self.taken = (0, 0);
        self.not_before =
            now + asked.map_or_else(|| pause(self.failures, chance), |asked| asked.min(PAUSE[1]));
        self.failures = self.failures.saturating_add(1);
    }
}

/// 1, 2, 4, ... 60 seconds, each shortened by up to a half.
pub(super) fn pause(failures: u32, chance: f64) -> Duration {
    let [first, longest] = PAUSE;
    let full = first.saturating_mul(1 << failures.min(10)).min(longest);
    full.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0).max(first / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn letter(seq: u64, urgency: u8) -> Letter {
        Letter { sink: "webhook", seq, made: Timestamp(0), urgency, body: Vec::new() }
    }

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn seqs(letters: &[Letter]) -> Vec<u64> {
        letters.iter().map(|letter| letter.seq).collect()
    }

    #[test]
    fn letters_stay_until_they_have_arrived() {
        let mut outbox = Outbox::default();
        assert_eq!(outbox.wait(at(0)), None);
        outbox.push(letter(1, 2));
        outbox.push(letter(2, 2));
        assert_eq!(seqs(&outbox.take(at(0))), [1]);
        outbox.failed(at(0), 0.0, None);
        assert!(outbox.take(at(0)).is_empty(), "not before the pause is over");
        assert_eq!(outbox.wait(at(0)), Some(at(1)));
        assert_eq!(seqs(&outbox.take(at(1))), [1]);
        assert_eq!(outbox.done(at(1)), [1]);
        assert_eq!(seqs(&outbox.take(at(1))), [2]);
    }

    #[test]
    fn pauses_grow_to_a_minute_and_are_spread() {
        let pauses: Vec<u64> = (0..9).map(|n| pause(n, 0.0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(pause(20, 1.0), at(30));
        let mut outbox = Outbox::default();
        outbox.push(letter(1, 2));
        outbox.take(at(0));
        outbox.failed(at(0), 0.0, Some(at(7)));
        assert_eq!(outbox.wait(at(0)), Some(at(7)), "as the receiver asks");
        outbox.take(at(7));
        outbox.failed(at(7), 0.0, Some(at(9_999)));
        assert_eq!(outbox.wait(at(7)), Some(at(60)), "within reason");
    }

    #[test]
    fn when_too_many_wait_the_oldest_of_the_least_urgent_goes() {
        let mut outbox = Outbox::default();
        outbox.push(letter(0, 0));
        for seq in 1..ROOM as u64 {
            assert_eq!(outbox.push(letter(seq, if seq == 5 { 0 } else { 1 })), None);
        }
        assert_eq!(seqs(&outbox.take(at(0))), [0]);
        assert_eq!(outbox.push(letter(ROOM as u64, 1)), Some(5), "the one being sent stays");
        assert_eq!(outbox.done(at(0)), [0]);
        outbox.push(letter(20_000, 0));
        assert_eq!(outbox.push(letter(20_001, 2)), Some(20_000));
        assert_eq!(outbox.push(letter(20_002, 2)), Some(1));
    }

    #[test]
    fn no_storm_delays_what_is_critical() {
        let mut outbox = Outbox::default();
        for seq in 0..1_000 {
            outbox.push(letter(seq, 1));
        }
        for n in 0..6 {
            assert_eq!(outbox.take(at(n)).is_empty(), n == 5, "then they gather");
            outbox.done(at(n));
        }
        outbox.push(letter(5_000, 2));
        assert_eq!((outbox.wait(at(6)), seqs(&outbox.take(at(6)))), (Some(at(0)), vec![5_000]));
    }

    #[test]
    fn a_storm_goes_out_together_and_nothing_is_left_out() {
        let mut outbox = Outbox::default();
        let (mut messages, mut told) = (0, Vec::new());
        // 100 handsets, 5 letters each, within 60 s; looked at ten times a second.
        for tick in 0..900u32 {
            let now = Duration::from_millis(u64::from(tick) * 100);
            if tick < 600 && tick % 6 == 0 {
                for n in 0..5u64 {
                    outbox.push(letter(u64::from(tick / 6) * 5 + n, 2));
                }
            }
            let taken = outbox.take(now);
            if !taken.is_empty() {
                messages += 1;
                told.extend(seqs(&taken));
                outbox.done(now);
            }
        }
        assert_eq!(told, (0..500).collect::<Vec<_>>(), "all, once, in order");
        assert!(messages <= 10, "{messages}");
    }
}
