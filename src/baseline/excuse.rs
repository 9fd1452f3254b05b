//! Why a call abroad is ordinary after all.
//!
//! In: facts, what the operator allows. Out: `Excuse`, `Allowance`.
//! Never: excuses for good: an allowance may carry an end.

use crate::dial::Region;
use crate::fact::CallFact;
use crate::handsets::Who;
use crate::labels;
use crate::time::Timestamp;

labels! {
    /// Why a call doesn't count against its handset.
    pub enum Excuse {
        Allowed = "allowed", "The operator allows it.";
        Retry = "retry", "The last attempt to reach this number failed a short while ago.";
        Known = "known", "The office has called this number before, on another day.";
        Conference = "conference", "Several handsets call this number at the same time of an ordinary day.";
        Replaced = "replaced", "The call went on to a number of another kind, which is judged instead.";
        Redial = "redial", "The handset called this number today, and isn't calling it still.";
    }
}

/// What is ordinary for one handset, or for all.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Allowance {
    /// The account; empty = every handset.
    pub user: String,
    /// Which countries; empty = every country.
    pub regions: Vec<Region>,
    /// When it ends; `None` = never.
    pub until: Option<Timestamp>,
    /// The operator's reason.
    pub why: String,
}

impl Allowance {
    /// Whether it holds for a call.
    pub fn covers(&self, fact: &CallFact, now: Timestamp) -> bool {
        self.admits(&fact.who, fact.target.region, now)
    }

    /// Whether it holds for somebody's calls to a country.
    pub fn admits(&self, who: &Who, region: Option<Region>, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
            && (self.user.is_empty() || self.user.as_bytes() == who.user.as_bytes())
            && (self.regions.is_empty() || region.is_some_and(|region| self.regions.contains(&region)))
    }
}
