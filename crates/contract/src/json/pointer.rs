//! JSON Pointer (RFC 6901): splitting, unescaping, array indices.

use std::borrow::Cow;

/// Splits a JSON Pointer into its reference tokens, `~1` and `~0` undone; `""` has none.
///
/// `None` if it is not a pointer: it neither is empty nor starts with `/`, or a `~` is not followed by `0` or `1`
/// (RFC 6901 section 3).
#[must_use]
pub fn tokens(pointer: &str) -> Option<Vec<Cow<'_, str>>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    pointer.strip_prefix('/')?.split('/').map(unescape).collect()
}

/// Escapes a member name for use as one token of a JSON Pointer.
#[must_use]
pub fn escape_token(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) { Cow::Owned(name.replace('~', "~0").replace('/', "~1")) } else { Cow::Borrowed(name) }
}

/// An array index (RFC 6901 section 4): decimal digits, no sign, no leading zero.
pub(crate) fn index(token: &str) -> Option<usize> {
    let leading_zero = token.len() > 1 && token.starts_with('0');
    if leading_zero || !token.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    token.parse().ok()
}

fn unescape(token: &str) -> Option<Cow<'_, str>> {
    if !token.contains('~') {
        return Some(Cow::Borrowed(token));
    }
    let mut plain = String::with_capacity(token.len());
    let mut characters = token.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '~' => match characters.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_splits_into_unescaped_tokens() {
        assert_eq!(tokens("").unwrap(), Vec::<Cow<'_, str>>::new());
        assert_eq!(tokens("/").unwrap(), vec![""]);
        assert_eq!(tokens("/a~1b/m~0n/~01").unwrap(), vec!["a/b", "m~n", "~1"]);
    }

    #[test]
    fn what_is_not_a_pointer_is_refused() {
        for text in ["a", "a/b", "/~", "/~2", "/a/~"] {
            assert!(tokens(text).is_none(), "{text}");
        }
    }

    #[test]
    fn escaping_a_name_and_splitting_it_gives_the_name_back() {
        for name in ["", "a", "http://schemas.example.com/claims/~x", "~0", "/"] {
            let pointer = format!("/{}", escape_token(name));
            assert_eq!(tokens(&pointer).unwrap(), vec![name]);
        }
    }

    #[test]
    fn an_index_is_decimal_without_sign_or_leading_zero() {
        assert_eq!(index("0"), Some(0));
        assert_eq!(index("10"), Some(10));
        for text in ["", "-", "-1", "+1", "01", "1.0", "1e0", "99999999999999999999999"] {
            assert_eq!(index(text), None, "{text}");
        }
    }
}
