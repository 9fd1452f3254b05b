//! The sensor's thread: every interface and the HEP feed, one after the other, never blocked.
//!
//! In: frames, a reload, the end. Out: facts into a bounded queue, the sensor's picture for readers.
//! Never: waits for the judge: a fact that finds the queue full is dropped and counted.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::time::Duration;

use super::clock::{LATE, wall};
use super::daemon::FACTS;
use super::direction::Directions;
use super::keep::{self, Saver};
use super::lesson::{self, Lesson, Told};
use super::panics::Panics;
use crate::capture::hep::{Event, Feed};
use crate::capture::live::{self, Happened, Live};
use crate::dial::Dial;
use crate::fact::Fact;
use crate::fact::secret::Exercise;
use crate::frame::Frame;
use crate::handsets;
use crate::judge;
use crate::learn::PastCall;
use crate::ledger::Ledger;
use crate::posture::Sight;
use crate::posture::password::Verdict;
use crate::record::Summary;
use crate::sensor::{Sensor, Transport, watch};
use crate::store::Blob;
use crate::tally::Label;
use crate::time::{Span, Timestamp};
use crate::view::{Board, Queue, SensorView, Source, Worker};

/// What the judge's thread is handed, in order.
#[expect(clippy::large_enum_variant, reason = "nearly all are facts; boxing would allocate for each")]
pub(super) enum Item {
    /// Something was learnt.
    Fact(Fact),
    /// Somebody wants something done: a reload comes in its place between the facts.
    Command(Box<judge::Command>),
    /// What came of a password check.
    Verdict(Box<Verdict>),
    /// What the sensor knew when all facts before this had been told: to be kept with what the judge
    /// knows once it has heard them.
    Save(Box<Blob>),
    /// Past calls to learn from.
    Lesson(Box<Lesson<Told>>),
}

/// A reload's share for the sensor; what the judge gets rides along.
pub(super) struct Reload {
    /// Where numbers lead.
    pub(super) dial: Dial,
    /// Whose addresses are whose.
    pub(super) handsets: handsets::Settings,
    /// Who is allowed, which passwords may be checked.
    pub(super) watch: watch::Settings,
    /// Interfaces and filter.
    pub(super) live: live::Settings,
    /// The judge's share.
    pub(super) judge: judge::Command,
}

/// What the sensor's thread owns.
pub(super) struct Sense {
    /// The hot half.
    pub(super) sensor: Sensor,
    /// The interfaces.
    pub(super) live: Live,
    /// The HEP feed, if there is one.
    pub(super) hep: Option<Feed>,
    /// The way to the judge.
    pub(super) items: SyncSender<Item>,
    /// Reloads that wait to be taken.
    pub(super) reloads: Receiver<Box<Reload>>,
    /// Past calls that wait to be learnt from.
    pub(super) lessons: Receiver<Lesson<PastCall>>,
    /// Where readers look.
    pub(super) board: Arc<Board>,
    /// The shared counts.
    pub(super) ledger: Arc<Ledger>,
    /// Whose addresses are whose.
    pub(super) addresses: handsets::Settings,
    /// Whether to end.
    pub(super) stop: Arc<AtomicBool>,
    /// When what it knows is kept.
    pub(super) saver: Saver,
    /// To the password check.
    pub(super) exercises: SyncSender<Exercise>,
}

/// The longest the loop waits for a frame.
const WAIT: Duration = Duration::from_millis(20);
/// HEP frames before the interfaces have their turn again.
const HEP_BURST: usize = 256;
/// From so many facts on, the rest of the queue is kept for calls.
const CROWDED: u64 = FACTS as u64 * 3 / 4;
/// How often the picture is renewed, and the handsets in it.
const PICTURE: Span = Span(200_000);
const HANDSETS: Span = Span::seconds(2);
/// Handsets in the picture.
const MOST_HANDSETS: usize = 4_096;

/// Runs until told to stop, or until it panics too often. Gives the sensor back.
///
/// # Errors
/// If the system can't poll, or after too many panics.
pub(super) fn run(mut sense: Sense) -> io::Result<Sense> {
    let addresses = &sense.addresses;
    let mut round = Round {
        directions: Directions::new(addresses.home.clone(), addresses.pbx.clone()),
        pictured: Timestamp(0),
        listed: Timestamp(0),
        handsets: Arc::default(),
        seen: Arc::default(),
        held: None,
        lesson: None,
        exercise: None,
        ticked: Timestamp(0),
        hep_received: 0,
        hep_last: None,
    };
    let mut panics = Panics::new(Worker::Sensor);
    while !sense.stop.load(Ordering::Relaxed) {
        match catch_unwind(AssertUnwindSafe(|| sense.turn(&mut round))) {
            Ok(done) => done?,
            Err(_) if panics.again(&sense.board.vitals) => {}
            Err(_) => return Err(io::Error::other("the sensor panicked too often")),
        }
    }
    sense.sensor.finish();
    sense.drain(&mut round);
    round.listed = Timestamp(0);
    sense.picture(&mut round, wall());
    sense.save(wall(), true);
    Ok(sense)
}

