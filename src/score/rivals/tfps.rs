//! TFPS (an OpenSIPS script for small businesses, 2022; tfps.m4): its default quotas.
//!
//! In: calls abroad, repeated calls. Out: alerts.
//! Never: learns: its trained quotas replace these only after 90 days of call records.
//!
//! International calls at once: 2 in office hours, 0 outside. International calls a day: 10 in
//! office hours, 2 outside. Five calls to one number with less than 30 s between them. What makes it
//! ask for a spoken code (a country off its list) isn't counted as an alert.

use std::collections::{BTreeMap, BTreeSet};

use super::{Rival, Said, Stage, Step};
use crate::handsets::HandsetId;
use crate::time::{Span, Timestamp};

const REPEATS: u32 = 5;
const BETWEEN: Span = Span::seconds(30);

#[derive(Debug, Default)]
struct Account {
    up: BTreeSet<u64>,
    day: i64,
    in_hours: u32,
    outside: u32,
    last: (u64, Timestamp, u32),
}

#[derive(Debug, Default)]
pub(super) struct Tfps {
    accounts: BTreeMap<HandsetId, Account>,
}

impl Rival for Tfps {
    fn name(&self) -> &'static str {
        "tfps"
    }

    fn step(&mut self, step: &Step, say: &mut dyn FnMut(Said)) {
        let account = self.accounts.entry(step.handset).or_default();
        if step.stage != Stage::Dialled {
            if matches!(step.stage, Stage::Over(_)) {
                account.up.remove(&step.no);
            }
            return;
        }
        let (number, at, times) = account.last;
        let again = number == step.number && step.time.since(at) < BETWEEN;
        account.last = (step.number, step.time, if again { times + 1 } else { 1 });
        let mut speaks = account.last.2 >= REPEATS;
        if step.international {
            if account.day != step.local.day {
                (account.day, account.in_hours, account.outside) = (step.local.day, 0, 0);
            }
            // The concurrency of a caller without a call is one too many outside office hours.
            account.up.insert(step.no);
            let quota = if step.open {
                account.in_hours += 1;
                account.in_hours > 10 || account.up.len() > 2
            } else {
                account.outside += 1;
                account.outside > 2 || account.up.len() > 1
            };
            speaks |= quota;
        }
        if speaks {
            say(step.said());
        }
    }
}
