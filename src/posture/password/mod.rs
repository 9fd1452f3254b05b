//! The password check: whether a password that was proved on the wire is one that nobody should have.
//!
//! Off unless the operator switches it on for their own networks and realms. It tries a short list and
//! nothing else, each account once a day, and only a yes or no leaves it: not which word, nothing from
//! which a password could be guessed.

pub mod candidates;
pub mod digest;

use std::collections::VecDeque;

use crate::bounded::Table;
use crate::fact::Device;
use crate::fact::secret::{Exercise, Lock, Secret};
use crate::handsets::Network;
use crate::sip::digest::unescape;
use crate::text::Text;
use crate::time::{Span, Timestamp};

use candidates::About;
use digest::Question;

/// A default password of a maker, as published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultPassword {
    /// The maker.
    pub vendor: String,
    /// The user name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// Whose passwords are checked, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether any are.
    pub enabled: bool,
    /// Only of devices in these networks; empty = none.
    pub networks: Vec<Network>,
    /// Only for these realms, whatever their case.
    pub realms: Vec<String>,
    /// The office's name: a favourite among passwords.
    pub company: String,
    /// Makers' defaults.
    pub defaults: Vec<DefaultPassword>,
    /// Words that the operator added.
    pub words: Vec<String>,
    /// Passwords that are checked in a second at the most, and at once after a pause.
    pub per_second: u32,
    /// Passwords that may wait.
    pub queue: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: false,
            networks: Vec::new(),
            realms: Vec::new(),
            company: String::new(),
            defaults: Vec::new(),
            words: Vec::new(),
            per_second: 20,
            queue: 1_000,
        }
    }
}

/// What came of a check. It says nothing of the password itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// When the password was proved.
    pub time: Timestamp,
    /// By which device, or on it.
    pub device: Device,
    /// What it opens.
    pub lock: Lock,
    /// The account.
    pub account: Text<32>,
    /// The realm; empty for a form.
    pub realm: Text<32>,
    /// The algorithm; `clear` where the password itself was shown.
    pub algorithm: Text<16>,
    /// Whether the password is on the list.
    pub listed: bool,
}

/// An account is checked again after so long.
const AGAIN: Span = Span::DAY;
/// Accounts that are remembered, at the most.
const ROOM: usize = 16_384;

/// Checks passwords, no faster than it may.
#[derive(Debug)]
pub struct Checker {
    settings: Settings,
    waiting: VecDeque<Exercise>,
    checked: Table<(Lock, Text<32>, Text<32>, u64), Timestamp>,
    /// Passwords that may be checked now, in millionths.
    tokens: i64,
    filled: Timestamp,
    done: u64,
    unchecked: u64,
}

impl Checker {
    /// Nothing waits.
    pub fn new(settings: Settings) -> Self {
        let tokens = i64::from(settings.per_second).saturating_mul(1_000_000);
        Self {
            settings,
            waiting: VecDeque::new(),
            checked: Table::new(ROOM, 0),
            tokens,
            filled: Timestamp(0),
            done: 0,
            unchecked: 0,
        }
    }

