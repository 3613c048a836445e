//! API tokens, sent as `Authorization: SSWS {token}`. Each belongs to a user, and acts with that user's rights.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::admin_role::AdminRole;
use crate::api_scope::ApiScopes;
use crate::id::{ApiTokenId, UserId};
use crate::user::UserStatus;
use crate::{Entropy, Timestamp};

/// An unused token dies after this long; each use renews it (Okta: 30 days).
pub const TOKEN_WINDOW: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What every token of ours starts with, so that scanners recognise one that leaked.
const TOKEN_PREFIX: &str = "hwt_";

/// What is kept of a token: never the token itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Unique key, `00T…`.
    pub id: ApiTokenId,
    /// What its owner calls it.
    pub name: String,
    /// SHA-256 of the token.
    pub sha256: [u8; 32],
    /// Whose it is; nobody's once the owner was deleted, and then it opens no door.
    pub owner: Option<UserId>,
    /// What it was narrowed to.
    pub scopes: ApiScopes,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last renewed; uses within a minute of that are not written.
    pub last_used: Timestamp,
    /// When it dies if it is not used again.
    pub expires: Timestamp,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
}

/// What a token's rights and records need of its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenOwner {
    /// Unique key, `00u…`.
    pub id: UserId,
    /// What the owner signs in with.
    pub login: String,
    /// What logs call the owner.
    pub name: String,
    /// The state of the owner's account.
    pub status: UserStatus,
    /// The owner's role; the higher one of several.
    pub role: Option<AdminRole>,
}

impl TokenOwner {
    /// Whether the owner's tokens work: not before the account was activated, nor while it is suspended or deactivated.
    ///
    /// A lock and an expired password stop sign-ins only. If they stopped tokens, a stranger who guesses passwords could switch
    /// off whatever the owner automated.
    #[must_use]
    pub const fn is_in_force(&self) -> bool {
        self.status.is_in_force()
    }
}

impl ApiToken {
    /// Whether the token opens the door at this time, as far as it depends on the token.
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }

    /// What is shown of a token: never the token, nor anything made of it. `base` is the public URL of the org without a
    /// slash at its end.
    #[must_use]
    pub fn to_json(&self, base: &str) -> Value {
        let link = |path: &str, allow: &[&str]| json!({"href": format!("{base}{path}"), "hints": {"allow": allow}});
        let mut links = Map::new();
        links.insert("self".into(), link(&format!("/api/v1/api-tokens/{}", self.id), &["GET", "DELETE"]));
        if let Some(owner) = &self.owner {
            links.insert("user".into(), link(&format!("/api/v1/users/{owner}"), &["GET"]));
        }
        let mut shown = Map::new();
        let mut show = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        show("id", json!(self.id));
        show("name", json!(self.name));
        show("userId", json!(self.owner));
        show("clientName", json!("Okta API"));
        show("tokenWindow", json!("P30D"));
        show("network", json!({"connection": "ANYWHERE"}));
        show("expiresAt", json!(self.expires.whole_seconds()));
        show("created", json!(self.created.whole_seconds()));
        show("lastUpdated", json!(self.last_used.whole_seconds()));
        // Okta's tokens have no scopes, so that its clients expect none.
        if !self.scopes.is_empty() {
            show("scopes", self.scopes.iter().map(|scope| scope.to_string()).collect());
        }
        show("_links", Value::Object(links));
        Value::Object(shown)
    }
}

/// A fresh token: the prefix and 256 random bits in hexadecimal digits.
#[must_use]
pub fn mint_secret(entropy: &dyn Entropy) -> String {
    let mut secret = String::from(TOKEN_PREFIX);
    for byte in entropy.bytes::<32>() {
        secret.push_str(&format!("{byte:02x}"));
    }
    secret
}
