//! Laws of the dial plan that hold for all strings and all homes.

use std::io::Read as _;
use std::sync::OnceLock;

use proptest::prelude::*;
use ringfence::dial::{Class, Dial, Group, Kind, Leg, Region, Settings};

struct Example {
    home: Region,
    trunk: String,
    international: String,
    code: String,
    national: String,
}

/// Every example of the shipped plans with the prefixes of its region.
fn examples() -> Vec<Example> {
    let packed: &[u8] = include_bytes!("../src/dial/data/numbering.tsv.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let mut plan: Vec<&str> = Vec::new();
    let mut all = Vec::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        match cells[0] {
            "R" => plan = cells,
            "X" => all.push(Example {
                home: Region::new(plan[1]).unwrap(),
                code: plan[2].to_owned(),
                international: plan[4].to_owned(),
                trunk: plan[5].to_owned(),
                national: cells[2].to_owned(),
            }),
            _ => {}
        }
    }
    all
}

fn dials() -> &'static [(Region, Dial)] {
    static DIALS: OnceLock<Vec<(Region, Dial)>> = OnceLock::new();
    DIALS.get_or_init(|| {
        let mut homes: Vec<Region> = examples().iter().map(|example| example.home).collect();
        homes.sort_unstable();
        homes.dedup();
        homes.retain(|home| *home != Region::WORLD);
        homes.into_iter().map(|home| (home, Dial::new(&Settings::for_home(home)).unwrap())).collect()
    })
}

fn dial(home: Region) -> &'static Dial {
    &dials().iter().find(|(of, _)| *of == home).unwrap().1
}

#[test]
fn every_region_can_be_home() {
    assert!(dials().len() >= 240, "only {} homes", dials().len());
    for (home, dial) in dials() {
        assert_eq!(dial.home(), *home);
        assert_eq!(dial.currency().len(), 3);
        assert_ne!(home.name(), "an unknown country", "{home}");
    }
}

#[test]
fn the_international_prefix_means_plus_everywhere() {
    let all = examples();
    let mut wrong = Vec::new();
    for (home, dial) in dials() {
        let of_home = all.iter().find(|example| example.home == *home).unwrap();
        if !of_home.international.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        for example in all.iter().step_by(17) {
            let number = format!("{}{}", example.code, example.national);
            let plus = dial.classify(Leg::Trunk, format!("+{number}").as_bytes());
            let dialled = dial.classify(Leg::Trunk, format!("{}{number}", of_home.international).as_bytes());
            if plus.exact
                && (plus.number, plus.region, plus.class) != (dialled.number, dialled.region, dialled.class)
            {
                wrong.push(format!("{home}: {}{number}: {dialled:?}", of_home.international));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}

#[test]
fn the_trunk_prefix_means_the_home_code() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for example in examples().iter().filter(|example| example.home != Region::WORLD) {
        let dial = dial(example.home);
        let plus = dial.classify(Leg::Trunk, format!("+{}{}", example.code, example.national).as_bytes());
        let national = format!("{}{}", example.trunk, example.national);
        let dialled = dial.classify(Leg::Trunk, national.as_bytes());
        // Some short national numbers are short codes too.
        if dialled.class == Class::Short || dialled.class == Class::Emergency {
            continue;
        }
        count += 1;
        if plus.exact && (plus.number, plus.region) != (dialled.number, dialled.region) {
            wrong.push(format!("{}: {national}: {dialled:?}", example.home));
        }
    }
    assert!(count > 1000);
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong[..wrong.len().min(30)].join("\n"));
}

/// Whatever was dialled, the parts of a target fit together.
fn check(dial: &Dial, leg: Leg, input: &[u8]) -> Result<(), TestCaseError> {
    let target = dial.classify(leg, input);
    prop_assert_eq!(target, dial.classify(leg, input));
    match target.class {
        Class::Internal => prop_assert!(target.region.is_none() && target.group == Group::Free),
        Class::Emergency => {
            prop_assert_eq!((target.region, target.kind), (Some(dial.home()), Kind::Emergency));
            prop_assert_eq!(target.group, Group::Free);
        }
        Class::Short => prop_assert_eq!((target.region, target.number), (Some(dial.home()), None)),
        Class::Unknown => prop_assert!(target.number.is_none() && target.group == Group::Suspect),
        Class::Suspect => prop_assert!(target.number.is_some() && target.kind == Kind::PrefixProbe),
        Class::Global => prop_assert_eq!(target.region, Some(Region::WORLD)),
        Class::National => prop_assert!(dial.is_domestic(target.region.unwrap())),
        Class::Overseas => prop_assert!(!dial.is_domestic(target.region.unwrap())),
        Class::Feature => {}
    }
    prop_assert!(target.kind != Kind::Invalid || !target.exact);
    prop_assert!(target.class != Class::Unknown || target.kind == Kind::Invalid);
    let rate = dial.rate(target.rate);
    prop_assert!(rate.per_minute_low <= rate.per_minute && rate.per_minute <= rate.per_minute_high);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn any_bytes_have_a_reading(input in proptest::collection::vec(any::<u8>(), 0..200), home in 0usize..240) {
        let dial = &dials()[home].1;
        check(dial, Leg::Handset, &input)?;
        check(dial, Leg::Trunk, &input)?;
    }

    #[test]
    fn any_digits_have_a_reading(input in "[+*#]{0,2}[0-9*#]{0,44}", home in 0usize..240) {
        let dial = &dials()[home].1;
        check(dial, Leg::Handset, input.as_bytes())?;
        check(dial, Leg::Trunk, input.as_bytes())?;
    }

    #[test]
    fn any_uri_has_a_reading(
        scheme in "(sip:|sips:|tel:|SIP:|<sip:|)", user in "[%+0-9a-f*#().-]{0,24}",
        rest in "(;phone-context=(\\+[0-9]{0,6}|[a-z.]{0,8})|:pw|)(@[a-z0-9.:]{0,10}|)(;user=phone|>|)", home in 0usize..240,
    ) {
        check(&dials()[home].1, Leg::Handset, format!("{scheme}{user}{rest}").as_bytes())?;
    }

    /// Visual separators and escapes change nothing (RFC 3966 section 5.1.1, RFC 3261 section 19.1.2).
    #[test]
    fn separators_change_nothing(digits in "[0-9]{1,20}", every in 1usize..4, home in 0usize..240) {
        let dial = &dials()[home].1;
        let spaced: String = digits.chars().enumerate()
            .map(|(at, digit)| if at % every == 0 { format!("-{digit}.") } else { format!("%3{digit}") }).collect();
        prop_assert_eq!(dial.classify(Leg::Handset, digits.as_bytes()), dial.classify(Leg::Handset, spaced.as_bytes()));
    }

    /// `explain` says what `classify` decided.
    #[test]
    fn explain_agrees_with_classify(input in "[+*]?[0-9]{0,18}#?", home in 0usize..240) {
        let dial = &dials()[home].1;
        let (told, target) = (dial.explain(&input), dial.classify(Leg::Handset, input.as_bytes()));
        prop_assert_eq!((told.class, told.kind, told.region, told.exact), (target.class, target.kind, target.region, target.exact));
        prop_assert_eq!(told.e164, target.number.map(|number| number.full()));
    }
}
