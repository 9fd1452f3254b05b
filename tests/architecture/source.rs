//! Reads a Rust file as tokens and lists what the laws are about: the paths it names, its label
//! tables, its length without tests. Comments and strings can't fool it, macro bodies can't hide
//! anything from it.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path that the file names: `use` trees are given leaf by leaf, `self` and `super` resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) line: usize,
    /// `["crate", "time", "Span"]`, or the first name of a foreign or local path and what follows.
    pub(crate) segments: Vec<String>,
    pub(crate) reexport: bool,
    pub(crate) in_test: bool,
}

/// One enum of a `labels!` table: (variant, label, sentence).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Labels {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) rows: Vec<(String, String, String)>,
}

/// What one file says.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) module: Vec<String>,
    pub(crate) named: Vec<Named>,
    pub(crate) labels: Vec<Labels>,
    /// Modules declared without a body, in order.
    pub(crate) declared: Vec<String>,
    /// Those of them that exist under `cfg(test)` only.
    pub(crate) test_modules: Vec<String>,
    pub(crate) exported_macros: Vec<String>,
    /// The `//!` lines at the top.
    pub(crate) doc: String,
    /// Lines outside `cfg(test)` items.
    pub(crate) lines_without_tests: usize,
    /// What hides code from this reader, or is forbidden outright: (line, what).
    pub(crate) faults: Vec<(usize, String)>,
}

#[derive(Clone, Debug)]
enum Token {
    Ident(String, usize),
    PathSep,
    Punct(char),
    Literal(String),
    Group { delimiter: Delimiter, inside: Vec<Self>, open: usize, close: usize },
}

/// Reads a file that is the module `module` (empty for `lib.rs`).
pub(crate) fn read(text: &str, module: &[&str]) -> Source {
    let mut source = Source {
        module: module.iter().map(|m| (*m).to_owned()).collect(),
        doc: text.lines().take_while(|l| l.starts_with("//!")).collect::<Vec<_>>().join("\n"),
        lines_without_tests: text.lines().count(),
        ..Source::default()
    };
    match text.parse::<TokenStream>() {
        Ok(stream) => {
            let scope = Scope { module: source.module.clone(), in_test: false };
            walk(&simplify(stream), &scope, &mut source);
        }
        Err(error) => source.faults.push((error.span().start().line, format!("can't be read: {error}"))),
    }
    source
}

fn simplify(stream: TokenStream) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    let mut colon = false;
    for tree in stream {
        let was_colon = std::mem::take(&mut colon);
        let token = match tree {
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                Token::Ident(name.strip_prefix("r#").unwrap_or(&name).to_owned(), ident.span().start().line)
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                if was_colon {
                    out.pop();
                    Token::PathSep
                } else {
                    colon = punct.spacing() == proc_macro2::Spacing::Joint;
                    Token::Punct(':')
                }
            }
            TokenTree::Punct(punct) => Token::Punct(punct.as_char()),
            TokenTree::Literal(literal) => Token::Literal(literal.to_string().trim_matches('"').to_owned()),
            TokenTree::Group(group) => Token::Group {
                delimiter: group.delimiter(),
                inside: simplify(group.stream()),
                open: group.span_open().start().line,
                close: group.span_close().end().line,
            },
        };
        out.push(token);
    }
    out
}

#[derive(Clone)]
struct Scope {
    module: Vec<String>,
    in_test: bool,
}

/// What the attributes before an item said about it.
#[derive(Default)]
struct Pending {
    test_from: Option<usize>,
    macro_export: bool,
}

