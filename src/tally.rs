//! Counters indexed by an enum: the reason is the label.
//!
//! In: an enum of outcomes. Out: counters that any thread may read.
//! Never: knows what is counted.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

/// An enum whose variants are metric labels.
pub trait Label: Copy + 'static {
    /// Every variant, in the order of `index`.
    const ALL: &'static [Self];
    /// The position in `ALL`.
    fn index(self) -> usize;
    /// The label as records and metrics show it: `snake_case`.
    fn name(self) -> &'static str;
    /// One sentence for the documentation.
    fn about(self) -> &'static str;

    /// The variant of a label.
    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|which| which.name() == name)
    }
}

/// Defines an enum, its labels and their explanation in one place (law 5).
#[macro_export]
macro_rules! labels {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($variant:ident = $label:literal, $about:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $(#[doc = $about] $variant,)+ }

        impl $crate::tally::Label for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];
            fn index(self) -> usize { self as usize }
            fn name(self) -> &'static str { match self { $(Self::$variant => $label,)+ } }
            fn about(self) -> &'static str { match self { $(Self::$variant => $about,)+ } }
        }

        /// By its label, so that what was kept survives a new variant.
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($crate::tally::Label::name(*self))
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <String as ::serde::Deserialize>::deserialize(deserializer)?;
                <Self as $crate::tally::Label>::of_name(&name)
                    .ok_or_else(|| <D::Error as ::serde::de::Error>::custom("an unknown label"))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::tally::Label::name(*self))
            }
        }
    };
}

/// One counter for each variant of `E`. One thread writes, any thread reads.
#[derive(Debug)]
pub struct Tally<E: Label> {
    counts: Box<[AtomicU64]>,
    of: PhantomData<E>,
}

impl<E: Label> Default for Tally<E> {
    fn default() -> Self {
        Self { counts: E::ALL.iter().map(|_| AtomicU64::new(0)).collect(), of: PhantomData }
    }
}

impl<E: Label> Tally<E> {
    /// Adds one.
    pub fn bump(&self, which: E) {
        self.add(which, 1);
    }

    /// Adds `n`. A plain load and store: each tally has one writer.
    pub fn add(&self, which: E, n: u64) {
        if let Some(count) = self.counts.get(which.index()) {
            count.store(count.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
        }
    }

    /// The count of one variant.
    pub fn get(&self, which: E) -> u64 {
        self.counts.get(which.index()).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// The sum of all variants.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// The counts by label, for a snapshot.
    pub fn image(&self) -> Vec<(String, u64)> {
        self.iter().filter(|(_, n)| *n > 0).map(|(which, n)| (which.name().to_owned(), n)).collect()
    }

    /// Takes counts back; labels that are no more are left out.
    pub fn restore(&self, image: &[(String, u64)]) {
        for (name, n) in image {
            if let Some(count) = E::of_name(name).and_then(|which| self.counts.get(which.index())) {
                count.store(*n, Ordering::Relaxed);
            }
        }
    }

    /// Every variant with its count, in the enum's order.
    pub fn iter(&self) -> impl Iterator<Item = (E, u64)> + '_ {
        E::ALL.iter().map(|which| (*which, self.get(*which)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    labels! {
        /// Fruit.
        enum Fruit { Apple = "apple", "Grows on trees."; Fig = "fig", "Grows on trees too."; }
    }

    #[test]
    fn counts_by_label() {
        let tally = Tally::<Fruit>::default();
        tally.bump(Fruit::Fig);
        tally.add(Fruit::Fig, 2);
        assert_eq!((tally.get(Fruit::Apple), tally.get(Fruit::Fig), tally.total()), (0, 3, 3));
        let names: Vec<_> = tally.iter().map(|(fruit, n)| (fruit.name(), n)).collect();
        assert_eq!(names, [("apple", 0), ("fig", 3)]);
    }
}
