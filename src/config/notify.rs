//! What is kept and what is sent: the store, privacy, sinks. Secrets are read from their files here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::error::{Error, Located, Step};
use super::{Config, schema};
use crate::export::alertmanager::Receivers;
use crate::export::{email, sinks, syslog, webhook};
use crate::finding::Severity;
use crate::record::{Privacy, Recorder};
use crate::store;

/// A secret, or an authority, that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {}: {cause}", path.display())]
pub struct SecretError {
    key: &'static str,
    path: PathBuf,
    cause: std::io::Error,
}

impl SecretError {
    fn cause_and_cure(&self) -> String {
        let cure = match self.cause.kind() {
            std::io::ErrorKind::NotFound => "; paths start at this file's own folder",
            std::io::ErrorKind::PermissionDenied => "; ask as root or as the daemon's own user",
            _ => "",
        };
        format!("{} can't be used: {}{cure}", self.path.display(), self.cause)
    }
}

/// How a certificate in PEM begins.
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
/// A secret is short.
const MOST: u64 = 4_096;

impl Config {
    /// Where the database is and how much it may hold; `None` if there shall be none.
    pub fn store(&self) -> Option<store::Settings> {
        let store = &self.file.store;
        (!store.path.is_empty()).then(|| store::Settings {
            path: self.folder.join(&store.path),
            retention_days: store.retention_days,
            retention_mib: store.retention_mib,
        })
    }

    /// The file of the key that hashes numbers and labels.
    pub fn key_file(&self) -> PathBuf {
        let file = &self.file.privacy.key_file;
        if !file.is_empty() {
            return self.folder.join(file);
        }
        let store = self.store().map(|store| store.path);
        store.as_deref().and_then(Path::parent).unwrap_or(&self.folder).join("keys/numbers.key")
    }

    /// Whether numbers are hashed, so that nothing may be written without the key.
    pub const fn hashes_numbers(&self) -> bool {
        matches!(self.file.privacy.numbers, schema::Numbers::Hashed)
    }

    /// How records are written; `key` is needed where numbers are hashed.
    pub fn recorder_with(&self, key: Option<&crate::record::NumberKey>) -> Recorder {
        let recorder = self.recorder();
        match key.filter(|_| self.hashes_numbers()) {
            Some(key) => Recorder { privacy: Privacy::Hashed(key.clone()), ..recorder },
            None => recorder,
        }
    }

    /// The journal's file, if there shall be one.
    pub fn journal(&self) -> Option<PathBuf> {
        let path = &self.file.notify.journal.path;
        (!path.is_empty()).then(|| self.folder.join(path))
    }

    /// Everything that alerts are sent to.
    ///
    /// # Errors
    /// A secret's file that can't be read, is empty, or that others can read.
    pub fn sinks(&self) -> Result<sinks::Settings, SecretError> {
        let notify = &self.file.notify;
        Ok(sinks::Settings {
            site: self.file.site.name.clone(),
            severity: match notify.severity {
                schema::Least::Info => Severity::Info,
                schema::Least::Warning => Severity::Warning,
                schema::Least::Critical => Severity::Critical,
            },
            journal: self.journal(),
            journal_calls: notify.journal.calls,
            webhook: self.webhook()?,
            alertmanagers: Receivers {
                urls: notify.alertmanager.urls.clone(),
                authority: self.authority("notify.alertmanager.ca_file", &notify.alertmanager.ca_file)?,
            },
            email: self.email()?,
            syslog: syslog::Server::parse(&notify.syslog.server),
            at_most: Duration::from_secs(10),
        })
    }

    /// What only the running daemon needs, and `check` can look at before it: secrets, certificates,
    /// receivers. Told with the file's own lines.
    ///
    /// # Errors
    /// Everything that would keep the daemon from starting.
    pub fn ready(&self, file: &Path) -> Result<(), Error> {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let name = file.display().to_string();
        let located = Located::new(&name, &text);
        let mut problems = Vec::new();
        let mut add = |key: &str, what: String| {
            let steps: Vec<Step<'_>> = key.split('.').map(Step::Key).collect();
            problems.push(located.problem(&steps, what));
        };
        if let Some(http) = self.http() {
            let (cert, key) = http.tls.clone().unzip();
            let named = [
                ("http.token_file", &http.token_file),
                ("http.tls_cert", &cert),
                ("http.tls_key", &key),
                ("http.client_ca", &http.client_ca),
            ];
            let unreadable = named.into_iter().filter_map(|(key, path)| {
                let cause = std::fs::File::open(path.as_ref()?).err()?;
                Some(SecretError { key, path: path.clone()?, cause })
            });
            let unreadable: Vec<_> = unreadable.collect();
            if unreadable.is_empty()
                && let Err(why) = crate::export::http::check(&http)
            {
                add("http", why);
            }
            unreadable.iter().for_each(|error| add(error.key, error.cause_and_cure()));
        }
        match self.sinks() {
            Err(error) => add(error.key, error.cause_and_cure()),
            Ok(settings) => {
                if let Err(why) = sinks::check(&settings) {
                    add("notify", why.to_string());
                }
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Invalid { problems }) }
    }

    fn webhook(&self) -> Result<Option<webhook::Settings>, SecretError> {
        let hook = &self.file.notify.webhook;
        let url = if hook.url_file.is_empty() {
            Zeroizing::new(hook.url.clone())
        } else {
            self.secret("notify.webhook.url_file", &hook.url_file)?
        };
        if url.is_empty() {
            return Ok(None);
        }
        let authority = self.authority("notify.webhook.ca_file", &hook.ca_file)?;
        let mut settings = webhook::Settings { url, authority, ..webhook::Settings::default() };
        if !hook.secret_file.is_empty() {
            let secret = self.secret("notify.webhook.secret_file", &hook.secret_file)?;
            settings.secret = Zeroizing::new(secret.as_bytes().to_vec());
        }
        Ok(Some(settings))
    }

