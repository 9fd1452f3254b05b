//! A whole stretch of office life: days of ordinary calls, happenings and attacks.
//!
//! In: `World`, a seed. Out: a capture and its labels.
//! Never: holds more than a day's plan, the attacks, and the calls that are up.

use std::io::Write;

use super::attack::{Attack, Scene};
use super::audience::{Audience, Camera};
use super::calendar::{DAY_S, Day};
use super::call::{Call, Ending, Item, Way};
use super::devices::{self, Devices};
use super::happening::Happening;
use super::labels::{self, Episode};
use super::message::Renderer;
use super::ordinary::{self, Habits};
use super::packet::Capture;
use super::rng::Rng;
use super::site::{Pbx, Site};
use super::stage::{Stage, Summary, Wire};
use super::variety::vary;
use super::weaknesses::{self, Setup};
use super::{DrillError, Options};
use crate::tally::Label as _;
use crate::time::{Span, Timestamp};

/// Monday, 2026-11-02.
pub(super) const START: Day = Day(20_759);

/// What is played. Fields that a scenario doesn't name keep their defaults.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) handsets: u16,
    /// Calendar days, the first and the last one included.
    pub(super) days: u16,
    pub(super) first_day: Day,
    /// Second of the first day at which the capture begins.
    pub(super) from: i64,
    /// Second of the last day after which nothing new begins.
    pub(super) until: i64,
    pub(super) pbx: Pbx,
    /// Desks in a thousand that call abroad at times.
    pub(super) travelled: u32,
    pub(super) call_centre: bool,
    pub(super) habits: Habits,
    /// Seconds between two registrations of a handset.
    pub(super) registers_every: i64,
    /// Days on which the office is shut, counted from the first.
    pub(super) days_off: &'static [i64],
    /// Whether each seed draws its own parameters and attacks differ more widely.
    pub(super) is_diverse: bool,
    /// Whether they are drawn already.
    pub(super) is_drawn: bool,
    /// Per cent of the usual chance of each happening.
    pub(super) happening_percent: u32,
    /// Whether each attack comes again three weeks later, on the same handsets.
    pub(super) repeats: bool,
    /// What happens, and on how many in a thousand working days.
    pub(super) happenings: &'static [(Happening, u32)],
    /// Attacks, and the day each begins, counted from the first.
    pub(super) attacks: Vec<(Attack, i64)>,
    /// The most calls of an attack.
    pub(super) attack_calls: usize,
    /// How fraudsters choose their numbers and countries.
    pub(super) taste: Taste,
    pub(super) wire: Wire,
    /// What isn't SIP.
    pub(super) devices: Devices,
    /// How the office differs from an ordinary one.
    pub(super) setup: Setup,
}

/// How fraudsters choose numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Taste {
    /// Numbers of a rented block, in countries of every tier.
    #[default]
    Blocks,
    /// Numbers scattered over the country.
    Scattered,
    /// Blocks in countries that are seldom named.
    LowRisk,
}

impl Default for World {
    fn default() -> Self {
        Self {
            handsets: 20,
            days: 1,
            first_day: START,
            from: 0,
            until: DAY_S,
            pbx: Pbx::Cloud,
            travelled: 250,
            call_centre: false,
            habits: Habits::default(),
            registers_every: 3_600,
            days_off: &[],
            is_diverse: false,
            is_drawn: false,
            happening_percent: 100,
            repeats: false,
            happenings: &[],
            attacks: Vec::new(),
            attack_calls: usize::MAX,
            taste: Taste::default(),
            devices: devices::none,
            setup: weaknesses::ordinary,
            wire: Wire { lost: 0, doubled: false, rtp: 0, resent: 8, challenged: 400 },
        }
    }
}

/// Streams of random numbers: one for each part, so that a change in one leaves the others alone.
#[derive(Clone, Copy)]
enum Stream {
    Site,
    Ordinary,
    Happenings,
    Stage,
    World,
    Diversity,
    Devices,
    Setup,
    /// Attacks count up from here.
    Attacks = 100,
}

