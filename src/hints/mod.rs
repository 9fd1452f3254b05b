//! What a device says of itself.
//!
//! In: payloads of DHCP, LLDP, CDP, HTTP, SSDP, mDNS, DNS, TLS, TFTP, NAT-PMP and PCP, User-Agent
//! strings. Out: makes, models, firmware, names, addresses, each with its source.
//! Never: keeps payload.

mod bytes;
pub mod dhcp;
pub mod dns;
pub mod http;
pub mod lldp;
pub mod natpmp;
pub mod oui;
pub mod tftp;
pub mod tls_hello;
pub mod user_agent;

use crate::labels;
use crate::text::Text;

labels! {
    /// Where a hint comes from.
    pub enum Source {
        SipUserAgent = "sip_user_agent", "User-Agent or Server of a SIP message.";
        HttpUserAgent = "http_user_agent", "User-Agent of a provisioning request.";
        HttpServer = "http_server", "Server or realm of the device's own web page.";
        Dhcp = "dhcp", "DHCP: vendor class, host name, client id.";
        Lldp = "lldp", "LLDP, LLDP-MED.";
        Cdp = "cdp", "Cisco's discovery protocol.";
        Mdns = "mdns", "Multicast DNS.";
        Ssdp = "ssdp", "SSDP (UPnP discovery).";
        Banner = "banner", "The first words of telnet or SSH.";
        Arp = "arp", "ARP: an address and its hardware address.";
        Oui = "oui", "The maker's prefix of the hardware address.";
    }
}

labels! {
    /// How far a hint is to be believed.
    pub enum Confidence {
        Low = "low", "A prefix or a name that others may carry.";
        Medium = "medium", "The device says it, in a form that its owner may change.";
        High = "high", "The device says it in the maker's own form, or the registrar accepted it.";
    }
}

/// What a device says of itself: what it doesn't say is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The maker, as the files in `etc/` write it.
    pub vendor: Text<16>,
    /// The model, in the maker's own writing.
    pub model: Text<32>,
    /// The firmware, as it stands there.
    pub firmware: Text<32>,
    /// A name that its owner gave it.
    pub name: Text<32>,
    /// Whether it says that it is a telephone: LLDP-MED class III, a phone maker's vendor class,
    /// a phone's User-Agent.
    pub phone: bool,
}
