//! The commands of each hook type.

use hookwright_contract::CommandType;
use hookwright_contract::request::{
    LegacyData, PasswordImportData, RegistrationData, SamlData, TelephonyData, TokenData, UserImportData,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Answer, Patch};

/// Attributes for a profile update, in the order given.
fn object<N: Into<String>, V: Into<Value>>(attributes: impl IntoIterator<Item = (N, V)>) -> Value {
    Value::Object(attributes.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
}

fn member(name: &str, value: &str) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), Value::from(value))]))
}

impl Answer<RegistrationData> {
    /// Lets the registration or the profile update go on. It is the default; saying so makes logs clearer.
    pub fn allow() -> Self {
        Self::unchanged().registration("ALLOW")
    }

    /// Denies, with a text for people. Add a [`Cause`](super::Cause) to show it beside a field of the form.
    pub fn deny(summary: impl Into<String>) -> Self {
        Self::deny_without_text().with_error(summary)
    }

    /// Denies and leaves the words to Okta ("Registration denied.").
    pub fn deny_without_text() -> Self {
        Self::unchanged().registration("DENY")
    }

    /// Sets attributes of the new user. They must exist in the org's user schema; a password cannot be set.
    pub fn update_profile<N: Into<String>, V: Into<Value>>(self, attributes: impl IntoIterator<Item = (N, V)>) -> Self {
        self.command(CommandType::UserProfileUpdate.as_str(), object(attributes))
    }

    /// Sets attributes of the existing user in a progressive profile request.
    pub fn update_progressive_profile<N: Into<String>, V: Into<Value>>(
        self,
        attributes: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.command(CommandType::UserProgressiveProfileUpdate.as_str(), object(attributes))
    }

    fn registration(self, action: &str) -> Self {
        self.command(CommandType::ActionUpdate.as_str(), member("registration", action))
    }
}

impl Answer<TokenData> {
    /// Changes the ID token.
    pub fn patch_identity(self, patch: Patch) -> Self {
        self.command(CommandType::IdentityPatch.as_str(), patch.into_value())
    }

    /// Changes the access token.
    pub fn patch_access(self, patch: Patch) -> Self {
        self.command(CommandType::AccessPatch.as_str(), patch.into_value())
    }
}

impl Answer<SamlData> {
    /// Changes the assertion. Paths begin with `/subject/`, `/authentication/`, `/conditions/` or `/claims/`.
    pub fn patch_assertion(self, patch: Patch) -> Self {
        self.command(CommandType::AssertionPatch.as_str(), patch.into_value())
    }
}

impl Answer<LegacyData> {
    /// Changes the assertion, by the command that the 2018 type used.
    pub fn patch_legacy_assertion(self, patch: Patch) -> Self {
        self.command(CommandType::TokensAssertionPatch.as_str(), patch.into_value())
    }
}

impl Answer<PasswordImportData> {
    /// The password is right: Okta stores it and does not ask again.
    pub fn verified() -> Self {
        Self::unchanged().command(CommandType::ActionUpdate.as_str(), member("credential", "VERIFIED"))
    }

    /// The password is wrong: the sign-in fails, and the next one asks again.
    pub fn unverified() -> Self {
        Self::unchanged().command(CommandType::ActionUpdate.as_str(), member("credential", "UNVERIFIED"))
    }
}

impl Answer<UserImportData> {
    /// Creates a new user in the org.
    pub fn create_user() -> Self {
        Self::unchanged().command(CommandType::ActionUpdate.as_str(), member("result", "CREATE_USER"))
    }

    /// Links the imported user to the existing user with this Okta id.
    pub fn link_user(id: &str) -> Self {
        Self::unchanged()
            .command(CommandType::ActionUpdate.as_str(), member("result", "LINK_USER"))
            .command(CommandType::UserUpdate.as_str(), member("id", id))
    }

    /// Sets attributes of the user in the org.
    pub fn update_user_profile<N: Into<String>, V: Into<Value>>(
        self,
        attributes: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.command(CommandType::UserProfileUpdate.as_str(), object(attributes))
    }

    /// Sets attributes of the user in the app; from there they flow on by the app's mappings.
    pub fn update_app_user_profile<N: Into<String>, V: Into<Value>>(
        self,
        attributes: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.command(CommandType::AppUserProfileUpdate.as_str(), object(attributes))
    }
}

impl Answer<TelephonyData> {
    /// The code was sent. See [`delivery`](Self::delivery) to say by whom.
    pub fn sent() -> Self {
        Self::delivery(Delivery::successful())
    }

    /// How sending the code went.
    pub fn delivery(delivery: Delivery) -> Self {
        Self::unchanged().command(CommandType::TelephonyAction.as_str(), json!([delivery]))
    }
}

/// How an attempt to send a one-time code went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "a delivery belongs into an answer"]
pub struct Delivery {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_metadata: Option<String>,
}

impl Delivery {
    /// The code was sent.
    pub fn successful() -> Self {
        Self::with_status("SUCCESSFUL")
    }

    /// The code is on its way; Okta counts that as sent.
    pub fn pending() -> Self {
        Self::with_status("PENDING")
    }

    /// The code could not be sent; Okta's built-in provider takes over.
    pub fn failed() -> Self {
        Self::with_status("FAILED")
    }

    /// Who sent it.
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// The provider's id of the message.
    pub fn transaction_id(mut self, id: impl Into<String>) -> Self {
        self.transaction_id = Some(id.into());
        self
    }

    /// Anything else worth finding in the log.
    pub fn transaction_metadata(mut self, metadata: impl Into<String>) -> Self {
        self.transaction_metadata = Some(metadata.into());
        self
    }

    fn with_status(status: &'static str) -> Self {
        Self { status, provider: None, transaction_id: None, transaction_metadata: None }
    }
}
