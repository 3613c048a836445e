//! The settings of a hook that Okta leaves to its support team: read, replace, reset.

use bytes::Bytes;
use hookwright_engine::{BreakerRule, CallSettings, ClientIdentityError, HookTls, HookTlsError};
use hookwright_model::Violations;
use hookwright_model::hook_settings::{HookSettings, SettingsDefaults, TlsSettings};
use hookwright_model::id::InlineHookId;
use hookwright_model::inline_hook::InlineHook;
use serde_json::{Map, Value, json};

use crate::{App, Caller, Error};

impl App {
    /// How a hook is called, defaults filled in.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn hook_settings(&self, id: &InlineHookId) -> Result<Bytes, Error> {
        let cached = self.cached_hook(id).await?.ok_or_else(|| Error::not_found(id))?;
        Ok(self.settings_json(&cached.hook))
    }

    /// Replaces all settings of a hook (PUT). What is absent is as Okta has it. Nothing is written or logged where nothing
    /// changes.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] naming each wrong setting.
    pub async fn replace_hook_settings(
        &self,
        caller: &Caller,
        id: &InlineHookId,
        body: &Map<String, Value>,
    ) -> Result<Bytes, Error> {
        let hook = self
            .change_settings(caller, id, |hook| {
                let settings = hook.settings.replaced(body, hook.hook_type)?;
                check_tls(&settings.tls)?;
                Ok(settings)
            })
            .await?;
        Ok(self.settings_json(&hook))
    }

    /// Makes a hook as Okta has it in everything.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn reset_hook_settings(&self, caller: &Caller, id: &InlineHookId) -> Result<(), Error> {
        self.change_settings(caller, id, |_| Ok(HookSettings::default())).await.map(|_| ())
    }

    fn settings_json(&self, hook: &InlineHook) -> Bytes {
        let defaults = SettingsDefaults {
            timeout: self.settings().attempt_timeout,
            max_concurrent_calls: self.inner.engine.max_calls_per_hook(),
        };
        let mut object = hook.settings.to_json(hook.hook_type, defaults, self.settings().secret_display);
        let (base, id) = (&self.settings().public_url, &hook.id);
        let links = json!({
            "self": {"href": format!("{base}/hookwright/v1/inlineHooks/{id}/settings")},
            "inlineHook": {"href": format!("{base}/api/v1/inlineHooks/{id}")},
        });
        object.insert("_links".to_owned(), links);
        Bytes::from(Value::Object(object).to_string())
    }

    /// How the engine makes the calls of a hook.
    pub(crate) fn call_settings(&self, hook: &InlineHook) -> CallSettings {
        let settings = &hook.settings;
        let okta = CallSettings::for_type(hook.hook_type);
        CallSettings {
            timeout: settings.timeout().unwrap_or(self.settings().attempt_timeout),
            retry: settings.retry.unwrap_or(okta.retry),
            max_concurrent: settings.max_concurrent_calls.and_then(|calls| usize::try_from(calls).ok()),
            max_per_second: settings.max_calls_per_second,
            breaker: settings
                .circuit_breaker
                .map(|rule| BreakerRule { failures: rule.failures, open: rule.open_time() }),
        }
    }
}

/// Refuses certificates and keys that TLS can't use.
fn check_tls(settings: &TlsSettings) -> Result<(), Violations> {
    let field = match HookTls::of(settings) {
        Ok(_) => return Ok(()),
        Err(HookTlsError::TrustedCertificates) => "trustedCertificates",
        Err(HookTlsError::ClientCertificate(ClientIdentityError::Certificate)) => "clientCertificate.certificate",
        Err(HookTlsError::ClientCertificate(_)) => "clientCertificate.privateKey",
    };
    Err(Violations::one(field, "The field does not hold what TLS can use"))
}
