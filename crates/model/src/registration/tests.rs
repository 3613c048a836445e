use hookwright_contract::outcome::Failure;
use hookwright_contract::request::RegistrationKind;
use hookwright_contract::{HookType, check_reply, json};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::message::shown_text;
use super::*;
use crate::Timestamp;
use crate::Violations;
use crate::enrollment_policy::{EnrollmentPolicy, EnrollmentRule, FormAttribute, PolicyIds};
use crate::id::{PolicyId, PolicyRuleId, RegistrationSourceId};
use crate::profile::{Check, check_profile};
use crate::redaction::Redaction;
use crate::user_schema::{FORBIDDEN_ATTRIBUTES, UserSchema};

const SIGN_UP: &str = r#"{"requestType":"self.service.registration","data":{"userProfile":{}}}"#;
const PROGRESSIVE: &str = r#"{"requestType":"progressive.profile","data":{"userProfileUpdate":{}}}"#;

fn rule(extra: &[(&str, bool)]) -> EnrollmentRule {
    let ids = PolicyIds {
        policy: PolicyId::from_text("rst1"),
        rule: PolicyRuleId::from_text("rul1"),
        source: RegistrationSourceId::from_text("reg1"),
    };
    let mut rule = EnrollmentPolicy::new(ids, "Policy".to_owned(), None, Timestamp::from_millis(0)).rule;
    for (name, required) in extra {
        rule.profile_attributes.push(FormAttribute {
            name: (*name).to_owned(),
            label: format!("Label of {name}"),
            required: *required,
        });
    }
    rule
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn rosario() -> Map<String, Value> {
    object(json!({"email": "rosario@okta.com", "firstName": "Rosario", "lastName": "Jones"}))
}

/// What `decide` makes of a whole answer of a service, read as the flows read it.
fn decided(kind: RegistrationKind, rule: &EnrollmentRule, given: &Map<String, Value>, answer: &str) -> Decision {
    let schema = UserSchema::default();
    let sign_up = kind != RegistrationKind::Progressive;
    let fields = sign_up_fields(rule, &schema);
    let submitted = if sign_up { read_form(&fields, &schema, given, true).unwrap() } else { given.clone() };
    let existing = if sign_up { Map::new() } else { object(json!({"login": "r@okta.com", "email": "r@okta.com"})) };
    let submission = Submission { kind, schema: &schema, fields: &fields, existing: &existing, submitted: &submitted };
    let request = json::parse(if sign_up { SIGN_UP.as_bytes() } else { PROGRESSIVE.as_bytes() }).unwrap();
    let checked = check_reply(HookType::Registration, &request, 200, answer.as_bytes(), &schema);
    let answer = checked.as_ref().map_err(Failure::from);
    decide(&submission, &HookResult::Asked { request: &request, answer, redaction: &Redaction::NOTHING })
}

fn signed_up(answer: &str) -> Decision {
    decided(RegistrationKind::SelfService, &rule(&[]), &rosario(), answer)
}

fn refusal(decision: Decision) -> Vec<(Option<String>, String)> {
    match decision {
        Decision::Refuse(refusal) => refusal.messages.into_iter().map(|it| (it.field, it.text.into())).collect(),
        Decision::Admit(admission) => panic!("admitted with {:?}", admission.profile),
    }
}

fn profile(decision: Decision) -> Map<String, Value> {
    match decision {
        Decision::Admit(admission) => admission.profile,
        Decision::Refuse(refusal) => panic!("refused: {refusal:?}"),
    }
}

fn banner(text: &str) -> Vec<(Option<String>, String)> {
    vec![(None, text.to_owned())]
}

const FAILED: &str = "There was an error creating your account. Please try registering again.";

#[test]
fn the_login_is_the_email_and_stands_before_it() {
    let schema = UserSchema::default();
    let given = object(json!({"email": " rosario@okta.com ", "firstName": "R", "lastName": "J", "userType": "admin"}));
    let rule = rule(&[]);
    let read = read_form(&sign_up_fields(&rule, &schema), &schema, &given, true).unwrap();
    assert_eq!(
        Value::Object(read).to_string(),
        r#"{"login":"rosario@okta.com","email":"rosario@okta.com","firstName":"R","lastName":"J"}"#
    );
}

#[test]
fn every_wrong_field_is_named_once_and_nothing_passes() {
    let schema = UserSchema::default();
    let fields = sign_up_fields(&rule(&[("favouriteColour", true)]), &schema);
    let given = object(json!({"email": "no address", "firstName": " ", "lastName": "J", "favouriteColour": "\u{0}"}));
    let messages = read_form(&fields, &schema, &given, true).unwrap_err();
    let at = |name: &str| messages.iter().filter(|message| message.field.as_deref() == Some(name)).count();
    assert_eq!((at("email"), at("firstName"), at("lastName"), at("favouriteColour")), (1, 1, 0, 1), "{messages:?}");
}

#[test]
fn text_of_a_form_is_read_as_the_type_of_its_attribute() {
    let mut attribute = crate::user_schema::Attribute::custom_text("seats", "Seats");
    attribute.kind = crate::user_schema::AttributeType::Integer;
    let field = FormField {
        name: "seats".to_owned(),
        label: "Seats".to_owned(),
        required: true,
        kind: FieldKind::Integer,
        choices: None,
        max_length: None,
        in_schema: true,
    };
    let schema = UserSchema::default();
    let read = |value: Value| {
        let field = FormField { in_schema: false, ..field.clone() };
        read_form(&[field], &schema, &object(json!({"seats": value})), false).map(|read| read["seats"].clone())
    };
    assert_eq!(read(json!("12")), Ok(json!(12)));
    assert_eq!(read(json!("twelve")), Ok(json!("twelve")), "outside the schema any text passes");
    assert!(crate::profile::check_value(&attribute, &json!("twelve")).is_err());
}

#[test]
fn an_empty_answer_and_allow_let_the_form_pass() {
    for answer in [
        "{}",
        r#"{"commands":[]}"#,
        r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"ALLOW"}}]}"#,
    ] {
        assert_eq!(profile(signed_up(answer))["login"], "rosario@okta.com", "{answer}");
    }
}

