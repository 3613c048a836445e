//! The password import hook: a user whose password still lives elsewhere signs in for the first time.

use serde::{Deserialize, Serialize};

use super::{Confidential, Member, RequestData, RequestDetail};
use crate::HookType;

/// `data` of a password import request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PasswordImportData {
    /// Circumstances and what the user entered.
    pub context: PasswordImportContext,
    /// What Okta will do unless told otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<CredentialAction>,
}

/// `data.context` of a password import request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PasswordImportContext {
    /// The HTTP request that set off the hook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestDetail>,
    /// What the user entered.
    pub credential: Credential,
}

/// What the user entered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Credential {
    /// The login.
    pub username: String,
    /// The password to check against the old store.
    pub password: Confidential,
}

lenient_objects! {
    /// The default action of a password import.
    CredentialAction {
        /// Always `UNVERIFIED`.
        credential: String,
    }
}

impl RequestData for PasswordImportData {
    const HOOK_TYPE: HookType = HookType::PasswordImport;
    const ORDER: [Member; 9] = [
        Member::EventId,
        Member::EventTime,
        Member::EventType,
        Member::EventTypeVersion,
        Member::ContentType,
        Member::CloudEventVersion,
        Member::Source,
        Member::RequestType,
        Member::Data,
    ];
}
