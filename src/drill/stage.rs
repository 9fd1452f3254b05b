//! Plays calls: turns them into legs, legs into messages, and writes those in time order.
//!
//! In: items in time order. Out: frames, and the labels of attacks.
//! Never: holds more than the calls that are up.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;

use super::audience::Audience;
use super::call::{Call, Ending, Item, Way};
use super::labels::{Episode, EpisodeCall};
use super::leg::{self, Course, Cue, Leg, Manner, Side, What};
use super::parties::{from_carrier, inward, outward, registration, to_carrier};
use super::rng::Rng;
use super::site::{Pbx, Site};
use crate::time::{Span, Timestamp};

/// How the wire behaves.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wire {
    /// Frames in a thousand that the mirror port loses.
    pub(super) lost: u32,
    /// Whether the mirror port copies each frame twice.
    pub(super) doubled: bool,
    /// RTP packets shown in each direction of a call.
    pub(super) rtp: u16,
    /// INVITEs in a thousand that are sent twice.
    pub(super) resent: u32,
    /// Calls in a thousand that get a 407 first; the others carry a proof at once.
    pub(super) challenged: u32,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Frames in the capture.
    pub frames: u64,
    /// Size of the capture in bytes.
    pub bytes: u64,
    /// INVITE requests, resent and repeated ones included.
    pub invites: u64,
    /// Legs of calls begun.
    pub legs: u64,
    /// Calls planned and played.
    pub calls: u64,
    /// Attacks.
    pub episodes: u64,
    /// Calls that belong to attacks.
    pub marked_calls: u64,
    /// Time of the first frame.
    pub start: Timestamp,
    /// Time of the last frame.
    pub end: Timestamp,
}

struct Running {
    leg: Leg,
    cues: Vec<Cue>,
    next: usize,
}

/// Plays one scenario.
pub(super) struct Stage<'w> {
    audience: &'w mut dyn Audience,
    wire: Wire,
    rng: Rng,
    running: Vec<Option<Running>>,
    free: Vec<usize>,
    due: BinaryHeap<Reverse<(Timestamp, u64, usize)>>,
    order: u64,
    episodes: Vec<Episode>,
    summary: Summary,
}

impl<'w> Stage<'w> {
    pub(super) fn new(audience: &'w mut dyn Audience, wire: Wire, rng: Rng) -> Self {
        Self {
            audience,
            wire,
            rng,
            running: Vec::new(),
            free: Vec::new(),
            due: BinaryHeap::new(),
            order: 0,
            episodes: Vec::new(),
            summary: Summary::default(),
        }
    }

    /// Announces an attack; its calls carry its number.
    pub(super) fn announce(&mut self, scenario: &str) {
        self.episodes.push(Episode {
            episode: format!("{scenario}-{}", self.episodes.len()),
            scenario: scenario.to_owned(),
            start: String::new(),
            end: String::new(),
            handsets: Vec::new(),
            calls: Vec::new(),
            currency: "GBP".to_owned(),
        });
    }

    /// Begins an item after all that is due before it.
    pub(super) fn begin(&mut self, site: &Site, item: &Item) -> io::Result<()> {
        self.play_until(item.at())?;
        match item {
            Item::Call(call) => self.begin_call(site, call),
            Item::Register { at, handset, every } => {
                let leg = registration(site, *handset, *every, &mut self.rng);
                let challenged = self.rng.chance(self.wire.challenged);
                let cues = leg::register(*at, challenged, &mut self.rng);
                self.start(leg, cues);
            }
            Item::Frame(extra) => {
                if self.summary.start == Timestamp::default() {
                    self.summary.start = extra.at;
                }
                self.summary.end = self.summary.end.max(extra.at);
                self.audience.overhears(extra)?;
            }
        }
        Ok(())
    }

