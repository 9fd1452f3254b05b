//! One pass over a message's headers.
//!
//! In: a payload that begins with a SIP message. Out: `Message`, borrowed, or why there is none.
//! Never: allocates, looks for a second message in the rest, or reads the body.

use memchr::memrchr;

use super::block::find;
use super::headers::{Field, Header, Take, may_be_used, with_field};
use super::lex::{
    count_values, first_value, from, is_filler, is_lws, is_token, last_value, number, param, span, trim,
    trim_start, upto,
};
use super::lines::Lines;
use super::{Message, Method, NameAddr, Quirk, Quirks, Reject, Start, start};

/// Longest Call-ID, tag or branch that goes unflagged, in bytes.
pub const ID_MAX: usize = 256;
/// Longest start line that goes unflagged, in bytes.
pub const START_LINE_MAX: usize = 8 * 1024;
/// Most header lines that go unflagged.
pub const LINES_MAX: usize = 256;
/// How many bytes of start line and headers are read; what comes after them isn't.
pub const HEAD_MAX: usize = 64 * 1024;

/// Reads one message; the rest of the payload is its body, whatever it looks like.
pub fn parse(payload: &[u8]) -> Result<Message<'_>, Reject> {
    Message::parse(payload)
}

impl<'a> Message<'a> {
    /// The URI that is called; empty for a response. Behind a strict router that is the last
    /// Route, for the Request-URI names the router (RFC 3261 section 16.4).
    pub fn called(&self) -> &'a [u8] {
        let Start::Request { uri, .. } = self.start else { return &[] };
        if self.last_route.is_empty() || !super::uri::user(uri).is_empty() {
            return uri;
        }
        let is_loose = |uri: &[u8]| uri.windows(3).any(|part| part.eq_ignore_ascii_case(b";lr"));
        match NameAddr::parse(self.last_route) {
            Some(last) if !super::uri::user(last.uri).is_empty() && !is_loose(last.uri) => last.uri,
            _ => uri,
        }
    }

    /// Reads one message; the rest of the payload is its body, whatever it looks like.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Reject> {
        let mut quirks = Quirks::default();
        let text = match payload.first() {
            Some(first) if first.is_ascii_graphic() => payload,
            _ => {
                quirks.set(Quirk::LeadingBlank);
                from(payload, span(payload, is_filler))
            }
        };
        let window = if text.len() <= HEAD_MAX { text } else { whole_lines(upto(text, HEAD_MAX)) };
        let mut lines = Lines::new(window);
        let line = start_line(&mut lines, text, &mut quirks)?;
        let (start, token) = start::parse(line, &mut quirks)?;
        // Built where it is returned: it is too big to be moved about.
        let mut read = Ok(Self::empty(start, quirks));
        if let Ok(message) = &mut read {
            let mut reader = Reader { message, seen: 0, cseq_token: &[] };
            let head = reader.headers(lines, text, text.len().saturating_sub(window.len()));
            if let Some(why) = reader.finish(&head, token) {
                read = Err(why);
            }
        }
        read
    }

    const fn empty(start: Start<'a>, quirks: Quirks) -> Self {
        const NOBODY: NameAddr<'static> = NameAddr { name: &[], uri: &[], params: &[] };
        Self {
            start,
            call_id: &[],
            from: NOBODY,
            from_tag: &[],
            to: NOBODY,
            to_tag: &[],
            cseq: 0,
            cseq_method: Method::Other,
            via: &[],
            branch: &[],
            via_count: 0,
            contact: &[],
            user_agent: &[],
            credentials: &[],
            challenge: &[],
            more_challenges: [&[]; 2],
            asserted: &[],
            preferred: &[],
            diversion: &[],
            history: &[],
            history_last: &[],
            refer_to: &[],
            referred_by: &[],
            replaces: &[],
            session_id: &[],
            last_route: &[],
            expires: None,
            content_length: None,
            body: &[],
            quirks,
        }
    }
}

