//! Which second leg belongs to which first one: a PBX that answers a handset and dials a trunk
//! gives the new leg its own Call-ID (RFC 7092, back-to-back user agents).
//!
//! In: attempts. Out: the number of the call that a new leg continues.
//! Never: joins legs that don't meet at one address.

use std::net::IpAddr;

use super::{CallNo, Calls, Seen};
use crate::handsets::Network;
use crate::time::{Span, Timestamp};

/// A PBX dials on within this time.
const WITHIN: Span = Span::seconds(2);

/// Attempts that are remembered for joining.
const REMEMBERED: usize = 64;

/// Shorter called numbers must be equal, longer ones need only end alike.
const SUFFIX_DIGITS: u32 = 6;

/// What a proxy or a dialog's other end puts in place of the number has fewer digits: an extension, a
/// device's own name.
const ELSEWHERE_DIGITS: u32 = 8;

/// No telephone number is shorter.
const NUMBER_DIGITS: u32 = 3;

/// The last digits of what was called, enough to know it again behind prefixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tail {
    /// The last eight digits, the very last one in the lowest byte.
    digits: u64,
    /// All digits there were, not only those kept.
    len: u32,
}

impl Tail {
    /// From a URI's user part, up to its parameters.
    pub(super) fn of(user: &[u8]) -> Self {
        Self::of_digits(user.strip_prefix(b"+").unwrap_or(user)).unwrap_or_else(|| Self::of_any(user))
    }

    /// The same where there is nothing but digits, at least eight.
    fn of_digits(user: &[u8]) -> Option<Self> {
        let last = u64::from_be_bytes(*user.last_chunk()?);
        let (eights, rest) = user.as_chunks::<8>();
        let digits = eights.iter().all(|eight| are_digits(u64::from_be_bytes(*eight)))
            && (rest.is_empty() || are_digits(last));
        digits.then(|| Self { digits: last, len: u32::try_from(user.len()).unwrap_or(u32::MAX) })
    }

    fn of_any(user: &[u8]) -> Self {
        let mut tail = Self::default();
        for byte in user {
            match byte {
                b'0'..=b'9' => {
                    tail.digits = (tail.digits << 8) | u64::from(*byte);
                    tail.len += 1;
                }
                b';' | b'@' | b'?' => break,
                _ => {}
            }
        }
        tail
    }

    /// Whether there are any digits.
    pub(super) const fn is_known(&self) -> bool {
        self.len > 0
    }

    /// Whether this is a telephone number, and not the one that was called before behind other prefixes.
    pub(super) fn is_elsewhere(&self, before: &Self) -> bool {
        self.len >= ELSEWHERE_DIGITS && !self.continues(before)
    }

    /// Whether these are other digits than those that were called before, however few: more than prefixes
    /// taken off.
    pub(super) fn is_another(&self, before: &Self) -> bool {
        let behind_prefixes = self.len < before.len && (self.digits ^ before.digits) << self.spare() == 0;
        self.len >= NUMBER_DIGITS && before.is_known() && !behind_prefixes && !self.continues(before)
    }

    /// How many bits of `digits` none of its digits takes.
    fn spare(&self) -> u32 {
        64 - 8 * self.len.clamp(1, 8)
    }

    pub(super) fn continues(&self, first: &Self) -> bool {
        let shorter = self.len.min(first.len);
        if shorter < 2 || (shorter < SUFFIX_DIGITS && self.len != first.len) {
            return false;
        }
        // Bits above the digits that both have don't count.
        (self.digits ^ first.digits) << (64 - 8 * shorter.min(8)) == 0
    }
}

/// Whether eight bytes are ASCII digits: 0x30 to 0x39, and nothing above once six is added.
const fn are_digits(eight: u64) -> bool {
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    eight & HIGH == ZEROS && eight.wrapping_add(0x0606_0606_0606_0606) & HIGH == ZEROS
}

/// One end of a leg as the join sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    pub(super) call: CallNo,
    pub(super) at: Timestamp,
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) called: Tail,
    pub(super) caller: Tail,
    /// A keyed hash of Session-ID's local part (RFC 7989); 0 if there is none.
    pub(super) session: u64,
    /// Whether nobody placed it yet: a REFER asks for it.
    pub(super) asked: bool,
}

/// The latest attempts.
#[derive(Debug)]
pub(super) struct Legs {
    ring: [Option<(Leg, bool)>; REMEMBERED],
    next: usize,
    /// See `Calls::know_pbx`.
    pub(super) pbx: Vec<Network>,
    /// How many remembered legs reach an address, by a byte of it: where there are none, and that
    /// is so for nearly all handsets, nobody needs to look.
    reached: [u8; 256],
}

impl Default for Legs {
    fn default() -> Self {
        Self { ring: [None; REMEMBERED], next: 0, pbx: Vec::new(), reached: [0; 256] }
    }
}

/// All octets of an address in one.
fn folded(ip: IpAddr) -> usize {
    let fold = |octets: &[u8]| octets.iter().fold(0u8, |sum, octet| sum.rotate_left(3) ^ octet);
    usize::from(match ip {
        IpAddr::V4(v4) => fold(&v4.octets()),
        IpAddr::V6(v6) => fold(&v6.octets()),
    })
}

