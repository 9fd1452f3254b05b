//! HTTP in clear to and from devices: provisioning, log-ins, SOAP; names in TLS.
//!
//! In: TCP segments. Out: sightings; secrets for the check. Never: keeps a message that was read; tells a
//! password.

use std::net::SocketAddr;

use super::Watch;
use super::carry::Turn;
use super::glean::{Hint, identity_of};
use crate::decode::{Ends, Path, Segment};
use crate::fact::What;
use crate::fact::secret::{Clear, Exercise, Lock, Secret};
use crate::fact::sighting::{
    LoginOutcome, LoginSighting, ManagedSighting, MappingBy, ProvisioningBy, ProvisioningStep, Scheme,
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

/// Every message of TR-069 names its namespace, whatever the version (TR-069 amendment 6 section A.1).
const CWMP: &[u8] = b"urn:dslforum-org:cwmp-1-";
/// A server that manages a phone is told once in so long.
const MANAGED_FOR: Span = Span::HOUR;

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
    /// The answer to a request for a configuration.
    Fetch(Text<96>),
    /// The router's answer to a request for a hole.
    Hole(Mapping),
}

impl Watch {
    #[inline]
    pub(super) fn glean_segment(&mut self, segment: &Segment<'_>, handsets: &Handsets, now: Timestamp) {
        let payload = segment.payload;
        if payload.is_empty() {
            return;
        }
        if !self.carry.is_empty() && self.carries_on(segment, handsets, now) {
            return;
        }
        if tls_hello::begins(payload) {
            if let Some(hello) = tls_hello::parse(payload).filter(|hello| !hello.name.is_empty()) {
                self.touches.name(&segment.path, hello.name);
            }
        } else if http::begins(payload) || http::may_begin(payload) {
            self.glean_http(segment, handsets, now);
        }
    }

    /// A message begins: most are all there in one segment.
    #[cold]
    fn glean_http(&mut self, segment: &Segment<'_>, handsets: &Handsets, now: Timestamp) {
        let (path, payload) = (&segment.path, segment.payload);
        let read = http::parse(payload);
        let need = match &read {
            // A word of a few bytes, or a line that isn't whole, may be any message.
            None if !payload.contains(&b'\n') => 0,
            None => return,
            Some(read) if !read.whole => 0,
            Some(read) => payload.len().saturating_sub(read.body.len()) + self.body_of(read, path, handsets),
        };
        if segment.truncated || (need > 0 && payload.len() >= need.min(http::LONGEST)) {
            return read.iter().for_each(|read| self.message_of(read, path, handsets, now));
        }
        if self.concerns(path, handsets) {
            self.carry.begin(segment, need, now);
        }
    }

    /// A segment while messages are unfinished; true if it belongs to one.
    #[cold]
    fn carries_on(&mut self, segment: &Segment<'_>, handsets: &Handsets, now: Timestamp) -> bool {
        let path = &segment.path;
        if !http::is_interim(segment.payload) {
            // The other side speaks: whatever was said to it is all there.
            self.carried(&turned(path), handsets, now);
        }
        match self.carry.add(segment, now) {
            Turn::Other => return false,
            Turn::Waits => {}
            Turn::Head => {
                let ends = path.ends();
                let need = http::parse(self.carry.bytes(ends)).map_or(0, |read| {
                    let head = self.carry.bytes(ends).len().saturating_sub(read.body.len());
                    head + self.body_of(&read, path, handsets)
                });
                if self.carry.wants(ends, need.min(http::LONGEST)) {
                    self.carried(path, handsets, now);
                }
            }
            Turn::Done => self.carried(path, handsets, now),
        }
        true
    }

    fn carried(&mut self, path: &Path, handsets: &Handsets, now: Timestamp) {
        let bytes = self.carry.take(path.ends());
        if let Some(read) = bytes.as_ref().and_then(|bytes| http::parse(bytes)) {
            self.message_of(&read, path, handsets, now);
        }
    }

