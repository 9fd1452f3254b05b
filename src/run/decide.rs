//! The judge's thread.
//!
//! In: facts, commands, the wall clock. Out: outputs into a bounded queue, the judge's picture for
//! readers, events. Never: waits for a sink or a reader.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::Duration;

use super::clock::{LATE, wall};
use super::destinations::Destinations;
use super::keep;
use super::lesson::{Learnt, Lesson, Told};
use super::panics::Panics;
use super::sense::Item;
use crate::alert::{Alert, AlertState};
use crate::baseline::exposure::Prices;
use crate::baseline::learning::Habitual;
use crate::baseline::past::Past;
use crate::fact::CallFact;
use crate::finding::{Severity, Topic};
use crate::inventory::Entry;
use crate::judge::{Command, Judge, Output};
use crate::posture::Checklist;
use crate::store::{AckRow, Store};
use crate::time::{Span, Timestamp};
use crate::view::{Board, Delay, JudgeView, Queue, Worker};

/// A command with a way back for its answer.
pub(super) struct Asked {
    /// What to do.
    pub(super) command: Command,
    /// Where the answer goes: whether it could be done.
    pub(super) answer: SyncSender<bool>,
}

/// Hands an output to readers of the event stream.
pub(super) type Publish = Box<dyn Fn(&Output) + Send>;

/// What the judge's thread owns.
pub(super) struct Decide {
    /// The cold half.
    pub(super) judge: Judge,
    /// What calls cost.
    pub(super) prices: Prices,
    /// From the sensor.
    pub(super) items: Receiver<Item>,
    /// From the control socket.
    pub(super) asked: Receiver<Asked>,
    /// To whoever keeps and sends.
    pub(super) outputs: SyncSender<Arc<Output>>,
    /// To readers of the event stream; the most that wait is theirs to bound.
    pub(super) events: Publish,
    /// Where readers look.
    pub(super) board: Arc<Board>,
    /// Where it is kept.
    pub(super) store: Option<Store>,
    /// Told when something must not be forgotten.
    pub(super) news: Arc<AtomicBool>,
}

/// The longest it waits for a fact.
const WAIT: Duration = Duration::from_millis(50);
/// How often time passes for the judge, and its picture is renewed without an alert.
const TICK: Span = Span(250_000);
/// Facts before it looks at the clock again.
const BATCH: usize = 256;
/// Incidents that are over and calls in the picture.
const OVER: usize = 500;
const CALLS: usize = 1_000;
/// Alerts, and calls, that wait for room in the queue to the outlet: alerts push out no alert, and
/// calls no alert either.
const PENDING: usize = 1_024;
const PENDING_CALLS: usize = 64;
/// How often the checklist of handset security is read without news.
const CHECK: Span = Span::seconds(5);
/// Lost facts are made good at most so often.
const LOST: Span = Span::seconds(5);
/// A lesson of which nothing was heard for so long has been given up.
const FORSAKEN: Span = Span::MINUTE;
/// How often the picture is renewed at the most.
const RENEW: Span = Span(50_000);

/// Runs until the sensor's end of the queue is gone. Gives the judge back.
pub(super) fn run(mut decide: Decide) -> Decide {
    let mut desk = Desk::new(wall());
    let mut panics = Panics::new(Worker::Judge);
    loop {
        match catch_unwind(AssertUnwindSafe(|| decide.turn(&mut desk))) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) if panics.again(&decide.board.vitals) => {}
            Err(_) => break,
        }
    }
    decide.drain(&mut desk);
    decide.picture(&mut desk);
    decide
}

/// What stays between two turns.
struct Desk {
    now: Timestamp,
    ticked: Timestamp,
    pictured: Timestamp,
    changed: bool,
    since: Option<Timestamp>,
    raised: BTreeMap<(Topic, Severity), u64>,
    checklist: Arc<Checklist>,
    learning: Option<Arc<Vec<Habitual>>>,
    inventory: Arc<Vec<Entry>>,
    checked: Timestamp,
    over: VecDeque<Arc<Alert>>,
    calls: BTreeMap<(u64, bool), Arc<CallFact>>,
    destinations: Destinations,
    delay: Delay,
    pending: VecDeque<Arc<Output>>,
    /// How many facts were lost when that was made good, and when.
    lost: (u64, Timestamp),
    lesson: Option<UnderWay>,
}

/// A lesson whose end hasn't come yet.
struct UnderWay {
    number: u64,
    heard: Timestamp,
    past: Past,
    learnt: Learnt,
}

