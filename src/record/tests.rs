use super::testing::{NIGHT, alert, call, who};
use super::*;
use crate::alert::{Alert, AlertState};
use crate::coverage::{Coverage, Loss, Sign};
use crate::decode::{Path, Skip};
use crate::dial::Leg;
use crate::fact::{CallFact, CallState, Fact};
use crate::finding::{Check, Severity};
use crate::judge::Output;
use crate::sensor::{Outcomes, Totals};
use crate::sip::{Reject, Sniff};
use crate::tally::Label as _;
use crate::time::{OfficeHours, Span};

fn full() -> Recorder {
    Recorder { privacy: Privacy::Full, names: [("214".to_owned(), "Reception".to_owned())].into() }
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

fn line(recorder: &Recorder, output: &Output) -> String {
    written(|out| recorder.output(out, output).unwrap())
}

/// Every key of INTERFACE 4 in its order; what is not known is null.
#[test]
fn a_call_as_the_interface_has_it() {
    assert_eq!(
        line(&full(), &Output::Call(call())),
        "{\"type\":\"call\",\"time\":\"2026-11-21T02:14:07.000123Z\",\"id\":7,\"call_id\":\"a1@10.0.3.17\",\
         \"handset\":\"214\",\"user\":\"214\",\"ip\":\"10.0.3.17\",\"mac\":\"00:15:65:01:02:03\",\
         \"dialled\":\"900882161234567\",\"number\":\"+882161234567\",\"class\":\"global\",\"kind\":\"satellite\",\
         \"region\":\"001\",\"direction\":\"outbound\",\"state\":\"attempted\",\"code\":null,\"duration_s\":null,\
         \"leg\":\"handset\"}\n"
    );
    let ended =
        CallFact { state: CallState::Ended, code: 200, talked: Span(12_500_000), leg: Leg::Trunk, ..call() };
    let text = line(&full(), &Output::Call(ended));
    assert!(
        text.contains("\"state\":\"ended\",\"code\":200,\"duration_s\":12.5,\"leg\":\"trunk\"}"),
        "{text}"
    );
}

#[test]
fn an_alert_as_the_interface_has_it() {
    assert_eq!(
        line(&full(), &Output::Alert(Box::new(alert(AlertState::Raised, 2)))),
        "{\"type\":\"alert\",\"time\":\"2026-11-21T02:14:07.000123Z\",\"id\":1,\"state\":\"raised\",\
         \"rule\":\"out_of_hours\",\"severity\":\"critical\",\"handset\":\"214\",\"user\":\"214\",\
         \"ip\":\"10.0.3.17\",\"mac\":\"00:15:65:01:02:03\",\"name\":\"Reception\",\
         \"sentence\":\"handset 214 (Reception) placed 2 calls to LV out of office hours\",\"calls\":2,\"numbers\":1,\
         \"regions\":[\"LV\"],\"exposure\":{\"low\":20.1,\"high\":56.0,\"amount\":38.2,\"currency\":\"GBP\",\
         \"basis\":\"built-in table 2026-11\"},\"evidence\":{\"count\":2.0,\"calls_up\":1234,\"when\":\"night\",\
         \"new\":true},\"call_ids\":[\"a1@10.0.3.17\",\"a2\\\\b@10.0.3.17\"],\
         \"first_call\":\"2026-11-21T02:14:07.000123Z\",\"last_call\":\"2026-11-21T02:15:08.000123Z\",\
         \"since\":\"2026-11-21T02:14:07.000123Z\",\"accepted_until\":null,\
         \"reasons\":[\"It is night\",\"It is dear\"]}\n"
    );
    let mut office = alert(AlertState::Raised, 2);
    office.finding.who = None;
    let text = line(&full(), &Output::Alert(Box::new(office)));
    assert!(text.contains("\"handset\":null,\"user\":null,\"ip\":null,\"mac\":null,\"name\":null"), "{text}");
}

#[test]
fn a_handset_without_an_account_is_its_address() {
    let nameless = CallFact { who: Who { user: Text::default(), mac: None, ..who() }, ..call() };
    let text = line(&full(), &Output::Call(nameless));
    assert!(
        text.contains("\"handset\":\"10.0.3.17\",\"user\":null,\"ip\":\"10.0.3.17\",\"mac\":null"),
        "{text}"
    );
}

#[test]
fn numbers_are_masked_unless_told_otherwise() {
    let masked = Recorder::default();
    let text = line(&masked, &Output::Call(call()));
    assert!(text.contains("\"dialled\":\"9008…67\",\"number\":\"+8821…67\""), "{text}");
    for (class, kind, dialled, expected) in [
        (Class::Internal, Kind::Extension, "2145", "2145"),
        (Class::Emergency, Kind::Emergency, "9999", "9999"),
        (Class::Feature, Kind::Feature, "*69", "*69"),
        (Class::Feature, Kind::ForwardTo, "*21*0090012345#", "*21*…5#"),
        (Class::National, Kind::FixedLine, "4567", "…67"),
    ] {
        let target = Target { class, kind, number: None, ..call().target };
        let fact = CallFact { dialled: Text::from(dialled), target, ..call() };
        let text = line(&masked, &Output::Call(fact));
        assert!(text.contains(&format!("\"dialled\":\"{expected}\"")), "{text}");
    }
}

#[test]
fn text_from_outside_is_whole_or_escaped() {
    assert_eq!(wire(&Text::<40>::from("a\\b\"c")), "a\\b\"c");
    assert_eq!(wire(&Text::<40>::from("a\\b\x1b[m")), "a\\\\b\\x1b[m");
    assert_eq!(wire(&Text::<40>::new(b"\xff")), "\\xff");
    assert_eq!(wire(&Text::<4>::from("abcdef")), "abcd…");
}

#[test]
fn facts_say_what_the_judge_is_told() {
    let text = written(|out| full().fact(out, &Fact::Call(call())).unwrap());
    assert!(
        text.starts_with("{\"type\":\"call\"") && text.contains("\"group\":\"risky\",\"risk\":\"high\""),
        "{text}"
    );
    let text = written(|out| full().fact(out, &Fact::Registered { time: NIGHT, who: who() }).unwrap());
    assert_eq!(
        text,
        "{\"type\":\"registered\",\"time\":\"2026-11-21T02:14:07.000123Z\",\"handset\":\"214\",\"user\":\"214\",\
         \"ip\":\"10.0.3.17\",\"mac\":\"00:15:65:01:02:03\"}\n"
    );
}

fn summary() -> Summary {
    Summary {
        totals: Totals {
            frames: 1_234_567,
            sip_messages: 44,
            invites: 11,
            attempts: 4,
            answered: 3,
            handsets: 1,
        },
        alerts: 1,
        checklist: testing::checklist(),
        skipped: vec![("not_ip", 2), ("rtp", 1_000)],
        signs: vec![("requests", 20)],
        evicted: vec![("calls", 1)],
        one_way: Some(false),
        warnings: vec!["packets were cut".to_owned()],
        length: Span(93_784_500_000),
        doubled: Some(0.5),
        loss: Loss { truncated: 3, ..Loss::default() },
        ..Summary::default()
    }
}

#[test]
fn the_summary_as_the_interface_has_it() {
    assert_eq!(
        written(|out| full().summary(out, &summary()).unwrap()),
        "{\"type\":\"summary\",\"frames\":1234567,\"sip_messages\":44,\"invites\":11,\"attempts\":4,\"answered\":3,\
         \"handsets\":1,\"alerts\":1,\"posture\":{\"opened_port\":\"finding\",\"backdoor_inbound\":\"pass\",\
         \"scanner\":\"cannot_see\"},\"learning\":null,\"skipped\":{\"not_ip\":2,\"rtp\":1000},\"coverage\":{\"signs\":{\"requests\":20},\
         \"evicted\":{\"calls\":1},\"blind\":false,\"blind_reason\":null,\"warming_up\":false,\"one_way\":false,\"doubled_share\":0.5,\
         \"loss\":{\"received\":0,\"dropped_kernel\":0,\"dropped_interface\":0,\"truncated\":3,\"tcp_gaps\":0,\
         \"responses_without_call\":0},\"encrypted\":{\"flows\":0,\"compressed_messages\":0,\"handsets\":[]},\
         \"warnings\":[\"packets were cut\"]},\"seconds\":93784.5}\n"
    );
}

#[test]
fn what_could_not_be_seen_is_never_shown_as_nothing() {
    let mut coverage = Coverage::default();
    let (phone, server) = (([10, 0, 3, 17], 40_000).into(), ([203, 0, 113, 10], 5061).into());
    coverage.encrypted.begin(phone, server, NIGHT);
    let media = Path { src: phone, dst: server, src_mac: None, dst_mac: None, vlan: None, mirror: None };
    coverage.encrypted.rtp(&media, &[0x80, 8], NIGHT);
    let seen = Summary {
        totals: Totals { frames: 9, ..Totals::default() },
        blind: coverage.blind(),
        hidden: (coverage.encrypted.begun(), 0),
        hidden_handsets: coverage.encrypted.phones().map(|(ip, phone)| (ip, *phone)).collect(),
        warnings: coverage.warnings(),
        ..Summary::default()
    };
    let text = written(|out| writer(Style::Plain).write(out, &Report::default(), &seen).unwrap());
    assert!(text.contains("  calls     unknown: all signalling is encrypted\n"), "{text}");
    assert!(!text.contains("0 attempted"));
    let line = "  encrypted 10.0.3.17 to 203.0.113.10:5061: 1 call by the media, 1 at once at the most, \
                most of them from 02:00 to 03:00 UTC; rate only, destination unknown\n";
    assert!(text.contains(line), "{text}");
    let json = written(|out| full().summary(out, &seen).unwrap());
    for part in [
        "\"blind\":true,\"blind_reason\":\"all signalling is encrypted\"",
        "\"encrypted\":{\"flows\":1,\"compressed_messages\":0,\"handsets\":[{\"ip\":\"10.0.3.17\",\"server\":\"203.0.113.10:5061\"",
        "\"calls_by_media\":1",
        "\"note\":\"rate only, destination unknown\"",
    ] {
        assert!(json.contains(part), "{json}");
    }
    let one_way = Summary { one_way: Some(true), blind: None, ..seen };
    let text = written(|out| writer(Style::Plain).write(out, &Report::default(), &one_way).unwrap());
    assert!(text.contains("0 attempted, unknown how many answered"), "{text}");
    assert!(written(|out| full().summary(out, &one_way).unwrap()).contains("\"answered\":null"));
}

fn writer(style: Style) -> Writer {
    Writer {
        style,
        recorder: full(),
        hours: OfficeHours::default(),
        zone: "Etc/UTC".to_owned(),
        verbose: false,
        width: None,
    }
}

#[test]
fn the_text_says_who_where_when_how_much_and_why() {
    let mut report = Report::default();
    report.add(&alert(AlertState::Raised, 2));
    report.add(&alert(AlertState::Cleared, 11));
    let mut notice = alert(AlertState::Raised, 1);
    notice.id = 2;
    notice.finding.severity = Severity::Info;
    notice.finding.sentence = "a first call to LV".to_owned();
    report.add(&notice);
    assert_eq!((report.raised(), report.paging()), (2, 1));
    assert_eq!(
        written(|out| writer(Style::Plain).write(out, &report, &summary()).unwrap()),
        "\
CRITICAL  handset 214 (Reception), 10.0.3.17, 00:15:65:01:02:03  out_of_hours
  handset 214 (Reception) placed 11 calls to LV out of office hours
  alert     Sat 2026-11-21 02:14:07 at call 2 (a2\\b@10.0.3.17)
  calls     11 calls to 1 number, Sat 2026-11-21 02:14:07 to 02:15:08
  where to  LV
  money     about GBP 38.20 (20.10 to 56.00), GBP 38.20 of it before the alert; built-in table 2026-11
  why       It is night
            It is dear
  over      cleared Sat 2026-11-21 02:14:07

Worth knowing
  Sat 2026-11-21 02:14:07  a first call to LV

Handset security
  Router and firewall
    finding    opened_port          CRITICAL
             - the phone 10.0.3.18 asked for port 5060 (Sat 2026-11-21 02:14:07)
               do: Switch UPnP, NAT-PMP and PCP off on the router and on the handsets, and remove the port forward.
  Back door
    pass       backdoor_inbound     12 ports were asked, all refused
               allowed: the support provider came in
  Intrusion
    cannot see scanner              Only one direction of the traffic is mirrored

Coverage
  ! packets were cut
  skipped       2  A link-layer protocol other than IP: ARP, LLDP, spanning tree and the like (not_ip)
            1,000  RTP or RTCP (rtp)
  seen      20  SIP requests
  forgotten 1  of the full table calls

Summary
  alerts    2 raised, 1 to page somebody for
  calls     4 attempted, 3 answered, by 1 handset
  traffic   1,234,567 frames, 44 SIP messages, 11 INVITEs, over 1 d 2 h
  times     Etc/UTC
"
    );
}

#[test]
fn more_detail_and_colour_only_on_request() {
    let mut report = Report::default();
    report.add(&alert(AlertState::Raised, 2));
    let plain = written(|out| writer(Style::Plain).write(out, &report, &summary()).unwrap());
    assert!(!plain.contains('\x1b') && !plain.contains("evidence"));
    let verbose = Writer { verbose: true, ..writer(Style::Colour) };
    let coloured = written(|out| verbose.write(out, &report, &summary()).unwrap());
    assert!(coloured.contains("\x1b[1;31mCRITICAL\x1b[0m") && coloured.contains("calls_up 1,234"));
}

#[test]
fn an_account_that_nobody_accepted_is_marked() {
    let mut report = Report::default();
    let mut doubtful = alert(AlertState::Raised, 2);
    doubtful.finding.who = Some(Who { verified: false, user: Text::from("2\x1b"), ..who() });
    report.add(&doubtful);
    let text = written(|out| writer(Style::Plain).write(out, &report, &summary()).unwrap());
    assert!(text.contains("handset 2\\x1b (as it calls itself), 10.0.3.17"), "{text}");
}

#[test]
fn a_severity_that_rises_pages_once() {
    let mut report = Report::default();
    for severity in [Severity::Info, Severity::Warning, Severity::Critical, Severity::Critical] {
        let first = report.raised() == 0;
        let mut next = alert(if first { AlertState::Raised } else { AlertState::Updated }, 2);
        next.finding.severity = severity;
        report.add(&next);
    }
    assert_eq!((report.raised(), report.paging()), (1, 1));
}

#[test]
fn a_finding_as_the_interface_has_it() {
    let finding = testing::finding(Check::OpenedPort);
    let text = line(&full(), &Output::Finding(Box::new(finding)));
    assert_eq!(
        text,
        "{\"type\":\"finding\",\"time\":\"2026-11-21T02:14:07.000123Z\",\"check\":\"opened_port\",\"status\":\"finding\",\
         \"severity\":\"critical\",\"handset\":\"214\",\"user\":\"214\",\"ip\":\"10.0.3.17\",\"mac\":\"00:15:65:01:02:03\",\
         \"name\":\"Reception\",\"sentence\":\"the phone 10.0.3.18 asked for port 5060\",\"advice\":\"Switch UPnP, NAT-PMP and \
         PCP off on the router and on the handsets, and remove the port forward.\",\"evidence\":{\"external_port\":5060},\
         \"count\":1,\"first\":\"2026-11-21T02:14:07.000123Z\"}\n"
    );
}

#[test]
fn the_checklist_as_json_has_every_status_and_its_reason() {
    let text = written(|out| full().checklist(out, &testing::checklist(), NIGHT).unwrap());
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    let of = |n: usize, key: &str| read["checks"][n][key].clone();
    assert_eq!((of(0, "status"), of(0, "section")), ("finding".into(), "router".into()));
    assert_eq!(of(0, "findings")[0]["evidence"]["external_port"], 5_060);
    assert_eq!((of(1, "status"), of(1, "advice")), ("pass".into(), serde_json::Value::Null));
    assert_eq!(of(1, "audit")[0]["status"], "pass");
    assert_eq!(of(2, "why"), "Only one direction of the traffic is mirrored");
    // A check that found nothing says what could be seen of it.
    let told = written(|out| full().unfound(out, &testing::checklist(), NIGHT).unwrap());
    let told: Vec<serde_json::Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(told.iter().all(|record| record["type"] == "finding" && record["severity"].is_null()));
    let statuses: Vec<_> = told.iter().map(|record| record["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["pass", "cannot_see"]);
    assert_eq!(told[1]["sentence"], "Only one direction of the traffic is mirrored");
    // As single records, what was allowed follows its check.
    let lines = full().posture_lines(&testing::checklist(), NIGHT);
    let of = |text: &String| {
        let read: serde_json::Value = serde_json::from_str(text).unwrap();
        (read["check"].as_str().unwrap().to_owned(), read["status"].as_str().unwrap().to_owned())
    };
    let told: Vec<_> = lines.iter().map(of).collect();
    assert_eq!(told[1].0, told[2].0, "{told:?}");
    assert_eq!((told[0].1.as_str(), told[2].1.as_str()), ("finding", "pass"), "{told:?}");
}

/// Nothing is wider than the terminal, whatever a name is written in, and a word that is too long stays
/// whole.
#[test]
fn the_text_fits_the_terminal() {
    let mut long = alert(AlertState::Raised, 2);
    long.finding.sentence = "電話 ".repeat(60);
    long.finding.reasons = vec!["because ".repeat(30)];
    let mut report = Report::default();
    report.add(&long);
    for columns in [40, 80, 120] {
        for style in [Style::Plain, Style::Colour] {
            let narrow = Writer { width: Some(columns), verbose: true, ..writer(style) };
            let text = written(|out| narrow.write(out, &report, &summary()).unwrap());
            for line in text.lines() {
                assert!(textwrap::core::display_width(line) <= columns, "{columns}: {line:?}");
            }
            assert!(text.contains("because because"));
        }
    }
    let mut out = Vec::new();
    layout::line(&mut out, Some(20), 12, "  name      a1234567890123456789012345@10.0.3.24 b").unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "  name\n    a1234567890123456789012345@10.0.3.24\n    b\n");
}

/// Each label that a summary may count means something to a reader.
#[test]
fn counts_have_words() {
    let labels = Skip::ALL.iter().map(|label| label.name());
    let all = labels.chain(Sniff::ALL.iter().map(|l| l.name())).chain(Reject::ALL.iter().map(|l| l.name()));
    for name in all.chain(Sign::ALL.iter().map(|l| l.name())) {
        let rows = [(name, 1)];
        assert!(layout::counts(&rows).all(|(_, about, _)| about.len() > 3), "{name}");
    }
}

/// `docs/reasons.md` has the program's own tables.
#[test]
fn the_reasons_are_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reasons.md");
    let table = |rows: Vec<(&str, &str)>| {
        rows.iter().map(|(name, about)| format!("| `{name}` | {about} |\n")).collect::<String>()
    };
    let tables = [
        table(Outcomes::meanings().collect()),
        table(Reject::ALL.iter().map(|which| (which.name(), which.about())).collect()),
        table(Sign::ALL.iter().map(|which| (which.name(), which.about())).collect()),
    ];
    let text = std::fs::read_to_string(path).unwrap();
    // What stands between two tables is written by people.
    let mut parts = text.split("|---|---|\n");
    let mut wanted = parts.next().unwrap().to_owned();
    let mut filled = 0;
    for (part, table) in parts.zip(&tables) {
        let prose: Vec<&str> = part.split_inclusive('\n').skip_while(|line| line.starts_with('|')).collect();
        wanted += &format!("|---|---|\n{table}{}", prose.concat());
        filled += 1;
    }
    assert_eq!(filled, tables.len());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), wanted, "UPDATE_GOLDEN=1 rewrites it");
}

#[test]
fn whoever_watches_is_told_once_in_full() {
    let plain = |alert: &Alert| written(|out| writer(Style::Plain).alert(out, alert).unwrap());
    let raised = plain(&alert(AlertState::Raised, 2));
    assert!(raised.starts_with("CRITICAL  handset 214 (Reception)") && raised.contains("  money     about"));
    assert_eq!(
        plain(&alert(AlertState::Updated, 11)),
        "Sat 2026-11-21 02:14:07  CRITICAL  goes on: handset 214 (Reception) placed 11 calls to LV out of office hours\n"
    );
    assert_eq!(
        plain(&alert(AlertState::Cleared, 11)),
        "Sat 2026-11-21 02:14:07  over: handset 214 (Reception), 10.0.3.17, 00:15:65:01:02:03, out_of_hours\n"
    );
    let mut notice = alert(AlertState::Raised, 1);
    notice.finding.severity = Severity::Info;
    assert_eq!(plain(&notice).lines().count(), 1);
}
