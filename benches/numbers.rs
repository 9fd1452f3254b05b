//! What a dialled string costs: `cargo bench --bench numbers`.
//!
//! World numbers, shuffled (repeated inputs would hide the tables' cache misses), dialled as an office in
//! GB behind an outside line 9 does, with a tariff of 20,000 prefixes; start-up time and table sizes.
//!
//! The strings lie one after another in memory, in the order in which they are dialled: the engine has
//! just read a string when it asks where it goes, so a miss for the string itself is no part of the
//! answer's cost. A heap `String` each would be such a miss.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a bench reads the clock and prints")]

use std::hint::black_box;
use std::io::Read as _;
use std::time::Instant;

use ringfence::dial::{Dial, Leg, Region, Settings};

const PREFIXES: usize = 20_000;
const ROUNDS: usize = 9;
const BATCH: usize = 500;

/// A generator of its own, so that every run dials the same: `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ z >> 31) % n as u64).unwrap_or(0)
    }
}

/// Examples of every type and region, in E.164 form, with one digit changed at a time.
fn world_numbers() -> Vec<String> {
    let packed: &[u8] = include_bytes!("../src/dial/data/numbering.tsv.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let mut code = "";
    let mut all = Vec::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        match cells[0] {
            "R" => code = cells[2],
            "X" => {
                for at in 0..cells[2].len() {
                    for digit in '0'..='9' {
                        all.push(format!("{code}{}{digit}{}", &cells[2][..at], &cells[2][at + 1..]));
                    }
                }
            }
            _ => {}
        }
    }
    let mut random = Random(1);
    for at in (1..all.len()).rev() {
        all.swap(at, random.below(at + 1));
    }
    all
}

/// A deck with prefixes of 3 to 8 digits of numbers that exist.
fn deck(numbers: &[String]) -> Vec<u8> {
    let mut random = Random(2);
    let mut prefixes = std::collections::BTreeSet::new();
    while prefixes.len() < PREFIXES {
        let number = &numbers[random.below(numbers.len())];
        prefixes.insert(&number[..(3 + random.below(6)).min(number.len())]);
    }
    let rows: Vec<String> =
        prefixes.iter().map(|p| format!("{p},name,0.{:02},0,60,60\n", p.len() * 7)).collect();
    format!("prefix,name,rate_per_min,connect_fee,initial_s,increment_s\n{}", rows.concat()).into_bytes()
}

/// Strings end to end, with where each ends.
struct Strings {
    text: Vec<u8>,
    ends: Vec<u32>,
}

impl FromIterator<String> for Strings {
    fn from_iter<I: IntoIterator<Item = String>>(all: I) -> Self {
        let mut strings = Self { text: Vec::new(), ends: Vec::new() };
        for one in all {
            strings.text.extend_from_slice(one.as_bytes());
            strings.ends.push(u32::try_from(strings.text.len()).unwrap());
        }
        strings
    }
}

/// Nanoseconds a string: each batch of 500 takes its least and its middle time of several rounds, so that
/// other programs on the machine disturb few of them; all numbers lie between two rounds of a batch.
fn measure(dial: &Dial, leg: Leg, inputs: &Strings) -> (f64, f64) {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); inputs.ends.chunks(BATCH).len()];
    for _ in 0..ROUNDS {
        let mut from = 0;
        for (batch, times) in inputs.ends.chunks(BATCH).zip(&mut times) {
            let start = Instant::now();
            for end in batch {
                let end = *end as usize;
                let target = dial.classify(leg, black_box(&inputs.text[from..end]));
                black_box(dial.rate(target.rate).per_minute);
                from = end;
            }
            times.push(start.elapsed().as_secs_f64() * 1e9);
        }
    }
    times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    let sum = |at: usize| times.iter().map(|times| times[at]).sum::<f64>() / inputs.ends.len() as f64;
    (sum(0), sum(ROUNDS / 2))
}

fn main() {
    // Words that a measurement's name must contain: `cargo bench --bench numbers -- again`.
    let filter: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let start = Instant::now();
    Dial::new(&Settings::default()).unwrap();
    println!("start-up: {:.0} ms (plans of the world and home GB)", start.elapsed().as_secs_f64() * 1e3);
    let numbers = world_numbers();
    let settings = Settings {
        outside_line: vec!["9".to_owned()],
        tariff: Some(("bench".to_owned(), deck(&numbers))),
        ..Settings::for_home(Region::new("GB").unwrap())
    };
    let start = Instant::now();
    let dial = Dial::new(&settings).unwrap();
    println!(
        "another home with a deck of {PREFIXES} prefixes: {:.0} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    let size = dial.table_size();
    println!(
        "numbering: {} nodes, {} labels, {} KiB; tariff: {} KiB; libphonenumber {}",
        size.nodes,
        size.labels,
        size.numbering_bytes / 1024,
        size.tariff_bytes / 1024,
        dial.metadata_version()
    );
    let exact: Vec<&String> =
        numbers.iter().filter(|n| dial.classify(Leg::Trunk, format!("+{n}").as_bytes()).exact).collect();
    println!(
        "{} world numbers, {} of them exist; least and middle of {ROUNDS} rounds",
        numbers.len(),
        exact.len()
    );
    let wrap = |before: &str| exact.iter().map(|n| format!("{before}{n}")).collect::<Strings>();
    let uri: Strings = exact.iter().map(|n| format!("sip:%2B{n}@pbx.example.com;user=phone")).collect();
    let every = |before: &str| numbers.iter().map(|n| format!("{before}{n}")).collect::<Strings>();
    let twenty: Strings = (0..1_000_000).map(|at| format!("900{}", exact[at % 20])).collect();
    for (what, leg, inputs) in [
        ("900<number>, handset leg, existing", Leg::Handset, wrap("900")),
        ("00<number>, trunk leg, existing", Leg::Trunk, wrap("00")),
        ("+<number>, existing", Leg::Trunk, wrap("+")),
        ("sip:%2B<number>@host, existing", Leg::Trunk, uri),
        ("+<number>, with those that don't exist", Leg::Trunk, every("+")),
        ("900<number>, with those that don't exist", Leg::Handset, every("900")),
        ("20 strings again and again", Leg::Handset, twenty),
    ] {
        if !filter.is_empty() && !filter.iter().any(|word| what.contains(word.as_str())) {
            continue;
        }
        let (least, middle) = measure(&dial, leg, &inputs);
        println!("{least:6.1} {middle:6.1} ns  {what}");
    }
}
