//! Each rule: when it speaks, and when it doesn't.

use super::*;

#[test]
fn out_of_hours_pages_at_the_second_premium_call() {
    let mut office = Office::settled();
    office.at(saturday(2, 0)).talk(0, premium(449_090_000_001), Span::minutes(2));
    assert_eq!(office.pages(), []);
    assert_eq!(office.told.len(), 1);
    assert_eq!(office.told[0].finding.severity, Severity::Info);
    office.after(Span::minutes(10)).dial(0, premium(449_090_000_002));
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::OutOfHours, Severity::Warning, 2)]);
}

#[test]
fn out_of_hours_leaves_premium_calls_by_day_alone() {
    let mut office = Office::settled();
    for n in 0..3 {
        office.at(monday(10 + n, 0)).talk(0, premium(449_090_000_001 + n.unsigned_abs()), Span::minutes(2));
    }
    assert_eq!(office.pages(), []);
}

#[test]
fn out_of_hours_pages_for_the_third_call_abroad_within_half_an_hour_in_a_new_installation() {
    let mut office = Office::new();
    office.at(saturday(2, 0));
    for n in 0..2 {
        office.after(Span::seconds(40)).dial(0, abroad("LV", 37_160_000_000 + n * 70_001));
    }
    assert_eq!(office.pages(), []);
    office.after(Span::seconds(40)).dial(0, abroad("LV", 37_169_999_999));
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::OutOfHours, Severity::Warning, 3)]);
}

#[test]
fn a_late_worker_who_calls_three_customers_abroad_pages_nobody() {
    let mut office = Office::settled();
    office.at(monday(18, 20));
    for n in 0..3 {
        office.after(Span::minutes(3)).talk(
            0,
            abroad("US", 12_125_550_000 + n * 1_010_101),
            Span::minutes(4),
        );
    }
    assert_eq!(office.pages(), []);
}

#[test]
fn first_country_needs_a_second_call_at_night() {
    let mut office = Office::settled();
    office.at(saturday(3, 0)).talk(0, abroad("TW", 886_212_345_678), Span::minutes(5));
    assert_eq!(office.pages(), []);
    assert_eq!(office.told.last().unwrap().finding.rule, Rule::FirstCountry);
    office.after(Span::hours(3)).dial(0, abroad("TW", 886_212_345_678));
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::FirstCountry, Severity::Warning, 2)]);
}

#[test]
fn first_country_is_info_by_day_and_in_the_first_week() {
    let mut office = Office::settled();
    office.at(monday(10, 0));
    for n in 0..3 {
        office.after(Span::minutes(4)).talk(0, abroad("TW", 886_212_345_678 + n * 99_991), Span::minutes(2));
    }
    assert_eq!(office.pages(), []);
    let mut new = Office::new();
    new.at(saturday(3, 0)).talk(0, abroad("TW", 886_212_345_678), Span::minutes(5));
    new.after(Span::hours(3)).dial(0, abroad("TW", 886_212_345_678));
    assert_eq!(new.pages(), []);
}

#[test]
fn first_country_knows_a_country_the_day_after() {
    let mut office = Office::settled();
    office.at(monday(10, 0)).talk(1, abroad("TW", 886_212_345_678), Span::minutes(5));
    office.at(saturday(3, 0));
    for n in 0..2 {
        office.after(Span::hours(3)).talk(0, abroad("TW", 886_299_999_999 + n * 100_000), Span::minutes(5));
    }
    assert_eq!(office.pages(), []);
}

#[test]
fn numbers_that_no_plan_knows_page_nobody_by_themselves() {
    let mut office = Office::settled();
    office.at(saturday(3, 0));
    for n in 0..2 {
        let mut target =
            target(Class::Overseas, Kind::Invalid, Group::Risky, "FR", 33_999_999_990 + n, Risk::Low);
        target.exact = false;
        office.after(Span::minutes(2)).dial(0, target);
    }
    assert_eq!(office.told, []);
}