fn walk(tokens: &[Token], scope: &Scope, out: &mut Source) {
    let mut pending = Pending::default();
    let mut at = 0;
    while at < tokens.len() {
        let inner = Scope { in_test: scope.in_test || pending.test_from.is_some(), ..scope.clone() };
        let rest = &tokens[at..];
        at += match rest {
            [Token::Punct('#'), Token::Group { delimiter: Delimiter::Bracket, inside, open, .. }, ..]
            | [
                Token::Punct('#'),
                Token::Punct('!'),
                Token::Group { delimiter: Delimiter::Bracket, inside, open, .. },
                ..,
            ] => {
                attribute(inside, *open, &mut pending, out);
                walk(inside, &inner, out);
                if matches!(rest[1], Token::Punct(_)) { 3 } else { 2 }
            }
            [
                Token::Ident(word, _),
                Token::Ident(name, _),
                Token::Group { delimiter: Delimiter::Brace, inside, close, .. },
                ..,
            ] if word == "mod" => {
                let mut module = scope.module.clone();
                module.push(name.clone());
                walk(inside, &Scope { module, ..inner }, out);
                end_item(&mut pending, scope, *close, out);
                3
            }
            [Token::Ident(word, line), Token::Ident(name, _), Token::Punct(';'), ..] if word == "mod" => {
                out.declared.push(name.clone());
                if pending.test_from.is_some() {
                    out.test_modules.push(name.clone());
                }
                end_item(&mut pending, scope, *line, out);
                3
            }
            [Token::Ident(word, line), ..] if word == "use" => {
                let end = rest.iter().position(|t| matches!(t, Token::Punct(';'))).unwrap_or(rest.len());
                let reexport = is_public(&tokens[..at]);
                let tree = Tree { line: *line, reexport, in_test: inner.in_test };
                // `use` in a bound (`impl Trait + use<'a>`) names no path.
                if !matches!(rest.get(1), Some(Token::Punct('<'))) {
                    use_tree(&rest[1..end], &[], &tree, scope, out);
                    end_item(&mut pending, scope, *line, out);
                    end
                } else {
                    1
                }
            }
            [Token::Ident(word, line), Token::Ident(next, _), ..] if word == "extern" && next == "crate" => {
                out.faults.push((*line, "`extern crate` is not needed".to_owned()));
                2
            }
            [Token::Ident(word, line), Token::Punct('!'), ..] if word == "include" => {
                out.faults.push((*line, "`include!` hides code from this test".to_owned()));
                2
            }
            [Token::Ident(word, _), Token::Punct('!'), Token::Ident(name, _), ..]
                if word == "macro_rules" =>
            {
                if pending.macro_export {
                    out.exported_macros.push(name.clone());
                }
                3
            }
            [Token::Ident(word, line), Token::Punct('!'), Token::Group { inside, .. }, ..]
                if word == "labels" =>
            {
                out.labels.extend(label_table(inside, *line));
                2
            }
            [Token::Ident(..), ..] => path(tokens, at, &inner, out),
            [Token::Group { delimiter, inside, close, .. }, ..] => {
                walk(inside, &inner, out);
                if *delimiter == Delimiter::Brace {
                    end_item(&mut pending, scope, *close, out);
                }
                1
            }
            [Token::Punct(';'), ..] => {
                pending = Pending::default();
                1
            }
            _ => 1,
        };
    }
}

fn attribute(inside: &[Token], line: usize, pending: &mut Pending, out: &mut Source) {
    match inside {
        [Token::Ident(cfg, _), Token::Group { inside, .. }] if cfg == "cfg" => {
            if matches!(inside.as_slice(), [Token::Ident(test, _)] if test == "test") {
                pending.test_from.get_or_insert(line);
            }
        }
        [Token::Ident(path, _), Token::Punct('='), ..] if path == "path" => {
            out.faults.push((line, "`#[path]` hides a module from this test".to_owned()));
        }
        [Token::Ident(export, _), ..] if export == "macro_export" => pending.macro_export = true,
        [Token::Ident(allow, _), ..] if allow == "allow" => {
            out.faults.push((line, "`#[allow]`: use `#[expect(lint, reason = \"…\")]`".to_owned()));
        }
        _ => {}
    }
}

/// Forgets the attributes of the item that ends here, and takes a test's lines off the count.
fn end_item(pending: &mut Pending, scope: &Scope, last_line: usize, out: &mut Source) {
    if let Some(first) = std::mem::take(pending).test_from
        && !scope.in_test
    {
        out.lines_without_tests -= last_line + 1 - first;
    }
}

fn is_public(before: &[Token]) -> bool {
    let before = match before {
        [head @ .., Token::Group { delimiter: Delimiter::Parenthesis, .. }] => head,
        _ => before,
    };
    matches!(before, [.., Token::Ident(word, _)] if word == "pub")
}