/// Panics at a frame that holds the bytes of `RINGFENCE_TEST_POISON`: how else could a test show that
/// one frame's panic costs one frame? Not in a release build.
#[cfg(debug_assertions)]
fn poisoned(data: &[u8]) {
    static POISON: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let poison = POISON
        .get_or_init(|| std::env::var("RINGFENCE_TEST_POISON").map(String::into_bytes).unwrap_or_default());
    let found = !poison.is_empty() && data.windows(poison.len()).any(|window| window == poison);
    assert!(!found, "a test asked for a panic");
}

/// What a turn leaves for the next.
struct Round {
    directions: Directions,
    pictured: Timestamp,
    listed: Timestamp,
    handsets: Arc<Vec<crate::handsets::Who>>,
    seen: Arc<Summary>,
    /// The judge's share of a reload, until the queue has room.
    held: Option<judge::Command>,
    /// Past calls, until the queue has room.
    lesson: Option<Box<Lesson<Told>>>,
    /// A password that found no room on its way to the check.
    exercise: Option<Exercise>,
    ticked: Timestamp,
    hep_received: u64,
    hep_last: Option<Timestamp>,
}

impl Sense {
    fn turn(&mut self, round: &mut Round) -> io::Result<()> {
        self.reload(round);
        let Self { sensor, live, items, board, .. } = self;
        let mut out = Outlet { items, board };
        let directions = &mut round.directions;
        live.poll(WAIT, &mut |frame: &Frame<'_>| {
            directions.observe(frame);
            #[cfg(debug_assertions)]
            poisoned(frame.data);
            sensor.handle_frame(frame);
            out.drain(sensor);
        })?;
        self.hep(round);
        let now = wall();
        if now.since(round.ticked) >= LATE || now < round.ticked {
            round.ticked = now;
            self.sensor.handle_timeout(now.minus(LATE));
        }
        self.drain(round);
        self.exercises(round);
        self.lesson(round);
        self.say();
        if now.since(round.pictured) >= PICTURE || now < round.pictured {
            round.pictured = now;
            self.picture(round, now);
        }
        self.save(now, false);
        self.board.vitals.sensor_rounds.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn hep(&mut self, round: &mut Round) {
        let Self { sensor, hep: Some(feed), items, board, .. } = self else { return };
        let mut out = Outlet { items, board };
        for _ in 0..HEP_BURST {
            let Some(frame) = feed.next() else { return };
            round.hep_received = round.hep_received.saturating_add(1);
            round.hep_last = Some(frame.ts);
            sensor.handle_frame(&frame);
            out.drain(sensor);
        }
    }

    fn drain(&mut self, round: &mut Round) {
        let Self { sensor, items, board, .. } = self;
        Outlet { items, board }.drain(sensor);
        // Whatever was learnt by the old settings goes first; then the judge takes the new ones.
        if let Some(command) = round.held.take()
            && let Err(TrySendError::Full(Item::Command(command))) =
                items.try_send(Item::Command(Box::new(command)))
        {
            round.held = Some(*command);
        }
    }

    /// Passwords to be checked; what finds no room waits with the sensor, which counts what it drops.
    fn exercises(&mut self, round: &mut Round) {
        while let Some(exercise) = round.exercise.take().or_else(|| self.sensor.poll_exercise()) {
            if let Err(TrySendError::Full(exercise)) = self.exercises.try_send(exercise) {
                round.exercise = Some(exercise);
                return;
            }
        }
    }

    /// Past calls: the sensor says who placed them and where to, the judge learns.
    fn lesson(&mut self, round: &mut Round) {
        let lesson = round.lesson.take().or_else(|| {
            let Lesson { number, calls, last, answer } = self.lessons.try_recv().ok()?;
            let calls = calls.iter().map(|call| lesson::told(&mut self.sensor, call)).collect();
            Some(Box::new(Lesson { number, calls, last, answer }))
        });
        if let Some(lesson) = lesson
            && let Err(TrySendError::Full(Item::Lesson(lesson))) = self.items.try_send(Item::Lesson(lesson))
        {
            round.lesson = Some(lesson);
        }
    }

    /// Hands what it knows to the judge, behind all the facts that it has told: both are kept together,
    /// and are of one moment.
    fn save(&mut self, now: Timestamp, last: bool) {
        if !self.saver.is_due(now, last) {
            return;
        }
        let Some(blob) = keep::sensor_blob(&self.sensor) else { return };
        let item = Item::Save(Box::new(blob));
        // If the judge is gone there is nobody to keep it with.
        let taken = if last { self.items.send(item).is_ok() } else { self.items.try_send(item).is_ok() };
        if !taken {
            self.saver.again(now);
        }
    }

