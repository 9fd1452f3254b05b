//! One pitfall a capture, made here and played to the sensor: what happens to SIP on a mirror port, what
//! devices do, what somebody does so as not to be counted; and how many calls that is.

mod counting;
mod doubtful;
mod forged;
mod links;
mod messages;
mod outsiders;
mod packets;
mod relayed;
mod streams;
mod talk;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use ringfence::dial::Dial;
use ringfence::fact::{CallFact, CallState, Direction, Fact};
use ringfence::frame::{Frame, Link};
use ringfence::ledger::Ledger;
use ringfence::sensor::{Sensor, Settings};
use ringfence::time::{Span, Timestamp};

/// A satellite network: no office calls it by chance.
const DEAR: &str = "00882160012345";
const DEAR_E164: &str = "+882160012345";
const OTHER: &str = "00882160077777";
const OTHER_E164: &str = "+882160077777";
const URI: &str = "sip:00882160012345@pbx.example";

type Ip = [u8; 4];
const PHONE: Ip = [10, 0, 3, 17];
const PHONE2: Ip = [10, 0, 3, 18];
const PHONE3: Ip = [10, 0, 3, 19];
/// A PBX in the office, one in the cloud, and the carrier.
const PBX: Ip = [10, 0, 0, 5];
const CLOUD: Ip = [203, 0, 113, 10];
const TRUNK: Ip = [198, 51, 100, 20];

/// What a capture comes to.
struct Case {
    name: &'static str,
    link: Link,
    /// Milliseconds after the frame before, the frame, and its length on the wire.
    frames: Vec<(i64, Vec<u8>, Option<u32>)>,
    attempts: u64,
    /// What is called, in the order of the attempts.
    numbers: Option<Vec<&'static str>>,
    answered: Option<u64>,
    /// How many calls out to `DEAR` are judged: second legs aren't, nor is what comes in.
    judged: Option<usize>,
    /// Who is charged with each call that goes out, as its last record says.
    charged: Option<Vec<&'static str>>,
    /// How long each call was talked for, in whole seconds, in the order of their ends.
    talked: Option<Vec<i64>>,
}

/// A capture of Ethernet frames 20 ms apart.
fn case(name: &'static str, attempts: u64, frames: Vec<Vec<u8>>) -> Case {
    after(name, attempts, frames.into_iter().map(|frame| (20, frame)).collect())
}

/// The same with times of one's own.
fn after(name: &'static str, attempts: u64, frames: Vec<(i64, Vec<u8>)>) -> Case {
    let frames = frames.into_iter().map(|(after, frame)| (after, frame, None)).collect();
    Case {
        name,
        link: Link::Ethernet,
        frames,
        attempts,
        numbers: None,
        answered: None,
        judged: None,
        charged: None,
        talked: None,
    }
}

impl Case {
    fn link(self, link: Link) -> Self {
        Self { link, ..self }
    }

