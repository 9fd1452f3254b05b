//! HTTP in clear to and from devices: provisioning, log-ins, SOAP; names in TLS.
//!
//! In: TCP segments. Out: sightings; secrets for the check. Never: keeps a body; tells a password.

use std::net::SocketAddr;

use super::Watch;
use super::glean::{Hint, identity_of};
use crate::decode::{Path, Segment};
use crate::fact::What;
use crate::fact::secret::{Clear, Exercise, Lock, Secret};
use crate::fact::sighting::{
    LoginOutcome, LoginSighting, MappingBy, ProvisioningBy, ProvisioningStep, Scheme,
};
use crate::handsets::Handsets;
use crate::hints::http::{self, Http};
use crate::hints::natpmp::Mapping;
use crate::hints::{Confidence, Identity, Source, tls_hello, user_agent};
use crate::sip::digest::Credentials;
use crate::sip::proof::Proof;
use crate::text::Text;
use crate::time::{Span, Timestamp};

/// Requests whose answers are waited for.
pub(super) const WAITING: usize = 2_048;
/// An answer to a log-in comes within this time.
const ANSWERED_WITHIN: Span = Span::seconds(2);

/// Client and server.
pub(super) type Ends = (SocketAddr, SocketAddr);

/// What a request waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    at: Timestamp,
    for_what: Waiting,
}

#[derive(Clone, Copy, Debug)]
enum Waiting {
    /// The answer to a log-in.
    Login(LoginSighting, u32),
    /// A form's fields, in the next segment.
    Form(Text<48>),
    /// The answer to a request for a configuration.
    Fetch(Text<96>),
    /// A SOAP body, in the next segment.
    Soap,
    /// The router's answer to a request for a hole.
    Hole(Mapping),
    /// Nothing any more.
    Nothing,
}

impl Watch {
    #[inline]
    pub(super) fn glean_segment(&mut self, segment: &Segment<'_>, handsets: &Handsets, now: Timestamp) {
        let payload = segment.payload;
        if payload.is_empty() {
            return;
        }
        if tls_hello::begins(payload) {
            if let Some(hello) = tls_hello::parse(payload).filter(|hello| !hello.name.is_empty()) {
                self.touches.name(&segment.path, hello.name);
            }
        } else if http::begins(payload) {
            self.glean_http(&segment.path, payload, handsets, now);
        } else if !self.web.is_empty() {
            self.glean_rest(&segment.path, payload, handsets, now);
        }
    }

    #[cold]
    fn glean_http(&mut self, path: &Path, payload: &[u8], handsets: &Handsets, now: Timestamp) {
        let Some(read) = http::parse(payload) else { return };
        if read.code != 0 {
            return self.answer(&read, path, handsets, now);
        }
        let (src, dst) =
            (self.zones.place(path.src.ip(), handsets), self.zones.place(path.dst.ip(), handsets));
        if src.ours {
            self.request_of_ours(&read, path, src.phone, handsets, now);
        }
        if dst.ours && dst.phone {
            self.request_to_phone(&read, path, handsets, now);
        }
    }

    fn request_of_ours(
        &mut self,
        read: &Http<'_>,
        path: &Path,
        phone: bool,
        handsets: &Handsets,
        now: Timestamp,
    ) {
        let ip = path.src.ip();
        if contains(read.soap_action, b"AddPortMapping") || contains(read.soap_action, b"AddAnyPortMapping") {
            if read.body.is_empty() {
                self.wait(path, Waiting::Soap, now);
            } else {
                self.soap(read.body, path, handsets, now);
            }
            return;
        }
        let known = user_agent::parse(read.user_agent);
        if let Some(known) = &known {
            self.zones.shows(ip, known.mac, path.vlan, true, now);
            let device = self.device(ip, path.vlan, handsets);
            let hint = Hint {
                source: Source::HttpUserAgent,
                confidence: Confidence::High,
                identity: identity_of(known),
                voice_vlan: None,
                raw: read.user_agent,
            };
            self.hint(device, &hint, now);
        }
        if read.method == b"GET" && (known.is_some() || (phone && is_config(read.path))) {
            let by = ProvisioningBy::Http;
            self.fetches(by, ProvisioningStep::Asked, path.src, path.dst, read.path, handsets, now);
            self.wait(path, Waiting::Fetch(Text::new(read.path)), now);
        }
    }

    fn request_to_phone(&mut self, read: &Http<'_>, path: &Path, handsets: &Handsets, now: Timestamp) {
        let digest = Credentials::parse(read.authorization)
            .filter(|c| !read.authorization.is_empty() && c.has_response());
        if let Some(credentials) = digest {
            let whole = read.whole.then_some(read.body);
            let secret =
                Proof::new(&credentials, read.method, whole).map(|proof| Secret::Digest(Box::new(proof)));
            self.login(Scheme::Digest, credentials.username, secret, read.path, path, handsets, now);
        } else if let Some((user, password)) = http::basic(read.authorization) {
            let secret = Secret::Clear(Clear { username: user.clone(), password });
            self.login(Scheme::Basic, &user, Some(secret), read.path, path, handsets, now);
        } else if read.method == b"POST" {
            if read.body.is_empty() {
                self.wait(path, Waiting::Form(Text::new(read.path)), now);
            } else {
                self.form(read.body, read.path, path, handsets, now);
            }
        }
    }

