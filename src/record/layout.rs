//! Lines of text that fit a terminal, and counts in words.
//!
//! In: text. Out: lines, the later ones indented. Never: breaks a word: what is copied stays whole.

use std::io::{self, Write};

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use super::money::grouped;
use crate::coverage::Sign;
use crate::decode::Skip;
use crate::sip::{Reject, Sniff};
use crate::tally::Label;

/// What an indented line must be able to hold; else it is indented less.
const LEAST: usize = 24;
/// The indent where there is room for no other.
const NARROW: usize = 4;

/// Writes one line, folded to `width` columns where it has one; later lines are indented by `hang`.
///
/// # Errors
/// Whatever `out` can't write.
pub fn line(out: &mut dyn Write, width: Option<usize>, hang: usize, text: &str) -> io::Result<()> {
    let Some(width) = width else { return writeln!(out, "{text}") };
    let hang = if hang.saturating_add(LEAST) > width { NARROW } else { hang };
    let indent = " ".repeat(hang);
    let options = Options::new(width)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    for part in textwrap::wrap(text, options) {
        writeln!(out, "{part}")?;
    }
    Ok(())
}

/// What a label of the summary's counts means; empty for one that has no more to say.
fn about(label: &str) -> &'static str {
    let skip = Skip::of_name(label).map(Label::about);
    let sniff = || Sniff::of_name(label).map(Label::about);
    let reject = || Reject::of_name(label).map(Label::about);
    let sign = || Sign::of_name(label).map(Label::about);
    skip.or_else(sniff).or_else(reject).or_else(sign).unwrap_or_default()
}

/// Counts by label, one a row: the figure, what it means, the label.
pub(super) fn counts(
    rows: &[(&'static str, u64)],
) -> impl Iterator<Item = (String, &'static str, &'static str)> {
    let widest = rows.iter().map(|(_, n)| grouped(*n).len()).max().unwrap_or(0);
    rows.iter().map(move |(label, n)| {
        (format!("{:>widest$}", grouped(*n)), about(label).trim_end_matches('.'), *label)
    })
}
