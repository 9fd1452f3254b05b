//! What phones and PBXs say.

use super::{DEAR, URI};

/// A request in the making: everything that a case doesn't say stands as in an ordinary one of handset 214.
#[derive(Clone)]
pub(crate) struct Ask {
    method: String,
    uri: String,
    id: String,
    cseq: u32,
    from: String,
    tag: Option<String>,
    to: Option<String>,
    to_tag: String,
    vias: Option<Vec<(String, String)>>,
    contact: String,
    extra: String,
    kind: &'static str,
    body: Vec<u8>,
    length: bool,
}

pub(crate) fn ask(method: &str, uri: &str, id: &str) -> Ask {
    Ask {
        method: method.into(),
        uri: uri.into(),
        id: id.into(),
        cseq: 1,
        from: "\"Desk\" <sip:214@pbx.example>".into(),
        tag: None,
        to: None,
        to_tag: String::new(),
        vias: None,
        contact: "<sip:214@10.0.3.17:5060>".into(),
        extra: String::new(),
        kind: "application/sdp",
        body: Vec::new(),
        length: true,
    }
}

pub(crate) fn invite(id: &str, number: &str) -> Ask {
    ask("INVITE", &format!("sip:{number}@pbx.example"), id)
}

fn own_tag(id: &str) -> String {
    format!("f{}", &id[..id.len().min(20)])
}

fn own_via(id: &str, cseq: u32, method: &str) -> Vec<(String, String)> {
    vec![("10.0.3.17:5060".into(), format!("z9hG4bK{}{cseq}{method}", &id[..id.len().min(20)]))]
}

pub(crate) fn vias(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(host, branch)| ((*host).into(), (*branch).into())).collect()
}

fn via_lines(vias: &[(String, String)]) -> String {
    vias.iter().map(|(host, branch)| format!("Via: SIP/2.0/UDP {host};branch={branch}\r\n")).collect()
}

fn tag_of(tag: &str) -> String {
    if tag.is_empty() { String::new() } else { format!(";tag={tag}") }
}

