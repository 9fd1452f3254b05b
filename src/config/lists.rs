//! The data files of handset security: built in, and the operator's own beside them.

use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::schema;
use crate::hints::oui::Ouis;
use crate::posture::Countries;
use crate::posture::outdated_firmware::Floor;
use crate::posture::password::DefaultPassword;
use crate::posture::password::candidates::LONGEST_PASSWORD;
use crate::posture::scanner_names::{ScannerName, Sort};
use crate::posture::version::Version;
use crate::tally::Label;

/// Rows of every file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lists {
    pub(super) scanners: Vec<ScannerName>,
    pub(super) floors: Vec<Floor>,
    pub(super) defaults: Vec<DefaultPassword>,
    /// Names of makers' servers.
    pub(super) clouds: Vec<String>,
    pub(super) ouis: Ouis,
    pub(super) countries: Countries,
}

/// What a row says of itself; for readers of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScannerRow {
    name: String,
    sort: String,
    #[serde(default)]
    whole: bool,
    #[serde(default)]
    #[expect(dead_code, reason = "the row's origin is for people")]
    source: String,
    #[serde(default)]
    #[expect(dead_code, reason = "the row's origin is for people")]
    date: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FloorRow {
    vendor: String,
    models: Vec<String>,
    #[serde(default)]
    min_secure: String,
    #[serde(default)]
    min: String,
    #[serde(default)]
    no_fix: bool,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    #[expect(dead_code, reason = "the row's origin is for people")]
    date: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DefaultRow {
    vendor: String,
    user: String,
    password: String,
    #[serde(default)]
    #[expect(dead_code, reason = "the row's origin is for people")]
    source: String,
    #[serde(default)]
    #[expect(dead_code, reason = "the row's origin is for people")]
    date: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CloudRow {
    name: String,
    #[expect(dead_code, reason = "for people: a name is a name, whoever it belongs to")]
    vendor: String,
    #[serde(default)]
    #[expect(dead_code, reason = "the row's origin is for people")]
    source: String,
    #[serde(default)]
    #[expect(dead_code, reason = "the row's origin is for people")]
    date: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    scanner: Vec<Spanned<ScannerRow>>,
    floor: Vec<Spanned<FloorRow>>,
    default: Vec<Spanned<DefaultRow>>,
    cloud: Vec<Spanned<CloudRow>>,
}

/// Each key's table in its file, and the rows that ship.
const BUILT_IN: [(&str, &str); 4] = [
    ("scanner", include_str!("../../etc/scanners.toml")),
    ("floor", include_str!("../../etc/firmware-floors.toml")),
    ("default", include_str!("../../etc/default-passwords.toml")),
    ("cloud", include_str!("../../etc/vendor-clouds.toml")),
];

/// Rows that one file may have; the IEEE's list of makers has some 40,000.
const MOST: usize = 10_000;
const MOST_OUIS: usize = 200_000;
/// A name longer than this is none (RFC 1035 section 2.3.4).
const NAME: usize = 253;

impl Lists {
    /// What the program brings.
    pub(super) fn built_in() -> Self {
        let mut lists = Self::default();
        for (table, text) in BUILT_IN {
            lists.read(table, text).unwrap_or_else(|error| unreachable!("{error}"));
        }
        lists
    }

    /// The operator's own rows stand first, so that they decide. Gives the keys whose file is wrong.
    pub(super) fn load(posture: &schema::Posture, folder: &Path) -> (Self, Vec<(&'static str, String)>) {
        let (mut lists, mut faults) = (Self::default(), Vec::new());
        for (key, table, name) in [
            ("scanners", "scanner", &posture.scanners),
            ("firmware_floors", "floor", &posture.firmware_floors),
            ("default_passwords", "default", &posture.default_passwords),
            ("vendor_clouds", "cloud", &posture.vendor_clouds),
            ("ouis", "", &posture.ouis),
            ("countries", "", &posture.countries),
        ] {
            if name.is_empty() {
                continue;
            }
            let path = folder.join(name);
            let read = |text: String| match key {
                "ouis" => lists.read_ouis(&text),
                "countries" => Countries::read(&text).map(|all| lists.countries = all),
                _ => lists.read(table, &text),
            };
            if let Err(why) = std::fs::read_to_string(&path).map_err(|error| error.to_string()).and_then(read)
            {
                faults.push((key, format!("{}: {why}", path.display())));
            }
        }
        let built_in = Self::built_in();
        lists.scanners.extend(built_in.scanners);
        lists.floors.extend(built_in.floors);
        lists.defaults.extend(built_in.defaults);
        lists.clouds.extend(built_in.clouds);
        (lists, faults)
    }

    fn read_ouis(&mut self, text: &str) -> Result<(), String> {
        if text.lines().count() > MOST_OUIS {
            return Err(format!("more than {MOST_OUIS} rows"));
        }
        self.ouis.add(text)
    }

    /// Takes the rows of one file; only those of its own table belong there.
    fn read(&mut self, table: &str, text: &str) -> Result<(), String> {
        let file: File = toml::from_str(text).map_err(|error| at(text, error.span(), error.message()))?;
        for (name, rows) in [
            ("scanner", file.scanner.len()),
            ("floor", file.floor.len()),
            ("default", file.default.len()),
            ("cloud", file.cloud.len()),
        ] {
            if rows > MOST {
                return Err(format!("more than {MOST} rows"));
            }
            if rows > 0 && name != table {
                return Err(format!("rows of this file are [[{table}]], not [[{name}]]"));
            }
        }
        for row in file.scanner {
            self.scanners.push(checked(text, row, scanner)?);
        }
        for row in file.floor {
            self.floors.push(checked(text, row, floor)?);
        }
        for row in file.default {
            self.defaults.push(checked(text, row, default_password)?);
        }
        for row in file.cloud {
            self.clouds.push(checked(text, row, cloud)?);
        }
        Ok(())
    }
}

fn checked<R, T>(text: &str, row: Spanned<R>, check: fn(R) -> Result<T, String>) -> Result<T, String> {
    let span = row.span();
    check(row.into_inner()).map_err(|why| at(text, Some(span), &why))
}

/// What is wrong, with its line.
fn at(text: &str, span: Option<Range<usize>>, what: &str) -> String {
    let before = span.and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count());
    before.map_or_else(|| what.to_owned(), |lines| format!("line {}: {what}", lines + 1))
}

fn scanner(row: ScannerRow) -> Result<ScannerName, String> {
    if row.name.trim().is_empty() {
        return Err("name is empty: it would be every User-Agent's".to_owned());
    }
    let sort = Sort::ALL.iter().find(|sort| sort.name() == row.sort);
    let sort = *sort.ok_or_else(|| format!("sort \"{}\" is none of scanner, softphone, tool", row.sort))?;
    Ok(ScannerName { name: row.name, whole: row.whole, sort })
}

fn floor(row: FloorRow) -> Result<Floor, String> {
    for (key, value) in [("min_secure", &row.min_secure), ("min", &row.min)] {
        if !value.is_empty() && Version::read(&row.vendor, value).is_none() {
            return Err(format!("{key} \"{value}\" is no version, as in \"1.0.7.81\""));
        }
    }
    Ok(Floor {
        vendor: row.vendor,
        models: row.models,
        min_secure: row.min_secure,
        min: row.min,
        no_fix: row.no_fix,
        reason: row.reason,
        source: row.source,
    })
}

fn default_password(row: DefaultRow) -> Result<DefaultPassword, String> {
    if row.password.len() > LONGEST_PASSWORD {
        // What is in the file is not repeated.
        return Err(format!("a password of more than {LONGEST_PASSWORD} bytes is no default"));
    }
    Ok(DefaultPassword { vendor: row.vendor, user: row.user, password: row.password })
}

fn cloud(row: CloudRow) -> Result<String, String> {
    let name = row.name.trim_end_matches('.');
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if name.len() > NAME || !name.contains('.') || !name.split('.').all(label) {
        return Err(format!("name \"{name}\" is no host name, as in \"rps.example.com\""));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posture::scanner_names;

    #[test]
    fn the_built_in_files_can_be_read_and_every_row_has_its_source() {
        let lists = Lists::built_in();
        assert!(lists.scanners.len() > 20 && lists.floors.len() > 5 && lists.defaults.len() > 10);
        for (_, text) in BUILT_IN {
            let table: toml::Table = text.parse().unwrap();
            for row in table.values().flat_map(|rows| rows.as_array().unwrap()) {
                let empty = row.get("models").is_some_and(|models| models.as_array().unwrap().is_empty());
                assert!(empty || (row.get("source").is_some() && row.get("date").is_some()), "{row:?}");
            }
        }
        for floor in lists.floors.iter().filter(|floor| !floor.min_secure.is_empty()) {
            assert!(Version::read(&floor.vendor, &floor.min_secure).is_some(), "{floor:?}");
        }
    }

    #[test]
    fn no_phone_is_taken_for_a_scanner() {
        let names = Lists::built_in().scanners;
        let sort = |agent: &str| scanner_names::sort(agent.as_bytes(), &names).map(|name| name.sort);
        assert_eq!(sort("friendly-scanner"), Some(Sort::Scanner));
        assert_eq!(sort("sipcli/v1.8"), Some(Sort::Scanner));
        assert_eq!(sort("CSipSimple_GT-I9100/r2457"), Some(Sort::Softphone));
        assert_eq!(sort("cisco"), Some(Sort::Softphone));
        for phone in [
            "Yealink SIP-T46U 108.86.0.20",
            "PolycomVVX-VVX_450-UA/5.9.1.0615",
            "snomD785/10.1.159.12",
            "Grandstream GXP2135 1.0.9.108",
            "Cisco/SPA504G-7.5.2",
            "Cisco-CP-8841-3PCC/11.0 (00562b043615)",
            "Aastra 6865i/4.2.0.2023",
            "N510 IP PRO/42.245.00.000.000;7C2F804DF9A9",
            "Fanvil X303 2.12.18.9 0c383e63963b",
            "Panasonic_KX-UT113/01.133 (0080f0c8c381)",
            "Asterisk PBX 18.10.0",
            "FPBX-16.0.40(18.9)",
            "kamailio (5.6.3 (x86_64/linux))",
            "baresip v1.0.0",
        ] {
            assert_eq!(sort(phone), None, "{phone}");
        }
    }

    /// Five files, each with the operator's rows first and with its faults told by line.
    #[test]
    fn the_operators_own_files_come_first_and_their_faults_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let names = |ext: &str| schema::Posture {
            scanners: format!("scanners.{ext}"),
            firmware_floors: format!("floors.{ext}"),
            default_passwords: format!("defaults.{ext}"),
            vendor_clouds: format!("clouds.{ext}"),
            ouis: format!("ouis.{ext}"),
            ..schema::Posture::default()
        };
        for (name, good, bad) in [
            (
                "scanners",
                "[[scanner]]\nname = \"evil\"\nsort = \"scanner\"",
                "\n[[scanner]]\nname = \"\"\nsort = \"tool\"",
            ),
            (
                "floors",
                "[[floor]]\nvendor = \"Acme\"\nmodels = [\"A*\"]\nmin = \"1.2\"",
                "\n[[floor]]\nvendor = \"Acme\"\nmodels = [\"A*\"]\nmin = \"new\"",
            ),
            (
                "defaults",
                "[[default]]\nvendor = \"Acme\"\nuser = \"u\"\npassword = \"p\"",
                "\n[[default]]\nvendor = \"Acme\"\nuser = \"u\"",
            ),
            (
                "clouds",
                "[[cloud]]\nvendor = \"Acme\"\nname = \"rps.acme.example\"",
                "\n[[cloud]]\nvendor = \"Acme\"\nname = \"http://rps.acme.example/\"",
            ),
            ("ouis", "AABBCC,Acme,yes,own,2026-11", "\nAABBC,Acme,yes"),
        ] {
            std::fs::write(dir.path().join(format!("{name}.good")), good).unwrap();
            std::fs::write(dir.path().join(format!("{name}.bad")), bad).unwrap();
        }
        let (lists, faults) = Lists::load(&names("good"), dir.path());
        assert_eq!(faults, []);
        assert_eq!((lists.scanners[0].name.as_str(), lists.clouds[0].as_str()), ("evil", "rps.acme.example"));
        assert_eq!((lists.floors[0].min.as_str(), lists.defaults[0].user.as_str()), ("1.2", "u"));
        assert!(lists.ouis.find(crate::decode::Mac([0xaa, 0xbb, 0xcc, 1, 2, 3])).is_some());
        assert!(lists.clouds.iter().any(|name| name == "rps.yealink.com"), "and the built-in ones");
        let (_, faults) = Lists::load(&names("bad"), dir.path());
        let said: Vec<&str> = faults.iter().map(|(_, what)| what.split_once(": ").unwrap().1).collect();
        assert_eq!(
            said,
            [
                "line 2: name is empty: it would be every User-Agent's",
                "line 2: min \"new\" is no version, as in \"1.2\"".replace("1.2", "1.0.7.81").as_str(),
                "line 2: missing field `password`",
                "line 2: name \"http://rps.acme.example/\" is no host name, as in \"rps.example.com\"",
                "line 2: \"AABBC,Acme,yes\" is no row; write 001565,Yealink,yes,source,date",
            ]
        );
        std::fs::write(dir.path().join("wrong.toml"), "[[floor]]\nvendor = \"A\"\nmodels = []").unwrap();
        let wrong = schema::Posture { scanners: "wrong.toml".to_owned(), ..schema::Posture::default() };
        let (_, faults) = Lists::load(&wrong, dir.path());
        assert!(faults[0].1.ends_with("rows of this file are [[scanner]], not [[floor]]"), "{faults:?}");
        let none = schema::Posture { ouis: "none.csv".to_owned(), ..schema::Posture::default() };
        let (_, faults) = Lists::load(&none, dir.path());
        assert!(faults[0].0 == "ouis" && faults[0].1.contains("No such file"), "{faults:?}");
    }
}
