//! The lines of a message's head, one after the other, each byte looked at once.
//!
//! In: the head and whatever follows it. Out: lines, folded ones whole.
//! Never: looks beyond the 64 bytes in which the last line asked for ends.

use super::block::{BLOCK, unprintable};

/// A line and those that continue it.
pub(super) struct Line<'a> {
    /// Without its line end; folds inside stay.
    pub(super) text: &'a [u8],
    /// How many lines continue it.
    pub(super) folds: usize,
    /// Bytes of its line end: CR LF, LF alone, or none where the text ends.
    pub(super) end: usize,
}

/// Where in the text the reading stands.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a> {
    /// What hasn't been given yet.
    rest: &'a [u8],
    /// Where the block begins that `marks` belongs to, counted from `rest` and so wrapped below 0.
    block: usize,
    /// The block's bytes still to come that aren't printable.
    marks: u64,
    /// Whether a byte was met that is neither printable nor part of a line end.
    odd: bool,
}

impl<'a> Lines<'a> {
    #[inline(always)]
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { rest: text, block: 0, marks: marks(text), odd: false }
    }

    /// What hasn't been given yet.
    #[inline(always)]
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether a byte was given that is neither printable nor part of a line end.
    #[inline(always)]
    pub(super) const fn is_odd(&self) -> bool {
        self.odd
    }

    /// The next line alone, without those that may continue it.
    #[inline(always)]
    pub(super) fn one(&mut self) -> Line<'a> {
        loop {
            while self.marks != 0 {
                let at = self.block.wrapping_add(self.marks.trailing_zeros() as usize);
                self.marks &= self.marks.wrapping_sub(1);
                match self.rest.split_at_checked(at) {
                    Some((text, [b'\r', b'\n', rest @ ..])) => {
                        self.marks &= self.marks.wrapping_sub(1);
                        return self.give(text, 2, rest);
                    }
                    Some((text, [b'\n', rest @ ..])) => return self.give(text, 1, rest),
                    _ => self.odd = true,
                }
            }
            // A CR at the last block's end has taken the next one's first byte with it.
            let next = self.block.wrapping_add(BLOCK);
            self.block = if next == usize::MAX { 0 } else { next };
            match self.rest.get(self.block..) {
                None | Some([]) => return self.give(self.rest, 0, &[]),
                Some(text) => self.marks = marks(text),
            }
        }
    }

    #[inline(always)]
    const fn give(&mut self, text: &'a [u8], end: usize, rest: &'a [u8]) -> Line<'a> {
        self.block = self.block.wrapping_sub(text.len()).wrapping_sub(end);
        self.rest = rest;
        Line { text, folds: 0, end }
    }

    /// The next line with those that continue it.
    #[inline(always)]
    pub(super) fn folded(&mut self) -> Line<'a> {
        let begin = self.rest;
        let line = self.one();
        if !matches!(self.rest, [b' ' | b'\t', ..]) {
            return line;
        }
        let (lines, line) = self.unfold(begin);
        *self = lines;
        line
    }

    /// By value, so that the caller's copy can stay in registers.
    #[cold]
    fn unfold(mut self, begin: &'a [u8]) -> (Self, Line<'a>) {
        let (mut folds, mut end) = (0usize, 0usize);
        while matches!(self.rest, [b' ' | b'\t', ..]) {
            end = self.one().end;
            folds = folds.wrapping_add(1);
        }
        let length = begin.len().saturating_sub(self.rest.len()).saturating_sub(end);
        (self, Line { text: begin.get(..length).unwrap_or_default(), folds, end })
    }
}

#[inline(always)]
fn marks(text: &[u8]) -> u64 {
    text.first_chunk().map_or_else(|| last_marks(text), unprintable)
}

fn last_marks(text: &[u8]) -> u64 {
    let mut block = [b' '; BLOCK];
    for (slot, byte) in block.iter_mut().zip(text) {
        *slot = *byte;
    }
    unprintable(&block)
}
