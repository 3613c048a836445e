//! Patches of tokens and assertions: what may be touched, and that all or nothing is.

use hookwright_contract::command::{Operand, PatchOp, PatchOperation};
use hookwright_contract::json::Value;
use hookwright_contract::patch::{Target, apply, apply_to_json, patched};
use hookwright_contract::{Fault, HookType, MAX_OPERATIONS, Reason, check_reply};
use serde_json::{Value as Json, json};

use crate::schema::BaseSchema;

fn token() -> Json {
    json!({
        "claims": { "sub": "s", "aud": "a", "iss": "i", "name": "Ann", "list": ["a", "b"], "deep": { "x": 1 } },
        "token": { "lifetime": { "expiration": 3600 } },
        "scopes": { "openid": {} },
    })
}

fn operation(op: PatchOp, path: &str, value: Json) -> PatchOperation<'_> {
    let value = Value::from(&value).to_json();
    let text = Box::leak(value.to_string().into_boxed_str());
    PatchOperation { op, path: path.into(), value: Some(hookwright_contract::json::parse(text.as_bytes()).unwrap()) }
}

fn remove(path: &str) -> PatchOperation<'_> {
    PatchOperation { op: PatchOp::Remove, path: path.into(), value: None }
}

fn access(operations: &[PatchOperation<'_>]) -> Result<Json, Fault> {
    let mut token = token();
    apply_to_json(Target::AccessToken, &mut token, operations).map(|()| token)
}

fn refused(target: Target, operation: PatchOperation<'_>) -> Reason {
    let before = token();
    let mut token = token();
    let fault = apply_to_json(target, &mut token, &[operation]).unwrap_err();
    assert_eq!(token, before, "nothing is half applied");
    fault.reason
}

#[test]
fn members_are_added_replaced_and_removed_in_order() {
    let token = access(&[
        operation(PatchOp::Add, "/claims/new", json!({ "a": 1 })),
        operation(PatchOp::Add, "/claims/new/b", json!(2)),
        operation(PatchOp::Add, "/claims/name", json!("Bo")),
        operation(PatchOp::Replace, "/claims/deep/x", json!(null)),
        remove("/claims/aud"),
    ]);
    let claims = serde_json::to_string(&token.unwrap()["claims"]).unwrap();
    assert_eq!(claims, r#"{"sub":"s","iss":"i","name":"Bo","list":["a","b"],"deep":{"x":null},"new":{"a":1,"b":2}}"#);
}

#[test]
fn elements_are_added_by_index_or_at_the_end() {
    let list = |operations: &[PatchOperation<'_>]| access(operations).map(|token| token["claims"]["list"].clone());
    assert_eq!(list(&[operation(PatchOp::Add, "/claims/list/2", json!("c"))]), Ok(json!(["a", "b", "c"])));
    assert_eq!(list(&[operation(PatchOp::Add, "/claims/list/0", json!("c"))]), Ok(json!(["c", "a", "b"])));
    assert_eq!(list(&[operation(PatchOp::Add, "/claims/list/-", json!("c"))]), Ok(json!(["a", "b", "c"])));
    assert_eq!(list(&[operation(PatchOp::Replace, "/claims/list/1", json!("c"))]), Ok(json!(["a", "c"])));
    assert_eq!(list(&[remove("/claims/list/0")]), Ok(json!(["b"])));
}

#[test]
fn a_path_that_leads_to_nothing_refuses_everything() {
    for operation in [
        operation(PatchOp::Add, "/claims/missing/x", json!(1)),
        operation(PatchOp::Add, "/claims/name/x", json!(1)),
        operation(PatchOp::Add, "/claims/list/3", json!(1)),
        operation(PatchOp::Add, "/claims/list/01", json!(1)),
        operation(PatchOp::Add, "/claims/list/+1", json!(1)),
        operation(PatchOp::Add, "/claims/list/x", json!(1)),
        operation(PatchOp::Replace, "/claims/missing", json!(1)),
        operation(PatchOp::Replace, "/claims/list/2", json!(1)),
        operation(PatchOp::Replace, "/claims/list/-", json!(1)),
        remove("/claims/missing"),
        remove("/claims/list/2"),
        remove("/claims/list/-"),
    ] {
        let path = operation.path.clone().into_owned();
        assert_eq!(refused(Target::AccessToken, operation), Reason::BadPatchPath, "{path}");
    }
}

#[test]
fn a_path_outside_claims_and_lifetime_is_refused() {
    for path in [
        "",
        "/",
        "/claims",
        "/claims/",
        "claims/x",
        "/claims/~2",
        "/scopes/openid",
        "/token",
        "/token/lifetime",
        "/other/x",
        "/Claims/x",
    ] {
        assert_eq!(
            refused(Target::AccessToken, operation(PatchOp::Add, path, json!(1))),
            Reason::BadPatchPath,
            "{path}"
        );
    }
}

#[test]
fn system_claims_are_reserved_each_token_having_its_own() {
    let reason = |target, path| refused(target, operation(PatchOp::Replace, path, json!("x")));
    for target in [Target::IdToken, Target::AccessToken] {
        for path in ["/claims/iss", "/claims/groups/0", "/claims/exp", "/claims/cnf", "/claims/jti"] {
            assert_eq!(reason(target, path), Reason::ReservedClaim, "{path}");
        }
    }
    for path in ["/claims/scp", "/claims/uid", "/claims/authorization_details"] {
        assert_eq!(reason(Target::AccessToken, path), Reason::ReservedClaim, "{path}");
        assert_eq!(reason(Target::IdToken, path), Reason::BadPatchPath, "{path}");
    }
    for path in ["/claims/sub", "/claims/aud"] {
        assert_eq!(reason(Target::IdToken, path), Reason::ReservedClaim, "{path}");
        assert!(access(&[operation(PatchOp::Replace, path, json!("x"))]).is_ok(), "{path}");
    }
    assert_eq!(refused(Target::AccessToken, remove("/claims/i~0ss")), Reason::BadPatchPath);
    assert_eq!(refused(Target::AccessToken, remove("/claims/iss")), Reason::ReservedClaim);
}

#[test]
fn a_lifetime_is_replaced_within_its_range() {
    let path = "/token/lifetime/expiration";
    for seconds in [300, 301, 86_399, 86_400] {
        let token = access(&[operation(PatchOp::Replace, path, json!(seconds))]).unwrap();
        assert_eq!(token["token"]["lifetime"]["expiration"], seconds);
    }
    for value in [json!(299), json!(86_401), json!(-300), json!(300.5), json!("3600"), json!(null), json!(1e300)] {
        assert_eq!(refused(Target::AccessToken, operation(PatchOp::Replace, path, value)), Reason::BadValue);
    }
    assert_eq!(refused(Target::AccessToken, operation(PatchOp::Add, path, json!(300))), Reason::BadPatchOp);
    assert_eq!(refused(Target::AccessToken, remove(path)), Reason::BadPatchOp);
}

#[test]
fn a_remove_may_carry_null_but_no_value() {
    assert!(access(&[operation(PatchOp::Remove, "/claims/name", json!(null))]).is_ok());
    assert_eq!(
        refused(Target::AccessToken, operation(PatchOp::Remove, "/claims/name", json!("Ann"))),
        Reason::BadValue
    );
    let valueless = PatchOperation { op: PatchOp::Add, path: "/claims/x".into(), value: None };
    assert_eq!(refused(Target::AccessToken, valueless), Reason::BadValueShape);
}

#[test]
fn an_assertion_is_patched_below_its_four_roots() {
    let assertion = json!({ "subject": { "nameId": "a" }, "claims": { "http://x/~y": { "v": [] } }, "lifetime": { "expiration": 300 } });
    let patch = |operation: PatchOperation<'_>| {
        let mut assertion = assertion.clone();
        apply_to_json(Target::Assertion, &mut assertion, &[operation]).map(|()| assertion).map_err(|fault| fault.reason)
    };
    let escaped = patch(operation(PatchOp::Add, "/claims/http:~1~1x~1~0y/v/-", json!("z"))).unwrap();
    assert_eq!(escaped["claims"]["http://x/~y"]["v"], json!(["z"]));
    assert!(patch(operation(PatchOp::Replace, "/subject/nameId", json!("b"))).is_ok());
    assert!(patch(operation(PatchOp::Add, "/claims/iss", json!("assertions have no reserved claims"))).is_ok());
    assert_eq!(patch(remove("/subject/nameId")), Err(Reason::BadPatchOp));
    for path in ["/lifetime/expiration", "/subject", "/subject/", "", "/signature/value", "subject/nameId"] {
        assert_eq!(patch(operation(PatchOp::Add, path, json!(1))), Err(Reason::BadPatchPath), "{path}");
    }
    assert_eq!(patch(operation(PatchOp::Add, "/authentication/sessionLifetime", json!(1))), Err(Reason::BadPatchPath));
}

#[test]
fn a_fault_names_the_operation_and_the_claim_that_was_meant() {
    let request = json!({ "data": { "access": token() } });
    let body = br#"{"commands":[{"type":"com.okta.access.patch","value":[
        {"op":"add","path":"/claims/x","value":1},{"op":"replace","path":"/claims/nmae","value":"Bo"}]}]}"#;
    let fault = check_reply(HookType::Token, &Value::from(&request), 200, body, &BaseSchema).unwrap_err();
    assert_eq!((&*fault.pointer, fault.nearest.as_deref()), ("/commands/0/value/1/path", Some("/claims/name")));
    let body =
        br#"{"commands":[{"type":"com.okta.access.patch","value":[{"op":"append","path":"/claims/x","value":1}]}]}"#;
    let fault = check_reply(HookType::Token, &Value::from(&request), 200, body, &BaseSchema).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "/commands/0/value/0/op: expected one of \"add\", \"replace\", \"remove\", found \"append\""
    );
}

