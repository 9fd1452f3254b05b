//! A tiny matcher for the prefix patterns of the plans: international and trunk prefixes.
//!
//! In: a pattern of digits, classes, groups and repetitions, as the plans have them. Out: how much of
//! a dialled string it covers, with groups.
//! Never: allocates while it matches; looks at more than the pattern's bounded length.
//!
//! `regex-automata` gives groups only with a mutable cache, which a shared, allocation-free look-up
//! can't have; the trunk prefixes of Argentina and Brazil need groups.

use super::DialError;

const GROUPS: usize = 4;

/// A compiled pattern, matched at the beginning of a string.
#[derive(Clone, Debug)]
pub(crate) struct Prefix {
    branches: Node,
    /// Set if the pattern is alternatives of digits and nothing else.
    literals: Option<Vec<Vec<u8>>>,
    /// The digits with which a match can begin.
    first: u16,
    /// How many groups it has.
    groups: usize,
}

#[derive(Clone, Debug)]
enum Node {
    /// One of the digits in a bit set.
    Digit(u16),
    End,
    Sequence(Vec<Self>),
    Either(Vec<Self>),
    Repeat(Box<Self>, u8, u8),
    Group(usize, Box<Self>),
}

/// A match: its length, and where its groups lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) len: usize,
    pub(crate) groups: [Option<(u8, u8)>; GROUPS],
}

impl Prefix {
    /// Compiles a pattern; an empty one never matches.
    pub(crate) fn new(source: &str) -> Result<Self, DialError> {
        let mut parser = Parser { rest: source.as_bytes(), groups: 0 };
        let branches = parser.either().filter(|_| parser.rest.is_empty());
        let branches = branches.ok_or_else(|| DialError::Pattern(source.to_owned()))?;
        let plain = |branch: &str| !branch.is_empty() && branch.bytes().all(|byte| byte.is_ascii_digit());
        let literals =
            source.split('|').map(|branch| plain(branch).then(|| branch.as_bytes().to_vec())).collect();
        // An empty match is none, so what comes after an empty beginning matters as well.
        let (first, _) = branches.first();
        Ok(Self { branches, literals, first, groups: parser.groups })
    }

    /// Matches at the beginning of `text`, leftmost alternative first as in Perl; `None` for no match
    /// and for an empty one.
    #[inline]
    pub(crate) fn find(&self, text: &[u8]) -> Option<Match> {
        let digit = text.first()?.wrapping_sub(b'0');
        if self.first >> (digit & 15) & 1 == 0 {
            return None;
        }
        match &self.literals {
            Some(literals) => {
                let len = literals.iter().find(|literal| text.starts_with(literal))?.len();
                Some(Match { len, ..Match::default() })
            }
            None => self.find_slow(text),
        }
    }

    /// How many groups it has; the first is number 1.
    pub(crate) const fn groups(&self) -> usize {
        self.groups
    }

    /// The only string that matches, if there is only one.
    #[inline]
    pub(crate) fn literal(&self) -> Option<&[u8]> {
        match self.literals.as_deref()? {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The digits with which a match can begin, one bit each.
    pub(crate) const fn first(&self) -> u16 {
        self.first
    }

    /// The most digits of a string that matches as a whole only; `None` if a match can leave some over.
    pub(crate) fn whole(&self) -> Option<usize> {
        self.branches.is_closed().then(|| self.branches.longest())
    }

    fn find_slow(&self, text: &[u8]) -> Option<Match> {
        let mut end = None;
        run(&self.branches, text, Match::default(), &mut |found| {
            end = Some(found);
            true
        });
        end.filter(|found: &Match| found.len > 0)
    }
}

impl Node {
    /// The digits with which a match can begin, and whether it can be empty.
    fn first(&self) -> (u16, bool) {
        match self {
            Self::Digit(set) => (*set, false),
            Self::End => (0, true),
            Self::Either(nodes) => {
                nodes.iter().map(Self::first).fold((0, false), |a, b| (a.0 | b.0, a.1 | b.1))
            }
            Self::Sequence(nodes) => nodes
                .iter()
                .map(Self::first)
                .fold((0, true), |a, b| (if a.1 { a.0 | b.0 } else { a.0 }, a.1 & b.1)),
            Self::Repeat(inner, low, _) => (inner.first().0, *low == 0 || inner.first().1),
            Self::Group(_, inner) => inner.first(),
        }
    }
}

impl Node {
    /// Whether every match goes to the end of the string.
    fn is_closed(&self) -> bool {
        match self {
            Self::End => true,
            Self::Either(nodes) => nodes.iter().all(Self::is_closed),
            Self::Sequence(nodes) => nodes.last().is_some_and(Self::is_closed),
            Self::Digit(_) | Self::Repeat(..) | Self::Group(..) => false,
        }
    }

    /// The most digits that it covers.
    fn longest(&self) -> usize {
        match self {
            Self::Digit(_) => 1,
            Self::End => 0,
            Self::Either(nodes) => nodes.iter().map(Self::longest).max().unwrap_or(0),
            Self::Sequence(nodes) => nodes.iter().map(Self::longest).sum(),
            Self::Repeat(inner, _, high) => inner.longest() * usize::from(*high),
            Self::Group(_, inner) => inner.longest(),
        }
    }
}

/// Continues with `then` after each way in which `node` matches, until one of them answers true.
fn run(node: &Node, text: &[u8], at: Match, then: &mut dyn FnMut(Match) -> bool) -> bool {
    match node {
        Node::Digit(set) => {
            let digit = text.get(at.len).map(|byte| byte.wrapping_sub(b'0'));
            let fits = digit.is_some_and(|digit| digit < 10 && set >> digit & 1 == 1);
            fits && then(Match { len: at.len + 1, ..at })
        }
        Node::End => at.len == text.len() && then(at),
        Node::Either(branches) => branches.iter().any(|branch| run(branch, text, at, then)),
        Node::Sequence(nodes) => sequence(nodes, text, at, then),
        Node::Repeat(inner, low, high) => repeat(inner, *low, *high, text, at, then),
        Node::Group(number, inner) => run(inner, text, at, &mut |mut found| {
            if let Some(group) = found.groups.get_mut(*number) {
                *group = u8::try_from(at.len).ok().zip(u8::try_from(found.len).ok());
            }
            then(found)
        }),
    }
}

fn sequence(nodes: &[Node], text: &[u8], at: Match, then: &mut dyn FnMut(Match) -> bool) -> bool {
    match nodes {
        [] => then(at),
        [first, rest @ ..] => run(first, text, at, &mut |found| sequence(rest, text, found, then)),
    }
}

fn repeat(
    inner: &Node,
    low: u8,
    high: u8,
    text: &[u8],
    at: Match,
    then: &mut dyn FnMut(Match) -> bool,
) -> bool {
    let again = high > 0
        && run(inner, text, at, &mut |found| {
            repeat(inner, low.saturating_sub(1), high - 1, text, found, then)
        });
    again || (low == 0 && then(at))
}

struct Parser<'a> {
    rest: &'a [u8],
    groups: usize,
}

impl Parser<'_> {
    fn either(&mut self) -> Option<Node> {
        let mut branches = vec![self.sequence()?];
        while self.eat(b"|") {
            branches.push(self.sequence()?);
        }
        Some(if branches.len() == 1 { branches.pop()? } else { Node::Either(branches) })
    }

