//! The operator's BPF, widened so that it doesn't hide signalling.
//!
//! In: the filter as it was written. Out: one that also passes fragments and tagged frames.
//! Never: narrows.

use pcap::{Capture, Linktype};

/// The operator's filter, or no filter at all. A fragment after the first has no ports, and a tag
/// moves everything behind it, so a filter on ports would lose them unseen. `vlan` stands last: it
/// shifts the offsets of whatever follows it.
pub(super) fn widened(operators: &str) -> String {
    if operators.trim().is_empty() {
        return String::new();
    }
    format!("(ip[6:2] & 0x3fff != 0) or (ip6[6] = 44) or ({operators}) or vlan")
}

/// Whether libpcap understands a filter, by itself and widened.
pub(super) fn check(operators: &str) -> Result<(), String> {
    let dead = Capture::dead(Linktype::ETHERNET).map_err(|e| e.to_string())?;
    for program in [operators, &widened(operators)] {
        dead.compile(program, true).map_err(|e| e.to_string().replace("libpcap error: ", ""))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(filter: &str, frame: &[u8]) -> bool {
        let dead = Capture::dead(Linktype::ETHERNET).unwrap();
        dead.compile(&widened(filter), true).unwrap().filter(frame)
    }

    fn udp(port: u16, fragment: u16, tag: bool) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        if tag {
            frame.extend([0x81, 0, 0, 100]);
        }
        frame.extend([8, 0, 0x45, 0, 0, 32, 0, 1]);
        frame.extend(fragment.to_be_bytes());
        frame.extend([64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        frame.extend(port.to_be_bytes());
        frame.extend(port.to_be_bytes());
        frame.extend([0, 12, 0, 0, 1, 2, 3, 4]);
        frame
    }

    #[test]
    fn fragments_and_tags_pass_a_filter_on_ports() {
        let filter = "udp port 5060";
        assert!(passes(filter, &udp(5060, 0, false)));
        assert!(!passes(filter, &udp(5061, 0, false)), "what was asked to stay out stays out");
        assert!(passes(filter, &udp(5061, 0x2000, false)), "a first fragment");
        assert!(passes(filter, &udp(5061, 0x0040, false)), "a later fragment");
        assert!(passes(filter, &udp(5060, 0, true)), "a tagged frame");
    }

    #[test]
    fn nothing_means_everything() {
        assert_eq!(widened("  "), "");
        assert!(passes("", &udp(1, 0, false)));
    }

    #[test]
    fn a_wrong_filter_is_named() {
        assert!(check("udp port 5060").is_ok());
        assert!(check("udp portt 5060").unwrap_err().contains("syntax"));
        assert!(check("udp) or (tcp").is_err(), "it must make sense by itself");
    }
}
