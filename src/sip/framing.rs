//! Where one message of a stream ends and the next begins (RFC 3261 sections 7.5 and 18.3).
//!
//! In: the bytes of a stream that haven't been taken yet. Out: `Framing`: how many to drop, to
//! hand on, or to wait for. Never: looks at a byte more than a constant number of times, however
//! the stream is cut; waits for more than `MESSAGE_MAX` bytes.

use memchr::memchr;

use super::headers::{Header, field};
use super::lex::{from, is_filler, number, span, upto};
use super::lines::Lines;
use super::message::{HEAD_MAX, START_LINE_MAX};
use super::start;

/// Longest message that is waited for, in bytes. A longer body is skipped as it comes in.
pub const MESSAGE_MAX: usize = 128 * 1024;

/// Longest body that anybody is believed to send, in bytes; a larger Content-Length is a lie.
pub const BODY_MAX: usize = 1024 * 1024;

/// What stands at the beginning of the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes to drop: keep-alives, the rest of a body too long to hold, or, after
    /// `Lost`, bytes in which no message begins.
    Skip(usize),
    /// Nothing can be said before there is more.
    NeedMore,
    /// A whole message of so many bytes.
    Message(usize),
    /// No SIP here. The next call hunts for a start line after a line end.
    Lost,
}

/// What is known of the buffer's beginning, so that no byte is looked at again when more comes.
///
/// Contract: the buffer begins where it began at the call before, grown at its end at will,
/// except that after `Skip(n)` and `Message(n)` the first `n` bytes are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Bytes already looked at for a line end.
    scanned: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Between messages.
    #[default]
    Between,
    /// Inside a start line.
    StartLine,
    /// Inside the headers; `scanned` is behind a line end, or inside a line.
    Headers,
    /// The whole message's length is known.
    Body(usize),
    /// Inside a body too long to hold: so many bytes are still to come.
    LongBody(usize),
    /// No SIP: looking for a line end.
    Hunting,
    /// No SIP so far: at the beginning of a line that may be a start line.
    HuntingLine,
}

/// One step without memory: what stands at the beginning of `buffer`.
pub fn next(buffer: &[u8]) -> Framing {
    Scan::default().next(buffer)
}

/// Offset of the next plausible start line after a line end.
pub fn resync(buffer: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    loop {
        at = at.checked_add(memchr(b'\n', buffer.get(at..)?)?)?.checked_add(1)?;
        let line = buffer.get(at..)?;
        let end = memchr(b'\n', line)?;
        if start::is_plausible(upto(line, end)) {
            return Some(at);
        }
    }
}

impl Scan {
    /// A scan that begins in the middle of something, such as behind a gap.
    pub const fn lost() -> Self {
        Self { scanned: 0, state: State::Hunting }
    }

    /// Whether it has lost its place and looks for a start line.
    pub const fn is_hunting(&self) -> bool {
        matches!(self.state, State::Hunting | State::HuntingLine)
    }

    /// Whether all headers of the message at the buffer's beginning are there and only a part of
    /// its body is missing.
    pub const fn has_head(&self) -> bool {
        matches!(self.state, State::Body(_))
    }

    /// What stands at the beginning of `buffer`.
    pub fn next(&mut self, buffer: &[u8]) -> Framing {
        loop {
            let step = match self.state {
                State::Between => self.between(buffer),
                State::StartLine => self.start_line(buffer),
                State::Headers => self.headers(buffer),
                State::Body(total) => self.body(buffer, total),
                State::LongBody(left) => self.long_body(buffer, left),
                State::Hunting => self.hunt(buffer),
                State::HuntingLine => self.hunt_line(buffer),
            };
            if let Some(framing) = step {
                return framing;
            }
        }
    }

    fn go(&mut self, state: State, scanned: usize) -> Option<Framing> {
        *self = Self { scanned, state };
        None
    }

    fn give(&mut self, state: State, framing: Framing) -> Option<Framing> {
        *self = Self { scanned: 0, state };
        Some(framing)
    }

    fn between(&mut self, buffer: &[u8]) -> Option<Framing> {
        match span(buffer, is_filler) {
            0 if buffer.is_empty() => Some(Framing::NeedMore),
            0 => self.go(State::StartLine, 0),
            filler => self.give(State::Between, Framing::Skip(filler)),
        }
    }

