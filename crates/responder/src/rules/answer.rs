//! The answer of a rule.

use std::time::Duration;

use hookwright_contract::CommandType;
use hookwright_contract::json::Value;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::template::{Members, Template};
use crate::endpoint::Reply;
use crate::{Answer, Cause, LocationType};

/// The longest that a rule may wait.
const MAX_DELAY_MS: u64 = 60_000;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AnswerRule {
    pub(super) action: Option<Action>,
    update_profile: Option<Members>,
    update_progressive_profile: Option<Members>,
    commands: Option<Vec<CommandRule>>,
    error: Option<String>,
    causes: Vec<CauseRule>,
    debug: Option<Members>,
    status: Status,
    delay_ms: Delay,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Action {
    Allow,
    Deny,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandRule {
    #[serde(rename = "type")]
    kind: String,
    value: Template,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CauseRule {
    summary: String,
    reason: Option<String>,
    location_type: Option<LocationType>,
    location: Option<String>,
    domain: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "u16")]
struct Status(StatusCode);

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "u64")]
struct Delay(Duration);

impl AnswerRule {
    /// Whether the answer refuses something, for the log.
    pub(super) fn refuses(&self) -> bool {
        self.action == Some(Action::Deny) || self.error.is_some() || !self.causes.is_empty()
    }

    /// The answer to a request.
    pub(super) fn reply(&self, request: &Value<'_>) -> Reply {
        let answer = self.answer(request);
        // An answer is made of texts and JSON values, which always can be written.
        let body = serde_json::to_vec(&answer).unwrap_or_default();
        Reply { status: self.status.0, body: body.into(), delay: self.delay_ms.0 }
    }

    fn answer(&self, request: &Value<'_>) -> Answer<()> {
        let mut answer = Answer::unchanged();
        if let Some(action) = self.action {
            let action = if action == Action::Allow { "ALLOW" } else { "DENY" };
            answer = answer.command(CommandType::ActionUpdate.as_str(), json!({ "registration": action }));
        }
        for (kind, attributes) in [
            (CommandType::UserProfileUpdate, &self.update_profile),
            (CommandType::UserProgressiveProfileUpdate, &self.update_progressive_profile),
        ] {
            if let Some(attributes) = attributes {
                answer = answer.command(kind.as_str(), attributes.fill(request).into());
            }
        }
        if let Some(commands) = &self.commands {
            answer = answer.with_commands_member();
            for command in commands {
                let value = command.value.fill(request).unwrap_or_default();
                answer = answer.command(command.kind.clone(), value);
            }
        }
        if let Some(error) = &self.error {
            answer = answer.with_error(error);
        }
        for cause in &self.causes {
            answer = answer.cause(cause.into());
        }
        match &self.debug {
            Some(debug) => {
                debug.fill(request).into_iter().fold(answer, |answer, (name, value)| answer.debug(name, value))
            }
            None => answer,
        }
    }
}

impl From<&CauseRule> for Cause {
    fn from(rule: &CauseRule) -> Self {
        let mut cause = Self::new(&rule.summary);
        if let Some(reason) = &rule.reason {
            cause = cause.reason(reason);
        }
        if let Some(location_type) = rule.location_type {
            cause = cause.location_type(location_type);
        }
        if let Some(location) = &rule.location {
            cause = cause.location(location);
        }
        match &rule.domain {
            Some(domain) => cause.domain(domain),
            None => cause,
        }
    }
}

impl Default for Status {
    fn default() -> Self {
        Self(StatusCode::OK)
    }
}

impl TryFrom<u16> for Status {
    type Error = String;

    fn try_from(status: u16) -> Result<Self, String> {
        match StatusCode::from_u16(status) {
            // 1xx statuses are no final answers.
            Ok(code) if (200..600).contains(&status) => Ok(Self(code)),
            _ => Err(format!("{status} is not from 200 to 599")),
        }
    }
}

impl TryFrom<u64> for Delay {
    type Error = String;

    fn try_from(milliseconds: u64) -> Result<Self, String> {
        if milliseconds <= MAX_DELAY_MS {
            Ok(Self(Duration::from_millis(milliseconds)))
        } else {
            Err(format!("{milliseconds} is more than {MAX_DELAY_MS}"))
        }
    }
}
