//! Where addresses belong, as it was last looked up: a look-up goes through half a dozen tables and lists.
//!
//! In: addresses, a number that changes with any answer. Out: `Place`, as the look-up gave it.
//! Never: outlives that number; decides anything: two addresses that share a slot cost look-ups.

use std::cell::Cell;
use std::net::Ipv4Addr;

use crate::touches::Place;

/// A power of two. 12 bytes each: with the addresses of an office it stays in a core's own cache.
const SLOTS: usize = 4_096;

#[derive(Clone, Copy, Debug)]
struct Slot {
    ip: u32,
    changes: u32,
    place: Option<Place>,
}

/// Answers by address.
#[derive(Debug)]
pub(super) struct Found {
    slots: Box<[Cell<Slot>]>,
}

impl Default for Found {
    fn default() -> Self {
        let empty = Slot { ip: 0, changes: 0, place: None };
        Self { slots: vec![Cell::new(empty); SLOTS].into_boxed_slice() }
    }
}

impl Found {
    #[inline]
    fn slot(&self, ip: u32) -> Option<&Cell<Slot>> {
        // Knuth's multiplier: the upper bits of the product depend on all of the address.
        self.slots.get((ip.wrapping_mul(0x9e37_79b1) >> 20) as usize & (SLOTS - 1))
    }

    #[inline]
    pub(super) fn get(&self, ip: Ipv4Addr, changes: u32) -> Option<Place> {
        let slot = self.slot(ip.to_bits())?.get();
        slot.place.filter(|_| slot.ip == ip.to_bits() && slot.changes == changes)
    }

    pub(super) fn put(&self, ip: Ipv4Addr, changes: u32, place: Place) {
        if let Some(slot) = self.slot(ip.to_bits()) {
            slot.set(Slot { ip: ip.to_bits(), changes, place: Some(place) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::touches::{Side, Zone};

    #[test]
    fn an_answer_holds_until_something_changes() {
        let (found, ip) = (Found::default(), Ipv4Addr::new(10, 0, 3, 17));
        let place = Place { ours: true, zone: Zone::Home, phone: true, side: Side::Lan };
        assert_eq!(found.get(Ipv4Addr::UNSPECIFIED, 0), None);
        found.put(ip, 7, place);
        assert_eq!((found.get(ip, 7), found.get(ip, 8)), (Some(place), None));
        assert_eq!(found.get(Ipv4Addr::new(10, 0, 3, 18), 7), None);
    }
}
