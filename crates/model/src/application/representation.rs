//! How apps are shown to clients.

use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::{Application, OAuthClient, SignOnMode};

impl Application {
    /// The app as the API shows it: never its client secret. `base` is the public URL of the org without a slash at its end.
    #[must_use]
    pub fn to_json(&self, base: &str) -> Value {
        self.json(base, None)
    }

    /// The app with its client secret, if it has one: what the create call alone answers.
    #[must_use]
    pub fn to_json_with_secret(&self, base: &str) -> Value {
        let secret = self.oauth.as_ref().and_then(|oauth| oauth.client_secret.as_ref());
        self.json(base, secret.map(ExposeSecret::expose_secret))
    }

    fn json(&self, base: &str, secret: Option<&str>) -> Value {
        let part = |name: &str| self.shown.get(name).cloned();
        let mut object = Map::new();
        object.insert("id".into(), self.id.as_str().into());
        object.insert("name".into(), self.name.as_str().into());
        object.insert("label".into(), self.label.as_str().into());
        object.insert("status".into(), self.status.as_str().into());
        object.insert("lastUpdated".into(), self.last_updated.to_string().into());
        object.insert("created".into(), self.created.to_string().into());
        object.insert("accessibility".into(), part("accessibility").unwrap_or_else(|| json!({})));
        object.insert("visibility".into(), part("visibility").unwrap_or_else(|| json!({})));
        object.insert("features".into(), json!([]));
        object.insert("signOnMode".into(), self.sign_on_mode.as_str().into());
        object.insert("credentials".into(), self.credentials(secret));
        object.insert("settings".into(), self.settings());
        if let Some(profile) = part("profile") {
            object.insert("profile".into(), profile);
        }
        object.insert("_links".into(), self.links(base));
        Value::Object(object)
    }

    fn credentials(&self, secret: Option<&str>) -> Value {
        let mut credentials = Map::new();
        let template = json!({"template": "${source.login}", "type": "BUILT_IN"});
        credentials.insert("userNameTemplate".into(), template);
        credentials.insert("signing".into(), json!({}));
        if let Some(oauth) = &self.oauth {
            let mut client = Map::new();
            client.insert("autoKeyRotation".into(), true.into());
            client.insert("client_id".into(), oauth.client_id.as_str().into());
            if let Some(secret) = secret {
                client.insert("client_secret".into(), secret.into());
            }
            let method = oauth.token_endpoint_auth_method.as_str();
            client.insert("token_endpoint_auth_method".into(), method.into());
            client.insert("pkce_required".into(), oauth.pkce_required.into());
            credentials.insert("oauthClient".into(), Value::Object(client));
        }
        Value::Object(credentials)
    }

    fn settings(&self) -> Value {
        let mut settings = match self.shown.get("settings") {
            Some(Value::Object(settings)) => settings.clone(),
            _ => Map::new(),
        };
        if let Some(oauth) = &self.oauth {
            settings.insert("oauthClient".into(), oauth.settings());
        }
        Value::Object(settings)
    }

    fn links(&self, base: &str) -> Value {
        let own = format!("{base}/api/v1/apps/{}", self.id);
        let mut links = Map::new();
        let mut link = |name: &str, value: Value| links.insert(name.to_owned(), value);
        link("self", json!({"href": own}));
        link("profileEnrollment", json!({"href": format!("{base}/api/v1/policies/{}", self.policy_id)}));
        link("policies", json!({"href": format!("{own}/policies"), "hints": {"allow": ["PUT"]}}));
        link("groups", json!({"href": format!("{own}/groups")}));
        link("users", json!({"href": format!("{own}/users")}));
        link("logo", json!([]));
        if self.sign_on_mode == SignOnMode::Bookmark
            && let Some(url) = self.shown.get("settings").and_then(|settings| settings.pointer("/app/url"))
        {
            link("appLinks", json!([{"name": "login", "href": url, "type": "text/html"}]));
        }
        if !self.system {
            let step = if self.status.is_active() { "deactivate" } else { "activate" };
            link(step, json!({"href": format!("{own}/lifecycle/{step}")}));
        }
        Value::Object(links)
    }
}

impl OAuthClient {
    fn settings(&self) -> Value {
        let mut settings = self.shown.clone();
        let names = |names: Vec<&str>| Value::from(names);
        settings.insert("application_type".into(), self.application_type.as_str().into());
        settings.insert("redirect_uris".into(), self.redirect_uris.clone().into());
        if !self.post_logout_redirect_uris.is_empty() {
            settings.insert("post_logout_redirect_uris".into(), self.post_logout_redirect_uris.clone().into());
        }
        let response_types = self.response_types.iter().map(|response| response.as_str()).collect();
        settings.insert("response_types".into(), names(response_types));
        let grant_types = self.grant_types.iter().map(|grant| grant.as_str()).collect();
        settings.insert("grant_types".into(), names(grant_types));
        Value::Object(settings)
    }
}
