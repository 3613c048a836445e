//! `token`: a code or a refresh token for tokens.

use hookwright_model::application::GrantType;
use hookwright_model::flow::FlowCode;
use hookwright_model::id::{UserId, mint_event_id};
use hookwright_model::oauth::{
    GRANT_LIFETIME, Grant, Issue, OAuthError, Parameters, Purpose, REFRESH_IDLE_LIFETIME, RefreshJudgement,
    RefreshToken, Scopes, TOKEN_LIFETIME, access_token_claims, id_token_claims, is_code_verifier, judge_refresh,
};
use hookwright_model::user::User;
use hookwright_store::{Change, CommitError, Conflict, FlowChange, OAuthChange};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::jwt::{at_hash, challenge_of, signed};
use super::{BasicCredentials, KnownClient, OAuthFailure, refused};
use crate::events::{self, EventKind, application_target, user_actor, user_target};
use crate::flow::code_hash;
use crate::opaque::{mint, sha256};
use crate::{App, Error, RequestOrigin};

type Result<T> = std::result::Result<T, OAuthFailure>;

/// What a refresh token is stored under.
pub(super) fn refresh_token_hash(token: &str) -> [u8; 32] {
    sha256(&[b"refresh token", token.as_bytes()])
}

/// Everything that the tokens of one answer are made of.
struct Tokens<'a> {
    client: &'a KnownClient,
    user: &'a User,
    grant: &'a Grant,
    scopes: Scopes,
    nonce: Option<&'a str>,
    refresh_token: Option<SecretString>,
}

impl App {
    /// Answers the token endpoint.
    ///
    /// # Errors
    /// [`OAuthFailure::Refused`] as RFC 6749 section 5.2 has it.
    pub async fn exchange(
        &self,
        parameters: &Parameters,
        basic: Option<&BasicCredentials>,
        origin: &RequestOrigin,
    ) -> Result<Value> {
        parameters
            .once(&["grant_type", "code", "interaction_code", "code_verifier", "redirect_uri"])
            .map_err(refused)?;
        let client = self.authenticated_client(parameters, basic).await?;
        let wanted = parameters.required("grant_type").map_err(refused)?;
        let (grant_type, purpose) = match GrantType::parse(wanted) {
            Some(grant @ GrantType::AuthorizationCode) => (grant, Some(Purpose::Authorization)),
            Some(grant @ GrantType::InteractionCode) => (grant, Some(Purpose::Interaction)),
            Some(grant @ GrantType::RefreshToken) => (grant, None),
            _ => {
                let text = "The grant_type is authorization_code, interaction_code or refresh_token.";
                return Err(refused(OAuthError::new("unsupported_grant_type", text)));
            }
        };
        if !client.client.allows(grant_type) {
            let text = format!("The client is not allowed to use {wanted}.");
            return Err(refused(OAuthError::new("unauthorized_client", text)));
        }
        match purpose {
            Some(purpose) => self.exchange_code(parameters, &client, purpose, origin).await,
            None => self.refresh(parameters, &client, origin).await,
        }
    }

    async fn exchange_code(
        &self,
        parameters: &Parameters,
        client: &KnownClient,
        purpose: Purpose,
        origin: &RequestOrigin,
    ) -> Result<Value> {
        let name = if purpose == Purpose::Interaction { "interaction_code" } else { "code" };
        let code = parameters.required(name).map_err(refused)?;
        let Some(found) = self.known_code(code).await? else {
            self.end_grant_of_code(code, origin).await?;
            return Err(refused(OAuthError::invalid_grant()));
        };
        let fits = is_for(&found, client, purpose, parameters);
        // The client itself may ask again when its answer was lost or late: it gets nothing more, and loses nothing.
        if found.taken.is_some() && !(fits && found.may_be_retried(self.now())) {
            self.end_grant_of_code(code, origin).await?;
        }
        if found.taken.is_some() || !fits {
            return Err(refused(OAuthError::invalid_grant()));
        }
        let user = self.token_user(&found.user, &found).await?.ok_or_else(|| refused(OAuthError::invalid_grant()))?;
        let now = self.now();
        let scopes = Scopes::granted(&found.client.scope);
        let offline = scopes.contains("offline_access") && client.client.allows(GrantType::RefreshToken);
        let lifetime = if offline { GRANT_LIFETIME } else { TOKEN_LIFETIME };
        let grant = Grant {
            id: mint_event_id(self.entropy()),
            code_sha256: found.sha256,
            application: client.application.id.clone(),
            user: user.id.clone(),
            scopes: scopes.clone(),
            authenticated: found.authenticated,
            created: now,
            expires: now.plus(lifetime),
            revoked: None,
        };
        // Before the code is used up: an org that can't sign does not burn codes.
        self.signing_keys().await?;
        let mut changes = vec![
            Change::Flow(FlowChange::TakeCode { sha256: found.sha256, at: now }),
            Change::OAuth(OAuthChange::InsertGrant(Box::new(grant.clone()))),
        ];
        let refresh_token = offline.then(|| mint(self.entropy()));
        if let Some(token) = &refresh_token {
            changes.push(self.new_refresh_token(&grant, token));
        }
        changes.push(self.grant_event(events::TOKENS_GRANTED, client, &user, origin));
        match self.inner.store.commit(changes).await {
            Ok(()) => {}
            // Another request of this client, with the same verifier, was faster just now: a retry.
            Err(CommitError::Conflict(Conflict::Stale | Conflict::AlreadyThere | Conflict::Reference)) => {
                return Err(refused(OAuthError::invalid_grant()));
            }
            Err(error) => return Err(error.into()),
        }
        let nonce = found.client.nonce.as_deref();
        self.tokens(Tokens { client, user: &user, grant: &grant, scopes, nonce, refresh_token }).await
    }

