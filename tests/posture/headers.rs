//! HTTP that comes over several TCP segments is read as if it came in one: cut anywhere, byte by byte,
//! out of order, twice.

use std::net::SocketAddr;

use serde_json::Value;

use super::capture::{Capture, at};

const PBX: &str = "203.0.113.10:5060";
const CONFIG: &str = "[site]\npbx = [\"203.0.113.10\"]\n";
const OK: &str = "HTTP/1.1 200 OK\r\nServer: Grandstream GXP2020 1.2.5.3\r\nContent-Length: 0\r\n\r\n";
const LOGIN: &str = "GET /index.htm HTTP/1.1\r\nHost: phone\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n\r\n";
const FORM: &str =
    "POST /login HTTP/1.1\r\nHost: phone\r\nContent-Length: 29\r\n\r\nusername=admin&password=admin";
const FETCH: &str =
    "GET /001565000001.cfg HTTP/1.1\r\nUser-Agent: Yealink SIP-T46U 108.86.0.20\r\nHost: prov\r\n\r\n";
const HOLE: &str = "POST /ctl/IPConn HTTP/1.1\r\nSOAPAction: \"urn:schemas-upnp-org:service:WANIPConnection:1#AddPortMapping\"\r\n\
    Content-Length: 272\r\n\r\n<s:Envelope><s:Body><u:AddPortMapping><NewExternalPort>5060</NewExternalPort><NewProtocol>UDP</NewProtocol>\
    <NewInternalPort>5060</NewInternalPort><NewInternalClient>10.0.3.9</NewInternalClient><NewLeaseDuration>0</NewLeaseDuration>\
    </u:AddPortMapping></s:Body></s:Envelope>";

/// A phone of its own for each case.
fn phone(n: usize) -> SocketAddr {
    at(&format!("10.0.{}.{}:5060", 3 + n / 200, 1 + n % 200))
}

fn port(phone: SocketAddr, port: u16) -> SocketAddr {
    SocketAddr::new(phone.ip(), port)
}

fn of<'f>(facts: &'f [Value], kind: &str) -> Vec<&'f Value> {
    facts.iter().filter(|fact| fact["type"] == kind).collect()
}

/// Every request and answer cut at every byte, one phone each: nothing is missed.
fn cut_anywhere(asked: &str, said: &str, to_phone: bool) -> (usize, Vec<Value>) {
    let mut capture = Capture::new();
    let mut n = 0;
    let mut play = |asked: &[&[u8]], said: &[&[u8]]| {
        let phone = phone(n);
        capture.registers(phone, at(PBX), &format!("9{n}"));
        let (client, server) = if to_phone {
            (at("10.0.99.9:50000"), port(phone, 80))
        } else {
            (port(phone, 50_000), at("203.0.113.40:80"))
        };
        capture.tcp_in_parts(client, server, asked, said);
        n += 1;
    };
    let (asked, said) = (asked.as_bytes(), said.as_bytes());
    for cut in 1..asked.len() {
        play(&[&asked[..cut], &asked[cut..]], &[said]);
    }
    for cut in 1..said.len() {
        play(&[asked], &[&said[..cut], &said[cut..]]);
    }
    let bytes = |text: &'static [u8]| text.chunks(1).collect::<Vec<_>>();
    play(&bytes(asked.to_vec().leak()), &bytes(said.to_vec().leak()));
    (n, capture.facts(CONFIG))
}

#[test]
fn log_ins_and_servers() {
    for (request, scheme) in [(LOGIN, "basic"), (FORM, "form")] {
        let (cases, facts) = cut_anywhere(request, OK, true);
        for outcome in ["tried", "accepted"] {
            let logins = of(&facts, "login")
                .iter()
                .filter(|l| l["scheme"] == scheme && l["outcome"] == outcome)
                .count();
            assert_eq!(logins, cases, "{scheme} {outcome}");
        }
        let pages = of(&facts, "hint").iter().filter(|hint| hint["source"] == "http_server").count();
        assert_eq!(pages, cases, "{scheme}: Server");
        let text = serde_json::to_string(&facts).unwrap();
        assert!(!text.contains("YWRtaW46") && !text.contains("password"), "{text}");
    }
}

