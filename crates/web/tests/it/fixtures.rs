//! Hooks that tests register, and how they are shown in snapshots.

use hookwright_testkit::{Answer, Org};
use serde_json::{Value, json};

pub(crate) const HOOKS: &str = "/api/v1/inlineHooks";

/// The secret of [`hook`].
pub(crate) const SECRET: &str = "Basic YWRtaW46c3VwZXJzZWNyZXQ=";

/// A registration hook as today's clients create it.
pub(crate) fn hook(name: &str) -> Value {
    json!({
        "name": name,
        "type": "com.okta.user.pre-registration",
        "version": "1.0.0",
        "channel": {
            "type": "HTTP",
            "version": "1.0.0",
            "config": {
                "uri": "https://hooks.example.com/registration",
                "method": "POST",
                "headers": [{"key": "X-Other-Header", "value": "some-other-value"}],
                "authScheme": {"type": "HEADER", "key": "Authorization", "value": SECRET},
            },
        },
    })
}

/// The hook with one member, named by a JSON pointer, set to a value; `null` takes the member away.
pub(crate) fn hook_with(name: &str, pointer: &str, value: Value) -> Value {
    let mut hook = hook(name);
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer to a member");
    let members = hook.pointer_mut(parent).and_then(Value::as_object_mut).expect("the member's object");
    if value.is_null() {
        members.remove(member);
    } else {
        members.insert(member.to_owned(), value);
    }
    hook
}

/// Creates a hook that must be accepted.
#[track_caller]
pub(crate) fn created(org: &Org, body: &Value) -> impl Future<Output = Value> {
    let (client, body) = (org.client.clone(), body.clone());
    let caller = std::panic::Location::caller();
    async move {
        let answer = client.post(HOOKS, &body).await;
        assert_eq!(answer.status, 200, "{} (at {caller})", answer.text());
        answer.json()
    }
}

/// The id of a hook that was shown.
#[track_caller]
pub(crate) fn id_of(hook: &Value) -> &str {
    hook["id"].as_str().expect("a hook has an id")
}

/// The path of a hook that was shown.
#[track_caller]
pub(crate) fn path_of(hook: &Value) -> String {
    format!("{HOOKS}/{}", id_of(hook))
}

/// Status and body of an answer, with what differs from run to run replaced.
pub(crate) fn shown(org: &Org, answer: &Answer) -> String {
    let mut body = answer.json();
    let id = body["id"].as_str().unwrap_or("no id").to_owned();
    if let Some(error_id) = body.get_mut("errorId") {
        *error_id = "[errorId]".into();
    }
    let text = serde_json::to_string_pretty(&body).expect("JSON prints");
    let base = format!("http://{}", org.client.address());
    format!("{}\n{}", answer.status.as_u16(), text.replace(&base, "[org]").replace(&id, "[id]"))
}
