//! How numbers are written in logs and in whatever is sent (law 9).

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// How numbers are written.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Privacy {
    /// The first digits and the last two.
    #[default]
    Masked,
    /// Every digit: for `replay`, and where the operator says so.
    Full,
    /// A keyed hash: the same number gives the same token, and only who has the key can tell which.
    Hashed(NumberKey),
}

/// The key of hashed numbers: 32 random bytes, never printed.
#[derive(Clone)]
pub struct NumberKey(Arc<Zeroizing<[u8; 32]>>);

/// Hexadecimal digits of a token: 128 bits, so that no two numbers of an office share one.
const TOKEN: usize = 32;

impl NumberKey {
    /// From random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// A key for something else, that tells nothing of this one.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        Hmac::<Sha256>::new_from_slice(&self.0[..]).map_or([0; 32], |mut mac| {
            mac.update(b"ringfence ");
            mac.update(purpose.as_bytes());
            mac.finalize().into_bytes().into()
        })
    }

    /// `hmac:` and the first 128 bits of HMAC-SHA-256 (RFC 2104, FIPS 180-4) over the number as it
    /// would be written in full.
    pub fn token(&self, number: &str) -> String {
        let mut out = String::from("hmac:");
        // HMAC takes a key of any length.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0[..]) {
            mac.update(number.as_bytes());
            for byte in mac.finalize().into_bytes() {
                out.push_str(&format!("{byte:02x}"));
            }
        }
        out.truncate("hmac:".len() + TOKEN);
        out
    }
}

impl PartialEq for NumberKey {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for NumberKey {}

impl fmt::Debug for NumberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_hmac_under_the_key() {
        // RFC 4231, test case 6 has a key longer than ours; this is computed with OpenSSL:
        // printf %s +37120000001 | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707..07
        let token = NumberKey::new([7; 32]).token("+37120000001");
        assert_eq!(token, "hmac:7c083a1d4ade8a7cea9e31fb14cabffc");
    }

    #[test]
    fn two_installations_share_no_token_and_none_is_keyless() {
        let (a, b) = (NumberKey::new([1; 32]), NumberKey::new([2; 32]));
        let keyless = NumberKey::new([0; 32]);
        for n in 0..1_000 {
            let number = format!("+4420794600{n:02}");
            let token = a.token(&number);
            assert_eq!(token, a.token(&number));
            assert_ne!(token, b.token(&number));
            // An HMAC key of zeroes is an empty key.
            assert_ne!(token, keyless.token(&number));
            assert!(token.len() == 37 && !token.contains("4420"));
        }
    }

    #[test]
    fn without_the_key_no_number_of_the_range_gives_the_token() {
        let token = NumberKey::new([9; 32]).token("+442079460042");
        let guess = |number: &str| {
            let plain = {
                use sha2::Digest;
                Sha256::digest(number.as_bytes()).iter().map(|b| format!("{b:02x}")).collect::<String>()
            };
            token.ends_with(&plain[..TOKEN]) || NumberKey::new([0; 32]).token(number) == token
        };
        assert!((0..10_000).all(|n| !guess(&format!("+44207946{n:04}"))));
    }

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(format!("{:?}", Privacy::Hashed(NumberKey::new([65; 32]))), "Hashed(***)");
    }
}
