//! From a drill's events to the judge without a frame: what the sensor would say of them.
//!
//! In: `drill::Event`s in time order. Out: facts and outputs, handed to a sink.
//! Never: says anything that the sensor wouldn't say of the same traffic as a capture (a test
//! compares the alerts). A hold that opens a dialog nobody saw is the one thing it passes over.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use crate::baseline::exposure::Prices;
use crate::calls::{CallNo, Limits};
use crate::dial::{Dial, DialError, Group, Leg, Target};
use crate::drill::{Event, EventKind};
use crate::fact::{CallFact, CallState, Cause, Direction, Fact, Lapse};
use crate::handsets::{Handsets, Said, Who};
use crate::judge::Judge;
use crate::ledger::{Account, Key, Ledger};
use crate::run::engine::{Settings, Sink};
use crate::sip::uri::last_digits;
use crate::text::Text;
use crate::time::{Span, Timestamp};

/// A leg that is going on.
#[derive(Clone, Copy, Debug)]
struct Up {
    fact: CallFact,
    answered: Option<Timestamp>,
    /// Since when it is in its phase.
    since: Timestamp,
    /// When the sensor would give it up.
    until: Timestamp,
}

/// The judge behind a sensor that is told instead of shown.
#[derive(Debug)]
pub(super) struct Shortcut {
    dial: Dial,
    handsets: Handsets,
    ledger: Arc<Ledger>,
    judge: Judge,
    limits: Limits,
    legs: Vec<Option<Up>>,
    expiring: BTreeSet<(Timestamp, usize)>,
    /// Call-IDs that several calls share, with the number dialled last.
    shared: BTreeMap<String, String>,
    last: u64,
    now: Timestamp,
}

impl Shortcut {
    pub(super) fn new(settings: Settings) -> Result<Self, DialError> {
        let dial = Dial::new(&settings.dial)?;
        let ledger = Arc::new(Ledger::new(settings.ledger));
        let prices = Prices::new(dial.rates().to_vec(), dial.currency().to_owned(), dial.prices_basis());
        Ok(Self {
            judge: Judge::new(settings.judge, Arc::clone(&ledger), prices),
            handsets: Handsets::new(settings.sensor.handsets),
            limits: settings.sensor.calls.limits,
            dial,
            ledger,
            legs: Vec::new(),
            expiring: BTreeSet::new(),
            shared: BTreeMap::new(),
            last: 0,
            now: Timestamp::default(),
        })
    }

    /// Takes an event, after whatever was due before it.
    pub(super) fn event(&mut self, event: &Event<'_>, sink: &mut dyn Sink) -> io::Result<()> {
        if event.kind == EventKind::Opened {
            if self.legs.len() <= event.leg {
                self.legs.resize(event.leg + 1, None);
            }
            // A call whose end was lost goes on; its slot is somebody else's now.
            if let Some(up) = self.legs[event.leg].take() {
                self.expiring.remove(&(up.until, event.leg));
                self.legs.push(Some(up));
                self.expiring.insert((up.until, self.legs.len() - 1));
            }
            return Ok(());
        }
        self.due(event.at, sink)?;
        self.now = self.now.max(event.at);
        match event.kind {
            EventKind::Registered => self.registered(event, sink),
            EventKind::Dialled => self.dialled(event, sink),
            // What a PBX asks of its carrier is its own affair.
            EventKind::Transferred if self.handsets.is_pbx(event.path.dst.ip()) => Ok(()),
            EventKind::Transferred => {
                self.last += 1;
                self.sideways(event, Cause::Transferred, CallNo(self.last), sink)
            }
            kind => self.progress(event, kind, sink),
        }
    }

    /// It is over: time stands at its end.
    pub(super) fn finish(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        self.judge.finish(self.now);
        self.drain(sink)
    }

