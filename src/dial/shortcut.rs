//! The ways that nearly all calls take, without a detour.
//!
//! In: ten digits or more. Out: the reading that the long way in `classify` gives as well, or none.
//! Never: decides anything that `classify` decides otherwise (a test compares them).

use super::automaton::MIXED;
use super::extract::Quick;
use super::packed::{LONGEST, Packed};
use super::reading::{Reading, Step, Steps};
use super::trie::{NONE, Reached};
use super::{Class, Dial, Kind, Leg, OWN, ROW};

/// Up to so many digits may be emergency numbers, short numbers or learned extensions.
const SHORT: usize = 9;

/// A number in E.164 form, and the way there.
type Way = (Packed, &'static str, Steps);

impl Dial {
    /// A number that exists, dialled with `+`, or with the international or trunk prefix, on the handsets'
    /// leg perhaps behind the outside line. The prefixes and the plans are walked at once.
    #[inline]
    pub(crate) fn shortcut(&self, leg: Leg, dialled: &Quick<'_>) -> Option<Reading> {
        if dialled.packed.len <= SHORT {
            return self.shortcut_extension(leg, dialled);
        }
        let (digits, rule, steps) = self.shortcut_way(leg, dialled)?;
        let automaton = &self.world.automaton;
        let reached = self.prefixes.reach(&digits);
        let Some(label) = automaton.label_after(reached.walk, &digits) else {
            return self.shortcut_gap(dialled, &(digits, rule, steps), &reached);
        };
        let (number, values) = (digits.number(), self.prefixes.values(&reached));
        let target = if values[ROW] & values[OWN] == NONE {
            self.settled.target((label, true), number, values, rule)?
        } else {
            self.target_of(number, (digits.len, values), (automaton.labelled(label)?, true), rule)
        };
        Some(Reading { target, steps, short_row: None, short_own: None, plausible: true })
    }

    /// Three to five digits that no plan knows.
    #[inline]
    fn shortcut_extension(&self, leg: Leg, dialled: &Quick<'_>) -> Option<Reading> {
        let home = &self.home;
        if leg != Leg::Handset || dialled.plus || !home.packed.is_leftover(&dialled.packed) {
            return None;
        }
        if home.extensions.is_configured(dialled.digits) {
            return Some(Reading::internal(Kind::Extension, "configured extension"));
        }
        if home.extensions.is_learned(dialled.digits) {
            return Some(Reading::internal(Kind::Extension, "learned extension"));
        }
        Some(Reading::leftover())
    }

    /// A home number behind its nought that no plan has: it is what the numbers nearest to it are, unless
    /// something else can be made of its digits.
    #[inline(never)]
    fn shortcut_gap(&self, dialled: &Quick<'_>, way: &Way, reached: &Reached) -> Option<Reading> {
        let (digits, rule, steps) = way;
        let (home, automaton) = (&self.home.packed, &self.world.automaton);
        if !home.nought || *steps != Steps::default().with(Step::Trunk) {
            return None;
        }
        let (code, label) = (home.code.as_ref()?, automaton.near_after(reached.walk, digits)?);
        let mut found = automaton.labelled(label)?;
        if found.plan == MIXED {
            found.plan = self.home.main;
        }
        let national = digits.without(code.len);
        let lengths = self.world.plan(found.plan)?.lengths;
        let fits = lengths >> national.len & 1 == 1;
        let plausible = fits || national.len < lengths.trailing_zeros() as usize;
        let strips = self.world.trunk_first(found.plan) >> national.first() & 1 == 1;
        let stripped = || self.world.without_trunk(found.plan, dialled.digits.get(1..)?);
        if lengths >> national.len == 0 || national.first() == 0 || (strips && stripped().is_some()) {
            return None;
        }
        let (number, values) = (digits.number(), self.prefixes.values(reached));
        let target = if values[ROW] & values[OWN] == NONE {
            self.settled.target((label, false), number, values, rule)?
        } else {
            self.target_of(number, (digits.len, values), (found, false), rule)
        };
        let sure = target.exact || (plausible && target.class != Class::National);
        let kept = !target.exact && automaton.label_of(&dialled.packed.behind(code)?).is_some();
        if kept || (!sure && self.may_be_probe(dialled.digits, &dialled.packed)) {
            return None;
        }
        Some(Reading { target, steps: *steps, short_row: None, short_own: None, plausible })
    }

    #[inline]
    fn shortcut_way(&self, leg: Leg, dialled: &Quick<'_>) -> Option<Way> {
        let (home, whole) = (&self.home.packed, &dialled.packed);
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

    /// The short way answers what offices dial most, whether it exists or not.
    #[test]
    fn is_short_for_what_is_dialled_most() {
        let dial = &dials()[0];
        for user in
            ["07700900123", "02079460958", "01144960123", "3461", "214", "00442079460958", "01632960111"]
        {
            let uri = format!("sip:{user}@pbx.example.com");
            let short = Quick::read(uri.as_bytes())
                .and_then(|dialled| dial.shortcut(Leg::Handset, &dialled))
                .unwrap_or_else(|| panic!("{user} takes the long way"));
            let long = dial.read_slowly(Leg::Handset, uri.as_bytes());
            assert_eq!((short.target, short.steps), (long.target, long.steps), "{user}");
            assert_eq!(short.plausible, long.plausible, "{user}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// The same of numbers that don't exist, of extensions, and of all homes.
        #[test]
        fn says_what_the_long_way_says_of_what_no_plan_knows(
            at in 0usize..42, learned in any::<bool>(),
            user in "0[1-9][0-9]{8,13}|0(77|20|11|16|94)[0-9]{7,9}|0[09]{1,3}[0-9]{7,10}|[1-9][0-9]{1,4}|[0-9]{3,5}",
        ) {
            let mut dial = dials()[at].clone();
            if learned {
                dial.learn_extension(user.as_bytes());
            }
            for leg in [Leg::Handset, Leg::Trunk] {
                let uri = format!("sip:{user}@pbx.example.com;user=phone");
                let short = Quick::read(uri.as_bytes()).and_then(|dialled| dial.shortcut(leg, &dialled));
                if let Some(short) = short {
                    let long = dial.read_slowly(leg, uri.as_bytes());
                    prop_assert_eq!((short.target, short.steps), (long.target, long.steps));
                    prop_assert_eq!(short.plausible, long.plausible);
                }
            }
        }
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