    fn sequence(&mut self) -> Option<Node> {
        let mut nodes = Vec::new();
        while !matches!(self.rest.first(), None | Some(b'|' | b')')) {
            let node = self.atom()?;
            nodes.push(self.repeated(node)?);
        }
        Some(Node::Sequence(nodes))
    }

    fn atom(&mut self) -> Option<Node> {
        if self.eat(b"(?:") {
            let inner = self.either()?;
            return self.eat(b")").then_some(inner);
        }
        if self.eat(b"(") {
            self.groups += 1;
            let number = self.groups;
            let inner = self.either()?;
            return self.eat(b")").then(|| Node::Group(number, Box::new(inner)));
        }
        if self.eat(b"\\d") {
            return Some(Node::Digit(0x3ff));
        }
        if self.eat(b"$") {
            return Some(Node::End);
        }
        if self.eat(b"[") {
            return self.class();
        }
        self.digit().map(|digit| Node::Digit(1 << digit))
    }

    fn class(&mut self) -> Option<Node> {
        let mut set = 0;
        while !self.eat(b"]") {
            let from = self.digit()?;
            let to = if self.eat(b"-") { self.digit()? } else { from };
            (from..=to).for_each(|digit| set |= 1 << digit);
        }
        Some(Node::Digit(set))
    }

    fn repeated(&mut self, node: Node) -> Option<Node> {
        if self.eat(b"?") {
            return Some(Node::Repeat(Box::new(node), 0, 1));
        }
        if !self.eat(b"{") {
            return Some(node);
        }
        let low = self.number()?;
        let high = if self.eat(b",") { self.number()? } else { low };
        self.eat(b"}").then(|| Node::Repeat(Box::new(node), low, high))
    }

    fn number(&mut self) -> Option<u8> {
        let mut number = self.digit()?;
        while let Some(digit) = self.digit() {
            number = number.checked_mul(10)?.checked_add(digit)?;
        }
        Some(number)
    }

    fn digit(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        if !first.is_ascii_digit() {
            return None;
        }
        self.rest = rest;
        Some(first - b'0')
    }

    fn eat(&mut self, token: &[u8]) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn len(pattern: &str, text: &str) -> Option<usize> {
        Prefix::new(pattern).unwrap().find(text.as_bytes()).map(|found| found.len)
    }

    #[test]
    fn matches_the_prefixes_of_the_plans() {
        assert_eq!(len("00", "0044"), Some(2));
        assert_eq!(len("00", "01"), None);
        let au = "001[14-689]|14(?:1[14]|34|4[17]|[56]6|7[47]|88)0011";
        assert_eq!(len(au, "001144"), Some(4));
        assert_eq!(len(au, "141100114420"), Some(8));
        assert_eq!(len(au, "0044"), None);
        assert_eq!(len("0|180020", "180020020"), Some(6));
        assert_eq!(len("([25-8]\\d{5})$|0", "512345"), Some(6));
        assert_eq!(len("([25-8]\\d{5})$|0", "5123456"), None);
    }

    #[test]
    fn remembers_groups() {
        let br = Prefix::new("(?:0|90)(?:(1[245]|2[1-35]|31)(\\d{10,11}))?").unwrap();
        let found = br.find(b"0211123456789").unwrap();
        assert_eq!((found.len, found.groups[2]), (13, Some((3, 13))));
        let bare = br.find(b"01123456789").unwrap();
        assert_eq!((bare.len, bare.groups[2]), (1, None));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for pattern in ["a", "(", "[1", "1{", "1)", "1+"] {
            assert!(Prefix::new(pattern).is_err(), "{pattern}");
        }
    }
}
