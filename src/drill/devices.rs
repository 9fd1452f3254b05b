//! What an office's handsets do and suffer besides calling: the weak office.
//!
//! In: the office, when it is watched. Out: frames that aren't SIP.
//! Never: a password that anybody uses.

use std::net::Ipv4Addr;

use super::intruders;
use super::kit::{Extra, Kit, Speaker};
use super::packet::End;
use super::rng::Rng;
use super::site::Site;
use super::weaknesses;
use crate::time::{Span, Timestamp};

/// What happens between two moments; the second one is the last.
pub(super) type Devices = fn(&Site, Timestamp, Timestamp, &mut Rng) -> Vec<Extra>;

const ROUTER: [u8; 6] = [0x74, 0x4d, 0x28, 0x10, 0x00, 0x01];
/// Somebody on the internet.
pub(super) const STRANGER: End = End { mac: ROUTER, ip: Ipv4Addr::new(192, 0, 2, 66), port: 44_321 };
/// Where configurations lie.
pub(super) const PROVISIONING: End = End { mac: ROUTER, ip: Ipv4Addr::new(203, 0, 113, 40), port: 80 };

pub(super) const ROUTER_END: End = End { mac: ROUTER, ip: Ipv4Addr::new(10, 0, 0, 1), port: 5_351 };
/// Nearest bridge (IEEE 802.1AB).
const LLDP: [u8; 6] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e];

/// Chassis, port, time to live, system description, end (IEEE 802.1AB section 8.4).
pub(super) fn lldp(mac: [u8; 6], description: &str) -> Vec<u8> {
    let mut frame = vec![0x02, 0x07, 0x04];
    frame.extend_from_slice(&mac);
    frame.extend_from_slice(&[0x04, 0x07, 0x03]);
    frame.extend_from_slice(&mac);
    frame.extend_from_slice(&[0x06, 0x02, 0x00, 0x78, 0x0c]);
    frame.push(u8::try_from(description.len()).unwrap_or(0));
    frame.extend_from_slice(description.as_bytes());
    frame.extend_from_slice(&[0, 0]);
    frame
}

/// A hardware address as file names have it.
pub(super) fn mac_name(mac: [u8; 6]) -> String {
    mac.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// When nobody calls any more, from midnight on.
const EVENING: Span = Span::hours(20);

/// Nothing but SIP.
pub(super) fn none(_: &Site, _: Timestamp, _: Timestamp, _: &mut Rng) -> Vec<Extra> {
    Vec::new()
}

/// An office with every weakness in it.
pub(super) fn weak(site: &Site, start: Timestamp, stop: Timestamp, rng: &mut Rng) -> Vec<Extra> {
    let mut kit = Kit::default();
    // Near the end, when it is known what is usual.
    let late = start.max(stop.minus(Span::days(3)));
    let mut at = late.plus(Span::minutes(3));
    for handset in site.handsets.iter().take(3) {
        let phone = handset.end.with_port(u16::try_from(rng.between(40_000, 60_000)).unwrap_or(50_000));
        // The phone fetches its configuration in clear.
        let mac = mac_name(handset.end.mac);
        let request = format!(
            "GET /{mac}.cfg HTTP/1.1\r\nHost: provisioning.example.com\r\nUser-Agent: {}\r\n\r\n",
            handset.make.agent
        );
        let body = "account.1.user_name = example\naccount.1.password = example\n";
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let said = [(Speaker::Client, request.as_bytes()), (Speaker::Server, answer.as_bytes())];
        at = kit.tcp(at, phone, PROVISIONING, &said).plus(Span::SECOND);
        // A stranger opens its web page, which asks nobody who he is.
        let request = "GET / HTTP/1.1\r\nHost: phone\r\n\r\n";
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let said = [(Speaker::Client, request.as_bytes()), (Speaker::Server, answer.as_bytes())];
        at = kit.tcp(at.plus(Span::MINUTE), STRANGER, handset.end.with_port(80), &said);
        at = at.plus(Span::MINUTE);
        // It asks the router to let the internet in (NAT-PMP, RFC 6886), and says by LLDP what it is.
        kit.udp(
            at,
            handset.end.with_port(5_350),
            ROUTER_END,
            &[0, 1, 0, 0, 0x13, 0xc4, 0x13, 0xc4, 0, 0, 0x1c, 0x20],
        );
        kit.ethernet(
            at.plus(Span::SECOND),
            handset.end.mac,
            LLDP,
            0x88cc,
            &lldp(handset.end.mac, handset.make.agent),
        );
    }
    // Telnet, and nobody hangs up.
    if let Some(handset) = site.handsets.get(3) {
        let greeting: &[u8] = b"login: ";
        kit.tcp_left_open(at, STRANGER, handset.end.with_port(23), &[(Speaker::Server, greeting)]);
        // It keeps a shell of somebody outside.
        let shell = End { port: 22, ..STRANGER };
        let said: [(Speaker, &[u8]); 2] =
            [(Speaker::Server, b"SSH-2.0-OpenSSH_9.2\r\n"), (Speaker::Client, b"SSH-2.0-dropbear\r\n")];
        kit.tcp_left_open(at.plus(Span::MINUTE), handset.end.with_port(49_000), shell, &said);
    }
    weaknesses::forgotten_phone(&mut kit, site, start, stop);
    weaknesses::all(&mut kit, site, at.plus(Span::minutes(5)), stop);
    kit.extras
}

/// A handset that speaks over TLS alone from its first evening on.
pub(super) fn hidden(site: &Site, start: Timestamp, stop: Timestamp, _: &mut Rng) -> Vec<Extra> {
    let mut kit = Kit::default();
    if let Some(handset) = site.handsets.first() {
        let server = site.pbx_end().with_port(5_061);
        kit.tls(start.plus(EVENING), handset.end.with_port(40_061), server, Span::minutes(5), stop);
    }
    kit.extras
}

/// Somebody on the internet searches the office for SIP devices, once.
pub(super) fn scanned(site: &Site, start: Timestamp, _: Timestamp, _: &mut Rng) -> Vec<Extra> {
    let mut kit = Kit::default();
    intruders::scan(&mut kit, site, start.plus(Span::hours(2)));
    kit.extras
}
