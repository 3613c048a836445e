//! What a fault says: reason, place, expectation, find and the nearest valid thing.

use hookwright_contract::json::{Value, parse};
use hookwright_contract::{Fault, HookType, MAX_REPLY_BYTES, Reason, Reply, check_reply};
use serde_json::{Value as Json, json};

use crate::schema::BaseSchema;

pub(crate) fn check(hook_type: HookType, request: &Json, body: &'static str) -> Result<Reply<'static>, Fault> {
    check_reply(hook_type, &Value::from(request), 200, body.as_bytes(), &BaseSchema)
}

fn registration(body: &'static str) -> Fault {
    check(HookType::Registration, &json!({}), body).unwrap_err()
}

fn sentence(hook_type: HookType, request: &Json, body: &'static str) -> (Reason, String) {
    let fault = check(hook_type, request, body).unwrap_err();
    (fault.reason, fault.to_string())
}

#[test]
fn a_misspelt_command_names_the_one_that_was_meant() {
    let fault = registration(r#"{"commands":[{"type":"com.action.update","value":{"registration":"ALLOW"}}]}"#);
    assert_eq!(fault.pointer, "/commands/0/type");
    assert_eq!(fault.nearest.as_deref(), Some("com.okta.action.update"));
    assert_eq!(
        fault.to_string(),
        "/commands/0/type: expected one of \"com.okta.action.update\", \"com.okta.user.profile.update\", \
         found \"com.action.update\"; did you mean \"com.okta.action.update\"?"
    );
}

#[test]
fn a_command_of_the_other_request_type_is_told_apart_from_an_unknown_one() {
    let body = r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"city":"Oslo"}}]}"#;
    let (reason, text) = sentence(HookType::Registration, &json!({ "requestType": "progressive.profile" }), body);
    assert_eq!(reason, Reason::CommandNotAllowedForRequest);
    assert!(text.contains("com.okta.user.progressive.profile.update"), "{text}");
    let body = r#"{"commands":[{"type":"com.okta.user.progressive.profile.update","value":{}}]}"#;
    let (reason, _) = sentence(HookType::Registration, &json!({ "requestType": "self.service.registration" }), body);
    assert_eq!(reason, Reason::CommandNotAllowedForRequest);
}

#[test]
fn text_that_is_not_json_names_line_and_column() {
    let fault = registration("{\n  \"commands\": [],\n}");
    assert_eq!((fault.reason, fault.line, fault.column), (Reason::MalformedJson, Some(2), Some(17)));
    assert_eq!(
        fault.to_string(),
        "the answer is not valid JSON: line 2, column 17: nothing follows this comma; remove it"
    );
}

