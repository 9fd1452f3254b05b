//! Check `weak_auth`: passwords are proved in a form that is easily read, replayed or guessed.
//!
//! Sources: RFC 8760 (SHA-256 before MD5, qop always), RFC 7616 section 5. MD5 over UDP is what most
//! offices have, and nonces are used again wherever there is no qop: that is worth knowing once for
//! the office. A password in clear is worth looking at for each handset.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::bounded::Table;
use crate::fact::sighting::{MechanismSighting, Scheme};
use crate::fact::{Sighting, What};
use crate::finding::{Check, Severity};
use crate::time::{Span, Timestamp};

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, called, key_of, plural};

/// Handsets that are remembered, at the most.
const ROOM: usize = 8_192;
/// A weakness of a handset is told at most so often.
const ONCE: Span = Span::DAY;

/// How passwords were proved so far.
#[derive(Debug)]
pub struct WeakAuth {
    /// When each handset was told of last, for each weakness.
    told: Table<(u64, Weakness), Timestamp>,
    /// Handsets with a weakness of the office's.
    weak: [BTreeSet<u64>; 4],
    first: [Option<Timestamp>; 4],
    strong: u64,
}

impl Default for WeakAuth {
    fn default() -> Self {
        Self { told: Table::new(ROOM, 0), weak: Default::default(), first: [None; 4], strong: 0 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Weakness {
    Basic,
    NonceReused,
    NoQop,
    Md5,
    Downgrade,
}

impl Weakness {
    const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::NonceReused => "nonce_reused",
            Self::NoQop => "no_qop",
            Self::Md5 => "md5",
            Self::Downgrade => "downgrade",
        }
    }

    /// What is the office's rather than a handset's.
    const fn of_office(self) -> Option<usize> {
        match self {
            Self::Basic => None,
            Self::NonceReused => Some(3),
            Self::NoQop => Some(0),
            Self::Md5 => Some(1),
            Self::Downgrade => Some(2),
        }
    }
}

crate::kept! {
    /// How passwords were proved before a restart.
    pub struct Memory of WeakAuth {
        told: Table<(u64, Weakness), Timestamp>,
        weak: [BTreeSet<u64>; 4],
        first: [Option<Timestamp>; 4],
        strong: u64,
    }
}

impl Watcher for WeakAuth {
    fn check(&self) -> Check {
        Check::WeakAuth
    }

    fn sighting(&mut self, sighting: &Sighting, _scene: &Scene<'_>, out: &mut Vec<Found>) {
        let What::Mechanism(used) = &sighting.what else { return };
        let weaknesses = weaknesses(used);
        if weaknesses.is_empty() {
            self.strong = self.strong.saturating_add(1);
        }
        for weakness in weaknesses {
            out.extend(match weakness.of_office() {
                Some(row) => self.of_office(sighting, weakness, row),
                None => self.of_handset(sighting, weakness, used),
            });
        }
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        match self.strong {
            0 if !sight.home => Say::CannotSee(Blind::NoTraffic, String::new()),
            0 if sight.encrypted && !sight.sip => Say::CannotSee(Blind::Encrypted, String::new()),
            0 => Say::NotSeen("no password was proved in a form that can be read".to_owned()),
            n => Say::Pass(format!("{}, all with SHA-256 or better and qop", plural(n, "proof"))),
        }
    }

    fn evicted(&self) -> u64 {
        self.told.evicted()
    }
}

impl WeakAuth {
    fn of_office(&mut self, sighting: &Sighting, weakness: Weakness, row: usize) -> Option<Found> {
        let handsets = self.weak.get_mut(row)?;
        if handsets.len() >= ROOM || !handsets.insert(key_of(&sighting.device)) {
            return None;
        }
        let first = *self.first.get_mut(row)?.get_or_insert(sighting.time);
        let n = handsets.len() as u64;
        let noun = plural(n, "handset");
        let verb = if n == 1 { "proves" } else { "prove" };
        let sentence = match weakness {
            Weakness::NoQop => {
                format!("{noun} {verb} the SIP password without qop, in a form that can be replayed")
            }
            Weakness::NonceReused => {
                format!(
                    "{noun} {verb} the SIP password with a nonce that was used before: it can be replayed"
                )
            }
            Weakness::Downgrade => {
                format!("{noun} {verb} the SIP password with MD5 though SHA-256 is offered")
            }
            _ => format!(
                "{noun} {verb} the SIP password with MD5 in clear text: whoever listens can guess it at leisure"
            ),
        };
        Some(
            Found::office(Check::WeakAuth, Severity::Info, sighting.time, sentence)
                .about(&[weakness.name().as_bytes()])
                .seen(u32::try_from(n).unwrap_or(u32::MAX), first)
                .word("weakness", weakness.name())
                .count("handsets", n),
        )
    }

    fn of_handset(
        &mut self,
        sighting: &Sighting,
        weakness: Weakness,
        used: &MechanismSighting,
    ) -> Option<Found> {
        let now = sighting.time;
        let told = self.told.find_or_insert(&(key_of(&sighting.device), weakness), now, || now);
        let last = self.told.get_mut(told.slot)?;
        if !told.new && now.since(*last) < ONCE {
            return None;
        }
        *last = now;
        let (device, peer) = (called(&sighting.device), used.peer.ip());
        let sentence = format!("{device} and {peer} exchange a password in clear text ({})", used.scheme);
        Some(
            Found::of(Check::WeakAuth, Severity::Warning, sighting, sentence)
                .about(&[weakness.name().as_bytes()])
                .word("weakness", weakness.name())
                .word("peer", peer)
                .word("scheme", used.scheme)
                .word(
                    "algorithm",
                    if used.algorithm.is_empty() { "MD5".to_owned() } else { used.algorithm.to_string() },
                )
                .word("qop", used.qop)
                .word("transport", used.proto),
        )
    }
}

fn weaknesses(used: &MechanismSighting) -> Vec<Weakness> {
    if used.scheme != Scheme::Digest {
        return vec![Weakness::Basic];
    }
    let algorithm = used.algorithm.as_bytes();
    let md5 =
        algorithm.is_empty() || algorithm.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"MD5"));
    let rows = [
        (used.nonce_reused, Weakness::NonceReused),
        (used.downgrade, Weakness::Downgrade),
        (used.qop.is_empty(), Weakness::NoQop),
        (md5, Weakness::Md5),
    ];
    rows.into_iter().filter_map(|(is, weakness)| is.then_some(weakness)).collect()
}
