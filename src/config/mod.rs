//! The configuration file: typed, checked, and turned into every stage's settings.
//!
//! In: TOML. Out: `Config`, and from it each stage's `Settings`.
//! Never: imported by the core; lets an unknown key or a value that can't be pass.

mod check;
mod countries;
mod detect;
mod error;
mod hours;
mod lists;
#[cfg(feature = "daemon")]
mod notify;
mod overrides;
mod schema;

use std::collections::BTreeMap;
use std::path::Path;

pub use error::{Error, Problem};

use crate::baseline::excuse::Allowance;
use crate::dial::Region;
use crate::sensor::watch;
use crate::time::{OfficeHours, Span, Timestamp};
use crate::{baseline, dial, handsets, judge, posture, sensor};

use error::{Located, Step};
use lists::Lists;
use schema::File;

/// A configuration in which everything makes sense.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    file: File,
    /// Where relative paths start.
    folder: std::path::PathBuf,
    home: Region,
    hours: OfficeHours,
    allowances: Vec<Allowance>,
    /// The rate deck's name and bytes.
    deck: Option<(String, Vec<u8>)>,
    /// Scanners, firmware floors, default passwords, makers' servers and prefixes.
    lists: Lists,
    ahead: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self::parse("built-in defaults", "", Path::new("")).unwrap_or_else(|error| unreachable!("{error}"))
    }
}

/// Keys for stages that this version doesn't have: read and checked, so that a file can be written
/// ahead of them, but without effect: as long as they say what holds anyway, nobody need know. A key
/// leaves this list when its stage arrives.
const AHEAD: [&[&str]; 1] = [&["fleet"]];

impl Config {
    /// Reads a file, and the rate deck that it names.
    ///
    /// # Errors
    /// A file that can't be read, or says what can't be.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let unreadable = |cause| Error::Unreadable { file: path.to_owned(), cause };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::parse(&path.display().to_string(), &text, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads the text of a file; `name` is what errors call it, `folder` where its relative paths start.
    ///
    /// # Errors
    /// A text that says what can't be.
    pub fn parse(name: &str, text: &str, folder: &Path) -> Result<Self, Error> {
        let located = Located::new(name, text);
        let mut file: File =
            toml::from_str(text).map_err(|e| Error::Invalid { problems: vec![located.complaint(&e)] })?;
        let mut checker = check::Checker::new(&located);
        let site = checker.check(&mut file);
        let deck = checker.deck(&file, folder);
        let lists = checker.lists(&file, folder);
        let mut problems = checker.problems;
        problems.sort_by_key(|problem| problem.line);
        match site {
            Some(site) if problems.is_empty() => Ok(Self {
                hours: hours::office_hours(&site.zone, site.open, &site.holidays),
                home: site.home,
                allowances: allowances(&file, &site.ends),
                folder: folder.to_owned(),
                deck,
                lists,
                ahead: if file.fleet == schema::Fleet::default() { Vec::new() } else { ahead(&located) },
                file,
            }),
            _ => Err(Error::Invalid { problems }),
        }
    }

