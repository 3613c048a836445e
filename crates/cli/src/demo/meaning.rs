//! What an answer means: to the table in a word, to the person who signs up in a sentence.

use std::borrow::Cow;

use hookwright_contract::json::{self, Value};
use hookwright_contract::outcome::{Ending, FlowDecision, decide};
use hookwright_contract::registration::effect;
use hookwright_contract::request::RegistrationKind;
use hookwright_contract::{HookType, Reply, check_reply};
use hookwright_model::user_schema::UserSchema;

/// An answer, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meaning {
    /// What was answered, in a word.
    pub(super) word: String,
    /// Whether the person may go on.
    pub(super) allowed: bool,
    /// What that does, in a sentence or two.
    pub(super) sentence: String,
}

/// What a usable answer of a registration hook means for its request.
///
/// # Errors
/// The answer is none that a registration hook may give.
pub(super) fn of_answer(request: &str, answer: &[u8]) -> anyhow::Result<Meaning> {
    let request = json::parse(request.as_bytes())?;
    let reply = check_reply(HookType::Registration, &request, 200, answer, &UserSchema::default())?;
    let kind = RegistrationKind::of(&request);
    let submitted = submitted(&request, kind);
    let fields: Vec<&str> = submitted.iter().map(|(name, _)| &**name).collect();
    let decision = decide(HookType::Registration, &request, Ok(&reply), &fields);
    let allowed = decision.flow == FlowDecision::Proceed;
    let mut sentence = match (decision.ending, allowed) {
        (Ending::Empty, _) => "The service has no say here. ".to_owned(),
        _ => String::new(),
    };
    sentence.push_str(match (kind, allowed) {
        (RegistrationKind::Progressive, true) => "The profile is updated",
        (RegistrationKind::Progressive, false) => "The profile stays as it is",
        (_, true) => "The account is created",
        (_, false) => "No account is created",
    });
    sentence.push_str(&changes(&reply));
    sentence.push('.');
    for message in &decision.messages {
        match &message.field {
            Some(field) => sentence.push_str(&format!(" Shown at {field}: {}", message.text)),
            None => sentence.push_str(&format!(" Shown: {}", message.text)),
        }
    }
    Ok(Meaning { word: word(&reply, decision.ending), allowed, sentence })
}

/// The members of the form that was submitted.
fn submitted<'r, 'j>(request: &'r Value<'j>, kind: RegistrationKind) -> &'r [(Cow<'j, str>, Value<'j>)] {
    let member = if kind == RegistrationKind::Progressive { "userProfileUpdate" } else { "userProfile" };
    match request.get("data").and_then(|data| data.get(member)) {
        Some(Value::Object(members)) => members,
        _ => &[],
    }
}

fn word(reply: &Reply<'_>, ending: Ending) -> String {
    let word = match ending {
        Ending::Accepted if !effect(reply).profile.is_empty() => "UPDATE",
        Ending::Accepted => "ALLOW",
        Ending::Declined | Ending::Error => "DENY",
        Ending::Empty => "{}",
        Ending::Failed(_) => "nothing",
    };
    word.to_owned()
}

fn changes(reply: &Reply<'_>) -> String {
    let profile = effect(reply).profile;
    if profile.is_empty() {
        return String::new();
    }
    let changes = profile.iter().map(|(name, value)| format!("{name} {}", value.as_str().unwrap_or_default()));
    format!(": {}", changes.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::guide::HOOKS;
    use super::*;

    #[test]
    fn every_answer_of_the_guide_is_understood() {
        let mut lines = Vec::new();
        for hook in HOOKS {
            for scenario in (hook.scenarios)() {
                let meaning = of_answer(&scenario.request.to_string(), scenario.answer.to_string().as_bytes()).unwrap();
                lines.push(format!("{}: {} {}", scenario.asked, meaning.word, meaning.sentence));
            }
        }
        let expected = [
            "sign-up rosario.jones@okta.com: ALLOW The account is created.",
            "sign-up rosario.jones@example.com: DENY No account is created. Shown at email: Only okta.com emails can register.",
            "update employee number 1234: {} The service has no say here. The profile is updated.",
            "update employee number 1234: UPDATE The profile is updated: employeeNumber 1234.",
            "update employee number 1234, mobile phone +1 555 555 1212: UPDATE The profile is updated: employeeNumber 1234, mobilePhone +1 555 555 1212.",
            "update employee number 12345: DENY The profile stays as it is. Shown at employeeNumber: Employee numbers must have 4 digits.",
            "sign-up rosario.jones@okta.com: {} The service has no say here. The account is created.",
            "sign-up rosario.jones@okta.com, employee number 1234: ALLOW The account is created.",
            "sign-up rosario.jones@okta.com, employee number 12345: DENY No account is created. Shown at email: To register, you must have an \"okta\" email and a 4-digit employee number.",
            "sign-up rosario.jones@okta.com: DENY No account is created. Shown at email: To register, you must have an \"okta\" email and a 4-digit employee number.",
            "sign-up rosario.jones@example.com, employee number 1234: DENY No account is created. Shown at email: To register, you must have an \"okta\" email and a 4-digit employee number.",
            "update employee number 1234: UPDATE The profile is updated: employeeNumber 1234.",
            "update employee number 12345: DENY The profile stays as it is. Shown at employeeNumber: Only employee numbers with 4 digits can register.",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn an_answer_that_breaks_the_contract_is_no_answer() {
        let request = r#"{"requestType":"self.service.registration","data":{"userProfile":{}}}"#;
        for answer in [r#"{"commands":{}}"#, "<html>", r#"{"commands":[{"type":"com.okta.unknown","value":{}}]}"#] {
            assert!(of_answer(request, answer.as_bytes()).is_err(), "{answer}");
        }
    }
}
