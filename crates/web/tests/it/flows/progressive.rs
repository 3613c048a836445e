//! Completing a profile at sign-in.

use hookwright_model::enrollment_policy::RunOn;
use hookwright_testkit::Reply;
use serde_json::{Value, json};

use super::idx::Idx;
use super::org::{FlowOrg, PASSWORD, asking};

const LOGIN: &str = "rosario@okta.com";

async fn org() -> FlowOrg {
    let org = FlowOrg::with(|rule| {
        rule.profile_attributes.push(asking("employeeNumber", true));
        rule.profile_attributes.push(asking("mobilePhone", false));
    })
    .await;
    org.user(LOGIN).await;
    org
}

async fn asked_for_more(org: &FlowOrg) -> Idx {
    let mut idx = org.idx().await;
    idx.sign_in(LOGIN, PASSWORD).await;
    assert_eq!((idx.status, idx.remediations()), (200, vec!["enroll-profile"]), "{:#}", idx.body);
    idx
}

#[tokio::test]
async fn what_is_missing_is_asked_judged_and_stored() {
    let org = org().await;
    let mut idx = asked_for_more(&org).await;
    let names: Vec<&Value> = idx.fields().into_iter().map(|field| &field["name"]).collect();
    assert_eq!(names, ["employeeNumber", "mobilePhone"]);
    assert!(idx.remediation("enroll-profile")["href"].as_str().expect("text").ends_with("/idp/idx/enroll/update"));
    org.answers(&[r#"{"commands":[{"type":"com.okta.user.progressive.profile.update","value":
        {"employeeNumber":"1234","department":"Ops"}}]}"#]);
    idx.register(json!({"employeeNumber": " 1234 ", "email": "other@okta.com"})).await;
    assert!(!idx.code().is_empty());
    let user = org.stored(LOGIN).await.expect("the user");
    assert_eq!(
        (&user.profile["employeeNumber"], &user.profile["department"], &user.profile["email"]),
        (&json!("1234"), &json!("Ops"), &json!(LOGIN))
    );
    let request = &org.asked()[0];
    assert_eq!(request["requestType"], "progressive.profile");
    assert_eq!(request["data"]["userProfileUpdate"], json!({"employeeNumber": "1234"}));
    assert!(request["data"].get("userProfile").is_none());
    let context = &request["data"]["context"];
    assert_eq!(context["request"]["url"]["value"], "/idp/idx/enroll/update");
    assert_eq!(context["user"]["id"], json!(user.id));
    assert_eq!(context["user"]["_links"]["groups"]["href"], json!(format!("/api/v1/users/{}/groups", user.id)));
    assert_eq!(
        context["user"]["profile"],
        json!({"firstName": "Rosario", "lastName": "Jones", "timeZone": "America/Los_Angeles", "login": LOGIN, "locale": "en_US"})
    );
    assert_eq!(org.count("user.account.update_profile").await, 1);

    let mut again = org.idx().await;
    again.sign_in(LOGIN, PASSWORD).await;
    assert!(!again.code().is_empty(), "nothing is missing any longer; the optional one is not asked again");
}

#[tokio::test]
async fn a_refused_update_changes_nothing_and_keeps_the_form() {
    let org = org().await;
    let deny = r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"DENY"}}]}"#;
    let cause = r#"{"commands":[],"error":{"errorSummary":"No.","errorCauses":[{"errorSummary":
        "Employee numbers must have 4 digits.","location":"data.userProfile.employeeNumber"}]}}"#;
    let ssr = r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"title":"x"}}]}"#;
    let failed = "There was an error updating your profile. Please try again later.";
    let mut idx = asked_for_more(&org).await;
    for (reply, banner) in [
        (Reply::json(200, deny), "Profile update denied."),
        (Reply::json(200, r#"{"error":{}}"#), "We found some errors. Please review the form and make corrections."),
        (Reply::json(200, ssr), failed),
        (Reply::json(500, ""), failed),
        (Reply::hang(), failed),
    ] {
        org.service.on("/hook", [reply]);
        idx.register(json!({"employeeNumber": "12345"})).await;
        assert_eq!((idx.status, idx.banners()), (400, vec![banner]));
    }
    org.answers(&[cause]);
    idx.register(json!({"employeeNumber": "12345"})).await;
    assert_eq!(idx.said_at("employeeNumber"), ["Employee numbers must have 4 digits."]);
    assert!(!org.stored(LOGIN).await.expect("the user").profile.contains_key("employeeNumber"));
    idx.register(json!({})).await;
    assert_eq!((idx.status, idx.said_at("employeeNumber").len()), (400, 1), "a required field is required");
    assert_eq!(org.count("user.account.update_profile").await, 0);
    org.answers(&["{}"]);
    idx.register(json!({"employeeNumber": "1234", "mobilePhone": "5"})).await;
    assert!(!idx.code().is_empty());
    assert_eq!(org.stored(LOGIN).await.expect("the user").profile["mobilePhone"], "5", "kept although not echoed");
}

#[tokio::test]
async fn a_user_who_changed_while_the_hook_thought_is_asked_again() {
    use hookwright_store::Change;
    let org = org().await;
    let mut idx = asked_for_more(&org).await;
    org.service.on("/hook", [Reply::json(200, "{}").after(std::time::Duration::from_millis(200))]);
    let other = async {
        while org.service.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        let user = org.stored(LOGIN).await.expect("the user");
        org.org.store.commit(vec![Change::UpdateUser(Box::new(user))]).await.expect("a change");
    };
    let mut slow = idx.clone();
    tokio::join!(slow.register(json!({"employeeNumber": "1234"})), other);
    assert_eq!(slow.status, 400);
    assert!(!org.stored(LOGIN).await.expect("the user").profile.contains_key("employeeNumber"));
    org.answers(&["{}"]);
    idx.register(json!({"employeeNumber": "1234"})).await;
    assert!(!idx.code().is_empty());
}

#[tokio::test]
async fn nobody_is_asked_where_progressive_profiling_is_off_or_for_whom_the_hook_does_not_run() {
    let org = org().await;
    org.change_rule(|rule| {
        if let Some(hook) = &mut rule.hook {
            hook.run_on = RunOn::NewUser;
        }
    })
    .await;
    let mut idx = asked_for_more(&org).await;
    idx.register(json!({"employeeNumber": "not judged"})).await;
    assert!(!idx.code().is_empty() && org.asked().is_empty());

    org.user("second@okta.com").await;
    org.change_rule(|rule| rule.progressive_profiling = false).await;
    let mut second = org.idx().await;
    second.sign_in("second@okta.com", PASSWORD).await;
    assert!(!second.code().is_empty());
}
