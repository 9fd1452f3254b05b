//! What a leg's messages look like: SIP by RFC 3261, SDP by RFC 8866, RTP by RFC 3550.
//!
//! In: a leg and a cue. Out: a payload and the ports it travels between.
//! Never: a body whose length differs from Content-Length.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use super::leg::{Cue, Leg, Party, Side, What};
use super::packet::End;
use super::proof::{Auth, Question};
use super::site::DOMAIN;

/// Renders messages into one buffer that is used again and again.
#[derive(Default)]
pub(super) struct Renderer {
    text: String,
    body: String,
    rtp: Vec<u8>,
    /// Whether SDP names every codec, as phones do; else only what matters.
    is_rich: bool,
}

/// A payload on its way.
pub(super) struct Sent<'a> {
    pub(super) from: End,
    pub(super) to: End,
    pub(super) payload: &'a [u8],
}

/// A well-mixed number from two others (the finaliser of splitmix64).
fn mix(a: u64, b: u64) -> u64 {
    let mut z = a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Leg {
    fn party(&self, side: Side) -> &Party {
        match side {
            Side::Caller => &self.caller,
            Side::Callee => &self.callee,
        }
    }

    /// The branch of a transaction; an ACK to a 2xx is one of its own (RFC 3261 section 17.1.1.1).
    fn branch(&self, cseq: u32, requester: Side, own: bool) -> u64 {
        let salt = u64::from(cseq) * 4 + u64::from(requester == Side::Callee) * 2 + u64::from(own);
        mix(self.secret, salt)
    }
}

impl Renderer {
    /// One that writes SDP at the length that phones do.
    pub(super) fn rich() -> Self {
        Self { is_rich: true, ..Self::default() }
    }

    /// The payload of a cue.
    pub(super) fn render(&mut self, leg: &Leg, cue: Cue) -> Sent<'_> {
        let (from, to) = (leg.party(cue.from), leg.party(cue.from.other()));
        if let What::Rtp(n) = cue.what {
            self.speech(leg, cue.from, n);
            let ends = (from.end.with_port(from.media), to.end.with_port(to.media));
            return Sent { from: ends.0, to: ends.1, payload: &self.rtp };
        }
        self.text.clear();
        self.body.clear();
        // Writing to a String can't fail.
        let _ = self.sip(leg, cue);
        Sent { from: from.end, to: to.end, payload: self.text.as_bytes() }
    }

    fn sip(&mut self, leg: &Leg, cue: Cue) -> fmt::Result {
        match cue.what {
            What::Register { proof } => self.request(leg, cue, "REGISTER", proof),
            What::Invite { proof } => {
                self.offer(leg, cue.from, "sendrecv")?;
                self.request(leg, cue, "INVITE", proof)
            }
            What::Hold(on) => {
                self.offer(leg, cue.from, if on { "sendonly" } else { "sendrecv" })?;
                self.request(leg, cue, "INVITE", false)
            }
            What::AckRefusal | What::AckAnswer => self.request(leg, cue, "ACK", false),
            What::Cancel => self.request(leg, cue, "CANCEL", false),
            What::Bye => self.request(leg, cue, "BYE", false),
            What::Refer => self.request(leg, cue, "REFER", false),
            What::Notify(code) => {
                write!(self.body, "SIP/2.0 {code} {}\r\n", reason(code))?;
                self.request(leg, cue, "NOTIFY", false)
            }
            What::Unauthorized => self.response(leg, cue, 401, "REGISTER"),
            What::Registered => self.response(leg, cue, 200, "REGISTER"),
            What::Challenge => self.response(leg, cue, 407, "INVITE"),
            What::Trying => self.response(leg, cue, 100, "INVITE"),
            What::Ringing => self.response(leg, cue, 180, "INVITE"),
            What::Progress => {
                self.offer(leg, cue.from, "sendrecv")?;
                self.response(leg, cue, 183, "INVITE")
            }
            What::Answer => {
                self.offer(leg, cue.from, "sendrecv")?;
                self.response(leg, cue, 200, "INVITE")
            }
            What::HoldOk(on) => {
                self.offer(leg, cue.from, if on { "recvonly" } else { "sendrecv" })?;
                self.response(leg, cue, 200, "INVITE")
            }
            What::Refusal(code) => self.response(leg, cue, code, "INVITE"),
            What::CancelOk => self.response(leg, cue, 200, "CANCEL"),
            What::ReferAccepted => self.response(leg, cue, 202, "REFER"),
            What::NotifyOk => self.response(leg, cue, 200, "NOTIFY"),
            What::ByeOk => self.response(leg, cue, 200, "BYE"),
            What::Rtp(_) => Ok(()),
        }
    }

    fn request(&mut self, leg: &Leg, cue: Cue, method: &str, proof: bool) -> fmt::Result {
        let (me, peer) = (leg.party(cue.from), leg.party(cue.from.other()));
        self.request_line(leg, cue, method, peer)?;
        let own = cue.what == What::AckAnswer;
        self.via(leg, me, leg.branch(cue.cseq, cue.from, own))?;
        self.text.write_str("Max-Forwards: 70\r\n")?;
        let tagged = !matches!(cue.what, What::Register { .. } | What::Invite { .. } | What::Cancel);
        let to_tag = if cue.what == What::AckRefusal { Tag::OfRefusal } else { Tag::when(tagged) };
        self.addresses(leg, cue.from, to_tag)?;
        self.ids(leg, cue, method)?;
        if !matches!(cue.what, What::AckRefusal | What::Cancel) {
            write!(self.text, "Contact: <sip:{}@{}:{}>\r\n", me.contact, me.end.ip, me.end.port)?;
        }
        write!(self.text, "User-Agent: {}\r\n", me.agent)?;
        match cue.what {
            What::Invite { .. } | What::Hold(_) => {
                write!(self.text, "Allow: {}\r\nSupported: {}\r\n", me.allow, me.supported)?;
            }
            What::Register { .. } => write!(self.text, "Expires: {}\r\n", leg.expires)?,
            What::Refer => write!(
                self.text,
                "Refer-To: <sip:{}@{DOMAIN}>\r\nReferred-By: <sip:{}@{DOMAIN}>\r\n",
                leg.target, me.contact
            )?,
            What::Notify(100) => {
                self.text.write_str("Event: refer\r\nSubscription-State: active;expires=60\r\n")?;
            }
            What::Notify(_) => {
                self.text
                    .write_str("Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n")?;
            }
            _ => {}
        }
        if matches!(cue.what, What::Invite { .. }) {
            self.text.write_str(&leg.more)?;
        }
        if proof {
            self.proof(leg, method, cue.cseq)?;
        }
        self.finish(matches!(cue.what, What::Notify(_)))
    }

    fn request_line(&mut self, leg: &Leg, cue: Cue, method: &str, peer: &Party) -> fmt::Result {
        match cue.what {
            What::Register { .. } => write!(self.text, "REGISTER sip:{} SIP/2.0\r\n", leg.to_host),
            What::Invite { .. } | What::AckRefusal | What::Cancel => {
                write!(self.text, "{method} sip:{}@{} SIP/2.0\r\n", leg.to_user, leg.to_host)
            }
            _ => write!(
                self.text,
                "{method} sip:{}@{}:{} SIP/2.0\r\n",
                peer.contact, peer.end.ip, peer.end.port
            ),
        }
    }

    fn response(&mut self, leg: &Leg, cue: Cue, code: u16, method: &str) -> fmt::Result {
        let me = leg.party(cue.from);
        let requester = cue.from.other();
        write!(self.text, "SIP/2.0 {code} {}\r\n", reason(code))?;
        self.via(leg, leg.party(requester), leg.branch(cue.cseq, requester, false))?;
        let to_tag = match code {
            100 => Tag::None,
            300.. => Tag::OfRefusal,
            _ => Tag::OfAnswer,
        };
        self.addresses(leg, requester, to_tag)?;
        self.ids(leg, cue, method)?;
        match cue.what {
            What::Registered => write!(
                self.text,
                "Contact: <sip:{}@{}:{}>;expires={}\r\n",
                leg.caller.contact, leg.caller.end.ip, leg.caller.end.port, leg.expires
            )?,
            What::Refusal(302) => write!(
                self.text,
                "Contact: <sip:{}@{DOMAIN}>\r\nDiversion: <sip:{}@{DOMAIN}>;reason=unconditional\r\n",
                leg.target, me.contact
            )?,
            What::Ringing | What::Progress | What::Answer | What::HoldOk(_) => {
                write!(self.text, "Contact: <sip:{}@{}:{}>\r\n", me.contact, me.end.ip, me.end.port)?;
            }
            What::Challenge => self.challenge(leg, "Proxy-Authenticate")?,
            What::Unauthorized => self.challenge(leg, "WWW-Authenticate")?,
            _ => {}
        }
        write!(self.text, "Server: {}\r\n", me.agent)?;
        self.finish(false)
    }

    fn via(&mut self, leg: &Leg, sender: &Party, branch: u64) -> fmt::Result {
        let rport = if leg.account.is_some() { ";rport" } else { "" };
        write!(
            self.text,
            "Via: SIP/2.0/UDP {}:{};branch=z9hG4bK{branch:016x}{rport}\r\n",
            sender.end.ip, sender.end.port
        )
    }

    /// From and To, as the sender of the request has them.
    fn addresses(&mut self, leg: &Leg, requester: Side, to_tag: Tag) -> fmt::Result {
        let Leg { from_name, from_user, from_host, to_user, to_host, tags: [first, second], .. } = leg;
        if requester == Side::Callee {
            write!(self.text, "From: <sip:{to_user}@{to_host}>;tag={second}\r\n")?;
            return write!(self.text, "To: <sip:{from_user}@{from_host}>;tag={first}\r\n");
        }
        if from_name.is_empty() {
            write!(self.text, "From: <sip:{from_user}@{from_host}>;tag={first}\r\n")?;
        } else {
            write!(self.text, "From: \"{from_name}\" <sip:{from_user}@{from_host}>;tag={first}\r\n")?;
        }
        write!(self.text, "To: <sip:{to_user}@{to_host}>")?;
        match to_tag {
            Tag::None => {}
            Tag::OfAnswer => write!(self.text, ";tag={second}")?,
            Tag::OfRefusal => write!(self.text, ";tag=as{second}")?,
        }
        self.text.write_str("\r\n")
    }

    fn ids(&mut self, leg: &Leg, cue: Cue, method: &str) -> fmt::Result {
        let cseq = leg.first_cseq + cue.cseq;
        write!(self.text, "Call-ID: {}\r\nCSeq: {cseq} {method}\r\n", leg.call_id)
    }

    fn challenge(&mut self, leg: &Leg, header: &str) -> fmt::Result {
        let nonce = mix(leg.secret, 101);
        if leg.auth == Auth::Sha256 {
            return write!(
                self.text,
                "{header}: Digest realm=\"{DOMAIN}\", nonce=\"{nonce:016x}\", algorithm=SHA-256, qop=\"auth\"\r\n"
            );
        }
        write!(self.text, "{header}: Digest realm=\"{DOMAIN}\", nonce=\"{nonce:016x}\", algorithm=MD5\r\n")
    }

    /// Credentials. If the office has none but acted ones, nobody's password is behind the response.
    fn proof(&mut self, leg: &Leg, method: &str, cseq: u32) -> fmt::Result {
        let Some(account) = &leg.account else { return Ok(()) };
        if leg.auth != Auth::Acted {
            let (header, uri) = match method {
                "REGISTER" => ("Authorization", format!("sip:{}", leg.to_host)),
                _ => ("Proxy-Authorization", format!("sip:{}@{}", leg.to_user, leg.to_host)),
            };
            let nonce = format!("{:016x}", mix(leg.secret, 101));
            let question = Question { account, password: &leg.password, method, uri: &uri, nonce: &nonce };
            return write!(self.text, "{header}: {}\r\n", question.answer(leg.auth));
        }
        let (nonce, cseq) = (mix(leg.secret, 101), u64::from(cseq));
        let response = [mix(leg.secret, 200 + cseq), mix(leg.secret, 300 + cseq)];
        if method == "REGISTER" {
            write!(self.text, "Authorization: Digest username=\"{account}\", realm=\"{DOMAIN}\", ")?;
            write!(self.text, "nonce=\"{nonce:016x}\", uri=\"sip:{}\", ", leg.to_host)?;
        } else {
            write!(self.text, "Proxy-Authorization: Digest username=\"{account}\", realm=\"{DOMAIN}\", ")?;
            write!(self.text, "nonce=\"{nonce:016x}\", uri=\"sip:{}@{}\", ", leg.to_user, leg.to_host)?;
        }
        write!(self.text, "response=\"{:016x}{:016x}\", algorithm=MD5\r\n", response[0], response[1])
    }

    fn offer(&mut self, leg: &Leg, from: Side, direction: &str) -> fmt::Result {
        let me = leg.party(from);
        let ip = me.end.ip;
        let codecs = if self.is_rich { "9 8 0 18 101" } else { "8 0 101" };
        write!(self.body, "v=0\r\no=- {} 1 IN IP4 {ip}\r\ns=-\r\n", mix(leg.secret, 7) >> 40)?;
        write!(self.body, "c=IN IP4 {ip}\r\nt=0 0\r\nm=audio {} RTP/AVP {codecs}\r\n", me.media)?;
        if self.is_rich {
            self.body.write_str(
                "a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
                 a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=fmtp:101 0-15\r\na=ptime:20\r\n",
            )?;
        }
        self.body.write_str("a=rtpmap:101 telephone-event/8000\r\n")?;
        write!(self.body, "a={direction}\r\n")
    }

    fn finish(&mut self, is_fragment: bool) -> fmt::Result {
        if is_fragment {
            self.text.write_str("Content-Type: message/sipfrag\r\n")?;
        } else if !self.body.is_empty() {
            self.text.write_str("Content-Type: application/sdp\r\n")?;
        }
        write!(self.text, "Content-Length: {}\r\n\r\n", self.body.len())?;
        self.text.write_str(&self.body)
    }

    /// 20 ms of G.711 A-law.
    fn speech(&mut self, leg: &Leg, from: Side, n: u16) {
        let ssrc = mix(leg.secret, 400 + u64::from(from == Side::Callee)).to_be_bytes();
        self.rtp.clear();
        self.rtp.extend_from_slice(&[0x80, 8]);
        self.rtp.extend_from_slice(&n.wrapping_add(u16::from_be_bytes([ssrc[4], ssrc[5]])).to_be_bytes());
        self.rtp.extend_from_slice(&(u32::from(n) * 160).to_be_bytes());
        self.rtp.extend_from_slice(&ssrc[..4]);
        // Silence in A-law; writing to a Vec can't fail.
        let _ = self.rtp.write_all(&[0xd5; 160]);
    }
}

/// Which tag the To header carries: forks and refusals have their own.
#[derive(Clone, Copy)]
enum Tag {
    None,
    OfAnswer,
    OfRefusal,
}

impl Tag {
    const fn when(tagged: bool) -> Self {
        if tagged { Self::OfAnswer } else { Self::None }
    }
}

const fn reason(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        302 => "Moved Temporarily",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        407 => "Proxy Authentication Required",
        480 => "Temporarily Unavailable",
        486 => "Busy Here",
        487 => "Request Terminated",
        503 => "Service Unavailable",
        603 => "Decline",
        _ => "Error",
    }
}
