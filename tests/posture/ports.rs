//! Ports of handsets, packet by packet: 36 back doors, 25 interfaces, six holes in the router.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::capture::{Capture, at};
use super::perimeter::{CONFIG, office, port};

const STRANGER: &str = "198.51.100.66:44321";
const ADMIN: &str = "10.0.9.9:50000";

/// A handset of its own for each case.
fn phones(n: u8) -> Vec<SocketAddr> {
    (1..=n).map(|n| at(&format!("10.0.3.{n}:5060"))).collect()
}

/// How a port behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Door {
    Closed,
    Open,
    Filtered,
}

/// What a client sends and what comes back.
fn knocks(
    capture: &mut Capture,
    proto: &str,
    client: SocketAddr,
    server: SocketAddr,
    door: Door,
    said: &[u8],
) {
    match (proto, door) {
        ("tcp", Door::Open) => capture.tcp_in_parts(client, server, &[b"\r\n"], &[said]),
        ("tcp", Door::Closed) => {
            capture.segment(client, server, "S", 100, b"");
            capture.segment(server, client, "RA", 0, b"");
        }
        ("tcp", Door::Filtered) => capture.segment(client, server, "S", 100, b""),
        (_, Door::Open) => {
            capture.udp(client, server, b"question");
            capture.udp(server, client, said);
        }
        (_, Door::Closed) => {
            capture.udp(client, server, b"question");
            capture.refuses(server, client, (client, server));
        }
        (_, Door::Filtered) => capture.udp(client, server, b"question"),
    }
}

/// Twelve services that manage a handset, each closed, open and filtered, asked by a stranger: the
/// attempt is a warning, an answer is critical, and only what went both ways is a session.
#[test]
fn thirty_six_back_doors() {
    let services = [
        ("tcp", 22),
        ("tcp", 23),
        ("tcp", 80),
        ("tcp", 443),
        ("tcp", 8_080),
        ("tcp", 8_443),
        ("tcp", 7_547),
        ("tcp", 5_900),
        ("tcp", 3_389),
        ("tcp", 2_000),
        ("udp", 161),
        ("udp", 69),
    ];
    let doors = [Door::Closed, Door::Open, Door::Filtered];
    let cases: Vec<_> = services.iter().flat_map(|service| doors.map(|door| (*service, door))).collect();
    let phones = phones(36);
    let mut capture = office(&phones);
    let mut expected = BTreeMap::new();
    for (((proto, asked), door), phone) in cases.iter().zip(&phones) {
        knocks(&mut capture, proto, at(STRANGER), port(*phone, *asked), *door, b"hello");
        let severity = if *door == Door::Open { "critical" } else { "warning" };
        expected.insert(phone.ip().to_string(), severity.to_owned());
    }
    capture.after(10.0);
    capture.registers(phones[0], at("203.0.113.10:5060"), "200");
    assert_eq!(capture.worst(CONFIG, "backdoor_inbound"), expected);
    let text: String = capture.text(CONFIG).split_whitespace().collect::<Vec<_>>().join(" ");
    let sessions = text.matches("a stranger outside, has a session with the").count();
    assert_eq!(sessions, 10, "the ten TCP services that were open: {text}");
}

/// 25 ports that answer somebody of the office: what they are decides, by port or by what they say.
#[test]
fn twenty_five_interfaces() {
    const SSH: &[u8] = b"SSH-2.0-dropbear\r\n";
    const TELNET: &[u8] = b"\xff\xfb\x01login: ";
    const HTTP: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    const TLS: &[u8] = b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03";
    let rows: [(&str, u16, &[u8], &str); 25] = [
        ("tcp", 21, b"220 ready\r\n", "warning"),
        ("tcp", 22, SSH, "info"),
        ("tcp", 23, TELNET, "warning"),
        ("tcp", 80, HTTP, "warning"),
        ("tcp", 443, TLS, "info"),
        ("tcp", 554, b"x", "warning"),
        ("tcp", 2_000, b"x", ""),
        ("tcp", 2_323, TELNET, "warning"),
        ("tcp", 3_389, b"\x03\x00\x00\x13", "info"),
        ("tcp", 5_060, b"SIP/2.0 200 OK\r\n\r\n", ""),
        ("tcp", 5_061, TLS, ""),
        ("tcp", 5_900, b"RFB 003.008\n", "warning"),
        ("tcp", 5_906, b"RFB 003.008\n", "warning"),
        ("tcp", 7_547, HTTP, "warning"),
        ("tcp", 8_000, HTTP, "warning"),
        ("tcp", 8_080, HTTP, "warning"),
        ("tcp", 8_081, HTTP, "warning"),
        ("tcp", 8_443, TLS, "info"),
        ("tcp", 9_999, b"whatever", "info"),
        ("tcp", 2_222, SSH, "info"),
        ("udp", 69, b"\x00\x05", "warning"),
        ("udp", 161, b"\x30\x03", "warning"),
        ("udp", 623, b"\x06\x00", "warning"),
        ("udp", 5_060, b"SIP/2.0 200 OK\r\n\r\n", ""),
        ("udp", 30_000, b"x", ""),
    ];
    let phones = phones(25);
    let mut capture = office(&phones);
    let mut expected = BTreeMap::new();
    for ((proto, asked, said, severity), phone) in rows.iter().zip(&phones) {
        knocks(&mut capture, proto, at(ADMIN), port(*phone, *asked), Door::Open, said);
        if !severity.is_empty() {
            expected.insert(phone.ip().to_string(), (*severity).to_owned());
        }
    }
    assert_eq!(capture.worst(CONFIG, "exposed_interface"), expected);
}

