//! Digest credentials and challenges (RFC 3261 section 22.4, RFC 7616), borrowed and lenient.
//!
//! In: the value of an Authorization or WWW-Authenticate header, or of their Proxy- kin.
//! Out: `Credentials`, `Challenge`. Never: prints what a password could be guessed from.

use std::fmt;

use super::lex::{closing_quote, from, is_lws, span, trim_start, upto};

/// Answer to a challenge. Values stand as on the wire: quotes off, escapes left in.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// Account name; of `username*` (RFC 7616) the encoded value.
    pub username: &'a [u8],
    /// Realm.
    pub realm: &'a [u8],
    /// The server's nonce.
    pub nonce: &'a [u8],
    /// digest-uri.
    pub uri: &'a [u8],
    /// The digest itself, in hex. Secret: a password can be guessed from it.
    pub response: &'a [u8],
    /// The client's nonce. Secret, as `response`.
    pub cnonce: &'a [u8],
    /// Nonce count, 8 hex digits.
    pub nc: &'a [u8],
    /// Quality of protection.
    pub qop: &'a [u8],
    /// Algorithm; empty means MD5.
    pub algorithm: &'a [u8],
    /// The server's opaque data.
    pub opaque: &'a [u8],
    /// `username` is a hash of it (RFC 7616 section 3.4.4).
    pub userhash: bool,
}

/// What a server asks for. Values stand as on the wire: quotes off, escapes left in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// Realm.
    pub realm: &'a [u8],
    /// The nonce to answer.
    pub nonce: &'a [u8],
    /// Opaque data.
    pub opaque: &'a [u8],
    /// Algorithm; empty means MD5.
    pub algorithm: &'a [u8],
    /// Qualities of protection on offer, separated by commas.
    pub qop: &'a [u8],
    /// The nonce was too old and the password right, so this is no failed log-in.
    pub stale: bool,
}

impl<'a> Credentials<'a> {
    /// Reads Digest credentials; `None` for another scheme.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let mut read = Self::default();
        let mut encoded: &[u8] = &[];
        for (name, value) in Params::after_digest(value)? {
            let field = match lowered(name, &mut [0; 16]) {
                b"username" => &mut read.username,
                b"username*" => &mut encoded,
                b"realm" => &mut read.realm,
                b"nonce" => &mut read.nonce,
                b"uri" => &mut read.uri,
                b"response" => &mut read.response,
                b"cnonce" => &mut read.cnonce,
                b"nc" => &mut read.nc,
                b"qop" => &mut read.qop,
                b"algorithm" => &mut read.algorithm,
                b"opaque" => &mut read.opaque,
                b"userhash" => {
                    read.userhash = value.eq_ignore_ascii_case(b"true");
                    continue;
                }
                _ => continue,
            };
            set_first(field, value);
        }
        set_first(&mut read.username, encoded);
        Some(read)
    }

    /// Whether they answer a challenge, as opposed to the empty ones some phones send first.
    pub const fn has_response(&self) -> bool {
        !self.response.is_empty()
    }
}

/// The secrets are only said to be there.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mask = |secret: &[u8]| if secret.is_empty() { "" } else { "***" };
        f.debug_struct("Credentials")
            .field("username", &self.username.escape_ascii().to_string())
            .field("realm", &self.realm.escape_ascii().to_string())
            .field("algorithm", &self.algorithm.escape_ascii().to_string())
            .field("response", &mask(self.response))
            .field("cnonce", &mask(self.cnonce))
            .finish_non_exhaustive()
    }
}

impl<'a> Challenge<'a> {
    /// Reads a Digest challenge; `None` for another scheme.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let mut read = Self::default();
        for (name, value) in Params::after_digest(value)? {
            match lowered(name, &mut [0; 16]) {
                b"realm" => set_first(&mut read.realm, value),
                b"nonce" => set_first(&mut read.nonce, value),
                b"opaque" => set_first(&mut read.opaque, value),
                b"algorithm" => set_first(&mut read.algorithm, value),
                b"qop" => set_first(&mut read.qop, value),
                b"stale" => read.stale = value.eq_ignore_ascii_case(b"true"),
                _ => {}
            }
        }
        Some(read)
    }
}

/// Quoted-pairs resolved, for comparing and hashing; at most as long as `raw`.
pub fn unescape(raw: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut bytes = raw.iter().copied();
    std::iter::from_fn(move || match bytes.next()? {
        b'\\' => Some(bytes.next().unwrap_or(b'\\')),
        byte => Some(byte),
    })
}

fn set_first<'a>(field: &mut &'a [u8], value: &'a [u8]) {
    if field.is_empty() {
        *field = value;
    }
}

