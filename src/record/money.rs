//! Money from millionths, for machines and for people.

/// Units with their fraction: 38_200_000 is 38.2.
#[expect(clippy::cast_precision_loss, reason = "below 9e9 units a double holds every millionth")]
pub fn units(millionths: i64) -> f64 {
    millionths as f64 / 1e6
}

/// `1,234.57`: two decimals, rounded half away from zero.
pub(super) fn amount(millionths: i64) -> String {
    let cents = millionths.unsigned_abs().saturating_add(5_000) / 10_000;
    let sign = if millionths < 0 && cents > 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", grouped(cents / 100), cents % 100)
}

/// `1,234,567`
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_money() {
        assert_eq!(units(38_200_000), 38.2);
        for (millionths, text) in [
            (0, "0.00"),
            (4_999, "0.00"),
            (5_000, "0.01"),
            (999_995_000, "1,000.00"),
            (1_234_567_890_000, "1,234,567.89"),
            (-1_500_000, "-1.50"),
            (-1, "0.00"),
        ] {
            assert_eq!(amount(millionths), text);
        }
    }
}
