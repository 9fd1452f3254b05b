//! Numbers to dial: at home from the ranges set aside for drama, abroad random in valid patterns.
//!
//! In: a country, randomness. Out: digits, and the way a person dials them.
//! Never: a real home number; a foreign pattern that the public plan doesn't know.

use super::rng::Rng;

/// How often a country turns up in toll fraud, as public lists have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tier {
    Low,
    Medium,
    High,
}

/// A country that people or fraudsters call. In a pattern `x` is any digit, `n` is 2..=9.
#[derive(Debug)]
pub(super) struct Country {
    pub(super) region: &'static str,
    pub(super) tier: Tier,
    /// What a minute costs, in thousandths of a pound.
    pub(super) rate: u32,
    /// E.164 without the plus.
    pub(super) patterns: &'static [&'static str],
}

const fn low(region: &'static str, rate: u32, patterns: &'static [&'static str]) -> Country {
    Country { region, tier: Tier::Low, rate, patterns }
}

const fn medium(region: &'static str, rate: u32, patterns: &'static [&'static str]) -> Country {
    Country { region, tier: Tier::Medium, rate, patterns }
}

const fn high(region: &'static str, rate: u32, patterns: &'static [&'static str]) -> Country {
    Country { region, tier: Tier::High, rate, patterns }
}

/// Countries by tier. Rates are round guesses in the range of public price lists.
pub(super) const COUNTRIES: [Country; 48] = [
    low("FR", 20, &["3314xxxxxxx", "3361xxxxxxx"]),
    low("DE", 20, &["4930nxxxxxxx", "49151nxxxxxxx"]),
    low("NL", 20, &["3120nxxxxxx", "3161xxxxxxx"]),
    low("BE", 30, &["3225nxxxxx", "3247nxxxxxx"]),
    low("IE", 20, &["3531nxxxxxx", "35387nxxxxxx"]),
    low("ES", 20, &["3491nxxxxxx", "346nxxxxxxx"]),
    low("IT", 30, &["3902nxxxxxxx", "39347nxxxxxx"]),
    low("PT", 30, &["35121nxxxxxx", "35191nxxxxxx"]),
    low("CH", 40, &["4144nxxxxxx", "4179nxxxxxx"]),
    low("AT", 40, &["43664nxxxxxx"]),
    low("PL", 30, &["4822nxxxxxx", "48601nxxxxx"]),
    low("SE", 20, &["468nxxxxxx", "4670nxxxxxx"]),
    low("NO", 30, &["4722nxxxxx", "4791nxxxxx"]),
    low("DK", 20, &["4533nxxxxx"]),
    low("FI", 60, &["35840nxxxxxx"]),
    low("CZ", 40, &["420602nxxxxx"]),
    low("US", 10, &["1212nxxxxxx", "1415nxxxxxx"]),
    low("CA", 10, &["1416nxxxxxx"]),
    low("AU", 25, &["6129nxxxxxx", "6141nxxxxxx"]),
    low("JP", 60, &["8190nxxxxxxx"]),
    low("SG", 25, &["6598nxxxxx"]),
    medium("GR", 50, &["30694nxxxxxx"]),
    medium("RO", 60, &["40721nxxxxx"]),
    medium("IN", 40, &["9198nxxxxxxx"]),
    medium("ZA", 90, &["2711nxxxxxx", "2782nxxxxxx"]),
    medium("AE", 180, &["97143nxxxxx", "97150nxxxxxx"]),
    medium("TW", 80, &["88622nxxxxxx", "8869nxxxxxxx"]),
    medium("EG", 140, &["2010nxxxxxxx"]),
    medium("SI", 250, &["38641nxxxxx"]),
    medium("LT", 280, &["3706nxxxxxx"]),
    medium("EE", 300, &["3725nxxxxxx"]),
    medium("AL", 350, &["35569nxxxxxx"]),
    medium("LK", 220, &["9477nxxxxxx"]),
    medium("MA", 400, &["21266nxxxxxx"]),
    high("LV", 450, &["37126nxxxxx"]),
    high("CU", 750, &["535nxxxxxx"]),
    high("SO", 650, &["25261nxxxxxx"]),
    high("GM", 600, &["2207nxxxxx"]),
    high("GN", 550, &["22462nxxxxxx"]),
    high("MC", 350, &["3776nxxxxxxx"]),
    high("MV", 900, &["9607nxxxxx"]),
    high("SL", 500, &["23276nxxxxx"]),
    high("AZ", 350, &["99450nxxxxxx"]),
    high("TN", 600, &["21698nxxxxx"]),
    high("ZW", 550, &["26377nxxxxxx"]),
    high("CD", 500, &["24381nxxxxxx"]),
    high("DO", 200, &["1809nxxxxxx"]),
    high("BY", 450, &["37529nxxxxxx"]),
];

/// Satellite phones: no country.
pub(super) const SATELLITE: Country = high("001", 5_000, &["8816nxxxxxxx"]);

/// What a minute to a mobile phone at home costs, in thousandths of a pound.
pub(super) const MOBILE_RATE: u32 = 50;
/// What a minute of premium rate costs, in thousandths of a pound.
pub(super) const PREMIUM_RATE: u32 = 1_500;

/// Geographic drama ranges (Ofcom, "Telephone numbers for use in TV and radio drama").
const GEOGRAPHIC: [&str; 14] = [
    "01632960xxx",
    "02079460xxx",
    "01134960xxx",
    "01144960xxx",
    "01154960xxx",
    "01164960xxx",
    "01174960xxx",
    "01184960xxx",
    "01214960xxx",
    "01314960xxx",
    "01414960xxx",
    "01514960xxx",
    "01614960xxx",
    "01914980xxx",
];

pub(super) fn geographic(rng: &mut Rng) -> String {
    fill(rng.pick(&GEOGRAPHIC), rng)
}

pub(super) fn mobile(rng: &mut Rng) -> String {
    fill("07700900xxx", rng)
}

pub(super) fn freephone(rng: &mut Rng) -> String {
    fill("08081570xxx", rng)
}

pub(super) fn premium(rng: &mut Rng) -> String {
    fill("09098790xxx", rng)
}

/// A non-geographic number at ordinary prices.
pub(super) fn uk_wide(rng: &mut Rng) -> String {
    fill("03069990xxx", rng)
}

/// The country of a two-letter code; the first one if it isn't listed.
pub(super) fn country(region: &str) -> &'static Country {
    COUNTRIES.iter().find(|country| country.region == region).unwrap_or(&COUNTRIES[0])
}

/// One country of a tier.
pub(super) fn of_tier(tier: Tier, rng: &mut Rng) -> &'static Country {
    let listed: Vec<_> = COUNTRIES.iter().filter(|country| country.tier == tier).collect();
    rng.pick(&listed)
}

impl Country {
    /// E.164 without the plus.
    pub(super) fn number(&self, rng: &mut Rng) -> String {
        fill(rng.pick(self.patterns), rng)
    }

    /// The first digits of a block of 10,000 numbers.
    pub(super) fn block(&self, rng: &mut Rng) -> String {
        let mut number = self.number(rng);
        number.truncate(number.len() - 4);
        number
    }
}

/// Replaces `x` by any digit and `n` by 2..=9.
pub(super) fn fill(pattern: &str, rng: &mut Rng) -> String {
    let digit = |low: i64, rng: &mut Rng| {
        char::from_digit(u32::try_from(rng.between(low, 9)).unwrap_or(0), 10).unwrap_or('0')
    };
    pattern
        .chars()
        .map(|c| match c {
            'x' => digit(0, rng),
            'n' => digit(2, rng),
            other => other,
        })
        .collect()
}

/// A number abroad as people dial it from Britain.
pub(super) fn dialled_abroad(e164: &str, rng: &mut Rng) -> String {
    if rng.chance(750) { format!("00{e164}") } else { format!("+{e164}") }
}

/// A home number as people dial it: mostly in national format.
pub(super) fn dialled_home(national: &str, rng: &mut Rng) -> String {
    let rest = national.strip_prefix('0').unwrap_or(national);
    match rng.between(0, 99) {
        0..=4 => format!("+44{rest}"),
        5..=6 => format!("0044{rest}"),
        _ => national.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rlibphonenumber::PHONE_NUMBER_UTIL;

    use super::*;
    use crate::dial::{Dial, Group, Leg, Settings};

    #[test]
    fn every_pattern_is_valid_in_its_country() {
        let mut rng = Rng::new(1, 0);
        let mut wrong = std::collections::BTreeMap::new();
        for country in COUNTRIES.iter().chain([&SATELLITE]) {
            for pattern in country.patterns {
                for _ in 0..1_000 {
                    let digits = fill(pattern, &mut rng);
                    let number = PHONE_NUMBER_UTIL.parse(format!("+{digits}"), None).unwrap();
                    let region = PHONE_NUMBER_UTIL.get_region_for_number(&number);
                    let region = region.map_or("none".to_owned(), |r| format!("{r:?}"));
                    let world = country.region == "001" && region == "World";
                    if !number.is_valid() || !(region == country.region || world) {
                        wrong.entry(*pattern).or_insert_with(Vec::new).push((digits, region));
                    }
                }
            }
        }
        let brief: Vec<_> = wrong.iter().map(|(p, v)| (p, v.len(), &v[..v.len().min(4)])).collect();
        assert!(brief.is_empty(), "{brief:#?}");
    }

    #[test]
    fn the_dial_room_reads_every_number_as_meant() {
        let dial = Dial::new(&Settings::default()).unwrap();
        let mut rng = Rng::new(2, 0);
        for country in COUNTRIES.iter().chain([&SATELLITE]) {
            for _ in 0..2_000 {
                let dialled = dialled_abroad(&country.number(&mut rng), &mut rng);
                let target = dial.classify(Leg::Handset, dialled.as_bytes());
                let region = target.region.map(|region| region.as_str().to_owned());
                assert_eq!(region.as_deref(), Some(country.region), "{dialled}");
                assert!(target.exact, "{dialled} isn't exact");
            }
        }
        type Maker = fn(&mut Rng) -> String;
        let home: [(Maker, Group); 5] = [
            (geographic, Group::National),
            (mobile, Group::National),
            (uk_wide, Group::National),
            (freephone, Group::Free),
            (premium, Group::Premium),
        ];
        for (make, group) in home {
            for _ in 0..500 {
                let dialled = dialled_home(&make(&mut rng), &mut rng);
                assert_eq!(dial.classify(Leg::Handset, dialled.as_bytes()).group, group, "{dialled}");
            }
        }
    }

    #[test]
    fn countries_are_listed_once() {
        let mut regions: Vec<_> = COUNTRIES.iter().map(|country| country.region).collect();
        regions.sort_unstable();
        regions.dedup();
        assert_eq!(regions.len(), COUNTRIES.len());
        assert_eq!(country("LV").region, "LV");
    }

    #[test]
    fn a_block_leaves_four_digits_open() {
        let mut rng = Rng::new(1, 0);
        assert_eq!(country("LV").block(&mut rng).len(), "37126nxxxxx".len() - 4);
    }
}
