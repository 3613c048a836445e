//! A step as an ION document, in the form that Okta's clients insist on.
//!
//! A remediation needs `rel`, `name`, `href`, `method` and `value`; the state handle stands in each of them as a field that
//! can't be changed; `relatesTo` comes only together with its target; `required` is always written out.

mod recovery;

use hookwright_app::FlowView;
use hookwright_model::flow::Step;
use hookwright_model::registration::{FieldKind, FormField, Message, MessageKind};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

const ACCEPTS: &str = "application/json; okta-version=1.0.0";
const PRODUCES: &str = "application/ion+json; okta-version=1.0.0";

/// Writes the remediations of one flow.
struct Writer<'a> {
    base: &'a str,
    handle: &'a str,
    view: &'a FlowView,
    /// Whether the password challenge stands in a recovery.
    recovers: bool,
}

/// The whole answer. The order of its members is that of live answers.
pub(super) fn document(base: &str, handle: &str, view: &FlowView, recovers: bool) -> Value {
    let writer = Writer { base, handle, view, recovers };
    let mut document = json!({
        "version": "1.0.0",
        "stateHandle": handle,
        "expiresAt": view.expires,
        "intent": "LOGIN",
    });
    let Some(members) = document.as_object_mut() else { return document };
    let remediations = writer.remediations();
    if !remediations.is_empty() {
        members.insert("remediation".to_owned(), json!({"type": "array", "value": remediations}));
    }
    let mut banners: Vec<Value> =
        view.messages.iter().filter(|said| !writer.is_on_form(said)).map(|said| writer.message(said)).collect();
    banners.extend(writer.news());
    if !banners.is_empty() {
        members.insert("messages".to_owned(), json!({"type": "array", "value": banners}));
    }
    members.extend(writer.authenticators());
    if let Some(user) = writer.user() {
        members.insert("user".to_owned(), json!({"type": "object", "value": user}));
    }
    if matches!(view.step, Step::Progressive { .. }) {
        let display = json!({"type": "object", "value": {"label": "Sign in", "buttonLabel": "Submit"}});
        members.insert("uiDisplay".to_owned(), display);
    }
    members.insert("cancel".to_owned(), writer.action("cancel", "cancel", Vec::new()));
    let app = json!({"name": view.application.name, "label": view.application.label, "id": view.application.id});
    members.insert("app".to_owned(), json!({"type": "object", "value": app}));
    if matches!(view.step, Step::Done { .. }) {
        let (name, success) = writer.success();
        members.insert(name.to_owned(), success);
    }
    document
}

