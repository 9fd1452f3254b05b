//! Which second leg belongs to which first one: a PBX that answers a handset and dials a trunk
//! gives the new leg its own Call-ID (RFC 7092, back-to-back user agents).
//!
//! In: attempts. Out: the latest of them, to be searched; what of their numbers is compared.
//! Never: grows.

use std::net::IpAddr;

use super::{Call, CallNo, Calls, Seen, Tie};
use crate::bounded::SlotId;
use crate::decode::Mac;
use crate::handsets::Network;
use crate::time::Timestamp;

/// Attempts that are remembered for joining.
pub(super) const REMEMBERED: usize = 64;

/// Attempts after which one that was captured before the leg it continues is still looked for.
const LONE: usize = 4;

/// Shorter called numbers must be equal, longer ones need only end alike.
pub(super) const SUFFIX_DIGITS: u32 = 6;

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

    /// Whether both are long enough to be telephone numbers, and end alike.
    pub(super) fn is_number_of(&self, first: &Self) -> bool {
        self.len.min(first.len) >= SUFFIX_DIGITS && self.continues(first)
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

/// A leg as the join sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    pub(super) call: CallNo,
    /// Where the call stands in the table.
    pub(super) slot: SlotId,
    /// When its INVITE was seen.
    pub(super) at: Timestamp,
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    /// The sender's and the receiver's hardware address.
    pub(super) macs: [Option<Mac>; 2],
    pub(super) called: Tail,
    pub(super) caller: Tail,
    /// A keyed hash of what stays the same along the call; 0 if there is nothing.
    pub(super) session: u64,
    /// Whether nobody placed it yet: a REFER or a redirection asks for it.
    pub(super) asked: bool,
    /// Whether it came through a proxy, which may well get it back from a PBX behind it.
    pub(super) proxied: bool,
}

/// The latest attempts.
#[derive(Debug)]
pub(super) struct Legs {
    /// With the latest leg that continues it.
    pub(super) ring: [Option<(Leg, Option<SlotId>)>; REMEMBERED],
    pub(super) next: usize,
    /// See `Calls::know_pbx`.
    pub(super) pbx: Vec<Network>,
    /// How many remembered legs reach an address, by a byte of it: where there are none, and that
    /// is so for nearly all handsets, nobody needs to look.
    reached: [u8; 256],
    /// The same by a byte of the hardware address.
    reached_macs: [u8; 256],
    /// Who sent the latest legs that continue none.
    lone: [u32; LONE],
    next_lone: usize,
}

