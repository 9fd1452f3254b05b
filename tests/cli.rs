//! The program as a user runs it: what it prints, and how it exits.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn ringfence(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ringfence")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn lines(output: &Output) -> Vec<serde_json::Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A scenario's capture in a folder of its own.
struct Played {
    folder: TempDir,
}

impl Played {
    fn new(scenario: &str) -> Self {
        Self::seeded(scenario, "7")
    }

    fn seeded(scenario: &str, seed: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let drill =
            ringfence(&["drill", scenario, "--seed", seed, "-o", text(&folder.path().join("a.pcap"))]);
        assert_eq!(code(&drill), 0, "{}", stderr(&drill));
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn an_attack_is_told_in_text_and_in_json() {
    let played = Played::new("demo");
    let capture = played.path("a.pcap");
    let report = ringfence(&["replay", text(&capture)]);
    assert_eq!(code(&report), 0, "{}", stderr(&report));
    let report = stdout(&report);
    for part in [
        "CRITICAL  handset 2",
        "  alert  ",
        "  money     about GBP ",
        "  why  ",
        "\nCoverage\n",
        "\nSummary\n",
    ] {
        assert!(report.contains(part), "{part}\n{report}");
    }
    assert!(!report.contains('\x1b'), "colours only on a terminal");

    let records = lines(&ringfence(&["replay", "--format", "jsonl", text(&capture)]));
    let summary = records.last().unwrap();
    assert_eq!(summary["type"], "summary");
    let of =
        |kind: &str, state: &str| records.iter().filter(|r| r["type"] == kind && r["state"] == state).count();
    // Both legs of a call have records, and one id.
    let attempted = records.iter().filter(|r| r["type"] == "call" && r["state"] == "attempted");
    let ids: BTreeSet<u64> = attempted.map(|r| r["id"].as_u64().unwrap()).collect();
    assert_eq!(summary["attempts"], ids.len());
    assert_eq!(summary["alerts"], of("alert", "raised"));
    assert!(of("alert", "raised") > 0 && of("call", "ended") > 0);
    // Each check says how it stands: by what was found, or by what could be seen.
    let told: BTreeSet<&str> =
        records.iter().filter(|r| r["type"] == "finding").map(|r| r["check"].as_str().unwrap()).collect();
    let posture = summary["posture"].as_object().unwrap();
    assert_eq!(told, posture.keys().map(String::as_str).collect());
    for record in records.iter().filter(|r| r["type"] == "finding") {
        assert_eq!(posture[record["check"].as_str().unwrap()], record["status"], "{record}");
    }
    for record in &records[..records.len() - 1] {
        let kind = record["type"].as_str().unwrap();
        assert!(["call", "alert", "finding"].contains(&kind), "{record}");
    }
}

#[test]
fn the_same_replay_twice_gives_the_same_bytes() {
    let played = Played::new("irsf_fast");
    let capture = played.path("a.pcap");
    for format in ["jsonl", "text"] {
        let run = || ringfence(&["replay", "--format", format, "--no-store", text(&capture)]).stdout;
        let first = run();
        assert!(!first.is_empty() && first == run(), "{format}");
    }
}

#[test]
fn facts_go_to_a_file() {
    let played = Played::new("satellite");
    let facts = played.path("facts.jsonl");
    let run = ringfence(&["replay", "--facts", text(&facts), text(&played.path("a.pcap"))]);
    assert_eq!(code(&run), 0);
    let facts = std::fs::read_to_string(facts).unwrap();
    assert!(facts.lines().any(|l| l.contains("\"kind\":\"satellite\"")), "{facts}");
}

#[test]
fn fail_on_alert_exits_with_3_for_an_attack_only() {
    let attack = Played::new("satellite");
    let run = ringfence(&["replay", "--fail-on-alert", text(&attack.path("a.pcap"))]);
    assert_eq!((code(&run), stderr(&run).as_str()), (3, ""));
    let quiet = Played::new("emergency_test");
    assert_eq!(code(&ringfence(&["replay", "--fail-on-alert", text(&quiet.path("a.pcap"))])), 0);
}

#[test]
fn a_capture_cut_off_is_reported_after_what_could_be_read() {
    let played = Played::new("demo");
    let whole = std::fs::read(played.path("a.pcap")).unwrap();
    let cut = played.path("cut.pcap");
    std::fs::write(&cut, &whole[..whole.len() - 10]).unwrap();
    let run = ringfence(&["replay", text(&cut)]);
    assert_eq!(code(&run), 1);
    assert!(stdout(&run).contains("CRITICAL"));
    assert!(stderr(&run).contains("cut off inside frame"), "{}", stderr(&run));
    let missing = ringfence(&["replay", text(&played.path("none.pcap"))]);
    assert_eq!((code(&missing), stdout(&missing).as_str()), (1, ""));
    assert!(stderr(&missing).contains("none.pcap: can't be opened"));
}

/// Whatever is wrong with a file is told with its cause, and with what to do where something can be done.
#[test]
fn what_is_no_capture_is_told_by_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let head: &[u8] = &[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    std::fs::write(at("empty.pcap"), b"").unwrap();
    std::fs::write(at("text.pcap"), b"no capture at all").unwrap();
    std::fs::write(at("head.pcap"), &head[..10]).unwrap();
    std::fs::write(at("frame.pcap"), [head, &[0; 7]].concat()).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    for (name, cause) in [
        ("empty.pcap", "not a capture: it is empty; pcap, pcapng"),
        ("text.pcap", "not a capture: it begins with 6e 6f 20 63"),
        ("head.pcap", "cut off inside its own header: there is no frame in it; copy the file again"),
        (
            "frame.pcap",
            "cut off inside frame 1 (at byte 24); the frames before it were read; copy the file again",
        ),
        ("folder", "can't be opened: Is a directory"),
        ("none", "can't be opened: No such file"),
    ] {
        for command in ["replay", "doctor"] {
            let run = ringfence(&[command, text(&at(name))]);
            let said = stderr(&run);
            assert_eq!(code(&run), 1, "{command} {name}: {said}");
            assert!(said.contains(&format!("{name}: {cause}")), "{command} {name}: {said}");
        }
    }
}

#[test]
fn names_that_are_no_text_and_disks_that_are_full() {
    use std::os::unix::ffi::OsStrExt as _;
    let played = Played::new("satellite");
    let odd = played.folder.path().join(std::ffi::OsStr::from_bytes(b"\xff\x1b[31m.pcap"));
    std::fs::copy(played.path("a.pcap"), &odd).unwrap();
    let replay = |file: &std::ffi::OsStr| {
        Command::new(env!("CARGO_BIN_EXE_ringfence")).arg("replay").arg(file).output().unwrap()
    };
    assert_eq!(replay(odd.as_os_str()).stdout, ringfence(&["replay", text(&played.path("a.pcap"))]).stdout);
    let missing = replay(std::ffi::OsStr::from_bytes(b"/none/\xff\x1b[31m\xe2\x80\xae.pcap"));
    assert_eq!(code(&missing), 1);
    let said = stderr(&missing);
    assert!(!said.contains(['\x1b', '\u{202e}']) && said.contains("can't be opened"), "{said:?}");
    // What can't be written is named.
    let full = ringfence(&["replay", "--facts", "/dev/full", text(&played.path("a.pcap"))]);
    assert_eq!(code(&full), 1);
    assert!(stderr(&full).contains("/dev/full: can't be written: No space left"), "{}", stderr(&full));
    let nowhere = ringfence(&["replay", "--facts", "/none/f", text(&played.path("a.pcap"))]);
    assert!(stderr(&nowhere).contains("/none/f: can't be written: No such file"), "{}", stderr(&nowhere));
}

#[test]
fn several_captures_and_standard_input_are_one_stream() {
    let played = Played::new("demo");
    let capture = played.path("a.pcap");
    let from_file = ringfence(&["replay", "--format", "jsonl", text(&capture)]).stdout;
    let mut child = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    let from_pipe = child
        .args(["replay", "--format", "jsonl", "-"])
        .stdin(std::fs::File::open(&capture).unwrap())
        .output();
    assert_eq!(from_file, from_pipe.unwrap().stdout);
    let twice = lines(&ringfence(&["replay", "--format", "jsonl", text(&capture), text(&capture)]));
    let once: serde_json::Value =
        serde_json::from_slice(from_file.trim_ascii().rsplit(|b| *b == b'\n').next().unwrap()).unwrap();
    assert_eq!(twice.last().unwrap()["frames"].as_u64().unwrap(), 2 * once["frames"].as_u64().unwrap());
}

#[test]
fn whoever_stops_reading_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ringfence"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
}

#[test]
fn explain_has_the_fields_of_the_interface_in_order() {
    let run = ringfence(&[
        "explain",
        "--json",
        "--home",
        "GB",
        "--outside-line",
        "9",
        "900441632960001",
        "999",
        "214",
    ]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let text = stdout(&run);
    let first = text.lines().next().unwrap();
    let fields = [
        "input",
        "class",
        "kind",
        "e164",
        "region",
        "overseas",
        "exact",
        "rule",
        "price_per_min",
        "currency",
    ];
    let places: Vec<_> = fields.iter().map(|f| first.find(&format!("\"{f}\":")).expect(f)).collect();
    assert!(places.is_sorted() && places[0] == 1, "{first}");
    let records = lines(&run);
    assert_eq!((&records[0]["e164"], &records[0]["region"]), (&"+441632960001".into(), &"GB".into()));
    assert_eq!((&records[1]["class"], &records[1]["e164"]), (&"emergency".into(), &serde_json::Value::Null));
    assert!(stdout(&ringfence(&["explain", "+37120000000"])).contains("Latvia (LV)"));
    assert_eq!(code(&ringfence(&["explain", "--home", "Britain", "1"])), 2);
    assert_eq!(code(&ringfence(&["explain", "--home", "ZZ", "1"])), 2);
}

#[test]
fn explain_takes_whatever_a_user_or_a_pipe_gives() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ringfence"))
        .args(["explain", "--json", "999", "-", ""])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let long = "4".repeat(200_000);
    let text = format!("0207 946 0958\r\n\nsip:\u{1b}[31m@x\n{long}\nlast");
    child.stdin.take().unwrap().write_all(&[text.as_bytes(), b"\xff\xfe"].concat()).unwrap();
    let records = lines(&child.wait_with_output().unwrap());
    let classes: Vec<&str> = records.iter().map(|record| record["class"].as_str().unwrap()).collect();
    let expected = ["emergency", "national", "unknown", "internal", "unknown", "internal", "unknown"];
    assert_eq!(classes, expected);
    assert_eq!(records[1]["input"], "0207 946 0958");
    assert!(records[4]["input"].as_str().unwrap().len() <= 65_536, "a line is bounded");
    let escaped = stdout(&ringfence(&["explain", "\u{1b}[31m", &long[..100_000]]));
    assert!(!escaped.contains('\u{1b}'), "{escaped:?}");
    assert_eq!(code(&ringfence(&["explain"])), 2);
    assert_eq!(code(&ringfence(&["explain", "--outside-line", "x", "1"])), 2);
}

/// The deck prices what it has; what it lacks is told; the operator's word comes before every list.
#[test]
fn explain_tells_deck_and_override() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("c.toml");
    let own = "[[override]]\nprefix = \"+44871\"\nkind = \"toll_free\"\nwhy = \"our own lines\"\n\
               [[override]]\nprefix = \"1185\"\nkind = \"shared_cost\"\n";
    std::fs::write(&config, format!("[site]\ndomestic = [\"im\"]\n[tariff]\nfile = \"deck.csv\"\n{own}"))
        .unwrap();
    std::fs::write(
        folder.path().join("deck.csv"),
        "Name,Match Prefix,Number Length,Rate,Billable Unit(s),Initial Time(s),Initial Cost\nLatvia,371,0,0.25,60,60,0\n",
    )
    .unwrap();
    let told = |number: &str| stdout(&ringfence(&["--config", text(&config), "explain", number]));
    let latvia = told("+37129123456");
    assert!(
        latvia.contains("GBP 0.25 a minute, the first 60 s free; Latvia, rate deck deck.csv"),
        "{latvia}"
    );
    let cuba = told("+5351234567");
    assert!(cuba.contains("not in rate deck deck.csv: priced by built-in table"), "{cuba}");
    assert!(told("07624 123456").contains("national, mobile, Isle of Man (IM)"));
    let own = told("0871 234 5678");
    assert!(own.contains("toll_free") && own.contains("override of +44871"), "{own}");
    assert!(own.contains("our own lines (configured for +44871)"), "{own}");
    let short = told("118 500");
    assert!(short.contains("shared_cost") && short.contains("override of 1185"), "{short}");
    assert!(told("118 118").contains("premium_rate") && told("999").contains("emergency"));
    std::fs::write(&config, "\n[[override]]\nprefix = \"+44871\"\nkind = \"premuim_rate\"\n").unwrap();
    let refused = ringfence(&["--config", text(&config), "check"]);
    assert_eq!(code(&refused), 2);
    let why = stderr(&refused);
    for part in ["c.toml:4: override[1].kind", "write one of toll_free", "did you mean \"premium_rate\"?"] {
        assert!(why.contains(part), "{part}: {why}");
    }
}

