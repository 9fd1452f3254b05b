//! What could be seen from this mirror port, and what couldn't.
//!
//! In: what each stage met. Out: `Coverage`, a plain account of blind spots.
//! Never: says that nothing happened where nothing could be seen.

use crate::labels;
use crate::tally::Tally;

labels! {
    /// Signs of what can and can't be seen.
    pub enum Sign {
        Requests = "requests", "SIP requests.";
        Responses = "responses", "SIP responses.";
        ResponsesWithoutCall = "responses_without_call", "Responses to INVITEs that were not seen: the mirror lost them, or they began before.";
        InDialogUnknown = "in_dialog_unknown", "INVITEs inside a dialog that was not seen.";
        InvitesRepeated = "invites_repeated", "INVITEs that belong to an attempt already counted: resent, challenged, doubled by the mirror, forked.";
        EncryptedDatagrams = "encrypted_datagrams", "DTLS records: signalling that can't be read, if it is signalling.";
        Truncated = "truncated", "Packets that the capture cut short.";
        TimeStepsBack = "time_steps_back", "Packets with a timestamp before one already seen.";
        FactsDropped = "facts_dropped", "Facts that found the queue to the judge full.";
    }
}

/// The signs, counted.
#[derive(Debug, Default)]
pub struct Coverage {
    /// How often each was met.
    pub signs: Tally<Sign>,
    /// The digit that handsets seem to dial for an outside line, where none is configured.
    pub outside_line: Option<char>,
}

/// Fewer requests than this tell nothing about the mirror's directions.
const ENOUGH: u64 = 10;

impl Coverage {
    /// Whether only one direction of the traffic reaches the mirror: `None` if that can't be told.
    pub fn one_way(&self) -> Option<bool> {
        let (requests, responses) = (self.signs.get(Sign::Requests), self.signs.get(Sign::Responses));
        if requests.saturating_add(responses) < ENOUGH {
            return None;
        }
        Some(requests == 0 || responses == 0)
    }

    /// What an admin has to know before trusting a silence, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let sip = self.signs.get(Sign::Requests).saturating_add(self.signs.get(Sign::Responses));
        let encrypted = self.signs.get(Sign::EncryptedDatagrams);
        if sip == 0 && encrypted > 0 {
            warnings.push(
                "no readable SIP, but encrypted traffic: calls may have been placed that can't be seen here"
                    .into(),
            );
        } else if sip == 0 {
            warnings.push(
                "no SIP at all: is this the mirror of the port that the phones' traffic passes?".into(),
            );
        }
        if self.one_way() == Some(true) {
            warnings.push(if self.signs.get(Sign::Responses) == 0 {
                "one-way mirror: requests but no responses; whether calls were answered is unknown".into()
            } else {
                "one-way mirror: responses but no requests; calls can't be attributed".into()
            });
        }
        if self.signs.get(Sign::Truncated) > 0 {
            warnings.push("packets were cut by the capture's snap length: record with -s 0".into());
        }
        if self.signs.get(Sign::FactsDropped) > 0 {
            warnings.push(
                "the judge could not keep up; counts are whole, single calls may be missing from alerts"
                    .into(),
            );
        }
        if let Some(digit) = self.outside_line {
            warnings.push(format!(
                "most numbers make sense only without a leading {digit}: set outside_line = [\"{digit}\"] in [site], or they are misread"
            ));
        }
        warnings
    }
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