struct Tree {
    line: usize,
    reexport: bool,
    in_test: bool,
}

fn use_tree(tokens: &[Token], prefix: &[String], tree: &Tree, scope: &Scope, out: &mut Source) {
    for branch in tokens.split(|t| matches!(t, Token::Punct(','))).filter(|b| !b.is_empty()) {
        let mut segments = prefix.to_vec();
        let mut leaf = true;
        for token in branch {
            match token {
                Token::Ident(word, _) if word == "as" => break,
                Token::Ident(word, _) => segments.push(word.clone()),
                Token::Punct('*') => segments.push("*".to_owned()),
                Token::Group { inside, .. } => {
                    use_tree(inside, &segments, tree, scope, out);
                    leaf = false;
                }
                _ => {}
            }
        }
        if leaf {
            // `{self, X}` names what stands before the braces.
            if segments.len() > 1 && segments.last().is_some_and(|s| s == "self") {
                segments.pop();
            }
            add(segments, tree, scope, out);
        }
    }
}

/// A path in an expression, a type, an attribute or a macro's body. Answers how many tokens it took.
fn path(tokens: &[Token], at: usize, scope: &Scope, out: &mut Source) -> usize {
    let Token::Ident(first, line) = &tokens[at] else { return 1 };
    if KEYWORDS.contains(&first.as_str()) || continues(&tokens[..at]) {
        return 1;
    }
    let mut segments = vec![first.clone()];
    let mut next = at + 1;
    while let (Some(Token::PathSep), Some(Token::Ident(word, _))) = (tokens.get(next), tokens.get(next + 1)) {
        segments.push(word.clone());
        next += 2;
    }
    let alone_in_brackets = at == 0 && tokens.len() == 1;
    let rooted = matches!(first.as_str(), "crate" | "super");
    if segments.len() > 1 || (rooted && !alone_in_brackets) {
        let tree = Tree { line: *line, reexport: false, in_test: scope.in_test };
        add(segments, &tree, scope, out);
    }
    next - at
}

/// Words that a path may follow, but that begin none.
const KEYWORDS: [&str; 12] =
    ["as", "return", "in", "dyn", "impl", "for", "where", "mut", "match", "if", "else", "break"];

/// Whether the token after `before` continues a path or names a macro's variable.
fn continues(before: &[Token]) -> bool {
    match before {
        [.., Token::Ident(word, _), Token::PathSep] => !KEYWORDS.contains(&word.as_str()),
        [.., Token::Punct('>'), Token::PathSep] => true,
        _ => false,
    }
}

/// Resolves `self` and `super` and keeps the path.
fn add(segments: Vec<String>, tree: &Tree, scope: &Scope, out: &mut Source) {
    let mut rest = segments.as_slice();
    let mut module = scope.module.clone();
    let mut relative = false;
    while let [first, tail @ ..] = rest {
        match first.as_str() {
            "self" => {}
            "super" => {
                if module.pop().is_none() {
                    out.faults.push((tree.line, "`super` above the crate's root".to_owned()));
                }
            }
            _ => break,
        }
        relative = true;
        rest = tail;
    }
    let segments =
        if relative { [vec!["crate".to_owned()], module, rest.to_vec()].concat() } else { segments };
    out.named.push(Named { line: tree.line, segments, reexport: tree.reexport, in_test: tree.in_test });
}

fn label_table(tokens: &[Token], line: usize) -> Option<Labels> {
    let at = tokens.iter().position(|t| matches!(t, Token::Ident(word, _) if word == "enum"))?;
    let [Token::Ident(name, _), Token::Group { inside, .. }, ..] = &tokens[at + 1..] else { return None };
    let rows = inside
        .split(|t| matches!(t, Token::Punct(';')))
        .filter_map(|row| match row {
            [
                Token::Ident(variant, _),
                Token::Punct('='),
                Token::Literal(label),
                Token::Punct(','),
                Token::Literal(about),
            ] => Some((variant.clone(), label.clone(), about.clone())),
            _ => None,
        })
        .collect();
    Some(Labels { name: name.clone(), line, rows })
}
