//! Somebody who is told: a web server that keeps what it is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::net::Net;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) at: SystemTime,
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    status: AtomicU16,
    stop: AtomicBool,
}

pub(crate) struct Receiver {
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Receiver {
    /// Listens on 127.0.0.1 inside.
    pub(crate) fn start(net: &Net, port: u16) -> Self {
        let listener = net.inside(move || TcpListener::bind(("127.0.0.1", port)).unwrap());
        listener.set_nonblocking(true).unwrap();
        let shared = Arc::new(Shared { status: AtomicU16::new(200), ..Shared::default() });
        let own = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            while !own.stop.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let shared = Arc::clone(&own);
                        std::thread::spawn(move || serve(&stream, &shared));
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        Self { shared, thread: Some(thread) }
    }

    /// Answers with this from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.shared.status.store(status, Ordering::Relaxed);
    }

    /// Waits for a request.
    pub(crate) fn wait_for(&self, what: &str, is: impl Fn(&Received) -> bool) -> Received {
        for _ in 0..1_500 {
            if let Some(one) = self.taken().into_iter().find(|one| is(one)) {
                return one;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("never: {what}: {:?}", self.taken());
    }

    /// Waits until it is told nothing more. What Alertmanager tells while it is being stopped isn't in its
    /// own log: of an alert it would tell again, and of its end never.
    pub(crate) fn wait_for_silence(&self) {
        let mut told = 0;
        while std::mem::replace(&mut told, self.taken().len()) != told {
            std::thread::sleep(Duration::from_secs(2));
        }
    }

    /// What it was sent and took.
    pub(crate) fn taken(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

/// Requests of one connection, until it ends.
fn serve(stream: &TcpStream, shared: &Shared) -> Option<()> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).ok()?;
        let status = shared.status.load(Ordering::Relaxed);
        if status == 200 {
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let body = String::from_utf8_lossy(&body).into_owned();
            shared.received.lock().unwrap().push(Received { at: now(), path, head, body });
        }
        let mut writer = stream;
        write!(writer, "HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n").ok()?;
    }
}

pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}
