//! The SAML assertion hook, and its forerunner of 2018 which called the same thing `com.okta.tokens.transform`
//! and kept the assertion one level deeper.

use serde::{Deserialize, Serialize};

use super::{Attributes, Lifetime, Member, RequestData, RequestDetail, Session, User};
use crate::HookType;

/// `data` of a SAML assertion request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SamlData {
    /// Circumstances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<SamlContext>,
    /// The assertion to be sent to the app.
    pub assertion: Assertion,
}

/// `data` of a request of the 2018 type.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LegacyData {
    /// Circumstances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<LegacyContext>,
    /// What is to be returned.
    pub tokens: LegacyTokens,
}

/// `data.tokens` of a request of the 2018 type.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LegacyTokens {
    /// The assertion to be sent to the app.
    pub assertion: LegacyAssertion,
}

lenient_objects! {
    /// `data.context` of a SAML assertion request.
    SamlContext {
        /// The HTTP request that set off the hook.
        request: RequestDetail,
        /// The SAML exchange.
        protocol: SamlProtocol,
        /// The session of the user.
        session: Session,
        /// The user.
        user: User,
    }

    /// The SAML exchange, `data.context.protocol`.
    SamlProtocol {
        /// `SAML2.0`.
        #[serde(rename = "type")]
        kind: String,
        /// The app that issues the assertion.
        issuer: SamlIssuer,
    }

    /// The issuer of an assertion.
    SamlIssuer {
        /// Id of the app.
        id: String,
        /// Name of the app.
        name: String,
        /// Its issuer URI.
        uri: String,
    }

    /// A SAML assertion as JSON.
    Assertion {
        /// Whom it is about.
        subject: Subject,
        /// How the user signed in.
        authentication: SamlAuthentication,
        /// For whom it is valid.
        conditions: Conditions,
        /// Attribute statements by name.
        claims: Attributes,
        /// How long it is valid.
        lifetime: Lifetime,
    }

    /// Whom an assertion is about.
    Subject {
        /// The name of the user in the app.
        name_id: String,
        /// How to read that name, a URN.
        name_format: String,
        /// How the app may confirm the bearer.
        confirmation: Confirmation,
    }

    /// How the bearer of an assertion is confirmed.
    Confirmation {
        /// A URN.
        method: String,
        /// Its details.
        data: ConfirmationData,
    }

    /// Details of a [`Confirmation`].
    ConfirmationData {
        /// The SAML request that is being answered.
        in_response_to: String,
        /// Where the assertion is sent.
        recipient: String,
    }

    /// The authentication statement of an assertion.
    SamlAuthentication {
        /// Id of the session at the app.
        session_index: String,
        /// How strong the sign-in was.
        authn_context: AuthnContext,
    }

    /// How strong a sign-in was.
    AuthnContext {
        /// A URN.
        authn_context_class_ref: String,
    }

    /// For whom an assertion is valid.
    Conditions {
        /// URIs of the audience.
        audience_restriction: Vec<String>,
    }

    /// `data.context` of a request of the 2018 type.
    LegacyContext {
        /// The HTTP request that set off the hook.
        request: RequestDetail,
        /// The session of the user.
        session: Session,
        /// The user.
        user: User,
        /// The SAML exchange, under the name it had in 2018.
        authentication: Attributes,
    }

    /// An assertion as the 2018 type writes it.
    LegacyAssertion {
        /// Whom it is about.
        subject: LegacySubject,
        /// How the user signed in.
        authentication: SamlAuthentication,
        /// For whom it is valid.
        conditions: LegacyConditions,
        /// Attribute statements by name.
        claims: Attributes,
        /// How long it is valid.
        lifetime: Lifetime,
    }

    /// Whom an assertion of the 2018 type is about.
    LegacySubject {
        /// The name of the user in the app.
        name_id: String,
        /// How to read that name, a URN.
        format: String,
        /// How the app may confirm the bearer.
        confirmation: Confirmation,
    }

    /// For whom an assertion of the 2018 type is valid.
    LegacyConditions {
        /// URIs of the audience.
        audience_restrictions: Vec<String>,
    }
}

impl RequestData for SamlData {
    const HOOK_TYPE: HookType = HookType::Saml;
    const ORDER: [Member; 9] = [
        Member::Source,
        Member::EventId,
        Member::EventTime,
        Member::RequestType,
        Member::Data,
        Member::EventTypeVersion,
        Member::CloudEventVersion,
        Member::EventType,
        Member::ContentType,
    ];
}

impl RequestData for LegacyData {
    const HOOK_TYPE: HookType = HookType::LegacyTokens;
    const ORDER: [Member; 9] = [
        Member::EventTypeVersion,
        Member::CloudEventVersion,
        Member::ContentType,
        Member::EventType,
        Member::Source,
        Member::EventId,
        Member::EventTime,
        Member::RequestType,
        Member::Data,
    ];
}
