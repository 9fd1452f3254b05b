//! A step of an attack that came before.
//!
//! In: what happened, to whom, when. Out: `Link`, `Step`, how much it weighs for what follows.
//! Never: weighs for ever.

use serde::{Deserialize, Serialize};

use crate::labels;
use crate::time::{Span, Timestamp};

labels! {
    /// A step of an attack, in the order in which attacks take them.
    pub enum Link {
        Scan = "scan", "Somebody searched the network for SIP devices or extensions.";
        Access = "access", "A stranger reached the handset.";
        Leak = "leak", "A stranger asked the handset for its SIP password.";
        BruteForce = "brute_force", "Somebody guessed passwords.";
        NewDevice = "new_device", "The account appeared on a new device.";
        Forwarding = "forwarding", "Forwarding to a costly number was set.";
        Probing = "probing", "Dial prefixes were probed.";
        Test = "test", "A single odd call was placed, as a test.";
        Burst = "burst", "Costly calls raised an alert.";
    }
}

impl Link {
    /// How long it is told of. Stolen credentials are sold and used later (field notes of Yates,
    /// kwebbl).
    pub const fn memory(self) -> Span {
        match self {
            Self::Probing => Span::days(7),
            Self::Test => Span::days(3),
            _ => Span::days(30),
        }
    }

    /// How long it makes what follows more urgent: `own` if it happened to the same handset or
    /// account. Test calls come 30 minutes to a day before an attack; an office that the internet
    /// sees is scanned every week.
    const fn raises(self, own: bool) -> Span {
        match self {
            Self::Burst => Span::DAY,
            Self::Test => Span::days(3),
            _ if own => Span::days(7),
            _ => Span::days(3),
        }
    }

    /// Whether it says that somebody has, or wants, this very handset's account.
    const fn is_specific(self) -> bool {
        matches!(self, Self::Access | Self::Leak | Self::BruteForce | Self::NewDevice)
    }

    /// Whether calls make it.
    pub const fn is_call(self) -> bool {
        matches!(self, Self::Forwarding | Self::Probing | Self::Test | Self::Burst)
    }
}

/// A link that came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub link: Link,
    /// When it was seen last.
    pub time: Timestamp,
    /// Whether it happened to the same handset or account, and not to the office as such.
    pub own: bool,
}

impl Step {
    /// Whether it makes what happens now more urgent.
    pub fn raises(&self, now: Timestamp) -> bool {
        now.since(self.time) <= self.link.raises(self.own)
    }

    /// Whether it makes a page even of what alone is only worth knowing.
    pub fn wakes(&self, now: Timestamp) -> bool {
        self.own && self.link.is_specific() && self.raises(now)
    }
}
