//! Digest responses that a password is behind, by RFC 7616 and 8760: written anew here, so that the
//! password check is tested by something else than itself.
//!
//! In: an account, its password, what is asked. Out: a response.
//! Never: a password that anybody uses.

use md5::Md5;
use sha2::{Digest, Sha256};

use super::site::DOMAIN;

/// How the PBX has passwords proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Auth {
    /// MD5 without qop, and responses that look like ones: nobody's password is behind them.
    #[default]
    Acted,
    /// MD5 without qop (RFC 2069).
    Md5,
    /// SHA-256 with qop (RFC 8760).
    Sha256,
}

fn hex<D: Digest>(text: &str) -> String {
    D::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is asked, and under which nonce.
pub(super) struct Question<'a> {
    pub(super) account: &'a str,
    pub(super) password: &'a str,
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
    pub(super) nonce: &'a str,
}

impl Question<'_> {
    /// The value of an Authorization header.
    pub(super) fn answer(&self, auth: Auth) -> String {
        let Self { account, password, method, uri, nonce } = self;
        let head =
            format!("Digest username=\"{account}\", realm=\"{DOMAIN}\", nonce=\"{nonce}\", uri=\"{uri}\"");
        let (ha1, ha2) = (format!("{account}:{DOMAIN}:{password}"), format!("{method}:{uri}"));
        if auth == Auth::Sha256 {
            let cnonce = &hex::<Sha256>(&format!("{nonce}{uri}"))[..16];
            let (ha1, ha2) = (hex::<Sha256>(&ha1), hex::<Sha256>(&ha2));
            let response = hex::<Sha256>(&format!("{ha1}:{nonce}:00000001:{cnonce}:auth:{ha2}"));
            return format!(
                "{head}, response=\"{response}\", algorithm=SHA-256, cnonce=\"{cnonce}\", qop=auth, nc=00000001"
            );
        }
        let response = hex::<Md5>(&format!("{}:{nonce}:{}", hex::<Md5>(&ha1), hex::<Md5>(&ha2)));
        format!("{head}, response=\"{response}\", algorithm=MD5")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What hashcat's module 11400 gives for the same fields.
    #[test]
    fn the_arithmetic_is_that_of_others() {
        assert_eq!(hex::<Md5>("bob:biloxi.com:zanzibar"), "12af60467a33e8518da5c68bbff12b11");
        let question = Question {
            account: "201",
            password: "201",
            method: "REGISTER",
            uri: "sip:pbx.example.com",
            nonce: "aa",
        };
        assert!(question.answer(Auth::Md5).ends_with("algorithm=MD5"));
        assert!(question.answer(Auth::Sha256).contains("qop=auth"));
    }
}
