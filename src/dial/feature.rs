//! Strings with `*` and `#`: caller-id prefixes, call forwarding, and the rest.
//!
//! In: such a string. Out: the number behind the prefix, the number calls are forwarded to, or a
//! feature code. Never: takes forwarding to a number for a call to it.

use super::extract::{Dialled, Extracted, extract};
use super::reading::{Reading, Step, Steps};
use super::tariff::Band;
use super::{Class, Dial, Group, Kind, Leg};

/// Prefixes that hide or show the caller's number for one call: GSM 02.30 (31), vertical service codes
/// *67 and *82 of the NANP.
const GSM_CALLER_ID: [&[u8]; 2] = [b"*31#", b"#31#"];
const NANP_CALLER_ID: [&[u8]; 2] = [b"*67", b"*82"];
/// GSM 02.30 annex B and ETSI ETS 300 738: unconditional 21, no reply 61, unreachable 62, busy 67, all 002,
/// all conditional 004; 22 to 24, 63 and 64 on PBXs; 40x in India.
const FORWARD_BETWEEN_STARS: [&[u8]; 15] = [
    b"21", b"61", b"62", b"67", b"002", b"004", b"22", b"23", b"24", b"63", b"64", b"401", b"402", b"403",
    b"405",
];
/// Forwarding whose number follows at once: vertical service codes 72, 90 and 92 and their like on PBXs.
const FORWARD_AT_ONCE: [&[u8]; 8] = [b"72", b"90", b"92", b"21", b"61", b"62", b"68", b"63"];
/// Fewer digits follow a code for other reasons.
const SHORTEST_TARGET: usize = 3;
/// Fewer digits are more likely a feature's own argument than a number abroad with its prefix.
const SHORTEST_PROBE: usize = 11;

impl Dial {
    pub(crate) fn read_feature(&self, leg: Leg, dialled: &Dialled) -> Reading {
        // Phones that send `#` to say that dialling is over.
        let code = trimmed(dialled.bytes());
        if dialled.bytes().first().is_some_and(u8::is_ascii_digit) {
            return self.read_digits_first(leg, code, dialled);
        }
        if let Some(rest) = self.after_caller_id(dialled.bytes()) {
            return self.read_inner(leg, rest).by(Steps::default().with(Step::CallerId));
        }
        if let Some(number) = forwarded_between_stars(code) {
            return self.read_forward(leg, number);
        }
        let at_once = forwarded_at_once(code).map(|number| self.read_forward(leg, number));
        // Without a second star only a number that exists tells forwarding from another code.
        let sure = at_once.filter(Reading::is_known);
        sure.or_else(|| self.read_stem(leg, code)).unwrap_or_else(feature)
    }

    /// A whole number abroad behind a lone `*` or `#` is no feature code: scanners try them as stems.
    fn read_stem(&self, leg: Leg, code: &[u8]) -> Option<Reading> {
        let rest = code.strip_prefix(b"*").or_else(|| code.strip_prefix(b"#"))?;
        if rest.len() < SHORTEST_PROBE || !rest.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let reading = self.read_public(leg, rest, Steps::default());
        let abroad = matches!(reading.target.class, Class::Overseas | Class::Global) && reading.target.exact;
        (abroad || reading.target.class == Class::Suspect).then(|| reading.probed())
    }

    /// `02079460958#`, and outside lines before a caller-id prefix: `9*67…`.
    fn read_digits_first(&self, leg: Leg, code: &[u8], dialled: &Dialled) -> Reading {
        if code.iter().all(u8::is_ascii_digit) {
            return self.read_inner(leg, code);
        }
        let behind = |prefix: &Vec<u8>| dialled.bytes().strip_prefix(prefix.as_slice());
        let inner = self
            .home
            .outside
            .iter()
            .filter_map(behind)
            .find(|rest| !rest.first().is_some_and(u8::is_ascii_digit));
        match inner.and_then(|rest| self.after_caller_id(rest)) {
            Some(rest) => {
                let steps = Steps::default().with(Step::Outside).with(Step::CallerId);
                self.read_public(leg, trimmed(rest), Steps::default()).by(steps)
            }
            None => feature(),
        }
    }

    fn after_caller_id<'d>(&self, code: &'d [u8]) -> Option<&'d [u8]> {
        let nanp: &[&[u8]] = if self.home.nanp { &NANP_CALLER_ID } else { &[] };
        let rest = GSM_CALLER_ID.iter().chain(nanp).find_map(|prefix| code.strip_prefix(*prefix))?;
        let rest = trimmed(rest);
        let number = rest.strip_prefix(b"+").unwrap_or(rest);
        (number.len() >= SHORTEST_TARGET && number.iter().all(u8::is_ascii_digit)).then_some(rest)
    }

    /// Call forwarding takes the region, number and group of where it leads.
    fn read_forward(&self, leg: Leg, number: &[u8]) -> Reading {
        let mut reading = self.read_inner(leg, number);
        let target = &mut reading.target;
        target.class = Class::Feature;
        target.kind = Kind::ForwardTo;
        reading.ruled("call forwarding")
    }

    /// A number inside a code: it holds no `*` or `#`, so this goes no deeper.
    fn read_inner(&self, leg: Leg, number: &[u8]) -> Reading {
        match extract(number) {
            Extracted::Dialled(dialled) if dialled.digits => self.read_dialled(leg, &dialled),
            _ => feature(),
        }
    }
}

fn feature() -> Reading {
    Reading::plain(Class::Feature, Kind::Feature, Group::Free, Band::Free, "feature code")
}

/// Without the `#` that ends a string.
fn trimmed(code: &[u8]) -> &[u8] {
    code.strip_suffix(b"#").unwrap_or(code)
}

/// The code behind one or two stars; `#…` switches forwarding off.
fn switched_on(code: &[u8]) -> Option<&[u8]> {
    let code = code.strip_prefix(b"*")?;
    Some(code.strip_prefix(b"*").unwrap_or(code))
}

/// The number in `*21*N`, perhaps followed by the kind of service and a time: `*61*N*11*20`.
fn forwarded_between_stars(code: &[u8]) -> Option<&[u8]> {
    let code = switched_on(code)?;
    let star = code.iter().position(|byte| *byte == b'*')?;
    let (service, rest) = code.split_at_checked(star)?;
    if !FORWARD_BETWEEN_STARS.contains(&service) {
        return None;
    }
    number_at_start(rest.get(1..)?)
}

/// The number in `*72N`.
fn forwarded_at_once(code: &[u8]) -> Option<&[u8]> {
    let code = switched_on(code)?;
    number_at_start(FORWARD_AT_ONCE.iter().find_map(|service| code.strip_prefix(*service))?)
}

fn number_at_start(rest: &[u8]) -> Option<&[u8]> {
    let end = rest.iter().position(|byte| matches!(byte, b'*' | b'#')).unwrap_or(rest.len());
    rest.get(..end).filter(|number| number.len() >= SHORTEST_TARGET)
}
