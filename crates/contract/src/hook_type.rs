//! The types of inline hooks, one table row each: what counts as success, what is retried, what a flow does.
//!
//! The names are those of Okta's Inline Hooks API; the rules are those of its page "Inline hooks" (concepts) and of
//! the page of each hook type.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A type of inline hook. Its text is Okta's name, for example `com.okta.user.pre-registration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HookType {
    /// Self-service registration and progressive profiling.
    Registration,
    /// Tokens of a custom authorization server.
    Token,
    /// The assertion for a SAML app.
    Saml,
    /// The first sign-in of an imported user whose password lives elsewhere.
    PasswordImport,
    /// A user imported from an app.
    UserImport,
    /// A one-time passcode by text message or voice call.
    Telephony,
    /// The only type of the API's 2018 edition: a SAML assertion below `data.tokens`. No flow runs it.
    LegacyTokens,
}

/// What a flow does when the hook's answer is missing or cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// The flow ends; nothing is stored.
    Stop,
    /// The flow goes on with the original token, assertion or imported user.
    ContinueUnchanged,
    /// Okta's built-in provider sends the passcode.
    FallbackProvider,
}

/// Which statuses of an answer count as success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SuccessStatus {
    /// 200 alone.
    Only200,
    /// Any from 200 to 299; 204 is the empty answer.
    Any2xx,
}

/// The row of one hook type.
#[derive(Clone, Copy, Debug)]
struct Rules {
    hook_type: HookType,
    name: &'static str,
    retries: bool,
    success: SuccessStatus,
    on_failure: OnFailure,
}

const RULES: [Rules; 7] = [
    Rules {
        hook_type: HookType::Registration,
        name: "com.okta.user.pre-registration",
        retries: true,
        success: SuccessStatus::Any2xx,
        on_failure: OnFailure::Stop,
    },
    Rules {
        hook_type: HookType::Token,
        name: "com.okta.oauth2.tokens.transform",
        retries: false,
        success: SuccessStatus::Only200,
        on_failure: OnFailure::ContinueUnchanged,
    },
    Rules {
        hook_type: HookType::Saml,
        name: "com.okta.saml.tokens.transform",
        retries: true,
        success: SuccessStatus::Any2xx,
        on_failure: OnFailure::ContinueUnchanged,
    },
    Rules {
        hook_type: HookType::PasswordImport,
        name: "com.okta.user.credential.password.import",
        retries: true,
        success: SuccessStatus::Any2xx,
        on_failure: OnFailure::Stop,
    },
    Rules {
        hook_type: HookType::UserImport,
        name: "com.okta.import.transform",
        retries: true,
        success: SuccessStatus::Any2xx,
        on_failure: OnFailure::ContinueUnchanged,
    },
    Rules {
        hook_type: HookType::Telephony,
        name: "com.okta.telephony.provider",
        retries: false,
        success: SuccessStatus::Only200,
        on_failure: OnFailure::FallbackProvider,
    },
    Rules {
        hook_type: HookType::LegacyTokens,
        name: "com.okta.tokens.transform",
        retries: true,
        success: SuccessStatus::Any2xx,
        on_failure: OnFailure::ContinueUnchanged,
    },
];

impl HookType {
    /// All types, the six of today first.
    pub const ALL: [Self; 7] = [
        Self::Registration,
        Self::Token,
        Self::Saml,
        Self::PasswordImport,
        Self::UserImport,
        Self::Telephony,
        Self::LegacyTokens,
    ];

    /// Okta's name of the type.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.rules().name
    }

    /// Whether a failed attempt may be repeated once: not for token and telephony hooks.
    #[must_use]
    pub fn retries(self) -> bool {
        self.rules().retries
    }

    /// Whether this is the 2018 type, which can be stored and executed but is bound to no flow.
    #[must_use]
    pub fn is_legacy(self) -> bool {
        matches!(self, Self::LegacyTokens)
    }

    /// What the flow does when the answer is missing, late, of another status, unreadable or against the contract.
    #[must_use]
    pub fn on_failure(self) -> OnFailure {
        self.rules().on_failure
    }

    /// Which statuses count as success.
    #[must_use]
    pub fn success_status(self) -> SuccessStatus {
        self.rules().success
    }

    /// Whether an answer with this status is read at all.
    #[must_use]
    pub fn accepts_status(self, status: u16) -> bool {
        match self.success_status() {
            SuccessStatus::Only200 => status == 200,
            SuccessStatus::Any2xx => (200..300).contains(&status),
        }
    }

    /// The type's row. The rows stand in the order of the enum, which a test holds.
    fn rules(self) -> &'static Rules {
        let [registration, token, saml, password_import, user_import, telephony, legacy_tokens] = &RULES;
        match self {
            Self::Registration => registration,
            Self::Token => token,
            Self::Saml => saml,
            Self::PasswordImport => password_import,
            Self::UserImport => user_import,
            Self::Telephony => telephony,
            Self::LegacyTokens => legacy_tokens,
        }
    }
}

impl fmt::Display for HookType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The text is not the name of a hook type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a type of inline hook")]
pub struct UnknownHookType;

impl FromStr for HookType {
    type Err = UnknownHookType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        RULES.iter().find(|rules| rules.name == text).map(|rules| rules.hook_type).ok_or(UnknownHookType)
    }
}

impl Serialize for HookType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for HookType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_the_row_that_bears_it() {
        for (hook_type, rules) in HookType::ALL.into_iter().zip(RULES) {
            assert_eq!(rules.hook_type, hook_type);
            assert_eq!(hook_type.rules().hook_type, hook_type);
        }
    }

    #[test]
    fn a_type_is_read_back_from_its_name() {
        for hook_type in HookType::ALL {
            assert_eq!(hook_type.to_string().parse::<HookType>().unwrap(), hook_type);
            let json = serde_json::to_string(&hook_type).unwrap();
            assert_eq!(serde_json::from_str::<HookType>(&json).unwrap(), hook_type);
        }
        assert_eq!("com.okta.user.preregistration".parse::<HookType>(), Err(UnknownHookType));
    }

    #[test]
    fn token_and_telephony_hooks_are_never_retried_and_take_only_200() {
        for hook_type in HookType::ALL {
            let strict = matches!(hook_type, HookType::Token | HookType::Telephony);
            assert_eq!(hook_type.retries(), !strict, "{hook_type}");
            assert_eq!(hook_type.accepts_status(204), !strict, "{hook_type}");
            assert!(hook_type.accepts_status(200) && !hook_type.accepts_status(301) && !hook_type.accepts_status(500));
        }
    }

    #[test]
    fn a_failure_has_the_outcome_okta_documents() {
        let expected = [
            OnFailure::Stop,
            OnFailure::ContinueUnchanged,
            OnFailure::ContinueUnchanged,
            OnFailure::Stop,
            OnFailure::ContinueUnchanged,
            OnFailure::FallbackProvider,
            OnFailure::ContinueUnchanged,
        ];
        assert_eq!(HookType::ALL.map(HookType::on_failure), expected);
    }
}
