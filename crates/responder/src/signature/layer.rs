//! [`Signatures`] in front of any tower service: the body is read, verified, and handed on.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body as AxumBody;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Body;
use tower::{Layer, Service};

use super::{Signatures, now};
use crate::{Problem, body};

impl<S> Layer<S> for Signatures {
    type Service = Signed<S>;

    fn layer(&self, inner: S) -> Signed<S> {
        Signed { signatures: self.clone(), inner }
    }
}

/// A service behind [`Signatures`]. It reads bodies of up to 1 MiB; how long one may take is for the server to say.
#[derive(Clone)]
pub struct Signed<S> {
    signatures: Signatures,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Signed<S>
where
    S: Service<Request<AxumBody>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    R: From<Bytes> + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let signatures = self.signatures.clone();
        // The service that was ready is the one that is called.
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = match body::read(body).await {
                Ok(body) => body,
                Err(error) => return Ok(Problem::from(error).response()),
            };
            match signatures.verify(&head.headers, &body, now()) {
                Ok(()) => inner.call(Request::from_parts(head, AxumBody::from(body))).await,
                Err(error) => Ok(Problem::new(StatusCode::UNAUTHORIZED, error.to_string()).response()),
            }
        })
    }
}
