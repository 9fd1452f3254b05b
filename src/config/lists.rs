//! The data files of handset security: built in, and the operator's own beside them.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::schema;
use crate::posture::outdated_firmware::Floor;
use crate::posture::password::DefaultPassword;
use crate::posture::scanner_names::{ScannerName, Sort};
use crate::tally::Label;

/// Rows of every file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lists {
    pub(super) scanners: Vec<ScannerName>,
    pub(super) floors: Vec<Floor>,
    pub(super) defaults: Vec<DefaultPassword>,
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

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    scanner: Vec<ScannerRow>,
    floor: Vec<FloorRow>,
    default: Vec<DefaultRow>,
}

const BUILT_IN: [&str; 3] = [
    include_str!("../../etc/scanners.toml"),
    include_str!("../../etc/firmware-floors.toml"),
    include_str!("../../etc/default-passwords.toml"),
];

/// Rows that one file may have.
const MOST: usize = 10_000;

impl Lists {
    /// What the program brings.
    pub(super) fn built_in() -> Self {
        let mut lists = Self::default();
        for text in BUILT_IN {
            lists.read(text).unwrap_or_else(|error| unreachable!("{error}"));
        }
        lists
    }

    /// The operator's own rows stand first, so that they decide. Gives the keys whose file is wrong.
    pub(super) fn load(posture: &schema::Posture, folder: &Path) -> (Self, Vec<(&'static str, String)>) {
        let (mut lists, mut faults) = (Self::default(), Vec::new());
        for (key, name) in [
            ("scanners", &posture.scanners),
            ("firmware_floors", &posture.firmware_floors),
            ("default_passwords", &posture.default_passwords),
        ] {
            if name.is_empty() {
                continue;
            }
            let path = folder.join(name);
            let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
            if let Err(why) = text.and_then(|text| lists.read(&text)) {
                faults.push((key, format!("{} can't be read: {why}", path.display())));
            }
        }
        let built_in = Self::built_in();
        lists.scanners.extend(built_in.scanners);
        lists.floors.extend(built_in.floors);
        lists.defaults.extend(built_in.defaults);
        (lists, faults)
    }

    fn read(&mut self, text: &str) -> Result<(), String> {
        let file: File = parse(text)?;
        if file.scanner.len().max(file.floor.len()).max(file.default.len()) > MOST {
            return Err(format!("more than {MOST} rows"));
        }
        for row in file.scanner {
            let sort = Sort::ALL.iter().find(|sort| sort.name() == row.sort);
            let sort =
                *sort.ok_or_else(|| format!("sort \"{}\" is none of scanner, softphone, tool", row.sort))?;
            self.scanners.push(ScannerName { name: row.name, whole: row.whole, sort });
        }
        self.floors.extend(file.floor.into_iter().map(|row| Floor {
            vendor: row.vendor,
            models: row.models,
            min_secure: row.min_secure,
            min: row.min,
            no_fix: row.no_fix,
            reason: row.reason,
            source: row.source,
        }));
        let default =
            |row: DefaultRow| DefaultPassword { vendor: row.vendor, user: row.user, password: row.password };
        self.defaults.extend(file.default.into_iter().map(default));
        Ok(())
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posture::scanner_names;
    use crate::posture::version::Version;

    #[test]
    fn the_built_in_files_can_be_read_and_every_row_has_its_source() {
        let lists = Lists::built_in();
        assert!(lists.scanners.len() > 20 && lists.floors.len() > 5 && lists.defaults.len() > 10);
        for text in BUILT_IN {
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

    #[test]
    fn the_operators_own_file_comes_first_and_its_faults_are_told() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("s.toml"), "[[scanner]]\nname = \"evil\"\nsort = \"scanner\"")
            .unwrap();
        std::fs::write(dir.path().join("f.toml"), "[[floor]]\nvendor = 1").unwrap();
        let posture = schema::Posture {
            scanners: "s.toml".to_owned(),
            firmware_floors: "f.toml".to_owned(),
            ..schema::Posture::default()
        };
        let (lists, faults) = Lists::load(&posture, dir.path());
        assert_eq!(lists.scanners[0].name, "evil");
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].0, "firmware_floors");
    }
}