/// The name in lower case; a longer one than any known is cut and so matches none.
fn lowered<'b>(name: &[u8], buffer: &'b mut [u8; 16]) -> &'b [u8] {
    for (slot, byte) in buffer.iter_mut().zip(name) {
        *slot = byte.to_ascii_lowercase();
    }
    upto(buffer, name.len())
}

/// `name=value` pairs, separated by commas and, where a client forgot them, by blanks.
struct Params<'a> {
    rest: &'a [u8],
}

impl<'a> Params<'a> {
    fn after_digest(value: &'a [u8]) -> Option<Self> {
        let (scheme, rest) = trim_start(value).split_first_chunk::<6>()?;
        let named = scheme.eq_ignore_ascii_case(b"Digest") && rest.first().is_none_or(|byte| is_lws(*byte));
        named.then_some(Self { rest })
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = from(self.rest, span(self.rest, |byte| is_lws(byte) || matches!(byte, b',' | b';')));
            if rest.is_empty() {
                return None;
            }
            let end = span(rest, |byte| !is_lws(byte) && !matches!(byte, b'=' | b',' | b';'));
            let name = upto(rest, end);
            let after = trim_start(from(rest, end));
            let [b'=', value @ ..] = after else {
                self.rest = after;
                continue;
            };
            let value = trim_start(value);
            let (value, rest) = match value {
                [b'"', inside @ ..] => {
                    let end = closing_quote(inside).unwrap_or(inside.len());
                    (upto(inside, end), from(inside, end.saturating_add(1)))
                }
                _ => {
                    let end = span(value, |byte| !is_lws(byte) && !matches!(byte, b',' | b';'));
                    (upto(value, end), from(value, end))
                }
            };
            self.rest = rest;
            if !name.is_empty() {
                return Some((name, value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_rfc_2617_gives_as_its_example() {
        let value = br#"Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd9", uri="/dir,/x;y",
  qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae4", opaque="5ccc", algorithm=MD5"#;
        let read = Credentials::parse(value).unwrap();
        assert_eq!(read.username, b"Mufasa");
        assert_eq!(read.uri, b"/dir,/x;y");
        assert_eq!(
            (read.realm, read.nonce, read.qop),
            (&b"testrealm@host.com"[..], &b"dcd9"[..], &b"auth"[..])
        );
        assert_eq!(
            (read.nc, read.cnonce, read.response),
            (&b"00000001"[..], &b"0a4f113b"[..], &b"6629fae4"[..])
        );
        assert_eq!((read.opaque, read.algorithm), (&b"5ccc"[..], &b"MD5"[..]));
        assert!(read.has_response());
    }

    #[test]
    fn is_lenient() {
        let user = |value: &'static [u8]| Credentials::parse(value).map(|read| read.username);
        assert_eq!(user(b"digest USERNAME = \"a\\\"b\" realm=x"), Some(&b"a\\\"b"[..]));
        assert_eq!(user(b" Digest\r\n username=bob,,;"), Some(&b"bob"[..]));
        assert_eq!(user(b"Digest x, =y, username=\"open"), Some(&b"open"[..]));
        assert_eq!(user(b"Digest username*=UTF-8''J%C3%BC"), Some(&b"UTF-8''J%C3%BC"[..]));
        assert_eq!(user(b"Digest username=\"a\", username=\"b\""), Some(&b"a"[..]));
        assert_eq!(user(b"Digest realm=\"username=\\\"no\\\"\""), Some(&b""[..]));
        assert_eq!(user(b"Digest"), Some(&b""[..]));
        assert_eq!(user(b"Basic dXNlcg=="), None);
        assert_eq!(user(b"Digestusername=x"), None);
        assert_eq!(unescape(b"a\\\"b\\").collect::<Vec<_>>(), b"a\"b\\");
    }

    #[test]
    fn a_response_of_any_length_is_read_and_none_is_printed() {
        for length in [0usize, 31, 33, 64, 10_000] {
            let value =
                format!("Digest username=\"u\", response=\"{}\", cnonce=\"c4n4ry\"", "f".repeat(length));
            let read = Credentials::parse(value.as_bytes()).unwrap();
            assert_eq!((read.response.len(), read.has_response()), (length, length > 0));
            let printed = format!("{read:?}");
            assert!(!printed.contains("ff") && !printed.contains("c4n4ry"), "{printed}");
        }
    }

    #[test]
    fn challenges() {
        let value = br#"Digest realm="pbx", nonce="n,1", algorithm=SHA-256, qop="auth,auth-int", stale=TRUE, opaque="""#;
        let read = Challenge::parse(value).unwrap();
        assert_eq!((read.realm, read.nonce, read.qop), (&b"pbx"[..], &b"n,1"[..], &b"auth,auth-int"[..]));
        assert_eq!((read.algorithm, read.opaque, read.stale), (&b"SHA-256"[..], &b""[..], true));
        assert_eq!(Challenge::parse(b"NTLM x"), None);
    }
}
