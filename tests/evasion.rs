//! The ways around a passive call tracker that are known, one test each: bytes of a capture in, calls
//! and alerts out, through the whole engine.

use std::io;

use ringfence::capture::file::Source;
use ringfence::dial::Class;
use ringfence::fact::{CallFact, CallState, Cause, Direction, Fact};
use ringfence::finding::Severity;
use ringfence::judge::Output;
use ringfence::record::{Privacy, Recorder, Report, Style, Summary, Writer};
use ringfence::run::engine::{Engine, Settings, Sink};
use ringfence::run::replay::replay;
use ringfence::time::OfficeHours;

const PHONE: [u8; 4] = [10, 0, 3, 17];
const PBX: [u8; 4] = [203, 0, 113, 10];
/// A satellite network: no office calls it by chance.
const DEAR: &str = "00882160012345";
const DEAR_E164: &str = "+882160012345";
/// Tuesday 2026-11-24, 10:00 UTC.
const TUESDAY: i64 = 1_795_514_400;

/// A capture in the making.
struct Wire {
    bytes: Vec<u8>,
    /// Microseconds.
    now: i64,
}

/// What the engine made of it.
struct Seen {
    calls: Vec<CallFact>,
    facts: Vec<Fact>,
    pages: Vec<String>,
    rules: Vec<String>,
    attempts: u64,
    rejected: u64,
    text: String,
    jsonl: String,
}

struct Taking {
    facts: Vec<Fact>,
    outputs: Vec<(String, Severity)>,
    report: Report,
    recorder: Recorder,
    lines: Vec<u8>,
}

impl Sink for Taking {
    fn fact(&mut self, fact: &Fact) -> io::Result<()> {
        self.facts.push(*fact);
        self.recorder.fact(&mut self.lines, fact)
    }

    fn output(&mut self, output: &Output) -> io::Result<()> {
        if let Output::Alert(alert) = output {
            self.report.add(alert);
            self.outputs.push((alert.finding.rule.name().to_owned(), alert.finding.severity));
        }
        self.recorder.output(&mut self.lines, output)
    }
}

