//! The automaton against `rlibphonenumber`: type and region of every region's examples and mutations.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;

use ringfence::dial::{Dial, Leg, Settings, Target};
use ringfence::tally::Label;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

/// Every (calling code, national number) that libphonenumber gives as an example.
fn examples() -> BTreeSet<(String, String)> {
    let packed: &[u8] = include_bytes!("../src/dial/data/numbering.tsv.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let mut code = "";
    let mut all = BTreeSet::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        match cells[0] {
            "R" => code = cells[2],
            "X" => drop(all.insert((code.to_owned(), cells[2].to_owned()))),
            _ => {}
        }
    }
    all
}

/// The example, each digit replaced by every other, one digit less, one more, and a trunk prefix kept.
fn mutations(code: &str, national: &str) -> Vec<String> {
    let mut all = vec![format!("{code}{}", &national[..national.len() - 1])];
    all.extend(('0'..='9').map(|digit| format!("{code}{national}{digit}")));
    all.extend(["0", "8", "1", "06"].map(|trunk| format!("{code}{trunk}{national}")));
    for at in 0..national.len() {
        for digit in '0'..='9' {
            all.push(format!("{code}{}{digit}{}", &national[..at], &national[at + 1..]));
        }
    }
    all
}

/// Where Ringfence's overlay says more than libphonenumber: number ranges, and why.
/// Below them, numbers that version 9.0.43 of the metadata allocates or withdraws against 9.0.42, which
/// `rlibphonenumber` holds: Python's `phonenumbers` 9.0.43 says of them what Ringfence says.
const EXPLAINED: [(&str, &str); 15] = [
    ("870", "Inmarsat is a satellite network, not mobile"),
    ("881", "satellite networks, not mobile"),
    ("882", "international networks and Thuraya, not VoIP"),
    ("883", "international networks, not VoIP"),
    ("878", "universal personal numbers, not VoIP"),
    ("888", "humanitarian networks, not UAN"),
    ("6114", "Australian satellite phones, not VoIP"),
    ("34905", "Spanish tele-voting, unknown to libphonenumber"),
    ("34907", "Spanish premium rate data services, unknown to libphonenumber"),
    ("1", "NANP pay-per-call exchange 976"),
    ("610147", "Australian satellite phones, not VoIP, with the trunk prefix kept"),
    ("2632001", "Zimbabwe: withdrawn in 9.0.43"),
    ("40600", "Romania: withdrawn in 9.0.43"),
    ("5939312", "Ecuador: allocated in 9.0.43"),
    ("8563023", "Laos: withdrawn in 9.0.43"),
];

fn is_explained(digits: &str) -> bool {
    EXPLAINED.iter().any(|(prefix, _)| match *prefix {
        "1" => digits.len() == 11 && digits.starts_with('1') && &digits[4..7] == "976",
        prefix => digits.starts_with(prefix),
    })
}

const fn kind(of: PhoneNumberType) -> Option<&'static str> {
    Some(match of {
        PhoneNumberType::FixedLine => "fixed_line",
        // A mailbox is reached through its mobile phone's number.
        PhoneNumberType::Mobile | PhoneNumberType::VoiceMail => "mobile",
        PhoneNumberType::FixedLineOrMobile => "fixed_line_or_mobile",
        PhoneNumberType::TollFree => "toll_free",
        PhoneNumberType::PremiumRate => "premium_rate",
        PhoneNumberType::SharedCost => "shared_cost",
        PhoneNumberType::VoIP => "voip",
        PhoneNumberType::PersonalNumber => "personal_number",
        PhoneNumberType::Pager => "pager",
        PhoneNumberType::UAN => "uan",
        PhoneNumberType::Unknown => return None,
    })
}

/// What libphonenumber says: kind and region, or nothing for a number that it calls unknown.
fn oracle(digits: &str) -> Option<(&'static str, String)> {
    let number = PHONE_NUMBER_UTIL.parse(format!("+{digits}"), None).ok()?;
    let kind = kind(number.get_type())?;
    let region = number.get_region_code().map(|region| region.as_region_str().to_string());
    Some((kind, region.unwrap_or_default()))
}

fn ours(target: &Target) -> Option<(&'static str, String)> {
    target
        .exact
        .then(|| (target.kind.name(), target.region.map_or(String::new(), |region| region.to_string())))
}

#[test]
fn agrees_with_libphonenumber() {
    let dial = Dial::new(&Settings::default()).unwrap();
    let mut seen = BTreeSet::new();
    let (mut explained, mut differ, mut text) = (0, 0, String::new());
    for (code, national) in examples() {
        for digits in mutations(&code, &national) {
            if !seen.insert(digits.clone()) {
                continue;
            }
            let target = dial.classify(Leg::Trunk, format!("+{digits}").as_bytes());
            let (told, expected) = (ours(&target), oracle(&digits));
            if told == expected {
                continue;
            }
            if is_explained(&digits) {
                explained += 1;
                continue;
            }
            differ += 1;
            if differ <= 40 {
                writeln!(text, "+{digits}: {told:?}, libphonenumber {expected:?}").unwrap();
            }
        }
    }
    println!("{} numbers, {differ} differ, {explained} more are explained by the overlay", seen.len());
    assert!(seen.len() >= 80_000, "only {} numbers", seen.len());
    assert_eq!(differ, 0, "\n{text}");
}
