//! Records of each PBX, as their documentation shows them.

use super::*;

/// British time around the end of summer time 2026.
fn hours() -> OfficeHours {
    let at = |text: &str| Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
    OfficeHours {
        offsets: vec![
            (Timestamp(0), 0),
            (at("2026-03-29T01:00:00Z"), 3_600),
            (at("2026-10-25T01:00:00Z"), 0),
        ],
        ..OfficeHours::default()
    }
}

fn history(text: &str) -> History {
    read(text.as_bytes(), &hours(), false).unwrap()
}

fn brief(call: &PastCall) -> String {
    let talked = call.talked.map_or("-".to_owned(), |span| span.as_secs().to_string());
    format!("{} {} {} {}", &call.time.to_string()[..19], call.account, call.dialled, talked)
}

#[test]
fn asterisk() {
    let history = history(concat!(
        r#""","214","00482212345678","from-internal","""Ann"" <214>","PJSIP/214-0000002a","PJSIP/trunk-0000002b","Dial","PJSIP/x@trunk","2026-09-07 09:13:22","2026-09-07 09:13:30","2026-09-07 09:15:30",128,120,"ANSWERED","DOCUMENTATION","1757232802.42","""#,
        "\n",
        r#""","01632960100","0033145678901","from-internal","","SIP/215-0000002c","SIP/trunk-1","Dial","","2026-11-02 17:00:00","","2026-11-02 17:00:20",20,0,"NO ANSWER","DOCUMENTATION","1","""#,
        "\n",
        r#""","01632960777","214","from-trunk","","PJSIP/trunk-0000002d","PJSIP/214-1","Dial","","2026-11-02 17:10:00","","2026-11-02 17:10:20",20,0,"NO ANSWER","DOCUMENTATION","2","""#,
        "\n",
        r#""","214","215","from-internal","","PJSIP/214-0000002e","PJSIP/215-1","Dial","","2026-11-02 17:20:00","","2026-11-02 17:20:20",20,9,"ANSWERED","DOCUMENTATION","3","""#,
        "\n",
        r#""","214","0044163","from-internal","","PJSIP/214-0000002e","","Dial","","yesterday","","",20,9,"ANSWERED","DOCUMENTATION","4","""#,
        "\nonly,three,fields\n",
    ));
    assert_eq!(history.layout, "Asterisk Master.csv");
    let calls: Vec<String> = history.calls.iter().map(brief).collect();
    assert_eq!(
        calls,
        ["2026-09-07T08:13:22 214 00482212345678 120", "2026-11-02T17:00:00 215 0033145678901 -"]
    );
    assert_eq!(history.calls[0].setup, Span::seconds(8));
    let reason = |reason| history.passed_over.get(reason);
    assert_eq!((history.rows, reason(PassedOver::Inward)), (6, 2));
    assert_eq!((reason(PassedOver::NoTime), reason(PassedOver::TooShort)), (1, 1));
    assert!(history.describe().contains("2 inward"), "{}", history.describe());
}

#[test]
fn freeswitch() {
    let history = history(concat!(
        r#""Ann","214","0033145678901","default","2026-11-02 10:00:00","2026-11-02 10:00:05","2026-11-02 10:01:05","65","60","NORMAL_CLEARING","b6","","","PCMA","PCMA""#,
        "\n",
        r#""Bob","215","0033145678902","default","2026-11-02 10:10:00","","2026-11-02 10:10:25","25","0","NO_ANSWER","b7","","","",""#,
        "\n",
    ));
    assert_eq!(history.layout, "FreeSWITCH cdr_csv");
    let calls: Vec<String> = history.calls.iter().map(brief).collect();
    assert_eq!(
        calls,
        ["2026-11-02T10:00:00 214 0033145678901 60", "2026-11-02T10:10:00 215 0033145678902 -"]
    );
}

#[test]
fn three_cx() {
    let history = history(
        "\u{feff}Call Time,Caller ID,Destination,Status,Ringing,Talking,Totals,Cost,Reason\n\
         2026-11-02T10:00:00,Reception (214),0033145678901,Answered,00:00:09,00:02:03,00:02:12,0.00,\n\
         2026-11-02T11:00:00,Ext.215,+48 22 123 45 678,Unanswered,00:00:19,,00:00:19,0.00,\n",
    );
    assert_eq!(history.layout, "3CX call log");
    let calls: Vec<String> = history.calls.iter().map(brief).collect();
    assert_eq!(
        calls,
        ["2026-11-02T10:00:00 214 0033145678901 123", "2026-11-02T11:00:00 215 +482212345678 -"]
    );
}

#[test]
fn any_header_separator_and_date() {
    let history = history(
        "Date/Time;From;Dialled;Duration (s);Direction\n\
         03/09/2026 08:00:00;214;0033145678901;61;Outbound\n\
         25/10/2026 01:30:00;214;0033145678901;61;Outbound\n\
         25/10/2026 03:30:00;214;0033145678901;61;Outbound\n\
         1793613600;214;0033145678901;5;Outbound\n\
         03/09/2026 8:05 PM;0163296077;214;61;Inbound\n",
    );
    let calls: Vec<String> = history.calls.iter().map(brief).collect();
    assert_eq!(
        calls,
        [
            "2026-09-03T07:00:00 214 0033145678901 61",
            "2026-10-25T00:30:00 214 0033145678901 61",
            "2026-10-25T03:30:00 214 0033145678901 61",
            "2026-11-02T10:00:00 214 0033145678901 5",
        ]
    );
    assert_eq!(history.passed_over.get(PassedOver::Inward), 1);
    let text = b"start,caller,destination\n03/04/2026 10:00:00,214,0033145678901\n";
    let april = read(text, &hours(), false).unwrap().calls[0].time.to_string();
    let march = read(text, &hours(), true).unwrap().calls[0].time.to_string();
    assert_eq!((&april[..10], &march[..10]), ("2026-04-03", "2026-03-04"));
}

#[test]
fn nonsense_is_told_from_records() {
    for text in ["", "hello", "a,b,c\n1,2,3\n", "\u{0}\u{1}\n,,,,\n"] {
        assert!(matches!(read(text.as_bytes(), &hours(), false), Err(LearnError::Layout)), "{text:?}");
    }
    assert!(is_capture(&[0xd4, 0xc3, 0xb2, 0xa1]) && is_capture(&[0x1f, 0x8b]) && !is_capture(b"Date"));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(128))]

    /// Every row is a call or has its reason.
    #[test]
    fn no_row_is_lost(rows in proptest::collection::vec("[0-9a-z,:;+\" /-]{0,40}", 0..30)) {
        let text = format!("start,caller,destination,duration\n{}\n", rows.join("\n"));
        if let Ok(history) = read(text.as_bytes(), &OfficeHours::default(), false) {
            let passed: u64 = history.passed_over.iter().map(|(_, n)| n).sum();
            proptest::prop_assert_eq!(history.rows, history.calls.len() as u64 + passed);
        }
    }
}