impl Wire {
    fn new() -> Self {
        let mut bytes = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
        bytes.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]);
        Self { bytes, now: TUESDAY * 1_000_000 }
    }

    fn wait(&mut self, seconds: i64) -> &mut Self {
        self.now += seconds * 1_000_000;
        self
    }

    fn frame(&mut self, data: &[u8]) -> &mut Self {
        self.now += 20_000;
        let length = u32::try_from(data.len()).unwrap();
        let (seconds, micros) = (self.now / 1_000_000, self.now % 1_000_000);
        for word in [u32::try_from(seconds).unwrap(), u32::try_from(micros).unwrap(), length, length] {
            self.bytes.extend(word.to_le_bytes());
        }
        self.bytes.extend(data);
        self
    }

    /// An IPv4 packet in Ethernet; `fragment` is the header's flags and offset field.
    fn ip(
        &mut self,
        src: [u8; 4],
        dst: [u8; 4],
        protocol: u8,
        id: u16,
        fragment: u16,
        carried: &[u8],
    ) -> &mut Self {
        let mut data = vec![0, 2, 0, 0, 0, 1, 0, 0x15, 0x65, 0, src[2], src[3], 8, 0, 0x45, 0];
        data.extend(u16::try_from(carried.len() + 20).unwrap().to_be_bytes());
        data.extend(id.to_be_bytes());
        data.extend(fragment.to_be_bytes());
        data.extend([64, protocol, 0, 0]);
        data.extend(src);
        data.extend(dst);
        data.extend(carried);
        self.frame(&data)
    }

    fn udp(&mut self, src: ([u8; 4], u16), dst: ([u8; 4], u16), payload: &[u8]) -> &mut Self {
        let carried = udp(src.1, dst.1, payload);
        self.ip(src.0, dst.0, 17, 0, 0, &carried)
    }

    fn tcp(&mut self, seq: u32, payload: &[u8], flags: u8) -> &mut Self {
        let mut carried = vec![0x9c, 0x40, 0x13, 0xc4];
        carried.extend(seq.to_be_bytes());
        carried.extend([0, 0, 0, 1, 0x50, flags, 16, 0, 0, 0, 0, 0]);
        carried.extend(payload);
        self.ip(PHONE, PBX, 6, 0, 0, &carried)
    }

    /// From the phone to the PBX.
    fn say(&mut self, text: impl AsRef<[u8]>) -> &mut Self {
        self.udp((PHONE, 5060), (PBX, 5060), text.as_ref())
    }

    /// From the PBX to the phone.
    fn answer(&mut self, text: impl AsRef<[u8]>) -> &mut Self {
        self.udp((PBX, 5060), (PHONE, 5060), text.as_ref())
    }

    fn replay(&self) -> Seen {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evasion.pcap");
        std::fs::write(&path, &self.bytes).unwrap();
        let mut engine = Engine::new(Settings::default()).unwrap();
        let recorder = Recorder { privacy: Privacy::Full, ..Recorder::default() };
        let mut taking = Taking {
            facts: Vec::new(),
            outputs: Vec::new(),
            report: Report::default(),
            recorder: recorder.clone(),
            lines: Vec::new(),
        };
        let broken = replay(&mut engine, &[Source::Path(path)], &mut taking, &mut |_| {}).unwrap();
        assert!(broken.is_empty(), "{broken:?}");
        let (now, length) = engine.now();
        let summary = Summary::new(engine.sensor(), engine.judge(), taking.report.raised(), now, length);
        let mut text = Vec::new();
        let writer = Writer {
            style: Style::Plain,
            recorder,
            hours: OfficeHours::default(),
            zone: "Etc/UTC".to_owned(),
            verbose: true,
            width: None,
        };
        writer.write(&mut text, &taking.report, &summary).unwrap();
        let attempted = |fact: &Fact| match fact {
            Fact::Call(call) if call.state == CallState::Attempted && !call.joined => Some(*call),
            _ => None,
        };
        let pages = taking.outputs.iter().filter(|(_, severity)| *severity >= Severity::Warning);
        Seen {
            calls: taking.facts.iter().filter_map(attempted).collect(),
            pages: pages.map(|(rule, _)| rule.clone()).collect(),
            rules: taking.outputs.iter().map(|(rule, _)| rule.clone()).collect(),
            facts: taking.facts,
            attempts: engine.sensor().totals().attempts,
            rejected: engine.sensor().outcomes().rejects().total(),
            text: String::from_utf8(text).unwrap(),
            jsonl: String::from_utf8(taking.lines).unwrap(),
        }
    }

    /// One attempt, and it goes where it goes.
    fn is_one_call_to(&self, e164: &str) -> Seen {
        let seen = self.replay();
        assert_eq!(seen.attempts, 1, "{:?}", seen.facts);
        assert_eq!(seen.numbers(), [e164], "{:?}", seen.facts);
        seen
    }
}

impl Seen {
    /// The numbers that were called, in full.
    fn numbers(&self) -> Vec<String> {
        self.calls.iter().map(|call| call.target.number.map_or_else(String::new, |n| n.full())).collect()
    }

    /// Whether an alert's rule, or one that spoke as well, is this one.
    fn names(&self, rule: &str) -> bool {
        let alerts = self.jsonl.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let mut alerts = alerts.filter(|line| line["type"] == "alert");
        let also = |alert: &serde_json::Value| {
            let also = alert["evidence"]["also"].as_str().unwrap_or_default();
            also.split(' ').any(|other| other == rule)
        };
        alerts.any(|alert| alert["rule"] == rule || also(&alert))
    }

    fn alerted(&self, rule: &str) -> bool {
        self.rules.iter().any(|raised| raised == rule)
    }
}

fn udp(src: u16, dst: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap();
    let mut carried = Vec::new();
    for word in [src, dst, length, 0] {
        carried.extend(word.to_be_bytes());
    }
    carried.extend(payload);
    carried
}

/// A message of a call `id`, with further headers.
fn message(start: &str, id: &str, to: &str, cseq: &str, more: &str) -> String {
    format!(
        "{start}\r\nVia: SIP/2.0/UDP 10.0.3.17:5060;branch=z9hG4bK{id}{}\r\nFrom: \"Desk\" <sip:214@pbx>;tag=f{id}\r\n\
         To: {to}\r\nCall-ID: {id}\r\nCSeq: {cseq}\r\nContact: <sip:214@10.0.3.17>\r\n{more}Content-Length: 0\r\n\r\n",
        cseq.replace(' ', "")
    )
}