/// The first line without its end.
#[inline(always)]
fn start_line<'a>(lines: &mut Lines<'a>, text: &'a [u8], quirks: &mut Quirks) -> Result<&'a [u8], Reject> {
    let line = lines.one();
    if line.text.len().saturating_add(line.end) > START_LINE_MAX {
        quirks.set(Quirk::Overlong);
    }
    match line.end {
        2 => Ok(line.text),
        1 => {
            quirks.set(Quirk::BareLf);
            Ok(line.text)
        }
        _ if text.len() > HEAD_MAX => Err(Reject::TooLong),
        _ => Ok(line.text.strip_suffix(b"\r").unwrap_or(line.text)),
    }
}

/// How reading the headers ended.
struct Head<'a> {
    /// What follows the blank line.
    body: &'a [u8],
    /// The header lines.
    lines: &'a [u8],
    /// How many lines they are, folds counted.
    count: usize,
    /// Whether they went beyond `HEAD_MAX`.
    cut: bool,
    /// Whether they or the start line hold a byte that isn't printable.
    odd: bool,
}

struct Reader<'a, 'm> {
    message: &'m mut Message<'a>,
    seen: u32,
    cseq_token: &'a [u8],
}

impl<'a> Take<'a, ()> for &mut Reader<'a, '_> {
    #[inline(always)]
    fn take(self, found: Field<'a>) {
        self.take_any(found);
    }
}

