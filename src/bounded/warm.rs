//! Memory that will be read in a moment, asked for before: whoever comes by then needn't wait for it.
//!
//! In: places. Out: nothing but time. Never: changes or reads anything.

use prefetch_index::prefetch_index;

use super::{SlotId, Table};

/// Bytes of a cache line.
const LINE: usize = 64;

/// Lines of an entry that are asked for at the most: a core waits for some 16 at a time, and what follows
/// it fetches by itself once it is being read.
const MOST: usize = 12;

/// Asks for the beginning of an element, if there is one.
#[inline]
pub fn warm<T>(elements: &[T], index: usize) {
    if index < elements.len() {
        prefetch_index(elements, index);
    }
}

impl<K, V> Table<K, V> {
    /// Asks for the memory of a slot.
    #[inline]
    pub fn warm(&self, slot: SlotId) {
        self.warm_index(slot.index);
    }

    /// Asks for the memory of an entry that belongs to a slot of another table, if it is known where it
    /// stood last.
    #[inline]
    pub fn warm_near(&self, whose: SlotId) {
        if let Some(index) = self.near.get(whose.index as usize) {
            self.warm_index(*index);
        }
    }

    #[inline]
    fn warm_index(&self, index: u32) {
        let Some(slot) = self.slots.get(index as usize) else { return };
        let start = std::slice::from_ref(&slot.generation);
        for line in 0..(size_of_val(slot) / LINE + 1).min(MOST) {
            prefetch_index(start, line * (LINE / size_of::<u32>()));
        }
    }
}
