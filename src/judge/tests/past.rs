//! What is learnt of the past by a judge that watches already.

use super::*;

/// Steps of past calls: for six weeks, handset 3 calls France each working day, handset 4 at home.
fn history() -> Vec<CallFact> {
    let mut steps = Vec::new();
    for day in (1..=42).rev() {
        let at = monday(10, 0).minus(Span::days(day + 1));
        for (handset, target) in
            [(3, abroad("FR", 33_140_000_000 + day.unsigned_abs() % 3)), (4, national(442_079_460_100))]
        {
            let mut office = Office::new();
            office.at(at);
            office.dial(handset, target);
            let no = CallNo(1_000_000 + steps.len() as u64);
            let dialled = CallFact { call: no, ..office.calls[0] };
            let answered =
                CallFact { state: CallState::Answered, time: at.plus(Span::seconds(8)), ..dialled };
            let (state, time, talked) = (CallState::Ended, at.plus(Span::minutes(5)), Span::minutes(4));
            steps.extend([dialled, answered, CallFact { state, time, talked, ..answered }]);
        }
    }
    steps
}

fn know(office: &mut Office, steps: &[CallFact]) -> usize {
    let mut past = office.judge.past(office.now);
    let taken = steps.iter().filter(|step| past.learn(step)).count();
    office.judge.know_past(&past);
    taken
}

/// The odds of an ordinary and an odd call of each handset, as numbers near each other.
fn odds(office: &mut Office) -> Vec<(i64, i64, i64)> {
    let mut odds = Vec::new();
    office.at(monday(11, 0));
    for (handset, target) in [
        (3, abroad("FR", 33_140_000_001)),
        (3, abroad("LV", 37_167_000_001)),
        (4, abroad("FR", 33_140_000_001)),
        (5, risky("LV", 37_129_000_001)),
    ] {
        let call = office.dial(handset, target);
        let judged = office.judge.weighed(office.calls[call].call).unwrap().0;
        let near = |n: f32| (f64::from(n) * 100.0).round() as i64;
        odds.push((near(judged.score), near(judged.decades), near(judged.due)));
        office.after(Span::minutes(10));
        office.fail(call, 486);
        office.after(Span::hours(2));
    }
    odds
}

/// What is there before anything of the past is learnt: registrations, a day of calls at home.
fn present(office: &mut Office) {
    office.at(monday(9, 0));
    for n in 0..10 {
        let who = office.handsets[n];
        office.judge.handle_fact(&Fact::Registered { time: office.now, who }, office.now);
        office.talk(n, national(442_079_460_100 + n as u64), Span::minutes(1));
    }
}

#[test]
fn the_past_learnt_late_is_as_good_as_learnt_first() {
    let steps = history();
    let mut first = Office::new();
    steps.iter().for_each(|step| first.judge.learn(&Fact::Call(*step)));
    present(&mut first);
    let mut late = Office::new();
    present(&mut late);
    let mut never = Office::new();
    present(&mut never);
    assert_eq!(know(&mut late, &steps), steps.len());
    assert!(late.told.is_empty(), "nothing is raised");

    let report = |office: &Office| {
        let report = office.judge.learning_report(office.now).unwrap();
        report.iter().map(|one| (one.who.user, one.countries.clone())).collect::<Vec<_>>()
    };
    assert_eq!(report(&late), report(&first));
    assert_eq!(report(&late).len(), 1, "{:?}", report(&late));
    assert!(never.judge.learning_report(never.now).is_none(), "it is too young for one");

    let (first, late, never) = (odds(&mut first), odds(&mut late), odds(&mut never));
    let apart = |a: &[(i64, i64, i64)], b: &[(i64, i64, i64)]| {
        let each = a.iter().zip(b).flat_map(|(a, b)| [a.0 - b.0, a.1 - b.1, a.2 - b.2]);
        each.map(i64::abs).max().unwrap()
    };
    assert!(apart(&first, &late) <= 2, "{first:?}\n{late:?}");
    assert!(apart(&first, &never) > 20, "the past says something: {first:?}\n{never:?}");
}

#[test]
fn nothing_is_learnt_twice_nor_out_of_order_nor_of_the_future() {
    let steps = history();
    let mut office = Office::new();
    present(&mut office);
    assert_eq!(know(&mut office, &steps), steps.len());
    assert_eq!(know(&mut office, &steps), 0, "known already");
    let mut backwards = steps.clone();
    backwards.reverse();
    let mut other = Office::new();
    present(&mut other);
    assert!(know(&mut other, &backwards) < steps.len());
    let mut blank = Office::new();
    blank.at(monday(9, 0).minus(Span::days(21)));
    let taken = know(&mut blank, &steps);
    assert!(taken > 0 && taken < steps.len(), "{taken}: what is to come can't be known");
}

#[test]
fn an_attack_that_is_under_way_stays_one() {
    let steps = history();
    let mut office = Office::new();
    present(&mut office);
    for n in 0..12 {
        office.dial(5, risky("LV", 37_129_000_001 + n));
        office.after(Span::seconds(20));
    }
    let before = office.judge.open_alerts(office.now);
    assert!(!before.is_empty());
    know(&mut office, &steps);
    office.rest(Span::seconds(1));
    let after = office.judge.open_alerts(office.now);
    let short = |all: &[Alert]| all.iter().map(|a| (a.id, a.since, a.finding.calls)).collect::<Vec<_>>();
    assert_eq!(short(&after), short(&before));
    assert!(!office.told.iter().any(|alert| alert.state == AlertState::Cleared));
}
