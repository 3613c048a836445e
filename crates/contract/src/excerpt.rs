//! Cutting a stranger's text to what a message may show.

/// Characters of a stranger's text that a message shows.
const LIMIT: usize = 100;

/// The text without control characters and without those that reorder a line, at most 100 characters long.
pub(crate) fn excerpt(text: &str) -> String {
    let mut shown = text
        .chars()
        .filter(|character| !character.is_control() && !reorders(*character));
    let mut short: String = shown.by_ref().take(LIMIT).collect();
    if shown.next().is_some() {
        short.pop();
        short.push('…');
    }
    short
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
        assert_eq!(excerpt(&"é".repeat(100)).chars().count(), 100);
        let cut = excerpt(&"é".repeat(101));
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (100, true));
    }
}
