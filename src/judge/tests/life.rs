//! An incident's life: raised, updated, accepted, cleared.

use super::*;

fn attack(office: &mut Office, from: u64, calls: u64) {
    for n in from..from + calls {
        office.after(Span::seconds(60)).talk(0, risky("SO", 252_612_000_000 + n * 20_011), Span::seconds(30));
    }
}

#[test]
fn it_is_raised_updated_and_cleared_under_one_number() {
    let mut office = Office::settled();
    office.at(saturday(2, 0));
    attack(&mut office, 0, 30);
    office.rest(Span::hours(11));
    assert_eq!(office.pages().last().unwrap().0, AlertState::Updated);
    office.rest(Span::hours(2));
    let states: Vec<AlertState> = office.pages().iter().map(|(state, ..)| *state).collect();
    assert_eq!(states.first(), Some(&AlertState::Raised));
    assert_eq!(states.last(), Some(&AlertState::Cleared));
    assert!(states[1..states.len() - 1].iter().all(|s| *s == AlertState::Updated));
    let last = office.told.last().unwrap();
    let pages = office.told.iter().filter(|a| a.finding.severity > Severity::Info);
    assert!(pages.clone().all(|a| a.id == last.id && a.since == pages.clone().next().unwrap().time));
    assert_eq!((last.finding.calls, last.finding.severity), (30, Severity::Critical));
    // 30 calls of 30 s at a pound a minute.
    assert_eq!(last.finding.exposure.amount, 15_000_000);
    assert_eq!((last.finding.exposure.low, last.finding.exposure.high), (7_500_000, 30_000_000));
    assert!(office.judge.open_alerts(office.now).is_empty());
}

#[test]
fn it_clears_at_its_own_moment_however_late_the_tick_comes() {
    let mut late = Office::settled();
    late.at(saturday(2, 0));
    attack(&mut late, 0, 3);
    let mut often = Office::settled();
    often.at(saturday(2, 0));
    attack(&mut often, 0, 3);
    late.rest(Span::days(3));
    for _ in 0..3 * 24 * 60 {
        often.rest(Span::minutes(1));
    }
    assert_eq!(late.told, often.told);
}

#[test]
fn money_of_open_calls_runs_on_and_updates() {
    let mut office = Office::settled();
    office.at(saturday(2, 0));
    for n in 0..2 {
        let call = office.after(Span::seconds(30)).dial(0, risky("SO", 252_612_000_000 + n * 20_011));
        office.answer(call);
    }
    assert_eq!(office.raised(), 1);
    office.rest(Span::minutes(30));
    let updated = office.told.iter().rfind(|a| a.state == AlertState::Updated).unwrap();
    assert!(updated.finding.exposure.amount >= 10_000_000, "{:?}", updated.finding.exposure);
    let open = office.judge.open_alerts(office.now);
    assert_eq!(open.iter().filter(|a| a.finding.severity > Severity::Info).count(), 1);
    assert!(open.last().unwrap().finding.exposure.amount >= 59_000_000);
    // Calls that are up keep the incident open.
    office.rest(Span::hours(20));
    assert!(office.pages().iter().all(|(state, ..)| *state != AlertState::Cleared));
}

#[test]
fn what_is_accepted_is_silent_until_it_gets_worse_or_the_time_is_up() {
    let mut office = Office::settled();
    office.at(saturday(2, 0));
    attack(&mut office, 0, 2);
    let id = office.told.last().unwrap().id;
    let until = office.now.plus(Span::days(2));
    let accept = |id| Command::Acknowledge { id, until, why: "our test".to_owned() };
    assert!(!office.judge.handle_command(accept(999), office.now));
    assert!(office.judge.handle_command(accept(id), office.now));
    let told = office.pages().len();
    attack(&mut office, 2, 2);
    assert_eq!(office.pages().len(), told);
    // Its severity rises.
    attack(&mut office, 4, 20);
    assert_eq!(office.pages().len(), told + 1);
    assert_eq!(office.pages().last().unwrap().2, Severity::Critical);
    assert_eq!(office.told.last().unwrap().accepted_until, Some(until));
    // Cleared, and raised again, because it was accepted as a warning.
    office.rest(Span::hours(13));
    assert_eq!(office.pages().last().unwrap().0, AlertState::Cleared);
    office.at(until.plus(Span::hours(4)));
    attack(&mut office, 100, 2);
    assert_eq!(office.pages().last().unwrap().0, AlertState::Raised);
}

