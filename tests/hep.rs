//! HEPv3 as a source beside the mirror: Kamailio's siptrace is the real client, and what the mirror
//! has seen too counts once.
#![cfg(feature = "daemon")]

#[cfg(test)]
mod office;

use std::io;
use std::time::Duration;

use office::{Office, have};
use ringfence::capture::hep::{Event, Feed, Listener, Settings};
use ringfence::decode::{Decoder, Packet};
use ringfence::fact::{CallState, Fact};
use ringfence::frame::{Frame, Link};
use ringfence::judge::Output;
use ringfence::run::engine::{self, Engine, Sink};
use ringfence::sip::{Sniff, sniff::sniff};

#[derive(Default)]
struct Facts(Vec<Fact>);

impl Sink for Facts {
    fn fact(&mut self, fact: &Fact) -> io::Result<()> {
        self.0.push(*fact);
        Ok(())
    }

    fn output(&mut self, _: &Output) -> io::Result<()> {
        Ok(())
    }
}

impl Facts {
    fn calls(&self, state: CallState) -> usize {
        let is = |fact: &&Fact| matches!(fact, Fact::Call(call) if call.state == state && !call.joined);
        self.0.iter().filter(is).count()
    }

    fn registered(&self) -> usize {
        self.0.iter().filter(|fact| matches!(fact, Fact::Registered { .. })).count()
    }
}

fn feed() -> (Feed, u16) {
    let listener = Listener::bind(Settings::new(([127, 0, 0, 1], 0).into())).unwrap();
    let port = listener.address().unwrap().port();
    (listener.start().unwrap(), port)
}

/// Takes in what comes until nothing has come for half a second.
fn take(feed: &mut Feed, engine: &mut Engine, facts: &mut Facts) {
    let mut quiet = 0;
    while quiet < 10 {
        match feed.next() {
            Some(frame) => {
                engine.frame(&frame, facts).unwrap();
                quiet = 0;
            }
            None => {
                quiet += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

fn siptrace(over: &str, phones: &str, event: Event) {
    if !have(&["kamailio", "sipp"]) {
        return;
    }
    let (mut feed, port) = feed();
    let office = Office::open(&format!("{port}{over}"));
    assert_ne!(office.port(), port);
    office.call(phones, "00882160012", 12);
    let (mut engine, mut facts) = (Engine::new(engine::Settings::default()).unwrap(), Facts::default());
    take(&mut feed, &mut engine, &mut facts);
    engine.finish(&mut facts).unwrap();
    // Per call: REGISTER twice, INVITE, ACK, BYE with their responses; all but REGISTER on two hops.
    let copies = feed.stats().get(event);
    assert!(copies >= 12 * (4 + 2 * 6), "{copies} copies");
    assert_eq!(feed.stats().get(Event::Dropped) + feed.stats().get(Event::Malformed), 0);
    let totals = engine.sensor().totals();
    assert_eq!((totals.attempts, totals.answered), (12, 12));
    assert_eq!((facts.calls(CallState::Attempted), facts.calls(CallState::Ended)), (12, 12));
    assert_eq!(totals.frames, copies, "every copy came to one end");
    assert_eq!(facts.registered(), 12);
    for fact in &facts.0 {
        if let Fact::Call(call) = fact {
            assert!(call.dialled.as_bytes().starts_with(b"00882160012"));
            assert_eq!(call.who.ip.to_string(), "127.0.0.2");
        }
    }
}

#[test]
fn kamailio_sends_copies_over_udp() {
    siptrace("", "u1", Event::Udp);
}

#[test]
fn kamailio_sends_copies_over_tcp_of_calls_over_tcp() {
    siptrace(";transport=tcp", "t1", Event::Tcp);
}

/// A HEPv3 packet that copies a datagram.
fn copy_of(datagram: &ringfence::decode::Datagram<'_>) -> Vec<u8> {
    let chunk = |kind: u16, value: &[u8]| {
        let length = u16::try_from(value.len() + 6).unwrap();
        [&[0, 0], &kind.to_be_bytes()[..], &length.to_be_bytes(), value].concat()
    };
    let octets = |ip| match ip {
        std::net::IpAddr::V4(v4) => v4.octets(),
        std::net::IpAddr::V6(_) => panic!("the drill is IPv4"),
    };
    let body = [
        chunk(2, &[17]),
        chunk(3, &octets(datagram.path.src.ip())),
        chunk(4, &octets(datagram.path.dst.ip())),
        chunk(7, &datagram.path.src.port().to_be_bytes()),
        chunk(8, &datagram.path.dst.port().to_be_bytes()),
        chunk(11, &[1]),
        chunk(15, datagram.payload),
    ]
    .concat();
    [b"HEP3", &u16::try_from(body.len() + 6).unwrap().to_be_bytes()[..], &body].concat()
}

/// Attempts, answered calls and handsets of a drill: `copies` beside or instead of the mirror.
fn drilled(mirror: bool, copies: bool) -> (u64, u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drill.pcap");
    let mut capture = std::fs::File::create(&path).unwrap();
    ringfence::drill::generate("irsf_fast", 5, &mut capture, &mut Vec::new()).unwrap();
    let mut capture = ringfence::capture::file::open(&ringfence::capture::file::Source::Path(path)).unwrap();
    let (mut engine, mut facts) = (Engine::new(engine::Settings::default()).unwrap(), Facts::default());
    let mut decoder = Decoder::default();
    while let Some(frame) = capture.next().unwrap() {
        if mirror {
            engine.frame(&frame, &mut facts).unwrap();
        }
        if let Ok(Packet::Datagram(datagram)) = decoder.decode(&frame)
            && copies
            && sniff(datagram.payload) == Sniff::Sip
        {
            let data = copy_of(&datagram);
            let wire_len = u32::try_from(data.len()).unwrap();
            engine.frame(&Frame { link: Link::Hep, wire_len, data: &data, ..frame }, &mut facts).unwrap();
        }
    }
    engine.finish(&mut facts).unwrap();
    let totals = engine.sensor().totals();
    assert_eq!(u64::try_from(facts.calls(CallState::Attempted)).unwrap(), totals.attempts);
    (totals.attempts, totals.answered, totals.handsets)
}

#[test]
fn a_call_that_mirror_and_proxy_both_show_counts_once() {
    let mirror = drilled(true, false);
    assert!(mirror.0 > 20);
    assert_eq!(drilled(true, true), mirror);
    assert_eq!(drilled(false, true), mirror);
}
