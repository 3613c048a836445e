//! Reading an IDX body. Any content type is taken: clients send several, and nothing here depends on it.

use axum::extract::{FromRequest, FromRequestParts, Request};
use hookwright_app::{RateClass, RequestOrigin};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::api::body::{MAX_FORM_BYTES, limited, parse_object};
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::signin::browser::Browser;

/// A body with what it came with.
pub(crate) struct IdxRequest {
    members: Map<String, Value>,
    pub(super) browser: Browser,
    pub(crate) origin: RequestOrigin,
}

impl FromRequest<hookwright_app::App> for IdxRequest {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &hookwright_app::App) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let context = RequestContext::from_request_parts(&mut parts, app).await?;
        context.count_visit(app, RateClass::Other)?;
        let browser = Browser::from_request_parts(&mut parts, app).await?;
        let bytes = limited(&parts.headers, body, context.body_patience(), MAX_FORM_BYTES).await?;
        Ok(Self { members: parse_object(&bytes)?, browser, origin: context.origin(&parts.headers) })
    }
}

impl IdxRequest {
    /// A member that is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    /// The state handle; an empty one names no flow.
    pub(crate) fn handle(&self) -> SecretString {
        SecretString::from(self.text("stateHandle").unwrap_or_default().to_owned())
    }

    /// `credentials.passcode`.
    pub(crate) fn passcode(&self) -> Option<SecretString> {
        let passcode = self.members.get("credentials")?.get("passcode")?.as_str()?;
        Some(SecretString::from(passcode.to_owned()))
    }

    /// The secret of the device, if the browser has one: of IDX, or of the pages.
    pub(crate) fn device(&self) -> Option<SecretString> {
        self.browser.idx_device.as_ref().or(self.browser.device.as_ref()).cloned()
    }

    /// `authenticator.id`; `methodType` beside it says nothing more, since each authenticator has one method.
    pub(crate) fn authenticator(&self) -> Option<&str> {
        self.members.get("authenticator")?.get("id")?.as_str()
    }

    /// `userProfile`.
    pub(crate) fn user_profile(&self) -> Map<String, Value> {
        self.members.get("userProfile").and_then(Value::as_object).cloned().unwrap_or_default()
    }
}