#[test]
fn drill_writes_the_same_bytes_and_labels_beside_them() {
    let (one, two) = (Played::new("irsf_fast"), Played::new("irsf_fast"));
    for name in ["a.pcap", "a.labels.jsonl"] {
        let bytes = std::fs::read(one.path(name)).unwrap();
        assert!(!bytes.is_empty() && bytes == std::fs::read(two.path(name)).unwrap(), "{name}");
    }
    let listed = lines(&ringfence(&["drill", "--list", "--json"]));
    assert!(listed.iter().any(|s| s["scenario"] == "demo") && listed.len() > 20);
    let unknown = ringfence(&["drill", "no_such", "--seed", "1", "-o", text(&one.path("x.pcap"))]);
    assert_eq!(code(&unknown), 2);
    assert!(!one.path("x.pcap").exists(), "nothing is left behind");
    assert_eq!(code(&ringfence(&["drill", "demo"])), 2);
}

#[test]
fn check_prints_what_is_in_force_or_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f.toml");
    let check = |content: &str, more: &[&str]| {
        std::fs::write(&file, content).unwrap();
        ringfence(&[&["--config", text(&file), "check"], more].concat())
    };
    let fine = check("[site]\nhome = \"DE\"", &[]);
    assert_eq!(code(&fine), 0);
    assert!(stdout(&fine).contains("timezone = \"Europe/Berlin\""));
    let ahead = check("[fleet]\nservers = [\"nats://127.0.0.1:4222\"]", &[]);
    assert!(
        code(&ahead) == 0
            && stderr(&ahead).contains("note: fleet is checked, but this version doesn't use it")
    );
    let wrong = check("[site]\nhome = \"DE\"\nhoem = \"GB\"", &[]);
    assert_eq!((code(&wrong), stdout(&wrong).as_str()), (2, ""));
    assert!(
        stderr(&wrong).contains("f.toml:3: site.hoem") && stderr(&wrong).contains("did you mean `home`?")
    );
    let json = check("[site]\nhome = \"XX\"", &["--json"]);
    assert_eq!(code(&json), 2);
    assert_eq!((&lines(&json)[0]["ok"], &lines(&json)[0]["problems"][0]["line"]), (&false.into(), &2.into()));
    let json = check("", &["--json"]);
    assert_eq!(lines(&json)[0]["effective"]["site"]["currency"], "GBP");
    let deck = check("[site]\ncurrency = \"XYZ\"", &[]);
    assert!(code(&deck) == 2 && stderr(&deck).contains("no prices in XYZ"), "{}", stderr(&deck));
    assert_eq!(code(&ringfence(&["--config", "no/such.toml", "check"])), 2);
}