    /// Takes new settings.
    pub fn reload(&mut self, settings: Settings) {
        self.settings = settings;
        // What waited by the old settings may not be the operator's own by the new ones.
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|exercise| self.is_ours(exercise));
        self.waiting = waiting;
    }

    /// A password was proved. What isn't the operator's own is dropped at once, what was checked
    /// today as well; the rest waits, up to the bound.
    pub fn submit(&mut self, exercise: Exercise) {
        if !self.is_ours(&exercise) || self.was_checked(&exercise) {
            return;
        }
        if self.waiting.len() >= self.settings.queue {
            self.unchecked = self.unchecked.saturating_add(1);
            return;
        }
        self.waiting.push_back(exercise);
    }

    /// Checks the next password that waits, if it may by now.
    pub fn poll(&mut self, now: Timestamp) -> Option<Verdict> {
        if self.waiting.is_empty() {
            // Asked with every packet; what time has brought meanwhile is counted when it's needed.
            return None;
        }
        self.fill(now);
        while let Some(exercise) = self.waiting.front() {
            if self.tokens < MILLION {
                return None;
            }
            let skip = self.was_checked(exercise);
            let exercise = self.waiting.pop_front()?;
            if !skip {
                self.tokens = self.tokens.saturating_sub(MILLION);
                if let Some(verdict) = self.check(&exercise) {
                    return Some(verdict);
                }
            }
        }
        None
    }

    /// A replay is over: checks what still waits, however fast.
    pub fn finish(&mut self) -> Option<Verdict> {
        while let Some(exercise) = self.waiting.pop_front() {
            if !self.was_checked(&exercise)
                && let Some(verdict) = self.check(&exercise)
            {
                return Some(verdict);
            }
        }
        None
    }

    /// When `poll` will have something to do.
    pub fn deadline(&self) -> Option<Timestamp> {
        let per_second = i64::from(self.settings.per_second.max(1));
        let missing = MILLION.saturating_sub(self.tokens).max(0);
        self.waiting.front().map(|_| self.filled.plus(Span(div_ceil(missing, per_second))))
    }

    /// How many were checked, and how many weren't because too many waited.
    pub const fn counts(&self) -> (u64, u64) {
        (self.done, self.unchecked)
    }

    fn fill(&mut self, now: Timestamp) {
        let per_second = i64::from(self.settings.per_second);
        let passed = now.since(self.filled).0;
        self.filled = self.filled.max(now);
        let most = per_second.saturating_mul(MILLION);
        self.tokens = self.tokens.saturating_add(passed.saturating_mul(per_second)).min(most);
    }

    fn is_ours(&self, exercise: &Exercise) -> bool {
        let near =
            exercise.device.ip.is_some_and(|ip| self.settings.networks.iter().any(|net| net.contains(ip)));
        let realm = realm(exercise);
        let known = exercise.lock != Lock::Sip
            || self.settings.realms.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(&realm));
        self.settings.enabled && near && known
    }

    fn was_checked(&self, exercise: &Exercise) -> bool {
        let at = self.checked.find(&key(exercise)).and_then(|slot| self.checked.get(slot));
        at.is_some_and(|at| exercise.time.since(*at) < AGAIN)
    }

    fn check(&mut self, exercise: &Exercise) -> Option<Verdict> {
        let slot = self.checked.find_or_insert(&key(exercise), exercise.time, || exercise.time).slot;
        if let Some(at) = self.checked.get_mut(slot) {
            *at = exercise.time;
        }
        let (account, realm) = (account(exercise), realm(exercise));
        let device = &exercise.device;
        let about = About {
            user: &account,
            extension: device.who.as_ref().map_or(exercise.account.as_bytes(), |who| who.user.as_bytes()),
            realm: &realm,
            mac: device.mac,
            vendor: &[],
            now: exercise.time,
        };
        let list = match exercise.lock {
            Lock::Sip => candidates::sip(&about, &self.settings),
            Lock::Web | Lock::Refused => candidates::web(&about, &self.settings),
        };
        let (listed, algorithm) = match &exercise.secret {
            Secret::Digest(proof) => {
                let question = Question::new(proof, exercise.account.as_bytes())?;
                let algorithm = if proof.algorithm.is_empty() { b"MD5" } else { proof.algorithm.as_slice() };
                (list.iter().any(|word| question.is(word)), Text::new(algorithm))
            }
            Secret::Clear(clear) => (list.contains(&clear.password), Text::from("clear")),
        };
        self.done = self.done.saturating_add(1);
        Some(Verdict {
            time: exercise.time,
            device: *device,
            lock: exercise.lock,
            account: Text::new(&account),
            realm: Text::new(&realm),
            algorithm,
            listed,
        })
    }
}

const MILLION: i64 = 1_000_000;

const fn div_ceil(n: i64, by: i64) -> i64 {
    n.saturating_add(by.saturating_sub(1)).div_euclid(by)
}

/// The account's name: a hashed one stands for what the device registers.
fn account(exercise: &Exercise) -> Vec<u8> {
    match &exercise.secret {
        Secret::Digest(proof) if proof.userhash => exercise.account.as_bytes().to_vec(),
        Secret::Digest(proof) => unescape(&proof.username).collect(),
        Secret::Clear(clear) => clear.username.clone(),
    }
}

fn realm(exercise: &Exercise) -> Vec<u8> {
    match &exercise.secret {
        Secret::Digest(proof) => unescape(&proof.realm).collect(),
        Secret::Clear(_) => Vec::new(),
    }
}

/// What is checked once a day: a SIP account is the PBX's, a page is the device's.
fn key(exercise: &Exercise) -> (Lock, Text<32>, Text<32>, u64) {
    let device = match exercise.lock {
        Lock::Sip => 0,
        Lock::Web | Lock::Refused => super::scene::key_of(&exercise.device),
    };
    (exercise.lock, Text::new(&account(exercise)), Text::new(&realm(exercise)), device)
}

#[cfg(test)]
mod tests;
