//! Origins whose pages may call the org from a browser, or be returned to after signing in.

use serde_json::{Value, json};

use crate::Timestamp;
use crate::id::TrustedOriginId;
use crate::lifecycle::LifecycleStatus;

/// An origin that the org trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedOrigin {
    /// Unique key, `tos…`.
    pub id: TrustedOriginId,
    /// Display name, unique in the org.
    pub name: String,
    /// Scheme, host and port as a browser's `Origin` header spells them; unique in the org.
    pub origin: String,
    /// Whether its pages may call the org (CORS).
    pub cors: bool,
    /// Whether people may be sent back to it.
    pub redirect: bool,
    /// Whether it counts.
    pub status: LifecycleStatus,
    /// Who created it.
    pub created_by: String,
    /// Who last changed it.
    pub last_updated_by: String,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed; never before `created`.
    pub last_updated: Timestamp,
    /// Counts the writes. Starts at 1.
    pub revision: i64,
}

impl TrustedOrigin {
    /// The origin as the API shows it. `base` is the public URL of the org without a slash at its end.
    #[must_use]
    pub fn to_json(&self, base: &str) -> Value {
        let own = format!("{base}/api/v1/trustedOrigins/{}", self.id);
        let mut scopes = Vec::new();
        if self.cors {
            scopes.push(json!({"type": "CORS"}));
        }
        if self.redirect {
            scopes.push(json!({"type": "REDIRECT"}));
        }
        let step = if self.status.is_active() { "deactivate" } else { "activate" };
        json!({
            "id": self.id,
            "name": self.name,
            "origin": self.origin,
            "scopes": scopes,
            "status": self.status.as_str(),
            "created": self.created,
            "createdBy": self.created_by,
            "lastUpdated": self.last_updated,
            "lastUpdatedBy": self.last_updated_by,
            "_links": {
                "self": {"href": own, "hints": {"allow": ["GET", "PUT", "DELETE"]}},
                step: {"href": format!("{own}/lifecycle/{step}"), "hints": {"allow": ["POST"]}},
            },
        })
    }
}