#[test]
fn denial_without_an_error_has_its_own_words() {
    let deny = r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"DENY"}}]}"#;
    assert_eq!(refusal(signed_up(deny)), banner("Registration denied."));
    let progressive = decided(RegistrationKind::Progressive, &rule(&[]), &Map::new(), deny);
    assert_eq!(refusal(progressive), banner("Profile update denied."));
}

#[test]
fn any_error_denies_whatever_the_commands_say() {
    for error in ["{}", "false", r#"{"errorSummary":"For the log"}"#, "[]", "5"] {
        let allow = r#"{"type":"com.okta.action.update","value":{"registration":"ALLOW"}}"#;
        let answer = format!(r#"{{"commands":[{allow}],"error":{error}}}"#);
        assert_eq!(refusal(signed_up(&answer)), banner("Registration cannot be completed at this time."), "{error}");
        let progressive =
            decided(RegistrationKind::Progressive, &rule(&[]), &Map::new(), &format!(r#"{{"error":{error}}}"#));
        assert_eq!(refusal(progressive), banner("We found some errors. Please review the form and make corrections."));
    }
}

#[test]
fn a_cause_goes_to_the_field_that_its_location_ends_with() {
    let answer = r#"{"error":{"errorSummary":"No.","errorCauses":[
        {"errorSummary":"Only okta.com emails can register.","location":"data.userProfile.email","domain":"end-user"},
        {"errorSummary":"Ask HR.","location":"data.userProfile.costCenter"},
        {"errorSummary":"Second line","reason":"X"}]}}"#;
    assert_eq!(
        refusal(signed_up(answer)),
        vec![
            (Some("email".to_owned()), "Only okta.com emails can register.".to_owned()),
            (None, "Ask HR.".to_owned()),
            (None, "Second line".to_owned()),
        ]
    );
}

