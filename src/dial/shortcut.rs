//! The ways that nearly all calls take, without a detour.
//!
//! In: ten digits or more. Out: the reading that the long way in `classify` gives as well, or none.
//! Never: decides anything that `classify` decides otherwise (a test compares them).

use super::extract::Dialled;
use super::reading::{Reading, Step, Steps};
use super::{Dial, Leg};

/// Up to so many digits may be emergency numbers, short numbers or learned extensions.
const SHORT: usize = 9;

impl Dial {
    /// A number that exists, dialled with `+`.
    #[inline]
    pub(crate) fn shortcut_plus(&self, digits: &[u8]) -> Option<Reading> {
        let steps = Steps::default().with(Step::Plus);
        if digits.len() <= SHORT { None } else { self.shortcut_world(digits, "international number", steps) }
    }

    /// A number that exists, dialled with the international or trunk prefix, on the handsets' leg perhaps
    /// behind the outside line.
    #[inline]
    pub(crate) fn shortcut(&self, leg: Leg, digits: &[u8]) -> Option<Reading> {
        let home = &self.home;
        if digits.len() <= SHORT || home.extensions.is_configured(digits) {
            return None;
        }
        let outside =
            if leg == Leg::Handset { self.outside_prefix(digits).map_or(0, <[u8]>::len) } else { 0 };
        let steps = if outside == 0 { Steps::default() } else { Steps::default().with(Step::Outside) };
        let rest = digits.get(outside..)?;
        let first = rest.first()?.wrapping_sub(b'0') & 15;
        if rest.len() <= SHORT || home.service_first >> first & 1 == 1 {
            return None;
        }
        let idd = home.international.literal()?;
        if let Some(number) = rest.strip_prefix(idd) {
            return self.shortcut_world(number, "international prefix", steps.with(Step::International));
        }
        if (home.nanp && first == 0) || home.rewrites.iter().any(|(from, _)| rest.starts_with(from)) {
            return None;
        }
        self.shortcut_national(rest, steps)
    }

    #[inline]
    fn shortcut_world(&self, digits: &[u8], rule: &'static str, steps: Steps) -> Option<Reading> {
        if digits.first() == Some(&b'0') {
            return None;
        }
        let found = self.world.automaton.find(digits).filter(|found| found.exact)?;
        Some(self.read_found(digits, found, true, rule, steps))
    }

    #[inline]
    fn shortcut_national(&self, digits: &[u8], steps: Steps) -> Option<Reading> {
        let home = &self.home;
        let (national, steps) = match digits.strip_prefix(home.trunk) {
            Some(rest) if home.plain_trunk => (rest, steps.with(Step::Trunk)),
            Some(_) if home.trunk.is_empty() => (digits, steps),
            None if home.nanp => (digits, steps),
            _ => return None,
        };
        let number = Dialled::joined(&home.code, national)?;
        let found = self.world.automaton.find(number.bytes()).filter(|found| found.exact)?;
        Some(self.read_found(number.bytes(), found, true, "national number", steps))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Region, Settings};
    use super::*;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    fn dials() -> &'static [Dial] {
        static DIALS: OnceLock<Vec<Dial>> = OnceLock::new();
        DIALS.get_or_init(|| {
            let homes = ["GB", "US", "DE", "FR", "IE", "AU", "ES", "IN", "IT", "BR", "CO", "RU", "PR", "CV"];
            let lines: [&[&str]; 3] = [&[], &["9"], &["0", "01"]];
            let pairs = homes.iter().flat_map(|home| lines.iter().map(move |line| (home, line)));
            pairs
                .map(|(home, line)| {
                    let outside_line = line.iter().map(|digits| (*digits).to_owned()).collect();
                    let extensions = vec!["90044207946XXXX".to_owned()];
                    let home = Region::new(home).unwrap();
                    Dial::new(&Settings { outside_line, extensions, ..Settings::for_home(home) }).unwrap()
                })
                .collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// The short way and the long way lead to the same target, by the same steps.
        #[test]
        fn says_what_the_long_way_says(
            at in 0usize..42, plus in any::<bool>(), handset in any::<bool>(),
            prefix in "(|9|0|01|141|1831|101[0-9]{4})(|0|00|011|0011|1|01)",
            number in "(44[1-8][0-9]{9}|1[2-9][0-9]{9}|[2-9][0-9]{9}|[0-9]{6,14})",
        ) {
            let dial = &dials()[at];
            let digits = format!("{prefix}{number}").into_bytes();
            let leg = if handset { Leg::Handset } else { Leg::Trunk };
            let short = if plus { dial.shortcut_plus(&digits) } else { dial.shortcut(leg, &digits) };
            if let Some(short) = short {
                let long = dial.read_plain(leg, plus, &digits);
                prop_assert_eq!((short.target, short.steps), (long.target, long.steps));
            }
        }
    }
}
