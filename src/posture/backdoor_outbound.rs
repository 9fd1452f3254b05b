//! Check `backdoor_outbound`: a handset itself opens a tunnel or a management session to the outside.
//! No rule for inbound packets stops that.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bounded::Table;
use crate::fact::sighting::ManagedSighting;
use crate::fact::{Sighting, What};
use crate::finding::{Check, Evidence, Severity};
use crate::tally::Label;
use crate::time::{Span, Timestamp};
use crate::touches::{Proto, Touch, TouchState, Way, Zone};

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, called, is_phone, key_of, octets, plural};
use super::services;

/// A connection that is kept for so long is a tunnel, whatever its port.
const TUNNEL: Span = Span::hours(8);
/// A connection through which a handset gives away so much more than it gets is looked at.
const GIVES: u64 = 4;
/// Less than this isn't much, in bytes.
const MUCH: u64 = 1 << 20;
/// Handsets whose peers are remembered, at the most, and peers of each.
const ROOM: usize = 4_096;
const PEERS: usize = 64;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Peers {
    known: Vec<IpAddr>,
    first: Timestamp,
}

/// Whom handsets talk to.
#[derive(Debug)]
pub struct BackdoorOutbound {
    peers: Table<u64, Peers>,
    watched: u64,
}

impl Default for BackdoorOutbound {
    fn default() -> Self {
        Self { peers: Table::new(ROOM, 0), watched: 0 }
    }
}

crate::kept! {
    /// Whom handsets talked to before a restart.
    pub struct Memory of BackdoorOutbound {
        peers: Table<u64, Peers>,
        watched: u64,
    }
}

impl Watcher for BackdoorOutbound {
    fn check(&self) -> Check {
        Check::BackdoorOutbound
    }

    fn sighting(&mut self, sighting: &Sighting, _scene: &Scene<'_>, out: &mut Vec<Found>) {
        if let What::Managed(managed) = &sighting.what {
            // Over TLS it can't be told from any other page; then the port has to tell.
            let strange = managed.zone == Zone::Outside && is_phone(sighting.device.role);
            return out.extend(strange.then(|| reports(sighting, managed)));
        }
        let What::Touch(touch) = &sighting.what else { return };
        if touch.way != Way::Outbound || !is_phone(sighting.device.role) {
            return;
        }
        self.watched = self.watched.saturating_add(1);
        if touch.zone == Zone::Outside {
            out.extend(tunnel(sighting, touch).or_else(|| self.new_peer(sighting, touch)));
        }
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        match self.watched {
            _ if !sight.home => Say::CannotSee(Blind::NoTraffic, String::new()),
            0 => Say::NotSeen("no handset opened a connection to the outside".to_owned()),
            n => Say::NotSeen(format!("{} of handsets, none to a stranger", plural(n, "connection"))),
        }
    }

    fn evicted(&self) -> u64 {
        self.peers.evicted()
    }
}

impl BackdoorOutbound {
    /// A handset has a connection with somebody outside that it never had before. Media goes to many
    /// addresses, so only TCP counts; SIP's own ports don't.
    fn new_peer(&mut self, sighting: &Sighting, touch: &Touch) -> Option<Found> {
        let counts = touch.proto == Proto::Tcp
            && touch.state == TouchState::Established
            && !matches!(touch.port, 5060 | 5061);
        if !counts {
            return None;
        }
        let (now, peer) = (sighting.time, touch.peer.ip());
        let fresh = || Peers { known: Vec::new(), first: now };
        let slot = self.peers.find_or_insert(&key_of(&sighting.device), now, fresh).slot;
        let peers = self.peers.get_mut(slot)?;
        if peers.known.contains(&peer) {
            return None;
        }
        if peers.known.len() == PEERS {
            peers.known.remove(0);
        }
        peers.known.push(peer);
        let (device, port) = (called(&sighting.device), touch.port);
        let sentence = format!(
            "{device} connects to {peer} port {port}, outside and not on the list of what is allowed"
        );
        let count = u32::try_from(peers.known.len()).unwrap_or(u32::MAX);
        Some(
            Found::of(Check::BackdoorOutbound, Severity::Info, sighting, sentence)
                .seen(count, peers.first)
                .word("peer", touch.peer)
                .word("name", touch.name)
                .count("peers", count),
        )
    }
}

/// A stranger manages the handset: whoever does may change all of it.
fn reports(sighting: &Sighting, managed: &ManagedSighting) -> Found {
    let (device, peer) = (called(&sighting.device), managed.server);
    let sentence = format!(
        "{device} takes its orders from {} port {}, outside and not allowed (TR-069)",
        peer.ip(),
        peer.port()
    );
    Found::of(Check::BackdoorOutbound, Severity::Warning, sighting, sentence)
        .about(&[&octets(peer.ip()), Proto::Tcp.name().as_bytes(), &peer.port().to_be_bytes()])
        .word("peer", peer)
        .word("proto", Proto::Tcp)
        .count("port", peer.port())
        .word("path", managed.path)
        .word("protocol", "TR-069")
}

fn tunnel(sighting: &Sighting, touch: &Touch) -> Option<Found> {
    use TouchState::{Data, Ended, Established, Lasting, UdpReply};
    let (device, peer, port) = (called(&sighting.device), touch.peer.ip(), touch.port);
    let up = matches!(touch.state, Established | Data | Lasting | Ended | UdpReply);
    let gives = touch.sent >= MUCH && touch.sent / GIVES > touch.received && touch.lasted >= Span::HOUR;
    let what = match services::tunnel(touch.proto, port) {
        Some(name) if up => format!("opened {name} to {peer}, outside and not allowed"),
        _ if up && touch.lasted >= TUNNEL => {
            format!(
                "has kept a connection to {peer} port {port}, outside and not allowed, for over eight hours"
            )
        }
        _ if up && gives => {
            format!("sends far more than it gets to {peer} port {port}, outside and not allowed")
        }
        _ => return None,
    };
    Some(
        Found::of(Check::BackdoorOutbound, Severity::Warning, sighting, format!("{device} {what}"))
            .about(&[&octets(peer), touch.proto.name().as_bytes(), &port.to_be_bytes()])
            .seen(1, touch.started)
            .word("peer", touch.peer)
            .word("name", touch.name)
            .word("proto", touch.proto)
            .count("port", port)
            .word("started", touch.started)
            .with("lasted_s", Evidence::Figure(touch.lasted.as_secs_f64()))
            .count("bytes_sent", touch.sent)
            .count("bytes_received", touch.received),
    )
}