#[test]
fn commands_are_applied_in_order_and_the_last_value_wins() {
    let answer = r#"{"commands":[
        {"type":"com.okta.user.profile.update","value":{"title":"a","firstName":"Ro"}},
        {"type":"com.okta.user.profile.update","value":{"title":"b"}},
        {"type":"com.okta.action.update","value":{"registration":"ALLOW"}}]}"#;
    let Decision::Admit(admission) = signed_up(answer) else { panic!("refused") };
    assert_eq!((&admission.profile["title"], &admission.profile["firstName"]), (&json!("b"), &json!("Ro")));
    assert!(admission.warnings.is_empty());
}

#[test]
fn a_deny_counts_whatever_comes_after_it_and_the_record_names_both() {
    let action = |word: &str| format!(r#"{{"type":"com.okta.action.update","value":{{"registration":"{word}"}}}}"#);
    for (first, second, both) in [("DENY", "ALLOW", (1, 0)), ("ALLOW", "DENY", (0, 1))] {
        let answer = format!(r#"{{"commands":[{},{}]}}"#, action(first), action(second));
        let Decision::Refuse(refusal) = signed_up(&answer) else { panic!("let in by {first}, then {second}") };
        let (allow, deny) = both;
        let told = format!("/commands/{allow} says ALLOW and /commands/{deny} says DENY; any DENY counts.");
        assert_eq!(refusal.reason, format!("the hook denied. {told}"));
        assert_eq!(refusal.messages, [Message::banner(MessageKind::HookDefault, "Registration denied.")]);
    }
}

#[test]
fn bad_commands_stop_the_registration_with_the_default_text() {
    for value in [
        r#"{"type":"com.okta.user.profile.update","value":{"shoeSize":"44"}}"#,
        r#"{"type":"com.okta.user.profile.update","value":{"password":"x"}}"#,
        r#"{"type":"com.okta.user.profile.update","value":{"status":"ACTIVE"}}"#,
        r#"{"type":"com.okta.user.profile.update","value":{"employeeNumber":1234}}"#,
        r#"{"type":"com.okta.user.profile.update","value":{"title":"a","displayName":true}}"#,
        r#"{"type":"com.okta.user.progressive.profile.update","value":{"title":"a"}}"#,
        r#"{"type":"com.okta.access.patch","value":[]}"#,
        r#"{"type":"com.okta.user.profile.update","value":{"countryCode":"nowhere"}}"#,
    ] {
        let answer = format!(r#"{{"commands":[{value}]}}"#);
        assert_eq!(refusal(signed_up(&answer)), banner(FAILED), "{value}");
    }
}

#[test]
fn a_bad_value_for_a_field_of_the_form_is_said_beside_it() {
    let answer = r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"email":"nonsense"}}]}"#;
    assert_eq!(refusal(signed_up(answer))[0].0.as_deref(), Some("email"));
}

#[test]
fn every_failure_denies_with_the_default_text() {
    let schema = UserSchema::default();
    let rule = rule(&[]);
    let fields = sign_up_fields(&rule, &schema);
    let submitted = rosario();
    for (kind, body, text) in [
        (RegistrationKind::SelfService, SIGN_UP, FAILED),
        (
            RegistrationKind::Progressive,
            PROGRESSIVE,
            "There was an error updating your profile. Please try again later.",
        ),
    ] {
        let existing = Map::new();
        let submission =
            Submission { kind, schema: &schema, fields: &fields, existing: &existing, submitted: &submitted };
        let request = json::parse(body.as_bytes()).unwrap();
        for failure in Failure::ALL {
            let decision = decide(
                &submission,
                &HookResult::Asked { request: &request, answer: Err(failure), redaction: &Redaction::NOTHING },
            );
            assert_eq!(refusal(decision), banner(text), "{failure:?}");
        }
    }
}

