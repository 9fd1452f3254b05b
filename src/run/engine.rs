//! Both halves in one thread, on the trace's own time: the same frames give the same outputs.
//!
//! In: frames. Out: facts and outputs, in order.
//! Never: asks a clock.

use std::io;
use std::sync::Arc;

use crate::baseline::exposure::Prices;
use crate::dial::{self, Dial, DialError};
use crate::fact::Fact;
use crate::frame::Frame;
use crate::judge::{self, Judge, Output};
use crate::learn::PastCall;
use crate::ledger::{self, Ledger};
use crate::posture::password::Checker;
use crate::sensor::{self, Sensor};
use crate::time::Timestamp;

/// The settings of both halves.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Home country, outside line, extensions, tariff.
    pub dial: dial::Settings,
    /// The hot half.
    pub sensor: sensor::Settings,
    /// The shared counts.
    pub ledger: ledger::Settings,
    /// The cold half.
    pub judge: judge::Settings,
}

/// Who takes what the engine says.
pub trait Sink {
    /// A fact crossed the waist.
    ///
    /// # Errors
    /// Whatever the sink can't write.
    fn fact(&mut self, fact: &Fact) -> io::Result<()>;

    /// The judge said something.
    ///
    /// # Errors
    /// Whatever the sink can't write.
    fn output(&mut self, output: &Output) -> io::Result<()>;
}

/// Sensor and judge, run inline.
#[derive(Debug)]
pub struct Engine {
    sensor: Sensor,
    judge: Judge,
    passwords: Checker,
    ledger: Arc<Ledger>,
    first: Option<Timestamp>,
    now: Timestamp,
    /// Before this moment nothing is due.
    next: Timestamp,
}

impl Engine {
    /// An engine that has seen nothing.
    ///
    /// # Errors
    /// Settings that make no dial plan.
    pub fn new(settings: Settings) -> Result<Self, DialError> {
        let dial = Dial::new(&settings.dial)?;
        let ledger = Arc::new(Ledger::new(settings.ledger));
        let prices = Prices::new(dial.rates().to_vec(), dial.currency().to_owned(), dial.prices_basis());
        Ok(Self {
            sensor: Sensor::new(settings.sensor, dial, Arc::clone(&ledger)),
            passwords: Checker::new(settings.judge.posture.password.clone()),
            judge: Judge::new(settings.judge, Arc::clone(&ledger), prices),
            ledger,
            first: None,
            now: Timestamp(0),
            next: Timestamp(i64::MIN),
        })
    }

    /// Takes in a frame, after whatever was due before it.
    ///
    /// # Errors
    /// Whatever the sink can't write.
    pub fn frame(&mut self, frame: &Frame<'_>, sink: &mut dyn Sink) -> io::Result<()> {
        if self.first.is_none() {
            self.first = Some(frame.ts);
            self.now = frame.ts;
        }
        if frame.ts >= self.next {
            self.due(frame.ts, sink)?;
        }
        self.now = self.sensor.handle_frame(frame);
        if self.sensor.stirred() {
            self.drain(sink)?;
            self.next = self.deadline();
        }
        Ok(())
    }

    /// The trace is over.
    ///
    /// # Errors
    /// Whatever the sink can't write.
    pub fn finish(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        self.sensor.finish();
        self.drain(sink)?;
        while let Some(verdict) = self.passwords.finish() {
            self.judge.handle_verdict(&verdict, self.now);
        }
        self.judge.finish(self.now);
        self.drain(sink)
    }

    /// Learns from calls of the past, which are in time order; nothing is raised. Handsets that register
    /// later under the accounts named there are the ones that placed them.
    pub fn learn(&mut self, calls: &[PastCall]) {
        for call in calls {
            for step in super::lesson::told(&mut self.sensor, call).steps() {
                self.judge.learn(&Fact::Call(step));
            }
        }
        self.next = Timestamp(i64::MIN);
    }

    /// The hot half.
    pub const fn sensor(&self) -> &Sensor {
        &self.sensor
    }

    /// The cold half.
    pub const fn judge(&self) -> &Judge {
        &self.judge
    }

    /// The shared counts.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The time that holds now, and how long the trace has lasted.
    pub fn now(&self) -> (Timestamp, crate::time::Span) {
        (self.now, self.now.since(self.first.unwrap_or(self.now)))
    }

    /// What is due before `until`, each at its own time: a call that expires at noon is judged at
    /// noon, even if the next frame comes an hour later.
    fn due(&mut self, until: Timestamp, sink: &mut dyn Sink) -> io::Result<()> {
        loop {
            self.next = self.deadline();
            if self.next > until {
                return Ok(());
            }
            let at = self.next.max(self.now);
            self.now = at;
            self.sensor.handle_timeout(at);
            self.drain(sink)?;
            self.judge.handle_timeout(at);
            self.drain(sink)?;
        }
    }

    fn deadline(&self) -> Timestamp {
        let halves = Timestamp::earlier(self.sensor.poll_timeout(), self.judge.poll_timeout());
        Timestamp::earlier(halves, self.passwords.deadline()).unwrap_or(Timestamp(i64::MAX))
    }

    fn drain(&mut self, sink: &mut dyn Sink) -> io::Result<()> {
        while let Some(fact) = self.sensor.poll_fact() {
            sink.fact(fact)?;
            self.judge.handle_fact(fact, self.now);
        }
        while let Some(exercise) = self.sensor.poll_exercise() {
            self.passwords.submit(exercise);
        }
        while let Some(verdict) = self.passwords.poll(self.now) {
            self.judge.handle_verdict(&verdict, self.now);
        }
        for output in self.judge.outputs() {
            sink.output(output)?;
        }
        self.judge.said();
        Ok(())
    }
}