    /// A code that comes again, and is no retry, ends what it led to (RFC 6749 section 4.1.2).
    async fn end_grant_of_code(&self, code: &str, origin: &RequestOrigin) -> Result<()> {
        let grant = self.inner.store.oauth_grant_of_code(&code_hash(code)).await?;
        if let Some(grant) = grant.filter(|grant| grant.revoked.is_none()) {
            self.end_grant(&grant, events::REUSE_DETECTED, origin).await?;
        }
        Ok(())
    }

    /// Ends a grant with all its tokens.
    pub(super) async fn end_grant(
        &self,
        grant: &Grant,
        kind: EventKind,
        origin: &RequestOrigin,
    ) -> std::result::Result<(), Error> {
        let mut changes = vec![Change::OAuth(OAuthChange::RevokeGrant { id: grant.id.clone(), at: self.now() })];
        if let Some(user) = self.inner.store.user(grant.user.as_str()).await? {
            let mut event = self.flow_event(kind, user_actor(&user), origin, vec![user_target(&user)]);
            event.debug_data.insert("applicationId".to_owned(), json!(grant.application.as_str()));
            changes.push(Change::AppendEvents(vec![event]));
        }
        Ok(self.inner.store.commit(changes).await?)
    }

    async fn refresh(&self, parameters: &Parameters, client: &KnownClient, origin: &RequestOrigin) -> Result<Value> {
        let invalid = || refused(OAuthError::invalid_grant());
        let text = parameters.required("refresh_token").map_err(refused)?;
        let (now, sha256) = (self.now(), refresh_token_hash(text));
        let token = self.inner.store.refresh_token(&sha256).await?.ok_or_else(invalid)?;
        let grant = self.inner.store.oauth_grant(&token.grant).await?.ok_or_else(invalid)?;
        match judge_refresh(&token, &grant, &client.application.id, now) {
            RefreshJudgement::Good => {}
            RefreshJudgement::Worthless => {
                if now >= token.expires || now >= grant.expires {
                    self.drop_what_is_over().await?;
                }
                return Err(invalid());
            }
            RefreshJudgement::Reused => {
                self.end_grant(&grant, events::REUSE_DETECTED, origin).await?;
                return Err(invalid());
            }
        }
        let user = self.user_of_grant(&grant).await?.ok_or_else(invalid)?;
        let scopes = grant.scopes.narrowed(parameters.get("scope")).map_err(refused)?;
        self.signing_keys().await?;
        // A client that can't prove who it is gets a new one each time, so that a stolen one is noticed.
        let (mut changes, refresh_token) = if client.client.is_public() {
            let fresh = mint(self.entropy());
            let used = Change::OAuth(OAuthChange::UseRefreshToken { sha256, at: now });
            (vec![used, self.new_refresh_token(&grant, &fresh)], fresh)
        } else {
            let expires = now.plus(REFRESH_IDLE_LIFETIME);
            let prolonged = OAuthChange::ProlongRefreshToken { sha256, expires };
            (vec![Change::OAuth(prolonged)], SecretString::from(text.to_owned()))
        };
        changes.push(self.grant_event(events::TOKENS_GRANTED, client, &user, origin));
        match self.inner.store.commit(changes).await {
            Ok(()) => {}
            Err(CommitError::Conflict(_)) => return Err(invalid()),
            Err(error) => return Err(error.into()),
        }
        let refresh_token = Some(refresh_token);
        self.tokens(Tokens { client, user: &user, grant: &grant, scopes, nonce: None, refresh_token }).await
    }

