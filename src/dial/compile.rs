//! From the plans' patterns to the automaton's tables.
//!
//! In: the plans. Out: `Tables`.
//! Never: runs after start-up.
//!
//! Each calling code's patterns become one dense DFA (`regex-automata`); its walk over the ten
//! digits, bounded in depth, is hash-consed from the leaves up, so equal states are stored once.

use std::collections::HashMap;

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

use super::DialError;
use super::automaton::{DEAD, Label, MIXED, Node, NumberType, ROOT, Tables, UNLABELLED};
use super::numbering::{Lengths, Plan, PlanType};

/// No number has more digits after its calling code: E.164 allows 15 in all, libphonenumber 17.
const DEPTH: usize = 17;

/// A pattern of one calling code's DFA.
struct Pattern {
    plan: u16,
    part: Part,
}

enum Part {
    Leading,
    Type(PlanType, Lengths),
}

struct Code<'a> {
    dfa: dense::DFA<Vec<u32>>,
    patterns: Vec<Pattern>,
    plans: Vec<(u16, &'a Plan)>,
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    labels: Vec<Label>,
    known_nodes: HashMap<Node, u16>,
    known_labels: HashMap<Label, u16>,
    full: bool,
}

/// Compiles the plans.
pub(super) fn compile(plans: &[Plan]) -> Result<Tables, DialError> {
    Builder::default().build(plans)
}

impl Builder {
    fn build(mut self, plans: &[Plan]) -> Result<Tables, DialError> {
        // Node 0 is dead, node 1 the root; label 0 is none.
        self.nodes = vec![Node::default(); 2];
        self.labels = vec![Label { plan: MIXED, kind: NumberType::Unknown }];
        let mut codes = vec![(MIXED, 0u8); 1000];
        let mut roots = Vec::new();
        let mut from = 0;
        while let Some(first) = plans.get(from) {
            let code = first.calling_code;
            let count = plans[from..].iter().take_while(|plan| plan.calling_code == code).count();
            let indexed = (from..from + count).map(|i| (index(i), &plans[i])).collect();
            roots.push((code.to_string().into_bytes(), self.code(indexed)?));
            cover(&mut codes, code, index(from));
            from += count;
        }
        let root = self.top(&roots, &mut Vec::new());
        self.nodes[1] = self.nodes[usize::from(root)];
        if self.full {
            return Err(DialError::TooManyNodes);
        }
        let (nodes, tails, mixed) = super::tails::compress(&self.nodes)?;
        let mut tables = Tables { nodes, tails, mixed, labels: self.labels, jump: Vec::new(), codes };
        // No calling code is so short that a tail begins within three digits.
        tables.jump = (0..1000u16)
            .map(|n| format!("{n:03}").bytes().fold(ROOT, |at, byte| tables.step(at, byte)))
            .collect();
        Ok(tables)
    }

    fn code(&mut self, plans: Vec<(u16, &Plan)>) -> Result<u16, DialError> {
        let mut patterns = Vec::new();
        let mut sources = Vec::new();
        for (index, plan) in &plans {
            if !plan.leading.is_empty() {
                patterns.push(Pattern { plan: *index, part: Part::Leading });
                sources.push(format!("(?:{})[0-9]*", plan.leading));
            }
            for row in &plan.types {
                patterns.push(Pattern { plan: *index, part: Part::Type(row.what, row.lengths) });
                sources.push(format!("(?:{})", row.pattern));
            }
        }
        let dfa = dfa_of(&sources)?;
        let start = dfa
            .start_state(&start::Config::new().anchored(Anchored::Yes))
            .map_err(|error| DialError::Pattern(error.to_string()))?;
        let code = Code { dfa, patterns, plans };
        Ok(self.walk(&code, start, 0, &mut HashMap::new()))
    }

    /// The node for a DFA state at a depth; recursion is bounded by `DEPTH`.
    fn walk(
        &mut self,
        code: &Code<'_>,
        state: StateID,
        depth: usize,
        seen: &mut HashMap<(StateID, usize), u16>,
    ) -> u16 {
        if depth > DEPTH || code.dfa.is_dead_state(state) {
            return DEAD;
        }
        if let Some(node) = seen.get(&(state, depth)) {
            return *node;
        }
        let mut node = Node::default();
        for (next, byte) in node.next.iter_mut().zip(b'0'..=b'9') {
            *next = self.walk(code, code.dfa.next_state(state, byte), depth + 1, seen);
        }
        if let Some(label) = code.label(state, depth) {
            node.here = self.label(label);
        }
        let made = self.intern(node);
        seen.insert((state, depth), made);
        made
    }

    /// The nodes above the calling codes, which no two regions' DFAs share.
    fn top(&mut self, roots: &[(Vec<u8>, u16)], path: &mut Vec<u8>) -> u16 {
        if let Some((_, root)) = roots.iter().find(|(code, _)| code == path) {
            return *root;
        }
        if !roots.iter().any(|(code, _)| code.starts_with(path)) {
            return DEAD;
        }
        let mut node = Node::default();
        for (next, byte) in node.next.iter_mut().zip(b'0'..=b'9') {
            path.push(byte);
            *next = self.top(roots, path);
            path.pop();
        }
        self.intern(node)
    }

