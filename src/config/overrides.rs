//! `[[override]]`: prefixes about which the operator knows better than the shipped lists.

use crate::dial::{Kind, Override, Risk};
use crate::tally::Label;

use super::schema;

/// E.164 has no more digits.
const LONGEST: usize = 15;

/// A short number has no more digits.
const LONGEST_SHORT: usize = 6;

/// As the dial plan takes them, those of short numbers apart; only of what has no fault.
pub(super) fn of(all: &[schema::Override]) -> (Vec<Override>, Vec<Override>) {
    let named = |row: &schema::Override| Override {
        prefix: row.prefix.clone(),
        kind: find(&Override::KINDS, &row.kind),
        risk: find(Risk::ALL, &row.risk),
        why: row.why.clone(),
    };
    all.iter().map(named).partition(|row| !is_short(&row.prefix))
}

/// Whether it stands for short numbers, as they are dialled: digits alone, and none of them a trunk prefix.
fn is_short(prefix: &str) -> bool {
    let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
    digits && (2..=LONGEST_SHORT).contains(&prefix.len()) && !prefix.starts_with('0')
}

/// What is wrong: the number of the table, the key, what to write.
pub(super) fn faults(all: &[schema::Override]) -> Vec<(usize, &'static str, String)> {
    let mut faults = Vec::new();
    for (n, row) in all.iter().enumerate() {
        if let Some(what) = prefix_fault(&row.prefix) {
            faults.push((n, "prefix", what));
        } else if all.iter().take(n).any(|other| same(&other.prefix, &row.prefix)) {
            faults.push((n, "prefix", format!("\"{}\" has an [[override]] already", row.prefix)));
        }
        let kinds: &[Kind] = if is_short(&row.prefix) { &Override::SHORT_KINDS } else { &Override::KINDS };
        faults.extend(name_fault(kinds, "kind", &row.kind).map(|what| (n, "kind", what)));
        faults.extend(name_fault(Risk::ALL, "risk", &row.risk).map(|what| (n, "risk", what)));
        if row.kind.is_empty() && row.risk.is_empty() {
            faults.push((n, "why", "says nothing of its numbers; set kind or risk".to_owned()));
        }
    }
    faults
}

fn prefix_fault(prefix: &str) -> Option<String> {
    let digits = digits(prefix);
    let cure = "write it with + and the calling code, as in \"+44871\", or a short number as in \"118\"";
    if prefix.is_empty() {
        Some(format!("has no prefix; {cure}"))
    } else if is_short(prefix) {
        None
    } else if !prefix.starts_with('+') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Some(format!("\"{prefix}\" isn't a prefix of numbers; {cure}"))
    } else if !(1..=LONGEST).contains(&digits.len()) {
        Some(format!("\"{prefix}\" has {} digits; a prefix has 1 to {LONGEST}", digits.len()))
    } else if digits.starts_with('0') {
        Some(format!("\"{prefix}\" begins with 0, and no calling code does; {cure}"))
    } else {
        None
    }
}

/// As the dial plan reads it: without `+` and what people put between digits.
fn digits(prefix: &str) -> String {
    let bare = prefix.strip_prefix('+').unwrap_or(prefix);
    bare.chars().filter(|c| !matches!(c, ' ' | '-' | '.')).collect()
}

fn same(one: &str, other: &str) -> bool {
    is_short(one) == is_short(other) && digits(one) == digits(other)
}

fn name_fault<T: Label>(all: &[T], key: &str, name: &str) -> Option<String> {
    if name.is_empty() || all.iter().any(|label| label.name() == name) {
        return None;
    }
    let names: Vec<&str> = all.iter().map(|label| label.name()).collect();
    let near = names.iter().map(|known| (strsim::damerau_levenshtein(name, known), *known)).min();
    let hint = match near {
        Some((distance, known)) if distance <= 1 + name.len() / 4 => format!("; did you mean \"{known}\"?"),
        _ => String::new(),
    };
    Some(format!("\"{name}\" isn't a {key}; write one of {}{hint}", names.join(", ")))
}

fn find<T: Label + Copy>(all: &[T], name: &str) -> Option<T> {
    all.iter().find(|label| label.name() == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(prefix: &str, kind: &str, risk: &str) -> schema::Override {
        schema::Override {
            prefix: prefix.to_owned(),
            kind: kind.to_owned(),
            risk: risk.to_owned(),
            why: "why".to_owned(),
        }
    }

    #[test]
    fn every_kind_can_be_written_and_arrives() {
        for kind in Override::KINDS {
            let rows = [row("+44 871", kind.name(), "")];
            assert_eq!(faults(&rows), []);
            let (numbers, short) = of(&rows);
            assert_eq!((numbers[0].kind, numbers[0].risk, short.len()), (Some(kind), None, 0));
        }
        let rows = [row("+118", "", "low"), row("118", "premium_rate", "")];
        assert_eq!(faults(&rows), []);
        let (numbers, short) = of(&rows);
        assert_eq!((numbers[0].kind, numbers[0].risk), (None, Some(Risk::Low)));
        assert_eq!((short[0].kind, short[0].risk), (Some(Kind::PremiumRate), None));
        assert_eq!(find(&Override::KINDS, Kind::Invalid.name()), None);
    }

    #[test]
    fn faults_say_what_can_be_written() {
        for (rows, expected) in [
            (vec![row("", "mobile", "")], "has no prefix"),
            (vec![row("0871", "mobile", "")], "\"0871\" isn't a prefix of numbers; write it with +"),
            (vec![row("+0871", "mobile", "")], "begins with 0"),
            (vec![row("+44x", "mobile", "")], "isn't a prefix"),
            (vec![row("+1234567890123456", "mobile", "")], "has 16 digits"),
            (vec![row("+44871", "premum_rate", "")], "did you mean \"premium_rate\"?"),
            (vec![row("+44871", "emergency", "")], "write one of toll_free, fixed_line, mobile"),
            (vec![row("118", "mobile", "")], "write one of toll_free, shared_cost, premium_rate"),
            (vec![row("1234567", "mobile", "")], "isn't a prefix of numbers"),
            (vec![row("+44871", "", "huge")], "\"huge\" isn't a risk; write one of low, medium, high"),
            (vec![row("+44871", "", "")], "set kind or risk"),
            (vec![row("+44871", "mobile", ""), row("+44-871", "", "low")], "has an [[override]] already"),
        ] {
            let told: Vec<String> = faults(&rows).into_iter().map(|(_, _, what)| what).collect();
            assert!(told.iter().any(|what| what.contains(expected)), "{expected}: {told:?}");
        }
    }
}