fn invite(number: &str, id: &str) -> String {
    message(&format!("INVITE sip:{number}@pbx SIP/2.0"), id, &format!("<sip:{number}@pbx>"), "1 INVITE", "")
}

fn one(text: impl AsRef<[u8]>) -> Seen {
    let mut wire = Wire::new();
    wire.say(text);
    wire.is_one_call_to(DEAR_E164)
}

#[test]
fn fragmented_in_any_order() {
    let text = invite(DEAR, "a").replace("Contact", &format!("Subject: {}\r\nContact", "x".repeat(1_900)));
    let carried = udp(5060, 5060, text.as_bytes());
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let mut wire = Wire::new();
        for n in order {
            let (from, to) = (n * 800, ((n + 1) * 800).min(carried.len()));
            let more = if to < carried.len() { 0x2000 } else { 0 };
            let offset = u16::try_from(from / 8).unwrap();
            wire.ip(PHONE, PBX, 17, 9, more | offset, &carried[from..to]);
        }
        wire.is_one_call_to(DEAR_E164);
    }
}

#[test]
fn one_byte_segments() {
    let (text, mut wire) = (invite(DEAR, "a"), Wire::new());
    wire.tcp(99, b"", 2);
    for (n, byte) in (100u32..).zip(text.as_bytes().chunks(1)) {
        wire.tcp(n, byte, 0x18);
    }
    wire.is_one_call_to(DEAR_E164);
}

/// The second version of what was sent already is not what arrives first.
#[test]
fn overlapping_fragments() {
    let text = invite(DEAR, "a").replace("Contact", &format!("Subject: {}\r\nContact", "x".repeat(1_900)));
    let lie = text.replace(DEAR, "02079460000999");
    let (carried, lie) = (udp(5060, 5060, text.as_bytes()), udp(5060, 5060, lie.as_bytes()));
    let mut wire = Wire::new();
    wire.ip(PHONE, PBX, 17, 9, 0x2000, &carried[..800]);
    wire.ip(PHONE, PBX, 17, 9, 0x2000, &lie[..800]);
    wire.ip(PHONE, PBX, 17, 9, 0x2000 | 50, &lie[400..1_200]);
    wire.ip(PHONE, PBX, 17, 9, 100, &carried[800..]);
    wire.is_one_call_to(DEAR_E164);
}

#[test]
fn another_port() {
    for port in [5070, 80, 53, 1_720, 40_001, 65_535] {
        let mut wire = Wire::new();
        wire.udp((PHONE, port), (PBX, port), invite(DEAR, "a").as_bytes());
        wire.is_one_call_to(DEAR_E164);
    }
}

#[test]
fn leading_line_ends_and_nuls() {
    for lead in ["\r\n", "\r\n\r\n\r\n", "\0", "\0\0\r\n \t", "\n"] {
        one(format!("{lead}{}", invite(DEAR, "a")));
    }
}

#[test]
fn line_feeds_only() {
    one(invite(DEAR, "a").replace("\r\n", "\n"));
}

#[test]
fn double_blanks_in_the_request_line() {
    for line in ["INVITE  sip:", "INVITE\tsip:", "INVITE   sip:"] {
        one(invite(DEAR, "a").replace("INVITE sip:", line));
    }
    one(invite(DEAR, "a").replace(" SIP/2.0\r\n", "  SIP/2.0  \r\n"));
}

#[test]
fn the_version_in_lower_case() {
    for version in ["sip/2.0", "Sip/2.0", "sIP/2.0"] {
        one(invite(DEAR, "a").replacen("SIP/2.0\r\n", &format!("{version}\r\n"), 1));
    }
}

#[test]
fn blanks_before_the_colon() {
    let mut text = invite(DEAR, "a");
    for name in ["From", "To", "Call-ID", "CSeq", "Via"] {
        text = text.replace(&format!("{name}: "), &format!("{name} \t : "));
    }
    one(text);
}