#[test]
fn provisioning() {
    let (cases, facts) = cut_anywhere(FETCH, "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n#!version", false);
    for step in ["asked", "served"] {
        let steps = of(&facts, "provisioning").iter().filter(|p| p["step"] == step).count();
        assert_eq!(steps, cases, "{step}");
    }
    let firmware = |hint: &&&Value| hint["source"] == "http_user_agent" && hint["firmware"] == "108.86.0.20";
    assert_eq!(of(&facts, "hint").iter().filter(firmware).count(), cases);
}

#[test]
fn soap() {
    assert_eq!(HOLE.split_once("\r\n\r\n").unwrap().1.len(), 272);
    let (cases, facts) = cut_anywhere(HOLE, "HTTP/1.1 200 OK\r\n\r\n", false);
    for accepted in [Value::Null, Value::from("yes")] {
        let holes = of(&facts, "mapping").iter().filter(|m| m["accepted"] == accepted).count();
        assert_eq!(holes, cases, "{accepted}");
    }
}

/// The second segment first, each twice, one that overlaps, an interim answer, and one that is lost.
#[test]
fn out_of_order_twice_and_lost() {
    let mut capture = Capture::new();
    let request = FORM.as_bytes();
    let orders: [&[(usize, usize)]; 5] = [
        &[(0, 20), (40, 60), (20, 40), (60, request.len())],
        &[(0, 20), (0, 20), (20, 50), (20, 50), (50, request.len())],
        &[(0, 30), (20, 60), (10, 70), (70, request.len())],
        &[(0, 1), (2, 40), (1, 2), (80, request.len()), (40, 80)],
        // The end is lost: what stands is read when the answer comes.
        &[(0, request.len() - 3)],
    ];
    for (n, order) in orders.iter().enumerate() {
        let phone = phone(n);
        capture.registers(phone, at(PBX), &format!("9{n}"));
        let (client, server) = (at("10.0.99.9:50000"), port(phone, 80));
        capture.opens(client, server);
        for (k, (from, to)) in order.iter().enumerate() {
            capture.segment(client, server, "A", 101 + u32::try_from(*from).unwrap(), &request[*from..*to]);
            if k == 1 {
                capture.segment(server, client, "A", 501, b"HTTP/1.1 100 Continue\r\n\r\n");
            }
        }
        capture.segment(server, client, "A", 526, OK.as_bytes());
    }
    let facts = capture.facts(CONFIG);
    let accepted = of(&facts, "login").iter().filter(|login| login["outcome"] == "accepted").count();
    assert_eq!(accepted, orders.len());
}

/// TR-069 is known by what it says, on any port and in pieces; to the operator's own server it may.
#[test]
fn a_server_that_manages_a_phone() {
    let inform = |host: &str| {
        let body = "<soap-env:Envelope xmlns:soap-env=\"http://schemas.xmlsoap.org/soap/envelope/\" \
            xmlns:cwmp=\"urn:dslforum-org:cwmp-1-2\"><soap-env:Body><cwmp:Inform><DeviceId/></cwmp:Inform></soap-env:Body></soap-env:Envelope>";
        format!(
            "POST /acs HTTP/1.1\r\nHost: {host}\r\nSOAPAction: \r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    for (server, cut, expected) in [
        ("198.51.100.66:80", 1_000, true),
        ("198.51.100.66:10301", 150, true),
        ("198.51.100.66:8080", 7, true),
        ("192.0.2.9:10301", 150, false),
    ] {
        let mut capture = Capture::new();
        capture.registers(phone(0), at(PBX), "201");
        let text = inform("acs");
        let parts: Vec<&[u8]> = text.as_bytes().chunks(cut).collect();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        capture.tcp_in_parts(port(phone(0), 50_000), at(server), &parts, &[answer]);
        let found = capture.findings("[site]\npbx = [\"203.0.113.10\"]\nprovisioning = [\"192.0.2.9\"]\n");
        let managed = found.iter().any(|(check, severity, said)| {
            check == "backdoor_outbound" && severity == "warning" && said.contains("TR-069")
        });
        assert_eq!(managed, expected, "{server} {cut}: {found:?}");
        assert!(expected || found.iter().all(|(check, ..)| check != "backdoor_outbound"), "{found:?}");
    }
}
