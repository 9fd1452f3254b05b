//! SIP exchanges that bear on security, step by step.
//!
//! In: requests and responses. Out: steps: asked, challenged, refused, accepted.
//! Never: tells a copy twice; keeps a secret.

use std::hash::BuildHasher;
use std::net::{IpAddr, SocketAddr};

use super::nonces::Nonces;
use crate::bounded::{KeyedHash, Table};
use crate::fact::sighting::{SipSighting, SipStep};
use crate::sip::digest::{Challenge, Credentials};
use crate::sip::{Message, Method, NameAddr, Start, uri};
use crate::tally::Label;
use crate::text::{Text, ip_address};
use crate::time::Timestamp;
use crate::touches::{Proto, Way, Zone};

/// Exchanges that are followed.
const FOLLOWED: usize = 8_192;

/// Between whom, and what each is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) client: SocketAddr,
    pub(super) client_zone: Zone,
    pub(super) server: SocketAddr,
    pub(super) server_zone: Zone,
    pub(super) way: Way,
    pub(super) proto: Proto,
    pub(super) peer_came_first: bool,
}

#[derive(Clone, Copy, Debug)]
struct Exchange {
    /// In the order in which exchanges were met: a hash would differ from run to run.
    number: u64,
    cseq: u32,
    method: Method,
    /// Steps of this CSeq that were told.
    told: u16,
    credentials: bool,
    /// Stands for the digest that was sent last; 0 = none.
    proof: u64,
    /// The server offered SHA, so MD5 is a step down.
    sha_offered: bool,
    /// Stands for the nonce that the credentials answer.
    nonce: u64,
    account: Text<32>,
    target: Text<32>,
    realm: Text<32>,
    expires: u32,
    same_user: bool,
    bogus_host: bool,
}

/// What a request's credentials show beside the step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proved {
    pub(super) downgrade: bool,
    pub(super) nonce_reused: bool,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// The step, if it is one.
    pub(super) step: Option<SipSighting>,
    /// Of a request with digest credentials, seen for the first time.
    pub(super) proved: Option<Proved>,
    /// The exchange's number.
    pub(super) exchange: u64,
}

#[derive(Debug)]
pub(super) struct Exchanges {
    known: Table<u64, Exchange>,
    pub(super) nonces: Nonces,
    hash: KeyedHash,
    met: u64,
}

impl Default for Exchanges {
    fn default() -> Self {
        Self { known: Table::new(FOLLOWED, 0), nonces: Nonces::default(), hash: KeyedHash::default(), met: 0 }
    }
}

impl Exchanges {
    pub(super) const fn evicted(&self) -> u64 {
        self.known.evicted()
    }

    fn key(&self, msg: &Message<'_>, ends: &Ends) -> u64 {
        self.hash.hash_one((msg.call_id, ends.client.ip(), ends.server.ip()))
    }

    /// Whether the exchange that a response belongs to is followed.
    pub(super) fn follows(&self, msg: &Message<'_>, ends: &Ends) -> bool {
        self.known.find(&self.key(msg, ends)).is_some()
    }

    /// Takes a request or a response.
    pub(super) fn take(&mut self, msg: &Message<'_>, ends: &Ends, now: Timestamp) -> Seen {
        match msg.start {
            Start::Request { method: Method::Ack | Method::Cancel | Method::Prack, .. } => Seen::default(),
            Start::Request { method, uri } => self.request(msg, method, uri, ends, now),
            Start::Response(code) => self.response(msg, code, ends, now),
        }
    }

    fn request(
        &mut self,
        msg: &Message<'_>,
        method: Method,
        uri: &[u8],
        ends: &Ends,
        now: Timestamp,
    ) -> Seen {
        let key = self.key(msg, ends);
        let credentials =
            Credentials::parse(msg.credentials).filter(|c| !msg.credentials.is_empty() && c.has_response());
        let proof = credentials.map_or(0, |c| self.hash.hash_one(c.response).max(1));
        let slot = self.known.find_or_insert(&key, now, || Exchange::new(self.met, msg, method, uri, ends));
        let (new, slot) = (slot.new, slot.slot);
        self.met = self.met.wrapping_add(u64::from(new));
        let Some(known) = self.known.get_mut(slot) else { return Seen::default() };
        if !new {
            // A copy, a retransmission, or one that was overtaken.
            let again = known.method == method && msg.cseq <= known.cseq;
            // svcrack sends one digest after the other under one CSeq.
            let another = known.proof != 0 && proof != 0 && proof != known.proof && msg.cseq == known.cseq;
            if again && !another {
                return Seen::default();
            }
            let sha_offered = known.sha_offered;
            *known = Exchange { sha_offered, ..Exchange::new(known.number, msg, method, uri, ends) };
        }
        let mut seen = Seen { exchange: known.number, ..Seen::default() };
        if let Some(c) = &credentials {
            known.credentials = true;
            known.proof = proof;
            known.nonce = self.nonces.key(ends.client.ip(), ends.server.ip(), c.nonce);
            known.realm = Text::new(c.realm);
            if !c.username.is_empty() {
                known.account = Text::new(c.username);
            }
            let is_md5 = c.algorithm.is_empty()
                || c.algorithm.get(..3).is_some_and(|a| a.eq_ignore_ascii_case(b"MD5"));
            let nonce_reused = self.nonces.used(known.nonce, c.nc, now);
            seen.proved = Some(Proved { downgrade: known.sha_offered && is_md5, nonce_reused });
        }
        let step = if credentials.is_some() { SipStep::Credentials } else { SipStep::Request };
        seen.step = Some(known.step(step, 0, msg, ends));
        seen
    }