impl World {
    pub(super) fn with(mut self, options: Options) -> Self {
        if let Some(handsets) = options.handsets {
            self.handsets = handsets.clamp(2, 2_000);
        }
        if let Some(days) = options.days {
            self.days = days.clamp(1, 400);
        }
        if let Some(calls) = options.attack_calls {
            self.attack_calls = calls;
        }
        self
    }

    fn start(&self) -> Timestamp {
        self.first_day.at(self.from)
    }

    fn last_day(&self) -> Day {
        self.first_day.plus(i64::from(self.days) - 1)
    }

    /// Films it.
    pub(super) fn play(
        &self,
        seed: u64,
        out: &mut dyn Write,
        labels: &mut dyn Write,
    ) -> Result<Summary, DrillError> {
        let mut camera = Camera { capture: Capture::new(out), renderer: Renderer::default() };
        let (summary, episodes) = self.perform(seed, &mut camera)?;
        labels::write(&episodes, labels)?;
        Ok(summary)
    }

    /// Plays it before an audience.
    pub(super) fn perform(
        &self,
        seed: u64,
        audience: &mut dyn Audience,
    ) -> Result<(Summary, Vec<Episode>), DrillError> {
        let rng = |stream| Rng::new(seed, stream as u64);
        if self.is_diverse && !self.is_drawn {
            return vary(self, &mut rng(Stream::World)).perform(seed, audience);
        }
        let mut site =
            Site::new(self.handsets, self.pbx, self.travelled, self.call_centre, &mut rng(Stream::Site));
        if self.is_diverse {
            site = site.diverse(&mut rng(Stream::Diversity));
        }
        (self.setup)(&mut site, &mut rng(Stream::Setup));
        let mut stage = Stage::new(audience, self.wire, rng(Stream::Stage));
        let mut attacks = self.plan_attacks(&site, &mut stage, seed);
        let (mut ordinary, mut happenings) = (rng(Stream::Ordinary), rng(Stream::Happenings));
        let (start, stop) = (self.start(), self.last_day().at(self.until));
        let mut extras = (self.devices)(&site, start, stop, &mut rng(Stream::Devices));
        extras.sort_by_key(|extra| extra.at);
        for number in 0..i64::from(self.days) {
            let day = self.first_day.plus(number);
            let is_off = day.is_weekend() || self.days_off.contains(&number);
            let mut calls = ordinary::day(&mut site, day, is_off, self.habits, &mut ordinary);
            for (happening, chance) in self.happenings {
                let mut chance = chance * self.happening_percent / 100;
                while happening.fits(day, is_off) && happenings.chance(chance.min(1_000)) {
                    chance = chance.saturating_sub(1_000);
                    calls.extend(happening.plan(&site, day, number, &mut happenings));
                }
            }
            let later = attacks.partition_point(|call| call.at < day.end());
            calls.extend(attacks.drain(..later));
            calls.retain(|call| call.at >= start && call.at < stop && is_staffed(&site, call, number));
            calls.sort_by_key(|call| call.at);
            let mut items: Vec<_> = polite(&site, calls).into_iter().map(Item::Call).collect();
            self.register(&site, day, start, stop, &mut items);
            let later = extras.partition_point(|extra| extra.at < day.end());
            items.extend(extras.drain(..later).map(Item::Frame));
            items.sort_by_key(Item::at);
            for item in &items {
                stage.begin(&site, item)?;
            }
        }
        Ok(stage.finish()?)
    }

