//! User-Agent strings of phones, by their makers' grammars.
//!
//! In: User-Agent or Server of SIP or HTTP. Out: maker, model, firmware, hardware address.
//! Never: guesses: what doesn't follow a known grammar is unknown. The strings and where they come
//! from: recog (BSD-2-Clause) `sip_user_agents.xml`, wazo-provd-plugins, makers' manuals.

use crate::decode::Mac;
use crate::text::Text;

/// What a User-Agent says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// The maker; empty where several makers share the string.
    pub vendor: &'static str,
    /// The model, without the maker's name; empty if it isn't said.
    pub model: Text<32>,
    /// The firmware; empty if it isn't said, or is another component's.
    pub firmware: Text<32>,
    /// The hardware address.
    pub mac: Option<Mac>,
}

/// Longest string that is read, in bytes.
const LONGEST: usize = 256;

/// Reads a User-Agent; `None` if it's no phone's whose grammar is known.
pub fn parse(value: &[u8]) -> Option<Agent> {
    let text = std::str::from_utf8(value.get(..value.len().min(LONGEST))?).ok()?.trim();
    let mut agent = GRAMMARS.iter().find_map(|grammar| grammar(text))?;
    // What follows Linksys' version is a serial number, some of which look like hardware addresses.
    let with_mac = if agent.vendor == "Linksys" { text.split("Linksys/").next() } else { Some(text) };
    agent.mac = agent.mac.or_else(|| with_mac.and_then(find_mac));
    Some(agent)
}

type Grammar = fn(&str) -> Option<Agent>;

const GRAMMARS: [Grammar; 19] = [
    yealink,
    poly,
    snom,
    snom_http,
    grandstream,
    cisco_mpp,
    cisco_spa,
    mitel,
    aastra,
    gigaset,
    fanvil,
    panasonic,
    openstage,
    ip_dect,
    audiocodes,
    htek,
    obihai,
    avm,
    named,
];

fn agent(vendor: &'static str, model: &str, firmware: &str) -> Option<Agent> {
    let model = Text::new(model.trim().as_bytes());
    Some(Agent { vendor, model, firmware: Text::new(firmware.trim().as_bytes()), mac: None })
}

/// `prefix` in any case, and what follows it.
fn after<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// `part` anywhere, in any case, and what follows it.
fn behind<'t>(text: &'t str, part: &str) -> Option<&'t str> {
    let at =
        text.as_bytes().windows(part.len().max(1)).position(|w| w.eq_ignore_ascii_case(part.as_bytes()))?;
    text.get(at.checked_add(part.len())?..)
}

/// At least two numbers between dots; letters may end a number.
fn is_version(word: &str) -> bool {
    let plain = |part: &str| part.starts_with(|c: char| c.is_ascii_digit()) && part.len() <= 10;
    word.contains('.') && word.split('.').all(plain) && find_mac(word).is_none()
}

/// The longest beginning that is a version.
fn version_of(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(text.len());
    let word = text.get(..end).unwrap_or_default();
    if is_version(word) { word } else { "" }
}

