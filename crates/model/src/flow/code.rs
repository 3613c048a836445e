//! The code at the end of a flow.

use super::ClientBinding;
use crate::Timestamp;
use crate::id::{AppId, UserId};

/// What a client exchanges for tokens, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowCode {
    /// SHA-256 of the code.
    pub sha256: [u8; 32],
    /// The app that was signed in to.
    pub application: AppId,
    /// Who signed in.
    pub user: UserId,
    /// What the client asked for.
    pub client: ClientBinding,
    /// When the user proved who they are.
    pub authenticated: Timestamp,
    /// When it is worth nothing any longer.
    pub expires: Timestamp,
}
