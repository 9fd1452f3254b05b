//! Headers that few messages have: where they stand is noted, and they are read when asked for.
//!
//! In: values, as the lines are met. Out: values.
//! Never: costs a message that has none more than the room for the places.

use super::Message;
use super::headers::Header;
use super::lex::{first_value, last_value, number, upto};

/// What is noted of a header; of most the first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Asserted,
    Preferred,
    RemoteParty,
    Diversion,
    History,
    /// The last line, if there are several.
    HistoryLast,
    ReferTo,
    ReferredBy,
    Replaces,
    SessionId,
    Charging,
    /// The last line.
    Route,
    Expires,
    WwwAuthenticate,
    ProxyAuthenticate,
    Challenge2,
    Challenge3,
}

const PLACES: usize = Place::Challenge3 as usize + 1;

/// Where a value stands in the text; no header stands at its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    begin: u16,
    length: u16,
}

/// Values in a text of at most 64 KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rare<'a> {
    text: &'a [u8],
    spans: [Span; PLACES],
}

impl<'a> Rare<'a> {
    #[inline(always)]
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, spans: [Span { begin: 0, length: 0 }; PLACES] }
    }

    /// Notes a value, which is a part of the text.
    pub(super) fn note(&mut self, place: Place, value: &[u8]) {
        let Some(span) = self.spans.get_mut(place as usize) else { return };
        let begin = value.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        let found = u16::try_from(begin).ok().zip(u16::try_from(value.len()).ok());
        let found = found.map(|(begin, length)| Span { begin, length });
        // Only an empty one can stand beyond 64 KiB, and anywhere is as good for that.
        *span = found.unwrap_or(Span { begin: 1, length: 0 });
    }

    /// The headers end there in the text.
    #[inline(always)]
    pub(super) fn end(&mut self, at: usize) {
        self.text = upto(self.text, at);
    }

    #[inline]
    fn span(&self, place: Place) -> Span {
        self.spans.get(place as usize).copied().unwrap_or_default()
    }

    /// Whether there is a value, though it be empty.
    #[inline]
    pub(super) fn has(&self, place: Place) -> bool {
        self.span(place) != Span::default()
    }

    /// A value; empty if there is none.
    #[inline]
    pub(super) fn get(&self, place: Place) -> &'a [u8] {
        let Span { begin, length } = self.span(place);
        let (begin, length) = (usize::from(begin), usize::from(length));
        self.text.get(begin..begin.wrapping_add(length)).unwrap_or_default()
    }

    /// Of two names for one thing the more telling one, wherever it stands.
    #[inline]
    fn rather(&self, this: Place, than: Place) -> &'a [u8] {
        self.get(if self.has(this) { this } else { than })
    }
}

impl Header {
    /// Where it is noted, if it is a rare one.
    pub(super) const fn place(self) -> Option<Place> {
        Some(match self {
            Self::AssertedIdentity => Place::Asserted,
            Self::PreferredIdentity => Place::Preferred,
            Self::RemotePartyId => Place::RemoteParty,
            Self::Diversion => Place::Diversion,
            Self::HistoryInfo => Place::History,
            Self::ReferTo => Place::ReferTo,
            Self::ReferredBy => Place::ReferredBy,
            Self::Replaces => Place::Replaces,
            Self::SessionId => Place::SessionId,
            Self::Charging => Place::Charging,
            Self::Route => Place::Route,
            Self::Expires => Place::Expires,
            Self::WwwAuthenticate => Place::WwwAuthenticate,
            Self::ProxyAuthenticate => Place::ProxyAuthenticate,
            _ => return None,
        })
    }
}

/// Values that are absent are empty.
impl<'a> Message<'a> {
    /// Start line and header lines.
    pub(super) const fn head(&self) -> &'a [u8] {
        self.rare.text
    }

    /// WWW-Authenticate, or Proxy-Authenticate if that is absent.
    pub fn challenge(&self) -> &'a [u8] {
        self.rare.rather(Place::WwwAuthenticate, Place::ProxyAuthenticate)
    }

    /// The same of another algorithm (RFC 8760 section 2.4), up to two more.
    pub fn more_challenges(&self) -> [&'a [u8]; 2] {
        [self.rare.get(Place::Challenge2), self.rare.get(Place::Challenge3)]
    }

    /// The first P-Asserted-Identity value (RFC 3325), or the Remote-Party-ID that older PBXs send in its
    /// place.
    #[inline]
    pub fn asserted(&self) -> &'a [u8] {
        first_value(self.rare.rather(Place::Asserted, Place::RemoteParty))
    }

    /// The first P-Preferred-Identity or Remote-Party-ID value.
    #[inline]
    pub fn preferred(&self) -> &'a [u8] {
        first_value(self.rare.rather(Place::Preferred, Place::RemoteParty))
    }

    /// The first Diversion value (RFC 5806): who diverted last.
    #[inline]
    pub fn diversion(&self) -> &'a [u8] {
        first_value(self.rare.get(Place::Diversion))
    }

    /// The first History-Info header's whole value (RFC 7044).
    #[inline]
    pub fn history(&self) -> &'a [u8] {
        self.rare.get(Place::History)
    }

    /// The value of the last History-Info line; the same as `history` if there is only one.
    #[inline]
    pub fn history_last(&self) -> &'a [u8] {
        self.rare.rather(Place::HistoryLast, Place::History)
    }

    /// Refer-To (RFC 3515).
    #[inline]
    pub fn refer_to(&self) -> &'a [u8] {
        self.rare.get(Place::ReferTo)
    }

    /// Referred-By (RFC 3892).
    pub fn referred_by(&self) -> &'a [u8] {
        self.rare.get(Place::ReferredBy)
    }

    /// Replaces (RFC 3891).
    #[inline]
    pub fn replaces(&self) -> &'a [u8] {
        self.rare.get(Place::Replaces)
    }

    /// Session-ID (RFC 7989).
    #[inline]
    pub fn session_id(&self) -> &'a [u8] {
        self.rare.get(Place::SessionId)
    }

    /// P-Charging-Vector (RFC 7315), or what some makers send for the same: it stays along the call.
    #[inline]
    pub fn charging(&self) -> &'a [u8] {
        self.rare.get(Place::Charging)
    }

    /// The last Route value, for strict routing (RFC 3261 section 16.4).
    #[inline]
    pub fn last_route(&self) -> &'a [u8] {
        if self.rare.has(Place::Route) { last_value(self.rare.get(Place::Route)) } else { &[] }
    }

    /// Expires in seconds.
    pub fn expires(&self) -> Option<u32> {
        number(self.rare.get(Place::Expires))
    }
}
