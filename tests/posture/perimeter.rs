//! What comes in from outside, packet by packet: twenty attacks are twenty findings, a thousand ordinary
//! calls are none; holes that four makers' stacks ask for.

use std::net::SocketAddr;

use super::capture::{Capture, at};

pub(super) const CONFIG: &str = "[site]\npbx = [\"203.0.113.10\", \"2001:db8::10\"]\n";

/// An office whose phones registered, six minutes ago: nothing may belong to what began unseen.
pub(super) fn office(phones: &[SocketAddr]) -> Capture {
    let mut capture = Capture::new();
    for (n, phone) in phones.iter().enumerate() {
        capture.registers(*phone, pbx(*phone), &format!("2{n:02}"));
    }
    capture.after(360.0);
    capture
}

fn pbx(phone: SocketAddr) -> SocketAddr {
    at(if phone.is_ipv4() { "203.0.113.10:5060" } else { "[2001:db8::10]:5060" })
}

pub(super) fn port(end: SocketAddr, port: u16) -> SocketAddr {
    SocketAddr::new(end.ip(), port)
}

#[test]
fn twenty_attacks_are_twenty_findings() {
    let mut missed = Vec::new();
    for (proto, asked) in [("udp", 5_060), ("udp", 161), ("tcp", 80), ("tcp", 23), ("udp", 30_000)] {
        for peer in ["198.51.100.66:1024", "192.0.2.7:5060", "[2001:db8:1::7]:443", "100.64.0.9:4000"] {
            let peer = at(peer);
            let phone = at(if peer.is_ipv4() { "10.0.3.17:5060" } else { "[fd00::17]:5060" });
            let mut capture = office(&[phone]);
            // One SIP request is enough; of anything else it takes three packets, be they of one port.
            for n in 0..if asked == 5_060 { 1 } else { 3 } {
                match proto {
                    "tcp" => capture.segment(port(peer, 40_000 + n), port(phone, asked), "S", 1, b""),
                    _ if asked == 5_060 => capture.udp(peer, phone, options(peer, phone)),
                    _ => capture.udp(peer, port(phone, asked), b"knock"),
                }
                capture.after(2.0);
            }
            let found = capture.findings(CONFIG);
            let pages =
                found.iter().any(|(check, severity, _)| check == "unsolicited_inbound" && severity != "info");
            if !pages {
                missed.push((proto, asked, peer, found));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn two_strays_are_no_finding() {
    let phone = at("10.0.3.17:5060");
    let mut capture = office(&[phone]);
    for _ in 0..2 {
        capture.udp(at("198.51.100.66:1024"), port(phone, 30_000), b"stray");
        capture.after(20.0);
    }
    assert_eq!(capture.findings(CONFIG), []);
}

fn options(from: SocketAddr, to: SocketAddr) -> String {
    format!(
        "OPTIONS sip:100@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKx\r\nFrom: <sip:a@{from}>;tag=1\r\n\
         To: <sip:100@{to}>\r\nCall-ID: scan\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
}

/// What of a call differs from call to call.
struct Call {
    n: usize,
    phone: SocketAddr,
}

impl Call {
    fn message(
        &self,
        first: &str,
        cseq: &str,
        from_phone: bool,
        to_tag: bool,
        media: Option<SocketAddr>,
    ) -> String {
        let (phone, n) = (self.phone, self.n);
        let (host, pbx) = (phone.ip(), pbx(phone));
        let host = if phone.is_ipv4() { host.to_string() } else { format!("[{host}]") };
        let contact = if from_phone { phone } else { pbx };
        let body = media.map_or_else(String::new, |media| {
            let kind = if media.is_ipv4() { "IP4" } else { "IP6" };
            format!(
                "v=0\r\no=- 1 1 IN {kind} {0}\r\ns=-\r\nc=IN {kind} {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 8\r\n",
                media.ip(),
                media.port()
            )
        });
        let tag = if to_tag { ";tag=far" } else { "" };
        format!(
            "{first}\r\nVia: SIP/2.0/UDP {phone};branch=z9hG4bK{n}{}\r\nFrom: <sip:200@pbx>;tag=t{n}\r\nTo: <sip:301@pbx>{tag}\r\n\
             Call-ID: c{n}@{host}\r\nCSeq: {cseq}\r\nContact: <sip:301@{contact}>\r\n{}Content-Length: {}\r\n\r\n{body}",
            cseq.replace(' ', ""),
            if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" },
            body.len()
        )
    }

    /// Media flow straight from a server that the PBX names, before the phone has sent anything there,
    /// and then from the other party's own address.
    fn play(&self, capture: &mut Capture) {
        let (phone, pbx) = (self.phone, pbx(self.phone));
        let v4 = phone.is_ipv4();
        let [server, party, stun] = if v4 {
            ["203.0.113.50:20000", "192.0.2.77:31000", "198.51.100.3:3478"]
        } else {
            ["[2001:db8::50]:20000", "[2001:db8:2::77]:31000", "[2001:db8:3::3]:3478"]
        }
        .map(at);
        let own = port(phone, 12_000 + u16::try_from(self.n % 500).unwrap() * 2);
        let rtp = |marker: u8| [&[0x80, 8, 0, marker, 0, 0, 0, 1, 0, 0, 0, 7][..], &[0xd5; 160]].concat();
        // The phone asks a STUN server where it is, and is answered.
        capture.udp(own, stun, [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat());
        capture.udp(stun, own, [&[1, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat());
        capture.udp(
            phone,
            pbx,
            self.message("INVITE sip:301@pbx SIP/2.0", "1 INVITE", true, false, Some(own)),
        );
        capture.udp(pbx, phone, self.message("SIP/2.0 180 Ringing", "1 INVITE", false, true, None));
        capture.udp(pbx, phone, self.message("SIP/2.0 200 OK", "1 INVITE", false, true, Some(server)));
        capture.udp(phone, pbx, self.message("ACK sip:301@pbx SIP/2.0", "1 ACK", true, true, None));
        for k in 0..4 {
            capture.udp(server, own, rtp(k));
        }
        capture.udp(own, server, rtp(9));
        capture.udp(
            pbx,
            phone,
            self.message("INVITE sip:200@phone SIP/2.0", "2 INVITE", false, true, Some(party)),
        );
        capture.udp(phone, pbx, self.message("SIP/2.0 200 OK", "2 INVITE", true, true, Some(own)));
        capture.udp(pbx, phone, self.message("ACK sip:200@phone SIP/2.0", "2 ACK", false, true, None));
        for k in 0..4 {
            capture.udp(party, own, rtp(k));
        }
        // RTCP beside it.
        capture.udp(port(party, party.port() + 1), port(own, own.port() + 1), [0x81, 200, 0, 6, 0, 0, 0, 1]);
        capture.udp(phone, pbx, self.message("BYE sip:301@pbx SIP/2.0", "3 BYE", true, true, None));
        capture.udp(pbx, phone, self.message("SIP/2.0 200 OK", "3 BYE", false, true, None));
        // What was on its way still arrives.
        capture.udp(party, own, rtp(5));
    }
}

#[test]
fn a_thousand_ordinary_calls_are_no_finding() {
    let phones: Vec<SocketAddr> = (1..=20)
        .map(|n| at(&if n % 4 == 0 { format!("[fd00::{n}]:5060") } else { format!("10.0.3.{n}:5060") }))
        .collect();
    let mut capture = office(&phones);
    for n in 0..1_000 {
        Call { n, phone: phones[n % phones.len()] }.play(&mut capture);
        capture.after(1.0);
    }
    let records = capture.replay(CONFIG);
    let summary = records.iter().find(|record| record["type"] == "summary").unwrap();
    assert_eq!(summary["attempts"], 1_000, "{summary}");
    let found: Vec<_> = records
        .iter()
        .filter(|record| record["type"] == "finding" && record["status"] == "finding")
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

/// The same hole in the words of four stacks: prefixed arguments, attributes, CDATA, another order, a header
/// in small letters and without quotes.
#[test]
fn holes_in_four_makers_words() {
    let action = |soap: &str, body: &str| {
        format!(
            "POST /upnp/control HTTP/1.1\r\nHost: 10.0.3.1:5000\r\n{soap}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let name = "urn:schemas-upnp-org:service:WANIPConnection:1#AddPortMapping";
    let requests = [
        // miniupnpc
        action(
            &format!("SOAPAction: \"{name}\""),
            "<?xml version=\"1.0\"?>\r\n<s:Envelope><s:Body><u:AddPortMapping xmlns:u=\"urn:x\"><NewRemoteHost></NewRemoteHost>\
             <NewExternalPort>5060</NewExternalPort><NewProtocol>UDP</NewProtocol><NewInternalPort>5060</NewInternalPort>\
             <NewInternalClient>10.0.3.17</NewInternalClient></u:AddPortMapping></s:Body></s:Envelope>",
        ),
        // Windows: data types as attributes
        action(
            &format!("SOAPAction:\"{name}\""),
            "<SOAP-ENV:Envelope><SOAP-ENV:Body><m:AddPortMapping xmlns:m=\"urn:x\">\
             <NewExternalPort xmlns:dt=\"urn:d\" dt:dt=\"ui2\">5060</NewExternalPort>\
             <NewInternalPort xmlns:dt=\"urn:d\" dt:dt=\"ui2\">5060</NewInternalPort>\
             <NewInternalClient xmlns:dt=\"urn:d\" dt:dt=\"string\">10.0.3.17</NewInternalClient></m:AddPortMapping>",
        ),
        // prefixed arguments, white space, another order, a header in small letters
        action(
            &format!("soapaction: {name}"),
            "<s:Envelope>\n<s:Body>\n<u:AddPortMapping>\n<u:NewInternalClient> 10.0.3.17 </u:NewInternalClient>\n\
             <u:NewInternalPort>5060</u:NewInternalPort>\n<u:NewExternalPort>\n5060\n</u:NewExternalPort>\n</u:AddPortMapping>",
        ),
        // IGD:2, CDATA
        action(
            "SOAPACTION: \"urn:schemas-upnp-org:service:WANIPConnection:2#AddAnyPortMapping\"",
            "<s:Envelope><s:Body><u:AddAnyPortMapping><NewExternalPort>5060</NewExternalPort><NewInternalPort>5060</NewInternalPort>\
             <NewInternalClient><![CDATA[10.0.3.17]]></NewInternalClient></u:AddAnyPortMapping></s:Body></s:Envelope>",
        ),
    ];
    let phone = at("10.0.3.17:5060");
    for (n, request) in requests.iter().enumerate() {
        let mut capture = office(&[phone]);
        capture.tcp(
            port(phone, 40_000),
            at("10.0.3.1:5000"),
            request,
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        );
        let found = capture.findings(CONFIG);
        let hole = found.iter().find(|(check, ..)| check == "opened_port");
        let (_, severity, said) = hole.unwrap_or_else(|| panic!("{n}: {found:?}"));
        assert!(severity == "critical" && said.contains("port 5060 to 10.0.3.17:5060"), "{n}: {said}");
    }
}

/// A call through the PBX, which a proxy of the provider's, at another address, ends.
fn ended_by_a_proxy(record_route: &str) -> Vec<(String, String, String)> {
    let (phone, proxy) = (at("10.0.3.17:5060"), at("192.0.2.55:5060"));
    let mut capture = office(&[phone]);
    let head = |cseq: &str, to: &str, more: &str| {
        format!(
            "Via: SIP/2.0/UDP h;branch=z9hG4bK{0}\r\nFrom: <sip:200@pbx>;tag=f\r\nTo: <sip:301@pbx>{to}\r\nCall-ID: routed\r\n\
             CSeq: {cseq}\r\n{more}Content-Length: 0\r\n\r\n",
            cseq.replace(' ', "")
        )
    };
    let own = "Contact: <sip:200@10.0.3.17:5060>\r\n";
    let theirs = format!("{record_route}Contact: <sip:301@203.0.113.10:5060>\r\n");
    capture.udp(phone, pbx(phone), format!("INVITE sip:301@pbx SIP/2.0\r\n{}", head("1 INVITE", "", own)));
    capture.udp(pbx(phone), phone, format!("SIP/2.0 200 OK\r\n{}", head("1 INVITE", ";tag=t", &theirs)));
    capture.udp(phone, pbx(phone), format!("ACK sip:301@pbx SIP/2.0\r\n{}", head("1 ACK", ";tag=t", "")));
    capture.after(20.0);
    let bye = "BYE sip:200@10.0.3.17 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.55;branch=z9hG4bKbye\r\nFrom: <sip:301@pbx>;tag=t\r\n\
               To: <sip:200@pbx>;tag=f\r\nCall-ID: routed\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n";
    capture.udp(proxy, phone, bye);
    capture.udp(phone, proxy, bye.replacen("BYE sip:200@10.0.3.17 SIP/2.0", "SIP/2.0 200 OK", 1));
    capture.findings(CONFIG)
}

#[test]
fn a_proxy_that_the_pbx_has_record_routed_is_no_stranger() {
    assert_eq!(ended_by_a_proxy("Record-Route: <sip:192.0.2.55;lr>\r\n"), []);
    let found = ended_by_a_proxy("");
    let stranger = |check: &str| found.iter().any(|(found, ..)| found == check);
    assert!(stranger("stranger_sip") && stranger("unsolicited_inbound"), "{found:?}");
}

/// The mirror shows only what goes to the phones: answers to questions that nobody saw are no strays, and the
/// check says that it can't see.
#[test]
fn a_mirror_of_one_direction_has_no_strays_and_says_so() {
    let phone = at("10.0.3.17:5060");
    let mut whole = office(&[]);
    for n in 0..20 {
        whole.registers(phone, pbx(phone), "200");
        for server in ["192.0.2.123:123", "192.0.2.53:53"] {
            whole.udp(port(phone, 30_000 + n), at(server), b"question");
            whole.udp(at(server), port(phone, 30_000 + n), b"answer");
        }
        whole.after(30.0);
    }
    for (capture, status) in [(&whole, "not_seen"), (&whole.only_to(phone.ip()), "cannot_see")] {
        let records = capture.replay(CONFIG);
        let found: Vec<_> = records
            .iter()
            .filter(|record| record["type"] == "finding" && record["status"] == "finding")
            .collect();
        assert!(found.is_empty(), "{found:?}");
        let summary = records.iter().find(|record| record["type"] == "summary").unwrap();
        assert_eq!(summary["posture"]["unsolicited_inbound"], status);
    }
}
