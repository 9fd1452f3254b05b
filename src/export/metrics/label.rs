//! How a handset is named in a metric.
//!
//! In: who it is, what the operator calls it. Out: a label.
//! Never: what a stranger calls itself.

use std::collections::BTreeMap;
use std::fmt::Write;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::handsets::Who;

/// Handsets in `ringfence_handset_info`.
pub(super) const MOST: usize = 200;

/// Which handsets metrics name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HandsetLabel {
    /// None.
    Off,
    /// Those with an open alert.
    #[default]
    Alerting,
    /// All, up to a limit.
    All,
}

/// What handsets are called.
#[derive(Clone, Default)]
pub struct Names {
    /// The operator's names by extension.
    pub configured: BTreeMap<String, String>,
    /// For the label of those that nobody named: the same key gives the same label.
    pub key: [u8; 32],
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Names").field("configured", &self.configured).finish_non_exhaustive()
    }
}

impl Names {
    /// The configured name; else an account that the registrar accepted, if it looks like one; else
    /// `h-` and eight hex digits that only this key gives. The whole office has no handset: empty.
    pub fn label(&self, who: Option<&Who>) -> String {
        let Some(who) = who else { return String::new() };
        let user = std::str::from_utf8(who.user.as_bytes()).unwrap_or_default();
        if let Some(name) = self.configured.get(user).filter(|_| !user.is_empty()) {
            return name.clone();
        }
        if who.verified && !who.user.is_cut() && is_plain(user) {
            return user.to_owned();
        }
        self.hashed(who)
    }

    fn hashed(&self, who: &Who) -> String {
        let mut label = String::from("h-");
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return label };
        mac.update(who.ip.to_string().as_bytes());
        if who.verified {
            mac.update(b"/");
            mac.update(who.user.as_bytes());
        }
        for byte in mac.finalize().into_bytes().iter().take(4) {
            let _ = write!(label, "{byte:02x}");
        }
        label
    }
}

/// `[A-Za-z0-9._-]{1,32}`
fn is_plain(user: &str) -> bool {
    (1..=32).contains(&user.len())
        && user.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}
