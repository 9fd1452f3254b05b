mod due;
mod lifeline;
mod passing;
mod security;

use super::*;
use crate::dial::{Class, Group};
use crate::fact::CallFact;
use crate::frame::Link;
use crate::ledger::{Account, Key, Window};
use crate::tally::Label;
use crate::time::Span;

#[cfg(test)]
mod snapshot;

const PBX: [u8; 4] = [203, 0, 113, 10];
const ONSITE: [u8; 4] = [10, 0, 0, 5];
const TRUNK: [u8; 4] = [198, 51, 100, 7];
const PHONE: [u8; 4] = [10, 0, 3, 17];

struct Bench {
    sensor: Sensor,
    ledger: Arc<Ledger>,
    now: Timestamp,
    frames: u64,
    seq: u32,
}

impl Bench {
    fn new() -> Self {
        let ledger = Arc::new(Ledger::default());
        let dial = Dial::new(&crate::dial::Settings::default()).unwrap();
        let sensor = Sensor::new(Settings::default(), dial, Arc::clone(&ledger));
        Self { sensor, ledger, now: Timestamp::from_parts(1_700_000_000, 0), frames: 0, seq: 1 }
    }

    /// One UDP datagram in raw IPv4; gives the facts it leads to.
    fn datagram(&mut self, src: [u8; 4], dst: [u8; 4], payload: &[u8]) -> Vec<Fact> {
        self.packet((src, 5_060), (dst, 5_060), payload)
    }

    fn packet(
        &mut self,
        (src, from): ([u8; 4], u16),
        (dst, to): ([u8; 4], u16),
        payload: &[u8],
    ) -> Vec<Fact> {
        let udp = u16::try_from(payload.len() + 8).unwrap();
        let mut data = vec![0x45, 0];
        data.extend((udp + 20).to_be_bytes());
        data.extend([0, 0, 0, 0, 64, 17, 0, 0]);
        data.extend(src);
        data.extend(dst);
        for port in [from, to, udp, 0] {
            data.extend(port.to_be_bytes());
        }
        data.extend(payload);
        self.frame(&data)
    }

    /// A frame of raw IPv4; gives the facts it leads to.
    fn frame(&mut self, data: &[u8]) -> Vec<Fact> {
        self.now = self.now.plus(Span(20_000));
        self.frames += 1;
        let wire_len = u32::try_from(data.len()).unwrap();
        let frame = Frame { ts: self.now, link: Link::Ipv4, interface: 0, wire_len, data };
        self.sensor.handle_frame(&frame);
        std::iter::from_fn(|| self.sensor.poll_fact().copied()).collect()
    }

    fn sip(&mut self, src: [u8; 4], dst: [u8; 4], start: &str, headers: &str) -> Vec<Fact> {
        self.datagram(src, dst, format!("{start}\r\n{headers}Content-Length: 0\r\n\r\n").as_bytes())
    }

    fn register(&mut self, phone: [u8; 4], registrar: [u8; 4], user: &str) -> Vec<Fact> {
        let id = format!("reg-{user}");
        let request = head(&id, "r", "", "1 REGISTER", user, user);
        self.sip(phone, registrar, "REGISTER sip:example.com SIP/2.0", &request);
        let answer = head(&id, "r", "s", "1 REGISTER", user, user);
        self.sip(registrar, phone, "SIP/2.0 200 OK", &answer)
    }

    fn invite(&mut self, src: [u8; 4], dst: [u8; 4], number: &str, id: &str) -> Vec<CallFact> {
        let headers = head(id, "f", "", "1 INVITE", "214", number);
        calls(self.sip(src, dst, &format!("INVITE sip:{number}@example.com SIP/2.0"), &headers))
    }
}

fn head(id: &str, from_tag: &str, to_tag: &str, cseq: &str, from: &str, to: &str) -> String {
    let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    format!(
        "Via: SIP/2.0/UDP 10.0.3.17;branch=z9hG4bK{id}\r\nFrom: <sip:{from}@example.com>;tag={from_tag}\r\n\
         To: <sip:{to}@example.com>{to_tag}\r\nCall-ID: {id}\r\nCSeq: {cseq}\r\n"
    )
}

