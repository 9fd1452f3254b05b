//! Longest-prefix match over digits.
//!
//! In: prefixes with a value each. Out: the value of the longest prefix that begins a number.
//! Never: allocates during a look-up.

use std::collections::BTreeMap;

/// No value, no node.
const NONE: u32 = u32::MAX;

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
        if self.rows.is_empty() {
            return Trie::default();
        }
        let rows: Vec<(&[u8], u32)> =
            self.rows.iter().map(|(prefix, value)| (prefix.as_slice(), *value)).collect();
        let mut trie = Trie { nodes: vec![Node::default()], jumps: Vec::new() };
        trie.fill(0, 0, NONE, &rows);
        trie.jumps = (0..1000u16).map(|n| trie.jump(format!("{n:03}").as_bytes())).collect();
        trie
    }
}

/// The children of a node stand side by side, from `first` on, in the order of their digits.
#[derive(Clone, Copy, Default)]
struct Node {
    first: u32,
    /// Of the longest prefix that leads here.
    value: u32,
    /// Bit n: there is a child for digit n.
    digits: u16,
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

/// A flat trie of digits.
#[derive(Clone, Default)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    /// Node (`NONE` if no longer prefix begins so) and value after the first three digits.
    jumps: Vec<(u32, u32)>,
}

impl Trie {
    /// Fills a node with rows that share `depth` digits; recursion ends with the longest prefix.
    fn fill(&mut self, at: usize, depth: usize, above: u32, rows: &[(&[u8], u32)]) {
        let (own, below): (Vec<_>, Vec<_>) = rows.iter().partition(|(prefix, _)| prefix.len() == depth);
        let value = own.first().map_or(above, |(_, value)| *value);
        let groups: Vec<&[(&[u8], u32)]> = below.chunk_by(|a, b| a.0.get(depth) == b.0.get(depth)).collect();
        let digit = |group: &[(&[u8], u32)]| {
            group.first().and_then(|row| row.0.get(depth)).map_or(0, |byte| byte - b'0')
        };
        let first = self.nodes.len();
        let digits = groups.iter().fold(0, |set, group| set | 1 << digit(group));
        self.nodes[at] = Node { first: u32::try_from(first).unwrap_or(NONE), value, digits };
        self.nodes.resize(first + groups.len(), Node::default());
        for (child, group) in groups.into_iter().enumerate() {
            self.fill(first + child, depth + 1, value, group);
        }
    }

    fn jump(&self, digits: &[u8]) -> (u32, u32) {
        let mut value = NONE;
        let mut at = 0;
        for byte in digits {
            let Some(node) = self.nodes.get(at as usize) else { break };
            value = node.value;
            at = child(node, *byte);
        }
        (at, self.nodes.get(at as usize).map_or(value, |node| node.value))
    }

    /// The value of the longest prefix of `digits`.
    #[inline]
    pub(crate) fn longest(&self, digits: &[u8]) -> Option<u32> {
        let mut node = self.nodes.first()?;
        let mut value = node.value;
        let mut rest = digits;
        if let [a, b, c, after @ ..] = digits {
            let [a, b, c] = [a, b, c].map(|byte| usize::from(byte.wrapping_sub(b'0')));
            let (at, best) = *self.jumps.get(a * 100 + b * 10 + c)?;
            let Some(next) = self.nodes.get(at as usize) else { return known(best) };
            (node, value, rest) = (next, best, after);
        }
        for byte in rest {
            let Some(next) = self.nodes.get(child(node, *byte) as usize) else { break };
            node = next;
            value = node.value;
        }
        known(value)
    }

    /// Bytes of the table.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.nodes.as_slice()) + size_of_val(self.jumps.as_slice())
    }
}

#[inline]
fn child(node: &Node, byte: u8) -> u32 {
    let bit = 1u16 << (byte.wrapping_sub(b'0') & 15);
    if node.digits & bit == 0 {
        return NONE;
    }
    let before = RANK.get(usize::from(node.digits & (bit - 1))).copied().unwrap_or(0);
    node.first + u32::from(before)
}

#[inline]
fn known(value: u32) -> Option<u32> {
    (value != NONE).then_some(value)
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
                rows.iter().rposition(|row| row.as_str() == &number[..len]).map(|at| u32::try_from(at).unwrap())
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