    /// Whether anything between these two may be of interest.
    fn concerns(&self, path: &Path, handsets: &Handsets) -> bool {
        self.zones.place(path.src.ip(), handsets).ours || self.zones.place(path.dst.ip(), handsets).ours
    }

    /// Bytes of a body that are read: forms that a phone is sent, SOAP that one of ours sends.
    fn body_of(&self, read: &Http<'_>, path: &Path, handsets: &Handsets) -> usize {
        let place = |ip| self.zones.place(ip, handsets);
        let to_phone = || {
            let dst = place(path.dst.ip());
            dst.ours && dst.phone
        };
        let reads = read.method == b"POST" && (to_phone() || (read.soap && place(path.src.ip()).ours));
        // Without a length it lasts until the other side answers.
        if reads { read.length.unwrap_or(http::LONGEST).min(http::LONGEST) } else { 0 }
    }

    fn message_of(&mut self, read: &Http<'_>, path: &Path, handsets: &Handsets, now: Timestamp) {
        if read.code != 0 {
            return self.answer(read, path, handsets, now);
        }
        let (src, dst) =
            (self.zones.place(path.src.ip(), handsets), self.zones.place(path.dst.ip(), handsets));
        if src.ours {
            self.request_of_ours(read, path, src.phone, handsets, now);
        }
        if dst.ours && dst.phone {
            self.request_to_phone(read, path, handsets, now);
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
            return self.soap(read.body, path, handsets, now);
        }
        if phone && read.method == b"POST" && read.soap && contains(read.body, CWMP) {
            self.reports(read, path, handsets, now);
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
            let secret = Proof::new(&credentials, read.method, read.whole_body())
                .map(|proof| Secret::Digest(Box::new(proof)));
            self.login(Scheme::Digest, credentials.username, secret, read.path, path, handsets, now);
        } else if let Some((user, password)) = http::basic(read.authorization) {
            let secret = Secret::Clear(Clear { username: user.clone(), password });
            self.login(Scheme::Basic, &user, Some(secret), read.path, path, handsets, now);
        } else if read.method == b"POST" {
            self.form(read.body, read.path, path, handsets, now);
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

    /// A phone reports to a server that manages it (TR-069), whatever the port.
    fn reports(&mut self, read: &Http<'_>, path: &Path, handsets: &Handsets, now: Timestamp) {
        if !self.is_news((path.src.ip(), path.dst, "cwmp"), MANAGED_FOR, now) {
            return;
        }
        let device = self.device(path.src.ip(), path.vlan, handsets);
        let zone = self.zones.place(path.dst.ip(), handsets).zone;
        let told = ManagedSighting { server: path.dst, zone, path: Text::new(read.path) };
        self.tell(device, What::Managed(told), now);
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
        if read.code < 200 {
            return;
        }
        self.page(read, path, handsets, now);
        let Some(waits) = self.waiting(path.dst, path.src) else { return };
        self.waits_no_more(&turned(path));
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
        self.web.put(&path.ends(), now, || Waits { at: now, for_what });
    }

    /// The answer has come.
    fn waits_no_more(&mut self, path: &Path) {
        if let Some(slot) = self.web.find(&path.ends()) {
            self.web.discard(slot);
        }
    }

    fn waiting(&self, client: SocketAddr, server: SocketAddr) -> Option<Waits> {
        self.web.find(&Ends(client, server)).and_then(|slot| self.web.get(slot)).copied()
    }
}

/// The other direction.
const fn turned(path: &Path) -> Path {
    Path { src: path.dst, dst: path.src, src_mac: path.dst_mac, dst_mac: path.src_mac, ..*path }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Files that phones fetch.
fn is_config(path: &[u8]) -> bool {
    let ends = |end: &[u8]| path.len() > end.len() && path.ends_with(end);
    [&b".cfg"[..], b".xml", b".conf", b".boot", b".htm", b".txt"].iter().any(|end| ends(end))
}
