//! Longest-prefix match over digits.
//!
//! In: prefixes with a value each, and a walk that goes along with them. Out: the values of the longest
//! prefixes that begin a number, and where the walk stands.
//! Never: allocates during a look-up.
//!
//! Digits that no two prefixes differ in are compared at once, so that a number is found in a few steps;
//! equal sets of values are stored once, so that the nodes stay small and in cache.

use std::collections::BTreeMap;

use super::packed::{LONGEST, Packed};

/// No value.
pub(crate) const NONE: u16 = u16::MAX;
/// No node.
const NOWHERE: u32 = u32::MAX;
/// Digits that a node can skip.
const MOST_SKIPPED: usize = 8;
/// Digits that the table of beginnings takes at once.
const JUMP: usize = 4;

/// Prefixes on their way into a [`Trie`].
#[derive(Clone)]
pub(crate) struct TrieBuilder<const LANES: usize> {
    /// Sorted, so that equal prefixes lead to equal tables whatever their order.
    rows: BTreeMap<Vec<u8>, [u16; LANES]>,
}

impl<const LANES: usize> Default for TrieBuilder<LANES> {
    fn default() -> Self {
        Self { rows: BTreeMap::new() }
    }
}

impl<const LANES: usize> TrieBuilder<LANES> {
    /// Gives a prefix a value below `NONE` in one lane; the last one counts. `x` stands for any digit.
    /// False if anything else is in the prefix, or more than 15 digits.
    pub(crate) fn insert(&mut self, prefix: &[u8], lane: usize, value: u16) -> bool {
        if let Some(at) = prefix.iter().position(|byte| *byte == b'x') {
            let mut one = prefix.to_vec();
            return (b'0'..=b'9').all(|digit| {
                one[at] = digit;
                self.insert(&one, lane, value)
            });
        }
        let fits = prefix.len() <= LONGEST && value != NONE && lane < LANES;
        let sound = fits && prefix.iter().all(u8::is_ascii_digit);
        if sound {
            self.rows.entry(prefix.to_vec()).or_insert([NONE; LANES])[lane] = value;
        }
        sound
    }

    /// The table, with no walk beside it.
    pub(crate) fn build(&self) -> Trie<LANES> {
        self.build_along(Walk { state: 0, taken: 0 }, |walk, _| walk)
    }

    /// The table, with a walk that begins somewhere and takes a step for each digit.
    pub(crate) fn build_along(&self, begin: Walk, step: impl Fn(Walk, u8) -> Walk) -> Trie<LANES> {
        let rows: Vec<(&[u8], [u16; LANES])> =
            self.rows.iter().map(|(prefix, values)| (prefix.as_slice(), *values)).collect();
        let trie = Trie { nodes: vec![Node::default()], sets: Vec::new(), jumps: Vec::new() };
        let mut filler = Filler { trie, known: BTreeMap::new(), step };
        filler.fill(0, (0, 0), ([NONE; LANES], begin), &rows);
        let jumps = (0..10_000u16).map(|n| filler.jump(format!("{n:04}").as_bytes(), &rows, begin));
        let jumps = jumps.collect();
        Trie { jumps, ..filler.trie }
    }
}

/// Where a walk beside the prefixes stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Walk {
    pub(crate) state: u16,
    /// Digits that it has taken.
    pub(crate) taken: u8,
}

/// Where a number leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    /// For [`Trie::values`].
    set: u32,
    pub(crate) walk: Walk,
}

/// The children of a node stand side by side, from `first` on, in the order of their digits.
#[derive(Clone, Copy, Default)]
struct Node {
    first: u32,
    /// Digits that follow the one that leads here, before this node holds; the first one highest.
    skip: u32,
    /// Bit n: there is a child for digit n; above them, how many digits are skipped.
    digits: u16,
    /// The walk's state, and the digits it took.
    state: u16,
    /// Index of the values of the longest prefix that leads here; above it, the digits the walk took.
    set: u32,
}

/// What holds after the first few digits: the node (all ones if no longer prefix begins so), the index of
/// the values, how many digits the walk took, and its state, in 24, 20, 4 and 16 bits.
#[derive(Clone, Copy)]
struct Jump(u64);

impl Jump {
    fn new(node: u32, set: u32, walk: Walk) -> Self {
        let walk = u64::from(walk.taken & 15) << 16 | u64::from(walk.state);
        Self(u64::from(node) << 40 | u64::from(set & SET) << 20 | walk)
    }

    #[inline]
    const fn node(self) -> u32 {
        (self.0 >> 40) as u32
    }

    #[inline]
    const fn reached(self) -> Reached {
        let walk = Walk { state: self.0 as u16, taken: (self.0 >> 16) as u8 & 15 };
        Reached { set: (self.0 >> 20) as u32 & SET, walk }
    }
}

impl Node {
    #[inline]
    fn child(&self, digit: u64) -> u32 {
        let bit = 1u16 << digit;
        if self.digits & DIGITS & bit == 0 {
            return NOWHERE;
        }
        let before = RANK.get(usize::from(self.digits & (bit - 1))).copied().unwrap_or(0);
        self.first + u32::from(before)
    }

