//! What tokens are good for, and how they end: `userinfo`, `introspect`, `revoke`, `logout`.

use hookwright_model::Timestamp;
use hookwright_model::id::UserId;
use hookwright_model::oauth::{DEFAULT_AUDIENCE, Grant, OAuthError, Parameters, Scopes, userinfo_claims};
use hookwright_model::user::User;
use serde_json::{Map, Value, json};
use url::Url;

use super::exchange::{may_have_tokens, refresh_token_hash};
use super::{BasicCredentials, KnownClient, OAuthFailure, refused};
use crate::events;
use crate::{App, Error, RequestOrigin};

/// A client sends somebody to sign out.
#[derive(Debug)]
pub struct LogoutRequest {
    /// Who is to be signed out.
    pub user: UserId,
    /// Where they go then; the sign-in page if nowhere.
    pub location: Option<String>,
}

/// An access token that counts.
struct LivingToken {
    claims: Map<String, Value>,
    grant: Grant,
    user: User,
}

impl App {
    /// What an access token may know of its user.
    ///
    /// # Errors
    /// `invalid_token`, or `insufficient_scope` without `openid`.
    pub async fn userinfo(&self, access_token: &str) -> Result<Value, OAuthFailure> {
        let Some(token) = self.living_token(access_token).await? else {
            let text = "The access token is invalid, expired or revoked.";
            return Err(refused(OAuthError::new("invalid_token", text)));
        };
        let scopes = token.claims.get("scp").and_then(Value::as_array).cloned().unwrap_or_default();
        let scopes = scopes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
        let scopes = Scopes::granted(&scopes);
        if !scopes.contains("openid") {
            return Err(refused(OAuthError::new("insufficient_scope", "The access token lacks the scope openid.")));
        }
        Ok(userinfo_claims(&token.user, &scopes))
    }

    /// Whether a token of this client counts, and what it says (RFC 7662).
    ///
    /// # Errors
    /// [`OAuthFailure::Refused`] if the client did not prove who it is.
    pub async fn introspect(
        &self,
        parameters: &Parameters,
        basic: Option<&BasicCredentials>,
    ) -> Result<Value, OAuthFailure> {
        let client = self.authenticated_client(parameters, basic).await?;
        let text = parameters.required("token").map_err(refused)?;
        let inactive = json!({"active": false});
        if let Some(token) = self.living_token(text).await? {
            if token.grant.application != client.application.id {
                return Ok(inactive);
            }
            return Ok(described(token));
        }
        let Some(claims) = self.own_claims(text).await? else {
            return self.introspect_refresh_token(text, &client).await;
        };
        // An ID token: it counts until its time is over, or its user may have no tokens any longer.
        let is_mine = claims.get("aud").and_then(Value::as_str) == Some(client.client.client_id.as_str());
        if !is_mine || is_over(&claims, self) || !self.is_user_of(&claims).await? {
            return Ok(inactive);
        }
        let mut answer = claims;
        answer.insert("active".to_owned(), json!(true));
        Ok(Value::Object(answer))
    }

    /// Whether the user whom an ID token names may have tokens for what they proved then. Its time is in whole seconds.
    async fn is_user_of(&self, claims: &Map<String, Value>) -> Result<bool, Error> {
        let seconds = claims.get("auth_time").and_then(Value::as_i64).unwrap_or(0);
        let authenticated = Timestamp::from_millis(seconds.saturating_mul(1_000).saturating_add(999));
        let user = self.inner.store.user(claims.get("sub").and_then(Value::as_str).unwrap_or_default()).await?;
        if let Some(id) = grant_id(claims, "ID.")
            && self.inner.store.oauth_grant(id).await?.is_none_or(|grant| grant.revoked.is_some())
        {
            return Ok(false);
        }
        Ok(user.is_some_and(|user| may_have_tokens(&user, authenticated)))
    }

    async fn introspect_refresh_token(&self, text: &str, client: &KnownClient) -> Result<Value, OAuthFailure> {
        let inactive = json!({"active": false});
        let Some(token) = self.inner.store.refresh_token(&refresh_token_hash(text)).await? else { return Ok(inactive) };
        let Some(grant) = self.inner.store.oauth_grant(&token.grant).await? else { return Ok(inactive) };
        let counts = grant.application == client.application.id
            && grant.is_alive_at(self.now())
            && self.now() < token.expires
            && token.first_used.is_none();
        let Some(user) = self.user_of_grant(&grant).await?.filter(|_| counts) else { return Ok(inactive) };
        Ok(json!({
            "active": true,
            "scope": grant.scopes.to_text(),
            "username": user.login(),
            "sub": user.login(),
            "uid": user.id,
            "client_id": client.client.client_id,
            "iat": token.created.as_millis().div_euclid(1_000),
            "exp": token.expires.as_millis().div_euclid(1_000),
        }))
    }