fn calls(facts: Vec<Fact>) -> Vec<CallFact> {
    let call = |fact| match fact {
        Fact::Call(call) => Some(call),
        _ => None,
    };
    facts.into_iter().filter_map(call).collect()
}

fn only(facts: &[CallFact]) -> CallFact {
    assert_eq!(facts.len(), 1, "{facts:?}");
    facts[0]
}

#[test]
fn a_call_is_counted_while_it_is_up_and_charged_to_the_account() {
    let mut b = Bench::new();
    let facts = b.register(PHONE, PBX, "214");
    assert!(matches!(facts[..], [.., Fact::Registered { .. }, Fact::Sighting(_)]), "{facts:?}");
    let call = only(&b.invite(PHONE, PBX, "005355512345", "c"));
    assert_eq!(
        (call.state, call.direction, call.leg),
        (CallState::Attempted, Direction::Outbound, Leg::Handset)
    );
    assert_eq!((call.who.user, call.who.verified), (Text::from("214"), true));
    assert_eq!(call.target.region.unwrap().as_str(), "CU");
    assert!(!format!("{call:?}").contains("355512345"), "law 9: {call:?}");
    let key = Key { account: Account::Handset(call.who.id), group: call.target.group };
    let counts = b.ledger.counts(key, b.now);
    assert_eq!((counts.in_window(Window::Minute), counts.open), (1, 1));
    assert!(b.invite(PHONE, PBX, "005355512345", "c").is_empty(), "a copy");
    b.sip(PBX, PHONE, "SIP/2.0 200 OK", &head("c", "f", "t", "1 INVITE", "214", "x"));
    let bye = b.sip(PHONE, PBX, "BYE sip:x@203.0.113.10 SIP/2.0", &head("c", "f", "t", "2 BYE", "214", "x"));
    assert_eq!(only(&calls(bye)).state, CallState::Ended);
    assert_eq!(b.ledger.counts(key, b.now).open, 0);
    let totals = b.sensor.totals();
    assert_eq!((totals.frames, totals.attempts, totals.answered, totals.invites), (b.frames, 1, 1, 2));
}

#[test]
fn a_refused_offer_ends_the_call_and_another_one_takes_it_up() {
    let mut b = Bench::new();
    let call = only(&b.invite(PHONE, PBX, "005355512345", "c"));
    let key = Key { account: Account::Handset(call.who.id), group: call.target.group };
    let refused = b.sip(PBX, PHONE, "SIP/2.0 488 No", &head("c", "f", "t", "1 INVITE", "214", "x"));
    assert_eq!(only(&calls(refused)).state, CallState::Failed);
    assert_eq!(b.ledger.counts(key, b.now).open, 0);
    let again = head("c", "f", "", "2 INVITE", "214", "005355512345");
    let facts = b.sip(PHONE, PBX, "INVITE sip:005355512345@example.com SIP/2.0", &again);
    assert!(calls(facts).is_empty());
    assert_eq!(b.ledger.counts(key, b.now).open, 1);
    let ok = b.sip(PBX, PHONE, "SIP/2.0 200 OK", &head("c", "f", "u", "2 INVITE", "214", "x"));
    let answered = only(&calls(ok));
    assert_eq!((answered.state, answered.call), (CallState::Answered, call.call));
    let counts = b.ledger.counts(key, b.now);
    assert_eq!((counts.in_window(Window::Minute), counts.open), (1, 1));
    let totals = b.sensor.totals();
    assert_eq!((totals.attempts, totals.answered), (1, 1));
}

#[test]
fn calls_that_come_in_are_charged_to_nobody() {
    let mut b = Bench::new();
    b.register(PHONE, PBX, "214");
    let call = only(&b.invite(PBX, PHONE, "214", "in"));
    assert_eq!((call.direction, call.who.user), (Direction::Inbound, Text::from("214")));
    let office =
        |group: &Group| b.ledger.counts(Key { account: Account::Office, group: *group }, b.now).total;
    assert_eq!(Group::ALL.iter().map(office).sum::<u64>(), 0);
}

