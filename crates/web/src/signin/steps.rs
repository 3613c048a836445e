//! Each step of a flow as a page.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hookwright_app::FlowView;
use hookwright_model::flow::{ClientBinding, RecoveryPurpose, Step};
use hookwright_model::oauth::ResponseTarget;
use hookwright_model::registration::{FieldKind, FormField, Message, MessageKind};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::page::{Action, Banner, ChoiceModel, ContinuePage, Control, FieldModel, FormModel, StepPage, html};
use crate::error::ApiError;

const PASSCODE: &str = "credentials.passcode";
const PASSWORD_HINT: &str = "At least 8 characters.";

/// The page of the step.
pub(super) fn page(view: &FlowView, token: &str, wanted: Option<&str>, development: bool) -> StepPage {
    let writer = Writer { view };
    let mut page = match &view.step {
        Step::Identify { sign_up } => writer.identify(*sign_up),
        Step::Password { identifier, .. } => writer.password(identifier),
        Step::SignUp { fields, password } => writer.sign_up(fields, *password),
        Step::SetPassword { identifier, is_new } => writer.set_password(identifier, *is_new),
        Step::EmailCode { address } => writer.email_code(address, development),
        Step::Recovery { purpose } => writer.recovery(*purpose),
        Step::RecoveryChoice { .. } => writer.recovery(RecoveryPurpose::Password),
        Step::RecoveryCode { purpose, identifier } => writer.recovery_code(*purpose, identifier, development),
        Step::ResetPassword { identifier, is_first, .. } => writer.reset_password(identifier, *is_first),
        Step::Unlocked { .. } => Writer::unlocked(),
        Step::Progressive { identifier, fields, may_skip } => writer.progressive(identifier, fields, *may_skip),
        Step::Done { .. } => writer.done(),
    };
    page.app = (!view.application.system).then(|| view.application.label.clone());
    page.form.hidden.push(("token", token.to_owned()));
    page.form.hidden.push(("attempt", view.attempt.clone()));
    let of_flow = (!view.application.system).then(|| view.application.id.as_str());
    if let Some(app) = wanted.or(of_flow) {
        page.form.hidden.push(("app", app.to_owned()));
    }
    let on_form = |name: &str| page.form.fields.iter().any(|field| !field.errors.is_empty() && field.name == name);
    let placed = |said: &&Message| said.field.as_deref().is_none_or(|name| !on_form(&input_name(name)));
    page.banners = view.messages.iter().filter(placed).map(banner).collect();
    focus(&mut page.form.fields);
    page
}

/// The page that leads back to the client with its code (RFC 6749 section 4.1.2).
pub(super) fn hand_over(client: &ClientBinding, code: &SecretString) -> Response {
    match ResponseTarget::of(client).with_code(code.expose_secret()) {
        Some(url) => html(StatusCode::OK, &ContinuePage { url }),
        None => ApiError::internal("a redirect URI is no URL").into_response(),
    }
}

struct Writer<'a> {
    view: &'a FlowView,
}

