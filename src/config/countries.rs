//! The countries, and the time zone of each one's capital.

use crate::dial::Region;

const TABLE: &str = include_str!("countries.tsv");

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Country {
    pub(super) region: Region,
    pub(super) timezone: &'static str,
}

/// The country of a two-letter code in any case.
pub(super) fn find(code: &str) -> Option<Country> {
    let region = Region::new(code)?;
    rows().find(|country| country.region == region)
}

/// The country in whose capital a time zone holds.
pub(super) fn of_timezone(zone: &str) -> Option<Region> {
    rows().find(|country| country.timezone == zone).map(|country| country.region)
}

fn rows() -> impl Iterator<Item = Country> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (code, timezone) = line.split_once('\t')?;
        Some(Country { region: Region::new(code)?, timezone })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dial::{Dial, Settings};

    #[test]
    fn every_row_can_be_read_once() {
        let regions: Vec<Region> = rows().map(|c| c.region).collect();
        assert_eq!(regions.len(), TABLE.lines().count() - 1);
        assert!(regions.is_sorted_by(|a, b| a < b), "sorted, no country twice");
        for country in rows() {
            assert!(super::super::hours::zone(country.timezone).is_some(), "{country:?}");
        }
    }

    #[test]
    fn every_country_can_be_home() {
        let without_plan: Vec<Region> = rows()
            .map(|c| c.region)
            .filter(|region| Dial::new(&Settings::for_home(*region)).is_err())
            .collect();
        assert_eq!(without_plan, []);
    }

    #[test]
    fn finds_by_code() {
        assert_eq!(find("gb").unwrap().timezone, "Europe/London");
        assert_eq!(find("AU").unwrap().timezone, "Australia/Sydney");
        assert_eq!((find("XX"), find("001")), (None, None));
    }
}
