//! A form as a browser sends it.

use axum::extract::{FromRequest, FromRequestParts, Request};
use hookwright_app::{App, RequestOrigin};
use hookwright_model::flow::Input;
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::api::body::{MAX_FORM_BYTES, limited, media_type};
use crate::context::RequestContext;
use crate::error::ApiError;

/// The most fields of a form.
const MAX_FIELDS: usize = 200;

/// What stands before the attributes of a profile.
const PROFILE: &str = "userProfile.";

/// The fields in their order, and the request that brought them.
pub(crate) struct Form {
    fields: Vec<(String, String)>,
    pub(crate) origin: RequestOrigin,
}

impl FromRequest<App> for Form {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let context = RequestContext::from_request_parts(&mut parts, app).await?;
        if !media_type(&parts.headers).eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(ApiError::wrong_media_type("Content-Type: a form is application/x-www-form-urlencoded"));
        }
        let bytes = limited(&parts.headers, body, context.body_patience(), MAX_FORM_BYTES).await?;
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(&bytes).into_owned().take(MAX_FIELDS).collect();
        Ok(Self { fields, origin: context.origin(&parts.headers) })
    }
}

impl Form {
    /// The first value of a field.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn secret(&self, name: &str) -> SecretString {
        SecretString::from(self.text(name).unwrap_or_default().to_owned())
    }

    /// The attributes. A list of check boxes sends its name several times.
    fn profile(&self) -> Map<String, Value> {
        let mut profile = Map::new();
        for (key, value) in &self.fields {
            let Some(name) = key.strip_prefix(PROFILE) else { continue };
            match profile.get_mut(name) {
                Some(Value::String(text)) => {
                    text.push('\n');
                    text.push_str(value);
                }
                _ => {
                    profile.insert(name.to_owned(), Value::String(value.clone()));
                }
            }
        }
        profile
    }

    /// What the form asks for; `None` if there is no such action.
    pub(crate) fn input(&self, action: &str, device: Option<&SecretString>) -> Option<Input> {
        let device = device.cloned();
        Some(match action {
            "identify" => {
                let identifier = self.text("identifier").unwrap_or_default().to_owned();
                Input::Identify { identifier, password: Some(self.secret("passcode")), device }
            }
            "password" | "set-password" => Input::Password { password: self.secret("passcode"), device },
            "forgot" => Input::Recover,
            "unlock" => Input::Unlock,
            "recover" => {
                let identifier = self.text("identifier").unwrap_or_default().to_owned();
                Input::Identify { identifier, password: None, device }
            }
            "sign-up" => Input::StartSignUp,
            "register" => Input::SignUp { profile: self.profile(), password: Some(self.secret("passcode")) },
            "profile" => Input::Progressive { profile: self.profile() },
            "verify" => Input::EmailCode(self.secret("passcode")),
            "resend" => Input::ResendCode,
            "skip" => Input::Skip,
            "back" => Input::SelectIdentify,
            "cancel" => Input::Cancel,
            _ => return None,
        })
    }
}
