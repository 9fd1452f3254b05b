//! What the sensor learnt that bears on the security of handsets.
//!
//! In: touches, SIP exchanges, hints. Out: `Sighting`.
//! Never: carries a password, a digest response, a cnonce or payload.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::decode::Mac;
use crate::handsets::Who;
use crate::hints::{Confidence, Identity, Source};
use crate::labels;
use crate::sip::Method;
use crate::text::Text;
use crate::time::Timestamp;
use crate::touches::{Proto, Touch, Way, Zone};

labels! {
    /// What a device on the office's side is, as far as the sensor knows when it tells.
    pub enum Role {
        Handset = "handset", "An account is registered from it.";
        Phone = "phone", "A phone by its hardware address or by what it says of itself; not known to be registered.";
        Pbx = "pbx", "A PBX or registrar.";
        Unknown = "unknown", "Neither.";
    }
}

/// A device on the office's side. What isn't known is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// What it is.
    pub role: Role,
    /// Its address.
    pub ip: Option<IpAddr>,
    /// Its hardware address, unless that is a router's.
    pub mac: Option<Mac>,
    /// Its VLAN.
    pub vlan: Option<u16>,
    /// Its entry among the handsets, if it has spoken SIP.
    pub who: Option<Who>,
}

labels! {
    /// A step of a SIP exchange that bears on security.
    pub enum SipStep {
        Request = "request", "A request without credentials; told for strangers only.";
        Credentials = "credentials", "A request with digest credentials; told where the server is not allowed, or the client a stranger.";
        Challenged = "challenged", "401 or 407 to a request without credentials, or with an old nonce.";
        Refused = "refused", "401, 407 or 403 to credentials for the latest nonce, without stale=true: a wrong password or account.";
        Denied = "denied", "Any other final refusal; the code tells.";
        Ringing = "ringing", "180 or 183: the handset rings.";
        Accepted = "accepted", "2xx.";
        Removed = "removed", "2xx to a REGISTER that takes the binding away (Expires: 0).";
    }
}

labels! {
    /// How SIP or HTTP credentials are given.
    pub enum Scheme {
        Digest = "digest", "Digest (RFC 7616).";
        Basic = "basic", "Basic (RFC 7617): the password in clear.";
        Form = "form", "A form: the password in clear.";
    }
}

/// A step of a SIP exchange. Ordinary exchanges of registered handsets with their PBX give only
/// the outcomes of REGISTER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SipSighting {
    /// Who asks.
    pub client: SocketAddr,
    /// Where that belongs.
    pub client_zone: Zone,
    /// Who is asked.
    pub server: SocketAddr,
    /// Where that belongs.
    pub server_zone: Zone,
    /// `Inbound` if the device is the server.
    pub way: Way,
    /// What carries it.
    pub proto: Proto,
    /// The first SIP that passed between the office and this peer was a request of the peer's:
    /// nobody here had called on it.
    pub peer_came_first: bool,
    /// What is asked for.
    pub method: Method,
    /// What happened.
    pub step: SipStep,
    /// The response's code; 0 for a request.
    pub code: u16,
    /// Steps of one Call-ID between the same two have the same number.
    pub exchange: u64,
    /// The account: the credentials' username, else the user that is registered or says to call.
    pub account: Text<32>,
    /// Who is called: the user of the Request-URI, of To for REGISTER.
    pub target: Text<32>,
    /// The realm of a challenge or of credentials.
    pub realm: Text<32>,
    /// User-Agent of whoever sent the message.
    pub agent: Text<64>,
    /// Expires in seconds, of an accepted REGISTER; else 0.
    pub expires: u32,
    /// From and To name the same user.
    pub same_user: bool,
    /// From or Contact names a host that can't be the sender's: 1.1.1.1, or a private address
    /// from outside.
    pub bogus_host: bool,
}

/// How a device proves its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MechanismSighting {
    /// To whom.
    pub peer: SocketAddr,
    /// Where that belongs.
    pub zone: Zone,
    /// Digest or Basic.
    pub scheme: Scheme,
    /// UDP or TCP, in clear: what is encrypted isn't seen.
    pub proto: Proto,
    /// The algorithm that was used, as written; empty is MD5.
    pub algorithm: Text<16>,
    /// The quality of protection that was used; empty is RFC 2069's way, without any.
    pub qop: Text<16>,
    /// The server offered a better algorithm than was used.
    pub downgrade: bool,
    /// A nonce was used again, and the count did not rise.
    pub nonce_reused: bool,
}

/// What a device says of itself, or what is said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HintSighting {
    /// Where it comes from.
    pub source: Source,
    /// How far to believe it.
    pub confidence: Confidence,
    /// What it says.
    pub identity: Identity,
    /// The VLAN that a switch tells phones to use (LLDP-MED network policy, CDP).
    pub voice_vlan: Option<u16>,
    /// The words themselves, cut: a User-Agent, a vendor class, a system description.
    pub raw: Text<128>,
}

