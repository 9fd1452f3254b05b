//! The header lines that are used: found first, read when all are there.
//!
//! In: a message's lines. Out: `Message`, or what it lacks.
//! Never: reads a value that another of the same name has pushed aside.

use super::block::find;
use super::headers::{Field, Header, field, may_be_used};
use super::lex::{
    count_values, first_value, is_lws, is_trim, number, param, plain_number, span, trim_end, trim_start, upto,
};
use super::lines::Line;
use super::rare::{Place, Rare};
use super::{Message, Method, NameAddr, Quirk, Quirks, Reject, Start};

/// The first value of each header that nearly every message has; it may be empty.
#[derive(Clone, Copy, Default)]
struct Common<'a> {
    authorization: Option<&'a [u8]>,
    call_id: Option<&'a [u8]>,
    contact: Option<&'a [u8]>,
    content_length: Option<&'a [u8]>,
    cseq: Option<&'a [u8]>,
    from: Option<&'a [u8]>,
    proxy_authorization: Option<&'a [u8]>,
    server: Option<&'a [u8]>,
    to: Option<&'a [u8]>,
    user_agent: Option<&'a [u8]>,
    via: Option<&'a [u8]>,
}

/// What the lines hold.
pub(super) struct Fields<'a> {
    common: Common<'a>,
    rare: Rare<'a>,
    /// Via values in other lines than the first one.
    more_vias: u16,
    pub(super) quirks: Quirks,
    /// What is behind the headers.
    behind: &'a [u8],
}

/// CSeq's number and method.
struct CSeq<'a> {
    number: u32,
    method: Method,
    /// Empty if it can't be read.
    token: &'a [u8],
}

/// The four bytes as [`super::lines::Lines::word`] gives them.
const fn word(text: [u8; 4]) -> u32 {
    u32::from_le_bytes(text)
}

/// The value of a line that begins with this name, colon and blank, and has nothing to trim. Only the
/// last `T` bytes of these are compared: the line's beginning is known.
#[inline(always)]
fn plain<'a, const N: usize, const T: usize>(line: &'a [u8], name: &[u8; N]) -> Option<&'a [u8]> {
    let (head, value) = line.split_first_chunk::<N>()?;
    if head.last_chunk::<T>() != name.last_chunk::<T>() || !is_trim(value) {
        return unlikely();
    }
    Some(value)
}

/// Nothing, which is seldom the answer.
#[cold]
const fn unlikely<'a>() -> Option<&'a [u8]> {
    None
}

impl<'a> Fields<'a> {
    #[inline(always)]
    pub(super) fn new(text: &'a [u8], quirks: Quirks) -> Self {
        Self { common: Common::default(), rare: Rare::new(text), more_vias: 0, quirks, behind: &[] }
    }

    /// Takes a line that begins with this word.
    #[inline(always)]
    pub(super) fn line(&mut self, first: u32, line: &'a [u8]) {
        const VIA: u32 = word(*b"Via:");
        const FROM: u32 = word(*b"From");
        const TO: u32 = word(*b"To: ");
        const CALL: u32 = word(*b"Call");
        const CSEQ: u32 = word(*b"CSeq");
        const CONT: u32 = word(*b"Cont");
        const USER: u32 = word(*b"User");
        const SERV: u32 = word(*b"Serv");
        const SESS: u32 = word(*b"Sess");
        let common = &mut self.common;
        let (slot, value) = match first {
            VIA => (&mut common.via, plain::<5, 1>(line, b"Via: ")),
            FROM => (&mut common.from, plain::<6, 2>(line, b"From: ")),
            TO => (&mut common.to, plain::<4, 0>(line, b"To: ")),
            CALL => (&mut common.call_id, plain::<9, 5>(line, b"Call-ID: ")),
            CSEQ => (&mut common.cseq, plain::<6, 2>(line, b"CSeq: ")),
            USER => (&mut common.user_agent, plain::<12, 8>(line, b"User-Agent: ")),
            SERV => (&mut common.server, plain::<8, 4>(line, b"Server: ")),
            CONT if line.get(4) == Some(&b'a') => (&mut common.contact, plain::<9, 5>(line, b"Contact: ")),
            CONT if line.get(4) == Some(&b'e') && line.get(8) == Some(&b'T') => return,
            CONT => (&mut common.content_length, plain::<16, 12>(line, b"Content-Length: ")),
            SESS if line.get(8) == Some(&b'E') => return,
            _ => {
                if may_be_used(first) {
                    self.any(line);
                }
                return;
            }
        };
        if let (None, Some(_)) = (&slot, value) {
            *slot = value;
        } else {
            self.any(line);
        }
    }

