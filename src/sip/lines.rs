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
pub(super) struct Lines<'a> {
    text: &'a [u8],
    /// Where the next line begins.
    next: usize,
    /// Where the block begins that `marks` belongs to.
    base: usize,
    /// The block's bytes still to come that aren't printable.
    marks: u64,
    /// Whether a byte was met that is neither printable nor part of a line end.
    odd: bool,
}

impl<'a> Lines<'a> {
    #[inline(always)]
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, next: 0, base: 0, marks: marks(text), odd: false }
    }

    /// What hasn't been given yet.
    #[inline(always)]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.next..).unwrap_or_default()
    }

    /// How many bytes have been given, line ends included.
    #[inline(always)]
    pub(super) const fn taken(&self) -> usize {
        self.next
    }

    /// Whether a byte was given that is neither printable nor part of a line end.
    #[inline(always)]
    pub(super) const fn is_odd(&self) -> bool {
        self.odd
    }

    /// The next line alone, without those that may continue it.
    #[inline(always)]
    pub(super) fn one(&mut self) -> Line<'a> {
        let begin = self.next;
        let end = self.line_end();
        let text = self.text.get(begin..end).unwrap_or_default();
        Line { text, folds: 0, end: self.next.wrapping_sub(end) }
    }

    /// The next line with those that continue it.
    #[inline(always)]
    pub(super) fn folded(&mut self) -> Line<'a> {
        let line = self.one();
        if matches!(self.text.get(self.next), Some(b' ' | b'\t')) { self.unfold(&line) } else { line }
    }

    #[cold]
    fn unfold(&mut self, line: &Line<'a>) -> Line<'a> {
        let begin = self.next.wrapping_sub(line.end).wrapping_sub(line.text.len());
        let (mut folds, mut end) = (0usize, self.next);
        while matches!(self.text.get(self.next), Some(b' ' | b'\t')) {
            end = self.line_end();
            folds = folds.wrapping_add(1);
        }
        let text = self.text.get(begin..end).unwrap_or_default();
        Line { text, folds, end: self.next.wrapping_sub(end) }
    }

    /// Where the next line's text ends; what follows its line end is next.
    #[inline(always)]
    fn line_end(&mut self) -> usize {
        loop {
            while self.marks != 0 {
                let at = self.base.wrapping_add(self.marks.trailing_zeros() as usize);
                self.marks &= self.marks.wrapping_sub(1);
                match self.text.get(at..) {
                    Some([b'\r', b'\n', ..]) => {
                        self.marks &= self.marks.wrapping_sub(1);
                        self.next = at.wrapping_add(2);
                        return at;
                    }
                    Some([b'\n', ..]) => {
                        self.next = at.wrapping_add(1);
                        return at;
                    }
                    _ => self.odd = true,
                }
            }
            let base = self.base.wrapping_add(BLOCK);
            let Some(rest) = self.text.get(base..).filter(|rest| !rest.is_empty()) else {
                self.next = self.text.len();
                return self.next;
            };
            // A CR at the last block's end has taken this one's first byte with it.
            self.marks = marks(rest) & !u64::from(self.next > base);
            self.base = base;
        }
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
