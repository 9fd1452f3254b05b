//! Check `default_sip_password`: a SIP password is a published default or follows from the extension.
//!
//! What it says never says which word it was: "the same as the extension" would be the password.

use crate::bounded::Table;
use crate::fact::secret::Lock;
use crate::finding::{Check, Severity};
use crate::text::Text;
use crate::time::Timestamp;

use super::checklist::{Blind, Say, Sight};
use super::password::Verdict;
use super::scene::{Found, Scene, Watcher, called, plural};

/// Accounts that are remembered, at the most.
const ROOM: usize = 16_384;

/// What came of each account's check.
#[derive(Debug)]
pub struct DefaultSipPassword {
    accounts: Table<(Text<32>, Text<32>), bool>,
}

impl Default for DefaultSipPassword {
    fn default() -> Self {
        Self { accounts: Table::new(ROOM, 0) }
    }
}

crate::kept! {
    /// What the password checks before a restart came to.
    pub struct Memory of DefaultSipPassword {
        accounts: Table<(Text<32>, Text<32>), bool>,
    }
}

impl Watcher for DefaultSipPassword {
    fn check(&self) -> Check {
        Check::DefaultSipPassword
    }

    fn verdict(&mut self, verdict: &Verdict, now: Timestamp, out: &mut Vec<Found>) {
        if verdict.lock != Lock::Sip {
            return;
        }
        let key = (verdict.account, verdict.realm);
        let slot = self.accounts.find_or_insert(&key, now, || false).slot;
        let Some(was) = self.accounts.get_mut(slot) else { return };
        let was = std::mem::replace(was, verdict.listed);
        let device = called(&verdict.device);
        let sentence = if verdict.listed {
            format!(
                "the SIP password of account {} ({device}) is on the list of published defaults or derived from the extension",
                verdict.account
            )
        } else {
            format!("the SIP password of account {} was changed", verdict.account)
        };
        let found = Found::office(Check::DefaultSipPassword, Severity::Critical, now, sentence)
            .on(&verdict.device)
            .about(&[verdict.account.as_bytes(), verdict.realm.as_bytes()])
            .word("account", verdict.account)
            .word("realm", verdict.realm)
            .word("algorithm", verdict.algorithm)
            .word("list", super::LIST_VERSION);
        match (verdict.listed, was) {
            (true, _) => out.push(found),
            (false, true) => out.push(found.mended()),
            (false, false) => {}
        }
    }

    fn say(&self, scene: &Scene<'_>, sight: Sight) -> Say {
        let checked = self.accounts.len() as u64;
        match checked {
            _ if !scene.settings.password.enabled => {
                Say::CannotSee(Blind::Off, "set [password_check] enabled, networks and realms".to_owned())
            }
            0 if !sight.home => Say::CannotSee(Blind::NoTraffic, String::new()),
            0 if sight.encrypted && !sight.sip => Say::CannotSee(Blind::Encrypted, String::new()),
            0 => Say::NotSeen("no password was proved that may be checked".to_owned()),
            n => Say::Pass(format!("{} checked, none on the list", plural(n, "password"))),
        }
    }

    fn evicted(&self) -> u64 {
        self.accounts.evicted()
    }
}
