//! HEPv3 from a PBX or proxy, over UDP and TCP: copies of its messages, also of those under TLS.
//!
//! In: `[capture.hep] listen`. Out: `Frame` after `Frame` with `Link::Hep`, in order of arrival.
//! Never: waits for a sender, holds more than its queue, believes a sender's clock.
//!
//! `Listener::bind` opens the sockets (before privileges are dropped); `Listener::start` gives a
//! [`Feed`], whose own thread reads them and fills a bounded queue. The capturing loop asks
//! [`Feed::next`] between two polls of its interfaces; it never blocks. The thread ends with the
//! `Feed`. It needs `poll`, `recvfrom`, `accept4`, `read` and `close`, and nothing of the file system.

mod client;
mod queue;

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{setsockopt, sockopt::RcvBuf};

use crate::decode::hep::{self, Hep};
use crate::frame::{Frame, Link};
use crate::labels;
use crate::tally::Tally;
use crate::time::{Span, Timestamp};
use client::{Client, Ended};
use queue::{Filled, Taken};

/// Where to listen, and the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where to listen, over UDP and TCP. HEP has no authentication to speak of: a loopback address
    /// or one that only the PBX can reach.
    pub listen: SocketAddr,
    /// Packets that may wait for the sensor.
    pub packets: usize,
    /// Bytes that may wait for the sensor.
    pub bytes: usize,
    /// TCP connections at a time. The length field bounds what each may hold to 64 KiB.
    pub clients: usize,
    /// How long a TCP connection may take over its first packet, or over the rest of one it began.
    pub stall: Span,
    /// How far a sender's timestamp may be off its arrival.
    pub skew: Span,
}

impl Settings {
    /// The usual bounds.
    pub const fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            packets: 8_192,
            bytes: 16 * 1024 * 1024,
            clients: 64,
            stall: Span::seconds(10),
            skew: Span::seconds(5),
        }
    }
}

labels! {
    /// What happened at the HEP sockets.
    pub enum Event {
        Udp = "udp", "HEP packets that came over UDP.";
        Tcp = "tcp", "HEP packets that came over TCP.";
        Malformed = "malformed", "Datagrams and connections that hold no HEPv3.";
        TimeReplaced = "time_replaced", "Packets whose sender's clock is more than 5 s off; their arrival counts.";
        Dropped = "dropped", "Packets that found the queue full.";
        Connected = "connected", "TCP connections accepted.";
        Refused = "refused", "TCP connections closed at once: there were too many.";
        Stalled = "stalled", "TCP connections closed because their packet never came.";
    }
}

/// Datagrams read, or bytes of one connection, before the next socket has its turn.
const BURST: usize = 64;
/// How often the thread looks whether it should end, in milliseconds.
const TICK_MS: u8 = 200;
/// What the kernel is asked to hold for us, in bytes.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;

/// The open sockets.
#[derive(Debug)]
pub struct Listener {
    settings: Settings,
    udp: UdpSocket,
    tcp: TcpListener,
}

impl Listener {
    /// Opens both sockets. With port 0 both get the same free port.
    ///
    /// # Errors
    /// If the address is not this machine's, or taken.
    pub fn bind(settings: Settings) -> io::Result<Self> {
        let tcp = TcpListener::bind(settings.listen)?;
        let udp = UdpSocket::bind(tcp.local_addr()?)?;
        udp.set_nonblocking(true)?;
        tcp.set_nonblocking(true)?;
        // As much as the system allows is fine.
        let _ = setsockopt(&udp, RcvBuf, &SOCKET_BUFFER);
        Ok(Self { settings, udp, tcp })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start(self) -> io::Result<Feed> {
        let (filled, taken) = queue::queue(self.settings.packets, self.settings.bytes);
        let stop = Arc::new(AtomicBool::new(false));
        let stats = Arc::<Tally<Event>>::default();
        let mut worker = Worker {
            settings: self.settings,
            udp: self.udp,
            tcp: self.tcp,
            clients: Vec::new(),
            buffer: vec![0; 65_536],
            queue: filled,
            stats: Arc::clone(&stats),
        };
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("hep".into()).spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                worker.turn();
            }
        })?;
        Ok(Feed { queue: taken, current: None, stats, stop, thread: Some(thread) })
    }
}

/// HEP packets as frames.
#[derive(Debug)]
pub struct Feed {
    queue: Taken,
    current: Option<queue::Packet>,
    stats: Arc<Tally<Event>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Feed {
    /// The next frame, if one has arrived. Never waits.
    #[expect(clippy::should_implement_trait, reason = "it lends its frames, which Iterator can't")]
    pub fn next(&mut self) -> Option<Frame<'_>> {
        if let Some(done) = self.current.take() {
            self.queue.give_back(done);
        }
        let packet = self.current.insert(self.queue.take()?);
        Some(Frame {
            ts: packet.ts,
            link: Link::Hep,
            interface: 0,
            wire_len: u32::try_from(packet.data.len()).unwrap_or(u32::MAX),
            data: &packet.data,
        })
    }

