//! Handsets that past call records name before anybody has seen them.
//!
//! In: an account. Out: the identity that its handset will have once it registers.
//! Never: counts as a handset what nobody has seen.

use std::net::{IpAddr, Ipv4Addr};

use super::{HandsetId, Handsets, Key, Who, address_of};
use crate::bounded::SlotId;
use crate::text::Text;
use crate::time::Timestamp;

impl Handsets {
    /// The handset of an account that past call records name, whether it was seen already or not: once
    /// it registers it is the same one.
    pub fn foretold(&mut self, account: &[u8], now: Timestamp) -> Who {
        if let Some(who) = self.registered_as(account) {
            return who;
        }
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let hash = self.hash(account);
        let slot = self.enter(&Key::of(nowhere, hash), now).slot;
        if let Some(handset) = self.table.get_mut(slot) {
            (handset.user, handset.verified) = (Text::new(account), true);
        }
        self.table.protect(slot);
        self.by_account.find_or_insert(&hash, now, || slot);
        self.who(HandsetId(slot), nowhere)
    }

    /// The identity under which an account was known before it was seen anywhere.
    pub(super) fn foretold_slot(&self, hash: u64) -> Option<SlotId> {
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        self.table.find(&Key::of(nowhere, hash))
    }
}

impl Key {
    /// An account that only past call records name.
    pub(super) fn is_nowhere(&self) -> bool {
        address_of(self.ip).is_unspecified()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handsets::Settings;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 3, last])
    }

    #[test]
    fn a_handset_that_call_records_name_is_the_one_that_registers_later() {
        let mut handsets = Handsets::new(Settings::default());
        let past = handsets.foretold(b"214", Timestamp(0));
        assert_eq!(handsets.foretold(b"214", Timestamp(1)).id, past.id);
        assert_eq!(handsets.office_count(), 0, "nobody has seen it yet");
        let (now, first) = handsets.registered(ip(200), None, ip(1), b"214", Timestamp(2));
        assert!(first);
        assert_eq!((now.id, now.ip, now.user), (past.id, ip(1), Text::from("214")));
        assert_eq!(handsets.foretold(b"214", Timestamp(3)).id, past.id);
        assert_ne!(handsets.registered(ip(200), None, ip(2), b"215", Timestamp(4)).0.id, past.id);
        assert_eq!(handsets.office_count(), 2);
    }
}
