use super::*;
use crate::fact::sighting::{MappingBy, MappingSighting};
use TouchState::{Data, Ended, Established, Reset, Silent, Syn, SynAck, UdpReply, UdpRequest};

#[test]
fn three_packets_or_one_answer_or_one_sip_request_are_no_stray() {
    let mut stage = Stage::new();
    let phone = stage.handset(1);
    for n in 1..=3 {
        stage.touch(phone, knock(Proto::Udp, 40_000, UdpRequest));
        assert_eq!(stage.of(Check::UnsolicitedInbound).len(), usize::from(n == 3), "{n}");
    }
    assert_eq!(stage.worst(Check::UnsolicitedInbound), Some(Severity::Warning));
    stage.touch(phone, knock(Proto::Udp, 40_000, UdpReply));
    assert_eq!(stage.worst(Check::UnsolicitedInbound), Some(Severity::Critical));
    let (status, _) = stage.status(Check::UnsolicitedInbound);
    assert_eq!(status, Status::Finding);

    let mut stage = Stage::new();
    stage.sip(phone, exchange(address(STRANGER), "10.0.10.1:5060", SipStep::Request));
    assert_eq!(stage.worst(Check::UnsolicitedInbound), Some(Severity::Warning));
}

/// 20 ways in, each of which must be found: five transports and ports from four places.
#[test]
fn twenty_attacks_are_twenty_findings() {
    let mut found = 0;
    for (proto, port) in
        [(Proto::Udp, 5_060), (Proto::Udp, 161), (Proto::Tcp, 80), (Proto::Tcp, 23), (Proto::Udp, 30_000)]
    {
        for peer in ["198.51.100.66:1", "192.0.2.7:9", "[2001:db8::7]:443", "100.64.0.9:5060"] {
            let mut stage = Stage::new();
            let phone = stage.handset(1);
            for _ in 0..3 {
                let state = if proto == Proto::Udp { UdpRequest } else { Syn };
                stage.touch(phone, Touch { peer: address(peer), ..knock(proto, port, state) });
            }
            found += usize::from(stage.worst(Check::UnsolicitedInbound) == Some(Severity::Warning));
        }
    }
    assert_eq!(found, 20);
}

/// What the sensor has found to be invited, allowed or ours is none of it.
#[test]
fn invited_allowed_and_inner_traffic_is_silent() {
    let mut stage = Stage::new();
    let phone = stage.handset(1);
    let knocked = knock(Proto::Udp, 30_000, UdpReply);
    for touch in [
        Touch { unsolicited: false, ..knocked },
        Touch { zone: Zone::Pbx, unsolicited: false, ..knocked },
        Touch { zone: Zone::Home, ..knocked },
        Touch { way: Way::Outbound, ..knocked },
    ] {
        for _ in 0..10 {
            stage.touch(phone, touch);
        }
    }
    let server = Device { role: Role::Unknown, ..phone };
    stage.touch(server, knocked);
    assert_eq!(stage.of(Check::UnsolicitedInbound), []);
    assert_eq!(stage.status(Check::UnsolicitedInbound).0, Status::NotSeen);
}

#[test]
fn before_the_router_it_is_an_attempt() {
    let mut stage = Stage::new();
    let phone = stage.handset(1);
    for _ in 0..5 {
        stage.touch(phone, Touch { side: Side::Wan, ..knock(Proto::Udp, 5_060, UdpRequest) });
    }
    assert_eq!(stage.worst(Check::UnsolicitedInbound), Some(Severity::Info));
}

#[test]
fn a_ghost_call_is_critical_a_refused_one_a_warning() {
    let phone = Stage::new().handset(1);
    for (step, method, severity) in [
        (SipStep::Request, Method::Invite, Severity::Warning),
        (SipStep::Challenged, Method::Invite, Severity::Warning),
        (SipStep::Denied, Method::Options, Severity::Warning),
        (SipStep::Accepted, Method::Options, Severity::Warning),
        (SipStep::Ringing, Method::Invite, Severity::Critical),
        (SipStep::Accepted, Method::Invite, Severity::Critical),
    ] {
        let mut stage = Stage::new();
        let sip = SipSighting { method, ..exchange(address(STRANGER), "10.0.10.1:5060", step) };
        stage.sip(phone, sip);
        assert_eq!(stage.worst(Check::StrangerSip), Some(severity), "{method} {step}");
    }
    let mut stage = Stage::new();
    stage.sip(phone, exchange(address(PBX), "10.0.10.1:5060", SipStep::Accepted));
    assert_eq!(stage.of(Check::StrangerSip), []);
}

