//! Makers' prefixes of hardware addresses.
//!
//! In: `etc/ouis.csv`, the operator's own rows. Out: the maker of an address, and whether the prefix
//! alone is evidence of a telephone. Never: a maker for an address that is locally administered.

use crate::decode::Mac;
use crate::text::Text;

/// The rows that ship.
const BUILT_IN: &str = include_str!("../../etc/ouis.csv");

/// One prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oui {
    /// The address's first three bytes.
    pub prefix: [u8; 3],
    /// The maker.
    pub vendor: Text<16>,
    /// Whether the maker puts it into telephones only.
    pub phone: bool,
}

/// Prefixes in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ouis(Vec<Oui>);

impl Default for Ouis {
    fn default() -> Self {
        let mut all = Self(Vec::new());
        // A test reads the built-in rows.
        all.add(BUILT_IN).unwrap_or_default();
        all
    }
}

impl Ouis {
    /// Adds rows: `prefix,vendor,phone,..`; later ones replace earlier ones. A row of the IEEE's own
    /// list (`MA-L,001565,"XIAMEN .. CO.,LTD",..`) says nothing of telephones, and replaces none.
    ///
    /// # Errors
    /// The first line that is no row, and why.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let (mut own, mut ieee) = (Vec::new(), Vec::new());
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            let heading = line.starts_with("prefix,") || line.starts_with("Registry,");
            if line.is_empty() || line.starts_with('#') || heading {
                continue;
            }
            if let Some(listed) = line.strip_prefix("MA-L,") {
                ieee.extend(ieee_row(listed));
                continue;
            }
            let row = row(line).ok_or_else(|| {
                let line: String = line.chars().take(60).collect();
                format!(
                    "line {}: \"{line}\" is no row; write 001565,Yealink,yes,source,date",
                    n.saturating_add(1)
                )
            })?;
            own.push(row);
        }
        // The sort keeps the order of rows with one prefix: the last one stands last and stays.
        let mut all: Vec<Oui> = ieee.into_iter().chain(self.0.drain(..)).chain(own).collect();
        all.reverse();
        all.sort_by_key(|oui| oui.prefix);
        all.dedup_by_key(|oui| oui.prefix);
        self.0 = all;
        Ok(())
    }

    /// The maker of an address.
    pub fn find(&self, mac: Mac) -> Option<&Oui> {
        let [a, b, c, ..] = mac.0;
        let at = self.0.binary_search_by_key(&[a, b, c], |known| known.prefix).ok()?;
        self.0.get(at)
    }
}

/// `001565,"XIAMEN YEALINK NETWORK TECHNOLOGY CO.,LTD",..`; the name is cut to what fits.
fn ieee_row(line: &str) -> Option<Oui> {
    let (digits, rest) = line.split_once(',')?;
    let prefix = prefix(digits)?;
    let quoted = rest.strip_prefix('"').and_then(|rest| rest.split('"').next());
    let name = quoted.or_else(|| rest.split(',').next())?.trim();
    (!name.is_empty()).then(|| Oui { prefix, vendor: Text::new(name.as_bytes()), phone: false })
}

fn prefix(digits: &str) -> Option<[u8; 3]> {
    let digits: String = digits.chars().filter(|c| !matches!(c, ':' | '-')).collect();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let [_, a, b, c] = u32::from_str_radix(&digits, 16).ok()?.to_be_bytes();
    Some([a, b, c])
}

fn row(line: &str) -> Option<Oui> {
    let mut fields = line.split(',').map(str::trim);
    let prefix = prefix(fields.next()?)?;
    let vendor = fields.next().filter(|vendor| !vendor.is_empty() && vendor.len() <= 16)?;
    let phone = match fields.next()? {
        "yes" => true,
        "no" => false,
        _ => return None,
    };
    Some(Oui { prefix, vendor: Text::from(vendor), phone })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_rows_are_read_and_can_be_extended() {
        let mut all = Ouis(Vec::new());
        all.add(BUILT_IN).unwrap();
        assert!(all.0.len() >= 55 && all == Ouis::default());
        let of = |all: &Ouis, mac| all.find(Mac(mac)).map(|oui| (oui.vendor.to_string(), oui.phone));
        assert_eq!(of(&all, [0x00, 0x15, 0x65, 1, 2, 3]), Some(("Yealink".to_owned(), true)));
        assert_eq!(of(&all, [0x00, 0x0c, 0x41, 1, 2, 3]), Some(("Linksys".to_owned(), false)));
        assert_eq!(of(&all, [0x02, 0, 0, 1, 2, 3]), None);
        all.add("AA:BB:CC,Acme,yes,own,2026-11\n00-15-65,Other,no,own,2026-11").unwrap();
        assert_eq!(of(&all, [0xaa, 0xbb, 0xcc, 1, 2, 3]), Some(("Acme".to_owned(), true)));
        assert_eq!(of(&all, [0x00, 0x15, 0x65, 1, 2, 3]), Some(("Other".to_owned(), false)));
        let ieee = "Registry,Assignment,Organization Name,Organization Address\n\
            MA-L,AABBCC,\"Other, Inc.\",\"1 Road\"\nMA-L,0050C2,\"IEEE, Authority Inc.\",x\nMA-L,123456,Short,x";
        all.add(ieee).unwrap();
        assert_eq!(of(&all, [0xaa, 0xbb, 0xcc, 1, 2, 3]), Some(("Acme".to_owned(), true)), "it stays");
        assert_eq!(of(&all, [0x12, 0x34, 0x56, 1, 2, 3]), Some(("Short".to_owned(), false)));
        assert_eq!(of(&all, [0x00, 0x50, 0xc2, 1, 2, 3]).map(|(_, phone)| phone), Some(false));
        assert!(all.add("xyz,Acme,yes").unwrap_err().starts_with("line 1"));
        assert!(all.add("AABBCC,Acme,perhaps").is_err());
    }

    #[test]
    fn every_row_has_source_and_date() {
        for line in BUILT_IN.lines().filter(|line| !line.starts_with('#')) {
            assert_eq!(line.split(',').filter(|field| !field.is_empty()).count(), 5, "{line}");
        }
    }
}