/// Twelve hex digits, with colons or dashes between pairs or without.
fn mac_of(word: &str) -> Option<Mac> {
    let word = word.trim_matches(|c: char| !c.is_ascii_hexdigit());
    let separated = word.len() == 17
        && [2, 5, 8, 11, 14].iter().all(|at| matches!(word.as_bytes().get(*at), Some(b':' | b'-')));
    if !(separated || word.len() == 12) {
        return None;
    }
    let mut digits = word
        .bytes()
        .filter(|byte| !matches!(byte, b':' | b'-'))
        .map(|byte| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
    let mut mac = [0u8; 6];
    for byte in &mut mac {
        *byte = (digits.next()?? << 4) | digits.next()??;
    }
    digits.next().is_none().then_some(Mac(mac))
}

/// The first word that is a hardware address, whatever it stands between.
pub fn find_mac(text: &str) -> Option<Mac> {
    let parts = text.split([' ', ';', '(', ')', '_', '=', ',', '/', '"', '<', '>']);
    parts.map(|word| word.strip_prefix("MAC:").unwrap_or(word)).find_map(mac_of)
}

/// `Yealink SIP-T46U 108.86.0.20`, `Yealink-T46G 28.71.0.81 28.1.0.128.0.0.0`, `VP530P 23.70.0.40`:
/// also without the maker's name where the words have its shape.
fn yealink(text: &str) -> Option<Agent> {
    let named = after(text, "yealink").map(|rest| rest.trim_start_matches([' ', '-']));
    // A videophone's: `Yealink SIP VP-T49G 51.80.0.10`.
    let named = named.map(|rest| after(rest, "SIP VP-").unwrap_or(rest));
    let mut words = named.unwrap_or(text).split_ascii_whitespace();
    let model = words.next()?;
    let firmware = words.next().unwrap_or_default();
    let model = after(model, "SIP-").unwrap_or(model);
    let shaped = is_version(firmware) && firmware.split('.').count() == 4;
    if named.is_none() {
        let own = ["SIP-T", "VP530", "W52P", "W60B"].iter().any(|head| after(text, head).is_some());
        if !own || !shaped {
            return None;
        }
    }
    agent("Yealink", model, if shaped { firmware } else { "" })
}

/// `[FileTransport ]Polycom<line>-<model>-UA/<version>[ Type/Application]`, `PolyEdge-...`.
fn poly(text: &str) -> Option<Agent> {
    let word = text
        .split_ascii_whitespace()
        .find(|word| after(word, "Poly").is_some() && behind(word, "-UA/").is_some())?;
    let (name, version) = word.split_once("-UA/")?;
    let model = name.split_once('-')?.1.replace('_', " ");
    let version = version.split('_').next().unwrap_or_default();
    // The updater has versions of its own.
    let firmware = if behind(text, "Type/Updater").is_some() { "" } else { version_of(version) };
    agent("Poly", &model, firmware)
}

/// `snomD785/10.1.159.12`, `snom821/873_19_20130321`, `snom105-3.56p`.
fn snom(text: &str) -> Option<Agent> {
    let rest = after(text, "snom")?;
    let Some((model, version)) = rest.split_once(['/', '-']).filter(|(model, _)| !model.contains(' ')) else {
        return agent("Snom", "", "");
    };
    let word = version.split_ascii_whitespace().next().unwrap_or_default();
    // Three digits, the patch, the date: 873_19_20130321 is 8.7.3.19.
    let mut parts = word.split('_');
    if let (Some(major), Some(patch), Some(_)) = (parts.next(), parts.next(), parts.next())
        && let [a, b, c] = major.as_bytes()
        && major.bytes().chain(patch.bytes()).all(|byte| byte.is_ascii_digit())
    {
        let [a, b, c] = [a, b, c].map(|digit| char::from(*digit));
        return agent("Snom", model, &format!("{a}.{b}.{c}.{patch}"));
    }
    agent("Snom", model, version_of(word))
}

/// `Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12-00004-g9ba52f5 000413922D24 SXM:0 UXM:0)`.
fn snom_http(text: &str) -> Option<Agent> {
    let rest = behind(after(text, "Mozilla/")?, "compatible; snom")?;
    if after(rest, " lid ").is_some() {
        return agent("Snom", "", "");
    }
    let mut words = rest.split_ascii_whitespace();
    let model = words.next()?;
    let model = model.split_once("-SIP").map_or(model, |(model, _)| model);
    agent("Snom", model, version_of(words.next().unwrap_or_default()))
}

/// `Grandstream GXP2135 1.0.9.108`, `Grandstream Model HW GXP1405[ V1.6B] SW 1.0.4.23 DevId ..`,
/// `Grandstream GXP2000 (gxp2000e.bin:1.2.5.3/boot55e.bin:1.1.6.9) DevId ..`.
fn grandstream(text: &str) -> Option<Agent> {
    let rest = after(text, "Grandstream ")?;
    let mut words = behind(rest, "HW ").unwrap_or(rest).split_ascii_whitespace();
    let model = words.next()?;
    let firmware = if let Some(software) = behind(rest, " SW ") {
        version_of(software.trim_start())
    } else if let Some(image) = behind(rest, ".bin:") {
        version_of(image)
    } else {
        // The hardware's own may stand before it: `Grandstream HT-503  V1.1B 1.0.10.9  chip V2.2`.
        words.map(version_of).find(|version| !version.is_empty()).unwrap_or_default()
    };
    agent("Grandstream", model, firmware)
}

/// `Cisco-CP-8841-3PCC/11.0 (00562b043615)`.
fn cisco_mpp(text: &str) -> Option<Agent> {
    let named = behind(text, "Cisco-CP")?;
    let (model, rest) = named.strip_prefix('-').unwrap_or(named).split_once('/')?;
    if !model.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    agent("Cisco", &format!("CP-{model}"), version_of(rest))
}

/// `Cisco/SPA504G-7.5.2`, `Cisco/SPA112-1.4.1SR1(002)d-hisec`, `Linksys/SPA922-6.1.5(a)`; words or a
/// hardware address may stand before it.
fn cisco_spa(text: &str) -> Option<Agent> {
    let (vendor, rest) = behind(text, "Cisco/")
        .map(|rest| ("Cisco", rest))
        .or_else(|| behind(text, "Linksys/").map(|rest| ("Linksys", rest)))?;
    // `SPA-942` is `SPA942`.
    let (series, rest) = after(rest, "SPA-").map_or(("", rest), |number| ("SPA", number));
    let (model, version) = rest.split_once('-')?;
    if model.contains(' ') {
        return None;
    }
    agent(vendor, &format!("{series}{model}"), version_of(version))
}

/// `Mitel-5320-SIP-Phone 06.05.00.11 010203040506`, `Mitel6940 MAC:.. V:6.4.0.4006-SIP`.
fn mitel(text: &str) -> Option<Agent> {
    let rest = after(text, "Mitel")?;
    colon_version("Mitel", rest).or_else(|| {
        // Its phones have numbers; its gateways have names.
        let rest = rest.trim_start_matches(['-', ' ']);
        let mut words = rest.split([' ', '/']);
        let name = words.next().filter(|name| name.starts_with(|c: char| c.is_ascii_digit()))?;
        agent(
            "Mitel",
            name.strip_suffix("-SIP-Phone").unwrap_or(name),
            version_of(words.next().unwrap_or_default()),
        )
    })
}

/// Aastra is Mitel since 2014, and its phones run on under that name.
/// `Aastra 6865i/4.2.0.2023`, `Aastra6863i MAC:00-08-5D-40-90-5F V:4.1.0.128-SIP`.
fn aastra(text: &str) -> Option<Agent> {
    let rest = after(text, "Aastra")?;
    colon_version("Mitel", rest).or_else(|| {
        let mut words = rest.trim_start().split([' ', '/']);
        let name = words.next()?;
        agent("Mitel", name, version_of(words.next().unwrap_or_default()))
    })
}

fn colon_version(vendor: &'static str, rest: &str) -> Option<Agent> {
    let version = behind(rest, " V:")?;
    agent(vendor, rest.split_ascii_whitespace().next()?, version_of(version))
}

/// `N510 IP PRO/42.245.00.000.000;7C2F804DF9A9`, `Gigaset N720 DM PRO/70.108.00.000.000`: by the
/// version's shape where the name is missing.
fn gigaset(text: &str) -> Option<Agent> {
    let named = after(text, "Gigaset ");
    let (model, rest) = named.unwrap_or(text).split_once('/')?;
    // `Gigaset N870 IP PRO/83.V2.11.0+build.a546b91;7C2F80E0D605`.
    if let (Some(_), Some((code, number))) = (named, rest.split_once(".V"))
        && code.len() == 2
        && !version_of(number).is_empty()
    {
        return agent("Gigaset", model, &format!("{code}.V{}", version_of(number)));
    }
    let firmware = version_of(rest);
    let lengths = firmware.split('.').map(str::len);
    let shaped = lengths.eq([2, 3, 2, 3, 3]);
    if named.is_none() && !shaped {
        return None;
    }
    agent("Gigaset", model, if shaped { firmware } else { "" })
}

/// `Fanvil X303 2.12.18.9 0c383e63963b`, `Fanvil X4U 0c383e63963b 2.12.1`: by shape.
fn fanvil(text: &str) -> Option<Agent> {
    let mut words = after(text, "Fanvil ")?.split_ascii_whitespace();
    let model = words.next()?;
    agent("Fanvil", model, words.find(|word| is_version(word)).unwrap_or_default())
}

/// `Panasonic_KX-UT113/01.133 (0080f0c8c381)`.
fn panasonic(text: &str) -> Option<Agent> {
    let (model, rest) = after(text, "Panasonic")?.trim_start_matches(['_', ' ', '-']).split_once('/')?;
    agent("Panasonic", model, version_of(rest))
}

/// `OpenStage_40_V3 R5.13.0 SIP 190111`.
fn openstage(text: &str) -> Option<Agent> {
    let rest = after(text, "OpenStage_")?;
    let (model, generation) = rest.split_once('_')?;
    let mut words = generation.split_ascii_whitespace();
    let (generation, release) = (words.next()?, words.next().unwrap_or_default());
    let major = generation.strip_prefix('V')?;
    let minor = release.strip_prefix('R').unwrap_or_default();
    agent(
        "Unify",
        &format!("OpenStage {model}"),
        if is_version(minor) { minor_of(major, minor) } else { String::new() }.as_str(),
    )
}

fn minor_of(major: &str, minor: &str) -> String {
    format!("{major}.{minor}")
}

/// `IPDECT/03.55.0013 (MAC=..; SER=..)`: sold under several names, so no maker.
fn ip_dect(text: &str) -> Option<Agent> {
    agent("", "IPDECT", version_of(after(text, "IPDECT/")?))
}

/// `AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F602AAC)`.
fn audiocodes(text: &str) -> Option<Agent> {
    let rest = after(text, "AUDC-IPPhone/")?;
    let inside = rest.split_once('(').map_or("", |(_, inside)| inside);
    let model = inside.split([';', ')']).next().unwrap_or_default();
    agent("AudioCodes", model.split_once("-Rev").map_or(model, |(model, _)| model), version_of(rest))
}

/// `Htek UC926 2.0.4.2 00:1f:c1:..`.
fn htek(text: &str) -> Option<Agent> {
    let mut words = after(text, "Htek ")?.split_ascii_whitespace();
    let model = words.next()?;
    agent("Htek", model, version_of(words.next().unwrap_or_default()))
}

/// `OBIHAI/OBi202-3.2.2.5921`.
fn obihai(text: &str) -> Option<Agent> {
    let (model, version) = after(text, "OBIHAI/")?.split_once('-')?;
    agent("Obihai", model, version_of(version))
}

/// `AVM FRITZ!Box 7312 117.05.23 ..`.
fn avm(text: &str) -> Option<Agent> {
    let rest = after(text, "AVM ")?;
    let family =
        ["FRITZ!Box", "FRITZ!Fon", "Multibox"].into_iter().find(|name| after(rest, name).is_some())?;
    let mut words = after(rest, family)?.strip_prefix(' ')?.split_ascii_whitespace().peekable();
    let mut model = String::from(family);
    while let Some(word) = words.next_if(|word| !is_version(word)) {
        model.push(' ');
        model.push_str(word);
    }
    agent("AVM", &model, words.next().unwrap_or_default())
}

/// `Sangoma S305 V3.0.4.72`, `Valcom VIP-204 sw1.50.28`.
fn named(text: &str) -> Option<Agent> {
    let (vendor, rest) = [("Sangoma", after(text, "Sangoma ")), ("Valcom", after(text, "Valcom "))]
        .into_iter()
        .find_map(|(vendor, rest)| Some((vendor, rest?)))?;
    let mut words = rest.split_ascii_whitespace();
    let model = words.next()?;
    agent(
        vendor,
        model,
        version_of(words.next().unwrap_or_default().trim_start_matches(|c: char| c.is_ascii_alphabetic())),
    )
}

#[cfg(test)]
mod strings;
#[cfg(test)]
mod tests;
