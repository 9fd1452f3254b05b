//! All number patterns of the world as one flat digit automaton.
//!
//! In: the plans. Out: for a number in E.164 form, its region and type, or the closest region.
//! Never: allocates, backtracks or runs a regular expression during a look-up.
//!
//! A state whose ten digits all lead to the same place is stored as a tail: from there on only the
//! count of digits matters, so a look-up ends there. `compile` makes the tables.

use super::DialError;
use super::compile::compile;
use super::numbering::{Numbering, PlanType};
use super::packed::Packed;
use super::trie::Walk;

/// Ids from here on are tails; those below are nodes.
pub(super) const TAIL: u16 = 0x8000;
pub(super) const DEAD: u16 = 0;
pub(super) const ROOT: u16 = 1;
pub(super) const UNLABELLED: u16 = 0;
/// The regions below a node differ, or there is no plan.
pub(super) const MIXED: u16 = u16::MAX;

/// What libphonenumber says of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum NumberType {
    Unknown,
    FixedOrMobile,
    Of(PlanType),
}

/// Where a path through the automaton leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Label {
    /// Index of the plan in `Numbering::plans`, or `MIXED`.
    pub(crate) plan: u16,
    pub(crate) kind: NumberType,
}

/// The answer to a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Index of the plan in `Numbering::plans`.
    pub(crate) plan: u16,
    /// `Unknown` unless the number is exact, or all numbers that begin so have the same type.
    pub(crate) kind: NumberType,
    /// Whether the plan has exactly this number.
    pub(crate) exact: bool,
    /// How many digits the calling code has.
    pub(crate) code_len: u8,
}

/// A state in which the next digit matters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Node {
    pub(super) next: [u16; 10],
    /// Label of the number that ends here.
    pub(super) here: u16,
    /// What all numbers that pass here have in common.
    pub(super) near: u16,
}

/// A state in which only the count of the digits to come matters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Tail {
    /// The counts that make a number: bit n for n more digits.
    pub(super) lengths: u32,
    /// The label of all of them; if they differ, `MIXED`, and `Tables::mixed` has them.
    pub(super) label: u16,
    pub(super) near: u16,
}

/// The compiled tables.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) nodes: Vec<Node>,
    pub(super) tails: Vec<Tail>,
    /// Tail and count of digits to come, in ascending order, with a label.
    pub(super) mixed: Vec<((u16, u32), u16)>,
    pub(super) labels: Vec<Label>,
    /// State after the first three digits.
    pub(super) jump: Vec<u16>,
    /// Main plan and length of each calling code; `MIXED` where there is none.
    pub(super) codes: Vec<(u16, u8)>,
}

/// The automaton.
pub(crate) struct Automaton(Tables);

impl Automaton {
    /// Compiles the plans.
    pub(crate) fn new(numbering: &Numbering) -> Result<Self, DialError> {
        compile(&numbering.plans).map(Self)
    }

    /// Looks up a number in E.164 form, ASCII digits without `+`; `None` if its calling code isn't assigned.
    #[inline]
    pub(crate) fn find(&self, digits: &[u8]) -> Option<Found> {
        let &[a, b, c, ref rest @ ..] = digits else { return None };
        let first = usize::from(digit(a)) * 100 + usize::from(digit(b)) * 10 + usize::from(digit(c));
        let (main, code_len) = *self.0.codes.get(first)?;
        if main == MIXED {
            return None;
        }
        let here = self.0.end(*self.0.jump.get(first)?, rest);
        if here == UNLABELLED {
            return Some(self.closest(digits, main, code_len));
        }
        let label = self.0.labels.get(usize::from(here))?;
        Some(Found { plan: label.plan, kind: label.kind, exact: true, code_len })
    }

    /// Where a walk begins.
    pub(crate) const fn begin(&self) -> Walk {
        Walk { state: ROOT, taken: 0 }
    }

    /// A walk with one more digit, unless only the count of digits matters from where it stands.
    pub(crate) fn go_on(&self, walk: Walk, byte: u8) -> Walk {
        if walk.state >= TAIL {
            return walk;
        }
        Walk { state: self.0.step(walk.state, byte), taken: walk.taken + 1 }
    }

    /// The label of the number that a walk has taken the first digits of; `None` if no plan has it.
    #[inline]
    pub(crate) fn label_after(&self, walk: Walk, number: &Packed) -> Option<u16> {
        let label = self.0.end_packed(walk.state, &number.without(usize::from(walk.taken)));
        (label != UNLABELLED).then_some(label)
    }

    /// The label of a number; `None` if no plan has it.
    #[inline]
    pub(crate) fn label_of(&self, number: &Packed) -> Option<u16> {
        self.label_after(self.begin(), number)
    }

    /// The label that says what all numbers have in common that begin as this one does, as far as any
    /// does; `None` if a walk has left them already.
    #[inline]
    pub(crate) fn near_after(&self, walk: Walk, number: &Packed) -> Option<u16> {
        let label = self.0.near_packed(walk.state, number.without(usize::from(walk.taken)).bits);
        (label != UNLABELLED).then_some(label)
    }

