//! [`AccessTokens`] in front of any tower service.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use http::{Request, Response};
use tower::{Layer, Service};

use super::{AccessTokens, TokenError};
use crate::Problem;
use crate::signature::now;

impl<S> Layer<S> for AccessTokens {
    type Service = Authorized<S>;

    fn layer(&self, inner: S) -> Authorized<S> {
        Authorized { tokens: self.clone(), inner }
    }
}

/// A service behind [`AccessTokens`].
#[derive(Clone)]
pub struct Authorized<S> {
    tokens: AccessTokens,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Authorized<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    B: Send + 'static,
    R: From<Bytes> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let tokens = self.tokens.clone();
        // The service that was ready is the one that is called.
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            match tokens.verify(&head.headers, now()).await {
                Ok(claims) => {
                    head.extensions.insert(claims);
                    inner.call(Request::from_parts(head, body)).await
                }
                Err(error) => Ok(refusal(error)),
            }
        })
    }
}

/// The answer to a request without a token that is accepted.
pub(crate) fn refusal<R: From<Bytes>>(error: TokenError) -> Response<R> {
    tracing::warn!(%error, "refused a request");
    let (status, challenge) = error.answer();
    let mut response: Response<R> = Problem::new(status, error.to_string()).response();
    if let Some(challenge) = challenge {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}
