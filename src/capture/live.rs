//! Mirror ports: every interface in one loop that never blocks.
//!
//! In: `[capture]` interfaces, filter, buffer. Out: `Frame` after `Frame`, counts, what happened to
//! an interface. Never: sends, waits longer than it's told, gives an interface up.
//!
//! libpcap's own timeout doesn't return on a quiet link, so every handle is non-blocking and `poll`
//! does the waiting. Handles use the kernel's ring in blocks (TPACKET_V3): immediate mode stays off,
//! it costs several times the work and loses packets at rates that are no trouble otherwise.

mod filter;
mod opener;
mod port;

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::net::if_::{InterfaceFlags, if_nametoindex};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pcap::{Active, Capture};

pub use opener::Opener;
pub use port::{Happened, PortCounts};

use crate::frame::{Frame, Link};
use port::Port;

/// What to capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Names of interfaces.
    pub interfaces: Vec<String>,
    /// The operator's BPF; empty = everything.
    pub filter: String,
    /// The kernel's ring for each interface, in MiB; 1..=2,047.
    pub buffer_mib: u32,
}

/// Why an interface can't be captured from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// No interface of that name.
    #[error("{interface}: no such interface; there are {known}")]
    Unknown {
        /// The name.
        interface: String,
        /// Those that there are.
        known: String,
    },
    /// Not allowed.
    #[error(
        "{interface}: capturing isn't permitted: start as root (it drops to another user), or grant \
         CAP_NET_RAW, as in systemd's AmbientCapabilities="
    )]
    Forbidden {
        /// The interface.
        interface: String,
    },
    /// The link is of a kind that can't be read.
    #[error("{interface}: link type {number} can't be read")]
    Link {
        /// The interface.
        interface: String,
        /// The number in the tcpdump.org registry.
        number: i32,
    },
    /// The operator's filter is wrong.
    #[error("{interface}: the filter can't be used: {what}")]
    Filter {
        /// The interface.
        interface: String,
        /// libpcap's reason.
        what: String,
    },
    /// Anything else.
    #[error("{interface}: {what}")]
    Other {
        /// The interface.
        interface: String,
        /// libpcap's reason.
        what: String,
    },
}

/// More than a Jumbo frame, and what receive offload may have joined.
const SNAPLEN: i32 = 65_535;
/// After how long the kernel hands over a block that isn't full, in milliseconds: the most that an
/// alert waits for on a quiet link.
const BLOCK_MS: i32 = 20;
/// Frames of one interface before the next has its turn.
const BURST: usize = 512;
/// How often an interface's state is looked at, and a lost one tried again.
const LOOK: Duration = Duration::from_secs(1);
/// Errors of a socket in a row, without a frame, after which it's opened anew.
const ERRORS: u8 = 8;

/// An interface that is open.
pub struct Opened {
    capture: Capture<Active>,
    link: Link,
    index: u32,
}

/// Opens an interface: promiscuous, not blocking, with the operator's filter widened.
///
/// # Errors
/// What is wrong, and what to do.
pub fn open(settings: &Settings, interface: &str) -> Result<Opened, LiveError> {
    let index = if_nametoindex(interface).map_err(|_| unknown(interface))?;
    let mib = i32::try_from(settings.buffer_mib.clamp(1, 2_047)).unwrap_or(64);
    let mut capture = Capture::from_device(interface)
        .map_err(|e| failure(interface, &e))?
        .promisc(true)
        .immediate_mode(false)
        .snaplen(SNAPLEN)
        .buffer_size(mib.saturating_mul(1_024 * 1_024))
        .timeout(BLOCK_MS)
        .open()
        .and_then(Capture::setnonblock)
        .map_err(|e| failure(interface, &e))?;
    let number = capture.get_datalink().0;
    let link =
        Link::from_number(number).ok_or_else(|| LiveError::Link { interface: interface.into(), number })?;
    apply(&mut capture, &settings.filter)
        .map_err(|what| LiveError::Filter { interface: interface.into(), what })?;
    Ok(Opened { capture, link, index })
}

fn apply(capture: &mut Capture<Active>, operators: &str) -> Result<(), String> {
    filter::check(operators)?;
    capture.filter(&filter::widened(operators), true).map_err(|e| e.to_string())
}

/// Whether libpcap understands a filter.
///
/// # Errors
/// libpcap's reason.
pub fn check_filter(operators: &str) -> Result<(), String> {
    filter::check(operators)
}

/// Names of the interfaces that can be captured from, those that are up first.
pub fn interfaces() -> Vec<String> {
    let mut devices = pcap::Device::list().unwrap_or_default();
    devices.retain(|device| if_nametoindex(device.name.as_str()).is_ok());
    devices.sort_by_key(|device| (!device.flags.is_up(), device.flags.is_loopback()));
    devices.into_iter().map(|device| device.name).collect()
}

fn unknown(interface: &str) -> LiveError {
    let known = interfaces().join(", ");
    LiveError::Unknown { interface: interface.into(), known }
}

/// libpcap tells its failures apart only by their text.
fn failure(interface: &str, error: &pcap::Error) -> LiveError {
    let what = error.to_string();
    let lower = what.to_lowercase();
    if lower.contains("permi") || lower.contains("not permitted") {
        LiveError::Forbidden { interface: interface.into() }
    } else if lower.contains("no such device") {
        unknown(interface)
    } else {
        LiveError::Other { interface: interface.into(), what: what.replace("libpcap error: ", "") }
    }
}

