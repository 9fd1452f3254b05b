//! The automaton's states in which only the count of digits matters.
//!
//! In: the automaton's nodes, children before their parents. Out: nodes and tails, renumbered.
//! Never: changes what a number leads to.

use std::collections::BTreeMap;

use super::DialError;
use super::automaton::{DEAD, MIXED, Node, ROOT, TAIL, Tail, UNLABELLED};

/// Labels by the count of digits to come.
type Labels = BTreeMap<u32, u16>;
/// Nodes, tails, and the labels of tails that have several.
type Compressed = (Vec<Node>, Vec<Tail>, Vec<((u16, u32), u16)>);

/// Turns nodes into tails where that is possible; node 0 stays dead, node 1 the root.
pub(super) fn compress(nodes: &[Node]) -> Result<Compressed, DialError> {
    let labels = tail_labels(nodes);
    let mut ids = vec![DEAD; nodes.len()];
    let (mut kept, mut tails, mut mixed) = (Vec::new(), Vec::new(), Vec::new());
    for (at, node) in nodes.iter().enumerate() {
        match labels.get(at).and_then(Option::as_ref) {
            Some(labels) if at > usize::from(ROOT) => {
                ids[at] = id(tails.len())?.checked_add(TAIL).ok_or(DialError::TooManyNodes)?;
                tails.push(tail(labels, node.near));
                if tails.last().is_some_and(|tail| tail.label == MIXED) {
                    mixed.extend(labels.iter().map(|(count, label)| ((ids[at], *count), *label)));
                }
            }
            _ => {
                ids[at] = id(kept.len())?;
                kept.push(*node);
            }
        }
    }
    for node in &mut kept {
        node.next = node.next.map(|next| ids[usize::from(next)]);
    }
    Ok((kept, tails, mixed))
}

/// For each node that is a tail, its labels.
fn tail_labels(nodes: &[Node]) -> Vec<Option<Labels>> {
    let mut all: Vec<Option<Labels>> = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let [child, others @ ..] = node.next;
        let same = at > usize::from(ROOT) && others.iter().all(|other| *other == child);
        let below = match child {
            _ if !same => None,
            DEAD => Some(Labels::new()),
            child => all.get(usize::from(child)).cloned().flatten(),
        };
        all.push(below.map(|below| {
            let own = (node.here != UNLABELLED).then_some((0, node.here));
            below.into_iter().map(|(count, label)| (count + 1, label)).chain(own).collect()
        }));
    }
    all
}

fn tail(labels: &Labels, near: u16) -> Tail {
    let lengths = labels.keys().fold(0, |set, count| set | 1 << count);
    let mut different = labels.values().copied();
    let first = different.next().unwrap_or(UNLABELLED);
    let label = if different.all(|label| label == first) { first } else { MIXED };
    Tail { lengths, label, near }
}

fn id(count: usize) -> Result<u16, DialError> {
    u16::try_from(count).ok().filter(|id| *id < TAIL).ok_or(DialError::TooManyNodes)
}
