//! The dossiers of the open incidents, by whom and what they are about.
//!
//! In: an incident's key. Out: its dossier.
//! Never: searches for the office's: in a flood nearly every call belongs to one of those two.

use std::collections::BTreeMap;

use crate::alert::{Cause, Key};
use crate::detect::dossier::Dossier;
use crate::finding::Subject;

/// The dossiers of the open incidents.
#[derive(Debug, Default)]
pub(super) struct Dossiers {
    office: [Option<Box<Dossier>>; 2],
    others: BTreeMap<Key, Option<Box<Dossier>>>,
}

/// Which of the office's two dossiers of calls it is, if it is one.
const fn of_office(key: &Key) -> Option<usize> {
    match (key.subject, key.cause) {
        (Subject::Office, Cause::Toll) => Some(0),
        (Subject::Office, Cause::Flood) => Some(1),
        _ => None,
    }
}

impl Dossiers {
    pub(super) fn get(&self, key: &Key) -> Option<&Dossier> {
        match of_office(key) {
            Some(which) => self.office[which].as_deref(),
            None => self.others.get(key)?.as_deref(),
        }
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Dossier> {
        self.place(key)?.as_deref_mut()
    }

    fn place(&mut self, key: &Key) -> Option<&mut Option<Box<Dossier>>> {
        match of_office(key) {
            Some(which) => Some(&mut self.office[which]),
            None => self.others.get_mut(key),
        }
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn insert(&mut self, key: Key, dossier: Dossier) {
        self.insert_box(key, Box::new(dossier));
    }

    fn insert_box(&mut self, key: Key, dossier: Box<Dossier>) {
        match of_office(&key) {
            Some(which) => self.office[which] = Some(dossier),
            None => drop(self.others.insert(key, Some(dossier))),
        }
    }

    /// Takes one out for a while, so that it and its owner can be changed side by side.
    pub(super) fn lend(&mut self, key: &Key) -> Option<Box<Dossier>> {
        self.place(key)?.take()
    }

    /// Puts back what was lent.
    pub(super) fn give_back(&mut self, key: Key, dossier: Box<Dossier>) {
        match self.place(&key) {
            Some(place) => *place = Some(dossier),
            None => self.insert_box(key, dossier),
        }
    }

    pub(super) fn remove(&mut self, key: &Key) {
        match of_office(key) {
            Some(which) => self.office[which] = None,
            None => drop(self.others.remove(key)),
        }
    }

    /// All of them, in the order of their keys.
    pub(super) fn all(&self) -> Vec<(Key, Dossier)> {
        let office = [Cause::Toll, Cause::Flood].map(|cause| Key { subject: Subject::Office, cause });
        let keys = self.others.keys().copied().chain(office);
        let mut all: Vec<(Key, Dossier)> =
            keys.filter_map(|key| Some((key, self.get(&key)?.clone()))).collect();
        all.sort_by_key(|(key, _)| *key);
        all
    }

    /// Exactly these.
    pub(super) fn hold(&mut self, all: impl Iterator<Item = (Key, Dossier)>) {
        *self = Self::default();
        all.for_each(|(key, dossier)| self.insert(key, dossier));
    }
}
