//! Access tokens for services behind an authorization server: asked for, kept while they last, forgotten when refused.

mod assertion;
mod key_pair;
mod request;
mod response;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use hookwright_model::channel::{OAuthClientAuth, OAuthConfig};
use secrecy::ExposeSecret;
use tokio::time::Instant;

use crate::Inner;
use crate::access_token::AccessToken;
use crate::classify::Failed;

pub use assertion::{Assertions, HookKey, HookKeyError, HookKeys};
pub use key_pair::NewKeyPair;

/// Where the token of one configuration comes from. Hooks of the same configuration share it.
#[derive(Debug)]
pub(crate) struct TokenSource {
    request: request::TokenRequest,
    cache: Mutex<Cache>,
    /// Held while a token is asked for, so that many calls at once ask once.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Cache {
    token: Option<(AccessToken, Instant)>,
    /// The last token came without a time, so the next call would have to ask again anyway.
    uncacheable: bool,
}

impl TokenSource {
    /// A token that lasts, or a new one.
    pub(crate) async fn token(&self, engine: &Inner) -> Result<AccessToken, Failed> {
        if let Some(token) = self.kept() {
            return Ok(token);
        }
        let uncacheable = self.cache().uncacheable;
        let _asking = if uncacheable { None } else { Some(self.asking.lock().await) };
        if let Some(token) = self.kept() {
            return Ok(token);
        }
        let asked = Instant::now();
        let granted = self.request.ask(engine).await?;
        let mut cache = self.cache();
        let until = granted.lasts.map(|lasts| asked + lasts);
        cache.uncacheable = until.is_none();
        cache.token = until.map(|until| (granted.token.clone(), until));
        Ok(granted.token)
    }

    /// Drops a token that a service refused, unless a newer one has taken its place.
    pub(crate) fn forget(&self, refused: &AccessToken) {
        let mut cache = self.cache();
        if cache.token.as_ref().is_some_and(|(token, _)| token == refused) {
            cache.token = None;
        }
    }

    fn kept(&self) -> Option<AccessToken> {
        let cache = self.cache();
        cache.token.as_ref().filter(|(_, until)| Instant::now() < *until).map(|(token, _)| token.clone())
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All token sources of an engine.
#[derive(Debug, Default)]
pub(crate) struct TokenSources(Mutex<HashMap<[u8; 32], Arc<TokenSource>>>);

impl TokenSources {
    /// The source of a configuration. A changed secret or scope is another configuration and finds no old token.
    pub(crate) fn source(&self, config: &OAuthConfig, engine: &Inner) -> Arc<TokenSource> {
        let key = fingerprint(config);
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = sources.get(&key) {
            return Arc::clone(source);
        }
        // A hook is prepared anew now and then and should find its token; what nobody wants and holds none is dropped.
        sources.retain(|_, source| Arc::strong_count(source) > 1 || source.kept().is_some());
        let source = Arc::new(TokenSource {
            request: request::TokenRequest::new(config, engine),
            cache: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        });
        sources.insert(key, Arc::clone(&source));
        source
    }
}

/// Tells configurations apart without keeping their secrets.
fn fingerprint(config: &OAuthConfig) -> [u8; 32] {
    let (kind, credential) = match &config.client_auth {
        OAuthClientAuth::ClientSecretPost(secret) => ("secret", secret.expose_secret()),
        OAuthClientAuth::PrivateKeyJwt { hook_key_id } => ("key", hook_key_id.as_str()),
    };
    let scope = config.scope.as_deref().map_or_else(|| "none".to_owned(), |scope| format!("some {scope}"));
    let mut text = Vec::new();
    for part in [config.token_url.as_str(), &config.client_id, &scope, kind, credential] {
        text.extend_from_slice(&(part.len() as u64).to_be_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    let mut key = [0; 32];
    for (to, from) in key.iter_mut().zip(digest(&SHA256, &text).as_ref()) {
        *to = *from;
    }
    key
}
