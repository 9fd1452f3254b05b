//! The weaknesses of handset security, one by one: how the office differs, what its devices do and suffer.
//!
//! In: the office, when it is watched. Out: a changed office; frames that aren't calls.
//! Never: a password that anybody uses.

use std::net::Ipv4Addr;

use super::devices::{PROVISIONING, ROUTER_END, STRANGER, lldp, mac_name};
use super::intruders;
use super::kit::{Extra, Kit, Speaker};
use super::packet::End;
use super::proof::Auth;
use super::rng::Rng;
use super::site::{Handset, Make, Role, Site};
use crate::time::{Span, Timestamp};

/// Changes an office before anything happens in it.
pub(super) type Setup = fn(&mut Site, &mut Rng);

/// The default user and password of many makers' pages (RFC 7617).
const DEFAULT_LOGIN: &str = "YWRtaW46YWRtaW4=";
/// Everybody, on this wire.
const BROADCAST: [u8; 6] = [0xff; 6];
const ARP: u16 = 0x0806;
const LLDP: u16 = 0x88cc;
/// Nearest bridge (IEEE 802.1AB).
const NEAREST: [u8; 6] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e];

/// A phone with holes that everybody knows of (CVE-2026-2329).
static OUTDATED: Make = Make {
    agent: "Grandstream GXP1625 1.0.7.13",
    oui: [0x00, 0x0b, 0x82],
    allow: "INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE, NOTIFY, INFO, REFER, UPDATE, MESSAGE",
    supported: "replaces, path, timer",
    address_in_call_id: true,
};

/// As it is.
pub(super) fn ordinary(_: &mut Site, _: &mut Rng) {}

/// SHA-256 with qop, long random passwords, every phone used.
pub(super) fn sound(site: &mut Site, rng: &mut Rng) {
    site.auth = Auth::Sha256;
    for handset in &mut site.handsets {
        handset.password = rng.hex(20);
        if handset.role == Role::Spare {
            handset.role = Role::Desk;
        }
    }
}

/// Sound first, if it isn't set up yet.
fn sound_unless(site: &mut Site, rng: &mut Rng) {
    if site.auth == Auth::Acted {
        sound(site, rng);
    }
}

/// The same, but the last phone is one that nobody uses.
pub(super) fn spare(site: &mut Site, rng: &mut Rng) {
    sound(site, rng);
    if let Some(last) = site.handsets.last_mut() {
        last.role = Role::Spare;
    }
}

/// Passwords are proved with MD5 and without qop.
pub(super) fn md5(site: &mut Site, rng: &mut Rng) {
    sound(site, rng);
    site.auth = Auth::Md5;
}

/// The first phone's password is its extension.
pub(super) fn guessable(site: &mut Site, rng: &mut Rng) {
    sound_unless(site, rng);
    if let Some(first) = site.handsets.first_mut() {
        first.password.clone_from(&first.user);
    }
}

/// The first phone's firmware is old.
pub(super) fn outdated(site: &mut Site, rng: &mut Rng) {
    sound_unless(site, rng);
    if let Some(first) = site.handsets.first_mut() {
        first.make = &OUTDATED;
        first.end.mac[..3].copy_from_slice(&OUTDATED.oui);
    }
}

/// The second phone is gone after eight days.
pub(super) fn gone(site: &mut Site, rng: &mut Rng) {
    sound_unless(site, rng);
    if let Some(second) = site.handsets.get_mut(1) {
        second.gone = Some(8);
    }
}

/// All of them.
pub(super) fn weak(site: &mut Site, rng: &mut Rng) {
    sound(site, rng);
    site.auth = Auth::Md5;
    for part in [outdated, guessable, gone] {
        part(site, rng);
    }
    if let Some(last) = site.handsets.last_mut() {
        last.role = Role::Spare;
    }
}

/// Six minutes on: what comes from outside before that might belong to what began unseen.
fn settled(start: Timestamp) -> Timestamp {
    start.plus(Span::minutes(6))
}

/// Plays a weakness from a moment on, in an office that is watched up to another.
type Part = fn(&mut Kit, &Site, Timestamp, Timestamp);

fn play(part: Part, site: &Site, start: Timestamp, stop: Timestamp) -> Vec<Extra> {
    let mut kit = Kit::default();
    part(&mut kit, site, settled(start), stop);
    kit.extras
}

/// One scenario's devices for each part.
macro_rules! devices {
    ($($name:ident: $part:expr;)+) => {
        $(pub(super) fn $name(site: &Site, start: Timestamp, stop: Timestamp, _: &mut Rng) -> Vec<Extra> {
            play($part, site, start, stop)
        })+
    };
}

