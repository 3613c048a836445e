//! Which rule answers a request.

use hookwright_contract::HookType;
use hookwright_contract::json::{self, Value};
use hookwright_contract::request::{
    HookRequest, LegacyData, PasswordImportData, RegistrationData, RequestData, RequestError, SamlData, TelephonyData,
    TokenData, UserImportData,
};

use super::file::{EndpointRules, Rule};
use crate::Problem;
use crate::endpoint::Reply;
use crate::printable::printable;

/// Answers a request body by the rules of one endpoint.
pub(super) fn decide(endpoint: &EndpointRules, body: &[u8]) -> Reply {
    answer(endpoint, body).unwrap_or_else(|error| {
        let problem = Problem::from(error);
        tracing::warn!(path = endpoint.path(), problem = problem.summary(), "refused a request");
        problem.into()
    })
}

fn answer(endpoint: &EndpointRules, body: &[u8]) -> Result<Reply, RequestError> {
    let request = json::parse(body).map_err(|fault| RequestError::Malformed {
        reason: fault.reason.to_string(),
        line: fault.line,
        column: fault.column,
    })?;
    if request.as_object().is_none() {
        return Err(RequestError::Member { path: "the body".to_owned(), reason: "must be an object".to_owned() });
    }
    if let Some(hook) = endpoint.hook {
        check(hook, body)?;
    }
    for rule in endpoint.rule.iter().map(|rule| rule.get_ref()) {
        if rule.applies(&request)? {
            log(endpoint, &request, if rule.answer.refuses() { "denied" } else { "answered" }, Some(rule.line));
            return Ok(rule.answer.reply(&request));
        }
    }
    log(endpoint, &request, "passed over", None);
    Ok(Reply::ok(b"{}".to_vec()))
}

/// Refuses what a handler of that hook type would not get to see either.
fn check(hook: HookType, body: &[u8]) -> Result<(), RequestError> {
    fn parses<D: RequestData>(body: &[u8]) -> Result<(), RequestError> {
        HookRequest::<D>::parse(body).map(drop)
    }
    match hook {
        HookType::Registration => parses::<RegistrationData>(body),
        HookType::Token => parses::<TokenData>(body),
        HookType::Saml => parses::<SamlData>(body),
        HookType::PasswordImport => parses::<PasswordImportData>(body),
        HookType::UserImport => parses::<UserImportData>(body),
        HookType::Telephony => parses::<TelephonyData>(body),
        HookType::LegacyTokens => parses::<LegacyData>(body),
    }
}

impl Rule {
    fn applies(&self, request: &Value<'_>) -> Result<bool, RequestError> {
        if let Some(types) = &self.request_types {
            let request_type = request.get("requestType").and_then(Value::as_str);
            if !request_type.is_some_and(|request_type| types.iter().any(|wanted| wanted == request_type)) {
                return Ok(false);
            }
        }
        if let Some(missing) = self.requires.iter().find(|member| member.find(request).is_none()) {
            return Err(RequestError::missing(missing.to_string()));
        }
        Ok(self.when.iter().all(|(member, condition)| condition.holds(member.find(request))))
    }
}

fn log(endpoint: &EndpointRules, request: &Value<'_>, decision: &str, rule_line: Option<usize>) {
    let text = |name| request.get(name).and_then(Value::as_str).map(printable);
    tracing::info!(
        path = endpoint.path(),
        request_type = text("requestType").as_deref(),
        event_id = text("eventId").as_deref(),
        decision,
        rule_line,
        "decided by a rule"
    );
}
