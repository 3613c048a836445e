//! How a stranger's text and values appear in a message: short, on one line, never a secret.

use crate::json::Value;

/// Characters of a stranger's text that a message shows, quotes included.
const LIMIT: usize = 100;

/// Texts longer than this are not compared with anything: distance costs the product of the lengths.
const LONGEST_COMPARED: usize = 100;

/// The text without control characters and without those that reorder a line, cut to at most 98 characters.
pub(crate) fn excerpt(text: &str) -> String {
    let mut shown = text.chars().filter(|character| !character.is_control() && !reorders(*character));
    let mut short: String = shown.by_ref().take(LIMIT - 2).collect();
    if shown.next().is_some() {
        short.pop();
        short.push('…');
    }
    short
}

/// The text in double quotes, fit to be shown.
pub(crate) fn quote(text: &str) -> String {
    format!("\"{}\"", excerpt(text))
}

/// What kind of value there is, for values that must not be shown; "nothing" where there is none.
pub(crate) fn kind(value: Option<&Value<'_>>) -> &'static str {
    match value {
        None => "nothing",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "a boolean",
        Some(Value::Number(_)) => "a number",
        Some(Value::String(_)) => "a string",
        Some(Value::Array(_)) => "an array",
        Some(Value::Object(_)) => "an object",
    }
}

/// The candidate that a text most likely meant: case counts for nothing, and at most a third of it may differ.
#[must_use]
pub fn nearest<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if text.len() > LONGEST_COMPARED {
        return None;
    }
    let lower = text.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST_COMPARED)
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| distance.saturating_mul(3) <= candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Line separators and the marks of bidirectional text, which can make a log line look like another one.
fn reorders(character: char) -> bool {
    matches!(character, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{61C}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_stays_on_its_line() {
        assert_eq!(excerpt("a\r\nb\u{202E}c\u{0}"), "abc");
        assert_eq!(quote(&"é".repeat(98)).chars().count(), 100);
        let cut = excerpt(&"é".repeat(99));
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (98, true));
    }

    #[test]
    fn the_nearest_candidate_is_near() {
        let types = ["com.okta.action.update", "com.okta.user.profile.update"];
        assert_eq!(nearest("com.action.update", types), Some(types[0]));
        assert_eq!(nearest("com.okta.user.profile.updates", types), Some(types[1]));
        assert_eq!(nearest("verified", ["VERIFIED", "UNVERIFIED"]), Some("VERIFIED"));
        assert_eq!(nearest("MAYBE", ["ALLOW", "DENY"]), None);
        assert_eq!(nearest(&"x".repeat(300_000), types), None);
    }
}