    fn start_line(&mut self, buffer: &[u8]) -> Option<Framing> {
        let begins = buffer.first().is_some_and(|byte| super::lex::is_token(*byte));
        match self.line_end(buffer) {
            Some(end) if end <= HEAD_MAX && start::is_plausible(upto(buffer, end)) => {
                self.go(State::Headers, end)
            }
            None if begins && buffer.len() <= HEAD_MAX => Some(Framing::NeedMore),
            _ => self.give(State::Hunting, Framing::Lost),
        }
    }

    /// Looks for the line that begins with CR or LF.
    fn headers(&mut self, buffer: &[u8]) -> Option<Framing> {
        loop {
            // `scanned` stands behind a line end only if the byte before it is one.
            let at_line = self.scanned.checked_sub(1).and_then(|last| buffer.get(last)) == Some(&b'\n');
            match from(buffer, self.scanned) {
                _ if self.scanned > HEAD_MAX => return self.give(State::Hunting, Framing::Lost),
                [b'\n', ..] if at_line => return self.head_ends(buffer, self.scanned, 1),
                [b'\r'] if at_line => return Some(Framing::NeedMore),
                [b'\r', b'\n', ..] if at_line => return self.head_ends(buffer, self.scanned, 2),
                [b'\r', ..] if at_line => return self.head_ends(buffer, self.scanned, 1),
                _ => {}
            }
            self.scanned = self.line_end(buffer).unwrap_or(buffer.len());
            if self.scanned == buffer.len() {
                return Some(Framing::NeedMore);
            }
        }
    }

    fn head_ends(&mut self, buffer: &[u8], end: usize, blank: usize) -> Option<Framing> {
        let head = end.saturating_add(blank);
        let Some(length) = content_length(upto(buffer, end)) else {
            // Without a length there's no telling what follows; the next start line will.
            return self.give(State::Between, Framing::Message(head));
        };
        let total = head.saturating_add(length);
        if length > BODY_MAX {
            self.give(State::Hunting, Framing::Message(head))
        } else if total > MESSAGE_MAX {
            self.give(State::LongBody(length), Framing::Message(head))
        } else {
            self.go(State::Body(total), 0)
        }
    }

    fn body(&mut self, buffer: &[u8], total: usize) -> Option<Framing> {
        if buffer.len() < total {
            return Some(Framing::NeedMore);
        }
        self.give(State::Between, Framing::Message(total))
    }

    fn long_body(&mut self, buffer: &[u8], left: usize) -> Option<Framing> {
        match (left, buffer.len()) {
            (0, _) => self.go(State::Between, 0),
            (_, 0) => Some(Framing::NeedMore),
            (_, have) => {
                let take = have.min(left);
                self.give(State::LongBody(left.saturating_sub(take)), Framing::Skip(take))
            }
        }
    }

    fn hunt(&mut self, buffer: &[u8]) -> Option<Framing> {
        match memchr(b'\n', buffer) {
            _ if buffer.is_empty() => Some(Framing::NeedMore),
            Some(at) => self.give(State::HuntingLine, Framing::Skip(at.saturating_add(1))),
            None => self.give(State::Hunting, Framing::Skip(buffer.len())),
        }
    }

    fn hunt_line(&mut self, buffer: &[u8]) -> Option<Framing> {
        match self.line_end(buffer) {
            Some(end) if end <= START_LINE_MAX && start::is_plausible(upto(buffer, end)) => {
                self.go(State::Headers, end)
            }
            Some(end) => self.skip_lines(buffer, end),
            None if buffer.len() <= START_LINE_MAX => Some(Framing::NeedMore),
            None => self.give(State::Hunting, Framing::Skip(buffer.len())),
        }
    }

    /// Skips from line to line until one is plausible or unfinished.
    fn skip_lines(&mut self, buffer: &[u8], first: usize) -> Option<Framing> {
        let mut at = first;
        while let Some(end) = memchr(b'\n', from(buffer, at)) {
            if end < START_LINE_MAX && start::is_plausible(upto(from(buffer, at), end)) {
                break;
            }
            at = at.saturating_add(end).saturating_add(1);
        }
        self.give(State::HuntingLine, Framing::Skip(at))
    }