#[test]
fn a_folded_call_id_and_cseq() {
    one(invite(DEAR, "a")
        .replace("Call-ID: a", "Call-ID:\r\n a")
        .replace("CSeq: 1 INVITE", "CSeq: 1\r\n\tINVITE"));
}

#[test]
fn compact_names_only() {
    let mut text = invite(DEAR, "a");
    for (long, short) in [
        ("Via", "v"),
        ("From", "f"),
        ("To", "t"),
        ("Call-ID", "i"),
        ("Contact", "m"),
        ("Content-Length", "l"),
    ] {
        text = text.replace(&format!("\r\n{long}:"), &format!("\r\n{short}:"));
    }
    one(text);
}

#[test]
fn percent_encoded_digits() {
    one(invite("%30%308821600123%34%35", "a"));
    one(invite("0%30882%31600%3123%345", "a"));
}

#[test]
fn tel_with_separators() {
    for uri in [
        "tel:+882-16.00(12)345",
        "tel:+882-160-012-345;phone-context=x",
        "TEL:+882160012345",
        "sips:00882160012345@pbx",
    ] {
        one(invite(DEAR, "a").replacen("sip:00882160012345@pbx", uri, 1));
    }
}

#[test]
fn the_real_number_in_the_request_uri_only() {
    one(invite(DEAR, "a").replace("To: <sip:00882160012345@pbx>", "To: <sip:214@pbx>"));
}

#[test]
fn prefixes_before_the_number() {
    let mut wire = Wire::new();
    for (n, number) in
        ["+882160012345", "00882160012345", "011882160012345", "900882160012345", "9011882160012345"]
            .iter()
            .enumerate()
    {
        wire.say(invite(number, &format!("p{n}"))).wait(90);
    }
    let seen = wire.replay();
    assert_eq!((seen.attempts, seen.calls.len()), (5, 5));
    assert_eq!(seen.numbers(), vec![DEAR_E164; 5], "{:?}", seen.calls);
    assert!(!seen.pages.is_empty());
    // What honeypots log: one number behind every prefix that might open an outside line.
    let mut wire = Wire::new();
    for (n, prefix) in
        ["900", "0011", "9011", "000", "7700", "100", "800", "+00", "99900", "1900"].iter().enumerate()
    {
        wire.say(invite(&format!("{prefix}442079460018"), &format!("q{n}"))).wait(5);
    }
    let seen = wire.replay();
    assert_eq!(seen.attempts, 10);
    assert!(!seen.pages.is_empty() && seen.names("prefix_probe"), "{:?}", seen.jsonl);
}

#[test]
fn a_display_name_that_plays_an_address() {
    let fake = "From: \"<sip:999@evil>;tag=fake, \\\"x\" <sip:214@pbx>";
    let seen = one(invite(DEAR, "a").replace("From: \"Desk\" <sip:214@pbx>", fake));
    assert_eq!(seen.calls[0].who.user.as_bytes(), b"214");
    // The same call again under another fake tag is the same call.
    let mut wire = Wire::new();
    wire.say(invite(DEAR, "a").replace("From: \"Desk\" <sip:214@pbx>", fake));
    wire.say(invite(DEAR, "a").replace("From: \"Desk\" <sip:214@pbx>", &fake.replace("fake", "other")));
    wire.is_one_call_to(DEAR_E164);
}

/// Nobody knows who calls, but where it goes stands in the request line.
#[test]
fn a_quote_that_never_closes() {
    one(invite(DEAR, "a").replace("From: \"Desk\" <", "From: \"Desk <"));
    one(invite(DEAR, "a").replace("To: <", "To: \"x <"));
}

#[test]
fn doubled_call_id_and_to() {
    let doubled = "Call-ID: a\r\nCall-ID: b\r\nTo: <sip:local@pbx>;tag=known\r\n";
    one(invite(DEAR, "a").replace("Call-ID: a\r\n", doubled));
}

