//! How answers and records show that there is a secret.

/// What stands where a secret is kept.
pub const SECRET_MASK: &str = "******";

/// How a kept `authScheme` value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecretDisplay {
    /// As `******`, the form of the 2018 document, which today's clients accept too.
    #[default]
    Mask,
    /// Not at all, as Okta does since 2019.
    Omit,
}
