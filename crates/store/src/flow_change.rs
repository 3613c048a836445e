//! Changes of sign-in flows and what belongs to them, as data.

use hookwright_model::Timestamp;
use hookwright_model::account_link::AccountLink;
use hookwright_model::flow::{Flow, FlowCode};
use hookwright_model::id::{InlineHookId, PolicyId, UserId};
use hookwright_model::mail::Mail;
use hookwright_model::session::Session;

/// One change of a flow, a session, or what belongs to them.
#[derive(Debug, Clone)]
pub enum FlowChange {
    /// A new flow; [`crate::Conflict::AlreadyThere`] if there is one with this state handle.
    Insert(Box<Flow>),
    /// The same, if fewer than `most` flows of this client network are open; [`crate::Conflict::LimitReached`] otherwise.
    InsertWithin {
        /// The flow.
        flow: Box<Flow>,
        /// What the network is counted under.
        network: [u8; 32],
        /// How many may be open.
        most: i64,
    },
    /// The flow gets this attempt, state, state handle and the next revision, if its stored revision is still this one and everything that
    /// is expected is so; [`crate::Conflict::Stale`] otherwise.
    Update {
        /// The flow.
        flow: Box<Flow>,
        /// What was read before and must be so still.
        expected: Expected,
        /// Whether it came to its end: it is no longer counted among the open flows of its network.
        is_over: bool,
    },
    /// The flow that this state handle opens goes, if it is there.
    Delete([u8; 32]),
    /// A code that a client may exchange once; [`crate::Conflict::AlreadyThere`] if it is there.
    InsertCode(Box<FlowCode>),
    /// The code is exchanged; [`crate::Conflict::Stale`] if it was before, or is gone.
    TakeCode {
        /// SHA-256 of the code.
        sha256: [u8; 32],
        /// When.
        at: Timestamp,
    },
    /// A link that sets a password once.
    InsertLink(Box<AccountLink>),
    /// The link goes; [`crate::Conflict::Stale`] if it is gone or has expired.
    TakeLink {
        /// SHA-256 of its token.
        sha256: [u8; 32],
        /// When it is used.
        now: Timestamp,
    },
    /// A new session; [`crate::Conflict::AlreadyThere`] if its token is there.
    InsertSession(Session),
    /// A session was used: moves its date forward only. Never a conflict.
    TouchSession {
        /// The session.
        id: [u8; 32],
        /// When it was used.
        at: Timestamp,
        /// When it ends if it is not used again.
        expires: Timestamp,
    },
    /// The session ends, if it is there.
    DeleteSession([u8; 32]),
    /// All sessions and codes of a user end.
    DeleteSessionsOfUser(UserId),
    /// A browser that somebody signed in with is known from now on.
    RememberBrowser {
        /// SHA-256 of its secret.
        sha256: [u8; 32],
        /// Who signed in.
        user: UserId,
        /// Until when.
        expires: Timestamp,
    },
    /// A wrong password: one more under this key.
    NoteFailure {
        /// SHA-256 of what is counted.
        key: [u8; 32],
        /// When.
        at: Timestamp,
        /// Failures before this time don't count any longer.
        since: Timestamp,
        /// When the row may go.
        expires: Timestamp,
    },
    /// A wrong password for somebody's name: as [`FlowChange::NoteFailure`].
    NoteGuess {
        /// SHA-256 of whose name it was: their failures are forgotten together.
        subject: [u8; 32],
        /// SHA-256 of what is counted.
        key: [u8; 32],
        /// When.
        at: Timestamp,
        /// Failures before this time don't count any longer.
        since: Timestamp,
        /// When the row may go.
        expires: Timestamp,
    },
    /// All failures for somebody's name are forgotten, wherever they came from.
    ForgetGuesses([u8; 32]),
    /// The right password: the failures under this key are forgotten.
    ForgetFailures([u8; 32]),
    /// A mail to send.
    InsertMail {
        /// The mail.
        mail: Mail,
        /// When its row may go.
        expires: Timestamp,
    },
    /// The mail server has taken a mail, or never will.
    NoteMailSent {
        /// The mail.
        id: String,
        /// When.
        at: Timestamp,
        /// Why it never will.
        refusal: Option<String>,
    },
    /// A mail was not taken: it is tried again later, unless another process has claimed it meanwhile.
    PostponeMail {
        /// The mail.
        id: String,
        /// The token of the claim.
        claim: String,
        /// When it is due again.
        due: Timestamp,
        /// Why it was not taken, if it was tried at all.
        error: Option<String>,
    },
    /// Everything here whose time is over goes.
    DropExpired(Timestamp),
}

/// What was read before a hook was called, and must still be so when its answer is acted on.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// The policy with its revision.
    pub policy: Option<(PolicyId, i64)>,
    /// The hook with its revision.
    pub hook: Option<(InlineHookId, i64)>,
}
