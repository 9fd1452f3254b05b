//! Mail by SMTP: plain text, one message an alert, in a storm one for all.

use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};
use zeroize::Zeroizing;

use super::client::{Authority, Outcome};
use super::courier::Carrier;
use super::post::Notice;
use crate::record::advice;
use crate::text::escape;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protection {
    /// STARTTLS, or no mail.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// None: for a relay on this machine or in this rack.
    None,
}

/// Where and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `mail.example.net:587`
    pub server: String,
    /// How the connection is protected.
    pub protection: Protection,
    /// Account at the server; empty = none.
    pub user: String,
    /// Its password.
    pub password: Password,
    /// The sender.
    pub from: String,
    /// The receivers.
    pub to: Vec<String>,
    /// Whose certificates are trusted.
    pub authority: Authority,
}

/// A password: never printed, wiped when it is dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(pub Zeroizing<String>);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Settings with which no mail can be sent.
#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    /// The server's address.
    #[error("\"{0}\" isn't a mail server; write its name and port, as in \"mail.example.net:587\"")]
    Server(String),
    /// An address.
    #[error("\"{0}\" isn't a mail address")]
    Address(String),
    /// The authority's certificates.
    #[error("ca_file holds no certificate in PEM")]
    Authority,
    /// The TLS library refuses the name.
    #[error("no TLS to \"{0}\" is possible")]
    Tls(String),
}

/// Sends mail.
pub(super) struct Email {
    transport: SmtpTransport,
    from: Mailbox,
    to: Vec<Mailbox>,
}

const AT_MOST: Duration = Duration::from_secs(10);
/// Lines of alerts in one message.
const LINES: usize = 100;
/// Characters of what is said of a failure.
const CAUSE: usize = 160;
/// Characters of a subject.
const SUBJECT: usize = 150;

impl Email {
    pub(super) fn new(settings: &Settings) -> Result<Self, EmailError> {
        let wrong = || EmailError::Server(settings.server.clone());
        let (host, port) = settings.server.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let parameters = || parameters(host, &settings.authority);
        let tls = match settings.protection {
            Protection::StartTls => Tls::Required(parameters()?),
            Protection::Tls => Tls::Wrapper(parameters()?),
            Protection::None => Tls::None,
        };
        let mut builder = SmtpTransport::builder_dangerous(host).port(port).tls(tls).timeout(Some(AT_MOST));
        if !settings.user.is_empty() {
            let password = settings.password.0.to_string();
            builder = builder.credentials(Credentials::new(settings.user.clone(), password));
        }
        let mailbox = |text: &String| text.parse().map_err(|_| EmailError::Address(text.clone()));
        Ok(Self {
            transport: builder.build(),
            from: mailbox(&settings.from)?,
            to: settings.to.iter().map(mailbox).collect::<Result<_, _>>()?,
        })
    }

    fn message(&self, notices: &[Notice]) -> Option<Message> {
        let first = notices.first()?;
        let domain = self.from.email.domain();
        let mut builder = Message::builder()
            .from(self.from.clone())
            // Mail programs show a message with a known number once, and keep an incident together.
            .message_id(Some(format!("<{}@{domain}>", first.id())))
            .subject(subject(notices));
        if first.state != "raised" {
            builder = builder.in_reply_to(format!("<{}@{domain}>", first.incident));
        }
        builder = builder.references(format!("<{}@{domain}>", first.incident));
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        builder.header(ContentType::TEXT_PLAIN).body(text(notices)).ok()
    }
}

fn parameters(host: &str, authority: &Authority) -> Result<TlsParameters, EmailError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if !authority.0.is_empty() {
        let certificate = Certificate::from_pem(&authority.0).map_err(|_| EmailError::Authority)?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build().map_err(|_| EmailError::Tls(host.to_owned()))
}

/// What a failure means. An answer's own words are the server's: only its number is told.
fn outcome(error: &smtp::Error) -> Outcome {
    let cause = || {
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        escape(cause.as_bytes()).chars().take(CAUSE).collect::<String>()
    };
    match error.status().map(u16::from) {
        // The message or its receiver is refused; anything else somebody may mend.
        Some(status @ 550..=554) => Outcome::Refused(format!("the server says {status}")),
        Some(status @ (534 | 535 | 538)) => {
            Outcome::Later(format!("the server refuses user or password (it says {status})"), None)
        }
        Some(530) => Outcome::Later("the server wants user and password (it says 530)".to_owned(), None),
        Some(status) => Outcome::Later(format!("the server says {status}"), None),
        None if error.is_timeout() => Outcome::Later("no answer in time".to_owned(), None),
        None if error.is_client() => {
            Outcome::Later(format!("the server can't do what is needed: {}", cause()), None)
        }
        None => Outcome::Later(format!("no connection: {}", cause()), None),
    }
}

impl Carrier for Email {
    fn carry(&mut self, notices: &[Notice]) -> Outcome {
        let Some(message) = self.message(notices) else {
            return Outcome::Refused("no message can be made of it".to_owned());
        };
        match self.transport.send(&message) {
            Ok(_) => Outcome::Arrived,
            Err(error) => outcome(&error),
        }
    }
}

