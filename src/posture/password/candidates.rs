//! The short list of passwords that nobody should have: published defaults, and what follows from
//! the extension, the office's name and the hardware address. No word list, no search.

use std::collections::BTreeSet;

use crate::decode::Mac;
use crate::time::{Timestamp, civil_from_days};

use super::Settings;

/// No list is longer, and no word on it, in bytes.
pub const LONGEST: usize = 500;
/// See above.
pub const LONGEST_PASSWORD: usize = 64;

/// What a list is made of.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The account, or the user name of a web page.
    pub user: &'a [u8],
    /// The extension, where it isn't the account.
    pub extension: &'a [u8],
    /// The realm.
    pub realm: &'a [u8],
    /// The handset's hardware address.
    pub mac: Option<Mac>,
    /// The maker, if it's known: its defaults come first.
    pub vendor: &'a [u8],
    /// When.
    pub now: Timestamp,
}

/// Words that stand for themselves.
const WORDS: [&str; 19] = [
    "password",
    "admin",
    "secret",
    "changeme",
    "voip",
    "sip",
    "phone",
    "pbx",
    "asterisk",
    "1234",
    "12345",
    "123456",
    "1234567",
    "12345678",
    "123456789",
    "1234567890",
    "4321",
    "654321",
    "user",
];

#[derive(Default)]
struct List(Vec<Vec<u8>>, BTreeSet<Vec<u8>>);

impl List {
    fn add(&mut self, candidate: impl Into<Vec<u8>>) {
        let candidate = candidate.into();
        if self.0.len() < LONGEST && candidate.len() <= LONGEST_PASSWORD && self.1.insert(candidate.clone()) {
            self.0.push(candidate);
        }
    }

    /// As it is; beyond ASCII, as Latin-1 too.
    fn add_text(&mut self, text: &str) {
        self.add(text);
        if !text.is_ascii()
            && let Some(latin) =
                text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect::<Option<Vec<u8>>>()
        {
            self.add(latin);
        }
    }
}

/// Passwords of a SIP account.
pub fn sip(about: &About<'_>, settings: &Settings) -> Vec<Vec<u8>> {
    let mut list = List::default();
    list.add("");
    for name in [about.user, about.extension] {
        derived(&mut list, name);
    }
    WORDS.iter().for_each(|word| list.add(*word));
    repeated_digits(&mut list);
    let realm = String::from_utf8_lossy(about.realm).into_owned();
    place(&mut list, realm.split('.').next().unwrap_or(&realm), about.now);
    place(&mut list, &settings.company, about.now);
    if let Some(mac) = about.mac {
        hardware(&mut list, mac);
    }
    defaults(&mut list, about, settings, false);
    settings.words.iter().for_each(|word| list.add_text(word));
    list.0
}

/// Passwords of a handset's own pages: the maker's defaults for that user name, or all makers' if
/// the maker isn't known.
pub fn web(about: &About<'_>, settings: &Settings) -> Vec<Vec<u8>> {
    let mut list = List::default();
    defaults(&mut list, about, settings, true);
    list.0
}

fn derived(list: &mut List, name: &[u8]) {
    if name.is_empty() || name.len() > 32 {
        return;
    }
    list.add(name);
    list.add(name.iter().rev().copied().collect::<Vec<u8>>());
    for (before, after) in [
        (name, name),
        (name, b"1234"),
        (name, b"123"),
        (name, b"!"),
        (b"sip", name),
        (b"pass", name),
        (b"Ext", name),
    ] {
        list.add([before, after].concat());
    }
    for width in 4..=8 {
        if name.len() < width {
            list.add([&b"00000000"[..width - name.len()], name].concat());
            list.add([name, &b"00000000"[..width - name.len()]].concat());
        }
    }
}

/// 0000 to 9999, and with six and eight digits.
fn repeated_digits(list: &mut List) {
    for width in [4, 6, 8] {
        for digit in b'0'..=b'9' {
            list.add(vec![digit; width]);
        }
    }
}

/// A name, alone and with this and last year.
fn place(list: &mut List, name: &str, now: Timestamp) {
    if name.is_empty() || name.len() > 32 {
        return;
    }
    let (year, ..) = civil_from_days(now.as_secs().div_euclid(86_400));
    let mut capital = name.to_lowercase();
    if let Some(first) = capital.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    for name in [name.to_owned(), name.to_lowercase(), capital] {
        list.add_text(&name);
        for tail in [year.to_string(), (year - 1).to_string(), "1".to_owned(), "123".to_owned()] {
            list.add_text(&format!("{name}{tail}"));
        }
    }
}

fn hardware(list: &mut List, mac: Mac) {
    let hex: String = mac.0.iter().map(|byte| format!("{byte:02x}")).collect();
    for length in [12, 6, 4] {
        let tail = hex.get(12 - length..).unwrap_or_default();
        list.add(tail);
        list.add(tail.to_uppercase());
    }
}

fn defaults(list: &mut List, about: &About<'_>, settings: &Settings, strict: bool) {
    let same = |a: &str, b: &[u8]| a.as_bytes().eq_ignore_ascii_case(b);
    let known = settings.defaults.iter().any(|row| same(&row.vendor, about.vendor));
    for own in [true, false] {
        if strict && known && !own {
            return;
        }
        let rows = settings.defaults.iter().filter(|row| same(&row.vendor, about.vendor) == own);
        for row in rows.filter(|row| !strict || same(&row.user, about.user)) {
            list.add_text(&row.password);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::DefaultPassword;
    use super::*;

    fn about<'a>(user: &'a [u8], vendor: &'a [u8]) -> About<'a> {
        About {
            user,
            extension: b"201",
            realm: b"pbx.example.org",
            mac: Some(Mac([0, 0x15, 0x65, 0x4a, 0xa9, 0x37])),
            vendor,
            now: Timestamp::from_parts(1_795_000_000, 0),
        }
    }

    fn settings() -> Settings {
        let row = |vendor: &str, user: &str, password: &str| DefaultPassword {
            vendor: vendor.to_owned(),
            user: user.to_owned(),
            password: password.to_owned(),
        };
        Settings {
            company: "M\u{fc}ller".to_owned(),
            defaults: vec![row("yealink", "admin", "admin"), row("poly", "Polycom", "456")],
            ..Settings::default()
        }
    }

    #[test]
    fn everything_that_the_sheet_names_and_no_more_than_fits() {
        let list = sip(&about(b"201", b""), &settings());
        for word in [
            "",
            "201",
            "102",
            "201201",
            "2011234",
            "0201",
            "00000201",
            "1234",
            "123456",
            "9999",
            "changeme",
            "pbx",
            "pbx2026",
            "Pbx2025",
            "M\u{fc}ller2026",
            "0015654aa937",
            "4AA937",
            "a937",
            "456",
        ] {
            assert!(list.contains(&word.as_bytes().to_vec()), "{word}");
        }
        assert!(list.contains(&b"M\xfcller".to_vec()), "Latin-1");
        assert!(list.len() < LONGEST && !list.contains(&b"correct horse".to_vec()));
        let long = Settings { words: (0..10_000).map(|n| format!("w{n}")).collect(), ..settings() };
        assert_eq!(sip(&about(b"201", b""), &long).len(), LONGEST);
    }

    #[test]
    fn a_page_is_tried_with_its_makers_defaults() {
        assert_eq!(web(&about(b"admin", b"yealink"), &settings()), [b"admin".to_vec()]);
        assert_eq!(web(&about(b"Polycom", b""), &settings()), [b"456".to_vec()]);
        assert!(web(&about(b"admin", b"poly"), &settings()).is_empty());
    }
}
