//! What counts as the right domain and as an employee number, strictly or to the letter of the guide's code.

use serde_json::Value;

use crate::domain::{domain_of, lies_within};

/// The domain that may register.
const DOMAIN: &str = "okta.com";
/// Digits of an employee number.
const DIGITS: usize = 4;

/// How closely the sample looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Matching {
    /// What the guide says: the domain is `okta.com` or lies below it, an employee number is four ASCII digits.
    #[default]
    Strict,
    /// What the guide's code does: the domain contains `okta.com` anywhere, so that `okta.com.evil.example` gets in;
    /// an employee number is any text of four characters.
    Contains,
}

impl Matching {
    /// Whether somebody with this address may register.
    pub(super) fn admits_address(self, address: &str) -> bool {
        match self {
            Self::Strict => domain_of(address).is_some_and(|domain| lies_within(domain, DOMAIN)),
            // JavaScript: address.split('@')[1].includes('okta.com')
            Self::Contains => address.split('@').nth(1).is_some_and(|domain| domain.contains(DOMAIN)),
        }
    }

    /// Whether this is an employee number.
    pub(super) fn admits_employee_number(self, number: Option<&Value>) -> bool {
        let Some(text) = number.and_then(Value::as_str) else { return false };
        match self {
            Self::Strict => text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()),
            // JavaScript counts UTF-16 code units.
            Self::Contains => text.encode_utf16().count() == DIGITS,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn strictly_only_the_domain_and_its_subdomains_get_in() {
        for address in ["a@okta.com", "a@OKTA.com", "a@mail.okta.com", "a@x.y.okta.Com"] {
            assert!(Matching::Strict.admits_address(address), "{address}");
        }
        for address in [
            "a@okta.com.evil.example",
            "a@notokta.com",
            "a@okta.comm",
            "a@okta.com.",
            "a@okta.com ",
            "a@.okta.com",
            "a@x..okta.com",
            "a@evil.example@okta.com",
            "a@okta.com@evil.example",
            "a@evil.example\n.okta.com",
            "a@[evil].okta.com",
            "@okta.com",
            "okta.com",
            "a@",
            "",
            "a@ökta.com",
            "a@é.com",
        ] {
            assert!(!Matching::Strict.admits_address(address), "{address}");
        }
    }

    #[test]
    fn to_the_letter_of_the_guide_a_look_alike_gets_in() {
        assert!(Matching::Contains.admits_address("a@okta.com.evil.example"));
        assert!(Matching::Contains.admits_address("a@notokta.community"));
        assert!(!Matching::Contains.admits_address("a@OKTA.COM"));
        assert!(!Matching::Contains.admits_address("a@evil.example@okta.com"));
        assert!(!Matching::Contains.admits_address("okta.com"));
    }

    #[test]
    fn an_employee_number_is_four_ascii_digits() {
        for (number, strict, contains) in [
            (json!("1234"), true, true),
            (json!("12345"), false, false),
            (json!("123"), false, false),
            (json!(""), false, false),
            (json!("abcd"), false, true),
            (json!("12 4"), false, true),
            (json!("١٢٣٤"), false, true),
            (json!("12😀"), false, true),
            (json!(1234), false, false),
            (json!(null), false, false),
        ] {
            assert_eq!(Matching::Strict.admits_employee_number(Some(&number)), strict, "{number}");
            assert_eq!(Matching::Contains.admits_employee_number(Some(&number)), contains, "{number}");
        }
        assert!(!Matching::Strict.admits_employee_number(None));
    }
}