impl Legs {
    /// One address for all that the PBX has; any other is what it is.
    #[inline]
    pub(super) fn node(&self, ip: IpAddr) -> IpAddr {
        match self.pbx.first() {
            Some(first) if self.pbx.iter().any(|network| network.contains(ip)) => first.base,
            _ => ip,
        }
    }

    /// Remembers a first leg.
    #[inline]
    pub(super) fn remember(&mut self, leg: Leg) {
        let place = &mut self.ring[self.next];
        if let Some((old, _)) = place {
            self.reached[folded(old.dst)] -= 1;
        }
        self.reached[folded(leg.dst)] += 1;
        *place = Some((leg, false));
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// What somebody at this address was just asked for.
    fn asked_at(&self, at: IpAddr, called: &Tail, now: Timestamp) -> Option<Leg> {
        let asked = |leg: &&Leg| leg.asked && leg.dst == at && leg.called == *called;
        let legs = self.ring.iter().flatten().map(|(leg, _)| leg);
        legs.filter(asked).find(|leg| now.since(leg.at) <= WITHIN).copied()
    }

    /// Whether a remembered leg may reach an address: where none does no leg continues it.
    #[inline]
    pub(super) fn reach(&self, ip: IpAddr) -> bool {
        self.reached[folded(ip)] != 0
    }

    /// The call that a leg from `second.src` continues, and whether it's a call of its own all the same:
    /// a REFER asked for it, or it goes to quite another telephone number, as a forward or a speed dial
    /// makes of it. It is one that just reached that address, with the same Session-ID, called number or
    /// calling number. Legs that nothing continues yet come first, so that two handsets calling one number
    /// keep their own trunk legs; one that is
    /// continued already may fork, but then the caller must be the same.
    pub(super) fn first_of(&mut self, second: &Leg) -> Option<(CallNo, bool)> {
        let oldest_first = (0..REMEMBERED).map(|i| (self.next + i) % REMEMBERED);
        let fits = |leg: &Leg| {
            leg.dst == second.src
                // A proxy that passed a REFER on passes the call on, too.
                && (leg.asked || leg.src != second.dst)
                && second.at.since(leg.at) <= WITHIN
                && ((leg.session != 0 && leg.session == second.session)
                    || second.called.continues(&leg.called)
                    || (second.caller.len >= SUFFIX_DIGITS && second.caller.continues(&leg.caller)))
        };
        let candidates: [Option<usize>; 2] = oldest_first.fold([None; 2], |mut found, i| {
            if let Some((leg, continued)) = &self.ring[i]
                && fits(leg)
                && (!continued || leg.session != 0 || leg.caller == second.caller)
            {
                found[usize::from(*continued)].get_or_insert(i);
            }
            found
        });
        let index = candidates[0].or(candidates[1])?;
        let (leg, continued) = self.ring[index].as_mut()?;
        *continued = true;
        Some((leg.call, leg.asked || second.called.is_elsewhere(&leg.called)))
    }
}

impl<T: Copy> Calls<T> {
    /// All addresses of the PBX: it takes a call at one, and may pass it on from another.
    pub fn know_pbx(&mut self, pbx: &[Network]) {
        self.legs.pbx = pbx.to_vec();
    }

    /// A number for a call that somebody asks the PBX for. Should the PBX place it, it isn't counted again.
    pub fn asked_for(&mut self, seen: &Seen<'_>, dialled: &[u8]) -> CallNo {
        let call = self.next_no();
        self.legs.remember(Leg {
            call,
            at: seen.now,
            src: self.legs.node(seen.path.src.ip()),
            dst: self.legs.node(seen.path.dst.ip()),
            called: Tail::of(dialled),
            caller: Tail::of(seen.caller),
            session: 0,
            asked: true,
        });
        call
    }

    /// The same request on its next hop, through a proxy to whoever is to place the call. Whether it was one.
    pub fn asked_on(&mut self, seen: &Seen<'_>, dialled: &[u8]) -> bool {
        let [src, dst] = [seen.path.src, seen.path.dst].map(|end| self.legs.node(end.ip()));
        let asked = self.legs.asked_at(src, &Tail::of(dialled), seen.now);
        if let Some(leg) = asked {
            self.legs.remember(Leg { src, dst, ..leg });
        }
        asked.is_some()
    }
}

/// The part of Session-ID that stays the same along the call: the caller's UUID (RFC 7989).
pub(super) fn session_part(value: &[u8]) -> Option<&[u8]> {
    let part = value.split(|b| *b == b';').next().unwrap_or(&[]).trim_ascii();
    if part.len() < 16 || part.iter().all(|b| *b == b'0') { None } else { Some(part) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The short way for digits says what the long way says.
        #[test]
        fn a_tail_is_the_same_on_both_ways(user in "[0-9+;a*:/]{0,2}[0-9]{0,24}[0-9:/;@#x]{0,2}") {
            prop_assert_eq!(Tail::of(user.as_bytes()), Tail::of_any(user.as_bytes()));
        }
    }
}
