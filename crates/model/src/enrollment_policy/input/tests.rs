//! Unit tests of reading policies and rules.

use serde_json::json;

use super::super::tests::ids;
use super::*;

fn now() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

fn policy() -> EnrollmentPolicy {
    let body =
        json!({"name": "Portal", "type": "PROFILE_ENROLLMENT", "status": "ACTIVE", "id": "Assigned", "system": false});
    EnrollmentPolicy::create(ids(), body.as_object().unwrap(), true, now()).unwrap()
}

fn with_action(action: &Value) -> Result<EnrollmentPolicy, String> {
    let body = json!({"type": "PROFILE_ENROLLMENT", "actions": {"profileEnrollment": action}});
    let schema = UserSchema::default();
    policy().with_rule(body.as_object().unwrap(), &schema, now()).map_err(|error| error.to_string())
}

#[test]
fn a_policy_is_read_and_its_own_members_are_not_bound() {
    let policy = policy();
    assert_eq!((policy.id.as_str(), policy.system, policy.priority), ("rst1", false, 1));
    let create = |body: Value, activate| {
        EnrollmentPolicy::create(ids(), body.as_object().unwrap(), activate, now()).map_err(|error| error.to_string())
    };
    let inactive = create(json!({"name": "x", "type": "PROFILE_ENROLLMENT"}), false).unwrap();
    assert_eq!(inactive.status, LifecycleStatus::Inactive);
    assert_eq!(
        create(json!({"name": " "}), true).unwrap_err(),
        "type: The field cannot be left blank; name: The field cannot be left blank"
    );
    assert_eq!(
        create(json!({"name": "x", "type": "ACCESS_POLICY", "status": "ON"}), true).unwrap_err(),
        "type: The field must be PROFILE_ENROLLMENT; status: The field must be one of ACTIVE, INACTIVE"
    );
}

#[test]
fn the_default_policy_keeps_its_name_and_stays_on() {
    let default = EnrollmentPolicy::default_policy(ids(), now());
    let replace = |body: Value| default.replaced(body.as_object().unwrap(), now()).map_err(|error| error.to_string());
    assert!(replace(json!({"name": "Default Policy", "type": "PROFILE_ENROLLMENT"})).is_ok());
    assert_eq!(
        replace(json!({"name": "Other", "type": "PROFILE_ENROLLMENT", "status": "INACTIVE"})).unwrap_err(),
        "name: The name of the default policy cannot be changed; status: The default policy cannot be deactivated"
    );
    assert!(default.with_status(LifecycleStatus::Inactive, now()).is_err());
}

#[test]
fn a_rule_is_replaced_as_a_whole() {
    let rule = with_action(&json!({
        "access": "ALLOW", "unknownUserAction": "DENY", "progressiveProfilingAction": "ENABLED",
        "preRegistrationInlineHooks": [{"inlineHookId": "cal1", "runOn": "EXISTING_USER"}],
        "profileAttributes": [
            {"name": "email", "label": "Your email", "required": true}, {"name": "firstName", "required": true},
            {"name": "lastName", "label": "Last name", "required": true}, {"name": "inviteCode", "required": false},
        ],
        "activationRequirements": {"emailVerification": false}, "targetGroupIds": ["00g1"], "uiSchemaId": "uis1",
        "allowedIdentifiers": ["login", "email"], "enrollAuthenticatorTypes": ["password"],
    }))
    .unwrap();
    let json = rule.rule_json("https://org");
    assert_eq!(
        json["actions"]["profileEnrollment"],
        json!({
            "access": "ALLOW", "preRegistrationInlineHooks": [{"inlineHookId": "cal1", "runOn": "EXISTING_USER"}],
            "profileAttributes": [
                {"name": "email", "label": "Your email", "required": true},
                {"name": "firstName", "label": "First name", "required": true},
                {"name": "lastName", "label": "Last name", "required": true},
                {"name": "inviteCode", "label": "inviteCode", "required": false},
            ],
            "targetGroupIds": ["00g1"], "unknownUserAction": "DENY", "activationRequirements": {"emailVerification": false},
            "uiSchemaId": "uis1", "progressiveProfilingAction": "ENABLED", "allowedIdentifiers": ["login", "email"],
            "enrollAuthenticatorTypes": ["password"],
        })
    );
    let again = rule.with_rule(json.as_object().unwrap(), &UserSchema::default(), now()).unwrap();
    assert_eq!(again, rule);
    let bare = rule
        .with_rule(
            json!({"actions": {"profileEnrollment": {"unknownUserAction": "REGISTER"}}}).as_object().unwrap(),
            &UserSchema::default(),
            now(),
        )
        .unwrap()
        .rule;
    assert_eq!((bare.hook, bare.target_group, bare.email_verification), (None, None, true));
    assert_eq!(bare.ui_schema_id.as_deref(), Some("uis1"));
    assert_eq!(bare.profile_attributes.len(), 3);
}

