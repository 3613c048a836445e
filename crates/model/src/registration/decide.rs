//! The decision: admit with this profile, or refuse with these words.

use hookwright_contract::json;
use hookwright_contract::outcome::{self, Ending, Failure, FlowDecision};
use hookwright_contract::registration::{RegistrationEffect, effect, failure_text};
use hookwright_contract::request::RegistrationKind;
use hookwright_contract::{HookType, Reply};
use serde_json::{Map, Value};

use super::form::FormField;
use super::message::{Message, MessageKind, shown_text};
use crate::profile::{Check, check_profile, merged};
use crate::redaction::Redaction;
use crate::shown::Shown;
use crate::user_schema::{AttributeType, ItemType, UserSchema};

/// What was submitted, and against what it is held.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    /// Somebody signs up, or completes a profile.
    pub kind: RegistrationKind,
    /// The user schema.
    pub schema: &'a UserSchema,
    /// The fields of the form.
    pub fields: &'a [FormField],
    /// The profile of the existing user; empty when somebody signs up.
    pub existing: &'a Map<String, Value>,
    /// What was filled in, as [`super::read_form`] gave it.
    pub submitted: &'a Map<String, Value>,
}

/// What the policy's hook said.
#[derive(Debug, Clone, Copy)]
pub enum HookResult<'a> {
    /// There is none, or it is not to be asked now.
    NotAsked,
    /// It was asked.
    Asked {
        /// The request's body.
        request: &'a json::Value<'a>,
        /// The answer that fits the contract, or why there is none.
        answer: Result<&'a Reply<'a>, Failure>,
        /// Takes the hook's secrets out of what the answer says.
        redaction: &'a Redaction,
    },
}

impl HookResult<'_> {
    fn redaction(&self) -> &Redaction {
        match self {
            Self::NotAsked => &Redaction::NOTHING,
            Self::Asked { redaction, .. } => redaction,
        }
    }
}

/// Whether the person is let in.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Yes, with this profile.
    Admit(Admission),
    /// No, in these words.
    Refuse(Refusal),
}

/// What is to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Admission {
    /// The whole profile: attributes of the schema only.
    pub profile: Map<String, Value>,
    /// What is odd about the hook's answer, for whoever wrote the service.
    pub warnings: Vec<Shown>,
}

/// What is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For the person at the form; never empty.
    pub messages: Vec<Message>,
    /// For the log.
    pub reason: Shown,
}

impl Decision {
    /// What the call did to the flow, for its record.
    #[must_use]
    pub fn effect(&self, kind: RegistrationKind) -> Shown {
        let flow = match kind {
            RegistrationKind::Progressive => "profile update",
            RegistrationKind::SelfService | RegistrationKind::Other => "registration",
        };
        match self {
            Self::Admit(_) => Shown::own(format!("{flow} ALLOW")),
            Self::Refuse(refusal) => Shown::own(format!("{flow} DENY: ")).then(&refusal.reason),
        }
    }
}

/// Decides about what was submitted.
///
/// What the hook's commands set goes over what was filled in, and both over the existing profile. Attributes that the schema
/// lacks are dropped; everything that would be stored is checked against the schema again. One bad value refuses all of it.
#[must_use]
pub fn decide(submission: &Submission<'_>, hook: &HookResult<'_>) -> Decision {
    let (mut changes, mut warnings) = (submission.stored_part(), Vec::new());
    let redaction = hook.redaction();
    if let HookResult::Asked { request, answer, .. } = hook {
        let form: Vec<&str> = submission.fields.iter().map(|field| field.name.as_str()).collect();
        let decision = outcome::decide(HookType::Registration, request, *answer, &form);
        if decision.flow != FlowDecision::Proceed {
            return Decision::Refuse(submission.refused_by_hook(&decision, *answer, redaction));
        }
        if let Ok(reply) = answer {
            let RegistrationEffect { profile, warnings: odd, .. } = effect(reply);
            if let Err(reason) = submission.check_types(&profile) {
                return Decision::Refuse(submission.unusable(redaction.text(reason)));
            }
            changes.extend(profile);
            warnings = odd.into_iter().map(|warning| redaction.text(warning)).collect();
        }
    }
    let profile = merged(submission.existing, &changes);
    let violations = match submission.kind {
        // What an existing profile lacks or breaks elsewhere is not this form's business.
        RegistrationKind::Progressive => check_profile(submission.schema, &changes, Check::Given),
        RegistrationKind::SelfService | RegistrationKind::Other => {
            check_profile(submission.schema, &profile, Check::Whole)
        }
    };
    if violations.is_empty() {
        return Decision::Admit(Admission { profile, warnings });
    }
    let reason = redaction.text(format!("the profile breaks the user schema: {violations}"));
    let on_form = |name: &str| submission.fields.iter().any(|field| field.name == name);
    let messages: Vec<Message> = violations
        .iter()
        .filter(|violation| on_form(&violation.field))
        .map(|violation| Message::at(&violation.field, MessageKind::Invalid, redaction.text(&violation.message)))
        .collect();
    Decision::Refuse(if messages.is_empty() { submission.unusable(reason) } else { Refusal { messages, reason } })
}