devices! {
    unsolicited_inbound: strays;
    stranger_sip: ghost;
    opened_port: mapping;
    backdoor_inbound: intrusion;
    backdoor_outbound: tunnel;
    digest_leak: |kit, site, at, _| intruders::ghost_call(kit, site, at);
    default_web_password: default_login;
    exposed_interface: telnet;
    clear_provisioning: provisioning;
    outdated_firmware: announcement;
    unregistered_handset: forgotten_phone;
    scanner: |kit, site, at, _| { intruders::scan(kit, site, at); };
    brute_force: |kit, site, at, _| { intruders::guess(kit, site, at); };
    enumeration: |kit, site, at, _| { intruders::search(kit, site, at); };
    new_device: strange_device;
    none_found: nothing_wrong;
}

/// What every weakness of the weak office shows besides those of its set-up.
pub(super) fn all(kit: &mut Kit, site: &Site, start: Timestamp, stop: Timestamp) {
    let parts: [Part; 7] =
        [strays, ghost, default_login, telnet, announcement, strange_device, |kit, site, at, _| {
            intruders::all(kit, site, at);
        }];
    let mut at = settled(start);
    for part in parts {
        part(kit, site, at, stop);
        at = at.plus(Span::minutes(7));
    }
}

fn first(site: &Site) -> Option<&Handset> {
    site.handsets.first()
}

/// Three datagrams that nobody asked for, each from another port, as scanners send them.
fn strays(kit: &mut Kit, site: &Site, at: Timestamp, _: Timestamp) {
    let Some(handset) = first(site) else { return };
    for n in 0..3 {
        let at = at.plus(Span::seconds(n * 20));
        let from = STRANGER.with_port(44_321 + u16::try_from(n).unwrap_or(0));
        kit.udp(at, from, handset.end.with_port(4_000), b"is anybody there?");
    }
}

/// A call from nowhere rings.
fn ghost(kit: &mut Kit, site: &Site, at: Timestamp, _: Timestamp) {
    if let Some(handset) = first(site) {
        intruders::ring(kit, handset, at);
    }
}

/// The phone asks the router to let the internet in (NAT-PMP, RFC 6886), and the router does.
fn mapping(kit: &mut Kit, site: &Site, at: Timestamp, _: Timestamp) {
    let Some(handset) = first(site) else { return };
    let phone = handset.end.with_port(5_350);
    let ask = [0, 1, 0, 0, 0x13, 0xc4, 0x13, 0xc4, 0, 0, 0x1c, 0x20];
    let grant = [0, 129, 0, 0, 0, 0, 0, 9, 0x13, 0xc4, 0x13, 0xc4, 0, 0, 0x1c, 0x20];
    kit.udp(at, phone, ROUTER_END, &ask);
    kit.udp(at.plus(Span(3_000)), ROUTER_END, phone, &grant);
}

/// A stranger opens the phone's web page, which asks nobody who he is.
fn intrusion(kit: &mut Kit, site: &Site, at: Timestamp, _: Timestamp) {
    let Some(handset) = first(site) else { return };
    page(kit, at, STRANGER, handset, "");
}

