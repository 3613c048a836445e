//! Changes of the authorization server, as data.

use hookwright_model::Timestamp;
use hookwright_model::id::UserId;
use hookwright_model::oauth::{Grant, RefreshToken};
use hookwright_model::signing_key::SigningKey;

use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::statement::Statement;
use crate::{oauth_grants, signing_keys};

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

/// The statements of a change.
pub(crate) fn statements(change: OAuthChange, keyring: &Keyring) -> Result<Vec<Statement>, StoreError> {
    Ok(match change {
        OAuthChange::InsertSigningKey(key) => vec![signing_keys::insert(keyring, &key)?],
        OAuthChange::RotateSigningKeys { active, expires, next, fresh } => {
            let [retire, promote] = signing_keys::rotate(active, expires, next);
            vec![retire, promote, signing_keys::insert(keyring, &fresh)?]
        }
        OAuthChange::InsertGrant(grant) => vec![oauth_grants::insert(&grant)],
        OAuthChange::RevokeGrant { id, at } => vec![oauth_grants::revoke(id, at)],
        OAuthChange::RevokeGrantsOfUser { user, at } => vec![oauth_grants::revoke_of_user(&user, at)],
        OAuthChange::InsertRefreshToken(token) => vec![oauth_grants::insert_refresh_token(&token)],
        OAuthChange::UseRefreshToken { sha256, at } => vec![oauth_grants::use_refresh_token(&sha256, at)],
        OAuthChange::ProlongRefreshToken { sha256, expires } => {
            vec![oauth_grants::prolong_refresh_token(&sha256, expires)]
        }
    })
}