/// A port that refuses is proof that it is closed; one that says nothing proves nothing.
#[test]
fn closed_is_a_pass_and_silence_is_none() {
    for (door, status) in [(Door::Closed, "pass"), (Door::Filtered, "not_seen")] {
        let phones = phones(1);
        let mut capture = office(&phones);
        for asked in [23, 80, 443] {
            knocks(&mut capture, "tcp", at(ADMIN), port(phones[0], asked), door, b"");
        }
        let records = capture.replay(CONFIG);
        let summary = records.iter().find(|record| record["type"] == "summary").unwrap();
        assert_eq!(summary["posture"]["exposed_interface"], status, "{door:?}");
    }
}

/// Six requests for a hole to a handset, each by another protocol or action; and a console's own.
#[test]
fn six_requests_for_a_hole() {
    let phone = at("10.0.3.17:5060");
    let router = at("10.0.3.1:5351");
    let soap = |action: &str, version: u8, client: &str, inside: u16| {
        let body = format!(
            "<s:Envelope><s:Body><u:{action}><NewExternalPort>{inside}</NewExternalPort><NewProtocol>UDP</NewProtocol>\
             <NewInternalPort>{inside}</NewInternalPort><NewInternalClient>{client}</NewInternalClient></u:{action}></s:Body></s:Envelope>"
        );
        format!(
            "POST /ctl HTTP/1.1\r\nSOAPAction: \"urn:schemas-upnp-org:service:WANIPConnection:{version}#{action}\"\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let search = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\n\
                  ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n";
    // RFC 6886 section 3.3: opcode 1 is UDP, 2 is TCP; RFC 6887 section 11.1: MAP.
    let natpmp = |opcode: u8| vec![0, opcode, 0, 0, 0x13, 0xc4, 0x13, 0xc4, 0, 0, 0x1c, 0x20];
    let pcp = {
        let mut map = vec![2, 1, 0, 0, 0, 0, 0x1c, 0x20];
        map.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 3, 17]);
        map.extend_from_slice(&[7; 12]);
        map.extend_from_slice(&[17, 0, 0, 0, 0x13, 0xc4, 0x13, 0xc4]);
        map.extend_from_slice(&[0; 16]);
        map
    };
    type Play = Box<dyn Fn(&mut Capture)>;
    let asks = |text: String| -> Play {
        Box::new(move |capture| {
            capture.tcp(
                port(phone, 40_000),
                at("10.0.3.1:5000"),
                &text,
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            );
        })
    };
    let sends = |to: SocketAddr, payload: Vec<u8>| -> Play {
        Box::new(move |capture| capture.udp(port(phone, 5_350), to, &payload))
    };
    let cases: [(&str, Play, Option<&str>); 7] = [
        ("search", sends(at("239.255.255.250:1900"), search.into()), Some("info")),
        ("UPnP 1", asks(soap("AddPortMapping", 1, "10.0.3.17", 5_060)), Some("critical")),
        ("UPnP 2", asks(soap("AddAnyPortMapping", 2, "10.0.3.17", 443)), Some("critical")),
        ("NAT-PMP, UDP", sends(router, natpmp(1)), Some("critical")),
        ("NAT-PMP, TCP", sends(router, natpmp(2)), Some("critical")),
        ("PCP", sends(router, pcp), Some("critical")),
        ("a console", asks(soap("AddPortMapping", 1, "10.0.3.90", 3_074)), None),
    ];
    for (name, play, severity) in cases {
        let mut capture = office(&[phone]);
        play(&mut capture);
        let found = capture.findings(CONFIG);
        let hole =
            found.iter().find(|(check, ..)| check == "opened_port").map(|(_, severity, _)| severity.as_str());
        assert_eq!(hole, severity, "{name}: {found:?}");
    }
}

/// The support provider's visit isn't a finding but a line of record: from when to when, how many bytes.
#[test]
fn a_visit_of_the_support_provider_is_on_record() {
    let phone = at("10.0.3.17:5060");
    let (client, server) = (at("192.0.2.9:40000"), port(phone, 443));
    let config = format!("{CONFIG}support = [\"192.0.2.9\"]\n");
    let mut capture = office(&[phone]);
    capture.opens(client, server);
    for n in 0..60 {
        capture.segment(client, server, "A", 101 + n * 10, b"0123456789");
        capture.segment(server, client, "A", 501 + n * 10, b"0123456789");
        capture.after(60.0);
    }
    for (from, to, seq) in [(client, server, 701), (server, client, 1_101)] {
        capture.segment(from, to, "FA", seq, b"");
    }
    let records = capture.replay(&config);
    let visits: Vec<_> = records.iter().filter(|r| r["check"] == "backdoor_inbound").collect();
    let (visits, state): (Vec<_>, Vec<_>) = visits.into_iter().partition(|visit| visit["status"] == "pass");
    // Beside the visits the check's own state.
    assert_eq!(state.iter().map(|r| &r["status"]).collect::<Vec<_>>(), ["not_seen"], "{state:?}");
    let said = visits.last().unwrap()["sentence"].as_str().unwrap();
    assert!(said.contains("for 60 min, 1200 bytes"), "{said}");
}