impl Ask {
    pub(crate) fn cseq(self, cseq: u32) -> Self {
        Self { cseq, ..self }
    }
    pub(crate) fn caller(self, from: &str) -> Self {
        Self { from: from.into(), ..self }
    }
    pub(crate) fn tag(self, tag: &str) -> Self {
        Self { tag: Some(tag.into()), ..self }
    }
    pub(crate) fn to(self, to: &str) -> Self {
        Self { to: Some(to.into()), ..self }
    }
    pub(crate) fn far_tag(self, tag: &str) -> Self {
        Self { to_tag: tag.into(), ..self }
    }
    pub(crate) fn via(self, list: &[(&str, &str)]) -> Self {
        Self { vias: Some(vias(list)), ..self }
    }
    pub(crate) fn contact(self, contact: &str) -> Self {
        Self { contact: contact.into(), ..self }
    }
    pub(crate) fn extra(self, extra: &str) -> Self {
        Self { extra: format!("{}{extra}", self.extra), ..self }
    }
    pub(crate) fn body(self, body: impl AsRef<[u8]>) -> Self {
        Self { body: body.as_ref().to_vec(), ..self }
    }
    pub(crate) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }
    pub(crate) fn no_length(self) -> Self {
        Self { length: false, ..self }
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        let via = self.vias.unwrap_or_else(|| own_via(&self.id, self.cseq, &self.method));
        let tag = tag_of(&self.tag.unwrap_or_else(|| own_tag(&self.id)));
        let to = self.to.unwrap_or_else(|| format!("<{}>", self.uri));
        let mut head = format!("{} {} SIP/2.0\r\n{}", self.method, self.uri, via_lines(&via));
        head +=
            &format!("Max-Forwards: 70\r\nFrom: {}{tag}\r\nTo: {to}{}\r\n", self.from, tag_of(&self.to_tag));
        head += &format!("Call-ID: {}\r\nCSeq: {} {}\r\n", self.id, self.cseq, self.method);
        head += &format!("Contact: {}\r\n{}", self.contact, self.extra);
        if !self.body.is_empty() {
            head += &format!("Content-Type: {}\r\n", self.kind);
        }
        if self.length {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// A response in the making, to the handset's INVITE unless a case says otherwise.
#[derive(Clone)]
pub(crate) struct Answer {
    code: u16,
    id: String,
    cseq: u32,
    method: String,
    from: String,
    tag: Option<String>,
    to: String,
    to_tag: String,
    vias: Option<Vec<(String, String)>>,
    extra: String,
    body: Vec<u8>,
}

pub(crate) fn answer(code: u16, id: &str) -> Answer {
    Answer {
        code,
        id: id.into(),
        cseq: 1,
        method: "INVITE".into(),
        from: "\"Desk\" <sip:214@pbx.example>".into(),
        tag: None,
        to: format!("<sip:{DEAR}@pbx.example>"),
        to_tag: String::new(),
        vias: None,
        extra: String::new(),
        body: Vec::new(),
    }
}

/// 200 to the INVITE, with the To-tag of all later requests.
pub(crate) fn ok(id: &str) -> Answer {
    answer(200, id).far_tag("t1")
}

impl Answer {
    pub(crate) fn cseq(self, cseq: u32) -> Self {
        Self { cseq, ..self }
    }
    pub(crate) fn method(self, method: &str) -> Self {
        Self { method: method.into(), ..self }
    }
    pub(crate) fn caller(self, from: &str) -> Self {
        Self { from: from.into(), ..self }
    }
    pub(crate) fn tag(self, tag: &str) -> Self {
        Self { tag: Some(tag.into()), ..self }
    }
    pub(crate) fn to(self, to: &str) -> Self {
        Self { to: to.into(), ..self }
    }
    pub(crate) fn far_tag(self, tag: &str) -> Self {
        Self { to_tag: tag.into(), ..self }
    }
    pub(crate) fn via(self, list: &[(&str, &str)]) -> Self {
        Self { vias: Some(vias(list)), ..self }
    }
    pub(crate) fn extra(self, extra: &str) -> Self {
        Self { extra: format!("{}{extra}", self.extra), ..self }
    }
    pub(crate) fn body(self, body: impl AsRef<[u8]>) -> Self {
        Self { body: body.as_ref().to_vec(), ..self }
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        let via = self.vias.unwrap_or_else(|| own_via(&self.id, self.cseq, &self.method));
        let tag = tag_of(&self.tag.unwrap_or_else(|| own_tag(&self.id)));
        let mut head = format!("SIP/2.0 {} Some Reason\r\n{}", self.code, via_lines(&via));
        head += &format!("From: {}{tag}\r\nTo: {}{}\r\n", self.from, self.to, tag_of(&self.to_tag));
        head += &format!("Call-ID: {}\r\nCSeq: {} {}\r\n{}", self.id, self.cseq, self.method, self.extra);
        head += &format!("Content-Length: {}\r\n\r\n", self.body.len());
        [head.as_bytes(), &self.body].concat()
    }
}

pub(crate) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 10.0.3.17\r\ns=-\r\nc=IN IP4 10.0.3.17\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\n";

/// The ordinary INVITE to the dear number.
pub(crate) fn dear() -> Vec<u8> {
    invite("c1", DEAR).body(SDP).bytes()
}

/// A challenge and what answers it.
pub(crate) fn challenge(name: &str, nonce: &str) -> String {
    format!("{name}: Digest realm=\"r\", nonce=\"n{nonce}\"\r\n")
}

pub(crate) fn credentials(name: &str, nonce: &str) -> String {
    format!(
        "{name}: Digest username=\"214\", realm=\"r\", nonce=\"n{nonce}\", uri=\"{URI}\", response=\"{:032}\"\r\n",
        0
    )
}

/// The bytes with each pair's first part, which must be there, replaced by its second.
pub(crate) fn with(mut text: Vec<u8>, pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
    for (old, new) in pairs {
        let mut out = Vec::new();
        let mut rest = &text[..];
        let mut found = false;
        while let Some(at) = rest.windows(old.len()).position(|part| part == *old) {
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(new);
            rest = &rest[at + old.len()..];
            found = true;
        }
        assert!(found, "{} isn't there", String::from_utf8_lossy(old));
        out.extend_from_slice(rest);
        text = out;
    }
    text
}
