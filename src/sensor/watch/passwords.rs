//! Digests for the password check: kept only where the operator asked for it, until the server's
//! answer shows whether the password was right.
//!
//! In: credentials, answers. Out: `Exercise`, for the check's own queue.
//! Never: keeps a secret that nobody asked to have checked, or of a SIP password that was refused.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::net::IpAddr;

use super::Passwords;
use crate::bounded::{KeyedHash, Table};
use crate::fact::secret::{Exercise, Lock};
use crate::time::{Span, Timestamp};

/// Secrets that wait for the server's answer.
const PENDING: usize = 256;
/// A server that hasn't answered by then won't (RFC 3261 section 17.1.1.2: 64*T1).
const ANSWERED_WITHIN: Span = Span::seconds(32);
/// One account of one address is handed on once in so long.
const AGAIN_AFTER: Span = Span::DAY;
/// Accounts that were handed on lately.
const REMEMBERED: usize = 8_192;

#[derive(Debug)]
struct Pending {
    /// The exchange and its CSeq, or a web log-in's own number.
    id: (u64, u32),
    at: Timestamp,
    key: u64,
    exercise: Exercise,
}

/// Secrets on their way.
#[derive(Debug)]
pub(super) struct Queue {
    settings: Passwords,
    pending: VecDeque<Pending>,
    ready: VecDeque<Exercise>,
    lately: Table<u64, Timestamp>,
    hash: KeyedHash,
    dropped: u64,
}

impl Queue {
    pub(super) fn new(settings: Passwords) -> Self {
        Self {
            settings,
            pending: VecDeque::new(),
            ready: VecDeque::new(),
            lately: Table::new(REMEMBERED, 0),
            hash: KeyedHash::default(),
            dropped: 0,
        }
    }

    /// Other networks and realms, or none: what waits by the old ones is wiped.
    pub(super) fn reload(&mut self, settings: Passwords) {
        if settings != self.settings {
            self.pending.clear();
            self.ready.clear();
            self.settings = settings;
        }
    }

    /// Whether passwords of this device are to be checked. Nothing may be kept before this is asked.
    pub(super) fn wants(&self, device: IpAddr, realm: Option<&[u8]>) -> bool {
        let realms = &self.settings.realms;
        self.settings.enabled
            && self.settings.networks.iter().any(|network| network.contains(device))
            && realm.is_none_or(|realm| realms.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(realm)))
    }

    /// Keeps a secret until its answer comes, unless this account was handed on lately.
    pub(super) fn keep(&mut self, id: (u64, u32), account: &[u8], realm: &[u8], exercise: Exercise) {
        let now = exercise.time;
        let key = self.hash.hash_one((exercise.device.ip, exercise.lock, account, realm));
        let known = self.lately.find(&key).and_then(|slot| self.lately.get(slot));
        if known.is_some_and(|at| now.since(*at) < AGAIN_AFTER) {
            return;
        }
        while self.pending.len() >= PENDING
            || self.pending.front().is_some_and(|old| now.since(old.at) > ANSWERED_WITHIN)
        {
            self.pending.pop_front();
        }
        self.pending.push_back(Pending { id, at: now, key, exercise });
    }

    /// The server's answer: the password was right, or wrong.
    pub(super) fn answered(&mut self, id: (u64, u32), right: bool, now: Timestamp) {
        let Some(at) = self.pending.iter().position(|pending| pending.id == id) else { return };
        let Some(mut pending) = self.pending.remove(at) else { return };
        if !right {
            // Whoever guesses at a page with its maker's default is worth knowing of; a refused SIP
            // password is nobody's.
            if pending.exercise.lock != Lock::Web {
                return;
            }
            pending.exercise.lock = Lock::Refused;
            pending.key = !pending.key;
            if self
                .lately
                .find(&pending.key)
                .and_then(|slot| self.lately.get(slot))
                .is_some_and(|at| now.since(*at) < AGAIN_AFTER)
            {
                return;
            }
        }
        let slot = self.lately.find_or_insert(&pending.key, now, || now).slot;
        if let Some(at) = self.lately.get_mut(slot) {
            *at = now;
        }
        if self.ready.len() >= self.settings.queue.max(1) {
            self.ready.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
        self.ready.push_back(pending.exercise);
    }

    pub(super) fn poll(&mut self) -> Option<Exercise> {
        self.ready.pop_front()
    }

    /// Secrets that went unchecked because too many waited.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }
}
