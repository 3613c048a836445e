//! Parameters of an OAuth request, from a query or a form.

use super::OAuthError;

/// The most parameters that are looked at.
const MOST: usize = 100;

/// Names and values in their order. Not `Debug`: some are secrets.
#[derive(Clone, Default)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Takes decoded pairs; an empty value counts as left out (RFC 6749 section 3.1).
    #[must_use]
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().take(MOST).filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The first value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that must be there.
    ///
    /// # Errors
    /// `invalid_request` naming it.
    pub fn required(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::invalid_request(format!("The parameter {name} is missing.")))
    }

    /// Refuses a request that gives one of these twice (RFC 6749 section 3.1): which of them counts would be a guess.
    ///
    /// # Errors
    /// `invalid_request` naming it.
    pub fn once(&self, names: &[&'static str]) -> Result<(), OAuthError> {
        for name in names {
            if self.0.iter().filter(|(key, _)| key == name).count() > 1 {
                return Err(OAuthError::invalid_request(format!("The parameter {name} is given more than once.")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_parameter_is_none_and_a_repeated_one_is_refused() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let parameters = Parameters::new([pair("a", ""), pair("b", "1"), pair("c", "1"), pair("c", "2")]);
        assert_eq!(parameters.get("a"), None);
        assert_eq!(parameters.required("b"), Ok("1"));
        assert!(parameters.required("a").is_err());
        assert!(parameters.once(&["a", "b"]).is_ok());
        assert_eq!(parameters.once(&["c"]).unwrap_err().description, "The parameter c is given more than once.");
    }
}
