//! Reading what an authorization server answers (RFC 6749 section 5).

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::access_token::AccessToken;

/// How long before its end a token is no longer used, so that it does not expire on its way.
const MARGIN: Duration = Duration::from_secs(60);
/// The longest that a token is kept, whatever the server says.
const MAX_KEPT: Duration = Duration::from_secs(24 * 3600);

/// A token and how long it may be kept.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) token: AccessToken,
    /// `None` if the server doesn't say or it isn't worth keeping.
    pub(super) lasts: Option<Duration>,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<Value>,
}

/// Reads the answer of status 200.
///
/// # Errors
/// What is wrong with it, without a word of its own.
pub(super) fn read(body: &[u8]) -> Result<Granted, String> {
    let response: TokenResponse = serde_json::from_slice(body)
        .map_err(|_| "the authorization server's answer is not the JSON object of a token".to_owned())?;
    if response.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err("the authorization server gave a token that is not a bearer token".to_owned());
    }
    let token = response.access_token.filter(|token| !token.is_empty());
    let token = token.ok_or("the authorization server's answer has no access_token")?;
    let token = AccessToken::bearer(&token);
    let token = token.ok_or("the authorization server gave a token that cannot stand in a header")?;
    let lasts = response.expires_in.and_then(|value| seconds(&value));
    let lasts = lasts.and_then(|lasts| lasts.checked_sub(MARGIN)).filter(|lasts| !lasts.is_zero());
    Ok(Granted { token, lasts: lasts.map(|lasts| lasts.min(MAX_KEPT)) })
}

/// Some servers write the number as a string, some with a fraction.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

/// The error code of a refusal (RFC 6749 section 5.2), if it looks like one. Free text is left out: it may repeat what we sent.
pub(super) fn error_code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let code = serde_json::from_slice::<Refusal>(body).ok()?.error;
    let well_formed =
        (1..=40).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    well_formed.then_some(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_kept_until_a_minute_before_its_end() {
        let lasts = |expires: &str| {
            read(format!(r#"{{"access_token":"t","token_type":"Bearer"{expires}}}"#).as_bytes()).unwrap().lasts
        };
        assert_eq!(lasts(r#","expires_in":3600"#), Some(Duration::from_secs(3540)));
        assert_eq!(lasts(r#","expires_in":"3600""#), Some(Duration::from_secs(3540)));
        assert_eq!(lasts(r#","expires_in":1e300"#), None);
        assert_eq!(lasts(r#","expires_in":864000"#), Some(Duration::from_secs(86_400)));
        for unkept in [
            "",
            r#","expires_in":60"#,
            r#","expires_in":0"#,
            r#","expires_in":-5"#,
            r#","expires_in":null"#,
            r#","expires_in":"soon""#,
        ] {
            assert_eq!(lasts(unkept), None, "{unkept}");
        }
    }

    #[test]
    fn an_answer_without_a_usable_token_is_refused_without_quoting_it() {
        let answers = [
            "",
            "[]",
            "null",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":7}"#,
            r#"{"access_token":"s3cret x"}"#,
            r#"{"access_token":"s3cret\r\nX: y"}"#,
            r#"{"access_token":"s3crät"}"#,
            r#"{"access_token":"s3cret","token_type":"mac"}"#,
        ];
        for answer in answers {
            let reason = read(answer.as_bytes()).unwrap_err();
            assert!(!reason.contains("s3cr"), "{reason}");
        }
        assert!(read(format!(r#"{{"access_token":"{}"}}"#, "t".repeat(16 * 1024 + 1)).as_bytes()).is_err());
        assert!(read(br#"{"access_token":"t"}"#).is_ok());
    }

    #[test]
    fn only_what_looks_like_an_error_code_is_told() {
        assert_eq!(
            error_code(br#"{"error":"invalid_client","error_description":"x"}"#).as_deref(),
            Some("invalid_client")
        );
        for other in ["", "{}", r#"{"error":""}"#, r#"{"error":"Bad secret s3cret"}"#, r#"{"error":{"a":1}}"#, "<html>"]
        {
            assert_eq!(error_code(other.as_bytes()), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_reading_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (read(&body), error_code(&body));
        }
    }
}
