//! The Debian package: what it's made of, how tight its unit is, and that it can be installed, run and
//! purged.

use std::path::Path;
use std::process::{Command, Output};

const BIN: &str = env!("CARGO_BIN_EXE_ringfence");
const UNIT: &str = "etc/systemd/ringfence.service";

/// systemd's scale goes from 0 (tight) to 10.
const MOST_EXPOSED: f64 = 2.0;

fn run(words: &[&str]) -> Option<Output> {
    let here = env!("CARGO_MANIFEST_DIR");
    Command::new(words[0]).args(&words[1..]).current_dir(here).env("LC_ALL", "C.UTF-8").output().ok()
}

fn text(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

/// A failure where nothing may be skipped.
#[expect(clippy::print_stdout, reason = "a test says why it is skipped")]
fn skip(why: &str) {
    assert!(std::env::var("CI").is_err_and(|_| true), "{why}");
    println!("skipped: {why}");
}

fn lacks(tools: &[&str]) -> bool {
    let there = |tool: &&str| {
        run(&["sh", "-c", &format!("command -v {tool}")]).is_some_and(|found| found.status.success())
    };
    let missing: Vec<_> = tools.iter().filter(|tool| !there(tool)).collect();
    if !missing.is_empty() {
        skip(&format!("{missing:?} not installed"));
    }
    !missing.is_empty()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

#[test]
fn the_unit_is_tight() {
    if lacks(&["systemd-analyze"]) {
        return;
    }
    let out = run(&["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT]).unwrap();
    let said = text(&out);
    let level = said.lines().find_map(|line| line.split_once("exposure level for ringfence.service: "));
    let level = level.and_then(|(_, level)| level.split(' ').next()).unwrap_or_else(|| panic!("{said}"));
    println!("exposure: {level}");
    assert!(level.parse::<f64>().unwrap() <= MOST_EXPOSED, "{said}");
}

#[test]
fn the_unit_has_what_the_daemon_relies_on() {
    let unit = read(UNIT);
    let has = |line: &str| unit.lines().any(|l| l == line);
    for line in [
        "Type=notify",
        "WatchdogSec=30",
        "User=ringfence",
        "AmbientCapabilities=CAP_NET_RAW",
        "CapabilityBoundingSet=CAP_NET_RAW",
        // Where the shipped configuration has its store and its socket.
        "StateDirectory=ringfence",
        "RuntimeDirectory=ringfence",
        "ExecReload=/bin/kill -HUP $MAINPID",
    ] {
        assert!(has(line), "{line}");
    }
    let config = read("etc/ringfence.toml");
    assert!(config.contains("\"/var/lib/ringfence/") && config.contains("\"/run/ringfence/"));
}

#[test]
fn every_file_of_the_package_is_there_and_none_is_forgotten() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    let assets = deb["assets"].as_array().unwrap();
    let sources: Vec<&str> = assets.iter().map(|asset| asset[0].as_str().unwrap()).collect();
    for source in sources.iter().filter(|source| !source.starts_with("target/")) {
        let found = run(&["sh", "-c", &format!("ls {source}")]).unwrap();
        assert!(found.status.success(), "{source}");
    }
    // Whatever an operator installs is shipped; tests of rules and linter settings aren't.
    let shipped = text(&run(&["sh", "-c", &format!("ls {}", sources.join(" "))]).unwrap());
    let all = run(&["find", "etc", "grafana", "docs", "-type", "f", "!", "-name", ".lint"]).unwrap();
    for file in text(&all).lines().filter(|file| !file.starts_with("etc/prometheus/tests/")) {
        assert!(shipped.lines().any(|line| line == file), "{file} isn't in the package");
    }
}

/// What dpkg and the user database write down; nothing else may be left after a purge.
const MAY_STAY: [&str; 10] = [
    "etc/passwd",
    "etc/group",
    "etc/shadow",
    "etc/gshadow",
    "etc/.pwd.lock",
    "etc/subuid",
    "etc/subgid",
    "var/lib/dpkg/",
    "var/log/dpkg.log",
    "var/cache/",
];

#[test]
fn installed_run_as_its_unit_does_and_purged() {
    if lacks(&["dpkg-deb", "jq", "setpriv", "unshare", "curl", "ip"]) {
        return;
    }
    let separate = run(&["unshare", "--mount", "--net", "true"]).is_some_and(|out| out.status.success());
    if !separate || !Path::new("/proc/self/ns").exists() {
        return skip("mount and network namespaces can't be made (not root?)");
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let built = run(&["scripts/build-deb", "--binary", BIN, "--out", out, "--quick"]).unwrap();
    assert!(built.status.success(), "{}", text(&built));
    let built = String::from_utf8(built.stdout).unwrap();
    let package = built.lines().last().unwrap();

    let inside = tempfile::tempdir().unwrap();
    let script = ["timeout", "60", "unshare", "--mount", "--net", "tests/package/install.sh"];
    let seen = run(&[&script[..], &[package, inside.path().to_str().unwrap()]].concat()).unwrap();
    if seen.status.code() == Some(77) {
        return skip("there are no overlays here");
    }
    let said = text(&seen);
    assert!(seen.status.success(), "{said}");
    let has = |line: &str| said.lines().any(|l| l == line);
    assert!(has("installed: install ok installed") && has("user: ringfence ringfence 750 ringfence 750"));
    for how in ["root", "unit"] {
        assert!(has(&format!("{how}: ready as ringfence capabilities 0000000000000000")), "{said}");
        assert!(has(&format!("{how}: ended with 0")), "{said}");
        for layer in ["user", "capabilities", "no_new_privileges", "seccomp"] {
            assert!(has(&format!("{how}: ringfence_sandbox{{layer=\"{layer}\"}} 1")), "{said}");
        }
        let started = said.lines().find_map(|line| line.strip_prefix(&format!("{how}: started ")));
        let (at, now) = started.and_then(|times| times.split_once(" of ")).expect("when it started");
        let ago = now.parse::<f64>().unwrap() - at.parse::<f64>().unwrap();
        assert!((-60.0..60.0).contains(&ago), "{said}");
    }
    let left: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("left: ")).collect();
    assert!(left.contains(&"var/lib/dpkg/status"), "nothing was watched: {said}");
    let strange: Vec<_> =
        left.iter().filter(|path| !MAY_STAY.iter().any(|may| path.starts_with(may))).collect();
    assert!(strange.is_empty(), "left by a purge: {strange:?}");
}

/// Loaded at a place that changes with each start, nothing on the stack or in the heap can be run, and what
/// the loader fills in is read-only before the first packet.
#[test]
fn the_program_is_hardened() {
    if lacks(&["readelf"]) {
        return;
    }
    let told = text(&run(&["readelf", "-hldW", BIN]).unwrap());
    assert!(told.contains("DYN (Position-Independent Executable file)"), "{told}");
    assert!(told.contains("GNU_RELRO") && told.contains("BIND_NOW"), "{told}");
    let stack = told.lines().find(|line| line.contains("GNU_STACK")).unwrap();
    assert!(stack.contains(" RW ") && !stack.contains("RWE"), "{stack}");
    // Nor does a crate of this package or a crate it uses bring code that isn't locked.
    let lock: toml::Table = read("Cargo.lock").parse().unwrap();
    for package in lock["package"].as_array().unwrap() {
        let locked = package.get("checksum").is_some();
        assert!(locked || package["name"].as_str() == Some("ringfence"), "{package}");
    }
}

/// Our own crates, built twice at the same time into two folders, from what else was built already: the
/// program has the same bytes.
#[test]
fn two_builds_give_the_same_bytes() {
    let built = Path::new(BIN).parent().unwrap();
    if !built.ends_with("debug") {
        return skip("the test's own build isn't one for tests");
    }
    let build = |folder: &Path| {
        let profile = folder.join("debug");
        std::fs::create_dir(&profile).unwrap();
        // Links are enough for what isn't written anew.
        for (how, part) in [("-a", ".fingerprint"), ("-al", "build"), ("-al", "deps")] {
            let copied = Command::new("cp").arg(how).arg(built.join(part)).arg(&profile).status();
            assert!(copied.unwrap().success());
        }
        let cargo = |words: &[&str]| {
            let mut cargo = Command::new(env!("CARGO"));
            // What cargo tells a test of itself would have build scripts run anew.
            for (name, _) in std::env::vars_os() {
                let told = [
                    "CARGO_PKG_",
                    "CARGO_MANIFEST_",
                    "CARGO_BIN_",
                    "CARGO_CRATE_",
                    "CARGO_PRIMARY_",
                    "LD_LIBRARY_",
                ];
                if told.iter().any(|told| name.to_string_lossy().starts_with(told)) {
                    cargo.env_remove(name);
                }
            }
            cargo.args(words).current_dir(env!("CARGO_MANIFEST_DIR")).env("CARGO_TARGET_DIR", folder);
            let out =
                cargo.env("CARGO_INCREMENTAL", "0").env("CARGO_PROFILE_DEV_DEBUG", "0").output().unwrap();
            assert!(out.status.success(), "{}", text(&out));
        };
        cargo(&["clean", "--offline", "--package", "ringfence"]);
        assert!(!profile.join("ringfence").exists());
        // The smallest test that brings the program with it, and with it the same features.
        cargo(&["test", "--offline", "--locked", "--no-run", "--test", "rules"]);
        std::fs::read(profile.join("ringfence")).unwrap()
    };
    // Beside the first build: links don't reach further.
    let folder = |name| tempfile::Builder::new().prefix(name).tempdir_in(built).unwrap();
    let (one, other) = (folder("one"), folder("another"));
    let (one, other) = std::thread::scope(|scope| {
        let first = scope.spawn(|| build(one.path()));
        let second = build(other.path());
        (first.join().unwrap(), second)
    });
    assert!(one.len() > 1_000_000);
    assert!(one == other, "{} and {} bytes that differ", one.len(), other.len());
}