    /// What is counted. Any thread may read it.
    pub const fn stats(&self) -> &Arc<Tally<Event>> {
        &self.stats
    }

    /// Whether the thread still runs; it only ends if it panicked.
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic in it was said already.
            let _ = thread.join();
        }
    }
}

/// What the thread owns.
#[derive(Debug)]
struct Worker {
    settings: Settings,
    udp: UdpSocket,
    tcp: TcpListener,
    clients: Vec<Client>,
    buffer: Vec<u8>,
    queue: Filled,
    stats: Arc<Tally<Event>>,
}

impl Worker {
    /// Waits for whatever comes first, for a moment at most, and reads what there is.
    fn turn(&mut self) {
        let ready = self.wait();
        let now = arrival();
        if ready.first() == Some(&true) {
            self.datagrams(now);
        }
        let mut turns = ready.into_iter().skip(2);
        let mut clients = std::mem::take(&mut self.clients);
        clients.retain_mut(|client| {
            let readable = turns.next().unwrap_or(false);
            self.serve(client, readable, now)
        });
        self.clients = clients;
        self.accept(now);
    }

    /// Which of the datagram socket, the listening socket and the clients have something.
    fn wait(&self) -> Vec<bool> {
        let sockets = [self.udp.as_fd(), self.tcp.as_fd()].into_iter();
        let mut fds: Vec<PollFd<'_>> = sockets
            .chain(self.clients.iter().map(|client| client.stream.as_fd()))
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect();
        // Interrupted or not: nothing is ready then.
        let _ = poll(&mut fds, PollTimeout::from(TICK_MS));
        fds.iter().map(|fd| fd.any().unwrap_or(false)).collect()
    }

    fn datagrams(&mut self, now: Timestamp) {
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..BURST {
            match self.udp.recv_from(&mut buffer) {
                Ok((length, _)) => {
                    self.stats.bump(Event::Udp);
                    self.take(buffer.get(..length).unwrap_or_default(), now);
                }
                Err(_) => break,
            }
        }
        self.buffer = buffer;
    }

    /// Takes one packet into the queue.
    fn take(&mut self, data: &[u8], now: Timestamp) {
        let Ok(packet) = Hep::parse(data) else { return self.stats.bump(Event::Malformed) };
        let ts = match packet.timestamp() {
            Some(sent) if now.0.abs_diff(sent.0) > self.settings.skew.0.unsigned_abs() => {
                self.stats.bump(Event::TimeReplaced);
                now
            }
            // Nothing arrives before it was sent: what is a little ahead would push the sensor's
            // time ahead of the mirror's.
            Some(sent) => sent.min(now),
            None => now,
        };
        if !self.queue.put(ts, data) {
            self.stats.bump(Event::Dropped);
        }
    }

    /// Reads a client; answers whether to keep it.
    fn serve(&mut self, client: &mut Client, readable: bool, now: Timestamp) -> bool {
        let ended = if readable { client.read(&mut self.buffer, now) } else { None };
        while let Some(packet) = client.packet() {
            self.stats.bump(Event::Tcp);
            self.take(packet, now);
            client.done(now);
        }
        match ended.or_else(|| client.fault(now, self.settings.stall)) {
            None => true,
            Some(Ended::Closed) => false,
            Some(Ended::Broken) => {
                self.stats.bump(Event::Malformed);
                false
            }
            Some(Ended::Stalled) => {
                self.stats.bump(Event::Stalled);
                false
            }
        }
    }

    fn accept(&mut self, now: Timestamp) {
        for _ in 0..BURST {
            let stream = match self.tcp.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(_) => return,
            };
            if self.clients.len() >= self.settings.clients && !self.make_room() {
                self.stats.bump(Event::Refused);
                continue;
            }
            if stream.set_nonblocking(true).is_ok() {
                self.stats.bump(Event::Connected);
                self.clients.push(Client::new(stream, now));
            }
        }
    }

    /// A connection that never sent a packet gives way to a new one.
    fn make_room(&mut self) -> bool {
        let idle = self.clients.iter().position(|client| !client.has_delivered());
        if let Some(idle) = idle {
            self.clients.remove(idle);
            self.stats.bump(Event::Stalled);
        }
        idle.is_some()
    }
}

/// The wall clock: that of the mirror's own timestamps.
#[expect(clippy::disallowed_methods, reason = "a packet from a socket has no other time of arrival")]
fn arrival() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Whether a whole packet stands at the front of a stream: its length, or why there will be none.
fn framed(bytes: &[u8]) -> Result<Option<usize>, Ended> {
    match hep::length(bytes) {
        Ok(Some(length)) if length <= bytes.len() => Ok(Some(length)),
        Ok(_) => Ok(None),
        Err(_) => Err(Ended::Broken),
    }
}

#[cfg(test)]
mod tests;
