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
    let text = |name| profile.and_then(|profile| profile.text(name)).map(printable).unwrap_or_default();
    [text("firstName"), text("lastName"), text(address)].join(" ")
}
