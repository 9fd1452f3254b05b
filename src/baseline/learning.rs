//! The learning report: which handsets call abroad as a habit, to be accepted or questioned.
//!
//! In: what was learnt, what is allowed already. Out: `Habitual`.
//! Never: mutes anything by itself, or tells of a habit before it is one.

use super::Baseline;
use crate::dial::Region;
use crate::handsets::Who;
use crate::time::Timestamp;

/// A handset that calls abroad as a habit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Habitual {
    /// Who it is.
    pub who: Who,
    /// Which countries, how many calls, on how many days; most calls first. Days are counted up to 255.
    pub countries: Vec<(Region, u16, u8)>,
}

impl Baseline {
    /// Handsets that call abroad as a habit which nobody has allowed yet, in the order of their accounts;
    /// `None` while the installation is younger than the report waits.
    pub fn learning_report(&self, now: Timestamp) -> Option<Vec<Habitual>> {
        if self.since.is_none_or(|since| now.since(since) < self.settings.report_after) {
            return None;
        }
        let habits = self.handsets.iter().filter_map(|(_, _, handset)| {
            let who = handset.who;
            let mut countries: Vec<_> = handset.countries.familiar().collect();
            countries.retain(|(region, ..)| {
                let allowed = |a: &super::Allowance| a.admits(&who, Some(*region), now);
                *region != self.settings.home && !self.settings.allowances.iter().any(allowed)
            });
            countries.sort_by_key(|(region, calls, _)| (std::cmp::Reverse(*calls), *region));
            (!countries.is_empty()).then_some(Habitual { who, countries })
        });
        let mut report: Vec<Habitual> = habits.collect();
        report.sort_by_key(|habitual| (habitual.who.user, habitual.who.ip, habitual.who.id));
        Some(report)
    }
}
