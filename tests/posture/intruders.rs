//! Whoever searches, guesses, or takes an account over, packet by packet; and five hundred phones that do
//! nothing of it.

use std::net::SocketAddr;

use super::capture::{Capture, at};
use super::perimeter::{CONFIG, office};

const PBX: &str = "203.0.113.10:5060";

fn asks(capture: &mut Capture, from: SocketAddr, to: SocketAddr, method: &str, user: &str, agent: &str) {
    let agent = if agent.is_empty() { String::new() } else { format!("User-Agent: {agent}\r\n") };
    capture.udp(
        from,
        to,
        format!(
            "{method} sip:{user}@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-{user}{}\r\nMax-Forwards: 70\r\n\
             From: \"{user}\"<sip:{user}@{from}>;tag=1\r\nTo: \"{user}\"<sip:{user}@{to}>\r\nCall-ID: {user}{}{}\r\n\
             CSeq: 1 {method}\r\n{agent}Accept: application/sdp\r\nContent-Length: 0\r\n\r\n",
            to.port(),
            from.port(),
            to.ip()
        ),
    );
}

/// svmap, svwar, svcrack, sipsak and sippts by the names that they ship with, from outside, at one handset;
/// and a monitor of one's own that is allowed.
#[test]
fn five_scanners_by_name() {
    let phone = at("10.0.3.17:5060");
    for (agent, method) in [
        ("friendly-scanner", "OPTIONS"),
        ("friendly-scanner", "REGISTER"),
        ("friendly-scanner", "INVITE"),
        ("sipsak 0.9.7", "OPTIONS"),
        ("pplsip", "OPTIONS"),
    ] {
        let mut capture = office(&[phone]);
        asks(&mut capture, at("198.51.100.66:5060"), phone, method, "100", agent);
        let found = capture.findings(CONFIG);
        let scanner = found.iter().any(|(check, severity, _)| check == "scanner" && severity != "info");
        assert!(scanner, "{agent} {method}: {found:?}");
    }
    let mut capture = office(&[phone]);
    asks(&mut capture, at("192.0.2.9:5060"), phone, "OPTIONS", "100", "sipsak 0.9.7");
    let allowed = format!("{CONFIG}support = [\"192.0.2.9\"]\n");
    let found = capture.findings(&allowed);
    assert!(found.iter().all(|(check, severity, _)| check != "scanner" || severity == "info"), "{found:?}");
}

/// The same without a name, by what they do: 25 targets, or 25 users, within a second.
#[test]
fn scanners_without_a_name() {
    let phones: Vec<SocketAddr> = (1..=25).map(|n| at(&format!("10.0.3.{n}:5060"))).collect();
    let mut capture = office(&phones);
    for phone in &phones {
        asks(&mut capture, at("198.51.100.66:5060"), *phone, "OPTIONS", "100", "");
    }
    let found = capture.findings(CONFIG);
    assert!(
        found.iter().any(|(check, severity, _)| check == "scanner" && severity == "warning"),
        "{found:?}"
    );
    let mut capture = office(&phones);
    for user in 100..125 {
        asks(&mut capture, at("198.51.100.66:5060"), phones[0], "REGISTER", &user.to_string(), "");
    }
    capture.after(2.0);
    capture.registers(phones[0], at(PBX), "200");
    let found = capture.findings(CONFIG);
    let searches = |(check, severity, _): &(String, String, String)| {
        (check == "enumeration" || check == "scanner") && severity != "info"
    };
    assert!(found.iter().any(searches), "{found:?}");
}

