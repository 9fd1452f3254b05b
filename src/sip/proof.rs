//! What proves a password, kept for the password check alone.
//!
//! In: credentials, the method and body that they vouch for. Out: `Proof`, owned, bounded, wiped
//! when dropped. Never: prints a secret, keeps more than is needed to check a candidate.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::digest::Credentials;

/// Most bytes of all fields together, the body apart.
const FIELDS_MAX: usize = 2 * 1024;
/// Longest body that is kept, for qop=auth-int.
const BODY_MAX: usize = 16 * 1024;

/// A digest response and everything that went into it but the password. Values stand as on the
/// wire: quotes off, escapes left in (see [`super::digest::unescape`]).
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Proof {
    /// Account name.
    pub username: Vec<u8>,
    /// Realm.
    pub realm: Vec<u8>,
    /// The server's nonce.
    pub nonce: Vec<u8>,
    /// digest-uri.
    pub uri: Vec<u8>,
    /// The digest, in hex.
    pub response: Vec<u8>,
    /// The client's nonce.
    pub cnonce: Vec<u8>,
    /// Nonce count as sent.
    pub nc: Vec<u8>,
    /// Quality of protection; empty is RFC 2069's way.
    pub qop: Vec<u8>,
    /// Algorithm; empty means MD5.
    pub algorithm: Vec<u8>,
    /// The request's method, as written.
    pub method: Vec<u8>,
    /// The request's whole body if qop is auth-int; else empty.
    pub body: Vec<u8>,
    /// `username` is a hash (RFC 7616 section 3.4.4).
    pub userhash: bool,
}

impl Proof {
    /// `None` if there is no response, if it's too long, or if the body that it vouches for isn't
    /// there whole.
    pub fn new(credentials: &Credentials<'_>, method: &[u8], body: Option<&[u8]>) -> Option<Self> {
        let fields = [
            credentials.username,
            credentials.realm,
            credentials.nonce,
            credentials.uri,
            credentials.response,
            credentials.cnonce,
            credentials.nc,
            credentials.qop,
            credentials.algorithm,
            method,
        ];
        let length = fields.iter().fold(0usize, |sum, field| sum.saturating_add(field.len()));
        if !credentials.has_response() || length > FIELDS_MAX {
            return None;
        }
        let body = if credentials.qop.eq_ignore_ascii_case(b"auth-int") {
            body.filter(|body| body.len() <= BODY_MAX)?
        } else {
            &[]
        };
        Some(Self {
            username: credentials.username.to_vec(),
            realm: credentials.realm.to_vec(),
            nonce: credentials.nonce.to_vec(),
            uri: credentials.uri.to_vec(),
            response: credentials.response.to_vec(),
            cnonce: credentials.cnonce.to_vec(),
            nc: credentials.nc.to_vec(),
            qop: credentials.qop.to_vec(),
            algorithm: credentials.algorithm.to_vec(),
            method: method.to_vec(),
            body: body.to_vec(),
            userhash: credentials.userhash,
        })
    }
}

/// Says whose it is, and nothing that a password could be guessed from.
impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof")
            .field("username", &self.username.escape_ascii().to_string())
            .field("realm", &self.realm.escape_ascii().to_string())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &[u8] = br#"Digest username="214", realm="pbx", nonce="n0nce", uri="sip:pbx", response="5ec4e7", cnonce="c4n4ry", nc=00000001, qop=auth-int"#;

    #[test]
    fn prints_no_secret_and_wipes_itself() {
        let credentials = Credentials::parse(VALUE).unwrap();
        let mut proof = Proof::new(&credentials, b"INVITE", Some(b"v=0")).unwrap();
        let printed = format!("{proof:?}");
        assert!(
            printed.contains("214") && !["5ec4e7", "c4n4ry", "n0nce"].iter().any(|s| printed.contains(s))
        );
        proof.zeroize();
        assert!(proof.response.is_empty() && proof.cnonce.is_empty() && proof.body.is_empty());
    }

    #[test]
    fn bounded_and_whole() {
        let credentials = Credentials::parse(VALUE).unwrap();
        assert!(Proof::new(&credentials, b"INVITE", None).is_none(), "auth-int needs the body");
        assert!(Proof::new(&credentials, &[b'x'; 4_096], Some(b"")).is_none());
        let plain = Credentials { qop: b"auth", ..credentials };
        assert_eq!(Proof::new(&plain, b"INVITE", Some(b"v=0")).unwrap().body, b"");
        assert!(Proof::new(&Credentials { response: b"", ..plain }, b"INVITE", None).is_none());
    }
}
