//! One log line for each decision, worded as the guide's sample words it. Names and addresses, as there, but no
//! other value of the request.

use hookwright_contract::request::{Attributes, RegistrationRequest};

use crate::printable::printable;

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
    let text = |name| profile.and_then(|profile| profile.text(name)).filter(|text| !text.is_empty()).map(printable);
    let known: Vec<_> = ["firstName", "lastName", address].into_iter().filter_map(text).collect();
    if known.is_empty() { "Somebody".to_owned() } else { known.join(" ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_begins_with_whoever_is_known() {
        for (profile, line) in [
            (
                json!({"firstName": "Ana", "lastName": "Diaz", "email": "a@okta.com"}),
                "Ana Diaz a@okta.com has registered!",
            ),
            (json!({"firstName": "", "email": "a@okta.com"}), "a@okta.com has registered!"),
            (json!({}), "Somebody has registered!"),
        ] {
            let request = json!({
                "eventType": "com.okta.user.pre-registration",
                "requestType": "self.service.registration",
                "data": {"userProfile": profile},
            });
            let request: RegistrationRequest = serde_json::from_value(request).unwrap();
            assert_eq!(Outcome::Registered.sentence(&request), line);
        }
    }
}