fn mapping(by: MappingBy, target: Role, external: u16, internal: u16) -> What {
    What::Mapping(MappingSighting {
        by,
        gateway: address("10.0.0.1:5351"),
        target: Some(IpAddr::from([10, 0, 10, 1])),
        target_role: target,
        proto: Some(Proto::Udp),
        external,
        internal,
        lease: 3_600,
        accepted: None,
        description: Text::default(),
    })
}

#[test]
fn holes_to_handsets_are_found_and_those_of_a_console_are_not() {
    let (phone, console) = {
        let phone = Stage::new().handset(1);
        (phone, Device { role: Role::Unknown, who: None, ..phone })
    };
    for (device, what, severity) in [
        (phone, mapping(MappingBy::Search, Role::Unknown, 0, 0), Some(Severity::Info)),
        (phone, mapping(MappingBy::NatPmp, Role::Handset, 5_060, 5_060), Some(Severity::Critical)),
        (console, mapping(MappingBy::Upnp, Role::Handset, 40_000, 80), Some(Severity::Critical)),
        (console, mapping(MappingBy::Pcp, Role::Unknown, 5_060, 5_060), Some(Severity::Critical)),
        (console, mapping(MappingBy::Upnp, Role::Unknown, 3_074, 3_074), None),
        (console, mapping(MappingBy::Search, Role::Unknown, 0, 0), None),
    ] {
        let mut stage = Stage::new();
        stage.see(device, what);
        assert_eq!(stage.worst(Check::OpenedPort), severity, "{what:?}");
    }
}

/// 12 services, each closed, open, filtered: 36 cases.
#[test]
fn thirty_six_back_doors() {
    let services: [(Proto, u16); 12] = [
        (Proto::Tcp, 22),
        (Proto::Tcp, 23),
        (Proto::Tcp, 80),
        (Proto::Tcp, 443),
        (Proto::Tcp, 8_080),
        (Proto::Tcp, 8_443),
        (Proto::Tcp, 7_547),
        (Proto::Tcp, 5_900),
        (Proto::Tcp, 3_389),
        (Proto::Tcp, 2_000),
        (Proto::Udp, 161),
        (Proto::Udp, 69),
    ];
    let mut cases = 0;
    for (proto, port) in services {
        let ask = if proto == Proto::Tcp { Syn } else { UdpRequest };
        let open: &[TouchState] =
            if proto == Proto::Tcp { &[SynAck, Established, Data, Ended] } else { &[UdpReply] };
        for (answers, severity) in
            [(&[Reset][..], Severity::Warning), (open, Severity::Critical), (&[Silent], Severity::Warning)]
        {
            let mut stage = Stage::new();
            let phone = stage.handset(1);
            stage.touch(phone, knock(proto, port, ask));
            answers.iter().for_each(|state| stage.touch(phone, knock(proto, port, *state)));
            assert_eq!(stage.worst(Check::BackdoorInbound), Some(severity), "{proto} {port} {answers:?}");
            let session =
                stage.of(Check::BackdoorInbound).iter().any(|(_, text)| text.contains("has a session"));
            assert!(!session || answers.contains(&Data));
            cases += 1;
        }
    }
    assert_eq!(cases, 36);
}

#[test]
fn the_support_provider_leaves_an_audit_line() {
    let mut stage = Stage::new();
    let phone = stage.handset(1);
    let visit = |state, hours| Touch {
        zone: Zone::Support,
        unsolicited: false,
        lasted: Span::hours(hours),
        ..knock(Proto::Tcp, 443, state)
    };
    for state in [Syn, SynAck, Established, Data, Ended] {
        stage.touch(phone, visit(state, 1));
    }
    assert_eq!(stage.of(Check::BackdoorInbound), []);
    let line = stage.told.last().unwrap();
    assert!(
        line.status == Status::Pass && line.sentence.contains("for 60 min, 200 bytes"),
        "{}",
        line.sentence
    );
    let audit = stage.posture.checklist(Sight { home: true, ..Sight::default() }, stage.now);
    assert_eq!(audit.rows.iter().find(|row| row.check == Check::BackdoorInbound).unwrap().audit.len(), 1);
    stage.touch(phone, visit(Ended, 5));
    assert_eq!(stage.worst(Check::BackdoorInbound), Some(Severity::Warning), "longer than four hours");
    let mut night = Stage::new();
    night.touch(phone, Touch { started: START.plus(Span::hours(12)), ..visit(Data, 0) });
    assert_eq!(night.worst(Check::BackdoorInbound), Some(Severity::Warning), "out of office hours");
}

