//! Longest-prefix match over digits.
//!
//! In: prefixes with a value each. Out: the value of the longest prefix that begins a number.
//! Never: allocates during a look-up.

use std::collections::BTreeMap;

/// No value, no node.
const NONE: u32 = u32::MAX;
/// Digits that one jump takes.
const JUMP: usize = 3;

/// Prefixes on their way into a [`Trie`].
#[derive(Clone, Default)]
pub(crate) struct TrieBuilder {
    /// Sorted, so that equal prefixes lead to equal tables whatever their order.
    rows: BTreeMap<Vec<u8>, u32>,
}

impl TrieBuilder {
    /// Gives a prefix a value below `u32::MAX`; the last one counts. False if it isn't all digits.
    pub(crate) fn insert(&mut self, prefix: &[u8], value: u32) -> bool {
        let sound = prefix.iter().all(u8::is_ascii_digit) && value != NONE;
        if sound {
            self.rows.insert(prefix.to_vec(), value);
        }
        sound
    }

    /// The table.
    pub(crate) fn build(&self) -> Trie {
        let rows: Vec<(&[u8], u32)> =
            self.rows.iter().map(|(prefix, value)| (prefix.as_slice(), *value)).collect();
        let mut trie = Trie { nodes: vec![Node::default()], jumps: Vec::new() };
        trie.fill(0, 0, &rows);
        trie.jumps = (0..1000u16).map(|n| trie.jump(format!("{n:03}").as_bytes())).collect();
        trie
    }
}

/// The children of a node stand side by side, from `first` on, in the order of their digits.
#[derive(Clone, Copy)]
struct Node {
    first: u32,
    value: u32,
    /// Bit n: there is a child for digit n.
    digits: u16,
}

impl Default for Node {
    fn default() -> Self {
        Self { first: NONE, value: NONE, digits: 0 }
    }
}

/// Where the first three digits lead.
#[derive(Clone, Copy)]
struct Jump {
    /// `NONE` if no longer prefix begins so.
    node: u32,
    value: u32,
    len: u8,
}

/// A flat trie of digits.
#[derive(Clone, Default)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    jumps: Vec<Jump>,
}

impl Trie {
    /// Fills a node with rows that share `depth` digits; recursion ends with the longest prefix.
    fn fill(&mut self, at: usize, depth: usize, rows: &[(&[u8], u32)]) {
        let (own, below): (Vec<_>, Vec<_>) = rows.iter().partition(|(prefix, _)| prefix.len() == depth);
        let value = own.first().map_or(NONE, |(_, value)| *value);
        let groups: Vec<&[(&[u8], u32)]> = below.chunk_by(|a, b| a.0.get(depth) == b.0.get(depth)).collect();
        let digit = |group: &[(&[u8], u32)]| {
            group.first().and_then(|row| row.0.get(depth)).map_or(0, |byte| byte - b'0')
        };
        let first = self.nodes.len();
        let digits = groups.iter().fold(0, |set, group| set | 1 << digit(group));
        self.nodes[at] = Node { first: u32::try_from(first).unwrap_or(NONE), value, digits };
        self.nodes.resize(first + groups.len(), Node::default());
        for (child, group) in groups.into_iter().enumerate() {
            self.fill(first + child, depth + 1, group);
        }
    }

    fn jump(&self, digits: &[u8]) -> Jump {
        let (mut at, mut best) = (0, (NONE, 0));
        for (depth, byte) in digits.iter().enumerate() {
            if let Some(node) = self.nodes.get(at as usize).filter(|node| node.value != NONE) {
                best = (node.value, depth);
            }
            at = self.child(at, *byte);
        }
        Jump { node: at, value: best.0, len: u8::try_from(best.1).unwrap_or(0) }
    }

    #[inline]
    fn child(&self, at: u32, byte: u8) -> u32 {
        let Some(node) = self.nodes.get(at as usize) else { return NONE };
        let bit = 1u16 << (byte.wrapping_sub(b'0') & 15);
        if node.digits & bit == 0 { NONE } else { node.first + (node.digits & (bit - 1)).count_ones() }
    }

    /// The value of the longest prefix of `digits`, and that prefix's length.
    #[inline]
    pub(crate) fn longest(&self, digits: &[u8]) -> Option<(u32, usize)> {
        if self.nodes.len() <= 1 && self.nodes.first()?.value == NONE {
            return None;
        }
        let (mut at, mut depth, mut best) = (0, 0, (NONE, 0));
        if let [a, b, c, ..] = digits {
            let [a, b, c] = [a, b, c].map(|byte| usize::from(byte.wrapping_sub(b'0')));
            let jump = self.jumps.get(a * 100 + b * 10 + c)?;
            (at, depth, best) = (jump.node, JUMP, (jump.value, usize::from(jump.len)));
        }
        while let Some(node) = self.nodes.get(at as usize) {
            if node.value != NONE {
                best = (node.value, depth);
            }
            let Some(byte) = digits.get(depth) else { break };
            at = self.child(at, *byte);
            depth += 1;
        }
        (best.0 != NONE).then_some(best)
    }

    /// Bytes of the table.
    pub(crate) fn bytes(&self) -> usize {
        self.nodes.len() * size_of::<Node>() + self.jumps.len() * size_of::<Jump>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The trie says the same as trying every prefix.
        #[test]
        fn equals_trying_every_prefix(
            rows in proptest::collection::vec("[0-2]{0,6}", 0..60),
            number in "[0-3]{0,8}",
        ) {
            let mut builder = TrieBuilder::default();
            for (value, row) in (0u32..).zip(&rows) {
                prop_assert!(builder.insert(row.as_bytes(), value));
            }
            let trie = builder.build();
            let expected = (0..=number.len()).rev().find_map(|len| {
                rows.iter().rposition(|row| row.as_str() == &number[..len]).map(|at| (u32::try_from(at).unwrap(), len))
            });
            prop_assert_eq!(trie.longest(number.as_bytes()), expected);
        }
    }

    #[test]
    fn refuses_what_is_not_a_digit() {
        assert!(!TrieBuilder::default().insert(b"44x", 1));
        assert_eq!(TrieBuilder::default().build().longest(b"44"), None);
        assert_eq!(Trie::default().longest(b"44"), None);
    }
}
