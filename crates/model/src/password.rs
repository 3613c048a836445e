//! What a password must be like before anybody hashes it.

/// The fewest characters of a password.
const MIN_CHARACTERS: usize = 8;

/// The most characters of a password.
const MAX_CHARACTERS: usize = 128;

/// The most bytes of what is hashed at all: a character takes four at most.
pub const MAX_BYTES: usize = 4 * MAX_CHARACTERS;

/// Whether a password may be chosen.
///
/// # Errors
/// What is wrong, as a sentence that does not repeat it.
pub fn check_password(password: &str, login: &str) -> Result<(), &'static str> {
    if password.len() > MAX_BYTES || password.chars().count() > MAX_CHARACTERS {
        return Err("The password must be at most 128 characters long");
    }
    if password.chars().count() < MIN_CHARACTERS {
        return Err("The password must be at least 8 characters long");
    }
    if password.contains('\0') {
        return Err("The password must not contain the character U+0000");
    }
    let name = login.split('@').next().unwrap_or_default();
    let holds = |part: &str| part.chars().count() >= 4 && password.to_lowercase().contains(&part.to_lowercase());
    if holds(login) || holds(name) {
        return Err("The password must not contain the username");
    }
    Ok(())
}

/// Whether a text could be somebody's password: what could not is never hashed.
#[must_use]
pub fn could_be_password(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters() {
        assert!(check_password("1234567", "a@b.c").is_err());
        assert!(check_password("12345678", "a@b.c").is_ok());
        assert!(check_password(&"é".repeat(8), "a@b.c").is_ok());
        assert!(check_password(&"👩".repeat(128), "a@b.c").is_ok());
        assert!(check_password(&"x".repeat(129), "a@b.c").is_err());
        assert!(!could_be_password(&"x".repeat(1_000_000)));
    }

    #[test]
    fn a_password_must_not_repeat_the_name() {
        assert!(check_password("xROSARIO1", "rosario@okta.com").is_err());
        assert!(check_password("abcdefgh1", "abc@okta.com").is_ok(), "short names stand in many words");
    }
}