#[test]
fn handset_ceiling_counts_by_group_and_window() {
    let mut office = Office::settled();
    office.at(monday(10, 0));
    for n in 0..19 {
        office.after(Span::seconds(3)).dial(0, national(442_079_460_000 + n));
        office.after(Span::ZERO).dial(1, national(442_079_460_000 + n));
    }
    assert_eq!(office.told, []);
    office.after(Span::seconds(3)).dial(0, national(442_079_460_999));
    let page = office.pages();
    assert_eq!(page, [(AlertState::Raised, Rule::HandsetCeiling, Severity::Warning, 20)]);
    assert_eq!(office.told[0].finding.samples.len(), 20);
}

#[test]
fn handset_ceiling_gives_a_trunk_the_offices_room() {
    let mut office = Office::settled();
    office.at(monday(10, 0));
    for n in 0..60 {
        office
            .after(Span::seconds(1))
            .dial_as(0, national(442_079_460_000 + n), |fact| fact.leg = Leg::Trunk);
    }
    assert_eq!(office.told, []);
}

#[test]
fn forwarding_to_a_risky_number_pages_at_once_and_abroad_it_is_info() {
    let mut office = Office::settled();
    office.at(monday(10, 0)).dial_as(0, abroad("FR", 33_140_000_000), |f| f.cause = Made::Forwarded);
    assert_eq!(office.pages(), []);
    assert!(office.told.iter().any(|a| a.finding.rule == Rule::Forwarding));
    office.after(Span::hours(1)).dial_as(1, risky("SO", 252_612_345_678), |f| f.cause = Made::Transferred);
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::Forwarding, Severity::Warning, 1)]);
}

#[test]
fn forwarding_set_up_by_a_feature_code_counts_as_forwarding() {
    let mut office = Office::settled();
    let code = target(Class::Feature, Kind::ForwardTo, Group::Free, "SO", 252_612_345_678, Risk::High);
    office.at(monday(10, 0)).dial_as(0, code, |f| f.direction = Direction::Internal);
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::Forwarding, Severity::Warning, 1)]);
}

#[test]
fn number_block_takes_five_numbers_by_day_and_three_at_night() {
    let mut day = Office::settled();
    // A country that the office knows.
    day.at(monday(9, 0)).talk(9, abroad("FR", 33_199_990_000), Span::minutes(1));
    day.at(monday(9, 0).plus(Span::days(2)));
    for n in 0..5 {
        assert_eq!(day.pages(), [], "after {n} numbers");
        day.after(Span::minutes(30)).talk(0, abroad("FR", 33_140_000_000 + n), Span::minutes(3));
    }
    assert_eq!(day.pages(), [(AlertState::Raised, Rule::NumberBlock, Severity::Warning, 5)]);
    let mut night = Office::settled();
    night.at(monday(9, 0)).talk(9, abroad("FR", 33_199_990_000), Span::minutes(1));
    night.at(saturday(1, 0));
    for n in 0..3 {
        assert_eq!(night.pages(), [], "after {n} numbers");
        night.after(Span::minutes(40)).talk(0, abroad("FR", 33_140_000_000 + n), Span::SECOND);
    }
    assert_eq!(night.pages(), [(AlertState::Raised, Rule::NumberBlock, Severity::Warning, 3)]);
}

#[test]
fn number_block_takes_two_numbers_where_nobody_calls() {
    let mut night = Office::new();
    let mut day = Office::new();
    for n in 0..2 {
        assert_eq!((night.pages(), day.pages()), (vec![], vec![]));
        night.at(saturday(1, 20 * i64::from(n == 1))).dial(0, abroad("FR", 33_140_000_000 + n));
        day.at(monday(11, 20 * i64::from(n == 1))).dial(0, risky("SO", 252_612_000_000 + n));
    }
    assert_eq!(night.pages(), [(AlertState::Raised, Rule::NumberBlock, Severity::Warning, 2)]);
    assert_eq!(day.pages(), [(AlertState::Raised, Rule::NumberBlock, Severity::Warning, 2)]);
}