#[test]
fn tunnels_page_and_new_peers_do_not() {
    let out = |proto, port, state, zone| Touch {
        way: Way::Outbound,
        zone,
        unsolicited: false,
        ..knock(proto, port, state)
    };
    for (touch, severity) in [
        (out(Proto::Tcp, 22, Established, Zone::Outside), Some(Severity::Warning)),
        (out(Proto::Udp, 1_194, UdpReply, Zone::Outside), Some(Severity::Warning)),
        (out(Proto::Udp, 51_820, UdpReply, Zone::Outside), Some(Severity::Warning)),
        (out(Proto::Tcp, 7_547, Data, Zone::Outside), Some(Severity::Warning)),
        (out(Proto::Tcp, 443, Established, Zone::Outside), Some(Severity::Info)),
        (out(Proto::Tcp, 443, Established, Zone::Provisioning), None),
        (out(Proto::Tcp, 22, Established, Zone::Support), None),
        (out(Proto::Tcp, 5_061, Established, Zone::Outside), None),
        (out(Proto::Udp, 20_000, UdpReply, Zone::Outside), None),
        (out(Proto::Tcp, 22, Syn, Zone::Outside), None),
    ] {
        let mut stage = Stage::new();
        let phone = stage.handset(1);
        stage.touch(phone, touch);
        assert_eq!(stage.worst(Check::BackdoorOutbound), severity, "{touch:?}");
    }
    let mut stage = Stage::new();
    let phone = stage.handset(1);
    let kept = Touch { lasted: Span::hours(8), ..out(Proto::Tcp, 443, TouchState::Lasting, Zone::Outside) };
    stage.touch(phone, kept);
    assert_eq!(stage.worst(Check::BackdoorOutbound), Some(Severity::Warning));
}

/// 30 days of 50 handsets that ask the same few clouds: at most one notice for each.
#[test]
fn a_month_of_ordinary_peers_is_one_notice_a_handset() {
    let mut stage = Stage::new();
    for _ in 0..30 {
        for n in 0..50 {
            let phone = stage.handset(n);
            for peer in ["192.0.2.80:443", "192.0.2.81:443", "192.0.2.82:80"] {
                let touch = Touch {
                    way: Way::Outbound,
                    unsolicited: false,
                    peer: address(peer),
                    ..knock(Proto::Tcp, 443, Established)
                };
                stage.touch(phone, touch);
            }
        }
        stage.after(Span::DAY);
    }
    assert_eq!(stage.of(Check::BackdoorOutbound).len(), 50);
    assert_eq!(stage.pages(), Vec::<&CheckFinding>::new());
}

/// ES2021-05: a ghost call's BYE or re-INVITE is challenged, over UDP and TCP: four of four.
#[test]
fn a_password_that_is_asked_for_by_a_stranger() {
    for method in [Method::Bye, Method::Invite] {
        for proto in [Proto::Udp, Proto::Tcp] {
            let mut stage = Stage::new();
            let phone = stage.handset(1);
            stage.sip(
                phone,
                SipSighting {
                    method: Method::Invite,
                    proto,
                    ..exchange(address(STRANGER), "10.0.10.1:5060", SipStep::Accepted)
                },
            );
            let asked =
                |step| SipSighting { method, proto, ..exchange(address("10.0.10.1:5060"), STRANGER, step) };
            stage.sip(phone, asked(SipStep::Challenged));
            assert_eq!(stage.worst(Check::DigestLeak), Some(Severity::Warning));
            stage.sip(phone, asked(SipStep::Credentials));
            assert_eq!(stage.worst(Check::DigestLeak), Some(Severity::Critical));
            let said = stage.of(Check::DigestLeak).last().unwrap().1.to_owned();
            assert!(said.contains("change this SIP password now"), "{said}");
        }
    }
}

/// Calls through a PBX that nobody configured and whose registrations weren't seen.
#[test]
fn ten_thousand_calls_through_an_unknown_pbx_are_no_leak() {
    let mut stage = Stage::new();
    for n in 0..10_000u32 {
        let phone = stage.handset(u16::try_from(n % 500).unwrap());
        let client = SocketAddr::new(phone.ip.unwrap(), 5_060);
        for step in [SipStep::Challenged, SipStep::Credentials, SipStep::Ringing, SipStep::Accepted] {
            stage.sip(
                phone,
                SipSighting { method: Method::Invite, ..exchange(client, "192.0.2.20:5060", step) },
            );
        }
    }
    assert_eq!(stage.of(Check::DigestLeak), []);
}

