//! What a leg is charged by in place of what it says itself: who asked for the call, whose forward it is, and who
//! outside places it through the office's PBX, with stolen credentials or because anybody may.
//!
//! In: a leg, and the call that it is a part of. Out: who is charged.
//! Never: charges a call that comes in and rings a handset.

use std::net::IpAddr;

use super::{Core, Tag, attempt};
use crate::bounded::SlotId;
use crate::calls::Tie;
use crate::decode::Path;
use crate::dial::{Class, Group, Leg};
use crate::fact::{CallState, Cause, Direction};
use crate::handsets::{Handsets, Said, Who};
use crate::sip::uri;
use crate::text::Text;
use crate::time::Timestamp;

/// What is known of a leg from those before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    /// The account that is charged in place of what the leg says itself; empty if there is none.
    pub(super) account: Text<32>,
    /// How it came about, if the leg doesn't say.
    pub(super) cause: Cause,
    /// Who asked for the call, and how.
    pub(super) asked: Option<(Who, Cause)>,
    /// From where outside it is placed.
    pub(super) outside: Option<IpAddr>,
}

impl Default for Origin {
    fn default() -> Self {
        Self { account: Text::default(), cause: Cause::Dialled, asked: None, outside: None }
    }
}

impl Core {
    /// What is known of a leg from those before it.
    pub(super) fn origin(&mut self, slot: SlotId, tie: Tie) -> Origin {
        match tie {
            Tie::Elsewhere => self.made_of().unwrap_or_default(),
            Tie::Leg => self.let_through(slot).or_else(|| self.dearer(slot)).unwrap_or_default(),
            Tie::Asked => {
                let call = self.calls.get(slot);
                let asked = call.and_then(|call| self.told.who_asked(call.no, call.dialled.as_bytes()));
                Origin { asked, ..Origin::default() }
            }
            Tie::None | Tie::Again | Tie::Back | Tie::Before => Origin::default(),
        }
    }

    /// Who is charged with what a PBX makes of a call to another number, if it doesn't say: whoever was called
    /// forwards it, but what is no handset's number is a code that the caller dialled.
    #[cold]
    fn made_of(&self) -> Option<Origin> {
        let first = self.calls.origin()?;
        let tag = first.tag.as_ref()?;
        let coded = tag.target.class == Class::Feature || tag.target.number.is_some();
        if tag.direction != Direction::Inbound && coded {
            // What only From says, a PBX that is known says better.
            let believed = tag.who.verified || !self.handsets.is_pbx(first.path.dst.ip());
            return believed.then_some(Origin { account: tag.who.user, ..Origin::default() });
        }
        let called = first.dialled.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        Some(Origin { account: Text::new(called), cause: Cause::Forwarded, ..Origin::default() })
    }

    /// A leg that the PBX sends on to the outside, for a call that came from there to the same number, if that
    /// had credentials or goes where it costs much: a call that comes in for the office has neither, though it
    /// may be passed on. The leg is judged in its place.
    fn let_through(&mut self, slot: SlotId) -> Option<Origin> {
        let first = self.calls.origin()?;
        let tag = first.tag.as_ref().filter(|tag| tag.direction == Direction::Inbound)?;
        let (account, outside) = (tag.username, first.path.src.ip());
        let call = self.calls.get(slot)?;
        let (src, dst) = (call.path.src.ip(), call.path.dst.ip());
        let handsets = &self.handsets;
        // A PBX in the cloud behind the office's own border gets what comes in for it.
        let to_pbx = handsets.is_pbx(dst) && !handsets.has_registered(src);
        let leaves = handsets.is_home(src)
            && !handsets.is_home(dst)
            && !to_pbx
            && !handsets.has_registered(dst)
            && is_same_number(&first.dialled, &call.dialled);
        let group = self.dial.classify(Leg::Trunk, call.dialled.as_bytes()).group;
        let dear = matches!(group, Group::Premium | Group::Risky);
        if !leaves || (account.is_empty() && !dear) {
            return None;
        }
        if let Some(tag) = self.calls.origin_mut().and_then(|first| first.tag.as_mut()) {
            tag.stood_for = true;
        }
        self.calls.stands_for_both(slot);
        Some(Origin { account, outside: Some(outside), ..Origin::default() })
    }

