//! Registers the guide's hooks through the Inline Hooks Management API and sends the guide's requests through them.

use std::net::SocketAddr;

use anyhow::Context;
use http::Method;
use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::guide::{self, Hook, Scenario};
use super::meaning::{self, Meaning};
use super::table::Row;

const HOOKS_PATH: &str = "/api/v1/inlineHooks";

/// A hook of the guide as the org knows it.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) hook: Hook,
    pub(super) id: String,
}

/// What became of one request of the guide.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) row: Row,
    /// The record of the call.
    pub(super) execution: Option<String>,
}

/// Makes sure that the org has the guide's hooks, calling this service; hooks of an earlier run are used again.
///
/// # Errors
/// The org refused.
pub(super) async fn register(client: &mut Client, service: SocketAddr) -> anyhow::Result<Vec<Registered>> {
    let known = client.send(Method::GET, HOOKS_PATH, None).await?.success()?;
    let mut registered = Vec::new();
    for hook in guide::HOOKS {
        let existing = known.as_array().into_iter().flatten().find(|known| text(known, "name") == hook.name);
        let object = match existing {
            None => client.send(Method::POST, HOOKS_PATH, Some(&definition(&hook, service))).await?.success(),
            Some(existing) => reuse(client, existing, &definition(&hook, service)).await,
        };
        let object = object.with_context(|| format!("the hook {:?} can't be registered", hook.name))?;
        registered.push(Registered { hook, id: text(&object, "id").to_owned() });
    }
    Ok(registered)
}

/// The service's port may have changed since the last run, and somebody may have deactivated the hook.
async fn reuse(client: &mut Client, existing: &Value, definition: &Value) -> anyhow::Result<Value> {
    let path = format!("{HOOKS_PATH}/{}", text(existing, "id"));
    let replaced = client.send(Method::PUT, &path, Some(definition)).await?.success()?;
    if text(&replaced, "status") == "ACTIVE" {
        return Ok(replaced);
    }
    client.send(Method::POST, &format!("{path}/lifecycle/activate"), None).await?.success()
}

fn definition(hook: &Hook, service: SocketAddr) -> Value {
    json!({
        "name": hook.name,
        "type": "com.okta.user.pre-registration",
        "version": "1.0.0",
        "channel": {
            "type": "HTTP",
            "version": "1.0.0",
            "config": {
                "uri": format!("http://{service}{}", hook.path),
                "method": "POST",
                "headers": [],
                "authScheme": {"type": "HEADER", "key": "authorization", "value": guide::SECRET},
            },
        },
    })
}

/// Sends one request of the guide through `execute`.
///
/// # Errors
/// The org did not answer at all; a refusal is a row that does not match.
pub(super) async fn play(client: &mut Client, id: &str, scenario: &Scenario) -> anyhow::Result<Played> {
    let path = format!("{HOOKS_PATH}/{id}/execute");
    let answer = client.send(Method::POST, &path, Some(&scenario.request)).await?;
    let meaning = understand(scenario, &answer);
    let row = Row {
        asked: scenario.asked.clone(),
        answered: meaning.word,
        allowed: meaning.allowed,
        took: answer.took,
        means: meaning.sentence,
        // Byte for byte: `execute` hands on what the service wrote, and the guide's code writes compact JSON.
        as_guide: answer.status.is_success() && answer.body == scenario.answer.to_string().as_bytes(),
    };
    Ok(Played { row, execution: answer.execution() })
}

fn understand(scenario: &Scenario, answer: &Answer) -> Meaning {
    let refused = |word: &str, sentence: String| Meaning { word: word.to_owned(), allowed: false, sentence };
    if answer.status.is_success() {
        return meaning::of_answer(&scenario.request.to_string(), &answer.body)
            .unwrap_or_else(|error| refused("unusable", format!("{error:#}")));
    }
    let body = answer.json();
    let causes = body.get("errorCauses").and_then(Value::as_array).into_iter().flatten();
    let sentences = std::iter::once(&body).chain(causes).map(|part| text(part, "errorSummary"));
    refused(text(&body, "errorCode"), sentences.collect::<Vec<_>>().join(" "))
}

/// A text member; empty if it is not there.
pub(super) fn text<'v>(object: &'v Value, member: &str) -> &'v str {
    object.get(member).and_then(Value::as_str).unwrap_or_default()
}
