//! The judge from outside: facts in, alerts out.

mod chain;
mod incidents;
mod laws;
mod life;
mod lost;
mod memory;
mod office;
mod past;
mod quiet;
mod rules;

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::bounded::Table;
use crate::dial::{Class, Kind, Number, Rate, RateId, Region, Risk, Target};
use crate::fact::{CallNo, Cause as Made};
use crate::finding::Rule;
use crate::handsets::Who;
use crate::ledger::{Account, Key as Row};
use crate::text::Text;
use crate::time::Span;

/// Prices: row 0 costs 10 p a minute, row 1 costs 1 pound.
fn prices() -> Prices {
    let rate = |per_minute: i64| Rate {
        connect: 0,
        per_minute,
        per_minute_low: per_minute / 2,
        per_minute_high: per_minute * 2,
        initial_s: 1,
        increment_s: 1,
        covers_initial: false,
    };
    Prices::new(vec![rate(100_000), rate(1_000_000)], "GBP".to_owned(), "test table".to_owned())
}

fn target(class: Class, kind: Kind, group: Group, region: &str, number: u64, risk: Risk) -> Target {
    Target {
        class,
        kind,
        region: Region::new(region),
        number: Number::new(number.to_string().as_bytes()),
        exact: true,
        risk,
        group,
        rate: RateId(u32::from(risk == Risk::High || group == Group::Premium)),
        rule: "test",
    }
}

fn abroad(region: &str, number: u64) -> Target {
    target(Class::Overseas, Kind::FixedLine, Group::Overseas, region, number, Risk::Low)
}

fn risky(region: &str, number: u64) -> Target {
    target(Class::Overseas, Kind::Mobile, Group::Risky, region, number, Risk::High)
}

fn premium(number: u64) -> Target {
    target(Class::National, Kind::PremiumRate, Group::Premium, "GB", number, Risk::Medium)
}

fn national(number: u64) -> Target {
    target(Class::National, Kind::FixedLine, Group::National, "GB", number, Risk::Low)
}

/// An office whose facts go to a judge.
struct Office {
    judge: Judge,
    ledger: Arc<Ledger>,
    handsets: Vec<Who>,
    calls: Vec<CallFact>,
    now: Timestamp,
    told: Vec<Alert>,
    places: Table<u16, ()>,
}

/// 2026-11-16 was a Monday; office hours are UTC in these tests.
fn monday(hour: i64, minute: i64) -> Timestamp {
    Timestamp::from_parts(1_794_787_200 + hour * 3_600 + minute * 60, 0)
}

fn saturday(hour: i64, minute: i64) -> Timestamp {
    monday(hour, minute).plus(Span::days(5))
}

impl Office {
    fn new() -> Self {
        let mut settings = Settings::default();
        settings.names.insert("200".to_owned(), "Reception".to_owned());
        Self::with(settings)
    }

    fn with(settings: Settings) -> Self {
        let ledger = Arc::new(Ledger::default());
        let judge = Judge::new(settings, Arc::clone(&ledger), prices());
        let mut office = Self {
            judge,
            ledger,
            handsets: Vec::new(),
            calls: Vec::new(),
            now: Timestamp(0),
            told: Vec::new(),
            places: Table::new(500, 0),
        };
        for n in 0..100u16 {
            office.add_handset(n);
        }
        office
    }

    /// An office that has been watched for three weeks, in which nobody called abroad.
    fn settled() -> Self {
        let mut office = Self::new();
        office.at(monday(9, 0).minus(Span::days(21)));
        for n in 0..100 {
            let who = office.handsets[n];
            office.judge.handle_fact(&Fact::Registered { time: office.now, who }, office.now);
        }
        office
    }

    fn add_handset(&mut self, n: u16) {
        let id = HandsetId(self.places.find_or_insert(&n, Timestamp(0), || ()).slot);
        let user = Text::from(format!("{}", 200 + n).as_str());
        let ip = IpAddr::V4(Ipv4Addr::new(10, 0, 3, u8::try_from(n).unwrap()));
        self.handsets.push(Who { id, user, verified: true, ip, mac: None });
    }

