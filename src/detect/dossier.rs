//! The calls of one incident, added up as they happen.
//!
//! In: calls, what they cost, verdicts. Out: counts, samples, money; `Finding` through `sentence`.
//! Never: holds more than its bounds, however many calls there are.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::baseline::calls::{Call, Lane, Progress};
use crate::baseline::exposure::Money;
use crate::dial::Region;
use crate::finding::{Link, Rule, Sample, Severity, Step, Subject};
use crate::handsets::HandsetId;
use crate::tally::Label;
use crate::time::{Span, Timestamp};

use super::Verdict;
use super::place::Place;

const NUMBERS: usize = 2_048;
const PLACES: usize = 48;
const HANDSETS: usize = 64;
const SAMPLES: usize = 20;

/// The calls of one incident, added up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dossier {
    /// What the rule that opened it decided, with the highest severity so far.
    pub verdict: Verdict,
    /// Other rules that spoke since, in order.
    pub also: Vec<Rule>,
    /// Earlier steps of an attack, in order.
    pub chain: Vec<Step>,
    /// How many calls.
    pub calls: u32,
    /// How many of them are talking.
    pub talking: u32,
    /// What they cost so far.
    pub money: Money,
    /// What those that are talking cost a minute.
    pub per_minute: i64,
    /// Hundredths of a decade of evidence that its calls aren't ordinary, the most of any of them.
    pub evidence: i32,
    /// When the first was attempted.
    pub first: Timestamp,
    /// When the last was attempted.
    pub last: Timestamp,
    numbers: BTreeSet<u64>,
    /// Where its calls went, and how many of them.
    places: Vec<(Place, u32)>,
    handsets: Vec<HandsetId>,
    samples: VecDeque<Sample>,
    /// For what the chain was asked last; after a restart it's asked anew.
    #[serde(skip)]
    asked: Asked,
}

/// What the answer of the chain depends on: its news, the incident's handsets, whether there is more
/// than probing, and the minute.
type Asked = Option<(u64, usize, bool, i64)>;

/// Decades are capped at 14; less than none is none.
#[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest integer that fits")]
fn hundredths(decades: f32) -> i32 {
    if decades > 0.0 { (decades * 100.0) as i32 } else { 0 }
}

