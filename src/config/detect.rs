//! The rules' own tables, from and to the settings of `detect`.

use serde::{Deserialize, Serialize};

use crate::detect::Settings;
use crate::detect::limits::{self, Ceilings};
use crate::time::Span;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Sensitivity {
    Quiet,
    #[default]
    Normal,
    Sensitive,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Detect {
    pub(super) sensitivity: Sensitivity,
    pub(super) learning_days: u32,
    pub(super) spike: Spike,
    pub(super) home_at_night: [u32; 4],
    pub(super) handset_ceiling: Ceiling,
    pub(super) office_ceiling: Ceiling,
    pub(super) out_of_hours: OutOfHours,
    pub(super) first_country: FirstCountry,
    pub(super) number_block: NumberBlock,
    pub(super) prefix_probe: PrefixProbe,
    pub(super) concurrent: Concurrent,
    pub(super) long_call: LongCall,
    pub(super) spend: Spend,
    pub(super) callid_reuse: CallidReuse,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Spike {
    decades: f64,
}

impl Default for Spike {
    fn default() -> Self {
        Self { decades: Settings::default().spike }
    }
}

/// Attempts in 1 min, 15 min, 1 h, 24 h; 0 = no ceiling. What the file leaves out is filled in by
/// `Detect::fill`: the two tables have different defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ceiling {
    national: Option<[u32; 4]>,
    premium: Option<[u32; 4]>,
    overseas: Option<[u32; 4]>,
    risky: Option<[u32; 4]>,
    suspect: Option<[u32; 4]>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OutOfHours {
    hot: u32,
    abroad_fast: u32,
    abroad_slow: u32,
    abroad_near: u32,
    familiar_extra: u32,
    office_hot: u32,
    office_abroad: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FirstCountry {
    shut: u32,
    open: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NumberBlock {
    day: u32,
    unusual: u32,
    alarming_hour: u32,
    premium: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PrefixProbe {
    prefixes: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Concurrent {
    hot: u32,
    open: u32,
    shut: u32,
    same_number: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LongCall {
    hot_minutes: u32,
    shut_minutes: u32,
    open_minutes: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Spend {
    handset: [f64; 2],
    office: [f64; 2],
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CallidReuse {
    calls: u32,
}

impl Default for Detect {
    fn default() -> Self {
        let mut detect = Self {
            sensitivity: Sensitivity::default(),
            learning_days: 7,
            spike: Spike::default(),
            home_at_night: Settings::default().home_at_night,
            handset_ceiling: Ceiling::default(),
            office_ceiling: Ceiling::default(),
            out_of_hours: OutOfHours::default(),
            first_country: FirstCountry::default(),
            number_block: NumberBlock::default(),
            prefix_probe: PrefixProbe::default(),
            concurrent: Concurrent::default(),
            long_call: LongCall::default(),
            spend: Spend::default(),
            callid_reuse: CallidReuse::default(),
        };
        detect.fill();
        detect
    }
}

impl Detect {
    /// Puts the default where the file names no ceiling.
    pub(super) fn fill(&mut self) {
        let defaults = Settings::default();
        self.handset_ceiling.fill(defaults.handset_ceiling);
        self.office_ceiling.fill(defaults.office_ceiling);
    }

    /// The settings of `detect`.
    pub(super) fn settings(&self) -> Settings {
        let minutes = |n: u32| Span::minutes(i64::from(n));
        let hours = &self.out_of_hours;
        // One setting moves every decision that rests on what was learnt, by decades of evidence.
        let more = match self.sensitivity {
            Sensitivity::Quiet => 1.0,
            Sensitivity::Normal => 0.0,
            Sensitivity::Sensitive => -1.2,
        };
        let confirm = Settings::default().confirm;
        Settings {
            spike: self.spike.decades + more,
            confirm: confirm.moved(more),
            handset_ceiling: self.handset_ceiling.settings(),
            home_at_night: self.home_at_night,
            office_ceiling: self.office_ceiling.settings(),
            out_of_hours: limits::OutOfHours {
                hot: hours.hot,
                abroad_fast: hours.abroad_fast,
                abroad_slow: hours.abroad_slow,
                abroad_near: hours.abroad_near,
                familiar_extra: hours.familiar_extra,
                office_hot: hours.office_hot,
                office_abroad: hours.office_abroad,
            },
            first_country: limits::FirstCountry {
                shut: self.first_country.shut,
                open: self.first_country.open,
            },
            number_block: limits::NumberBlock {
                day: self.number_block.day,
                unusual: self.number_block.unusual,
                alarming_hour: self.number_block.alarming_hour,
                premium: self.number_block.premium,
            },
            prefix_probe: self.prefix_probe.prefixes,
            concurrent: limits::Concurrent {
                hot: self.concurrent.hot,
                open: self.concurrent.open,
                shut: self.concurrent.shut,
                same_number: self.concurrent.same_number,
            },
            long_call: limits::LongCall {
                hot: minutes(self.long_call.hot_minutes),
                shut: minutes(self.long_call.shut_minutes),
                open: minutes(self.long_call.open_minutes),
            },
            spend: limits::Spend { handset: self.spend.handset, office: self.spend.office },
            callid_reuse: self.callid_reuse.calls,
        }
    }

    /// Limits that would make a rule speak at every call: (table, key).
    pub(super) fn zeroes(&self) -> Vec<(&'static str, &'static str)> {
        let hours = &self.out_of_hours;
        let limits = [
            ("out_of_hours", "hot", hours.hot),
            ("out_of_hours", "abroad_fast", hours.abroad_fast),
            ("out_of_hours", "abroad_slow", hours.abroad_slow),
            ("out_of_hours", "abroad_near", hours.abroad_near),
            ("out_of_hours", "office_hot", hours.office_hot),
            ("out_of_hours", "office_abroad", hours.office_abroad),
            ("first_country", "shut", self.first_country.shut),
            ("first_country", "open", self.first_country.open),
            ("number_block", "day", self.number_block.day),
            ("number_block", "unusual", self.number_block.unusual),
            ("number_block", "alarming_hour", self.number_block.alarming_hour),
            ("number_block", "premium", self.number_block.premium),
            ("prefix_probe", "prefixes", self.prefix_probe.prefixes),
            ("concurrent", "hot", self.concurrent.hot),
            ("concurrent", "open", self.concurrent.open),
            ("concurrent", "shut", self.concurrent.shut),
            ("concurrent", "same_number", self.concurrent.same_number),
            ("long_call", "hot_minutes", self.long_call.hot_minutes),
            ("long_call", "shut_minutes", self.long_call.shut_minutes),
            ("long_call", "open_minutes", self.long_call.open_minutes),
            ("callid_reuse", "calls", self.callid_reuse.calls),
        ];
        limits.into_iter().filter(|(_, _, limit)| *limit == 0).map(|(table, key, _)| (table, key)).collect()
    }

    /// Amounts of money that are none.
    pub(super) fn bad_spends(&self) -> Vec<&'static str> {
        let bad = |limits: &[f64; 2]| !limits.iter().all(|limit| limit.is_finite() && *limit > 0.0);
        let tables = [("handset", &self.spend.handset), ("office", &self.spend.office)];
        tables.into_iter().filter(|(_, limits)| bad(limits)).map(|(key, _)| key).collect()
    }
}

impl Ceiling {
    fn fill(&mut self, defaults: Ceilings) {
        let Ceilings([_, national, premium, overseas, risky, suspect]) = defaults;
        self.national.get_or_insert(national);
        self.premium.get_or_insert(premium);
        self.overseas.get_or_insert(overseas);
        self.risky.get_or_insert(risky);
        self.suspect.get_or_insert(suspect);
    }

    /// In the order of `Group`; free calls have no ceiling.
    fn settings(&self) -> Ceilings {
        let groups = [None, self.national, self.premium, self.overseas, self.risky, self.suspect];
        Ceilings(groups.map(Option::unwrap_or_default))
    }
}

impl Default for OutOfHours {
    fn default() -> Self {
        let of = Settings::default().out_of_hours;
        Self {
            hot: of.hot,
            abroad_fast: of.abroad_fast,
            abroad_slow: of.abroad_slow,
            abroad_near: of.abroad_near,
            familiar_extra: of.familiar_extra,
            office_hot: of.office_hot,
            office_abroad: of.office_abroad,
        }
    }
}

impl Default for FirstCountry {
    fn default() -> Self {
        let of = Settings::default().first_country;
        Self { shut: of.shut, open: of.open }
    }
}

impl Default for NumberBlock {
    fn default() -> Self {
        let of = Settings::default().number_block;
        Self { day: of.day, unusual: of.unusual, alarming_hour: of.alarming_hour, premium: of.premium }
    }
}

impl Default for PrefixProbe {
    fn default() -> Self {
        Self { prefixes: Settings::default().prefix_probe }
    }
}

impl Default for Concurrent {
    fn default() -> Self {
        let of = Settings::default().concurrent;
        Self { hot: of.hot, open: of.open, shut: of.shut, same_number: of.same_number }
    }
}

impl Default for LongCall {
    fn default() -> Self {
        let of = Settings::default().long_call;
        let minutes = |span: Span| u32::try_from(span.as_secs() / 60).unwrap_or(u32::MAX);
        Self { hot_minutes: minutes(of.hot), shut_minutes: minutes(of.shut), open_minutes: minutes(of.open) }
    }
}

impl Default for Spend {
    fn default() -> Self {
        let of = Settings::default().spend;
        Self { handset: of.handset, office: of.office }
    }
}

impl Default for CallidReuse {
    fn default() -> Self {
        Self { calls: Settings::default().callid_reuse }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_rules() {
        assert_eq!(Detect::default().settings(), Settings::default());
        assert!(Detect::default().zeroes().is_empty() && Detect::default().bad_spends().is_empty());
    }

    #[test]
    fn what_is_left_out_keeps_its_own_tables_default() {
        let mut detect: Detect = toml::from_str("[office_ceiling]\npremium = [1, 2, 3, 4]").unwrap();
        detect.fill();
        let (settings, defaults) = (detect.settings(), Settings::default());
        assert_eq!(settings.office_ceiling.0[2], [1, 2, 3, 4]);
        assert_eq!(settings.office_ceiling.0[4], defaults.office_ceiling.0[4]);
        assert_eq!(settings.handset_ceiling, defaults.handset_ceiling);
    }

    #[test]
    fn sensitivity_moves_the_odds() {
        let spike = |sensitivity| Detect { sensitivity, ..Detect::default() }.settings().spike;
        assert!(spike(Sensitivity::Quiet) > spike(Sensitivity::Normal));
        assert!(spike(Sensitivity::Sensitive) < spike(Sensitivity::Normal));
    }

    #[test]
    fn every_key_arrives() {
        let text = "
            handset_ceiling = { national = [1, 2, 3, 4] }
            out_of_hours = { hot = 11, abroad_fast = 12, abroad_slow = 13, abroad_near = 14, familiar_extra = 15, office_hot = 16, office_abroad = 17 }
            first_country = { shut = 18, open = 19 }
            home_at_night = [34, 35, 36, 37]
            number_block = { day = 20, unusual = 21, alarming_hour = 38, premium = 39 }
            prefix_probe = { prefixes = 22 }
            concurrent = { hot = 23, open = 24, shut = 25, same_number = 39 }
            long_call = { hot_minutes = 26, shut_minutes = 27, open_minutes = 28 }
            spend = { handset = [29.0, 30.0], office = [31.0, 32.0] }
            callid_reuse = { calls = 33 }
        ";
        let mut detect: Detect = toml::from_str(text).unwrap();
        detect.fill();
        let settings = detect.settings();
        let hours = settings.out_of_hours;
        assert_eq!(
            [hours.hot, hours.abroad_fast, hours.abroad_slow, hours.abroad_near, hours.familiar_extra],
            [11, 12, 13, 14, 15]
        );
        assert_eq!((hours.office_hot, hours.office_abroad), (16, 17));
        assert_eq!((settings.first_country.shut, settings.first_country.open), (18, 19));
        let block = settings.number_block;
        assert_eq!([block.day, block.unusual, block.alarming_hour, block.premium], [20, 21, 38, 39]);
        assert_eq!(settings.home_at_night, [34, 35, 36, 37]);
        assert_eq!((settings.prefix_probe, settings.callid_reuse), (22, 33));
        assert_eq!(settings.concurrent, limits::Concurrent { hot: 23, open: 24, shut: 25, same_number: 39 });
        let long = settings.long_call;
        assert_eq!([long.hot, long.shut, long.open], [26, 27, 28].map(Span::minutes));
        assert_eq!((settings.spend.handset, settings.spend.office), ([29.0, 30.0], [31.0, 32.0]));
        assert_eq!(settings.handset_ceiling.0[1], [1, 2, 3, 4]);
    }
}
