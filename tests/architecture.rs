//! The laws of the house that a machine can check (`ARCHITECTURE.md` lists them).
//!
//! Each law is a function from what was read to a list of faults; each has a test that it holds in
//! this house and a test that it would notice if it didn't.

#[path = "architecture/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use source::{Labels, Source, read};

const MAX_LINES: usize = 450;

/// Crates that stand in Cargo.toml for work under way: the first user of one gives it its door, and
/// it needs no entry here any more. An entry may stay until then, no longer.
const UNDER_WAY: [&str; 22] = [
    "axum",
    "caps",
    "getrandom",
    "hmac",
    "landlock",
    "lettre",
    "libm",
    "md_5",
    "zeroize",
    "nix",
    "postcard",
    "prometheus",
    "rusqlite",
    "rustls",
    "sd_notify",
    "seccompiler",
    "sha2",
    "tokio",
    "tokio_rustls",
    "tracing",
    "tracing_subscriber",
    "ureq",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text_of(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Every file under `src/`, with `lib.rs` as the module `[]` and `main.rs` as `["main"]`.
fn house() -> Vec<Source> {
    let mut files = Vec::new();
    collect(&root().join("src"), &mut files);
    files.sort();
    let mut sources: Vec<Source> = files
        .iter()
        .map(|file| {
            let module = module_of(file.strip_prefix(root().join("src")).unwrap());
            let module: Vec<&str> = module.iter().map(String::as_str).collect();
            read(&fs::read_to_string(file).unwrap(), &module)
        })
        .collect();
    mark_test_files(&mut sources);
    sources
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

fn module_of(file: &Path) -> Vec<String> {
    let mut parts: Vec<String> =
        file.with_extension("").iter().map(|p| p.to_string_lossy().into_owned()).collect();
    if parts == ["lib"] || parts.last().is_some_and(|p| p == "mod") {
        parts.pop();
    }
    parts
}

/// A file that another one declares under `cfg(test)` is a test as a whole.
fn mark_test_files(sources: &mut [Source]) {
    let tests: BTreeSet<Vec<String>> = sources
        .iter()
        .flat_map(|s| s.test_modules.iter().map(|name| [s.module.clone(), vec![name.clone()]].concat()))
        .collect();
    let is_test = |module: &[String]| (1..=module.len()).any(|n| tests.contains(&module[..n]));
    for source in sources.iter_mut().filter(|s| is_test(&s.module)) {
        source.lines_without_tests = 0;
        source.named.iter_mut().for_each(|named| named.in_test = true);
    }
}

fn place(source: &Source, line: usize) -> String {
    let module = if source.module.is_empty() { "lib.rs".to_owned() } else { source.module.join("::") };
    format!("{module}, line {line}")
}

/// Law 1: a file names `crate::x` only if `x` stands earlier in `lib.rs`, or is its own module.
fn law_1(sources: &[Source]) -> Vec<String> {
    let lib = sources.iter().find(|s| s.module.is_empty()).expect("lib.rs");
    let mut faults: Vec<String> = Vec::new();
    let position = |module: &str| lib.declared.iter().position(|d| d == module);
    let macros: BTreeMap<&str, &str> = sources
        .iter()
        .filter(|s| !s.module.is_empty())
        .flat_map(|s| s.exported_macros.iter().map(|m| (m.as_str(), s.module[0].as_str())))
        .collect();
    for named in &lib.named {
        faults.push(format!("{}: lib.rs only lists modules", place(lib, named.line)));
    }
    for source in sources.iter().filter(|s| !s.module.is_empty()) {
        let here = &source.module[0];
        let is_main = here == "main";
        let Some(at) = position(here).or(is_main.then_some(usize::MAX)) else {
            faults.push(format!("{here} doesn't stand in lib.rs"));
            continue;
        };
        for named in source.named.iter().filter(|n| n.segments[0] == "crate") {
            let place = place(source, named.line);
            let Some(target) = named.segments.get(1) else {
                faults.push(format!("{place}: names the crate's root as a whole"));
                continue;
            };
            let target = macros.get(target.as_str()).copied().unwrap_or(target);
            match position(target) {
                _ if target == here => {}
                None => faults.push(format!("{place}: crate::{target} is no module of lib.rs")),
                Some(p) if p >= at => {
                    faults.push(format!("{place}: crate::{target} stands later in lib.rs than {here}"));
                }
                Some(_) => {}
            }
        }
    }
    faults.dedup();
    faults
}

/// Law 2's table: for each crate the modules that may use it, from the section "Doors".
fn doors(architecture: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut doors: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, crates) in table(architecture, "Doors") {
        for name in ticked(&crates) {
            doors.entry(name.replace('-', "_")).or_default().insert(module.clone());
        }
    }
    doors
}

/// The rows of the Markdown table below a heading: (first cell's ticked word, second cell).
fn table(markdown: &str, heading: &str) -> Vec<(String, String)> {
    markdown
        .lines()
        .skip_while(|l| !(l.starts_with('#') && l.trim_start_matches('#').trim() == heading))
        .skip(1)
        .take_while(|l| !l.starts_with('#'))
        .filter_map(|l| {
            let cells: Vec<&str> = l.trim().strip_prefix('|')?.split('|').collect();
            Some((ticked(cells.first()?).into_iter().next()?, (*cells.get(1)?).to_owned()))
        })
        .collect()
}

fn ticked(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The ordinary dependencies of Cargo.toml as code names them.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let manifest: toml::Table = manifest.parse().expect("Cargo.toml");
    let mut names = BTreeSet::new();
    let mut add = |table: Option<&toml::Value>| {
        if let Some(table) = table.and_then(|t| t.get("dependencies")).and_then(toml::Value::as_table) {
            names.extend(table.keys().map(|k| k.replace('-', "_")));
        }
    };
    add(Some(&toml::Value::Table(manifest.clone())));
    for target in manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(|t| t.values())
    {
        add(Some(target));
    }
    names
}

/// Law 2: a foreign crate is named only behind its door, no door hands it on, and none is idle.
fn law_2(
    sources: &[Source],
    doors: &BTreeMap<String, BTreeSet<String>>,
    deps: &BTreeSet<String>,
) -> Vec<String> {
    let mut faults: Vec<String> = Vec::new();
    let used: BTreeSet<&str> = sources
        .iter()
        .flat_map(|s| &s.named)
        .filter(|n| !n.in_test)
        .map(|n| n.segments[0].as_str())
        .collect();
    let idle = |d: &str| !used.contains(d);
    let later = |d: &str| idle(d) && UNDER_WAY.contains(&d);
    let doorless = deps.iter().filter(|d| !doors.contains_key(*d) && !later(d));
    faults.extend(doorless.map(|d| format!("{d} has no door")));
    faults.extend(
        doors.keys().filter(|d| !deps.contains(*d)).map(|d| format!("{d} has a door but is no dependency")),
    );
    faults.extend(deps.iter().filter(|d| idle(d) && !later(d)).map(|d| format!("nothing uses {d}")));
    for source in sources {
        let module = source.module.join("::");
        for named in source.named.iter().filter(|n| !n.in_test) {
            let Some(allowed) = doors.get(&named.segments[0]) else { continue };
            let open = allowed.iter().any(|door| {
                door == "anywhere" || module == *door || module.starts_with(&format!("{door}::"))
            });
            let what = format!("{}: {}", place(source, named.line), named.segments.join("::"));
            if !open {
                faults.push(format!("{what} outside its door"));
            }
            if named.reexport {
                faults.push(format!("{what} is handed on"));
            }
        }
    }
    faults
}

/// Law 4: a top-level module says what goes in, what comes out, and what it never does.
fn law_4(sources: &[Source]) -> Vec<String> {
    let tops = sources.iter().filter(|s| s.module.len() == 1 && s.module[0] != "main");
    tops.flat_map(|s| {
        ["In:", "Out:", "Never:"]
            .iter()
            .filter(|word| !s.doc.contains(**word))
            .map(|word| format!("{} doesn't say \"{word}\"", place(s, 1)))
    })
    .collect()
}

/// Law 5: labels are unique in their enum, fit for a metric, and explained.
fn law_5(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for (source, labels) in sources.iter().flat_map(|s| s.labels.iter().map(move |l| (s, l))) {
        let place = place(source, labels.line);
        let mut seen = BTreeSet::new();
        for (variant, label, about) in &labels.rows {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let protocols_own = label.chars().all(|c| c.is_ascii_uppercase());
            if label.is_empty() || !(label.chars().all(plain) || protocols_own) {
                faults.push(format!("{place}: {}::{variant} = {label:?} is no label", labels.name));
            }
            if !seen.insert(label) {
                faults.push(format!("{place}: {} has {label:?} twice", labels.name));
            }
            if !about.ends_with('.') {
                faults.push(format!("{place}: {}::{variant} lacks its sentence", labels.name));
            }
        }
    }
    faults
}

/// Law 7: every list of the rules names the same ones.
fn law_7(lists: &[(&str, BTreeSet<String>)]) -> Vec<String> {
    let all: BTreeSet<&String> = lists.iter().flat_map(|(_, names)| names).collect();
    all.iter()
        .flat_map(|name| {
            lists
                .iter()
                .filter(|(_, names)| !names.contains(*name))
                .map(move |(list, _)| format!("{name} is missing in {list}"))
        })
        .collect()
}

/// Small files, and nothing that hides code from the laws.
fn housekeeping(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        faults.extend(source.faults.iter().map(|(line, what)| format!("{}: {what}", place(source, *line))));
        if source.lines_without_tests > MAX_LINES {
            faults.push(format!("{}: {} lines", place(source, 1), source.lines_without_tests));
        }
    }
    faults
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn find_labels(sources: &[Source], name: &str) -> Option<Labels> {
    sources.iter().flat_map(|s| &s.labels).find(|l| l.name == name).cloned()
}

/// Files in `detect/` that say they are a rule: "//! Rule `name`".
fn rule_files(sources: &[Source]) -> BTreeSet<String> {
    let rule = |s: &Source| match s.module.as_slice() {
        [room, file] if room == "detect" => {
            s.doc.starts_with(&format!("//! Rule `{file}`")).then(|| file.clone())
        }
        _ => None,
    };
    sources.iter().filter_map(rule).collect()
}

/// Files in `posture/` that say they are a check: "//! Check `name`".
fn check_files(sources: &[Source]) -> BTreeSet<String> {
    let check = |s: &Source| match s.module.as_slice() {
        [room, file] if room == "posture" => {
            s.doc.starts_with(&format!("//! Check `{file}`")).then(|| file.clone())
        }
        _ => None,
    };
    sources.iter().filter_map(check).collect()
}

/// Names in a folder, without extension; none if the folder isn't there.
fn names_in(dir: &str) -> BTreeSet<String> {
    fs::read_dir(root().join(dir)).map_or_else(
        |_| BTreeSet::new(),
        |entries| {
            entries
                .filter_map(|e| Some(e.ok()?.path().file_stem()?.to_string_lossy().into_owned()))
                .filter(|name| name != "mod")
                .collect()
        },
    )
}

#[test]
fn order_is_architecture() {
    assert_none(&law_1(&house()));
}

#[test]
fn one_door_for_each_foreign_crate() {
    let doors = doors(&text_of("ARCHITECTURE.md"));
    assert_none(&law_2(&house(), &doors, &dependencies(&text_of("Cargo.toml"))));
}

#[test]
fn every_module_says_in_out_never() {
    assert_none(&law_4(&house()));
}

#[test]
fn labels_are_labels() {
    let house = house();
    assert!(house.iter().any(|s| !s.labels.is_empty()), "the reader finds no label tables");
    assert_none(&law_5(&house));
}

#[test]
fn one_rule_is_one_file_one_fixture_one_label_one_row() {
    let house = house();
    let rules = find_labels(&house, "Rule").expect("finding::Rule");
    let labels = rules.rows.into_iter().map(|(_, label, _)| label).collect();
    let readme = table(&text_of("README.md"), "Rules").into_iter().map(|(name, _)| name).collect();
    assert_none(&law_7(&[
        ("finding::Rule", labels),
        ("src/detect/", rule_files(&house)),
        ("README.md, Rules", readme),
        ("fixtures/rules/", names_in("fixtures/rules")),
    ]));
}

#[test]
fn one_check_is_one_file_one_runbook_one_label_one_row() {
    let house = house();
    let checks = find_labels(&house, "Check").expect("finding::Check");
    let labels = checks.rows.into_iter().map(|(_, label, _)| label).collect();
    let readme = table(&text_of("README.md"), "Checks").into_iter().map(|(name, _)| name).collect();
    assert_none(&law_7(&[
        ("finding::Check", labels),
        ("src/posture/", check_files(&house)),
        ("README.md, Checks", readme),
        ("docs/runbooks/", &(&names_in("docs/runbooks") - &rules_of(&house)) - &alerts_of_prometheus()),
    ]));
}

/// So have the alerts of Prometheus, which `tests/rules.rs` looks after, and the fire drill.
fn alerts_of_prometheus() -> BTreeSet<String> {
    let rules = text_of("etc/prometheus/ringfence.rules.yml");
    let named = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    named.chain(["fire_drill"]).map(str::to_owned).collect()
}

/// Rules may have a page each as well.
fn rules_of(sources: &[Source]) -> BTreeSet<String> {
    find_labels(sources, "Rule").into_iter().flat_map(|l| l.rows).map(|(_, label, _)| label).collect()
}

/// A page that names tests names tests that are there.
#[test]
fn tests_that_the_wire_page_names_exist() {
    let page = text_of("docs/wire.md");
    let mut files = Vec::new();
    collect(&root().join("src"), &mut files);
    collect(&root().join("tests"), &mut files);
    let code: String = files.iter().filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    let is_test = |name: &&str| {
        name.contains('_') && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let named: BTreeSet<&str> = page.split('`').skip(1).step_by(2).filter(is_test).collect();
    assert!(named.len() > 80, "{}", named.len());
    let missing: Vec<String> = named
        .iter()
        .filter(|name| !code.contains(&format!("fn {name}(")))
        .map(|name| format!("docs/wire.md names {name}, and there is no such test"))
        .collect();
    assert_none(&missing);
}

#[test]
fn files_are_small_and_hide_nothing() {
    assert_none(&housekeeping(&house()));
}

/// A house of snippets: `lib.rs` lists a, b, c in this order.
#[cfg(test)]
mod notices {
    use super::*;

    fn snippets(files: &[(&str, &str)]) -> Vec<Source> {
        let mut house = vec![read("pub mod a;\npub mod b;\npub mod c;", &[])];
        house.extend(files.iter().map(|(module, text)| {
            let module: Vec<&str> = module.split("::").collect();
            read(text, &module)
        }));
        mark_test_files(&mut house);
        house
    }

    fn faults_1(module: &str, text: &str) -> usize {
        let exporter = ("a", "#[macro_export] macro_rules! early { () => {} }");
        let late = ("c", "#[macro_export] macro_rules! late { () => {} }");
        law_1(&snippets(&[exporter, late, (module, text)])).len()
    }

    #[test]
    fn paths_that_climb_down() {
        for bad in [
            "use crate::c::X;",
            "use crate::{a::Y, c};",
            "use crate::{a::{Y, Z}, c::{self, X}};",
            "pub use crate::c::X;",
            "pub(crate) use crate::c::X as Y;",
            "fn f() -> crate::c::X { todo() }",
            "fn f() { let x = Vec::<crate::c::X>::new(); }",
            "fn f() { let x = 1 as crate::c::X; }",
            "macro_rules! m { () => { $crate::c::f() } }",
            "fn f() { println!(\"{}\", crate::c::X); }",
            "#[derive(crate::c::D)] struct S;",
            "use super::c::X;",
            "use super::*;",
            "use super::{a::Y, c::X};",
            "mod inner { use super::super::c::X; }",
            "mod inner { fn f() { super::super::c::f() } }",
            "use self::super::c::X;",
            "use crate::*;",
            "use crate as root;",
            "use crate::nowhere::X;",
            "use crate::late;",
            "crate::late!();",
            "pub(in crate::c) struct S;",
            "#[cfg(test)] mod tests { use crate::c::X; }",
        ] {
            assert_eq!(faults_1("b", bad), 1, "{bad}");
        }
        assert_eq!(faults_1("b::deep", "use super::super::c::X;"), 1);
        assert_eq!(faults_1("d", "fn f() {}"), 1, "a file that lib.rs doesn't list");
    }

    #[test]
    fn paths_that_are_fine_stay_fine() {
        for good in [
            "use crate::a::X;",
            "use crate::{a, b::Own};",
            "use crate::early; early!();",
            "use super::a::X;",
            "use super::b::X;",
            "mod tests { use super::*; use super::super::a::X; }",
            "pub(crate) fn f() {}",
            "// crate::c::X\nconst S: &str = \"crate::c::X\"; const R: &str = r#\"use crate::c;\"#;",
            "/// [`crate::c::X`]\nfn f<'a>(x: &'a str) -> impl Iterator<Item = u8> + use<'a> { x.bytes() }",
            "use std::fmt::{self, Write as _};",
        ] {
            assert_eq!(faults_1("b", good), 0, "{good}");
        }
        assert_eq!(faults_1("b::deep", "use super::Own; use super::other::X;"), 0);
        assert_eq!(faults_1("main", "fn main() { ringfence::c::main() }"), 0);
    }

    #[test]
    fn lib_that_does_more_than_list() {
        let mut house = snippets(&[]);
        house[0] = read("pub mod a; pub use a::X;", &[]);
        assert_eq!(law_1(&house).len(), 1);
    }

    fn faults_2(module: &str, text: &str) -> usize {
        let doors = doors(
            "## Doors\n| module | crates |\n|---|---|\n| `a` | `foo`, `serde_x` |\n| `b::in` | `bar` |\n| `anywhere` | `err` |\n## Next\n| `c` | `foo` |",
        );
        let deps = dependencies(
            "[dependencies]\nfoo = \"1\"\nserde-x = \"1\"\nerr = \"1\"\n[target.'cfg(unix)'.dependencies]\nbar = \"1\"\n[dev-dependencies]\ndev = \"1\"",
        );
        let users = ("a::users", "use foo::X; use serde_x::Y;");
        law_2(&snippets(&[users, ("b::in", "use bar::X; use err::E;"), (module, text)]), &doors, &deps).len()
    }

    #[test]
    fn crates_outside_their_door() {
        for bad in [
            "use foo::X;",
            "use foo;",
            "use ::foo::X as Y;",
            "use {std::fmt, foo::X};",
            "fn f() { foo::x() }",
            "fn f() { ::foo::x() }",
            "fn f() { return ::foo::x() }",
            "fn f(x: &foo::X) {}",
            "#[derive(serde_x::Serialize)] struct S;",
            "macro_rules! m { () => { foo::x() } }",
            "mod inner { use foo::X; }",
            "use bar::X;",
        ] {
            assert_eq!(faults_2("b", bad), 1, "{bad}");
        }
        assert_eq!(faults_2("a", "pub use foo::X;"), 1, "handed on");
        for good in [
            "use std::foo::X;",
            "fn f() { self::foo::x(); a::foo::x(); Vec::<u8>::foo(); s.foo() }",
            "#[cfg(test)] mod tests { use foo::X; use dev::Y; }",
            "use err::Error;",
        ] {
            assert_eq!(faults_2("b", good), 0, "{good}");
        }
        assert_eq!(faults_2("a::deep", "use foo::X;"), 0);
        assert_eq!(faults_2("b::in", "use bar::X;"), 0);
    }

    #[test]
    fn crates_without_a_door_or_a_use_and_doors_without_a_crate() {
        let doors = doors("# Doors\n| `a` | `foo` |");
        let faults = law_2(&snippets(&[]), &doors, &dependencies("[dependencies]\nother = \"1\""));
        assert_eq!(
            faults,
            ["other has no door", "foo has a door but is no dependency", "nothing uses other"]
        );
    }

    #[test]
    fn modules_that_do_not_say_what_they_are() {
        assert_eq!(law_4(&snippets(&[("a", "//! In: x. Out: y.\n//! Never: z.")])).len(), 0);
        assert_eq!(law_4(&snippets(&[("a", "//! In: x. Out: y.")])).len(), 1);
        assert_eq!(law_4(&snippets(&[("a", "// In: Out: Never:")])).len(), 3);
        assert_eq!(law_4(&snippets(&[("a::deep", "")])).len(), 0);
    }

    #[test]
    fn labels_that_are_none() {
        let table = |rows: &str| {
            law_5(&snippets(&[("a", &format!("labels! {{ /// Doc.\n pub enum E {{ {rows} }} }}"))])).len()
        };
        assert_eq!(table("A = \"a\", \"It is a.\"; B = \"b_2\", \"It is b.\";"), 0);
        assert_eq!(table("A = \"a\", \"It is a.\"; B = \"a\", \"It is b.\";"), 1);
        assert_eq!(table("A = \"A-b\", \"It is a.\";"), 1);
        assert_eq!(table("A = \"a\", \"\";"), 1);
    }

    #[test]
    fn rules_that_one_list_lacks() {
        let set = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<BTreeSet<_>>();
        assert_none(&law_7(&[("x", set(&["r"])), ("y", set(&["r"]))]));
        let faults = law_7(&[("x", set(&["r", "s"])), ("y", set(&["r", "t"]))]);
        assert_eq!(faults, ["s is missing in y", "t is missing in x"]);
    }

    #[test]
    fn files_that_are_rules_say_so() {
        let house = [
            read("//! Rule `spike`: x.", &["detect", "spike"]),
            read("//! Rule `spike`: copied.", &["detect", "copy"]),
            read("//! What rules share.", &["detect", "limits"]),
            read("//! Rule `far`: x.", &["alert", "far"]),
        ];
        assert_eq!(rule_files(&house), BTreeSet::from(["spike".to_owned()]));
    }

    #[test]
    fn long_files_and_hidden_code() {
        let faults = |text: &str| housekeeping(&[read(text, &["a"])]).len();
        let long = "fn f() {}\n".repeat(MAX_LINES);
        assert_eq!(faults(&long), 0);
        assert_eq!(faults(&format!("{long}fn g() {{}}\n")), 1);
        let tests = format!("{long}#[cfg(test)]\nmod tests {{\n{}}}\n", "#[test]\nfn t() {}\n".repeat(200));
        assert_eq!(faults(&tests), 0);
        for bad in [
            "#[path = \"x.rs\"] mod x;",
            "include!(\"x.rs\");",
            "#[allow(dead_code)] fn f() {}",
            "#![allow(clippy::all)]",
            "extern crate foo;",
            "fn f() { ",
        ] {
            assert_eq!(faults(bad), 1, "{bad}");
        }
    }

    #[test]
    fn test_files_are_tests() {
        let house = snippets(&[("a", "#[cfg(test)]\nmod tests;"), ("a::tests", "use foo::X;\n")]);
        let tests = house.iter().find(|s| s.module == ["a", "tests"]).unwrap();
        assert!(tests.named.iter().all(|n| n.in_test) && tests.lines_without_tests == 0);
        assert_eq!(house[1].lines_without_tests, 0);
    }
}
