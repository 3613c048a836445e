//! Who may call: Basic authentication (RFC 7617) or a secret in a header of your choice, compared in constant time.
//!
//! [`Guard`] is also a tower layer, so it protects any axum router:
//!
//! ```
//! # use axum::{Router, routing::post};
//! # use hookwright_responder::Guard;
//! let app: Router = Router::new()
//!     .route("/hook", post(|| async { "{}" }))
//!     .layer(Guard::new().basic("admin", "supersecret"));
//! ```

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretSlice};
use subtle::{Choice, ConstantTimeEq};
use tower::{Layer, Service};

use crate::Problem;

const REALM: &str = r#"Basic realm="inline hook", charset="UTF-8""#;

/// Secrets of which a caller must present one. Several of them let a secret be changed without a gap. Without any,
/// everybody may call.
#[derive(Clone, Default)]
pub struct Guard(Arc<Vec<Credential>>);

#[derive(Clone)]
struct Credential {
    header: HeaderName,
    /// A scheme name in front of the secret, compared without regard to case (RFC 9110, section 11.1).
    scheme: Option<&'static str>,
    secret: SecretSlice<u8>,
    challenge: HeaderValue,
}

impl Guard {
    /// Lets everybody in until a credential is added.
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts Basic authentication with this user and password.
    #[must_use]
    pub fn basic(self, user: &str, password: &str) -> Self {
        self.accept(Credential {
            header: AUTHORIZATION,
            scheme: Some("basic"),
            secret: STANDARD.encode(format!("{user}:{password}")).into_bytes().into(),
            challenge: HeaderValue::from_static(REALM),
        })
    }

    /// Accepts a header with exactly this value, for hooks whose authentication field is not `authorization`.
    #[must_use]
    pub fn header(self, name: HeaderName, value: &str) -> Self {
        let challenge = format!(r#"Header name="{name}""#);
        self.accept(Credential {
            secret: value.as_bytes().to_vec().into(),
            scheme: None,
            // A header name has no character that a header value may not have.
            challenge: HeaderValue::try_from(challenge).unwrap_or(HeaderValue::from_static("Header")),
            header: name,
        })
    }

    /// Whether nobody is kept out.
    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these headers carry one of the secrets. The time taken does not tell how much of a secret was right;
    /// its length is not kept secret.
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        if self.is_open() {
            return true;
        }
        let any = self.0.iter().fold(Choice::from(0), |any, credential| any | credential.matches(headers));
        any.into()
    }

    fn accept(mut self, credential: Credential) -> Self {
        Arc::make_mut(&mut self.0).push(credential);
        self
    }

    /// The 401 answer with one challenge for each kind of credential.
    pub(crate) fn refusal<B: From<Bytes>>(&self) -> Response<B> {
        let mut response: Response<B> =
            Problem::new(StatusCode::UNAUTHORIZED, "Authentication is required.").response();
        let mut seen: Vec<&HeaderValue> = Vec::new();
        for credential in self.0.iter() {
            if !seen.contains(&&credential.challenge) {
                seen.push(&credential.challenge);
                response.headers_mut().append(WWW_AUTHENTICATE, credential.challenge.clone());
            }
        }
        response
    }
}

impl Credential {
    fn matches(&self, headers: &HeaderMap) -> Choice {
        let mut values = headers.get_all(&self.header).iter();
        // Two values of one header leave open which of them counts.
        let (Some(value), None) = (values.next(), values.next()) else { return Choice::from(0) };
        let Some(presented) = self.presented(value.as_bytes()) else { return Choice::from(0) };
        presented.ct_eq(self.secret.expose_secret())
    }

    fn presented<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        let Some(scheme) = self.scheme else { return Some(value) };
        let (name, rest) = value.split_at_checked(scheme.len())?;
        let token = rest.trim_ascii_start();
        (name.eq_ignore_ascii_case(scheme.as_bytes()) && token.len() < rest.len()).then_some(token)
    }
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { guard: self.clone(), inner }
    }
}

/// A service behind a [`Guard`].
#[derive(Clone)]
pub struct Guarded<S> {
    guard: Guard,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    R: From<Bytes> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if self.guard.admits(request.headers()) {
            Box::pin(self.inner.call(request))
        } else {
            Box::pin(std::future::ready(Ok(self.guard.refusal())))
        }
    }
}