#[test]
fn what_the_schema_lacks_is_never_stored() {
    let rule = rule(&[("favouriteColour", true)]);
    let mut given = rosario();
    given.insert("favouriteColour".to_owned(), json!("blue"));
    let profile = profile(decided(RegistrationKind::SelfService, &rule, &given, "{}"));
    assert!(!profile.contains_key("favouriteColour") && profile.contains_key("email"));
}

#[test]
fn a_required_attribute_may_come_from_the_hook_alone() {
    let mut rule = rule(&[]);
    rule.profile_attributes.retain(|asked| asked.name != "lastName");
    let given = object(json!({"email": "r@okta.com", "firstName": "R"}));
    assert_eq!(refusal(decided(RegistrationKind::SelfService, &rule, &given, "{}")), banner(FAILED));
    let answer = r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"lastName":"J"}}]}"#;
    assert_eq!(profile(decided(RegistrationKind::SelfService, &rule, &given, answer))["lastName"], "J");
}

#[test]
fn progressive_values_are_kept_although_the_hook_does_not_echo_them() {
    let given = object(json!({"mobilePhone": "123", "secondEmail": "a@b.example"}));
    let update = r#"{"commands":[{"type":"com.okta.user.progressive.profile.update","value":
        {"employeeNumber":"1234","secondEmail":"c@d.example"}}]}"#;
    let stored = profile(decided(RegistrationKind::Progressive, &rule(&[]), &given, update));
    assert_eq!(
        Value::Object(stored),
        json!({"login": "r@okta.com", "email": "r@okta.com", "mobilePhone": "123", "secondEmail": "c@d.example",
               "employeeNumber": "1234"})
    );
}

#[test]
fn only_a_missing_required_attribute_of_the_schema_makes_a_form() {
    let schema = UserSchema::default();
    let user = crate::user::User::create(
        crate::id::UserId::from_text("00u1"),
        &rosario(),
        None,
        true,
        Timestamp::from_millis(0),
    );
    let names = |extra: &[(&str, bool)]| {
        let fields = missing_fields(&rule(extra), &schema, &user);
        fields.into_iter().map(|field| field.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), [""; 0]);
    assert_eq!(names(&[("mobilePhone", false)]), [""; 0]);
    assert_eq!(names(&[("favouriteColour", true)]), [""; 0]);
    assert_eq!(names(&[("mobilePhone", true), ("secondEmail", false)]), ["mobilePhone", "secondEmail"]);
    assert_eq!(names(&[("employeeNumber", true)]), [""; 0], "people may not fill in what is READ_ONLY to them");
}

#[test]
fn a_taken_login_is_said_at_the_field_it_came_from() {
    let schema = UserSchema::default();
    let rule = rule(&[]);
    let (fields, none) = (sign_up_fields(&rule, &schema), Map::new());
    let submission = Submission {
        kind: RegistrationKind::SelfService,
        schema: &schema,
        fields: &fields,
        existing: &none,
        submitted: &none,
    };
    let at = |attribute| refusal_for_taken(&submission, attribute).messages.remove(0);
    assert_eq!(at("login"), Message::at("email", MessageKind::Taken, "A user with this Primary email already exists"));
    assert_eq!(at("badge").text, FAILED);
}

#[test]
fn text_of_a_service_is_cut_and_stripped() {
    assert_eq!(shown_text("a\u{0}b\u{202e}c\nd\u{1b}[31m", &Redaction::NOTHING), "abc d[31m");
    assert_eq!(shown_text(&"x".repeat(5000), &Redaction::NOTHING).len(), 1000);
    assert_eq!(shown_text("<b>é 👩‍💻 שלום</b>", &Redaction::NOTHING), "<b>é 👩‍💻 שלום</b>");
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z@. ]{0,12}".prop_map(Value::from),
        Just(json!("x@okta.com")),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(Value::from))
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(crate::user_schema::BASE_ATTRIBUTES.to_vec()).prop_map(str::to_owned),
        1 => prop::sample::select(FORBIDDEN_ATTRIBUTES.to_vec()).prop_map(str::to_owned),
        1 => "[a-zA-Z_]{1,8}",
    ]
}

