//! The requests that Okta sends to an external service, as typed values.
//!
//! One envelope, [`HookRequest`], carries one kind of `data` for each hook type. Reading is lenient: unknown
//! members are passed over and nearly every member may be missing, because real orgs leave some out. Writing is
//! exact: members come out in the order of Okta's published example of that hook type.
//! Checking what a service answers is not done here.

/// Declares objects in which every member is optional, as Okta's own schemas declare them.
macro_rules! lenient_objects {
    ($($(#[$object:meta])* $name:ident { $($(#[$member:meta])* $field:ident: $kind:ty,)* })*) => {
        $(
            $(#[$object])*
            #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
            #[serde(rename_all = "camelCase", default)]
            pub struct $name {
                $(
                    $(#[$member])*
                    #[serde(skip_serializing_if = "Option::is_none")]
                    pub $field: Option<$kind>,
                )*
            }
        )*
    };
}

mod attributes;
mod confidential;
mod context;
mod envelope;
mod object;
mod parse;
mod password_import;
mod registration;
mod saml;
mod telephony;
mod text;
mod token;
mod user_import;

pub use attributes::Attributes;
pub use confidential::Confidential;
pub use context::{IdentityProvider, Link, Links, RequestDetail, RequestUrl, Session, User};
pub use envelope::{HookRequest, Member, RequestData};
pub use parse::RequestError;
pub use password_import::{Credential, CredentialAction, PasswordImportContext, PasswordImportData};
pub use registration::{RegistrationContext, RegistrationData, RegistrationKind};
pub use saml::{
    Assertion, AuthnContext, Conditions, Confirmation, ConfirmationData, LegacyAssertion, LegacyConditions,
    LegacyContext, LegacyData, LegacySubject, LegacyTokens, SamlAuthentication, SamlContext, SamlData, SamlIssuer,
    SamlProtocol, Subject,
};
pub use telephony::{MessageProfile, TelephonyContext, TelephonyData, TelephonyUser};
pub use token::{
    AccessToken, IdentityToken, Lifetime, OAuthClient, OAuthIssuer, PolicyRule, RefreshToken, TokenContext, TokenData,
    TokenDetail, TokenPolicy, TokenProtocol,
};
pub use user_import::{
    ImportAction, ImportApplication, ImportContext, ImportJob, ImportedAppUser, ImportedUser, UserImportData,
};

/// A registration request, type `com.okta.user.pre-registration`.
pub type RegistrationRequest = HookRequest<RegistrationData>;
/// A token request, type `com.okta.oauth2.tokens.transform`.
pub type TokenRequest = HookRequest<TokenData>;
/// A SAML assertion request, type `com.okta.saml.tokens.transform`.
pub type SamlRequest = HookRequest<SamlData>;
/// A password import request, type `com.okta.user.credential.password.import`.
pub type PasswordImportRequest = HookRequest<PasswordImportData>;
/// A user import request, type `com.okta.import.transform`.
pub type UserImportRequest = HookRequest<UserImportData>;
/// A telephony request, type `com.okta.telephony.provider`.
pub type TelephonyRequest = HookRequest<TelephonyData>;
/// A request of the 2018 type `com.okta.tokens.transform`, which only early orgs sent.
pub type LegacyRequest = HookRequest<LegacyData>;

#[cfg(test)]
mod tests;
