//! The security half of the sensor: touches, hints and SIP exchanges become sightings.
//!
//! In: packets and SIP messages, who is who. Out: `Sighting`; `Exercise` for the password check.
//! Never: puts a secret into a fact, or keeps one unless the operator asked for the check.

mod carry;
mod exchange;
mod found;
mod glean;
mod limiter;
mod memory;
mod neighbours;
mod nonces;
mod passwords;
mod relations;
mod routes;
mod sip;
mod web;
mod zones;

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

use crate::bounded::{LastingHash, Table};
use crate::decode::{Datagram, Ends, Segment, Speech};
use crate::fact::secret::Exercise;
use crate::fact::{Device, Sighting, What};
use crate::handsets::{Handsets, Network};
use crate::hints::oui::Ouis;
use crate::time::Timestamp;
use crate::touches::{self, Told, Touches};

use exchange::Exchanges;
use limiter::Limiter;
pub use memory::Memory;
use passwords::Queue;
use relations::Relations;
use zones::Zones;

/// Which passwords may be checked. Nothing is kept of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passwords {
    /// Whether any.
    pub enabled: bool,
    /// Only of devices in these networks.
    pub networks: Vec<Network>,
    /// Only for these realms, whatever their case.
    pub realms: Vec<String>,
    /// How many may wait to be checked; the oldest goes first.
    pub queue: usize,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { enabled: false, networks: Vec::new(), realms: Vec::new(), queue: 1_024 }
    }
}

/// Who is allowed, and what may be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Addresses of the support provider.
    pub support: Vec<Network>,
    /// Addresses of provisioning servers.
    pub provisioning: Vec<Network>,
    /// Names of provisioning servers: their addresses are learnt from DNS answers.
    pub provisioning_names: Vec<String>,
    /// Makers' prefixes of hardware addresses.
    pub ouis: Ouis,
    /// The bounds of the flow tables.
    pub touches: touches::Settings,
    /// The password check.
    pub passwords: Passwords,
}

/// Outside SIP peers whose first word is remembered.
const MET: usize = 4_096;

/// What became of a datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Whether it was looked at: that of a settled flow isn't.
    pub(super) looked: bool,
    /// Whether it left a sighting or another `poll_timeout`, or may have.
    pub(super) stirs: bool,
}

/// Everything that bears on security.
#[derive(Debug)]
pub(super) struct Watch {
    zones: Zones,
    touches: Touches,
    exchanges: Exchanges,
    relations: Relations,
    limiter: Limiter,
    invitations: Limiter,
    passwords: Queue,
    /// Whether an outside peer's request came before anything of ours.
    met: Table<IpAddr, bool>,
    /// What was told within the day, by a keyed hash of it.
    told: Table<u64, Timestamp>,
    hash: LastingHash,
    /// Provisioning servers' names, in lower case as DNS answers are read.
    names: BTreeSet<String>,
    ouis: Ouis,
    /// HTTP messages that aren't all there yet.
    carry: carry::Carry,
    /// HTTP requests that wait for their answers.
    web: Table<Ends, web::Waits>,
    logins: u32,
    out: VecDeque<Sighting>,
}

