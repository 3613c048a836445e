//! From a body to a reply: reads the typed request, calls the author's handler, writes its answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookwright_contract::request::{HookRequest, RequestData};
use http::StatusCode;

use crate::{Answer, Problem};

/// Room for most answers, in bytes.
const USUAL_ANSWER: usize = 512;

/// What goes back to the caller.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    /// Time to wait before answering; lets rules play a slow service.
    pub(crate) delay: Duration,
}

impl Reply {
    pub(crate) fn ok(body: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, body: body.into(), delay: Duration::ZERO }
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        Self { status: problem.status(), body: problem.body(), delay: Duration::ZERO }
    }
}

pub(crate) type ReplyFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// One path of a service.
pub(crate) type Endpoint = Arc<dyn Fn(Bytes) -> ReplyFuture + Send + Sync>;

/// What a handler may return: an [`Answer`], or a [`Result`] of one and a [`Problem`].
pub trait IntoAnswer<D> {
    /// The answer, or why there is none.
    ///
    /// # Errors
    /// The [`Problem`] that the handler met.
    fn into_answer(self) -> Result<Answer<D>, Problem>;
}

impl<D> IntoAnswer<D> for Answer<D> {
    fn into_answer(self) -> Result<Answer<D>, Problem> {
        Ok(self)
    }
}

impl<D> IntoAnswer<D> for Result<Answer<D>, Problem> {
    fn into_answer(self) -> Result<Answer<D>, Problem> {
        self
    }
}

/// Wraps a typed handler.
pub(crate) fn typed<D, H, F>(handler: H) -> Endpoint
where
    D: RequestData + 'static,
    H: Fn(HookRequest<D>) -> F + Send + Sync + 'static,
    F: Future + Send + 'static,
    F::Output: IntoAnswer<D>,
{
    Arc::new(move |body| match HookRequest::<D>::parse(&body) {
        Ok(request) => {
            let answer = handler(request);
            Box::pin(async move { written(answer.await.into_answer()) })
        }
        Err(error) => {
            let problem = Problem::from(error);
            tracing::warn!(problem = problem.summary(), "refused a request");
            Box::pin(std::future::ready(problem.into()))
        }
    })
}

fn written<D>(answer: Result<Answer<D>, Problem>) -> Reply {
    let answer = match answer {
        Ok(answer) => answer,
        Err(problem) => {
            tracing::warn!(status = problem.status().as_u16(), problem = problem.summary(), "gave no decision");
            return problem.into();
        }
    };
    let mut body = Vec::with_capacity(USUAL_ANSWER);
    match serde_json::to_writer(&mut body, &answer) {
        Ok(()) => Reply::ok(body),
        Err(error) => Problem::internal(format!("The answer cannot be written as JSON: {error}.")).into(),
    }
}