labels! {
    /// How a log-in to a device's own pages went.
    pub enum LoginOutcome {
        Tried = "tried", "Credentials were sent; the answer isn't seen yet.";
        Accepted = "accepted", "200 or a redirect within 2 s.";
        Refused = "refused", "401 or 403.";
    }
}

/// Somebody logs in to a device's own web pages, in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginSighting {
    /// Who.
    pub client: SocketAddr,
    /// Where that belongs.
    pub zone: Zone,
    /// The device's port.
    pub port: u16,
    /// How.
    pub scheme: Scheme,
    /// The user name.
    pub account: Text<32>,
    /// The path, without its query.
    pub path: Text<48>,
    /// How it went.
    pub outcome: LoginOutcome,
}

labels! {
    /// How provisioning travels.
    pub enum ProvisioningBy {
        Tftp = "tftp", "TFTP: in clear.";
        Http = "http", "HTTP: in clear.";
        Https = "https", "HTTPS.";
        Ftp = "ftp", "FTP: in clear.";
        Other = "other", "Another scheme, or a bare name.";
    }
}

labels! {
    /// How the sensor knows of provisioning.
    pub enum ProvisioningStep {
        Advertised = "advertised", "DHCP names the server (options 43, 66, 160).";
        Asked = "asked", "The device asks for a file.";
        Served = "served", "The server sends it.";
    }
}

/// A device is told where its configuration is, or fetches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvisioningSighting {
    /// By what.
    pub by: ProvisioningBy,
    /// How far it has come.
    pub step: ProvisioningStep,
    /// From whom, where that is an address.
    pub server: Option<SocketAddr>,
    /// Where that belongs; `Outside` if there is no address.
    pub zone: Zone,
    /// The advertised place, or the path that was asked for, cut before its query.
    pub place: Text<96>,
}

labels! {
    /// How a hole in the router is asked for.
    pub enum MappingBy {
        Search = "search", "SSDP: M-SEARCH for an InternetGatewayDevice.";
        Upnp = "upnp", "SOAP: AddPortMapping or AddAnyPortMapping.";
        NatPmp = "nat_pmp", "NAT-PMP (RFC 6886), opcodes 1 and 2.";
        Pcp = "pcp", "PCP MAP (RFC 6887).";
    }
}

/// Somebody at home asks the router for a hole. The device is the one that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MappingSighting {
    /// How.
    pub by: MappingBy,
    /// Whom.
    pub gateway: SocketAddr,
    /// Which device the hole leads to.
    pub target: Option<IpAddr>,
    /// What `target` is.
    pub target_role: Role,
    /// TCP or UDP, where it says so.
    pub proto: Option<Proto>,
    /// The port outside; 0 = any or not said.
    pub external: u16,
    /// The port inside; 0 = all or not said.
    pub internal: u16,
    /// For how long, in seconds; 0 = for good or not said.
    pub lease: u32,
    /// Whether the router agreed; `None` while that isn't seen.
    pub accepted: Option<bool>,
    /// What the asker calls it.
    pub description: Text<32>,
}

/// A device reports to a server that manages it (TR-069, CWMP), in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManagedSighting {
    /// The server.
    pub server: SocketAddr,
    /// Where that belongs.
    pub zone: Zone,
    /// The path, without its query.
    pub path: Text<48>,
}

/// A device announces a service to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceSighting {
    /// Where it says so: mDNS, SSDP, LLDP.
    pub source: Source,
    /// The service: `_http._tcp`, `_sip._udp`, an SSDP target, an LLDP capability.
    pub name: Text<48>,
    /// Its port, where that's said.
    pub port: Option<u16>,
}

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A flow changed its state.
    Touch(Touch),
    /// A step of a SIP exchange.
    Sip(SipSighting),
    /// How a password is proved.
    Mechanism(MechanismSighting),
    /// What a device says of itself; told when it is new or has changed.
    Hint(HintSighting),
    /// A log-in to a device's pages.
    Login(LoginSighting),
    /// Where a configuration comes from.
    Provisioning(ProvisioningSighting),
    /// A hole in the router.
    Mapping(MappingSighting),
    /// A server that manages the device.
    Managed(ManagedSighting),
    /// An announced service.
    Service(ServiceSighting),
    /// The handset wrote a message or was written one (RFC 3428). At most once an hour.
    Wrote,
    /// The device is there: DHCP, ARP or LLDP showed it. At most once in 10 minutes.
    Present(Source),
}

/// Something that bears on a device's security.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// When.
    pub time: Timestamp,
    /// Which device of the office.
    pub device: Device,
    /// What.
    pub what: What,
}
