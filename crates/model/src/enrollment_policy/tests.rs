//! Unit tests of policies.

use serde_json::{Value, json};

use super::*;

pub(super) fn ids() -> PolicyIds {
    PolicyIds {
        policy: PolicyId::from_text("rst1"),
        rule: PolicyRuleId::from_text("rul1"),
        source: RegistrationSourceId::from_text("reg1"),
    }
}

fn policy() -> EnrollmentPolicy {
    EnrollmentPolicy::new(ids(), "Portal".to_owned(), None, Timestamp::from_millis(1_700_000_000_000))
}

#[test]
fn a_new_policy_lets_people_sign_up_and_the_default_one_does_not() {
    let new = policy().rule_json("https://org");
    let action = &new["actions"]["profileEnrollment"];
    assert_eq!(action["unknownUserAction"], "REGISTER");
    assert_eq!(action["progressiveProfilingAction"], "ENABLED");
    assert_eq!(action["preRegistrationInlineHooks"], Value::Null);
    assert_eq!(action["targetGroupIds"], Value::Null);
    assert_eq!(action["activationRequirements"], json!({"emailVerification": true}));
    let default = EnrollmentPolicy::default_policy(ids(), Timestamp::default());
    assert!(default.system && !default.rule.allows_registration() && !default.rule.progressive_profiling);
    assert_eq!(
        default.to_json("")["_links"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["mappings", "self", "rules"]
    );
}

#[test]
fn the_hook_runs_for_whom_it_was_chosen() {
    let with = |run_on| {
        let hook = Some(PolicyHook { inline_hook_id: InlineHookId::from_text("cal1"), run_on });
        let rule = EnrollmentRule { hook, ..policy().rule };
        (rule.registration_hook().is_some(), rule.progressive_hook().is_some())
    };
    assert_eq!(with(RunOn::NewUser), (true, false));
    assert_eq!(with(RunOn::ExistingUser), (false, true));
    assert_eq!(with(RunOn::Both), (true, true));
}

#[test]
fn a_policy_that_is_switched_off_has_no_rule_that_counts() {
    let mut policy = policy();
    assert!(policy.active_rule().is_some());
    policy.status = LifecycleStatus::Inactive;
    assert!(policy.active_rule().is_none());
}