    /// Ends a token of this client, and with it all that came from the same sign-in (RFC 7009 section 2.1). Says nothing of
    /// tokens that it does not know.
    ///
    /// # Errors
    /// [`OAuthFailure::Refused`] if the client did not prove who it is.
    pub async fn revoke(
        &self,
        parameters: &Parameters,
        basic: Option<&BasicCredentials>,
        origin: &RequestOrigin,
    ) -> Result<(), OAuthFailure> {
        let client = self.authenticated_client(parameters, basic).await?;
        let text = parameters.required("token").map_err(refused)?;
        let grant = match self.inner.store.refresh_token(&refresh_token_hash(text)).await? {
            Some(token) => Some(token.grant),
            None => {
                let claims = self.own_claims(text).await?;
                claims.as_ref().and_then(|claims| grant_id(claims, "AT.")).map(str::to_owned)
            }
        };
        let Some(grant) = grant else { return Ok(()) };
        let grant = self.inner.store.oauth_grant(&grant).await?;
        let mine = |grant: &Grant| grant.application == client.application.id && grant.revoked.is_none();
        if let Some(grant) = grant.filter(mine) {
            self.end_grant(&grant, events::TOKENS_REVOKED, origin).await?;
        }
        Ok(())
    }

    /// Reads a request to sign somebody out (OpenID Connect RP-Initiated Logout): the ID token says who, and lets no other
    /// page sign them out.
    ///
    /// # Errors
    /// [`OAuthFailure::Refused`] without an ID token of ours, or with a place to go to that is not the client's.
    pub async fn read_logout(&self, parameters: &Parameters) -> Result<LogoutRequest, OAuthFailure> {
        parameters.once(&["id_token_hint", "post_logout_redirect_uri", "state"]).map_err(refused)?;
        let hint = parameters.required("id_token_hint").map_err(refused)?;
        let bad_hint = || refused(OAuthError::invalid_request("The id_token_hint is not an ID token of this server."));
        let claims = self.own_claims(hint).await?.ok_or_else(bad_hint)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let (Some(user), Some(client_id), None) = (text("sub"), text("aud"), text("cid")) else {
            return Err(bad_hint());
        };
        let application = self.cached_client(client_id).await?.ok_or_else(bad_hint)?;
        let location = match (parameters.get("post_logout_redirect_uri"), &application.oauth) {
            (None, _) => None,
            (Some(uri), Some(client)) if client.post_logout_redirect_uris.iter().any(|own| own == uri) => {
                Some(with_state(uri, parameters.get("state")))
            }
            _ => {
                let text = "The 'post_logout_redirect_uri' parameter must be a Logout redirect URI in the client app settings.";
                return Err(refused(OAuthError::invalid_request(text)));
            }
        };
        Ok(LogoutRequest { user: UserId::from_text(user), location })
    }

    /// An access token that still counts: our signature, its time, its grant and its user.
    async fn living_token(&self, text: &str) -> Result<Option<LivingToken>, Error> {
        let Some(claims) = self.own_claims(text).await? else { return Ok(None) };
        let is_access_token = claims.get("aud").and_then(Value::as_str) == Some(DEFAULT_AUDIENCE);
        let Some(id) = grant_id(&claims, "AT.").filter(|_| is_access_token && !is_over(&claims, self)) else {
            return Ok(None);
        };
        let grant = self.inner.store.oauth_grant(id).await?;
        let Some(grant) = grant.filter(|grant| grant.revoked.is_none()) else { return Ok(None) };
        let application = self.cached_application(&grant.application).await?;
        if application.is_none_or(|application| !application.status.is_active()) {
            return Ok(None);
        }
        let user = self.user_of_grant(&grant).await?;
        Ok(user.map(|user| LivingToken { claims, grant, user }))
    }
}

/// The grant that a token of this kind names.
fn grant_id<'c>(claims: &'c Map<String, Value>, kind: &str) -> Option<&'c str> {
    claims.get("jti")?.as_str()?.strip_prefix(kind)?.split_once('.').map(|(_, grant)| grant)
}

fn is_over(claims: &Map<String, Value>, app: &App) -> bool {
    let expires = claims.get("exp").and_then(Value::as_i64).unwrap_or(0);
    app.now().as_millis().div_euclid(1_000) >= expires
}

fn described(token: LivingToken) -> Value {
    let mut answer = Map::new();
    answer.insert("active".to_owned(), json!(true));
    answer.insert("token_type".to_owned(), json!("Bearer"));
    let scopes = token.claims.get("scp").and_then(Value::as_array).cloned().unwrap_or_default();
    let scopes = scopes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
    answer.insert("scope".to_owned(), json!(scopes));
    answer.insert("username".to_owned(), json!(token.user.login()));
    answer.insert("client_id".to_owned(), token.claims.get("cid").cloned().unwrap_or_default());
    for name in ["exp", "iat", "sub", "aud", "iss", "jti", "uid"] {
        answer.insert(name.to_owned(), token.claims.get(name).cloned().unwrap_or_default());
    }
    Value::Object(answer)
}

fn with_state(uri: &str, state: Option<&str>) -> String {
    let Ok(mut url) = Url::parse(uri) else { return uri.to_owned() };
    if let Some(state) = state {
        url.query_pairs_mut().append_pair("state", state);
    }
    // As a header takes it: a letter that is no ASCII is percent-coded.
    url.to_string()
}
