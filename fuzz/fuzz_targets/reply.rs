//! Whatever a service answers: reading it ends, in the same way each time, and what it comes to is in the table of outcomes.
#![no_main]

use hookwright_contract::outcome::{Ending, Failure, FlowDecision, decide, flow};
use hookwright_contract::{HookType, MAX_COMMANDS, check_reply, json};
use hookwright_model::Timestamp;
use hookwright_model::redaction::Redaction;
use hookwright_model::user_schema::UserSchema;
use libfuzzer_sys::fuzz_target;

const REQUESTS: [&[u8]; 5] = [
    br#"{"requestType":"self.service.registration","data":{"userProfile":{"email":"a@okta.com"}}}"#,
    br#"{"requestType":"progressive.profile","data":{"userProfileUpdate":{"employeeNumber":"1"}}}"#,
    br#"{"data":{"identity":{"claims":{"sub":"s","list":["a"]},"token":{"lifetime":{"expiration":3600}}},"access":{"claims":{"sub":"s"},"token":{"lifetime":{"expiration":3600}}}}}"#,
    br#"{"data":{"assertion":{"subject":{"nameId":"n"},"claims":{"a":{"attributeValues":[{"value":"v"}]}}}}}"#,
    b"{}",
];

fuzz_target!(|data: &[u8]| {
    let [kind, request, status, body @ ..] = data else { return };
    let hook_type = HookType::ALL[usize::from(*kind) % HookType::ALL.len()];
    let request = json::parse(REQUESTS[usize::from(*request) % REQUESTS.len()]).expect("a well-formed request");
    let status = [200, 200, 200, 204, 201, 299][usize::from(*status) % 6];
    let schema = UserSchema::new(Timestamp::from_millis(0));

    let checked = check_reply(hook_type, &request, status, body, &schema);
    assert_eq!(checked, check_reply(hook_type, &request, status, body, &schema), "the same answer, read twice");
    if let Ok(reply) = &checked {
        assert!(reply.commands.len() <= MAX_COMMANDS);
    }
    let decision = decide(hook_type, &request, checked.as_ref().map_err(Failure::from), &["email"]);
    let expected = flow(hook_type, Ending::of(hook_type, checked.as_ref().map_err(Failure::from)));
    assert_eq!(decision.flow, expected);
    // A sign-up goes on only after an answer that could be read and has no error.
    if hook_type == HookType::Registration && decision.flow == FlowDecision::Proceed {
        assert!(checked.as_ref().is_ok_and(|reply| reply.error.is_none()));
    }
    let secret = "s3cret";
    let hidden = Redaction::new(Some(secret)).answer(&body.to_vec().into());
    assert!(!hidden.windows(secret.len()).any(|window| window == secret.as_bytes()), "a secret in a record");
});
