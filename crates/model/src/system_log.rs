//! The System Log: what happened, to whom, by whom.

use serde_json::{Map, Value, json};

use crate::Timestamp;
use crate::execution::{Actor, Origin};

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Seldom of interest.
    Debug,
    /// Business as usual.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
}

impl Severity {
    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// How the action ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// `SUCCESS`, `FAILURE`, `SKIPPED`, `ALLOW`, `DENY`, … as the System Log names results.
    pub result: &'static str,
    /// Why, 1 to 255 characters.
    pub reason: Option<String>,
}

/// What the action was done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The target's id.
    pub id: String,
    /// Its kind, such as `InlineHook`.
    pub kind: String,
    /// Its name.
    pub display_name: String,
    /// Another stable name, such as a login.
    pub alternate_id: Option<String>,
}

/// One event of the System Log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEvent {
    /// Unique key, a UUID.
    pub uuid: String,
    /// When it happened.
    pub published: Timestamp,
    /// Such as `inline_hook.created`.
    pub event_type: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// A sentence for people.
    pub display_message: String,
    /// Who did it.
    pub actor: Actor,
    /// The request that did it.
    pub origin: Origin,
    /// How it ended.
    pub outcome: Outcome,
    /// What it was done to.
    pub targets: Vec<Target>,
    /// Details without a promised form; strings only, never a secret.
    pub debug_data: Map<String, Value>,
}

impl LogEvent {
    /// The event as `GET /api/v1/logs` shows it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let targets: Vec<Value> = self
            .targets
            .iter()
            .map(|target| {
                json!({
                    "id": target.id, "type": target.kind, "alternateId": target.alternate_id,
                    "displayName": target.display_name, "detailEntry": null,
                })
            })
            .collect();
        json!({
            "actor": {
                "id": self.actor.id, "type": self.actor.kind, "alternateId": self.actor.alternate_id,
                "displayName": self.actor.display_name, "detailEntry": null,
            },
            "client": {
                "userAgent": self.origin.user_agent.as_ref()
                    .map(|text| json!({"rawUserAgent": text, "os": null, "browser": null})),
                "zone": null, "device": null, "id": null, "ipAddress": self.origin.ip_address, "geographicalContext": null,
            },
            "authenticationContext": {
                "authenticationProvider": null, "credentialProvider": null, "credentialType": null, "issuer": null,
                "interface": null, "authenticationStep": 0, "externalSessionId": null, "rootSessionId": null,
            },
            "displayMessage": self.display_message,
            "eventType": self.event_type,
            "outcome": {"result": self.outcome.result, "reason": self.outcome.reason},
            "published": self.published.to_string(),
            "securityContext": {"asNumber": null, "asOrg": null, "isp": null, "domain": null, "isProxy": null},
            "severity": self.severity.as_str(),
            "debugContext": {"debugData": self.debug_data},
            "legacyEventType": null,
            "transaction": {"type": "WEB", "id": self.origin.request_id, "detail": {}},
            "uuid": self.uuid,
            "version": "0",
            "request": {"ipChain": self.origin.ip_address.as_ref()
                .map(|address| vec![json!({"ip": address, "geographicalContext": null, "version": null, "source": null})])
                .unwrap_or_default()},
            "target": targets,
        })
    }
}