    /// The main plan of a number's calling code, and how many digits that has; `None` if it isn't assigned.
    #[inline]
    pub(crate) fn code_of(&self, number: &Packed) -> Option<(u16, u8)> {
        let first = number.first_three()?;
        self.0.codes.get(first).copied().filter(|(main, _)| *main != MIXED)
    }

    /// What a label says.
    #[inline]
    pub(crate) fn labelled(&self, label: u16) -> Option<Label> {
        self.0.labels.get(usize::from(label)).copied()
    }

    /// How many labels there are.
    pub(crate) fn labels(&self) -> usize {
        self.0.labels.len()
    }

    /// Nodes and tails, labels, and bytes of the tables.
    pub(crate) fn size(&self) -> (usize, usize, usize) {
        let tables = &self.0;
        let bytes = size_of_val(tables.nodes.as_slice())
            + size_of_val(tables.tails.as_slice())
            + size_of_val(tables.mixed.as_slice())
            + size_of_val(tables.labels.as_slice())
            + size_of_val(tables.jump.as_slice())
            + size_of_val(tables.codes.as_slice());
        (tables.nodes.len() + tables.tails.len(), tables.labels.len(), bytes)
    }

    /// The plan that the longest known beginning of the number belongs to.
    #[cold]
    fn closest(&self, digits: &[u8], main: u16, code_len: u8) -> Found {
        let tables = &self.0;
        let (mut at, mut near) = (ROOT, UNLABELLED);
        for byte in digits {
            at = tables.step(at, *byte);
            if at >= TAIL {
                near = tables.tails.get(usize::from(at - TAIL)).map_or(near, |tail| tail.near);
                break;
            }
            match tables.nodes.get(usize::from(at)) {
                Some(node) if at != DEAD => near = node.near,
                _ => break,
            }
        }
        let label = tables.labels.get(usize::from(near)).filter(|_| near != UNLABELLED);
        let plan = label.map_or(main, |label| if label.plan == MIXED { main } else { label.plan });
        Found { plan, kind: label.map_or(NumberType::Unknown, |label| label.kind), exact: false, code_len }
    }
}

impl Tables {
    /// The label of the number that goes on from a state with these digits.
    #[inline]
    fn end(&self, from: u16, rest: &[u8]) -> u16 {
        let mut at = from;
        let mut rest = rest;
        loop {
            if at >= TAIL {
                return self.tail(at, rest.len());
            }
            let Some(node) = self.nodes.get(usize::from(at)) else { return UNLABELLED };
            let [byte, after @ ..] = rest else { return node.here };
            at = node.next.get(usize::from(digit(*byte))).copied().unwrap_or(DEAD);
            if at == DEAD {
                return UNLABELLED;
            }
            rest = after;
        }
    }

    /// The same for digits in a word.
    #[inline]
    fn end_packed(&self, from: u16, rest: &Packed) -> u16 {
        let (mut at, mut bits, mut count) = (from, rest.bits, rest.len);
        while at < TAIL {
            let Some(node) = self.nodes.get(usize::from(at)).filter(|_| at != DEAD) else {
                return UNLABELLED;
            };
            let Some(next) = node.next.get((bits >> 60) as usize) else { return node.here };
            (at, bits, count) = (*next, bits << 4, count - 1);
        }
        self.tail(at, count)
    }

    /// What the numbers have in common that share as many of these digits with any as can be.
    #[inline]
    fn near_packed(&self, from: u16, digits: u64) -> u16 {
        let (mut at, mut bits, mut near) = (from, digits, UNLABELLED);
        while at < TAIL {
            let Some(node) = self.nodes.get(usize::from(at)).filter(|_| at != DEAD) else { return near };
            near = node.near;
            let Some(next) = node.next.get((bits >> 60) as usize) else { return near };
            (at, bits) = (*next, bits << 4);
        }
        self.tails.get(usize::from(at - TAIL)).map_or(near, |tail| tail.near)
    }

    #[inline]
    fn tail(&self, at: u16, count: usize) -> u16 {
        let Some(tail) = self.tails.get(usize::from(at - TAIL)) else { return UNLABELLED };
        let count = u32::try_from(count).unwrap_or(31).min(31);
        if tail.lengths >> count & 1 == 0 {
            UNLABELLED
        } else if tail.label == MIXED {
            self.mixed_label((at, count))
        } else {
            tail.label
        }
    }

    fn mixed_label(&self, key: (u16, u32)) -> u16 {
        let at = self.mixed.binary_search_by_key(&key, |(key, _)| *key);
        at.ok().and_then(|at| self.mixed.get(at)).map_or(UNLABELLED, |(_, label)| *label)
    }

    /// The state after one more digit; a tail's own tail is itself, for only its length matters.
    #[inline]
    pub(super) fn step(&self, at: u16, byte: u8) -> u16 {
        let next = self.nodes.get(usize::from(at)).and_then(|node| node.next.get(usize::from(digit(byte))));
        next.copied().unwrap_or(DEAD)
    }
}

#[inline]
fn digit(byte: u8) -> u8 {
    byte.wrapping_sub(b'0')
}
