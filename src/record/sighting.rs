//! Sightings as JSON lines, for `--facts`.
//!
//! In: `Sighting`. Out: an object with `type` first. Never: decides.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::fact::sighting::{
    HintSighting, LoginSighting, ManagedSighting, MappingSighting, MechanismSighting, ProvisioningSighting,
    ServiceSighting, SipSighting,
};
use crate::fact::{Device, Sighting, What};
use crate::inventory::Entry;
use crate::text::Text;
use crate::time::Timestamp;
use crate::touches::Touch;

#[derive(Serialize)]
pub(super) struct SightingRecord {
    r#type: &'static str,
    time: String,
    device: Value,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl SightingRecord {
    pub(super) fn of(sighting: &Sighting) -> Self {
        let (kind, rest) = match &sighting.what {
            What::Touch(it) => ("touch", touch(it)),
            What::Sip(it) => ("sip", sip(it)),
            What::Mechanism(it) => ("mechanism", mechanism(it)),
            What::Hint(it) => ("hint", hint(it)),
            What::Login(it) => ("login", login(it)),
            What::Provisioning(it) => ("provisioning", provisioning(it)),
            What::Mapping(it) => ("mapping", mapping(it)),
            What::Managed(it) => ("managed", managed(it)),
            What::Service(it) => ("service", service(it)),
            What::Wrote => ("wrote", json!({})),
            What::Present(source) => ("present", json!({ "source": source.to_string() })),
        };
        let mut rest = if let Value::Object(rest) = rest { rest } else { Map::new() };
        // What isn't known or isn't so is left out: there are many of these lines.
        rest.retain(|_, value| !matches!(value, Value::Null | Value::Bool(false)));
        Self { r#type: kind, time: sighting.time.to_string(), device: device(&sighting.device), rest }
    }
}

/// A device of the inventory as a record: what isn't known is null. `name` is the configured one.
pub fn inventory(entry: &Entry, name: Option<&str>, now: Timestamp) -> Value {
    let user = text(&entry.account).or_else(|| entry.who.and_then(|who| text(&who.user)));
    let ip = entry.ip.map(|ip| ip.to_string());
    let mac = entry.mac.map(|mac| mac.to_string());
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "type": "handset",
        "handset": user.clone().or_else(|| ip.clone()).or_else(|| mac.clone()),
        "user": user,
        "name": name,
        "ip": ip,
        "mac": mac,
        "vendor": text(&entry.vendor.value),
        "vendor_confidence": entry.vendor.source.map(|_| entry.vendor.confidence.to_string()),
        "vendor_source": entry.vendor.source.map(|source| source.to_string()),
        "model": text(&entry.model.value),
        "model_confidence": entry.model.source.map(|_| entry.model.confidence.to_string()),
        "model_source": entry.model.source.map(|source| source.to_string()),
        "firmware": text(&entry.firmware.value),
        "firmware_confidence": entry.firmware.source.map(|_| entry.firmware.confidence.to_string()),
        "firmware_source": entry.firmware.source.map(|source| source.to_string()),
        "confidence": entry.vendor.source.map(|_| entry.firmware.confidence.max(entry.vendor.confidence).to_string()),
        "vlan": entry.vlan,
        "transport": entry.transport.map(|proto| proto.to_string()),
        "state": entry.state(now).to_string(),
        "first_seen": entry.first_seen.to_string(),
        "last_seen": entry.last_seen.to_string(),
        "last_call": time(entry.last_call),
        "last_registration": time(entry.last_registration),
    })
}

/// Absent rather than empty.
fn text<const N: usize>(text: &Text<N>) -> Option<String> {
    (!text.is_empty()).then(|| text.to_string())
}

fn device(device: &Device) -> Value {
    let mut value = json!({
        "role": device.role.to_string(),
        "user": device.who.and_then(|who| text(&who.user)),
        "ip": device.ip.map(|ip| ip.to_string()),
        "mac": device.mac.map(|mac| mac.to_string()),
        "vlan": device.vlan,
    });
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

fn touch(it: &Touch) -> Value {
    json!({
        "peer": it.peer.to_string(),
        "zone": it.zone.to_string(),
        "way": it.way.to_string(),
        "proto": it.proto.to_string(),
        "port": it.port,
        "state": it.state.to_string(),
        "unsolicited": it.unsolicited,
        "side": it.side.to_string(),
        "banner": it.banner.to_string(),
        "sent": it.sent,
        "received": it.received,
        "started": it.started.to_string(),
        "lasted_s": it.lasted.as_secs_f64(),
    })
}

fn sip(it: &SipSighting) -> Value {
    json!({
        "client": it.client.to_string(),
        "client_zone": it.client_zone.to_string(),
        "server": it.server.to_string(),
        "server_zone": it.server_zone.to_string(),
        "way": it.way.to_string(),
        "proto": it.proto.to_string(),
        "peer_came_first": it.peer_came_first,
        "method": it.method.to_string(),
        "step": it.step.to_string(),
        "code": it.code,
        "account": text(&it.account),
        "target": text(&it.target),
        "realm": text(&it.realm),
        "agent": text(&it.agent),
        "expires": it.expires,
        "same_user": it.same_user,
        "bogus_host": it.bogus_host,
    })
}

fn mechanism(it: &MechanismSighting) -> Value {
    json!({
        "peer": it.peer.to_string(),
        "zone": it.zone.to_string(),
        "scheme": it.scheme.to_string(),
        "proto": it.proto.to_string(),
        "algorithm": text(&it.algorithm),
        "qop": text(&it.qop),
        "downgrade": it.downgrade,
        "nonce_reused": it.nonce_reused,
    })
}

fn hint(it: &HintSighting) -> Value {
    json!({
        "source": it.source.to_string(),
        "confidence": it.confidence.to_string(),
        "vendor": text(&it.identity.vendor),
        "model": text(&it.identity.model),
        "firmware": text(&it.identity.firmware),
        "name": text(&it.identity.name),
        "phone": it.identity.phone,
        "voice_vlan": it.voice_vlan,
        "raw": text(&it.raw),
    })
}

fn login(it: &LoginSighting) -> Value {
    json!({
        "client": it.client.to_string(),
        "zone": it.zone.to_string(),
        "port": it.port,
        "scheme": it.scheme.to_string(),
        "account": text(&it.account),
        "path": text(&it.path),
        "outcome": it.outcome.to_string(),
    })
}

fn provisioning(it: &ProvisioningSighting) -> Value {
    json!({
        "by": it.by.to_string(),
        "step": it.step.to_string(),
        "server": it.server.map(|server| server.to_string()),
        "zone": it.zone.to_string(),
        "place": text(&it.place),
    })
}

fn mapping(it: &MappingSighting) -> Value {
    json!({
        "by": it.by.to_string(),
        "gateway": it.gateway.to_string(),
        "target": it.target.map(|target| target.to_string()),
        "target_role": it.target_role.to_string(),
        "proto": it.proto.map(|proto| proto.to_string()),
        "external": it.external,
        "internal": it.internal,
        "lease": it.lease,
        "accepted": it.accepted.map(|accepted| if accepted { "yes" } else { "no" }),
        "description": text(&it.description),
    })
}

fn managed(it: &ManagedSighting) -> Value {
    json!({ "server": it.server.to_string(), "zone": it.zone.to_string(), "path": text(&it.path) })
}

fn service(it: &ServiceSighting) -> Value {
    json!({ "source": it.source.to_string(), "name": text(&it.name), "port": it.port })
}
