//! One log line for each decision, worded as the guide's sample words it. Names and addresses, as there, but no
//! other value of the request.

use std::borrow::Cow;

use hookwright_contract::request::{Attributes, RegistrationRequest};

/// Longest text taken from a request into a log line, in characters.
const MAX_LOGGED: usize = 100;

/// What an endpoint decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Registered,
    RegistrationDenied,
    ProfileUpdated,
    NumberAdded,
    WrongNumber,
    /// Not the request type that this endpoint decides.
    PassedOver,
}

impl Outcome {
    fn verdict(self) -> &'static str {
        match self {
            Self::Registered | Self::ProfileUpdated | Self::NumberAdded => "allowed",
            Self::RegistrationDenied | Self::WrongNumber => "denied",
            Self::PassedOver => "passed over",
        }
    }

    /// What happened to whom.
    fn sentence(self, request: &RegistrationRequest) -> String {
        let new = || named(request.data.user_profile.as_ref(), "email");
        let existing = || named(request.existing_profile(), "login");
        match self {
            Self::Registered => format!("{} has registered!", new()),
            Self::RegistrationDenied => format!("{} denied registration!", new()),
            Self::ProfileUpdated => format!("{} has updated profile!", existing()),
            Self::NumberAdded => format!("{} employee number added to profile!", existing()),
            Self::WrongNumber => format!("{} employee number is not the correct number of digits!", existing()),
            Self::PassedOver => "Not a request that this endpoint decides".to_owned(),
        }
    }
}

/// Writes the line.
pub(super) fn decided(path: &str, request: &RegistrationRequest, outcome: Outcome) {
    tracing::info!(
        path,
        request_type = request.request_type.as_deref().map(printable).as_deref(),
        event_id = request.event_id.as_deref().map(printable).as_deref(),
        decision = outcome.verdict(),
        "{}",
        outcome.sentence(request)
    );
}

fn named(profile: Option<&Attributes>, address: &str) -> String {
    let text = |name| profile.and_then(|profile| profile.text(name)).map(printable).unwrap_or_default();
    [text("firstName"), text("lastName"), text(address)].join(" ")
}

/// Text from a request as it may go into a log line: control characters escaped, so that nobody can forge a line,
/// and cut short.
fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().count() <= MAX_LOGGED && !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .take(MAX_LOGGED)
        .flat_map(|character| {
            let escaped = character.is_control().then(|| character.escape_default());
            escaped.into_iter().flatten().chain((!character.is_control()).then_some(character))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_forge_a_log_line() {
        assert_eq!(printable("Rosario Jones"), "Rosario Jones");
        assert_eq!(printable("a\nINFO all is well\u{1b}[2J"), r"a\nINFO all is well\u{1b}[2J");
        assert_eq!(printable(&"x".repeat(10_000)).len(), MAX_LOGGED);
    }
}
