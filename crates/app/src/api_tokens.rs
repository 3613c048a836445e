//! API tokens: make, list, revoke.

use aws_lc_rs::digest;
use hookwright_model::api_scope::ApiScopes;
use hookwright_model::api_token::{self, ApiToken, TOKEN_WINDOW};
use hookwright_model::id::{ApiTokenId, UserId};
use hookwright_model::{Clock, Entropy};
use hookwright_store::{Change, CommitError, Conflict, Store};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::events::{self, operator_event, token_target};
use crate::listing::Listing;
use crate::{App, Caller, Error};

/// Whose a token is, and what it may do of what they may.
#[derive(Debug, Clone)]
pub struct TokenGrant {
    /// The owner.
    pub owner: UserId,
    /// What the token is narrowed to; empty for all that the owner may do.
    pub scopes: ApiScopes,
}

impl TokenGrant {
    /// All that this user may do.
    #[must_use]
    pub fn all_of(owner: UserId) -> Self {
        Self { owner, scopes: ApiScopes::default() }
    }
}

/// A token that was just made; the only time that its text is known.
#[derive(Debug)]
pub struct NewApiToken {
    /// What is kept of it.
    pub token: ApiToken,
    /// What its owner sends.
    pub secret: SecretString,
}

impl NewApiToken {
    /// A token with a fresh secret.
    #[must_use]
    pub fn mint(name: &str, grant: TokenGrant, clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
        Self::with_secret(name, SecretString::from(api_token::mint_secret(entropy)), grant, clock, entropy)
    }

    /// A token whose secret was chosen by somebody else, such as one from the configuration.
    #[must_use]
    pub fn with_secret(
        name: &str,
        secret: SecretString,
        grant: TokenGrant,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Self {
        let now = clock.now();
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest::digest(&digest::SHA256, secret.expose_secret().as_bytes()).as_ref());
        let token = ApiToken {
            id: ApiTokenId::mint(entropy),
            name: name.to_owned(),
            sha256,
            owner: Some(grant.owner),
            scopes: grant.scopes,
            created: now,
            last_used: now,
            expires: now.plus(TOKEN_WINDOW),
            revoked: None,
        };
        Self { token, secret }
    }

    /// Stores the token; one with the same secret may be there already, which is fine unless it was revoked. Its time begins
    /// anew then: a token that stands in the configuration is in use, however long the org was not running.
    ///
    /// # Errors
    /// [`Error::WrongState`] if the same secret was revoked before, or the store's errors.
    pub async fn store(&self, store: &Store, entropy: &dyn Entropy) -> Result<(), Error> {
        let event = operator_event(events::API_TOKEN_CREATED, token_target(&self.token), self.token.created, entropy);
        let changes = vec![Change::InsertApiToken(self.token.clone()), Change::AppendEvents(vec![event])];
        match store.commit(changes).await {
            Err(CommitError::Conflict(Conflict::TokenExists)) => {}
            other => return Ok(other?),
        }
        let Some(known) = store.api_token_by_hash(&self.token.sha256).await? else {
            return Err(Error::Internal("an API token's id is taken".to_owned()));
        };
        if known.revoked.is_some() {
            return Err(Error::WrongState("This API token was revoked; choose another".to_owned()));
        }
        let (last_used, expires) = (self.token.last_used, self.token.expires);
        Ok(store.commit(vec![Change::TouchApiToken { id: known.id, last_used, expires }]).await?)
    }
}

/// Ends a token at once; every node refuses it within a second.
///
/// # Errors
/// [`Error::NotFound`], [`Error::WrongState`] if it was revoked before.
pub async fn revoke_api_token(
    store: &Store,
    id: &ApiTokenId,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<ApiToken, Error> {
    let token = store.api_token(id.as_str()).await?.ok_or_else(|| Error::not_found(id))?;
    let now = clock.now();
    let event = operator_event(events::API_TOKEN_REVOKED, token_target(&token), now, entropy);
    let changes = vec![Change::RevokeApiToken { id: id.clone(), at: now }, Change::AppendEvents(vec![event])];
    match store.commit(changes).await {
        Err(CommitError::Conflict(_)) => Err(Error::WrongState(format!("The API token {id} was revoked before"))),
        other => Ok(other.map(|()| token)?),
    }
}

impl App {
    /// The tokens that open the door, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn api_tokens(&self) -> Result<Listing, Error> {
        let now = self.now();
        let tokens = self.inner.store.api_tokens().await?;
        let base = &self.settings().public_url;
        let valid = tokens.iter().filter(|token| token.is_valid_at(now));
        Ok(Listing { items: valid.map(|token| token.to_json(base)).collect(), next: None })
    }

    /// A token that opens the door, as the API shows it: never the token itself.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn api_token(&self, id: &ApiTokenId) -> Result<Value, Error> {
        Ok(self.valid_token(id).await?.to_json(&self.settings().public_url))
    }

    /// Ends a token; this node refuses it at once, every other within a second.
    ///
    /// # Errors
    /// [`Error::NotFound`], also if it was revoked before.
    pub async fn revoke_api_token(&self, caller: &Caller, id: &ApiTokenId) -> Result<(), Error> {
        let token = self.valid_token(id).await?;
        let now = self.now();
        let event = self.event(events::API_TOKEN_REVOKED, caller, token_target(&token), now);
        let changes = vec![Change::RevokeApiToken { id: id.clone(), at: now }, Change::AppendEvents(vec![event])];
        match self.commit(changes, move |app| app.forget_token(&token.sha256)).await {
            Err(CommitError::Conflict(Conflict::Stale)) => Err(Error::not_found(id)),
            other => Ok(other?),
        }
    }

    async fn valid_token(&self, id: &ApiTokenId) -> Result<ApiToken, Error> {
        let found = if id.is_plausible() { self.inner.store.api_token(id.as_str()).await? } else { None };
        found.filter(|token| token.is_valid_at(self.now())).ok_or_else(|| Error::not_found(id))
    }
}