#[test]
fn commands_see_what_earlier_commands_did() {
    let request = json!({ "data": { "access": token(), "identity": token() } });
    let body = br#"{"commands":[{"type":"com.okta.access.patch","value":[{"op":"add","path":"/claims/x","value":{}}]},
        {"type":"com.okta.identity.patch","value":[{"op":"add","path":"/claims/y","value":[]}]},
        {"type":"com.okta.access.patch","value":[{"op":"add","path":"/claims/x/z","value":1}]}]}"#;
    let request = Value::from(&request);
    let reply = check_reply(HookType::Token, &request, 200, body, &BaseSchema).unwrap();
    let access = patched(HookType::Token, Target::AccessToken, &request, &reply.commands).unwrap().unwrap();
    assert_eq!(access["claims"]["x"], json!({ "z": 1 }));
    assert!(access["claims"].get("y").is_none());
    assert_eq!(patched(HookType::Token, Target::Assertion, &request, &reply.commands), Ok(None));
}

#[test]
fn a_patch_cannot_nest_a_token_without_end() {
    let mut nested = json!(1);
    for _ in 0..61 {
        nested = json!([nested]);
    }
    assert!(access(&[operation(PatchOp::Add, "/claims/a", nested.clone())]).is_ok());
    let deeper = operation(PatchOp::Add, "/claims/list/0", json!([[nested]]));
    assert_eq!(refused(Target::AccessToken, deeper), Reason::BadValue);
}

#[test]
fn a_thousand_operations_pass_and_one_more_does_not() {
    let request = json!({ "data": { "access": token() } });
    let check = |count: usize| {
        let patch = json!({ "op": "add", "path": "/claims/list/-", "value": 1 });
        let body =
            json!({ "commands": [{ "type": "com.okta.access.patch", "value": vec![patch; count] }] }).to_string();
        let reply = check_reply(HookType::Token, &Value::from(&request), 200, body.as_bytes(), &BaseSchema);
        reply.map(|reply| reply.commands.len()).map_err(|fault| fault.reason)
    };
    assert_eq!(check(MAX_OPERATIONS), Ok(1));
    assert_eq!(check(MAX_OPERATIONS + 1), Err(Reason::TooManyCommands));
}

#[test]
fn a_borrowed_tree_is_patched_like_a_serde_json_one() {
    let token = token();
    let operations = [operation(PatchOp::Add, "/claims/x", json!([1]))];
    let changed = apply(Target::AccessToken, &Value::from(&token), &operations).unwrap();
    assert_eq!(changed.to_json(), access(&operations).unwrap());
    assert!(matches!(Operand::Patch(operations.to_vec()), Operand::Patch(kept) if kept.len() == 1));
}
