//! Which country an address belongs to, by a table that the operator gives: none ships, because none may
//! be shipped with a date that everybody can check.
//!
//! In: rows of `first,last,CC` or `network/bits,CC`. Out: a country. Never: guesses.

use std::net::IpAddr;
use std::sync::Arc;

use super::scene::octets;

/// Rows that are read; all of the internet is about a million.
const MOST: usize = 4_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    first: u128,
    last: u128,
    country: [u8; 2],
}

/// Countries of addresses, in order; shared, because settings are cloned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Countries(Arc<Vec<Range>>);

impl Countries {
    /// Reads a table, as DB-IP and others publish it.
    ///
    /// # Errors
    /// The first line that is no row, and why.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut ranges = Vec::new();
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if ranges.len() >= MOST {
                return Err(format!("more than {MOST} rows"));
            }
            let row = row(line).ok_or_else(|| {
                let line: String = line.chars().take(60).collect();
                format!(
                    "line {}: \"{line}\" is no row; write 192.0.2.0/24,GB or 192.0.2.0,192.0.2.255,GB",
                    n + 1
                )
            })?;
            ranges.push(row);
        }
        ranges.sort_unstable();
        Ok(Self(Arc::new(ranges)))
    }

    /// The country of an address, if the table has it.
    pub fn of(&self, ip: IpAddr) -> Option<&str> {
        let ip = number(ip);
        let after = self.0.partition_point(|range| range.first <= ip);
        let range = self.0.get(after.checked_sub(1)?)?;
        if range.last < ip { None } else { std::str::from_utf8(&range.country).ok() }
    }

    /// Whether there is no table.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn number(ip: IpAddr) -> u128 {
    u128::from_be_bytes(octets(ip))
}

/// The first and the last address of a network.
fn network(base: IpAddr, bits: u32) -> Option<(u128, u128)> {
    let longest: u32 = if base.is_ipv4() { 32 } else { 128 };
    let free = longest.checked_sub(bits)?;
    let hosts = 1u128.checked_shl(free).map_or(u128::MAX, |size| size - 1);
    let first = number(base) & !hosts;
    Some((first, first | hosts))
}

fn row(line: &str) -> Option<Range> {
    let mut fields = line.split(',').map(|field| field.trim().trim_matches('"'));
    let place = fields.next()?;
    let (first, last) = match place.split_once('/') {
        Some((base, bits)) => network(base.parse().ok()?, bits.parse().ok()?)?,
        None => (number(place.parse().ok()?), number(fields.next()?.parse().ok()?)),
    };
    let country: [u8; 2] = fields.next()?.as_bytes().try_into().ok()?;
    let is = country.iter().all(u8::is_ascii_uppercase) && first <= last;
    is.then_some(Range { first, last, country })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_networks() {
        let table = "# a table\n192.0.2.0,192.0.2.127,GB\n\"198.51.100.0/24\",\"LV\"\n2001:db8::/32,CU\n";
        let all = Countries::read(table).unwrap();
        let of = |ip: &str| all.of(ip.parse().unwrap());
        assert_eq!((of("192.0.2.0"), of("192.0.2.127"), of("192.0.2.128")), (Some("GB"), Some("GB"), None));
        assert_eq!((of("198.51.100.9"), of("198.51.101.0"), of("8.8.8.8")), (Some("LV"), None, None));
        assert_eq!((of("2001:db8:ffff::1"), of("2001:db9::1")), (Some("CU"), None));
        assert!(Countries::default().of("8.8.8.8".parse().unwrap()).is_none());
        for wrong in
            ["192.0.2.0,GB", "192.0.2.9,192.0.2.1,GB", "192.0.2.0/24,gb", "192.0.2.0/24,GBR", "x,y,GB"]
        {
            assert!(Countries::read(wrong).unwrap_err().starts_with("line 1"), "{wrong}");
        }
    }
}