    fn due(&mut self, until: Timestamp, sink: &mut dyn Sink) -> io::Result<()> {
        loop {
            let expiry = self.expiring.first().copied();
            let next = [expiry.map(|(at, _)| at), self.judge.poll_timeout()].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at <= until) else { return Ok(()) };
            self.now = self.now.max(at);
            if let Some((at, slot)) = expiry.filter(|(due, _)| *due == at) {
                self.expiring.remove(&(at, slot));
                if let Some(up) = self.legs[slot].take() {
                    self.over(&up, true, up.answered.is_some(), sink)?;
                }
            }
            self.judge.handle_timeout(self.now);
            self.drain(sink)?;
        }
    }

    fn registered(&mut self, event: &Event<'_>, sink: &mut dyn Sink) -> io::Result<()> {
        let path = event.path;
        let account = event.caller.as_bytes();
        let (who, first) =
            self.handsets.registered(path.dst.ip(), path.src_mac, path.src.ip(), account, self.now);
        self.dial.learn_extension(account);
        if first { self.tell(&Fact::Registered { time: self.now, who }, sink) } else { Ok(()) }
    }

    fn dialled(&mut self, event: &Event<'_>, sink: &mut dyn Sink) -> io::Result<()> {
        match self.legs[event.leg] {
            Some(_) => return Ok(()),
            None => self.last += 1,
        }
        let (src, dst) = (event.path.src.ip(), event.path.dst.ip());
        let from_pbx = self.handsets.is_pbx(src);
        let trunk_side = from_pbx
            && !self.handsets.has_registered(dst)
            && (self.handsets.is_home(src) || !self.handsets.is_home(dst));
        let inbound =
            !trunk_side && (from_pbx || (!self.handsets.is_home(src) && self.handsets.is_home(dst)));
        let leg = if trunk_side { Leg::Trunk } else { Leg::Handset };
        let target = self.dial.classify(leg, event.dialled.as_bytes());
        let direction = if inbound { Direction::Inbound } else { Direction::placed(leg, &target) };
        let fact = CallFact {
            time: self.now,
            call: CallNo(self.last),
            state: CallState::Attempted,
            leg,
            joined: event.joined,
            direction,
            cause: if event.diverted_by.is_empty() { Cause::Dialled } else { Cause::Forwarded },
            code: 0,
            started: self.now,
            talked: Span::ZERO,
            expired: None,
            told: Span::ZERO,
            call_id_reused: self.is_reused(event),
            repeated: false,
            who: self.who(event, inbound),
            call_id: Text::new(event.call_id.as_bytes()),
            dialled: Text::new(event.dialled.as_bytes()),
            target,
            caller: if inbound { last_digits(event.caller.as_bytes()) } else { 0 },
        };
        let until = self.now.plus(self.limits.setup);
        self.legs[event.leg] = Some(Up { fact, answered: None, since: self.now, until });
        self.expiring.insert((until, event.leg));
        for key in rows(&fact).into_iter().flatten() {
            self.ledger.attempt(key, self.now);
        }
        self.tell(&Fact::Call(fact), sink)
    }

    fn is_reused(&mut self, event: &Event<'_>) -> bool {
        if !event.reused {
            return false;
        }
        let before = self.shared.insert(event.call_id.to_owned(), event.dialled.to_owned());
        before.is_some_and(|number| number != event.dialled)
    }

    fn who(&mut self, event: &Event<'_>, inbound: bool) -> Who {
        let path = event.path;
        if inbound {
            let back = crate::decode::Path {
                src: path.dst,
                dst: path.src,
                src_mac: path.dst_mac,
                dst_mac: path.src_mac,
                ..path
            };
            let sender = self.handsets.sender(&back, &Said::default(), None, self.now);
            return self.handsets.who_is(&sender);
        }
        let account = event.diverted_by.as_bytes();
        let said = Said { account, from: event.caller.as_bytes(), username: &[] };
        let sender = self.handsets.sender(&path, &said, None, self.now);
        self.handsets.who_is(&sender)
    }

    fn progress(&mut self, event: &Event<'_>, kind: EventKind, sink: &mut dyn Sink) -> io::Result<()> {
        let Some(mut up) = self.legs[event.leg] else { return Ok(()) };
        match kind {
            EventKind::Ringing if up.fact.state == CallState::Attempted => {
                up.fact.state = CallState::Ringing;
                self.again(event.leg, up, self.limits.setup);
                return self.said(&up, CallState::Ringing, sink);
            }
            EventKind::Answered if up.answered.is_none() => {
                (up.answered, up.fact.code) = (Some(self.now), 200);
                up.fact.state = CallState::Answered;
                self.again(event.leg, up, self.limits.talk);
                return self.said(&up, CallState::Answered, sink);
            }
            EventKind::Challenged if up.answered.is_none() => {
                up.fact.code = 407;
                self.legs[event.leg] = Some(up);
            }
            EventKind::Refreshed if self.now.since(up.since) >= Span::MINUTE && up.answered.is_some() => {
                self.again(event.leg, up, self.limits.talk);
            }
            EventKind::Cancelled if up.answered.is_none() => {
                up.fact.code = 487;
                self.legs[event.leg] = Some(up);
            }
            EventKind::Redirected => {
                up.fact.code = 302;
                self.legs[event.leg] = Some(up);
                let path = event.path;
                if !self.handsets.is_pbx(path.dst.ip()) {
                    return self.sideways(event, Cause::Forwarded, up.fact.call, sink);
                }
            }
            EventKind::Failed(code) => return self.ends(event.leg, Some(code), sink),
            EventKind::Ended => return self.ends(event.leg, None, sink),
            _ => {}
        }
        Ok(())
    }

    /// A leg's time starts anew.
    fn again(&mut self, leg: usize, mut up: Up, span: Span) {
        self.expiring.remove(&(up.until, leg));
        (up.since, up.until) = (self.now, self.now.plus(span));
        self.expiring.insert((up.until, leg));
        self.legs[leg] = Some(up);
    }

    /// A final failure, or a BYE: that ends a call even if its answer was lost.
    fn ends(&mut self, leg: usize, failure: Option<u16>, sink: &mut dyn Sink) -> io::Result<()> {
        let Some(mut up) = self.legs[leg].take() else { return Ok(()) };
        self.expiring.remove(&(up.until, leg));
        up.fact.code = failure.unwrap_or(up.fact.code);
        self.over(&up, false, failure.is_none(), sink)
    }

    fn over(&mut self, up: &Up, expired: bool, ended: bool, sink: &mut dyn Sink) -> io::Result<()> {
        for key in rows(&up.fact).into_iter().flatten() {
            self.ledger.closed(key);
        }
        let mut up = *up;
        up.fact.expired = expired.then_some(Lapse::TimeLimit);
        self.said(&up, if ended { CallState::Ended } else { CallState::Failed }, sink)
    }

    fn said(&mut self, up: &Up, state: CallState, sink: &mut dyn Sink) -> io::Result<()> {
        let begun = up.answered.unwrap_or(up.fact.started);
        let talked = if state == CallState::Ended { self.now.since(begun) } else { Span::ZERO };
        let fact = CallFact { time: self.now, state, talked, ..up.fact };
        self.tell(&Fact::Call(fact), sink)
    }

    /// A call that somebody else places on a handset's behalf.
    fn sideways(
        &mut self,
        event: &Event<'_>,
        cause: Cause,
        call: CallNo,
        sink: &mut dyn Sink,
    ) -> io::Result<()> {
        let target = self.dial.classify(Leg::Handset, event.target.as_bytes());
        if target.group == Group::Free {
            return Ok(());
        }
        let path = event.path;
        let back = crate::decode::Path {
            src: path.dst,
            dst: path.src,
            src_mac: path.dst_mac,
            dst_mac: path.src_mac,
            ..path
        };
        let label = if cause == Cause::Transferred { event.dialled } else { event.caller };
        let sender =
            self.handsets.sender(&back, &Said { from: label.as_bytes(), ..Said::default() }, None, self.now);
        let who = self.handsets.who_is(&sender);
        for account in [Account::Office, Account::Handset(who.id)] {
            let key = Key { account, group: target.group };
            self.ledger.attempt(key, self.now);
            self.ledger.closed(key);
        }
        self.tell(&Fact::Call(aside(self.now, call, cause, who, event, target)), sink)
    }

    fn tell(&mut self, fact: &Fact, sink: &mut dyn Sink) -> io::Result<()> {
        sink.fact(fact)?;
        self.judge.handle_fact(fact, self.now);
        self.drain(sink)
    }

    fn drain(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        while let Some(output) = self.judge.poll_output() {
            sink.output(&output)?;
        }
        Ok(())
    }
}

