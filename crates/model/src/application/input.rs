//! Reading apps from requests.

mod oauth;
mod shown;

use serde_json::{Map, Value, json};

use super::{Application, SignOnMode};
use crate::fields::Fields;
use crate::id::{AppId, PolicyId};
use crate::lifecycle::LifecycleStatus;
use crate::{Entropy, Timestamp, Violations};

/// The most characters of an app's label.
const MAX_LABEL_CHARACTERS: usize = 100;

/// What the key of the built-in dashboard is.
const DASHBOARD: &str = "okta_enduser";

impl Application {
    /// Reads the body of a create call. A confidential client without a secret of its own choice gets a fresh one.
    ///
    /// # Errors
    /// Each field that is wrong.
    pub fn create(
        id: AppId,
        body: &Map<String, Value>,
        policy_id: PolicyId,
        activate: bool,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        let fields = Fields::new(body);
        if fields.get("signOnMode").is_none() {
            fields.refuse("signOnMode", crate::profile::MISSING, &mut violations);
        }
        let mode = fields.choice("signOnMode", &SignOnMode::ALL, SignOnMode::as_str, &mut violations);
        let Some(sign_on_mode) = mode else { return Err(violations) };
        let now = now.whole_seconds();
        let blank = Self {
            id,
            name: sign_on_mode.app_name().to_owned(),
            label: String::new(),
            status: if activate { LifecycleStatus::Active } else { LifecycleStatus::Inactive },
            sign_on_mode,
            shown: Map::new(),
            oauth: None,
            policy_id,
            system: false,
            created: now,
            last_updated: now,
            revision: 1,
        };
        blank.read(&fields, entropy, violations)
    }

    /// Reads the body of a PUT. Id, kind, client id, status and policy stay; the client secret stays unless another is sent.
    ///
    /// # Errors
    /// Each field that is wrong.
    pub fn replaced(
        &self,
        body: &Map<String, Value>,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        let fields = Fields::new(body);
        let sent = fields.choice("signOnMode", &SignOnMode::ALL, SignOnMode::as_str, &mut violations);
        if sent.is_some_and(|sent| sent != self.sign_on_mode) {
            fields.refuse("signOnMode", "The sign-on mode of an app cannot be changed", &mut violations);
        }
        let last_updated = now.whole_seconds().max(self.created);
        Self { last_updated, ..self.clone() }.read(&fields, entropy, violations)
    }

    /// The built-in dashboard: where people go who sign in to no app in particular.
    #[must_use]
    pub fn dashboard(id: AppId, policy_id: PolicyId, now: Timestamp) -> Self {
        let now = now.whole_seconds();
        let mut violations = Violations::new();
        let shown = shown::of_app(SignOnMode::Bookmark, &Fields::new(&Map::new()), &mut violations);
        Self {
            id,
            name: DASHBOARD.to_owned(),
            label: "Okta Dashboard".to_owned(),
            status: LifecycleStatus::Active,
            sign_on_mode: SignOnMode::Bookmark,
            shown,
            oauth: None,
            policy_id,
            system: true,
            created: now,
            last_updated: now,
            revision: 1,
        }
    }

    /// The app switched on or off, changed now.
    #[must_use]
    pub fn with_status(&self, status: LifecycleStatus, now: Timestamp) -> Self {
        Self { status, last_updated: now.whole_seconds().max(self.created), ..self.clone() }
    }

    /// The app under another policy, changed now.
    #[must_use]
    pub fn with_policy(&self, policy_id: PolicyId, now: Timestamp) -> Self {
        Self { policy_id, last_updated: now.whole_seconds().max(self.created), ..self.clone() }
    }

    fn read(
        mut self,
        fields: &Fields<'_>,
        entropy: &dyn Entropy,
        mut violations: Violations,
    ) -> Result<Self, Violations> {
        let names = [self.sign_on_mode.app_name()];
        fields.choice("name", &names, |name| name, &mut violations);
        if let Some(label) = fields.text("label", 1..=MAX_LABEL_CHARACTERS, &mut violations) {
            self.label = label;
        }
        self.shown = shown::of_app(self.sign_on_mode, fields, &mut violations);
        match self.sign_on_mode {
            SignOnMode::OpenIdConnect => {
                self.oauth = oauth::read(&self, fields, entropy, &mut violations);
            }
            SignOnMode::Bookmark => check_bookmark(&self.shown, &mut violations),
        }
        violations.into_result()?;
        Ok(self)
    }
}

impl SignOnMode {
    /// The key of the kind of app.
    const fn app_name(self) -> &'static str {
        match self {
            Self::OpenIdConnect => "oidc_client",
            Self::Bookmark => "bookmark",
        }
    }
}

/// A bookmark leads somewhere, and not to a script.
fn check_bookmark(shown: &Map<String, Value>, violations: &mut Violations) {
    let none = json!(null);
    let url = shown.get("settings").and_then(|settings| settings.pointer("/app/url")).unwrap_or(&none);
    match url.as_str() {
        None | Some("") => violations.add("settings.app.url", crate::profile::MISSING),
        Some(text) => {
            let good = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if !good || text.len() > 1_024 {
                violations.add("settings.app.url", "The field must be an http or https URL");
            }
        }
    }
}

#[cfg(test)]
mod tests;
