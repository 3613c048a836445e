//! Recovery over IDX, in the shapes and the order of live orgs.

use hookwright_model::user::UserStatus;
use serde_json::{Value, json};

use super::idx::Idx;
use super::org::{FlowOrg, PASSWORD};
use super::recovery::{FRESH, LOGIN, mailed_code};

fn members(body: &Value) -> Vec<&str> {
    body.as_object().expect("an object").keys().map(String::as_str).collect()
}

async fn recover(idx: &mut Idx) -> &mut Idx {
    let current =
        ["currentAuthenticator", "currentAuthenticatorEnrollment"].iter().find(|name| idx.body[**name].is_object());
    let action = &idx.body[*current.expect("an authenticator")]["value"]["recover"];
    assert_eq!((&action["name"], &action["method"]), (&json!("recover"), &json!("POST")), "{:#}", idx.body);
    assert!(action["href"].as_str().expect("a href").ends_with("/idp/idx/recover"));
    idx.post("/idp/idx/recover", json!({})).await
}

/// From the choice of the proof to the end.
async fn prove_and_set(org: &FlowOrg, idx: &mut Idx, authenticator: Value) {
    idx.proceed("select-authenticator-authenticate", json!({"authenticator": authenticator})).await;
    assert_eq!(idx.remediations(), ["challenge-authenticator"]);
    let order = ["version", "stateHandle", "expiresAt", "intent", "remediation", "currentAuthenticatorEnrollment"];
    let rest = ["authenticators", "authenticatorEnrollments", "recoveryAuthenticator", "user", "cancel", "app"];
    assert_eq!(members(&idx.body), [&order[..], &rest[..]].concat());
    let challenge = idx.remediation("challenge-authenticator").clone();
    assert_eq!(challenge["relatesTo"], json!(["$.currentAuthenticatorEnrollment"]));
    let passcode = json!({"name": "passcode", "label": "Enter code", "required": true});
    assert_eq!(challenge["value"][0]["form"]["value"], json!([passcode]), "no secret");
    let current = &idx.body["currentAuthenticatorEnrollment"]["value"];
    assert_eq!(current["key"], "okta_email");
    assert_eq!(current["id"], idx.body["authenticatorEnrollments"]["value"][0]["id"]);
    assert_eq!(idx.body["user"]["value"], json!({"identifier": LOGIN}), "nothing of the account before the proof");
    let shown = idx.body.clone();
    idx.introspect_again().await;
    assert_eq!(idx.body, shown);

    idx.proceed("challenge-authenticator", json!({"credentials": {"passcode": "000000"}})).await;
    assert_eq!(idx.status, 401);
    let said = &idx.remediation("challenge-authenticator")["value"][0]["form"]["value"][0]["messages"]["value"][0];
    let i18n = json!({"key": "api.authn.error.PASSCODE_INVALID", "params": []});
    assert_eq!(*said, json!({"message": "Invalid code. Try again.", "i18n": i18n, "class": "ERROR"}));
    let code = mailed_code(&org.org).await;
    idx.proceed("challenge-authenticator", json!({"credentials": {"passcode": code}})).await;

    assert_eq!((idx.status, idx.remediations()), (200, vec!["reset-authenticator"]), "{:#}", idx.body);
    let order = ["version", "stateHandle", "expiresAt", "intent", "remediation", "currentAuthenticator"];
    assert_eq!(members(&idx.body), [&order[..], &rest[..]].concat());
    let reset = idx.remediation("reset-authenticator").clone();
    assert_eq!(reset["relatesTo"], json!(["$.currentAuthenticator"]));
    let passcode = json!({"name": "passcode", "label": "New password", "required": true, "secret": true});
    assert_eq!(reset["value"][0]["form"]["value"], json!([passcode]));
    assert_eq!(idx.body["currentAuthenticator"], idx.body["recoveryAuthenticator"]);
    assert!(idx.body["recoveryAuthenticator"]["value"]["settings"]["complexity"].is_object());
    assert!(idx.body["user"]["value"]["id"].is_string());
    let shown = idx.body.clone();
    idx.introspect_again().await;
    assert_eq!(idx.body, shown);

    idx.proceed("reset-authenticator", json!({"credentials": {"passcode": "short"}})).await;
    assert_eq!(idx.status, 400);
    let said = &idx.remediation("reset-authenticator")["value"][0]["form"]["value"][0]["messages"]["value"][0];
    assert_eq!(said["i18n"]["key"], "password.passwordRequirementsNotMet");
    assert!(said["message"].as_str().expect("a text").starts_with("Password requirements were not met. "));
    idx.proceed("reset-authenticator", json!({"credentials": {"passcode": FRESH}})).await;
    assert!(idx.status == 200 && idx.body["messages"].is_null() && !idx.code().is_empty(), "{:#}", idx.body);
}

