//! Whatever is filled into the sign-up form, and whatever the hook says to it: what is stored is what may be.
#![no_main]

use hookwright_contract::outcome::Failure;
use hookwright_contract::request::RegistrationKind;
use hookwright_contract::{HookType, check_reply, json};
use hookwright_model::Timestamp;
use hookwright_model::enrollment_policy::{EnrollmentPolicy, FormAttribute, PolicyIds};
use hookwright_model::flow::FlowState;
use hookwright_model::id::{PolicyId, PolicyRuleId, RegistrationSourceId};
use hookwright_model::profile::{Check, check_profile};
use hookwright_model::registration::{Decision, HookResult, Submission, decide, read_form, sign_up_fields};
use hookwright_model::user_schema::UserSchema;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

const REQUEST: &[u8] = br#"{"requestType":"self.service.registration","data":{"userProfile":{}}}"#;

fuzz_target!(|data: &[u8]| {
    if let Ok(state) = serde_json::from_slice::<FlowState>(data) {
        let written = serde_json::to_string(&state).expect("a state is JSON");
        assert_eq!(serde_json::from_str::<FlowState>(&written).expect("it is read again"), state);
    }
    let position = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let (form, answer) = data.split_at(position);
    let mut given: Map<String, Value> = Map::new();
    for (key, value) in url::form_urlencoded::parse(form).into_owned().take(200) {
        given.insert(key, value.into());
    }
    let schema = UserSchema::new(Timestamp::from_millis(0));
    let ids = PolicyIds {
        policy: PolicyId::from_text("rst1"),
        rule: PolicyRuleId::from_text("rul1"),
        source: RegistrationSourceId::from_text("reg1"),
    };
    let mut rule = EnrollmentPolicy::new(ids, "Policy".to_owned(), None, Timestamp::from_millis(0)).rule;
    for (name, required) in [("mobilePhone", false), ("preferredLanguage", false), ("notInSchema", false)] {
        rule.profile_attributes.push(FormAttribute { name: name.to_owned(), label: name.to_owned(), required });
    }
    let fields = sign_up_fields(&rule, &schema);
    let Ok(submitted) = read_form(&fields, &schema, &given, true) else { return };
    for name in submitted.keys() {
        assert!(name == "login" || fields.iter().any(|field| field.name == *name), "{name} is not on the form");
    }
    let existing = Map::new();
    let kind = RegistrationKind::SelfService;
    let submission = Submission { kind, schema: &schema, fields: &fields, existing: &existing, submitted: &submitted };
    let request = json::parse(REQUEST).expect("a well-formed request");
    let checked = check_reply(HookType::Registration, &request, 200, answer.strip_prefix(&[0]).unwrap_or(answer), &schema);
    let hook = HookResult::Asked { request: &request, answer: checked.as_ref().map_err(Failure::from) };
    match decide(&submission, &hook) {
        Decision::Admit(admission) => {
            assert!(checked.is_ok_and(|reply| reply.error.is_none()), "admitted after a failure");
            assert!(check_profile(&schema, &admission.profile, Check::Whole).is_empty(), "{:?}", admission.profile);
            for credential in ["password", "credentials", "status", "id"] {
                assert!(!admission.profile.contains_key(credential), "{credential}");
            }
        }
        Decision::Refuse(refusal) => assert!(!refusal.messages.is_empty()),
    }
});
