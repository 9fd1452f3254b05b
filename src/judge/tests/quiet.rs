//! Ordinary offices: a false alarm is a defect.

use super::*;

#[test]
fn an_ordinary_first_week_with_a_few_calls_abroad() {
    let mut office = Office::new();
    for day in 0..5 {
        office.at(monday(8, 30).plus(Span::days(day)));
        for hour in 0..9u64 {
            let handset = usize::try_from((u64::try_from(day).unwrap() * 3 + hour) % 20).unwrap();
            for n in 0..4 {
                office.after(Span::minutes(4)).talk(
                    handset + n,
                    national(442_079_460_000 + hour),
                    Span::minutes(3),
                );
            }
            let country = ["FR", "DE", "US", "LV"][usize::try_from(hour % 4).unwrap()];
            let number = 33_140_000_000 + hour * 1_234_567 + u64::try_from(day).unwrap() * 17;
            office.after(Span::minutes(2)).talk(handset, abroad(country, number), Span::minutes(11));
        }
    }
    assert_eq!(office.pages(), []);
}

#[test]
fn people_who_redial_a_foreign_conference_bridge() {
    let mut office = Office::settled();
    for hour in [9, 14, 18] {
        office.at(monday(hour, 30));
        for round in 0..6 {
            for handset in 0..8 {
                office.after(Span::seconds(5));
                let call = office.dial(handset, abroad("IE", 35_315_550_000));
                office.after(Span::seconds(4));
                if round < 5 { office.fail(call, 486) } else { office.answer(call) }
            }
        }
        office.rest(Span::minutes(50));
        for call in office.calls.len() - 8..office.calls.len() {
            office.hang_up(call);
        }
    }
    assert_eq!(office.pages(), []);
}

#[test]
fn a_fax_that_retries_a_foreign_number_all_night() {
    let mut office = Office::new();
    office.at(monday(17, 0));
    for _ in 0..300 {
        office.after(Span::minutes(3));
        let call = office.dial(7, abroad("JP", 81_355_501_234));
        office.after(Span::seconds(30));
        office.fail(call, 480);
    }
    assert_eq!(office.pages(), []);
}

#[test]
fn a_customer_who_is_known_may_be_called_at_night() {
    let mut office = Office::settled();
    office.at(monday(10, 0)).talk(0, abroad("AU", 61_255_501_234), Span::minutes(5));
    office.at(monday(22, 0).plus(Span::days(1)));
    for _ in 0..6 {
        office.after(Span::minutes(2)).talk(0, abroad("AU", 61_255_501_234), Span::minutes(3));
    }
    assert_eq!(office.pages(), []);
}

#[test]
fn shared_cost_numbers_are_not_premium_numbers() {
    let mut office = Office::settled();
    office.at(saturday(12, 0));
    for n in 0..4 {
        let bank =
            target(Class::National, Kind::SharedCost, Group::Premium, "GB", 448_450_000_000 + n, Risk::Low);
        office.after(Span::minutes(20)).talk(0, bank, Span::minutes(9));
    }
    assert_eq!(office.told, []);
}