#[tokio::test]
async fn recovery_from_the_one_step_page_goes_as_in_live_orgs() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut idx = org.idx().await;
    recover(&mut idx).await;
    assert_eq!(idx.remediations(), ["identify-recovery"]);
    assert_eq!(members(&idx.body), ["version", "stateHandle", "expiresAt", "intent", "remediation", "cancel", "app"]);
    let form = idx.remediation("identify-recovery").clone();
    assert_eq!(form["value"][0], json!({"name": "identifier", "label": "Username", "required": true}));
    idx.proceed("identify-recovery", json!({"identifier": LOGIN})).await;
    assert_eq!((idx.status, idx.remediations()), (200, vec!["select-authenticator-authenticate"]));
    assert_eq!(
        members(&idx.body),
        [
            "version",
            "stateHandle",
            "expiresAt",
            "intent",
            "remediation",
            "authenticators",
            "authenticatorEnrollments",
            "recoveryAuthenticator",
            "user",
            "cancel",
            "app",
        ]
    );
    let option = idx.remediation("select-authenticator-authenticate")["value"][0]["options"][0].clone();
    assert_eq!(option["label"], "Email");
    assert_eq!(option["relatesTo"], "$.authenticatorEnrollments.value[0]");
    let id = option["value"]["form"]["value"][0]["value"].clone();
    assert_eq!(id, idx.body["authenticators"]["value"][0]["id"]);
    assert!(idx.body["recoveryAuthenticator"]["value"]["settings"].is_null());

    // The clients for Go and .NET ask again before each step, and recover once more.
    idx.introspect_again().await;
    assert_eq!(idx.remediations()[0], "challenge-authenticator");
    assert!(idx.body["recoveryAuthenticator"].is_object(), "{:#}", idx.body);
    recover(&mut idx).await;
    assert_eq!(idx.remediations(), ["select-authenticator-authenticate"]);
    prove_and_set(&org, &mut idx, json!({"id": id})).await;
}

#[tokio::test]
async fn recovery_after_the_name_goes_to_the_choice_at_once() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut idx = org.idx().await;
    idx.proceed("identify", json!({"identifier": LOGIN})).await;
    assert_eq!(idx.body["authenticators"]["value"][0]["key"], "okta_password");
    let enrollments = &idx.body["authenticatorEnrollments"]["value"];
    assert_eq!(enrollments[0]["id"], idx.body["currentAuthenticatorEnrollment"]["value"]["id"]);
    recover(&mut idx).await;
    assert_eq!(idx.remediations(), ["select-authenticator-authenticate"]);
    idx.proceed("select-authenticator-authenticate", json!({"authenticator": {"id": "autPassword"}})).await;
    assert_eq!((idx.status, idx.remediations()), (400, vec!["select-authenticator-authenticate"]));
    prove_and_set(&org, &mut idx, json!({"id": "autEmail", "methodType": "email"})).await;
}

#[tokio::test]
async fn whoever_remembers_the_password_at_the_choice_signs_in() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut idx = org.idx().await;
    idx.proceed("identify", json!({"identifier": LOGIN})).await;
    recover(&mut idx).await;
    idx.introspect_again().await;
    idx.proceed("challenge-authenticator", json!({"credentials": {"passcode": PASSWORD}})).await;
    assert!(!idx.code().is_empty());
}

#[tokio::test]
async fn over_idx_a_name_that_nobody_has_is_answered_as_any_other() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    let mut answers = Vec::new();
    for name in [LOGIN, "rosaria@okta.com"] {
        let mut idx = org.idx().await;
        recover(&mut idx).await;
        let mut seen = Vec::new();
        idx.proceed("identify-recovery", json!({"identifier": name})).await;
        for step in 0..3 {
            let text = idx.body.to_string().replace(&idx.handle, "HANDLE").replace(name, "NAME");
            seen.push((idx.status, text));
            match step {
                0 => {
                    let choice = json!({"authenticator": {"id": "autEmail", "methodType": "email"}});
                    idx.proceed("select-authenticator-authenticate", choice).await;
                }
                _ => {
                    idx.proceed("challenge-authenticator", json!({"credentials": {"passcode": "0"}})).await;
                }
            }
        }
        answers.push(seen);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn an_account_is_unlocked_over_idx_with_a_mailed_code() {
    let org = FlowOrg::start().await;
    org.user(LOGIN).await;
    org.set_status(LOGIN, UserStatus::LockedOut).await;
    let mut idx = org.idx().await;
    idx.proceed("unlock-account", json!({})).await;
    assert_eq!(idx.remediations(), ["select-authenticator-unlock-account"]);
    let names: Vec<Value> = idx.remediation("select-authenticator-unlock-account")["value"]
        .as_array()
        .expect("fields")
        .iter()
        .map(|field| field["name"].clone())
        .collect();
    assert_eq!(names, ["identifier", "authenticator", "stateHandle"]);
    let values = json!({"identifier": LOGIN, "authenticator": {"id": "autEmail", "methodType": "email"}});
    idx.proceed("select-authenticator-unlock-account", values).await;
    assert_eq!(idx.remediations(), ["challenge-authenticator", "select-authenticator-authenticate"]);
    let code = mailed_code(&org.org).await;
    idx.proceed("challenge-authenticator", json!({"credentials": {"passcode": code}})).await;
    assert_eq!((idx.status, idx.remediations().len()), (200, 0), "{:#}", idx.body);
    let said = &idx.body["messages"]["value"][0];
    assert_eq!(
        (&said["class"], &said["i18n"]["key"]),
        (&json!("INFO"), &json!("oie.selfservice.unlock_user.success.message"))
    );
    assert!(idx.body["cancel"].is_object() && idx.body["user"].is_object());
    assert_eq!(org.stored(LOGIN).await.expect("the user").status, UserStatus::Active);
    idx.post("/idp/idx/cancel", json!({})).await;
    idx.sign_in(LOGIN, PASSWORD).await;
    assert!(!idx.code().is_empty());
}
