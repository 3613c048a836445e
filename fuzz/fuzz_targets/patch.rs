//! Whatever operations a service sends for a token or an assertion: they apply as checked, and system claims stay.
#![no_main]

use hookwright_contract::command::Operand;
use hookwright_contract::patch::{Target, apply_to_json, patched};
use hookwright_contract::{HookType, check_reply, json};
use hookwright_model::Timestamp;
use hookwright_model::user_schema::UserSchema;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const TOKENS: &[u8] = br#"{"data":{
    "identity":{"claims":{"sub":"s","iss":"i","exp":9,"iat":1,"jti":"j","name":"Ann","list":["a",["b"],{"c":1}],"deep":{"x":{"y":2}}},"token":{"lifetime":{"expiration":3600}}},
    "access":{"claims":{"sub":"s","aud":"a","iss":"i","exp":9,"iat":1,"jti":"j","scp":["openid"],"list":[1,2]},"token":{"lifetime":{"expiration":3600}},"scopes":{"openid":{}}},
    "assertion":{"subject":{"nameId":"n","nameFormat":"f"},"authentication":{"sessionIndex":"i"},"claims":{"a":{"attributes":{"NameFormat":"f"},"attributeValues":[{"attributes":{},"value":"v"}]}},"lifetime":{"expiration":300}},
    "tokens":{"assertion":{"claims":{"a":{"attributeValues":[{"value":"v"}]}}}}}}"#;

const KINDS: [(HookType, &str, Target); 4] = [
    (HookType::Token, "com.okta.identity.patch", Target::IdToken),
    (HookType::Token, "com.okta.access.patch", Target::AccessToken),
    (HookType::Saml, "com.okta.assertion.patch", Target::Assertion),
    (HookType::LegacyTokens, "com.okta.tokens.assertion.patch", Target::Assertion),
];

fuzz_target!(|data: &[u8]| {
    let [kind, operations @ ..] = data else { return };
    let (hook_type, command, target) = KINDS[usize::from(*kind) % KINDS.len()];
    let request = json::parse(TOKENS).expect("a well-formed request");
    let body = [br#"{"commands":[{"type":""#, command.as_bytes(), br#"","value":"#, operations, b"}]}"].concat();
    let schema = UserSchema::new(Timestamp::from_millis(0));
    let Ok(reply) = check_reply(hook_type, &request, 200, &body, &schema) else { return };
    if reply.error.is_some() {
        return;
    }
    let changed = patched(hook_type, target, &request, &reply.commands).expect("what was accepted applies");
    let before = target.document(hook_type, &request).expect("it was requested").to_json();
    let changed = changed.expect("it was requested");
    if target != Target::Assertion {
        for claim in ["iss", "exp", "iat", "jti"] {
            let pointer = format!("/claims/{claim}");
            assert_eq!(changed.pointer(&pointer), before.pointer(&pointer), "{claim} is the system's");
        }
        let lifetime = changed.pointer("/token/lifetime/expiration").and_then(Value::as_f64);
        assert!(lifetime.is_some_and(|seconds| (300.0..=86_400.0).contains(&seconds)), "{lifetime:?}");
    }
    // All or nothing, also one operation after the other.
    let mut document = before.clone();
    for command in &reply.commands {
        if let Operand::Patch(operations) = &command.operand {
            let kept = document.clone();
            if apply_to_json(target, &mut document, operations).is_err() {
                assert_eq!(document, kept, "half applied");
            }
        }
    }
    assert_eq!(document, changed);
});
