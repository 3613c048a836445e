//! What the sign-in pages of the demo need: the attribute that the guide asks for, a policy and an app for each hook, and
//! somebody who has an account.

use anyhow::Context;
use http::Method;
use serde_json::{Value, json};

use super::client::Client;
use super::play::{Registered, text};

/// The password of everybody in the demo.
pub(super) const PASSWORD: &str = "correct-horse-demo";

/// Who has an account, and no employee number.
pub(super) const EXISTING: &str = "maria.lopez@okta.com";

const POLICIES_PATH: &str = "/api/v1/policies";
const APPS_PATH: &str = "/api/v1/apps";

/// What the rule of a hook's policy says beside the hook.
#[derive(Debug, Clone, Copy)]
struct Rule {
    label: &'static str,
    run_on: &'static str,
    sign_up: bool,
    employee_number: bool,
}

/// In the order of the guide's hooks.
const RULES: [Rule; 3] = [
    Rule { label: "Sign-up", run_on: "NEW_USER", sign_up: true, employee_number: false },
    Rule { label: "Employee number", run_on: "EXISTING_USER", sign_up: false, employee_number: true },
    Rule { label: "Sign-up and employee number", run_on: "BOTH", sign_up: true, employee_number: true },
];

/// Makes what is not there yet; gives the ids of the apps, in the order of the hooks.
///
/// # Errors
/// The org refused.
pub(super) async fn prepare(client: &mut Client, hooks: &[Registered]) -> anyhow::Result<Vec<String>> {
    let writable = json!({"permissions": [{"principal": "SELF", "action": "READ_WRITE"}]});
    let schema = json!({"definitions": {"base": {"properties": {"employeeNumber": writable}}}});
    client.send(Method::POST, "/api/v1/meta/schemas/user/default", Some(&schema)).await?.success()?;
    let mut apps = Vec::new();
    for (hook, rule) in hooks.iter().zip(RULES) {
        let app = prepare_app(client, hook, rule).await;
        apps.push(app.with_context(|| format!("the app {:?} can't be made", rule.label))?);
    }
    if user(client, EXISTING).await?.is_none() {
        let profile = json!({"firstName": "Maria", "lastName": "Lopez", "login": EXISTING, "email": EXISTING});
        let body = json!({"profile": profile, "credentials": {"password": {"value": PASSWORD}}});
        client.send(Method::POST, "/api/v1/users?activate=true", Some(&body)).await?.success()?;
    }
    Ok(apps)
}

async fn prepare_app(client: &mut Client, hook: &Registered, rule: Rule) -> anyhow::Result<String> {
    let name = format!("Guide: {}", rule.label);
    let policies =
        client.send(Method::GET, &format!("{POLICIES_PATH}?type=PROFILE_ENROLLMENT"), None).await?.success()?;
    let policy = match id_of(&policies, "name", &name) {
        Some(id) => id,
        None => {
            let body = json!({"name": name, "type": "PROFILE_ENROLLMENT", "status": "ACTIVE"});
            let made = client.send(Method::POST, POLICIES_PATH, Some(&body)).await?.success()?;
            text(&made, "id").to_owned()
        }
    };
    let rules = format!("{POLICIES_PATH}/{policy}/rules");
    let stored = client.send(Method::GET, &rules, None).await?.success()?;
    let stored = stored.get(0).cloned().unwrap_or_default();
    let changed = with_hook(stored, hook, rule);
    let path = format!("{rules}/{}", text(&changed, "id"));
    client.send(Method::PUT, &path, Some(&changed)).await?.success()?;

    let apps = client.send(Method::GET, APPS_PATH, None).await?.success()?;
    let app = match id_of(&apps, "label", &name) {
        Some(id) => id,
        None => {
            let settings = json!({"app": {"url": "http://127.0.0.1/", "requestIntegration": false}});
            let body = json!({"name": "bookmark", "label": name, "signOnMode": "BOOKMARK", "settings": settings});
            let made = client.send(Method::POST, APPS_PATH, Some(&body)).await?.success()?;
            text(&made, "id").to_owned()
        }
    };
    client.send(Method::PUT, &format!("{APPS_PATH}/{app}/policies/{policy}"), None).await?.success()?;
    Ok(app)
}

/// The policy's rule with the hook and the form that the guide describes.
fn with_hook(mut stored: Value, hook: &Registered, rule: Rule) -> Value {
    let mut fields = vec![
        json!({"name": "email", "label": "Email", "required": true}),
        json!({"name": "firstName", "label": "First name", "required": true}),
        json!({"name": "lastName", "label": "Last name", "required": true}),
    ];
    if rule.employee_number {
        fields.push(json!({"name": "employeeNumber", "label": "Employee number", "required": true}));
    }
    let changes = json!({
        "unknownUserAction": if rule.sign_up { "REGISTER" } else { "DENY" },
        "progressiveProfilingAction": if rule.employee_number { "ENABLED" } else { "DISABLED" },
        "activationRequirements": {"emailVerification": false},
        "preRegistrationInlineHooks": [{"inlineHookId": hook.id, "runOn": rule.run_on}],
        "profileAttributes": fields,
    });
    let members = stored.pointer_mut("/actions/profileEnrollment").and_then(Value::as_object_mut);
    if let (Some(members), Value::Object(changes)) = (members, changes) {
        members.extend(changes);
    }
    stored
}

/// The id of the object in a list whose member is this text.
fn id_of(list: &Value, member: &str, wanted: &str) -> Option<String> {
    let object = list.as_array()?.iter().find(|object| text(object, member) == wanted)?;
    Some(text(object, "id").to_owned())
}

/// The user with this login, if there is one.
///
/// # Errors
/// The org does not answer.
pub(super) async fn user(client: &mut Client, login: &str) -> anyhow::Result<Option<Value>> {
    let answer = client.send(Method::GET, &format!("/api/v1/users/{login}"), None).await?;
    if answer.status == http::StatusCode::NOT_FOUND { Ok(None) } else { answer.success().map(Some) }
}

/// Removes the user with this login, if there is one.
///
/// # Errors
/// The org refused.
pub(super) async fn remove(client: &mut Client, login: &str) -> anyhow::Result<()> {
    let Some(found) = user(client, login).await? else { return Ok(()) };
    let path = format!("/api/v1/users/{}", text(&found, "id"));
    // The first DELETE deactivates, the second one deletes.
    if text(&found, "status") != "DEPROVISIONED" {
        client.send(Method::DELETE, &path, None).await?.success()?;
    }
    client.send(Method::DELETE, &path, None).await?.success().map(drop)
}

/// Takes the employee number of [`EXISTING`] away.
///
/// # Errors
/// The org refused.
pub(super) async fn forget_employee_number(client: &mut Client) -> anyhow::Result<()> {
    let body = json!({"profile": {"employeeNumber": null}});
    client.send(Method::POST, &format!("/api/v1/users/{EXISTING}"), Some(&body)).await?.success().map(drop)
}
