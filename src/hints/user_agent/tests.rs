use super::*;
use proptest::prelude::*;

/// String, maker, model, firmware, hardware address: every one of the vendor notes this was built by.
const KNOWN: &[(&str, &str, &str, &str, &str)] = &[
    ("Yealink SIP-T46U 108.86.0.20", "Yealink", "T46U", "108.86.0.20", ""),
    ("Yealink SIP-T21P 34.72.14.6", "Yealink", "T21P", "34.72.14.6", ""),
    ("Yealink W60B 77.85.0.20", "Yealink", "W60B", "77.85.0.20", ""),
    ("Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37", "Yealink", "T46G", "28.72.0.1", "00:15:65:4a:a9:37"),
    ("yealink SIP-T18 18.0.0.80", "Yealink", "T18", "18.0.0.80", ""),
    ("SIP-T38G  38.70.0.125", "Yealink", "T38G", "38.70.0.125", ""),
    ("Yealink SIP-T56A 58.80.0.25 001565f429a4", "Yealink", "T56A", "58.80.0.25", "00:15:65:f4:29:a4"),
    ("VP530P 23.70.0.40", "Yealink", "VP530P", "23.70.0.40", ""),
    ("Yealink-T46G 28.71.0.81 28.1.0.128.0.0.0", "Yealink", "T46G", "28.71.0.81", ""),
    ("PolycomVVX-VVX_450-UA/5.9.1.0615", "Poly", "VVX 450", "5.9.1.0615", ""),
    ("Polycom/5.5.0.23866 PolycomVVX-VVX_501-UA/5.5.0.23866", "Poly", "VVX 501", "5.5.0.23866", ""),
    ("PolycomSoundPointIP-SPIP_670-UA/4.0.7.2514", "Poly", "SPIP 670", "4.0.7.2514", ""),
    ("PolycomVVX-VVX_450-UA/5.9.1.0615_64167f010203", "Poly", "VVX 450", "5.9.1.0615", "64:16:7f:01:02:03"),
    ("PolycomRealPresenceTrio-Trio_8800-UA/5.4.0.12197", "Poly", "Trio 8800", "5.4.0.12197", ""),
    ("FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application", "Poly", "VVX 500", "5.9.7.4477", ""),
    ("FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Updater", "Poly", "VVX 500", "", ""),
    (
        "FileTransport PolyEdge-Edge_E450-UA/8.0.0.15602 Type/Application",
        "Poly",
        "Edge E450",
        "8.0.0.15602",
        "",
    ),
    ("snomD785/10.1.159.12", "Snom", "D785", "10.1.159.12", ""),
    ("snom370/8.7.5.48", "Snom", "370", "8.7.5.48", ""),
    ("snom821/873_19_20130321", "Snom", "821", "8.7.3.19", ""),
    ("snom105-3.56p", "Snom", "105", "3.56p", ""),
    (
        "Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12-00004-g9ba52f5 000413922D24 SXM:0 UXM:0)",
        "Snom",
        "D785",
        "10.1.33.33",
        "00:04:13:92:2d:24",
    ),
    ("snom lid 3605", "Snom", "", "", ""),
    ("Grandstream GXP2135 1.0.9.108", "Grandstream", "GXP2135", "1.0.9.108", ""),
    ("Grandstream HT818 1.0.8.7", "Grandstream", "HT818", "1.0.8.7", ""),
    (
        "Grandstream Model HW GXP1405 SW 1.0.4.23 DevId 000b8240d55c",
        "Grandstream",
        "GXP1405",
        "1.0.4.23",
        "00:0b:82:40:d5:5c",
    ),
    (
        "Grandstream Model HW  GXP1405 V1.6B SW 1.0.4.23 DevId 000b8240d55c",
        "Grandstream",
        "GXP1405",
        "1.0.4.23",
        "00:0b:82:40:d5:5c",
    ),
    (
        "Grandstream GXP2000 (gxp2000e.bin:1.2.5.3/boot55e.bin:1.1.6.9) DevId 000b82123456",
        "Grandstream",
        "GXP2000",
        "1.2.5.3",
        "00:0b:82:12:34:56",
    ),
    ("Cisco/SPA504G-7.5.2", "Cisco", "SPA504G", "7.5.2", ""),
    ("Cisco/SPA112-1.4.1SR1(002)d-hisec", "Cisco", "SPA112", "1.4.1SR1", ""),
    ("Linksys/SPA922-6.1.5(a)", "Linksys", "SPA922", "6.1.5", ""),
    ("649EF3788E6A Cisco/SPA504G-7.5.2", "Cisco", "SPA504G", "7.5.2", "64:9e:f3:78:8e:6a"),
    ("Cisco/SPA504G-7.4.9c (649EF3788E6A)(CCQ162306EA)", "Cisco", "SPA504G", "7.4.9c", "64:9e:f3:78:8e:6a"),
    ("Cisco-CP-8841-3PCC/11.0 (00562b043615)", "Cisco", "CP-8841-3PCC", "11.0", "00:56:2b:04:36:15"),
    (
        "Cisco-CP-6841-3PCC/11.1.1 (00727826a4e1) (sip68xx.11-1-1MPP-897.loads)",
        "Cisco",
        "CP-6841-3PCC",
        "11.1.1",
        "00:72:78:26:a4:e1",
    ),
    ("Mitel-5320-SIP-Phone 06.05.00.11 010203040506", "Mitel", "5320", "06.05.00.11", "01:02:03:04:05:06"),
    ("Aastra 6865i/4.2.0.2023", "Mitel", "6865i", "4.2.0.2023", ""),
    ("Aastra6863i MAC:00-08-5D-40-90-5F V:4.1.0.128-SIP", "Mitel", "6863i", "4.1.0.128", "00:08:5d:40:90:5f"),
    ("Mitel6940 MAC:14-00-E9-01-02-03 V:6.4.0.4006-SIP", "Mitel", "6940", "6.4.0.4006", "14:00:e9:01:02:03"),
    (
        "N510 IP PRO/42.245.00.000.000;7C2F804DF9A9",
        "Gigaset",
        "N510 IP PRO",
        "42.245.00.000.000",
        "7c:2f:80:4d:f9:a9",
    ),
    ("Gigaset N720 DM PRO/70.108.00.000.000", "Gigaset", "N720 DM PRO", "70.108.00.000.000", ""),
    ("DX800A/41.175.00.000.000", "Gigaset", "DX800A", "41.175.00.000.000", ""),
    ("Fanvil X303 2.12.18.9 0c383e63963b", "Fanvil", "X303", "2.12.18.9", "0c:38:3e:63:96:3b"),
    ("Fanvil i16SV 2.4.0", "Fanvil", "i16SV", "2.4.0", ""),
    ("Fanvil X5U-V2 2.12.1 0c383e010203", "Fanvil", "X5U-V2", "2.12.1", "0c:38:3e:01:02:03"),
    ("Fanvil X4U 0c383e010203 2.12.1", "Fanvil", "X4U", "2.12.1", "0c:38:3e:01:02:03"),
    ("Panasonic_KX-UT113/01.133 (0080f0c8c381)", "Panasonic", "KX-UT113", "01.133", "00:80:f0:c8:c3:81"),
    ("OpenStage_40_V3 R5.13.0 SIP 190111", "Unify", "OpenStage 40", "3.5.13.0", ""),
    ("IPDECT/03.55.0013 (MAC=00087B0F0102; SER=00000)", "", "IPDECT", "03.55.0013", "00:08:7b:0f:01:02"),
    (
        "AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F602AAC)",
        "AudioCodes",
        "440HDG",
        "2.2.8.61",
        "00:90:8f:60:2a:ac",
    ),
    ("Htek UC926 2.0.4.2 00:1f:c1:01:02:03", "Htek", "UC926", "2.0.4.2", "00:1f:c1:01:02:03"),
    ("AVM FRITZ!Box 7312 117.05.23 TAL (Jun  1 2012)", "AVM", "FRITZ!Box 7312", "117.05.23", ""),
    ("Sangoma S305 V3.0.4.72", "Sangoma", "S305", "3.0.4.72", ""),
    ("Valcom VIP-204 sw1.50.28", "Valcom", "VIP-204", "1.50.28", ""),
];