    fn response(&mut self, msg: &Message<'_>, code: u16, ends: &Ends, now: Timestamp) -> Seen {
        let key = self.key(msg, ends);
        let found = self.known.find(&key).and_then(|slot| self.known.get_mut(slot));
        let Some(known) = found.filter(|known| known.cseq == msg.cseq && known.method == msg.cseq_method)
        else {
            return Seen::default();
        };
        let mut stale = false;
        if matches!(code, 401 | 407) {
            let [second, third] = msg.more_challenges();
            for value in [msg.challenge(), second, third] {
                let Some(challenge) = Challenge::parse(value) else { continue };
                stale |= challenge.stale;
                known.realm = Text::new(challenge.realm);
                known.sha_offered |=
                    challenge.algorithm.get(..3).is_some_and(|a| a.eq_ignore_ascii_case(b"SHA"));
                if !challenge.nonce.is_empty() {
                    let key = self.nonces.key(ends.client.ip(), ends.server.ip(), challenge.nonce);
                    self.nonces.given(key, now);
                }
            }
        }
        let step = match code {
            180 | 183 => SipStep::Ringing,
            200..=299 if known.method == Method::Register && granted(msg, known.expires) == 0 => {
                SipStep::Removed
            }
            200..=299 => SipStep::Accepted,
            401 | 407 if known.credentials && !stale => match self.nonces.denied(known.nonce, now) {
                true => SipStep::Refused,
                false => SipStep::Challenged,
            },
            401 | 407 => SipStep::Challenged,
            403 if known.credentials && known.method == Method::Register => SipStep::Refused,
            300..=699 => SipStep::Denied,
            _ => return Seen::default(),
        };
        let bit = 1u16 << step.index();
        if known.told & bit != 0 {
            return Seen::default();
        }
        known.told |= bit;
        let mut told = known.step(step, code, msg, ends);
        if step == SipStep::Accepted && known.method == Method::Register {
            told.expires = granted(msg, known.expires);
        }
        Seen { step: Some(told), proved: None, exchange: known.number }
    }
}

impl Exchange {
    fn new(number: u64, msg: &Message<'_>, method: Method, uri: &[u8], ends: &Ends) -> Self {
        let (from, to) = (uri::user(msg.from.uri), uri::user(msg.to.uri));
        let registers = method == Method::Register;
        let target = if registers { to } else { uri::user(uri) };
        Self {
            number,
            cseq: msg.cseq,
            method,
            told: 0,
            credentials: false,
            proof: 0,
            sha_offered: false,
            nonce: 0,
            account: Text::new(if registers { to } else { from }),
            target: Text::new(target),
            realm: Text::default(),
            // Only a registration is granted a time.
            expires: if registers { asked(msg) } else { 0 },
            same_user: !from.is_empty() && from == to,
            bogus_host: is_bogus(msg, ends),
        }
    }

    fn step(&self, step: SipStep, code: u16, msg: &Message<'_>, ends: &Ends) -> SipSighting {
        SipSighting {
            client: ends.client,
            client_zone: ends.client_zone,
            server: ends.server,
            server_zone: ends.server_zone,
            way: ends.way,
            proto: ends.proto,
            peer_came_first: ends.peer_came_first,
            method: self.method,
            step,
            code,
            exchange: self.number,
            account: self.account,
            target: self.target,
            realm: self.realm,
            agent: Text::new(msg.user_agent),
            expires: 0,
            same_user: self.same_user,
            bogus_host: self.bogus_host,
        }
    }
}

/// For how long a REGISTER asks, in seconds; RFC 3261 section 10.2.1.1: an hour where it's silent.
fn asked(msg: &Message<'_>) -> u32 {
    contact_expires(msg).or(msg.expires()).unwrap_or(3_600)
}

/// For how long a 200 grants it.
fn granted(msg: &Message<'_>, asked: u32) -> u32 {
    if asked == 0 { 0 } else { contact_expires(msg).or(msg.expires()).unwrap_or(asked) }
}

fn contact_expires(msg: &Message<'_>) -> Option<u32> {
    let value = NameAddr::parse(msg.contact)?.param(b"expires")?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Hosts that no honest sender names: SIPVicious's 1.1.1.1, or From a private address that
/// isn't the sender's network.
fn is_bogus(msg: &Message<'_>, ends: &Ends) -> bool {
    let placeholder = IpAddr::from([1, 1, 1, 1]);
    let from = uri::host(msg.from.uri);
    let poses = |host: &[u8]| host == b"1.1.1.1" && ends.client.ip() != placeholder;
    let contact = || NameAddr::parse(msg.contact).map_or(&[][..], |contact| uri::host(contact.uri));
    poses(from)
        || poses(contact())
        || (ends.client_zone == Zone::Outside && ip_address(from).is_some_and(super::zones::is_private))
}