#[test]
fn the_frame_of_an_answer_is_checked() {
    for (body, reason, pointer) in [
        ("", Reason::MalformedJson, ""),
        ("[]", Reason::NotAnObject, ""),
        ("null", Reason::NotAnObject, ""),
        (r#"{"commands":{}}"#, Reason::CommandsNotArray, "/commands"),
        (r#"{"commands":["x"]}"#, Reason::BadValueShape, "/commands/0"),
        (r#"{"commands":[{}]}"#, Reason::UnknownCommand, "/commands/0/type"),
        (r#"{"commands":[{"type":7}]}"#, Reason::UnknownCommand, "/commands/0/type"),
        (r#"{"commands":[{"type":"com.okta.action.update"}]}"#, Reason::BadValueShape, "/commands/0/value"),
        (
            r#"{"commands":[{"type":"com.okta.action.update","value":null}]}"#,
            Reason::BadValueShape,
            "/commands/0/value",
        ),
        (
            r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":null}}]}"#,
            Reason::BadValue,
            "/commands/0/value/registration",
        ),
    ] {
        let fault = registration(body);
        assert_eq!((fault.reason, &*fault.pointer), (reason, pointer), "{body}");
    }
}

#[test]
fn one_bad_command_refuses_the_good_ones_too() {
    let fault = registration(
        r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"city":"Oslo"}},
            {"type":"com.okta.action.update","value":{"registration":"allow"}}]}"#,
    );
    assert_eq!((fault.reason, &*fault.pointer), (Reason::BadValue, "/commands/1/value/registration"));
    assert_eq!(fault.nearest.as_deref(), Some("ALLOW"));
}

#[test]
fn statuses_and_sizes_outside_the_contract_are_refused() {
    let request = Value::Null;
    for hook_type in HookType::ALL {
        for status in [0, 100, 199, 300, 302, 400, 401, 404, 429, 500, 503, 999] {
            let fault = check_reply(hook_type, &request, status, b"{}", &BaseSchema).unwrap_err();
            assert_eq!(fault.reason, Reason::UnexpectedStatus);
        }
        let whole = [b"{\"debugContext\":\"".as_slice(), &vec![b'x'; MAX_REPLY_BYTES - 19], b"\"}"].concat();
        assert_eq!(whole.len(), MAX_REPLY_BYTES);
        assert!(check_reply(hook_type, &request, 200, &whole, &BaseSchema).is_ok());
        let over = [whole.as_slice(), b" "].concat();
        let fault = check_reply(hook_type, &request, 200, &over, &BaseSchema).unwrap_err();
        assert_eq!(fault.reason, Reason::ResponseTooLarge);
    }
    assert!(check_reply(HookType::Saml, &request, 202, b"{}", &BaseSchema).is_ok());
    let empty = check_reply(HookType::Saml, &request, 200, b"", &BaseSchema).unwrap_err();
    assert_eq!(empty.reason, Reason::MalformedJson);
    assert!(check_reply(HookType::Saml, &request, 204, b"", &BaseSchema).unwrap().is_empty());
    let no_content = check_reply(HookType::Telephony, &request, 204, b"", &BaseSchema).unwrap_err();
    assert_eq!(no_content.to_string(), "the answer: expected status 200, found status 204");
}

#[test]
fn a_hundred_commands_pass_and_one_more_does_not() {
    let body = |count: usize| {
        let command = json!({ "type": "com.okta.action.update", "value": { "registration": "ALLOW" } });
        json!({ "commands": vec![command; count] }).to_string()
    };
    let check = |body: &str| {
        check_reply(HookType::Registration, &Value::Null, 200, body.as_bytes(), &BaseSchema)
            .map(|reply| reply.commands.len())
    };
    assert_eq!(check(&body(100)), Ok(100));
    assert_eq!(check(&body(101)).unwrap_err().reason, Reason::TooManyCommands);
}

#[test]
fn no_command_touches_the_password_or_the_user_itself() {
    for name in [
        "password",
        "Password",
        "PASSWORD",
        "credentials",
        "recovery_question",
        "id",
        "status",
        "groups",
        "realmId",
        "_links",
        "secret",
    ] {
        let body = json!({ "commands": [{ "type": "com.okta.user.profile.update", "value": { name: "hunter2" } }] });
        let body = body.to_string();
        let result = check_reply(HookType::Registration, &Value::Null, 200, body.as_bytes(), &BaseSchema);
        let fault = result.unwrap_err();
        assert_eq!(fault.reason, Reason::ForbiddenAttribute, "{name}");
        assert_eq!(fault.pointer, format!("/commands/0/value/{name}"));
        assert!(!fault.to_string().contains("hunter2"));
    }
    let body = r#"{"commands":[{"type":"com.okta.appUser.profile.update","value":{"password":"hunter2"}}]}"#;
    assert_eq!(check(HookType::UserImport, &json!({}), body).unwrap_err().reason, Reason::ForbiddenAttribute);
}

#[test]
fn a_misspelt_attribute_names_the_one_that_was_meant() {
    let fault =
        registration(r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"employeenumber":"1"}}]}"#);
    assert_eq!((fault.reason, fault.nearest.as_deref()), (Reason::UnknownAttribute, Some("employeeNumber")));
}

