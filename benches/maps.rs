//! The ledger's map beside a map that one thread owns: the same rows, the same updates.
//!
//! `cargo bench --bench maps`. Nanoseconds of CPU an update; a row is one cache line of counters.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

mod measure;

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use dashmap::DashMap;
use measure::{median, seconds};
use ringfence::bounded::{KeyedHash, Table};
use ringfence::dial::Group;
use ringfence::handsets::HandsetId;
use ringfence::ledger::{Account, Key, Ledger, Settings};
use ringfence::tally::Label;
use ringfence::time::Timestamp;

const UPDATES: usize = 4_000_000;
const ROUNDS: usize = 5;

/// Eight counters: 64 bytes, as in the measurements that chose the map.
#[derive(Default)]
struct Row([AtomicU64; 8]);

impl Row {
    /// What an attempt does: some counters rise. One writer, so a load and a store are enough.
    fn bump(&self) {
        for count in &self.0[..6] {
            count.store(count.load(Relaxed).wrapping_add(1), Relaxed);
        }
    }
}

/// So many handsets' rows, each of one group, in an order that no prefetcher guesses.
fn keys(rows: usize) -> (Vec<Key>, Vec<u32>) {
    let mut table = Table::new(rows, 0);
    let key = |n: usize| {
        let slot = table.find_or_insert(&n, Timestamp(0), || ()).slot;
        Key { account: Account::Handset(HandsetId(slot)), group: Group::ALL[n % Group::ALL.len()] }
    };
    let keys = (0..rows).map(key).collect();
    let hash = KeyedHash::default();
    let order = (0..UPDATES).map(|n| (hash.hash_one(n) % rows as u64) as u32).collect();
    (keys, order)
}

fn timed(mut one: impl FnMut(usize)) -> f64 {
    let runs: Vec<f64> = (0..ROUNDS).map(|_| seconds(|| (0..UPDATES).for_each(&mut one))).collect();
    median(&runs) / UPDATES as f64 * 1e9
}

fn row(name: &str, ns: f64, owned: f64) {
    println!("  {name:<44} {ns:>6.1} ns  {:>5.2} x the owned map", ns / owned);
}

fn compare(rows: usize) {
    let (keys, order) = keys(rows);
    let key = |n: usize| keys[order[n] as usize];
    let owned: HashMap<Key, Row, KeyedHash> = keys.iter().map(|key| (*key, Row::default())).collect();
    let shared: DashMap<Key, Row, KeyedHash> = keys.iter().map(|key| (*key, Row::default())).collect();
    let ledger = Ledger::new(Settings { rows });
    println!("{rows} rows, 1 thread");
    let alone = timed(|n| owned.get(&key(n)).expect("it was put there").bump());
    row("HashMap, owned", alone, alone);
    row("DashMap, get and atomics", timed(|n| shared.get(&key(n)).expect("it was put there").bump()), alone);
    row("DashMap, entry", timed(|n| shared.entry(key(n)).or_default().bump()), alone);
    let now = Timestamp::from_parts(1_800_000_000, 0);
    let counted = timed(|n| {
        ledger.attempt(key(n), now);
        ledger.closed(key(n));
    });
    row("the ledger: an attempt and its end, half of it", counted / 2.0, alone);
}

fn main() {
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    for rows in [2_000, 100_000] {
        compare(rows);
    }
}
