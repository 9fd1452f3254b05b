//! What types alone can't say: whether the values make sense, alone and together.

use std::net::SocketAddr;
use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::dial::{self, Region};
use crate::handsets::Network;
use crate::time::Timestamp;

use super::countries;
use super::error::Step::{Item, Key};
use super::error::{Located, Problem, Step};
use super::hours;
use super::lists::Lists;
use super::overrides;
use super::schema::{File, Http, Role};

/// Collects what is wrong.
pub(super) struct Checker<'a> {
    located: &'a Located<'a>,
    pub(super) problems: Vec<Problem>,
}

/// Values that were read on the way.
pub(super) struct Site {
    pub(super) home: Region,
    pub(super) zone: TimeZone,
    pub(super) open: [Option<(u16, u16)>; 7],
    pub(super) holidays: Vec<Date>,
    /// When each exception is over; `None` = never.
    pub(super) ends: Vec<Option<Timestamp>>,
}

impl<'a> Checker<'a> {
    pub(super) const fn new(located: &'a Located<'a>) -> Self {
        Self { located, problems: Vec::new() }
    }

    /// Checks everything, and fills in what follows from the home country.
    pub(super) fn check(&mut self, file: &mut File) -> Option<Site> {
        let site = self.site(file);
        self.capture(file);
        self.detect(file);
        self.people(file);
        self.overrides(file);
        self.http(&file.http);
        self.edges(file);
        site
    }

