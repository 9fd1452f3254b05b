use super::*;
use crate::posture::scanner_names::{ScannerName, Sort};

fn names() -> Settings {
    let name = |name: &str, sort| ScannerName { name: name.to_owned(), whole: false, sort };
    Settings {
        scanners: vec![
            name("friendly-scanner", Sort::Scanner),
            name("csipsimple", Sort::Softphone),
            name("sipp", Sort::Tool),
        ],
        ..Settings::default()
    }
}

fn ask(from: &str, to: &str, agent: &str, method: Method) -> SipSighting {
    SipSighting { agent: Text::from(agent), method, ..exchange(address(from), to, SipStep::Request) }
}

#[test]
fn scanners_by_name_and_what_they_reach() {
    for (from, agent, severity) in [
        (STRANGER, "friendly-scanner", Some(Severity::Warning)),
        (STRANGER, "CSipSimple_GT/r2457", Some(Severity::Warning)),
        (STRANGER, "sipp", Some(Severity::Info)),
        (STRANGER, "Asterisk", None),
        ("10.0.10.99:5060", "friendly-scanner", Some(Severity::Info)),
        ("10.0.10.99:5060", "CSipSimple_GT/r2457", None),
    ] {
        let mut stage = Stage::with(names());
        let phone = stage.handset(1);
        stage.sip(phone, ask(from, "10.0.10.1:5060", agent, Method::Options));
        assert_eq!(stage.worst(Check::Scanner), severity, "{from} {agent}");
    }
}

/// svmap without its name: 20 targets, From = To, and addresses that aren't its own.
#[test]
fn a_scanner_without_its_name_is_known_by_what_it_does() {
    let mut stage = Stage::new();
    for n in 1..=40u16 {
        let phone = stage.handset(n);
        let to = SocketAddr::new(phone.ip.unwrap(), 5_060).to_string();
        stage.sip(phone, ask("10.0.10.99:5060", &to, "", Method::Options));
        let found = stage.worst(Check::Scanner);
        assert_eq!(found, (n >= 20).then_some(Severity::Warning), "{n}");
        stage.after(Span(5_000));
    }
    let phone = stage.handset(1);
    let answer = exchange(address("10.0.10.99:5060"), "10.0.10.1:5060", SipStep::Accepted);
    stage.sip(phone, SipSighting { method: Method::Options, ..answer });
    assert_eq!(stage.worst(Check::Scanner), Some(Severity::Critical), "answered");

    let mut stage = Stage::new();
    let posed = SipSighting { bogus_host: true, ..ask(STRANGER, "10.0.10.1:5060", "", Method::Options) };
    stage.sip(phone, posed);
    assert_eq!(stage.worst(Check::Scanner), Some(Severity::Warning));
}

fn tried(from: &str, account: &str, step: SipStep) -> SipSighting {
    let account = Text::from(account);
    SipSighting { account, target: account, ..exchange(address(from), PBX, step) }
}

#[test]
fn a_phone_with_a_wrong_password_is_told_apart_from_guessing() {
    let mut stage = Stage::new();
    let phone = stage.handset(1);
    for n in 1..=30 {
        stage.sip(phone, tried("10.0.10.1:5060", "201", SipStep::Refused));
        let expected = match n {
            0..=4 => None,
            5..=9 => Some(Severity::Info),
            _ => Some(Severity::Warning),
        };
        assert_eq!(stage.worst(Check::BruteForce), expected, "{n}");
        stage.after(Span::seconds(5));
    }
}

/// svcrack: a hundred guesses a second for one account.
#[test]
fn svcrack_is_found_within_five_seconds_and_its_success_is_critical() {
    let mut stage = Stage::new();
    let phone = stage.handset(1);
    while stage.worst(Check::BruteForce) != Some(Severity::Warning) {
        stage.sip(phone, tried("10.0.10.99:5060", "201", SipStep::Refused));
        stage.after(Span(10_000));
        assert!(stage.now.since(START) < Span::seconds(5));
    }
    stage.sip(phone, tried("10.0.10.99:5060", "201", SipStep::Accepted));
    let (severity, text) = *stage.of(Check::BruteForce).last().unwrap();
    assert!(severity == Severity::Critical && text.contains("account 201 taken?"), "{text}");
}

