//! The steps of a recovery as live orgs answer them: which remediation, and which authenticators stand beside it.
//!
//! Before the proof nothing comes from an account: ids are the same for everybody, and the address is what was entered.

use hookwright_model::flow::{EMAIL_AUTHENTICATOR, PASSWORD_AUTHENTICATOR, RecoveryPurpose, Step, covered};
use hookwright_model::registration::MessageKind;
use serde_json::{Map, Value, json};

use super::{Writer, relating};

/// The ids of enrollments.
const EMAIL_ENROLLMENT: &str = "eaeEmail";
const PASSWORD_ENROLLMENT: &str = "laePassword";

impl Writer<'_> {
    /// The remediations.
    pub(super) fn recovery(&self) -> Vec<Value> {
        let code = || {
            let passcode = self.with_messages(
                json!({"name": "passcode", "label": "Enter code", "required": true}),
                "credentials.passcode",
            );
            let field =
                json!({"name": "credentials", "type": "object", "required": true, "form": {"value": [passcode]}});
            let challenge = self.action("challenge-authenticator", "challenge/answer", vec![field]);
            relating(challenge, "$.currentAuthenticatorEnrollment")
        };
        let identifier = || self.field(json!({"name": "identifier", "label": "Username", "required": true}));
        match &self.view.step {
            Step::Recovery { purpose: RecoveryPurpose::Password } => {
                vec![self.action("identify-recovery", "identify", vec![identifier()])]
            }
            Step::Recovery { purpose: RecoveryPurpose::Unlock } => {
                let fields = vec![identifier(), self.choice_of_email()];
                vec![self.action("select-authenticator-unlock-account", "challenge", fields)]
            }
            Step::RecoveryChoice { .. } => {
                vec![self.action("select-authenticator-authenticate", "challenge", vec![self.choice_of_email()])]
            }
            Step::RecoveryCode { purpose: RecoveryPurpose::Password, .. } => vec![code()],
            Step::RecoveryCode { purpose: RecoveryPurpose::Unlock, .. } => vec![
                code(),
                self.action("select-authenticator-authenticate", "challenge", vec![self.choice_of_email()]),
            ],
            Step::ResetPassword { .. } => {
                let reset = self.action(
                    "reset-authenticator",
                    "challenge/answer",
                    vec![self.credentials("New password", None)],
                );
                vec![relating(reset, "$.currentAuthenticator")]
            }
            _ => Vec::new(),
        }
    }

    /// What is said of a step itself, where the flow stands still.
    pub(super) fn news(&self) -> Option<Value> {
        let Step::Unlocked { .. } = &self.view.step else { return None };
        let text = "Account successfully unlocked! Verify your account with a security method to continue.";
        Some(json!({"message": text, "i18n": {"key": MessageKind::Unlocked.key()}, "class": "INFO"}))
    }

    /// Authenticators and enrollments.
    pub(super) fn recovery_authenticators(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| {
            let kind = if value.is_array() { "array" } else { "object" };
            members.insert(name.to_owned(), json!({"type": kind, "value": value}));
        };
        match &self.view.step {
            Step::Recovery { purpose: RecoveryPurpose::Unlock } => {
                put("authenticators", json!([email_authenticator()]));
                put("authenticatorEnrollments", json!([email_without_profile()]));
            }
            Step::RecoveryChoice { identifier, .. } => {
                put("authenticators", json!([email_authenticator()]));
                put("authenticatorEnrollments", json!([email_enrollment(identifier)]));
                put("recoveryAuthenticator", password_authenticator());
            }
            Step::RecoveryCode { purpose, identifier } => {
                let mut current = Map::new();
                current.insert("profile".to_owned(), json!({"email": covered(identifier)}));
                current.insert("resend".to_owned(), self.action("resend", "challenge/resend", Vec::new()));
                current.extend(members_of(email_without_profile()));
                put("currentAuthenticatorEnrollment", Value::Object(current));
                put("authenticators", json!([email_authenticator()]));
                put("authenticatorEnrollments", json!([email_enrollment(identifier)]));
                if *purpose == RecoveryPurpose::Password {
                    put("recoveryAuthenticator", password_authenticator());
                }
            }
            Step::ResetPassword { .. } => {
                let mut password = members_of(password_authenticator());
                password.insert("settings".to_owned(), password_settings());
                put("currentAuthenticator", Value::Object(password.clone()));
                put("authenticators", json!([password_authenticator()]));
                put("authenticatorEnrollments", json!([email_without_profile(), password_enrollment()]));
                put("recoveryAuthenticator", Value::Object(password));
            }
            _ => {}
        }
        members
    }

    /// The password after the name, with the way to a new one.
    pub(super) fn password_challenge(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let current = self.with_recover(password_enrollment());
        members.insert("currentAuthenticatorEnrollment".to_owned(), json!({"type": "object", "value": current}));
        members.insert("authenticators".to_owned(), json!({"type": "array", "value": [password_authenticator()]}));
        let enrollments = json!({"type": "array", "value": [password_enrollment()]});
        members.insert("authenticatorEnrollments".to_owned(), enrollments);
        if self.recovers {
            let recovering = json!({"type": "object", "value": password_authenticator()});
            members.insert("recoveryAuthenticator".to_owned(), recovering);
        }
        members
    }

    /// A password with the way to recover it, where there is one.
    pub(super) fn with_recover(&self, password: Value) -> Value {
        if !self.view.can_recover {
            return password;
        }
        let mut members = Map::new();
        members.insert("recover".to_owned(), self.action("recover", "recover", Vec::new()));
        members.extend(members_of(password));
        Value::Object(members)
    }

    fn choice_of_email(&self) -> Value {
        let form = json!({"value": [
            {"name": "id", "required": true, "value": EMAIL_AUTHENTICATOR, "mutable": false},
            {"name": "methodType", "required": false, "value": "email", "mutable": false},
        ]});
        let option =
            json!({"label": "Email", "value": {"form": form}, "relatesTo": "$.authenticatorEnrollments.value[0]"});
        self.field(json!({"name": "authenticator", "type": "object", "required": true, "options": [option]}))
    }
}

fn password_authenticator() -> Value {
    json!({
        "type": "password", "key": "okta_password", "id": PASSWORD_AUTHENTICATOR, "displayName": "Password",
        "methods": [{"type": "password"}],
    })
}

fn password_enrollment() -> Value {
    json!({
        "type": "password", "key": "okta_password", "id": PASSWORD_ENROLLMENT, "displayName": "Password",
        "methods": [{"type": "password"}],
    })
}

fn email_authenticator() -> Value {
    json!({
        "type": "email", "key": "okta_email", "id": EMAIL_AUTHENTICATOR, "displayName": "Email",
        "methods": [{"type": "email"}],
    })
}

fn email_without_profile() -> Value {
    json!({
        "type": "email", "key": "okta_email", "id": EMAIL_ENROLLMENT, "displayName": "Email",
        "methods": [{"type": "email"}],
    })
}

fn email_enrollment(identifier: &str) -> Value {
    let mut members = Map::new();
    members.insert("profile".to_owned(), json!({"email": covered(identifier)}));
    members.extend(members_of(email_without_profile()));
    Value::Object(members)
}

fn password_settings() -> Value {
    json!({
        "complexity": {
            "minLength": 8, "minLowerCase": 0, "minUpperCase": 0, "minNumber": 0, "minSymbol": 0,
            "excludeUsername": true, "excludeAttributes": [],
        },
        "age": {"minAgeMinutes": 0, "historyCount": 0},
    })
}

fn members_of(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
