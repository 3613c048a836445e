//! One call of a hook as anyone can open it: what was asked, each attempt, what came back, what it meant.

use std::net::IpAddr;

use hookwright_contract::HookType;
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::id::{ExecutionId, InlineHookId};
use crate::shown::{Shown, ShownBody};
use crate::trace_parent::TraceParent;

/// How a call of a hook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// The service answered within the contract, without an `error`.
    Answered,
    /// The service answered within the contract, with an `error`.
    ErrorReturned,
    /// The answer broke the contract of its hook type.
    InvalidAnswer,
    /// The answer's status was neither success nor worth another attempt, or stayed 5xx.
    WrongStatus,
    /// The answer was larger than 256 KB.
    AnswerTooLarge,
    /// No whole answer within the deadline.
    TimedOut,
    /// No connection, or one that broke before the answer was whole.
    Unreachable,
    /// The address is not one that hooks may be sent to.
    AddressRefused,
    /// Too many calls were under way; nothing was sent.
    AtCapacity,
    /// The authorization server in front of the service gave no access token.
    TokenRefused,
    /// As many calls a second as the hook's settings allow had begun; nothing was sent.
    RateLimited,
    /// Too many calls had failed in a row; nothing was sent.
    CircuitOpen,
}

impl Verdict {
    /// All verdicts, in the order they are documented.
    pub const ALL: [Self; 12] = [
        Self::Answered,
        Self::ErrorReturned,
        Self::InvalidAnswer,
        Self::WrongStatus,
        Self::AnswerTooLarge,
        Self::TimedOut,
        Self::Unreachable,
        Self::AddressRefused,
        Self::AtCapacity,
        Self::TokenRefused,
        Self::RateLimited,
        Self::CircuitOpen,
    ];

    /// The verdict's name in the API, such as `TIMED_OUT`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "ANSWERED",
            Self::ErrorReturned => "ERROR_RETURNED",
            Self::InvalidAnswer => "INVALID_ANSWER",
            Self::WrongStatus => "WRONG_STATUS",
            Self::AnswerTooLarge => "ANSWER_TOO_LARGE",
            Self::TimedOut => "TIMED_OUT",
            Self::Unreachable => "UNREACHABLE",
            Self::AddressRefused => "ADDRESS_REFUSED",
            Self::AtCapacity => "AT_CAPACITY",
            Self::TokenRefused => "TOKEN_REFUSED",
            Self::RateLimited => "RATE_LIMITED",
            Self::CircuitOpen => "CIRCUIT_OPEN",
        }
    }

    /// The verdict of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == name)
    }

    /// Whether the service's answer can be used by a flow.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Answered | Self::ErrorReturned)
    }
}

/// What made the org call the hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trigger {
    /// `POST /api/v1/inlineHooks/{id}/execute`.
    Execute,
    /// A preview in the console.
    Preview,
    /// A recorded request sent again.
    Replay,
    /// A process flow.
    Flow,
}

/// Who caused something: a token, a user, the org itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// The id of the token or user.
    pub id: String,
    /// `PublicClientApp`, `User` or `SystemPrincipal`, as the System Log names kinds of actors.
    pub kind: String,
    /// The name to show.
    pub display_name: String,
    /// The login or another stable name.
    pub alternate_id: String,
}

/// Where a request came from, for the records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The request's id, as in `X-Okta-Request-Id`.
    pub request_id: String,
    /// The client's address.
    pub ip_address: Option<IpAddr>,
    /// The API token that it was sent with, if it was. Records from before tokens had owners name it as the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_token_id: Option<String>,
    /// The client's `User-Agent`, cut at 512 bytes.
    pub user_agent: Option<String>,
    /// Where it stands in a trace: what the client said of that; of a call of a hook, what the service was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_parent: Option<TraceParent>,
}

/// One attempt to reach the external service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// When it began, in microseconds after the execution began.
    pub started_after_us: u64,
    /// How long it took, in microseconds, from before resolution to the last byte.
    pub duration_us: u64,
    /// The answer's status, if there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// The answer's `Content-Type`, if there was one; it decides nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_type: Option<Shown>,
    /// Whether a pooled connection carried it.
    pub reused_connection: bool,
    /// The address that was connected to, if one was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peer: Option<String>,
    /// Why it failed, as a sentence; absent if an answer came.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<Shown>,
    /// The answer's body, as far as it was read.
    #[serde(skip)]
    pub body: ShownBody,
}

/// One call of a hook, with all its attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Unique key, `exe…`; its first characters sort by time.
    pub id: ExecutionId,
    /// Everything but the bodies.
    pub summary: ExecutionSummary,
    /// The request's body.
    pub request: ShownBody,
}

/// What an execution says besides its bodies; stored in front of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionSummary {
    /// The hook.
    pub hook_id: Box<str>,
    /// The hook's name at that time.
    pub hook_name: String,
    /// The hook's type.
    pub hook_type: HookType,
    /// Where the call was sent; what the query says is masked.
    pub url: Shown,
    /// What caused it.
    pub trigger: Trigger,
    /// Who caused it.
    pub actor: Actor,
    /// The request that caused it.
    pub origin: Origin,
    /// The payload's `eventId`; the same in all attempts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub event_id: Option<Shown>,
    /// The payload's `requestType`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_type: Option<Shown>,
    /// When it began, in milliseconds since the epoch.
    pub started_ms: i64,
    /// How long all of it took, in microseconds.
    pub duration_us: u64,
    /// How it ended.
    pub verdict: Verdict,
    /// Why it failed: reason, JSON pointer, expectation; absent on success.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<Shown>,
    /// What it did to the flow, such as `registration DENY`; absent where nothing listened.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub effect: Option<Shown>,
    /// The attempts in order; empty if none was made.
    pub attempts: Vec<Attempt>,
}

impl ExecutionSummary {
    /// When the call began.
    #[must_use]
    pub const fn started(&self) -> Timestamp {
        Timestamp::from_millis(self.started_ms)
    }

    /// When the call ended, which is when its events were published.
    #[must_use]
    pub const fn ended(&self) -> Timestamp {
        let millis = (self.duration_us / 1000).cast_signed();
        Timestamp::from_millis(self.started_ms.saturating_add(millis))
    }

    /// The hook's id.
    #[must_use]
    pub fn inline_hook_id(&self) -> InlineHookId {
        InlineHookId::from_text(self.hook_id.clone())
    }
}