#[test]
fn both_legs_of_an_onsite_pbx_are_one_attempt() {
    // Without a registration the second leg shows who is the PBX.
    for registered in [true, false] {
        let mut b = Bench::new();
        if registered {
            b.register(PHONE, ONSITE, "214");
        }
        let first = only(&b.invite(PHONE, ONSITE, "005355512345", "leg-a"));
        let second = only(&b.invite(ONSITE, TRUNK, "+5355512345", "leg-b"));
        assert_eq!((first.call, first.joined), (second.call, false));
        assert_eq!((second.joined, second.leg, second.direction), (true, Leg::Trunk, Direction::Outbound));
        assert_ne!(first.who.id, second.who.id, "the trunk has counts of its own");
        assert_eq!(b.sensor.totals().attempts, 1);
    }
}

#[test]
fn on_the_trunk_alone_the_pbx_says_who_called() {
    let mut b = Bench::new();
    b.register(PHONE, ONSITE, "214");
    let asserted = "P-Asserted-Identity: <sip:231@example.com>\r\n";
    let headers = head("t", "f", "", "1 INVITE", "main", "x") + asserted;
    let call = only(&calls(b.sip(ONSITE, TRUNK, "INVITE sip:+5355512345@carrier.example SIP/2.0", &headers)));
    assert_eq!((call.leg, call.joined, call.who.user), (Leg::Trunk, false, Text::from("231")));
    let party = head("p", "f", "", "1 INVITE", "anonymous", "x")
        + "Remote-Party-ID: <sip:233@example.com>;party=calling;privacy=full\r\n";
    let call = only(&calls(b.sip(ONSITE, TRUNK, "INVITE sip:+5355512347@carrier.example SIP/2.0", &party)));
    assert_eq!(call.who.user, Text::from("233"));
    let diverted = head("d", "f", "", "1 INVITE", "main", "x")
        + "Diversion: <sip:232@example.com>;reason=unconditional\r\n";
    let call =
        only(&calls(b.sip(ONSITE, TRUNK, "INVITE sip:+5355512346@carrier.example SIP/2.0", &diverted)));
    assert_eq!((call.cause, call.who.user), (Cause::Forwarded, Text::from("232")));
}

#[test]
fn the_history_says_who_forwards_where_no_diversion_does() {
    let mut b = Bench::new();
    b.register(PHONE, ONSITE, "214");
    let history = head("h", "f", "", "1 INVITE", "main", "x")
        + "History-Info: <sip:232@example.com?Reason=SIP%3Bcause%3D302>;index=1\r\n\
           History-Info: <sip:+5355512346@carrier.example>;index=1.1;mp=1\r\n";
    let call = only(&calls(b.sip(ONSITE, TRUNK, "INVITE sip:+5355512346@carrier.example SIP/2.0", &history)));
    assert_eq!((call.cause, call.who.user), (Cause::Forwarded, Text::from("232")));
}

/// The proxy keeps the Call-ID and sends the call to a dear number: whoever was called pays for it.
#[test]
fn a_forward_in_the_proxy_is_charged_to_whoever_was_called() {
    let mut b = Bench::new();
    b.register(PHONE, ONSITE, "214");
    b.register([10, 0, 0, 99], ONSITE, "231");
    let first = only(&b.invite([10, 0, 0, 99], ONSITE, "214", "p"));
    let further = format!(
        "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKp2\r\n{}",
        head("p", "f", "", "1 INVITE", "231", "214")
    );
    let line = "INVITE sip:+5355512345@carrier.example SIP/2.0";
    let call = only(&calls(b.sip(ONSITE, TRUNK, line, &further)));
    assert_eq!((call.call, call.cause, call.target.class), (first.call, Cause::Forwarded, Class::Overseas));
    assert_eq!(call.who.user, Text::from("214"), "{call:?}");
    assert!(b.sip(ONSITE, TRUNK, line, &further).is_empty(), "a copy");
    assert_eq!(b.sensor.totals().attempts, 1);
}

