//! The six published incidents of spec/field.md 5.2, in settled offices that never called abroad
//! and in offices that were set up the same night.

use super::*;

/// Runs an attack of handset 0 until the first page; how many calls it took.
fn calls_until_page(
    settled: bool,
    start: Timestamp,
    gap: Span,
    talk: Option<Span>,
    to: impl Fn(u64) -> Target,
) -> u32 {
    let mut office = if settled { Office::settled() } else { Office::new() };
    office.at(start);
    for n in 0..20 {
        let call = office.dial(0, to(n));
        if let Some(calls) = office.paged_at() {
            return calls;
        }
        office.after(Span::seconds(6));
        office.answer(call);
        if let Some(talk) = talk {
            office.after(talk);
            office.hang_up(call);
        }
        office.rest(gap);
    }
    u32::MAX
}

#[test]
fn a_gambia_by_night_one_number() {
    for settled in [true, false] {
        let calls =
            calls_until_page(settled, monday(23, 0), Span::minutes(25), Some(Span::minutes(5)), |_| {
                risky("GM", 2_203_123_456)
            });
        assert!(calls <= 2, "{calls}");
    }
}

#[test]
fn b_cuba_over_a_weekend() {
    for settled in [true, false] {
        let calls =
            calls_until_page(settled, saturday(0, 30), Span::seconds(35), Some(Span::minutes(1)), |n| {
                risky("CU", 5_372_000_000 + n * 3_331)
            });
        assert!(calls <= 2, "{calls}");
    }
}

#[test]
fn c_guinea_every_minute() {
    for (settled, start, most) in
        [(true, monday(21, 0), 2), (false, monday(21, 0), 2), (true, monday(11, 0), 3)]
    {
        let calls =
            calls_until_page(settled, start, Span::seconds(50), None, |n| risky("GN", 224_601_000_000 + n));
        assert!(calls <= most, "{calls}");
    }
}

#[test]
fn d_taiwan_two_hours_each_one_number() {
    for (settled, start, most) in
        [(true, saturday(1, 0), 2), (false, saturday(1, 0), 3), (true, monday(9, 0), 4)]
    {
        let calls =
            calls_until_page(settled, start, Span::minutes(10), None, |_| abroad("TW", 886_227_001_234));
        assert!(calls <= most, "{calls}");
    }
}

#[test]
fn e_hundreds_of_calls_at_once_in_a_weekend() {
    for settled in [true, false] {
        let calls = calls_until_page(settled, saturday(5, 0), Span::seconds(2), None, |n| {
            risky(["GM", "SO", "MV"][usize::try_from(n % 3).unwrap()], 252_612_000_000 + n * 17)
        });
        assert!(calls <= 2, "{calls}");
    }
}

#[test]
fn f_somalia_for_four_days() {
    for settled in [true, false] {
        let calls = calls_until_page(settled, saturday(12, 0), Span::minutes(4), None, |n| {
            risky("SO", 252_612_000_000 + n * 20_011)
        });
        assert!(calls <= 2, "{calls}");
    }
}
