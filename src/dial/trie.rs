//! Longest-prefix match over digits.
//!
//! In: prefixes with a value each. Out: the value of the longest prefix that begins a number.
//! Never: allocates during a look-up.

/// No value, no node.
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Node {
    next: [u32; 10],
    value: u32,
}

const EMPTY: Node = Node { next: [NONE; 10], value: NONE };

/// A flat trie of digits.
#[derive(Clone)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
}

impl Default for Trie {
    fn default() -> Self {
        Self { nodes: vec![EMPTY] }
    }
}

impl Trie {
    /// Gives a prefix a value below `u32::MAX`; the last one counts. False if it isn't all digits.
    pub(crate) fn insert(&mut self, prefix: &[u8], value: u32) -> bool {
        if !prefix.iter().all(u8::is_ascii_digit) || value == NONE {
            return false;
        }
        let mut at = 0;
        for byte in prefix {
            let digit = usize::from(byte - b'0');
            let next = self.nodes[at].next[digit];
            at = if next == NONE { self.grow(at, digit) } else { next as usize };
        }
        self.nodes[at].value = value;
        true
    }

    fn grow(&mut self, at: usize, digit: usize) -> usize {
        let made = self.nodes.len();
        self.nodes.push(EMPTY);
        self.nodes[at].next[digit] = u32::try_from(made).unwrap_or(NONE);
        made
    }

    /// The value of the longest prefix of `digits`, and that prefix's length.
    #[inline]
    pub(crate) fn longest(&self, digits: &[u8]) -> Option<(u32, usize)> {
        let mut node = self.nodes.first()?;
        let mut best = (node.value != NONE).then_some((node.value, 0));
        for (at, byte) in digits.iter().enumerate() {
            let Some(next) = node.next.get(usize::from(byte.wrapping_sub(b'0'))) else { break };
            let Some(below) = self.nodes.get(*next as usize) else { break };
            node = below;
            if node.value != NONE {
                best = Some((node.value, at + 1));
            }
        }
        best
    }

    /// Bytes of the table.
    pub(crate) fn bytes(&self) -> usize {
        self.nodes.len() * size_of::<Node>()
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
            rows in proptest::collection::vec("[0-3]{0,4}", 0..40),
            number in "[0-4]{0,8}",
        ) {
            let mut trie = Trie::default();
            for (value, row) in (0u32..).zip(&rows) {
                prop_assert!(trie.insert(row.as_bytes(), value));
            }
            let expected = (0..=number.len()).rev().find_map(|len| {
                rows.iter().rposition(|row| row.as_str() == &number[..len]).map(|at| (u32::try_from(at).unwrap(), len))
            });
            prop_assert_eq!(trie.longest(number.as_bytes()), expected);
        }
    }

    #[test]
    fn refuses_what_is_not_a_digit() {
        assert!(!Trie::default().insert(b"44x", 1));
        assert_eq!(Trie::default().longest(b"44"), None);
    }
}
