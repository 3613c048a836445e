//! How far an attempt came: what a deadline that passes means, and what is recorded of it.

use std::time::Duration;

use bytes::Bytes;

use crate::access_token::AccessToken;
use crate::classify::{Failed, Reach};
use crate::outcome::{Answer, AttemptReport, CallFailure};

/// What is known of an attempt while it runs; still there when its time is up.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// What is being waited for.
    pub(crate) stage: Stage,
    /// The answer's status, and whether it is success.
    pub(crate) status: Option<(u16, bool)>,
    /// The answer's `Content-Type`.
    pub(crate) content_type: Option<String>,
    /// Whether the connection had carried a call before.
    pub(crate) reused_connection: bool,
    /// The address of the other side.
    pub(crate) peer: Option<String>,
    /// The body as far as it was read.
    pub(crate) body: Vec<u8>,
    /// The access token that was shown, which the record must not show.
    pub(crate) token: Option<AccessToken>,
    /// Whether one more request of this call may go to the service: there are two at most.
    pub(crate) may_send_again: bool,
}

/// What an attempt is waiting for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing yet.
    #[default]
    Start,
    /// An access token.
    Token,
    /// The addresses of the host.
    Resolving,
    /// A connection.
    Connecting,
    /// The end of the TLS handshake.
    Securing,
    /// The answer's head.
    Head,
    /// The rest of the answer's body.
    Body,
}

impl Progress {
    /// What it means that the time is up. A status that isn't success decides, even if the rest of the answer is missing.
    pub(crate) fn out_of_time(&self, timeout: Duration) -> Failed {
        if let Some((status, false)) = self.status {
            return Failed::sent(CallFailure::WrongStatus(status));
        }
        let failure = CallFailure::TimedOut(timeout);
        let detail = format!("No complete answer within {} ms: {}", timeout.as_millis(), self.stage.awaited());
        Failed { failure, detail, reach: Reach::Sent }
    }

    /// The record of an attempt that began so long after its call did and took so long.
    pub(crate) fn into_record(
        self,
        started_after: Duration,
        duration: Duration,
        result: &Result<Answer, Failed>,
    ) -> AttemptReport {
        let (failed, body) = match result {
            Ok(answer) => (None, answer.body.clone()),
            Err(failed) => (Some(failed), Bytes::from(self.body)),
        };
        let body = match &self.token {
            Some(token) => token.hidden_in(&body),
            None => body,
        };
        AttemptReport {
            started_after,
            duration,
            status: self.status.map(|(status, _)| status),
            content_type: self.content_type,
            reused_connection: self.reused_connection,
            peer: self.peer,
            failure: failed.map(|failed| failed.detail.clone()),
            told: failed.map(Failed::told),
            body,
        }
    }
}

impl Stage {
    const fn awaited(self) -> &'static str {
        match self {
            Self::Start => "it had not begun",
            Self::Token => "the authorization server had not answered",
            Self::Resolving => "the host's name was not resolved",
            Self::Connecting => "there was no connection",
            Self::Securing => "the TLS handshake was not complete",
            Self::Head => "the answer's head was not complete",
            Self::Body => "the answer's body was not complete",
        }
    }
}
