//! The links of one attack: what came before makes the next more urgent.
//!
//! In: links, each on a subject at a moment. Out: which earlier links a subject has.
//! Never: makes an incident by itself, or remembers for longer than a month.

use crate::bounded::Table;
use crate::finding::Subject;
use crate::labels;
use crate::tally::Label;
use crate::time::{Span, Timestamp};

labels! {
    /// A step of an attack, in the order in which attacks take them.
    pub enum Link {
        Scan = "scan", "Somebody searched the network for SIP devices or extensions.";
        BruteForce = "brute_force", "Somebody guessed passwords.";
        Access = "access", "A stranger reached the handset.";
        NewDevice = "new_device", "The account appeared on a new device.";
        Probing = "probing", "Dial prefixes were probed.";
        Test = "test", "Single test calls were placed.";
        Burst = "burst", "Costly calls were placed.";
    }
}

const LINKS: usize = Link::ALL.len();

/// How long a link counts. Test calls come up to a day before an attack; stolen credentials are
/// sold and used later (field notes of Yates, kwebbl).
const fn memory(link: Link) -> Span {
    match link {
        Link::Scan | Link::BruteForce | Link::Access | Link::NewDevice => Span::days(30),
        Link::Probing => Span::days(7),
        Link::Test => Span::days(3),
        Link::Burst => Span::DAY,
    }
}

/// When each link of a subject was seen last.
type Links = [Option<Timestamp>; LINKS];

/// Every subject's links, bounded.
#[derive(Debug)]
pub struct Chain {
    links: Table<Subject, Links>,
}

impl Default for Chain {
    fn default() -> Self {
        Self { links: Table::new(4_096, 0) }
    }
}

impl Chain {
    /// Something that attacks begin with happened to a subject.
    pub fn note(&mut self, subject: Subject, link: Link, time: Timestamp) {
        let slot = self.links.find_or_insert(&subject, time, || [None; LINKS]).slot;
        if let Some(seen) = self.links.get_mut(slot).and_then(|links| links.get_mut(link.index())) {
            *seen = Some(seen.map_or(time, |seen| seen.max(time)));
        }
    }

    /// The links that a subject has, and the whole office's too, from the first step of an attack on.
    pub fn before(&self, subject: Subject, now: Timestamp) -> Vec<(Link, Timestamp)> {
        let of = |subject: Subject| self.links.find(&subject).and_then(|slot| self.links.get(slot)).copied();
        let (own, office) = (of(subject).unwrap_or_default(), of(Subject::Office).unwrap_or_default());
        let seen = Link::ALL.iter().zip(own.into_iter().zip(office));
        seen.filter_map(|(link, (own, office))| {
            let at = own.max(office)?;
            (now.since(at) <= memory(*link)).then_some((*link, at))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_told_in_the_order_of_an_attack_and_forgotten() {
        let mut chain = Chain::default();
        let at = |hours| Timestamp(0).plus(Span::hours(hours));
        chain.note(Subject::Office, Link::Probing, at(2));
        chain.note(Subject::Office, Link::Scan, at(1));
        let links = |now| -> Vec<Link> {
            chain.before(Subject::Office, now).into_iter().map(|(link, _)| link).collect()
        };
        assert_eq!(links(at(3)), [Link::Scan, Link::Probing]);
        assert_eq!(links(at(24 * 8)), [Link::Scan]);
        assert!(links(at(24 * 40)).is_empty());
    }
}