#[test]
fn a_call_seen_at_its_second_hop_first_is_charged_to_its_handset_and_counted_once() {
    let mut b = Bench::new();
    b.register(PHONE, ONSITE, "214");
    let further = format!(
        "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKp2\r\n{}",
        head("p", "f", "", "1 INVITE", "214", "x")
    );
    b.sip(ONSITE, TRUNK, "INVITE sip:+5355512345@carrier.example SIP/2.0", &further);
    let near = head("p", "f", "", "1 INVITE", "214", "x");
    let facts = calls(b.sip(PHONE, ONSITE, "INVITE sip:005355512345@example.com SIP/2.0", &near));
    assert_eq!(
        facts.iter().map(|call| call.state).collect::<Vec<_>>(),
        [CallState::Failed, CallState::Attempted]
    );
    assert_eq!((facts[1].leg, facts[1].who.user), (Leg::Handset, Text::from("214")));
    let ok = head("p", "f", "t", "1 INVITE", "214", "x");
    b.sip(ONSITE, PHONE, "SIP/2.0 200 OK", &ok);
    let totals = b.sensor.totals();
    assert_eq!((totals.attempts, totals.answered), (1, 1));
}

#[test]
fn a_302_charges_the_handset_that_sends_it() {
    let mut b = Bench::new();
    b.register(PHONE, PBX, "214");
    b.invite(PBX, PHONE, "214", "in");
    let moved =
        head("in", "f", "t", "1 INVITE", "214", "214") + "Contact: <sip:005355512345@example.com>\r\n";
    let call = only(&calls(b.sip(PHONE, PBX, "SIP/2.0 302 Moved Temporarily", &moved)));
    assert_eq!(
        (call.cause, call.who.user, call.target.class),
        (Cause::Forwarded, Text::from("214"), Class::Overseas)
    );
    assert!(b.sip(PHONE, PBX, "SIP/2.0 302 Moved Temporarily", &moved).is_empty(), "a copy");
}

#[test]
fn an_internal_call_that_is_redirected_outside_is_an_outbound_one() {
    let mut b = Bench::new();
    b.register(PHONE, PBX, "214");
    let first = only(&b.invite(PHONE, PBX, "2001", "c"));
    assert_eq!((first.direction, first.target.class), (Direction::Internal, Class::Internal));
    b.sip(PBX, PHONE, "SIP/2.0 302 Moved Temporarily", &head("c", "f", "t", "1 INVITE", "214", "2001"));
    let again = head("c", "f", "", "2 INVITE", "214", "2001");
    let call = only(&calls(b.sip(PHONE, PBX, "INVITE sip:005355512345@example.com SIP/2.0", &again)));
    assert_eq!(
        (call.call, call.direction, call.target.class, call.cause),
        (first.call, Direction::Outbound, Class::Overseas, Cause::Forwarded)
    );
    assert_eq!(b.sensor.totals().attempts, 1);
}

#[test]
fn refer_charges_the_handset_that_sends_it() {
    let mut b = Bench::new();
    b.register(PHONE, PBX, "214");
    let refer = head("x", "f", "t", "5 REFER", "214", "x") + "Refer-To: <sip:005355512345@example.com>\r\n";
    let call = only(&calls(b.sip(PHONE, PBX, "REFER sip:x@203.0.113.10 SIP/2.0", &refer)));
    assert_eq!((call.cause, call.state), (Cause::Transferred, CallState::Attempted));
    assert!(b.sip(PHONE, PBX, "REFER sip:x@203.0.113.10 SIP/2.0", &refer).is_empty(), "a copy");
    let again = refer.replace("5 REFER", "6 REFER") + "Proxy-Authorization: Digest username=\"214\"\r\n";
    assert!(b.sip(PHONE, PBX, "REFER sip:x@203.0.113.10 SIP/2.0", &again).is_empty(), "with credentials");
    assert_eq!(b.sensor.totals().attempts, 1, "a dial by whoever asks for it");
    // The PBX places it: the same dial.
    let placed = only(&b.invite(PBX, TRUNK, "005355512345", "placed"));
    assert!(!placed.joined, "its length and its price are its own: {placed:?}");
    assert_eq!(b.sensor.totals().attempts, 1);
}