    fn site(&mut self, file: &mut File) -> Option<Site> {
        let site = &mut file.site;
        let Some(country) = countries::find(&site.home) else {
            let what =
                format!("\"{}\" isn't a country; write the two letters of ISO 3166, as in \"GB\"", site.home);
            self.add(&[Key("site"), Key("home")], what);
            return None;
        };
        site.home = country.region.to_string();
        self.countries(&[Key("site"), Key("domestic")], &site.domestic);
        let name = site.timezone.get_or_insert_with(|| country.timezone.to_owned()).clone();
        let zone = hours::zone(&name);
        if zone.is_none() {
            let what = format!("\"{name}\" isn't an IANA time zone; write one as \"{}\"", country.timezone);
            self.add(&[Key("site"), Key("timezone")], what);
        }
        let currency = site.currency.get_or_insert_with(|| dial::currency_of(country.region));
        if !(currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase())) {
            let what = format!(
                "\"{currency}\" isn't a currency; write the three letters of ISO 4217, as in \"EUR\""
            );
            self.add(&[Key("site"), Key("currency")], what);
        }
        self.items(&["site", "outside_line"], &file.site.outside_line, |digits| {
            let fine = !digits.is_empty() && digits.len() <= 4 && digits.bytes().all(|b| b.is_ascii_digit());
            (!fine).then(|| {
                format!("\"{digits}\" isn't an outside line; write its one to four digits, as in \"9\"")
            })
        });
        self.items(&["site", "extensions"], &file.site.extensions, |pattern| {
            (!is_extension_pattern(pattern)).then(|| {
                format!(
                    "\"{pattern}\" isn't a pattern of extensions; write \"214\", \"2XX\" or \"4000-4099\""
                )
            })
        });
        for (key, list) in [
            ("pbx", &file.site.pbx),
            ("support", &file.site.support),
            ("home_networks", &file.site.home_networks),
        ] {
            self.items(&["site", key], list, network_fault);
        }
        self.items(&["site", "provisioning"], &file.site.provisioning, |text| {
            let fine = text.parse::<Network>().is_ok() || is_host_name(text);
            (!fine).then(|| format!("\"{text}\" is neither an address nor a host's name"))
        });
        let open = hours::week(&file.site.office_hours);
        if let Err(why) = &open {
            let what = format!("{why}; write \"Mon-Fri 08:00-18:00, Sat 09:00-13:00\" or \"always\"");
            self.add(&[Key("site"), Key("office_hours")], what);
        }
        let holidays = self.dates(&["site", "holidays"], &file.site.holidays);
        let zone = zone?;
        let ends = file.exception.iter().map(|e| hours::end_of(hours::date(&e.until)?, &zone)).collect();
        Some(Site { home: country.region, zone, open: open.ok()?, holidays, ends })
    }

    fn dates(&mut self, key: &[&str], list: &[String]) -> Vec<Date> {
        self.items(key, list, |text| hours::date(text).is_none().then(|| date_fault(text)));
        list.iter().filter_map(|text| hours::date(text)).collect()
    }

    fn capture(&mut self, file: &File) {
        self.range(&["capture", "buffer_mib"], file.capture.buffer_mib, 1, 4_096);
        self.address(&["capture", "hep", "listen"], &file.capture.hep.listen);
        #[cfg(feature = "daemon")]
        if let Err(why) = crate::capture::live::check_filter(&file.capture.filter) {
            let what = format!("libpcap can't use it: {why}; see pcap-filter(7), or leave it empty");
            self.add(&[Key("capture"), Key("filter")], what);
        }
    }

    fn detect(&mut self, file: &mut File) {
        file.detect.fill();
        self.range(&["detect", "learning_days"], file.detect.learning_days, 0, 90);
        for (table, key) in file.detect.zeroes() {
            let what =
                "0 would alert at every call; write 1 or more, or a very large number to silence the rule";
            self.add(&[Key("detect"), Key(table), Key(key)], what.to_owned());
        }
        for key in file.detect.bad_spends() {
            let what = "write two amounts of money above 0: for an hour and for a day";
            self.add(&[Key("detect"), Key("spend"), Key(key)], what.to_owned());
        }
    }

    fn people(&mut self, file: &File) {
        for (n, exception) in file.exception.iter().enumerate() {
            self.countries(&[Key("exception"), Item(n), Key("countries")], &exception.countries);
            if !exception.until.is_empty() && hours::date(&exception.until).is_none() {
                self.add(&[Key("exception"), Item(n), Key("until")], date_fault(&exception.until));
            }
            if exception.handset.is_empty() && exception.countries.is_empty() {
                let what = "would silence every handset to every country; name a handset or countries";
                self.add(&[Key("exception"), Item(n)], what.to_owned());
            }
        }
        for (n, handset) in file.handset.iter().enumerate() {
            let user = [Key("handset"), Item(n), Key("user")];
            if handset.user.is_empty() {
                self.add(&user[..2], "has no user; write the extension, as in user = \"214\"".to_owned());
            } else if file.handset.iter().take(n).any(|other| other.user == handset.user) {
                self.add(&user, format!("\"{}\" has a [[handset]] already", handset.user));
            }
            self.countries(&[Key("handset"), Item(n), Key("allow")], &handset.allow);
        }
    }

    fn overrides(&mut self, file: &File) {
        for (n, key, what) in overrides::faults(&file.r#override) {
            let steps = [Key("override"), Item(n), Key(key)];
            // A key that isn't there has no line of its own: its table has.
            let steps = if self.located.has(&steps) { &steps[..] } else { &steps[..2] };
            self.add(steps, what);
        }
    }

    fn http(&mut self, http: &Http) {
        if let Some(address) = self.address(&["http", "listen"], &http.listen)
            && !address.ip().is_loopback()
            && http.token_file.is_empty()
            && http.client_ca.is_empty()
        {
            let what =
                "is reachable from outside this machine; set token_file, or tls_cert, tls_key and client_ca";
            self.add(&[Key("http"), Key("listen")], what.to_owned());
        }
        let (cert, key) = (http.tls_cert.is_empty(), http.tls_key.is_empty());
        if cert != key {
            let (has, lacks) = if cert { ("tls_key", "tls_cert") } else { ("tls_cert", "tls_key") };
            self.add(&[Key("http"), Key(has)], format!("needs {lacks} as well"));
        }
        if !http.client_ca.is_empty() && cert && key {
            self.add(&[Key("http"), Key("client_ca")], "needs tls_cert and tls_key as well".to_owned());
        }
    }

    fn edges(&mut self, file: &File) {
        self.range(&["posture", "idle_days"], file.posture.idle_days, 1, 365);
        self.range(&["posture", "idle_warning_days"], file.posture.idle_warning_days, 1, 3_650);
        self.range(&["store", "retention_days"], file.store.retention_days, 1, 36_500);
        self.range(&["store", "retention_mib"], file.store.retention_mib, 1, 1 << 20);
        let webhook = &file.notify.webhook.url;
        if !webhook.is_empty() && !is_url(webhook) {
            self.add(&[Key("notify"), Key("webhook"), Key("url")], url_fault(webhook));
        }
        self.items(&["notify", "alertmanager", "urls"], &file.notify.alertmanager.urls, |url| {
            (!is_url(url)).then(|| url_fault(url))
        });
        let email = &file.notify.email;
        if !email.server.is_empty() && (email.from.is_empty() || email.to.is_empty()) {
            self.add(&[Key("notify"), Key("email"), Key("server")], "needs from and to as well".to_owned());
        }
        let syslog = &file.notify.syslog.server;
        if !syslog.is_empty() && !is_syslog(syslog) {
            let what = format!(
                "\"{syslog}\" isn't a syslog server; write \"udp://log.example.net:514\", \"tcp://…\" or \"unix:///dev/log\""
            );
            self.add(&[Key("notify"), Key("syslog"), Key("server")], what);
        }
        let password = &file.password_check;
        self.items(&["password_check", "networks"], &password.networks, network_fault);
        if password.enabled && password.networks.is_empty() {
            let what = "needs networks: the handsets that you own and may check";
            self.add(&[Key("password_check"), Key("enabled")], what.to_owned());
        }
        if file.fleet.role != Role::Standalone && file.fleet.servers.is_empty() {
            let what = "needs servers: the NATS servers to join, as in [\"nats://10.0.0.5:4222\"]";
            self.add(&[Key("fleet"), Key("role")], what.to_owned());
        }
    }

    /// Reads the rate deck. What is in it the dial plan checks.
    pub(super) fn deck(&mut self, file: &File, folder: &Path) -> Option<(String, Vec<u8>)> {
        let name = &file.tariff.file;
        if name.is_empty() {
            return None;
        }
        let path = folder.join(name);
        let read = if path.is_dir() { tariff_plan(&path) } else { std::fs::read(&path) };
        match read {
            Ok(bytes) => Some((name.clone(), bytes)),
            Err(error) => {
                let what = format!("{} can't be read: {error}", path.display());
                self.add(&[Key("tariff"), Key("file")], what);
                None
            }
        }
    }

    /// Reads the operator's own data files.
    pub(super) fn lists(&mut self, file: &File, folder: &Path) -> Lists {
        let (lists, faults) = Lists::load(&file.posture, folder);
        for (key, what) in faults {
            self.add(&[Key("posture"), Key(key)], what);
        }
        lists
    }

    fn countries(&mut self, key: &[Step<'_>], list: &[String]) {
        for (n, code) in list.iter().enumerate() {
            if countries::find(code).is_none() && code != "001" {
                let what =
                    format!("\"{code}\" isn't a country; write the two letters of ISO 3166, as in \"FR\"");
                self.add(&[key, &[Item(n)]].concat(), what);
            }
        }
    }

    fn address(&mut self, key: &[&str], text: &str) -> Option<SocketAddr> {
        let address = text.parse().ok();
        if address.is_none() && !text.is_empty() {
            let what = format!("\"{text}\" isn't an address with a port; write one as \"127.0.0.1:9765\"");
            self.add(&keys(key), what);
        }
        address
    }

    fn range(&mut self, key: &[&str], value: u32, low: u32, high: u32) {
        if !(low..=high).contains(&value) {
            self.add(&keys(key), format!("{value} is out of range; write {low} to {high}"));
        }
    }

    fn items(&mut self, key: &[&str], list: &[String], fault: impl Fn(&str) -> Option<String>) {
        for (n, item) in list.iter().enumerate() {
            if let Some(what) = fault(item) {
                self.add(&[keys(key), vec![Item(n)]].concat(), what);
            }
        }
    }

    fn add(&mut self, key: &[Step<'_>], what: String) {
        self.problems.push(self.located.problem(key, what));
    }
}

fn keys<'a>(names: &[&'a str]) -> Vec<Step<'a>> {
    names.iter().map(|name| Key(name)).collect()
}