    fn numbers(self, numbers: &[&'static str]) -> Self {
        Self { numbers: Some(numbers.to_vec()), ..self }
    }

    /// It is the one call to `DEAR`.
    fn dear(self) -> Self {
        self.numbers(&[DEAR_E164])
    }

    fn answered(self, answered: u64) -> Self {
        Self { answered: Some(answered), ..self }
    }

    fn talked(self, seconds: &[i64]) -> Self {
        Self { talked: Some(seconds.to_vec()), ..self }
    }

    fn judged(self, judged: usize) -> Self {
        Self { judged: Some(judged), ..self }
    }

    fn charged(self, accounts: &[&'static str]) -> Self {
        Self { charged: Some(accounts.to_vec()), ..self }
    }

    /// What comes out otherwise than it should.
    fn faults(&self) -> Vec<String> {
        let mut sensor = Sensor::new(Settings::default(), DIAL.clone(), Arc::new(Ledger::default()));
        let mut now = Timestamp::from_parts(1_795_514_400, 0);
        let mut calls = Vec::new();
        let mut take = |sensor: &mut Sensor| {
            while let Some(fact) = sensor.poll_fact() {
                if let Fact::Call(call) = fact {
                    calls.push(*call);
                }
            }
        };
        for (after, data, length) in &self.frames {
            now = now.plus(Span(after * 1_000));
            let wire_len = length.unwrap_or_else(|| u32::try_from(data.len()).unwrap());
            sensor.handle_frame(&Frame { ts: now, link: self.link, interface: 0, wire_len, data });
            take(&mut sensor);
        }
        sensor.finish();
        take(&mut sensor);
        let totals = sensor.totals();
        let mut faults = Vec::new();
        if totals.attempts != self.attempts {
            faults.push(format!("{} attempts, not {}", totals.attempts, self.attempts));
        }
        if self.answered.is_some_and(|answered| answered != totals.answered) {
            faults.push(format!("{} answered, not {:?}", totals.answered, self.answered));
        }
        let called = called(&calls);
        if self.numbers.as_ref().is_some_and(|numbers| *numbers != called) {
            faults.push(format!("{called:?} called, not {:?}", self.numbers));
        }
        let judged = called
            .iter()
            .zip(begun(&calls))
            .filter(|(to, call)| *to == DEAR_E164 && !call.joined && call.direction == Direction::Outbound);
        let judged = judged.map(|(_, call)| call.call).collect::<BTreeSet<_>>().len();
        if self.judged.is_some_and(|wanted| wanted != judged) {
            faults.push(format!("{judged} judged, not {:?}", self.judged));
        }
        let charged = charged(&calls);
        if self.charged.as_ref().is_some_and(|wanted| *wanted != charged) {
            faults.push(format!("{charged:?} charged, not {:?}", self.charged));
        }
        let over = calls.iter().filter(|call| call.state == CallState::Ended);
        let talked: Vec<_> = over.map(|call| call.talked.0 / 1_000_000).collect();
        if self.talked.as_ref().is_some_and(|wanted| *wanted != talked) {
            faults.push(format!("{talked:?} seconds talked, not {:?}", self.talked));
        }
        faults
    }
}

fn begun(calls: &[CallFact]) -> impl Iterator<Item = &CallFact> {
    calls.iter().filter(|call| call.state == CallState::Attempted)
}

/// The account of each call that goes out to a number and is no second leg, in the order of their beginning.
fn charged(calls: &[CallFact]) -> Vec<String> {
    let mut last: Vec<(u64, String)> = Vec::new();
    let out = |call: &&CallFact| {
        !call.joined && call.direction == Direction::Outbound && call.target.number.is_some()
    };
    for call in calls.iter().filter(out) {
        let who = call.who.user.to_string();
        match last.iter_mut().find(|(no, _)| *no == call.call.0) {
            Some((_, old)) => *old = who,
            None => last.push((call.call.0, who)),
        }
    }
    last.into_iter().map(|(_, who)| who).collect()
}

fn called(calls: &[CallFact]) -> Vec<String> {
    begun(calls).map(|call| call.target.number.map_or_else(String::new, |number| number.full())).collect()
}

static DIAL: LazyLock<Dial> =
    LazyLock::new(|| Dial::new(&ringfence::dial::Settings::default()).expect("the defaults are good"));

fn all_right(cases: Vec<Case>, at_least: usize) {
    assert!(cases.len() >= at_least, "{} cases", cases.len());
    let faults: Vec<_> = cases
        .iter()
        .flat_map(|case| case.faults().into_iter().map(|fault| format!("{}: {fault}", case.name)))
        .collect();
    assert!(faults.is_empty(), "of {} captures:\n{}", cases.len(), faults.join("\n"));
}

#[test]
fn links_tunnels_and_fragments() {
    all_right(links::cases(), 35);
}

#[test]
fn streams_and_chunks() {
    all_right(streams::cases(), 20);
}

#[test]
fn messages_as_odd_as_they_come() {
    all_right(messages::cases(), 47);
}

#[test]
fn calls_counted_as_people_count_them() {
    all_right(counting::cases(), 60);
}

#[test]
fn what_proves_a_call_that_is_in_doubt() {
    all_right(doubtful::cases(), 26);
}

#[test]
fn what_a_pbx_makes_of_a_call() {
    all_right(relayed::cases(), 45);
}

#[test]
fn what_is_asked_for_and_what_is_placed_from_outside() {
    all_right(outsiders::cases(), 18);
}

#[test]
fn what_is_said_to_be_a_part_of_another_call() {
    all_right(forged::cases(), 9);
}

/// A test that can't fail shows nothing.
#[test]
fn what_comes_out_otherwise_is_told() {
    let wrong = links::cases().remove(0);
    assert!(wrong.faults().is_empty());
    assert_eq!(Case { attempts: 2, ..wrong }.faults(), ["1 attempts, not 2"]);
}