fn page(kit: &mut Kit, at: Timestamp, from: End, handset: &Handset, more: &str) -> Timestamp {
    let request = format!("GET / HTTP/1.1\r\nHost: phone\r\n{more}\r\n");
    let said: [(Speaker, &[u8]); 2] = [
        (Speaker::Client, request.as_bytes()),
        (Speaker::Server, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    ];
    kit.tcp(at, from, handset.end.with_port(80), &said)
}

/// The phone keeps a shell of somebody outside.
fn tunnel(kit: &mut Kit, site: &Site, at: Timestamp, _: Timestamp) {
    let Some(handset) = first(site) else { return };
    let shell = STRANGER.with_port(22);
    let said: [(Speaker, &[u8]); 2] =
        [(Speaker::Server, b"SSH-2.0-OpenSSH_9.2\r\n"), (Speaker::Client, b"SSH-2.0-dropbear\r\n")];
    kit.tcp_left_open(at, handset.end.with_port(49_000), shell, &said);
}

/// The administrator's machine.
const ADMIN: End =
    End { mac: [0x3c, 0x52, 0x82, 0x44, 0x55, 0x66], ip: Ipv4Addr::new(10, 0, 3, 201), port: 50_321 };

/// The administrator logs in to the phone's page with its maker's default.
fn default_login(kit: &mut Kit, site: &Site, at: Timestamp, _: Timestamp) {
    if let Some(handset) = first(site) {
        page(kit, at, ADMIN, handset, &format!("Authorization: Basic {DEFAULT_LOGIN}\r\n"));
    }
}

/// Telnet answers within the office.
fn telnet(kit: &mut Kit, site: &Site, at: Timestamp, _: Timestamp) {
    let Some(handset) = first(site) else { return };
    let said: [(Speaker, &[u8]); 2] = [(Speaker::Server, b"\xff\xfb\x01login: "), (Speaker::Client, b"\r\n")];
    kit.tcp(at, ADMIN.with_port(50_400), handset.end.with_port(23), &said);
}

/// The phone fetches its configuration in clear.
fn provisioning(kit: &mut Kit, site: &Site, at: Timestamp, _: Timestamp) {
    let Some(handset) = first(site) else { return };
    let request = format!(
        "GET /{}.cfg HTTP/1.1\r\nHost: provisioning.example.com\r\nUser-Agent: {}\r\n\r\n",
        mac_name(handset.end.mac),
        handset.make.agent
    );
    let body = "account.1.user_name = example\naccount.1.password = example\n";
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let said = [(Speaker::Client, request.as_bytes()), (Speaker::Server, answer.as_bytes())];
    kit.tcp(at, handset.end.with_port(41_000), PROVISIONING, &said);
}

/// The phone says by LLDP what it is: a second source for what its User-Agent says.
fn announcement(kit: &mut Kit, site: &Site, at: Timestamp, _: Timestamp) {
    let Some(handset) = first(site) else { return };
    kit.ethernet(at, handset.end.mac, NEAREST, LLDP, &lldp(handset.end.mac, handset.make.agent));
}

/// A phone in a cupboard asks for an address and for its gateway, day after day, and registers nowhere.
pub(super) fn forgotten_phone(kit: &mut Kit, _: &Site, start: Timestamp, stop: Timestamp) {
    let phone = End { mac: [0x00, 0x15, 0x65, 0x77, 0x88, 0x99], ip: Ipv4Addr::new(10, 0, 3, 99), port: 68 };
    present(kit, phone, Span::hours(3), start, stop);
}

/// A phone that shows itself by DHCP and ARP now and then.
fn present(kit: &mut Kit, phone: End, every: Span, start: Timestamp, stop: Timestamp) {
    let mut at = start;
    while at < stop {
        let from = End { ip: Ipv4Addr::UNSPECIFIED, ..phone };
        let everybody = End { mac: BROADCAST, ip: Ipv4Addr::BROADCAST, port: 67 };
        kit.udp(at, from, everybody, &dhcp_request(phone));
        kit.ethernet(at.plus(Span::SECOND), phone.mac, BROADCAST, ARP, &arp(phone));
        at = at.plus(every);
    }
}

/// A request (RFC 2131 section 4.3.2) with vendor class and host name.
fn dhcp_request(phone: End) -> Vec<u8> {
    let mut message = vec![1, 1, 6, 0];
    message.extend_from_slice(&[0x52, 0x46, 0x00, phone.mac[5]]);
    message.resize(12, 0);
    message.extend_from_slice(&phone.ip.octets());
    message.resize(28, 0);
    message.extend_from_slice(&phone.mac);
    message.resize(236, 0);
    message.extend_from_slice(&[99, 130, 83, 99, 53, 1, 3]);
    for (code, value) in [(60, &b"yealink"[..]), (12, b"SIP-T46U")] {
        message.push(code);
        message.push(u8::try_from(value.len()).unwrap_or(0));
        message.extend_from_slice(value);
    }
    message.push(255);
    message
}

/// Who has the gateway (RFC 826)?
fn arp(phone: End) -> Vec<u8> {
    let mut ask = vec![0, 1, 8, 0, 6, 4, 0, 1];
    ask.extend_from_slice(&phone.mac);
    ask.extend_from_slice(&phone.ip.octets());
    ask.extend_from_slice(&[0; 6]);
    ask.extend_from_slice(&ROUTER_END.ip.octets());
    ask
}

/// After a day and a half the first account registers from a machine of another make, at another address,
/// and the password is right.
fn strange_device(kit: &mut Kit, site: &Site, start: Timestamp, _: Timestamp) {
    if let Some(handset) = first(site) {
        intruders::register(kit, site, handset, start.plus(Span::hours(36)));
    }
}

/// What devices do in an office where nothing is wrong: a port that is closed, phones that show themselves.
fn nothing_wrong(kit: &mut Kit, site: &Site, at: Timestamp, stop: Timestamp) {
    let Some(handset) = first(site) else { return };
    kit.tcp_refused(at, ADMIN, handset.end.with_port(23), true);
    announcement(kit, site, at.plus(Span::MINUTE), stop);
    for handset in site.handsets.iter().take(2) {
        present(kit, handset.end.with_port(68), Span::DAY, at.plus(Span::minutes(2)), stop);
    }
}
