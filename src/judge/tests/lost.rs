//! Facts that never came.

use super::*;

#[test]
fn a_call_whose_end_was_lost_costs_no_more() {
    let mut office = Office::settled();
    let lost = office.dial(3, abroad("FR", 33_140_000_001));
    office.after(Span::seconds(8));
    office.answer(lost);
    let kept = office.dial(4, abroad("FR", 33_140_000_002));
    office.after(Span::seconds(8));
    office.answer(kept);
    office.rest(Span::minutes(2));
    // The sensor saw the end of the first; the judge didn't.
    let fact = CallFact { state: CallState::Ended, ..office.calls[lost] };
    office.close(&fact);
    assert_eq!(office.judge.facts_lost(office.now), 1);
    assert_eq!(office.judge.facts_lost(office.now), 0, "the other is up");
    office.rest(Span::minutes(30));
    let spent = |office: &Office, handset: usize| {
        let id = office.handsets[handset].id;
        office.judge.baseline.handset(id).unwrap().spend[0].sums(office.now)[1]
    };
    assert_eq!(spent(&office, 3), 200_000, "2 minutes");
    assert!(spent(&office, 4) >= 3_000_000, "{}", spent(&office, 4));
    // An end that comes late after all is charged in full.
    let talked = Span::minutes(5);
    office.fact(CallFact { talked, time: office.now, ..fact });
    assert_eq!(spent(&office, 3), 500_000);
}

#[test]
fn a_flood_of_which_most_was_lost_is_seen_by_the_counts() {
    let mut office = Office::settled();
    // One call leaves much room below the ceilings.
    office.dial(3, abroad("FR", 33_140_000_001));
    let key = |account| Row { account, group: Group::Overseas };
    for _ in 0..5_000 {
        office.ledger.attempt(key(Account::Office), office.now);
        office.ledger.attempt(key(Account::Handset(office.handsets[3].id)), office.now);
    }
    office.judge.facts_lost(office.now);
    office.after(Span::seconds(1));
    office.dial(3, abroad("FR", 33_140_000_002));
    let ceilings = |alert: &&Alert| {
        matches!(alert.finding.rule.rule(), Some(Rule::HandsetCeiling | Rule::OfficeCeiling))
    };
    assert!(office.told.iter().any(|alert| ceilings(&alert)), "{:?}", office.told);
}