    fn at(&mut self, now: Timestamp) -> &mut Self {
        self.now = self.now.max(now);
        self
    }

    fn after(&mut self, span: Span) -> &mut Self {
        self.now = self.now.plus(span);
        self
    }

    fn fact(&mut self, fact: CallFact) {
        self.judge.handle_fact(&Fact::Call(fact), self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.judge.poll_output() {
            if let Output::Alert(alert) = output {
                self.told.push(*alert);
            }
        }
    }

    fn rest(&mut self, span: Span) -> &mut Self {
        self.after(span);
        self.judge.handle_timeout(self.now);
        self.drain();
        self
    }

    fn dial(&mut self, handset: usize, target: Target) -> usize {
        self.dial_as(handset, target, |_| {})
    }

    fn dial_as(&mut self, handset: usize, target: Target, change: impl FnOnce(&mut CallFact)) -> usize {
        let index = self.calls.len();
        let dialled = target.number.map_or_else(String::new, |number| number.full());
        let mut fact = CallFact {
            time: self.now,
            call: CallNo(u64::try_from(index).unwrap() + 1),
            state: CallState::Attempted,
            leg: Leg::Handset,
            joined: false,
            direction: Direction::Outbound,
            cause: Made::Dialled,
            code: 0,
            started: self.now,
            talked: Span::ZERO,
            expired: None,
            told: Span::ZERO,
            call_id_reused: false,
            repeated: false,
            who: self.handsets[handset],
            call_id: Text::from(format!("call-{index}").as_str()),
            dialled: Text::from(dialled.as_str()),
            target,
            caller: 0,
        };
        change(&mut fact);
        if fact.direction != Direction::Inbound && !fact.joined {
            for account in [Account::Office, Account::Handset(fact.who.id)] {
                self.ledger.attempt(Row { account, group: target.group }, self.now);
            }
        }
        self.calls.push(fact);
        self.fact(fact);
        index
    }

    fn answer(&mut self, call: usize) {
        self.calls[call].state = CallState::Answered;
        self.calls[call].code = 200;
        self.calls[call].time = self.now;
        self.fact(self.calls[call]);
    }

    fn hang_up(&mut self, call: usize) {
        let answered = self.calls[call].time;
        let fact = CallFact {
            state: CallState::Ended,
            time: self.now,
            talked: self.now.since(answered),
            ..self.calls[call]
        };
        self.close(&fact);
        self.fact(fact);
    }

    fn fail(&mut self, call: usize, code: u16) {
        let fact = CallFact { state: CallState::Failed, time: self.now, code, ..self.calls[call] };
        self.close(&fact);
        self.fact(fact);
    }

    fn close(&self, fact: &CallFact) {
        for account in [Account::Office, Account::Handset(fact.who.id)] {
            self.ledger.closed(Row { account, group: fact.target.group });
        }
    }

    /// Dials, talks for so long, hangs up.
    fn talk(&mut self, handset: usize, target: Target, span: Span) {
        let call = self.dial(handset, target);
        self.after(Span::seconds(8));
        self.answer(call);
        self.after(span);
        self.hang_up(call);
    }

    /// Alerts that page somebody, as (state, rule, severity, calls).
    fn pages(&self) -> Vec<(AlertState, Rule, Severity, u32)> {
        let pages = self.told.iter().filter(|a| a.finding.severity > Severity::Info);
        pages
            .filter_map(|a| Some((a.state, a.finding.rule.rule()?, a.finding.severity, a.finding.calls)))
            .collect()
    }

    /// How many calls had been attempted when the first page went out.
    fn paged_at(&self) -> Option<u32> {
        let first = self.told.iter().find(|a| a.finding.severity > Severity::Info)?;
        let last = first.finding.samples.last()?.call_id;
        let index = self.calls.iter().position(|call| call.call_id == last)?;
        Some(u32::try_from(index).unwrap() + 1)
    }

    fn raised(&self) -> usize {
        self.pages().iter().filter(|(state, ..)| *state == AlertState::Raised).count()
    }
}
