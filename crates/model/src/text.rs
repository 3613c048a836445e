//! Text as the org stores and compares it: composed, without what no one can see, and folded where case must not count.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// The text in Unicode's composed form (NFC), in which all stored text stands.
#[must_use]
pub fn composed(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// The text as names are compared: letter case, diacritical marks, and width or style of letters don't count.
///
/// Okta takes logins for the same that differ in case or diacritical marks alone; `ß` and `ss`, `İ` and `i` are one too.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut folded = fold_once(text);
    // A mark that is dropped may uncover a letter with another form; it settles at once or after one more turn.
    for _ in 0..3 {
        let again = fold_once(&folded);
        if again == folded {
            break;
        }
        folded = again;
    }
    folded
}

fn fold_once(text: &str) -> String {
    let decomposer = DecomposingNormalizerBorrowed::new_nfkd();
    let cased = decomposer.normalize(text).to_uppercase().to_lowercase();
    let bare: String = decomposer.normalize(&cased).chars().filter(|&letter| !is_diacritical(letter)).collect();
    composed(&bare)
}

/// Unicode's blocks of combining diacritical marks. Vowel signs and the like of other scripts are letters of their own.
const fn is_diacritical(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Whether a text holds a character that has no business in a stored value: a control other than tab and line break.
#[must_use]
pub fn has_controls(text: &str) -> bool {
    text.chars().any(|letter| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r'))
}

/// The text's first characters: as much of it as a message or a record bears.
#[must_use]
pub fn cut(text: &str, characters: usize) -> String {
    // A text of so many bytes has no more characters.
    if text.len() <= characters {
        return text.to_owned();
    }
    let end = text.char_indices().nth(characters).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_marks_and_width_do_not_count() {
        assert_eq!(folded("Isaac.Brock@example.com"), folded("isáàc.bröck@EXAMPLE.com"));
        assert_eq!(folded("STRASSE"), folded("straße"));
        assert_eq!(folded("İstanbul"), folded("istanbul"));
        assert_eq!(folded("ｒｏｓａｒｉｏ"), folded("Rosario"));
        assert_eq!(folded("ΟΔΥΣΣΕΥΣ"), folded("οδυσσευς"));
        assert_eq!(folded("e\u{301}"), folded("é"));
        assert_ne!(folded("rosario"), folded("rosaria"));
    }

    #[test]
    fn stored_text_is_composed() {
        assert_eq!(composed("e\u{301}"), "é");
        assert_eq!(composed("👩‍💻 ‏שלום"), "👩‍💻 ‏שלום");
    }

    #[test]
    fn controls_are_found_but_line_breaks_are_none() {
        assert!(has_controls("a\u{0}b") && has_controls("\u{1b}[31m") && has_controls("\u{85}"));
        assert!(!has_controls("a\tb\r\nc é 👩‍💻"));
    }

    #[test]
    fn a_cut_text_has_so_many_characters() {
        for (text, expected) in
            [("", ""), ("ab", "ab"), ("abc", "abc"), ("abcd", "abc"), ("äöüß", "äöü"), ("äöü", "äöü")]
        {
            assert_eq!(cut(text, 3), expected);
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,24}") {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }

        #[test]
        fn letter_case_never_counts(text in "\\PC{0,24}") {
            // Upper-casing composed letters may move a mark away from its letter; Unicode decomposes first too (D145).
            let text = DecomposingNormalizerBorrowed::new_nfd().normalize(&text).into_owned();
            prop_assert_eq!(folded(&text.to_uppercase()), folded(&text));
        }
    }
}
