//! Management services by port: what a handset may have left on.
//!
//! Sources: IANA service names and port numbers; TR-069 amendment 6 section 3.2.2 (7547); the list
//! of services in the provider's sheet.

use crate::touches::{Banner, Proto};

/// How a service protects what passes through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everything in clear: passwords, pages, keys pressed.
    Clear,
    /// Encrypted.
    Encrypted,
    /// Signalling: what a handset is for.
    Signalling,
    /// Nobody knows what it is.
    Unknown,
}

/// A service by its port, and if that says nothing by what it said first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// What people call it.
    pub name: &'static str,
    /// How it protects.
    pub kind: Kind,
}

const fn service(name: &'static str, kind: Kind) -> Service {
    Service { name, kind }
}

/// The service on a port.
pub const fn of(proto: Proto, port: u16, banner: Banner) -> Service {
    use Kind::{Clear, Encrypted, Signalling, Unknown};
    match (proto, port, banner) {
        // What it says beats what the port promises.
        (Proto::Tcp, _, Banner::Ssh) => service("SSH", Encrypted),
        (Proto::Tcp, _, Banner::Telnet) => service("telnet", Clear),
        (Proto::Tcp, 7547, Banner::Http) => service("TR-069 connection request", Clear),
        (Proto::Tcp, _, Banner::Http) => service("HTTP", Clear),
        (Proto::Tcp, _, Banner::Vnc) => service("VNC", Clear),
        (_, 5060 | 5061, _) | (_, _, Banner::Sip) => service("SIP", Signalling),
        (Proto::Tcp, _, Banner::Tls) => service("HTTPS or another page over TLS", Encrypted),
        (Proto::Tcp, 21, _) => service("FTP", Clear),
        (Proto::Tcp, 22, _) => service("SSH", Encrypted),
        (Proto::Tcp, 23 | 2323, _) => service("telnet", Clear),
        (Proto::Tcp, 80 | 8000 | 8080 | 8088, _) => service("HTTP", Clear),
        (Proto::Tcp, 443 | 8443, _) => service("HTTPS", Encrypted),
        (Proto::Tcp, 554, _) => service("RTSP", Clear),
        (Proto::Tcp, 2000, _) => service("SCCP", Signalling),
        (Proto::Tcp, 3389, _) => service("remote desktop", Encrypted),
        (Proto::Tcp, 5900..=5906, _) => service("VNC", Clear),
        (Proto::Tcp, 7547, _) => service("TR-069 connection request", Clear),
        (Proto::Udp, 69, _) => service("TFTP", Clear),
        (Proto::Udp, 161, _) => service("SNMP", Clear),
        (Proto::Udp, 623, _) => service("IPMI", Clear),
        (Proto::Udp, 5351, _) => service("NAT-PMP", Clear),
        _ => service("an unknown service", Unknown),
    }
}

/// Ports through which a handset is managed: somebody outside who opens one uses a back door.
pub const fn is_back_door(proto: Proto, port: u16) -> bool {
    match proto {
        Proto::Tcp => {
            matches!(port, 22 | 23 | 80 | 443 | 2000 | 3389 | 5061 | 5900..=5906 | 7547 | 8080 | 8443)
        }
        Proto::Udp => matches!(port, 69 | 161 | 623 | 5351),
    }
}

/// A tunnel or a remote shell that a handset opens, by the port at the other end.
pub const fn tunnel(proto: Proto, port: u16) -> Option<&'static str> {
    match (proto, port) {
        (Proto::Tcp, 22) => Some("SSH"),
        (_, 1194) => Some("OpenVPN"),
        (Proto::Tcp, 1723) => Some("PPTP"),
        (Proto::Udp, 500 | 4500) => Some("IPsec"),
        (Proto::Udp, 1701) => Some("L2TP"),
        (Proto::Udp, 51820) => Some("WireGuard"),
        (Proto::Tcp, 7547) => Some("TR-069"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_says_beats_its_port() {
        let name = |proto, port, banner| of(proto, port, banner).name;
        assert_eq!(name(Proto::Tcp, 80, Banner::None), "HTTP");
        assert_eq!(name(Proto::Tcp, 80, Banner::Ssh), "SSH");
        assert_eq!(name(Proto::Tcp, 8081, Banner::Http), "HTTP");
        assert_eq!(of(Proto::Tcp, 8081, Banner::None).kind, Kind::Unknown);
        assert_eq!(of(Proto::Udp, 5060, Banner::Sip).kind, Kind::Signalling);
        assert!(is_back_door(Proto::Tcp, 5903) && !is_back_door(Proto::Tcp, 5907));
        assert!(is_back_door(Proto::Udp, 161) && !is_back_door(Proto::Tcp, 161));
    }
}