    #[inline]
    const fn skipped(&self) -> usize {
        (self.digits >> 10) as usize
    }

    #[inline]
    const fn reached(&self) -> Reached {
        let walk = Walk { state: self.state, taken: (self.set >> 24) as u8 };
        Reached { set: self.set & SET, walk }
    }
}

const DIGITS: u16 = 0x3ff;
/// More different sets of values than a deck's prices and the lists make together.
const SET: u32 = 0x000f_ffff;

/// How many bits are set: a table, for not every processor of this kind counts bits.
const RANK: [u8; 1024] = {
    let mut rank = [0; 1024];
    let mut at = 1;
    while at < 1024 {
        rank[at] = rank[at >> 1] + (at & 1) as u8;
        at += 1;
    }
    rank
};

/// A flat trie of digits, with several tables of values in its lanes.
#[derive(Clone, Default)]
pub(crate) struct Trie<const LANES: usize> {
    nodes: Vec<Node>,
    sets: Vec<[u16; LANES]>,
    jumps: Vec<Jump>,
}

/// Rows that share a beginning.
type Rows<'a, const LANES: usize> = [(&'a [u8], [u16; LANES])];

struct Filler<F, const LANES: usize> {
    trie: Trie<LANES>,
    known: BTreeMap<[u16; LANES], u32>,
    step: F,
}

impl<F: Fn(Walk, u8) -> Walk, const LANES: usize> Filler<F, LANES> {
    /// Fills a node with rows that share `depth` digits, the last `skipped` of which it skips; recursion
    /// ends with the longest prefix.
    fn fill(
        &mut self,
        at: usize,
        (depth, skipped): (usize, usize),
        (above, walk): ([u16; LANES], Walk),
        rows: &Rows<'_, LANES>,
    ) {
        let own = rows.iter().take_while(|(prefix, _)| prefix.len() == depth).count();
        let (own, below) = rows.split_at(own);
        let values = over(above, own);
        let groups: Vec<&Rows<'_, LANES>> = below.chunk_by(|a, b| a.0.get(depth) == b.0.get(depth)).collect();
        let first = self.trie.nodes.len();
        let path = rows.first().map_or(&[][..], |(prefix, _)| prefix);
        let skip = path.get(depth - skipped..depth).unwrap_or_default();
        let digits = groups.iter().fold(0, |set, group| set | 1 << (digit_at(group, depth) - b'0'));
        self.trie.nodes[at] = Node {
            first: u32::try_from(first).unwrap_or(NOWHERE),
            skip: u32::try_from(Packed::first_of(skip).bits >> 32).unwrap_or(0),
            digits: digits | u16::try_from(skipped << 10).unwrap_or(0),
            state: walk.state,
            set: self.set(values) | u32::from(walk.taken) << 24,
        };
        self.trie.nodes.resize(first + groups.len(), Node::default());
        for (child, group) in groups.into_iter().enumerate() {
            // Digits that all rows of the group share, and no row of it ends among.
            let end = group.iter().map(|(prefix, _)| prefix.len()).min().unwrap_or(0);
            let end = end.min(depth + 1 + MOST_SKIPPED);
            let mut next = depth + 1;
            // The first digits aren't skipped: the jumps end there.
            while next >= JUMP
                && next < end
                && group.iter().all(|row| digit_at(&[*row], next) == digit_at(group, next))
            {
                next += 1;
            }
            let path = group.first().and_then(|(prefix, _)| prefix.get(depth..next)).unwrap_or_default();
            let walk = path.iter().fold(walk, |walk, byte| (self.step)(walk, *byte));
            self.fill(first + child, (next, next - depth - 1), (values, walk), group);
        }
    }

    fn set(&mut self, values: [u16; LANES]) -> u32 {
        let next = self.trie.sets.len();
        *self.known.entry(values).or_insert_with(|| {
            self.trie.sets.push(values);
            u32::try_from(next).unwrap_or(0)
        })
    }

    fn jump(&mut self, digits: &[u8], rows: &Rows<'_, LANES>, begin: Walk) -> Jump {
        let walk = digits.iter().fold(begin, |walk, byte| (self.step)(walk, *byte));
        let mut at = 0;
        for byte in digits {
            let node = self.trie.nodes.get(at as usize);
            at = node.map_or(NOWHERE, |node| node.child(u64::from(byte - b'0')));
        }
        let values = (0..=digits.len()).fold([NONE; LANES], |values, len| {
            let own = rows.binary_search_by(|(prefix, _)| (*prefix).cmp(&digits[..len])).ok();
            over(values, own.and_then(|own| rows.get(own..=own)).unwrap_or_default())
        });
        Jump::new(at, self.set(values), walk)
    }
}

/// The values of a longer prefix over those of a shorter one, lane by lane.
fn over<const LANES: usize>(mut above: [u16; LANES], own: &Rows<'_, LANES>) -> [u16; LANES] {
    if let Some((_, own)) = own.first() {
        for (value, own) in above.iter_mut().zip(own) {
            *value = if *own == NONE { *value } else { *own };
        }
    }
    above
}