#[test]
fn a_second_attack_on_the_same_handset_is_seen_like_the_first() {
    let mut office = Office::settled();
    office.at(saturday(2, 0));
    attack(&mut office, 0, 10);
    office.rest(Span::days(1));
    assert_eq!(office.pages().last().unwrap().0, AlertState::Cleared);
    let before = office.raised();
    office.at(saturday(2, 0).plus(Span::days(21)));
    attack(&mut office, 0, 2);
    assert_eq!(office.raised(), before + 1);
}

#[test]
fn the_deciding_call_is_the_last_of_at_most_twenty() {
    let mut office = Office::settled();
    office.at(saturday(2, 0));
    for n in 0..100 {
        let told = office.told.len();
        office.after(Span::seconds(10)).dial(0, risky("SO", 252_612_000_000 + n * 20_011));
        for alert in &office.told[told..] {
            assert!(alert.finding.samples.len() <= 20);
            assert_eq!(alert.finding.samples.last().unwrap().call_id, office.calls.last().unwrap().call_id);
        }
    }
}

#[test]
fn the_sentence_says_who_where_how_many_and_how_much() {
    let mut office = Office::settled();
    office.at(saturday(2, 0));
    attack(&mut office, 0, 6);
    let sentence = &office.told.last().unwrap().finding.sentence;
    assert_eq!(
        sentence,
        "handset 200 (Reception) placed 6 calls to Somalia in 8 min out of office hours; usually none; \
         about GBP 2.50 so far, GBP 15 an hour if it goes on"
    );
}

#[test]
fn what_was_accepted_is_raised_again_when_the_time_is_up() {
    let mut office = Office::settled();
    office.at(saturday(2, 0));
    attack(&mut office, 0, 2);
    let id = office.told.last().unwrap().id;
    let until = office.now.plus(Span::hours(14));
    let accept = Command::Acknowledge { id, until, why: "our test".to_owned() };
    assert!(office.judge.handle_command(accept, office.now));
    office.rest(Span::hours(13));
    assert_eq!(office.pages().last().unwrap().0, AlertState::Cleared);
    attack(&mut office, 2, 2);
    assert_eq!(office.raised(), 1);
    office.at(until);
    attack(&mut office, 4, 1);
    let last = office.told.last().unwrap();
    assert_eq!((last.state, last.finding.calls, last.id > id), (AlertState::Raised, 3, true));
}

#[test]
fn settings_are_swapped_while_incidents_are_open() {
    let mut office = Office::settled();
    office.at(saturday(2, 0));
    attack(&mut office, 0, 2);
    let mut settings = Settings::default();
    settings.alert.hold = Span::hours(1);
    assert!(office.judge.handle_command(Command::Reload(Box::new(settings), prices()), office.now));
    office.rest(Span::minutes(61));
    assert_eq!(office.pages().last().unwrap().0, AlertState::Cleared);
}

#[test]
fn three_decades_more_of_evidence_are_told_and_less_is_not() {
    use crate::alert::book::Gist;
    let mut book = Book::new(alert::Settings::default());
    let mut office = Office::settled();
    office.at(saturday(2, 0));
    attack(&mut office, 0, 2);
    let finding = office.told.last().unwrap().finding.clone();
    let key = Key { subject: finding.subject, cause: alert::Cause::Toll };
    let now = office.now;
    let mut tell = |evidence| {
        let gist = Gist { severity: Severity::Warning, calls: 2, amount: 0, evidence };
        book.report(key, gist, now, || finding.clone()).map(|alert| alert.state)
    };
    assert_eq!(tell(800), Some(AlertState::Raised));
    assert_eq!(tell(1_099), None);
    assert_eq!(tell(1_100), Some(AlertState::Updated));
    assert_eq!(tell(1_399), None);
    assert_eq!(tell(400), None);
    assert_eq!(tell(1_400), Some(AlertState::Updated));
}
