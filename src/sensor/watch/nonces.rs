//! Nonces that servers gave out: they tell a wrong password from an old nonce.
//!
//! In: challenges, credentials, refusals. Out: whether a refusal is one of the password; whether a
//! nonce was used again.
//! Never: keeps a nonce, only its keyed hash.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bounded::{LastingHash, Table};
use crate::time::{Span, Timestamp};

/// Nonces that are remembered.
const REMEMBERED: usize = 8_192;

/// A nonce this young has not expired; if it's refused, so was the password. Registrars keep
/// nonces for at least this long (Asterisk and Kamailio: 32 s and 300 s by default).
const YOUNG: Span = Span::seconds(30);

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Nonce {
    given: Option<Timestamp>,
    denied: bool,
    used: bool,
    count: u32,
}

#[derive(Debug)]
pub(super) struct Nonces {
    known: Table<u64, Nonce>,
    hash: LastingHash,
}

crate::kept! {
    /// Nonces that were given out before a restart.
    #[derive(PartialEq)]
    pub(in crate::sensor) struct Memory of Nonces {
        known: Table<u64, Nonce>,
        hash: LastingHash,
    }
}

impl Default for Nonces {
    fn default() -> Self {
        Self { known: Table::new(REMEMBERED, 0), hash: LastingHash::default() }
    }
}

impl Nonces {
    /// What stands for a nonce that a server gives a client.
    pub(super) fn key(&self, client: IpAddr, server: IpAddr, nonce: &[u8]) -> u64 {
        self.hash.hash_one((client, server, nonce))
    }

    fn at(&mut self, key: u64, now: Timestamp) -> Option<&mut Nonce> {
        let slot = self.known.find_or_insert(&key, now, Nonce::default).slot;
        self.known.get_mut(slot)
    }

    /// A server gives a nonce out.
    pub(super) fn given(&mut self, key: u64, now: Timestamp) {
        if let Some(known) = self.at(key, now) {
            known.given.get_or_insert(now);
        }
    }

    /// A client uses a nonce. The answer: it was used before, and its count did not rise.
    pub(super) fn used(&mut self, key: u64, count: &[u8], now: Timestamp) -> bool {
        let count =
            std::str::from_utf8(count).ok().and_then(|nc| u32::from_str_radix(nc, 16).ok()).unwrap_or(0);
        let Some(known) = self.at(key, now) else { return false };
        let again = known.used && count <= known.count;
        known.used = true;
        known.count = known.count.max(count);
        again
    }

    /// The server does not take credentials for a nonce. The answer: the password was wrong, not
    /// the nonce old. A client that goes on with a nonce after being given another is guessing.
    pub(super) fn denied(&mut self, key: u64, now: Timestamp) -> bool {
        let Some(known) = self.at(key, now) else { return false };
        let wrong = known.denied || known.given.is_some_and(|given| now.since(given) <= YOUNG);
        known.denied = true;
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_nonce_is_no_wrong_password() {
        let at = |seconds| Timestamp::from_parts(seconds, 0);
        let mut nonces = Nonces::default();
        nonces.given(1, at(0));
        assert!(!nonces.used(1, b"00000001", at(0)));
        assert!(nonces.denied(1, at(1)), "fresh: the password");
        nonces.given(2, at(1));
        assert!(!nonces.denied(2, at(3_000)), "old: the nonce");
        assert!(nonces.denied(2, at(3_001)), "used on after it was denied: guessing");
        assert!(!nonces.denied(3, at(0)), "given before we listened");
        let (phone, pbx) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([203, 0, 113, 10]));
        assert_ne!(nonces.key(phone, pbx, b"n"), nonces.key(pbx, phone, b"n"));
    }

    #[test]
    fn counts_must_rise() {
        let mut nonces = Nonces::default();
        let mut used = |nc: &[u8]| nonces.used(1, nc, Timestamp(0));
        assert_eq!(
            [used(b"00000001"), used(b"00000002"), used(b"00000002"), used(b"")],
            [false, false, true, true]
        );
    }
}
