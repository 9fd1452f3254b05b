//! What is known of handsets, written down.
//!
//! In: `Handsets`. Out: `Snapshot`, and the same handsets again under the same ids.
//! Never: trusts a snapshot: what doesn't fit is left out.

use serde::{Deserialize, Serialize};

use super::{Handset, Handsets, HardwareAddress, Key};
use crate::bounded::{Image, LastingHash, SlotId};
use crate::decode::Mac;

/// Handsets, accounts, registrars and hardware addresses as plain data. The key under which accounts
/// are hashed is part of it, so it is as secret as the state file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    account_hash: LastingHash,
    handsets: Image<Key, Handset>,
    macs: Image<Mac, HardwareAddress>,
    by_account: Image<u64, SlotId>,
}

impl Handsets {
    /// Everything that is known, as plain data.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            account_hash: self.account_hash.clone(),
            handsets: self.table.image(),
            macs: self.macs.image(),
            by_account: self.by_account.image(),
        }
    }

    /// Becomes what the snapshot says; the settings stay as they are. An account whose handset found
    /// no room is forgotten with it.
    pub fn restore(&mut self, snapshot: Snapshot) {
        self.account_hash = snapshot.account_hash;
        self.table.restore(snapshot.handsets);
        self.macs.restore(snapshot.macs);
        self.by_account.restore(snapshot.by_account);
        self.changed();
    }
}
