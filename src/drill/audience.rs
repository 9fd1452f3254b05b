//! Who follows a performance: a camera that films frames, or a listener that is told what happens.
//!
//! In: legs and their cues in time order. Out: a capture, or `Event`s.
//! Never: changes what is played: both see the same performance of a seed.

use std::io;
use std::net::SocketAddr;

use super::kit::Extra;
use super::leg::{Cue, Leg, Party, Side, What};
use super::message::Renderer;
use super::packet::{Capture, End};
use crate::decode::{Mac, Path};
use crate::time::Timestamp;

/// Follows a performance.
pub(super) trait Audience {
    /// A leg begins at a slot that is free.
    fn opens(&mut self, slot: usize, leg: &Leg);
    /// A message that the mirror port shows, so many times.
    fn shows(&mut self, slot: usize, leg: &Leg, cue: Cue, copies: u8) -> io::Result<()>;
    /// A frame of something else.
    fn overhears(&mut self, extra: &Extra) -> io::Result<()>;
    /// It is over; answers with frames and bytes written.
    fn leaves(&mut self) -> io::Result<(u64, u64)>;
}

/// Films everything into a capture.
pub(super) struct Camera<'w> {
    pub(super) capture: Capture<'w>,
    pub(super) renderer: Renderer,
}

impl Audience for Camera<'_> {
    fn opens(&mut self, _: usize, _: &Leg) {}

    fn shows(&mut self, _: usize, leg: &Leg, cue: Cue, copies: u8) -> io::Result<()> {
        let sent = self.renderer.render(leg, cue);
        self.capture.udp(cue.at, sent.from, sent.to, sent.payload)?;
        for _ in 1..copies {
            self.capture.again();
        }
        Ok(())
    }

    fn overhears(&mut self, extra: &Extra) -> io::Result<()> {
        self.capture.whole(extra.at, &extra.frame)
    }

    fn leaves(&mut self) -> io::Result<(u64, u64)> {
        self.capture.close()
    }
}

/// What an event is, where SIP says it with a message of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A leg begins. It isn't a message: the leg's slot is new from here on.
    Opened,
    /// The registrar accepted the caller's account.
    Registered,
    /// An INVITE that opens the leg; resent ones and those after a challenge come as well.
    Dialled,
    /// The PBX wants credentials first.
    Challenged,
    /// The far end rings.
    Ringing,
    /// The far end answered.
    Answered,
    /// The callee sends the call on to `target`.
    Redirected,
    /// The callee sends the caller on to `target`.
    Transferred,
    /// An INVITE inside the call shows that it goes on.
    Refreshed,
    /// The caller gives up.
    Cancelled,
    /// A final failure.
    Failed(u16),
    /// One side hung up.
    Ended,
}

/// One thing that happens on one leg.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// When.
    pub at: Timestamp,
    /// On which leg: a slot that is used again after the leg's end.
    pub leg: usize,
    /// What.
    pub kind: EventKind,
    /// From the leg's caller to its callee.
    pub path: Path,
    /// The Call-ID.
    pub call_id: &'a str,
    /// The user part of From.
    pub caller: &'a str,
    /// The user part of the Request-URI.
    pub dialled: &'a str,
    /// Where a redirection or a transfer leads; else empty.
    pub target: &'a str,
    /// The account that Diversion names; else empty.
    pub diverted_by: &'a str,
    /// Whether the PBX continues a call with this leg, whose first leg was seen as well.
    pub joined: bool,
    /// Whether the INVITE uses a Call-ID of an earlier call.
    pub reused: bool,
}

/// Tells somebody what happens, without a single frame.
pub(super) struct Teller<'f> {
    pub(super) tell: &'f mut dyn FnMut(&Event<'_>),
}

impl Teller<'_> {
    fn tell(&mut self, slot: usize, leg: &Leg, at: Timestamp, kind: EventKind) {
        (self.tell)(&Event {
            at,
            leg: slot,
            kind,
            path: path(&leg.caller, &leg.callee),
            call_id: &leg.call_id,
            caller: &leg.from_user,
            dialled: &leg.to_user,
            target: &leg.target,
            diverted_by: &leg.diverted_by,
            joined: leg.joined,
            reused: leg.reused,
        });
    }
}

impl Audience for Teller<'_> {
    fn opens(&mut self, slot: usize, leg: &Leg) {
        self.tell(slot, leg, Timestamp::default(), EventKind::Opened);
    }

    fn shows(&mut self, slot: usize, leg: &Leg, cue: Cue, _: u8) -> io::Result<()> {
        let kind = match cue.what {
            What::Registered => EventKind::Registered,
            What::Invite { .. } => EventKind::Dialled,
            What::Challenge => EventKind::Challenged,
            What::Hold(_) => EventKind::Refreshed,
            What::Ringing | What::Progress => EventKind::Ringing,
            What::Answer => EventKind::Answered,
            What::Refusal(302) => EventKind::Redirected,
            What::Refusal(code) => EventKind::Failed(code),
            What::Refer => EventKind::Transferred,
            What::Cancel => EventKind::Cancelled,
            What::Bye => EventKind::Ended,
            _ => return Ok(()),
        };
        debug_assert!(cue.what != What::Refer || cue.from == Side::Callee);
        self.tell(slot, leg, cue.at, kind);
        Ok(())
    }

    fn overhears(&mut self, _: &Extra) -> io::Result<()> {
        Ok(())
    }

    fn leaves(&mut self) -> io::Result<(u64, u64)> {
        Ok((0, 0))
    }
}

fn path(from: &Party, to: &Party) -> Path {
    let address = |end: End| SocketAddr::from((end.ip, end.port));
    Path {
        src: address(from.end),
        dst: address(to.end),
        src_mac: Some(Mac(from.end.mac)),
        dst_mac: Some(Mac(to.end.mac)),
        vlan: None,
        mirror: None,
    }
}
