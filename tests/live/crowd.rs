//! Many phones, many flaps: what an office does all day, compressed.

use std::io::Write;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use etherparse::PacketBuilder;

use super::net::{Daemon, Net, fixture, lacks};

const TOOLS: [&str; 4] = ["ip", "tcpreplay", "sysctl", "kill"];
const RECEIVED: &str = "ringfence_capture_received_packets_total{interface=\"va\"}";
pub(crate) const PHONES: u16 = 500;
const HOURS: u32 = 24;

/// A capture file that is written frame by frame.
pub(crate) struct Capture(std::io::BufWriter<std::fs::File>);

impl Capture {
    pub(crate) fn new(path: &Path) -> Self {
        let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
        let header = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1];
        header.iter().for_each(|word| out.write_all(&word.to_le_bytes()).unwrap());
        Self(out)
    }

    pub(crate) fn udp(&mut self, from: ([u8; 6], Ipv4Addr), to: ([u8; 6], Ipv4Addr), text: &str) {
        let builder = PacketBuilder::ethernet2(from.0, to.0);
        let builder = builder.ipv4(from.1.octets(), to.1.octets(), 64).udp(5_060, 5_060);
        let mut frame = Vec::new();
        builder.write(&mut frame, text.as_bytes()).unwrap();
        self.frame(&frame);
    }

    /// A TCP segment; `flags` of S, A and F.
    pub(crate) fn tcp(
        &mut self,
        from: ([u8; 6], Ipv4Addr, u16),
        to: ([u8; 6], Ipv4Addr, u16),
        flags: &str,
        seq: u32,
        text: &str,
    ) {
        let builder = PacketBuilder::ethernet2(from.0, to.0).ipv4(from.1.octets(), to.1.octets(), 64);
        let mut builder = builder.tcp(from.2, to.2, seq, 8_192);
        for flag in flags.chars() {
            builder = match flag {
                'S' => builder.syn(),
                'A' => builder.ack(1),
                _ => builder.fin(),
            };
        }
        let mut frame = Vec::new();
        builder.write(&mut frame, text.as_bytes()).unwrap();
        self.frame(&frame);
    }

    pub(crate) fn frame(&mut self, frame: &[u8]) {
        let length = u32::try_from(frame.len()).unwrap();
        [0, 0, length, length].iter().for_each(|word| self.0.write_all(&word.to_le_bytes()).unwrap());
        self.0.write_all(frame).unwrap();
    }
}

/// Where a phone is.
pub(crate) fn phone(n: u16) -> ([u8; 6], Ipv4Addr) {
    let [high, low] = n.to_be_bytes();
    ([0x00, 0x15, 0x65, 0x10, high, low], Ipv4Addr::new(10, 1, high + 1, low))
}

/// Every phone registers each hour, is asked for its password each time, and proves it.
pub(crate) fn registrations(capture: &mut Capture, hours: u32) -> u64 {
    let pbx = ([2, 0, 0, 0, 1, 2], Ipv4Addr::new(10, 0, 3, 2));
    for hour in 0..hours {
        for n in 0..PHONES {
            let phone = phone(n);
            let (user, ip, mac) = (2_000 + n, phone.1, phone.0);
            let mut cseq = hour * 2;
            let mut head = |start: &str| {
                format!(
                    "{start}\r\nVia: SIP/2.0/UDP {ip}:5060;branch=z9hG4bK{user}x{cseq}\r\n\
                     From: <sip:{user}@office>;tag=f{user}\r\nTo: <sip:{user}@office>\r\n\
                     Call-ID: {user}@{}\r\nCSeq: {} REGISTER\r\n",
                    mac[5],
                    {
                        cseq += u32::from(start.starts_with("REGISTER"));
                        cseq
                    }
                )
            };
            let more = format!(
                "Contact: <sip:{user}@{ip}:5060>\r\nUser-Agent: Yealink SIP-T46S 66.86.0.15\r\n\
                                Expires: 3600\r\nMax-Forwards: 70\r\n"
            );
            let nonce = format!("{hour:08x}{user:08x}");
            let end = "Content-Length: 0\r\n\r\n";
            let register = "REGISTER sip:office SIP/2.0";
            let ask = head(register);
            let asked = head("SIP/2.0 401 Unauthorized");
            let prove = head(register);
            let proved = head("SIP/2.0 200 OK");
            capture.udp(phone, pbx, &format!("{ask}{more}{end}"));
            let challenge =
                format!("WWW-Authenticate: Digest realm=\"office\", nonce=\"{nonce}\", qop=\"auth\"\r\n");
            capture.udp(pbx, phone, &format!("{asked}{challenge}{end}"));
            let proof = format!(
                "Authorization: Digest username=\"{user}\", realm=\"office\", nonce=\"{nonce}\", uri=\"sip:office\", \
                 response=\"{:032x}\", cnonce=\"c{n}\", nc=00000001, qop=auth, algorithm=MD5\r\n",
                u64::from(hour) << 32 | u64::from(n)
            );
            capture.udp(phone, pbx, &format!("{prove}{more}{proof}{end}"));
            let contact = format!("Contact: <sip:{user}@{ip}:5060>;expires=3600\r\n");
            capture.udp(pbx, phone, &format!("{proved}{contact}{end}"));
        }
    }
    u64::from(hours) * u64::from(PHONES) * 4
}