impl<'a> Reader<'a, '_> {
    #[inline(always)]
    fn headers(&mut self, mut lines: Lines<'a>, text: &'a [u8], beyond: usize) -> Head<'a> {
        let whole = beyond == 0;
        let all = from(text, text.len().saturating_sub(lines.rest().len().saturating_add(beyond)));
        let mut count = 0usize;
        while let [first, ..] = lines.rest()
            && (*first > b'\r' || !matches!(first, b'\r' | b'\n'))
        {
            let line = lines.folded();
            count = count.wrapping_add(line.folds).wrapping_add(1);
            if line.end == 1 {
                self.message.quirks.set(Quirk::BareLf);
            }
            if may_be_used(line.text) {
                self.line(line.text, line.folds > 0);
            }
        }
        let cut = lines.rest().is_empty();
        if cut {
            self.message.quirks.set(if whole { Quirk::NoBlankLine } else { Quirk::Overlong });
        }
        let left = lines.rest().len().saturating_add(beyond);
        let (head, after) = all.split_at_checked(all.len().saturating_sub(left)).unwrap_or_default();
        let body = match after {
            _ if cut => &[],
            [b'\r', b'\n', body @ ..] | [_, body @ ..] => body,
            [] => &[],
        };
        Head { body, lines: head, count, cut: cut && !whole, odd: lines.is_odd() }
    }

    // Out of line, so that the loop over the lines keeps its place in registers.
    #[inline(never)]
    fn line(&mut self, line: &'a [u8], folded: bool) {
        let used = with_field(line, &mut *self);
        if folded && used.is_some() {
            self.message.quirks.set(Quirk::Folded);
        }
    }

    #[inline(always)]
    fn take_any(&mut self, found: Field<'a>) {
        let Field { header, value, colon_blank } = found;
        let message = &mut *self.message;
        if colon_blank {
            message.quirks.set(Quirk::ColonBlank);
        }
        let again = self.seen & header.bit() != 0;
        self.seen |= header.bit();
        match header {
            Header::Via => {
                let alone = find(value, [b',']).is_none();
                if !again {
                    message.via = if alone { value } else { first_value(value) };
                    message.branch = param(message.via, b"branch").unwrap_or_default();
                }
                let count = if alone { u16::from(!value.is_empty()) } else { count_values(value) };
                message.via_count = message.via_count.saturating_add(count);
                return;
            }
            Header::Route => {
                message.last_route = last_value(value);
                return;
            }
            Header::HistoryInfo if again => return message.history_last = value,
            // These may stand there several times; the first one counts and the others are no oddity.
            Header::Contact
            | Header::AssertedIdentity
            | Header::PreferredIdentity
            | Header::RemotePartyId
            | Header::Diversion
            | Header::Authorization
            | Header::ProxyAuthorization
                if again =>
            {
                return;
            }
            // One for each algorithm.
            Header::WwwAuthenticate | Header::ProxyAuthenticate if again => {
                if let Some(free) = message.more_challenges.iter_mut().find(|more| more.is_empty()) {
                    *free = value;
                }
                return;
            }
            _ if again => {
                message.quirks.set(Quirk::Duplicate);
                return;
            }
            _ => {}
        }
        self.take_first(header, value);
    }

    #[inline(always)]
    fn take_first(&mut self, header: Header, value: &'a [u8]) {
        let seen = self.seen;
        let message = &mut *self.message;
        match header {
            Header::CallId => message.call_id = value,
            Header::From => {
                if let Some(addr) = address(value, &mut message.quirks) {
                    (message.from, message.from_tag) = (addr, addr.tag());
                }
            }
            Header::To => {
                if let Some(addr) = address(value, &mut message.quirks) {
                    (message.to, message.to_tag) = (addr, addr.tag());
                }
            }
            Header::CSeq => {
                let digits = span(value, |byte| byte.is_ascii_digit());
                let token = trim_start(from(value, digits));
                if let (Some(sequence), true) = (number(upto(value, digits)), value.len() > digits) {
                    message.cseq = sequence;
                    // Nearly always nothing follows the method.
                    let method = Method::from_token(token);
                    (self.cseq_token, message.cseq_method) = if method == Method::Other {
                        let token = upto(token, span(token, |byte| !is_lws(byte)));
                        (token, Method::from_loose_token(token))
                    } else {
                        (token, method)
                    };
                }
            }
            Header::Contact => message.contact = first_value(value),
            Header::ContentLength => {
                message.content_length = number(value);
                if message.content_length.is_none() {
                    message.quirks.set(Quirk::LengthBad);
                }
            }
            Header::Expires => message.expires = number(value),
            // Of two names for one thing the more telling one wins, wherever it stands.
            Header::UserAgent => {
                let server_wins =
                    matches!(message.start, Start::Response(_)) && seen & Header::Server.bit() != 0;
                if !server_wins {
                    message.user_agent = value;
                }
            }
            Header::Server => {
                let agent_wins =
                    matches!(message.start, Start::Request { .. }) && seen & Header::UserAgent.bit() != 0;
                if !agent_wins {
                    message.user_agent = value;
                }
            }
            Header::Authorization => message.credentials = value,
            Header::ProxyAuthorization if seen & Header::Authorization.bit() == 0 => {
                message.credentials = value;
            }
            Header::WwwAuthenticate => message.challenge = value,
            Header::ProxyAuthenticate if seen & Header::WwwAuthenticate.bit() == 0 => {
                message.challenge = value;
            }
            Header::AssertedIdentity => message.asserted = first_value(value),
            Header::PreferredIdentity => message.preferred = first_value(value),
            Header::RemotePartyId if seen & Header::PreferredIdentity.bit() == 0 => {
                message.preferred = first_value(value);
            }
            Header::Diversion => message.diversion = first_value(value),
            Header::HistoryInfo => (message.history, message.history_last) = (value, value),
            Header::ReferTo => message.refer_to = value,
            Header::ReferredBy => message.referred_by = value,
            Header::Replaces => message.replaces = value,
            Header::SessionId => message.session_id = value,
            Header::Via | Header::Route => {}
            Header::RemotePartyId | Header::ProxyAuthorization | Header::ProxyAuthenticate => {}
        }
    }

    /// Body and quirks, or why the message can't be tracked.
    #[inline(always)]
    fn finish(self, head: &Head<'a>, start_token: &[u8]) -> Option<Reject> {
        if let Some(why) = self.insufficient(start_token) {
            return Some(if head.cut {
                Reject::TooLong
            } else if has_bare_cr(head.lines) {
                Reject::CrOnly
            } else {
                why
            });
        }
        let message = self.message;
        message.body = head.body;
        if let Some(length) = message.content_length.and_then(|length| usize::try_from(length).ok()) {
            match head.body.get(..length) {
                Some(body) => message.body = body,
                None => message.quirks.set(Quirk::LengthBad),
            }
        }
        flag_lengths(message, head.count);
        flag_age(message);
        if head.odd {
            flag_bytes(message, head.lines);
        }
        None
    }

    /// Why the message can't be tracked, if it can't.
    fn insufficient(&self, start_token: &[u8]) -> Option<Reject> {
        // An empty one is one, for Kamailio too.
        if self.message.call_id.is_empty() && self.seen & Header::CallId.bit() == 0 {
            return Some(Reject::NoCallId);
        }
        if self.seen & Header::From.bit() == 0 {
            return Some(Reject::NoFrom);
        }
        if self.cseq_token.is_empty() {
            return Some(Reject::CseqMalformed);
        }
        let Start::Request { method, .. } = self.message.start else { return None };
        let same =
            method == self.message.cseq_method && (method != Method::Other || self.cseq_token == start_token);
        (!same).then_some(Reject::CseqMismatch)
    }
}