fn network_fault(text: &str) -> Option<String> {
    text.parse::<Network>().is_err().then(|| {
        format!("\"{text}\" isn't an address or a range of them; write \"10.0.0.5\" or \"10.0.0.0/24\"")
    })
}

fn date_fault(text: &str) -> String {
    format!("\"{text}\" isn't a date; write it as \"2026-12-25\"")
}

fn url_fault(text: &str) -> String {
    format!("\"{text}\" isn't a web address; it begins with http:// or https://")
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace))
}

/// As the syslog sink reads it.
fn is_syslog(text: &str) -> bool {
    let rest = match text.split_once("://") {
        Some(("unix", path)) => return path.starts_with('/'),
        Some(("udp" | "tcp", rest)) => rest,
        Some(_) => return false,
        None => text,
    };
    rest.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|n| n > 0))
}

fn is_host_name(text: &str) -> bool {
    let label =
        |l: &str| !l.is_empty() && l.len() <= 63 && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    text.len() <= 253 && text.split('.').all(label) && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// `214`, `2XX`, `4000-4099`.
fn is_extension_pattern(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.len() <= 10 && s.bytes().all(|b| b.is_ascii_digit());
    match text.split_once('-') {
        Some((from, to)) => digits(from) && digits(to) && from.len() == to.len() && from <= to,
        None => digits(&text.replace(['X', 'x'], "0")),
    }
}

/// The files of a CGRateS tariff plan that price a destination, one after the other.
fn tariff_plan(folder: &Path) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    for name in ["Destinations.csv", "Rates.csv", "DestinationRates.csv"] {
        all.extend(std::fs::read(folder.join(name))?);
        all.push(b'\n');
    }
    Ok(all)
}
