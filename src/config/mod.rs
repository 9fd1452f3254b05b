//! The configuration file: typed, checked, and turned into every stage's settings.
//!
//! In: TOML. Out: `Config`, and from it each stage's `Settings`.
//! Never: imported by the core; lets an unknown key or a value that can't be pass.

mod check;
mod countries;
mod error;
mod hours;
mod schema;

use std::path::{Path, PathBuf};

pub use error::{Error, Problem};

use crate::dial::Region;
use crate::handsets;
use crate::time::OfficeHours;

use error::{Located, Step};
use schema::File;

/// A configuration in which everything makes sense.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    file: File,
    /// Relative paths in the file start from its own folder.
    folder: PathBuf,
    home: Region,
    hours: OfficeHours,
    ahead: Vec<&'static str>,
}

impl Default for Config {
    fn default() -> Self {
        Self::parse("built-in defaults", "").unwrap_or_else(|error| unreachable!("{error}"))
    }
}

/// Sections for stages that this version doesn't have: read and checked, so that a file can be
/// written ahead of them, but without effect.
const AHEAD: [&str; 9] =
    ["http", "control", "metrics", "store", "privacy", "notify", "posture", "password_check", "fleet"];

impl Config {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let unreadable = |cause| Error::Unreadable { file: path.to_owned(), cause };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let mut config = Self::parse(&path.display().to_string(), &text)?;
        config.folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(config)
    }

    /// Reads the text of a file; `name` is what errors call it.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let located = Located::new(name, text);
        let mut file: File =
            toml::from_str(text).map_err(|e| Error::Invalid { problems: vec![located.complaint(&e)] })?;
        let mut checker = check::Checker::new(&located);
        let site = checker.check(&mut file);
        let mut problems = checker.problems;
        problems.sort_by_key(|problem| problem.line);
        match site {
            Some(site) if problems.is_empty() => Ok(Self {
                hours: hours::office_hours(&site.zone, site.open, &site.holidays),
                home: site.home,
                ahead: AHEAD.into_iter().filter(|key| located.has(&[Step::Key(key)])).collect(),
                file,
                folder: PathBuf::new(),
            }),
            _ => Err(Error::Invalid { problems }),
        }
    }

    /// What is in force, as TOML: the file's values, and defaults for the rest.
    pub fn effective(&self) -> String {
        toml::to_string(&self.file).unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// Sections of the file that this version reads and checks but doesn't use.
    pub fn ahead_of_this_version(&self) -> &[&'static str] {
        &self.ahead
    }

    /// The country that the office dials from.
    pub const fn home(&self) -> Region {
        self.home
    }

    /// ISO 4217 code.
    pub fn currency(&self) -> &str {
        self.file.site.currency.as_deref().unwrap_or_default()
    }

    /// When the office is open.
    pub const fn office_hours(&self) -> &OfficeHours {
        &self.hours
    }

    /// The carrier's rate deck.
    pub fn tariff_file(&self) -> Option<PathBuf> {
        let file = &self.file.tariff.file;
        (!file.is_empty()).then(|| self.folder.join(file))
    }

    /// Handsets that the operator named: (extension, name).
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.file.handset.iter().filter(|h| !h.name.is_empty()).map(|h| (h.user.as_str(), h.name.as_str()))
    }

    /// Whose addresses are whose.
    pub fn handsets(&self) -> handsets::Settings {
        let networks = |list: &[String]| list.iter().filter_map(|text| text.parse().ok()).collect();
        let site = &self.file.site;
        handsets::Settings {
            pbx: networks(&site.pbx),
            home: networks(&site.home_networks),
            ..handsets::Settings::default()
        }
    }
}

#[cfg(test)]
mod tests;
