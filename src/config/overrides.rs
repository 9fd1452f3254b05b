//! `[[override]]`: prefixes about which the operator knows better than the shipped lists.

use crate::dial::{Override, Risk};
use crate::tally::Label;

use super::schema;

/// E.164 has no more digits.
const LONGEST: usize = 15;

/// As the dial plan takes them; only of what has no fault.
pub(super) fn of(all: &[schema::Override]) -> Vec<Override> {
    let named = |row: &schema::Override| Override {
        prefix: row.prefix.clone(),
        kind: find(&Override::KINDS, &row.kind),
        risk: find(Risk::ALL, &row.risk),
        why: row.why.clone(),
    };
    all.iter().map(named).collect()
}

/// What is wrong: the number of the table, the key, what to write.
pub(super) fn faults(all: &[schema::Override]) -> Vec<(usize, &'static str, String)> {
    let mut faults = Vec::new();
    for (n, row) in all.iter().enumerate() {
        if let Some(what) = prefix_fault(&row.prefix) {
            faults.push((n, "prefix", what));
        } else if all.iter().take(n).any(|other| digits(&other.prefix) == digits(&row.prefix)) {
            faults.push((n, "prefix", format!("\"{}\" has an [[override]] already", row.prefix)));
        }
        faults.extend(name_fault(&Override::KINDS, "kind", &row.kind).map(|what| (n, "kind", what)));
        faults.extend(name_fault(Risk::ALL, "risk", &row.risk).map(|what| (n, "risk", what)));
        if row.kind.is_empty() && row.risk.is_empty() {
            faults.push((n, "why", "says nothing of its numbers; set kind or risk".to_owned()));
        }
    }
    faults
}

fn prefix_fault(prefix: &str) -> Option<String> {
    let digits = digits(prefix);
    let cure = "write it with + and the calling code, as in \"+44871\"";
    if prefix.is_empty() {
        Some(format!("has no prefix; {cure}"))
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
    use crate::dial::Kind;

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
            assert_eq!((of(&rows)[0].kind, of(&rows)[0].risk), (Some(kind), None));
        }
        let rows = [row("+881", "", "low")];
        assert_eq!((of(&rows)[0].kind, of(&rows)[0].risk), (None, Some(Risk::Low)));
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
            (vec![row("+44871", "", "huge")], "\"huge\" isn't a risk; write one of low, medium, high"),
            (vec![row("+44871", "", "")], "set kind or risk"),
            (vec![row("+44871", "mobile", ""), row("+44-871", "", "low")], "has an [[override]] already"),
        ] {
            let told: Vec<String> = faults(&rows).into_iter().map(|(_, _, what)| what).collect();
            assert!(told.iter().any(|what| what.contains(expected)), "{expected}: {told:?}");
        }
    }
}
