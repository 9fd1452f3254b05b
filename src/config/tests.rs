use super::*;

const EXAMPLE: &str = include_str!("../../etc/ringfence.toml");

/// The example's lines that start with a mark, without it.
fn lines_with(mark: &str) -> String {
    EXAMPLE.lines().filter_map(|l| l.strip_prefix(mark)).map(|l| format!("{l}\n")).collect()
}

fn uncommented() -> String {
    EXAMPLE
        .lines()
        .filter_map(|l| match l.strip_prefix('#') {
            Some(rest) => (!rest.starts_with(' ')).then_some(rest),
            None => Some(l),
        })
        .map(|l| format!("{l}\n"))
        .collect()
}

fn parse(name: &str, text: &str) -> Result<Config, Error> {
    Config::parse(name, text, Path::new(""))
}

fn problems(text: &str) -> Vec<String> {
    match parse("f.toml", text) {
        Err(Error::Invalid { problems }) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn the_example_uncommented_is_the_default_with_no_key_missing() {
    let example: toml::Table = uncommented().parse().unwrap();
    let mut defaults: toml::Table = Config::default().effective().parse().unwrap();
    // Lists of tables have no default but none: the example shows a sample of each.
    assert_eq!(defaults.remove("exception"), Some(toml::Value::Array(Vec::new())));
    assert_eq!(defaults.remove("handset"), Some(toml::Value::Array(Vec::new())));
    assert_eq!(defaults.remove("override"), Some(toml::Value::Array(Vec::new())));
    assert_eq!(example, defaults);
    assert_eq!(parse("example", EXAMPLE).unwrap().effective(), Config::default().effective());
}

#[test]
fn the_examples_samples_can_be_read_and_show_every_key() {
    let text = lines_with("#   ");
    let config = parse("samples", &text).unwrap();
    assert_eq!(config.names().into_iter().collect::<Vec<_>>(), [("214".to_owned(), "Reception".to_owned())]);
    let sample: toml::Table = text.parse().unwrap();
    let shown: toml::Table = config.effective().parse().unwrap();
    for list in ["exception", "handset", "override"] {
        assert_eq!(sample[list], shown[list], "{list}");
    }
}

#[test]
fn what_is_in_force_reads_back_as_itself() {
    let text =
        "[site]\nhome = \"us\"\n[[handset]]\nuser = \"214\"\n[capture.hep]\nlisten = \"127.0.0.1:9060\"";
    let effective = parse("a", text).unwrap().effective();
    assert_eq!(parse("b", &effective).unwrap().effective(), effective);
}

#[test]
fn the_home_country_implies_zone_and_currency() {
    let config = parse("f", "[site]\nhome = \"us\"").unwrap();
    let dial = config.dial();
    assert_eq!((dial.home.as_str(), dial.currency.as_str()), ("US", "USD"));
    assert!(config.effective().contains("timezone = \"America/New_York\""));
    let own = parse("f", "[site]\nhome = \"US\"\ncurrency = \"EUR\"\ntimezone = \"America/Denver\"").unwrap();
    assert_eq!(own.dial().currency, "EUR");
    assert_ne!(own.office_hours().offsets, config.office_hours().offsets);
}

#[test]
fn stages_get_what_the_file_says() {
    let text = r#"
        [site]
        outside_line = ["9"]
        extensions = ["2XX"]
        pbx = ["203.0.113.5"]
        home_networks = ["192.0.2.0/24"]
        office_hours = "always"
        holidays = ["2026-12-25"]
        [detect.prefix_probe]
        prefixes = 5
        [[exception]]
        countries = ["fr"]
        until = "2026-07-31"
        why = "the Lyon project"
        [[handset]]
        user = "214"
        name = "Reception"
        allow = ["DE"]
    "#;
    let config = parse("f", text).unwrap();
    assert_eq!(
        (config.dial().outside_line, config.dial().extensions),
        (vec!["9".into()], vec!["2XX".into()])
    );
    let handsets = config.sensor().handsets;
    assert!(handsets.pbx[0].contains("203.0.113.5".parse().unwrap()) && handsets.pbx.len() == 1);
    assert!(handsets.home[0].contains("192.0.2.77".parse().unwrap()) && handsets.home.len() == 1);
    let judge = config.judge();
    assert_eq!((judge.hours.holidays.len(), judge.detect.prefix_probe), (1, 5));
    assert_eq!(judge.names["214"], "Reception");
    let [exception, handset] = judge.baseline.allowances.as_slice() else { panic!("two allowances") };
    assert_eq!((exception.user.as_str(), exception.regions[0].as_str()), ("", "FR"));
    // Midnight at the end of that day in London, in summer.
    assert_eq!(exception.until.unwrap().to_string(), "2026-07-31T23:00:00.000000Z");
    assert_eq!((handset.user.as_str(), handset.until), ("214", None));
}

#[test]
fn defaults_are_the_stages_own() {
    let config = Config::default();
    assert_eq!(config.sensor().handsets, handsets::Settings::default());
    let judge = config.judge();
    assert_eq!(
        (judge.detect, judge.baseline),
        (detect::Detect::default().settings(), baseline::Settings::default())
    );
    assert_eq!(judge.hours.open, OfficeHours::default().open);
    let dial = config.dial();
    assert_eq!((dial.home, dial.currency.as_str()), (dial::Settings::default().home, "GBP"));
}

#[test]
fn errors_name_file_line_key_and_cure() {
    for (text, expected) in [
        ("[site]\nhom = \"GB\"", "f.toml:2: site.hom: unknown field `hom`, expected one of"),
        ("[site]\nhom = \"GB\"", "did you mean `home`?"),
        ("[sites]", "did you mean `site`?"),
        ("[site]\nhome = 5", "f.toml:2: site.home: invalid type: integer `5`, expected a string"),
        ("[detect]\nsensitivity = \"loud\"", "f.toml:2: detect.sensitivity: unknown variant `loud`"),
        ("\n[[handset]]\nuser = \"1\"\nname = 3", "f.toml:4: handset.name: invalid type"),
        ("[site\nhome = \"GB\"", "f.toml:1"),
        ("[site]\n\nhome = \"XX\"", "f.toml:3: site.home: \"XX\" isn't a country; write the two letters"),
        (
            "[site]\ntimezone = \"Mars\"",
            "f.toml:2: site.timezone: \"Mars\" isn't an IANA time zone; write one as \"Europe/London\"",
        ),
        ("[site]\ncurrency = \"pounds\"", "f.toml:2: site.currency"),
        ("[site]\ndomestic = [\"IM\", \"Jersey\"]", "f.toml:2: site.domestic[2]: \"Jersey\" isn't a country"),
        ("[site]\noffice_hours = \"9 to 5\"", "f.toml:2: site.office_hours: \"9\" is no day"),
        (
            "[site]\nholidays = [\n\"2026-12-25\",\n\"2026-02-30\"]",
            "f.toml:4: site.holidays[2]: \"2026-02-30\" isn't a date",
        ),
        ("[site]\noutside_line = [\"x\"]", "f.toml:2: site.outside_line[1]: \"x\" isn't an outside line"),
        ("[site]\nextensions = [\"2??\"]", "site.extensions[1]"),
        ("[site]\nextensions = [\"300-200\"]", "site.extensions[1]"),
        ("[site]\npbx = [\"10.0.0.0/33\"]", "f.toml:2: site.pbx[1]"),
        ("[site]\nprovisioning = [\"a b\"]", "site.provisioning[1]"),
        ("[capture]\nbuffer_mib = 0", "f.toml:2: capture.buffer_mib: 0 is out of range; write 1 to 4096"),
        #[cfg(feature = "daemon")]
        ("[capture]\n\nfilter = \"udp portt 1\"", "f.toml:3: capture.filter: libpcap can't use it: "),
        ("[site]\nhome = \"GB\"\nhome = \"FR\"", "f.toml:3: home stands here a second time"),
        ("[site]\nhome = \"GB\"\n[site]", "f.toml:3: site stands here a second time"),
        ("[site]\noutside_line = \"9\"", "expected a sequence; write a list in brackets, as in [\"9\"]"),
        (
            "[exception]\nhandset = \"1\"",
            "f.toml:1: exception: invalid type: map, expected a sequence; write a",
        ),
        ("[capture]\nbuffer_mib = -1", "expected u32; write a whole number that isn't negative"),
        ("[password_check]\nenabled = \"yes\"", "expected a boolean; write true or false, without quotes"),
        ("site = 1", "f.toml:1: site: invalid type: integer `1`, expected struct Site; that is a section"),
        ("[capture.hep]\nlisten = \"9060\"", "f.toml:2: capture.hep.listen"),
        (
            "[http]\nlisten = \"0.0.0.0:9765\"",
            "f.toml:2: http.listen: is reachable from outside this machine",
        ),
        ("[http]\ntls_cert = \"a\"", "f.toml:2: http.tls_cert: needs tls_key as well"),
        ("[http]\nclient_ca = \"a\"", "f.toml:2: http.client_ca: needs tls_cert"),
        ("[[handset]]\nname = \"x\"", "f.toml:1: handset[1]: has no user"),
        (
            "[[override]]\nprefix = \"0871\"\nkind = \"mobile\"",
            "f.toml:2: override[1].prefix: \"0871\" isn't a prefix of numbers; write it with +",
        ),
        (
            "[[override]]\nprefix = \"+44871\"\n\nkind = \"premium\"",
            "f.toml:4: override[1].kind: \"premium\" isn't a kind; write one of toll_free, fixed_line",
        ),
        ("[[override]]\nkind = \"mobile\"", "f.toml:1: override[1]: has no prefix"),
        ("[[override]]\nprefix = \"+1\"\nwhy = \"x\"", "f.toml:3: override[1].why: says nothing of its"),
        (
            "[[handset]]\nuser = \"1\"\n[[handset]]\nuser = \"1\"",
            "f.toml:4: handset[2].user: \"1\" has a [[handset]] already",
        ),
        (
            "[[handset]]\nuser = \"1\"\nallow = [\"FR\", \"ZZ\"]",
            "f.toml:3: handset[1].allow[2]: \"ZZ\" isn't a country",
        ),
        ("[[exception]]\nwhy = \"x\"", "f.toml:1: exception[1]: would silence every handset"),
        (
            "[[exception]]\nhandset = \"1\"\nuntil = \"soon\"",
            "f.toml:3: exception[1].until: \"soon\" isn't a date",
        ),
        (
            "[detect.prefix_probe]\nprefixes = 0",
            "f.toml:2: detect.prefix_probe.prefixes: 0 would alert at every call",
        ),
        ("[detect.spend]\nhandset = [0.0, 1.0]", "f.toml:2: detect.spend.handset: write two amounts"),
        (
            "[detect.office_ceiling]\nrisky = [1, 2]",
            "f.toml:2: detect.office_ceiling.risky: invalid length 2",
        ),
        ("[tariff]\nfile = \"no/deck.csv\"", "f.toml:2: tariff.file: no/deck.csv can't be read"),
        ("[notify.webhook]\nurl = \"example.net\"", "f.toml:2: notify.webhook.url"),
        ("[notify.alertmanager]\nurls = [\"http://\"]", "f.toml:2: notify.alertmanager.urls[1]"),
        ("[notify.email]\nserver = \"a:25\"", "f.toml:2: notify.email.server: needs from and to"),
        ("[password_check]\nenabled = true", "f.toml:2: password_check.enabled: needs networks"),
        ("[fleet]\nrole = \"sensor\"", "f.toml:2: fleet.role: needs servers"),
        ("[store]\nretention_days = 0", "f.toml:2: store.retention_days"),
    ] {
        let found = problems(text);
        assert!(
            found.len() == 1 && found[0].starts_with("f.toml") && found[0].contains(expected),
            "{text}\n{found:?}"
        );
    }
}

#[test]
fn all_problems_at_once_in_the_order_of_the_file() {
    let found = problems("[http]\nlisten = \"x\"\n[site]\nhome = \"XX\"\n[store]\nretention_days = 0");
    assert_eq!(found.len(), 3);
    assert!(found.iter().zip(["f.toml:2:", "f.toml:4:", "f.toml:6:"]).all(|(p, start)| p.starts_with(start)));
}

#[test]
fn listening_beyond_loopback_is_fine_with_a_token_or_mtls() {
    for text in [
        "[http]\nlisten = \"0.0.0.0:9765\"\ntoken_file = \"t\"",
        "[http]\nlisten = \"[::]:9765\"\ntls_cert = \"c\"\ntls_key = \"k\"\nclient_ca = \"a\"",
        "[http]\nlisten = \"[::1]:9765\"",
    ] {
        assert!(parse("f", text).is_ok(), "{text}");
    }
}

#[test]
fn says_which_sections_are_ahead_of_this_version() {
    let config =
        parse("f", "[http]\nlisten = \"127.0.0.1:80\"\n[fleet]\nservers = [\"nats://127.0.0.1:4222\"]\n[site]\nname = \"x\"")
            .unwrap();
    assert_eq!(config.ahead_of_this_version(), ["fleet"]);
    assert!(Config::default().ahead_of_this_version().is_empty());
    assert!(parse("f", "[fleet]\nservers = []").unwrap().ahead_of_this_version().is_empty());
}

#[test]
fn files_are_read_and_their_folder_is_where_paths_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringfence.toml");
    std::fs::write(&path, "[tariff]\nfile = \"deck.csv\"").unwrap();
    std::fs::write(folder.path().join("deck.csv"), "prefix,rate_per_min\n44,0.01\n").unwrap();
    let deck = Config::load(&path).unwrap().dial().tariff.unwrap();
    assert_eq!((deck.0.as_str(), deck.1.len()), ("deck.csv", 28));
    // A folder is a tariff plan of CGRateS.
    std::fs::write(&path, "[tariff]\nfile = \"plan\"").unwrap();
    let plan = folder.path().join("plan");
    std::fs::create_dir(&plan).unwrap();
    assert!(Config::load(&path).unwrap_err().to_string().contains("plan can't be read"));
    for (file, text) in [
        ("Destinations.csv", "#Id,Prefix\nCUBA,+53"),
        ("Rates.csv", "#Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart\nR,0.4,0.2,60s,30s,0s"),
        ("DestinationRates.csv", "#Id,DestinationId,RatesTag,RoundingMethod\nD,CUBA,R,*up"),
    ] {
        std::fs::write(plan.join(file), text).unwrap();
    }
    let dial = crate::dial::Dial::new(&Config::load(&path).unwrap().dial()).unwrap();
    assert_eq!(dial.explain("005351234567").price_per_min, Some(200_000));
    let error = Config::load(&folder.path().join("none.toml")).unwrap_err().to_string();
    assert!(error.contains("none.toml: the configuration can't be read: No such file"), "{error}");
    assert!(error.ends_with("`ringfence init -o FILE` writes one"), "{error}");
    std::fs::write(&path, b"\xff\xfe[\0s\0").unwrap();
    let error = Config::load(&path).unwrap_err().to_string();
    assert!(error.ends_with("; save it as UTF-8"), "{error}");
    let windows = "\u{feff}[site]\r\nhome = \"DE\"\r\n";
    std::fs::write(&path, windows).unwrap();
    assert_eq!(Config::load(&path).unwrap().dial().home.as_str(), "DE");
}
