//! The laws of every scenario, and golden hashes of its bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use etherparse::{SlicedPacket, TransportSlice};

use super::*;
use crate::dial::{self, Dial};
use crate::fact::{CallState, Cause, Fact};
use crate::frame::{Frame, Link};
use crate::sensor::{self, Sensor};
use crate::time::Timestamp;

/// A capture in memory, with what a test asks of it.
struct Played {
    pcap: Vec<u8>,
    labels: Vec<Episode>,
    summary: Summary,
}

fn play(name: &str, seed: u64, options: Options) -> Played {
    let (mut pcap, mut labels) = (Vec::new(), Vec::new());
    let summary = generate_with(name, seed, options, &mut pcap, &mut labels).unwrap();
    let labels = String::from_utf8(labels).unwrap();
    let labels = labels.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Played { pcap, labels, summary }
}

/// Time and bytes of each frame.
fn frames(pcap: &[u8]) -> impl Iterator<Item = (Timestamp, &[u8])> {
    assert_eq!(pcap[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
    let mut rest = &pcap[24..];
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let field = |i: usize| u32::from_le_bytes(rest[i..i + 4].try_into().unwrap());
        let at = Timestamp::from_parts(i64::from(field(0)), i64::from(field(4)));
        let len = usize::try_from(field(8)).unwrap();
        assert_eq!(field(8), field(12));
        let frame = &rest[16..16 + len];
        rest = &rest[16 + len..];
        Some((at, frame))
    })
}

