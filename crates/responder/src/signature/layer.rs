//! [`Signatures`] in front of any tower service: the body is read, verified, and handed on.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body as AxumBody;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use hyper::body::Body;
use tower::{Layer, Service};

use super::{Signatures, now};
use crate::Problem;
use crate::body::{BodyError, MAX_BODY, read};

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
            let body = match read(body).await {
                Ok(body) => body,
                Err(BodyError::TooLarge) => {
                    let text = format!("The request body is larger than {MAX_BODY} bytes.");
                    return Ok(refusal(&Problem::new(StatusCode::PAYLOAD_TOO_LARGE, text)));
                }
                Err(BodyError::Broken) => {
                    return Ok(refusal(&Problem::new(StatusCode::BAD_REQUEST, "The request body broke off.")));
                }
            };
            match signatures.verify(&head.headers, &body, now()) {
                Ok(()) => inner.call(Request::from_parts(head, AxumBody::from(body))).await,
                Err(error) => Ok(refusal(&Problem::new(StatusCode::UNAUTHORIZED, error.to_string()))),
            }
        })
    }
}

fn refusal<R: From<Bytes>>(problem: &Problem) -> Response<R> {
    let mut response = Response::new(R::from(problem.body()));
    *response.status_mut() = problem.status();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
