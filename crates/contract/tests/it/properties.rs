//! Properties that hold for every answer anyone could send.

use hookwright_contract::json::{MalformedReason, Value, parse};
use hookwright_contract::outcome::{Ending, Failure, FlowDecision, decide, flow};
use hookwright_contract::patch::{Target, patched};
use hookwright_contract::{CommandType, HookType, Reply, check_reply, registration};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::schema::{BaseSchema, NAMES};

fn hook_type() -> impl Strategy<Value = HookType> {
    proptest::sample::select(HookType::ALL.as_slice())
}

/// Any JSON value, with the strings that matter to hooks among its strings.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_filter_map("finite", |double| serde_json::Number::from_f64(double).map(Json::Number)),
        word().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::vec((word(), inner), 0..6)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

/// Strings that mean something in an answer.
const WORDS: [&str; 38] = [
    "commands",
    "error",
    "type",
    "value",
    "op",
    "path",
    "add",
    "replace",
    "remove",
    "registration",
    "action",
    "ALLOW",
    "DENY",
    "credential",
    "VERIFIED",
    "result",
    "LINK_USER",
    "id",
    "status",
    "SUCCESSFUL",
    "FAILED",
    "/claims/a",
    "/claims/iss",
    "/claims/list/-",
    "/claims/list/0",
    "/subject/nameId",
    "/token/lifetime/expiration",
    "com.okta.action.update",
    "com.okta.user.profile.update",
    "com.okta.user.progressive.profile.update",
    "com.okta.identity.patch",
    "com.okta.access.patch",
    "com.okta.assertion.patch",
    "com.okta.tokens.assertion.patch",
    "com.okta.user.update",
    "com.okta.telephony.action",
    "password",
    "city",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => proptest::sample::select(WORDS.as_slice()).prop_map(str::to_owned), 1 => any::<String>()]
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![Just(json!("x")), Just(json!(null)), Just(json!(300)), Just(json!([1]))]
}

/// An operation of a patch that comes near to being right.
fn operation() -> impl Strategy<Value = Json> {
    let good = prop_oneof![
        Just("/claims/a"),
        Just("/claims/new"),
        Just("/claims/list/-"),
        Just("/claims/list/0"),
        Just("/claims/x/y"),
        Just("/subject/nameId"),
        Just("/conditions/new"),
    ];
    let bad = prop_oneof![
        Just("/claims/iss"),
        Just("/claims/exp"),
        Just("/claims"),
        Just(""),
        Just("/scopes/x"),
        Just("/token/lifetime/expiration"),
    ];
    let op = prop_oneof![4 => Just("add"), 1 => Just("replace"), 1 => Just("remove")];
    let path = prop_oneof![4 => good, 1 => bad];
    (op, path, prop::option::weighted(0.8, scalar())).prop_map(|(op, path, value)| match value {
        Some(value) => json!({ "op": op, "path": path, "value": value }),
        None => json!({ "op": op, "path": path }),
    })
}

/// A hook type whose commands are patches, and an answer for it.
fn patches() -> impl Strategy<Value = (HookType, Vec<u8>)> {
    let hook_type = proptest::sample::select([HookType::Token, HookType::Saml, HookType::LegacyTokens].as_slice());
    hook_type.prop_flat_map(|hook_type| {
        let command_type = proptest::sample::select(CommandType::of(hook_type));
        let command = (command_type, prop::collection::vec(operation(), 1..3))
            .prop_map(|(command_type, operations)| json!({ "type": command_type, "value": operations }));
        let commands = prop::collection::vec(command, 1..3);
        commands.prop_map(move |commands| (hook_type, json!({ "commands": commands }).to_string().into_bytes()))
    })
}

/// An operand that comes near to being right, so that accepted answers are not rare.
fn operand() -> impl Strategy<Value = Json> {
    let attribute = prop_oneof![
        4 => proptest::sample::select(NAMES.as_slice()).prop_map(str::to_owned),
        1 => word(),
    ];
    prop_oneof![
        prop::collection::vec((attribute, scalar()), 0..4)
            .prop_map(|members| Json::Object(members.into_iter().collect())),
        prop::collection::vec(operation(), 0..4).prop_map(Json::from),
        prop_oneof![Just("ALLOW"), Just("DENY")].prop_map(|word| json!({ "registration": word })),
        prop_oneof![Just("VERIFIED"), Just("UNVERIFIED")].prop_map(|word| json!({ "credential": word })),
        prop_oneof![Just("CREATE_USER"), Just("LINK_USER")].prop_map(|word| json!({ "result": word })),
        prop_oneof![Just("SUCCESSFUL"), Just("FAILED")].prop_map(|word| json!([{ "status": word }])),
        any_json(),
    ]
}

