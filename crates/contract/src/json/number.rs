//! The text of a JSON number, kept exactly or refused.

use serde_json::Number;

/// Significant digits that every normal IEEE 754 double keeps, whatever they are.
const DIGITS_ALWAYS_KEPT: usize = 15;

/// Significant digits that tell any two doubles apart: more are never needed.
const DIGITS_EVER_NEEDED: usize = 17;

/// Reads a text that fits JSON's grammar of numbers.
///
/// Whole numbers of 64 bits are kept as they are. All others must be what some program prints for a double: its value
/// rounded to the number of digits the text has, at most 17. `None` where digits would silently get lost, and beyond a
/// double's range.
pub(super) fn exact(text: &str) -> Option<Number> {
    if let Ok(whole) = text.parse::<u64>() {
        return Some(Number::from(whole));
    }
    // "-0" is left to the double, which keeps the sign.
    if text != "-0"
        && let Ok(whole) = text.parse::<i64>()
    {
        return Some(Number::from(whole));
    }
    let double: f64 = text.parse().ok()?;
    let number = Number::from_f64(double)?;
    let written = Decimal::of(text)?;
    is_kept(&written, double)?.then_some(number)
}

fn is_kept(written: &Decimal, double: f64) -> Option<bool> {
    let digits = written.digits.len();
    if digits == 0 || (digits <= DIGITS_ALWAYS_KEPT && double.is_normal()) {
        return Some(true);
    }
    if digits > DIGITS_EVER_NEEDED {
        return Some(false);
    }
    // A value halfway between two texts is printed either way: by the shortest form here, by rounding to even there.
    let rounded = format!("{double:.*e}", digits.checked_sub(1)?);
    Some(*written == Decimal::of(&rounded)? || *written == Decimal::of(&format!("{double:e}"))?)
}

/// A decimal number without the freedom of writing: `0.digits` times ten to the `exponent`, no zeros at either end.
#[derive(PartialEq)]
struct Decimal {
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// The sign is left out: both sides of a comparison come from one text.
    fn of(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) =
            mantissa.trim_start_matches('-').split_once('.').unwrap_or((mantissa.trim_start_matches('-'), ""));
        let all: String = [whole, fraction].concat();
        let without_leading = all.trim_start_matches('0');
        let leading = all.len().checked_sub(without_leading.len())?;
        let point = i64::try_from(whole.len()).ok()?.checked_sub(i64::try_from(leading).ok()?)?;
        Some(Self { digits: without_leading.trim_end_matches('0').to_owned(), exponent: exponent.checked_add(point)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_fit_are_kept() {
        for (text, printed) in [
            ("0", "0"),
            ("-0", "-0.0"),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("1.0", "1.0"),
            ("0.1", "0.1"),
            ("1e2", "100.0"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("0.10000000000000001", "0.1"),
            ("100000000000000000000", "1e+20"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("5e-324", "5e-324"),
            ("-757243857382134.2", "-757243857382134.2"),
            ("-757243857382134.3", "-757243857382134.2"),
            ("-757243857382134.25", "-757243857382134.2"),
            ("0.000e999", "0.0"),
        ] {
            assert_eq!(exact(text).unwrap().to_string(), printed, "{text}");
        }
    }

    #[test]
    fn numbers_that_would_change_are_refused() {
        for text in [
            "18446744073709551617",
            "-9223372036854775809",
            "12345678901234567890123",
            "1e400",
            "1e-400",
            "3e-324",
            "0.12345678901234567890",
            "1.0000000000000001",
            "1.5e99999999999999999999",
        ] {
            assert!(exact(text).is_none(), "{text}");
        }
    }
}
