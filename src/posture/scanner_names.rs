//! Scanners by the name that they give in User-Agent. The names are data: `etc/scanners.toml`.

use crate::labels;

labels! {
    /// What a name tells.
    pub enum Sort {
        Scanner = "scanner", "A scanner, and nothing else.";
        Softphone = "softphone", "A softphone or phone that scanners pose as: suspect from outside only.";
        Tool = "tool", "A test tool.";
    }
}

/// A name by which a scanner is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannerName {
    /// As it stands in User-Agent, whatever its case.
    pub name: String,
    /// It is the whole User-Agent, not a part of it.
    pub whole: bool,
    /// What it tells.
    pub sort: Sort,
}

/// What a User-Agent tells.
pub fn sort<'a>(agent: &[u8], names: &'a [ScannerName]) -> Option<&'a ScannerName> {
    names.iter().find(|known| {
        let name = known.name.as_bytes();
        if known.whole { !agent.is_empty() && agent.eq_ignore_ascii_case(name) } else { holds(agent, name) }
    })
}

/// Whether a name stands somewhere in a text, whatever the case of their ASCII letters.
fn holds(text: &[u8], name: &[u8]) -> bool {
    let Some(first) = name.first() else { return false };
    let begins = |part: &[u8]| part[0].eq_ignore_ascii_case(first) && part.eq_ignore_ascii_case(name);
    text.windows(name.len()).any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_their_case() {
        let name = |name: &str, whole| ScannerName { name: name.to_owned(), whole, sort: Sort::Scanner };
        let names = [name("friendly-scanner", false), name("cisco", true)];
        let is = |agent: &str| sort(agent.as_bytes(), &names).is_some();
        assert!(is("Friendly-Scanner") && is("x friendly-scanner/2") && is("Cisco"));
        assert!(!is("Cisco/SPA504G-7.5.2") && !is(""));
    }
}