    fn email(&self) -> Result<Option<email::Settings>, SecretError> {
        let mail = &self.file.notify.email;
        if mail.server.is_empty() {
            return Ok(None);
        }
        let password = if mail.password_file.is_empty() {
            Zeroizing::default()
        } else {
            self.secret("notify.email.password_file", &mail.password_file)?
        };
        Ok(Some(email::Settings {
            server: mail.server.clone(),
            protection: match mail.tls {
                schema::Protect::Starttls => email::Protection::StartTls,
                schema::Protect::Tls => email::Protection::Tls,
                schema::Protect::None => email::Protection::None,
            },
            user: mail.user.clone(),
            password: email::Password(password),
            from: mail.from.clone(),
            to: mail.to.clone(),
            authority: self.authority("notify.email.ca_file", &mail.ca_file)?,
        }))
    }

    /// The certificates of the operator's own authority, if a file is named.
    fn authority(&self, key: &'static str, file: &str) -> Result<sinks::Authority, SecretError> {
        if file.is_empty() {
            return Ok(sinks::Authority::default());
        }
        let path = self.folder.join(file);
        match std::fs::read(&path) {
            Ok(pem) if pem.windows(BEGIN.len()).any(|window| window == BEGIN) => Ok(sinks::Authority(pem)),
            Ok(_) => {
                let cause = std::io::Error::other("it holds no certificate in PEM");
                Err(SecretError { key, path, cause })
            }
            Err(cause) => Err(SecretError { key, path, cause }),
        }
    }

    fn secret(&self, key: &'static str, file: &str) -> Result<Zeroizing<String>, SecretError> {
        let path = self.folder.join(file);
        read(&path).map_err(|cause| SecretError { key, path, cause })
    }
}

fn read(path: &Path) -> std::io::Result<Zeroizing<String>> {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    let file = std::fs::File::open(path)?;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        let what = format!("everybody can read it (mode {mode:04o}); take that away with chmod o= FILE");
        return Err(std::io::Error::other(what));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MOST).read_to_string(&mut text)?;
    let secret = Zeroizing::new(text.trim().to_owned());
    if secret.is_empty() { Err(std::io::Error::other("it is empty")) } else { Ok(secret) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn defaults_are_the_stages_own() {
        let config = Config::default();
        assert_eq!(config.store(), Some(store::Settings::default()));
        assert_eq!(config.sinks().unwrap(), sinks::Settings::default());
        assert_eq!(config.key_file(), Path::new("/var/lib/ringfence/keys/numbers.key"));
        assert_eq!(config.recorder_with(None).privacy, Privacy::Masked);
    }

    #[test]
    fn what_the_daemon_would_miss_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.toml");
        let told = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Config::load(&path).unwrap().ready(&path).map_err(|error| error.to_string())
        };
        assert_eq!(told("[site]\nhome = \"GB\""), Ok(()));
        for (text, parts) in [
            ("[http]\ntoken_file = \"t\"", ["f.toml:2: http.token_file: ", "No such file", "own folder"]),
            (
                "[http]\ntls_cert = \"f.toml\"\ntls_key = \"f.toml\"",
                ["f.toml:1: http: ", "tls_cert", "no certificate"],
            ),
            (
                "\n[notify.webhook]\nurl_file = \"u\"",
                ["f.toml:3: notify.webhook.url_file: ", "/u ", "No such"],
            ),
            (
                "[notify.email]\nserver = \"m:25\"\nfrom = \"a\"\nto = [\"b\"]",
                ["f.toml:1: notify: ", "a", ""],
            ),
        ] {
            let why = told(text).unwrap_err();
            assert!(parts.iter().all(|part| why.contains(part)), "{text}\n{why}");
        }
    }

    #[test]
    fn sinks_get_what_the_file_says_and_secrets_come_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[store]\npath = \"s/r.db\"\n[privacy]\nnumbers = \"hashed\"\n[notify]\nseverity = \"critical\"\n\
                    [notify.journal]\npath = \"j.jsonl\"\ncalls = true\n\
                    [notify.webhook]\nurl = \"http://127.0.0.1:1/x\"\nsecret_file = \"secret\"\n\
                    [notify.email]\nserver = \"m:25\"\ntls = \"none\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]\n\
                    [notify.syslog]\nserver = \"tcp://log:601\"";
        let config = Config::parse("f", text, folder.path()).unwrap();
        let missing = config.sinks().unwrap_err().to_string();
        assert!(
            missing.starts_with("notify.webhook.secret_file: ") && missing.contains("No such file"),
            "{missing}"
        );
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "canary\n").unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(config.sinks().unwrap_err().to_string().contains("everybody can read it"));
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o640)).unwrap();
        let sinks = config.sinks().unwrap();
        assert_eq!(sinks.webhook.as_ref().unwrap().secret.as_slice(), b"canary");
        assert_eq!((sinks.severity, sinks.journal_calls), (Severity::Critical, true));
        assert_eq!(sinks.syslog, Some(syslog::Server::Tcp("log:601".to_owned())));
        assert!(!format!("{sinks:?}").contains("canary"));
        assert_eq!(config.key_file(), folder.path().join("s/keys/numbers.key"));
        let key = crate::record::NumberKey::new([1; 32]);
        assert_eq!(config.recorder_with(Some(&key)).privacy, Privacy::Hashed(key));
    }
}