    fn plan_attacks(&self, site: &Site, stage: &mut Stage<'_>, seed: u64) -> Vec<Call> {
        let mut plans: Vec<Vec<Call>> = Vec::new();
        let mut used = Vec::new();
        for (number, (attack, day)) in self.attacks.iter().enumerate() {
            stage.announce(attack.name());
            let mut scene = Scene {
                site,
                day: self.first_day.plus(*day),
                last: self.last_day(),
                taste: self.taste,
                episode: number,
                used: &mut used,
                is_diverse: self.is_diverse,
                bad_luck: 0,
                rng: Rng::new(seed, Stream::Attacks as u64 + number as u64),
            };
            let mut plan = attack.plan(&mut scene);
            plan.sort_by_key(|call| call.at);
            let (start, stop) = (self.start(), self.last_day().at(self.until));
            plan.retain(|call| call.at >= start && call.at < stop);
            let mut left = self.attack_calls;
            plan.retain(|call| {
                let is_kept = left > 0;
                left -= usize::from(is_kept && call.mark.is_some());
                is_kept
            });
            plans.push(plan);
        }
        if self.repeats {
            self.repeat(&mut plans, stage);
        }
        let mut calls: Vec<Call> = plans.into_iter().flatten().collect();
        calls.sort_by_key(|call| call.at);
        calls
    }

    /// Each attack once more three weeks later, call for call, where there is still time for it whole.
    fn repeat(&self, plans: &mut Vec<Vec<Call>>, stage: &mut Stage<'_>) {
        let stop = self.last_day().at(self.until);
        for first in 0..plans.len() {
            let mut plan = plans[first].clone();
            let episode = plans.len();
            for call in &mut plan {
                call.at = call.at.plus(Span::days(21));
                if let Some(mark) = &mut call.mark {
                    mark.episode = episode;
                }
                if let Some(id) = &mut call.shared_id {
                    id.push('b');
                }
            }
            if plan.last().is_some_and(|last| last.at < stop) {
                stage.announce("repeat_second");
                plans.push(plan);
            }
        }
    }

    /// Every handset registers again and again, each at its own second.
    fn register(&self, site: &Site, day: Day, start: Timestamp, stop: Timestamp, items: &mut Vec<Item>) {
        let every = self.registers_every.max(60);
        let first = (day.at(0).as_secs()).div_euclid(every) * every;
        let number = day.0 - self.first_day.0;
        for handset in 0..site.handsets.len() {
            if site.handsets[handset].gone.is_some_and(|gone| number >= gone) {
                continue;
            }
            let phase = (handset as i64 * 7_919) % every;
            let mut second = first + phase;
            while second < day.end().as_secs() {
                let at = Timestamp::from_parts(second, (handset as i64 * 137_911) % 1_000_000);
                if at >= day.at(0) && at >= start && at < stop {
                    items.push(Item::Register { at, handset, every });
                }
                second += every;
            }
            // Phones that come up with the capture, so that each is known from the start.
            if day == self.first_day {
                let at = start.plus(Span::seconds(5 + handset as i64)).plus(Span(handset as i64 * 911));
                items.push(Item::Register { at, handset, every });
            }
        }
    }
}

/// Whether both ends of a call are still there on a day.
fn is_staffed(site: &Site, call: &Call, day: i64) -> bool {
    let here = |handset: usize| site.handsets[handset].gone.is_none_or(|gone| day < gone);
    here(call.handset) && if let Way::Internal(to) = call.way { here(to) } else { true }
}

/// Drops calls outward of handsets in use, and makes those busy that are called meanwhile.
fn polite(site: &Site, calls: Vec<Call>) -> Vec<Call> {
    let mut free_at = vec![Timestamp::default(); site.handsets.len()];
    let mut kept = Vec::with_capacity(calls.len());
    for mut call in calls {
        if !call.may_overlap {
            let is_busy = |handset: usize| free_at[handset] > call.at;
            let blocked = is_busy(call.handset);
            match call.way {
                Way::In if blocked => (call.setup, call.ending) = (Span::SECOND, Ending::Failed(486)),
                Way::Internal(to) if !blocked && is_busy(to) => {
                    (call.setup, call.ending) = (Span::SECOND, Ending::Failed(486));
                }
                _ if blocked => continue,
                _ => {}
            }
        }
        let callee = if let Way::Internal(to) = call.way { Some(to) } else { None };
        for handset in std::iter::once(call.handset).chain(callee) {
            free_at[handset] = free_at[handset].max(call.end().plus(Span::seconds(2)));
        }
        kept.push(call);
    }
    kept
}