/// The refusal after another user turned out to have the value of a unique attribute.
#[must_use]
pub fn refusal_for_taken(submission: &Submission<'_>, attribute: &str) -> Refusal {
    let reason = Shown::own(format!("another user has this value of '{attribute}'"));
    let field = |name: &str| submission.fields.iter().find(|field| field.name == name);
    // Where the form has no login of its own, the email address is the login.
    let field = field(attribute).or_else(|| if attribute == "login" { field("email") } else { None });
    match field {
        Some(field) => {
            let text = Shown::own(format!("A user with this {} already exists", field.label));
            Refusal { messages: vec![Message::at(&field.name, MessageKind::Taken, text)], reason }
        }
        None => submission.unusable(reason),
    }
}

impl Submission<'_> {
    /// What was filled in, as far as the schema has a place for it.
    fn stored_part(&self) -> Map<String, Value> {
        let known = self.submitted.iter().filter(|(name, _)| self.schema.get(name).is_some());
        known.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn unusable(&self, reason: Shown) -> Refusal {
        let message = Message::banner(MessageKind::HookDefault, failure_text(self.kind));
        Refusal { messages: vec![message], reason }
    }

    fn refused_by_hook(
        &self,
        decision: &outcome::Decision,
        answer: Result<&Reply<'_>, Failure>,
        redaction: &Redaction,
    ) -> Refusal {
        let error = answer.ok().and_then(|reply| reply.error.as_ref());
        let mut messages: Vec<Message> = Vec::new();
        for message in &decision.messages {
            let text = shown_text(&message.text, redaction);
            // The default texts stand where there is no cause with a text of its own.
            let own_words = error.is_some_and(|error| {
                error.causes.iter().any(|cause| cause.summary.as_deref() == Some(message.text.as_str()))
            });
            let kind = if own_words { MessageKind::Hook } else { MessageKind::HookDefault };
            if !text.is_empty() {
                messages.push(Message { field: message.field.clone(), text, kind });
            }
        }
        let reason = match (decision.ending, error.and_then(|error| error.summary.as_deref())) {
            (Ending::Failed(failure), _) => Shown::own(format!("the hook gave no usable answer ({failure:?})")),
            (Ending::Error, Some(summary)) => {
                Shown::from("the hook answered with an error: ").then(&shown_text(summary, redaction))
            }
            (Ending::Error, None) => "the hook answered with an error".into(),
            _ => {
                let odd = answer.map(|reply| effect(reply).warnings.join(" ")).unwrap_or_default();
                if odd.is_empty() {
                    "the hook denied".into()
                } else {
                    redaction.text(format!("the hook denied. {odd}"))
                }
            }
        };
        if messages.is_empty() {
            let text = hookwright_contract::registration::error_text(self.kind);
            messages.push(Message::banner(MessageKind::HookDefault, text));
        }
        Refusal { messages, reason }
    }

    /// Whether each value has the JSON type of its attribute; nothing is coerced.
    fn check_types(&self, values: &Map<String, Value>) -> Result<(), String> {
        for (name, value) in values {
            let Some(attribute) = self.schema.get(name) else {
                return Err(format!("a command sets '{name}', which the user schema lacks"));
            };
            if !value.is_null() && !has_type(attribute.kind, value) {
                let kind = attribute.kind.as_str();
                return Err(format!("Type mismatch exception: a command sets '{name}' to another type than {kind}"));
            }
        }
        Ok(())
    }
}

fn has_type(kind: AttributeType, value: &Value) -> bool {
    match (kind, value) {
        (AttributeType::String, Value::String(_))
        | (AttributeType::Boolean, Value::Bool(_))
        | (AttributeType::Number, Value::Number(_)) => true,
        (AttributeType::Integer, Value::Number(number)) => number.is_i64() || number.is_u64(),
        (AttributeType::Array(items), Value::Array(elements)) => elements.iter().all(|element| match items {
            ItemType::String => element.is_string(),
            ItemType::Number => element.is_number(),
            ItemType::Integer => element.is_i64() || element.is_u64(),
        }),
        _ => false,
    }
}
