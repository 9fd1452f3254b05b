//! What the operator says of prefixes.
//!
//! In: the rate deck's risks, the configuration's overrides. Out: one for each prefix, in which what it
//! leaves open is taken from the shorter prefix around it.
//! Never: reads a number.

use std::collections::BTreeMap;

use super::deck::prefix;
use super::{DialError, Override};

/// As many as a trie's values can tell apart.
const MOST: usize = 65_000;

/// One for each prefix, which is in digits. Of two for the same prefix the later one counts, and leaves
/// open what it says nothing of.
pub(super) fn settled(all: impl Iterator<Item = Override>) -> Result<Vec<Override>, DialError> {
    let mut known: BTreeMap<String, Override> = BTreeMap::new();
    for row in all {
        let digits = prefix(&row.prefix).ok_or_else(|| DialError::Prefix(row.prefix.clone()))?;
        let row = match known.get(&digits) {
            Some(earlier) => completed(row, earlier),
            None => row,
        };
        known.insert(digits.clone(), Override { prefix: digits, ..row });
        if known.len() > MOST {
            return Err(DialError::TooManyOverrides(MOST));
        }
    }
    // Shorter prefixes come before the longer ones that they begin.
    let mut settled: BTreeMap<String, Override> = BTreeMap::new();
    for (digits, row) in known {
        let around = (0..digits.len()).rev().filter_map(|len| settled.get(digits.get(..len)?)).next();
        let row = match around {
            Some(around) => completed(row, around),
            None => row,
        };
        settled.insert(digits, row);
    }
    Ok(settled.into_values().collect())
}

fn completed(row: Override, by: &Override) -> Override {
    let why = if row.why.is_empty() { by.why.clone() } else { row.why };
    Override { kind: row.kind.or(by.kind), risk: row.risk.or(by.risk), why, ..row }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Risk};
    use super::*;

    fn row(prefix: &str, kind: Option<Kind>, risk: Option<Risk>, why: &str) -> Override {
        Override { prefix: prefix.to_owned(), kind, risk, why: why.to_owned() }
    }

    #[test]
    fn a_longer_prefix_takes_what_it_leaves_open_from_the_shorter_one() {
        let rows = [
            row("00 44 871 5", None, Some(Risk::High), ""),
            row("+44871", Some(Kind::PremiumRate), Some(Risk::Low), "our carrier"),
            row("371", None, Some(Risk::High), "deck"),
            row("+371", Some(Kind::Mobile), None, "own"),
        ];
        let settled = settled(rows.into_iter()).unwrap();
        assert_eq!(
            settled,
            [
                row("371", Some(Kind::Mobile), Some(Risk::High), "own"),
                row("44871", Some(Kind::PremiumRate), Some(Risk::Low), "our carrier"),
                row("448715", Some(Kind::PremiumRate), Some(Risk::High), "our carrier"),
            ]
        );
    }

    #[test]
    fn refuses_what_is_no_prefix() {
        for bad in ["", "+", "abc", "+44 871x", "1234567890123456"] {
            let settled = settled([row(bad, Some(Kind::Mobile), None, "")].into_iter());
            assert!(matches!(settled, Err(DialError::Prefix(_))), "{bad}: {settled:?}");
        }
    }
}
