//! Address ranges.
//!
//! In: CIDR text. Out: whether an address lies in it.
//! Never: resolves a name.

use std::net::IpAddr;

/// An address range in CIDR form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Any address in it.
    pub base: IpAddr,
    /// Leading bits that count: 0..=32 or 0..=128.
    pub prefix: u8,
}

impl Network {
    /// Whether an address lies in it.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.base, ip) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => {
                let shift = 32u32.saturating_sub(u32::from(self.prefix));
                (u32::from(base) ^ u32::from(ip)).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(base), IpAddr::V6(ip)) => {
                let shift = 128u32.saturating_sub(u32::from(self.prefix));
                (u128::from(base) ^ u128::from(ip)).checked_shr(shift).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl std::str::FromStr for Network {
    type Err = String;

    /// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address.
    fn from_str(text: &str) -> Result<Self, String> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let base: IpAddr =
            address.parse().map_err(|_| format!("`{text}` is not an address or a CIDR range"))?;
        let longest = if base.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(p) => p
                .parse()
                .ok()
                .filter(|p| *p <= longest)
                .ok_or_else(|| format!("`{text}`: the part after / must be 0 to {longest}"))?,
        };
        Ok(Self { base, prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_match_by_prefix() {
        let net: Network = "172.16.0.0/12".parse().unwrap();
        assert!(
            net.contains(IpAddr::from([172, 31, 255, 255])) && !net.contains(IpAddr::from([172, 32, 0, 0]))
        );
        let all: Network = "::/0".parse().unwrap();
        assert!(
            all.contains(IpAddr::from([1u16, 0, 0, 0, 0, 0, 0, 2]))
                && !all.contains(IpAddr::from([10, 0, 3, 1]))
        );
        assert!("10.0.0.0/33".parse::<Network>().is_err() && "ten".parse::<Network>().is_err());
    }
}
