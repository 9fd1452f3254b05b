//! The store against what happens to real machines: killed at any moment, a disk that is full.
#![cfg(feature = "daemon")]
#![expect(clippy::disallowed_methods, reason = "how long things take is what is looked at")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ringfence::store::{AlertRow, Blob, Durability, Letter, Loss, Opened, Settings, Store};
use ringfence::time::Timestamp;

const SOON: Duration = Duration::from_secs(10);
const FOLDER: &str = "RINGFENCE_TEST_STORE";
const KILLS: u32 = 200;

fn settings(folder: &Path) -> Settings {
    Settings { path: folder.join("ringfence.db"), ..Settings::default() }
}

fn open(folder: &Path) -> Opened {
    Store::open(settings(folder), Timestamp(1)).unwrap()
}

fn alert(id: u64) -> AlertRow {
    AlertRow {
        raised: Timestamp(1_000),
        id,
        state: "raised".to_owned(),
        rule: "spend".to_owned(),
        severity: "critical".to_owned(),
        handset: "214".to_owned(),
        label: "214".to_owned(),
        updated: Timestamp(1_000),
        calls: 1,
        amount: 0,
        currency: "GBP".to_owned(),
        record: format!("{{\"id\":{id}}}"),
    }
}

fn letter(seq: u64) -> Letter {
    Letter { sink: "webhook", seq, made: Timestamp(0), urgency: 2, body: vec![b'x'; 200] }
}

/// One generation of state: the same number in both blobs, many times over.
fn blobs(generation: u64) -> Vec<Blob> {
    let encode = |name, count| Blob::encode(name, 1, &vec![generation; count]).unwrap();
    vec![encode("sensor", 20_000), encode("judge", 5_000)]
}

fn generation(store: &Store, name: &str) -> u64 {
    let all = store.load::<Vec<u64>>(name, 1).unwrap().unwrap_or_default();
    let first = all.first().copied().unwrap_or(0);
    assert!(all.iter().all(|n| *n == first), "{name}: torn");
    first
}

/// Not a test: what the next one runs in a process of its own, and kills.
#[test]
fn child_that_saves_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = open(Path::new(&folder)).store;
    let mut next = generation(&store, "judge");
    loop {
        next += 1;
        store.save(blobs(next));
        let receipt = store.alert(alert(next), vec![letter(next)]);
        assert_eq!((receipt.wait(SOON), store.flush(SOON)), (Durability::Durable, Durability::Durable));
        println!("\nsaved {next}");
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn killed_at_any_moment_of_saving_it_starts_with_the_old_or_the_new_state() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let mut chance: u64 = 42;
    let (mut reported, mut lost_nothing) = (0, 0);
    for kill in 0..KILLS {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_saves_until_it_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut child = Killed(child);
        let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
        let saved = |line: &str| line.strip_prefix("saved ").and_then(|n| n.parse::<u64>().ok());
        let first = lines.by_ref().map_while(Result::ok).find_map(|line| saved(&line));
        reported = first.expect("the child saves");
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros(chance >> 33 & 0x3fff));
        child.0.kill().unwrap();
        child.0.wait().unwrap();
        reported = lines.map_while(Result::ok).filter_map(|line| saved(&line)).last().unwrap_or(reported);

        let opened = open(folder.path());
        assert!(opened.notes.is_empty(), "kill {kill}: {:?}", opened.notes);
        let (sensor, judge) = (generation(&opened.store, "sensor"), generation(&opened.store, "judge"));
        assert_eq!(sensor, judge, "kill {kill}: both halves are of one moment");
        assert!(judge == reported || judge == reported + 1, "kill {kill}: {judge} after {reported}");
        let reader = opened.store.reader().unwrap();
        let (alerts, letters) = (reader.open_alerts().unwrap(), reader.letters("webhook").unwrap());
        let newest = alerts.iter().map(|alert| alert.id).max().unwrap();
        assert!(newest >= reported && newest <= judge.max(reported + 1), "kill {kill}: alert {newest}");
        assert_eq!(letters.last().unwrap().seq, newest, "kill {kill}: an alert and its letter, or neither");
        lost_nothing += u64::from(judge == reported);
        opened.store.close();
        opened.thread.join().unwrap();
    }
    println!(
        "{KILLS} kills in {:.1} s, {reported} states saved; {lost_nothing} times the last one reported was the last one kept",
        begun.elapsed().as_secs_f64()
    );
}

struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

/// A small disk; `None` if this user may not mount one.
fn small_disk(at: &Path) -> Option<Mounted<'_>> {
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(at).output();
    mount.is_ok_and(|output| output.status.success()).then_some(Mounted(at))
}

#[test]
fn a_full_disk_costs_history_and_never_detection() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = small_disk(folder.path()) else {
        println!("skipped: mounting a small disk needs root");
        assert!(std::env::var_os("CI").is_none(), "must not be skipped in CI");
        return;
    };
    let opened = open(folder.path());
    let store = &opened.store;
    store.save(blobs(1));
    assert_eq!(store.alert(alert(1), Vec::new()).wait(SOON), Durability::Durable);
    let before = generation(store, "judge");
    std::fs::write(folder.path().join("filler"), vec![0; 1 << 20]).unwrap_err();

    let begun = Instant::now();
    let mut id = 1;
    while store.health().losses.get(Loss::Full) == 0 {
        id += 1;
        store.save(blobs(id));
        let told = store.alert(alert(id), vec![letter(id)]).wait(SOON);
        assert_ne!(told, Durability::Late, "nobody waits for a full disk");
        assert!(begun.elapsed() < SOON, "the disk doesn't fill");
    }
    assert!(generation(store, "judge") >= before, "what was kept stays readable");
    let lost = id;
    // While it is full, more happens; the urgent part of it waits.
    for id in lost + 1..lost + 20 {
        store.alert(alert(id), vec![letter(id)]);
    }
    std::fs::remove_file(folder.path().join("filler")).unwrap();
    let freed = Instant::now();
    while store.flush(Duration::from_secs(1)) != Durability::Durable {
        std::thread::sleep(Duration::from_millis(50));
        assert!(freed.elapsed() < SOON, "doesn't recover");
    }
    println!("kept again {:.1} s after there was room", freed.elapsed().as_secs_f64());
    let reader = store.reader().unwrap();
    assert_eq!(reader.open_alerts().unwrap().len() as u64, lost + 19, "every alert");
    assert_eq!(reader.letters("webhook").unwrap().len() as u64, lost + 18, "and every letter");
    assert_eq!(generation(store, "judge"), lost, "and the newest state");
    opened.store.close();
    opened.thread.join().unwrap();
}
