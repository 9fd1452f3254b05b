//! What could be seen from this mirror port, and what couldn't.
//!
//! In: what each stage met. Out: `Coverage`, a plain account of blind spots.
//! Never: says that nothing happened where nothing could be seen.

mod doubles;
pub mod encrypted;
mod losses;

use std::sync::Arc;

pub use doubles::Doubles;
pub use encrypted::{Encrypted, Phone};
pub use losses::Losses;

use crate::labels;
use crate::streams;
use crate::tally::Tally;
use crate::time::{Span, Timestamp};

labels! {
    /// Signs of what can and can't be seen.
    pub enum Sign {
        Requests = "requests", "SIP requests.";
        Responses = "responses", "SIP responses.";
        ResponsesWithoutCall = "responses_without_call", "Responses to INVITEs that were not seen: the mirror lost them, or they began before.";
        InDialogUnknown = "in_dialog_unknown", "INVITEs inside a dialog that was not seen.";
        InvitesRepeated = "invites_repeated", "INVITEs that belong to an attempt already counted: resent, challenged, doubled by the mirror, forked.";
        EncryptedDatagrams = "encrypted_datagrams", "DTLS records: signalling that can't be read, if it is signalling.";
        EncryptedConnections = "encrypted_connections", "TLS and DTLS connections that carry SIP: by port, by what they offer, or by the PBX at their end.";
        CallsHeard = "calls_heard", "Calls that are over and of which a response was seen.";
        CallsUnheard = "calls_unheard", "Calls that were ended by BYE and of which no response was seen: it passed somewhere else.";
        SegmentsRepeated = "segments_repeated", "TCP segments with nothing that had not been seen: sent again, or doubled by the mirror.";
        Truncated = "truncated", "Packets that the capture cut short.";
        TimeStepsBack = "time_steps_back", "Packets with a timestamp before one already seen.";
        FactsDropped = "facts_dropped", "Facts that found the queue to the judge full.";
        CallsNotInDeck = "calls_not_in_deck", "Calls to destinations that the rate deck doesn't price.";
    }
}

/// What the kernel says of a live capture; nothing for a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kernel {
    /// Packets that reached the capture.
    pub received: u64,
    /// Packets dropped because we were too slow.
    pub dropped: u64,
    /// Packets dropped by the network interface or its driver.
    pub dropped_by_interface: u64,
}

/// What was lost on the way here, as far as it can be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// What the kernel says.
    pub kernel: Kernel,
    /// Packets cut short by the capture.
    pub truncated: u64,
    /// Holes in TCP streams that were never filled.
    pub tcp_gaps: u64,
    /// Responses to INVITEs that were not seen.
    pub responses_without_call: u64,
}

/// The signs, counted.
#[derive(Debug, Default)]
pub struct Coverage {
    /// How often each was met.
    pub signs: Tally<Sign>,
    /// The digit that handsets seem to dial for an outside line, where none is configured.
    pub outside_line: Option<char>,
    /// What is seen twice.
    pub doubles: Doubles,
    /// Signalling that can't be read.
    pub encrypted: Encrypted,
    /// The drops of a live capture, put in by whoever captures.
    pub kernel: Kernel,
    /// When the watch began.
    pub begun: Option<Timestamp>,
    /// What reassembly counts.
    pub streams: Arc<streams::Stats>,
}

/// Fewer messages than this tell nothing about the mirror.
const ENOUGH: u64 = 10;
/// Calls without any response, from which on a mirror is said to be one-way.
const ENOUGH_CALLS: u64 = 3;

/// What was going on before is known after this time: handsets are heard again, dialogs that nobody saw
/// begin are told from new calls.
const WARM: Span = Span::minutes(5);

impl Coverage {
    /// Whether the watch has just begun: then what is first or absent says nothing.
    pub fn is_warming_up(&self, now: Timestamp) -> bool {
        self.begun.is_none_or(|begun| now.since(begun) < WARM)
    }

    /// The same for people; nothing where there is no SIP to speak of.
    pub fn warm_up(&self, now: Timestamp) -> Option<String> {
        let begun = self.begun.filter(|_| self.is_warming_up(now) && self.messages() > 0)?;
        Some(format!(
            "warming up: watched for {} s only; calls that were up before aren't known, and what is seen first or not at all says little before {} minutes",
            now.since(begun).as_secs(),
            WARM.as_secs() / 60
        ))
    }

