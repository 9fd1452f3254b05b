//! The file as it is written: every section and key, with its default. `etc/ringfence.toml` explains them.

use serde::{Deserialize, Serialize};

use super::detect::Detect;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) site: Site,
    pub(super) capture: Capture,
    pub(super) detect: Detect,
    pub(super) tariff: Tariff,
    pub(super) run: Run,
    pub(super) http: Http,
    pub(super) control: Control,
    pub(super) metrics: Metrics,
    pub(super) store: Store,
    pub(super) privacy: Privacy,
    pub(super) notify: Notify,
    pub(super) posture: Posture,
    pub(super) password_check: PasswordCheck,
    pub(super) fleet: Fleet,
    pub(super) exception: Vec<Exception>,
    pub(super) handset: Vec<Handset>,
    pub(super) r#override: Vec<Override>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Site {
    pub(super) name: String,
    pub(super) home: String,
    pub(super) domestic: Vec<String>,
    pub(super) timezone: Option<String>,
    pub(super) outside_line: Vec<String>,
    pub(super) extensions: Vec<String>,
    pub(super) pbx: Vec<String>,
    pub(super) support: Vec<String>,
    pub(super) provisioning: Vec<String>,
    pub(super) home_networks: Vec<String>,
    pub(super) office_hours: String,
    pub(super) holidays: Vec<String>,
    pub(super) currency: Option<String>,
}

impl Default for Site {
    fn default() -> Self {
        let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"];
        Self {
            name: "office".to_owned(),
            home: "GB".to_owned(),
            domestic: Vec::new(),
            timezone: None,
            outside_line: Vec::new(),
            extensions: Vec::new(),
            pbx: Vec::new(),
            support: Vec::new(),
            provisioning: Vec::new(),
            home_networks: private.map(str::to_owned).to_vec(),
            office_hours: "Mon-Fri 08:00-18:00".to_owned(),
            holidays: Vec::new(),
            currency: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Capture {
    pub(super) interfaces: Vec<String>,
    pub(super) filter: String,
    pub(super) buffer_mib: u32,
    pub(super) hep: Hep,
}

impl Default for Capture {
    fn default() -> Self {
        Self { interfaces: Vec::new(), filter: String::new(), buffer_mib: 64, hep: Hep::default() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Hep {
    pub(super) listen: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Exception {
    pub(super) handset: String,
    pub(super) countries: Vec<String>,
    pub(super) until: String,
    pub(super) why: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Handset {
    pub(super) user: String,
    pub(super) name: String,
    pub(super) allow: Vec<String>,
    pub(super) keep: bool,
}

/// `kind` and `risk` are names; empty to leave what the lists say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Override {
    pub(super) prefix: String,
    pub(super) kind: String,
    pub(super) risk: String,
    pub(super) why: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tariff {
    pub(super) file: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Run {
    pub(super) user: String,
}

impl Default for Run {
    fn default() -> Self {
        Self { user: "ringfence".to_owned() }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Http {
    pub(super) listen: String,
    pub(super) token_file: String,
    pub(super) tls_cert: String,
    pub(super) tls_key: String,
    pub(super) client_ca: String,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9765".to_owned(),
            token_file: String::new(),
            tls_cert: String::new(),
            tls_key: String::new(),
            client_ca: String::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Control {
    pub(super) socket: String,
}

impl Default for Control {
    fn default() -> Self {
        Self { socket: "/run/ringfence/control.sock".to_owned() }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum HandsetLabel {
    Off,
    #[default]
    Alerting,
    All,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Metrics {
    pub(super) handset_label: HandsetLabel,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Store {
    pub(super) path: String,
    pub(super) retention_days: u32,
    pub(super) retention_mib: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self { path: "/var/lib/ringfence/ringfence.db".to_owned(), retention_days: 90, retention_mib: 1_024 }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Numbers {
    #[default]
    Masked,
    Full,
    Hashed,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Privacy {
    pub(super) numbers: Numbers,
    pub(super) key_file: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Least {
    Info,
    #[default]
    Warning,
    Critical,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Notify {
    pub(super) severity: Least,
    pub(super) journal: Journal,
    pub(super) webhook: Webhook,
    pub(super) alertmanager: Alertmanager,
    pub(super) email: Email,
    pub(super) syslog: Syslog,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Journal {
    pub(super) path: String,
    pub(super) calls: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Webhook {
    pub(super) url: String,
    pub(super) url_file: String,
    pub(super) secret_file: String,
    pub(super) ca_file: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Alertmanager {
    pub(super) urls: Vec<String>,
    pub(super) ca_file: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Protect {
    #[default]
    Starttls,
    Tls,
    None,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Email {
    pub(super) server: String,
    pub(super) tls: Protect,
    pub(super) user: String,
    pub(super) password_file: String,
    pub(super) ca_file: String,
    pub(super) from: String,
    pub(super) to: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Syslog {
    pub(super) server: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Posture {
    pub(super) idle_days: u32,
    pub(super) idle_warning_days: u32,
    pub(super) scanners: String,
    pub(super) firmware_floors: String,
    pub(super) default_passwords: String,
    pub(super) vendor_clouds: String,
    pub(super) ouis: String,
    pub(super) countries: String,
}

impl Default for Posture {
    fn default() -> Self {
        let (scanners, firmware_floors, default_passwords) = Default::default();
        let (vendor_clouds, ouis, countries) = Default::default();
        Self {
            idle_days: 30,
            idle_warning_days: 90,
            scanners,
            firmware_floors,
            default_passwords,
            vendor_clouds,
            ouis,
            countries,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PasswordCheck {
    pub(super) enabled: bool,
    pub(super) networks: Vec<String>,
    pub(super) realms: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    #[default]
    Standalone,
    Sensor,
    Worker,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Fleet {
    pub(super) servers: Vec<String>,
    pub(super) role: Role,
}
