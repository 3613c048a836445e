//! The `q` parameter: words that an event must mention.

use serde_json::Value;

use crate::Violations;

/// The most keywords of one query.
pub const MAX_KEYWORDS: usize = 10;

/// The longest keyword, in characters.
pub const MAX_KEYWORD_CHARACTERS: usize = 40;

/// Words that all must stand in an event's values; letter case does not count.
///
/// A keyword matches a whole word, not a part of one. Words end at blanks and punctuation; hyphens and `@` end them too, so
/// that `XOxBw` is found in `XOxBw-2JIR`, and `example.com` in `jane@example.com`. A dot or underscore between letters does
/// not: `created` is not found in `inline_hook.created`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keywords(Vec<String>);

impl Keywords {
    /// Reads the parameter's value: words with blanks in between.
    ///
    /// # Errors
    /// More than [`MAX_KEYWORDS`], or one of more than [`MAX_KEYWORD_CHARACTERS`].
    pub fn parse(text: &str) -> Result<Self, Violations> {
        let words: Vec<String> = text.split_whitespace().take(MAX_KEYWORDS + 1).map(str::to_lowercase).collect();
        if words.len() > MAX_KEYWORDS {
            return Err(Violations::one(
                "q",
                format!("Freeform search cannot contain more than {MAX_KEYWORDS} items."),
            ));
        }
        let too_long = text.split_whitespace().any(|word| word.chars().nth(MAX_KEYWORD_CHARACTERS).is_some());
        if too_long {
            let rule = format!("Freeform search cannot contain items longer than {MAX_KEYWORD_CHARACTERS} characters.");
            return Err(Violations::one("q", rule));
        }
        Ok(Self(words))
    }

    /// Whether there are none, so that everything matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the event mentions all of them.
    #[must_use]
    pub fn match_event(&self, event: &Value) -> bool {
        let mut missing: Vec<&str> = self.0.iter().map(String::as_str).collect();
        strike_out(event, &mut missing);
        missing.is_empty()
    }
}

/// Takes out what is mentioned anywhere in the value.
fn strike_out(value: &Value, missing: &mut Vec<&str>) {
    match value {
        _ if missing.is_empty() => {}
        Value::String(text) => {
            let text = text.to_lowercase();
            missing.retain(|keyword| !mentions(&text, keyword));
        }
        Value::Array(elements) => elements.iter().for_each(|element| strike_out(element, missing)),
        Value::Object(members) => members.values().for_each(|member| strike_out(member, missing)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn mentions(text: &str, keyword: &str) -> bool {
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(keyword)) {
        let start = from + found;
        let end = start + keyword.len();
        let (before, after) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
        let begins = !keyword.starts_with(is_word) || !ends_in_word(before.chars().rev());
        let ends = !keyword.ends_with(is_word) || !ends_in_word(after.chars());
        if begins && ends {
            return true;
        }
        from = start + keyword.chars().next().map_or(1, char::len_utf8);
    }
    false
}

/// Whether the characters next to a place belong to the same word: a letter, or a dot with a letter behind it.
fn ends_in_word(mut neighbours: impl Iterator<Item = char>) -> bool {
    match neighbours.next() {
        Some('.') => neighbours.next().is_some_and(is_word),
        Some(letter) => is_word(letter),
        None => false,
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn found(keywords: &str) -> bool {
        let event = json!({
            "displayMessage": "Create inline hook.", "eventType": "inline_hook.created",
            "transaction": {"id": "XOxBw-2JIRnCFd0gG0GjHAAABjY"},
            "actor": {"displayName": "Jane Doe", "alternateId": "jane@example.com"},
            "client": {"geographicalContext": {"city": "San Francisco"}},
            "target": [{"displayName": "Ünïcode Hook"}],
            "debugContext": {"debugData": {"url": "https://interestingURI.com/hook?a=b", "n": 5}},
        });
        Keywords::parse(keywords).unwrap().match_event(&event)
    }

    #[test]
    fn every_keyword_must_stand_in_the_event_as_a_whole_word() {
        for keywords in [
            "",
            "  ",
            "San Francisco",
            "francisco SAN",
            "interestingURI.com",
            "jane doe",
            "jane@example.com",
            "example.com",
            "XOxBw",
            "2JIRnCFd0gG0GjHAAABjY",
            "xoxbw-2jirncfd0gg0gjhaaabjy",
            "inline_hook.created",
            "hook hook. ünïcode",
            "/hook",
            "a=b",
        ] {
            assert!(found(keywords), "{keywords}");
        }
        for keywords in ["Franc", "San Diego", "created", "xample.com", "2JIR", "interestingURI", "5", "displayMessage"]
        {
            assert!(!found(keywords), "{keywords}");
        }
    }

    #[test]
    fn number_and_length_of_keywords_are_bounded() {
        let forty = "é".repeat(MAX_KEYWORD_CHARACTERS);
        assert!(Keywords::parse(&[forty.as_str(); MAX_KEYWORDS].join(" ")).is_ok());
        let refusal = |text: &str| Keywords::parse(text).unwrap_err().to_string();
        assert_eq!(refusal(&format!("{forty}e")), "q: Freeform search cannot contain items longer than 40 characters.");
        assert_eq!(refusal(&"a ".repeat(11)), "q: Freeform search cannot contain more than 10 items.");
    }

    proptest! {
        #[test]
        fn any_word_of_a_text_is_found_in_it(words in prop::collection::vec("[a-zA-ZéßİΣ0-9_]{1,8}", 1..5), pick in 0_usize..5) {
            let word = &words[pick % words.len()];
            for glue in [" ", "-", "/", ", ", "@"] {
                let event = json!([{"x": words.join(glue)}]);
                prop_assert!(Keywords::parse(word).unwrap().match_event(&event), "{} in {}", word, event);
            }
        }

        #[test]
        fn no_keyword_makes_the_search_panic(text in any::<String>(), keyword in "\\PC{1,5}") {
            if let Ok(keywords) = Keywords::parse(&keyword) {
                let _ = keywords.match_event(&Value::String(text));
            }
        }
    }
}