/// Not an attempt yet while nobody knows the dialog, but once somebody answers or time has passed.
#[test]
fn a_fake_to_tag() {
    let fake =
        invite(DEAR, "a").replace("To: <sip:00882160012345@pbx>", "To: <sip:00882160012345@pbx>;tag=fake");
    let mut wire = Wire::new();
    wire.say(&fake).answer(message(
        "SIP/2.0 183 Progress",
        "a",
        "<sip:00882160012345@pbx>;tag=fake",
        "1 INVITE",
        "",
    ));
    wire.is_one_call_to(DEAR_E164);
    let mut wire = Wire::new();
    wire.say(&fake).wait(301).say("\r\n\r\n");
    wire.is_one_call_to(DEAR_E164);
    // A hop that tries it, and nobody who doesn't know the dialog: that takes no five minutes.
    let trying = message("SIP/2.0 100 Trying", "a", "<sip:00882160012345@pbx>;tag=fake", "1 INVITE", "");
    let mut wire = Wire::new();
    wire.say(&fake).answer(&trying).answer(&trying).wait(11).say("\r\n\r\n");
    wire.is_one_call_to(DEAR_E164);
    let mut wire = Wire::new();
    wire.say(&fake).answer(message(
        "SIP/2.0 481 No",
        "a",
        "<sip:00882160012345@pbx>;tag=fake",
        "1 INVITE",
        "",
    ));
    wire.wait(400).say("\r\n\r\n");
    assert_eq!(wire.replay().attempts, 0);
}

/// A call that fails shows no tag of the far end; the next one borrows its Call-ID.
#[test]
fn a_fake_to_tag_behind_a_call_that_failed() {
    let mut wire = Wire::new();
    wire.say(invite("02079460000999", "a"));
    wire.answer(message("SIP/2.0 404 No", "a", "<sip:1@pbx>;tag=x", "1 INVITE", ""));
    let dear = message("INVITE sip:00882160012345@pbx SIP/2.0", "a", "<sip:1@pbx>;tag=fake", "2 INVITE", "");
    wire.wait(2).say(dear);
    let seen = wire.replay();
    assert_eq!(seen.attempts, 2);
    assert_eq!(seen.numbers().last().map(String::as_str), Some(DEAR_E164), "{:?}", seen.calls);
}

/// SCTP's chunks in the wrong order, over IP and in UDP; the second half of a junk message among them.
#[test]
fn a_message_in_many_chunks() {
    let text = invite(DEAR, "a");
    let chunk = |tsn: u32, flags: u8, user: &[u8]| {
        let mut out = vec![0, flags];
        out.extend(u16::try_from(16 + user.len()).unwrap().to_be_bytes());
        out.extend(tsn.to_be_bytes());
        out.extend([0; 8]);
        out.extend(user);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    };
    let (one, two, three) = (&text.as_bytes()[..90], &text.as_bytes()[90..200], &text.as_bytes()[200..]);
    let chunks = [chunk(9, 1, b"junk"), chunk(12, 1, three), chunk(10, 2, one), chunk(11, 0, two)];
    for in_udp in [false, true] {
        let mut wire = Wire::new();
        for chunk in &chunks {
            let packet = [&[0x13, 0xc4, 0x13, 0xc4, 0, 0, 0, 9, 0, 0, 0, 0][..], chunk].concat();
            if in_udp {
                wire.udp((PHONE, 9_899), (PBX, 9_899), &packet);
            } else {
                wire.ip(PHONE, PBX, 132, 0, 0, &packet);
            }
        }
        wire.is_one_call_to(DEAR_E164);
    }
}

#[test]
fn one_call_id_for_many_numbers() {
    let mut wire = Wire::new();
    for n in 0..8 {
        let number = format!("0088216001{n}345");
        let text = message(
            &format!("INVITE sip:{number}@pbx SIP/2.0"),
            "same",
            "<sip:214@pbx>",
            &format!("{} INVITE", n + 1),
            "",
        );
        wire.say(text).wait(30);
    }
    let seen = wire.replay();
    assert_eq!((seen.attempts, seen.calls.len()), (8, 8));
    assert!(seen.calls[1..].iter().all(|call| call.call_id_reused));
    // One block of numbers beside the one Call-ID: the incident names both.
    assert!(!seen.pages.is_empty() && seen.names("callid_reuse"), "{:?}", seen.jsonl);
}