#[test]
fn init_writes_a_file_that_checks_and_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ringfence.toml");
    assert_eq!(code(&ringfence(&["init", "-o", text(&file)])), 0);
    assert_eq!(code(&ringfence(&["--config", text(&file), "check"])), 0);
    let again = ringfence(&["init", "-o", text(&file)]);
    assert!(code(&again) == 1 && stderr(&again).contains("exists"), "{}", stderr(&again));
}

#[test]
fn usage_help_and_version() {
    assert_eq!(code(&ringfence(&["--help"])), 0);
    assert!(stdout(&ringfence(&["--version"])).starts_with("ringfence "));
    assert!(stdout(&ringfence(&["man"])).contains(".TH ringfence 1"));
    for wrong in [&["fly"][..], &["replay"], &["replay", "--format", "xml", "a"], &[]] {
        let run = ringfence(wrong);
        assert!(code(&run) == 2 && !stderr(&run).is_empty(), "{wrong:?}");
    }
}

/// The README shows the demo's first alert, as it is printed.
#[test]
fn the_readme_shows_what_the_demo_prints() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let at = |name: &str| here.join("fixtures/demo").join(name);
    let demo = ringfence(&["--config", text(&at("config.toml")), "replay", text(&at("capture.pcap"))]);
    let printed = stdout(&demo);
    let (alert, _) = printed.split_once("\n\n").unwrap();
    let (path, mark) = (here.join("README.md"), "This is what an alert looks like:\n\n```\n");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(mark).unwrap();
    let (shown, after) = rest.split_once("```\n").unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, format!("{before}{mark}{alert}\n```\n{after}")).unwrap();
    } else {
        assert_eq!(shown.trim_end(), alert, "UPDATE_GOLDEN=1 rewrites it");
    }
}