    /// Plays what is up to its end and writes the rest.
    pub(super) fn finish(mut self) -> io::Result<(Summary, Vec<Episode>)> {
        self.play_until(Timestamp(i64::MAX))?;
        self.episodes.retain(|episode| !episode.calls.is_empty());
        let (frames, bytes) = self.audience.leaves()?;
        let episodes = self.episodes.len() as u64;
        let marked_calls = self.episodes.iter().map(|episode| episode.calls.len() as u64).sum();
        Ok((Summary { frames, bytes, episodes, marked_calls, ..self.summary }, self.episodes))
    }

    fn play_until(&mut self, until: Timestamp) -> io::Result<()> {
        while let Some(Reverse((at, _, slot))) = self.due.peek().copied() {
            if at > until {
                break;
            }
            self.due.pop();
            self.play(slot)?;
        }
        Ok(())
    }

    fn play(&mut self, slot: usize) -> io::Result<()> {
        let Some(running) = &mut self.running[slot] else { return Ok(()) };
        let cue = running.cues[running.next];
        running.next += 1;
        if self.wire.lost == 0 || !self.rng.chance(self.wire.lost) {
            if self.summary.start == Timestamp::default() {
                self.summary.start = cue.at;
            }
            self.summary.end = self.summary.end.max(cue.at);
            self.summary.invites += u64::from(matches!(cue.what, What::Invite { .. } | What::Hold(_)));
            self.audience.shows(slot, &running.leg, cue, 1 + u8::from(self.wire.doubled))?;
        }
        match running.cues.get(running.next).map(|cue| cue.at) {
            Some(at) => self.schedule(at, slot),
            None => {
                self.running[slot] = None;
                self.free.push(slot);
            }
        }
        Ok(())
    }

    fn schedule(&mut self, at: Timestamp, slot: usize) {
        self.order += 1;
        self.due.push(Reverse((at, self.order, slot)));
    }

    fn start(&mut self, leg: Leg, cues: Vec<Cue>) {
        let Some(at) = cues.first().map(|cue| cue.at) else { return };
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.running.push(None);
                self.running.len() - 1
            }
        };
        self.audience.opens(slot, &leg);
        self.running[slot] = Some(Running { leg, cues, next: 0 });
        self.schedule(at, slot);
    }

    fn begin_call(&mut self, site: &Site, call: &Call) {
        self.summary.calls += 1;
        let handset = &site.handsets[call.handset];
        let first = match &call.way {
            Way::Out | Way::Internal(_) => outward(site, call, &mut self.rng),
            Way::In if site.pbx == Pbx::Cloud => inward(site, call.handset, &call.number, &mut self.rng),
            Way::In | Way::Forwarded(_) => from_carrier(site, call, &handset.user, &mut self.rng),
        };
        let second = match &call.way {
            Way::Internal(to) => Some(inward(site, *to, &handset.user, &mut self.rng)),
            Way::In if site.pbx == Pbx::OnSite => {
                Some(inward(site, call.handset, &call.number, &mut self.rng))
            }
            Way::Out if site.pbx == Pbx::OnSite && !call.number.starts_with(['*', '#']) => {
                Some(to_carrier(site, call, &call.number, false, &mut self.rng))
            }
            Way::Forwarded(number) => Some(to_carrier(site, call, number, true, &mut self.rng)),
            _ => None,
        };
        // The leg that shows the handset's own doing carries the label.
        let label_second =
            matches!(call.way, Way::Forwarded(_)) || (matches!(call.way, Way::In) && second.is_some());
        let proves = matches!(call.way, Way::Out | Way::Internal(_));
        let (mut first, mut second) = (first, second);
        if let (Some(leg), Way::Internal(_) | Way::In) = (&mut second, &call.way) {
            leg.joined = true;
        }
        point(&mut first, &call.ending);
        if let Some(leg) = &mut second {
            point(leg, &call.ending);
        }
        let course = course(call, &mut self.rng);
        let cues = leg::call(call.at, course, self.manner(proves), &mut self.rng);
        let behind = second.map(|leg| {
            let (start, course) = behind(&cues, course);
            let cues = leg::call(start, course, self.manner(false), &mut self.rng);
            (leg, cues)
        });
        match (&behind, label_second) {
            (Some((leg, cues)), true) => self.label(site, call, &leg.call_id, cues),
            _ => self.label(site, call, &first.call_id, &cues),
        }
        self.summary.legs += 1 + u64::from(behind.is_some());
        self.start(first, cues);
        if let Some((leg, cues)) = behind {
            self.start(leg, cues);
        }
    }

    fn manner(&mut self, proves: bool) -> Manner {
        let challenged = proves && self.rng.chance(self.wire.challenged);
        Manner {
            challenged,
            cached: proves && !challenged,
            resent: self.rng.chance(self.wire.resent),
            rtp: self.wire.rtp,
        }
    }

    fn label(&mut self, site: &Site, call: &Call, call_id: &str, cues: &[Cue]) {
        let Some(mark) = call.mark else { return };
        let Some(episode) = self.episodes.get_mut(mark.episode) else { return };
        let Some(start) = cues.first().map(|cue| cue.at) else { return };
        let time_of = |wanted: &dyn Fn(What) -> bool| cues.iter().find(|cue| wanted(cue.what)).map(|c| c.at);
        let answer = time_of(&|what| what == What::Answer);
        let bye = time_of(&|what| what == What::Bye);
        let failure = time_of(&|what| matches!(what, What::Refusal(_) | What::Cancel));
        let over = bye.or(failure).unwrap_or(start);
        let talk = answer.map_or(Span::ZERO, |answer| over.since(answer));
        if episode.calls.is_empty() {
            episode.start = start.to_string();
        }
        // All times have the same form, so they compare as text.
        episode.end = episode.end.clone().max(over.to_string());
        let user = &site.handsets[call.handset].user;
        if !episode.handsets.contains(user) {
            episode.handsets.push(user.clone());
        }
        episode.calls.push(EpisodeCall {
            call_id: call_id.to_owned(),
            time: start.to_string(),
            setup_s: answer.unwrap_or(over).since(start).as_secs_f64(),
            duration_s: talk.as_secs_f64(),
            rate_per_min: f64::from(mark.rate) / 1_000.0,
        });
    }
}

