//! Scanners by the name that they give in User-Agent.
//!
//! Source: the union of five public block lists that all hold "sundayddr", and the sample list of
//! cyber-cottage (2026-11); the traits of SIPVicious are from its source, commit 86a3429.

/// What a name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A scanner, and nothing else.
    Scanner,
    /// A test tool.
    Tool,
    /// A softphone that scanners pose as: suspect from outside only.
    Softphone,
}

/// Names as they stand in User-Agent, in lower case; a name stands for every string that has it
/// inside.
const NAMES: [(&str, Sort); 27] = [
    ("friendly-scanner", Sort::Scanner),
    ("friendly-request", Sort::Scanner),
    ("sipvicious", Sort::Scanner),
    ("svmap", Sort::Scanner),
    ("svwar", Sort::Scanner),
    ("svcrack", Sort::Scanner),
    ("sundayddr", Sort::Scanner),
    ("sipcli/", Sort::Scanner),
    ("sip-scan", Sort::Scanner),
    ("sipsak", Sort::Scanner),
    ("iwar", Sort::Scanner),
    ("vaxsipuseragent", Sort::Scanner),
    ("vaxipuseragent", Sort::Scanner),
    ("pplsip", Sort::Scanner),
    ("sippts", Sort::Scanner),
    ("siparmyknife", Sort::Scanner),
    ("sivus", Sort::Scanner),
    ("gulp", Sort::Scanner),
    ("smap", Sort::Scanner),
    ("sipv", Sort::Scanner),
    ("voiphopper", Sort::Scanner),
    ("test agent", Sort::Scanner),
    ("portsip voip sdk", Sort::Softphone),
    ("eyebeam release 3015c stamp 27107", Sort::Softphone),
    ("csipsimple", Sort::Softphone),
    ("sipp", Sort::Tool),
    // An H.323 scanner gives this name and nothing more.
    ("cisco", Sort::Softphone),
];

/// What a User-Agent tells; `more` are names that the operator added.
pub fn sort(agent: &[u8], more: &[String]) -> Option<(String, Sort)> {
    let agent = String::from_utf8_lossy(agent).to_lowercase();
    let named = |name: &str| match name {
        "cisco" => agent == "cisco",
        _ => agent.contains(name),
    };
    let own = more.iter().find(|name| !name.is_empty() && agent.contains(&name.to_lowercase()));
    own.map(|name| (name.clone(), Sort::Scanner)).or_else(|| {
        NAMES.iter().find(|(name, _)| named(name)).map(|(name, sort)| ((*name).to_owned(), *sort))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_their_case_and_phones_are_not() {
        let sort = |agent: &str| sort(agent.as_bytes(), &[]).map(|(_, sort)| sort);
        assert_eq!(sort("Friendly-Scanner"), Some(Sort::Scanner));
        assert_eq!(sort("sipcli/v1.8"), Some(Sort::Scanner));
        assert_eq!(sort("CSipSimple_GT-I9100/r2457"), Some(Sort::Softphone));
        assert_eq!(sort("cisco"), Some(Sort::Softphone));
        for phone in ["Cisco/SPA504G-7.5.2", "Yealink SIP-T46U 108.86.0.20", "snomD785/10.1.159.12", ""] {
            assert_eq!(sort(phone), None, "{phone}");
        }
        assert_eq!(super::sort(b"Evil 1.0", &["evil".to_owned()]).unwrap().1, Sort::Scanner);
    }
}