impl Watch {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            zones: Zones::new(&settings),
            touches: Touches::new(settings.touches),
            exchanges: Exchanges::default(),
            relations: Relations::default(),
            limiter: Limiter::default(),
            invitations: Limiter::default(),
            passwords: Queue::new(settings.passwords),
            met: Table::new(MET, 0),
            told: Table::new(2 * MET, 0),
            hash: LastingHash::default(),
            names: lower(settings.provisioning_names),
            ouis: settings.ouis,
            carry: carry::Carry::default(),
            web: Table::new(web::WAITING, 0),
            logins: 0,
            out: VecDeque::new(),
        }
    }

    /// Takes other lists; what was learnt stays. The bounds of the flow tables are those of the start.
    pub(super) fn reload(&mut self, settings: Settings) {
        self.zones.reload(&settings);
        self.passwords.reload(settings.passwords);
        let names = lower(settings.provisioning_names);
        if names != self.names {
            self.names = names;
            self.zones.forget_names();
        }
        self.ouis = settings.ouis;
    }

    /// Takes a datagram.
    #[inline]
    pub(super) fn datagram(&mut self, datagram: &Datagram<'_>, handsets: &Handsets, now: Timestamp) -> Look {
        let zones = &self.zones;
        let places = |ip| zones.place(ip, handsets);
        let looked = self.touches.datagram(&datagram.path, datagram.payload, &places, now);
        let gleaned = self.glean_datagram(datagram, handsets, now);
        let stirs = looked && self.touches.has_stirred();
        if looked && !gleaned && !datagram.path.may_be_tunnel() {
            self.touches.let_pass(&datagram.path);
        }
        if stirs {
            self.tell_touches(handsets, now);
        }
        Look { looked: looked || gleaned, stirs: stirs || gleaned }
    }

    /// Whether nothing would come of speech.
    #[inline(always)]
    pub(super) fn passes(&self, speech: &Speech, now: Timestamp) -> bool {
        self.touches.passes(speech, now)
    }

    #[inline]
    pub(super) fn segment(&mut self, segment: &Segment<'_>, handsets: &Handsets, now: Timestamp) {
        let zones = &self.zones;
        let places = |ip| zones.place(ip, handsets);
        self.touches.segment(segment, &places, now);
        self.glean_segment(segment, handsets, now);
        self.tell_touches(handsets, now);
    }

    pub(super) fn handle_timeout(&mut self, handsets: &Handsets, now: Timestamp) {
        self.touches.handle_timeout(now);
        self.tell_touches(handsets, now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.touches.poll_timeout()
    }

    /// When speech of a flow last passed, from here to there, if that is still known.
    pub(super) fn last_heard(&self, src: SocketAddr, dst: SocketAddr) -> Option<Timestamp> {
        self.touches.last_heard(src, dst)
    }

    /// The next sighting.
    #[inline]
    pub(super) fn poll(&mut self) -> Option<Sighting> {
        let sighting = self.out.pop_front()?;
        if self.out.is_empty() {
            // From the ring's start again: its first places are in the cache.
            self.out.clear();
        }
        Some(sighting)
    }

    pub(super) fn poll_exercise(&mut self) -> Option<Exercise> {
        self.passwords.poll()
    }

    /// What had to be forgotten because a table was full, and what was not looked at.
    pub(super) const fn evicted(&self) -> [(&'static str, u64); 5] {
        [
            ("touches", self.touches.evicted()),
            ("exchanges", self.exchanges.evicted()),
            ("strangers_sip", self.limiter.refused()),
            ("web", self.web.evicted().saturating_add(self.carry.evicted())),
            ("passwords", self.passwords.dropped()),
        ]
    }

    #[inline]
    fn tell_touches(&mut self, handsets: &Handsets, now: Timestamp) {
        while let Some(told) = self.touches.poll() {
            self.tell_touch(&told, handsets, now);
        }
    }

    fn tell_touch(&mut self, told: &Told, handsets: &Handsets, now: Timestamp) {
        let device = self.device(told.ip, told.vlan, handsets);
        self.tell(device, What::Touch(told.touch), now);
    }

    fn device(&self, ip: IpAddr, vlan: Option<u16>, handsets: &Handsets) -> Device {
        let place = self.zones.place(ip, handsets);
        self.zones.device(ip, vlan, &place, handsets)
    }

    fn tell(&mut self, device: Device, what: What, now: Timestamp) {
        self.out.push_back(Sighting { time: now, device, what });
    }

    /// Whether something was not told within `lately`; from now on it is.
    fn is_news(&mut self, what: impl std::hash::Hash, lately: crate::time::Span, now: Timestamp) -> bool {
        let key = self.hash.hash_one(what);
        let known = self.told.find_or_insert(&key, now, || now);
        if known.new {
            return true;
        }
        let Some(at) = self.told.get_mut(known.slot) else { return false };
        let news = now.since(*at) >= lately;
        if news {
            *at = now;
        }
        news
    }
}

fn lower(names: Vec<String>) -> BTreeSet<String> {
    names.into_iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect()
}

impl super::Sensor {
    /// The next password that was proved or shown, if the operator has them checked.
    pub fn poll_exercise(&mut self) -> Option<Exercise> {
        self.core.watch.poll_exercise()
    }
}

impl super::Core {
    /// What the watch saw goes the way of all facts.
    #[inline]
    pub(super) fn sightings(&mut self) {
        while let Some(sighting) = self.watch.poll() {
            self.emit(crate::fact::Fact::Sighting(sighting));
        }
    }
}