fn aside(
    now: Timestamp,
    call: CallNo,
    cause: Cause,
    who: Who,
    event: &Event<'_>,
    target: Target,
) -> CallFact {
    CallFact {
        time: now,
        call,
        state: CallState::Attempted,
        leg: Leg::Handset,
        joined: false,
        direction: Direction::Outbound,
        cause,
        code: 0,
        started: now,
        talked: Span::ZERO,
        expired: None,
        told: Span::ZERO,
        call_id_reused: false,
        repeated: false,
        who,
        call_id: Text::new(event.call_id.as_bytes()),
        dialled: Text::new(event.target.as_bytes()),
        target,
        caller: 0,
    }
}

/// The ledger's rows of a call.
fn rows(fact: &CallFact) -> [Option<Key>; 2] {
    if fact.direction == Direction::Inbound {
        return [None, None];
    }
    let group = fact.target.group;
    let office = Key { account: Account::Office, group };
    let own = Key { account: Account::Handset(fact.who.id), group };
    [Some(own), (!fact.joined).then_some(office)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::{self, Options};
    use crate::frame::{Frame, Link};
    use crate::judge::Output;
    use crate::run::engine::Engine;

    /// Everything that rules against toll fraud could go by; numbers of calls are the sensor's own business.
    #[derive(Default)]
    struct Said(Vec<String>);

    impl Sink for Said {
        fn fact(&mut self, fact: &Fact) -> io::Result<()> {
            match fact {
                Fact::Call(call) if call.joined => {}
                Fact::Call(call) => self.0.push(format!("{:?}", CallFact { call: CallNo(0), ..*call })),
                Fact::Registered { .. } => self.0.push(format!("{fact:?}")),
                // What bears on a device's security needs the packets.
                Fact::Sighting(_) | Fact::ClearSipDrop { .. } | Fact::Lossy { .. } => {}
            }
            Ok(())
        }

        fn output(&mut self, output: &Output) -> io::Result<()> {
            if let Output::Alert(alert) = output
                && alert.finding.rule.rule().is_some()
            {
                self.0.push(format!("{alert:?}"));
            }
            Ok(())
        }
    }

    fn filmed(name: &str, seed: u64, options: Options) -> Vec<String> {
        let mut pcap = Vec::new();
        drill::generate_with(name, seed, options, &mut pcap, &mut io::sink()).unwrap();
        let mut engine = Engine::new(Settings::default()).unwrap();
        let (mut said, mut rest) = (Said::default(), &pcap[24..]);
        while let Some((head, tail)) = rest.split_at_checked(16) {
            let field = |i: usize| u32::from_le_bytes(head[4 * i..4 * i + 4].try_into().unwrap());
            let (data, after) = tail.split_at(field(2) as usize);
            let ts = Timestamp::from_parts(i64::from(field(0)), i64::from(field(1)));
            let frame = Frame { ts, link: Link::Ethernet, interface: 0, wire_len: field(3), data };
            engine.frame(&frame, &mut said).unwrap();
            rest = after;
        }
        engine.finish(&mut said).unwrap();
        said.0
    }

    fn told(name: &str, seed: u64, options: Options) -> Vec<String> {
        let (mut shortcut, mut said) = (Shortcut::new(Settings::default()).unwrap(), Said::default());
        let tell = &mut |event: &Event<'_>| shortcut.event(event, &mut said).unwrap();
        drill::tell(name, seed, options, tell).unwrap();
        shortcut.finish(&mut said).unwrap();
        said.0
    }

    /// Facts and alerts are the same, to the microsecond, whether a scenario is filmed or told.
    #[test]
    fn the_short_way_says_what_the_long_way_says() {
        let brief = Options { attack_calls: Some(12), ..Options::default() };
        for scenario in drill::scenarios().iter() {
            let is_enough = matches!(scenario.name, "world_new" | "world_onsite");
            if scenario.sort == drill::Sort::World && !is_enough {
                continue;
            }
            // What only packets can say, such as a stranger's call from outside, the short way leaves out.
            let strangers = scenario.sort == drill::Sort::Posture && scenario.name != "sound_office";
            if strangers || scenario.name == "scan_then_calls" {
                continue;
            }
            let options = match scenario.sort {
                drill::Sort::World => {
                    Options { handsets: Some(6), days: Some(scenario.days.min(31)), ..brief }
                }
                _ => brief,
            };
            let (long, short) = (filmed(scenario.name, 3, options), told(scenario.name, 3, options));
            for (n, (long, short)) in long.iter().zip(&short).enumerate() {
                assert_eq!(long, short, "{}, line {n}", scenario.name);
            }
            assert_eq!(long.len(), short.len(), "{}", scenario.name);
            assert!(!short.is_empty());
        }
    }
}
