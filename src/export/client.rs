//! Requests to receivers that the operator named: no redirects, one look-up of the name, bounded in
//! time and size.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Certificates of the operator's own authority, in PEM, which alone are trusted; empty = the public
/// authorities are.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Authority(pub Vec<u8>);

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({} bytes)", self.0.len())
    }
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It arrived.
    Arrived,
    /// Later it may work; when, if the receiver said so.
    Later(String, Option<Duration>),
    /// It will never work: the receiver calls the message wrong.
    Refused(String),
}

/// An answer's body is read so far, at the most.
const MOST: u64 = 64 << 10;

/// Sends HTTP requests.
#[derive(Clone, Debug)]
pub(super) struct Client(Agent);

impl Client {
    /// A request and its answer take so long at the most.
    pub(super) fn new(at_most: Duration, authority: &Authority) -> Self {
        let roots =
            if authority.0.is_empty() { RootCerts::WebPki } else { RootCerts::Specific(roots(authority)) };
        let tls = TlsConfig::builder().root_certs(roots).build();
        let config = Agent::config_builder()
            .timeout_global(Some(at_most))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            // Only what the configuration names is connected to.
            .proxy(None)
            .max_idle_connections(0)
            .max_response_header_size(16 << 10)
            .user_agent(concat!("ringfence/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Self(config.new_agent())
    }

    /// Posts JSON. What is said of a failure names no address: it may hold a secret.
    pub(super) fn post(&self, url: &str, headers: &[(&str, String)], body: &[u8]) -> Outcome {
        let mut request = self.0.post(url).header("Content-Type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut response = match request.send(body) {
            Ok(response) => response,
            Err(error) => return Outcome::Later(said(&error), None),
        };
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        let asked = header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
        // Read to the end if it is short, so that the receiver can close in peace; else hung up on.
        let _ = response.body_mut().with_config().limit(MOST).read_to_vec();
        judge(status, asked)
    }
}

/// The certificates of the operator's own authority.
fn roots(authority: &Authority) -> Arc<Vec<Certificate<'static>>> {
    let items = parse_pem(&authority.0).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    Arc::new(items.collect())
}

/// What a status means for the message.
fn judge(status: u16, asked: Option<Duration>) -> Outcome {
    match status {
        200..300 => Outcome::Arrived,
        300..400 => Outcome::Later(format!("status {status}: redirects are not followed"), None),
        // The message itself is at fault: the same again would fare no better.
        400 | 406 | 410 | 413 | 415 | 422 => Outcome::Refused(format!("status {status}")),
        _ => Outcome::Later(format!("status {status}"), asked),
    }
}

fn said(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(at) => format!("no answer in time ({at})"),
        ureq::Error::Io(error) => error.kind().to_string(),
        ureq::Error::HostNotFound => "the name is unknown".to_owned(),
        ureq::Error::ConnectionFailed => "no connection".to_owned(),
        ureq::Error::Rustls(error) => format!("TLS: {error}"),
        _ => "not understood".to_owned(),
    }
}
