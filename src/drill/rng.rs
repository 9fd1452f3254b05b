//! Random numbers that are the same on every machine.
//!
//! In: a seed and a stream. Out: integers, picks, durations.
//! Never: uses floating point, whose results may differ, or a clock.

use std::fmt::Write as _;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::time::Span;

/// A generator of one stream of random numbers; streams of one seed don't influence each other.
pub(super) struct Rng(ChaCha8Rng);

/// `-ln(1 - u/2)` in millionths for u = 0/16 ..= 16/16: the exponential law below its median.
const EXPONENTIAL: [i64; 17] = [
    0, 31_749, 64_539, 98_440, 133_531, 169_899, 207_639, 246_860, 287_682, 330_242, 374_693, 421_213,
    470_004, 521_297, 575_364, 632_523, 693_147,
];

impl Rng {
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..17].copy_from_slice(b"ringfence");
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(stream);
        Self(rng)
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// 0 ..= n - 1; 0 if `n` is 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        let wide = u128::from(self.bits()) * n as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// `low ..= high`; `low` if there is nothing between.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = high.saturating_sub(low).saturating_add(1).max(1);
        let wide = u128::from(self.bits()) * u128::from(width.unsigned_abs());
        low.saturating_add(i64::try_from(wide >> 64).unwrap_or(0))
    }

    /// True `n` times in a thousand.
    pub(super) fn chance(&mut self, n: u32) -> bool {
        self.between(0, 999) < i64::from(n)
    }

    /// One of `items`, which must not be empty.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// A span between two others, evenly.
    pub(super) fn span(&mut self, low: Span, high: Span) -> Span {
        Span(self.between(low.0, high.0))
    }

    /// A waiting time with an exponential law: as many medians as coins show heads in a row,
    /// and a remainder below the median by table.
    pub(super) fn wait(&mut self, mean: Span) -> Span {
        let bits = self.bits();
        let medians = i64::from(bits.leading_ones().min(20));
        let step = usize::from((bits & 0xf) as u8);
        let part = self.between(0, 999);
        let (a, b) = (EXPONENTIAL[step], EXPONENTIAL[step + 1]);
        let millionths = medians * EXPONENTIAL[16] + a + (b - a) * part / 1_000;
        Span(i64::try_from(i128::from(mean.0) * i128::from(millionths) / 1_000_000).unwrap_or(i64::MAX))
    }

    /// A number from a law given by equally likely intervals between `marks`.
    pub(super) fn quantile(&mut self, marks: &[i64]) -> i64 {
        let i = self.below(marks.len().saturating_sub(1));
        self.between(marks[i], marks[(i + 1).min(marks.len() - 1)])
    }

    /// `n` lower-case hex digits, at most 16.
    pub(super) fn hex(&mut self, n: usize) -> String {
        let mut text = String::with_capacity(16);
        // Writing to a String can't fail.
        let _ = write!(text, "{:016x}", self.bits());
        text.truncate(n);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_numbers_other_stream_other_numbers() {
        let draw = |seed, stream| {
            let mut rng = Rng::new(seed, stream);
            [rng.bits(), rng.bits()]
        };
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
        assert_ne!(draw(1, 1), draw(2, 1));
    }

    #[test]
    fn waits_have_their_mean_and_never_go_back() {
        let mut rng = Rng::new(7, 0);
        let n = 20_000;
        let waits: Vec<_> = (0..n).map(|_| rng.wait(Span::MINUTE).0).collect();
        assert!(waits.iter().all(|wait| *wait >= 0));
        let mean = waits.iter().sum::<i64>() / n;
        assert!((57_000_000..63_000_000).contains(&mean), "{mean}");
    }

    #[test]
    fn bounds_hold() {
        let mut rng = Rng::new(7, 0);
        for _ in 0..1_000 {
            assert!((3..=5).contains(&rng.between(3, 5)));
            assert!(rng.below(3) < 3);
            assert!((10..=40).contains(&rng.quantile(&[10, 20, 40])));
        }
        assert_eq!((rng.between(3, 2), rng.below(0)), (3, 0));
    }
}
