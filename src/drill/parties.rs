//! The two ends of each sort of leg.
//!
//! In: a site and a call. Out: a leg, ready to be played.
//! Never: decides when anything is sent.

use super::call::{Call, Way};
use super::leg::{Leg, Party};
use super::proof::Auth;
use super::rng::Rng;
use super::site::{DOMAIN, MAIN_NUMBER, Site};

fn phone(site: &Site, handset: usize, rng: &mut Rng) -> Party {
    let handset = &site.handsets[handset];
    Party {
        end: handset.end,
        agent: handset.make.agent,
        allow: handset.make.allow,
        supported: handset.make.supported,
        contact: handset.user.clone(),
        media: media(rng),
    }
}

fn exchange(site: &Site, contact: &str, rng: &mut Rng) -> Party {
    Party {
        end: site.pbx_end(),
        agent: "ExamplePBX 18.4",
        allow: "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, REFER, NOTIFY",
        supported: "replaces, timer",
        contact: contact.to_owned(),
        media: media(rng),
    }
}

fn carrier(contact: &str, rng: &mut Rng) -> Party {
    Party {
        end: Site::carrier_end(),
        agent: "ExampleCarrier SBC 9.2",
        allow: "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE",
        supported: "timer",
        contact: contact.to_owned(),
        media: media(rng),
    }
}

fn media(rng: &mut Rng) -> u16 {
    u16::try_from(rng.between(5_500, 15_000) * 2).unwrap_or(11_000)
}

fn leg(caller: Party, callee: Party, rng: &mut Rng) -> Leg {
    Leg {
        caller,
        callee,
        call_id: rng.hex(16),
        tags: [rng.hex(10), rng.hex(10)],
        secret: rng.bits(),
        from_name: String::new(),
        from_user: String::new(),
        from_host: DOMAIN.to_owned(),
        to_user: String::new(),
        to_host: DOMAIN.to_owned(),
        first_cseq: u32::try_from(rng.between(1, 400)).unwrap_or(1),
        account: None,
        password: String::new(),
        auth: Auth::Acted,
        more: String::new(),
        expires: 3_600,
        target: String::new(),
        diverted_by: String::new(),
        joined: false,
        reused: false,
    }
}

/// Handset to PBX.
pub(super) fn outward(site: &Site, call: &Call, rng: &mut Rng) -> Leg {
    let handset = &site.handsets[call.handset];
    let parties = (phone(site, call.handset, rng), exchange(site, "pbx", rng));
    let mut leg = leg(parties.0, parties.1, rng);
    if handset.make.address_in_call_id {
        leg.call_id = format!("{}@{}", leg.call_id, handset.end.ip);
    }
    if let Some(id) = &call.shared_id {
        leg.reused = true;
        leg.call_id.clone_from(id);
        leg.tags[0].clone_from(id);
    }
    handset.name.clone_into(&mut leg.from_name);
    leg.from_user.clone_from(&handset.user);
    leg.to_user = match &call.way {
        Way::Internal(to) => site.handsets[*to].user.clone(),
        // RFC 3261 section 25.1: a hash is escaped in the user part.
        _ => call.number.replace('#', "%23"),
    };
    leg.account = Some(handset.user.clone());
    proves(leg, site, call.handset)
}

/// The caller proves the handset's password, as the PBX asks.
fn proves(mut leg: Leg, site: &Site, handset: usize) -> Leg {
    leg.auth = site.auth;
    leg.password.clone_from(&site.handsets[handset].password);
    leg
}

/// PBX to handset.
pub(super) fn inward(site: &Site, handset: usize, caller: &str, rng: &mut Rng) -> Leg {
    let parties = (exchange(site, caller, rng), phone(site, handset, rng));
    let mut leg = leg(parties.0, parties.1, rng);
    caller.clone_into(&mut leg.from_user);
    leg.to_user.clone_from(&site.handsets[handset].user);
    leg.to_host = format!("{}:{}", site.handsets[handset].end.ip, site.handsets[handset].end.port);
    leg
}

/// Carrier to on-site PBX.
pub(super) fn from_carrier(site: &Site, call: &Call, user: &str, rng: &mut Rng) -> Leg {
    let parties = (carrier(&call.number, rng), exchange(site, user, rng));
    let mut leg = leg(parties.0, parties.1, rng);
    leg.from_user.clone_from(&call.number);
    leg.from_host = Site::carrier_end().ip.to_string();
    leg.to_user = MAIN_NUMBER.to_owned();
    leg.to_host = site.pbx_end().ip.to_string();
    leg
}

/// On-site PBX to carrier.
pub(super) fn to_carrier(site: &Site, call: &Call, number: &str, forwarded: bool, rng: &mut Rng) -> Leg {
    let user = &site.handsets[call.handset].user;
    let parties = (exchange(site, MAIN_NUMBER, rng), carrier(number, rng));
    let mut leg = leg(parties.0, parties.1, rng);
    leg.from_user = if forwarded { call.number.clone() } else { MAIN_NUMBER.to_owned() };
    leg.from_host = site.pbx_end().ip.to_string();
    number.clone_into(&mut leg.to_user);
    leg.to_host = Site::carrier_end().ip.to_string();
    leg.joined = !forwarded;
    leg.more = if forwarded {
        user.clone_into(&mut leg.diverted_by);
        format!("Diversion: <sip:{user}@{DOMAIN}>;reason=unconditional;counter=1\r\n")
    } else {
        format!("P-Asserted-Identity: <sip:{user}@{DOMAIN}>\r\n")
    };
    leg
}

/// Handset to registrar. It registers again long before the registration ends, `every` seconds.
pub(super) fn registration(site: &Site, handset: usize, every: i64, rng: &mut Rng) -> Leg {
    let user = &site.handsets[handset].user;
    let parties = (phone(site, handset, rng), exchange(site, user, rng));
    let mut leg = leg(parties.0, parties.1, rng);
    leg.from_user.clone_from(user);
    leg.to_user.clone_from(user);
    leg.expires = every * 2;
    leg.account = Some(user.clone());
    proves(leg, site, handset)
}
