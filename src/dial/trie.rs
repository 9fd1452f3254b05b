//! Longest-prefix match over digits.
//!
//! In: prefixes with a value each. Out: the value of the longest prefix that begins a number.
//! Never: allocates during a look-up.

use std::collections::BTreeMap;

/// No value.
pub(crate) const NONE: u16 = u16::MAX;
/// No node.
const NOWHERE: u32 = u32::MAX;

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
    /// False if anything else is in the prefix.
    pub(crate) fn insert(&mut self, prefix: &[u8], lane: usize, value: u16) -> bool {
        if let Some(at) = prefix.iter().position(|byte| *byte == b'x') {
            let mut one = prefix.to_vec();
            return (b'0'..=b'9').all(|digit| {
                one[at] = digit;
                self.insert(&one, lane, value)
            });
        }
        let sound = prefix.iter().all(u8::is_ascii_digit) && value != NONE && lane < LANES;
        if sound {
            self.rows.entry(prefix.to_vec()).or_insert([NONE; LANES])[lane] = value;
        }
        sound
    }

    /// The table.
    pub(crate) fn build(&self) -> Trie<LANES> {
        let rows: Vec<(&[u8], [u16; LANES])> =
            self.rows.iter().map(|(prefix, values)| (prefix.as_slice(), *values)).collect();
        let mut trie = Trie { nodes: vec![Node::EMPTY], jumps: Vec::new() };
        trie.fill(0, 0, [NONE; LANES], &rows);
        trie.jumps = (0..1000u16).map(|n| trie.jump(format!("{n:03}").as_bytes())).collect();
        trie
    }
}

/// The children of a node stand side by side, from `first` on, in the order of their digits.
#[derive(Clone, Copy)]
struct Node<const LANES: usize> {
    first: u32,
    /// Bit n: there is a child for digit n.
    digits: u16,
    /// Of the longest prefix that leads here, lane by lane.
    values: [u16; LANES],
}

impl<const LANES: usize> Node<LANES> {
    const EMPTY: Self = Self { first: 0, digits: 0, values: [NONE; LANES] };

    #[inline]
    fn child(&self, byte: u8) -> u32 {
        let bit = 1u16 << (byte.wrapping_sub(b'0') & 15);
        if self.digits & bit == 0 {
            return NOWHERE;
        }
        let before = RANK.get(usize::from(self.digits & (bit - 1))).copied().unwrap_or(0);
        self.first + u32::from(before)
    }
}

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
    nodes: Vec<Node<LANES>>,
    /// Node (`NOWHERE` if no longer prefix begins so) and values after the first three digits.
    jumps: Vec<(u32, [u16; LANES])>,
}

/// Rows that share a beginning.
type Rows<'a, const LANES: usize> = [(&'a [u8], [u16; LANES])];

impl<const LANES: usize> Trie<LANES> {
    /// Fills a node with rows that share `depth` digits; recursion ends with the longest prefix.
    fn fill(&mut self, at: usize, depth: usize, above: [u16; LANES], rows: &Rows<'_, LANES>) {
        let own = rows.iter().take_while(|(prefix, _)| prefix.len() == depth).count();
        let (own, below) = rows.split_at(own);
        let mut values = above;
        for (value, own) in values.iter_mut().zip(own.first().map_or(above, |(_, values)| *values)) {
            *value = if own == NONE { *value } else { own };
        }
        let groups: Vec<&Rows<'_, LANES>> = below.chunk_by(|a, b| a.0.get(depth) == b.0.get(depth)).collect();
        let digit = |group: &Rows<'_, LANES>| {
            group.first().and_then(|(prefix, _)| prefix.get(depth)).map_or(0, |byte| byte - b'0')
        };
        let first = self.nodes.len();
        let digits = groups.iter().fold(0, |set, group| set | 1 << digit(group));
        self.nodes[at] = Node { first: u32::try_from(first).unwrap_or(NOWHERE), digits, values };
        self.nodes.resize(first + groups.len(), Node::EMPTY);
        for (child, group) in groups.into_iter().enumerate() {
            self.fill(first + child, depth + 1, values, group);
        }
    }

    fn jump(&self, digits: &[u8]) -> (u32, [u16; LANES]) {
        let (mut at, mut values) = (0, [NONE; LANES]);
        for byte in digits {
            let Some(node) = self.nodes.get(at as usize) else { break };
            values = node.values;
            at = node.child(*byte);
        }
        (at, self.nodes.get(at as usize).map_or(values, |node| node.values))
    }

    /// The values of the longest prefixes of `digits`, each lane for itself; `NONE` where there is none.
    #[inline]
    pub(crate) fn longest(&self, digits: &[u8]) -> [u16; LANES] {
        let Some(mut node) = self.nodes.first() else { return [NONE; LANES] };
        let mut rest = digits;
        if let [a, b, c, after @ ..] = digits {
            let [a, b, c] = [a, b, c].map(|byte| usize::from(byte.wrapping_sub(b'0')));
            let Some((at, values)) = self.jumps.get(a * 100 + b * 10 + c) else { return [NONE; LANES] };
            let Some(next) = self.nodes.get(*at as usize) else { return *values };
            (node, rest) = (next, after);
        }
        for byte in rest {
            let Some(next) = self.nodes.get(node.child(*byte) as usize) else { break };
            node = next;
        }
        node.values
    }

    /// Bytes of the table.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.nodes.as_slice()) + size_of_val(self.jumps.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The trie says the same as trying every prefix, in each lane.
        #[test]
        fn equals_trying_every_prefix(
            rows in proptest::collection::vec(("[0-2]{0,6}", 0usize..2), 0..60),
            number in "[0-3]{0,8}",
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
    }

    #[test]
    fn x_is_any_digit() {
        let mut builder = TrieBuilder::<1>::default();
        assert!(builder.insert(b"1xx9", 0, 7) && !builder.insert(b"44y", 0, 1));
        let trie = builder.build();
        assert_eq!(
            (trie.longest(b"10092"), trie.longest(b"1998"), trie.longest(b"1")),
            ([7], [NONE], [NONE])
        );
        assert_eq!(Trie::<1>::default().longest(b"44"), [NONE]);
    }
}
