//! Asking for a token: the client credentials grant (RFC 6749 section 4.4).

use std::sync::Arc;

use bytes::Bytes;
use hookwright_model::channel::{OAuthClientAuth, OAuthConfig};
use http::{HeaderMap, Uri};
use secrecy::ExposeSecret;
use url::form_urlencoded::Serializer;

use super::response::{self, Granted};
use crate::classify::{Failed, Reach};
use crate::exchange::Outgoing;
use crate::outcome::CallFailure;
use crate::pool::Origin;
use crate::progress::Progress;
use crate::{Inner, request_head};

/// What RFC 7523 section 2.2 calls the kind of assertion.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How the token of one configuration is asked for.
#[derive(Debug)]
pub(super) struct TokenRequest {
    config: OAuthConfig,
    origin: Arc<Origin>,
    target: Uri,
    headers: HeaderMap,
    /// Why the token URL may not be called.
    refusal: Option<String>,
}

impl TokenRequest {
    pub(super) fn new(config: &OAuthConfig, engine: &Inner) -> Self {
        let url = config.token_url.url();
        Self {
            config: config.clone(),
            origin: engine.pool.origin(url),
            target: request_head::target(url),
            headers: request_head::fields(url, &engine.user_agent, "application/x-www-form-urlencoded"),
            refusal: engine.connector.policy.judge_url(url).err(),
        }
    }

    /// Asks for a token. Whatever goes wrong is told as the reason of [`CallFailure::TokenRefused`].
    pub(super) async fn ask(&self, engine: &Inner) -> Result<Granted, Failed> {
        if let Some(refusal) = &self.refusal {
            return Err(unreachable(refusal.clone()));
        }
        let body = self.form(engine).await?;
        let (origin, target, headers) = (&self.origin, &self.target, &self.headers);
        let outgoing = Outgoing { origin, target, headers, over: &HeaderMap::new(), body };
        // The record of the attempt is about the hook's service; what is seen here stays here.
        let mut progress = Progress::default();
        match outgoing.exchange(engine, |status| status == 200, &mut progress).await {
            Ok(answer) => response::read(&answer.body).map_err(refused),
            Err(failed) => Err(explain(&failed, &progress.body)),
        }
    }

    async fn form(&self, engine: &Inner) -> Result<Bytes, Failed> {
        let mut pairs = vec![("grant_type", "client_credentials")];
        let assertion;
        match &self.config.client_auth {
            OAuthClientAuth::ClientSecretPost(secret) => {
                pairs.push(("client_id", &self.config.client_id));
                pairs.push(("client_secret", secret.expose_secret()));
            }
            OAuthClientAuth::PrivateKeyJwt { hook_key_id } => {
                assertion = self.assertion(hook_key_id, engine).await?;
                pairs.push(("client_assertion_type", JWT_BEARER));
                pairs.push(("client_assertion", &assertion));
            }
        }
        if let Some(scope) = &self.config.scope {
            pairs.push(("scope", scope));
        }
        Ok(Serializer::new(String::new()).extend_pairs(pairs).finish().into())
    }

    async fn assertion(&self, hook_key_id: &str, engine: &Inner) -> Result<String, Failed> {
        let assertions = engine.assertions.as_ref().ok_or_else(|| refused("there are no hook keys".to_owned()))?;
        let audience = self.config.token_url.as_str();
        let assertion = assertions.sign(hook_key_id, &self.config.client_id, audience).await;
        assertion.map_err(|error| refused(error.to_string()))
    }
}

fn refused(reason: String) -> Failed {
    Failed::no_token(reason, Reach::Unsent)
}

/// An authorization server that can't be reached now may be reached by the next attempt.
fn unreachable(detail: String) -> Failed {
    let refusal = Failed::no_token("the authorization server could not be reached".to_owned(), Reach::NoTokenNow);
    Failed { detail, ..refusal }
}

fn explain(failed: &Failed, body: &[u8]) -> Failed {
    match &failed.failure {
        CallFailure::WrongStatus(status) => {
            let code = response::error_code(body).map_or_else(String::new, |code| format!(" ({code})"));
            let reach = if (500..600).contains(status) { Reach::NoTokenNow } else { Reach::Unsent };
            Failed::no_token(format!("the authorization server answered with status {status}{code}"), reach)
        }
        CallFailure::AnswerTooLarge(_) | CallFailure::BadBody(_) => {
            refused("the authorization server's answer could not be read".to_owned())
        }
        _ => unreachable(format!("Authorization server: {}", failed.detail)),
    }
}