impl Writer<'_> {
    fn identify(&self, sign_up: bool) -> StepPage {
        let fields = vec![
            self.line("identifier", "Username", "text", Some("username")),
            self.line(PASSCODE, "Password", "password", Some("current-password")),
        ];
        let mut page = StepPage::of("Sign in", None, "identify", fields, "Sign in");
        if self.view.can_recover {
            page.others.push(Action { action: "forgot", text: "Forgot password?", before: "" });
            page.others.push(Action { action: "unlock", text: "Unlock account?", before: "" });
        }
        if sign_up {
            page.others.push(Action { action: "sign-up", text: "Sign up", before: "Don't have an account?" });
        }
        page
    }

    fn password(&self, identifier: &str) -> StepPage {
        let fields = vec![self.line(PASSCODE, "Password", "password", Some("current-password"))];
        let lead = Some(format!("Signing in as {identifier}"));
        let mut page = StepPage::of("Verify with your password", lead, "password", fields, "Verify");
        page.form.username = Some(identifier.to_owned());
        page.others.push(Action { action: "back", text: "Back to sign in", before: "" });
        page
    }

    fn sign_up(&self, fields: &[FormField], password: bool) -> StepPage {
        let mut inputs: Vec<FieldModel> = fields.iter().map(|field| self.profile_field(field)).collect();
        if password {
            let mut field = self.line(PASSCODE, "Password", "password", Some("new-password"));
            field.hint = Some(PASSWORD_HINT);
            inputs.push(field);
        }
        let mut page = StepPage::of("Sign up", None, "register", inputs, "Sign up");
        page.others.push(Action { action: "back", text: "Sign in", before: "Already have an account?" });
        page
    }

    fn set_password(&self, identifier: &str, is_new: bool) -> StepPage {
        let mut field = self.line(PASSCODE, "New password", "password", Some("new-password"));
        field.hint = Some(PASSWORD_HINT);
        let lead = if is_new {
            format!("Choose a password for {identifier}")
        } else {
            "Your password has expired.".to_owned()
        };
        let mut page = StepPage::of("Set up your password", Some(lead), "set-password", vec![field], "Continue");
        page.form.username = Some(identifier.to_owned());
        page.others.push(Action { action: "cancel", text: "Back to sign in", before: "" });
        page
    }

    fn email_code(&self, address: &str, development: bool) -> StepPage {
        let mut field = self.line(PASSCODE, "Verification code", "text", Some("one-time-code"));
        field.control = Control::Line { kind: "text", mode: Some("numeric"), most: Some(12) };
        let lead = Some(format!("We sent a code to {address}. It can be used for 10 minutes."));
        let mut page = StepPage::of("Verify your email", lead, "verify", vec![field], "Verify");
        page.others.push(Action { action: "resend", text: "Send again", before: "No mail?" });
        page.others.push(Action { action: "cancel", text: "Back to sign in", before: "" });
        page.outbox = development;
        page
    }

    fn recovery(&self, purpose: RecoveryPurpose) -> StepPage {
        let fields = vec![self.line("identifier", "Username", "text", Some("username"))];
        let (title, lead) = match purpose {
            RecoveryPurpose::Password => ("Reset your password", "We will mail you a code to set a new password."),
            RecoveryPurpose::Unlock => ("Unlock your account", "We will mail you a code to unlock your account."),
        };
        let mut page = StepPage::of(title, Some(lead.to_owned()), "recover", fields, "Send code");
        page.others.push(Action { action: "back", text: "Back to sign in", before: "" });
        page
    }

    /// Says the same for a name that nobody has.
    fn recovery_code(&self, purpose: RecoveryPurpose, identifier: &str, development: bool) -> StepPage {
        let mut field = self.line(PASSCODE, "Code", "text", Some("one-time-code"));
        field.control = Control::Line { kind: "text", mode: Some("numeric"), most: Some(16) };
        let (title, account) = match purpose {
            RecoveryPurpose::Password => ("Check your mail", "an account"),
            RecoveryPurpose::Unlock => ("Check your mail", "a locked account"),
        };
        let lead = format!(
            "If there is {account} named {identifier}, we mailed a code to its email address. It can be used for 10 minutes."
        );
        let mut page = StepPage::of(title, Some(lead), "verify", vec![field], "Continue");
        page.others.push(Action { action: "resend", text: "Send again", before: "No mail?" });
        page.others.push(Action { action: "back", text: "Back to sign in", before: "" });
        page.outbox = development;
        page
    }

    fn reset_password(&self, identifier: &str, is_first: bool) -> StepPage {
        let mut field = self.line(PASSCODE, "New password", "password", Some("new-password"));
        field.hint = Some(PASSWORD_HINT);
        let (title, lead) = if is_first {
            ("Activate your account", format!("Choose a password for {identifier}."))
        } else {
            ("Set a new password", format!("For {identifier}. You will be signed out everywhere else."))
        };
        let mut page = StepPage::of(title, Some(lead), "set-password", vec![field], "Continue");
        page.form.username = Some(identifier.to_owned());
        page.others.push(Action { action: "cancel", text: "Back to sign in", before: "" });
        page
    }

    fn unlocked() -> StepPage {
        let lead = Some("Your account is unlocked. You can sign in with your password.".to_owned());
        StepPage::of("Account unlocked", lead, "cancel", Vec::new(), "Back to sign in")
    }

    fn progressive(&self, identifier: &str, fields: &[FormField], may_skip: bool) -> StepPage {
        let inputs = fields.iter().map(|field| self.profile_field(field)).collect();
        let lead = Some(format!("We need a little more before you go on as {identifier}."));
        let mut page = StepPage::of("Complete your profile", lead, "profile", inputs, "Continue");
        if may_skip {
            page.others.push(Action { action: "skip", text: "Skip", before: "" });
        }
        page.others.push(Action { action: "cancel", text: "Back to sign in", before: "" });
        page
    }

    fn done(&self) -> StepPage {
        let lead = Some("You are signed in. You can go back to your app.".to_owned());
        StepPage::of("Signed in", lead, "cancel", Vec::new(), "Back to sign in")
    }

    /// A line that is no attribute.
    fn line(&self, name: &str, label: &str, kind: &'static str, autocomplete: Option<&'static str>) -> FieldModel {
        // What stands in a field of a password is never shown again.
        let value = if kind == "password" { String::new() } else { self.value(name) };
        FieldModel {
            id: id_of(name),
            name: input_name(name),
            label: label.to_owned(),
            required: true,
            control: Control::Line { kind, mode: None, most: None },
            autocomplete,
            value,
            errors: self.errors(name),
            hint: None,
            autofocus: false,
        }
    }

    fn profile_field(&self, field: &FormField) -> FieldModel {
        let value = self.value(&field.name);
        let control = match (&field.choices, field.kind) {
            (Some(choices), kind) if !matches!(kind, FieldKind::List(_)) => {
                let named = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let choice = |title: &str, text: String| ChoiceModel {
                    chosen: text == value,
                    title: title.to_owned(),
                    value: text,
                };
                Control::Choice(choices.iter().map(|it| choice(&it.title, named(&it.value))).collect())
            }
            (_, FieldKind::Boolean) => {
                let choice = |text: &str, title: &str| ChoiceModel {
                    chosen: text == value,
                    title: title.to_owned(),
                    value: text.to_owned(),
                };
                Control::Choice(vec![choice("true", "Yes"), choice("false", "No")])
            }
            (_, FieldKind::List(_)) => Control::Lines,
            (_, FieldKind::Email) => Control::Line { kind: "email", mode: None, most: field.max_length },
            (_, FieldKind::Integer) => Control::Line { kind: "text", mode: Some("numeric"), most: None },
            (_, FieldKind::Number) => Control::Line { kind: "text", mode: Some("decimal"), most: None },
            (_, FieldKind::Text) => Control::Line { kind: "text", mode: None, most: field.max_length },
        };
        FieldModel {
            id: id_of(&field.name),
            name: format!("userProfile.{}", field.name),
            label: field.label.clone(),
            required: field.required,
            autocomplete: autocomplete_of(&field.name),
            value,
            errors: self.errors(&field.name),
            hint: matches!(control, Control::Lines).then_some("One value a line."),
            control,
            autofocus: false,
        }
    }

    /// What was filled in last.
    fn value(&self, name: &str) -> String {
        match self.view.values.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        }
    }

    fn errors(&self, name: &str) -> Vec<String> {
        let said = self.view.messages.iter().filter(|message| message.field.as_deref() == Some(name));
        said.map(|message| message.text.to_string()).collect()
    }
}

