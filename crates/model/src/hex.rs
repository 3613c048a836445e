//! Bytes as hexadecimal digits.

/// Two lower-case digits for each byte. Every call of a hook and every event writes some; `format!` takes ten times as long.
pub(crate) fn lower_case(bytes: &[u8]) -> String {
    let mut digits = Vec::with_capacity(bytes.len() * 2);
    append(bytes, &mut digits);
    // Digits are ASCII.
    String::from_utf8(digits).unwrap_or_default()
}

/// Appends the same digits to a text of ASCII.
pub(crate) fn append(bytes: &[u8], text: &mut Vec<u8>) {
    let digit = |half: u8| half + if half < 10 { b'0' } else { b'a' - 10 };
    for byte in bytes {
        text.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
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
