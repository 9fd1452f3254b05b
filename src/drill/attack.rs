//! Attacks: which there are, and what they have in common.
//!
//! In: the office, a day, randomness. Out: marked calls.
//! Never: a call without its mark.

use super::calendar::Day;
use super::call::{Call, Ending, Mark, Way};
use super::numbers::{self, Country, Tier};
use super::rng::Rng;
use super::site::{Role, Site};
use super::world::Taste;
use super::{incidents, schemes};
use crate::labels;
use crate::time::{Span, Timestamp};

labels! {
    /// A sort of attack.
    pub(super) enum Attack {
        IrsfFast = "irsf_fast", "Test calls, then a burst of calls to one block abroad on a weekend night.";
        SlowDrip = "slow_drip", "A call abroad every 15 to 40 minutes through an evening and a night.";
        LongHeld = "long_held", "A handful of calls abroad that stay up for hours.";
        Distributed = "distributed", "Many handsets call one country once or twice each.";
        PremiumDom = "premium_dom", "Premium-rate numbers at home, one call after another in the evening.";
        RangeHunt = "range_hunt", "Neighbouring numbers abroad are tried quickly; few of them answer.";
        Forwarding = "forwarding", "Calls are forwarded abroad by feature code, then called in from outside.";
        Redirecting = "redirecting", "A handset answers each call with 302 and a number abroad.";
        Transferring = "transferring", "A handset transfers callers to premium-rate numbers with REFER.";
        Camouflage = "camouflage", "Mid-priced countries, office hours, human durations, for days.";
        UltraSlow = "ultra_slow", "A call abroad every two to six hours, day and night, for days.";
        Wangiri = "wangiri", "Missed calls from abroad, which people call back.";
        ExecComp = "exec_comp", "The handset of somebody who often calls abroad is abused at midday.";
        DormantUse = "dormant_use", "A handset that nobody uses begins to call abroad.";
        PrefixProbe = "prefix_probe", "The same number behind many prefixes; one works, and a burst follows.";
        CheapFlood = "cheap_flood", "Hundreds of calls to mobile numbers at home on a weekend.";
        Satellite = "satellite", "A few long calls to satellite phones at night.";
        Repeat = "repeat", "Fast pumping, and the same again on the same handset three weeks later.";
        CallidReuse = "callid_reuse", "Calls abroad one after another, all with the Call-ID of the first.";
        Demo = "demo", "Two test calls to Latvia on Saturday evening, then a burst from 02:14 on.";
        IncidentA = "incident_a", "45 calls to one Gambian number in a night (Morning Call, 2015).";
        IncidentB = "incident_b", "2,400 calls to Cuba over a weekend (BBC).";
        IncidentC = "incident_c", "A call a minute to Guinea through a night (Fox 8).";
        IncidentD = "incident_d", "Two-hour calls to one number in Taiwan, a dozen at once (Fox 8).";
        IncidentE = "incident_e", "Hundreds of calls at once to Gambia, Somalia and the Maldives over a weekend (NYT, 2014).";
        IncidentF = "incident_f", "Eight lines to Somalia without a break for four days (Consumerist, 2012).";
    }
}

/// Where and when an attack takes place.
pub(super) struct Scene<'s> {
    pub(super) site: &'s Site,
    /// The day it may begin.
    pub(super) day: Day,
    /// The last day of the capture.
    pub(super) last: Day,
    pub(super) taste: Taste,
    pub(super) episode: usize,
    /// Handsets that earlier attacks abused.
    pub(super) used: &'s mut Vec<usize>,
    /// Whether block sizes, paces, hours and luck differ from attack to attack.
    pub(super) is_diverse: bool,
    /// By how much in a thousand fewer calls are answered than usual.
    pub(super) bad_luck: u32,
    pub(super) rng: Rng,
}

/// Where the money goes.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) country: &'static Country,
    /// First digits that all its numbers share; the rest is drawn. Empty: anywhere in the country.
    block: String,
    /// How many digits of a block's numbers are open.
    open: usize,
    /// Numbers dialled so far, E.164 without the plus.
    dialled: Vec<(String, &'static Country)>,
    /// How often in a thousand a number is one dialled before.
    again: u32,
    /// Further countries that numbers are taken from as often, each with its block.
    also: Vec<(&'static Country, String)>,
}

/// A run of calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) start: Timestamp,
    /// No call begins after that.
    pub(super) until: Timestamp,
    pub(super) most: usize,
    /// Mean time from one call's beginning to the next one's.
    pub(super) gap: Span,
    /// The shortest and the longest call.
    pub(super) talk: (Span, Span),
    /// Calls in a thousand that are answered.
    pub(super) answered: u32,
}

