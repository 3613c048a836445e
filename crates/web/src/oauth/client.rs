//! What a client sends: parameters in the query or in a form, and perhaps credentials in the header.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use hookwright_app::{App, BasicCredentials, Forwarded, RateClass, RequestOrigin};
use hookwright_model::oauth::{OAuthError, Parameters};
use secrecy::SecretString;

use super::answer::OAuthRefusal;
use crate::api::body::{MAX_FORM_BYTES, limited, media_type};
use crate::context::RequestContext;

/// A request of a client.
pub(crate) struct ClientRequest {
    pub(super) parameters: Parameters,
    pub(super) basic: Option<BasicCredentials>,
    pub(super) forwarded: Forwarded,
    pub(super) origin: RequestOrigin,
}

impl FromRequest<App> for ClientRequest {
    type Rejection = OAuthRefusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, OAuthRefusal> {
        let (mut parts, body) = request.into_parts();
        let context = RequestContext::from_request_parts(&mut parts, app).await?;
        context.count_visit(app, RateClass::Other)?;
        let (origin, forwarded) = (context.origin(&parts.headers), context.forwarded(&parts.headers));
        let basic = basic_credentials(&parts.headers)?;
        let pairs = if parts.method == Method::POST {
            // Secrets in a query end up in logs and histories (RFC 6749 section 2.3.1): of a POST only the form is read.
            check_form(&parts.headers)?;
            let bytes = limited(&parts.headers, body, context.body_patience(), MAX_FORM_BYTES).await?;
            url::form_urlencoded::parse(&bytes).into_owned().collect::<Vec<_>>()
        } else {
            let query = parts.uri.query().unwrap_or_default();
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
        };
        Ok(Self { parameters: Parameters::new(pairs), basic, forwarded, origin })
    }
}

fn check_form(headers: &HeaderMap) -> Result<(), OAuthError> {
    if media_type(headers).eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(());
    }
    Err(OAuthError::invalid_request("The Content-Type is application/x-www-form-urlencoded."))
}

/// Id and secret of HTTP Basic authentication, each form-encoded first (RFC 6749 section 2.3.1).
fn basic_credentials(headers: &HeaderMap) -> Result<Option<BasicCredentials>, OAuthError> {
    // Two credentials are one too many: which of them counts would be a guess.
    if headers.get_all(AUTHORIZATION).iter().nth(1).is_some() {
        return Err(OAuthError::invalid_client());
    }
    let Some(encoded) = credentials(headers, "Basic ") else { return Ok(None) };
    let read = || {
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        // auth-js names a public client by its id alone, without a colon.
        let (id, secret) = decoded.split_once(':').unwrap_or((&decoded, ""));
        let secret = (!secret.is_empty()).then(|| SecretString::from(form_decoded(secret)));
        Some(BasicCredentials { client_id: form_decoded(id), secret })
    };
    read().map(Some).ok_or_else(OAuthError::invalid_client)
}

/// The access token of a request (RFC 6750 section 2.1).
pub(super) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    credentials(headers, "Bearer ").map(str::trim)
}

/// What the one `Authorization` header says for this scheme.
fn credentials<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (found, rest) = value.to_str().ok()?.split_at_checked(scheme.len())?;
    found.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn form_decoded(text: &str) -> String {
    let pair = url::form_urlencoded::parse(text.as_bytes()).next();
    pair.map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use secrecy::ExposeSecret;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn basic_credentials_are_decoded_twice() {
        let encoded = format!("basic {}", STANDARD.encode("0oa%2B1:a+b%3Ac"));
        let basic = basic_credentials(&headers(&[&encoded])).unwrap().unwrap();
        let secret = basic.secret.as_ref().map(|secret| secret.expose_secret());
        assert_eq!((basic.client_id.as_str(), secret), ("0oa+1", Some("a b:c")));
        for bare in ["0oa1", "0oa1:"] {
            let basic = basic_credentials(&headers(&[&format!("Basic {}", STANDARD.encode(bare))])).unwrap().unwrap();
            assert!(basic.client_id == "0oa1" && basic.secret.is_none());
        }
        assert!(basic_credentials(&headers(&["Bearer x"])).unwrap().is_none());
        for bad in ["Basic ???", "Basic /w=="] {
            assert!(basic_credentials(&headers(&[bad])).is_err(), "{bad}");
        }
        assert!(basic_credentials(&headers(&[&encoded, &encoded])).is_err(), "two are one too many");
        assert!(basic_credentials(&headers(&["Bearer x", &encoded])).is_err());
    }

    #[test]
    fn one_bearer_token_counts_and_two_are_none() {
        assert_eq!(bearer_token(&headers(&["bearer abc"])), Some("abc"));
        assert_eq!(bearer_token(&headers(&["Bearer a", "Bearer b"])), None);
        assert_eq!(bearer_token(&headers(&["é"])), None);
        assert_eq!(bearer_token(&headers(&[])), None);
    }
}
