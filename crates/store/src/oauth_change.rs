//! Changes of the authorization server, as data.

use hookwright_model::Timestamp;
use hookwright_model::id::UserId;
use hookwright_model::oauth::{Grant, RefreshToken};
use hookwright_model::signing_key::SigningKey;

/// One change of keys, grants or refresh tokens.
#[derive(Debug, Clone)]
pub enum OAuthChange {
    /// A new key; [`crate::Conflict::AlreadyThere`] if one of its status is in use already.
    InsertSigningKey(Box<SigningKey>),
    /// The next key signs from now on, the one before it signs no more, and a fresh one is next;
    /// [`crate::Conflict::Stale`] if these two are not the ones in use any longer.
    RotateSigningKeys {
        /// The key that signs now.
        active: String,
        /// When it is published no more.
        expires: Timestamp,
        /// The key that takes over.
        next: String,
        /// The key after that.
        fresh: Box<SigningKey>,
    },
    /// A code was exchanged; [`crate::Conflict::AlreadyThere`] if it was before.
    InsertGrant(Box<Grant>),
    /// The grant ends with all its tokens; says nothing if it has ended already.
    RevokeGrant {
        /// The grant.
        id: String,
        /// When.
        at: Timestamp,
    },
    /// All grants of a user end with all their tokens.
    RevokeGrantsOfUser {
        /// The user.
        user: UserId,
        /// When.
        at: Timestamp,
    },
    /// A new refresh token; [`crate::Conflict::AlreadyThere`].
    InsertRefreshToken(RefreshToken),
    /// A refresh token was exchanged for another one; [`crate::Conflict::Stale`] if its grant has ended.
    UseRefreshToken {
        /// SHA-256 of the token.
        sha256: [u8; 32],
        /// When. The first use counts.
        at: Timestamp,
    },
    /// A refresh token that stays was used: it lives longer. [`crate::Conflict::Stale`] if its grant has ended.
    ProlongRefreshToken {
        /// SHA-256 of the token.
        sha256: [u8; 32],
        /// When it dies if it is not used again.
        expires: Timestamp,
    },
}
