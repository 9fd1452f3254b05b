//! What is wrong with a file, said so that it can be mended: file, line, key, cure.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A configuration that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file can't be read.
    #[error("{}: the configuration can't be read: {cause}{}", file.display(), way_out(cause))]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file says something that can't be.
    #[error("{}", Lines(problems))]
    Invalid {
        /// Everything that is wrong with it, in the order of the file.
        problems: Vec<Problem>,
    },
}

fn way_out(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        std::io::ErrorKind::NotFound => "; `ringfence init -o FILE` writes one",
        std::io::ErrorKind::InvalidData => "; save it as UTF-8",
        std::io::ErrorKind::IsADirectory => "; name the file in it",
        _ => "",
    }
}

struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if n == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file's name.
    pub file: String,
    /// The line, counted from 1; `None` for a key that the file doesn't have.
    pub line: Option<usize>,
    /// The key: `site.home`, `handset[2].user`; empty if the file isn't TOML at all.
    pub key: String,
    /// What is wrong and how to mend it.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// One key, or the position in a list (counted from 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

/// The text of a file with the place of every value in it.
pub(super) struct Located<'a> {
    name: &'a str,
    text: &'a str,
    root: Option<Spanned<DeTable<'a>>>,
}

impl<'a> Located<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, root: DeTable::parse(text).ok() }
    }

    /// A problem with the value of a key.
    pub(super) fn problem(&self, steps: &[Step<'_>], what: String) -> Problem {
        let line =
            self.root.as_ref().and_then(|root| find(root.get_ref(), steps)).map(|at| self.line(at.start));
        Problem { file: self.name.to_owned(), line, key: key(steps), what }
    }

    /// What the TOML reader complains about.
    pub(super) fn complaint(&self, error: &toml::de::Error) -> Problem {
        let at = error.span().map_or(0, |span| span.start);
        let mut steps = Vec::new();
        if let Some(root) = &self.root {
            enclosing(root.get_ref(), at, &mut steps);
        }
        Problem {
            file: self.name.to_owned(),
            line: error.span().map(|span| self.line(span.start)),
            key: steps.join("."),
            what: match error.message() {
                "duplicate key" => self.twice(error.span()),
                message => cure(message),
            },
        }
    }

    /// A file with a key that stands in it twice isn't TOML, so only the text says which.
    fn twice(&self, at: Option<Range<usize>>) -> String {
        let key = at.and_then(|at| self.text.get(at)).unwrap_or("a key");
        format!("{key} stands here a second time in its table; keep one of them")
    }

    /// Whether the file itself says anything about a section or key.
    pub(super) fn has(&self, steps: &[Step<'_>]) -> bool {
        self.root.as_ref().is_some_and(|root| find(root.get_ref(), steps).is_some())
    }

    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

fn key(steps: &[Step<'_>]) -> String {
    let mut out = String::new();
    for step in steps {
        match step {
            Step::Key(name) if out.is_empty() => out.push_str(name),
            Step::Key(name) => out.extend([".", name]),
            Step::Item(n) => out.push_str(&format!("[{}]", n + 1)),
        }
    }
    out
}

fn find(table: &DeTable<'_>, steps: &[Step<'_>]) -> Option<Range<usize>> {
    let (Step::Key(name), rest) = steps.split_first().map(|(first, rest)| (*first, rest))? else {
        return None;
    };
    let (_, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
    find_in(value, rest)
}

fn find_in(value: &Spanned<DeValue<'_>>, steps: &[Step<'_>]) -> Option<Range<usize>> {
    match (steps.first(), value.get_ref()) {
        (None, _) => Some(value.span()),
        (Some(Step::Key(_)), DeValue::Table(table)) => find(table, steps),
        (Some(Step::Item(n)), DeValue::Array(items)) => find_in(items.get(*n)?, steps.get(1..)?),
        _ => None,
    }
}

/// The keys on the way to what stands at a position.
fn enclosing(table: &DeTable<'_>, at: usize, steps: &mut Vec<String>) {
    for (key, value) in table {
        if key.span().contains(&at) || covers(value, at) {
            steps.push(key.get_ref().to_string());
            return enclosing_in(value, at, steps);
        }
    }
}

fn enclosing_in(value: &Spanned<DeValue<'_>>, at: usize, steps: &mut Vec<String>) {
    match value.get_ref() {
        DeValue::Table(table) => enclosing(table, at, steps),
        DeValue::Array(items) => {
            if let Some(item) = items.iter().find(|item| covers(item, at)) {
                enclosing_in(item, at, steps);
            }
        }
        _ => {}
    }
}

/// A table's own span is its header; its keys stand below it.
fn covers(value: &Spanned<DeValue<'_>>, at: usize) -> bool {
    value.span().contains(&at)
        || match value.get_ref() {
            DeValue::Table(table) => table.iter().any(|(k, v)| k.span().contains(&at) || covers(v, at)),
            DeValue::Array(items) => items.iter().any(|item| covers(item, at)),
            _ => false,
        }
}

/// What the reader expected, and how that is written.
const WRITTEN: [(&str, &str); 6] = [
    (
        "expected a sequence",
        "write a list in brackets, as in [\"9\"], or [[…]] for a table of which there are many",
    ),
    ("expected a string", "write it in quotes"),
    ("expected u32", "write a whole number that isn't negative, without quotes"),
    ("expected u64", "write a whole number that isn't negative, without quotes"),
    ("expected a boolean", "write true or false, without quotes"),
    ("expected struct", "that is a section: write its name in brackets on a line of its own"),
];

/// The reader's message; for an unknown name with the known one that is nearest to it, for a value of
/// the wrong sort with how it is written.
fn cure(message: &str) -> String {
    if let Some((_, how)) = WRITTEN.iter().find(|(expected, _)| message.contains(expected)) {
        return format!("{message}; {how}");
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(given) = quoted.next().filter(|_| message.starts_with("unknown ")) else {
        return message.to_owned();
    };
    let near = quoted.map(|known| (strsim::damerau_levenshtein(given, known), known)).min();
    match near {
        Some((distance, known)) if distance <= 1 + given.len() / 4 => {
            format!("{message}; did you mean `{known}`?")
        }
        _ => message.to_owned(),
    }
}
