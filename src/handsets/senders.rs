//! Who sends a message.
//!
//! In: what it says, and whence it comes. Out: `Sender`, `Who`.
//! Never: lets From or a username make a handset: at most they tell apart those that registered from one address.

use std::net::IpAddr;

use super::{Handset, HandsetId, Handsets, Key, Who};
use crate::bounded::SlotId;
use crate::decode::Path;
use crate::text::Text;
use crate::time::Timestamp;

/// What a message says of who sends it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said<'a> {
    /// The account that a PBX asserts; empty if there is none.
    pub account: &'a [u8],
    /// The user of From.
    pub from: &'a [u8],
    /// The username of its credentials, which nobody has checked yet; empty if there is none.
    pub username: &'a [u8],
}

/// What names the account that sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Named {
    /// What is known of the handset.
    #[default]
    Handset,
    /// An account that somebody asserts of whom nobody knows whether he is a PBX.
    Account,
    /// From: one of several accounts that registered there.
    From,
    /// The same by its credentials.
    Username,
}

/// Whom a message comes from; `who_is` says more.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    slot: SlotId,
    ip: IpAddr,
    /// What names it in this call, if not what names it in all.
    pub named: Named,
    /// A stranger that had to be forgotten for it.
    pub forgotten: Option<HandsetId>,
}

/// Whether a name says that there is none (RFC 3323 section 4.1.1.3).
pub fn is_hidden(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"anonymous")
}

impl Handsets {
    /// The handset that sends from `path.src`; `known` is where `slot_of` found the address before, if that
    /// was asked.
    pub fn sender(&mut self, path: &Path, said: &Said<'_>, known: Option<SlotId>, now: Timestamp) -> Sender {
        let Said { account, from: label, .. } = *said;
        let ip = path.src.ip();
        let (mut slot, mut forgotten) = self.address_slot(ip, known, now);
        let mac = self.own_mac(slot, path.src_mac, ip, now);
        let (mut registrar, mut several, mut shared) = (false, false, false);
        if let Some(address) = self.table.get_mut(slot) {
            address.clear.note(now);
            (registrar, several, shared) = (address.registrar, address.accounts[1] != 0, address.is_shared());
        }
        let pbx = !account.is_empty() && (registrar || self.is_configured_pbx(ip));
        if pbx && let Some((slot, ip)) = self.registered_at(account) {
            return Sender { slot, ip, named: Named::Handset, forgotten };
        }
        let (account, named) = match account {
            [] if several || shared => self.one_of_many(slot, ip, said, shared),
            account if !account.is_empty() && !pbx && !shared => (&[][..], Named::Account),
            account => (account, Named::Handset),
        };
        if !account.is_empty() {
            let key = Key::of(ip, self.hash(account));
            let inserted = self.enter(&key, now);
            forgotten = forgotten.or(inserted.evicted.map(|(slot, ..)| HandsetId(slot)));
            slot = inserted.slot;
        }
        if let Some(handset) = self.table.get_mut(slot) {
            // A HEP copy has no hardware address; that says nothing against the one that is known.
            if path.src_mac.is_some() {
                handset.mac = mac;
            }
            if !account.is_empty() && !handset.verified {
                handset.user = Text::new(account);
                handset.verified = true;
            } else if !handset.verified {
                handset.user = if is_hidden(label) { Text::default() } else { Text::new(label) };
            }
        }
        Sender { slot, ip, named, forgotten }
    }

    /// Who sends. Apart, so that it's written where it is to stand.
    #[inline(always)]
    pub fn who_is(&self, sender: &Sender) -> Who {
        self.who(HandsetId(sender.slot), sender.ip)
    }

    /// From, or else the username, says which of the accounts that registered from this very address it is.
    /// Where many share it that is a handset of its own, else only a name.
    #[cold]
    fn one_of_many<'a>(
        &self,
        address: SlotId,
        ip: IpAddr,
        said: &Said<'a>,
        shared: bool,
    ) -> (&'a [u8], Named) {
        let own = |name: &[u8]| !name.is_empty() && self.is_own(address, ip, name);
        match () {
            () if own(said.from) && shared => (said.from, Named::Handset),
            () if own(said.from) => (&[], Named::From),
            () if own(said.username) && shared => (said.username, Named::Handset),
            () if own(said.username) => (&[], Named::Username),
            () => (&[], Named::Handset),
        }
    }

    /// Whether an account registered from an address.
    fn is_own(&self, address: SlotId, ip: IpAddr, account: &[u8]) -> bool {
        let hash = self.hash(account);
        let own = || self.table.find(&Key::of(ip, hash)).and_then(|slot| self.table.get(slot));
        self.table.get(address).is_some_and(|handset| handset.accounts.contains(&hash))
            || own().is_some_and(|handset| handset.verified)
    }

    /// The PBX let a call go on that carried `account`'s credentials: it names the handset, unless
    /// a registration did before. Of several accounts at one address it says which one calls, and behind an
    /// address that many share which handset, unless From did.
    pub fn accepted(&mut self, account: &[u8], who: &Who, now: Timestamp) -> Who {
        let Some(handset) = self.table.get_mut(who.id.0) else { return *who };
        if !handset.verified && !handset.is_shared() {
            handset.user = Text::new(account);
            handset.verified = true;
        }
        let own = Who { user: handset.user, verified: true, ..*who };
        if handset.accounts[1] == 0 { own } else { self.accepted_of_several(account, who, now) }
    }

    #[cold]
    fn accepted_of_several(&mut self, account: &[u8], who: &Who, now: Timestamp) -> Who {
        let address = who.id.0;
        if self.table.get(address).is_some_and(Handset::is_shared) {
            let slot = self.enter(&Key::of(who.ip, self.hash(account)), now).slot;
            if let Some(handset) = self.table.get_mut(slot) {
                (handset.user, handset.verified) = (Text::new(account), true);
            }
            return Who { mac: who.mac, ..self.who(HandsetId(slot), who.ip) };
        }
        let user = if self.is_own(address, who.ip, account) { Text::new(account) } else { who.user };
        Who { user, verified: true, ..*who }
    }
}
