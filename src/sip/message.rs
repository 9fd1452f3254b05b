//! One pass over a message's headers.
//!
//! In: a payload that begins with a SIP message. Out: `Message`, borrowed, or why there is none.
//! Never: allocates, looks for a second message in the rest, or reads the body.

use memchr::memrchr;

use super::fields::Fields;
use super::lex::{from, is_filler, is_lws, is_token, span, trim, upto};
use super::lines::Lines;
use super::{Message, NameAddr, Quirk, Quirks, Reject, Start, start};

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
    #[inline]
    pub fn called(&self) -> &'a [u8] {
        match self.start {
            Start::Request { uri, .. } if self.last_route().is_empty() => uri,
            Start::Request { uri, .. } => self.routed(uri),
            Start::Response(_) => &[],
        }
    }

    fn routed(&self, uri: &'a [u8]) -> &'a [u8] {
        if !super::uri::user(uri).is_empty() {
            return uri;
        }
        let is_loose = |uri: &[u8]| uri.windows(3).any(|part| part.eq_ignore_ascii_case(b";lr"));
        match NameAddr::parse(self.last_route()) {
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
        let (start, token) = match start::plain(line) {
            Some(read) => read,
            None => start::loose(line, &mut quirks)?,
        };
        let mut fields = Fields::new(window, quirks);
        headers(&mut fields, lines, window, text.len() > window.len());
        fields.message(start, token).map_err(|lacks| why(lacks, text, window))
    }

    /// What was odd about it.
    #[cold]
    pub fn quirks(&self) -> Quirks {
        let mut quirks = self.noted;
        flag_lengths(self, &mut quirks);
        flag_age(self, &mut quirks);
        flag_bytes(self, &mut quirks);
        quirks
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

/// Why a message can't be tracked that lacks something.
#[cold]
fn why(lacks: Reject, text: &[u8], window: &[u8]) -> Reject {
    let mut lines = Lines::new(window);
    lines.one();
    let begin = lines.rest();
    while !matches!(lines.rest(), [] | [b'\r' | b'\n', ..]) {
        lines.one();
    }
    if lines.rest().is_empty() && text.len() > window.len() {
        Reject::TooLong
    } else if has_bare_cr(upto(begin, begin.len().saturating_sub(lines.rest().len()))) {
        Reject::CrOnly
    } else {
        lacks
    }
}

/// Takes the header lines, up to the blank one. `more` if the text goes on behind the window.
#[inline(always)]
fn headers<'a>(fields: &mut Fields<'a>, mut lines: Lines<'a>, window: &'a [u8], more: bool) {
    let mut word = lines.word();
    while goes_on(word, &lines) {
        let (behind, line) = match lines.plain() {
            Some((line, next)) if !is_blank(next) => {
                fields.line(word, line);
                word = next;
                continue;
            }
            Some((line, _)) => lines.goes_on(window, line),
            None => lines.folded(window),
        };
        lines = behind;
        fields.folded(&line);
        word = lines.word();
    }
    let behind = match lines.rest() {
        [b'\r', b'\n', body @ ..] | [_, body @ ..] => body,
        [] => {
            fields.quirks.set(if more { Quirk::Overlong } else { Quirk::NoBlankLine });
            &[]
        }
    };
    fields.end(window.len().saturating_sub(lines.rest().len()), behind);
}

/// Whether another header line follows that begins with this word.
#[inline(always)]
fn goes_on(word: u32, lines: &Lines<'_>) -> bool {
    let [first, ..] = word.to_le_bytes();
    first > b'\r' || (!matches!(first, b'\r' | b'\n') && !lines.rest().is_empty())
}

/// Whether the word begins a line that goes on with the one before.
#[inline(always)]
fn is_blank(word: u32) -> bool {
    let [first, ..] = word.to_le_bytes();
    first <= b' ' && matches!(first, b' ' | b'\t')
}

/// Up to the last line end.
#[cold]
fn whole_lines(text: &[u8]) -> &[u8] {
    upto(text, memrchr(b'\n', text).map_or(0, |at| at.saturating_add(1)))
}

fn flag_lengths(message: &Message<'_>, quirks: &mut Quirks) {
    let ids = [message.call_id, message.from_tag, message.to_tag, message.branch];
    // The start line is none of them.
    let lines = message.head().split_inclusive(|byte| *byte == b'\n').count();
    if lines > LINES_MAX.saturating_add(1) || ids.iter().any(|id| id.len() > ID_MAX) {
        quirks.set(Quirk::Overlong);
    }
}

fn flag_age(message: &Message<'_>, quirks: &mut Quirks) {
    if message.from_tag.is_empty() {
        quirks.set(Quirk::NoTag);
    }
    // The cookie alone names no transaction (RFC 4475 section 3.2.1).
    let cookie = message.branch.first_chunk::<7>().is_some_and(|head| head.eq_ignore_ascii_case(b"z9hG4bK"));
    if !cookie || message.branch.len() == 7 {
        quirks.set(Quirk::OldBranch);
    }
}

fn flag_bytes(message: &Message<'_>, quirks: &mut Quirks) {
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
        message.asserted(),
        message.preferred(),
        message.diversion(),
        message.refer_to(),
    ];
    if used.iter().any(|value| std::str::from_utf8(value).is_err()) {
        quirks.set(Quirk::BadUtf8);
    }
    let is_control = |byte: u8| byte.is_ascii_control() && !is_lws(byte);
    let in_name = |line: &[u8]| line.get(span(line, is_token)).is_some_and(|byte| is_control(*byte));
    if used.iter().any(|value| value.iter().any(|byte| is_control(*byte)))
        || message.head().split(|byte| *byte == b'\n').skip(1).any(|line| in_name(trim(line)))
    {
        quirks.set(Quirk::ControlByte);
    }
}

/// A message that was refused for its method's case, with the method in capitals.
#[cold]
pub fn in_capitals(payload: &[u8]) -> Vec<u8> {
    let mut text = payload.to_vec();
    let method = text.iter_mut().skip_while(|byte| is_filler(**byte)).take_while(|byte| !is_lws(**byte));
    method.for_each(|byte| byte.make_ascii_uppercase());
    text
}

/// Whether a CR ends a line by itself.
#[cold]
fn has_bare_cr(head: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', head)
        .any(|at| head.get(at.saturating_add(1)).is_some_and(|next| !matches!(next, b'\r' | b'\n')))
}

#[cfg(test)]
mod tests {
    use super::super::Method;
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
            assert_eq!(u8::from(read.quirks().has(Quirk::ControlByte)), want, "{}", text.escape_debug());
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
        assert_eq!(read.last_route(), b"<sip:p2>");
        assert_eq!(read.credentials, b"Digest username=\"214\"");
        assert_eq!((read.user_agent, read.expires()), (&b"Phone 1.0"[..], Some(60)));
        assert_eq!((read.content_length, read.body), (Some(5), &b"v=0\r\n"[..]));
        assert_eq!(read.quirks(), Quirks::default());
    }
}