    /// Takes a line with those that continue it.
    #[inline(never)]
    pub(super) fn folded(&mut self, line: &Line<'a>) {
        if line.end == 1 {
            self.quirks.set(Quirk::BareLf);
        }
        if self.any(line.text) && line.folds > 0 {
            self.quirks.set(Quirk::Folded);
        }
    }

    /// Takes a line however its name is written. Whether it's one of ours.
    #[inline(never)]
    fn any(&mut self, line: &'a [u8]) -> bool {
        let Some(Field { header, value, colon_blank }) = field(line) else { return false };
        if colon_blank {
            self.quirks.set(Quirk::ColonBlank);
        }
        if let Some(place) = header.place() {
            if self.rare.has(place) { self.again(header, value) } else { self.rare.note(place, value) }
        } else if let Some(slot) = self.slot(header) {
            if slot.is_some() { self.again(header, value) } else { *slot = Some(value) }
        }
        true
    }

    const fn slot(&mut self, header: Header) -> Option<&mut Option<&'a [u8]>> {
        let common = &mut self.common;
        Some(match header {
            Header::Authorization => &mut common.authorization,
            Header::CallId => &mut common.call_id,
            Header::Contact => &mut common.contact,
            Header::ContentLength => &mut common.content_length,
            Header::CSeq => &mut common.cseq,
            Header::From => &mut common.from,
            Header::ProxyAuthorization => &mut common.proxy_authorization,
            Header::Server => &mut common.server,
            Header::To => &mut common.to,
            Header::UserAgent => &mut common.user_agent,
            Header::Via => &mut common.via,
            _ => return None,
        })
    }

    /// Takes a value of a header that was there before.
    #[cold]
    fn again(&mut self, header: Header, value: &'a [u8]) {
        match header {
            Header::Via => self.more_vias = self.more_vias.saturating_add(count_values(value)),
            Header::Route => self.rare.note(Place::Route, value),
            Header::HistoryInfo => self.rare.note(Place::HistoryLast, value),
            // These may stand there several times; the first one counts and the others are no oddity.
            Header::Contact
            | Header::AssertedIdentity
            | Header::PreferredIdentity
            | Header::RemotePartyId
            | Header::Diversion
            | Header::Charging
            | Header::Authorization
            | Header::ProxyAuthorization => {}
            // One for each algorithm.
            Header::WwwAuthenticate | Header::ProxyAuthenticate => {
                let places = [Place::Challenge2, Place::Challenge3];
                if let Some(free) = places.into_iter().find(|place| self.rare.get(*place).is_empty()) {
                    self.rare.note(free, value);
                }
            }
            _ => self.quirks.set(Quirk::Duplicate),
        }
    }

    /// The headers end there in the text, and this is behind them.
    #[inline(always)]
    pub(super) fn end(&mut self, at: usize, behind: &'a [u8]) {
        self.rare.end(at);
        self.behind = behind;
    }

    /// The message, or why it can't be tracked.
    #[inline(always)]
    pub(super) fn message(&mut self, start: Start<'a>, start_token: &[u8]) -> Result<Message<'a>, Reject> {
        // An empty one is one, for Kamailio too.
        let call_id = self.common.call_id.ok_or(Reject::NoCallId)?;
        let from = self.common.from.ok_or(Reject::NoFrom)?;
        let cseq = self.common.cseq.and_then(cseq).ok_or(Reject::CseqMalformed)?;
        let agent = match start {
            Start::Request { method, .. } => {
                // Of methods without a name here only the token tells.
                if method != cseq.method || (method == Method::Other && cseq.token != start_token) {
                    return Err(Reject::CseqMismatch);
                }
                self.common.user_agent.or(self.common.server)
            }
            Start::Response(_) => self.common.server.or(self.common.user_agent),
        };
        let (from, from_tag) = self.address(from);
        let (to, to_tag) = self.address(self.common.to.unwrap_or_default());
        let via = via(self.common.via.unwrap_or_default());
        let (content_length, body) = self.body();
        Ok(Message {
            start,
            call_id,
            from,
            from_tag,
            to,
            to_tag,
            cseq: cseq.number,
            cseq_method: cseq.method,
            via: via.first,
            branch: via.branch,
            via_count: via.count.saturating_add(self.more_vias),
            contact: first_value(self.common.contact.unwrap_or_default()),
            user_agent: agent.unwrap_or_default(),
            credentials: self.common.authorization.or(self.common.proxy_authorization).unwrap_or_default(),
            content_length,
            body,
            noted: self.quirks,
            rare: self.rare,
        })
    }

    #[inline(always)]
    fn address(&mut self, value: &'a [u8]) -> (NameAddr<'a>, &'a [u8]) {
        match NameAddr::parse(value) {
            Some(read) => (read, read.tag()),
            None => {
                self.unreadable();
                (NameAddr::default(), &[])
            }
        }
    }

    /// From or To is, if it is there at all.
    #[cold]
    fn unreadable(&mut self) {
        let readable = |value: Option<&'a [u8]>| value.is_none_or(|value| NameAddr::parse(value).is_some());
        if !readable(self.common.from) || !readable(self.common.to) {
            self.quirks.set(Quirk::NameAddrBad);
        }
    }

    /// Content-Length, and the body by it where that makes sense.
    #[inline(always)]
    fn body(&mut self) -> (Option<u32>, &'a [u8]) {
        let Some(value) = self.common.content_length else { return (None, self.behind) };
        let length = plain_number(value).or_else(|| number(value));
        let body = length.and_then(|length| self.behind.get(..usize::try_from(length).ok()?));
        if body.is_none() {
            self.quirks.set(Quirk::LengthBad);
        }
        (length, body.unwrap_or(self.behind))
    }
}

