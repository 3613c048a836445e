//! One request: who asks, where, is the body acceptable, does the decision come in time.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Body;
use tokio::time::{Instant, sleep, timeout_at};
use tower::Service;
use tracing::Instrument;

use crate::endpoint::{Endpoint, Reply};
use crate::problem::json;
use crate::signature::now;
use crate::{Problem, Responder, body, oauth, trace};

/// A [`Responder`] as a tower service. Cheap to clone; always ready.
#[derive(Clone)]
pub struct ResponderService(Arc<Responder>);

impl ResponderService {
    pub(crate) fn new(responder: Responder) -> Self {
        Self(Arc::new(responder))
    }

    /// Answers one request.
    pub(crate) async fn respond<B: Body<Data = Bytes>>(&self, request: Request<B>) -> Response<Full<Bytes>> {
        let span = trace::span(request.headers());
        self.respond_traced(request).instrument(span).await
    }

    async fn respond_traced<B: Body<Data = Bytes>>(&self, request: Request<B>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        if matches!(path, "/healthz" | "/readyz") {
            return health(&head.method);
        }
        let Responder { endpoints, guard, access_tokens, .. } = &*self.0;
        // Before the look at the path, so that strangers cannot find out which paths there are.
        if !guard.admits(&head.headers) {
            tracing::warn!("refused a request without valid credentials");
            return guard.refusal();
        }
        if let Some(tokens) = access_tokens
            && let Err(error) = tokens.verify(&head.headers, now()).await
        {
            return oauth::refusal(error);
        }
        let Some(endpoint) = endpoints.get(path) else {
            return Problem::new(StatusCode::NOT_FOUND, "There is no hook at this path.").response();
        };
        if head.method != Method::POST {
            return wrong_method("POST");
        }
        self.decide(endpoint, &head, body).await
    }

    async fn decide<B: Body<Data = Bytes>>(&self, endpoint: &Endpoint, head: &Parts, body: B) -> Response<Full<Bytes>> {
        let path = head.uri.path();
        let deadline = Instant::now() + self.0.decision_time;
        let body = match timeout_at(deadline, body::read(body)).await {
            Ok(Ok(body)) => body,
            Ok(Err(error)) => return closing(&error.into()),
            Err(_) => {
                let text = "The request body did not arrive in time.";
                return closing(&Problem::new(StatusCode::REQUEST_TIMEOUT, text));
            }
        };
        let signed = self.0.signatures.as_ref().map(|signatures| signatures.verify(&head.headers, &body, now()));
        if let Some(Err(error)) = signed {
            tracing::warn!(%error, "refused a call");
            return Problem::new(StatusCode::UNAUTHORIZED, error.to_string()).response();
        }
        match timeout_at(deadline, unless_panicking(endpoint, body)).await {
            Ok(Some(reply)) => {
                if !reply.delay.is_zero() {
                    sleep(reply.delay).await;
                }
                written(reply)
            }
            Ok(None) => {
                tracing::error!(path, "a handler panicked");
                Problem::internal("The service failed while deciding.").response()
            }
            Err(_) => {
                tracing::error!(path, limit = ?self.0.decision_time, "a handler took too long");
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The service did not decide in time.").response()
            }
        }
    }
}

/// Runs the endpoint; `None` if it panicked. Nothing of it is looked at again after a panic.
async fn unless_panicking(endpoint: &Endpoint, body: Bytes) -> Option<Reply> {
    let mut reply = catch_unwind(AssertUnwindSafe(|| endpoint(body))).ok()?;
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| reply.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(reply)) => Poll::Ready(Some(reply)),
        Err(_) => Poll::Ready(None),
    })
    .await
}

fn health(method: &Method) -> Response<Full<Bytes>> {
    if method == Method::GET || method == Method::HEAD {
        json(StatusCode::OK, Bytes::from_static(br#"{"status":"ok"}"#))
    } else {
        wrong_method("GET, HEAD")
    }
}

fn wrong_method(allowed: &'static str) -> Response<Full<Bytes>> {
    let text = format!("Only {allowed} is answered here.");
    let mut response: Response<_> = Problem::new(StatusCode::METHOD_NOT_ALLOWED, text).response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// A problem after which the rest of the request is not worth reading.
fn closing(problem: &Problem) -> Response<Full<Bytes>> {
    tracing::warn!(status = problem.status().as_u16(), problem = problem.summary(), "refused a request");
    let mut response: Response<_> = problem.response();
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn written(reply: Reply) -> Response<Full<Bytes>> {
    if reply.status == StatusCode::NO_CONTENT {
        let mut response = Response::new(Full::default());
        *response.status_mut() = reply.status;
        return response;
    }
    json(reply.status, reply.body)
}

impl<B> Service<Request<B>> for ResponderService
where
    B: Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.respond(request).await) })
    }
}
