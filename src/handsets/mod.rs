//! Who is on the phone.
//!
//! In: addresses, registrations, digest usernames. Out: `HandsetId`, `Who`.
//! Never: trusts From: it labels a handset, it never makes one; at most it tells apart those that registered
//! from one address.

mod foretold;
mod hardware;
mod network;
mod places;
mod registrations;
mod senders;
mod snapshot;

use std::net::IpAddr;

use hardware::HardwareAddress;
pub use network::Network;
pub use places::Standing;
pub use registrations::{Registrations, Waiting};
pub use senders::{Named, Said, Sender, is_hidden};
use serde::{Deserialize, Serialize};
pub use snapshot::Snapshot;

use crate::bounded::{Inserted, LastingHash, SlotId, Table};
use crate::decode::Mac;
use crate::text::Text;
use crate::time::{Span, Timestamp};

/// A handset (or trunk) for as long as it is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HandsetId(pub SlotId);

/// Who placed a call, as far as it's known when the fact is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// Which handset.
    pub id: HandsetId,
    /// The account that the registrar or PBX accepted, else the user that messages name; may be empty.
    pub user: Text<32>,
    /// Whether the registrar or PBX accepted `user`.
    pub verified: bool,
    /// Its address.
    pub ip: IpAddr,
    /// Its hardware address, unless that is a router's.
    pub mac: Option<Mac>,
}

impl Who {
    /// No handset: for whoever writes all of it.
    pub(crate) fn nobody() -> Self {
        let ip = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
        Self { id: HandsetId(SlotId::default()), user: Text::default(), verified: false, ip, mac: None }
    }
}

/// The limits, and which addresses are the office's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Handsets that never registered, at the most.
    pub strangers: usize,
    /// Handsets that registered, at the most; strangers can't push them out.
    pub registered: usize,
    /// Addresses of the PBX or Cloud PBX.
    pub pbx: Vec<Network>,
    /// The office's own networks.
    pub home: Vec<Network>,
}

impl Default for Settings {
    fn default() -> Self {
        let v4 = |a, b, prefix| Network { base: IpAddr::from([a, b, 0, 0]), prefix };
        let v6 = |a, prefix| Network { base: IpAddr::from([a, 0, 0, 0, 0, 0, 0, 0]), prefix };
        Self {
            strangers: 16_384,
            registered: 16_384,
            pbx: Vec::new(),
            home: vec![v4(10, 0, 8), v4(172, 16, 12), v4(192, 168, 16), v6(0xfc00, 7), v6(0xfe80, 10)],
        }
    }
}

/// What tells handsets apart: the address, and behind an address that many share, the account.
/// An address as such has account 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Key {
    ip: u128,
    account: u64,
}

impl Key {
    fn of(ip: IpAddr, account: u64) -> Self {
        let ip = match ip {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        Self { ip: u128::from(ip), account }
    }
}

fn address_of(ip: u128) -> IpAddr {
    let v6 = std::net::Ipv6Addr::from(ip);
    v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4)
}

/// What was seen of a handset's SIP in clear: its calls and registrations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearSip {
    /// The first of them.
    pub first: Timestamp,
    /// The latest of them.
    pub last: Timestamp,
    /// How many there were.
    pub count: u32,
    /// The longest silence between two of them.
    pub pause: Span,
}