/// The SIP message in a UDP datagram, after its checksums were found right.
fn sip(frame: &[u8]) -> Option<&str> {
    let packet = SlicedPacket::from_ethernet(frame).unwrap();
    let Some(TransportSlice::Udp(udp)) = &packet.transport else { return None };
    let Some(etherparse::NetSlice::Ipv4(ip)) = &packet.net else { panic!("not IPv4") };
    assert_eq!(ip.header().header_checksum(), ip.header().to_header().calc_header_checksum());
    let header = udp.to_header();
    let checksum = header.calc_checksum_ipv4(&ip.header().to_header(), udp.payload()).unwrap();
    assert_eq!(header.checksum, checksum);
    [udp.source_port(), udp.destination_port()]
        .contains(&5060)
        .then(|| std::str::from_utf8(udp.payload()).unwrap())
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or("")
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Smaller than shipped where a scenario is long, so that the tests stay quick.
fn brief(scenario: &Scenario) -> Options {
    match scenario.sort {
        Sort::World => Options { handsets: Some(8), days: Some(32), attack_calls: Some(30) },
        _ => Options { attack_calls: Some(200), ..Options::default() },
    }
}

#[test]
fn frames_are_in_order_whole_and_sip() {
    for scenario in scenarios() {
        let played = play(scenario.name, 1, brief(scenario));
        let mut last = Timestamp::default();
        let mut count = 0;
        for (at, frame) in frames(&played.pcap) {
            assert!(at >= last, "{}: {at} after {last}", scenario.name);
            assert!(frame.len() <= 1_514, "{}: a frame of {} bytes", scenario.name, frame.len());
            last = at;
            count += 1;
            let Some(message) = sip(frame) else {
                assert!(scenario.sort == Sort::Posture, "{}: a frame that isn't SIP", scenario.name);
                continue;
            };
            let (head, body) = message.split_once("\r\n\r\n").unwrap();
            assert_eq!(header(head, "Content-Length"), body.len().to_string());
            assert!(header(head, "Via").starts_with("SIP/2.0/UDP "));
        }
        assert_eq!(count, played.summary.frames, "{}", scenario.name);
        assert_eq!(played.pcap.len() as u64, played.summary.bytes);
        assert_eq!(last, played.summary.end);
        assert!(count > 0, "{} is empty", scenario.name);
    }
}

/// Every label names a call of the capture, and its times are those of the frames.
fn check_labels(played: &Played) {
    // Call-ID -> first INVITE, answer, BYE; more than once if the Call-ID is used again.
    let mut seen: BTreeMap<String, Vec<[Option<Timestamp>; 3]>> = BTreeMap::new();
    for (at, frame) in frames(&played.pcap) {
        let Some(message) = sip(frame) else { continue };
        let calls = seen.entry(header(message, "Call-ID").to_owned()).or_default();
        let cseq = header(message, "CSeq");
        let slot = if message.starts_with("INVITE ") {
            0
        } else if message.starts_with("SIP/2.0 200") && cseq.ends_with("INVITE") {
            1
        } else if message.starts_with("BYE ") {
            2
        } else {
            continue;
        };
        if slot == 0 && calls.last().is_none_or(|moments| moments[2].is_some()) {
            calls.push([None; 3]);
        }
        if let Some(moments) = calls.last_mut() {
            moments[slot].get_or_insert(at);
        }
    }
    for episode in &played.labels {
        assert!(!episode.calls.is_empty() && !episode.handsets.is_empty());
        assert_eq!(episode.start, episode.calls[0].time);
        assert!(episode.calls.is_sorted_by(|a, b| a.time <= b.time));
        for call in &episode.calls {
            let began = |moments: &&[Option<Timestamp>; 3]| moments[0].unwrap().to_string() == call.time;
            let found = seen[&call.call_id].iter().find(began);
            let [Some(invite), answer, bye] = *found.expect(&episode.episode) else { unreachable!() };
            assert!(call.time <= episode.end && call.setup_s > 0.0);
            match (answer, bye) {
                (Some(answer), Some(bye)) => {
                    assert!((answer.since(invite).as_secs_f64() - call.setup_s).abs() < 1e-9);
                    assert!((bye.since(answer).as_secs_f64() - call.duration_s).abs() < 1e-9);
                }
                _ => assert!(call.duration_s == 0.0),
            }
        }
    }
}

#[test]
fn labels_are_true() {
    for scenario in scenarios() {
        // Where frames are lost, a label may name a call whose INVITE isn't there.
        if scenario.name == "world_lossy" {
            continue;
        }
        let played = play(scenario.name, 2, brief(scenario));
        let is_attacked = matches!(scenario.sort, Sort::Attack | Sort::World);
        assert_eq!(!played.labels.is_empty(), is_attacked, "{}", scenario.name);
        check_labels(&played);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]

    /// Any seed, any office: labels are true, and an attack is never without calls.
    #[test]
    fn any_seed_and_office_will_do(
        seed: u64,
        handsets in 2_u16..130,
        index in 0..scenarios().len(),
        calls in 1_usize..40,
    ) {
        let scenario = &scenarios()[index];
        let days = scenario.days.min(8);
        let options = Options { handsets: Some(handsets), days: Some(days), attack_calls: Some(calls) };
        let played = play(scenario.name, seed, options);
        if scenario.name != "world_lossy" {
            check_labels(&played);
        }
        if scenario.sort == Sort::Attack {
            proptest::prop_assert!(played.summary.marked_calls > 0);
        }
    }
}

/// The bytes of every scenario with seed 1, so that no change alters a capture unseen.
/// `UPDATE_GOLDEN=1` writes the list anew.
#[test]
fn bytes_are_those_of_the_golden_list() {
    let mut list = String::new();
    for scenario in scenarios() {
        let played = play(scenario.name, 1, brief(scenario));
        writeln!(list, "{} {} {:016x}", scenario.name, played.pcap.len(), fnv(&played.pcap)).unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/drill/golden.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &list).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), list);
}

#[test]
fn same_seed_same_bytes_other_seed_other_bytes() {
    let hash = |seed| fnv(&play("irsf_fast", seed, Options::default()).pcap);
    assert_eq!(hash(5), hash(5));
    assert_ne!(hash(5), hash(6));
}