    /// The end of the line that `scanned` stands in, its line end included.
    fn line_end(&mut self, buffer: &[u8]) -> Option<usize> {
        match memchr(b'\n', from(buffer, self.scanned)) {
            Some(at) => Some(self.scanned.saturating_add(at).saturating_add(1)),
            None => {
                self.scanned = buffer.len();
                None
            }
        }
    }
}

/// The first Content-Length among the lines after the first, if it's a number.
fn content_length(head: &[u8]) -> Option<usize> {
    let mut lines = Lines::new(head);
    lines.one();
    while !lines.rest().is_empty() {
        let (behind, line) = lines.folded(head);
        lines = behind;
        if let Some(found) = field(line.text).filter(|found| found.header == Header::ContentLength) {
            return number(found.value).and_then(|length| usize::try_from(length).ok());
        }
    }
    None
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "test lengths are small")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(method: &str, length: &str, body: &str) -> String {
        format!("{method} sip:a@h SIP/2.0\r\nCall-ID: x\r\n{length}\r\n{body}")
    }

    /// Feeds a stream cut at `cuts` and gives the messages, as the streams room does.
    fn messages(stream: &[u8], cuts: &[usize]) -> (Vec<Vec<u8>>, usize) {
        let (mut scan, mut buffer, mut out) = (Scan::default(), Vec::new(), Vec::new());
        let (mut fed, mut lost) = (0, 0);
        for cut in cuts.iter().copied().chain([stream.len()]) {
            let cut = cut.clamp(fed, stream.len());
            buffer.extend_from_slice(&stream[fed..cut]);
            fed = cut;
            loop {
                match scan.next(&buffer) {
                    Framing::NeedMore => break,
                    Framing::Lost => lost += 1,
                    Framing::Skip(n) => drop(buffer.drain(..n)),
                    Framing::Message(n) => out.push(buffer.drain(..n).collect()),
                }
            }
        }
        (out, lost)
    }

    fn whole(stream: &str) -> (Vec<String>, usize) {
        let (found, lost) = messages(stream.as_bytes(), &[]);
        (found.into_iter().map(|one| String::from_utf8(one).unwrap()).collect(), lost)
    }

    #[test]
    fn keepalives_and_several_messages() {
        let one = message("INVITE", "Content-Length: 3\r\n", "v=0");
        let two = message("ACK", "l :\r\n 0\r\n", "");
        let three = "SIP/2.0 200 OK\nL:2\n\nhi".to_owned();
        let stream = format!("\r\n\r\n{one}{two}\0\0\r\n{three}");
        assert_eq!(whole(&stream), (vec![one, two, three], 0));
    }

    #[test]
    fn a_length_that_is_none_loses_the_place_and_the_next_message_is_found() {
        let good = message("BYE", "Content-Length: 0\r\n", "");
        for length in
            ["-1", "+5", "0x10", "1e3", "5 5", "4294967328", "99999999999999999999", "4294967295", ""]
        {
            let bad = message("INVITE", &format!("Content-Length: {length}\r\n"), "");
            let (found, lost) = whole(&format!("{bad}v=0\r\nb=\r\n{good}"));
            assert_eq!(found, [bad, good.clone()], "{length}");
            assert!(lost <= 1);
        }
        let none = message("INVITE", "", "");
        assert_eq!(whole(&format!("{none}v=0\r\n{good}")), (vec![none.clone(), good.clone()], 1));
        assert_eq!(whole(&format!("{none}{good}")), (vec![none, good], 0));
    }

    #[test]
    fn the_first_of_two_lengths_counts() {
        let two = message("INVITE", "Content-Length: 2\r\nContent-Length: 9\r\n", "hi");
        let good = message("BYE", "l:0\r\n", "");
        assert_eq!(whole(&format!("{two}{good}")), (vec![two, good], 0));
    }

    #[test]
    fn a_body_is_never_a_message_while_its_length_holds() {
        let inner = message("INVITE", "", "");
        let outer = message("MESSAGE", &format!("Content-Length: {}\r\n", inner.len()), &inner);
        assert_eq!(whole(&outer), (vec![outer.clone()], 0));
    }

    #[test]
    fn a_body_too_long_to_hold_is_skipped() {
        let head = message("MESSAGE", "Content-Length: 500000\r\n", "");
        let good = message("BYE", "l:0\r\n", "");
        let body = "INVITE sip:a@h SIP/2.0\r\n\r\n".repeat(20_000);
        let stream = format!("{head}{}{good}", &body[..500_000]);
        assert_eq!(whole(&stream), (vec![head, good], 0));
    }

    #[test]
    fn hunts_from_the_middle_of_anything() {
        let good = message("INVITE", "l:0\r\n", "");
        let junk =
            ["eader: x\r\nVia: SIP/2.0/UDP h\r\n\r\n", "\x16\x03\x01\n\n", "GET / HTTP/1.1\r\n\r\n", "x\n"];
        for junk in junk {
            let (found, lost) = whole(&format!("{junk}{good}"));
            assert_eq!((found, lost), (vec![good.clone()], 1), "{}", junk.escape_debug());
        }
        let long = "a".repeat(3 * START_LINE_MAX);
        assert_eq!(whole(&format!("x\n{long}\n{good}")).0, std::slice::from_ref(&good));
        assert_eq!(resync(format!("rest of it\r\n{good}").as_bytes()), Some(12));
        assert_eq!(resync(good.as_bytes()), None);
        assert!(Scan::lost().is_hunting());
    }

    #[test]
    fn headers_without_end_are_given_up() {
        let endless = format!("INVITE sip:a@h SIP/2.0\r\n{}", "X: y\r\n".repeat(20_000));
        let good = message("BYE", "l:0\r\n", "");
        assert_eq!(whole(&format!("{endless}\r\n{good}")), (vec![good], 1));
        let line = format!("INVITE sip:{}", "a".repeat(2 * HEAD_MAX));
        assert_eq!(next(line.as_bytes()), Framing::Lost);
    }

    /// One byte at a time: whatever the state, the work is bounded by the bytes that are new.
    #[test]
    fn a_byte_at_a_time_is_never_looked_at_again() {
        let stream = message("INVITE", "X: y\r\nContent-Length: 2000\r\n", &"b".repeat(2000));
        let mut scan = Scan::default();
        for end in 1..stream.len() {
            assert_eq!(scan.next(&stream.as_bytes()[..end]), Framing::NeedMore);
            let head_known = matches!(scan.state, State::Body(_));
            let blank_pending = stream.as_bytes()[..end].ends_with(b"\n\r");
            assert!(head_known || scan.scanned == end || (blank_pending && scan.scanned + 1 == end));
        }
        assert_eq!(scan.next(stream.as_bytes()), Framing::Message(stream.len()));
    }

    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => "[a-z \r\n]{0,40}".prop_map(|body| {
                message("INVITE", &format!("Content-Length: {}\r\n", body.len()), &body)
            }),
            1 => Just("\r\n\r\n".to_owned()),
            1 => Just(message("ACK", "l:0\n", "")),
            1 => Just(message("INFO", "Content-Length: -4\r\n", "v=0\r\n")),
            1 => "[a-zA-Z/: \r\n]{1,60}".prop_map(|junk| format!("\x01{junk}\n")),
        ]
    }

    proptest! {
        /// However a stream is cut, the messages are the same.
        #[test]
        fn any_cut_gives_the_same_messages(
            pieces in proptest::collection::vec(piece(), 1..8),
            cuts in proptest::collection::vec(0usize..1500, 0..60),
        ) {
            let stream = pieces.concat();
            let mut cuts = cuts;
            cuts.sort_unstable();
            let all: Vec<usize> = (0..stream.len()).collect();
            let want = messages(stream.as_bytes(), &[]);
            prop_assert_eq!(&messages(stream.as_bytes(), &cuts), &want);
            prop_assert_eq!(&messages(stream.as_bytes(), &all), &want);
        }

        /// No bytes stall it: every step but `NeedMore` and the first `Lost` takes something away.
        #[test]
        fn arbitrary_bytes_always_get_on(stream in proptest::collection::vec(any::<u8>(), 0..600)) {
            let (found, _) = messages(&stream, &[]);
            prop_assert!(found.iter().all(|one| !one.is_empty()));
        }
    }
}
