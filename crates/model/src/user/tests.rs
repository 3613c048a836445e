//! Unit tests of users.

use serde_json::json;

use super::*;

fn now() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_123)
}

fn user(password: Option<&str>, activate: bool) -> User {
    let profile = json!({"login": "rosario.jones@okta.com", "email": "rosario.jones@okta.com", "firstName": "Rosario",
        "lastName": "Jones", "middleName": null, "nickName": "e\u{301}"});
    let password = password.map(PasswordHash::from_phc);
    User::create(UserId::from_text("00u1"), profile.as_object().unwrap(), password, activate, now())
}

#[test]
fn a_new_user_is_staged_provisioned_or_active() {
    assert_eq!(user(None, false).status, UserStatus::Staged);
    assert_eq!(user(Some("$argon2id$"), false).status, UserStatus::Staged);
    assert_eq!(user(None, true).status, UserStatus::Provisioned);
    assert_eq!(user(Some("$argon2id$"), true).status, UserStatus::Active);
}

#[test]
fn a_stored_profile_has_no_nulls_and_composed_text() {
    let user = user(None, true);
    assert!(!user.profile.contains_key("middleName"));
    assert_eq!(user.profile["nickName"], "é");
}

#[test]
fn a_user_is_shown_without_any_trace_of_the_password() {
    let user = user(Some("$argon2id$v=19$secret"), true);
    let json = user.to_json("https://org", Detail::Full);
    assert!(!json.to_string().contains("secret") && !format!("{user:?}").contains("secret"));
    assert_eq!(json["credentials"], json!({"password": {}, "provider": {"type": "OKTA", "name": "OKTA"}}));
    assert_eq!(json["profile"]["mobilePhone"], Value::Null);
    assert_eq!(json["created"], "2023-11-14T22:13:20.000Z");
    assert_eq!(json["_links"]["suspend"]["href"], "https://org/api/v1/users/00u1/lifecycle/suspend");
    let listed = user.to_json("https://org", Detail::Listed);
    assert_eq!(listed["_links"], json!({"self": {"href": "https://org/api/v1/users/00u1"}}));
}

#[test]
fn each_status_allows_its_steps_only() {
    use LifecycleStep as Step;
    let active = user(Some("$argon2id$"), true);
    let suspended = active.after(Step::Suspend, now()).unwrap();
    assert_eq!(suspended.status, UserStatus::Suspended);
    assert_eq!(suspended.after(Step::Unsuspend, now()).unwrap().status, UserStatus::Active);
    assert_eq!(
        suspended.after(Step::Activate, now()).unwrap_err(),
        WrongStatus { step: Step::Activate, status: UserStatus::Suspended }
    );
    let gone = suspended.after(Step::Deactivate, now()).unwrap();
    assert_eq!(gone.status, UserStatus::Deprovisioned);
    assert!(gone.after(Step::Deactivate, now()).is_err());
    assert_eq!(gone.after(Step::Activate, now()).unwrap().status, UserStatus::Active);
    assert!(active.after(Step::Activate, now()).is_err());
    assert_eq!(user(None, false).after(Step::Activate, now()).unwrap().status, UserStatus::Provisioned);
    let recovering = active.after(Step::ResetPassword, now()).unwrap();
    assert!(recovering.password.is_none() && recovering.status == UserStatus::Recovery);
    assert!(user(None, true).after(Step::ExpirePassword, now()).is_err());
}

#[test]
fn each_step_that_takes_active_away_begins_a_new_epoch() {
    for status in UserStatus::ALL {
        for step in LifecycleStep::ALL {
            let before = User { status, ..user(Some("$argon2id$"), true) };
            let Ok(after) = before.after(step, now()) else { continue };
            let takes_active_away = before.status.may_be_signed_in() && !after.status.may_be_signed_in();
            assert!(!takes_active_away || step.ends_access(), "{}", step.as_str());
            assert_eq!(after.proof_epoch > before.proof_epoch, step.ends_access(), "{}", step.as_str());
        }
    }
    let user = user(None, true);
    assert_eq!(user.with_password(PasswordHash::from_phc("$argon2id$"), now()).proof_epoch, 1);
    assert_eq!(
        user.with_status(UserStatus::LockedOut, now()).proof_epoch,
        0,
        "a lock keeps guessers out, not the owner"
    );
}

#[test]
fn logins_are_compared_without_case_marks_and_blanks_around() {
    assert_eq!(folded_login(" Rosario.Jones@OKTA.com"), folded_login("rosario.jones@okta.com"));
}

#[test]
fn a_user_without_names_is_called_by_the_login() {
    let named = user(None, true);
    assert_eq!(named.full_name(), "Rosario Jones");
    let mut nameless = named;
    nameless.profile.retain(|name, _| name == "login");
    assert_eq!(nameless.full_name(), "rosario.jones@okta.com");
}

#[test]
fn another_email_address_is_one_that_nobody_has_proved() {
    let (user, now) = (user(None, true), Timestamp::from_millis(0));
    assert!(user.email_verified && user.with_profile(&user.profile, now).email_verified);
    let mut other = user.profile.clone();
    other.insert("email".to_owned(), json!("other@okta.com"));
    let changed = user.with_profile(&other, now);
    assert!(!changed.email_verified && !changed.with_profile(&user.profile, now).email_verified);
}
