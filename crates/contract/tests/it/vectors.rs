//! Every vector of `tests/vectors`, through the public functions: verdict, reason, flow, texts and effects.

use std::collections::BTreeMap;
use std::path::Path;

use hookwright_contract::command::{Credential, Registration};
use hookwright_contract::json::Value;
use hookwright_contract::outcome::{Decision, Failure, FlowDecision, decide};
use hookwright_contract::patch::{Target, patched};
use hookwright_contract::{Fault, HookType, Reply, check_reply, password_import, registration, telephony, user_import};
use serde_json::{Value as Json, json};

use crate::schema::BaseSchema;

struct Vectors(BTreeMap<String, Json>);

impl Vectors {
    fn load() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let vectors = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        Self(
            vectors
                .map(|path| {
                    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                    (name, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
                })
                .collect(),
        )
    }

    fn responses(&self) -> impl Iterator<Item = Case<'_>> {
        self.0.iter().filter(|(_, vector)| vector["kind"] == "response").map(|(name, vector)| Case {
            name,
            hook_type: vector["hookType"].as_str().unwrap().parse().unwrap(),
            request: &self.0[vector["request"].as_str().unwrap()]["body"],
            status: vector["http"]["status"].as_u64().unwrap().try_into().unwrap(),
            body: body(&vector["http"]),
            expect: &vector["expect"],
        })
    }
}

struct Case<'v> {
    name: &'v str,
    hook_type: HookType,
    request: &'v Json,
    status: u16,
    body: Vec<u8>,
    expect: &'v Json,
}

impl Case<'_> {
    fn check(&self) -> Result<Reply<'_>, Fault> {
        check_reply(self.hook_type, &Value::from(self.request), self.status, &self.body, &BaseSchema)
    }

    /// The decision as if the request were of that `requestType`.
    fn decide_as(&self, request_type: &str) -> Decision {
        let mut request = self.request.clone();
        request["requestType"] = json!(request_type);
        self.decide(&request)
    }

    fn decide(&self, request: &Json) -> Decision {
        let submitted = ["userProfile", "userProfileUpdate"].map(|member| request["data"][member].as_object());
        let fields: Vec<&str> = submitted.into_iter().flatten().flatten().map(|(name, _)| name.as_str()).collect();
        let checked = self.check();
        let result = checked.as_ref().map_err(Failure::from);
        decide(self.hook_type, &Value::from(request), result, &fields)
    }
}

fn body(http: &Json) -> Vec<u8> {
    if let Some(text) = http["bodyText"].as_str() {
        return text.into();
    }
    if let Some(generator) = http["bodyGenerator"].as_object() {
        let template = generator["template"].as_str().unwrap();
        let total = usize::try_from(generator["totalBytes"].as_u64().unwrap()).unwrap();
        let room = total - (template.len() - "{{FILLER}}".len());
        let filler = generator["filler"].as_str().unwrap().repeat(room);
        return template.replace("{{FILLER}}", &filler[..room]).into();
    }
    http.get("body").map(|body| serde_json::to_vec(body).unwrap()).unwrap_or_default()
}

#[test]
fn every_answer_gets_the_verdict_and_the_reason_it_deserves() {
    let vectors = Vectors::load();
    assert_eq!(vectors.responses().count(), 49);
    for case in vectors.responses() {
        let verdict = case.check();
        assert_eq!(Json::from(verdict.is_ok()), case.expect["valid"], "{}: {verdict:?}", case.name);
        let reason = verdict.err().map(|fault| fault.reason.as_str());
        assert_eq!(json!(reason), case.expect["reason"], "{}", case.name);
    }
}

#[test]
fn every_answer_sends_the_flow_where_it_must_go() {
    for case in Vectors::load().responses() {
        let flow = match case.decide(case.request).flow {
            FlowDecision::Proceed => "proceed",
            FlowDecision::Stop => "stop",
            FlowDecision::ContinueUnchanged => "continue-unchanged",
            FlowDecision::FallbackProvider => "fallback-provider",
        };
        assert_eq!(case.expect["flow"], flow, "{}", case.name);
        for made in ["userCreated", "profileUpdated", "passwordStored"] {
            if let Some(expected) = case.expect.get(made) {
                assert_eq!(*expected, flow == "proceed", "{}: {made}", case.name);
            }
        }
    }
}