#[test]
fn prefix_probe_wants_three_variants_of_one_number() {
    let mut office = Office::settled();
    office.at(monday(11, 0));
    for (n, stem) in ["9", "9", "0", "99"].into_iter().enumerate() {
        assert_eq!(office.pages(), [], "after {n}");
        let mut probe =
            target(Class::Suspect, Kind::PrefixProbe, Group::Suspect, "LV", 37_160_000_000, Risk::Low);
        probe.exact = false;
        let dialled = Text::from(format!("{stem}0037160000000").as_str());
        office.after(Span::seconds(20)).dial_as(0, probe, |fact| fact.dialled = dialled);
    }
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::PrefixProbe, Severity::Warning, 4)]);
}

#[test]
fn concurrent_counts_what_is_up() {
    let mut office = Office::settled();
    office.at(monday(11, 0));
    for n in 0..4 {
        assert_eq!(office.pages(), [], "after {n}");
        let call = office.after(Span::minutes(5)).dial(0, abroad("TW", 886_212_000_000 + n * 110_000));
        office.answer(call);
    }
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::Concurrent, Severity::Warning, 4)]);
    let mut one_by_one = Office::settled();
    one_by_one.at(monday(11, 0));
    for n in 0..4 {
        one_by_one.after(Span::minutes(5)).talk(
            0,
            abroad("TW", 886_212_000_000 + n * 110_000),
            Span::minutes(4),
        );
    }
    assert_eq!(one_by_one.pages(), []);
}

#[test]
fn long_calls_are_judged_while_they_run() {
    let mut office = Office::settled();
    office.at(monday(10, 0));
    let first = office.dial(0, risky("SO", 252_612_345_678));
    office.answer(first);
    office.after(Span::minutes(1));
    let second = office.dial(0, risky("SO", 252_699_999_999));
    office.answer(second);
    office.rest(Span::minutes(18));
    assert_eq!(office.pages(), []);
    office.rest(Span::minutes(3));
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::LongCall, Severity::Warning, 2)]);
    assert!(office.told.last().unwrap().finding.exposure.amount >= 39_000_000);
}

#[test]
fn one_long_call_alone_is_info() {
    let mut office = Office::settled();
    let call = office.at(monday(10, 0)).dial(0, risky("SO", 252_612_345_678));
    office.answer(call);
    office.rest(Span::hours(3));
    assert_eq!(office.pages(), []);
    assert!(office.told.iter().any(|a| a.finding.rule == Rule::LongCall));
}

#[test]
fn spending_is_judged_while_calls_run() {
    let mut office = Office::settled();
    office.at(monday(10, 0));
    for n in 0..2 {
        let call = office.after(Span::minutes(1)).dial(0, premium(449_090_000_001 + n * 50_000));
        office.answer(call);
    }
    office.rest(Span::minutes(19));
    assert_eq!(office.pages().len(), 0);
    office.rest(Span::minutes(20));
    assert!(office.pages().iter().any(|(_, rule, ..)| matches!(rule, Rule::Spend | Rule::LongCall)));
}

#[test]
fn re_used_call_ids_page_at_the_third_number() {
    let mut office = Office::settled();
    office.at(monday(10, 0));
    for n in 0..3 {
        assert_eq!(office.pages(), []);
        office
            .after(Span::minutes(10))
            .dial_as(0, abroad("FR", 33_140_000_000 + n * 100_000), |fact| fact.call_id_reused = true);
    }
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::CallidReuse, Severity::Warning, 3)]);
}

