//! Text from a request as it may go into a log.

use std::borrow::Cow;

/// Longest text taken from a request into a log line, in characters.
const MAX_LOGGED: usize = 100;

/// The text with control characters escaped, so that nobody can forge a line, and cut short.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    // A text of so many bytes has no more characters.
    let short = text.len() <= MAX_LOGGED || text.chars().count() <= MAX_LOGGED;
    if short && !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .take(MAX_LOGGED)
        .flat_map(|character| {
            let escaped = character.is_control().then(|| character.escape_default());
            escaped.into_iter().flatten().chain((!character.is_control()).then_some(character))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_forge_a_log_line() {
        assert_eq!(printable("Rosario Jones"), "Rosario Jones");
        assert_eq!(printable("a\nINFO all is well\u{1b}[2J"), r"a\nINFO all is well\u{1b}[2J");
        assert_eq!(printable(&"x".repeat(10_000)).len(), MAX_LOGGED);
    }
}