impl Writer<'_> {
    fn remediations(&self) -> Vec<Value> {
        match &self.view.step {
            Step::Identify { sign_up } => {
                let identifier = self.field(json!({"name": "identifier", "label": "Username", "required": true}));
                let credentials = self.credentials("Password", None);
                let mut all = vec![self.action("identify", "identify", vec![identifier, credentials])];
                if *sign_up {
                    all.push(self.action("select-enroll-profile", "enroll", Vec::new()));
                }
                if self.view.can_recover {
                    all.push(self.action("unlock-account", "unlock-account", Vec::new()));
                }
                all
            }
            Step::Recovery { .. }
            | Step::RecoveryChoice { .. }
            | Step::RecoveryCode { .. }
            | Step::ResetPassword { .. }
            | Step::Unlocked { .. } => self.recovery(),
            Step::Password { sign_up, .. } => {
                let credentials = self.credentials("Password", None);
                let challenge = self.action("challenge-authenticator", "challenge/answer", vec![credentials]);
                let mut all = vec![relating(challenge, "$.currentAuthenticatorEnrollment")];
                if *sign_up {
                    all.push(self.action("select-enroll-profile", "enroll", Vec::new()));
                }
                all
            }
            Step::SignUp { fields, password } => {
                let mut form = vec![self.user_profile(fields)];
                if *password {
                    form.push(self.credentials("Password", Some("$.currentAuthenticator")));
                }
                vec![
                    self.action("enroll-profile", "enroll/new", form),
                    self.action("select-identify", "identify/select", Vec::new()),
                ]
            }
            Step::SetPassword { .. } => {
                let credentials = self.credentials("Enter password", None);
                let enroll = self.action("enroll-authenticator", "challenge/answer", vec![credentials]);
                vec![relating(enroll, "$.currentAuthenticator")]
            }
            Step::EmailCode { .. } => {
                let credentials = self.credentials("Enter code", None);
                let enroll = self.action("enroll-authenticator", "challenge/answer", vec![credentials]);
                vec![relating(enroll, "$.currentAuthenticator")]
            }
            Step::Progressive { fields, may_skip, .. } => {
                let mut all = vec![self.action("enroll-profile", "enroll/update", vec![self.user_profile(fields)])];
                if *may_skip {
                    all.push(self.action("skip", "skip", Vec::new()));
                }
                all
            }
            Step::Done { .. } => Vec::new(),
        }
    }

    /// A form that can be sent: fields, and the state handle behind them.
    fn action(&self, name: &str, path: &str, mut fields: Vec<Value>) -> Value {
        fields.push(json!({
            "name": "stateHandle", "required": true, "value": self.handle, "visible": false, "mutable": false,
        }));
        json!({
            "rel": ["create-form"],
            "name": name,
            "href": format!("{}/idp/idx/{path}", self.base),
            "method": "POST",
            "produces": PRODUCES,
            "value": fields,
            "accepts": ACCEPTS,
        })
    }

    fn credentials(&self, label: &str, relates_to: Option<&str>) -> Value {
        let passcode = json!({"name": "passcode", "label": label, "required": true, "secret": true});
        let passcode = self.with_messages(passcode, "credentials.passcode");
        let mut field =
            json!({"name": "credentials", "type": "object", "required": true, "form": {"value": [passcode]}});
        if let (Some(target), Some(members)) = (relates_to, field.as_object_mut()) {
            members.insert("relatesTo".to_owned(), json!(target));
        }
        field
    }

    fn user_profile(&self, fields: &[FormField]) -> Value {
        let fields: Vec<Value> = fields.iter().map(|field| self.profile_field(field)).collect();
        json!({"name": "userProfile", "form": {"value": fields}})
    }

    fn profile_field(&self, field: &FormField) -> Value {
        let mut member = json!({"name": field.name, "label": field.label, "required": field.required});
        if let Some(members) = member.as_object_mut() {
            if field.kind == FieldKind::Boolean {
                members.insert("type".to_owned(), json!("boolean"));
            }
            if let Some(choices) = &field.choices {
                let options: Vec<Value> =
                    choices.iter().map(|choice| json!({"label": choice.title, "value": choice.value})).collect();
                members.insert("options".to_owned(), Value::Array(options));
            }
            if let Some(most) = field.max_length {
                members.insert("maxLength".to_owned(), json!(most));
            }
        }
        self.with_messages(member, &field.name)
    }

    fn field(&self, field: Value) -> Value {
        let name = field.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.with_messages(field, &name)
    }

    /// The field with what is said about it.
    fn with_messages(&self, mut field: Value, name: &str) -> Value {
        let said: Vec<Value> = self
            .view
            .messages
            .iter()
            .filter(|said| said.field.as_deref() == Some(name))
            .map(|said| self.message(said))
            .collect();
        if let (false, Some(members)) = (said.is_empty(), field.as_object_mut()) {
            members.insert("messages".to_owned(), json!({"type": "array", "value": said}));
        }
        field
    }

    fn message(&self, message: &Message) -> Value {
        let class = if message.kind == MessageKind::Info { "INFO" } else { "ERROR" };
        let mut i18n = json!({"key": message.kind.key()});
        // The widget puts the label into its own text for this key.
        let label = message.field.as_deref().and_then(|name| self.label(name));
        if let (MessageKind::Taken, Some(label), Some(members)) = (message.kind, label, i18n.as_object_mut()) {
            members.insert("params".to_owned(), json!([label]));
        }
        if let Some(members) = i18n.as_object_mut() {
            // The widget makes a list of its own of the reason.
            if message.kind == MessageKind::NewPassword {
                members.insert("params".to_owned(), json!([message.text]));
                let text = format!("Password requirements were not met. {}.", message.text.as_str());
                return json!({"message": text, "i18n": i18n, "class": class});
            }
            if message.kind == MessageKind::RecoveryCode {
                members.insert("params".to_owned(), json!([]));
            }
        }
        json!({"message": message.text, "i18n": i18n, "class": class})
    }

    fn label(&self, name: &str) -> Option<&str> {
        match &self.view.step {
            Step::SignUp { fields, .. } | Step::Progressive { fields, .. } => {
                fields.iter().find(|field| field.name == name).map(|field| field.label.as_str())
            }
            _ => None,
        }
    }

    /// Whether a message belongs to a field of the present form.
    fn is_on_form(&self, message: &Message) -> bool {
        let Some(name) = message.field.as_deref() else { return false };
        match &self.view.step {
            Step::Identify { .. } => matches!(name, "identifier" | "credentials.passcode"),
            Step::Password { .. } | Step::SetPassword { .. } | Step::EmailCode { .. } => name == "credentials.passcode",
            Step::SignUp { password, .. } => {
                self.label(name).is_some() || (*password && name == "credentials.passcode")
            }
            Step::Progressive { .. } => self.label(name).is_some(),
            Step::Recovery { .. } => name == "identifier",
            Step::RecoveryCode { .. } | Step::ResetPassword { .. } => name == "credentials.passcode",
            Step::RecoveryChoice { .. } | Step::Unlocked { .. } | Step::Done { .. } => false,
        }
    }

    /// The targets of `relatesTo`.
    fn authenticators(&self) -> Map<String, Value> {
        let mut password = json!({
            "type": "password", "key": "okta_password", "id": "autPassword", "displayName": "Password",
            "methods": [{"type": "password"}],
        });
        let (name, value) = match &self.view.step {
            Step::Identify { .. } => ("currentAuthenticator", self.with_recover(password)),
            Step::Password { .. } => return self.password_challenge(),
            Step::Recovery { .. }
            | Step::RecoveryChoice { .. }
            | Step::RecoveryCode { .. }
            | Step::ResetPassword { .. }
            | Step::Unlocked { .. } => return self.recovery_authenticators(),
            Step::SetPassword { .. } | Step::SignUp { password: true, .. } => {
                if let Some(members) = password.as_object_mut() {
                    let complexity = json!({
                        "minLength": 8, "minLowerCase": 0, "minUpperCase": 0, "minNumber": 0, "minSymbol": 0,
                        "excludeUsername": true, "excludeAttributes": [],
                    });
                    members.insert("settings".to_owned(), json!({"complexity": complexity}));
                }
                ("currentAuthenticator", password)
            }
            Step::EmailCode { address } => {
                let email = json!({
                    "type": "email", "key": "okta_email", "id": "autEmail", "displayName": "Email",
                    "methods": [{"type": "email"}],
                    "profile": {"email": address},
                    "resend": self.action("resend", "challenge/resend", Vec::new()),
                });
                ("currentAuthenticator", email)
            }
            Step::SignUp { password: false, .. } | Step::Progressive { .. } | Step::Done { .. } => return Map::new(),
        };
        std::iter::once((name.to_owned(), json!({"type": "object", "value": value}))).collect()
    }

    fn user(&self) -> Option<Value> {
        match &self.view.step {
            Step::Identify { .. } | Step::SignUp { .. } | Step::EmailCode { .. } | Step::Recovery { .. } => None,
            Step::ResetPassword { user, identifier, .. } => Some(json!({"id": user, "identifier": identifier})),
            Step::RecoveryChoice { identifier, .. }
            | Step::RecoveryCode { identifier, .. }
            | Step::Unlocked { identifier }
            | Step::Password { identifier, .. }
            | Step::SetPassword { identifier, .. }
            | Step::Progressive { identifier, .. } => Some(json!({"identifier": identifier})),
            Step::Done { user, identifier } => Some(json!({"id": user, "identifier": identifier})),
        }
    }

    /// The end: what the client exchanges for tokens, or where to go where no client waits.
    fn success(&self) -> (&'static str, Value) {
        let (Some(code), Some(client)) = (&self.view.code, &self.view.client) else {
            let href = format!("{}/app/UserHome", self.base);
            return ("success", json!({"name": "success-redirect", "href": href}));
        };
        let value = json!([
            {"name": "grant_type", "required": true, "value": "interaction_code"},
            {"name": "interaction_code", "required": true, "value": code.expose_secret()},
            {"name": "client_id", "required": true, "value": client.client_id},
            {"name": "code_verifier", "required": true},
        ]);
        let success = json!({
            "rel": ["create-form"],
            "name": "issue",
            "href": format!("{}/oauth2/default/v1/token", self.base),
            "method": "POST",
            "value": value,
            "accepts": "application/x-www-form-urlencoded",
        });
        ("successWithInteractionCode", success)
    }
}

fn relating(mut action: Value, target: &str) -> Value {
    if let Some(members) = action.as_object_mut() {
        members.insert("relatesTo".to_owned(), json!([target]));
    }
    action
}