impl Attack {
    /// Its calls, in no order.
    pub(super) fn plan(self, scene: &mut Scene<'_>) -> Vec<Call> {
        if scene.is_diverse {
            scene.bad_luck = scene.rng.pick(&[0, 0, 0, 100, 250, 450]);
        }
        match self {
            Self::IrsfFast => schemes::fast(scene),
            Self::SlowDrip => schemes::slow_drip(scene),
            Self::LongHeld => schemes::long_held(scene),
            Self::Distributed => schemes::distributed(scene),
            Self::PremiumDom => schemes::premium(scene),
            Self::RangeHunt => schemes::range_hunt(scene),
            Self::Forwarding => schemes::forwarding(scene),
            Self::Redirecting => schemes::redirecting(scene),
            Self::Transferring => schemes::transferring(scene),
            Self::Camouflage => schemes::camouflage(scene),
            Self::UltraSlow => schemes::ultra_slow(scene),
            Self::Wangiri => schemes::wangiri(scene),
            Self::ExecComp => schemes::executive(scene),
            Self::DormantUse => schemes::dormant(scene),
            Self::PrefixProbe => schemes::probing(scene),
            Self::CheapFlood => schemes::flood(scene),
            Self::Satellite => schemes::satellite(scene),
            Self::Repeat => schemes::repeat(scene),
            Self::CallidReuse => schemes::callid_reuse(scene),
            Self::Demo => schemes::demo(scene),
            Self::IncidentA => incidents::a(scene),
            Self::IncidentB => incidents::b(scene),
            Self::IncidentC => incidents::c(scene),
            Self::IncidentD => incidents::d(scene),
            Self::IncidentE => incidents::e(scene),
            Self::IncidentF => incidents::f(scene),
        }
    }
}

impl Target {
    fn new(country: &'static Country, block: String) -> Self {
        Self { country, block, open: 4, dialled: Vec::new(), again: 350, also: Vec::new() }
    }

    pub(super) fn one_number(country: &'static Country, rng: &mut Rng) -> Self {
        Self::new(country, country.number(rng))
    }

    pub(super) fn in_block(country: &'static Country, rng: &mut Rng) -> Self {
        Self::new(country, country.block(rng))
    }

    pub(super) fn anywhere(country: &'static Country) -> Self {
        Self::new(country, String::new())
    }

    /// A block of another size, another habit of using numbers again, sometimes further countries.
    fn diversify(&mut self, more: &[&'static Country], rng: &mut Rng) {
        self.again = rng.pick(&[0, 100, 250, 350, 500, 700]);
        if self.block.is_empty() {
            self.also = more.iter().map(|country| (*country, String::new())).collect();
            return;
        }
        self.open = rng.pick(&[2, 3, 3, 4, 4, 4, 5]);
        let cut = |number: String, open: usize| number[..number.len() - open].to_owned();
        self.block = cut(self.country.number(rng), self.open);
        self.also = more.iter().map(|country| (*country, cut(country.number(rng), self.open))).collect();
    }

    /// A number to dial: one dialled before in a third of all cases.
    pub(super) fn number(&mut self, rng: &mut Rng) -> String {
        if !self.dialled.is_empty() && rng.chance(self.again) {
            let (number, country) = self.dialled[rng.below(self.dialled.len())].clone();
            self.country = country;
            return number;
        }
        self.fresh(rng)
    }

    /// A number that need not have been dialled before.
    pub(super) fn fresh(&mut self, rng: &mut Rng) -> String {
        if !self.also.is_empty() {
            let other = rng.below(self.also.len() + 1);
            if let Some(other) = self.also.get_mut(other) {
                std::mem::swap(&mut self.country, &mut other.0);
                std::mem::swap(&mut self.block, &mut other.1);
            }
        }
        let mut number = self.country.number(rng);
        // Numbers of one country may differ in length; those of a block don't.
        if !self.block.is_empty() {
            let length = self.block.len() + self.open;
            let is_whole = self.country.patterns.iter().any(|p| p.len() == self.block.len());
            number = if is_whole {
                self.block.clone()
            } else {
                numbers::fill(&format!("{}{}", self.block, &"xxxxxx"[..self.open]), rng)
            };
            debug_assert!(is_whole || number.len() == length);
        }
        self.dialled.push((number.clone(), self.country));
        number
    }
}

impl Scene<'_> {
    /// The Saturday to come, if the capture lasts that long.
    pub(super) fn saturday(&self) -> Day {
        let saturday = self.day.next(5);
        if saturday <= self.last { saturday } else { self.day }
    }

