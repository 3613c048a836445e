//! The members of an app that are kept and shown, and that nothing here depends on.
//!
//! They follow a template: what is sent takes the place of the template's value if it is of the same kind.

use serde_json::{Map, Value, json};

use super::super::SignOnMode;
use crate::Violations;
use crate::fields::Fields;
use crate::text::has_controls;

/// The most characters of any text here.
const MAX_TEXT_CHARACTERS: usize = 2_048;

/// `accessibility`, `visibility`, `profile`, and `settings` without the OAuth client.
pub(super) fn of_app(mode: SignOnMode, fields: &Fields<'_>, violations: &mut Violations) -> Map<String, Value> {
    let mut app = json!({});
    let mut link = "oidc_client_link";
    if mode == SignOnMode::Bookmark {
        app = json!({"requestIntegration": false, "url": null});
        link = "login";
    }
    let mut shown = json!({
        "accessibility": {"selfService": false, "errorRedirectUrl": null, "loginRedirectUrl": null},
        "visibility": {
            "autoLaunch": false, "autoSubmitToolbar": false, "hide": {"iOS": false, "web": false}, "appLinks": {link: true},
        },
        "settings": {
            "app": app,
            "notifications": {"vpn": {"network": {"connection": "DISABLED"}, "message": null, "helpUrl": null}},
            "manualProvisioning": false,
            "implicitAssignment": false,
            "notes": {"admin": null, "enduser": null},
        },
    });
    let mut members = Map::new();
    if let Value::Object(template) = &mut shown {
        overlay(template, fields, violations);
        members = std::mem::take(template);
    }
    if let Some(profile) = fields.object("profile", violations) {
        members
            .insert("profile".into(), profile.members().map(|(name, value)| (name.clone(), value.clone())).collect());
    }
    members
}

/// The members of `settings.oauthClient` that are kept and shown.
pub(super) fn of_oauth_client(settings: &Fields<'_>, violations: &mut Violations) -> Map<String, Value> {
    let mut template = json!({
        "client_uri": null, "logo_uri": null, "consent_method": "TRUSTED", "issuer_mode": "ORG_URL",
        "idp_initiated_login": {"mode": "DISABLED", "default_scope": []}, "wildcard_redirect": "DISABLED",
        "dpop_bound_access_tokens": false, "participate_slo": false,
    });
    let mut members = Map::new();
    if let Value::Object(template) = &mut template {
        overlay(template, settings, violations);
        members = std::mem::take(template);
    }
    for name in ["initiate_login_uri", "tos_uri", "policy_uri", "frontchannel_logout_uri"] {
        if let Some(uri) = settings.optional_text(name, 1..=MAX_TEXT_CHARACTERS, violations) {
            members.insert(name.to_owned(), uri.into());
        }
    }
    for name in ["refresh_token", "network"] {
        if let Some(object) = settings.object(name, violations) {
            let object = object.members().map(|(name, value)| (name.clone(), value.clone())).collect();
            members.insert(name.to_owned(), Value::Object(object));
        }
    }
    members
}

/// Puts what was sent over a template, member by member; members that the template lacks are not kept.
fn overlay(template: &mut Map<String, Value>, sent: &Fields<'_>, violations: &mut Violations) {
    for (name, value) in template {
        match (value, sent.get(name)) {
            (_, None) => {}
            (Value::Object(inner), Some(_)) => {
                if let Some(object) = sent.object(name, violations) {
                    overlay(inner, &object, violations);
                }
            }
            (slot @ Value::Bool(_), Some(sent_value @ Value::Bool(_))) => *slot = sent_value.clone(),
            (slot @ (Value::String(_) | Value::Null), Some(sent_value @ Value::String(text))) => {
                if text.chars().count() > MAX_TEXT_CHARACTERS || has_controls(text) {
                    sent.refuse(name, "The field is too long or contains control characters", violations);
                }
                *slot = sent_value.clone();
            }
            (slot @ Value::Array(_), Some(Value::Array(_))) => {
                *slot = sent.texts(name, 50, violations).unwrap_or_default().into();
            }
            (slot, Some(_)) => {
                let kind = match slot {
                    Value::Bool(_) => "true or false",
                    Value::Array(_) => "an array of strings",
                    _ => "a string",
                };
                sent.refuse(name, format!("The field must be {kind}"), violations);
            }
        }
    }
}
