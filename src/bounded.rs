//! The one table for state that strangers can grow: bounded, expiring, deterministic.
//!
//! In: keys from outside. Out: slots that stay put, the oldest evicted first and counted.
//! Never: lets a stranger's key push out a protected one; lets the map's order decide anything.

mod chains;
mod image;
mod keep;
mod near;
mod warm;

use std::hash::{BuildHasher, Hash};

use chains::{Chains, NONE};
use hashbrown::HashTable;
pub use image::{Image, LastingHash};
pub use keep::{Keep, Plain};
use serde::{Deserialize, Serialize};
pub use warm::warm;

use crate::time::Timestamp;

/// A randomly keyed, fast hash: keys come from outside, so they must not be able to collide at will.
pub type KeyedHash = foldhash::fast::RandomState;

/// The same hash without a key: the same bytes give the same value in every run. Only for measures
/// that are printed, and for caches in which a collision costs one look-up; never for a map.
pub type FixedHash = foldhash::fast::FixedState;

/// Where an entry lives. The generation tells a reused slot from its former tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SlotId {
    index: u32,
    generation: u32,
}

impl SlotId {
    /// Its place in the table, whoever had it before.
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// One number for both parts, for use as a key elsewhere.
    pub const fn as_u64(self) -> u64 {
        ((self.generation as u64) << 32) | self.index as u64
    }
}

/// In this order, so that who checks the generation has the entry's beginning in the cache.
#[derive(Debug)]
#[repr(C)]
struct Slot<K, V> {
    generation: u32,
    touched: Timestamp,
    entry: Option<(K, V)>,
}

/// What an insertion did.
#[derive(Debug)]
pub struct Inserted<K, V> {
    /// Where the entry is.
    pub slot: SlotId,
    /// Whether it was made just now.
    pub new: bool,
    /// The stranger that had to go for it, and where it was.
    pub evicted: Option<(SlotId, K, V)>,
}

/// A table of at most `strangers` + `protected` entries. Each partition is evicted oldest first,
/// only by its own kind.
///
/// The map holds indices alone and the chains their links and hashes: an entry's key is stored once,
/// and whoever makes room reads neither the keys of others nor the map by key.
#[derive(Debug)]
pub struct Table<K, V> {
    map: HashTable<u32>,
    hasher: KeyedHash,
    slots: Vec<Slot<K, V>>,
    free: Vec<u32>,
    chains: Chains,
    evicted: u64,
    /// For slots of another table: where what belongs to them stood last.
    near: Vec<u32>,
}

/// The hash by which the map places an entry: half of it stands in the chains, and the map wants
/// its low and its topmost bits.
const fn spread(hash: u32) -> u64 {
    (hash as u64) << 32 | hash as u64
}

impl<K: Hash + Eq + Clone, V> Table<K, V> {
    /// A table for so many strangers and so many protected entries; at least one stranger.
    pub fn new(strangers: usize, protected: usize) -> Self {
        Self {
            map: HashTable::new(),
            hasher: KeyedHash::default(),
            slots: Vec::new(),
            free: Vec::new(),
            chains: Chains::new(strangers.max(1), protected),
            evicted: 0,
            near: Vec::new(),
        }
    }

