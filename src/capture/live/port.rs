//! One interface: open, lost, opened again.
//!
//! In: a handle, its frames, the interface's state. Out: `Frame`, counts, what happened.
//! Never: forgets what was counted before it was lost.

use nix::net::if_::if_nametoindex;
use nix::poll::PollFlags;

use super::{BURST, ERRORS, LiveError, Opened};
use crate::capture::classic::timestamp;
use crate::frame::Frame;
use crate::time::Timestamp;

/// What happened to an interface, to be said in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It can't be read any more.
    Lost(String),
    /// It is read again.
    Back,
    /// Nothing can come: the cable is out, or it was switched off.
    LinkDown,
    /// The link is there again.
    LinkUp,
    /// It couldn't be opened again for a new reason.
    Refused(LiveError),
}

/// What an interface comes to since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortCounts {
    /// Frames handed over.
    pub received: u64,
    /// Frames that found the kernel's ring full.
    pub dropped_kernel: u64,
    /// Frames that the interface or its driver lost.
    pub dropped_interface: u64,
    /// When the last frame came, by its own timestamp.
    pub last: Option<Timestamp>,
    /// Whether it is open and its link is up.
    pub up: bool,
    /// How often it was opened again.
    pub reopened: u64,
}

pub(super) struct Port {
    pub(super) name: String,
    pub(super) opened: Option<Opened>,
    /// Whether the last burst left frames.
    pub(super) more: bool,
    /// Whether the opener is at it.
    pub(super) asked: bool,
    running: bool,
    errors: u8,
    refused: Option<LiveError>,
    counts: PortCounts,
    /// The handle's own counts when last read: 32 bits that wrap.
    seen: (u32, u32),
}

impl Port {
    pub(super) fn new(name: &str, opened: Option<Opened>) -> Self {
        Self {
            name: name.to_owned(),
            opened,
            more: false,
            asked: false,
            running: true,
            errors: 0,
            refused: None,
            counts: PortCounts::default(),
            seen: (0, 0),
        }
    }

    /// Hands over at most a burst of frames, if there is something.
    pub(super) fn burst(
        &mut self,
        ready: PollFlags,
        number: u16,
        take: &mut dyn FnMut(&Frame<'_>),
        happened: &mut Vec<(String, Happened)>,
    ) -> usize {
        let Some(opened) = &mut self.opened else { return 0 };
        if ready.is_empty() && !self.more {
            return 0;
        }
        let (link, counts) = (opened.link, &mut self.counts);
        let done = opened.capture.dispatch(Some(BURST), |packet| {
            let header = packet.header;
            let ts = timestamp(header.ts.tv_sec, header.ts.tv_usec);
            counts.received = counts.received.saturating_add(1);
            counts.last = Some(ts);
            let wire_len = header.len.max(header.caplen);
            take(&Frame { ts, link, interface: number, wire_len, data: packet.data });
        });
        match done {
            Ok(frames) => {
                self.more = frames >= BURST;
                let failed = ready.intersects(PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL);
                self.errors = if frames == 0 && failed { self.errors.saturating_add(1) } else { 0 };
                if self.errors >= ERRORS {
                    self.lose("its socket keeps failing", happened);
                }
                frames
            }
            Err(error) => {
                self.lose(&error.to_string(), happened);
                0
            }
        }
    }

    fn lose(&mut self, why: &str, happened: &mut Vec<(String, Happened)>) {
        self.read_drops();
        self.opened = None;
        self.more = false;
        self.errors = 0;
        self.seen = (0, 0);
        happened.push((self.name.clone(), Happened::Lost(why.replace("libpcap error: ", ""))));
    }

    /// Is it still the interface that was opened, is its link up?
    pub(super) fn look(&mut self, running: bool, happened: &mut Vec<(String, Happened)>) {
        self.read_drops();
        let index = if_nametoindex(self.name.as_str()).ok();
        match self.opened.as_ref().map(|opened| opened.index) {
            Some(_) if index.is_none() => self.lose("the interface is gone", happened),
            Some(was) if index != Some(was) => self.lose("the interface was made anew", happened),
            _ => {}
        }
        if self.opened.is_some() && running != self.running {
            self.running = running;
            let what = if running { Happened::LinkUp } else { Happened::LinkDown };
            happened.push((self.name.clone(), what));
        }
    }

    pub(super) fn adopt(
        &mut self,
        opened: Result<Opened, LiveError>,
        happened: &mut Vec<(String, Happened)>,
    ) {
        match opened {
            Ok(opened) => {
                self.opened = Some(opened);
                self.refused = None;
                self.running = true;
                self.counts.reopened = self.counts.reopened.saturating_add(1);
                happened.push((self.name.clone(), Happened::Back));
            }
            // Once for each reason, not once a second.
            Err(error) if self.refused.as_ref() != Some(&error) => {
                happened.push((self.name.clone(), Happened::Refused(error.clone())));
                self.refused = Some(error);
            }
            Err(_) => {}
        }
    }

    fn read_drops(&mut self) {
        let Some(opened) = &mut self.opened else { return };
        let Ok(stats) = opened.capture.stats() else { return };
        let (kernel, interface) = self.seen;
        let more = |counted: u64, now: u32, was: u32| counted.saturating_add(now.wrapping_sub(was).into());
        self.counts.dropped_kernel = more(self.counts.dropped_kernel, stats.dropped, kernel);
        self.counts.dropped_interface = more(self.counts.dropped_interface, stats.if_dropped, interface);
        self.seen = (stats.dropped, stats.if_dropped);
    }

    pub(super) fn counts(&self) -> PortCounts {
        PortCounts { up: self.opened.is_some() && self.running, ..self.counts }
    }
}
