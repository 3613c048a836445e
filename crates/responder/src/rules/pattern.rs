//! Shapes of text, without regular expressions: a rules file must not be able to stall the service.

/// Whether a text has a shape: `#` an ASCII digit, `?` any character, `*` any characters, everything else itself.
///
/// Takes at most as many steps as text and pattern have characters, multiplied.
pub(super) fn has_shape(text: &str, pattern: &str) -> bool {
    let mut text = text.chars();
    let mut pattern = pattern.chars();
    // Where to go on if what follows the last star turns out not to fit: one character further.
    let mut retry = None;
    loop {
        match pattern.next() {
            Some('*') => {
                retry = Some((text.clone(), pattern.clone()));
                continue;
            }
            Some(shape) if text.next().is_some_and(|character| fits(character, shape)) => continue,
            None if text.as_str().is_empty() => return true,
            _ => {}
        }
        let Some((retry_text, retry_pattern)) = &mut retry else { return false };
        if retry_text.next().is_none() {
            return false;
        }
        (text, pattern) = (retry_text.clone(), retry_pattern.clone());
    }
}

fn fits(character: char, shape: char) -> bool {
    match shape {
        '#' => character.is_ascii_digit(),
        '?' => true,
        _ => character == shape,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::has_shape;

    #[test]
    fn shapes_hold_the_whole_text() {
        for (text, pattern) in [
            ("", ""),
            ("", "*"),
            ("1234", "####"),
            ("E-0042", "E-####"),
            ("héllo", "h?llo"),
            ("a.b@example.com", "*@example.com"),
            ("aXbXc", "*X?"),
            ("abcabd", "*ab?"),
            ("x", "**x**"),
        ] {
            assert!(has_shape(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in
            [("", "?"), ("12345", "####"), ("123", "####"), ("12a4", "####"), ("١", "#"), ("abc", "*b"), ("b", "a*")]
        {
            assert!(!has_shape(text, pattern), "{text} {pattern}");
        }
    }

    /// The obvious definition, which may take forever.
    fn by_definition(text: &[char], pattern: &[char]) -> bool {
        match (text, pattern) {
            ([], []) => true,
            (_, ['*', rest @ ..]) => {
                by_definition(text, rest) || matches!(text, [_, tail @ ..] if by_definition(tail, pattern))
            }
            ([first, tail @ ..], [shape, rest @ ..]) => super::fits(*first, *shape) && by_definition(tail, rest),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn the_quick_way_agrees_with_the_definition(text in "[a1]{0,8}", pattern in "[a1#?*]{0,6}") {
            let characters: Vec<char> = text.chars().collect();
            let shapes: Vec<char> = pattern.chars().collect();
            prop_assert_eq!(has_shape(&text, &pattern), by_definition(&characters, &shapes));
        }
    }
}