fn answer() -> impl Strategy<Value = Vec<u8>> {
    let command_type =
        proptest::sample::select(WORDS.iter().filter(|word| word.starts_with("com.")).collect::<Vec<_>>());
    let command = prop_oneof![
        6 => (command_type, operand()).prop_map(|(name, value)| json!({ "type": name, "value": value })),
        1 => any_json(),
    ];
    let commands = prop::collection::vec(command, 0..4);
    let likely = (commands, prop::option::weighted(0.1, any_json())).prop_map(|(commands, error)| match error {
        Some(error) => json!({ "commands": commands, "error": error }),
        None => json!({ "commands": commands }),
    });
    prop_oneof![
        8 => likely.prop_map(|json| json.to_string().into_bytes()),
        1 => any_json().prop_map(|json| json.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ]
}

fn request() -> impl Strategy<Value = Json> {
    let token = json!({ "claims": { "a": 1, "iss": "i", "list": [1], "x": {} }, "token": { "lifetime": { "expiration": 3600 } } });
    let assertion = json!({ "subject": { "nameId": "n" }, "claims": { "list": [] }, "conditions": {} });
    let full = json!({
        "identity": token, "access": token, "assertion": assertion, "tokens": { "assertion": assertion },
        "user": { "id": "00u" }, "action": { "result": "CREATE_USER" },
    });
    let request_type = prop_oneof![Just("self.service.registration"), Just("progressive.profile")];
    prop_oneof![
        6 => request_type.prop_map(move |request_type| json!({ "requestType": request_type, "data": full })),
        1 => any_json(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_can_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_text_near_json_can_make_the_reader_panic(text in r#"[\[\]{}",:0-9eE+\-.\\ua-f tn\n]{0,60}"#) {
        compare_with_serde_json(&text)?;
    }

    #[test]
    fn what_serde_json_writes_is_read_as_it_was_meant(json in any_json()) {
        let text = json.to_string();
        let strictly = parse(text.as_bytes());
        if text.contains("\\u0000") {
            prop_assert!(strictly.is_err());
        } else {
            prop_assert_eq!(strictly.unwrap().to_json(), json);
        }
        compare_with_serde_json(&text)?;
    }

    #[test]
    fn a_damaged_text_is_judged_as_serde_json_judges_it(json in any_json(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = json.to_string().into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(text) = String::from_utf8(text) {
            compare_with_serde_json(&text)?;
        }
    }

    #[test]
    fn no_answer_panics_or_leaves_the_table(hook_type in hook_type(), request in request(), status in prop_oneof![9 => Just(200_u16), 1 => any::<u16>()], body in answer()) {
        let request = Value::from(&request);
        let checked = check_reply(hook_type, &request, status, &body, &BaseSchema);
        if let Err(fault) = &checked {
            prop_assert!(fault.found.iter().all(|found| found.chars().count() <= 100 && !found.chars().any(char::is_control)));
            prop_assert!(!fault.to_string().is_empty() && !fault.expected.is_empty());
        }
        let result = checked.as_ref().map_err(Failure::from);
        let decision = decide(hook_type, &request, result, &["city"]);
        prop_assert_eq!(decision.flow, flow(hook_type, decision.ending));
        let possible: &[FlowDecision] = match hook_type {
            HookType::Registration | HookType::PasswordImport => &[FlowDecision::Proceed, FlowDecision::Stop],
            HookType::Telephony => &[FlowDecision::Proceed, FlowDecision::FallbackProvider],
            HookType::UserImport => &[FlowDecision::Proceed, FlowDecision::ContinueUnchanged],
            _ => &[FlowDecision::Proceed, FlowDecision::Stop, FlowDecision::ContinueUnchanged],
        };
        prop_assert!(possible.contains(&decision.flow));
        let good = checked.as_ref().is_ok_and(|reply| reply.error.is_none());
        prop_assert!(good || decision.flow != FlowDecision::Proceed);
        prop_assert_eq!(matches!(decision.ending, Ending::Failed(_)), checked.is_err());
    }

    #[test]
    fn a_registration_changes_only_attributes_that_are_allowed(request in request(), body in answer()) {
        if let Ok(reply) = check_reply(HookType::Registration, &Value::from(&request), 200, &body, &BaseSchema) {
            let effect = registration::effect(&reply);
            prop_assert!(effect.profile.keys().all(|name| NAMES.contains(&name.as_str())));
            prop_assert!(reply.error.is_none() || effect.profile.is_empty());
        }
    }

    #[test]
    fn an_accepted_patch_applies_and_leaves_system_claims_alone(request in request(), (hook_type, body) in patches()) {
        let request = Value::from(&request);
        let checked: Result<Reply<'_>, _> = check_reply(hook_type, &request, 200, &body, &BaseSchema);
        if let Ok(reply) = checked {
            for target in [Target::IdToken, Target::AccessToken, Target::Assertion] {
                let before = target.document(hook_type, &request).map(Value::to_json);
                let after = patched(hook_type, target, &request, &reply.commands).unwrap();
                prop_assert_eq!(before.is_some(), after.is_some());
                if let (Some(before), Some(after), true) = (before, after, target != Target::Assertion) {
                    for path in ["/claims/iss", "/claims/exp", "/scopes"] {
                        prop_assert_eq!(before.pointer(path), after.pointer(path));
                    }
                }
            }
        }
    }
}

/// Both readers agree unless one of the stricter rules speaks.
fn compare_with_serde_json(text: &str) -> Result<(), TestCaseError> {
    let strictly = parse(text.as_bytes());
    let loosely = serde_json::from_str::<Json>(text);
    match (strictly, loosely) {
        (Ok(strictly), Ok(loosely)) => prop_assert!(same(&strictly.to_json(), &loosely), "{text:?}"),
        (Ok(_), Err(error)) => prop_assert!(false, "only the strict reader takes {text:?}: {error}"),
        (Err(malformed), Ok(_)) => {
            let stricter = matches!(
                malformed.reason,
                MalformedReason::NumberNotExact
                    | MalformedReason::NullCharacter
                    | MalformedReason::DuplicateMember(_)
                    | MalformedReason::TooDeep
            );
            prop_assert!(stricter, "only the strict reader refuses {text:?}: {malformed}");
        }
        (Err(_), Err(_)) => {}
    }
    Ok(())
}

/// Equal, but for the last digits that serde_json's quick reading of doubles may miss.
fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs() <= 1e-14 * one.abs() + f64::MIN_POSITIVE,
            _ => one == other,
        },
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|((a, x), (b, y))| a == b && same(x, y))
        }
        _ => one == other,
    }
}
