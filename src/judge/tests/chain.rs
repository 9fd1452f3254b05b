//! The links of one attack.

use super::*;
use crate::finding::{Check, CheckFinding, Evidence, Link, Status};

/// What a check of handset security found about a handset, or the office.
fn finding(office: &Office, check: Check, severity: Severity, handset: Option<usize>) -> CheckFinding {
    let who = handset.map(|n| office.handsets[n]);
    CheckFinding {
        time: office.now,
        check,
        status: Status::Finding,
        severity,
        subject: who.map_or(Subject::Office, |who| Subject::Handset(who.id)),
        who,
        sentence: "a stranger did something".to_owned(),
        evidence: Vec::new(),
        count: 1,
        first: office.now,
    }
}

fn attack(office: &mut Office, calls: u64) {
    for n in 0..calls {
        office.after(Span::seconds(60)).talk(0, risky("SO", 252_612_000_000 + n * 20_011), Span::seconds(30));
    }
}

/// The first page for calls.
fn page(office: &Office) -> Option<&Finding> {
    let calls = |a: &&Alert| a.finding.severity > Severity::Info && a.finding.calls > 0;
    office.told.iter().find(calls).map(|alert| &alert.finding)
}

#[test]
fn a_scan_of_the_office_makes_the_next_page_critical_and_is_told() {
    let mut plain = Office::settled();
    plain.at(saturday(2, 0));
    attack(&mut plain, 2);
    assert_eq!(page(&plain).unwrap().severity, Severity::Warning);

    let mut office = Office::settled();
    office.at(saturday(1, 0));
    office.judge.note_finding(&finding(&office, Check::Scanner, Severity::Warning, None));
    office.at(saturday(2, 0));
    attack(&mut office, 2);
    let page = page(&office).unwrap();
    assert_eq!((page.severity, page.calls), (Severity::Critical, 2));
    let told = "; earlier, somebody searched the network for SIP devices or extensions (Sat 21 Nov 01:00)";
    assert!(page.sentence.ends_with(told), "{}", page.sentence);
    assert!(page.reasons.last().unwrap().starts_with("Earlier steps of an attack: somebody searched"));
    let chain = page.evidence.iter().find(|(name, _)| name == "chain").unwrap();
    assert_eq!(chain.1, Evidence::Word("scan 2026-11-21T01:00:00.000000Z".to_owned()));
}

#[test]
fn one_odd_call_pages_if_a_stranger_was_after_this_handset_and_no_other() {
    for (who, pages) in [(0, true), (1, false)] {
        let mut office = Office::settled();
        office.at(saturday(1, 0));
        office.judge.note_finding(&finding(&office, Check::DigestLeak, Severity::Critical, Some(who)));
        assert_eq!(office.raised(), 0, "a link alone raises nothing");
        office.at(saturday(2, 0));
        attack(&mut office, 1);
        assert_eq!(page(&office).is_some(), pages);
    }
}

#[test]
fn an_ordinary_call_after_a_leak_pages_nobody() {
    let mut office = Office::settled();
    office.at(monday(10, 0));
    office.judge.note_finding(&finding(&office, Check::DigestLeak, Severity::Critical, Some(0)));
    office.after(Span::HOUR).talk(0, national(442_079_460_000), Span::MINUTE);
    office.after(Span::HOUR).talk(0, abroad("FR", 33_140_000_000), Span::MINUTE);
    assert!(page(&office).is_none());
}

#[test]
fn test_calls_are_told_with_the_burst_of_a_later_night() {
    let mut office = Office::settled();
    office.at(saturday(2, 0)).talk(0, risky("SO", 252_612_000_000), Span::seconds(5));
    assert!(page(&office).is_none());
    office.at(saturday(2, 0).plus(Span::days(2)));
    attack(&mut office, 3);
    let page = page(&office).unwrap();
    assert_eq!(page.severity, Severity::Critical);
    assert!(page.sentence.contains("a single odd call was placed, as a test (Sat 21 Nov 02:00)"), "{page:?}");
}

#[test]
fn what_somebody_accepted_is_no_step_of_an_attack() {
    let mut office = Office::settled();
    office.at(saturday(2, 0));
    attack(&mut office, 2);
    let alert = office.told.last().unwrap().clone();
    let until = office.now.plus(Span::MINUTE);
    assert!(
        office
            .judge
            .handle_command(Command::Acknowledge { id: alert.id, until, why: String::new() }, office.now)
    );
    office.rest(Span::hours(13));
    let told = office.told.len();
    attack(&mut office, 2);
    let again = office.told[told..].iter().find(|a| a.state == AlertState::Raised).unwrap();
    assert!(!again.finding.sentence.contains("earlier"), "{}", again.finding.sentence);
}

#[test]
fn a_new_device_after_guessed_passwords_is_critical() {
    let mut office = Office::settled();
    office.at(saturday(1, 0));
    let mut guessed = finding(&office, Check::BruteForce, Severity::Warning, None);
    guessed.evidence.push(("account".into(), Evidence::Word("200".to_owned())));
    office.judge.note_finding(&guessed);
    office.at(saturday(2, 0));
    let before = office.judge.before_finding(&finding(&office, Check::NewDevice, Severity::Warning, Some(0)));
    assert_eq!(before.iter().map(|step| step.link).collect::<Vec<_>>(), [Link::BruteForce]);
    assert!(
        office
            .judge
            .before_finding(&finding(&office, Check::NewDevice, Severity::Warning, Some(1)))
            .is_empty()
    );
}

#[test]
fn a_handset_that_hides_its_calls_pages_and_is_critical_if_somebody_was_after_it() {
    for (hunted, severity) in [(false, Severity::Warning), (true, Severity::Critical)] {
        let mut office = Office::settled();
        office.at(saturday(1, 0));
        if hunted {
            office.judge.note_finding(&finding(&office, Check::DigestLeak, Severity::Critical, Some(0)));
        }
        let who = office.handsets[0];
        let fact = Fact::ClearSipDrop { time: office.now, who, usual: 96, last: 3, encrypted: true };
        for _ in 0..2 {
            office.judge.handle_fact(&fact, office.now);
            office.drain();
        }
        let [alert] = &office.told[..] else { panic!("{:?}", office.told) };
        assert_eq!((alert.finding.severity, alert.finding.calls), (severity, 0));
        let said = "handset 200 (Reception) has gone over to encrypted SIP: it used to send 96 SIP messages in clear \
                    a day and sends none now; its calls can no longer be seen from here";
        assert!(alert.finding.sentence.starts_with(said), "{}", alert.finding.sentence);
        assert_eq!(alert.finding.sentence.contains("earlier"), hunted);
        // It isn't suspected of calls: those that are seen are still learnt from.
        assert!(office.judge.suspects.is_empty());
    }
}