#[test]
fn a_second_proxy_next_to_the_registrar_is_the_providers() {
    let mut stage = Stage::new();
    stage.register(1);
    let phone = stage.handset(1);
    let ask = |server| SipSighting {
        method: Method::Invite,
        server_zone: Zone::Outside,
        ..exchange(address("10.0.10.1:5060"), server, SipStep::Challenged)
    };
    stage.sip(phone, ask("203.0.113.77:5060"));
    assert_eq!(stage.of(Check::DigestLeak), []);
    stage.sip(phone, ask("192.0.2.20:5060"));
    assert_eq!(stage.worst(Check::DigestLeak), Some(Severity::Warning));
}

/// 25 ports: what they are called, how they protect.
#[test]
fn twenty_five_open_ports() {
    use Severity::{Info, Warning};
    let rows: [(Proto, u16, Banner, Option<Severity>); 25] = [
        (Proto::Tcp, 21, Banner::Other, Some(Warning)),
        (Proto::Tcp, 22, Banner::Ssh, Some(Info)),
        (Proto::Tcp, 23, Banner::Telnet, Some(Warning)),
        (Proto::Tcp, 80, Banner::Http, Some(Warning)),
        (Proto::Tcp, 443, Banner::Tls, Some(Info)),
        (Proto::Tcp, 554, Banner::None, Some(Warning)),
        (Proto::Tcp, 2_000, Banner::None, None),
        (Proto::Tcp, 2_323, Banner::Telnet, Some(Warning)),
        (Proto::Tcp, 3_389, Banner::None, Some(Info)),
        (Proto::Tcp, 5_060, Banner::Sip, None),
        (Proto::Tcp, 5_061, Banner::Tls, None),
        (Proto::Tcp, 5_900, Banner::Vnc, Some(Warning)),
        (Proto::Tcp, 5_906, Banner::None, Some(Warning)),
        (Proto::Tcp, 7_547, Banner::Http, Some(Warning)),
        (Proto::Tcp, 8_000, Banner::None, Some(Warning)),
        (Proto::Tcp, 8_080, Banner::Http, Some(Warning)),
        (Proto::Tcp, 8_081, Banner::Http, Some(Warning)),
        (Proto::Tcp, 8_443, Banner::Tls, Some(Info)),
        (Proto::Tcp, 9_999, Banner::Other, Some(Info)),
        (Proto::Tcp, 2_222, Banner::Ssh, Some(Info)),
        (Proto::Udp, 69, Banner::None, Some(Warning)),
        (Proto::Udp, 161, Banner::None, Some(Warning)),
        (Proto::Udp, 623, Banner::None, Some(Warning)),
        (Proto::Udp, 5_060, Banner::Sip, None),
        (Proto::Udp, 30_000, Banner::None, None),
    ];
    for (proto, port, banner, severity) in rows {
        let mut stage = Stage::new();
        let phone = stage.handset(1);
        let state = if proto == Proto::Tcp { SynAck } else { UdpReply };
        stage.touch(
            phone,
            Touch { zone: Zone::Home, banner, unsolicited: false, ..knock(proto, port, state) },
        );
        assert_eq!(stage.worst(Check::ExposedInterface), severity, "{proto} {port}");
    }
    let mut stage = Stage::new();
    let phone = stage.handset(1);
    stage.touch(phone, knock(Proto::Tcp, 443, SynAck));
    assert_eq!(stage.worst(Check::ExposedInterface), Some(Severity::Critical), "to strangers");
}

/// A page that answered a stranger and then the administrator: the stranger is what stays to be read.
#[test]
fn the_most_urgent_evidence_stays() {
    let mut stage = Stage::new();
    let phone = stage.handset(1);
    for zone in [Zone::Outside, Zone::Home] {
        stage.touch(phone, Touch { zone, ..knock(Proto::Tcp, 80, SynAck) });
        stage.after(Span::HOUR);
    }
    let list = stage.posture.checklist(Sight { home: true, ..Sight::default() }, stage.now);
    let row = list.rows.iter().find(|row| row.check == Check::ExposedInterface).unwrap();
    let (finding, last) = &row.findings[0];
    assert_eq!((row.findings.len(), finding.severity), (1, Severity::Critical));
    assert!(finding.sentence.ends_with("even to strangers outside"), "{}", finding.sentence);
    assert!(*last > finding.first);
}

#[test]
fn a_refusal_proves_that_a_port_is_closed() {
    let mut stage = Stage::new();
    let phone = stage.handset(1);
    assert_eq!(stage.status(Check::ExposedInterface).0, Status::NotSeen);
    for state in [Syn, Reset] {
        stage.touch(phone, Touch { zone: Zone::Home, unsolicited: false, ..knock(Proto::Tcp, 23, state) });
    }
    assert_eq!(stage.status(Check::ExposedInterface).0, Status::Pass);
}