impl Desk {
    fn new(now: Timestamp) -> Self {
        Self {
            now: now.minus(LATE),
            ticked: now,
            pictured: now,
            changed: true,
            since: None,
            raised: BTreeMap::new(),
            checklist: Arc::default(),
            learning: None,
            inventory: Arc::default(),
            checked: Timestamp(0),
            over: VecDeque::new(),
            calls: BTreeMap::new(),
            destinations: Destinations::default(),
            delay: Delay::default(),
            pending: VecDeque::new(),
            lost: (0, Timestamp(0)),
            lesson: None,
        }
    }
}

impl Decide {
    /// Takes what there is; false at the end.
    fn turn(&mut self, desk: &mut Desk) -> bool {
        let mut behind = false;
        let mut goes_on = true;
        match self.items.recv_timeout(WAIT) {
            Ok(item) => {
                self.take(item, desk);
                behind = self.batch(desk);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => goes_on = false,
        }
        while let Ok(asked) = self.asked.try_recv() {
            let done = self.command(asked.command, desk.now);
            desk.changed = true;
            // Whoever asked may have gone.
            let _ = asked.answer.try_send(done);
        }
        let now = wall();
        if now.since(desk.ticked) >= TICK || now < desk.ticked {
            desk.ticked = now;
            // With facts still waiting, their time holds: the clock's would push them into the past.
            if !behind {
                desk.now = desk.now.max(now.minus(LATE));
            }
            self.judge.handle_timeout(desk.now);
            if !behind {
                self.lost(desk, now);
            }
            self.drain(desk);
            self.picture(desk);
        }
        self.drain(desk);
        if desk.changed && (now.since(desk.pictured) >= RENEW || now < desk.pictured) {
            self.picture(desk);
        }
        self.board.vitals.judge_rounds.fetch_add(1, Ordering::Relaxed);
        goes_on
    }

    /// Facts found the queue full: what they would have told is read from the ledger.
    fn lost(&mut self, desk: &mut Desk, now: Timestamp) {
        let lost = self.board.vitals.dropped.get(Queue::Facts);
        if lost == desk.lost.0 || now.since(desk.lost.1) < LOST {
            return;
        }
        let missed = lost.saturating_sub(desk.lost.0);
        desk.lost = (lost, now);
        let ended = self.judge.facts_lost(desk.now);
        tracing::error!(
            "{missed} facts found the queue full: calls are counted all the same, some were judged by their \
             counts alone; {ended} calls are taken to be over whose end wasn't told"
        );
    }

    /// Does what somebody asked for; an acceptance is written down, too.
    fn command(&mut self, command: Command, now: Timestamp) -> bool {
        let accepted = match &command {
            Command::Acknowledge { id, until, why } => Some((*id, *until, why.clone())),
            Command::Reload(..) => None,
        };
        let done = self.judge.handle_command(command, now);
        if let (true, Some((id, until, why)), Some(store)) = (done, accepted, &self.store)
            && let Some(alert) = self.judge.open_alerts(now).iter().find(|alert| alert.id == id)
        {
            store.ack(AckRow { raised: alert.since, id, time: now, until, why });
            self.news.store(true, Ordering::Relaxed);
        }
        done
    }

    /// Takes facts that wait already; true if more do.
    fn batch(&mut self, desk: &mut Desk) -> bool {
        for _ in 0..BATCH {
            match self.items.try_recv() {
                Ok(item) => self.take(item, desk),
                Err(_) => return false,
            }
        }
        true
    }

    fn take(&mut self, item: Item, desk: &mut Desk) {
        match item {
            Item::Fact(fact) => {
                self.board.vitals.facts_waiting.fetch_sub(1, Ordering::Relaxed);
                desk.since = desk.since.or_else(|| Some(fact.time()));
                desk.now = desk.now.max(fact.time());
                self.judge.handle_fact(&fact, desk.now);
            }
            Item::Command(command) => {
                if let Command::Reload(_, prices) = &*command {
                    self.prices = prices.clone();
                }
                self.judge.handle_command(*command, desk.now);
                desk.changed = true;
            }
            Item::Verdict(verdict) => self.judge.handle_verdict(&verdict, desk.now),
            Item::Lesson(lesson) => self.learn(*lesson, desk),
            Item::Save(sensor) => keep::save(self.store.as_ref(), *sensor, &self.judge),
        }
        self.drain(desk);
    }

    /// Learns from past calls, apart, until their end has come: half a lesson is none.
    fn learn(&mut self, lesson: Lesson<Told>, desk: &mut Desk) {
        let now = wall();
        let other = |way: &UnderWay| way.number != lesson.number && now.since(way.heard) < FORSAKEN;
        if desk.lesson.as_ref().is_some_and(other) {
            let busy = Err("somebody else is teaching it: wait a minute");
            return lesson.answer.try_send(busy).unwrap_or_default();
        }
        let begun = desk.lesson.take().filter(|way| way.number == lesson.number);
        let begin = || UnderWay {
            number: lesson.number,
            heard: now,
            past: self.judge.past(now),
            learnt: Learnt::default(),
        };
        let mut way = begun.unwrap_or_else(begin);
        way.heard = now;
        for call in lesson.calls {
            let mut taken = true;
            for step in call.steps() {
                taken = taken && way.past.learn(&step);
            }
            let count = if taken { &mut way.learnt.calls } else { &mut way.learnt.known };
            *count = count.saturating_add(1);
        }
        let learnt = way.learnt;
        if lesson.last {
            self.judge.know_past(&way.past);
            self.news.store(true, Ordering::Relaxed);
            desk.checked = Timestamp(0);
            desk.changed = true;
        } else {
            desk.lesson = Some(way);
        }
        // Whoever asked may have gone.
        let _ = lesson.answer.try_send(Ok(learnt));
    }

    fn drain(&mut self, desk: &mut Desk) {
        while let Some(output) = self.judge.poll_output() {
            let output = Arc::new(output);
            if matches!(*output, Output::Alert(_)) {
                self.news.store(true, Ordering::Relaxed);
            }
            self.note(&output, desk);
            (self.events)(&output);
            let most = if matches!(*output, Output::Call(_)) { PENDING_CALLS } else { PENDING };
            if desk.pending.len() < most {
                desk.pending.push_back(output);
            } else {
                self.board.vitals.dropped.bump(Queue::Outputs);
            }
        }
        while let Some(output) = desk.pending.pop_front() {
            match self.outputs.try_send(output) {
                Ok(()) => {}
                Err(TrySendError::Full(output)) => {
                    desk.pending.push_front(output);
                    return;
                }
                Err(TrySendError::Disconnected(_)) => self.board.vitals.dropped.bump(Queue::Outputs),
            }
        }
    }

    /// Notes an output for the picture.
    fn note(&self, output: &Output, desk: &mut Desk) {
        match output {
            Output::Call(call) => {
                desk.destinations.observe(call, &self.prices);
                note_call(&mut desk.calls, call);
            }
            Output::Finding(_) => {
                desk.changed = true;
                desk.checked = Timestamp(0);
            }
            Output::Alert(alert) => {
                desk.changed = true;
                let pair = (alert.finding.rule, alert.finding.severity);
                if alert.state == AlertState::Raised {
                    let raised = desk.raised.entry(pair).or_default();
                    *raised = raised.saturating_add(1);
                    desk.delay.observe(wall().since(alert.time));
                }
                if alert.state == AlertState::Cleared {
                    if desk.over.len() >= OVER {
                        desk.over.pop_front();
                    }
                    desk.over.push_back(Arc::new((**alert).clone()));
                }
            }
        }
    }

    fn picture(&mut self, desk: &mut Desk) {
        desk.changed = false;
        desk.pictured = wall();
        if desk.pictured.since(desk.checked) >= CHECK || desk.pictured < desk.checked {
            desk.checked = desk.pictured;
            desk.inventory = Arc::new(self.judge.inventory().iter().copied().collect());
            let sight = self.board.sensor().sight;
            desk.learning = self.judge.learning_report(desk.now).map(Arc::new);
            desk.checklist = sight
                .map_or_else(Arc::default, |sight| Arc::new(self.judge.posture().checklist(sight, desk.now)));
        }
        self.board.publish_judge(JudgeView {
            now: desk.now,
            open: self.judge.open_alerts(desk.now).into_iter().map(Arc::new).collect(),
            over: desk.over.clone(),
            calls: desk.calls.values().cloned().collect(),
            checklist: Arc::clone(&desk.checklist),
            learning: desk.learning.clone(),
            inventory: Arc::clone(&desk.inventory),
            findings: self.judge.posture().counts(),
            raised: desk.raised.iter().map(|((rule, severity), n)| (*rule, *severity, *n)).collect(),
            destinations: desk.destinations.rows(),
            currency: self.prices.currency().to_owned(),
            evicted: self.judge.evicted(),
            delay: desk.delay,
            since: desk.since,
            days: self.judge.posture().days_watched(),
        });
    }
}

/// A call's newest state takes the place of its older one; the oldest call makes room.
fn note_call(calls: &mut BTreeMap<(u64, bool), Arc<CallFact>>, call: &CallFact) {
    calls.insert((call.call.0, call.joined), Arc::new(*call));
    if calls.len() > CALLS {
        calls.pop_first();
    }
}