/// The course of a call's first leg.
fn course(call: &Call, rng: &mut Rng) -> Course {
    let final_at = call.at.plus(call.setup);
    match &call.ending {
        Ending::Answered(talk) => Course::Answered {
            answer: final_at,
            bye: final_at.plus(*talk),
            by: if rng.chance(500) { Side::Caller } else { Side::Callee },
            hold: *talk > Span::seconds(60) && rng.chance(60),
        },
        Ending::Failed(code) => Course::Refused { at: final_at, code: *code },
        Ending::Redirected(_) => Course::Refused { at: final_at, code: 302 },
        Ending::Cancelled => Course::Cancelled { at: final_at },
        Ending::Transferred(talk, _) => Course::Referred { answer: final_at, refer: final_at.plus(*talk) },
    }
}

/// Where the PBX's other leg starts, and its course: a little later, or a little earlier, than the
/// first one, whoever acts first.
fn behind(first: &[Cue], course: Course) -> (Timestamp, Course) {
    let at = |what| first.iter().find(|cue| cue.what == what).map(|cue| cue.at);
    let start = at(What::Trying).or(first.first().map(|cue| cue.at)).unwrap_or_default();
    let (sooner, later) = (|t: Timestamp| t.minus(Span(12_000)), |t: Timestamp| t.plus(Span(9_000)));
    let course = match course {
        Course::Answered { answer, bye, by, hold: _ } => Course::Answered {
            answer: sooner(answer),
            bye: if by == Side::Caller { later(bye) } else { sooner(bye) },
            by,
            hold: false,
        },
        Course::Refused { at, code } => Course::Refused { at: sooner(at), code },
        Course::Cancelled { at } => Course::Cancelled { at: later(at) },
        Course::Referred { answer, refer } => {
            Course::Referred { answer: sooner(answer), refer: sooner(refer) }
        }
    };
    (start.plus(Span(8_000)), course)
}

fn point(leg: &mut Leg, ending: &Ending) {
    if let Ending::Redirected(target) | Ending::Transferred(_, target) = ending {
        leg.target.clone_from(target);
    }
}
