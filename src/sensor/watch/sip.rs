//! SIP messages as security sees them.
//!
//! In: messages, who is who. Out: steps of exchanges, mechanisms, secrets for the check, invitations.
//! Never: spends more than two look-ups on an ordinary message.

use std::net::SocketAddr;

use super::Watch;
use super::exchange::{Ends, Proved};
use super::relations::{Pair, Relation};
use super::routes;
use crate::decode::Path;
use crate::fact::secret::{Exercise, Lock, Secret};
use crate::fact::sighting::{MechanismSighting, Scheme, SipSighting, SipStep};
use crate::fact::{Device, What};
use crate::handsets::Handsets;
use crate::sip::digest::Credentials;
use crate::sip::proof::Proof;
use crate::sip::{Message, Method, NameAddr, Quirk, Start, uri};
use crate::tally::Label;
use crate::text::{Text, ip_address};
use crate::time::{Span, Timestamp};
use crate::touches::{Proto, Way, Zone};

/// One mechanism of one device is told once in so long.
const MECHANISM_FOR: Span = Span::DAY;

impl Watch {
    /// What is kept of the two ends of a path, if it still holds.
    #[inline]
    pub(in crate::sensor) fn relation(
        &self,
        path: &Path,
        handsets: &Handsets,
        now: Timestamp,
    ) -> Option<&Relation> {
        let pair = self.relations.find(path.src.ip(), path.dst.ip());
        self.relations.get(pair, self.zones.changes(handsets), now)
    }

    /// A message between two addresses is about to be read: asks for what is looked up first then, their
    /// flow and where what is kept of them stands.
    #[inline]
    pub(in crate::sensor) fn warm(&self, path: &Path, proto: Proto) {
        self.touches.warm(path, proto);
        self.relations.warm_set(path.src.ip(), path.dst.ip());
    }

    /// The message has been read: asks for what is kept of the two.
    #[inline]
    pub(in crate::sensor) fn warm_relation(&self, path: &Path) {
        self.relations.warm_slot(path.src.ip(), path.dst.ip());
    }