/// Both calls of an attended transfer were placed before; but a dialog that nobody has seen, or one with
/// another number, hides nothing.
#[test]
fn an_attended_transfer_is_no_new_call() {
    let mut b = Bench::new();
    b.register(PHONE, PBX, "214");
    b.invite(PHONE, PBX, "005355512345", "second");
    let refer = |cseq: &str, number: &str, dialog: &str| {
        head("first", "f", "t", cseq, "214", "x")
            + &format!(
                "Refer-To: <sip:{number}@example.com?Replaces={dialog}%3Bto-tag%3Dt%3Bfrom-tag%3Df>\r\n"
            )
    };
    let line = "REFER sip:x@203.0.113.10 SIP/2.0";
    assert!(b.sip(PHONE, PBX, line, &refer("5 REFER", "005355512345", "second")).is_empty());
    assert_eq!(b.sensor.totals().attempts, 1);
    only(&calls(b.sip(PHONE, PBX, line, &refer("6 REFER", "005355512345", "other"))));
    only(&calls(b.sip(PHONE, PBX, line, &refer("7 REFER", "005355599999", "second"))));
    assert_eq!(b.sensor.totals().attempts, 3);
}

#[test]
fn outcomes_partition_the_frames() {
    let mut b = Bench::new();
    b.invite(PHONE, PBX, "202", "c");
    b.datagram(PHONE, PBX, &[0x80; 172]);
    b.datagram(PHONE, PBX, b"\r\n\r\n");
    b.datagram(PHONE, PBX, b"INVITE sip:a@b SIP/2.0\r\nVia: x\r\n\r\n");
    b.sensor.handle_frame(&Frame {
        ts: b.now,
        link: Link::Ethernet,
        interface: 0,
        wire_len: 3,
        data: &[1, 2, 3],
    });
    assert_eq!(b.sensor.outcomes().frames(), b.frames + 1);
    assert_eq!(b.sensor.outcomes().rejects().total(), 1);
}

#[test]
fn a_flood_keeps_to_its_bounds_and_the_registered_keep_their_counts() {
    let mut b = Bench::new();
    b.sensor = Sensor::new(
        Settings {
            handsets: handsets::Settings { strangers: 32, registered: 8, ..handsets::Settings::default() },
            calls: calls::Settings { unanswered: 32, answered: 8, ..calls::Settings::default() },
            ..Settings::default()
        },
        Dial::new(&crate::dial::Settings::default()).unwrap(),
        Arc::clone(&b.ledger),
    );
    b.register(PHONE, PBX, "214");
    let call = only(&b.invite(PHONE, PBX, "005355512345", "real"));
    for n in 0u32..2_000 {
        let [_, _, high, low] = n.to_be_bytes();
        b.invite([10, 9, high, low], PBX, "005355500000", &format!("flood-{n}"));
    }
    let key = Key { account: Account::Handset(call.who.id), group: call.target.group };
    assert_eq!(b.ledger.counts(key, b.now).in_window(Window::Hour), 1);
    assert!(b.ledger.len() <= 40, "{} rows", b.ledger.len());
    assert!(b.sensor.evicted()[..2].iter().all(|(_, n)| *n > 1_900));
}

#[test]
fn an_outside_line_that_nobody_configured_is_noticed() {
    let mut b = Bench::new();
    for n in 0u8..30 {
        b.invite([10, 0, 3, n / 3 + 1], PBX, &format!("902079460{n:03}"), &format!("c{n}"));
    }
    assert_eq!(b.sensor.coverage().outside_line, Some('9'));
}

/// A TCP segment in raw IPv4.
fn segment(
    bench: &mut Bench,
    from: ([u8; 4], u16),
    to: ([u8; 4], u16),
    flags: u8,
    payload: &[u8],
) -> Vec<Fact> {
    let total = u16::try_from(payload.len() + 40).unwrap();
    let mut data = vec![0x45, 0];
    data.extend(total.to_be_bytes());
    data.extend([0, 0, 0, 0, 64, 6, 0, 0]);
    data.extend(from.0);
    data.extend(to.0);
    data.extend(from.1.to_be_bytes());
    data.extend(to.1.to_be_bytes());
    data.extend(bench.seq.to_be_bytes());
    data.extend([0, 0, 0, 1, 0x50, flags, 1, 0, 0, 0, 0, 0]);
    bench.seq += u32::try_from(payload.len()).unwrap();
    data.extend(payload);
    bench.frame(&data)
}