    async fn tokens(&self, tokens: Tokens<'_>) -> Result<Value> {
        let (keys, issuer, now) = (self.signing_keys().await?, self.issuer(), self.now());
        let issue = Issue {
            issuer: &issuer,
            client_id: &tokens.client.client.client_id,
            user: tokens.user,
            scopes: &tokens.scopes,
            authenticated: tokens.grant.authenticated,
            now,
        };
        // Tokens name their grant, so that they end with it.
        let jti = format!("AT.{}.{}", mint_event_id(self.entropy()), tokens.grant.id);
        let access_token = signed(&keys, &access_token_claims(&issue, &jti))?;
        let mut answer = json!({
            "token_type": "Bearer",
            "expires_in": TOKEN_LIFETIME.as_secs(),
            "access_token": access_token,
            "scope": tokens.scopes.to_text(),
        });
        let Some(members) = answer.as_object_mut() else { return Ok(answer) };
        if let Some(token) = &tokens.refresh_token {
            members.insert("refresh_token".to_owned(), json!(token.expose_secret()));
        }
        if tokens.scopes.contains("openid") {
            let jti = format!("ID.{}.{}", mint_event_id(self.entropy()), tokens.grant.id);
            let claims = id_token_claims(&issue, &jti, tokens.nonce, &at_hash(&access_token));
            members.insert("id_token".to_owned(), json!(signed(&keys, &claims)?));
        }
        Ok(answer)
    }

    fn new_refresh_token(&self, grant: &Grant, token: &SecretString) -> Change {
        let now = self.now();
        Change::OAuth(OAuthChange::InsertRefreshToken(RefreshToken {
            sha256: refresh_token_hash(token.expose_secret()),
            grant: grant.id.clone(),
            created: now,
            first_used: None,
            expires: now.plus(REFRESH_IDLE_LIFETIME).min(grant.expires),
        }))
    }

    fn grant_event(&self, kind: EventKind, client: &KnownClient, user: &User, origin: &RequestOrigin) -> Change {
        let targets = vec![application_target(&client.application), user_target(user)];
        Change::AppendEvents(vec![self.flow_event(kind, user_actor(user), origin, targets)])
    }

    /// The user of a code, if they may still sign in with what they proved then.
    async fn token_user(&self, id: &UserId, code: &FlowCode) -> std::result::Result<Option<User>, Error> {
        let user = self.inner.store.user(id.as_str()).await?;
        Ok(user.filter(|user| may_have_tokens(user, code.authenticated)))
    }

    /// The user of a grant, as [`Self::token_user`].
    pub(super) async fn user_of_grant(&self, grant: &Grant) -> std::result::Result<Option<User>, Error> {
        let user = self.inner.store.user(grant.user.as_str()).await?;
        Ok(user.filter(|user| may_have_tokens(user, grant.authenticated)))
    }
}

/// A user who was switched off, or whose password was set anew since, has to sign in again.
pub(super) fn may_have_tokens(user: &User, authenticated: hookwright_model::Timestamp) -> bool {
    user.status.may_be_signed_in() && user.password_changed.is_none_or(|changed| changed <= authenticated)
}

/// Whether a code is this client's, for this purpose, and comes with what it is bound to.
fn is_for(code: &FlowCode, client: &KnownClient, purpose: Purpose, parameters: &Parameters) -> bool {
    let asked = &code.client;
    let mine = code.application == client.application.id
        && asked.client_id == client.client.client_id
        && Purpose::of(asked.face) == purpose;
    let redirect_uri = match (parameters.get("redirect_uri"), purpose) {
        (Some(given), _) => given == asked.redirect_uri,
        (None, Purpose::Interaction) => true,
        (None, Purpose::Authorization) => false,
    };
    let verified = match (&asked.code_challenge, parameters.get("code_verifier")) {
        (Some(challenge), Some(verifier)) => {
            is_code_verifier(verifier) && bool::from(challenge_of(verifier).as_bytes().ct_eq(challenge.as_bytes()))
        }
        // A verifier without a challenge is a downgrade (RFC 9700 section 4.8.2).
        (None, None) => true,
        _ => false,
    };
    mine && redirect_uri && verified
}
