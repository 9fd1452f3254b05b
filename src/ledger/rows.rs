//! Where the ledger's rows stand: in blocks that stay put, so that a place once known is a row without a
//! look-up.
//!
//! In: places. Out: rows. Never: gives memory back, or a row to two owners.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::row::{Head, Rings, Row};
use crate::bounded::warm;

/// Rows that are made at a time. A power of two.
const BLOCK: usize = 256;

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(pub(super) u32);

/// Heads and rings apart: an update of a row that is seldom used reads no more than its head.
#[derive(Debug)]
struct Block {
    heads: Vec<Head>,
    rings: Vec<Rings>,
}

impl Block {
    fn new() -> Self {
        Self {
            heads: std::iter::repeat_with(Head::default).take(BLOCK).collect(),
            rings: std::iter::repeat_with(Rings::default).take(BLOCK).collect(),
        }
    }
}

/// Places that nobody has.
#[derive(Debug, Default)]
struct Free {
    /// Given back.
    back: Vec<Place>,
    /// How many were ever given.
    given: u32,
}

/// All rows.
#[derive(Debug)]
pub(super) struct Rows {
    blocks: Box<[OnceLock<Block>]>,
    free: Mutex<Free>,
}

impl Rows {
    /// Room for so many rows, and no more memory than is used of it.
    pub(super) fn new(rows: usize) -> Self {
        let blocks = rows.div_ceil(BLOCK);
        Self {
            blocks: std::iter::repeat_with(OnceLock::new).take(blocks).collect(),
            free: Mutex::new(Free::default()),
        }
    }

    /// The row at a place, if anybody ever had it.
    #[inline]
    pub(super) fn get(&self, place: Place) -> Option<Row<'_>> {
        let at = place.0 as usize;
        let block = self.blocks.get(at / BLOCK)?.get()?;
        Some(Row { head: block.heads.get(at % BLOCK)?, rings: block.rings.get(at % BLOCK)? })
    }

    /// Asks for the memory of a row's head.
    #[inline]
    pub(super) fn warm(&self, place: Place) {
        let at = place.0 as usize;
        if let Some(block) = self.blocks.get(at / BLOCK).and_then(OnceLock::get) {
            warm(&block.heads, at % BLOCK);
        }
    }

    /// A place for a new row, unless there's no room.
    pub(super) fn take(&self) -> Option<Place> {
        let mut free = self.free();
        if let Some(place) = free.back.pop() {
            return Some(place);
        }
        let place = Place(free.given);
        self.blocks.get(place.0 as usize / BLOCK)?.get_or_init(Block::new);
        free.given = free.given.saturating_add(1);
        Some(place)
    }

    /// Empties a row, for whoever needs one next.
    pub(super) fn give_back(&self, place: Place) {
        if let Some(row) = self.get(place) {
            row.clear();
            self.free().back.push(place);
        }
    }

    fn free(&self) -> MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