#[test]
fn a_handset_that_goes_over_to_tls_is_told_and_its_media_are_counted() {
    let mut bench = Bench::new();
    let other = [10, 0, 3, 18];
    for hour in 0..8 {
        bench.register(PHONE, PBX, "214");
        bench.register(other, PBX, "215");
        bench.invite(PHONE, PBX, "02079460000", &format!("clear-{hour}"));
        bench.now = bench.now.plus(Span::minutes(30));
    }
    let hello = [22, 3, 1, 0, 6, 1, 0, 0, 36, 3, 3];
    segment(&mut bench, (other, 40_000), (PBX, 443), 0x18, &hello);
    segment(&mut bench, (PHONE, 40_000), (PBX, 5061), 0x18, &hello);
    let (mut told, mut invented) = (Vec::new(), 0);
    for minute in 0..300 {
        bench.now = bench.now.plus(Span::MINUTE);
        let mut facts = segment(&mut bench, (PHONE, 40_000), (PBX, 5061), 0x18, &[23, 3, 3, 0, 20, 7]);
        if minute % 10 == 0 {
            facts.extend(bench.datagram(PHONE, TRUNK, &[0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]));
            facts.extend(bench.register(other, PBX, "215"));
        }
        for fact in facts {
            match fact {
                Fact::ClearSipDrop { time, who, usual, last, encrypted } => {
                    assert_eq!((who.ip, who.user.as_bytes(), encrypted), (PHONE.into(), &b"214"[..], true));
                    assert!((90..120).contains(&usual) && last < usual, "{usual} {last}");
                    told.push((minute, time));
                }
                Fact::Call(call) => invented += usize::from(call.state == CallState::Attempted),
                _ => {}
            }
        }
    }
    assert_eq!((told.len(), invented), (1, 0));
    assert!((25..60).contains(&told[0].0), "{told:?}");
    let coverage = bench.sensor.coverage();
    let phones: Vec<_> = coverage.encrypted.phones().collect();
    let [(ip, phone)] = phones[..] else { panic!("{phones:?}") };
    assert_eq!((ip, phone.connections, phone.calls, coverage.encrypted.flows()), (PHONE.into(), 1, 30, 1));
    assert_eq!(coverage.signs.get(Sign::EncryptedConnections), 1);
    // Clear again, and hidden again: that's told again.
    bench.register(PHONE, PBX, "214");
    bench.now = bench.now.plus(Span::MINUTE);
    segment(&mut bench, (PHONE, 40_000), (PBX, 5061), 0x18, &[23, 3, 3, 0, 20, 7]);
    bench.now = bench.now.plus(Span::hours(7));
    let facts = segment(&mut bench, (PHONE, 40_000), (PBX, 5061), 0x18, &[23, 3, 3, 0, 20, 7]);
    assert!(matches!(facts[..], [.., Fact::ClearSipDrop { .. }]), "{facts:?}");
}

#[test]
fn a_mirror_without_responses_is_one_way() {
    let mut bench = Bench::new();
    for n in 0..4 {
        let id = format!("way-{n}");
        bench.register(PHONE, PBX, "214");
        bench.invite(PHONE, PBX, "02079460000", &id);
        let bye = head(&id, "f", "t", "2 BYE", "214", "02079460000");
        bench.sip(PHONE, PBX, "BYE sip:x SIP/2.0", &bye);
    }
    let coverage = bench.sensor.coverage();
    assert_eq!(coverage.signs.get(Sign::CallsUnheard), 4);
    assert_eq!(coverage.one_way(), Some(true));
    assert!(coverage.warnings().iter().any(|w| w.contains("most calls show no response")));
}

#[test]
fn a_doubled_mirror_is_measured_and_counts_once() {
    let mut bench = Bench::new();
    for n in 0..10 {
        for _ in 0..2 {
            bench.invite(PHONE, PBX, "02079460000", &format!("twice-{n}"));
        }
    }
    assert_eq!(bench.sensor.totals().attempts, 10);
    assert_eq!(bench.sensor.coverage().doubles.share(), Some(1.0));
}