pub(crate) fn files(daemon: &Daemon<'_>) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", daemon.child.id())).unwrap().count()
}

#[test]
fn five_hundred_phones_registering_all_day_page_nobody_and_leak_nothing() {
    if lacks(&TOOLS) {
        return;
    }
    let net = Net::new();
    net.cable("va", "vb");
    let folder = tempfile::tempdir().unwrap();
    let day = folder.path().join("day.pcap");
    let frames = registrations(&mut Capture::new(&day), HOURS);
    let daemon = Daemon::start(&net, "[capture]\ninterfaces = [\"va\"]\n[site]\npbx = [\"10.0.3.2\"]\n");
    let mut seen = Vec::new();
    for days in 1..=3 {
        let sent = net.replay("vb", &["--pps=8000"], &day);
        assert_eq!(sent, frames);
        // A machine that is short of time loses frames before anybody can read them: not what is
        // looked at here, as long as they are few.
        let taken = || daemon.metric(RECEIVED);
        daemon.wait("nearly every frame", || taken() >= days * frames * 95 / 100);
        // What is kept is saved, what waits is told.
        std::thread::sleep(Duration::from_secs(2));
        seen.push((daemon.memory(), files(&daemon)));
    }
    let text = daemon.get("/metrics");
    let pages =
        |line: &&str| line.starts_with("ringfence_alert_active{") && !line.contains("severity=\"info\"");
    assert_eq!(text.lines().find(pages), None);
    let registered = text.lines().filter(|line| line.starts_with("ringfence_handsets{state=\"registered\""));
    println!(
        "{} frames; {:?}; KiB and open files after each day: {seen:?}",
        3 * frames,
        registered.collect::<Vec<_>>()
    );
    let handsets: serde_json::Value =
        serde_json::from_str(&daemon.get("/api/v1/handsets?limit=10000")).unwrap();
    let verified = handsets.as_array().unwrap().iter().filter(|one| !one["user"].is_null()).count();
    assert_eq!(verified, usize::from(PHONES));
    // Tables are as full after the second day as after the third.
    assert!(seen[2].0 < seen[1].0 + 4_096 && seen[2].1 <= seen[1].1 + 1, "{seen:?}");
}

#[test]
fn a_link_that_flaps_a_hundred_times_is_watched_afterwards() {
    if lacks(&TOOLS) {
        return;
    }
    let net = Net::new();
    net.cable("va", "vb");
    let daemon = Daemon::start(&net, "[capture]\ninterfaces = [\"va\"]\n");
    for _ in 0..100 {
        net.ip(&["link", "set", "va", "down"]);
        net.ip(&["link", "set", "va", "up"]);
    }
    net.ip(&["link", "set", "va", "mtu", "1400"]);
    for _ in 0..3 {
        net.ip(&["link", "del", "va"]);
        std::thread::sleep(Duration::from_millis(300));
        net.cable("va", "vb");
    }
    let up = "capture_up{interface=\"va\"} 1";
    let files_before = files(&daemon);
    let settled = daemon.wait("it is watched again", || {
        let before = daemon.metric(RECEIVED);
        let sent = net.replay("vb", &["-t"], &fixture("rules/prefix_probe"));
        std::thread::sleep(Duration::from_millis(300));
        daemon.metric(RECEIVED) == before + sent && daemon.get("/metrics").contains(up)
    });
    println!("watched again {settled:?} after the last change");
    assert!(settled < Duration::from_secs(10), "{settled:?}");
    assert!(files(&daemon) <= files_before + 2, "nothing is left open");
    assert!(daemon.get("/-/healthy").contains("ok"));
}