/// Number and method; beyond 2^32-1 it is none.
#[inline(always)]
fn cseq(value: &[u8]) -> Option<CSeq<'_>> {
    let (mut number, mut rest) = (0u32, value);
    while let [byte, behind @ ..] = rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = number.checked_mul(10)?.checked_add(u32::from(digit))?;
        rest = behind;
    }
    if rest.len() == value.len() {
        return None;
    }
    let token = match rest {
        [b' ', token @ ..] if matches!(token, [first, ..] if *first > b' ') => token,
        _ => trim_start(rest),
    };
    // Nearly always nothing follows the method.
    let method = Method::from_token(token);
    if method != Method::Other {
        return Some(CSeq { number, method, token });
    }
    let token = upto(token, span(token, |byte| !is_lws(byte)));
    (!token.is_empty()).then(|| CSeq { number, method: Method::from_loose_token(token), token })
}

struct Via<'a> {
    first: &'a [u8],
    branch: &'a [u8],
    /// How many values there are.
    count: u16,
}

/// Reads the topmost Via line's value.
#[inline(always)]
fn via(value: &[u8]) -> Via<'_> {
    plain_via(value).unwrap_or_else(|| any_via(value))
}

/// One value, with the branch as its first parameter, and no quotes.
#[inline(always)]
fn plain_via(value: &[u8]) -> Option<Via<'_>> {
    let (_, params) = value.split_at_checked(find(value, [b';', b',', b'"'])?)?;
    let (name, branch) = params.split_first_chunk()?;
    if name != b";branch=" || *branch.first()? <= b' ' {
        return None;
    }
    let end = find(branch, [b';', b',', b'"', b' ']).unwrap_or(branch.len());
    let (branch, behind) = branch.split_at_checked(end)?;
    // Nearly every Via asks for the port as its last word.
    if behind != b";rport" && find(behind, [b',', b'"']).is_some() {
        return None;
    }
    Some(Via { first: value, branch: trim_end(branch), count: 1 })
}