/// Every interface of the configuration, open or to be opened again.
pub struct Live {
    settings: Arc<Settings>,
    ports: Vec<Port>,
    opener: Option<Opener>,
    looked: Instant,
    happened: Vec<(String, Happened)>,
}

impl Live {
    /// Opens every interface. One that isn't there is an error now, and waited for later.
    ///
    /// # Errors
    /// The first interface that can't be opened.
    pub fn open(settings: Settings) -> Result<Self, LiveError> {
        let settings = Arc::new(settings);
        let mut ports = Vec::new();
        for name in &settings.interfaces {
            ports.push(Port::new(name, Some(open(&settings, name)?)));
        }
        Ok(Self { settings, ports, opener: None, looked: now(), happened: Vec::new() })
    }

    /// Who opens interfaces again once this thread may not. Without one it tries itself.
    pub fn set_opener(&mut self, opener: Opener) {
        self.opener = Some(opener);
    }

    /// Takes other interfaces and another filter; handles that stay lose no frame. The buffer's size
    /// holds for interfaces opened from now on.
    ///
    /// # Errors
    /// A filter that libpcap doesn't understand: nothing changes then.
    pub fn reload(&mut self, settings: Settings) -> Result<(), String> {
        filter::check(&settings.filter)?;
        let refilter = settings.filter != self.settings.filter;
        self.settings = Arc::new(settings);
        self.ports.retain(|port| self.settings.interfaces.contains(&port.name));
        for name in &self.settings.interfaces {
            if !self.ports.iter().any(|port| port.name == *name) {
                self.ports.push(Port::new(name, None));
            }
        }
        if refilter {
            for port in &mut self.ports {
                if let Some(opened) = &mut port.opened {
                    apply(&mut opened.capture, &self.settings.filter)?;
                }
            }
        }
        Ok(())
    }

    /// Hands over the frames that are there; waits for the first at most `wait`. Gives how many.
    ///
    /// # Errors
    /// If the system can't poll at all.
    pub fn poll(&mut self, wait: Duration, take: &mut dyn FnMut(&Frame<'_>)) -> io::Result<usize> {
        self.look();
        let wait = if self.ports.iter().any(|port| port.more) { Duration::ZERO } else { wait };
        let ready = self.wait(wait)?;
        let mut frames = 0_usize;
        let mut number = 0_u16;
        for (port, ready) in self.ports.iter_mut().zip(ready) {
            frames = frames.saturating_add(port.burst(ready, number, take, &mut self.happened));
            number = number.saturating_add(1);
        }
        Ok(frames)
    }

    /// What the sockets of the ports have to say.
    fn wait(&self, wait: Duration) -> io::Result<Vec<PollFlags>> {
        let open = |port: &Port| port.opened.is_some();
        let mut fds: Vec<PollFd<'_>> = self
            .ports
            .iter()
            .filter_map(|port| port.opened.as_ref())
            .map(|opened| PollFd::new(opened.capture.as_fd(), PollFlags::POLLIN))
            .collect();
        let wait = PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO);
        match poll(&mut fds, wait) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut said = fds.iter().map(|fd| fd.revents().unwrap_or(PollFlags::empty()));
        let of = |port| if open(port) { said.next() } else { None };
        Ok(self.ports.iter().map(of).map(|said| said.unwrap_or(PollFlags::empty())).collect())
    }

    /// Once a second: are the interfaces still those that were opened, are their links up, what did
    /// the kernel drop? Lost ones are opened again.
    fn look(&mut self) {
        self.adopt();
        let now = now();
        if now.duration_since(self.looked) < LOOK {
            return;
        }
        self.looked = now;
        let flags = flags();
        for (number, port) in self.ports.iter_mut().enumerate() {
            let running = |(name, flags): &(String, InterfaceFlags)| {
                *name == port.name && flags.contains(InterfaceFlags::IFF_UP | InterfaceFlags::IFF_RUNNING)
            };
            port.look(flags.iter().any(running), &mut self.happened);
            if port.opened.is_some() || port.asked {
                continue;
            }
            match &self.opener {
                Some(opener) => port.asked = opener.ask(number, &port.name, &self.settings),
                None => port.adopt(open(&self.settings, &port.name), &mut self.happened),
            }
        }
    }

    /// Takes in what the opener opened.
    fn adopt(&mut self) {
        let Some(opener) = &self.opener else { return };
        while let Some((number, name, opened)) = opener.opened() {
            // A reload may have moved or removed it since.
            if let Some(port) = self.ports.get_mut(number).filter(|port| port.name == name) {
                port.asked = false;
                port.adopt(opened, &mut self.happened);
            }
        }
        if !self.ports.iter().any(|port| port.asked) {
            return;
        }
        for port in &mut self.ports {
            // The answer for a port that a reload moved went elsewhere.
            port.asked &= opener.is_busy();
        }
    }

    /// What happened to interfaces since the last call.
    pub fn happened(&mut self) -> Vec<(String, Happened)> {
        std::mem::take(&mut self.happened)
    }

    /// Names and counts of the interfaces.
    pub fn counts(&self) -> impl Iterator<Item = (&str, PortCounts)> {
        self.ports.iter().map(|port| (port.name.as_str(), port.counts()))
    }
}

/// Every interface's flags; empty if the system doesn't say.
fn flags() -> Vec<(String, InterfaceFlags)> {
    nix::ifaddrs::getifaddrs()
        .map(|list| list.map(|address| (address.interface_name, address.flags)).collect())
        .unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "an interface comes and goes by the machine's time")]
fn now() -> Instant {
    Instant::now()
}
