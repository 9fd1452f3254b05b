//! The security half of the sensor: touches, hints and SIP exchanges become sightings.
//!
//! In: packets and SIP messages, who is who. Out: `Sighting`; `Exercise` for the password check.
//! Never: puts a secret into a fact, or keeps one unless the operator asked for the check.

use std::collections::VecDeque;

use crate::fact::secret::Exercise;
use crate::handsets::Network;

/// Which passwords may be checked. Nothing is kept of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passwords {
    /// Whether any.
    pub enabled: bool,
    /// Only of devices in these networks.
    pub networks: Vec<Network>,
    /// Only for these realms; empty = any realm of a PBX.
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
    /// The password check.
    pub passwords: Passwords,
}

/// What waits to be asked for.
#[derive(Debug, Default)]
pub(super) struct Watch {
    exercises: VecDeque<Exercise>,
}

impl Watch {
    pub(super) fn poll_exercise(&mut self) -> Option<Exercise> {
        self.exercises.pop_front()
    }
}
