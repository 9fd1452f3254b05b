//! HTTP in clear: provisioning, log-ins to phones' pages, SOAP. SSDP too.
//!
//! In: bytes that begin with a request or a response. Out: `Http`, borrowed, as far as it stands there.
//! Never: keeps it, prints credentials.

use std::fmt;

use memchr::memchr;

/// Header lines that are read.
const LINES: usize = 64;
/// Bytes of a message that are looked at.
pub const LONGEST: usize = 8 * 1024;

/// A request or a response, as far as it is there.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Http<'a> {
    /// Of a request: its method.
    pub method: &'a [u8],
    /// Of a request: its path, without the query.
    pub path: &'a [u8],
    /// Of a response: its code; 0 for a request.
    pub code: u16,
    /// User-Agent.
    pub user_agent: &'a [u8],
    /// Server.
    pub server: &'a [u8],
    /// Authorization. Secret.
    pub authorization: &'a [u8],
    /// WWW-Authenticate.
    pub challenge: &'a [u8],
    /// SOAPAction.
    pub soap_action: &'a [u8],
    /// SSDP: ST or NT.
    pub target: &'a [u8],
    /// Whether it has a SOAPAction at all: TR-069's is empty.
    pub soap: bool,
    /// Content-Length.
    pub length: Option<usize>,
    /// Whether the headers end here.
    pub whole: bool,
    /// What follows them. May hold a password.
    pub body: &'a [u8],
}

/// Says what it is, without credentials or body.
impl fmt::Debug for Http<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("method", &self.method.escape_ascii().to_string())
            .field("path", &self.path.escape_ascii().to_string())
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

/// Whether a payload begins like HTTP: the test that every TCP segment takes.
#[inline]
pub fn begins(payload: &[u8]) -> bool {
    payload.starts_with(b"GET ")
        || payload.starts_with(b"POST ")
        || payload.starts_with(b"HTTP/1.")
        || payload.starts_with(b"PUT ")
}

/// Whether a payload of a few bytes may go on to begin like HTTP.
pub fn may_begin(payload: &[u8]) -> bool {
    [&b"GET "[..], b"POST ", b"HTTP/1.", b"PUT "].iter().any(|word| word.starts_with(payload))
}

/// Whether it is an interim response (RFC 9110 section 15.2): the request goes on.
pub fn is_interim(payload: &[u8]) -> bool {
    matches!(payload, [b'H', b'T', b'T', b'P', b'/', b'1', b'.', _, b' ', b'1', ..])
}

/// Whether the empty line that ends the headers stands in `bytes` at `from` or later.
pub fn head_ends(bytes: &[u8], from: usize) -> bool {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.windows(2).any(|pair| pair == b"\n\n") || rest.windows(3).any(|three| three == b"\n\r\n")
}

/// Reads the headers of a request or a response; `None` if it is neither.
pub fn parse(payload: &[u8]) -> Option<Http<'_>> {
    let payload = payload.get(..payload.len().min(LONGEST))?;
    let mut read = Http::default();
    let mut rest = payload;
    let first = line(&mut rest)?;
    if let Some(status) = first.strip_prefix(b"HTTP/1.") {
        read.code = std::str::from_utf8(status.get(2..5)?).ok()?.parse().ok()?;
    } else {
        let mut words = first.split(|byte| *byte == b' ');
        read.method = words.next().filter(|m| m.iter().all(|b| b.is_ascii_uppercase() || *b == b'-'))?;
        read.path = words.next()?.split(|byte| *byte == b'?').next()?;
        words.next().filter(|version| version.starts_with(b"HTTP/1."))?;
    }
    for _ in 0..LINES {
        let Some(header) = line(&mut rest) else { return Some(read) };
        if header.is_empty() {
            (read.whole, read.body) = (true, rest);
            return Some(read);
        }
        let Some(colon) = memchr(b':', header) else { continue };
        let (name, value) = header.split_at_checked(colon)?;
        read.header(name, value.get(1..).unwrap_or_default());
    }
    Some(read)
}

fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = memchr(b'\n', rest)?;
    let (line, after) = rest.split_at_checked(end)?;
    *rest = after.get(1..).unwrap_or_default();
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

/// User and password of Basic credentials (RFC 7617).
pub fn basic(authorization: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, coded) = authorization.split_first_chunk::<6>()?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") || coded.len() > 512 {
        return None;
    }
    let mut plain = base64(coded.trim_ascii())?;
    let colon = plain.iter().position(|byte| *byte == b':')?;
    let password = plain.split_off(colon.saturating_add(1));
    plain.truncate(colon);
    Some((plain, password))
}

fn base64(coded: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(coded.len());
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in coded.iter().take_while(|byte| **byte != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(six)) & 0xff_ffff;
        held = held.wrapping_add(6);
        if held >= 8 {
            held = held.wrapping_sub(8);
            plain.push(u8::try_from(bits.checked_shr(held)? & 0xff).ok()?);
        }
    }
    Some(plain)
}

/// User and password of a log-in form: `username=..&password=..` and the like.
pub fn form(body: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut user, mut password) = (Vec::new(), None);
    for pair in body.trim_ascii().split(|byte| *byte == b'&').take(32) {
        let Some(at) = pair.iter().position(|byte| *byte == b'=') else { continue };
        let (name, value) = pair.split_at_checked(at)?;
        let name = name.to_ascii_lowercase();
        let value = value.get(1..).unwrap_or_default();
        let is = |words: &[&[u8]]| words.contains(&&name[..]);
        if is(&[b"username", b"user", b"userid", b"login", b"p1"]) {
            user = unescape(value);
        } else if is(&[b"password", b"pwd", b"passwd", b"pass", b"p2"]) {
            password = Some(unescape(value));
        }
    }
    password.map(|password| (user, password))
}

fn unescape(value: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(value.len());
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        let hex = |byte: Option<u8>| {
            byte.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok())
        };
        match byte {
            b'+' => plain.push(b' '),
            b'%' => match (hex(bytes.next()), hex(bytes.next())) {
                (Some(high), Some(low)) => plain.push(high << 4 | low),
                _ => return plain,
            },
            _ => plain.push(byte),
        }
    }
    plain
}

impl<'a> Http<'a> {
    /// Takes a header. Names are told apart by their length first: most are none of these.
    fn header(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |word: &[u8]| name.eq_ignore_ascii_case(word);
        let field = match name.len() {
            2 if is(b"ST") || is(b"NT") => &mut self.target,
            6 if is(b"Server") => &mut self.server,
            10 if is(b"User-Agent") => &mut self.user_agent,
            10 if is(b"SOAPAction") => {
                self.soap = true;
                &mut self.soap_action
            }
            13 if is(b"Authorization") => &mut self.authorization,
            14 if is(b"Content-Length") => {
                let digits = std::str::from_utf8(value.trim_ascii()).ok();
                self.length = digits.and_then(|digits| digits.parse().ok());
                return;
            }
            16 if is(b"WWW-Authenticate") => &mut self.challenge,
            _ => return,
        };
        *field = value.trim_ascii();
    }

    /// The body, if all of it is here.
    pub fn whole_body(&self) -> Option<&'a [u8]> {
        self.body.get(..self.length.unwrap_or(0)).filter(|_| self.whole)
    }
}

/// The text of an XML element, by its name; a namespace's prefix may stand before it.
pub fn element<'a>(body: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = body;
    while let Some(at) = rest.windows(name.len().max(1)).position(|part| part == name.as_bytes()) {
        let (before, from) = rest.split_at_checked(at)?;
        let after = from.get(name.len()..)?;
        let named = matches!(before.last(), Some(b'<' | b':'));
        if named && matches!(after.first(), Some(b'>' | b' ' | b'\t' | b'\r' | b'\n')) {
            let start = after.iter().position(|byte| *byte == b'>')?.checked_add(1)?;
            let inside = after.get(start..)?;
            let inside = inside.strip_prefix(b"<![CDATA[").unwrap_or(inside);
            let end = inside.iter().position(|byte| matches!(byte, b'<' | b']'))?;
            return Some(inside.get(..end)?.trim_ascii());
        }
        rest = after;
    }
    None
}