#[test]
fn each_wrong_member_of_a_rule_is_named() {
    let all = "actions.profileEnrollment.";
    for (action, refusal) in [
        (json!({}), "unknownUserAction: The field cannot be left blank"),
        (json!({"unknownUserAction": "REGISTER", "access": "DENY"}), "access: The field must be ALLOW"),
        (
            json!({"unknownUserAction": "REGISTER", "preRegistrationInlineHooks": [{}, {}]}),
            "preRegistrationInlineHooks: The field must have at most 1 elements",
        ),
        (
            json!({"unknownUserAction": "REGISTER", "preRegistrationInlineHooks": [{"inlineHookId": "cal1", "runOn": "NEVER"}]}),
            "preRegistrationInlineHooks[0].runOn: The field must be one of NEW_USER, EXISTING_USER, BOTH",
        ),
        (
            json!({"unknownUserAction": "REGISTER", "enrollAuthenticatorTypes": ["phone"]}),
            "enrollAuthenticatorTypes: Each element must be one of password",
        ),
        (
            json!({"unknownUserAction": "REGISTER", "allowedIdentifiers": ["nickname"]}),
            "allowedIdentifiers: Each element must be an attribute of the user schema",
        ),
    ] {
        assert_eq!(with_action(&action).unwrap_err(), format!("{all}{refusal}"), "{action}");
    }
    assert_eq!(
        policy().with_rule(&Map::new(), &UserSchema::default(), now()).unwrap_err().to_string(),
        "actions.profileEnrollment: The field cannot be left blank"
    );
}

#[test]
fn a_form_holds_what_people_may_write_once_each_and_no_credentials() {
    let form = |inputs: Value| {
        with_action(&json!({"unknownUserAction": "REGISTER", "profileAttributes": inputs}))
            .map_err(|error| error.replace("actions.profileEnrollment.profileAttributes", "*"))
    };
    let base = |more: Value| {
        let mut inputs = vec![
            json!({"name": "email", "required": true}),
            json!({"name": "firstName", "required": true}),
            json!({"name": "lastName", "required": true}),
        ];
        inputs.push(more);
        form(Value::Array(inputs))
    };
    assert_eq!(
        base(json!({"name": "employeeNumber"})).unwrap_err(),
        "*[3].name: The user permission of the attribute employeeNumber must be READ_WRITE"
    );
    assert_eq!(base(json!({"name": "Password"})).unwrap_err(), "*[3].name: The name is reserved");
    assert_eq!(base(json!({"name": "EMAIL"})).unwrap_err(), "*[3].name: The attribute is on the form already");
    assert_eq!(
        form(json!([{"name": "email", "required": true}, {"name": "firstName"}])).unwrap_err(),
        "*[1].required: The user schema requires the attribute firstName, so the form must too; \
         *: The attribute lastName cannot be left out"
    );
    assert!(base(json!({"name": "secondEmail"})).is_ok());
}