/// Further strings that recog's `sip_user_agents.xml` (BSD-2-Clause) gives as examples.
const RECOG: &[(&str, &str, &str, &str, &str)] = &[
    ("PolycomVVX-VVX_350-UA/5.8.0.13337", "Poly", "VVX 350", "5.8.0.13337", ""),
    ("PolycomVVX-VVX_400-UA/4.1.4.7430_010203040506", "Poly", "VVX 400", "4.1.4.7430", "01:02:03:04:05:06"),
    ("PolycomSoundStationIP-SSIP_7000-UA/4.0.8.1608", "Poly", "SSIP 7000", "4.0.8.1608", ""),
    ("PolycomRealPresenceTrio-Trio_Visual+-UA/5.7.2.3123", "Poly", "Trio Visual+", "5.7.2.3123", ""),
    (
        "Polycom/5.4.3.2389 PolycomRealPresenceTrio-Trio_8800-UA/5.4.3.2389",
        "Poly",
        "Trio 8800",
        "5.4.3.2389",
        "",
    ),
    ("AVM FRITZ!Box Fon 06.03.13", "AVM", "FRITZ!Box Fon", "06.03.13", ""),
    ("AVM FRITZ!Box Fon 06.03.65 (Jun  7 2005)", "AVM", "FRITZ!Box Fon", "06.03.65", ""),
    (
        "AVM FRITZ!Box Fon 5010 Annex A (ITA) 48.04.46 (Sep 14 2007)",
        "AVM",
        "FRITZ!Box Fon 5010 Annex A (ITA)",
        "48.04.46",
        "",
    ),
    (
        "AVM FRITZ!Box Fon 5012 (UI) 25.03.90 (3.01.03 tested by accredited T-Com test lab) (Oct 28 2005)",
        "AVM",
        "FRITZ!Box Fon 5012 (UI)",
        "25.03.90",
        "",
    ),
    ("AVM FRITZ!Box Fon 5124 56.04.77 (Feb 14 2014)", "AVM", "FRITZ!Box Fon 5124", "56.04.77", ""),
    ("AVM FRITZ!Box 3272 126.05.50 (Feb 27 2013)", "AVM", "FRITZ!Box 3272", "126.05.50", ""),
    ("AVM FRITZ!Box 7170 Annex A 58.04.85 (Apr  4 2011)", "AVM", "FRITZ!Box 7170 Annex A", "58.04.85", ""),
];

