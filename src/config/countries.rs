//! What a home country implies: its capital's time zone and its currency.

use crate::dial::Region;

const TABLE: &str = include_str!("countries.tsv");

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Country {
    pub(super) region: Region,
    pub(super) timezone: &'static str,
    pub(super) currency: &'static str,
}

/// The country of a two-letter code in any case.
pub(super) fn find(code: &str) -> Option<Country> {
    let region = Region::new(code)?;
    rows().find(|country| country.region == region)
}

fn rows() -> impl Iterator<Item = Country> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut cells = line.split('\t');
        Some(Country {
            region: Region::new(cells.next()?)?,
            timezone: cells.next()?,
            currency: cells.next()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_read_once() {
        let regions: Vec<Region> = rows().map(|c| c.region).collect();
        assert_eq!(regions.len(), TABLE.lines().count() - 1);
        assert!(regions.is_sorted_by(|a, b| a < b), "sorted, no country twice");
        for country in rows() {
            assert!(super::super::hours::zone(country.timezone).is_some(), "{country:?}");
            assert!(country.currency.len() == 3 && country.currency.bytes().all(|b| b.is_ascii_uppercase()));
        }
    }

    #[test]
    fn finds_by_code() {
        let gb = find("gb").unwrap();
        assert_eq!((gb.timezone, gb.currency), ("Europe/London", "GBP"));
        assert_eq!(find("AU").unwrap().timezone, "Australia/Sydney");
        assert_eq!(find("XX"), None);
        assert_eq!(find("001"), None);
    }
}