#[test]
fn a_frame_that_panics_costs_one_frame_and_too_many_end_it() {
    if lacks(&TOOLS) {
        return;
    }
    let net = Net::new();
    net.cable("va", "vb");
    let folder = tempfile::tempdir().unwrap();
    let (bad, good) = (folder.path().join("bad.pcap"), fixture("attacks/satellite"));
    let ends = ([2, 0, 0, 0, 1, 2], Ipv4Addr::new(10, 0, 3, 2));
    Capture::new(&bad).udp(ends, ends, "OPTIONS sip:poison-of-this-test SIP/2.0\r\n\r\n");
    let env = [("RINGFENCE_TEST_POISON", "poison-of-this-test")];
    let config = "[capture]\ninterfaces = [\"va\"]\n[run]\nuser = \"nobody\"\n";
    let mut daemon = Daemon::spawn(&net, config, &[], &env);
    daemon.wait("ready", || daemon.log().contains("ready"));
    let mut sent = 0;
    for _ in 0..5 {
        sent += net.replay("vb", &["-t"], &bad);
        sent += net.replay("vb", &["-t"], &good);
    }
    daemon.wait("every frame", || daemon.metric(RECEIVED) == sent);
    let panics = "ringfence_worker_panics_total{worker=\"sensor\"}";
    daemon.wait("five panics", || daemon.metric(panics) == 5);
    let of = |text: &str| {
        let lines = text.lines().filter(|line| line.starts_with("ringfence_packets_total{"));
        lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum::<u64>()
    };
    daemon.wait("all other frames came to an end", || of(&daemon.get("/metrics")) == sent - 5);
    let alerts = daemon.get("/api/v1/alerts?open=true");
    assert!(
        alerts.contains("\"severity\":\"warning\"") || alerts.contains("\"severity\":\"critical\""),
        "{alerts}"
    );
    assert!(daemon.get("/-/healthy").contains("ok"));
    // The sixth within a minute is one too many: systemd begins anew.
    net.replay("vb", &["-t"], &bad);
    let ended = daemon.child.wait().unwrap();
    assert_eq!(ended.code(), Some(1), "{}", daemon.log());
    assert!(daemon.log().contains("too often"));
}

/// A hundred panics in a million frames, as R8 has it: the limit on them is lifted for this.
#[test]
fn a_hundred_panics_in_a_million_frames_cost_a_hundred_frames() {
    if lacks(&TOOLS) {
        return;
    }
    let net = Net::new();
    net.cable("va", "vb");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("million.pcap");
    let mut capture = Capture::new(&path);
    let ends = ([2, 0, 0, 0, 1, 2], Ipv4Addr::new(10, 0, 3, 2));
    capture.udp(ends, ends, "OPTIONS sip:poison-of-this-test SIP/2.0\r\n\r\n");
    // The rest is media of a call, as on any mirror port.
    let builder = PacketBuilder::ethernet2(ends.0, ends.0).ipv4(ends.1.octets(), ends.1.octets(), 64);
    let mut media = Vec::new();
    builder.udp(16_384, 16_386).write(&mut media, &[0x80; 60]).unwrap();
    for _ in 1..10_000 {
        capture.frame(&media);
    }
    drop(capture);
    let env = [("RINGFENCE_TEST_POISON", "poison-of-this-test"), ("RINGFENCE_TEST_PANICS", "1000")];
    let config = "[capture]\ninterfaces = [\"va\"]\nbuffer_mib = 256\n[run]\nuser = \"nobody\"\n";
    let daemon = Daemon::spawn(&net, config, &[], &env);
    daemon.wait("ready", || daemon.log().contains("ready"));
    let begun = std::time::Instant::now();
    let sent = net.replay("vb", &["--preload-pcap", "--pps=50000", "--loop=100"], &path);
    assert_eq!(sent, 1_000_000);
    daemon.wait("every frame", || daemon.metric(RECEIVED) == sent);
    let text = daemon.get("/metrics");
    let of = |metric: &str| {
        let lines = text.lines().filter(|line| line.starts_with(metric));
        lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum::<u64>()
    };
    println!("a million frames in {:.1?}, {} panics", begun.elapsed(), of("ringfence_worker_panics_total{"));
    assert_eq!(of("ringfence_capture_dropped_packets_total{"), 0);
    assert_eq!(of("ringfence_worker_panics_total{"), 100);
    assert_eq!(of("ringfence_packets_total{"), sent - 100, "all others came to an end");
    assert!(daemon.get("/-/healthy").contains("ok"));
    // And it still does its work.
    net.replay("vb", &["-t"], &fixture("attacks/satellite"));
    daemon.wait("an alert", || daemon.get("/metrics").contains("ringfence_alert_active{"));
    assert_eq!(daemon.log().matches("the sensor panicked and goes on").count(), 100);
}
