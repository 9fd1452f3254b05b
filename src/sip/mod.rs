//! From a payload to a SIP message, borrowed and lenient: what a PBX would accept, this reads.
//!
//! In: payload bytes. Out: `Message`, only the headers that are used; where a stream's next
//! message begins. Never: allocates on the fast path, panics, or reads the body as a message.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod block;
pub mod digest;
mod fields;
pub mod framing;
mod headers;
pub mod history;
pub mod interval;
mod lex;
mod lines;
pub mod media;
pub mod message;
mod name_addr;
pub mod proof;
mod rare;
pub mod sdp;
pub mod sniff;
mod start;
pub mod typed;
pub mod uri;

pub use lines::Lines;

use rare::Rare;

use crate::labels;

labels! {
    /// A request's method (RFC 3261 section 7.1: case-sensitive).
    pub enum Method {
        Invite = "INVITE", "RFC 3261.";
        Ack = "ACK", "RFC 3261.";
        Bye = "BYE", "RFC 3261.";
        Cancel = "CANCEL", "RFC 3261.";
        Register = "REGISTER", "RFC 3261.";
        Options = "OPTIONS", "RFC 3261.";
        Prack = "PRACK", "RFC 3262.";
        Update = "UPDATE", "RFC 3311.";
        Info = "INFO", "RFC 6086.";
        Subscribe = "SUBSCRIBE", "RFC 6665.";
        Notify = "NOTIFY", "RFC 6665.";
        Publish = "PUBLISH", "RFC 3903.";
        Refer = "REFER", "RFC 3515.";
        Message = "MESSAGE", "RFC 3428.";
        Other = "other", "Any other token.";
    }
}

labels! {
    /// Why a payload that begins like SIP is no message that can be tracked.
    pub enum Reject {
        StartLine = "start_line", "The first line is neither a request line nor a status line.";
        MethodCase = "method_case", "A known method's name in lower or mixed case.";
        Version = "version", "A version other than SIP/2.0.";
        StatusCode = "status_code", "A status code outside 100-699.";
        NoCallId = "no_call_id", "No Call-ID.";
        CseqMalformed = "cseq_malformed", "No CSeq, or a number above 2^32-1.";
        CseqMismatch = "cseq_mismatch", "CSeq names another method than the request line.";
        NoFrom = "no_from", "No From.";
        CrOnly = "cr_only", "Lines end in CR alone, which no SIP stack accepts.";
        TooLong = "too_long", "Start line and headers go on over 64 KiB, and what is needed isn't among them.";
    }
}

labels! {
    /// What the first bytes of a UDP payload or a stream look like (RFC 7983 ranges).
    pub enum Sniff {
        Sip = "sip", "A SIP request or status line.";
        Rtp = "rtp", "RTP or RTCP.";
        Stun = "stun", "STUN or a TURN channel.";
        Dtls = "dtls", "DTLS or TLS records.";
        Keepalive = "keepalive", "CR, LF or NUL alone, or a word on a SIP port.";
        Other = "other", "Anything else.";
    }
}

labels! {
    /// Oddities of a message that was read all the same.
    pub enum Quirk {
        LeadingBlank = "leading_blank", "CR, LF, NUL, blank or tab before the start line.";
        LooseStartLine = "loose_start_line", "Extra blanks or tabs in or after the start line, or <> around the URI.";
        VersionCase = "version_case", "sip/2.0 in lower or mixed case, or with something behind it.";
        BareLf = "bare_lf", "Lines that end in LF alone.";
        NoBlankLine = "no_blank_line", "The datagram ends inside the headers.";
        ColonBlank = "colon_blank", "Blanks between a header's name and its colon.";
        Folded = "folded", "A header that is used goes on over several lines.";
        Duplicate = "duplicate", "A header that must be single occurs again; the first one counts.";
        LengthBad = "length_bad", "Content-Length missing on a stream, not a number, or larger than the message.";
        Overlong = "overlong", "An identifier over 256 bytes, a start line over 8 KiB, over 256 header lines, or headers over 64 KiB.";
        NoTag = "no_tag", "RFC 2543 style: From has no tag.";
        OldBranch = "old_branch", "RFC 2543 style: the branch doesn't begin with z9hG4bK.";
        ControlByte = "control_byte", "A control character in a header's name or a used value.";
        BadUtf8 = "bad_utf8", "A used value isn't UTF-8.";
        NameAddrBad = "name_addr_bad", "From or To can't be read as a name and an address.";
    }
}

/// A set of quirks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks(pub u32);

/// A request line or a status line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// A request.
    Request {
        /// Its method.
        method: Method,
        /// The Request-URI as it stands there, without <> and blanks around it.
        uri: &'a [u8],
    },
    /// A response: 100..=699.
    Response(u16),
}

/// A From, To, Contact, P-Asserted-Identity, Diversion or Refer-To value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The display name, quotes off, escapes left in; may be empty.
    pub name: &'a [u8],
    /// The URI between <>, or up to the first `;`.
    pub uri: &'a [u8],
    /// The header's own parameters after the URI, from the first `;` on.
    pub params: &'a [u8],
}

/// One SIP message: the start line and the headers that the tracker uses, borrowed.
/// A value that is absent is empty (or `None`); a folded one is given with its folds in it.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Request line or status line.
    pub start: Start<'a>,
    /// The whole Call-ID.
    pub call_id: &'a [u8],
    /// From.
    pub from: NameAddr<'a>,
    /// From's tag; empty if there is none.
    pub from_tag: &'a [u8],
    /// To.
    pub to: NameAddr<'a>,
    /// To's tag; empty if there is none.
    pub to_tag: &'a [u8],
    /// CSeq's number.
    pub cseq: u32,
    /// CSeq's method: for a response, the method it answers.
    pub cseq_method: Method,
    /// The topmost Via value.
    pub via: &'a [u8],
    /// The topmost Via's branch.
    pub branch: &'a [u8],
    /// How many Via values there are: more hops, more values.
    pub via_count: u16,
    /// The first Contact value.
    pub contact: &'a [u8],
    /// User-Agent of a request, Server of a response.
    pub user_agent: &'a [u8],
    /// Authorization, or Proxy-Authorization if that is absent.
    pub credentials: &'a [u8],
    /// Content-Length in bytes, if it is a number.
    pub content_length: Option<u32>,
    /// What follows the headers, by Content-Length where that makes sense.
    pub body: &'a [u8],
    /// What was seen of its oddities on the way; see [`Message::quirks`].
    noted: Quirks,
    /// Headers that few messages have, or few ask for.
    rare: Rare<'a>,
}

impl Quirks {
    /// Whether a quirk was seen.
    pub fn has(self, quirk: Quirk) -> bool {
        self.0 & (1u32 << (quirk as u32)) != 0
    }

    /// Marks a quirk as seen.
    pub fn set(&mut self, quirk: Quirk) {
        self.0 |= 1u32 << (quirk as u32);
    }
}
