//! The whole office: attacks spread over many handsets, and one page instead of forty.

use super::*;

#[test]
fn office_ceiling_adds_up_what_no_handset_shows() {
    let mut office = Office::settled();
    office.at(monday(10, 0));
    for n in 0..12 {
        assert_eq!(office.pages(), [], "after {n}");
        let handset = usize::try_from(n).unwrap();
        let country = ["FR", "DE", "ES", "IT", "NL", "BE", "PL", "SE", "NO", "DK", "FI", "PT"][handset];
        office.after(Span::seconds(4)).dial(handset, abroad(country, 37_160_000_000 + n * 111_111));
    }
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::OfficeCeiling, Severity::Warning, 12)]);
    assert_eq!(office.told.last().unwrap().finding.subject, Subject::Office);
}

#[test]
fn risky_calls_of_several_handsets_at_night_are_one_incident_of_the_office() {
    let mut office = Office::settled();
    office.at(saturday(2, 0));
    for n in 0..3 {
        assert_eq!(office.pages(), [], "after {n}");
        office
            .after(Span::minutes(4))
            .dial(usize::try_from(n).unwrap(), risky("SO", 252_612_000_000 + n * 20_011));
    }
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::OutOfHours, Severity::Warning, 3)]);
    // More handsets, more calls: no more incidents.
    for n in 0..40 {
        let handset = usize::try_from(n % 20).unwrap();
        office.after(Span::minutes(1)).dial(handset, risky("SO", 252_613_000_000 + n * 20_011));
    }
    assert_eq!(office.raised(), 1);
}

#[test]
fn a_crowd_of_handsets_makes_one_incident_of_the_office() {
    let mut office = Office::settled();
    office.at(monday(11, 0));
    // Each handset forwards to a risky number: each would be an incident of its own.
    for n in 0..30u32 {
        let number = 252_612_000_000 + u64::from(n) * 20_011;
        office
            .after(Span::seconds(50))
            .dial_as(usize::try_from(n).unwrap(), risky("SO", number), |f| f.cause = Made::Forwarded);
    }
    assert_eq!(office.raised(), 4);
    let last = office.told.iter().rfind(|a| a.finding.severity > Severity::Info).unwrap();
    assert_eq!(last.finding.subject, Subject::Office);
    assert!(last.finding.sentence.starts_with("the office"), "{}", last.finding.sentence);
}

#[test]
fn one_attacking_handset_is_not_two_incidents() {
    let mut office = Office::settled();
    office.at(saturday(2, 0));
    for n in 0..200 {
        office.after(Span::seconds(5)).dial(0, risky("SO", 252_612_000_000 + n * 20_011));
    }
    assert_eq!(office.raised(), 1);
    // Raised, then by ever more calls: not once a call.
    assert!(office.pages().len() <= 8, "{:?}", office.pages());
}

#[test]
fn where_there_is_no_room_handsets_join_the_office_and_notices_wait() {
    let mut settings = Settings::default();
    settings.alert.open = 6;
    settings.alert.crowd = 1_000;
    let mut office = Office::with(settings);
    office.at(saturday(2, 0));
    for n in 0..60 {
        let handset = usize::try_from(n / 2).unwrap();
        office.after(Span::minutes(90)).dial(handset, premium(449_090_000_000 + n * 20_011));
        office.after(Span::minutes(1)).dial(handset, premium(449_090_500_000 + n * 20_011));
        let open = office.judge.open_alerts(office.now);
        assert!(open.iter().filter(|a| a.finding.severity > Severity::Info).count() <= 6);
        assert!(open.iter().filter(|a| a.finding.severity == Severity::Info).count() <= 6);
    }
    assert!(office.told.iter().any(|a| a.finding.subject == Subject::Office));
}

#[test]
fn notices_that_find_no_room_are_counted() {
    let mut settings = Settings::default();
    settings.alert.open = 6;
    let mut office = Office::with(settings);
    office.at(saturday(2, 0));
    for n in 0..9u32 {
        let number = 449_090_000_000 + u64::from(n) * 20_011;
        office.after(Span::minutes(80)).dial(usize::try_from(n).unwrap(), premium(number));
    }
    assert_eq!(office.told.len(), 6);
    assert!(office.judge.evicted().contains(&("judge_incidents", 3)));
}

#[test]
fn an_incident_of_the_whole_office_hides_no_attack_on_one_handset() {
    let mut office = Office::settled();
    office.at(monday(17, 0));
    for n in 0..12 {
        let handset = usize::try_from(n).unwrap();
        let country = ["FR", "DE", "ES", "IT", "NL", "BE", "PL", "SE", "NO", "DK", "FI", "PT"][handset];
        office.after(Span::seconds(4)).dial(handset, abroad(country, 37_160_000_000 + n * 111_111));
    }
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::OfficeCeiling, Severity::Warning, 12)]);
    office.at(monday(23, 0));
    for n in 0..3 {
        office.after(Span::minutes(2)).dial(50, risky("SO", 252_612_000_000 + n * 11));
    }
    let raised = office.told.iter().filter(|alert| alert.state == AlertState::Raised);
    let own = raised.filter(|alert| alert.finding.severity > Severity::Info);
    let subjects: Vec<Subject> = own.map(|alert| alert.finding.subject).collect();
    assert_eq!(subjects, [Subject::Office, Subject::Handset(office.handsets[50].id)]);
}
