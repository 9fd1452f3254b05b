//! Entries of a table that belong to slots of another one, found without a hash.
//!
//! In: where an entry stood when it was found last. Out: the same, if it still stands there.
//! Never: decides: a key that isn't there is looked up as any other.

use std::hash::Hash;

use super::{Inserted, SlotId, Table};
use crate::time::Timestamp;

/// Slots of another table for which a place is kept, at the most.
const MOST: usize = 65_536;

impl<K: Hash + Eq + Clone, V> Table<K, V> {
    /// The slot of a key that belongs to a slot of another table, if that is known: as `find`.
    #[inline]
    pub fn find_near(&self, whose: Option<SlotId>, key: &K) -> Option<SlotId> {
        let place = whose.and_then(|whose| self.near.get(whose.index as usize));
        place.and_then(|index| self.holds(*index, key)).or_else(|| self.find(key))
    }

    /// As `find_or_insert`, of a key that belongs to a slot of another table.
    #[inline]
    pub fn find_or_insert_near(
        &mut self,
        whose: Option<SlotId>,
        key: &K,
        now: Timestamp,
        make: impl FnOnce() -> V,
    ) -> Inserted<K, V> {
        let Some(whose) = whose else { return self.find_or_insert(key, now, make) };
        let place = self.near.get(whose.index as usize);
        if let Some(slot) = place.and_then(|index| self.holds(*index, key)) {
            self.touch_index(slot.index, now);
            return Inserted { slot, new: false, evicted: None };
        }
        let inserted = self.find_or_insert(key, now, make);
        let whose = whose.index as usize;
        if whose < MOST {
            if self.near.len() <= whose {
                self.near.resize(whose + 1, 0);
            }
            self.near[whose] = inserted.slot.index;
        }
        inserted
    }

    /// The slot at a place, if it holds the key.
    #[inline]
    fn holds(&self, index: u32, key: &K) -> Option<SlotId> {
        let slot = self.slots.get(index as usize)?;
        let (known, _) = slot.entry.as_ref()?;
        (known == key).then_some(SlotId { index, generation: slot.generation })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Table;
    use crate::time::Timestamp;
    use proptest::prelude::*;

    proptest! {
        /// Whatever happens to a table, what is looked up by its neighbour's slot is what is looked up
        /// by its key, and goes and stays in the same order.
        #[test]
        fn nearness_changes_nothing(
            ops in proptest::collection::vec((0u8..6, 0u8..12, 0u8..12), 1..300),
        ) {
            let mut others = Table::new(6, 0);
            let (mut near, mut plain) = (Table::new(5, 2), Table::new(5, 2));
            for (step, (op, whose, key)) in ops.into_iter().enumerate() {
                let now = Timestamp(i64::try_from(step).unwrap());
                let whose = (whose < 10).then(|| others.find_or_insert(&whose, now, || ()).slot);
                match op {
                    0 => {
                        let slots = [near.find(&key), plain.find(&key)];
                        prop_assert_eq!(slots[0], slots[1]);
                        if let [Some(a), Some(b)] = slots {
                            prop_assert_eq!(near.remove(a), plain.remove(b));
                        }
                    }
                    1 => {
                        let slot = plain.find(&key);
                        prop_assert_eq!(near.find_near(whose, &key), slot);
                        if let Some(slot) = slot {
                            prop_assert_eq!(near.protect(slot), plain.protect(slot));
                        }
                    }
                    _ => {
                        let a = near.find_or_insert_near(whose, &key, now, || step);
                        let b = plain.find_or_insert(&key, now, || step);
                        prop_assert_eq!((a.slot, a.new, a.evicted), (b.slot, b.new, b.evicted));
                    }
                }
            }
            prop_assert_eq!(near.image(), plain.image());
        }
    }
}