    /// The same for a table that is seldom full and of which nobody asks for the oldest entry before it
    /// is: a use of an entry costs less as long as that holds.
    pub fn loose(strangers: usize, protected: usize) -> Self {
        let mut table = Self::new(strangers, protected);
        table.chains.loosen();
        table
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "half of a keyed hash is as good as the whole")]
    fn hash(&self, key: &K) -> u32 {
        self.hasher.hash_one(key) as u32
    }

    #[inline]
    fn index_of(&self, hash: u32, key: &K) -> Option<u32> {
        let is_it = |index: &u32| {
            let slot = self.slots.get(*index as usize);
            slot.and_then(|slot| slot.entry.as_ref()).is_some_and(|(known, _)| known == key)
        };
        self.map.find(spread(hash), is_it).copied()
    }

    /// The slot of a key.
    #[inline]
    pub fn find(&self, key: &K) -> Option<SlotId> {
        if self.map.is_empty() {
            return None;
        }
        self.index_of(self.hash(key), key).map(|index| self.id(index))
    }

    /// The key's slot, made with `make` if it's not there. Marks it as used at `now`.
    #[inline]
    pub fn find_or_insert(&mut self, key: &K, now: Timestamp, make: impl FnOnce() -> V) -> Inserted<K, V> {
        let hash = self.hash(key);
        if let Some(index) = self.index_of(hash, key) {
            self.touch_index(index, now);
            return Inserted { slot: self.id(index), new: false, evicted: None };
        }
        self.insert_hashed(hash, key, now, make)
    }

    /// The slot of a key that `find` has just not found, made with `make`.
    #[inline]
    pub fn insert_new(&mut self, key: &K, now: Timestamp, make: impl FnOnce() -> V) -> Inserted<K, V> {
        debug_assert!(self.find(key).is_none(), "a key stands in the table once");
        self.insert_hashed(self.hash(key), key, now, make)
    }

    #[inline]
    fn insert_hashed(
        &mut self,
        hash: u32,
        key: &K,
        now: Timestamp,
        make: impl FnOnce() -> V,
    ) -> Inserted<K, V> {
        let evicted = if self.chains.is_full(false) { self.evict_oldest() } else { None };
        let index = self.take_slot(key, make, now);
        self.enter(index, hash, false);
        Inserted { slot: self.id(index), new: true, evicted }
    }

    /// Gives a key a value, whether it had one or not. Whoever has to go for it is dropped where it stands,
    /// which is where the new one is made.
    #[inline]
    pub fn put(&mut self, key: &K, now: Timestamp, make: impl FnOnce() -> V) -> SlotId {
        let hash = self.hash(key);
        if let Some(index) = self.index_of(hash, key) {
            self.touch_index(index, now);
            if let Some((_, value)) = &mut self.slots[index as usize].entry {
                *value = make();
            }
            return self.id(index);
        }
        let oldest = self.chains.oldest(false);
        if self.chains.is_full(false) && oldest != NONE {
            self.evicted = self.evicted.saturating_add(1);
            self.discard(self.id(oldest));
        }
        let index = self.take_slot(key, make, now);
        self.enter(index, hash, false);
        self.id(index)
    }

    /// The value in a slot, unless the slot has a new tenant.
    pub fn get(&self, slot: SlotId) -> Option<&V> {
        let s = self.slots.get(slot.index as usize)?;
        if s.generation == slot.generation { s.entry.as_ref().map(|(_, v)| v) } else { None }
    }

    /// The value in a slot, to change it.
    pub fn get_mut(&mut self, slot: SlotId) -> Option<&mut V> {
        let s = self.slots.get_mut(slot.index as usize)?;
        if s.generation == slot.generation { s.entry.as_mut().map(|(_, v)| v) } else { None }
    }

    /// The key of a slot.
    pub fn key(&self, slot: SlotId) -> Option<&K> {
        let s = self.slots.get(slot.index as usize)?;
        if s.generation == slot.generation { s.entry.as_ref().map(|(k, _)| k) } else { None }
    }

    /// Marks a slot as used at `now`.
    pub fn touch(&mut self, slot: SlotId, now: Timestamp) {
        if self.get(slot).is_some() {
            self.touch_index(slot.index, now);
        }
    }

    /// Moves an entry where strangers can't evict it; false if that partition is full.
    pub fn protect(&mut self, slot: SlotId) -> bool {
        if self.get(slot).is_none() {
            return false;
        }
        if self.chains.is_protected(slot.index) {
            return true;
        }
        if self.chains.is_full(true) {
            return false;
        }
        self.chains.leave(slot.index);
        self.chains.enter(slot.index, self.chains.hash(slot.index), true);
        true
    }

    /// Takes an entry out.
    pub fn remove(&mut self, slot: SlotId) -> Option<(K, V)> {
        self.get(slot)?;
        self.drop_index(slot.index)
    }

    /// Drops an entry where it stands.
    pub fn discard(&mut self, slot: SlotId) {
        if self.get(slot).is_none() {
            return;
        }
        self.unlink(slot.index);
        let entry = &mut self.slots[slot.index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.entry = None;
    }

    /// Takes out the least recently used stranger if it was last used before `before`.
    pub fn expire(&mut self, before: Timestamp) -> Option<(K, V)> {
        self.chains.tighten();
        let index = self.chains.oldest(false);
        if index == NONE || self.slots[index as usize].touched >= before {
            return None;
        }
        self.drop_index(index)
    }

    /// The least recently used stranger and when it was used last; not of a loose table.
    pub fn oldest(&self) -> Option<(SlotId, Timestamp)> {
        let index = self.chains.oldest(false);
        let slot = self.slots.get(index as usize)?;
        Some((self.id(index), slot.touched))
    }

    /// All entries in slot order.
    pub fn iter(&self) -> impl Iterator<Item = (SlotId, &K, &V)> {
        (0u32..).zip(&self.slots).filter_map(|(index, s)| {
            s.entry.as_ref().map(|(k, v)| (SlotId { index, generation: s.generation }, k, v))
        })
    }

    /// All values in slot order, to change them.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.slots.iter_mut().filter_map(|slot| slot.entry.as_mut().map(|(_, value)| value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// How many entries had to go because the table was full.
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    fn id(&self, index: u32) -> SlotId {
        SlotId { index, generation: self.slots[index as usize].generation }
    }

    fn evict_oldest(&mut self) -> Option<(SlotId, K, V)> {
        self.chains.tighten();
        let index = self.chains.oldest(false);
        if index == NONE {
            return None;
        }
        self.evicted = self.evicted.saturating_add(1);
        let slot = self.id(index);
        self.drop_index(index).map(|(key, value)| (slot, key, value))
    }

    /// `make` runs where the value is to stand: values are big, and moving them costs.
    #[inline]
    fn take_slot(&mut self, key: &K, make: impl FnOnce() -> V, now: Timestamp) -> u32 {
        if let Some(index) = self.free.pop() {
            let slot = &mut self.slots[index as usize];
            slot.entry = Some((key.clone(), make()));
            slot.touched = now;
            return index;
        }
        let index = u32::try_from(self.slots.len()).unwrap_or(NONE);
        self.slots.push(Slot { entry: Some((key.clone(), make())), touched: now, generation: 0 });
        self.chains.push();
        index
    }

    fn enter(&mut self, index: u32, hash: u32, protected: bool) {
        let chains = &self.chains;
        self.map.insert_unique(spread(hash), index, |index| spread(chains.hash(*index)));
        self.chains.enter(index, hash, protected);
    }

    /// Takes an entry out of the map and its chain.
    fn unlink(&mut self, index: u32) {
        let hash = spread(self.chains.hash(index));
        if let Ok(entry) = self.map.find_entry(hash, |known| *known == index) {
            entry.remove();
        }
        self.chains.leave(index);
        self.free.push(index);
    }

    fn drop_index(&mut self, index: u32) -> Option<(K, V)> {
        self.unlink(index);
        let slot = &mut self.slots[index as usize];
        slot.generation = slot.generation.wrapping_add(1);
        slot.entry.take()
    }

    fn touch_index(&mut self, index: u32, now: Timestamp) {
        self.slots[index as usize].touched = now;
        self.chains.used(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(n: i64) -> Timestamp {
        Timestamp(n)
    }

    #[test]
    fn evicts_the_oldest_stranger_and_counts_it() {
        let mut table = Table::new(2, 1);
        table.find_or_insert(&1, at(1), || 'a');
        table.find_or_insert(&2, at(2), || 'b');
        table.find_or_insert(&1, at(3), || 'x');
        let third = table.find_or_insert(&3, at(4), || 'c');
        assert_eq!(third.evicted.map(|(_, key, value)| (key, value)), Some((2, 'b')));
        assert_eq!((table.len(), table.evicted()), (2, 1));
        assert!(table.find(&2).is_none());
    }

    #[test]
    fn a_reused_slot_is_not_its_former_tenant() {
        let mut table = Table::new(1, 0);
        let first = table.find_or_insert(&1, at(1), || 'a').slot;
        let second = table.find_or_insert(&2, at(2), || 'b').slot;
        assert_ne!(first, second);
        assert_eq!((table.get(first), table.get(second)), (None, Some(&'b')));
    }

    #[test]
    fn expires_only_strangers_that_were_silent() {
        let mut table = Table::new(4, 4);
        for key in 0..3 {
            table.find_or_insert(&key, at(i64::from(key)), || ());
        }
        let safe = table.find(&0).unwrap();
        assert!(table.protect(safe));
        assert_eq!(table.oldest().and_then(|(slot, used)| Some((*table.key(slot)?, used))), Some((1, at(1))));
        assert_eq!(table.expire(at(2)), Some((1, ())));
        assert_eq!(table.expire(at(2)), None);
        assert_eq!(table.len(), 2);
    }

    proptest! {
        /// Putting is inserting and then setting, for whoever looks on.
        #[test]
        fn putting_is_inserting_and_setting(ops in proptest::collection::vec((0u8..5, 0u16..20), 1..200)) {
            let (mut put, mut set) = (Table::new(8, 2), Table::new(8, 2));
            for (step, (op, key)) in ops.into_iter().enumerate() {
                let now = at(i64::try_from(step).unwrap());
                let one = put.put(&key, now, || step);
                let other = set.find_or_insert(&key, now, || step).slot;
                if let Some(value) = set.get_mut(other) { *value = step; }
                prop_assert_eq!(one, other);
                match op {
                    0 => prop_assert_eq!(put.protect(one), set.protect(other)),
                    1 => prop_assert_eq!(put.remove(one), set.remove(other)),
                    2 => prop_assert_eq!(put.expire(at(now.0 - 5)), set.expire(at(now.0 - 5))),
                    _ => {}
                }
                prop_assert_eq!(put.image(), set.image());
            }
        }

        /// No sequence of strangers' keys evicts a protected entry, and the bounds always hold.
        #[test]
        fn strangers_cannot_push_out_the_protected(ops in proptest::collection::vec((0u8..4, 0u16..40), 1..400)) {
            let mut table = Table::new(8, 4);
            let mut safe = Vec::new();
            for (step, (op, key)) in ops.into_iter().enumerate() {
                let now = at(i64::try_from(step).unwrap());
                match op {
                    0 => {
                        let slot = table.find_or_insert(&key, now, || key).slot;
                        if table.protect(slot) && !safe.contains(&key) { safe.push(key); }
                    }
                    1 => { let _ = table.expire(at(now.0 - 10)); }
                    _ => { table.find_or_insert(&key, now, || key); }
                }
                prop_assert!(table.len() <= 12 && safe.len() <= 4);
                prop_assert!(safe.iter().all(|k| table.find(k).and_then(|s| table.get(s)) == Some(k)));
                prop_assert_eq!(table.iter().count(), table.len());
            }
        }
    }
}