#[test]
fn another_from_for_every_call() {
    let mut wire = Wire::new();
    for n in 0..12 {
        let text = invite(&format!("00882160012{n:03}"), &format!("r{n}"))
            .replace("sip:214@pbx>;tag", &format!("sip:{}@pbx>;tag", 5_000 + n));
        wire.say(text).wait(10);
    }
    let seen = wire.replay();
    assert_eq!(seen.attempts, 12);
    let first = seen.calls[0].who.id;
    assert!(seen.calls.iter().all(|call| call.who.id == first), "one handset, whatever it calls itself");
    assert!(!seen.pages.is_empty());
}

#[test]
fn low_and_slow_under_every_limit() {
    let mut wire = Wire::new();
    for n in 0..24 {
        wire.say(invite(&format!("00882160012{n:03}"), &format!("s{n}"))).wait(3_600);
    }
    let seen = wire.replay();
    assert_eq!(seen.attempts, 24);
    assert!(!seen.pages.is_empty(), "{:?}", seen.rules);
}

#[test]
fn spread_over_handsets_and_over_midnight_and_the_weekend() {
    let mut wire = Wire::new();
    // Friday 23:30, until Saturday.
    wire.wait(3 * 86_400 + 13 * 3_600 + 1_800);
    for n in 0..40u8 {
        let phone = [10, 0, 4, 10 + n];
        wire.udp(
            (phone, 5060),
            (PBX, 5060),
            invite(&format!("00882160012{n:03}"), &format!("w{n}")).as_bytes(),
        )
        .wait(90);
    }
    let seen = wire.replay();
    assert_eq!(seen.attempts, 40);
    assert!(!seen.pages.is_empty(), "{:?}", seen.rules);
}

/// A forward that is set once makes a dear call of every call that comes in.
#[test]
fn a_forward_set_once_and_then_calls_that_come_in() {
    let mut wire = Wire::new();
    wire.say(invite("*21*00882160012345#", "set"));
    for n in 0..3 {
        let id = format!("in{n}");
        let coming = message("INVITE sip:214@10.0.3.17 SIP/2.0", &id, "<sip:214@pbx>", "1 INVITE", "");
        let moved = message("SIP/2.0 302 Moved", &id, "<sip:214@pbx>;tag=x", "1 INVITE", "")
            .replace("Contact: <sip:214@10.0.3.17>", "Contact: <sip:00882160012345@pbx>");
        wire.wait(60).answer(coming).say(moved);
    }
    let seen = wire.replay();
    let forwarded = seen.calls.iter().filter(|call| call.cause == Cause::Forwarded).count();
    assert_eq!(forwarded, 3, "{:?}", seen.calls);
    assert!(seen.alerted("forwarding"), "{:?}", seen.rules);
}

/// Somebody outside who has an account's password calls through the office's own PBX: what comes in is no
/// call of the office's, and the trunk's leg is a second one.
#[test]
fn a_stolen_password_used_from_outside() {
    const STRANGER: [u8; 4] = [198, 51, 100, 66];
    const OFFICE_PBX: [u8; 4] = [10, 0, 0, 5];
    let proof =
        "Authorization: Digest username=\"214\",realm=\"x\",nonce=\"n\",uri=\"sip:x\",response=\"00\"\r\n";
    let mut wire = Wire::new();
    let between = |wire: &mut Wire, src, dst, text: String| {
        wire.udp((src, 5060), (dst, 5060), text.as_bytes());
    };
    for n in 0..3 {
        let (number, id) = (format!("0088216001234{n}"), format!("s{n}"));
        let (uri, to) = (format!("INVITE sip:{number}@pbx SIP/2.0"), format!("<sip:{number}@pbx>"));
        let ask = |cseq: &str, more: &str| message(&uri, &id, &to, cseq, more);
        let asks = message("SIP/2.0 401 Unauthorized", &id, &format!("{to};tag=x"), "1 INVITE", "");
        let leg = message(&uri, &format!("l{n}"), &to, "1 INVITE", "").replace("sip:214", "sip:02079460001");
        between(&mut wire, STRANGER, OFFICE_PBX, ask("1 INVITE", ""));
        between(&mut wire, OFFICE_PBX, STRANGER, asks);
        between(&mut wire, STRANGER, OFFICE_PBX, ask("2 INVITE", proof));
        between(&mut wire, OFFICE_PBX, PBX, leg);
        wire.wait(2);
    }
    let seen = wire.replay();
    assert_eq!(seen.attempts, 3);
    let out: Vec<_> = seen.calls.iter().filter(|call| call.direction == Direction::Outbound).collect();
    assert!(out.iter().all(|call| call.who.user.as_bytes() == b"214" && call.who.ip == std::net::IpAddr::from(STRANGER)), "{out:?}");
    assert_eq!(out.len(), 3, "{:?}", seen.calls);
    let toll = |rule: &String| rule.as_str() != "stranger_sip" && rule.as_str() != "scanner";
    assert!(seen.pages.iter().any(toll), "{:?}", seen.pages);
}