    /// Whether only one direction of the traffic reaches the mirror: `None` if that can't be told.
    pub fn one_way(&self) -> Option<bool> {
        let get = |sign| self.signs.get(sign);
        let (requests, responses) = (get(Sign::Requests), get(Sign::Responses));
        let (heard, unheard) = (get(Sign::CallsHeard), get(Sign::CallsUnheard));
        if unheard >= ENOUGH_CALLS && unheard > heard {
            return Some(true);
        }
        if requests.saturating_add(responses) < ENOUGH {
            return None;
        }
        Some(requests == 0 || responses == 0)
    }

    /// SIP messages that were read.
    pub fn messages(&self) -> u64 {
        self.signs.get(Sign::Requests).saturating_add(self.signs.get(Sign::Responses))
    }

    /// What was lost on the way here.
    pub fn loss(&self) -> Loss {
        Loss {
            kernel: self.kernel,
            truncated: self.signs.get(Sign::Truncated),
            tcp_gaps: self.streams.events.get(streams::Event::Gap),
            responses_without_call: self.signs.get(Sign::ResponsesWithoutCall),
        }
    }

    /// WebSocket messages that are compressed and can't be read.
    pub fn compressed(&self) -> u64 {
        self.streams.events.get(streams::Event::Compressed)
    }

    /// Whether there is signalling that can't be read.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted.begun() > 0 || self.compressed() > 0
    }

    /// Why no call could have been seen, if that is so: then a count of 0 says nothing.
    pub fn blind(&self) -> Option<&'static str> {
        let dtls = self.signs.get(Sign::EncryptedDatagrams) > 0;
        match self.messages() {
            0 if self.is_encrypted() => Some("all signalling is encrypted"),
            0 if dtls => Some("there is no readable SIP, but encrypted traffic"),
            0 => Some("there is no SIP at all"),
            _ if self.signs.get(Sign::Requests) == 0 => {
                Some("there are responses but no requests: only one direction is mirrored")
            }
            _ => None,
        }
    }

    /// What an admin has to know before trusting a silence, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        self.warn_of_blindness(&mut warnings);
        self.warn_of_one_way(&mut warnings);
        self.warn_of_loss(&mut warnings);
        if let Some(share) = self.doubles.share().filter(|share| *share >= 0.1) {
            warnings.push(format!(
                "{:.0} of 100 SIP messages are seen twice (both directions of a port are mirrored, or two ports on the way): calls are counted once all the same",
                share * 100.0
            ));
        }
        if self.signs.get(Sign::FactsDropped) > 0 {
            warnings.push(
                "the judge could not keep up; counts are whole, single calls may be missing from alerts"
                    .into(),
            );
        }
        match self.signs.get(Sign::CallsNotInDeck) {
            0 => {}
            n => warnings.push(format!(
                "{n} {} not in the rate deck: priced by the built-in table",
                if n == 1 {
                    "call went to a destination that is"
                } else {
                    "calls went to destinations that are"
                },
            )),
        }
        if let Some(digit) = self.outside_line {
            warnings.push(format!(
                "most numbers make sense only without a leading {digit}: set outside_line = [\"{digit}\"] in [site], or they are misread"
            ));
        }
        warnings
    }

    fn warn_of_blindness(&self, warnings: &mut Vec<String>) {
        let (sip, dtls) = (self.messages(), self.signs.get(Sign::EncryptedDatagrams));
        if sip == 0 && !self.is_encrypted() && dtls == 0 {
            warnings.push(
                "no SIP at all: is this the mirror of the port that the phones' traffic passes?".into(),
            );
        } else if sip == 0 {
            warnings.push(
                "no readable SIP, but encrypted traffic: calls may have been placed that can't be seen here"
                    .into(),
            );
        }
        let phones = self.encrypted.phones().count();
        if phones > 0 {
            let calls: u64 = self.encrypted.phones().map(|(_, phone)| u64::from(phone.calls)).sum();
            warnings.push(format!(
                "{phones} {} signalling over TLS or DTLS: {calls} {} by the media alone (rate only, destination unknown); have the PBX send HEP copies to see them",
                if phones == 1 { "handset has" } else { "handsets have" },
                if calls == 1 { "call" } else { "calls" },
            ));
        }
        if self.compressed() > 0 {
            warnings.push(
                "compressed WebSocket messages can't be read: turn permessage-deflate off, or have the PBX send HEP copies"
                    .into(),
            );
        }
    }

    fn warn_of_one_way(&self, warnings: &mut Vec<String>) {
        if self.one_way() != Some(true) {
            return;
        }
        warnings.push(if self.signs.get(Sign::Requests) == 0 {
            "one-way mirror: responses but no requests; calls can't be attributed".into()
        } else if self.signs.get(Sign::Responses) == 0 {
            "one-way mirror: requests but no responses; whether calls were answered is unknown".into()
        } else {
            "one-way mirror: most calls show no response; whether they were answered is unknown".into()
        });
    }

    fn warn_of_loss(&self, warnings: &mut Vec<String>) {
        let loss = self.loss();
        let Kernel { received, dropped, dropped_by_interface } = loss.kernel;
        let gone = dropped.saturating_add(dropped_by_interface);
        if gone > 0 {
            warnings.push(format!(
                "{gone} packets of {} were dropped before they could be read: raise [capture] buffer_mib, or narrow what is mirrored",
                received.saturating_add(gone)
            ));
        }
        if loss.truncated > 0 {
            warnings.push("packets were cut by the capture's snap length: record with -s 0".into());
        }
        if loss.tcp_gaps > 0 {
            warnings.push(format!(
                "{} in TCP streams were never filled: the mirror loses packets",
                counted(loss.tcp_gaps, "hole")
            ));
        }
        let responses = self.signs.get(Sign::Responses);
        if loss.responses_without_call >= ENOUGH && loss.responses_without_call.saturating_mul(5) > responses
        {
            warnings.push(format!(
                "{} to INVITEs that were not seen: the mirror loses packets, or shows one direction of some calls",
                counted(loss.responses_without_call, "response")
            ));
        }
    }
}

fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_explained() {
        let coverage = Coverage::default();
        assert!(coverage.warnings()[0].starts_with("no SIP at all"));
        coverage.signs.bump(Sign::EncryptedDatagrams);
        assert!(coverage.warnings()[0].starts_with("no readable SIP"));
    }

    #[test]
    fn nothing_seen_is_not_nothing_done() {
        let mut coverage = Coverage::default();
        assert_eq!(coverage.blind(), Some("there is no SIP at all"));
        coverage.signs.add(Sign::Responses, 20);
        assert!(coverage.blind().unwrap().contains("no requests"));
        coverage.signs.bump(Sign::Requests);
        assert_eq!(coverage.blind(), None);
        let coverage_of_tls = &mut Coverage::default();
        let (phone, server) = (([10, 0, 3, 17], 40_000).into(), ([203, 0, 113, 10], 5061).into());
        coverage_of_tls.encrypted.begin(phone, server, crate::time::Timestamp(0));
        assert_eq!(coverage_of_tls.blind(), Some("all signalling is encrypted"));
        assert!(
            coverage_of_tls.warnings()[1].starts_with("1 handset has signalling over TLS or DTLS: 0 calls")
        );
        coverage.kernel = Kernel { received: 900, dropped: 60, dropped_by_interface: 40 };
        assert!(coverage.warnings().iter().any(|w| w.starts_with("100 packets of 1000 were dropped")));
    }

    #[test]
    fn calls_without_any_response_show_a_one_way_mirror() {
        let coverage = Coverage::default();
        coverage.signs.add(Sign::Requests, 40);
        coverage.signs.add(Sign::Responses, 4);
        coverage.signs.add(Sign::CallsHeard, 2);
        coverage.signs.add(Sign::CallsUnheard, 3);
        assert_eq!(coverage.one_way(), Some(true));
        coverage.signs.add(Sign::CallsHeard, 2);
        assert_eq!(coverage.one_way(), Some(false));
    }

    #[test]
    fn a_watch_that_has_just_begun_says_so() {
        let mut coverage = Coverage { begun: Some(Timestamp(0)), ..Coverage::default() };
        let at = |seconds| Timestamp(0).plus(Span::seconds(seconds));
        assert_eq!((coverage.is_warming_up(at(42)), coverage.warm_up(at(42))), (true, None), "no SIP yet");
        coverage.signs.bump(Sign::Requests);
        assert!(coverage.warm_up(at(42)).unwrap().starts_with("warming up: watched for 42 s only"));
        assert_eq!((coverage.is_warming_up(at(300)), coverage.warm_up(at(300))), (false, None));
        coverage.begun = None;
        assert!(coverage.is_warming_up(at(300)));
    }

    #[test]
    fn an_outside_line_is_suggested() {
        let coverage = Coverage { outside_line: Some('9'), ..Coverage::default() };
        assert!(coverage.warnings().iter().any(|warning| warning.contains("outside_line = [\"9\"]")));
    }

    #[test]
    fn one_way_needs_enough_messages() {
        let coverage = Coverage::default();
        coverage.signs.add(Sign::Requests, 9);
        assert_eq!(coverage.one_way(), None);
        coverage.signs.bump(Sign::Requests);
        assert_eq!(coverage.one_way(), Some(true));
        coverage.signs.bump(Sign::Responses);
        assert_eq!(coverage.one_way(), Some(false));
    }
}
