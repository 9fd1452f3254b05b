//! What is learnt survives a restart.

use super::*;

#[test]
fn what_was_learnt_is_known_after_a_restart_and_numbers_go_on() {
    let mut before = Office::settled();
    for day in 0..5 {
        before.at(monday(10, 0).plus(Span::days(day)));
        for n in 0..4 {
            before.after(Span::minutes(20)).talk(
                0,
                abroad("FR", 33_140_000_000 + n * 50_021),
                Span::minutes(3),
            );
        }
    }
    let snapshot = before.judge.snapshot();
    let kept = postcard::to_stdvec(&snapshot).unwrap();
    let mut after = Office::new();
    after.judge.restore(postcard::from_bytes(&kept).unwrap());
    assert!(postcard::to_stdvec(&after.judge.snapshot()).unwrap() == kept);
}

#[test]
fn a_hostile_snapshot_gives_a_judge_that_knows_less() {
    let mut office = Office::new();
    office.judge.restore(Snapshot::default());
    let text = serde_json::to_string(&Office::settled().judge.snapshot()).unwrap();
    for (honest, hostile) in [("\"hours\":[", "\"hours\":[-1.0,"), ("\"unit\":1.0", "\"unit\":1e300")] {
        if let Ok(snapshot) = serde_json::from_str(&text.replace(honest, hostile)) {
            office.judge.restore(snapshot);
        }
    }
    office.at(saturday(2, 0));
    for n in 0..4 {
        office.after(Span::minutes(1)).talk(0, risky("SO", 252_612_000_000 + n), Span::SECOND);
    }
    assert_eq!(office.raised(), 1);
}