#[test]
fn five_accounts_from_one_place_or_one_account_from_many() {
    let mut stage = Stage::new();
    let phone = stage.handset(1);
    for n in 0..5 {
        stage.sip(phone, tried("10.0.10.99:5060", &format!("20{n}"), SipStep::Refused));
    }
    assert_eq!(stage.worst(Check::BruteForce), Some(Severity::Warning));
    let mut stage = Stage::new();
    for n in 1..=5 {
        stage.sip(phone, tried(&format!("10.0.10.{n}:5060"), "201", SipStep::Refused));
    }
    assert_eq!(stage.worst(Check::BruteForce), Some(Severity::Warning));
}

#[test]
fn a_mistyped_password_that_comes_right_is_no_theft() {
    let mut stage = Stage::new();
    let phone = stage.handset(1);
    for _ in 0..4 {
        stage.sip(phone, tried("10.0.10.1:5060", "201", SipStep::Refused));
        stage.after(Span::seconds(40));
    }
    stage.sip(phone, tried("10.0.10.1:5060", "201", SipStep::Accepted));
    assert_eq!(stage.pages(), Vec::<&CheckFinding>::new());
    // From outside the same is.
    for _ in 0..3 {
        stage.sip(phone, tried(STRANGER, "201", SipStep::Refused));
    }
    stage.sip(phone, tried(STRANGER, "201", SipStep::Accepted));
    assert_eq!(stage.worst(Check::BruteForce), Some(Severity::Critical));
}

/// 500 phones that register anew every minute for a day: each time a challenge, then success.
#[test]
fn a_day_of_five_hundred_phones_is_quiet() {
    let mut stage = Stage::new();
    for _ in 0..1_440 {
        for n in 0..500 {
            let device = stage.handset(n);
            let account = device.who.unwrap().user;
            let client = SocketAddr::new(device.ip.unwrap(), 5_060);
            for step in [SipStep::Challenged, SipStep::Accepted] {
                let sip = SipSighting { account, target: account, ..exchange(client, PBX, step) };
                stage.sip(device, sip);
            }
        }
        stage.after(Span::MINUTE);
    }
    assert_eq!(stage.pages(), Vec::<&CheckFinding>::new());
}

/// svwar over 100 to 999, 200 a second: challenged by a registrar that tells nobody who exists, or
/// refused by one that does.
#[test]
fn svwar_is_found_within_a_second() {
    for step in [SipStep::Challenged, SipStep::Denied] {
        let mut stage = Stage::new();
        let phone = stage.handset(99);
        for n in 100..1_000 {
            stage.sip(phone, tried("10.0.10.99:5060", &n.to_string(), step));
            stage.after(Span(5_000));
            if stage.worst(Check::Enumeration).is_some() {
                break;
            }
        }
        assert_eq!(stage.worst(Check::Enumeration), Some(Severity::Warning), "{step}");
        assert!(stage.now.since(START) <= Span::SECOND, "{step} {:?}", stage.now.since(START));
    }
}

#[test]
fn a_short_search_is_found_when_nobody_takes_up_the_challenges() {
    let mut stage = Stage::new();
    let phone = stage.handset(99);
    for n in 100..125 {
        stage.sip(phone, tried("10.0.10.99:5060", &n.to_string(), SipStep::Challenged));
    }
    assert_eq!(stage.worst(Check::Enumeration), None);
    stage.after(Span::SECOND);
    assert_eq!(stage.worst(Check::Enumeration), Some(Severity::Warning));
}