    /// A handset of one of these roles, in order of preference, that no attack has abused yet.
    pub(super) fn victim(&mut self, roles: &[Role]) -> usize {
        let all = self.site.handsets.len();
        for role in roles {
            let mut free = self.site.of_role(*role);
            free.retain(|handset| !self.used.contains(handset));
            if !free.is_empty() {
                let victim = self.rng.pick(&free);
                self.used.push(victim);
                return victim;
            }
        }
        self.rng.below(all)
    }

    /// A country to call, by the fraudster's taste: every tier has its share.
    pub(super) fn country(&mut self) -> &'static Country {
        let tier = match (self.taste, self.rng.between(0, 99)) {
            (Taste::LowRisk, 0..=59) | (_, 0..=14) => Tier::Low,
            (Taste::LowRisk, _) | (_, 15..=39) => Tier::Medium,
            _ => Tier::High,
        };
        numbers::of_tier(tier, &mut self.rng)
    }

    /// Numbers in a country, by the fraudster's taste.
    pub(super) fn target(&mut self, country: &'static Country) -> Target {
        let mut target = if self.taste == Taste::Scattered {
            Target::anywhere(country)
        } else {
            Target::in_block(country, &mut self.rng)
        };
        if self.is_diverse {
            let others = if self.rng.chance(200) { self.rng.between(1, 3) } else { 0 };
            let more: Vec<_> = (0..others).map(|_| self.country()).collect();
            target.diversify(&more, &mut self.rng);
        }
        target
    }

    pub(super) const fn mark(&self, rate: u32) -> Option<Mark> {
        Some(Mark { episode: self.episode, rate })
    }

    /// A marked call of an attack; such calls don't wait for the handset to be free.
    pub(super) fn call(
        &self,
        at: Timestamp,
        handset: usize,
        number: String,
        rate: u32,
        setup: Span,
        ending: Ending,
    ) -> Call {
        Call {
            at,
            handset,
            way: Way::Out,
            number,
            setup,
            ending,
            may_overlap: true,
            mark: self.mark(rate),
            shared_id: None,
        }
    }

    /// So many calls, or hours, of an attack; where attacks differ widely they last longer too.
    pub(super) fn more(&mut self, usual: i64, low: i64, high: i64) -> i64 {
        if self.is_diverse { usual * self.rng.between(low, high) } else { usual }
    }

    pub(super) fn seconds(&mut self, low: i64, high: i64) -> Span {
        self.rng.span(Span::seconds(low), Span::seconds(high))
    }

    /// How a call ends that is answered `answered` times in a thousand.
    pub(super) fn luck(&mut self, answered: u32, talk: (Span, Span)) -> (Span, Ending) {
        // Some ranges answer badly; a call that is sure to be answered stays sure.
        let answered = if self.bad_luck > 0 && answered < 1_000 {
            answered * (1_000 - self.bad_luck) / 1_000
        } else {
            answered
        };
        if self.rng.chance(answered) {
            let (setup, talk) = (self.seconds(2, 9), self.rng.span(talk.0, talk.1));
            return (setup, Ending::Answered(talk));
        }
        let code = self.rng.pick(&[404, 404, 480, 486, 503]);
        (self.seconds(1, 4), Ending::Failed(code))
    }

    /// A run of calls to a target from these handsets in turn.
    pub(super) fn run(&mut self, handsets: &[usize], target: &mut Target, run: Run) -> Vec<Call> {
        let mut at = run.start;
        let mut calls = Vec::new();
        let gap = if self.is_diverse { Span(run.gap.0 * self.rng.between(60, 170) / 100) } else { run.gap };
        while calls.len() < run.most && at < run.until {
            let number = target.number(&mut self.rng);
            let number = numbers::dialled_abroad(&number, &mut self.rng);
            let (setup, ending) = self.luck(run.answered, run.talk);
            let handset = handsets[calls.len() % handsets.len()];
            calls.push(self.call(at, handset, number, target.country.rate, setup, ending));
            // Machines keep a steadier pace than people: half of each gap is fixed.
            let half = Span(gap.0 / 2);
            at = at.plus(half).plus(self.rng.wait(half));
        }
        calls
    }

    /// One to three short calls to a target, half an hour to a day before `before`.
    pub(super) fn tests(&mut self, handset: usize, target: &mut Target, before: Timestamp) -> Vec<Call> {
        let mut at = before.minus(self.rng.span(Span::minutes(30), Span::hours(14)));
        let mut calls = Vec::new();
        for _ in 0..self.rng.between(1, 3) {
            if at >= before {
                break;
            }
            let number = target.number(&mut self.rng);
            let number = numbers::dialled_abroad(&number, &mut self.rng);
            let (setup, ending) = self.luck(800, (Span::seconds(4), Span::seconds(20)));
            calls.push(self.call(at, handset, number, target.country.rate, setup, ending));
            at = at.plus(self.seconds(40, 900));
        }
        calls
    }
}
