//! What saving costs the threads that are in a hurry: the judge's and the sensor's share of each save,
//! with the state of a big office.
//!
//! `cargo bench --bench saving`. Each is done once a minute, and a second after each alert at the soonest.
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

mod measure;

use std::hint::black_box;
use std::io;

use measure::{median, seconds};
use ringfence::capture::file::{self, Source};
use ringfence::drill::{self, Options};
use ringfence::fact::Fact;
use ringfence::judge::Output;
use ringfence::run::engine::{Engine, Settings, Sink};

const HANDSETS: u16 = 2_000;
const ROUNDS: usize = 9;
/// An ordinary day; one in which each handset is weak; attacks.
const DAYS: [(&str, u64); 4] = [("quiet_day", 1), ("weak_office", 2), ("distributed", 3), ("cheap_flood", 4)];

struct Nowhere;

impl Sink for Nowhere {
    fn fact(&mut self, _: &Fact) -> io::Result<()> {
        Ok(())
    }

    fn output(&mut self, _: &Output) -> io::Result<()> {
        Ok(())
    }
}

fn main() {
    let mut engine = Engine::new(Settings::default()).expect("the default settings hold");
    let folder = std::env::temp_dir().join(format!("ringfence-saving-{}", std::process::id()));
    for (scenario, seed) in DAYS {
        let options = Options { handsets: Some(HANDSETS), days: Some(1), ..Options::default() };
        let mut capture = io::BufWriter::new(std::fs::File::create(&folder).expect("a temporary file"));
        drill::generate_with(scenario, seed, options, &mut capture, &mut io::sink())
            .expect("it is generated");
        drop(capture);
        let mut capture = file::open(&Source::Path(folder.clone())).expect("the bench's own capture opens");
        while let Some(frame) = capture.next().expect("the bench's own capture is whole") {
            engine.frame(&frame, &mut Nowhere).expect("nowhere takes everything");
        }
    }
    // Whatever is left of it is in the way of nobody.
    let _ = std::fs::remove_file(&folder);
    let (sensor, judge) = (engine.sensor(), engine.judge());
    println!(
        "{} handsets, {} attempts, {} incidents open, {} devices",
        HANDSETS,
        sensor.totals().attempts,
        judge.open_alerts(engine.now().0).len(),
        judge.inventory().iter().count(),
    );
    let row = |what: &str, work: &dyn Fn() -> usize| {
        let mut bytes = 0;
        let times: Vec<f64> = (0..ROUNDS).map(|_| seconds(|| bytes = black_box(work()))).collect();
        let most = times.iter().copied().fold(0.0, f64::max);
        println!(
            "{what:<28} {:7.2} ms, at the most {:7.2} ms; {bytes} bytes",
            median(&times) * 1e3,
            most * 1e3
        );
    };
    let size = |data: Result<Vec<u8>, postcard::Error>| data.map_or(0, |data| data.len());
    row("the judge's snapshot", &|| {
        black_box(&judge.snapshot());
        0
    });
    row("  and written as bytes", &|| size(postcard::to_stdvec(&judge.snapshot())));
    row("the sensor's snapshot", &|| {
        black_box(&sensor.snapshot());
        0
    });
    row("  and written as bytes", &|| size(postcard::to_stdvec(&sensor.snapshot())));
    row("the judge's picture of alerts", &|| judge.open_alerts(engine.now().0).len());
}