#[test]
fn every_known_string_gives_its_exact_parts() {
    let all: Vec<_> = KNOWN.iter().chain(RECOG).chain(strings::all()).collect();
    let different: std::collections::BTreeSet<_> = all.iter().map(|said| said.0).collect();
    assert!(different.len() >= 250, "{}", different.len());
    for (text, vendor, model, firmware, mac) in all {
        let agent = parse(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
        let found = (agent.vendor, agent.model, agent.firmware);
        assert_eq!(found, (*vendor, Text::from(*model), Text::from(*firmware)), "{text}");
        assert_eq!(agent.mac.map(|mac| mac.to_string()).unwrap_or_default(), *mac, "{text}");
    }
}

#[test]
fn others_are_unknown() {
    for text in [
        "",
        "friendly-scanner",
        "Asterisk PBX 18.9.0",
        "Zoiper rv2.10.19",
        "MicroSIP/3.21.3",
        "cisco",
        "sipcli/v1.8",
        "Mozilla/5.0 (X11; Linux x86_64)",
        "Linphone/3.6.1 (eXosip2/4.1.0)",
        "FPBX-15.0.17(16.13.0)",
        // Of recog's examples, those of gateways and conference systems.
        "Cisco-SIPGateway/IOS-12.x",
        "FRITZ!OS",
        "Mitel Border GW/4.0.0.9",
        "Polycom HDX 9006 (Release - 3.0.6-37004)",
        "PolycomRealPresenceGroup700/6.2.0",
        "Nero SIPPS IP Phone Version 2.0.51.16",
        "yealink",
    ] {
        assert_eq!(parse(text.as_bytes()), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn any_text_like_a_phones(index in 0..KNOWN.len(), cut in 0usize..120, more in ".{0,20}") {
        let text = KNOWN[index].0;
        let cut = text.get(..cut).unwrap_or(text);
        let _ = parse(format!("{cut}{more}").as_bytes());
    }
}
