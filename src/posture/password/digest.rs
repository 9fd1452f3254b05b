//! Whether a candidate is the password behind a digest response (RFC 2069, 2617, 7616, 8760).
//!
//! Everything that goes into the digest is taken as it was sent: `nc` needn't be hex, `uri` needn't
//! be the Request-URI.

use md5::Md5;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512_256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::sip::digest::unescape;
use crate::sip::proof::Proof;

/// The hash of an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Md5,
    Sha256,
    Sha512_256,
}

/// Hex digits of a digest, on the stack, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct Hex {
    bytes: [u8; 64],
    len: usize,
}

impl Hex {
    fn of(digest: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = Self { bytes: [0; 64], len: digest.len().min(32) * 2 };
        for (pair, byte) in hex.bytes.chunks_exact_mut(2).zip(digest) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Hex {
    let mut hasher = D::new();
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            hasher.update(b":");
        }
        hasher.update(part);
    }
    Hex::of(&hasher.finalize())
}

impl Hash {
    /// H(a:b:c), in hex.
    fn join(self, parts: &[&[u8]]) -> Hex {
        match self {
            Self::Md5 => digest::<Md5>(parts),
            Self::Sha256 => digest::<Sha256>(parts),
            Self::Sha512_256 => digest::<Sha512_256>(parts),
        }
    }

    const fn hex_digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 | Self::Sha512_256 => 64,
        }
    }
}

/// The algorithm of a token, and whether it is the -sess form; `None` if nobody knows it.
fn algorithm(token: &[u8]) -> Option<(Hash, bool)> {
    let lower = token.to_ascii_lowercase();
    let (name, sess) = match lower.strip_suffix(b"-sess") {
        Some(name) => (name, true),
        None => (&lower[..], false),
    };
    let hash = match name {
        b"" | b"md5" => Hash::Md5,
        b"sha-256" => Hash::Sha256,
        b"sha-512-256" => Hash::Sha512_256,
        _ => return None,
    };
    Some((hash, sess))
}

/// A proof made ready, so that a candidate costs two hashes.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Question {
    #[zeroize(skip)]
    hash: Hash,
    sess: bool,
    username: Vec<u8>,
    realm: Vec<u8>,
    nonce: Vec<u8>,
    cnonce: Vec<u8>,
    /// What follows HA1 in the response's own hash.
    tail: Vec<u8>,
    response: Vec<u8>,
}

impl Question {
    /// `None` if the algorithm, the quality of protection or the response's form is none that can
    /// be checked. `account` is what the device registers: a hashed user name stands for it.
    pub fn new(proof: &Proof, account: &[u8]) -> Option<Self> {
        let (hash, sess) = algorithm(&proof.algorithm)?;
        let response = proof.response.to_ascii_lowercase();
        if response.len() != hash.hex_digits() || !response.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let plain = |raw: &[u8]| unescape(raw).collect::<Vec<u8>>();
        let (realm, nonce, cnonce) = (plain(&proof.realm), plain(&proof.nonce), plain(&proof.cnonce));
        let mut username = plain(&proof.username);
        if proof.userhash {
            let hashed = hash.join(&[account, &realm]);
            if !hashed.as_bytes().eq_ignore_ascii_case(&username) {
                return None;
            }
            username = account.to_vec();
        }
        let qop = proof.qop.to_ascii_lowercase();
        let uri = plain(&proof.uri);
        let ha2 = match qop.as_slice() {
            b"" | b"auth" => hash.join(&[&proof.method, &uri]),
            b"auth-int" => {
                let body = hash.join(&[&proof.body]);
                hash.join(&[&proof.method, &uri, body.as_bytes()])
            }
            _ => return None,
        };
        let tail = if qop.is_empty() {
            [&nonce[..], b":", ha2.as_bytes()].concat()
        } else {
            [&nonce[..], b":", &proof.nc, b":", &cnonce, b":", &proof.qop, b":", ha2.as_bytes()].concat()
        };
        Some(Self { hash, sess, username, realm, nonce, cnonce, tail, response })
    }