/// What a command prints on a terminal of so many columns, errors included.
#[cfg(target_os = "linux")]
fn on_a_terminal(columns: usize, environment: &str, arguments: &str) -> String {
    let command =
        format!("stty rows 24 cols {columns}; {environment} {} {arguments}", env!("CARGO_BIN_EXE_ringfence"));
    let output = Command::new("script")
        .args(["-q", "-e", "-c", &command, "/dev/null"])
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    stdout(&output).replace('\r', "")
}

/// Lines fit, colours come only where somebody looks and wants them, JSON is clean everywhere.
#[test]
#[cfg(target_os = "linux")]
fn a_terminal_gets_colours_and_lines_that_fit() {
    let played = Played::new("weak_office");
    let replay = format!("replay {}", text(&played.path("a.pcap")));
    for columns in [80, 120] {
        let seen = on_a_terminal(columns, "", &replay);
        assert!(seen.contains("\x1b[1;31mCRITICAL\x1b[0m"), "{seen}");
        let mut plain = String::new();
        for (n, part) in seen.split('\x1b').enumerate() {
            plain += if n == 0 { part } else { part.split_once('m').map_or(part, |(_, rest)| rest) };
        }
        let widest = plain.lines().map(|line| line.chars().count()).max().unwrap();
        assert!((columns - 20..=columns).contains(&widest), "{widest} of {columns} columns");
    }
    let plain = on_a_terminal(80, "NO_COLOR=1", &replay);
    assert!(plain.contains("CRITICAL") && !plain.contains('\x1b'), "{plain}");
    let records = on_a_terminal(80, "", &format!("{replay} --format jsonl"));
    assert!(records.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{records}");
    let piped = stdout(&ringfence(&["replay", text(&played.path("a.pcap"))]));
    assert!(!piped.contains('\x1b') && piped.lines().any(|line| line.chars().count() > 120));
}

/// A capture many times over: its frames come again and again.
#[cfg(target_os = "linux")]
fn repeated(capture: &Path, times: usize) -> (tempfile::NamedTempFile, f64) {
    let whole = std::fs::read(capture).unwrap();
    let (head, records) = whole.split_at(24);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, &[head, &records.repeat(times)].concat()).unwrap();
    let size = std::fs::metadata(file.path()).unwrap().len();
    (file, f64::from(u32::try_from(size).unwrap()))
}