/// The maker that a phone's own page names in Server or its realm (nmap's and recog's facts).
pub fn page_of(server: &[u8], challenge: &[u8]) -> Option<(&'static str, String)> {
    let server = String::from_utf8_lossy(server);
    let has = |word: &str| server.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    let realm = challenge.windows(12).any(|part| part.eq_ignore_ascii_case(b"realm=\"snom\""));
    match () {
        () if has("snom embedded") || realm => Some(("Snom", String::new())),
        () if has("Aragorn") => Some(("Mitel", String::new())),
        () if has("Polycom SoundPoint IP") => Some(("Poly", String::new())),
        () if has("Yealink") => Some(("Yealink", String::new())),
        () if has("Grandstream ") => {
            Some(("Grandstream", server.split(' ').nth(1).unwrap_or_default().to_owned()))
        }
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_provisioning_request() {
        let read = parse(b"GET /cfg/001565f429a4.cfg?x=1 HTTP/1.1\r\nHost: p\r\nUser-Agent: Yealink SIP-T56A 58.80.0.25 001565f429a4\r\n\r\n").unwrap();
        assert_eq!((read.method, read.path, read.whole), (&b"GET"[..], &b"/cfg/001565f429a4.cfg"[..], true));
        assert_eq!(read.user_agent, b"Yealink SIP-T56A 58.80.0.25 001565f429a4");
        let read = parse(b"HTTP/1.1 401 Unauthorized\r\nServer: snom embedded\r\nWWW-Authenticate: Basic realm=\"snom\"\r\n").unwrap();
        assert_eq!((read.code, read.whole), (401, false));
        assert_eq!(page_of(read.server, read.challenge), Some(("Snom", String::new())));
        assert_eq!(page_of(b"Grandstream GXP2020 1.2.5.3", b"").unwrap().1, "GXP2020");
        for odd in
            [&b""[..], b"GET /", b"get / HTTP/1.1\r\n", b"HTTP/1.1 xx\r\n", b"INVITE sip:a SIP/2.0\r\n"]
        {
            assert_eq!(parse(odd), None);
        }
    }

    #[test]
    fn credentials_in_clear_are_found_and_not_printed() {
        let request = b"GET / HTTP/1.1\r\nAuthorization: Basic YWRtaW46MjIyMjI=\r\n\r\nusername=a";
        let read = parse(request).unwrap();
        assert_eq!(basic(read.authorization), Some((b"admin".to_vec(), b"22222".to_vec())));
        assert!(!format!("{read:?}").contains("YWRt") && !format!("{read:?}").contains("username"));
        assert_eq!(form(b"username=admin&password=a%26b+c"), Some((b"admin".to_vec(), b"a&b c".to_vec())));
        assert_eq!(form(b"lang=en"), None);
        assert_eq!(basic(b"Digest x"), None);
    }

    #[test]
    fn elements_of_soap() {
        let body = b"<u:AddPortMapping xmlns:u=\"x\"><NewExternalPort>5060</NewExternalPort>\
            <NewInternalClient dt:dt=\"string\"> 10.0.3.17 </NewInternalClient><NewEnabled/></u:AddPortMapping>";
        assert_eq!(element(body, "NewExternalPort"), Some(&b"5060"[..]));
        assert_eq!(element(body, "NewInternalClient"), Some(&b"10.0.3.17"[..]));
        assert_eq!(element(body, "NewInternal"), None);
        assert_eq!(element(body, "Nothing"), None);
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = (parse(&bytes), form(&bytes), basic(&bytes), element(&bytes, "A"), page_of(&bytes, &bytes));
            let _ = basic(&[b"Basic ", &bytes[..]].concat());
            let _ = parse(&[b"GET / HTTP/1.1\r\n", &bytes[..]].concat());
        }
    }
}
