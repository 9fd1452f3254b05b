//! Where calls went, as people say it.
//!
//! In: calls. Out: `Place`: a country, and what sort of numbers there, if they aren't ordinary ones.
//! Never: prints a number.

use serde::{Deserialize, Serialize};

use crate::baseline::calls::Call;
use crate::dial::{Group, Kind, Region};

/// A destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Its country; `001` also where there is none.
    pub region: Region,
    sort: Sort,
}

/// What an admin would want to know before the country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Sort {
    Ordinary,
    Premium,
    PremiumShort,
    Personal,
    SharedCost,
    Short,
    Satellite,
    Network,
    NoPlan,
}

impl Place {
    /// Of a call.
    pub fn of(call: &Call) -> Self {
        let short = call.block().is_none();
        let sort = match call.kind {
            Kind::PremiumRate if short => Sort::PremiumShort,
            Kind::PremiumRate => Sort::Premium,
            Kind::PersonalNumber => Sort::Personal,
            Kind::SharedCost => Sort::SharedCost,
            Kind::UnknownCost => Sort::Short,
            Kind::Satellite => Sort::Satellite,
            Kind::IntlNetwork => Sort::Network,
            Kind::Invalid if call.region == Region::WORLD && call.group == Group::Suspect => Sort::NoPlan,
            _ => Sort::Ordinary,
        };
        Self { region: call.region, sort }
    }

    /// Whether its country is all there is to say.
    pub fn is_country(self) -> bool {
        self.sort == Sort::Ordinary && self.region != Region::WORLD
    }

    /// `Latvia`, `premium-rate numbers (United Kingdom)`, `satellite phones`.
    pub fn name(self) -> String {
        let what = match self.sort {
            Sort::Ordinary => "",
            Sort::Premium => "premium-rate numbers",
            Sort::PremiumShort => "premium-rate short numbers",
            Sort::Personal => "personal numbers",
            Sort::SharedCost => "shared-cost numbers",
            Sort::Short => "short numbers",
            Sort::Satellite => "satellite phones",
            Sort::Network => "international networks",
            Sort::NoPlan => "numbers of no plan",
        };
        match (self.sort, self.region) {
            (Sort::Ordinary, Region::WORLD) => "international numbers of no country".to_owned(),
            (Sort::Ordinary, region) => region.name().to_owned(),
            (Sort::Premium | Sort::SharedCost, Region::WORLD) => format!("international {what}"),
            (_, Region::WORLD) => what.to_owned(),
            (_, region) => format!("{what} ({})", region.name()),
        }
    }
}

/// `Latvia`, `Latvia and Cuba`, `Latvia, Cuba and 3 more countries`; the most called first.
pub(super) fn names(places: &[Place]) -> String {
    match places {
        [] => "nowhere known".to_owned(),
        [one] => one.name(),
        [one, two] => format!("{} and {}", one.name(), two.name()),
        [one, two, rest @ ..] => {
            let countries = places.iter().all(|place| place.is_country());
            let noun = match (countries, rest.len()) {
                (true, 1) => "country",
                (true, _) => "countries",
                (false, 1) => "destination",
                (false, _) => "destinations",
            };
            format!("{}, {} and {} more {noun}", one.name(), two.name(), rest.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(region: &str, sort: Sort) -> Place {
        Place { region: Region::new(region).unwrap(), sort }
    }

    #[test]
    fn says_what_sort_of_numbers_before_the_country() {
        for (region, sort, expected) in [
            ("LV", Sort::Ordinary, "Latvia"),
            ("GB", Sort::Premium, "premium-rate numbers (United Kingdom)"),
            ("GB", Sort::PremiumShort, "premium-rate short numbers (United Kingdom)"),
            ("GB", Sort::Personal, "personal numbers (United Kingdom)"),
            ("AU", Sort::Satellite, "satellite phones (Australia)"),
            ("001", Sort::Satellite, "satellite phones"),
            ("001", Sort::Network, "international networks"),
            ("001", Sort::Premium, "international premium-rate numbers"),
            ("001", Sort::NoPlan, "numbers of no plan"),
        ] {
            assert_eq!(place(region, sort).name(), expected);
        }
    }

    #[test]
    fn names_two_and_counts_the_rest() {
        let [lv, cu, ee] = ["LV", "CU", "EE"].map(|code| place(code, Sort::Ordinary));
        let premium = place("GB", Sort::Premium);
        assert_eq!(names(&[lv, cu]), "Latvia and Cuba");
        assert_eq!(names(&[lv, cu, ee]), "Latvia, Cuba and 1 more country");
        assert_eq!(
            names(&[premium, lv, cu, ee]),
            "premium-rate numbers (United Kingdom), Latvia and 2 more destinations"
        );
    }
}