#[test]
fn inbound_joined_free_and_allowed_calls_count_for_nobody() {
    let mut settings = Settings::default();
    settings.baseline.allowances = vec![baseline::excuse::Allowance {
        user: "203".to_owned(),
        regions: vec![Region::new("SO").unwrap()],
        until: None,
        why: "aid office".to_owned(),
    }];
    let mut office = Office::with(settings);
    office.at(saturday(2, 0));
    let emergency = target(Class::Emergency, Kind::Emergency, Group::Free, "GB", 999, Risk::Low);
    for n in 0..10 {
        let number = 252_612_340_000 + n;
        office
            .after(Span::seconds(30))
            .dial_as(0, risky("SO", number), |fact| fact.direction = Direction::Inbound);
        office.dial_as(1, risky("SO", number), |fact| fact.joined = true);
        office.dial(2, emergency);
        office.dial(3, risky("SO", number));
    }
    assert_eq!(office.told, []);
}

#[test]
fn overlap_dialling_extends_a_call_and_a_forwarded_one_counts_where_it_goes() {
    let mut office = Office::settled();
    office.at(monday(10, 0));
    let call = office.dial(0, abroad("LV", 3_716));
    for number in [37_160, 371_600, 37_160_000_000] {
        let mut longer = office.calls[call];
        longer.target = abroad("LV", number);
        office.fact(longer);
    }
    let first = office.told.first().unwrap();
    assert_eq!((office.told.len(), first.finding.calls), (1, 1));
    let home = office.after(Span::minutes(1)).dial(1, national(442_079_460_001));
    let mut forwarded = office.calls[home];
    forwarded.target = risky("SO", 252_612_345_678);
    forwarded.cause = Made::Forwarded;
    office.fact(forwarded);
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::Forwarding, Severity::Warning, 1)]);
}

#[test]
fn calls_that_somebody_else_places_are_not_up_for_ever() {
    let mut office = Office::settled();
    office.at(monday(10, 0));
    for n in 0..6 {
        office
            .after(Span::minutes(20))
            .dial_as(0, abroad("FR", 33_140_000_000 + n * 50_000), |fact| fact.cause = Made::Transferred);
    }
    assert_eq!(office.pages(), []);
}

#[test]
fn ordinary_calls_at_home_have_a_lower_ceiling_at_night() {
    for (start, calls) in [(saturday(2, 0), 8), (monday(10, 0), 20)] {
        let mut office = Office::settled();
        office.at(start);
        for n in 0..calls {
            assert_eq!(office.pages(), [], "after {n}");
            office.after(Span::seconds(2)).dial(0, national(442_079_460_000 + n));
        }
        assert_eq!(office.raised(), 1);
    }
}

#[test]
fn a_forwarding_that_is_keyed_in_at_night_pages() {
    let mut office = Office::settled();
    let code = |number| target(Class::Feature, Kind::ForwardTo, Group::Overseas, "FR", number, Risk::Low);
    office.at(monday(11, 0)).dial_as(0, code(33_612_345_678), |f| f.direction = Direction::Internal);
    assert_eq!(office.pages(), []);
    office.at(saturday(3, 0)).dial_as(1, code(33_699_999_999), |f| f.direction = Direction::Internal);
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::Forwarding, Severity::Warning, 1)]);
}

#[test]
fn concurrent_calls_to_one_number_out_of_hours_page_at_the_second() {
    let mut office = Office::new();
    office.at(monday(18, 30));
    let call = office.dial(0, abroad("TW", 886_227_001_234));
    office.answer(call);
    office.after(Span::minutes(10)).dial(0, abroad("TW", 886_227_001_234));
    assert_eq!(office.pages(), [(AlertState::Raised, Rule::Concurrent, Severity::Warning, 2)]);
}

#[test]
fn what_is_spent_at_home_and_abroad_is_kept_apart() {
    let mut office = Office::settled();
    office.at(saturday(2, 0));
    for n in 0..4 {
        office.after(Span::minutes(1)).talk(0, premium(449_090_000_001 + n), Span::minutes(50));
    }
    let raised = office.raised();
    office.at(saturday(9, 0)).talk(0, national(442_079_460_001), Span::minutes(1));
    office.talk(0, national(442_079_460_002), Span::minutes(1));
    assert_eq!(office.raised(), raised);
}