#[test]
fn a_transfer_to_a_dear_number() {
    let mut wire = Wire::new();
    wire.say(invite("215", "t"));
    wire.answer(message("SIP/2.0 200 OK", "t", "<sip:215@pbx>;tag=x", "1 INVITE", ""));
    let refer = "Refer-To: <sip:00882160012345@pbx>\r\n";
    wire.say(message("REFER sip:215@pbx SIP/2.0", "t", "<sip:215@pbx>;tag=x", "2 REFER", refer));
    let seen = wire.replay();
    assert_eq!(seen.attempts, 2, "the call, and the one that its handset asks for");
    let dear: Vec<_> = seen.calls.iter().filter(|call| call.cause == Cause::Transferred).collect();
    assert_eq!(dear.len(), 1, "{:?}", seen.calls);
    assert_eq!(dear[0].target.number.map(|n| n.full()).as_deref(), Some(DEAR_E164));
    assert!(seen.alerted("forwarding"), "{:?}", seen.rules);
}

/// Digit by digit: one call, judged by where it ends up.
#[test]
fn overlap_dialling() {
    let mut wire = Wire::new();
    for (n, number) in ["0088", "0088216", "008821600", DEAR].iter().enumerate() {
        let text = message(
            &format!("INVITE sip:{number}@pbx SIP/2.0"),
            "o",
            "<sip:214@pbx>",
            &format!("{} INVITE", n + 1),
            "",
        );
        wire.say(text);
        if *number != DEAR {
            wire.answer(message(
                "SIP/2.0 484 Incomplete",
                "o",
                "<sip:214@pbx>;tag=x",
                &format!("{} INVITE", n + 1),
                "",
            ));
        }
    }
    let seen = wire.replay();
    assert_eq!(seen.attempts, 1);
    assert_eq!(seen.numbers().last().map(String::as_str), Some(DEAR_E164), "{:?}", seen.calls);
}