impl StepPage {
    fn of(
        title: &'static str,
        lead: Option<String>,
        action: &'static str,
        fields: Vec<FieldModel>,
        button: &'static str,
    ) -> Self {
        let form = FormModel { action, hidden: Vec::new(), username: None, fields, button };
        Self { title, app: None, lead, banners: Vec::new(), form, others: Vec::new(), outbox: false }
    }
}

/// The name of the input of a field, as messages name the field.
fn input_name(field: &str) -> String {
    match field {
        PASSCODE => "passcode".to_owned(),
        "identifier" => "identifier".to_owned(),
        attribute => format!("userProfile.{attribute}"),
    }
}

/// An id that is one word, whatever the name.
fn id_of(name: &str) -> String {
    let word: String = name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    format!("field-{word}")
}

/// What browsers know to fill in (HTML, "Autofill").
fn autocomplete_of(attribute: &str) -> Option<&'static str> {
    Some(match attribute {
        "email" => "email",
        "login" => "username",
        "firstName" => "given-name",
        "lastName" => "family-name",
        "middleName" => "additional-name",
        "nickName" => "nickname",
        "mobilePhone" | "primaryPhone" => "tel",
        "organization" => "organization",
        "title" => "organization-title",
        "streetAddress" => "street-address",
        "zipCode" => "postal-code",
        "countryCode" => "country",
        _ => return None,
    })
}

fn banner(message: &Message) -> Banner {
    Banner { text: message.text.to_string(), is_error: message.kind != MessageKind::Info }
}

/// The first wrong field has the focus, or else the first empty one.
fn focus(fields: &mut [FieldModel]) {
    let wrong = fields.iter().position(|field| !field.errors.is_empty());
    let first = wrong.or_else(|| fields.iter().position(|field| field.value.is_empty()));
    if let Some(field) = first.and_then(|at| fields.get_mut(at)) {
        field.autofocus = true;
    }
}