fn any_command() -> impl Strategy<Value = Value> {
    let values = prop::collection::vec((any_name(), any_value()), 0..3)
        .prop_map(|members| Value::Object(members.into_iter().collect()));
    let kind = prop::sample::select(vec![
        "com.okta.user.profile.update",
        "com.okta.user.progressive.profile.update",
        "com.okta.action.update",
        "com.okta.user.update",
    ]);
    (kind, prop_oneof![3 => values, 1 => Just(json!({"registration": "ALLOW"})), 1 => any_value()])
        .prop_map(|(kind, value)| json!({"type": kind, "value": value}))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_hook_changes_nothing_but_attributes_of_the_schema_to_values_that_fit(
        commands in prop::collection::vec(any_command(), 0..3), progressive in any::<bool>()
    ) {
        let kind = if progressive { RegistrationKind::Progressive } else { RegistrationKind::SelfService };
        let answer = json!({"commands": commands}).to_string();
        let schema = UserSchema::default();
        let with = decided(kind, &rule(&[]), &rosario(), &answer);
        let without = profile(decided(kind, &rule(&[]), &rosario(), "{}"));
        match with {
            Decision::Refuse(refusal) => prop_assert!(!refusal.messages.is_empty()),
            Decision::Admit(admission) => {
                for name in admission.profile.keys().chain(without.keys()) {
                    if admission.profile.get(name) != without.get(name) {
                        prop_assert!(schema.get(name).is_some(), "{name}");
                        prop_assert!(!FORBIDDEN_ATTRIBUTES.contains(&name.as_str()), "{name}");
                    }
                }
                let scope = if progressive { Check::Given } else { Check::Whole };
                prop_assert_eq!(check_profile(&schema, &admission.profile, scope), Violations::new());
            }
        }
    }
}

#[test]
fn a_secret_that_the_service_repeats_is_in_no_text_of_a_decision() {
    let (schema, existing, submitted) = (UserSchema::default(), Map::new(), rosario());
    let fields = sign_up_fields(&rule(&[]), &schema);
    let kind = RegistrationKind::SelfService;
    let submission = Submission { kind, schema: &schema, fields: &fields, existing: &existing, submitted: &submitted };
    let redaction = Redaction::new(Some("Basic YWRtaW46aHVudGVyMi1odW50ZXIy"));
    for answer in [
        r#"{"error":{"errorSummary":"hunter2-hunter2?","errorCauses":[{"errorSummary":"no admin:hunter2-hunter2 here"}]}}"#,
        r#"{"error":{"errorSummary":"hunt\u0000er2-hunter2","errorCauses":[
            {"errorSummary":"\u0068unter2-hunter2","location":"data.userProfile.email"}]}}"#,
        r#"{"commands":[{"type":"com.okta.user.profile.update","value":{"hunter2-hunter2":"x","YWRtaW46aHVudGVyMi1odW50ZXIy":1}}]}"#,
    ] {
        let request = json::parse(SIGN_UP.as_bytes()).unwrap();
        let reply = check_reply(HookType::Registration, &request, 200, answer.as_bytes(), &schema);
        let answer = reply.as_ref().map_err(Failure::from);
        let decision = decide(&submission, &HookResult::Asked { request: &request, answer, redaction: &redaction });
        let texts = format!("{decision:?} {}", decision.effect(submission.kind));
        assert!(!texts.contains("unter2") && !texts.contains("YWRtaW46"), "{texts}");
    }
}