#[test]
fn a_handset_goes_over_to_tls_in_the_middle_of_the_day() {
    let mut wire = Wire::new();
    for n in 0..6 {
        wire.say(invite("02079460000", &format!("c{n}"))).wait(600);
    }
    let tls = |wire: &mut Wire, seq: u32, data: &[u8]| {
        let mut carried = vec![0x9c, 0x40, 0x13, 0xc5];
        carried.extend(seq.to_be_bytes());
        carried.extend([0, 0, 0, 1, 0x50, 0x18, 16, 0, 0, 0, 0, 0]);
        carried.extend(data);
        wire.ip(PHONE, PBX, 6, 0, 0, &carried);
    };
    tls(&mut wire, 100, &[22, 3, 1, 0, 2, 1, 0]);
    for n in 0..60 {
        wire.wait(60);
        tls(&mut wire, 107 + n * 7, &[23, 3, 3, 0, 2, 1, 0]);
        wire.udp((PHONE, 4_000), ([198, 51, 100, 9], 9_000), &[0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    let seen = wire.replay();
    assert!(seen.facts.iter().any(|fact| matches!(fact, Fact::ClearSipDrop { encrypted: true, .. })));
    assert_eq!(seen.attempts, 6, "media make no calls");
    assert!(seen.text.contains("rate only, destination unknown"), "{}", seen.text);
}

#[test]
fn giant_headers_and_junk() {
    let giant = "x".repeat(30_000);
    let mut wire = Wire::new();
    for junk in [
        format!("INVITE sip:{giant}@pbx SIP/2.0\r\n\r\n"),
        format!("INVITE sip:1@pbx SIP/2.0\r\nVia: {}\r\n\r\n", "a,".repeat(15_000)),
        format!("INVITE sip:1@pbx SIP/2.0\r\nFrom: \"{giant}\r\n\r\n"),
        format!("INVITE sip:1@pbx SIP/2.0\r\n{}", "X: y\r\n".repeat(5_000)),
        format!("INVITE sip:1@pbx SIP/2.0\r\n{}", " fold\r\n".repeat(4_000)),
        format!("SIP/2.0 {giant}"),
        "INVITE sip:%s%n@pbx SIP/2.0\r\nCSeq: 99999999999999999999 INVITE\r\n\r\n".to_owned(),
    ] {
        wire.say(junk);
    }
    wire.say(invite(DEAR, "a").replace("Contact", &format!("X-Big: {giant}\r\nContact")));
    wire.say(invite(DEAR, &format!("b{}", "i".repeat(1_200))));
    let seen = wire.replay();
    assert!(seen.rejected >= 5, "{}", seen.rejected);
    let dear = seen.numbers().iter().filter(|number| *number == DEAR_E164).count();
    assert_eq!(dear, 2, "{:?}", seen.calls);
}

/// A stranger's flood pushes out neither the handset nor the call that goes on.
#[test]
fn a_flood_of_invites() {
    let mut wire = Wire::new();
    let register = |cseq: &str| message("REGISTER sip:pbx SIP/2.0", "reg", "<sip:214@pbx>", cseq, "");
    wire.say(register("1 REGISTER")).answer(message(
        "SIP/2.0 200 OK",
        "reg",
        "<sip:214@pbx>;tag=x",
        "1 REGISTER",
        "",
    ));
    wire.say(invite(DEAR, "real")).answer(message(
        "SIP/2.0 200 OK",
        "real",
        "<sip:1@pbx>;tag=x",
        "1 INVITE",
        "",
    ));
    for n in 0..60_000u32 {
        let [_, a, b, c] = n.to_be_bytes();
        wire.now -= 19_900;
        wire.udp(([172, 16 + a, b, c], 5060), (PBX, 5060), invite("100", &format!("flood{n}")).as_bytes());
    }
    wire.wait(5).say(message("BYE sip:1@pbx SIP/2.0", "real", "<sip:1@pbx>;tag=x", "2 BYE", ""));
    for n in 0..2 {
        wire.say(invite(DEAR, &format!("again{n}"))).wait(10);
    }
    let seen = wire.replay();
    let ended = |fact: &&Fact| matches!(fact, Fact::Call(call) if call.state == CallState::Ended && call.call_id.as_bytes() == b"real" && call.expired.is_none());
    assert_eq!(seen.facts.iter().filter(ended).count(), 1);
    let dear: Vec<_> = seen.calls.iter().filter(|call| call.target.class == Class::Global).collect();
    // The third such call is told, as it is without a flood.
    assert_eq!(dear.len(), 3);
    assert_eq!(dear[0].who.id, dear[1].who.id);
    assert_eq!(dear[1].who.user.as_bytes(), b"214");
    assert!(!seen.pages.is_empty());
}

#[test]
fn poisoned_names_and_labels() {
    let poison = "\u{1b}]0;x\u{7}\u{202e}<img src=a onerror=alert(1)>{{.}}'; DROP TABLE--\u{2028}%n";
    let mut wire = Wire::new();
    for n in 0..6 {
        let text = invite(&format!("0088216001234{n}"), &format!("{n}{}", poison.replace(' ', "")))
            .replace(
                "sip:214@pbx>;tag",
                &format!("sip:{}@pbx>;tag", poison.replace(['<', '>', ' ', ';'], "")),
            )
            .replace("\"Desk\"", &format!("\"{poison}\""));
        wire.say(text).wait(5);
    }
    let seen = wire.replay();
    assert_eq!(seen.attempts, 6);
    assert!(!seen.pages.is_empty());
    for sink in [&seen.text, &seen.jsonl] {
        let bad = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{2028}');
        assert!(!sink.contains(bad), "{sink}");
    }
    for line in seen.jsonl.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
}