/// What a bar says: (per cent, bytes in all, bytes a second, thousands of frames, seconds left).
#[cfg(target_os = "linux")]
fn drawn(seen: &str) -> Vec<[f64; 5]> {
    let bytes = |figure: &str, unit: &str| {
        let unit = ["B", "KiB", "MiB", "GiB"].iter().position(|u| *u == unit.trim_end_matches("/s")).unwrap();
        figure.parse::<f64>().unwrap() * 1024_f64.powi(i32::try_from(unit).unwrap())
    };
    let draw = |part: &str| {
        let words: Vec<&str> = part.split_whitespace().collect();
        let at = words.windows(2).position(|pair| pair == ["%", "of"])?;
        // 12 % of 34.56 MiB  7.89 MiB/s  90 k frames  3s left
        let [total, unit, rate, per, frames, "k", "frames", left, "left"] = words.get(at + 2..at + 11)?
        else {
            return None;
        };
        let (figure, unit_of_time) = left.split_at(left.len() - 1);
        let seconds = figure.parse::<f64>().unwrap() * if unit_of_time == "m" { 60.0 } else { 1.0 };
        Some([
            words[at - 1].parse().unwrap(),
            bytes(total, unit),
            bytes(rate, per),
            frames.parse().unwrap(),
            seconds,
        ])
    };
    seen.split(['\r', '\n', '\x1b']).filter_map(draw).collect()
}

