//! What must hold for any payload; shared by the fuzz target and the test that replays its corpus.

use ringfence::sip::digest::{Challenge, Credentials};
use ringfence::sip::sniff::sniff;
use ringfence::sip::{Message, NameAddr, typed, uri};

/// Reading a message never panics, and every field lies inside the payload.
pub(super) fn check(data: &[u8]) {
    let _ = sniff(data);
    if let Ok(read) = Message::parse(data) {
        let all = data.as_ptr_range();
        for field in [
            read.call_id,
            read.from.name,
            read.from.uri,
            read.from.params,
            read.to.uri,
            read.to_tag,
            read.via,
            read.branch,
            read.contact,
            read.user_agent,
            read.credentials,
            read.challenge(),
            read.asserted(),
            read.diversion(),
            read.last_route(),
            read.body,
        ] {
            assert!(
                field.is_empty() || (all.contains(&field.as_ptr()) && field.as_ptr_range().end <= all.end)
            );
        }
        let _ = (NameAddr::parse(read.contact), NameAddr::parse(read.refer_to()));
        let _ = (Credentials::parse(read.credentials), Challenge::parse(read.challenge()));
        let _ = (uri::host(read.from.uri), uri::decoded_user(read.to.uri, &mut [0; uri::USER_MAX]));
    }
    let _ = typed::describe(data);
}
