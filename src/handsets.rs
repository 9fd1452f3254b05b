//! Who is on the phone.
//!
//! In: paths and messages. Out: `HandsetId`, `Who`.
//! Never: trusts From.

use std::net::IpAddr;

use crate::bounded::SlotId;
use crate::decode::Mac;
use crate::text::Text;

/// A handset (or trunk) for as long as it is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandsetId(pub SlotId);

/// Who placed a call, as far as it's known when the fact is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// Which handset.
    pub id: HandsetId,
    /// The account that the registrar or PBX accepted, else the user that messages name; may be empty.
    pub user: Text<32>,
    /// Whether the registrar or PBX accepted `user`.
    pub verified: bool,
    /// Its address.
    pub ip: IpAddr,
    /// Its hardware address, unless that is a router's.
    pub mac: Option<Mac>,
}