    /// Takes a message, parsed and as it came. To be called after `handsets` has learnt from it.
    pub(in crate::sensor) fn message(
        &mut self,
        (msg, text): (&Message<'_>, &[u8]),
        path: &Path,
        proto: Proto,
        handsets: &Handsets,
        now: Timestamp,
    ) {
        let mut pair = self.relations.find(path.src.ip(), path.dst.ip());
        let relation = match self.relations.get(pair, self.zones.changes(handsets), now) {
            Some(relation) => *relation,
            None => self.relate(&mut pair, msg, path, handsets, now),
        };
        let tells = relation.src.ours && relation.src.zone != Zone::Pbx && !msg.user_agent.is_empty();
        if tells && self.relations.renames(pair, msg.user_agent, now) {
            self.glean_agent(msg.user_agent, path, &relation.src, handsets, now);
        }
        if !msg.body.is_empty() || !msg.contact.is_empty() {
            self.invite(pair, (msg, text), path, &relation, handsets, now);
        }
        if relation.ordinary && msg.cseq_method != Method::Register {
            if msg.cseq_method == Method::Message {
                self.wrote(path, &relation, handsets, now);
            }
            return;
        }
        self.exchange(msg, path, proto, &relation, handsets, now);
    }

    /// A handset writes or is written to: somebody uses it.
    #[cold]
    fn wrote(&mut self, path: &Path, relation: &Relation, handsets: &Handsets, now: Timestamp) {
        for (end, place) in [(path.src.ip(), &relation.src), (path.dst.ip(), &relation.dst)] {
            if place.zone != Zone::Pbx && self.is_news((end, "wrote"), Span::HOUR, now) {
                let device = self.zones.device(end, path.vlan, place, handsets);
                self.tell(device, What::Wrote, now);
            }
        }
    }

    /// Finds out what two addresses are to each other.
    #[cold]
    fn relate(
        &mut self,
        pair: &mut Pair,
        msg: &Message<'_>,
        path: &Path,
        handsets: &Handsets,
        now: Timestamp,
    ) -> Relation {
        let (src_ip, dst_ip) = (path.src.ip(), path.dst.ip());
        let (src, dst) = (self.zones.place(src_ip, handsets), self.zones.place(dst_ip, handsets));
        let asks = matches!(msg.start, Start::Request { .. });
        let mut came_first = |peer_zone: Zone, peer, asks: bool| {
            peer_zone == Zone::Outside && {
                let slot = self.met.find_or_insert(&peer, now, || asks).slot;
                self.met.get(slot).copied().unwrap_or(false)
            }
        };
        let src_came_first = dst.ours && !src.ours && came_first(src.zone, src_ip, asks);
        let dst_came_first = src.ours && !dst.ours && came_first(dst.zone, dst_ip, !asks);
        let registered = |ip| handsets.has_registered(ip);
        let changes = self.zones.changes(handsets);
        let ordinary = (registered(src_ip) && dst.zone == Zone::Pbx)
            || (src.zone == Zone::Pbx && (dst.ours || dst.zone == Zone::Pbx || registered(dst_ip)))
            || (src.zone == Zone::Pbx && !asks && dst.zone == Zone::Home && registered(dst_ip));
        let standing = handsets.standing_of(src_ip, dst_ip);
        let sender = handsets.slot_of(src_ip);
        let relation = Relation { ordinary, src, dst, dst_came_first, src_came_first, standing, sender };
        self.relations.put(pair, relation, changes, now);
        relation
    }

    /// Media and contacts that an exchange with an allowed server names, or one of our own.
    fn invite(
        &mut self,
        pair: Pair,
        (msg, text): (&Message<'_>, &[u8]),
        path: &Path,
        relation: &Relation,
        handsets: &Handsets,
        now: Timestamp,
    ) {
        let zones = [relation.src.zone, relation.dst.zone];
        let trusted = zones.iter().any(|zone| zone.is_allowed()) || self.touches.is_own(path);
        // Within the office nobody needs an invitation.
        let outside = relation.src.ours != relation.dst.ours;
        if !trusted || !outside || !self.invitations.allows(pair.tag, now) {
            return;
        }
        if !msg.body.is_empty() {
            self.touches.invite(msg.body, now);
        }
        if !msg.contact.is_empty() && self.relations.invites(pair, msg.contact, now) {
            // A handset records no route; a proxy of the office's own would only name itself.
            let text = if relation.src.ours { &[] } else { text };
            if !self.invite_senders(msg.contact, text, handsets, now) {
                self.relations.invites_nobody(pair);
            }
        }
    }

    /// Who Contact and Record-Route say will send in this dialog. A handset's own address invites
    /// nobody: it says where it is whenever it registers. The answer is whether anybody was invited.
    #[cold]
    fn invite_senders(&mut self, contact: &[u8], text: &[u8], handsets: &Handsets, now: Timestamp) -> bool {
        let contact = NameAddr::parse(contact).map(|contact| contact.uri);
        let mut invited = !text.is_empty();
        for address in contact.into_iter().chain(routes::recorded(text)).filter_map(socket_of) {
            if !self.zones.place(address.ip(), handsets).ours {
                self.touches.invite_address(address, now);
                invited = true;
            }
        }
        invited
    }

    fn exchange(
        &mut self,
        msg: &Message<'_>,
        path: &Path,
        proto: Proto,
        relation: &Relation,
        handsets: &Handsets,
        now: Timestamp,
    ) {
        let asks = matches!(msg.start, Start::Request { .. });
        let Some(ends) = ends(path, proto, relation, asks) else { return };
        let known = if relation.ordinary { handsets.known(ends.client.ip()) } else { None };
        // A handset that registers another's account is looked at like a stranger.
        let own = known.is_some_and(|who| who.user.as_bytes() == uri::user(msg.to.uri));
        let strange = !relation.ordinary || (msg.cseq_method == Method::Register && !own);
        // The far end of a dialog that an allowed server has told of is no stranger in it.
        let named = asks && relation.src.zone == Zone::Outside && !msg.to_tag.is_empty();
        if named && self.touches.is_invited(path.src, now) {
            return;
        }
        if asks && !relation.ordinary {
            let sender = self.relations.tag(ends.client.ip(), ends.client.ip());
            if !self.limiter.allows(sender, now) {
                return;
            }
        }
        if !asks && !self.exchanges.follows(msg, &ends) {
            return;
        }
        let seen = self.exchanges.take(msg, &ends, now);
        if let Some(proved) = seen.proved {
            self.proved(msg, &ends, &proved, seen.exchange, handsets, now);
        }
        let Some(step) = seen.step else { return };
        self.outcome(msg, &step, now);
        let outcome =
            matches!(step.step, SipStep::Refused | SipStep::Accepted | SipStep::Removed | SipStep::Denied);
        if strange || outcome {
            let device = self.subject(&ends, path, relation, handsets);
            self.tell(device, What::Sip(step), now);
        }
        if step.method == Method::Register && step.step == SipStep::Accepted {
            self.relations.forget(path.src.ip(), path.dst.ip());
        }
    }

    /// Which device of the office an exchange is about.
    fn subject(&self, ends: &Ends, path: &Path, relation: &Relation, handsets: &Handsets) -> Device {
        let ip = if ends.way == Way::Inbound { ends.server.ip() } else { ends.client.ip() };
        let place = if ip == path.src.ip() { &relation.src } else { &relation.dst };
        self.zones.device(ip, path.vlan, place, handsets)
    }

    /// A device of ours proved a password.
    fn proved(
        &mut self,
        msg: &Message<'_>,
        ends: &Ends,
        proved: &Proved,
        exchange: u64,
        handsets: &Handsets,
        now: Timestamp,
    ) {
        let Some(credentials) = Credentials::parse(msg.credentials) else { return };
        if ends.way != Way::Outbound {
            return;
        }
        let ip = ends.client.ip();
        let device = self.device(ip, None, handsets);
        let mechanism = MechanismSighting {
            peer: ends.server,
            zone: ends.server_zone,
            scheme: Scheme::Digest,
            proto: ends.proto,
            algorithm: Text::new(credentials.algorithm),
            qop: Text::new(credentials.qop),
            downgrade: proved.downgrade,
            nonce_reused: proved.nonce_reused,
        };
        let same = (
            ip,
            ends.proto.index(),
            mechanism.algorithm,
            mechanism.qop,
            mechanism.downgrade,
            mechanism.nonce_reused,
        );
        if self.is_news(same, MECHANISM_FOR, now) {
            self.tell(device, What::Mechanism(mechanism), now);
        }
        if self.passwords.wants(ip, Some(credentials.realm)) {
            self.keep(msg, &credentials, device, exchange, now);
        }
    }

    fn keep(
        &mut self,
        msg: &Message<'_>,
        credentials: &Credentials<'_>,
        device: Device,
        exchange: u64,
        now: Timestamp,
    ) {
        let Start::Request { method, .. } = msg.start else { return };
        let whole = !msg.quirks().has(Quirk::LengthBad);
        let Some(proof) = Proof::new(credentials, method.name().as_bytes(), whole.then_some(msg.body)) else {
            return;
        };
        if method == Method::Other {
            return;
        }
        let exercise = Exercise {
            time: now,
            device,
            lock: Lock::Sip,
            account: Text::new(uri::user(msg.from.uri)),
            secret: Secret::Digest(Box::new(proof)),
        };
        self.passwords.keep((exchange, msg.cseq), credentials.username, credentials.realm, exercise);
    }

    /// Whether the password was right, as the answer shows.
    fn outcome(&mut self, msg: &Message<'_>, step: &SipSighting, now: Timestamp) {
        let right = match step.step {
            SipStep::Accepted | SipStep::Removed | SipStep::Ringing => true,
            SipStep::Challenged | SipStep::Refused => false,
            // The far end is busy or gone: the call went past the log-in.
            SipStep::Denied => {
                step.method != Method::Register && matches!(step.code, 300..=399 | 480 | 486 | 487 | 603)
            }
            SipStep::Request | SipStep::Credentials => return,
        };
        self.passwords.answered((step.exchange, msg.cseq), right, now);
    }
}

/// Who asks whom, and which of them is ours; `None` if neither is.
fn ends(path: &Path, proto: Proto, relation: &Relation, asks: bool) -> Option<Ends> {
    let (client, server) = if asks { (path.src, path.dst) } else { (path.dst, path.src) };
    let (from, to) = if asks { (relation.src, relation.dst) } else { (relation.dst, relation.src) };
    let (client_first, server_first) = if asks {
        (relation.src_came_first, relation.dst_came_first)
    } else {
        (relation.dst_came_first, relation.src_came_first)
    };
    let is_ours = |zone: Zone, ours: bool| ours || zone == Zone::Pbx;
    let way = match (is_ours(from.zone, from.ours), is_ours(to.zone, to.ours)) {
        (false, false) => return None,
        // To a PBX the client is the subject, if it's in the office.
        (true, true) if to.zone == Zone::Pbx => Way::Outbound,
        (_, true) => Way::Inbound,
        (true, false) => Way::Outbound,
    };
    let peer_came_first = if way == Way::Inbound { client_first } else { server_first };
    Some(Ends { client, client_zone: from.zone, server, server_zone: to.zone, way, proto, peer_came_first })
}

/// The address that a SIP URI names, if its host is one; port 5060 where it names none.
fn socket_of(uri: &[u8]) -> Option<SocketAddr> {
    let (host, after) = uri::host_and_rest(uri);
    let bare = match host {
        [b'[', bare @ .., b']'] => bare,
        other => other,
    };
    let ip = ip_address(bare)?;
    let port = match after {
        [b':', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?
        }
        _ => 5_060,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_of_contacts() {
        for (uri, want) in [
            ("sip:214@10.0.3.17:5062;transport=udp", Some("10.0.3.17:5062")),
            ("sip:214@10.0.3.17", Some("10.0.3.17:5060")),
            ("sip:[2001:db8::1]:5080", Some("[2001:db8::1]:5080")),
            ("sip:214@pbx.example", None),
            ("sip:10.0.3.17@10.0.3.18:1", Some("10.0.3.18:1")),
        ] {
            assert_eq!(socket_of(uri.as_bytes()).map(|s| s.to_string()).as_deref(), want, "{uri}");
        }
    }
}
