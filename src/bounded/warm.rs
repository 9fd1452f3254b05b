//! Memory that will be read in a moment, asked for before: whoever comes by then needn't wait for it.
//!
//! In: places. Out: nothing but time. Never: changes or reads anything.

use prefetch_index::prefetch_index;

use super::{SlotId, Table};

/// Bytes of a cache line.
const LINE: usize = 64;

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
        let Some(slot) = self.slots.get(slot.index as usize) else { return };
        let start = std::slice::from_ref(&slot.generation);
        for line in 0..=size_of_val(slot) / LINE {
            prefetch_index(start, line * (LINE / size_of::<u32>()));
        }
    }
}
