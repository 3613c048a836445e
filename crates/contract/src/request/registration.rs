//! The registration hook: somebody signs up (`self.service.registration`) or completes a profile at sign-in
//! (`progressive.profile`). Source: Okta's guide "Registration inline hook".

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::{Attributes, HookRequest, Member, RequestData, RequestDetail, User};
use crate::HookType;

/// The `requestType` of a sign-up.
const SELF_SERVICE: &str = "self.service.registration";
/// The `requestType` of a profile update at sign-in.
const PROGRESSIVE: &str = "progressive.profile";

/// `data` of a registration request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RegistrationData {
    /// Circumstances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<RegistrationContext>,
    /// What the new user entered. Only in a sign-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_profile: Option<Attributes>,
    /// What Okta will do unless told otherwise: `ALLOW`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// What the existing user adds or changes. Only in a profile update.
    // Okta's prose once writes the member with a capital.
    #[serde(skip_serializing_if = "Option::is_none", alias = "UserProfileUpdate")]
    pub user_profile_update: Option<Attributes>,
}

/// `data.context` of a registration request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegistrationContext {
    /// The HTTP request that set off the hook.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "request_in_guide_order")]
    pub request: Option<RequestDetail>,
    /// The existing user. Only in a profile update.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "user_in_guide_order")]
    pub user: Option<User>,
}

/// The occasion of a registration request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationKind {
    /// A new user signs up. Also a request without `requestType`, as Classic Engine sends it.
    SelfService,
    /// An existing user completes the profile at sign-in.
    Progressive,
    /// A `requestType` that was not known when this was written.
    Other,
}

impl RequestData for RegistrationData {
    const HOOK_TYPE: HookType = HookType::Registration;
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

    fn missing_member(request: &HookRequest<Self>) -> Option<&'static str> {
        match request.request_type.as_deref() {
            Some(SELF_SERVICE) if request.data.user_profile.is_none() => Some("data.userProfile"),
            Some(PROGRESSIVE) if request.data.user_profile_update.is_none() => Some("data.userProfileUpdate"),
            _ => None,
        }
    }
}

impl HookRequest<RegistrationData> {
    /// A sign-up with what the new user entered.
    pub fn sign_up(profile: Attributes) -> Self {
        let data = RegistrationData {
            user_profile: Some(profile),
            action: Some("ALLOW".to_owned()),
            ..RegistrationData::default()
        };
        Self { request_type: Some(SELF_SERVICE.to_owned()), ..Self::new(data) }
    }

    /// A profile update with what the existing user adds or changes.
    pub fn profile_update(user: User, update: Attributes) -> Self {
        let data = RegistrationData {
            context: Some(RegistrationContext { request: None, user: Some(user) }),
            action: Some("ALLOW".to_owned()),
            user_profile_update: Some(update),
            ..RegistrationData::default()
        };
        Self { request_type: Some(PROGRESSIVE.to_owned()), ..Self::new(data) }
    }

    /// What set off the hook.
    pub fn kind(&self) -> RegistrationKind {
        match self.request_type.as_deref() {
            None | Some(SELF_SERVICE) => RegistrationKind::SelfService,
            Some(PROGRESSIVE) => RegistrationKind::Progressive,
            Some(_) => RegistrationKind::Other,
        }
    }

    /// An attribute that the user submitted, in either kind of request.
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        let submitted = match self.kind() {
            RegistrationKind::Progressive => &self.data.user_profile_update,
            RegistrationKind::SelfService | RegistrationKind::Other => &self.data.user_profile,
        };
        submitted.as_ref()?.get(name)
    }

    /// A submitted attribute if it is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attribute(name)?.as_str()
    }

    /// The profile of the existing user. Only in a profile update.
    pub fn existing_profile(&self) -> Option<&Attributes> {
        self.data.context.as_ref()?.user.as_ref()?.profile.as_ref()
    }
}

// The guide prints these two objects in an order of their own; other hook types print them differently.

fn request_in_guide_order<S: Serializer>(request: &Option<RequestDetail>, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(request) = request else { return serializer.serialize_none() };
    let mut object = serializer.serialize_struct("RequestDetail", 4)?;
    member(&mut object, "method", &request.method)?;
    member(&mut object, "ipAddress", &request.ip_address)?;
    member(&mut object, "id", &request.id)?;
    member(&mut object, "url", &request.url)?;
    object.end()
}

fn user_in_guide_order<S: Serializer>(user: &Option<User>, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(user) = user else { return serializer.serialize_none() };
    let mut object = serializer.serialize_struct("User", 4)?;
    member(&mut object, "passwordChanged", &user.password_changed)?;
    member(&mut object, "_links", &user.links)?;
    member(&mut object, "profile", &user.profile)?;
    member(&mut object, "id", &user.id)?;
    object.end()
}

fn member<S: SerializeStruct, T: Serialize>(
    object: &mut S,
    name: &'static str,
    value: &Option<T>,
) -> Result<(), S::Error> {
    match value {
        Some(value) => object.serialize_field(name, value),
        None => Ok(()),
    }
}
