//! Who is asking, and from where.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_lc_rs::digest;
use hookwright_model::api_token::{ApiToken, TOKEN_WINDOW};
use hookwright_model::execution::{Actor, Origin};
use hookwright_store::Change;
use subtle::ConstantTimeEq;

use crate::cache::CachedToken;
use crate::{App, Error};

/// Uses closer together than this renew a token once.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(60);

/// The request that an operation belongs to.
pub type RequestOrigin = Origin;

/// Somebody who proved who they are.
#[derive(Debug, Clone)]
pub struct Caller {
    token: Arc<ApiToken>,
    /// The request they sent.
    pub origin: RequestOrigin,
}

impl Caller {
    /// The id of the token that was used.
    #[must_use]
    pub fn token_id(&self) -> &str {
        self.token.id.as_str()
    }

    /// The caller as the records name it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor {
            id: self.token.id.to_string(),
            kind: "PublicClientApp".to_owned(),
            display_name: self.token.name.clone(),
            alternate_id: self.token.id.to_string(),
        }
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
        let token = ssws_token(value).ok_or(Error::BadToken)?;
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        let cached = self.cached_token(&sha256).await?.ok_or(Error::BadToken)?;
        let now = self.now();
        let same = bool::from(cached.token.sha256.ct_eq(&sha256));
        if !same || !cached.token.is_valid_at(now) {
            return Err(Error::BadToken);
        }
        self.renew(&cached);
        Ok(Caller { token: Arc::clone(&cached.token), origin })
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
