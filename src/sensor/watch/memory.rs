//! What the watch knows over a restart.
//!
//! In: the watch. Out: `Memory`, and a watch that knows the same addresses.
//! Never: keeps a flow: whether it went on while nobody listened, nobody could say.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Watch, nonces, zones};
use crate::bounded::{Image, Keep as _, LastingHash};
use crate::time::Timestamp;

/// What the watch knew: which addresses are phones or servers, who spoke first, which nonces were
/// given out, what was told lately. As secret as the state file: it holds the keys of two hashes.
///
/// Flows and SIP exchanges in flight aren't part of it, and for five minutes after a restart nothing
/// is called unsolicited: who had begun what, was not seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    zones: zones::Memory,
    nonces: nonces::Memory,
    met: Image<IpAddr, bool>,
    told: Image<u64, Timestamp>,
    hash: LastingHash,
}

impl Watch {
    pub(in crate::sensor) fn memory(&self) -> Memory {
        Memory {
            zones: self.zones.kept(),
            nonces: self.exchanges.nonces.kept(),
            met: self.met.kept(),
            told: self.told.kept(),
            hash: self.hash.clone(),
        }
    }

    pub(in crate::sensor) fn recall(&mut self, memory: Memory) {
        self.zones.recall(memory.zones);
        self.exchanges.nonces.recall(memory.nonces);
        self.met.recall(memory.met);
        self.told.recall(memory.told);
        self.hash = memory.hash;
    }
}
