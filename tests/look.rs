//! What people look at: the page and the report in a real browser, the dashboards on a real Prometheus.
#![cfg(feature = "daemon")]

#[cfg(test)]
#[path = "office/have.rs"]
mod have;
#[path = "look/dashboards.rs"]
mod dashboards;
#[path = "look/daemon.rs"]
mod daemon;
#[path = "look/report.rs"]
mod report;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use daemon::Daemon;
use have::have;

fn web(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web").join(script)
}

#[expect(clippy::print_stdout, reason = "a test says why it is skipped")]
fn skipped(why: &str) -> bool {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    println!("skipped: {why}");
    false
}

/// Whether a browser, Node.js and the packages from `scripts/need-web` are there.
fn have_web() -> bool {
    if !have(&["chromium", "node"]) {
        return false;
    }
    if !web("node_modules/playwright-core").exists() {
        return skipped("scripts/need-web has not run");
    }
    true
}

fn node(script: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("node").arg(web(script)).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// Loads under its policy without a word in the console, updates live, is accessible, and shows sixty
/// payloads as text. The screenshots stay in `target/look`.
#[test]
fn the_page_as_people_use_it() {
    if !have_web() {
        return;
    }
    let daemon = Daemon::start("");
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("look");
    std::fs::create_dir_all(&shots).unwrap();
    let url = format!("http://127.0.0.1:{}/", daemon.http);
    let (held, said) = node("page.mjs", &[&url, &daemon.hep.to_string(), shots.to_str().unwrap()]);
    println!("{said}");
    assert!(held, "{said}");
}

/// Ringfence ends and starts again: the page says so, comes back by itself, and hears of what is new.
#[test]
fn the_page_outlives_a_restart() {
    if !have_web() {
        return;
    }
    let mut daemon = Daemon::start("");
    let mut browser = Command::new("node")
        .arg(web("reconnect.mjs"))
        .args([format!("http://127.0.0.1:{}/", daemon.http), daemon.hep.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(browser.stdout.take().unwrap()).lines().map_while(Result::ok) {
        println!("{line}");
        if line == "open" {
            daemon.stop();
        } else if line == "lost" {
            daemon.again();
        }
        said.push(line);
    }
    assert!(browser.wait().unwrap().success(), "{said:#?}");
    assert!(said.iter().any(|line| line.starts_with("an incident after")), "{said:#?}");
}

#[test]
fn dashboards_hold_against_grafanas_types() {
    if !have_web() {
        return;
    }
    let files: Vec<String> = dashboards::files().iter().map(|f| f.display().to_string()).collect();
    let (held, said) = node("types.mjs", &files.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(held, "{said}");
}