    /// Whether `password` is the one. Constant in time for a given length.
    pub fn is(&self, password: &[u8]) -> bool {
        let mut ha1 = self.hash.join(&[&self.username, &self.realm, password]);
        if self.sess {
            ha1 = self.hash.join(&[ha1.as_bytes(), &self.nonce, &self.cnonce]);
        }
        let response = self.hash.join(&[ha1.as_bytes(), &self.tail]);
        let differs = response.as_bytes().iter().zip(&self.response).fold(0, |all, (a, b)| all | (a ^ b));
        differs == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(fields: [&str; 9], body: &[u8]) -> Proof {
        let [username, realm, method, uri, nonce, nc, cnonce, algorithm, response] = fields;
        let (cnonce, qop) = cnonce.split_once('/').map_or((cnonce, ""), |(cnonce, qop)| (cnonce, qop));
        let bytes = |text: &str| text.as_bytes().to_vec();
        Proof {
            username: bytes(username),
            realm: bytes(realm),
            nonce: bytes(nonce),
            uri: bytes(uri),
            response: bytes(response),
            cnonce: bytes(cnonce),
            nc: bytes(nc),
            qop: bytes(qop),
            algorithm: bytes(algorithm),
            method: bytes(method),
            body: body.to_vec(),
            userhash: false,
        }
    }

    fn is(proof: &Proof, password: &str) -> bool {
        let question = Question::new(proof, b"").unwrap();
        assert!(!question.is(format!("{password}x").as_bytes()) && !question.is(b""));
        question.is(password.as_bytes())
    }

    const BOB: [&str; 6] = [
        "bob",
        "biloxi.com",
        "INVITE",
        "sip:bob@biloxi.com",
        "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "00000001",
    ];

    fn bob(rest: [&'static str; 3], body: &[u8]) -> Proof {
        let [a, b, c, d, e, f] = BOB;
        proof([a, b, c, d, e, f, rest[0], rest[1], rest[2]], body)
    }

    /// draft-smith-sipping-auth-examples; FreeRADIUS's tests carry the same.
    #[test]
    fn the_vectors_of_sip() {
        for (rest, body) in [
            (["", "", "bf57e4e0d0bffc0fbaedce64d59add5e"], &b""[..]),
            (["0a4f113b/auth", "MD5", "89eb0059246c02b2f6ee02c7961d5ea3"], b""),
            (["0a4f113b/auth", "MD5-sess", "E4E4EA61D186D07A92C9E1F6919902E9"], b""),
        ] {
            assert!(is(&bob(rest, body), "zanzibar"), "{rest:?}");
        }
    }

    /// The draft gives the hash of the body, c1ed018b..., and not the body: so HA2 is made of the hash
    /// here, by the same function that makes it of a body.
    #[test]
    fn the_vectors_of_auth_int() {
        let ha1 = Hash::Md5.join(&[b"bob", b"biloxi.com", b"zanzibar"]);
        assert_eq!(ha1.as_bytes(), b"12af60467a33e8518da5c68bbff12b11");
        let ha2 = Hash::Md5.join(&[b"INVITE", b"sip:bob@biloxi.com", b"c1ed018b8ec4a3b170c0921f5b564e48"]);
        let nonce = BOB[4].as_bytes();
        let respond = |ha1: &Hex| {
            let parts: [&[u8]; 6] =
                [ha1.as_bytes(), nonce, b"00000001", b"0a4f113b", b"auth-int", ha2.as_bytes()];
            String::from_utf8(Hash::Md5.join(&parts).as_bytes().to_vec()).unwrap()
        };
        assert_eq!(respond(&ha1), "bdbeebb2da6adb6bca02599c2239e192");
        let sess = Hash::Md5.join(&[ha1.as_bytes(), nonce, b"0a4f113b"]);
        assert_eq!(respond(&sess), "91984da2d8663716e91554859c22ca70");
    }

    /// A body of our own, its digests by Python's hashlib: the whole way with the true body.
    #[test]
    fn auth_int_takes_the_body() {
        let body = b"v=0\r\no=- 0 0 IN IP4 10.0.3.17\r\n";
        let with = |algorithm, response| bob(["0a4f113b/auth-int", algorithm, response], body);
        assert!(is(&with("MD5", "8056e3f1627e0b9f252a4eae0b22399e"), "zanzibar"));
        assert!(is(
            &with("SHA-256-sess", "fe3a45b7efc3d4f02a117121b7e602fb9e48ae6975db0af1a436aa4d15e215ac"),
            "zanzibar"
        ));
        let mut other = with("MD5", "8056e3f1627e0b9f252a4eae0b22399e");
        other.body = b"v=0\r\n".to_vec();
        assert!(!Question::new(&other, b"").unwrap().is(b"zanzibar"));
    }

    /// RFC 7616 section 3.9.1.
    #[test]
    fn the_vectors_of_rfc_7616() {
        let with = |algorithm, response| {
            proof(
                [
                    "Mufasa",
                    "http-auth@example.org",
                    "GET",
                    "/dir/index.html",
                    "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                    "00000001",
                    "",
                    algorithm,
                    response,
                ],
                b"",
            )
        };
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let cnonce = b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let mut vector = with(algorithm, response);
            (vector.cnonce, vector.qop) = (cnonce.to_vec(), b"auth".to_vec());
            assert!(is(&vector, "Circle of Life"), "{algorithm}");
        }
    }

    /// The input of RFC 7616 section 3.9.2: SHA-512-256, a hashed user name and a name beyond ASCII.
    /// The digests printed there are not those of SHA-512/256 (erratum 4897); these are by Python's
    /// hashlib.
    #[test]
    fn a_hashed_user_name_needs_the_account() {
        let user = "J\u{e4}s\u{f8}n Doe";
        let vector = Proof {
            username: b"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b".to_vec(),
            realm: b"api@example.org".to_vec(),
            nonce: b"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK".to_vec(),
            uri: b"/doe.json".to_vec(),
            response: b"7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c".to_vec(),
            cnonce: b"NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm".to_vec(),
            nc: b"00000001".to_vec(),
            qop: b"auth".to_vec(),
            algorithm: b"SHA-512-256".to_vec(),
            method: b"GET".to_vec(),
            body: Vec::new(),
            userhash: true,
        };
        assert!(Question::new(&vector, user.as_bytes()).unwrap().is(b"Secret, or not?"));
        assert!(Question::new(&vector, b"Jason Doe").is_none());
    }

    /// Asterisk's advisory ES2018-01 and the two examples of hashcat's module 11400.
    #[test]
    fn real_ones() {
        let rows = [
            (
                ["3000", "asterisk", "SUBSCRIBE", "sip:127.0.0.1:5060"],
                ["1517181436/80170188d05f4af45b8530366c8e7e5e", "a4a88b777731349899227dc3170efdcf"],
                "3000",
            ),
            (
                ["", "", "342210558720", "737232616:1215344588738747:8867133055"],
                ["65600", "e9980869221f9d1182c83b0d5e56a7db"],
                "hashcat",
            ),
            (
                ["username", "asterisk", "REGISTER", "sip:192.168.100.121"],
                ["2b01df0b", "ad0520061ca07c120d7e8ce696a6df2d"],
                "hashcat",
            ),
        ];
        for ([user, realm, method, uri], [nonce, response], password) in rows {
            let weak = proof([user, realm, method, uri, nonce, "", "", "", response], b"");
            assert!(is(&weak, password), "{uri}");
        }
    }

    #[test]
    fn what_cannot_be_checked_is_none() {
        let none = |change: fn(&mut Proof)| {
            let mut proof = bob(["0a4f113b/auth", "MD5", "89eb0059246c02b2f6ee02c7961d5ea3"], b"");
            change(&mut proof);
            Question::new(&proof, b"").is_none()
        };
        assert!(none(|proof| proof.algorithm = b"AKAv1-MD5".to_vec()));
        assert!(none(|proof| proof.qop = b"auth-conf".to_vec()));
        assert!(none(|proof| proof.response = b"89eb".to_vec()));
        assert!(none(|proof| proof.response = vec![b'z'; 32]));
        assert!(!none(|proof| proof.algorithm = b"md5".to_vec()));
    }

    /// SIPVicious counts in decimal, and quotes are taken off as they were put on.
    #[test]
    fn what_was_sent_is_hashed_and_quotes_come_off() {
        let decimal = proof(
            [
                "201",
                "a\\\"b",
                "REGISTER",
                "sip:10.0.3.5",
                "n",
                "00000010",
                "c/auth",
                "MD5",
                "3802d610396cc780a3dd9db283483800",
            ],
            b"",
        );
        assert!(is(&decimal, "201"));
    }
}