fn subject(notices: &[Notice]) -> String {
    let [one] = notices else {
        let site = notices.first().map_or("", |notice| notice.site.as_str());
        return format!("[ringfence] {site}: {} alerts", notices.len());
    };
    let word = if one.state == "cleared" { "over".to_owned() } else { one.severity.to_uppercase() };
    let whole = format!("[ringfence] {word} {}: {}", one.site, one.sentence);
    whole.chars().filter(|c| !c.is_control()).take(SUBJECT).collect()
}

fn text(notices: &[Notice]) -> String {
    let mut out = String::new();
    for notice in notices.iter().take(LINES) {
        let (at, severity) = (notice.at(), notice.severity.to_uppercase());
        let _ = write!(out, "{at}  {severity}  {}  {}\n  {}\n", notice.state, notice.rule, notice.sentence);
        if notices.len() == 1 {
            let _ = write!(out, "\n{}\n", details(&notice.record));
        }
    }
    if notices.len() > LINES {
        let _ = writeln!(out, "and {} more", notices.len() - LINES);
    }
    if let [one] = notices
        && one.state != "cleared"
    {
        let record = serde_json::from_str(&one.record).unwrap_or_default();
        for (n, step) in advice::told(&record).iter().enumerate() {
            let _ = writeln!(out, "{}{}. {step}", if n == 0 { "\nWhat to do now:\n" } else { "" }, n + 1);
        }
    }
    let rule = notices.first().map_or("", |notice| notice.rule.as_str());
    let _ = write!(out, "\nMore: /usr/share/doc/ringfence/runbooks/{rule}.md\n");
    out
}

/// What somebody at night needs, from the record.
fn details(record: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(record).unwrap_or_default();
    let mut out = String::new();
    let plain = |value: &serde_json::Value| match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Array(list) if list.is_empty() => None,
        serde_json::Value::Array(list) => {
            Some(list.iter().filter_map(|item| item.as_str()).collect::<Vec<_>>().join(", "))
        }
        other => Some(other.to_string()),
    };
    for key in
        ["handset", "name", "ip", "mac", "calls", "numbers", "regions", "first_call", "last_call", "id"]
    {
        if let Some(value) = record.get(key).and_then(plain) {
            let _ = writeln!(out, "{key:<11}{value}");
        }
    }
    if let Some(exposure) = record.get("exposure") {
        let of = |key: &str| exposure.get(key).and_then(plain).unwrap_or_default();
        let _ = writeln!(
            out,
            "{:<11}{} {} ({} to {})",
            "money",
            of("currency"),
            of("amount"),
            of("low"),
            of("high")
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(sentence: &str) -> Notice {
        Notice {
            incident: "5-1".to_owned(),
            site: "office".to_owned(),
            label: "214".to_owned(),
            state: "raised".to_owned(),
            rule: "spend".to_owned(),
            severity: "critical".to_owned(),
            time: 5,
            sentence: sentence.to_owned(),
            record: "{\"handset\":\"214\",\"regions\":[\"LV\"],\"exposure\":{\"amount\":3.5,\"currency\":\"GBP\"}}".to_owned(),
        }
    }

    fn settings() -> Settings {
        Settings {
            server: "mail.example.net:587".to_owned(),
            from: "ringfence@example.net".to_owned(),
            to: vec!["Night shift <night@example.net>".to_owned()],
            ..Settings::default()
        }
    }

    #[test]
    fn no_text_makes_a_header() {
        let email = Email::new(&settings()).unwrap();
        let message =
            email.message(&[notice("x\r\nBcc: all@example.net\n\nhello \u{202e}")]).unwrap().formatted();
        let message = String::from_utf8(message).unwrap();
        let (headers, body) = message.split_once("\r\n\r\n").unwrap();
        assert!(
            !headers.contains("\r\nBcc:") && headers.contains("Message-ID: <5-1-raised-5@example.net>"),
            "{headers}"
        );
        assert!(headers.contains("Content-Type: text/plain") && !body.is_empty());
    }

    #[test]
    fn one_alert_tells_all_and_many_are_listed() {
        let one = text(&[notice("too dear")]);
        assert!(
            one.contains("too dear") && one.contains("handset    214") && one.contains("GBP 3.5"),
            "{one}"
        );
        let many = text(&vec![notice("too dear"); 150]);
        assert!(many.contains("and 50 more") && !many.contains("GBP"));
        assert_eq!(subject(&vec![notice("x"); 3]), "[ringfence] office: 3 alerts");
        assert!(subject(&[notice(&"é".repeat(500))]).chars().count() == SUBJECT);
    }

    #[test]
    fn settings_that_cannot_work_are_refused_and_print_no_password() {
        for (server, from) in [("mail", "a@b.example"), ("mail:x", "a@b.example"), ("mail:25", "nobody")] {
            let wrong = Settings { server: server.to_owned(), from: from.to_owned(), ..settings() };
            assert!(Email::new(&wrong).is_err(), "{server} {from}");
        }
        let secret = Settings { password: Password(Zeroizing::new("canary".to_owned())), ..settings() };
        assert!(!format!("{secret:?}").contains("canary"));
    }
}
