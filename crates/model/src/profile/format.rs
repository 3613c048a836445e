//! What a text must look like to be an email address, a URI, a language, …

use crate::Timestamp;
use crate::user_schema::AttributeFormat;

/// Whether the text has this format.
pub(super) fn fits(format: AttributeFormat, text: &str) -> bool {
    match format {
        AttributeFormat::Email => is_email(text),
        AttributeFormat::Uri => {
            !text.contains(char::is_whitespace) && url::Url::parse(text).is_ok_and(|url| !url.cannot_be_a_base())
        }
        AttributeFormat::DateTime => text.contains(['T', 't']) && Timestamp::parse(text).is_some(),
        AttributeFormat::CountryCode => text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
        AttributeFormat::LanguageCode | AttributeFormat::Locale => is_language(text),
        AttributeFormat::Timezone => is_timezone(text),
        AttributeFormat::RefId => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        AttributeFormat::Encrypted | AttributeFormat::Hashed => true,
    }
}

/// What a text that does not fit is told to be. People read it below the field where they typed.
pub(super) fn expected(format: AttributeFormat) -> &'static str {
    match format {
        AttributeFormat::Email => "Must be in the form of an email address",
        AttributeFormat::Uri => "Must be an address such as https://www.example.com",
        AttributeFormat::DateTime => "Must be a date and time such as 2026-01-31T08:00:00.000Z",
        AttributeFormat::CountryCode => "Must be a country code such as US",
        AttributeFormat::LanguageCode | AttributeFormat::Locale => "Must be a language such as en or en-US",
        AttributeFormat::Timezone => "Must be a time zone such as America/Los_Angeles",
        AttributeFormat::RefId | AttributeFormat::Encrypted | AttributeFormat::Hashed => {
            "Does not match required pattern"
        }
    }
}

/// Whether the text has the form of an email address: a mailbox of visible characters, `@`, a domain with a dot.
///
/// Quoted mailboxes and address literals (RFC 5321 section 4.1.2) are refused, letters of all scripts are taken (RFC 6531).
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((mailbox, domain)) = text.rsplit_once('@') else { return false };
    is_mailbox(mailbox) && is_domain(domain)
}

fn is_mailbox(mailbox: &str) -> bool {
    const SPECIAL: &str = "!#$%&'*+-/=?^_`{|}~.";
    let letter = |letter: char| {
        if letter.is_ascii() { letter.is_ascii_alphanumeric() || SPECIAL.contains(letter) } else { is_visible(letter) }
    };
    !mailbox.is_empty()
        && mailbox.len() <= 64
        && mailbox.chars().all(letter)
        && !mailbox.starts_with('.')
        && !mailbox.ends_with('.')
        && !mailbox.contains("..")
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|letter| match letter {
                '-' => true,
                letter if letter.is_ascii() => letter.is_ascii_alphanumeric(),
                letter => is_visible(letter),
            })
    };
    domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label)
}

/// Neither white space nor a control nor a character that only steers how others are shown.
fn is_visible(letter: char) -> bool {
    !letter.is_whitespace()
        && !letter.is_control()
        && !matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Two or three letters, then groups of two to eight letters and digits: `en`, `en_US`, `zh-Hant-TW`.
fn is_language(text: &str) -> bool {
    let mut groups = text.split(['-', '_']);
    let language = groups.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && groups.all(|group| (2..=8).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// The form of the names of the IANA time zone database, such as `America/Argentina/Buenos_Aires` or `UTC`.
fn is_timezone(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'))
    };
    text.len() <= 64 && text.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for good in [
            "a@b.co",
            "rosario.jones@okta.com",
            "first+tag@sub.example.co.uk",
            "o'neil@example.com",
            "jürgen@exämple.de",
            "用户@例子.公司",
            "x@xn--fsq.com",
        ] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "@",
            "a@",
            "@b.co",
            "a@b",
            "a b@c.de",
            "a@b..co",
            ".a@b.co",
            "a.@b.co",
            "a..b@c.de",
            "a@-b.co",
            "a@b-.co",
            "a@@b.co",
            "a@b.co\n",
            "\"a b\"@c.de",
            "a@[127.0.0.1]",
            "a\u{202e}@b.co",
            "a\u{200b}@b.co",
            "<a>@b.co",
            "a,b@c.de",
        ] {
            assert!(!is_email(bad), "{bad:?}");
        }
        assert!(!is_email(&format!("{}@b.co", "a".repeat(65))));
    }

    #[test]
    fn the_example_of_each_sentence_fits() {
        for format in [
            AttributeFormat::Uri,
            AttributeFormat::DateTime,
            AttributeFormat::CountryCode,
            AttributeFormat::LanguageCode,
            AttributeFormat::Locale,
            AttributeFormat::Timezone,
        ] {
            let (_, examples) = expected(format).split_once(" such as ").unwrap();
            assert!(examples.split(" or ").all(|example| fits(format, example)), "{examples}");
        }
    }

    #[test]
    fn formats_take_their_own_texts_only() {
        use AttributeFormat as Format;
        for (format, good, bad) in [
            (Format::Uri, "https://example.com/me", "example"),
            (Format::DateTime, "2018-05-03T01:23:08.000Z", "2018-05-03"),
            (Format::CountryCode, "US", "usa"),
            (Format::LanguageCode, "zh-Hant-TW", "english!"),
            (Format::Locale, "en_US", "e"),
            (Format::Timezone, "America/Argentina/Buenos_Aires", "/"),
            (Format::RefId, "00u1abc", "00u 1"),
        ] {
            assert!(fits(format, good), "{format:?} {good}");
            assert!(!fits(format, bad), "{format:?} {bad}");
        }
    }
}
