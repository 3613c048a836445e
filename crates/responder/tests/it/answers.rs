//! Answers are written as Okta's references print them, and the contract accepts them.

use hookwright_contract::{Attribute, HookType, UserAttributes, check_reply, json};
use hookwright_responder::request::RegistrationData;
use hookwright_responder::{Answer, Cause, Delivery, LocationType, Patch};
use serde::Serialize;
use serde_json::json;

use crate::caller::request;

fn text(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).unwrap()
}

#[test]
fn all_members_of_an_error_come_in_the_order_of_the_guide() {
    let answer: Answer<RegistrationData> = Answer::deny("Incorrect email address.")
        .cause(
            Cause::new("Only okta.com emails can register.")
                .domain("end-user")
                .location("data.userProfile.email")
                .location_type(LocationType::Body)
                .reason("INVALID_EMAIL_DOMAIN"),
        )
        .debug("rule", "domain");
    assert_eq!(
        text(&answer),
        r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"DENY"}}],"error":{"errorSummary":"Incorrect email address.","errorCauses":[{"errorSummary":"Only okta.com emails can register.","reason":"INVALID_EMAIL_DOMAIN","locationType":"body","location":"data.userProfile.email","domain":"end-user"}]},"debugContext":{"rule":"domain"}}"#
    );
}

#[test]
fn a_cause_alone_makes_an_error() {
    let answer: Answer<RegistrationData> = Answer::unchanged().cause(Cause::at("data.userProfile.email", "Taken."));
    assert_eq!(
        text(&answer),
        r#"{"error":{"errorSummary":"Taken.","errorCauses":[{"errorSummary":"Taken.","locationType":"body","location":"data.userProfile.email"}]}}"#
    );
}

#[test]
fn profile_updates_keep_the_order_of_their_attributes() {
    let answer = Answer::allow().update_profile([("nickName", json!("Rosie")), ("costCenter", json!(null))]);
    assert_eq!(
        text(&answer),
        r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"ALLOW"}},{"type":"com.okta.user.profile.update","value":{"nickName":"Rosie","costCenter":null}}]}"#
    );
    let answer = Answer::unchanged().update_progressive_profile([("employeeNumber", "1234")]);
    assert_eq!(
        text(&answer),
        r#"{"commands":[{"type":"com.okta.user.progressive.profile.update","value":{"employeeNumber":"1234"}}]}"#
    );
}

#[test]
fn patches_are_json_patches() {
    let answer = Answer::unchanged()
        .patch_identity(Patch::new().add("/claims/extPatientId", "1234").token_lifetime(36_000))
        .patch_access(Patch::new().remove("/claims/firstName").add_claim("http://example.com/~id", 7));
    assert_eq!(
        text(&answer),
        r#"{"commands":[{"type":"com.okta.identity.patch","value":[{"op":"add","path":"/claims/extPatientId","value":"1234"},{"op":"replace","path":"/token/lifetime/expiration","value":36000}]},{"type":"com.okta.access.patch","value":[{"op":"remove","path":"/claims/firstName"},{"op":"add","path":"/claims/http:~1~1example.com~1~0id","value":7}]}]}"#
    );
}

#[test]
fn a_delivery_says_who_sent_the_code() {
    let delivery = Delivery::successful()
        .provider("VONAGE")
        .transaction_id("SM49a8ece2822d44e4adaccd7ed268f954")
        .transaction_metadata("Duration=300ms");
    assert_eq!(
        text(&Answer::delivery(delivery)),
        r#"{"commands":[{"type":"com.okta.telephony.action","value":[{"status":"SUCCESSFUL","provider":"VONAGE","transactionId":"SM49a8ece2822d44e4adaccd7ed268f954","transactionMetadata":"Duration=300ms"}]}]}"#
    );
}

/// A user schema that has every attribute.
struct AnyAttribute;

impl UserAttributes for AnyAttribute {
    fn attribute(&self, _name: &str) -> Attribute {
        Attribute::Known
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }
}

fn accepted(hook_type: HookType, request: &str, answer: &impl Serialize) {
    let body = text(answer);
    let request: json::Value<'_> = json::parse(request.as_bytes()).unwrap();
    let checked = check_reply(hook_type, &request, 200, body.as_bytes(), &AnyAttribute);
    let Ok(reply) = checked else { panic!("{body}: {checked:?}") };
    assert!(reply.warnings.is_empty(), "{body}: {:?}", reply.warnings);
}

#[test]
fn the_contract_accepts_every_answer_that_can_be_built() {
    let sign_up = request!("registration.ssr-okta-domain");
    for answer in [
        Answer::allow().update_profile([("nickName", "Rosie")]).debug("a", 1),
        Answer::deny("No.").cause(Cause::at("data.userProfile.email", "Taken.")),
        Answer::deny_without_text(),
        Answer::unchanged(),
        Answer::error("No."),
    ] {
        accepted(HookType::Registration, sign_up, &answer);
    }
    let update = request!("registration.pp-employee-1234");
    let answer = Answer::allow().update_progressive_profile([("employeeNumber", "1234")]);
    accepted(HookType::Registration, update, &answer);

    let patch = || Patch::new().add_claim("https://example.com/a", 7).token_lifetime(300).remove("/claims/email");
    accepted(HookType::Token, request!("token"), &Answer::unchanged().patch_identity(patch()));
    let patch = || Patch::new().replace("/claims/firstName", "A").add("/claims/new", json!(["x"]));
    accepted(HookType::Token, request!("token"), &Answer::unchanged().patch_access(patch()));

    let patch = || Patch::new().add("/authentication/sessionLifetime", 300).replace("/subject/nameId", "a");
    accepted(HookType::Saml, request!("saml"), &Answer::unchanged().patch_assertion(patch()));
    let legacy = request!("legacy.tokens-transform");
    accepted(HookType::LegacyTokens, legacy, &Answer::unchanged().patch_legacy_assertion(patch()));

    accepted(HookType::PasswordImport, request!("password-import"), &Answer::verified());
    accepted(HookType::PasswordImport, request!("password-import"), &Answer::unverified());

    let import = request!("user-import");
    let profile = || [("department", "Sales")];
    accepted(HookType::UserImport, import, &Answer::create_user().update_user_profile(profile()));
    accepted(HookType::UserImport, import, &Answer::link_user("00u1").update_app_user_profile(profile()));

    accepted(HookType::Telephony, request!("telephony"), &Answer::sent());
    accepted(HookType::Telephony, request!("telephony"), &Answer::delivery(Delivery::pending().provider("a")));
    accepted(HookType::Telephony, request!("telephony"), &Answer::delivery(Delivery::failed()));
}