#[test]
fn attributes_hold_no_objects() {
    for (value, fits) in
        [("null", true), ("[1,\"a\",null]", true), ("true", true), ("{}", false), ("[[]]", false), ("[{}]", false)]
    {
        let body = format!(r#"{{"commands":[{{"type":"com.okta.user.profile.update","value":{{"city":{value}}}}}]}}"#);
        let result = check_reply(HookType::Registration, &Value::Null, 200, body.as_bytes(), &BaseSchema);
        assert_eq!(result.err().map(|fault| fault.reason), (!fits).then_some(Reason::BadValue), "{value}");
    }
}

#[test]
fn what_is_found_is_short_and_stays_on_its_line() {
    let name = format!("com.okta\r\nInjected: \u{202E}{}", "x".repeat(200_000));
    let body = json!({ "commands": [{ "type": name, "value": {} }] }).to_string();
    let fault = check_reply(HookType::Registration, &Value::Null, 200, body.as_bytes(), &BaseSchema).unwrap_err();
    let found = fault.found.clone().unwrap();
    assert!(found.chars().count() <= 100 && !found.chars().any(char::is_control), "{found}");
    let value = json!({ name.clone(): 1 });
    let body = json!({ "commands": [{ "type": "com.okta.user.profile.update", "value": value }] }).to_string();
    let fault = check_reply(HookType::Registration, &Value::Null, 200, body.as_bytes(), &BaseSchema).unwrap_err();
    assert!(fault.to_string().chars().count() < 400 && !fault.to_string().contains(['\r', '\n']));
}

#[test]
fn a_stray_text_in_a_password_answer_is_not_repeated() {
    let body = r#"{"commands":[{"type":"com.okta.action.update","value":{"credential":"hunter2"}}]}"#;
    let (reason, text) = sentence(HookType::PasswordImport, &json!({}), body);
    assert_eq!(reason, Reason::BadValue);
    assert!(!text.contains("hunter2"), "{text}");
    let body = r#"{"commands":[{"type":"com.okta.action.update","value":{"credential":"verified"}}]}"#;
    let (_, text) = sentence(HookType::PasswordImport, &json!({}), body);
    assert!(text.ends_with("found \"verified\"; did you mean \"VERIFIED\"?"), "{text}");
}

#[test]
fn any_error_member_is_accepted_and_cancels_even_broken_commands() {
    for hook_type in HookType::ALL {
        for error in ["{}", "true", "\"no\"", "[]", "0"] {
            let body = format!(r#"{{"commands":"broken","error":{error}}}"#);
            let reply = check_reply(hook_type, &Value::Null, 200, body.as_bytes(), &BaseSchema).unwrap();
            assert!(reply.error.is_some() && reply.commands.is_empty(), "{hook_type} {error}");
        }
    }
}

#[test]
fn a_member_that_is_null_counts_as_absent() {
    for body in [
        r#"{"commands":null,"error":null,"debugContext":null}"#,
        r#"{"commands":[],"error":null}"#,
        r#"{"error":{"errorSummary":"no"},"commands":null}"#,
    ] {
        for hook_type in HookType::ALL {
            let reply = check_reply(hook_type, &Value::Null, 200, body.as_bytes(), &BaseSchema).unwrap();
            assert_eq!(reply.error.is_some(), body.contains("no"), "{hook_type} {body}");
            assert!(reply.debug_context.is_none() && reply.warnings.is_empty(), "{hook_type} {body}");
        }
    }
    let body = r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"DENY"}}],"error":null}"#;
    let reply = check(HookType::Registration, &json!({}), body).unwrap();
    assert!(reply.error.is_none() && reply.commands.len() == 1);
    let causes =
        r#"{"error":{"errorSummary":null,"errorCauses":[{"errorSummary":"a","reason":null,"location":null}]}}"#;
    let error = check(HookType::Registration, &json!({}), causes).unwrap().error.unwrap();
    assert_eq!(
        (error.summary, error.causes[0].summary.as_deref(), &error.causes[0].location),
        (None, Some("a"), &None)
    );
}