/// Each of 500 phones registers anew every minute, is asked for its password each time, and proves it: an
/// hour of it here, the day that the sheet asks for with `RINGFENCE_FULL_DAY=1`.
#[test]
fn five_hundred_phones_that_register_every_minute_are_quiet() {
    let minutes = if std::env::var_os("RINGFENCE_FULL_DAY").is_some() { 1_440 } else { 60 };
    let phones: Vec<SocketAddr> =
        (0..500).map(|n| at(&format!("10.0.{}.{}:5060", 3 + n / 250, 1 + n % 250))).collect();
    let mut capture = office(&[]);
    for minute in 0..minutes {
        for (n, phone) in phones.iter().copied().enumerate() {
            let nonce = format!("{n}x{minute}");
            let head = |cseq: u32| {
                format!(
                    "Via: SIP/2.0/UDP {phone};branch=z9hG4bK{n}x{cseq}\r\nFrom: <sip:{0}@pbx>;tag=t{n}\r\nTo: <sip:{0}@pbx>\r\n\
                     Call-ID: c{n}\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:{0}@{phone}>;expires=120\r\n",
                    2_000 + n
                )
            };
            let challenge = format!(
                "WWW-Authenticate: Digest realm=\"pbx\", nonce=\"{nonce}\", algorithm=SHA-256, qop=\"auth\"\r\n"
            );
            let proof = format!(
                "Authorization: Digest username=\"{}\", realm=\"pbx\", nonce=\"{nonce}\", uri=\"sip:pbx\", algorithm=SHA-256, \
                 cnonce=\"c\", nc=00000001, qop=auth, response=\"{n:064x}\"\r\n",
                2_000 + n
            );
            let says =
                |first: &str, headers: String| format!("{first}\r\n{headers}Content-Length: 0\r\n\r\n");
            capture.udp(phone, at(PBX), says("REGISTER sip:pbx SIP/2.0", head(2 * minute + 1)));
            capture.udp(at(PBX), phone, says("SIP/2.0 401 Unauthorized", head(2 * minute + 1) + &challenge));
            capture.udp(phone, at(PBX), says("REGISTER sip:pbx SIP/2.0", head(2 * minute + 2) + &proof));
            capture.udp(at(PBX), phone, says("SIP/2.0 200 OK", head(2 * minute + 2)));
        }
        // 2,000 frames of 2 ms each take 4 s.
        capture.after(56.0);
    }
    let records = capture.replay(CONFIG);
    // How each check stands is said at the end, whatever was seen.
    let quiet = |r: &serde_json::Value| {
        r["type"] == "summary" || (r["type"] == "finding" && r["status"] != "finding")
    };
    let told: Vec<_> = records.iter().filter(|record| !quiet(record)).collect();
    assert!(told.is_empty(), "{} of {told:.5?}", told.len());
    assert_eq!(records.last().unwrap()["handsets"], 500);
}

fn registers(capture: &mut Capture, from: &str, user: &str, agent: &str) {
    let (from, pbx) = (at(from), at("10.0.0.5:5060"));
    let head = format!(
        "Via: SIP/2.0/UDP {from};branch=z9hG4bK{user}{0}\r\nFrom: <sip:{user}@pbx>;tag=r\r\nTo: <sip:{user}@pbx>\r\n\
         Call-ID: r{user}{0}\r\nCSeq: 1 REGISTER\r\nContact: <sip:{user}@{from}>;expires=3600\r\n",
        from.ip()
    );
    capture.udp(
        from,
        pbx,
        format!("REGISTER sip:pbx SIP/2.0\r\n{head}User-Agent: {agent}\r\nContent-Length: 0\r\n\r\n"),
    );
    capture.udp(pbx, from, format!("SIP/2.0 200 OK\r\n{head}Content-Length: 0\r\n\r\n"));
}

/// An office's own PBX: an account comes from outside for the first time, from two countries within an hour,
/// or on a device of another make; and a phone that only got another address.
#[test]
fn an_account_in_a_place_where_it_never_was() {
    const DESK: &str = "Yealink SIP-T46U 108.86.0.20";
    let dir = tempfile::tempdir().unwrap();
    let table = dir.path().join("countries.csv");
    std::fs::write(&table, "198.51.100.0/24,GB\n192.0.2.0/24,LV\n").unwrap();
    let plain = "[site]\npbx = [\"10.0.0.5\"]\n".to_owned();
    let with_table = format!("{plain}[posture]\ncountries = \"{}\"\n", table.display());
    let day = 86_400.0;
    // Where it was, where it is now and as what, how much later; with a table of countries or without.
    for (before, after, agent, seconds, config, expected) in [
        ("10.0.3.17:5060", "198.51.100.7:5060", DESK, 3.0 * day, &plain, Some("critical")),
        ("10.0.3.17:5060", "10.0.3.99:5060", "eyeBeam 1", 3.0 * day, &plain, Some("warning")),
        ("10.0.3.17:5060", "10.0.3.17:5060", "eyeBeam 1", 3.0 * day, &plain, None),
        ("10.0.3.17:5060", "10.0.3.99:5060", DESK, 3.0 * day, &plain, None),
        ("198.51.100.7:5060", "192.0.2.7:5060", DESK, 3_000.0, &with_table, Some("critical")),
        ("198.51.100.7:5060", "192.0.2.7:5060", DESK, 4_200.0, &with_table, None),
        ("198.51.100.7:5060", "192.0.2.7:5060", DESK, 3_000.0, &plain, None),
    ] {
        let mut capture = Capture::new();
        registers(&mut capture, before, "201", DESK);
        if seconds > day {
            capture.after(day);
            registers(&mut capture, before, "201", DESK);
            capture.after(seconds - day);
        } else {
            capture.after(seconds);
        }
        registers(&mut capture, after, "201", agent);
        let found = capture.findings(config);
        let moved =
            found.iter().find(|(check, ..)| check == "new_device").map(|(_, severity, _)| severity.as_str());
        assert_eq!(moved, expected, "{before} {after} {agent} {seconds}: {found:?}");
    }
}
