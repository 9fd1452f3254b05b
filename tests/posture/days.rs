//! What takes days, packet by packet: peers over a month, handsets that nobody uses, offices that move.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::capture::{Capture, at};
use super::perimeter::{CONFIG, office, port};

const PBX: &str = "203.0.113.10:5060";
const DAY: f64 = 86_400.0;

fn phones(n: u8) -> Vec<SocketAddr> {
    (1..=n).map(|n| at(&format!("10.0.3.{n}:5060"))).collect()
}

/// 30 days of 20 handsets, each of which asks for the time, for names, and its maker's cloud, day after
/// day: at most one notice for each handset in the month, and nobody is woken.
#[test]
fn a_month_of_ordinary_peers() {
    let phones = phones(20);
    let mut capture = office(&phones);
    for day in 0..30u16 {
        for (n, phone) in phones.iter().enumerate() {
            capture.registers(*phone, at(PBX), &format!("2{n:02}"));
            let own = port(*phone, 30_000 + day);
            for server in ["192.0.2.123:123", "192.0.2.53:53"] {
                capture.udp(own, at(server), [0x23; 48]);
                capture.udp(at(server), own, [0x24; 48]);
            }
            let cloud = at(["192.0.2.80:443", "192.0.2.81:443", "192.0.2.82:80"][usize::from(day) % 3]);
            capture.opens(own, cloud);
            capture.segment(own, cloud, "A", 101, b"\x16\x03\x01\x00\x05hello");
            capture.segment(cloud, own, "A", 501, b"\x16\x03\x03\x00\x05hello");
            capture.segment(own, cloud, "FA", 111, b"");
            capture.segment(cloud, own, "FA", 511, b"");
        }
        capture.after(DAY);
    }
    let records = capture.replay(CONFIG);
    let mut notices: BTreeMap<String, u32> = BTreeMap::new();
    for record in records.iter().filter(|r| r["status"] == "finding" && r["check"] == "backdoor_outbound") {
        assert_eq!(record["severity"], "info", "{record}");
        *notices.entry(record["ip"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(notices.values().all(|n| *n <= 1), "{notices:?}");
    assert!(records.iter().all(|record| record["type"] != "alert"));
}

/// A call of a handset within the office.
fn calls(capture: &mut Capture, phone: SocketAddr, n: u32) {
    let head = |cseq: &str, to: &str| {
        format!(
            "Via: SIP/2.0/UDP {phone};branch=z9hG4bK{n}{0}\r\nFrom: <sip:200@pbx>;tag=t{n}\r\nTo: <sip:201@pbx>{to}\r\n\
             Call-ID: day{n}\r\nCSeq: {cseq}\r\nContact: <sip:200@{phone}>\r\nContent-Length: 0\r\n\r\n",
            cseq.replace(' ', "")
        )
    };
    capture.udp(phone, at(PBX), format!("INVITE sip:201@pbx SIP/2.0\r\n{}", head("1 INVITE", "")));
    capture.udp(at(PBX), phone, format!("SIP/2.0 486 Busy Here\r\n{}", head("1 INVITE", ";tag=f")));
    capture.udp(phone, at(PBX), format!("ACK sip:201@pbx SIP/2.0\r\n{}", head("1 ACK", ";tag=f")));
}

/// Registers every twelve hours for days on end; the first handset every hour, and it calls every day.
fn lives(capture: &mut Capture, phones: &[SocketAddr], days: u32) {
    for hour in 0..24 * days {
        for (n, phone) in phones.iter().enumerate().filter(|(n, _)| *n == 0 || hour % 12 == 0) {
            capture.registers(*phone, at(PBX), &format!("2{n:02}"));
        }
        if hour % 24 == 0 {
            calls(capture, phones[0], hour);
        }
        capture.after(DAY / 24.0);
    }
}

/// 120 days: one handset calls, one may stay silent, one is forgotten, which is told after 30 days and after
/// 90.
#[test]
fn a_hundred_and_twenty_days_of_a_handset_that_nobody_uses() {
    let phones = phones(3);
    let mut capture = office(&[]);
    lives(&mut capture, &phones, 120);
    let config = format!("{CONFIG}[[handset]]\nuser = \"201\"\nkeep = true\n");
    let records = capture.replay(&config);
    let told: Vec<_> = records
        .iter()
        .filter(|r| r["status"] == "finding" && r["check"] == "idle_handset")
        .map(|r| (&r["handset"], &r["severity"], r["time"].as_str().unwrap()[..10].to_owned()))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|(handset, ..)| **handset == "202"), "{told:?}");
    assert_eq!((told[0].1, told[1].1), (&"info".into(), &"warning".into()));
    // The first day is 24 November.
    assert_eq!((told[0].2.as_str(), told[1].2.as_str()), ("2026-12-24", "2027-02-22"));
}

/// The mirror loses answers' questions now and then: those days don't count, so nobody is called idle.
#[test]
fn days_on_which_packets_were_lost_prove_nothing() {
    let phones = phones(2);
    let play = |lossy: bool| {
        let mut capture = office(&[]);
        for day in 0..40 {
            lives(&mut capture, &phones, 1);
            // Answers to calls that the mirror didn't show.
            for n in 0..if lossy { 20 } else { 0 } {
                let phone = phones[0];
                let head = format!(
                    "Via: SIP/2.0/UDP {phone};branch=z9hG4bKl{day}x{n}\r\nFrom: <sip:200@pbx>;tag=l\r\nTo: <sip:301@pbx>;tag=m\r\n\
                     Call-ID: lost{day}x{n}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
                );
                capture.udp(at(PBX), phone, format!("SIP/2.0 180 Ringing\r\n{head}"));
            }
        }
        let records = capture.replay(CONFIG);
        let idle =
            records.iter().filter(|r| r["status"] == "finding" && r["check"] == "idle_handset").count();
        let summary = records.iter().find(|record| record["type"] == "summary").unwrap();
        (idle, summary["posture"]["idle_handset"].as_str().unwrap().to_owned())
    };
    assert_eq!(play(false), (1, "finding".to_owned()));
    assert_eq!(play(true), (0, "cannot_see".to_owned()));
}

/// 20 handsets registered for eight days; eight of them stop together: one event of the site, no eight alarms.
#[test]
fn an_office_that_moves_is_one_event() {
    let phones = phones(20);
    let mut capture = office(&[]);
    lives(&mut capture, &phones, 8);
    lives(&mut capture, &phones[..12], 3);
    let found = capture.findings(CONFIG);
    let lapsed: Vec<_> = found.iter().filter(|(check, ..)| check == "lapsed_registration").collect();
    assert_eq!(lapsed.len(), 1, "{lapsed:?}");
    assert!(lapsed[0].2.starts_with("8 of 20 handsets stopped registering together"), "{lapsed:?}");
}

/// A phone says what it runs before it has registered and after: by its User-Agent, and by LLDP. It is one
/// finding, which becomes the handset's.
#[test]
fn old_firmware_is_one_finding_before_and_after_registration() {
    let phone = at("10.0.3.17:5060");
    let agent = "Grandstream GXP1625 1.0.7.13";
    let mut capture = Capture::new();
    capture.announces(phone, agent);
    let head = |method: &str| {
        format!(
            "Via: SIP/2.0/UDP {phone};branch=z9hG4bK{method}\r\nFrom: <sip:200@pbx>;tag=r\r\nTo: <sip:200@pbx>\r\nCall-ID: r{method}\r\n\
             CSeq: 1 {method}\r\nContact: <sip:200@{phone}>;expires=3600\r\n"
        )
    };
    for method in ["SUBSCRIBE", "REGISTER"] {
        capture.udp(
            phone,
            at(PBX),
            format!(
                "{method} sip:pbx SIP/2.0\r\n{}User-Agent: {agent}\r\nContent-Length: 0\r\n\r\n",
                head(method)
            ),
        );
        capture.udp(at(PBX), phone, format!("SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n", head(method)));
        capture.after(60.0);
    }
    for _ in 0..3 {
        capture.announces(phone, agent);
        capture.registers(phone, at(PBX), "200");
        capture.after(DAY);
    }
    let records = capture.replay(CONFIG);
    let alerts: Vec<_> = records
        .iter()
        .filter(|r| r["type"] == "alert" && r["rule"] == "outdated_firmware" && r["state"] == "raised")
        .collect();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let last =
        records.iter().rfind(|r| r["status"] == "finding" && r["check"] == "outdated_firmware").unwrap();
    assert_eq!((&last["severity"], &last["handset"]), (&"critical".into(), &"200".into()), "{last}");
}