impl Dossier {
    /// Opened by a verdict; it holds no call yet.
    pub fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            also: Vec::new(),
            chain: Vec::new(),
            calls: 0,
            talking: 0,
            money: Money::default(),
            per_minute: 0,
            evidence: 0,
            first: verdict.since,
            last: verdict.since,
            numbers: BTreeSet::new(),
            places: Vec::new(),
            handsets: Vec::new(),
            samples: VecDeque::new(),
            asked: None,
        }
    }

    /// No more than is kept, whatever a snapshot held.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.also.truncate(Rule::ALL.len());
        self.chain.truncate(Link::ALL.len());
        self.places.truncate(PLACES);
        self.handsets.truncate(HANDSETS);
        self.samples.truncate(SAMPLES);
        while self.numbers.len() > NUMBERS {
            self.numbers.pop_last();
        }
        self
    }

    /// Which calls it is about.
    pub const fn lane(&self) -> Lane {
        self.verdict.lane
    }

    /// Adds a call; `per_minute` is its price. Calls come oldest first.
    pub fn add(&mut self, call: &Call, per_minute: i64) {
        if self.calls == 0 {
            self.first = call.time;
        }
        self.calls = self.calls.saturating_add(1);
        self.last = self.last.max(call.time);
        let crowd = call.crowd.filter(|_| self.verdict.subject == Subject::Office);
        let decades = crowd.map_or(call.judged.odds.decades, |crowd| crowd.decades);
        self.evidence = self.evidence.max(hundredths(decades));
        self.money = self.money.plus(call.accrued);
        if call.progress == Progress::Talking {
            self.talks(per_minute);
        }
        if self.numbers.len() < NUMBERS {
            self.numbers.insert(call.number);
        }
        let place = Place::of(call);
        match self.places.iter().position(|(known, _)| *known == place) {
            Some(i) => {
                self.places[i].1 = self.places[i].1.saturating_add(1);
                // What is called most comes to the front and is found at once.
                self.places.swap(i, i.saturating_sub(1));
            }
            None => {
                if self.places.len() < PLACES {
                    self.places.push((place, 1));
                }
            }
        }
        if self.handsets.len() < HANDSETS && !self.handsets.contains(&call.handset) {
            self.handsets.push(call.handset);
        }
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample { call_id: call.call_id, time: call.time });
    }

    /// One of its calls was answered.
    pub const fn talks(&mut self, per_minute: i64) {
        self.talking = self.talking.saturating_add(1);
        self.per_minute = self.per_minute.saturating_add(per_minute);
    }

    /// One of its calls that talked is over.
    pub const fn hangs_up(&mut self, per_minute: i64) {
        self.talking = self.talking.saturating_sub(1);
        self.per_minute = self.per_minute.saturating_sub(per_minute);
    }

    /// Another verdict on the same calls: it may raise the severity, the rule stays.
    pub fn hear(&mut self, verdict: &Verdict) {
        self.verdict.severity = self.verdict.severity.max(verdict.severity);
        if verdict.rule == self.verdict.rule {
            self.verdict.count = self.verdict.count.max(verdict.count);
        } else if !self.also.contains(&verdict.rule) {
            self.also.push(verdict.rule);
        }
    }

    /// An earlier step of an attack on the same handset or office: money is at stake now.
    pub fn follows(&mut self, step: Step, now: Timestamp) {
        match self.chain.iter_mut().find(|known| known.link == step.link) {
            // Steps that go on while the incident is open don't come before it anew.
            Some(_) => return,
            None => self.chain.push(step),
        }
        self.chain.sort_by_key(|step| (step.time, step.link));
        if step.raises(now) && self.verdict.severity == Severity::Warning {
            self.verdict.severity = Severity::Critical;
        }
    }

    /// Whether all that comes before it is nothing but its own probing.
    pub fn only_probes(&self) -> bool {
        self.talking == 0 && self.money.amount == 0 && self.rules().any(|rule| rule == Rule::PrefixProbe)
    }

    /// Whether the chain, whose news stand at `news`, may say more than it did when it was asked last.
    /// A flood must not ask with each of its calls.
    pub fn asks(&mut self, news: u64, now: Timestamp) -> bool {
        let minute = now.0.div_euclid(Span::MINUTE.0);
        let asked = Some((news, self.handsets.len(), self.only_probes(), minute));
        std::mem::replace(&mut self.asked, asked) != asked
    }

    /// The rules that have spoken, the one that opened it first.
    pub fn rules(&self) -> impl Iterator<Item = Rule> {
        std::iter::once(self.verdict.rule).chain(self.also.iter().copied())
    }

    /// The handsets that took part, up to the bound.
    pub fn who(&self) -> &[HandsetId] {
        &self.handsets
    }

    /// How urgent it is.
    pub const fn severity(&self) -> Severity {
        self.verdict.severity
    }

    /// How many different numbers, up to the bound.
    pub fn numbers(&self) -> u32 {
        u32::try_from(self.numbers.len()).unwrap_or(u32::MAX)
    }

    /// How many of the numbers share their 10,000-block with another.
    pub fn neighbours(&self) -> u32 {
        let (mut all, mut run, mut block) = (0, 0u32, None);
        for number in &self.numbers {
            let here = (*number < 1 << 63).then_some(number / 10_000);
            if here.is_some() && here == block {
                run += 1;
            } else {
                all += if run >= 2 { run } else { 0 };
                (run, block) = (u32::from(here.is_some()), here);
            }
        }
        all + if run >= 2 { run } else { 0 }
    }

    /// Where its calls went, most calls first, then by country.
    pub fn places(&self) -> Vec<Place> {
        let mut places = self.places.clone();
        places.sort_by_key(|(place, calls)| (std::cmp::Reverse(*calls), *place));
        places.into_iter().map(|(place, _)| place).collect()
    }

    /// The countries, most calls first, then by code.
    pub fn regions(&self) -> Vec<Region> {
        let mut regions: Vec<(Region, u32)> = Vec::new();
        for (place, calls) in &self.places {
            match regions.iter_mut().find(|(region, _)| *region == place.region) {
                Some((_, all)) => *all = all.saturating_add(*calls),
                None => regions.push((place.region, *calls)),
            }
        }
        regions.sort_by_key(|(region, calls)| (std::cmp::Reverse(*calls), *region));
        regions.into_iter().map(|(region, _)| region).collect()
    }

    /// Whether one of its calls went to a country.
    pub fn has_region(&self, region: Region) -> bool {
        self.places.iter().any(|(place, _)| place.region == region)
    }

    /// How many handsets took part, up to the bound.
    pub const fn handsets(&self) -> usize {
        self.handsets.len()
    }

    /// Up to 20 calls in order, `deciding` last.
    pub fn samples(&self, deciding: &Sample) -> Vec<Sample> {
        let mut samples: Vec<Sample> =
            self.samples.iter().filter(|s| s.call_id != deciding.call_id).copied().collect();
        if samples.len() == SAMPLES {
            samples.remove(0);
        }
        samples.push(*deciding);
        samples
    }

    /// The newest call.
    pub fn newest(&self) -> Option<Sample> {
        self.samples.back().copied()
    }

    /// From the first call to `now`, at least a second.
    fn lasted(&self, now: Timestamp) -> Span {
        now.since(self.first).max(Span::SECOND)
    }

    /// Money an hour if it goes on: what the open calls cost, or the pace so far if that is more.
    pub fn per_hour(&self, now: Timestamp) -> i64 {
        let open = self.per_minute.saturating_mul(60);
        let lasted = self.lasted(now).max(Span::minutes(10));
        let pace = i128::from(self.money.amount) * i128::from(Span::HOUR.0) / i128::from(lasted.0.max(1));
        open.max(i64::try_from(pace).unwrap_or(i64::MAX))
    }
}