fn digit_at<const LANES: usize>(rows: &Rows<'_, LANES>, depth: usize) -> u8 {
    rows.first().and_then(|(prefix, _)| prefix.get(depth)).copied().unwrap_or(b'0')
}

impl<const LANES: usize> Trie<LANES> {
    /// Where the longest prefixes lead.
    #[inline]
    pub(crate) fn reach(&self, number: &Packed) -> Reached {
        if number.len < JUMP {
            return self.reach_short(number);
        }
        // Of four digits in 16s, the index in tens.
        let first = number.bits >> 48;
        let first = first - 6 * (first >> 4) - 60 * (first >> 8) - 600 * (first >> 12);
        let Some(jump) = self.jumps.get(first as usize) else {
            return Reached { set: 0, walk: Walk::default() };
        };
        self.go_on(jump.node(), number.bits << (4 * JUMP), jump.reached())
    }

    /// From a node on, with the digits behind the one that led there; behind the last there are ones.
    #[inline]
    fn go_on(&self, mut at: u32, mut rest: u64, mut reached: Reached) -> Reached {
        while let Some(node) = self.nodes.get(at as usize) {
            let skipped = node.skipped();
            let differs = (rest >> 32) ^ u64::from(node.skip);
            if differs >> (32 - 4 * skipped) != 0 {
                break;
            }
            reached = node.reached();
            rest <<= 4 * skipped;
            at = node.child(rest >> 60);
            rest <<= 4;
        }
        reached
    }

    #[cold]
    fn reach_short(&self, number: &Packed) -> Reached {
        self.go_on(0, number.bits, Reached { set: 0, walk: Walk::default() })
    }

    /// The values, each lane for itself; `NONE` where there is none.
    #[inline]
    pub(crate) fn values(&self, reached: &Reached) -> [u16; LANES] {
        self.sets.get(reached.set as usize).copied().unwrap_or([NONE; LANES])
    }

    /// The values of the longest prefixes of `digits`.
    #[inline]
    pub(crate) fn longest(&self, digits: &[u8]) -> [u16; LANES] {
        self.values(&self.reach(&Packed::first_of(digits)))
    }

    /// Bytes of the table.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.nodes.as_slice())
            + size_of_val(self.sets.as_slice())
            + size_of_val(self.jumps.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// The trie says the same as trying every prefix, in each lane.
        #[test]
        fn equals_trying_every_prefix(
            rows in proptest::collection::vec(("[0-2]{0,6}|0[12]{3,14}", 0usize..2), 0..60),
            number in "[0-3]{0,8}|0[12]{3,14}",
        ) {
            let mut builder = TrieBuilder::<2>::default();
            for (value, (row, lane)) in (0u16..).zip(&rows) {
                prop_assert!(builder.insert(row.as_bytes(), *lane, value));
            }
            let longest = builder.build().longest(number.as_bytes());
            for (lane, value) in longest.into_iter().enumerate() {
                let fits = |len: usize| rows.iter().rposition(|(row, of)| *of == lane && row == &number[..len]);
                let expected = (0..=number.len()).rev().find_map(fits).map_or(NONE, |at| u16::try_from(at).unwrap());
                prop_assert_eq!(value, expected);
            }
        }

        /// The walk has taken the digits that it says, and no others.
        #[test]
        fn walks_along(
            rows in proptest::collection::vec("[0-2]{0,6}|0[12]{3,14}", 0..60),
            number in "[0-2]{3,8}|0[12]{3,14}",
        ) {
            let mut builder = TrieBuilder::<1>::default();
            for row in &rows {
                prop_assert!(builder.insert(row.as_bytes(), 0, 1));
            }
            // In some states it takes no more.
            let step = |walk: Walk, byte: u8| match walk.state % 5 {
                4 => walk,
                _ => Walk {
                    state: walk.state.wrapping_mul(31).wrapping_add(u16::from(byte)),
                    taken: walk.taken + 1,
                },
            };
            let trie = builder.build_along(Walk::default(), step);
            let reached = trie.reach(&Packed::first_of(number.as_bytes())).walk;
            prop_assert!(usize::from(reached.taken) <= number.len());
            let taken = number.bytes().take(usize::from(reached.taken));
            prop_assert_eq!(reached, taken.fold(Walk::default(), step));
        }
    }

    #[test]
    fn x_is_any_digit() {
        let mut builder = TrieBuilder::<1>::default();
        assert!(builder.insert(b"1xx9", 0, 7) && !builder.insert(b"44y", 0, 1));
        assert!(!builder.insert(b"1234567890123456", 0, 1));
        let trie = builder.build();
        assert_eq!(
            (trie.longest(b"10092"), trie.longest(b"1998"), trie.longest(b"1")),
            ([7], [NONE], [NONE])
        );
        assert_eq!(Trie::<1>::default().longest(b"44"), [NONE]);
    }
}