#[cold]
fn any_via(value: &[u8]) -> Via<'_> {
    let first = first_value(value);
    Via { first, branch: param(first, b"branch").unwrap_or_default(), count: count_values(value) }
}

#[cfg(test)]
mod tests {
    use super::super::lines::Lines;
    use super::*;
    use proptest::prelude::*;

    /// A line, read by its first word if it's to be `short`, however it is written if not.
    fn read(text: &[u8], short: bool) -> String {
        let mut fields = Fields::new(text, Quirks::default());
        for line in text.split(|byte| *byte == b'\n') {
            if short {
                fields.line(Lines::new(line).word(), line);
            } else {
                fields.any(line);
            }
        }
        let common = &fields.common;
        let headers =
            [common.authorization, common.call_id, common.contact, common.content_length, common.cseq];
        let others = [common.from, common.proxy_authorization, common.server, common.to, common.user_agent];
        format!(
            "{headers:?}{others:?}{:?}{:?}{}{:?}",
            common.via, fields.rare, fields.more_vias, fields.quirks
        )
    }

    proptest! {
        #[test]
        fn a_line_is_what_its_whole_name_says(
            lines in proptest::collection::vec(
                "(Via|From|To|Call-ID|CSeq|Contact|Content-Length|User-Agent|Server|vIA|FROM|tO|CALL-ID|Cseq|\
                  ContAct|Content-Type|Contenttype|Content-length|Contact:Ty|Session-ID|Session-Expires|Sess|\
                  Cont|Route|Allow|Max-Forwards|v|f|t|i|m|l|Authorization|Expires|Vi|Fromage)\
                 (:|: | :|:  |\t: )([a-z<\",;]{0,4} ?|[0-9]{1,12})\r?",
                0..6,
            ),
        ) {
            let text = lines.join("\n");
            prop_assert_eq!(read(text.as_bytes(), true), read(text.as_bytes(), false));
        }

        #[test]
        fn a_plain_via_is_what_any_via_is(
            value in "SIP/2.0/UDP [a-z]{0,20}(,|\"|;)?(;branch=|;BRANCH=|;rport;branch= ?)[a-z\";, \t]{0,24}(;rport|,x|;a=\"b)?",
        ) {
            let told = |via: Via<'_>| (via.first.to_vec(), via.branch.to_vec(), via.count);
            let plain = plain_via(value.as_bytes()).map(told);
            prop_assert!(plain.is_none() || plain == Some(told(any_via(value.as_bytes()))));
        }

        #[test]
        fn a_sequence_number_is_read_once(value in "[0-9]{0,11}[ \t]{0,2}(INVITE|ACK|BYE|FOO|INVITEs|)( x)?") {
            let digits = span(value.as_bytes(), |byte| byte.is_ascii_digit());
            let read = cseq(value.as_bytes()).map(|cseq| cseq.number);
            let token = value.as_bytes().get(digits..).unwrap_or_default();
            let want = number(upto(value.as_bytes(), digits)).filter(|_| !trim_start(token).is_empty());
            prop_assert_eq!(read, want);
        }

        #[test]
        fn a_plain_number_is_a_number(value in "[0-9]{0,11}|[0-9 ]{0,4}|[ -~]{0,3}") {
            let plain = plain_number(value.as_bytes());
            prop_assert!(plain.is_none() || plain == number(value.as_bytes()));
        }
    }
}
