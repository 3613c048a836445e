//! Bytes as hexadecimal digits.

/// Two lower-case digits for each byte. Every call of a hook and every event writes some; `format!` takes ten times as long.
pub(crate) fn lower_case(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(half + if half < 10 { b'0' } else { b'a' - 10 });
    let mut digits = String::with_capacity(bytes.len() * 2);
    digits.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
    digits
}

#[cfg(test)]
mod tests {
    use super::lower_case;

    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!(lower_case(&[]), "");
        for byte in 0..=u8::MAX {
            assert_eq!(lower_case(&[byte, 0xa0]), format!("{byte:02x}a0"));
        }
    }
}