impl Default for Legs {
    fn default() -> Self {
        Self {
            ring: [None; REMEMBERED],
            next: 0,
            pbx: Vec::new(),
            reached: [0; 256],
            reached_macs: [0; 256],
            lone: [0; LONE],
            next_lone: 0,
        }
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

/// An address in few bits, of which the last ones tell the most.
fn shortened(ip: IpAddr) -> u32 {
    match ip {
        IpAddr::V4(v4) => v4.to_bits(),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            [96, 64, 32, 0].iter().fold(0u32, |sum, shift| {
                let [.., a, b, c, d] = (bits >> shift).to_be_bytes();
                sum.rotate_left(7) ^ u32::from_be_bytes([a, b, c, d])
            })
        }
    }
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

    /// Remembers a leg; `by` already continues it. `lone` is one that continues none.
    #[inline]
    pub(super) fn remember(&mut self, leg: Leg, by: Option<SlotId>, lone: bool) {
        let place = &mut self.ring[self.next];
        if let Some((old, _)) = place {
            self.reached[folded(old.dst)] -= 1;
            if let Some(mac) = old.macs[1] {
                self.reached_macs[usize::from(mac.0[5])] -= 1;
            }
        }
        self.reached[folded(leg.dst)] += 1;
        if let Some(mac) = leg.macs[1] {
            self.reached_macs[usize::from(mac.0[5])] += 1;
        }
        if lone {
            self.lone[self.next_lone] = shortened(leg.src);
            self.next_lone = (self.next_lone + 1) % LONE;
        }
        *place = Some((leg, by));
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// Whether a remembered leg may reach an address: where none does no leg continues it.
    #[inline]
    pub(super) fn reach(&self, ip: IpAddr) -> bool {
        self.reached[folded(ip)] != 0
    }

    /// Whether a leg from where no leg was seen to go may have to do with one all the same: whoever is
    /// called has just sent one on, the sender has just tried another server, or its hardware was reached under
    /// another address.
    #[inline]
    pub(super) fn may_be_odd(&self, leg: &Leg) -> bool {
        self.lone.contains(&shortened(leg.dst))
            || self.lone.contains(&shortened(leg.src))
            || (leg.session != 0
                || leg.macs[0].is_some_and(|mac| self.reached_macs[usize::from(mac.0[5])] != 0))
                && !self.reach(leg.dst)
    }
}

impl<T: Copy> Calls<T> {
    /// The call that the last leg continues, if that was found by its legs.
    pub fn origin(&self) -> Option<&Call<T>> {
        self.table.get(self.origin?)
    }

    /// The same, to change it.
    pub fn origin_mut(&mut self) -> Option<&mut Call<T>> {
        self.table.get_mut(self.origin?)
    }

    /// The last attempt is a part of a call that nobody is charged with: it is judged itself.
    pub fn stands_for_both(&mut self, slot: SlotId) {
        if let Some(call) = self.table.get_mut(slot) {
            (call.joined, call.asked, call.tie) = (false, true, Tie::Elsewhere);
        }
    }

    /// A leg is judged beside the one that it seemed to be a part of.
    pub fn stands_alone(&mut self, slot: SlotId) {
        let no = self.next_no();
        self.stands_for_both(slot);
        if let Some(call) = self.table.get_mut(slot) {
            call.no = no;
        }
    }

    /// Whether a leg of a call that was seen lately goes to such an address.
    pub fn any_reaches(&self, call: CallNo, is: impl Fn(IpAddr) -> bool) -> bool {
        self.legs.all().any(|(_, leg, _)| leg.call == call && is(leg.dst))
    }

    /// The call that the last attempt turned into a second leg.
    pub fn second(&self) -> Option<&Call<T>> {
        self.table.get(self.late?)
    }

    /// The call that the last attempt turned into a second leg: that was its first one, and came later.
    pub fn take_second(&mut self) -> Option<SlotId> {
        self.late.take()
    }

    /// All addresses of the PBX: it takes a call at one, and may pass it on from another.
    pub fn know_pbx(&mut self, pbx: &[Network]) {
        self.legs.pbx = pbx.to_vec();
    }

    /// Somebody asks the PBX for a call: one of its own, or a part of the call `of`. Should the PBX place it,
    /// it isn't counted again. The answer is its number.
    pub fn asked_for(&mut self, seen: &Seen<'_>, dialled: &[u8], of: Option<CallNo>) -> CallNo {
        let call = of.unwrap_or_else(|| self.next_no());
        let leg = Leg {
            call,
            slot: SlotId::default(),
            at: seen.now,
            src: self.legs.node(seen.path.src.ip()),
            dst: self.legs.node(seen.path.dst.ip()),
            macs: [None; 2],
            called: Tail::of(dialled),
            caller: Tail::of(seen.caller),
            session: 0,
            asked: true,
            proxied: false,
        };
        self.legs.remember(leg, None, false);
        call
    }

    /// The same request on its next hop, through a proxy to whoever is to place the call. Whether it was one.
    pub fn asked_on(&mut self, seen: &Seen<'_>, dialled: &[u8]) -> bool {
        let [src, dst] = [seen.path.src, seen.path.dst].map(|end| self.legs.node(end.ip()));
        let asked = self.legs.asked_at(src, &Tail::of(dialled), seen.now);
        if let Some(leg) = asked {
            self.legs.remember(Leg { src, dst, ..leg }, None, false);
        }
        asked.is_some()
    }
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
