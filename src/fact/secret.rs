//! Passwords that were proved or shown on the wire, on their way to the password check.
//!
//! In: digest responses, Basic and form log-ins, where the operator switched the check on. Out:
//! `Exercise`, wiped when dropped. Never: becomes a `Fact`, is printed, cloned to anywhere else.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::sighting::Device;
use crate::labels;
use crate::sip::proof::Proof;
use crate::text::Text;
use crate::time::Timestamp;

labels! {
    /// What a password opens.
    pub enum Lock {
        Sip = "sip", "A SIP account.";
        Web = "web", "The device's own web pages.";
        Refused = "refused", "The device's own web pages, which did not let the visitor in.";
    }
}

/// The password as a log-in in clear shows it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Clear {
    /// User name.
    pub username: Vec<u8>,
    /// Password.
    pub password: Vec<u8>,
}

/// The secret itself.
pub enum Secret {
    /// A digest response to be tried against candidates.
    Digest(Box<Proof>),
    /// The password.
    Clear(Clear),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digest(_) => "Digest(***)",
            Self::Clear(_) => "Clear(***)",
        })
    }
}

/// One use of a password.
#[derive(Debug)]
pub struct Exercise {
    /// When.
    pub time: Timestamp,
    /// Which device.
    pub device: Device,
    /// What it opens.
    pub lock: Lock,
    /// The account that the device registers, where it's known: what a hashed user name stands for.
    pub account: Text<32>,
    /// The secret.
    pub secret: Secret,
}
