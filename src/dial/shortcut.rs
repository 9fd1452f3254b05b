//! The ways that nearly all calls take, without a detour.
//!
//! In: ten digits or more. Out: the reading that the long way in `classify` gives as well, or none.
//! Never: decides anything that `classify` decides otherwise (a test compares them).

use super::extract::Quick;
use super::packed::{LONGEST, Packed};
use super::reading::{Reading, Step, Steps};
use super::trie::NONE;
use super::{Dial, Leg, OWN, ROW};

/// Up to so many digits may be emergency numbers, short numbers or learned extensions.
const SHORT: usize = 9;

/// A number in E.164 form, and the way there.
type Way = (Packed, &'static str, Steps);

impl Dial {
    /// A number that exists, dialled with `+`, or with the international or trunk prefix, on the handsets'
    /// leg perhaps behind the outside line. The prefixes and the plans are walked at once.
    #[inline]
    pub(crate) fn shortcut(&self, leg: Leg, dialled: &Quick<'_>) -> Option<Reading> {
        let (digits, rule, steps) = self.shortcut_way(leg, dialled)?;
        let automaton = &self.world.automaton;
        let reached = self.prefixes.reach(&digits);
        let label = automaton.label_after(reached.walk, &digits)?;
        let (number, values) = (digits.number(), self.prefixes.values(&reached));
        let target = if values[ROW] & values[OWN] == NONE {
            self.settled.target(label, number, values, rule)?
        } else {
            self.target_of(number, (digits.len, values), (automaton.labelled(label)?, true), rule)
        };
        Some(Reading { target, steps, short_row: None, short_own: None, plausible: true })
    }

    #[inline]
    fn shortcut_way(&self, leg: Leg, dialled: &Quick<'_>) -> Option<Way> {
        let (home, whole) = (&self.home.packed, &dialled.packed);
        if whole.len <= SHORT {
            return None;
        }
        if dialled.plus {
            return worldwide(*whole, "international number", Steps::default().with(Step::Plus));
        }
        if self.home.extensions.is_configured(dialled.digits) {
            return None;
        }
        let mut steps = Steps::default();
        let mut rest = *whole;
        if leg == Leg::Handset
            && let Some(outside) = home.outside.iter().find(|prefix| whole.starts_with(prefix))
        {
            (rest, steps) = (whole.without(outside.len), steps.with(Step::Outside));
        }
        if rest.len <= SHORT || self.home.service_first >> rest.first() & 1 == 1 {
            return None;
        }
        if let Some(number) = rest.strip(home.international.as_ref()?) {
            return worldwide(number, "international prefix", steps.with(Step::International));
        }
        let operator = self.home.nanp && rest.first() == 0;
        if operator || home.rewritten.iter().any(|from| rest.starts_with(from)) {
            return None;
        }
        let (national, steps) = match &home.trunk {
            None => (rest, steps),
            Some(trunk) => match rest.strip(trunk) {
                Some(rest) if self.home.plain_trunk => (rest, steps.with(Step::Trunk)),
                None if self.home.nanp => (rest, steps),
                _ => return None,
            },
        };
        Some((national.behind(home.code.as_ref()?)?, "national number", steps))
    }
}

/// No calling code begins with 0.
#[inline]
fn worldwide(digits: Packed, rule: &'static str, steps: Steps) -> Option<Way> {
    (digits.first() != 0 && digits.len <= LONGEST).then_some((digits, rule, steps))
}

#[cfg(test)]
mod tests {
    use super::super::{Override, Region, Risk, Settings};
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
                    let overrides = ["3519", "4477", "1876555"].map(|prefix| Override {
                        prefix: prefix.to_owned(),
                        kind: None,
                        risk: Some(Risk::High),
                        why: String::new(),
                    });
                    let overrides = overrides.to_vec();
                    let settings =
                        Settings { outside_line, extensions, overrides, ..Settings::for_home(home) };
                    Dial::new(&settings).unwrap()
                })
                .collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// The short way and the long way lead to the same target, by the same steps.
        #[test]
        fn says_what_the_long_way_says(
            at in 0usize..42, form in 0usize..6, handset in any::<bool>(),
            prefix in "(|9|0|01|141|1831|101[0-9]{4})(|0|00|011|0011|1|01)",
            number in "(44[1-8][0-9]{9}|1[2-9][0-9]{9}|[2-9][0-9]{9}|[0-9]{6,14})",
        ) {
            let dial = &dials()[at];
            let leg = if handset { Leg::Handset } else { Leg::Trunk };
            let sign = ["", "+", "%2b"][form / 2];
            let user = format!("{sign}{prefix}{number}");
            let uri = if form % 2 == 0 { user } else { format!("Sip:{user}@pbx.example.com;user=phone") };
            let short = Quick::read(uri.as_bytes()).and_then(|dialled| dial.shortcut(leg, &dialled));
            if let Some(short) = short {
                let long = dial.read_slowly(leg, uri.as_bytes());
                prop_assert_eq!((short.target, short.steps), (long.target, long.steps));
            }
        }
    }
}