/// Up to the last line end.
#[cold]
fn whole_lines(text: &[u8]) -> &[u8] {
    upto(text, memrchr(b'\n', text).map_or(0, |at| at.saturating_add(1)))
}

fn address<'a>(value: &'a [u8], quirks: &mut Quirks) -> Option<NameAddr<'a>> {
    let read = NameAddr::parse(value);
    if read.is_none() {
        quirks.set(Quirk::NameAddrBad);
    }
    read
}

fn flag_lengths(message: &mut Message<'_>, lines: usize) {
    let ids = [message.call_id, message.from_tag, message.to_tag, message.branch];
    if lines > LINES_MAX || ids.iter().any(|id| id.len() > ID_MAX) {
        message.quirks.set(Quirk::Overlong);
    }
}

fn flag_age(message: &mut Message<'_>) {
    if message.from_tag.is_empty() {
        message.quirks.set(Quirk::NoTag);
    }
    // The cookie alone names no transaction (RFC 4475 section 3.2.1).
    let cookie = message
        .branch
        .first_chunk::<7>()
        .is_some_and(|head| head == b"z9hG4bK" || head.eq_ignore_ascii_case(b"z9hG4bK"));
    if !cookie || message.branch.len() == 7 {
        message.quirks.set(Quirk::OldBranch);
    }
}

#[cold]
fn flag_bytes(message: &mut Message<'_>, head: &[u8]) {
    let uri = match message.start {
        Start::Request { uri, .. } => uri,
        Start::Response(_) => &[],
    };
    let used = [
        uri,
        message.call_id,
        message.from.name,
        message.from.uri,
        message.from_tag,
        message.to.name,
        message.to.uri,
        message.to_tag,
        message.via,
        message.contact,
        message.user_agent,
        message.credentials,
        message.asserted,
        message.preferred,
        message.diversion,
        message.refer_to,
    ];
    if used.iter().any(|value| std::str::from_utf8(value).is_err()) {
        message.quirks.set(Quirk::BadUtf8);
    }
    let is_control = |byte: u8| byte.is_ascii_control() && !is_lws(byte);
    let in_name = |line: &[u8]| line.get(span(line, is_token)).is_some_and(|byte| is_control(*byte));
    if used.iter().any(|value| value.iter().any(|byte| is_control(*byte)))
        || head.split(|byte| *byte == b'\n').any(|line| in_name(trim(line)))
    {
        message.quirks.set(Quirk::ControlByte);
    }
}

