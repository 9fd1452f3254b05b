//! A table written down, and the hash whose values may be written down with it.
//!
//! In: a table. Out: `Image`, plain data; the same table again, every entry in its old slot.
//! Never: trusts an image: what doesn't fit is left out.

use std::fmt;
use std::hash::{BuildHasher as _, Hash, Hasher as _};

use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{KeyedHash, NONE, Slot, Table};
use crate::time::Timestamp;

/// A table as plain data. It keeps what decides about later entries too: generations, the order of
/// use and which slots are free, so that ids given after a restore are those given without one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image<K, V> {
    generations: Vec<u32>,
    free: Vec<u32>,
    entries: Vec<Entry<K, V>>,
    evicted: u64,
}

impl<K, V> Default for Image<K, V> {
    fn default() -> Self {
        Self { generations: Vec::new(), free: Vec::new(), entries: Vec::new(), evicted: 0 }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry<K, V> {
    index: u32,
    protected: bool,
    touched: Timestamp,
    key: K,
    value: V,
}

impl<K: Hash + Eq + Clone, V: Clone> Table<K, V> {
    /// The table as plain data, entries of each partition in order of use.
    pub fn image(&self) -> Image<K, V> {
        let mut entries = Vec::with_capacity(self.len());
        for protected in [false, true] {
            for index in self.chains.in_order(protected) {
                let Some(slot) = self.slots.get(index as usize) else { continue };
                if let Some((key, value)) = &slot.entry {
                    entries.push(Entry {
                        index,
                        protected,
                        touched: slot.touched,
                        key: key.clone(),
                        value: value.clone(),
                    });
                }
            }
        }
        let generations = self.slots.iter().map(|slot| slot.generation).collect();
        Image { generations, free: self.free.clone(), entries, evicted: self.evicted }
    }

    /// Becomes what the image says, within this table's own limits: entries that don't fit, or that
    /// contradict the image, are left out, the most recently used come first.
    pub fn restore(&mut self, image: Image<K, V>) {
        let [strangers, protected] = [false, true].map(|protected| self.chains.capacity(protected));
        let mut restored = Self::new(strangers, protected);
        if self.chains.are_loose() {
            restored.chains.loosen();
        }
        restored.evicted = image.evicted;
        let room = strangers.saturating_add(protected);
        for generation in image.generations.into_iter().take(room.min(NONE as usize)) {
            restored.slots.push(Slot { entry: None, touched: Timestamp::default(), generation });
            restored.chains.push();
        }
        let kept = restored.fitting(image.entries);
        for entry in kept.into_iter().rev() {
            restored.put_back(entry);
        }
        restored.free = restored.free_list(&image.free);
        *self = restored;
    }

    /// The entries that fit, the most recently used of each partition first.
    fn fitting(&self, entries: Vec<Entry<K, V>>) -> Vec<Entry<K, V>> {
        let mut room = [false, true].map(|protected| self.chains.capacity(protected));
        let mut kept = Vec::new();
        for entry in entries.into_iter().rev() {
            let room = &mut room[usize::from(entry.protected)];
            if *room > 0 {
                *room -= 1;
                kept.push(entry);
            }
        }
        kept
    }

    fn put_back(&mut self, entry: Entry<K, V>) {
        let Entry { index, protected, touched, key, value } = entry;
        let hash = self.hash(&key);
        let known = self.index_of(hash, &key).is_some();
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        if slot.entry.is_some() || known {
            return;
        }
        slot.entry = Some((key, value));
        slot.touched = touched;
        self.enter(index, hash, protected);
    }

    /// Every slot without an entry once: first those that the image names, in its order.
    fn free_list(&mut self, named: &[u32]) -> Vec<u32> {
        let mut taken: Vec<bool> = self.slots.iter().map(|slot| slot.entry.is_some()).collect();
        let mut free = Vec::new();
        for index in named {
            if let Some(taken) = taken.get_mut(*index as usize)
                && !std::mem::replace(taken, true)
            {
                free.push(*index);
            }
        }
        for (index, taken) in (0u32..).zip(taken) {
            if !taken {
                // An entry that was left out: whoever kept its id must not take another for it.
                if let Some(slot) = self.slots.get_mut(index as usize) {
                    slot.generation = slot.generation.wrapping_add(1);
                }
                free.push(index);
            }
        }
        free
    }
}

/// A keyed hash of bytes whose key can be kept over a restart: for values that are kept themselves.
/// The key is secret: whoever knows it can make keys collide.
#[derive(Clone)]
pub struct LastingHash {
    key: [u64; 2],
    seed: SharedSeed,
}

impl LastingHash {
    fn with_key(key: [u64; 2]) -> Self {
        Self { key, seed: SharedSeed::from_u64(key[1]) }
    }

    /// The hash of some bytes.
    pub fn of(&self, bytes: &[u8]) -> u64 {
        let mut hasher = FoldHasher::with_seed(self.key[0], &self.seed);
        hasher.write(bytes);
        hasher.write_usize(bytes.len());
        hasher.finish()
    }

    /// The hash of a value.
    pub fn hash_one(&self, what: impl Hash) -> u64 {
        let mut hasher = FoldHasher::with_seed(self.key[0], &self.seed);
        what.hash(&mut hasher);
        hasher.finish()
    }
}

impl Default for LastingHash {
    /// With a new random key.
    fn default() -> Self {
        Self::with_key([KeyedHash::default().hash_one(0u8), KeyedHash::default().hash_one(1u8)])
    }
}

impl PartialEq for LastingHash {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl fmt::Debug for LastingHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LastingHash(..)")
    }
}

impl Serialize for LastingHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.key.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LastingHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <[u64; 2]>::deserialize(deserializer).map(Self::with_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Op = (u8, u16);

    fn apply(table: &mut Table<u16, u16>, ops: &[Op], from: i64) -> Vec<(u64, bool, Option<u64>)> {
        let mut seen = Vec::new();
        for (step, (op, key)) in (from..).zip(ops) {
            match op {
                0 => {
                    let done = table.find_or_insert(key, Timestamp(step), || *key);
                    table.protect(done.slot);
                }
                1 => drop(table.find(key).and_then(|slot| table.remove(slot))),
                _ => {
                    let done = table.find_or_insert(key, Timestamp(step), || *key);
                    let evicted = done.evicted.map(|(slot, ..)| slot.as_u64());
                    seen.push((done.slot.as_u64(), done.new, evicted));
                }
            }
        }
        seen
    }

    proptest! {
        /// A table that was written down and read again does what the first one does.
        #[test]
        fn a_restored_table_goes_on_alike(
            before in proptest::collection::vec((0u8..5, 0u16..40), 0..200),
            after in proptest::collection::vec((0u8..5, 0u16..40), 0..200),
        ) {
            let mut first = Table::new(8, 4);
            apply(&mut first, &before, 0);
            let bytes = postcard::to_stdvec(&first.image()).unwrap();
            let mut second = Table::new(8, 4);
            second.restore(postcard::from_bytes(&bytes).unwrap());
            prop_assert_eq!(apply(&mut first, &after, 1_000), apply(&mut second, &after, 1_000));
            prop_assert_eq!(first.image(), second.image());
        }

        /// Whatever an image claims, the table keeps its bounds and its parts agree.
        #[test]
        fn a_hostile_image_gives_a_sound_table(
            generations in proptest::collection::vec(any::<u32>(), 0..30),
            free in proptest::collection::vec(0u32..40, 0..30),
            entries in proptest::collection::vec((0u32..40, any::<bool>(), any::<i64>(), 0u16..20), 0..40),
            after in proptest::collection::vec((0u8..5, 0u16..40), 0..100),
        ) {
            let entries = entries.into_iter().map(|(index, protected, touched, key)| {
                Entry { index, protected, touched: Timestamp(touched), key, value: key }
            });
            let image = Image { generations, free, entries: entries.collect(), evicted: u64::MAX };
            let mut table = Table::new(8, 4);
            table.restore(image);
            prop_assert!(table.len() <= 12);
            prop_assert_eq!(table.iter().count(), table.len());
            apply(&mut table, &after, 0);
            prop_assert!(table.len() <= 12);
            for (slot, key, _) in table.iter() {
                prop_assert_eq!(table.find(key), Some(slot));
            }
        }
    }

    proptest! {
        /// Loose chains tell the same order as tight ones, before and after they are asked.
        #[test]
        fn a_loose_table_is_as_any(
            before in proptest::collection::vec((0u8..5, 0u16..16), 0..60),
            after in proptest::collection::vec((0u8..5, 0u16..16), 0..60),
        ) {
            let (mut loose, mut tight) = (Table::loose(8, 4), Table::new(8, 4));
            prop_assert_eq!(apply(&mut loose, &before, 0), apply(&mut tight, &before, 0));
            prop_assert_eq!(loose.image(), tight.image());
            let mut again = Table::loose(8, 4);
            again.restore(loose.image());
            for table in [&mut again, &mut loose, &mut tight] {
                apply(table, &after, 1_000);
                table.expire(Timestamp(1_010));
            }
            prop_assert_eq!(loose.image(), tight.image());
            prop_assert_eq!(again.image(), tight.image());
        }
    }

    #[test]
    fn an_entry_that_found_no_room_leaves_no_heir_to_its_id() {
        let mut table = Table::new(4, 0);
        let slots = [1, 2, 3].map(|key| table.find_or_insert(&key, Timestamp(key), || ()).slot);
        let mut smaller = Table::new(2, 0);
        smaller.restore(table.image());
        assert_eq!(slots.map(|slot| smaller.get(slot).is_some()), [false, true, false]);
        smaller.find_or_insert(&7, Timestamp(9), || ());
        assert!(smaller.get(slots[0]).is_none());
    }

    #[test]
    fn the_hash_lasts_with_its_key_and_not_without() {
        let first = LastingHash::default();
        let bytes = postcard::to_stdvec(&first).unwrap();
        let again: LastingHash = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(first.of(b"214"), again.of(b"214"));
        assert_ne!(first.of(b"214"), LastingHash::default().of(b"214"));
        assert!(!format!("{first:?}").contains(char::is_numeric));
    }
}