#[test]
fn names_are_unique_and_unknown_ones_are_refused() {
    let mut names: Vec<_> = scenarios().iter().map(|scenario| scenario.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), scenarios().len());
    let error = generate("nonesuch", 1, &mut Vec::new(), &mut Vec::new());
    assert!(matches!(error, Err(DrillError::Unknown(name)) if name == "nonesuch"));
}

#[test]
fn shipped_captures_stay_small() {
    for scenario in scenarios().iter().filter(|scenario| scenario.sort != Sort::World) {
        for seed in 1..4 {
            let size = play(scenario.name, seed, scenario.short()).pcap.len();
            assert!(size < 1 << 20, "{}: {size} bytes with seed {seed}", scenario.name);
        }
    }
}

#[test]
fn honest_calls_abroad_are_in_the_public_plan() {
    let mut abroad = 0;
    for scenario in scenarios().iter().filter(|scenario| scenario.sort == Sort::Quiet) {
        // Its whole point is a wrong number.
        if scenario.name == "wrong_dialling" {
            continue;
        }
        let played = play(scenario.name, 3, Options::default());
        for (_, frame) in frames(&played.pcap) {
            let Some(message) = sip(frame) else { continue };
            let Some(rest) = message.strip_prefix("INVITE sip:") else { continue };
            let dialled = rest.split('@').next().unwrap();
            if !dialled.starts_with("00") && !dialled.starts_with('+') || dialled.contains("7700900") {
                continue;
            }
            let e164 = dialled.replacen("00", "+", usize::from(dialled.starts_with("00")));
            if e164.starts_with("+44") {
                continue;
            }
            let number = rlibphonenumber::PHONE_NUMBER_UTIL.parse(&e164, None).unwrap();
            assert!(number.is_valid(), "{}: {e164}", scenario.name);
            abroad += 1;
        }
    }
    assert!(abroad > 100, "{abroad}");
}

/// The hot half of the engine sees what was planned: each call once, each labelled call among them.
#[test]
fn the_sensor_counts_each_call_once() {
    let dial = Dial::new(&dial::Settings::default()).unwrap();
    // The other worlds differ in how much is called, not in how it looks on the wire.
    let worlds = ["world_doubled", "world_onsite"];
    for scenario in scenarios().iter().filter(|s| s.sort != Sort::World || worlds.contains(&s.name)) {
        let played = play(scenario.name, 4, brief(scenario));
        let mut sensor = Sensor::new(sensor::Settings::default(), dial.clone(), Arc::default());
        let (mut seen, mut transferred) = (BTreeSet::new(), BTreeSet::new());
        for (ts, data) in frames(&played.pcap) {
            let wire_len = u32::try_from(data.len()).unwrap();
            sensor.handle_frame(&Frame { ts, link: Link::Ethernet, interface: 0, wire_len, data });
            while let Some(fact) = sensor.poll_fact() {
                let Fact::Call(call) = fact else { continue };
                if call.state == CallState::Attempted && !call.joined {
                    seen.insert(call.call_id.as_bytes().to_vec());
                    if call.cause == Cause::Transferred {
                        transferred.insert(call.call);
                    }
                }
            }
        }
        for call in played.labels.iter().flat_map(|episode| &episode.calls) {
            assert!(seen.contains(call.call_id.as_bytes()), "{}: {}", scenario.name, call.call_id);
        }
        // A REFER is an attempt of its own.
        let own = transferred.len() as u64;
        let (attempts, placed) = (sensor.totals().attempts, played.summary.calls + own);
        // Two calls to one extension within a second look like the legs of one; strangers call weak
        // offices beside their own plan.
        let alike = played.summary.calls / 100;
        let strangers = 2 * u64::from(scenario.sort == Sort::Posture);
        assert!(
            (placed - alike..=placed + strangers).contains(&attempts),
            "{}: {attempts} of {placed}",
            scenario.name
        );
        let skipped = sensor.outcomes().skipped_reasons().map(|(_, n)| n).sum::<u64>();
        assert!(skipped == 0 || scenario.sort == Sort::Posture, "{}: {skipped}", scenario.name);
    }
}