    /// What is in force, as TOML: the file's values, and defaults for the rest.
    pub fn effective(&self) -> String {
        toml::to_string(&self.file).unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// The same, for any format.
    pub const fn file(&self) -> &impl serde::Serialize {
        &self.file
    }

    /// Keys of the file that this version reads and checks but doesn't use.
    pub fn ahead_of_this_version(&self) -> &[String] {
        &self.ahead
    }

    /// When the office is open.
    pub const fn office_hours(&self) -> &OfficeHours {
        &self.hours
    }

    /// The IANA name of the office's time zone.
    pub fn timezone(&self) -> &str {
        self.file.site.timezone.as_deref().unwrap_or_default()
    }

    /// Handsets that the operator named: extension to name.
    pub fn names(&self) -> BTreeMap<String, String> {
        let named = self.file.handset.iter().filter(|handset| !handset.name.is_empty());
        named.map(|handset| (handset.user.clone(), handset.name.clone())).collect()
    }

    /// Home country, outside line, extensions, tariff, overrides.
    pub fn dial(&self) -> dial::Settings {
        let site = &self.file.site;
        let (overrides, short_overrides) = overrides::of(&self.file.r#override);
        dial::Settings {
            outside_line: site.outside_line.clone(),
            extensions: site.extensions.clone(),
            currency: site.currency.clone().unwrap_or_default(),
            tariff: self.deck.clone(),
            overrides,
            short_overrides,
            domestic: site.domestic.iter().filter_map(|code| Region::new(code)).collect(),
            ..dial::Settings::for_home(self.home)
        }
    }

    /// The hot half.
    pub fn sensor(&self) -> sensor::Settings {
        let networks = |list: &[String]| list.iter().filter_map(|text| text.parse().ok()).collect();
        let site = &self.file.site;
        let handsets = handsets::Settings {
            pbx: networks(&site.pbx),
            home: networks(&site.home_networks),
            ..handsets::Settings::default()
        };
        let (mut names, addresses): (Vec<_>, Vec<_>) =
            site.provisioning.iter().cloned().partition(|text| text.parse::<handsets::Network>().is_err());
        names.extend(self.lists.clouds.iter().cloned());
        let check = &self.file.password_check;
        let watch = watch::Settings {
            support: networks(&site.support),
            provisioning: networks(&addresses),
            provisioning_names: names,
            ouis: self.lists.ouis.clone(),
            passwords: watch::Passwords {
                enabled: check.enabled,
                networks: networks(&check.networks),
                realms: check.realms.clone(),
                ..watch::Passwords::default()
            },
            ..watch::Settings::default()
        };
        sensor::Settings { handsets, watch, ..sensor::Settings::default() }
    }

    /// Handset security.
    fn posture(&self) -> posture::Settings {
        let networks = |list: &[String]| list.iter().filter_map(|text| text.parse().ok()).collect();
        let (file, check) = (&self.file, &self.file.password_check);
        posture::Settings {
            home: networks(&file.site.home_networks),
            has_pbx: !file.site.pbx.is_empty(),
            keep: file.handset.iter().filter(|handset| handset.keep).map(|h| h.user.clone()).collect(),
            idle_days: file.posture.idle_days,
            idle_warning_days: file.posture.idle_warning_days,
            scanners: self.lists.scanners.clone(),
            floors: self.lists.floors.clone(),
            countries: self.lists.countries.clone(),
            password: posture::password::Settings {
                enabled: check.enabled,
                networks: networks(&check.networks),
                realms: check.realms.clone(),
                company: file.site.name.clone(),
                defaults: self.lists.defaults.clone(),
                ..posture::password::Settings::default()
            },
        }
    }

    /// Where to take HEPv3, if anywhere.
    pub fn hep_listen(&self) -> Option<std::net::SocketAddr> {
        self.file.capture.hep.listen.parse().ok()
    }

    /// Interfaces to capture from: the file's, unless others are named.
    #[cfg(feature = "daemon")]
    pub fn live(&self, named: &[String]) -> crate::capture::live::Settings {
        let capture = &self.file.capture;
        let interfaces = if named.is_empty() { capture.interfaces.as_slice() } else { named };
        crate::capture::live::Settings {
            interfaces: interfaces.to_vec(),
            filter: capture.filter.clone(),
            buffer_mib: capture.buffer_mib,
        }
    }

    /// The listener; `None` if there shall be none.
    #[cfg(feature = "daemon")]
    pub fn http(&self) -> Option<crate::export::http::Settings> {
        let http = &self.file.http;
        let path = |text: &String| (!text.is_empty()).then(|| self.folder.join(text));
        Some(crate::export::http::Settings {
            listen: http.listen.parse().ok()?,
            token_file: path(&http.token_file),
            tls: path(&http.tls_cert).zip(path(&http.tls_key)),
            client_ca: path(&http.client_ca),
        })
    }

    /// Which handsets metrics name; `key` is for those that nobody named.
    #[cfg(feature = "daemon")]
    pub fn metrics(&self, key: [u8; 32]) -> crate::export::metrics::Settings {
        use crate::export::metrics::{HandsetLabel, Names, Settings};
        let handset_label = match self.file.metrics.handset_label {
            schema::HandsetLabel::Off => HandsetLabel::Off,
            schema::HandsetLabel::Alerting => HandsetLabel::Alerting,
            schema::HandsetLabel::All => HandsetLabel::All,
        };
        Settings { handset_label, names: Names { configured: self.names(), key } }
    }

    /// Where the control socket is; `None` if there shall be none.
    pub fn control_socket(&self) -> Option<std::path::PathBuf> {
        let socket = &self.file.control.socket;
        (!socket.is_empty()).then(|| self.folder.join(socket))
    }

    /// The user that the daemon runs as once its sockets are open, if it is started as root.
    pub fn run_as(&self) -> &str {
        &self.file.run.user
    }

    /// Files that the daemon writes, each with the key that names it. Their folders are made at start if
    /// they are missing, and given to the user that it runs as.
    pub fn written(&self) -> Vec<(&'static str, std::path::PathBuf)> {
        let files = [("[control] socket", self.control_socket()), ("[store] path", self.store_path())];
        #[cfg(feature = "daemon")]
        let files = files.into_iter().chain([
            ("[notify.journal] path", self.journal()),
            ("[privacy] key_file", Some(self.key_file())),
        ]);
        files.into_iter().filter_map(|(key, file)| Some((key, file?))).collect()
    }

    /// Where the database is; `None` if there shall be none.
    pub fn store_path(&self) -> Option<std::path::PathBuf> {
        let path = &self.file.store.path;
        (!path.is_empty()).then(|| self.folder.join(path))
    }

    /// The country in whose capital an IANA time zone holds.
    pub fn country_of_timezone(zone: &str) -> Option<Region> {
        countries::of_timezone(zone)
    }

    /// The country of a two-letter code that an office can be in.
    pub fn country(code: &str) -> Option<Region> {
        countries::find(code).map(|country| country.region)
    }

    /// What the office is called.
    pub fn site_name(&self) -> &str {
        &self.file.site.name
    }

    /// How records are written in logs and in what is sent.
    pub fn recorder(&self) -> crate::record::Recorder {
        let privacy = match self.file.privacy.numbers {
            schema::Numbers::Full => crate::record::Privacy::Full,
            schema::Numbers::Masked | schema::Numbers::Hashed => crate::record::Privacy::Masked,
        };
        crate::record::Recorder { privacy, names: self.names() }
    }

    /// The cold half.
    pub fn judge(&self) -> judge::Settings {
        judge::Settings {
            baseline: baseline::Settings {
                allowances: self.allowances.clone(),
                home: self.home,
                report_after: Span::days(self.file.detect.learning_days.into()),
                ..baseline::Settings::default()
            },
            detect: self.file.detect.settings(),
            posture: self.posture(),
            hours: self.hours.clone(),
            names: self.names(),
            ..judge::Settings::default()
        }
    }
}

/// What exceptions and handsets' own lists allow. `ends` has one entry for each exception.
fn allowances(file: &File, ends: &[Option<Timestamp>]) -> Vec<Allowance> {
    let regions = |codes: &[String]| codes.iter().filter_map(|code| Region::new(code)).collect();
    let exceptions = file.exception.iter().zip(ends).map(|(exception, until)| Allowance {
        user: exception.handset.clone(),
        regions: regions(&exception.countries),
        until: *until,
        why: exception.why.clone(),
    });
    let handsets = file.handset.iter().filter(|handset| !handset.allow.is_empty()).map(|handset| Allowance {
        user: handset.user.clone(),
        regions: regions(&handset.allow),
        until: None,
        why: "normal for this handset".to_owned(),
    });
    exceptions.chain(handsets).collect()
}

fn ahead(located: &Located<'_>) -> Vec<String> {
    let given = AHEAD.iter().filter(|key| located.has(&key.iter().map(|k| Step::Key(k)).collect::<Vec<_>>()));
    given.map(|key| key.join(".")).collect()
}

#[cfg(test)]
mod tests;
