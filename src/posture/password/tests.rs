use super::*;
use crate::fact::{Role, secret::Clear};
use crate::sip::digest::Credentials;
use crate::sip::proof::Proof;

fn device(last: u8) -> Device {
    Device { role: Role::Handset, ip: Some([10, 0, 3, last].into()), mac: None, vlan: None, who: None }
}

fn settings() -> Settings {
    Settings {
        enabled: true,
        networks: vec!["10.0.3.0/24".parse().unwrap()],
        realms: vec!["PBX".to_owned()],
        ..Settings::default()
    }
}

/// What handset `user` sends if its password is `password`.
fn proved(user: &str, password: &str, realm: &str, at: i64) -> Exercise {
    use md5::{Digest as _, Md5};
    let hex = |text: String| {
        Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let (ha1, ha2) = (hex(format!("{user}:{realm}:{password}")), hex("REGISTER:sip:pbx".to_owned()));
    let response = hex(format!("{ha1}:n1:00000001:c1:auth:{ha2}"));
    let credentials = Credentials {
        username: user.as_bytes(),
        realm: realm.as_bytes(),
        nonce: b"n1",
        uri: b"sip:pbx",
        response: response.as_bytes(),
        cnonce: b"c1",
        nc: b"00000001",
        qop: b"auth",
        ..Credentials::default()
    };
    Exercise {
        time: Timestamp::from_parts(at, 0),
        device: device(17),
        lock: Lock::Sip,
        account: Text::from(user),
        secret: Secret::Digest(Box::new(Proof::new(&credentials, b"REGISTER", None).unwrap())),
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_parts(seconds, 0)
}

#[test]
fn a_listed_password_is_found_and_a_good_one_is_not() {
    let mut checker = Checker::new(settings());
    for (user, password, listed) in [("201", "201", true), ("202", "1234", true), ("203", "x8!kQ0-v2", false)]
    {
        checker.submit(proved(user, password, "pbx", 100));
        let verdict = checker.poll(at(100)).unwrap();
        assert_eq!((verdict.listed, verdict.account), (listed, Text::from(user)));
    }
    assert_eq!(checker.counts(), (3, 0));
}

#[test]
fn only_the_operators_own_and_only_if_switched_on() {
    for (settings, realm) in [
        (Settings { enabled: false, ..settings() }, "pbx"),
        (Settings { networks: vec!["10.9.0.0/16".parse().unwrap()], ..settings() }, "pbx"),
        (Settings { networks: Vec::new(), ..settings() }, "pbx"),
        (Settings { realms: Vec::new(), ..settings() }, "pbx"),
        (settings(), "elsewhere"),
    ] {
        let mut checker = Checker::new(settings);
        checker.submit(proved("201", "201", realm, 100));
        assert_eq!(checker.poll(at(100)), None);
        assert_eq!(checker.counts(), (0, 0));
    }
}

#[test]
fn an_account_is_checked_once_a_day() {
    let mut checker = Checker::new(settings());
    let mut verdicts = 0;
    for hour in 0..49 {
        checker.submit(proved("201", "201", "pbx", hour * 3_600));
        checker.submit(proved("201", "201", "pbx", hour * 3_600));
        verdicts += usize::from(checker.poll(at(hour * 3_600)).is_some());
        verdicts += usize::from(checker.poll(at(hour * 3_600)).is_some());
    }
    assert_eq!(verdicts, 3);
}

#[test]
fn a_flood_waits_its_turn_and_the_rest_is_counted() {
    let mut checker = Checker::new(settings());
    for n in 0..100_000u32 {
        checker.submit(proved(&format!("u{n}"), "x", "pbx", 0));
    }
    assert_eq!(checker.counts(), (0, 99_000));
    let mut taken = 0;
    while checker.poll(at(0)).is_some() {
        taken += 1;
    }
    assert_eq!(taken, 20, "a second's worth at once");
    let due = checker.deadline().unwrap();
    assert!(due > at(0) && due <= at(1) && checker.poll(at(0)).is_none());
    assert!(checker.poll(due).is_some());
}

#[test]
fn a_password_in_clear_is_compared_with_the_makers_own() {
    let defaults = vec![DefaultPassword {
        vendor: "yealink".to_owned(),
        user: "admin".to_owned(),
        password: "admin".to_owned(),
    }];
    let mut checker = Checker::new(Settings { defaults, ..settings() });
    for (n, (user, password, listed)) in
        [("admin", "admin", true), ("admin", "s3same", false), ("root", "admin", false)]
            .into_iter()
            .enumerate()
    {
        let clear = Clear { username: user.into(), password: password.into() };
        checker.submit(Exercise {
            time: at(0),
            device: device(u8::try_from(n).unwrap()),
            lock: Lock::Web,
            account: Text::default(),
            secret: Secret::Clear(clear),
        });
        assert_eq!(checker.poll(at(0)).unwrap().listed, listed, "{user}:{password}");
    }
}

#[test]
fn a_verdict_says_nothing_of_the_password() {
    let mut checker = Checker::new(settings());
    checker.submit(proved("201", "201", "pbx", 0));
    let printed = format!("{:?}", checker.poll(at(0)).unwrap());
    assert!(!printed.contains("c1") && !printed.contains("n1"), "{printed}");
    checker.submit(proved("202", "canary-pw", "pbx", 0));
    let printed = format!("{checker:?}");
    assert!(!printed.contains("canary") && !printed.contains("c1\""), "{printed}");
}
