//! How an inline hook is shown to clients.

use serde_json::{Map, Value, json};

use super::InlineHook;
use crate::channel::{Channel, ChannelAuth, OAuthClientAuth};
use crate::lifecycle::LifecycleStatus;
use crate::secret_display::{SECRET_MASK, SecretDisplay};

impl InlineHook {
    /// The hook as the API shows it: never a secret, `_links` by status as live orgs give them.
    ///
    /// `base` is the public URL of the org without a slash at its end.
    #[must_use]
    pub fn to_json(&self, base: &str, secrets: SecretDisplay) -> Value {
        let mut object = Map::new();
        object.insert("id".into(), self.id.as_str().into());
        object.insert("status".into(), self.status.as_str().into());
        object.insert("name".into(), self.name.as_str().into());
        object.insert("type".into(), self.hook_type.as_str().into());
        object.insert("version".into(), self.version.as_str().into());
        object.insert("channel".into(), channel_json(&self.channel, secrets));
        if let Some(metadata) = &self.metadata {
            object.insert("metadata".into(), Value::Object(metadata.clone()));
        }
        object.insert("created".into(), self.created.whole_seconds().to_string().into());
        object.insert("lastUpdated".into(), self.last_updated.whole_seconds().to_string().into());
        object.insert("_links".into(), self.links(base));
        Value::Object(object)
    }

    fn links(&self, base: &str) -> Value {
        let own = format!("{base}/api/v1/inlineHooks/{}", self.id);
        let link = |path: &str, method: &str| json!({"href": format!("{own}{path}"), "hints": {"allow": [method]}});
        match self.status {
            LifecycleStatus::Active => json!({
                "self": {"href": own},
                "execute": link("/execute", "POST"),
                "deactivate": link("/lifecycle/deactivate", "POST"),
            }),
            LifecycleStatus::Inactive => json!({
                "activate": link("/lifecycle/activate", "POST"),
                "self": {"href": own},
                "delete": link("", "DELETE"),
            }),
        }
    }
}

fn channel_json(channel: &Channel, secrets: SecretDisplay) -> Value {
    let headers: Vec<Value> =
        channel.headers.iter().map(|header| json!({"key": header.key, "value": header.value})).collect();
    let mut config = Map::new();
    config.insert("uri".into(), channel.uri.as_str().into());
    config.insert("headers".into(), headers.into());
    config.insert("method".into(), "POST".into());
    match &channel.auth {
        ChannelAuth::None => {
            config.insert("authScheme".into(), Value::Null);
        }
        ChannelAuth::Header { key, .. } => {
            let mut scheme = Map::new();
            scheme.insert("type".into(), "HEADER".into());
            scheme.insert("key".into(), key.as_str().into());
            if secrets == SecretDisplay::Mask {
                scheme.insert("value".into(), SECRET_MASK.into());
            }
            config.insert("authScheme".into(), Value::Object(scheme));
        }
        ChannelAuth::OAuth(oauth) => {
            config.insert("authScheme".into(), Value::Null);
            let auth_type = match &oauth.client_auth {
                OAuthClientAuth::ClientSecretPost(_) => "client_secret_post",
                OAuthClientAuth::PrivateKeyJwt { .. } => "private_key_jwt",
            };
            config.insert("authType".into(), auth_type.into());
            config.insert("clientId".into(), oauth.client_id.as_str().into());
            config.insert("tokenUrl".into(), oauth.token_url.as_str().into());
            config.insert("scope".into(), oauth.scope.clone().map_or(Value::Null, Value::String));
            if let OAuthClientAuth::PrivateKeyJwt { hook_key_id } = &oauth.client_auth {
                config.insert("hookKeyId".into(), hook_key_id.as_str().into());
            }
        }
    }
    json!({"type": channel.auth.channel_type(), "version": "1.0.0", "config": config})
}
