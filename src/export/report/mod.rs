//! The report for the boss and the insurer: a period on paper.
//!
//! In: the store, a period. Out: one HTML page that prints on A4.
//! Never: shows a figure that isn't the store's.

mod changes;
mod chart;
mod gather;
mod html;
mod words;

pub use gather::{Incident, Office, Period, Report, Totals, gather};

impl Report {
    /// The page, whole: styles and charts inside it, no script.
    pub fn html(&self) -> String {
        html::page(self).into_string()
    }
}

#[cfg(test)]
mod tests;