/// The bar of a long replay: where it is, how fast, how long it will take; gone when it is done. It is
/// drawn for whoever looks at standard error, and standard output stays clean.
#[test]
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is looked at")]
fn a_long_replay_shows_how_far_it_is() {
    let played = Played::new("satellite");
    let (capture, size) = repeated(&played.path("a.pcap"), 300);
    let (capture, records) = (text(capture.path()), played.path("records.jsonl"));
    let began = std::time::Instant::now();
    let command = format!(
        "stty cols 100; {} replay --format jsonl {capture} > {}",
        env!("CARGO_BIN_EXE_ringfence"),
        text(&records)
    );
    let output = Command::new("script")
        .args(["-q", "-e", "-c", &command, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let took = began.elapsed().as_secs_f64();
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    let seen = stdout(&output);
    let bars = drawn(&seen);
    println!("{} draws in {took:.1} s, the last one: {:?}", bars.len(), bars.last());
    assert!(bars.len() >= 4, "{seen:?}");
    for [percent, total, rate, _, left] in &bars {
        assert!((0.0..=100.0).contains(percent) && (total / size - 1.0).abs() < 0.01, "{bars:?}");
        // What is left at this rate is the time that is left, as far as whole seconds tell.
        let due = (1.0 - percent / 100.0) * size / rate;
        assert!((left - due).abs() <= 1.5 + due / 2.0, "{left} s left, {due} s by rate and size: {bars:?}");
    }
    assert!(bars.windows(2).all(|pair| pair[0][0] <= pair[1][0] && pair[0][3] <= pair[1][3]), "{bars:?}");
    let [percent, _, rate, ..] = bars[bars.len() - 1];
    assert!(percent > 50.0, "{bars:?}");
    let average = size / took;
    assert!((average / 3.0..average * 3.0).contains(&rate), "{rate} B/s, {average} on the whole");
    let (_, after) = seen.rsplit_once("left").unwrap();
    let after = after.replace("\x1b[2K", "").replace("\x1b[1A", "");
    assert!(after.trim().is_empty(), "the bar is gone when it is done: {after:?}");
    let records = std::fs::read_to_string(records).unwrap();
    assert!(records.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    assert!(records.lines().last().unwrap().contains("\"summary\""));

    let unwatched = ringfence(&["replay", text(&played.path("a.pcap"))]);
    assert_eq!(stderr(&unwatched), "", "nobody looks: nothing is drawn");
}

/// Call records of five weeks in which `caller` dials one number on every working day.
fn habit(folder: &TempDir, caller: &str, dialled: &str) -> PathBuf {
    let mut records = "caller,destination,start,duration\n".to_owned();
    let days = (1..=31).map(|day| (10, day)).chain((1..=5).map(|day| (11, day)));
    for (month, day) in days {
        records += &format!("{caller},{dialled},2026-{month:02}-{day:02} 10:{:02}:00,180\n", day % 60);
    }
    let path = folder.path().join("records.csv");
    std::fs::write(&path, records).unwrap();
    path
}

/// Of the alerts of one rule, whose they are.
fn told_of(records: &[serde_json::Value], rule: &str) -> BTreeSet<String> {
    let alerts = records.iter().filter(|record| record["type"] == "alert" && record["rule"] == rule);
    alerts.map(|alert| alert["handset"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_call_records_teach_is_no_news_and_an_attack_still_is() {
    let played = Played::new("cheap_flood");
    let capture = played.path("a.pcap");
    let plain = lines(&ringfence(&["replay", "--format", "jsonl", text(&capture)]));
    let news = plain.iter().find(|record| record["rule"] == "first_country").unwrap();
    let call = |record: &&serde_json::Value| record["call_id"] == news["call_ids"][0];
    let dialled = plain.iter().find(call).unwrap()["dialled"].as_str().unwrap().to_owned();
    let (handset, region) = (news["handset"].as_str().unwrap(), &news["regions"][0]);

    let records = habit(&played.folder, handset, &dialled);
    let learn = ["replay", "--format", "jsonl", "--learn", text(&records), text(&capture)];
    let output = ringfence(&learn);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("records.csv: 36 rows (columns by header), 36 calls"),
        "{}",
        stderr(&output)
    );
    let taught = lines(&output);
    assert!(told_of(&plain, "first_country").contains(handset));
    assert!(!told_of(&taught, "first_country").contains(handset), "a habit is no first call");
    assert_eq!(told_of(&taught, "handset_ceiling"), told_of(&plain, "handset_ceiling"));
    assert!(!told_of(&taught, "handset_ceiling").is_empty());

    // The learning report is due at once, for what was learnt is older than a week.
    let learning = |records: &[serde_json::Value]| records.last().unwrap()["learning"].clone();
    let report = learning(&taught);
    let habitual = report.as_array().unwrap().iter().find(|habitual| habitual["handset"] == handset).unwrap();
    assert_eq!(habitual["countries"][0]["region"], *region, "{report}");
    assert!(habitual["countries"][0]["calls"].as_u64().unwrap() >= 20, "{report}");
    assert!(habitual["countries"][0]["days"].as_u64().unwrap() >= 20, "{report}");
    assert!(learning(&plain).is_null());
    let told = stdout(&ringfence(&["replay", "--learn", text(&records), text(&capture)]));
    assert!(told.contains(&format!("handset {handset} calls ")), "{told}");
    assert!(
        told.contains(&format!("user = \"{handset}\", allow = [\"{}\"]", region.as_str().unwrap())),
        "{told}"
    );
}

#[test]
fn learning_from_what_is_no_record_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.csv");
    std::fs::write(&path, "milk,eggs\nbread,butter\n").unwrap();
    let output = ringfence(&["replay", "--learn", text(&path), "fixtures/demo/office.pcap"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("notes.csv: no call records"), "{}", stderr(&output));
    let missing = ringfence(&["replay", "--learn", "/nowhere.csv", "fixtures/demo/office.pcap"]);
    assert!(stderr(&missing).contains("/nowhere.csv: can't be read"), "{}", stderr(&missing));
}

/// Two handsets take turns through one block of numbers in a country that nobody calls: the second call
/// of the attack is told, though it is its handset's first. In an office that was watched for a while:
/// to a new installation every country is new.
#[test]
fn an_attack_over_two_handsets_is_told_by_its_second_call() {
    let played = Played::seeded("incident_b", "1");
    let labels = std::fs::read_to_string(played.path("a.labels.jsonl")).unwrap();
    let attack: serde_json::Value = serde_json::from_str(labels.lines().next().unwrap()).unwrap();
    let calls = attack["calls"].as_array().unwrap();
    let (past, capture) = (habit(&played.folder, "205", "00358404988284"), played.path("a.pcap"));
    let replay = ["replay", "--format", "jsonl", "--learn", text(&past), text(&capture)];
    let records = lines(&ringfence(&replay));
    let paged = |record: &&serde_json::Value| record["type"] == "alert" && record["severity"] != "info";
    let page = records.iter().find(paged).unwrap();
    assert_eq!((&page["rule"], &page["calls"]), (&"number_block".into(), &1.into()), "{page}");
    assert_eq!(page["call_ids"][0], calls[1]["call_id"], "{page}");
    assert!(page["sentence"].as_str().unwrap().contains("next to numbers that other handsets called"));
}