    /// A leg that goes where it costs, and the call that it seems to be a part of doesn't: anybody could say
    /// that the two belong together. It is judged beside that one.
    fn dearer(&mut self, slot: SlotId) -> Option<Origin> {
        let first = self.calls.origin()?;
        let before = first.tag.as_ref()?.target;
        let call = self.calls.get(slot)?;
        let to = self.dial.classify(Leg::Trunk, call.dialled.as_bytes());
        let same = match before.number {
            Some(_) => before.number == to.number,
            None => first.dialled.as_bytes().ends_with(call.dialled.as_bytes()),
        };
        if same || !costs(to.group) {
            return None;
        }
        self.calls.stands_alone(slot);
        Some(Origin::default())
    }

    /// The PBX lets the call go on, so it accepted the credentials.
    pub(super) fn proved(&mut self, slot: SlotId, now: Timestamp) {
        let Some(tag) = self.calls.tag_mut(slot) else { return };
        if tag.direction == Direction::Inbound {
            return self.got_through(slot, now);
        }
        let who = self.handsets.accepted(tag.username.as_bytes(), &tag.who, now);
        tag.username = Text::default();
        if who.id == tag.who.id {
            tag.who = who;
        } else {
            self.recharged(slot, who, now);
        }
    }

    /// The PBX let a call go on with credentials of another account than it was charged to.
    #[cold]
    fn recharged(&mut self, slot: SlotId, who: Who, now: Timestamp) {
        let Some(call) = self.calls.get(slot) else { return };
        let Some(old) = call.tag else { return };
        let tag = Tag { who, ..old };
        self.ledger.closed(attempt::row(&old));
        self.ledger.attempt(attempt::row(&tag), now);
        self.facts.call(&self.coverage, |fact| {
            attempt::write(fact, call, &tag, CallState::Attempted, now);
            fact.repeated = true;
        });
        self.calls.tag(slot, tag);
    }

    /// The PBX lets somebody outside go on who calls a number that costs, with credentials: nobody calls the
    /// office so.
    #[cold]
    pub(super) fn got_through(&mut self, slot: SlotId, now: Timestamp) {
        let Some(call) = self.calls.get(slot) else { return };
        let Some(old) = &call.tag else { return };
        let target = self.dial.classify(Leg::Handset, call.dialled.as_bytes());
        let account = old.username;
        // What rings a handset of the office has come in, whatever its number.
        let stays = self.calls.any_reaches(call.no, |ip| self.handsets.has_registered(ip));
        let charged = !stays && !old.stood_for && (costs(target.group) || target.group == Group::Suspect);
        let who = charged.then(|| {
            let who = who_behind(&mut self.handsets, &call.path, &account, now);
            Who { ip: call.path.src.ip(), mac: None, ..who }
        });
        if let Some(tag) = self.calls.tag_mut(slot) {
            tag.username = Text::default();
            if let Some(who) = who {
                (tag.who, tag.target, tag.direction) = (who, target, Direction::Outbound);
            }
        }
        if who.is_some() {
            self.charged_late(slot, now);
        }
    }

    /// A call that was counted when it came in is charged to somebody.
    fn charged_late(&mut self, slot: SlotId, now: Timestamp) {
        let Some(call) = self.calls.get(slot) else { return };
        let Some(tag) = &call.tag else { return };
        attempt::count_rows(&self.ledger, call, tag, [None; 2], now);
        self.facts.call(&self.coverage, |fact| {
            attempt::write(fact, call, tag, CallState::Attempted, now);
            // The challenge that came before is no answer.
            fact.code = 0;
        });
    }
}

/// Whether two dialled strings end in the same number.
fn is_same_number(one: &Text<40>, other: &Text<40>) -> bool {
    let [a, b] = [one, other].map(|dialled| uri::last_digits(dialled.as_bytes()));
    if a == 0 || b == 0 { one.as_bytes().ends_with(other.as_bytes()) } else { a == b }
}

/// Whether a call there costs more than one at home.
pub(super) const fn costs(group: Group) -> bool {
    matches!(group, Group::Premium | Group::Overseas | Group::Risky)
}

/// Who calls with an account's credentials: the account, wherever its calls come from, if it is one of a known
/// PBX; else whoever is at that address.
fn who_behind(handsets: &mut Handsets, path: &Path, account: &Text<32>, now: Timestamp) -> Who {
    let back = Path { src: path.dst, dst: path.src, src_mac: path.dst_mac, dst_mac: path.src_mac, ..*path };
    let path = if handsets.is_pbx(path.dst.ip()) { &back } else { path };
    let said = Said { account: account.as_bytes(), ..Said::default() };
    let sender = handsets.sender(path, &said, None, now);
    let mut who = handsets.who_is(&sender);
    attempt::name(&mut who, sender.named, &said);
    who
}