    fn reload(&mut self, round: &mut Round) {
        // A second reload waits until the judge has the first.
        if round.held.is_some() {
            return;
        }
        let Ok(reload) = self.reloads.try_recv() else { return };
        let Reload { dial, handsets, watch, live, judge } = *reload;
        round.directions = Directions::new(handsets.home.clone(), handsets.pbx.clone());
        self.sensor.reload(handsets, watch, dial);
        if let Err(why) = self.live.reload(live) {
            tracing::error!("the new filter can't be used: {why}");
        }
        round.held = Some(judge);
    }

    /// Says in the log what happened to interfaces.
    fn say(&mut self) {
        for (interface, happened) in self.live.happened() {
            match happened {
                Happened::Lost(why) => {
                    tracing::error!(interface, "capture lost: {why}; trying again each second");
                }
                Happened::Back => tracing::warn!(interface, "capturing again"),
                Happened::LinkDown => tracing::warn!(interface, "the link is down: nothing can be seen"),
                Happened::LinkUp => tracing::warn!(interface, "the link is up again"),
                Happened::Refused(error) => tracing::error!("{error}"),
            }
        }
    }

    fn picture(&mut self, round: &mut Round, now: Timestamp) {
        if now.since(round.listed) >= HANDSETS || now < round.listed {
            round.listed = now;
            round.handsets = Arc::new(self.sensor.handsets(MOST_HANDSETS));
            round.seen = Arc::new(Summary::seen(&self.sensor));
        }
        let sensor = &self.sensor;
        let outcomes = sensor.outcomes();
        let mut messages = Vec::new();
        for transport in Transport::ALL {
            let requests = outcomes.requests(*transport).iter().map(|(method, n)| (method, false, n));
            let responses = outcomes.responses(*transport).iter().map(|(method, n)| (method, true, n));
            messages.extend(requests.chain(responses).map(|(m, r, n)| (m.name(), r, transport.name(), n)));
        }
        let classes = crate::dial::Class::ALL.iter().map(|class| (*class, self.calls(*class)));
        let coverage = sensor.coverage();
        self.board.publish_sensor(SensorView {
            now,
            sources: self.sources(round),
            packets: outcomes.packets().collect(),
            messages,
            totals: sensor.totals(),
            calls: classes.collect(),
            signs: coverage.signs.iter().map(|(sign, n)| (sign.name(), n)).collect(),
            encrypted_flows: coverage.encrypted.flows(),
            evicted: sensor.evicted().into_iter().chain([("ledger", self.ledger.refused())]).collect(),
            warnings: sensor.warnings(),
            sight: Some(Sight::of(coverage, sensor.totals().frames)),
            handsets: Arc::clone(&round.handsets),
            seen: Arc::clone(&round.seen),
        });
    }

    fn calls(&self, class: crate::dial::Class) -> [u64; 4] {
        let ledger = &self.ledger;
        [
            ledger.attempted().get(class),
            ledger.answered().get(class),
            ledger.talked_micros().get(class),
            ledger.up(class),
        ]
    }

    fn sources(&self, round: &Round) -> Vec<Source> {
        let mut number = 0_u16;
        let mut sources: Vec<Source> = Vec::new();
        for (name, counts) in self.live.counts() {
            sources.push(Source {
                name: name.to_owned(),
                received: counts.received,
                dropped: vec![("kernel", counts.dropped_kernel), ("interface", counts.dropped_interface)],
                last: round.directions.last(number, counts.last),
                up: counts.up,
                reopened: counts.reopened,
            });
            number = number.saturating_add(1);
        }
        sources.extend(self.hep.as_ref().map(|feed| Source {
            name: "hep".to_owned(),
            received: round.hep_received,
            dropped: vec![("queue", feed.stats().get(Event::Dropped))],
            last: round.hep_last.map(|at| ("any", at)).into_iter().collect(),
            up: feed.is_alive(),
            reopened: 0,
        }));
        sources
    }
}

/// The way out: facts into the queue, or counted as dropped.
struct Outlet<'a> {
    items: &'a SyncSender<Item>,
    board: &'a Board,
}

impl Outlet<'_> {
    fn drain(&mut self, sensor: &mut Sensor) {
        let vitals = &self.board.vitals;
        while let Some(fact) = sensor.poll_fact().copied() {
            // A storm of scans must not push out calls.
            let waiting = vitals.facts_waiting.fetch_add(1, Ordering::Relaxed);
            let has_room = waiting < CROWDED || !matches!(fact, Fact::Sighting(_));
            if !(has_room && self.items.try_send(Item::Fact(fact)).is_ok()) {
                vitals.facts_waiting.fetch_sub(1, Ordering::Relaxed);
                vitals.dropped.bump(Queue::Facts);
            }
        }
    }
}