impl ClearSip {
    fn note(&mut self, now: Timestamp) {
        if self.count == 0 {
            self.first = now;
        } else {
            self.pause = self.pause.max(now.since(self.last));
        }
        self.last = now;
        self.count = self.count.saturating_add(1);
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Handset {
    mac: Option<Mac>,
    mac_checked: Option<(Mac, Timestamp)>,
    user: Text<32>,
    verified: bool,
    registrar: bool,
    accounts: [u64; SHARED_FROM],
    samples: u8,
    /// Under which identity its account was known before it was seen.
    known_as: Option<SlotId>,
    clear: ClearSip,
}

impl Handset {
    /// Whether so many accounts registered from this address that it hides several handsets.
    const fn is_shared(&self) -> bool {
        self.accounts[SHARED_FROM - 1] != 0
    }

    fn note_account(&mut self, account: u64) {
        if let Some(free) = self.accounts.iter_mut().find(|known| **known == account || **known == 0) {
            *free = account;
        }
    }
}

/// A desk phone has a few lines; an address with this many accounts hides several handsets.
const SHARED_FROM: usize = 5;

/// How many of a handset's dialled strings say something about the whole office.
const SAMPLES: u8 = 5;

/// All handsets that are remembered.
#[derive(Debug)]
pub struct Handsets {
    settings: Settings,
    table: Table<Key, Handset>,
    macs: Table<Mac, HardwareAddress>,
    account_hash: LastingHash,
    by_account: Table<u64, SlotId>,
    /// Counts what others build on: see `changes`.
    changes: u32,
}

impl Handsets {
    /// No handsets yet.
    pub fn new(settings: Settings) -> Self {
        let (strangers, registered) = (settings.strangers, settings.registered);
        Self {
            settings,
            table: Table::loose(strangers, registered),
            macs: Table::loose(strangers.saturating_add(registered), 0),
            account_hash: LastingHash::default(),
            by_account: Table::new(registered, 0),
            changes: 0,
        }
    }

    /// Takes other addresses of the PBX and the office; the tables keep their size.
    pub fn reload(&mut self, settings: Settings) {
        self.settings = settings;
        self.changed();
    }

    /// Handsets that placed a call or registered, at most `most`, those that registered first.
    pub fn list(&self, most: usize) -> Vec<Who> {
        let registered = |handset: &Handset| handset.accounts[0] != 0 || handset.verified;
        let of = |wanted: bool| {
            let wanted = move |(_, key, handset): &(SlotId, &Key, &Handset)| {
                !handset.registrar && !key.is_nowhere() && registered(handset) == wanted
            };
            self.table.iter().filter(wanted).map(|(slot, key, _)| (HandsetId(slot), address_of(key.ip)))
        };
        of(true).chain(of(false)).take(most).map(|(id, ip)| self.who(id, ip)).collect()
    }

    /// Asks for the memory of the handset in a slot.
    #[inline]
    pub fn warm(&self, slot: SlotId) {
        self.table.warm(slot);
    }

    /// The entry of a key. Whoever has to go for it may be one on whom others built.
    #[inline]
    fn enter(&mut self, key: &Key, now: Timestamp) -> Inserted<Key, Handset> {
        let inserted = self.table.find_or_insert(key, now, Handset::default);
        if inserted.evicted.as_ref().is_some_and(|(_, _, gone)| gone.registrar || gone.accounts[0] != 0) {
            self.changed();
        }
        inserted
    }

    /// Where an address is remembered, from now on if it wasn't, and who had to be forgotten for it.
    #[inline]
    fn address_slot(
        &mut self,
        ip: IpAddr,
        known: Option<SlotId>,
        now: Timestamp,
    ) -> (SlotId, Option<HandsetId>) {
        if let Some(known) = known
            && self.table.get(known).is_some()
        {
            self.table.touch(known, now);
            return (known, None);
        }
        let own = self.enter(&Key::of(ip, 0), now);
        (own.slot, own.evicted.map(|(slot, ..)| HandsetId(slot)))
    }

    /// A registrar at `registrar` accepted `account` from `ip`. The second value says whether the
    /// account is new there.
    pub fn registered(
        &mut self,
        registrar: IpAddr,
        path_mac: Option<Mac>,
        ip: IpAddr,
        account: &[u8],
        now: Timestamp,
    ) -> (Who, bool) {
        let (at, _) = self.address_slot(registrar, None, now);
        if let Some(address) = self.table.get_mut(at)
            && !std::mem::replace(&mut address.registrar, true)
        {
            self.changed();
        }
        self.table.protect(at);
        let hash = self.hash(account);
        let (own, _) = self.address_slot(ip, None, now);
        let mac = self.own_mac(own, path_mac, ip, now);
        let mut slot = own;
        let mut first = false;
        if let Some(address) = self.table.get_mut(own) {
            first = !address.accounts.contains(&hash);
            if first {
                self.changes = self.changes.wrapping_add(1);
            }
            address.note_account(hash);
            address.clear.note(now);
            if address.is_shared() {
                slot = self.enter(&Key::of(ip, hash), now).slot;
            }
        }
        if let Some(handset) = self.table.get_mut(slot) {
            // A phone with several lines keeps its first line's name.
            if !handset.verified {
                handset.user = Text::new(account);
                handset.verified = true;
            }
            handset.mac = mac.or(handset.mac);
        }
        if let Some(before) = self.foretold_slot(hash)
            && let Some(handset) = self.table.get_mut(slot)
            && handset.known_as.is_none()
        {
            handset.known_as = Some(before);
        }
        self.table.protect(slot);
        let known = self.by_account.find_or_insert(&hash, now, || slot).slot;
        if let Some(known) = self.by_account.get_mut(known) {
            *known = slot;
        }
        (self.who(HandsetId(slot), ip), first)
    }

    /// Whether a handset's dialled string may count for what the office dials: each handset has but
    /// a few, so that a scanner can't outvote the others.
    pub fn may_sample(&mut self, id: HandsetId) -> bool {
        let Some(handset) = self.table.get_mut(id.0).filter(|handset| handset.samples < SAMPLES) else {
            return false;
        };
        handset.samples = handset.samples.saturating_add(1);
        true
    }

    /// What was seen of the SIP in clear of the handset at an address, if that is one.
    pub fn clear_sip(&self, ip: IpAddr) -> Option<(Who, ClearSip)> {
        let slot = self.table.find(&Key::of(ip, 0))?;
        let address = self.table.get(slot).filter(|address| !address.registrar && address.clear.count > 0)?;
        Some((self.who(HandsetId(slot), ip), address.clear))
    }

    /// How many handsets and other SIP addresses are remembered.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Handsets forgotten because the table was full.
    pub const fn evicted(&self) -> u64 {
        self.table.evicted()
    }

    /// The handset that registered an account: when a PBX names the account, that's whom it means.
    fn registered_as(&self, account: &[u8]) -> Option<Who> {
        let (slot, ip) = self.registered_at(account)?;
        Some(self.who(HandsetId(slot), ip))
    }

    fn registered_at(&self, account: &[u8]) -> Option<(SlotId, IpAddr)> {
        if account.is_empty() {
            return None;
        }
        let slot = self.by_account.find(&self.hash(account)).and_then(|known| self.by_account.get(known))?;
        let key = self.table.key(*slot)?;
        Some((*slot, address_of(key.ip)))
    }

    fn hash(&self, account: &[u8]) -> u64 {
        // 0 stands for the address itself.
        self.account_hash.of(account).max(1)
    }

    #[inline]
    fn who(&self, id: HandsetId, ip: IpAddr) -> Who {
        let handset = self.table.get(id.0);
        Who {
            id: handset.and_then(|h| h.known_as).map_or(id, HandsetId),
            user: handset.map_or_else(Text::default, |h| h.user),
            verified: handset.is_some_and(|h| h.verified),
            ip,
            mac: handset.and_then(|h| h.mac),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Path;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 3, last])
    }

    fn path(last: u8, mac: u8) -> Path {
        Path {
            src: (ip(last), 5060).into(),
            dst: ([203, 0, 113, 10], 5060).into(),
            src_mac: Some(Mac([0, 21, 101, 0, 0, mac])),
            dst_mac: None,
            vlan: None,
            mirror: None,
        }
    }

    fn sender(handsets: &mut Handsets, path: &Path, account: &[u8], label: &[u8], now: Timestamp) -> Who {
        let sender = handsets.sender(path, &Said { account, from: label, username: b"" }, None, now);
        handsets.who_is(&sender)
    }

    #[test]
    fn from_is_a_label_and_never_makes_a_handset() {
        let mut handsets = Handsets::new(Settings::default());
        let a = sender(&mut handsets, &path(1, 1), b"", b"214", Timestamp(0));
        let b = sender(&mut handsets, &path(1, 1), b"", b"999", Timestamp(1));
        assert_eq!(a.id, b.id);
        assert_eq!((a.user, b.user), (Text::from("214"), Text::from("999")));
        assert!(!b.verified);
    }

    #[test]
    fn a_hidden_caller_has_no_name() {
        let mut handsets = Handsets::new(Settings::default());
        let hidden = sender(&mut handsets, &path(1, 1), b"", b"Anonymous", Timestamp(0));
        assert_eq!(hidden.user, Text::default());
        assert_eq!(sender(&mut handsets, &path(1, 1), b"", b"214", Timestamp(1)).user, Text::from("214"));
    }

    #[test]
    fn an_accepted_account_names_the_handset_for_good() {
        let mut handsets = Handsets::new(Settings::default());
        let registrar = IpAddr::from([203, 0, 113, 10]);
        let (who, first) = handsets.registered(registrar, None, ip(1), b"214", Timestamp(0));
        assert!(first && who.verified && handsets.is_pbx(registrar) && handsets.has_registered(ip(1)));
        assert!(!handsets.registered(registrar, None, ip(1), b"214", Timestamp(5)).1);
        let later = sender(&mut handsets, &path(1, 1), b"", b"anonymous", Timestamp(9));
        assert_eq!((later.id, later.user), (who.id, Text::from("214")));
    }

    #[test]
    fn an_account_that_the_pbx_names_is_the_handset_that_registered_it() {
        let mut handsets = Handsets::new(Settings::default());
        let (phone, _) = handsets.registered(ip(200), None, ip(1), b"214", Timestamp(0));
        let from_pbx = Path { src: (ip(200), 5060).into(), ..path(200, 7) };
        let named = sender(&mut handsets, &from_pbx, b"214", b"main", Timestamp(1));
        assert_eq!((named.id, named.ip), (phone.id, ip(1)));
        assert_ne!(sender(&mut handsets, &from_pbx, b"999", b"main", Timestamp(1)).id, phone.id);
        let stranger = sender(&mut handsets, &path(2, 2), b"214", b"", Timestamp(1));
        assert_ne!(stranger.id, phone.id, "only a PBX is believed");
    }

    #[test]
    fn behind_a_shared_address_the_account_tells_handsets_apart() {
        let mut handsets = Handsets::new(Settings::default());
        let registrar = IpAddr::from([203, 0, 113, 10]);
        for user in ["201", "202", "203", "204", "205"] {
            handsets.registered(registrar, None, ip(1), user.as_bytes(), Timestamp(0));
        }
        let a = sender(&mut handsets, &path(1, 1), b"201", b"", Timestamp(1));
        let b = sender(&mut handsets, &path(1, 1), b"202", b"", Timestamp(1));
        assert_ne!(a.id, b.id);
        assert_eq!(b.user, Text::from("202"));
        let by_from =
            |handsets: &mut Handsets, from: &[u8]| sender(handsets, &path(1, 1), b"", from, Timestamp(2));
        for user in ["202", "204", "205"] {
            assert_eq!(by_from(&mut handsets, user.as_bytes()).user, Text::from(user));
        }
        assert_eq!(by_from(&mut handsets, b"202").id, b.id);
        let (x, y) = (by_from(&mut handsets, b"999"), by_from(&mut handsets, b"998"));
        assert_eq!(x.id, y.id, "From makes no handset of one that didn't register there");
    }

    #[test]
    fn a_hardware_address_of_many_addresses_is_a_router() {
        let mut handsets = Handsets::new(Settings::default());
        assert!(sender(&mut handsets, &path(1, 9), b"", b"", Timestamp(0)).mac.is_some());
        assert!(sender(&mut handsets, &path(2, 9), b"", b"", Timestamp(1)).mac.is_none());
        let later = Timestamp(0).plus(Span::minutes(2));
        assert!(sender(&mut handsets, &path(1, 9), b"", b"", later).mac.is_none());
    }

    #[test]
    fn a_flood_of_strangers_leaves_the_registered_alone() {
        let settings = Settings { strangers: 8, registered: 4, ..Settings::default() };
        let mut handsets = Handsets::new(settings);
        let (who, _) = handsets.registered(ip(200), None, ip(1), b"214", Timestamp(0));
        let mut forgotten = 0;
        for last in 2..100 {
            forgotten += usize::from(
                handsets
                    .sender(&path(last, 1), &Said::default(), None, Timestamp(i64::from(last)))
                    .forgotten
                    .is_some(),
            );
        }
        assert_eq!(handsets.known(ip(1)).map(|w| w.id), Some(who.id));
        assert_eq!((handsets.len(), forgotten), (10, 90));
    }
}