/// A gateway registers 30 accounts in one go, and handsets call and watch their colleagues.
#[test]
fn gateways_and_diallers_search_for_nothing() {
    let mut stage = Stage::new();
    let gateway = stage.handset(1);
    for step in [SipStep::Challenged, SipStep::Accepted] {
        for n in 300..330 {
            stage.sip(gateway, tried("10.0.10.1:5060", &n.to_string(), step));
        }
        stage.after(Span(50_000));
    }
    for n in 400..440 {
        for method in [Method::Invite, Method::Subscribe] {
            let target = Text::from(n.to_string().as_str());
            stage.sip(
                gateway,
                SipSighting { method, target, ..exchange(address("10.0.10.1:5060"), PBX, SipStep::Denied) },
            );
        }
    }
    stage.after(Span::minutes(2));
    assert_eq!(stage.of(Check::Enumeration), []);
}

/// Only with a table of countries: the same account from two of them within an hour, both outside.
#[test]
fn two_countries_within_an_hour() {
    let table = "198.51.100.0/24,GB\n192.0.2.0/24,LV\n";
    for (countries, minutes, severity) in [
        (table, 50, Some(Severity::Critical)),
        (table, 70, None),
        ("", 50, None),
        ("198.51.100.0/24,GB\n192.0.2.0/24,GB\n", 50, None),
    ] {
        let countries = crate::posture::Countries::read(countries).unwrap();
        let mut stage = Stage::with(Settings { countries, ..Settings::default() });
        let phone = Device { role: Role::Unknown, ip: None, mac: None, vlan: None, who: None };
        stage.sip(phone, tried("198.51.100.7:5060", "201", SipStep::Accepted));
        stage.after(Span::minutes(minutes));
        stage.sip(phone, tried("192.0.2.7:5060", "201", SipStep::Accepted));
        assert_eq!(stage.worst(Check::NewDevice), severity, "{minutes}");
    }
}

fn seen_as(stage: &mut Stage, device: Device, client: &str, agent: &str) {
    let account = Text::from("201");
    let what = What::Hint(HintSighting { raw: Text::from(agent), ..raw_hint() });
    stage.see(device, what);
    let sip = SipSighting { account, target: account, ..exchange(address(client), PBX, SipStep::Accepted) };
    stage.sip(device, sip);
}

fn raw_hint() -> HintSighting {
    let What::Hint(hint) = hint(Source::SipUserAgent, "", "", "") else { unreachable!() };
    hint
}

#[test]
fn an_account_on_a_device_that_was_never_seen_with_it() {
    let mut stage = Stage::new();
    let (desk, other) = (stage.handset(1), stage.handset(2));
    seen_as(&mut stage, desk, "10.0.10.1:5060", "Yealink SIP-T46U 108.86.0.20");
    seen_as(&mut stage, other, "10.0.10.2:5060", "Zoiper");
    assert_eq!(stage.of(Check::NewDevice), [], "a day to learn");
    stage.after(Span::days(3));
    seen_as(&mut stage, desk, "10.0.10.1:5060", "Yealink SIP-T46U 108.86.0.30");
    let moved = Device { ip: Some([10, 0, 10, 7].into()), who: None, ..desk };
    seen_as(&mut stage, moved, "10.0.10.7:5060", "Yealink SIP-T46U 108.86.0.30");
    assert_eq!(stage.of(Check::NewDevice), [], "another address, the same phone");
    let strange = stage.handset(9);
    seen_as(&mut stage, strange, "10.0.10.9:5060", "eyeBeam 1");
    assert_eq!(stage.worst(Check::NewDevice), Some(Severity::Warning));
    let pbx =
        Device { role: Role::Pbx, ip: Some(address("10.0.0.5:1").ip()), mac: None, vlan: None, who: None };
    let account = Text::from("201");
    let sip = SipSighting {
        account,
        target: account,
        ..exchange(address(STRANGER), "10.0.0.5:5060", SipStep::Accepted)
    };
    stage.sip(pbx, sip);
    assert_eq!(stage.worst(Check::NewDevice), Some(Severity::Critical), "from outside");
}
