//! Who is asking, and from where.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_lc_rs::digest;
use hookwright_model::admin_role::AdminRole;
use hookwright_model::api_scope::{self, ApiScope};
use hookwright_model::api_token::TOKEN_WINDOW;
use hookwright_model::execution::{Actor, Origin};
use hookwright_store::Change;
use subtle::ConstantTimeEq;

use crate::cache::CachedToken;
use crate::events::owner_actor;
use crate::refused_tokens::Refusal;
use crate::{App, Error};

/// Uses closer together than this renew a token once.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(60);

/// The request that an operation belongs to.
pub type RequestOrigin = Origin;

/// Somebody who proved who they are.
#[derive(Debug, Clone)]
pub struct Caller {
    token: Arc<CachedToken>,
    /// The request they sent.
    pub origin: RequestOrigin,
}

impl Caller {
    /// The id of the token that was used.
    #[must_use]
    pub fn token_id(&self) -> &str {
        self.token.token.id.as_str()
    }

    /// The id of the user whose token it is.
    #[must_use]
    pub fn user_id(&self) -> &str {
        self.token.owner.id.as_str()
    }

    /// Whether the caller may see what only super administrators may: inner addresses.
    #[must_use]
    pub fn is_super_admin(&self) -> bool {
        self.token.owner.role == Some(AdminRole::SuperAdmin)
    }

    /// Whether the caller may do this: the owner by the role, and the token by its scopes.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require(&self, need: ApiScope) -> Result<(), Error> {
        api_scope::check(self.token.owner.role, &self.token.token.scopes, need).map_err(Error::Forbidden)
    }

    /// The caller as the records name it: the user; the token is in the request's [`Origin`].
    #[must_use]
    pub fn actor(&self) -> Actor {
        owner_actor(&self.token.owner)
    }
}

impl App {
    /// Finds the caller by the value of the `Authorization` header: `SSWS {token}`, also without the blank, as the official
    /// Python SDK sends it.
    ///
    /// # Errors
    /// [`Error::NoCredentials`] without a value, [`Error::BadToken`] for anything that opens no door, always the same.
    pub async fn authenticate(&self, authorization: Option<&str>, origin: RequestOrigin) -> Result<Caller, Error> {
        let value = authorization.ok_or(Error::NoCredentials)?;
        match self.known_token(value).await? {
            Ok(token) => {
                self.renew(&token);
                let api_token_id = Some(token.token.id.to_string());
                Ok(Caller { token, origin: RequestOrigin { api_token_id, ..origin } })
            }
            Err(refusal) => {
                self.note_refused_token(refusal, origin);
                Err(Error::BadToken)
            }
        }
    }

    /// The token that a value of the header is, if it opens the door.
    async fn known_token(&self, value: &str) -> Result<Result<Arc<CachedToken>, Refusal>, Error> {
        let Some(token) = ssws_token(value) else { return Ok(Err(Refusal::unknown("NO_SSWS_TOKEN"))) };
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        let Some(cached) = self.cached_token(&sha256).await? else { return Ok(Err(Refusal::unknown("UNKNOWN_TOKEN"))) };
        if !bool::from(cached.token.sha256.ct_eq(&sha256)) {
            return Ok(Err(Refusal::unknown("UNKNOWN_TOKEN")));
        }
        let reason = if cached.token.revoked.is_some() {
            "REVOKED_TOKEN"
        } else if !cached.token.is_valid_at(self.now()) {
            "EXPIRED_TOKEN"
        } else if !cached.owner.is_in_force() {
            "OWNER_NOT_ACTIVE"
        } else {
            return Ok(Ok(cached));
        };
        Ok(Err(Refusal::of(reason, &cached.token, &cached.owner)))
    }

    /// Moves the token's expiry, at most once a minute and beside the request: a lost renewal costs nothing.
    fn renew(&self, cached: &Arc<CachedToken>) {
        let now = self.now();
        let last = cached.renewed_ms.load(Ordering::Relaxed);
        if now.as_millis() - last < i64::try_from(RENEWAL_INTERVAL.as_millis()).unwrap_or(i64::MAX) {
            return;
        }
        if cached.renewed_ms.compare_exchange(last, now.as_millis(), Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        let (app, id) = (self.clone(), cached.token.id.clone());
        self.inner.calls.spawn(async move {
            let change = Change::TouchApiToken { id, last_used: now, expires: now.plus(TOKEN_WINDOW) };
            if let Err(error) = app.inner.store.commit(vec![change]).await {
                tracing::warn!(%error, "an API token could not be renewed");
            }
        });
    }
}

/// The token behind `SSWS`, whose letter case and blank don't matter.
fn ssws_token(value: &str) -> Option<&str> {
    let (scheme, rest) = value.trim().split_at_checked(4)?;
    let token = rest.trim_start();
    (scheme.eq_ignore_ascii_case("SSWS") && !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
        .then_some(token)
}

#[cfg(test)]
mod tests {
    use super::ssws_token;

    #[test]
    fn the_scheme_is_read_with_and_without_a_blank() {
        assert_eq!(ssws_token("SSWS hwt_1"), Some("hwt_1"));
        assert_eq!(ssws_token("SSWShwt_1"), Some("hwt_1"));
        assert_eq!(ssws_token("ssws  hwt_1"), Some("hwt_1"));
        for wrong in ["", "SSWS", "SSWS ", "Bearer hwt_1", "SSW", "SSWS a b", "ſSWS x"] {
            assert_eq!(ssws_token(wrong), None, "{wrong}");
        }
    }
}