    fn form(&mut self, body: &[u8], page: &[u8], path: &Path, handsets: &Handsets, now: Timestamp) {
        if let Some((user, password)) = http::form(body) {
            let secret = Secret::Clear(Clear { username: user.clone(), password });
            self.login(Scheme::Form, &user, Some(secret), page, path, handsets, now);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what is told, and what it takes to tell it")]
    fn login(
        &mut self,
        scheme: Scheme,
        user: &[u8],
        secret: Option<Secret>,
        page: &[u8],
        path: &Path,
        handsets: &Handsets,
        now: Timestamp,
    ) {
        let ip = path.dst.ip();
        let device = self.device(ip, path.vlan, handsets);
        let told = LoginSighting {
            client: path.src,
            zone: self.zones.place(path.src.ip(), handsets).zone,
            port: path.dst.port(),
            scheme,
            account: Text::new(user),
            path: Text::new(page),
            outcome: LoginOutcome::Tried,
        };
        self.logins = self.logins.wrapping_add(1);
        let number = self.logins;
        if let Some(secret) = secret.filter(|_| self.passwords.wants(ip, None)) {
            let exercise = Exercise { time: now, device, lock: Lock::Web, account: Text::new(user), secret };
            self.passwords.keep((u64::MAX, number), user, b"", exercise);
        }
        self.tell(device, What::Login(told), now);
        self.wait(path, Waiting::Login(told, number), now);
    }

    /// A segment that begins nothing: perhaps the body of a request.
    #[cold]
    fn glean_rest(&mut self, path: &Path, payload: &[u8], handsets: &Handsets, now: Timestamp) {
        let Some(waits) = self.waiting(path.src, path.dst) else { return };
        match waits.for_what {
            Waiting::Form(page) => {
                self.wait(path, Waiting::Nothing, now);
                self.form(payload, page.as_bytes(), path, handsets, now);
            }
            Waiting::Soap => self.soap(payload, path, handsets, now),
            _ => {}
        }
    }

    fn soap(&mut self, body: &[u8], path: &Path, handsets: &Handsets, now: Timestamp) {
        let text = |name: &str| http::element(body, name).and_then(|value| std::str::from_utf8(value).ok());
        let Some(client) = text("NewInternalClient") else { return };
        let number = |name: &str| text(name).and_then(|value| value.parse().ok()).unwrap_or(0);
        let port = |name| u16::try_from(number(name)).unwrap_or(0);
        let hole = Mapping {
            pcp: false,
            tcp: text("NewProtocol").map(|protocol| protocol.eq_ignore_ascii_case("TCP")),
            internal: port("NewInternalPort"),
            external: port("NewExternalPort"),
            lease: number("NewLeaseDuration"),
            client: client.parse().ok(),
            accepted: None,
        };
        let description = http::element(body, "NewPortMappingDescription").unwrap_or_default();
        self.mapping(MappingBy::Upnp, &hole, description, path, handsets, now);
        self.wait(path, Waiting::Hole(hole), now);
    }

    fn answer(&mut self, read: &Http<'_>, path: &Path, handsets: &Handsets, now: Timestamp) {
        self.page(read, path, handsets, now);
        let Some(waits) = self.waiting(path.dst, path.src) else { return };
        let back = Path { src: path.dst, dst: path.src, ..*path };
        self.wait(&back, Waiting::Nothing, now);
        let yes = matches!(read.code, 200..=399);
        match waits.for_what {
            Waiting::Login(told, number) if now.since(waits.at) <= ANSWERED_WITHIN => {
                let outcome = match read.code {
                    200..=399 => LoginOutcome::Accepted,
                    401 | 403 => LoginOutcome::Refused,
                    _ => return,
                };
                self.passwords.answered((u64::MAX, number), yes, now);
                let device = self.device(path.src.ip(), path.vlan, handsets);
                self.tell(device, What::Login(LoginSighting { outcome, ..told }), now);
            }
            Waiting::Fetch(place) if yes => {
                let (by, step) = (ProvisioningBy::Http, ProvisioningStep::Served);
                self.fetches(by, step, path.dst, path.src, place.as_bytes(), handsets, now);
            }
            Waiting::Hole(hole) => {
                let hole = Mapping { accepted: Some(read.code == 200), ..hole };
                self.mapping(MappingBy::Upnp, &hole, b"", path, handsets, now);
            }
            _ => {}
        }
    }

    /// What a phone's own page says of it.
    fn page(&mut self, read: &Http<'_>, path: &Path, handsets: &Handsets, now: Timestamp) {
        let ip = path.src.ip();
        let Some((vendor, model)) = http::page_of(read.server, read.challenge) else { return };
        if !self.zones.place(ip, handsets).ours {
            return;
        }
        self.zones.shows(ip, None, path.vlan, true, now);
        let device = self.device(ip, path.vlan, handsets);
        let identity = Identity {
            vendor: Text::from(vendor),
            model: Text::new(model.as_bytes()),
            phone: true,
            ..Identity::default()
        };
        let confidence = Confidence::Medium;
        let hint =
            Hint { source: Source::HttpServer, confidence, identity, voice_vlan: None, raw: read.server };
        self.hint(device, &hint, now);
    }

    fn wait(&mut self, path: &Path, for_what: Waiting, now: Timestamp) {
        let waits = Waits { at: now, for_what };
        let slot = self.web.find_or_insert(&(path.src, path.dst), now, || waits).slot;
        if matches!(for_what, Waiting::Nothing) {
            self.web.remove(slot);
        } else if let Some(known) = self.web.get_mut(slot) {
            *known = waits;
        }
    }

    fn waiting(&self, client: SocketAddr, server: SocketAddr) -> Option<Waits> {
        self.web.find(&(client, server)).and_then(|slot| self.web.get(slot)).copied()
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Files that phones fetch.
fn is_config(path: &[u8]) -> bool {
    let ends = |end: &[u8]| path.len() > end.len() && path.ends_with(end);
    [&b".cfg"[..], b".xml", b".conf", b".boot", b".htm", b".txt"].iter().any(|end| ends(end))
}
