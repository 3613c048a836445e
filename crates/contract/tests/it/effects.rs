//! What accepted answers change: order of commands, defaults, texts for end users.

use hookwright_contract::command::{Credential, DeliveryStatus, Import, Registration};
use hookwright_contract::json::Value;
use hookwright_contract::outcome::{FlowDecision, decide};
use hookwright_contract::registration::{EndUserMessage, RegistrationEffect};
use hookwright_contract::{HookType, password_import, registration, telephony, user_import};
use serde_json::json;

use crate::faults::check;

fn register(body: &'static str) -> RegistrationEffect {
    registration::effect(&check(HookType::Registration, &json!({}), body).unwrap())
}

#[test]
fn commands_apply_in_array_order_and_members_in_member_order() {
    let effect = register(
        r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"title":"a","city":"b"}},
            {"type":"com.okta.user.profile.update","value":{"city":"c","state":null,"title":"d"}}]}"#,
    );
    let profile = serde_json::to_string(&effect.profile).unwrap();
    assert_eq!(profile, r#"{"title":"d","city":"c","state":null}"#);
    assert_eq!((effect.action, effect.warnings.len()), (Registration::Allow, 0));
}

#[test]
fn any_deny_counts_and_both_commands_are_named() {
    let allow_deny = register(
        r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"city":"b"}},
            {"type":"com.okta.action.update","value":{"registration":"ALLOW"}},
            {"type":"com.okta.action.update","value":{"registration":"DENY"}}]}"#,
    );
    assert_eq!(allow_deny.action, Registration::Deny);
    assert_eq!(allow_deny.warnings, ["/commands/1 says ALLOW and /commands/2 says DENY; any DENY counts."]);
    assert!(allow_deny.profile.is_empty());
    let deny_allow = register(
        r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"DENY"}},
            {"type":"com.okta.action.update","value":{"registration":"ALLOW"}}]}"#,
    );
    assert_eq!(deny_allow.action, Registration::Deny);
    assert_eq!(deny_allow.warnings, ["/commands/1 says ALLOW and /commands/0 says DENY; any DENY counts."]);
}

#[test]
fn the_member_action_is_read_where_registration_is_absent() {
    let action = r#"{"commands":[{"type":"com.okta.action.update","value":{"action":"DENY"}}]}"#;
    assert_eq!(register(action).action, Registration::Deny);
    let both = r#"{"commands":[{"type":"com.okta.action.update","value":{"action":"ALLOW","registration":"DENY"}}]}"#;
    assert_eq!(register(both).action, Registration::Deny);
}

#[test]
fn any_error_denies_a_registration_and_changes_nothing() {
    for body in [
        r#"{"error":{}}"#,
        r#"{"error":false}"#,
        r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"city":"b"}}],"error":[]}"#,
    ] {
        let effect = register(body);
        assert_eq!(effect.action, Registration::Deny, "{body}");
        assert!(effect.profile.is_empty(), "{body}");
    }
}

#[test]
fn each_cause_goes_to_its_field_or_to_the_banner() {
    let body = r#"{"error":{"errorSummary":"top","errorCauses":[
        {"errorSummary":"one","location":"data.userProfile.email","domain":"inner"},
        {"errorSummary":"two","location":"/data/userProfile/city"},
        {"errorSummary":"three","location":"data.userProfile.unknown"},
        {"errorSummary":"four"},
        {"errorSummary":"  ","location":"data.userProfile.city"},
        {"location":"data.userProfile.city"}]}}"#;
    let reply = check(HookType::Registration, &json!({}), body).unwrap();
    let decision = decide(HookType::Registration, &Value::Null, Ok(&reply), &["email", "city"]);
    let message =
        |field: Option<&str>, text: &str| EndUserMessage { field: field.map(str::to_owned), text: text.to_owned() };
    assert_eq!(decision.flow, FlowDecision::Stop);
    assert_eq!(
        decision.messages,
        [message(Some("email"), "one"), message(Some("city"), "two"), message(None, "three"), message(None, "four")]
    );
}

#[test]
fn a_denial_that_an_error_goes_with_shows_the_text_of_the_error() {
    let body = r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"DENY"}}],"error":{"errorSummary":"top"}}"#;
    let reply = check(HookType::Registration, &json!({}), body).unwrap();
    let request = json!({ "requestType": "progressive.profile" });
    let decision = decide(HookType::Registration, &Value::from(&request), Ok(&reply), &[]);
    assert_eq!(decision.messages[0].text, "We found some errors. Please review the form and make corrections.");
}

#[test]
fn a_password_is_verified_only_by_the_last_word() {
    let of = |body| password_import::credential(&check(HookType::PasswordImport, &json!({}), body).unwrap());
    let (yes, no) = (Credential::Verified, Credential::Unverified);
    assert_eq!(of(r#"{"commands":[{"type":"com.okta.action.update","value":{"credential":"VERIFIED"}}]}"#), yes);
    assert_eq!(
        of(r#"{"commands":[{"type":"com.okta.action.update","value":{"credential":"VERIFIED"}}],"error":{}}"#),
        no
    );
    assert_eq!(
        of(
            r#"{"commands":[{"type":"com.okta.action.update","value":{"credential":"VERIFIED"}},{"type":"com.okta.action.update","value":{"credential":"UNVERIFIED"}}]}"#
        ),
        no
    );
    assert_eq!(of("{}"), no);
}

#[test]
fn an_import_takes_the_defaults_of_the_request_where_no_command_speaks() {
    let request = json!({ "data": { "action": { "result": "LINK_USER" }, "user": { "id": "00u2" } } });
    let of = |body| user_import::effect(&Value::from(&request), &check(HookType::UserImport, &request, body).unwrap());
    let untouched = of("{}");
    assert_eq!((untouched.action, untouched.user_id.as_deref()), (Import::LinkUser, Some("00u2")));
    assert_eq!(of(r#"{"error":{},"commands":[]}"#), untouched);
    let changed = of(r#"{"commands":[{"type":"com.okta.action.update","value":{"result":"CREATE_USER"}},
            {"type":"com.okta.user.profile.update","value":{"city":"a"}},
            {"type":"com.okta.appUser.profile.update","value":{"anything":{"goes":1}}},
            {"type":"com.okta.user.profile.update","value":{"city":"b"}}]}"#);
    assert_eq!(changed.action, Import::CreateUser);
    assert_eq!(json!(changed.user_profile), json!({ "city": "b" }));
    assert_eq!(json!(changed.app_user_profile), json!({ "anything": { "goes": 1 } }));
}

#[test]
fn a_code_counts_as_sent_if_any_attempt_did_not_fail() {
    let body = r#"{"commands":[{"type":"com.okta.telephony.action","value":[{"status":"FAILED","provider":"A"},{"status":"PENDING","provider":"B","transactionId":"1","transactionMetadata":"m"}]}]}"#;
    let reply = check(HookType::Telephony, &json!({}), body).unwrap();
    let delivery = telephony::delivery(&reply).unwrap();
    assert_eq!((delivery.status, delivery.provider.as_deref()), (DeliveryStatus::Pending, Some("B")));
    let failed = r#"{"commands":[{"type":"com.okta.telephony.action","value":[{"status":"FAILED"}]}]}"#;
    assert!(telephony::delivery(&check(HookType::Telephony, &json!({}), failed).unwrap()).is_none());
}
