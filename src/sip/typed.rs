//! Typed reading of one message by `rsip`: cold, strict, owned. Also the scanner's oracle in tests.
//!
//! In: the payload of a message that reached an alert. Out: `Described`.
//! Never: runs per packet, or decides what is tracked (`rsip` knows neither compact names nor `tel:`).

use rsip::headers::{ToTypedHeader, UntypedHeader};
use rsip::message::{HasHeaders, HeadersExt};
use rsip::{Header, SipMessage, Uri};

/// A message in plain words. Text stands as on the wire: whoever prints it escapes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// A request's method; a response has none.
    pub method: Option<String>,
    /// A response's status code; a request has none.
    pub status: Option<u16>,
    /// Request-URI.
    pub request_uri: Option<String>,
    /// User part of the Request-URI.
    pub request_user: Option<String>,
    /// Call-ID.
    pub call_id: String,
    /// From.
    pub from: Party,
    /// To.
    pub to: Party,
    /// CSeq's number.
    pub cseq: u32,
    /// CSeq's method.
    pub cseq_method: String,
    /// User-Agent, or Server.
    pub user_agent: Option<String>,
}

/// Who a From or To header names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// Display name.
    pub name: Option<String>,
    /// URI.
    pub uri: String,
    /// User part of the URI.
    pub user: Option<String>,
    /// Tag.
    pub tag: Option<String>,
}

/// Describes one message; `None` if `rsip` doesn't take it for a complete one.
pub fn describe(payload: &[u8]) -> Option<Described> {
    let message = SipMessage::try_from(payload).ok()?;
    let from = message.from_header().ok()?.typed().ok()?;
    let to = message.to_header().ok()?.typed().ok()?;
    let cseq = message.cseq_header().ok()?.typed().ok()?;
    let mut told = Described {
        call_id: message.call_id_header().ok()?.value().to_owned(),
        from: party(&from.uri, from.display_name.clone(), from.tag().map(|tag| tag.value().to_owned())),
        to: party(&to.uri, to.display_name.clone(), to.tag().map(|tag| tag.value().to_owned())),
        cseq: cseq.seq,
        cseq_method: cseq.method.to_string(),
        user_agent: user_agent(&message),
        ..Described::default()
    };
    match message {
        SipMessage::Request(request) => {
            told.method = Some(request.method.to_string());
            told.request_user = request.uri.user().map(str::to_owned);
            told.request_uri = Some(request.uri.to_string());
        }
        SipMessage::Response(response) => told.status = Some(response.status_code.code()),
    }
    Some(told)
}

fn party(uri: &Uri, name: Option<String>, tag: Option<String>) -> Party {
    Party { name, uri: uri.to_string(), user: uri.user().map(str::to_owned), tag }
}

fn user_agent(message: &SipMessage) -> Option<String> {
    message.headers().iter().find_map(|header| match header {
        Header::UserAgent(agent) => Some(agent.value().to_owned()),
        Header::Server(server) => Some(server.value().to_owned()),
        _ => None,
    })
}
