//! The links of one attack: what came before makes the next more urgent, and is told with it.
//!
//! In: links, each on a handset, an account or the office, at a moment. Out: the steps that came before.
//! Never: makes an incident by itself, or remembers for longer than a month.

use serde::{Deserialize, Serialize};

use crate::bounded::{Image, Table};
use crate::finding::{Link, Step};
use crate::handsets::HandsetId;
use crate::tally::Label;
use crate::text::Text;
use crate::time::{Span, Timestamp};

const LINKS: usize = Link::ALL.len();

/// Calls within this time of each other are one step.
const ONE_STEP: Span = Span::minutes(10);

/// What a link happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Whom {
    /// A handset.
    Handset(HandsetId),
    /// An account, wherever it is registered from.
    Account(Text<32>),
    /// The whole office, or nobody in particular.
    Office,
}

/// When each link was seen last, and before that.
pub type Links = [[Option<Timestamp>; 2]; LINKS];

/// Everybody's links, bounded.
#[derive(Debug)]
pub struct Chain {
    links: Table<Whom, Links>,
    news: u64,
}

/// As many handsets and accounts have links at once.
const ROOM: usize = 4_096;

impl Default for Chain {
    fn default() -> Self {
        Self { links: Table::loose(ROOM, 1), news: 0 }
    }
}

impl Chain {
    /// Something that attacks begin with happened.
    pub fn note(&mut self, whom: Whom, link: Link, time: Timestamp) {
        let slot = self.links.find_or_insert(&whom, time, Links::default).slot;
        if whom == Whom::Office {
            self.links.protect(slot);
        }
        if let Some(seen) = self.links.get_mut(slot).and_then(|links| links.get_mut(link.index())) {
            let [last, before] = *seen;
            let again = last.is_some_and(|last| time.since(last) < Span::DAY);
            self.news = self.news.wrapping_add(u64::from(!again));
            *seen = match last {
                Some(last) if last.plus(ONE_STEP) <= time => [Some(time), Some(last)],
                Some(last) => [Some(last.max(time)), before],
                None => [Some(time), None],
            };
        }
    }

    /// Somebody said that calls were in order: they were no step of an attack.
    pub fn excuse(&mut self, whom: Whom) {
        let slot = self.links.find(&whom);
        let Some(links) = slot.and_then(|slot| self.links.get_mut(slot)) else { return };
        for (link, seen) in Link::ALL.iter().zip(links) {
            if link.is_call() {
                *seen = [None; 2];
            }
        }
    }

    /// Another number whenever somebody has a link that they hadn't, or hadn't within a day.
    pub const fn news(&self) -> u64 {
        self.news
    }

    /// The steps that came before calls of which the first was placed at `first`, in the order of
    /// their times; `whom` besides the office.
    pub fn before(&self, whom: &[Whom], first: Timestamp, now: Timestamp) -> Vec<Step> {
        let of = |whom: &Whom| self.links.find(whom).and_then(|slot| self.links.get(slot));
        // Each is looked up once: an incident of the whole office has many handsets.
        let known: Vec<&Links> = whom.iter().filter_map(of).collect();
        let office = of(&Whom::Office);
        let mut steps = Vec::new();
        for link in Link::ALL {
            // A test call is one if nothing followed at once; probing ends in the call that got through.
            let latest = match link {
                Link::Test | Link::Burst => first.minus(ONE_STEP),
                _ => now,
            };
            let at = |links: &Links| {
                links.get(link.index())?.iter().flatten().copied().find(|time| *time <= latest)
            };
            let own = known.iter().filter_map(|links| at(links)).max();
            let Some(time) = own.or_else(|| office.and_then(at)) else { continue };
            if now.since(time) <= link.memory() {
                steps.push(Step { link: *link, time, own: own.is_some() });
            }
        }
        steps.sort_by_key(|step| (step.time, step.link));
        steps
    }

    /// The links as plain data.
    pub fn image(&self) -> Image<Whom, Links> {
        self.links.image()
    }

    /// Takes back what `image` gave.
    pub fn restore(&mut self, image: Image<Whom, Links>) {
        self.links.restore(image);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp(0).plus(Span::hours(hours))
    }

    fn links(chain: &Chain, whom: &[Whom], now: Timestamp) -> Vec<Link> {
        chain.before(whom, now, now).into_iter().map(|step| step.link).collect()
    }

    #[test]
    fn links_are_told_in_the_order_of_their_times_and_forgotten() {
        let mut chain = Chain::default();
        chain.note(Whom::Office, Link::Probing, at(2));
        chain.note(Whom::Office, Link::Scan, at(1));
        assert_eq!(links(&chain, &[], at(3)), [Link::Scan, Link::Probing]);
        assert_eq!(links(&chain, &[], at(24 * 8)), [Link::Scan]);
        assert!(links(&chain, &[], at(24 * 40)).is_empty());
    }

    #[test]
    fn a_test_call_is_told_though_the_burst_begins_with_another() {
        let (mut chain, own) = (Chain::default(), Whom::Account("214".into()));
        chain.note(own, Link::Test, at(1));
        chain.note(own, Link::Test, at(3));
        let steps = chain.before(&[own], at(3), at(3));
        assert_eq!(steps, [Step { link: Link::Test, time: at(1), own: true }]);
    }

    #[test]
    fn another_accounts_links_are_not_told() {
        let (mut chain, own, other) =
            (Chain::default(), Whom::Account("214".into()), Whom::Account("215".into()));
        chain.note(other, Link::Leak, at(1));
        assert!(links(&chain, &[own], at(2)).is_empty());
        chain.note(own, Link::Leak, at(1));
        let steps = chain.before(&[own], at(2), at(2));
        assert!(steps[0].own && steps[0].wakes(at(2)) && !steps[0].wakes(at(24 * 9)));
    }

    #[test]
    fn calls_within_minutes_are_one_step_and_what_is_accepted_is_none() {
        let (mut chain, own) = (Chain::default(), Whom::Account("214".into()));
        chain.note(own, Link::Test, at(1));
        chain.note(own, Link::NewDevice, at(1));
        let soon = at(1).plus(Span::minutes(5));
        assert_eq!(links(&chain, &[own], soon), [Link::NewDevice]);
        assert_eq!(links(&chain, &[own], at(2)), [Link::NewDevice, Link::Test]);
        chain.excuse(own);
        assert_eq!(links(&chain, &[own], at(2)), [Link::NewDevice]);
    }
}
