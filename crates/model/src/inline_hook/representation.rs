//! How an inline hook is shown to clients.
//!
//! Written straight from the hook: a tree of values in between costs as much as all else that creating a hook takes.

use serde::Serialize;
use serde_json::{Map, Value};

use super::InlineHook;
use crate::Timestamp;
use crate::channel::{Channel, ChannelAuth, Header, OAuthClientAuth};
use crate::lifecycle::LifecycleStatus;
use crate::secret_display::{SECRET_MASK, SecretDisplay};

impl InlineHook {
    /// The hook as the API shows it: never a secret, `_links` by status as live orgs give them.
    ///
    /// `base` is the public URL of the org without a slash at its end.
    #[must_use]
    pub fn shown(&self, base: &str, secrets: SecretDisplay) -> impl Serialize + use<'_> {
        Shown {
            id: self.id.as_str(),
            status: self.status.as_str(),
            name: &self.name,
            hook_type: self.hook_type.as_str(),
            version: &self.version,
            channel: ShownChannel::of(&self.channel, secrets),
            metadata: self.metadata.as_ref(),
            created: self.created.whole_seconds(),
            last_updated: self.last_updated.whole_seconds(),
            links: Links::of(self, base),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'h> {
    id: &'h str,
    status: &'static str,
    name: &'h str,
    #[serde(rename = "type")]
    hook_type: &'static str,
    version: &'h str,
    channel: ShownChannel<'h>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'h Map<String, Value>>,
    created: Timestamp,
    last_updated: Timestamp,
    #[serde(rename = "_links")]
    links: Links,
}

#[derive(Serialize)]
struct ShownChannel<'h> {
    #[serde(rename = "type")]
    channel_type: &'static str,
    version: &'static str,
    config: Config<'h>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'h> {
    uri: &'h str,
    headers: &'h [Header],
    method: &'static str,
    auth_scheme: Option<AuthScheme<'h>>,
    #[serde(flatten)]
    oauth: Option<OAuth<'h>>,
}

#[derive(Serialize)]
struct AuthScheme<'h> {
    #[serde(rename = "type")]
    scheme_type: &'h str,
    key: &'h str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OAuth<'h> {
    auth_type: &'static str,
    client_id: &'h str,
    token_url: &'h str,
    scope: Option<&'h str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hook_key_id: Option<&'h str>,
}

impl<'h> ShownChannel<'h> {
    fn of(channel: &'h Channel, secrets: SecretDisplay) -> Self {
        let (auth_scheme, oauth) = match &channel.auth {
            ChannelAuth::None => (None, None),
            ChannelAuth::Header { scheme_type, key, .. } => {
                let value = (secrets == SecretDisplay::Mask).then_some(SECRET_MASK);
                (Some(AuthScheme { scheme_type, key, value }), None)
            }
            ChannelAuth::OAuth(oauth) => {
                let (auth_type, hook_key_id) = match &oauth.client_auth {
                    OAuthClientAuth::ClientSecretPost(_) => ("client_secret_post", None),
                    OAuthClientAuth::PrivateKeyJwt { hook_key_id } => ("private_key_jwt", Some(hook_key_id.as_str())),
                };
                let (client_id, token_url) = (oauth.client_id.as_str(), oauth.token_url.as_str());
                (None, Some(OAuth { auth_type, client_id, token_url, scope: oauth.scope.as_deref(), hook_key_id }))
            }
        };
        let config =
            Config { uri: channel.uri.as_str(), headers: &channel.headers, method: "POST", auth_scheme, oauth };
        Self { channel_type: channel.auth.channel_type(), version: "1.0.0", config }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Links {
    Active {
        #[serde(rename = "self")]
        own: Link,
        execute: Link,
        deactivate: Link,
    },
    Inactive {
        activate: Link,
        #[serde(rename = "self")]
        own: Link,
        delete: Link,
    },
}

#[derive(Serialize)]
struct Link {
    href: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hints: Option<Hints>,
}

#[derive(Serialize)]
struct Hints {
    allow: [&'static str; 1],
}

impl Links {
    fn of(hook: &InlineHook, base: &str) -> Self {
        let href = |path: &str| [base, "/api/v1/inlineHooks/", hook.id.as_str(), path].concat();
        let own = Link { href: href(""), hints: None };
        let link = |path: &str, method| Link { href: href(path), hints: Some(Hints { allow: [method] }) };
        match hook.status {
            LifecycleStatus::Active => Self::Active {
                own,
                execute: link("/execute", "POST"),
                deactivate: link("/lifecycle/deactivate", "POST"),
            },
            LifecycleStatus::Inactive => {
                Self::Inactive { activate: link("/lifecycle/activate", "POST"), own, delete: link("", "DELETE") }
            }
        }
    }
}