/// Whether a CR ends a line by itself.
#[cold]
fn has_bare_cr(head: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', head)
        .any(|at| head.get(at.saturating_add(1)).is_some_and(|next| !matches!(next, b'\r' | b'\n')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_strict_router_the_last_route_is_called() {
        for (uri, route, called) in [
            ("sip:pbx", "<sip:p1>, <sip:00882@pbx>", "sip:00882@pbx"),
            ("sip:pbx", "<sip:00882@pbx;lr>", "sip:pbx"),
            ("sip:201@pbx", "<sip:00882@pbx>", "sip:201@pbx"),
            ("sip:pbx", "<sip:p1>", "sip:pbx"),
        ] {
            let text = format!(
                "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nRoute: {route}\r\n\
                 From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n"
            );
            assert_eq!(Message::parse(text.as_bytes()).unwrap().called(), called.as_bytes());
        }
    }

    #[test]
    fn an_odd_byte_is_flagged_whatever_ends_the_lines() {
        for (uri, end, tag, want) in [
            ("sip:a@h", "\r\n", "1", 0),
            ("sip:a@h", "\n", "1", 0),
            ("sip:a@h", "\r\n", "\u{1}", 1),
            ("sip:a@h", "\n", "\u{1}", 1),
            ("sip:a\u{1}@h", "\r\n", "1", 1),
            ("sip:a\u{1}@h", "\n", "1", 1),
        ] {
            // One LF alone takes as much from the count of odd bytes as one odd byte adds.
            let text = format!(
                "ACK {uri} SIP/2.0\r\nFrom: <sip:a@h>;tag={tag}{end}Call-ID: c\r\nCSeq: 1 ACK\r\n\r\n"
            );
            let read = parse(text.as_bytes()).unwrap();
            assert_eq!(u8::from(read.quirks.has(Quirk::ControlByte)), want, "{}", text.escape_debug());
        }
    }

    const INVITE: &[u8] = b"INVITE sip:900882@pbx SIP/2.0\r\n\
        Via: SIP/2.0/UDP 10.0.3.17:5060;branch=z9hG4bK1;rport, SIP/2.0/UDP b;branch=z9hG4bK2\r\n\
        Max-Forwards: 70\r\n\
        From: \"Reception\" <sip:214@pbx>;tag=f1\r\n\
        To: <sip:900882@pbx>\r\n\
        Call-ID: c1@10.0.3.17\r\n\
        CSeq: 2 INVITE\r\n\
        Contact: <sip:214@10.0.3.17:5060>\r\n\
        Route: <sip:p1;lr>, <sip:p2>\r\n\
        Proxy-Authorization: Digest username=\"proxy\"\r\n\
        Authorization: Digest username=\"214\"\r\n\
        User-Agent: Phone 1.0\r\n\
        Expires: 60\r\n\
        Content-Length: 5\r\n\
        \r\n\
        v=0\r\nINVITE sip:never@read SIP/2.0\r\n\r\n";

    #[test]
    fn every_field_of_a_plain_invite() {
        let read = parse(INVITE).unwrap();
        assert_eq!(read.start, Start::Request { method: Method::Invite, uri: b"sip:900882@pbx" });
        assert_eq!((read.call_id, read.from_tag, read.to_tag), (&b"c1@10.0.3.17"[..], &b"f1"[..], &b""[..]));
        assert_eq!((read.from.name, read.from.uri), (&b"Reception"[..], &b"sip:214@pbx"[..]));
        assert_eq!((read.cseq, read.cseq_method), (2, Method::Invite));
        assert_eq!((read.branch, read.via_count), (&b"z9hG4bK1"[..], 2));
        assert_eq!(read.contact, b"<sip:214@10.0.3.17:5060>");
        assert_eq!(read.last_route, b"<sip:p2>");
        assert_eq!(read.credentials, b"Digest username=\"214\"");
        assert_eq!((read.user_agent, read.expires), (&b"Phone 1.0"[..], Some(60)));
        assert_eq!((read.content_length, read.body), (Some(5), &b"v=0\r\n"[..]));
        assert_eq!(read.quirks, Quirks::default());
    }
}
