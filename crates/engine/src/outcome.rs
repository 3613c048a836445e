//! What a call came to: the attempts that were made and the answer or the reason there is none.
//!
//! The texts of failures reach API callers. Whatever could tell an inner network's shape (that a name resolved, that a
//! port is closed) is in the attempts' records only.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use hookwright_model::execution::Verdict;
use secrecy::SecretString;

/// One call as it went.
#[derive(Debug, Clone)]
pub struct Report {
    /// The attempts in order; empty if none was made.
    pub attempts: Vec<AttemptReport>,
    /// The service's answer, or why there is none.
    pub result: Result<Answer, CallFailure>,
    /// How long all of it took.
    pub duration: Duration,
    /// The access token that the service was shown last. Whoever quotes the answer leaves it out.
    pub access_token: Option<SecretString>,
}

/// One attempt to reach the service, as it went. What the service said in it is not redacted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptReport {
    /// How long after the call it began.
    pub started_after: Duration,
    /// How long it took, from before resolution to the last byte.
    pub duration: Duration,
    /// The answer's status, if there was one.
    pub status: Option<u16>,
    /// The answer's `Content-Type`, if there was one.
    pub content_type: Option<String>,
    /// Whether a pooled connection carried it.
    pub reused_connection: bool,
    /// The address that was connected to, if one was.
    pub peer: Option<String>,
    /// Why it failed, with the addresses that this is about: for the record alone. Absent if an answer came.
    pub failure: Option<String>,
    /// Why it failed, as far as a caller of the API may know: the same for an address that is refused, a name that nobody has,
    /// and a port where nobody listens.
    pub told: Option<String>,
    /// The answer's body as far as it was read.
    pub body: Bytes,
}

/// A whole answer with a status that the hook type takes for success. What it says is judged by the contract, not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body after decoding; empty for 204.
    pub body: Bytes,
}

/// Why a call has no answer. Its text is one sentence without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallFailure {
    /// Too many calls were under way; nothing was sent.
    #[error("Too many calls {scope} are under way (the limit is {limit})")]
    AtCapacity {
        /// Which limit was reached.
        scope: CapacityScope,
        /// That limit, in calls at once.
        limit: usize,
    },
    /// As many calls of the hook as may began within the last second; nothing was sent.
    #[error("Too many calls of this hook began within a second (the limit is {limit})")]
    RateLimited {
        /// That limit, in calls a second.
        limit: NonZeroU32,
    },
    /// Too many calls of the hook failed in a row, or one is trying whether it would go well again; nothing was sent.
    #[error("The external service failed too often in a row; it is not called for a while")]
    CircuitOpen,
    /// The address is not one that hooks may be sent to. Reads like [`CallFailure::Unreachable`] on purpose.
    #[error("{COULD_NOT_BE_REACHED}")]
    AddressRefused,
    /// No connection, or one that broke before the answer was whole.
    #[error("{0}")]
    Unreachable(Unreachable),
    /// No whole answer within the time of an attempt.
    #[error("The external service did not answer completely within {}", Milliseconds(*.0))]
    TimedOut(Duration),
    /// A status that is not success.
    #[error("The external service answered with status {0}")]
    WrongStatus(u16),
    /// A body of more than 262,143 bytes, or a head of more than 64 KiB or 100 fields.
    #[error("The external service's answer is too large: {0}")]
    AnswerTooLarge(TooLarge),
    /// An answer that HTTP does not allow or that could not be decoded.
    #[error("The external service's answer could not be read: {0}")]
    BadBody(BadBody),
    /// The authorization server in front of the service gave no access token.
    #[error("Failed to get access token. The request was invalid, reason: {0}.")]
    TokenRefused(String),
}

/// What a call that found no room would have exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapacityScope {
    /// The calls of one hook.
    Hook,
    /// The part of a hook's calls that one client may have while others could need the rest.
    Share,
    /// All calls.
    All,
}

/// How a connection failed, as far as a caller of the API may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreachable {
    /// No address, no route, no listener: not told apart.
    #[error("{COULD_NOT_BE_REACHED}")]
    NoConnection,
    /// TLS could not be agreed on or the certificate is not accepted.
    #[error("No secure connection to the external service could be made: {0}")]
    Tls(TlsFailure),
    /// The connection ended before the answer was whole.
    #[error("The external service closed the connection before its answer was complete")]
    Closed,
}

/// Why a TLS handshake failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFailure {
    /// The certificate's time has run out.
    #[error("its certificate has expired")]
    Expired,
    /// The certificate's time has not come.
    #[error("its certificate is not valid yet")]
    NotYetValid,
    /// The certificate names other hosts.
    #[error("its certificate is for another name")]
    WrongName,
    /// Nobody we trust signed the certificate.
    #[error("its certificate was signed by an unknown authority")]
    UnknownIssuer,
    /// Any other fault of the certificate.
    #[error("its certificate is not acceptable")]
    BadCertificate,
    /// The service wants a client certificate and got none, or not one that it accepts.
    #[error("it wants a client certificate and did not get one that it accepts")]
    OwnCertificate,
    /// No common version or cipher, or something that isn't TLS.
    #[error("the TLS handshake failed")]
    Handshake,
}

/// What was larger than we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// The body.
    #[error("its body has more than {} bytes", hookwright_contract::MAX_REPLY_BYTES)]
    Body,
    /// The status line and header fields.
    #[error("its head has more than 64 KiB or 100 fields")]
    Head,
}

/// What is wrong with an answer apart from what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadBody {
    /// Not HTTP/1.1.
    #[error("it is not valid HTTP")]
    NotHttp,
    /// A `Content-Encoding` that we neither asked for nor decode.
    #[error("its Content-Encoding is neither identity nor gzip")]
    UnknownCoding,
    /// Gzip data that can't be decoded.
    #[error("its gzip data is damaged")]
    DamagedCoding,
}

const COULD_NOT_BE_REACHED: &str = "The external service could not be reached";

impl CallFailure {
    /// The verdict that an execution of this end gets.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::AtCapacity { .. } => Verdict::AtCapacity,
            Self::RateLimited { .. } => Verdict::RateLimited,
            Self::CircuitOpen => Verdict::CircuitOpen,
            Self::AddressRefused => Verdict::AddressRefused,
            Self::Unreachable(_) => Verdict::Unreachable,
            Self::TimedOut(_) => Verdict::TimedOut,
            Self::WrongStatus(_) => Verdict::WrongStatus,
            Self::AnswerTooLarge(_) => Verdict::AnswerTooLarge,
            Self::BadBody(_) => Verdict::InvalidAnswer,
            Self::TokenRefused(_) => Verdict::TokenRefused,
        }
    }
}

impl std::fmt::Display for CapacityScope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Hook => "of this hook",
            Self::Share => "of this hook for one client",
            Self::All => "of all hooks",
        })
    }
}

/// A duration as people read it: `3 s`, `250 ms`.
struct Milliseconds(Duration);

impl std::fmt::Display for Milliseconds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = self.0.as_millis();
        if millis > 0 && millis.is_multiple_of(1000) {
            write!(formatter, "{} s", millis / 1000)
        } else {
            write!(formatter, "{millis} ms")
        }
    }
}