#[test]
fn what_can_not_have_meant_to_go_on_does_not_admit() {
    let denied = |body: &'static str| {
        let reply = check(HookType::Registration, &json!({}), body).unwrap();
        (reply.error.is_some() || !reply.commands.is_empty()) && reply.warnings.len() == 1
    };
    assert!(denied(r#"{"commands":[],"Error":{"errorSummary":"no"}}"#));
    assert!(denied(r#"{"Commands":[{"type":"com.okta.action.update","value":{"registration":"DENY"}}]}"#));
    for (body, nearest) in [
        (r#"{"command":[{"type":"com.okta.action.update","value":{"registration":"DENY"}}]}"#, Some("commands")),
        (r#"{"errors":[{"errorSummary":"no"}]}"#, Some("error")),
        (r#"{"statusCode":200,"body":"{}"}"#, None),
        (r#"{"errorMessage":"x","errorType":"TypeError"}"#, None),
        (r#"{"message":"Unauthorized"}"#, None),
        (r#"{"eventId":"1","eventType":"com.okta.user.pre-registration","data":{}}"#, None),
    ] {
        let fault = registration(body);
        assert_eq!((fault.reason, fault.nearest.as_deref()), (Reason::NoKnownMember, nearest), "{body}");
        let other = check(HookType::Token, &json!({}), body).unwrap();
        assert!(other.is_empty() && !other.warnings.is_empty(), "hooks that fail open go on, and are warned: {body}");
    }
    let beside = check(HookType::Registration, &json!({}), r#"{"commands":[],"errors":[]}"#).unwrap();
    assert_eq!(beside.warnings, ["The member \"errors\" is ignored. Did you mean \"error\"?"]);
    assert!(check(HookType::Registration, &json!({}), "{}").unwrap().is_empty());
}

#[test]
fn an_error_is_read_from_an_object_and_from_an_array_of_objects() {
    let object = r#"{"error":{"errorSummary":"Down","errorCauses":[{"errorSummary":"a","reason":"R","location":"L","locationType":"body","domain":"D"},7]}}"#;
    let array = r#"{"error":[{"errorSummary":"Down"},{"errorSummary":"late","errorCauses":[{"errorSummary":"a","reason":"R","location":"L","locationType":"body","domain":"D"}]}]}"#;
    let read = |body| check(HookType::Telephony, &json!({}), body).unwrap().error.unwrap();
    assert_eq!(read(object), read(array));
    assert_eq!(read(object).summary.as_deref(), Some("Down"));
    assert_eq!(read(object).causes[0].location.as_deref(), Some("L"));
}

#[test]
fn only_requested_tokens_can_be_patched() {
    let identity = r#"{"commands":[{"type":"com.okta.identity.patch","value":[]}]}"#;
    let access = r#"{"commands":[{"type":"com.okta.access.patch","value":[]}]}"#;
    let request = json!({ "data": { "identity": { "claims": {} } } });
    assert!(check(HookType::Token, &request, identity).is_ok());
    assert_eq!(check(HookType::Token, &request, access).unwrap_err().reason, Reason::CommandNotAllowedForRequest);
    let neither = check(HookType::Token, &json!({}), identity).unwrap_err();
    assert_eq!(neither.reason, Reason::CommandNotAllowedForRequest);
    let expected = "no command, since the request carries no token for one";
    assert_eq!((&*neither.expected, neither.nearest), (expected, None));
}

#[test]
fn linking_needs_a_user_named_beside_it_or_matched_before() {
    let link = r#"{"commands":[{"type":"com.okta.action.update","value":{"result":"LINK_USER"}}]}"#;
    let named = r#"{"commands":[{"type":"com.okta.user.update","value":{"id":"00u1"}},{"type":"com.okta.action.update","value":{"result":"LINK_USER"}}]}"#;
    let undone = r#"{"commands":[{"type":"com.okta.action.update","value":{"result":"LINK_USER"}},{"type":"com.okta.action.update","value":{"result":"CREATE_USER"}}]}"#;
    let matched = json!({ "data": { "user": { "id": "00u2" } } });
    let fault = check(HookType::UserImport, &json!({}), link).unwrap_err();
    assert_eq!((fault.reason, &*fault.pointer), (Reason::MissingCompanionCommand, "/commands/0"));
    assert!(check(HookType::UserImport, &matched, link).is_ok());
    assert!(check(HookType::UserImport, &json!({}), named).is_ok());
    assert!(check(HookType::UserImport, &json!({}), undone).is_ok());
    let empty_id = r#"{"commands":[{"type":"com.okta.user.update","value":{"id":""}}]}"#;
    assert_eq!(check(HookType::UserImport, &json!({}), empty_id).unwrap_err().reason, Reason::BadValue);
}

#[test]
fn a_delivery_needs_a_status_and_nothing_else() {
    for (value, reason) in [
        (r#"[{"status":"SUCCESSFUL"}]"#, None),
        (r#"[{"status":"PENDING","provider":null,"transactionId":7}]"#, None),
        ("[]", Some(Reason::BadValueShape)),
        ("[{}]", Some(Reason::BadValueShape)),
        ("[7]", Some(Reason::BadValueShape)),
        (r#"[{"status":"successful"}]"#, Some(Reason::BadValue)),
    ] {
        let body = format!(r#"{{"commands":[{{"type":"com.okta.telephony.action","value":{value}}}]}}"#);
        let result = check_reply(HookType::Telephony, &Value::Null, 200, body.as_bytes(), &BaseSchema);
        assert_eq!(result.err().map(|fault| fault.reason), reason, "{value}");
    }
}

#[test]
fn a_fault_can_be_stored_and_read_back() {
    let fault = registration("[");
    let stored = serde_json::to_value(&fault).unwrap();
    assert_eq!(stored["reason"], "MALFORMED_JSON");
    assert_eq!(serde_json::from_value::<Fault>(stored).unwrap(), fault);
}

#[test]
fn a_request_parsed_from_text_does_as_well_as_a_tree() {
    let request = parse(br#"{"requestType":"progressive.profile"}"#).unwrap();
    let body = br#"{"commands":[{"type":"com.okta.user.progressive.profile.update","value":{"city":"Oslo"}}]}"#;
    assert!(check_reply(HookType::Registration, &request, 200, body, &BaseSchema).is_ok());
}