    fn intern(&mut self, mut node: Node) -> u16 {
        if node == Node::default() {
            return DEAD;
        }
        node.near = self.common(&node);
        if let Some(known) = self.known_nodes.get(&node) {
            return *known;
        }
        let made = self.number(self.nodes.len());
        self.nodes.push(node);
        self.known_nodes.insert(node, made);
        made
    }

    /// The label that says what everything at and below a node has in common.
    fn common(&mut self, node: &Node) -> u16 {
        let below =
            node.next.iter().filter(|next| **next != DEAD).map(|next| self.nodes[usize::from(*next)].near);
        let labels: Vec<Label> = std::iter::once(node.here)
            .chain(below)
            .filter(|label| *label != UNLABELLED)
            .map(|label| self.labels[usize::from(label)])
            .collect();
        let merged = labels.into_iter().reduce(|a, b| Label {
            plan: if a.plan == b.plan { a.plan } else { MIXED },
            kind: if a.kind == b.kind { a.kind } else { NumberType::Unknown },
        });
        merged.map_or(UNLABELLED, |label| self.label(label))
    }

    fn label(&mut self, label: Label) -> u16 {
        if let Some(known) = self.known_labels.get(&label) {
            return *known;
        }
        let made = self.number(self.labels.len());
        self.labels.push(label);
        self.known_labels.insert(label, made);
        made
    }

    fn number(&mut self, count: usize) -> u16 {
        let number = u16::try_from(count).unwrap_or(MIXED);
        self.full |= number == MIXED;
        number
    }
}

impl Code<'_> {
    /// What libphonenumber says of the national number that leads to a state: `getRegionCodeForNumber`,
    /// then `getNumberType`.
    fn label(&self, state: StateID, depth: usize) -> Option<Label> {
        let end = self.dfa.next_eoi_state(state);
        if !self.dfa.is_match_state(end) {
            return None;
        }
        let matched: Vec<&Pattern> = (0..self.dfa.match_len(end))
            .filter_map(|i| self.patterns.get(self.dfa.match_pattern(end, i).as_usize()))
            .collect();
        let alone = self.plans.len() == 1;
        for (index, plan) in &self.plans {
            let of_plan = || matched.iter().filter(|pattern| pattern.plan == *index);
            let kind = number_type(plan, depth, of_plan().filter_map(|pattern| pattern.part.kind()));
            let leads = of_plan().any(|pattern| matches!(pattern.part, Part::Leading));
            if alone || leads || (plan.leading.is_empty() && kind != NumberType::Unknown) {
                let known = kind != NumberType::Unknown;
                return known.then_some(Label { plan: *index, kind });
            }
        }
        None
    }
}

impl Part {
    const fn kind(&self) -> Option<(PlanType, Lengths)> {
        match self {
            Self::Leading => None,
            Self::Type(what, lengths) => Some((*what, *lengths)),
        }
    }
}

/// libphonenumber's `getNumberTypeHelper`.
fn number_type(plan: &Plan, depth: usize, matched: impl Iterator<Item = (PlanType, Lengths)>) -> NumberType {
    let fits: Vec<PlanType> =
        matched.filter(|(_, lengths)| lengths >> depth & 1 == 1).map(|(what, _)| what).collect();
    if !fits.contains(&PlanType::General) {
        return NumberType::Unknown;
    }
    let special = [
        PlanType::Premium,
        PlanType::TollFree,
        PlanType::SharedCost,
        PlanType::Voip,
        PlanType::Personal,
        PlanType::Pager,
        PlanType::Uan,
        PlanType::Voicemail,
    ];
    if let Some(what) = special.into_iter().find(|what| fits.contains(what)) {
        return NumberType::Of(what);
    }
    let pattern = |what| plan.types.iter().find(|row| row.what == what).map(|row| row.pattern);
    let (fixed, mobile) = (fits.contains(&PlanType::Fixed), fits.contains(&PlanType::Mobile));
    let same = pattern(PlanType::Fixed) == pattern(PlanType::Mobile);
    match (fixed, mobile) {
        (true, _) if same || mobile => NumberType::FixedOrMobile,
        (true, _) => NumberType::Of(PlanType::Fixed),
        (false, true) if !same => NumberType::Of(PlanType::Mobile),
        _ => NumberType::Unknown,
    }
}

fn dfa_of(sources: &[String]) -> Result<dense::DFA<Vec<u32>>, DialError> {
    dense::Builder::new()
        .configure(
            dense::Config::new()
                .match_kind(MatchKind::All)
                .start_kind(StartKind::Anchored)
                .accelerate(false)
                .minimize(false),
        )
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .build_many(sources)
        .map_err(|error| DialError::Pattern(error.to_string()))
}

/// Notes a calling code at every three-digit beginning that it covers.
fn cover(codes: &mut [(u16, u8)], code: u16, plan: u16) {
    let (from, to, len) = match code {
        0..10 => (code * 100, code * 100 + 100, 1),
        10..100 => (code * 10, code * 10 + 10, 2),
        _ => (code, code + 1, 3),
    };
    for entry in codes.iter_mut().take(usize::from(to)).skip(usize::from(from)) {
        *entry = (plan, len);
    }
}

fn index(i: usize) -> u16 {
    u16::try_from(i).unwrap_or(MIXED)
}
