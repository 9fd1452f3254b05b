//! Registrations under way: only a 200 that answers a REGISTER proves an account.
//!
//! In: REGISTER requests and their responses. Out: whether a response answers a request.
//! Never: believes a 200 that nobody asked for.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bounded::{Image, LastingHash, Table};
use crate::time::{Span, Timestamp};

/// A registrar answers within 64*T1 (RFC 3261 section 17.1.2.2), or not at all.
const ANSWERED_WITHIN: Span = Span::seconds(32);

/// Requests that wait for their answer, at the most.
const WAITING: usize = 8_192;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Asked {
    at: Timestamp,
    from: IpAddr,
    registrar: IpAddr,
}

/// Open requests as plain data. The hash's key is part of it, so it is as secret as the state file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    hash: LastingHash,
    waiting: Image<u64, Asked>,
}

/// REGISTER requests that wait for their answer.
#[derive(Debug)]
pub struct Registrations {
    waiting: Table<u64, Asked>,
    hash: LastingHash,
}

impl Default for Registrations {
    fn default() -> Self {
        Self { waiting: Table::new(WAITING, 0), hash: LastingHash::default() }
    }
}

impl Registrations {
    /// `from` asked `registrar`.
    pub fn asked(&mut self, call_id: &[u8], from: IpAddr, registrar: IpAddr, now: Timestamp) {
        let key = self.hash.of(call_id);
        let asked = Asked { at: now, from, registrar };
        let slot = self.waiting.find_or_insert(&key, now, || asked).slot;
        if let Some(known) = self.waiting.get_mut(slot) {
            *known = asked;
        }
    }

    /// Whether `registrar` answers what `from` asked. The same answer may come twice: mirrors
    /// double, and a proxy's two hops both show it.
    pub fn answers(&self, call_id: &[u8], from: IpAddr, registrar: IpAddr, now: Timestamp) -> bool {
        self.waiting.find(&self.hash.of(call_id)).and_then(|slot| self.waiting.get(slot)).is_some_and(
            |asked| {
                asked.from == from && asked.registrar == registrar && now.since(asked.at) <= ANSWERED_WITHIN
            },
        )
    }

    /// The open requests as plain data.
    pub fn snapshot(&self) -> Waiting {
        Waiting { hash: self.hash.clone(), waiting: self.waiting.image() }
    }

    /// Takes open requests back.
    pub fn restore(&mut self, snapshot: Waiting) {
        self.hash = snapshot.hash;
        self.waiting.restore(snapshot.waiting);
    }

    /// Requests forgotten because the table was full.
    pub const fn evicted(&self) -> u64 {
        self.waiting.evicted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_needs_its_question() {
        let (phone, registrar) = (IpAddr::from([10, 0, 3, 1]), IpAddr::from([203, 0, 113, 10]));
        let mut waiting = Registrations::default();
        assert!(!waiting.answers(b"a", phone, registrar, Timestamp(0)));
        waiting.asked(b"a", phone, registrar, Timestamp(0));
        assert!(waiting.answers(b"a", phone, registrar, Timestamp(1)));
        assert!(!waiting.answers(b"b", phone, registrar, Timestamp(1)));
        assert!(!waiting.answers(b"a", phone, IpAddr::from([198, 51, 100, 7]), Timestamp(1)));
        assert!(!waiting.answers(b"a", phone, registrar, Timestamp(0).plus(Span::MINUTE)));
    }
}
