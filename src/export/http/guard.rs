//! Who may ask.
//!
//! In: a request's head. Out: why it's refused, if it is.
//! Never: compares a token in a time that tells where it differs.

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Settings;

/// A token shorter than this can be guessed.
const SHORTEST: usize = 16;

/// The rules for every request.
pub struct Guard {
    token: Option<Vec<u8>>,
    /// Without a token or client certificates only the machine itself may ask: then a web page must
    /// not reach us under a name of its own.
    names: bool,
}

impl Guard {
    /// Reads the token.
    ///
    /// # Errors
    /// An address beyond this machine without protection; a token that can't be read or is too short.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let local = settings.listen.ip().is_loopback();
        if !local && settings.token_file.is_none() && settings.client_ca.is_none() {
            return Err(format!(
                "[http] listen {} is reachable from outside this machine: set token_file, or tls_cert, \
                 tls_key and client_ca",
                settings.listen
            ));
        }
        let token = settings
            .token_file
            .as_ref()
            .map(|path| {
                let text = std::fs::read_to_string(path);
                let text = text.map_err(|e| format!("[http] token_file {}: {e}", path.display()))?;
                let token = text.trim().as_bytes().to_vec();
                if token.len() < SHORTEST {
                    return Err(format!(
                        "[http] token_file {}: the token is shorter than {SHORTEST} characters",
                        path.display()
                    ));
                }
                Ok(token)
            })
            .transpose()?;
        let names = token.is_none() && settings.client_ca.is_none();
        Ok(Self { token, names })
    }

    /// Why a request is refused.
    pub(super) fn refuses(&self, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        if let Some(token) = &self.token {
            let brought = headers.get(header::AUTHORIZATION).map_or(&[][..], |value| value.as_bytes());
            if !same(token, &password(brought)) {
                return Some((
                    StatusCode::UNAUTHORIZED,
                    "this needs the token, as Authorization: Bearer, or as the password of any user\n",
                ));
            }
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        if self.names && !is_local_name(host) {
            return Some((
                StatusCode::FORBIDDEN,
                "ask by address or as localhost; to serve under another name, set [http] token_file\n",
            ));
        }
        None
    }
}

/// The token of a Bearer header, or the password of a Basic one (RFC 7617): a browser asks for that.
fn password(header: &[u8]) -> Vec<u8> {
    if let Some(token) = header.strip_prefix(b"Bearer ") {
        return token.to_vec();
    }
    let basic =
        header.strip_prefix(b"Basic ").and_then(|pair| STANDARD.decode(pair).ok()).unwrap_or_default();
    basic.splitn(2, |b| *b == b':').nth(1).unwrap_or_default().to_vec()
}

/// Compares every byte, whatever the first difference.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differs = a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b));
    a.len() == b.len() && std::hint::black_box(differs) == 0
}

/// An address, or a name that no name server outside can claim: without a dot.
fn is_local_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.parse::<IpAddr>().is_ok() || !name.contains('.') || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_stranger_can_own_are_refused() {
        for host in ["127.0.0.1:9765", "[::1]:9765", "localhost", "localhost:1", "probe:9765", ""] {
            assert!(is_local_name(host), "{host}");
        }
        for host in ["evil.example", "evil.example:9765", "127.0.0.1.evil.example"] {
            assert!(!is_local_name(host), "{host}");
        }
    }

    #[test]
    fn beyond_this_machine_it_needs_protection() {
        let open = |listen: &str| Settings {
            listen: listen.parse().unwrap(),
            token_file: None,
            tls: None,
            client_ca: None,
        };
        assert!(Guard::new(&open("127.0.0.1:1")).is_ok());
        assert!(Guard::new(&open("[::1]:1")).is_ok());
        assert!(Guard::new(&open("0.0.0.0:1")).is_err_and(|why| why.contains("token_file")));
    }

    #[test]
    fn a_browser_brings_the_token_as_a_password() {
        assert_eq!(password(b"Bearer 0123456789abcdef"), b"0123456789abcdef");
        assert_eq!(password(b"Basic YWRtaW46MDEyMzQ1Njc4OWFiY2RlZg=="), b"0123456789abcdef");
        for wrong in [&b""[..], b"Basic", b"Basic ???", b"Basic YWRtaW4=", b"Digest x"] {
            assert_eq!(password(wrong), b"");
        }
    }

    #[test]
    fn tokens_are_compared_whole() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd") && !same(b"abc", b"ab") && !same(b"abc", b"abcd"));
    }
}
