//! State that is kept over a restart, field by field.
//!
//! In: what a part of the program knows. Out: plain data; the same state again.
//! Never: lets what was kept lift a bound of the table that takes it.

use std::collections::BTreeSet;
use std::hash::Hash;

use super::{Image, LastingHash, Table};
use crate::time::Timestamp;

/// Something that can be written down and taken back.
pub trait Keep {
    /// Its plain form.
    type Kept;

    /// What it knows.
    fn kept(&self) -> Self::Kept;

    /// Takes back what it knew.
    fn recall(&mut self, kept: Self::Kept);
}

impl<K: Hash + Eq + Clone, V: Clone> Keep for Table<K, V> {
    type Kept = Image<K, V>;

    fn kept(&self) -> Self::Kept {
        self.image()
    }

    fn recall(&mut self, kept: Self::Kept) {
        self.restore(kept);
    }
}

/// What is kept as it is: counts, moments, small sets.
pub trait Plain: Clone {}

impl Plain for u64 {}
impl Plain for LastingHash {}
impl Plain for Option<Timestamp> {}
impl Plain for [BTreeSet<u64>; 4] {}
impl Plain for [Option<Timestamp>; 4] {}

impl<T: Plain> Keep for T {
    type Kept = T;

    fn kept(&self) -> T {
        self.clone()
    }

    fn recall(&mut self, kept: T) {
        *self = kept;
    }
}

/// Names the fields of a state that are kept over a restart, and the plain form they take. With
/// `then METHOD` the state sees to its own bounds after it took them back.
#[macro_export]
macro_rules! kept {
    ($(#[$doc:meta])* $vis:vis struct $kept:ident of $state:ident {
        $($field:ident: $type:ty,)+
    } $(then $bound:ident)?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, ::serde::Serialize, ::serde::Deserialize)]
        $vis struct $kept { $($field: <$type as $crate::bounded::Keep>::Kept,)+ }

        impl $crate::bounded::Keep for $state {
            type Kept = $kept;

            fn kept(&self) -> $kept {
                $kept { $($field: $crate::bounded::Keep::kept(&self.$field),)+ }
            }

            fn recall(&mut self, kept: $kept) {
                $($crate::bounded::Keep::recall(&mut self.$field, kept.$field);)+
                $(self.$bound();)?
            }
        }
    };
}
