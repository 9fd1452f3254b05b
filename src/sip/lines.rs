//! The lines of a message's head, one after the other, each byte looked at once.
//!
//! In: the head and whatever follows it. Out: lines, folded ones whole.
//! Never: looks beyond the 64 bytes in which the last line asked for ends.

use super::block::{BLOCK, unprintable};

/// A line and those that continue it.
pub struct Line<'a> {
    /// Without its line end; folds inside stay.
    pub text: &'a [u8],
    /// How many lines continue it.
    pub folds: usize,
    /// Bytes of its line end: CR LF, LF alone, or none where the text ends.
    pub end: usize,
}

/// Where in the text the reading stands.
#[derive(Clone, Copy)]
pub struct Lines<'a> {
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
    /// At the beginning of a text.
    #[inline(always)]
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        Self { rest: text, block: 0, marks: marks(text), odd: false }
    }

    /// What hasn't been given yet.
    #[inline(always)]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether a byte was given that is neither printable nor part of a line end.
    #[inline(always)]
    pub(super) const fn is_odd(&self) -> bool {
        self.odd
    }

    /// The next line alone, without those that may continue it.
    #[inline(always)]
    pub fn one(&mut self) -> Line<'a> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same, a byte at a time.
    fn plainly(text: &[u8]) -> Vec<(Vec<u8>, usize, usize)> {
        let mut lines: Vec<(Vec<u8>, usize, usize)> = Vec::new();
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let bare = line.strip_suffix(b"\n").map_or(line, |bare| bare.strip_suffix(b"\r").unwrap_or(bare));
            let end = line.len().saturating_sub(bare.len());
            match lines.last_mut() {
                Some((last, folds, last_end)) if matches!(line, [b' ' | b'\t', ..]) => {
                    last.extend_from_slice(if *last_end == 2 { b"\r\n" } else { b"\n" });
                    last.extend_from_slice(bare);
                    (*folds, *last_end) = (folds.saturating_add(1), end);
                }
                _ => lines.push((bare.to_vec(), 0, end)),
            }
        }
        lines
    }

    fn read(text: &[u8]) -> (Vec<(Vec<u8>, usize, usize)>, bool) {
        let (mut lines, mut out) = (Lines::new(text), Vec::new());
        while !lines.rest().is_empty() {
            let line = lines.folded();
            out.push((line.text.to_vec(), line.folds, line.end));
        }
        (out, lines.is_odd())
    }

    #[test]
    fn a_line_end_is_found_wherever_the_blocks_part() {
        for length in 0..200usize {
            for end in ["\r\n", "\n", "\r\r\n", "\r\n ", "\n\t", ""] {
                let text = format!("{}{end}Via: x\r\n", "a".repeat(length));
                assert_eq!(
                    read(text.as_bytes()).0,
                    plainly(text.as_bytes()),
                    "{length} {}",
                    end.escape_debug()
                );
            }
        }
    }

    proptest! {
        #[test]
        fn lines_are_those_that_are_plainly_there(
            pieces in proptest::collection::vec("[a-z]{0,40}|\r|\n|\r\n|\r\n |\t|\x01|\u{fc}", 0..60),
        ) {
            let text = pieces.concat();
            let (lines, odd) = read(text.as_bytes());
            prop_assert_eq!(lines, plainly(text.as_bytes()));
            let left = text.replace("\r\n", "").replace('\n', "");
            prop_assert_eq!(odd, left.bytes().any(|byte| !(b' '..=b'~').contains(&byte)));
        }
    }
}