#[test]
fn end_users_read_what_okta_shows() {
    for case in Vectors::load().responses() {
        let Some(expected) = case.expect.get("endUser") else {
            continue;
        };
        let mut decisions = Vec::new();
        if let Some(text) = expected.get("progressiveMessage") {
            decisions.push((case.decide_as("self.service.registration"), &expected["message"]));
            decisions.push((case.decide_as("progressive.profile"), text));
        } else {
            decisions.push((case.decide(case.request), &expected["message"]));
        }
        for (decision, text) in decisions {
            assert_eq!(decision.messages.len(), 1, "{}", case.name);
            assert_eq!(json!(decision.messages[0].field), expected["field"], "{}", case.name);
            assert_eq!(json!(decision.messages[0].text), *text, "{}", case.name);
        }
    }
}

#[test]
fn errors_of_tokens_and_assertions_carry_their_text() {
    for case in Vectors::load().responses() {
        let text = case.expect.pointer("/oauthError/error_description").or(case.expect.get("errorPage"));
        if let Some(text) = text {
            assert_eq!(json!(case.decide(case.request).messages[0].text), *text, "{}", case.name);
        }
    }
}

#[test]
fn accepted_answers_have_the_effects_they_ask_for() {
    let mut effects = 0;
    for case in Vectors::load().responses() {
        let Ok(reply) = case.check() else {
            continue;
        };
        for (name, expected) in case.expect.as_object().unwrap() {
            if let Some(effect) = effect(&case, &reply, name, expected) {
                assert_eq!(effect, *expected, "{}: {name}", case.name);
                effects += 1;
            }
        }
    }
    assert_eq!(effects, 20);
}

/// The effect of that name, in the shape the vectors give it.
fn effect(case: &Case<'_>, reply: &Reply<'_>, name: &str, expected: &Json) -> Option<Json> {
    let patched =
        |target| patched(case.hook_type, target, &Value::from(case.request), &reply.commands).unwrap().unwrap();
    let import = || user_import::effect(&Value::from(case.request), reply);
    Some(match name {
        "applied" => {
            let effect = registration::effect(reply);
            assert_eq!(effect.action, Registration::Allow);
            Json::Object(effect.profile)
        }
        "logged" => json!({ "debugContext": reply.debug_context }),
        "credential" => json!(password_import::credential(reply)),
        "hookCalledAgain" => json!(password_import::credential(reply) == Credential::Unverified),
        "action" => json!(import().action),
        "userId" => json!(import().user_id),
        "otpSentBy" => {
            json!(if telephony::delivery(reply).is_some() { "external-service" } else { "built-in provider" })
        }
        "identityClaims" => only(&patched(Target::IdToken)["claims"], expected),
        "accessClaims" => only(&patched(Target::AccessToken)["claims"], expected),
        "identityLifetime" => patched(Target::IdToken)["token"]["lifetime"]["expiration"].clone(),
        "accessClaimsRemoved" => {
            let (before, after) = (&case.request["data"]["access"]["claims"], patched(Target::AccessToken));
            let removed = before.as_object().unwrap().keys().filter(|claim| after["claims"].get(claim).is_none());
            json!(removed.collect::<Vec<_>>())
        }
        "assertion" => {
            let assertion = patched(Target::Assertion);
            let places = expected.as_object().unwrap().keys();
            places.map(|place| (place.clone(), assertion.pointer(place).unwrap().clone())).collect()
        }
        _ => return None,
    })
}

/// The claims that the expectation names.
fn only(claims: &Json, expected: &Json) -> Json {
    let claims = claims.as_object().unwrap().iter().filter(|(name, _)| expected.get(name.as_str()).is_some());
    claims.map(|(name, value)| (name.clone(), value.clone())).collect()
}
