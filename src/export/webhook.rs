//! The webhook: the JSON record of INTERFACE 4 as an HTTP POST, signed if there is a secret.

use std::fmt::Write as _;
use std::time::Duration;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::client::{Authority, Client, Outcome};
use super::courier::{Carrier, wall};
use super::post::Notice;

/// Where and how.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// The address; it may hold a secret, so it is never printed.
    pub url: Zeroizing<String>,
    /// The key of signatures; empty = unsigned.
    pub secret: Zeroizing<Vec<u8>>,
    /// The longest that a request may take.
    pub at_most: Duration,
    /// Whose certificates are trusted.
    pub authority: Authority,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: Zeroizing::new(String::new()),
            secret: Zeroizing::new(Vec::new()),
            at_most: Duration::from_secs(10),
            authority: Authority::default(),
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mark = |given: bool| if given { "***" } else { "" };
        f.debug_struct("Settings")
            .field("url", &mark(!self.url.is_empty()))
            .field("secret", &mark(!self.secret.is_empty()))
            .field("at_most", &self.at_most)
            .field("authority", &self.authority)
            .finish()
    }
}

/// Posts.
pub(super) struct Webhook {
    settings: Settings,
    client: Client,
}

impl Webhook {
    pub(super) fn new(settings: Settings) -> Self {
        Self { client: Client::new(settings.at_most, &settings.authority), settings }
    }

    fn headers(&self, id: String, body: &[u8], seconds: u64) -> Vec<(&'static str, String)> {
        let mut headers = vec![("X-Ringfence-Id", id), ("X-Ringfence-Timestamp", seconds.to_string())];
        if !self.settings.secret.is_empty() {
            headers.push(("X-Ringfence-Signature", signature(&self.settings.secret, seconds, body)));
        }
        headers
    }
}

impl Carrier for Webhook {
    fn carry(&mut self, notices: &[Notice]) -> Outcome {
        let Some(first) = notices.first() else { return Outcome::Arrived };
        let body = body(notices);
        let headers = self.headers(first.id(), body.as_bytes(), wall() / 1_000_000);
        self.client.post(&self.settings.url, &headers, body.as_bytes())
    }
}

/// One record as it is; several as `{"type":"alerts","count":n,"alerts":[...]}`.
fn body(notices: &[Notice]) -> String {
    match notices {
        [one] => one.record.clone(),
        many => {
            let records: Vec<&str> = many.iter().map(|notice| notice.record.as_str()).collect();
            format!("{{\"type\":\"alerts\",\"count\":{},\"alerts\":[{}]}}", many.len(), records.join(","))
        }
    }
}

/// `sha256=` and HMAC-SHA-256 over the timestamp, a full stop and the body.
pub(super) fn signature(secret: &[u8], seconds: u64, body: &[u8]) -> String {
    let mut out = String::from("sha256=");
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) {
        mac.update(seconds.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        for byte in mac.finalize().into_bytes() {
            let _ = write!(out, "{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_covers_time_and_body() {
        // printf '1795227247.{}' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            signature(b"secret", 1_795_227_247, b"{}"),
            "sha256=28408337a5daecdd49669ac653079f0518a2acd1cab5eaa23c051005b5120987"
        );
    }

    #[test]
    fn settings_print_no_secret() {
        let settings = Settings {
            url: Zeroizing::new("https://hooks.example.net/T0KEN".to_owned()),
            secret: Zeroizing::new(b"canary".to_vec()),
            ..Settings::default()
        };
        let printed = format!("{settings:?}");
        assert!(
            !printed.contains("T0KEN") && !printed.contains("canary") && printed.contains("***"),
            "{printed}"
        );
    }
}
