//! Signing up: form, password, mail, names of all kinds, and who may not.

use hookwright_model::enrollment_policy::{RunOn, UnknownUserAction};
use hookwright_model::user::UserStatus;
use serde_json::{Value, json};

use super::org::{FlowOrg, PASSWORD, asking};
use crate::execute::ALLOW;

fn rosario() -> Value {
    json!({"email": "rosario@okta.com", "firstName": "Rosario", "lastName": "Jones"})
}

#[tokio::test]
async fn a_person_signs_up_sets_a_password_and_signs_in_again() {
    let org = FlowOrg::start().await;
    org.answers(&[ALLOW]);
    let mut idx = org.idx().await;
    assert_eq!(idx.remediations(), ["identify", "select-enroll-profile", "unlock-account"]);
    idx.proceed("select-enroll-profile", json!({})).await;
    let fields: Vec<_> =
        idx.fields().into_iter().map(|field| (field["name"].clone(), field["required"].clone())).collect();
    assert_eq!(
        fields,
        [(json!("email"), json!(true)), (json!("firstName"), json!(true)), (json!("lastName"), json!(true))]
    );
    idx.register(rosario()).await;
    assert!(org.stored("rosario@okta.com").await.is_none(), "without a password there is no user");

    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": "short"}})).await;
    assert_eq!((idx.status, idx.remediations()), (400, vec!["enroll-authenticator"]));
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": PASSWORD}})).await;
    assert_eq!(idx.status, 200);
    let code = idx.code().to_owned();
    assert_eq!(org.stored("rosario@okta.com").await.expect("the user").status, UserStatus::Active);
    let known = org.org.app.flow_code(&code).await.expect("a look-up").expect("the code");
    assert_eq!(known.user, org.stored("rosario@okta.com").await.expect("the user").id);

    let mut again = org.idx().await;
    again.sign_in("Rosario@OKTA.com", PASSWORD).await;
    assert_ne!(again.code(), code);
    assert_eq!(org.asked().len(), 1, "the hook is asked once, and never told a password");
    assert!(!org.asked()[0].to_string().contains(PASSWORD));
    for kind in ["user.lifecycle.create", "user.lifecycle.activate", "user.account.update_password"] {
        assert_eq!(org.count(kind).await, 1, "{kind}");
    }
    assert_eq!(org.count("user.session.start").await, 2);
}

#[tokio::test]
async fn a_form_that_asks_for_the_password_needs_no_second_page() {
    let org = FlowOrg::with(|rule| rule.enroll_password_on_form = true).await;
    org.answers(&[ALLOW]);
    let mut idx = org.idx().await;
    idx.proceed("select-enroll-profile", json!({})).await;
    assert_eq!(idx.body["currentAuthenticator"]["value"]["key"], "okta_password");
    idx.proceed("enroll-profile", json!({"userProfile": rosario(), "credentials": {"passcode": "short"}})).await;
    assert_eq!((idx.status, org.asked().len()), (400, 0));
    idx.proceed("enroll-profile", json!({"userProfile": rosario(), "credentials": {"passcode": PASSWORD}})).await;
    assert!(!idx.code().is_empty());
    assert_eq!(org.stored("rosario@okta.com").await.expect("the user").status, UserStatus::Active);
    assert!(!org.asked()[0].to_string().contains(PASSWORD));
}

#[tokio::test]
async fn a_mailed_code_makes_the_account_active() {
    let org = FlowOrg::with(|rule| rule.email_verification = true).await;
    org.answers(&[ALLOW]);
    let mut idx = org.idx().await;
    idx.sign_up(rosario()).await;
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": PASSWORD}})).await;
    assert_eq!(idx.body["currentAuthenticator"]["value"]["key"], "okta_email");
    assert!(org.stored("rosario@okta.com").await.is_none(), "without the proof there is no user");
    let mails = org.org.app.mails().await.expect("mails");
    assert_eq!((mails.len(), mails[0].to.as_str()), (1, "rosario@okta.com"));
    let code =
        mails[0].body.split_whitespace().find(|word| word.len() == 6 && word.bytes().all(|it| it.is_ascii_digit()));
    let code = code.expect("a code of six digits").to_owned();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..2 {
        idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": wrong}})).await;
        assert_eq!(idx.status, 400);
    }
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": code}})).await;
    assert!(!idx.code().is_empty());
    assert_eq!(org.stored("rosario@okta.com").await.expect("the user").status, UserStatus::Active);
}

#[tokio::test]
async fn a_code_is_of_no_use_after_five_wrong_ones() {
    let org = FlowOrg::with(|rule| rule.email_verification = true).await;
    org.answers(&[ALLOW]);
    let mut idx = org.idx().await;
    idx.sign_up(rosario()).await;
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": PASSWORD}})).await;
    let mails = org.org.app.mails().await.expect("mails");
    let code =
        mails[0].body.split_whitespace().find(|word| word.len() == 6 && word.bytes().all(|it| it.is_ascii_digit()));
    let code = code.expect("a code").to_owned();
    for _ in 0..5 {
        idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": "nonsense"}})).await;
    }
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": code}})).await;
    assert_eq!(idx.status, 400, "{:#}", idx.body);
    // Another mail may be asked for a little later, and its code works.
    org.org.clock.advance(std::time::Duration::from_secs(20));
    idx.post("/idp/idx/challenge/resend", json!({})).await;
    assert_eq!(idx.status, 200);
    let mails = org.org.app.mails().await.expect("mails");
    assert_eq!(mails.len(), 2);
    let code =
        mails[0].body.split_whitespace().find(|word| word.len() == 6 && word.bytes().all(|it| it.is_ascii_digit()));
    idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": code.expect("a code")}})).await;
    assert!(!idx.code().is_empty());
}

#[tokio::test]
async fn nobody_gets_code_after_code_by_signing_in_again_and_again() {
    let org = FlowOrg::with(|rule| rule.email_verification = true).await;
    org.user("rosario@okta.com").await;
    org.set_status("rosario@okta.com", UserStatus::Provisioned).await;
    for _ in 0..5 {
        org.idx().await.sign_in("rosario@okta.com", PASSWORD).await;
    }
    let sent = async || org.org.app.mails().await.expect("mails").len();
    assert_eq!(sent().await, 5);
    // Each further flow stands at the code, but no mail is sent for it, and no code fits.
    let mut late = Vec::new();
    for _ in 0..3 {
        late.push(org.idx().await);
    }
    futures::future::join_all(late.iter_mut().map(|idx| idx.sign_in("rosario@okta.com", PASSWORD))).await;
    for idx in &mut late {
        assert_eq!((idx.status, idx.body["currentAuthenticator"]["value"]["key"].as_str()), (429, Some("okta_email")));
        assert_eq!(idx.banners(), ["Too many codes were mailed. Please try again in an hour."]);
        idx.proceed("enroll-authenticator", json!({"credentials": {"passcode": ""}})).await;
        assert_eq!(idx.status, 400, "{:#}", idx.body);
        org.org.clock.advance(std::time::Duration::from_secs(20));
        idx.post("/idp/idx/challenge/resend", json!({})).await;
        assert_eq!(idx.status, 429);
    }
    assert_eq!(sent().await, 5);
    org.org.clock.advance(std::time::Duration::from_secs(60 * 60));
    let mut later = org.idx().await;
    later.sign_in("rosario@okta.com", PASSWORD).await;
    assert_eq!((later.status, sent().await), (200, 6));
}

#[tokio::test]
async fn a_wrong_form_is_refused_before_the_hook_is_asked() {
    let org = FlowOrg::start().await;
    let mut idx = org.idx().await;
    idx.sign_up(json!({"email": "nonsense", "firstName": " "})).await;
    assert_eq!(idx.status, 400);
    for name in ["email", "firstName", "lastName"] {
        assert_eq!(idx.said_at(name).len(), 1, "{name}");
    }
    org.user("rosario@okta.com").await;
    idx.register(json!({"email": "ROSARIO@okta.com", "firstName": "R", "lastName": ""})).await;
    assert!(idx.said_at("email").is_empty(), "that a login is taken is told to a whole form only");
    idx.register(json!({"email": "ROSARIO@okta.com", "firstName": "R", "lastName": "J"})).await;
    assert_eq!(idx.said_at("email"), ["A user with this Primary email already exists"]);
    assert!(org.asked().is_empty());
}

#[tokio::test]
async fn where_sign_up_is_denied_there_is_no_way_in() {
    let org = FlowOrg::with(|rule| rule.unknown_user_action = UnknownUserAction::Deny).await;
    let mut idx = org.idx().await;
    assert_eq!(idx.remediations(), ["identify", "unlock-account"]);
    idx.post("/idp/idx/enroll", json!({})).await;
    assert_eq!((idx.status, idx.remediations()), (400, vec!["identify", "unlock-account"]));
    idx.post("/idp/idx/enroll/new", json!({"userProfile": rosario()})).await;
    assert!(org.stored("rosario@okta.com").await.is_none());
}

#[tokio::test]
async fn a_policy_that_closes_while_the_form_is_open_refuses_it() {
    let org = FlowOrg::start().await;
    let mut idx = org.idx().await;
    idx.proceed("select-enroll-profile", json!({})).await;
    org.change_rule(|rule| rule.unknown_user_action = UnknownUserAction::Deny).await;
    idx.register(rosario()).await;
    assert_eq!((idx.status, idx.remediations()), (400, vec!["identify", "unlock-account"]));
    assert!(org.stored("rosario@okta.com").await.is_none() && org.asked().is_empty());
}

#[tokio::test]
async fn a_hook_for_existing_users_is_not_asked_about_new_ones() {
    let org = FlowOrg::with(|rule| {
        if let Some(hook) = &mut rule.hook {
            hook.run_on = RunOn::ExistingUser;
        }
    })
    .await;
    org.idx().await.join(rosario()).await;
    assert!(org.stored("rosario@okta.com").await.is_some() && org.asked().is_empty());
}

#[tokio::test]
async fn names_of_all_kinds_come_back_as_they_were_entered() {
    let org = FlowOrg::with(|rule| rule.profile_attributes.push(asking("nickname of old", false))).await;
    org.answers(&["{}"]);
    let long = "x".repeat(50);
    for (number, name) in
        ["👩‍💻🦀", "שלום עולם", "e\u{301}\u{323}", long.as_str(), "O'Brien-\"Smith\" <b>", "李 小龙", "ﬀ İ ß"]
            .into_iter()
            .enumerate()
    {
        let login = format!("name{number}@okta.com");
        org.idx().await.join(json!({"email": login, "firstName": name, "lastName": "Jones"})).await;
        let user = org.stored(&login).await.unwrap_or_else(|| panic!("{name}"));
        let expected = hookwright_model::text::composed(name);
        assert_eq!(user.profile["firstName"], json!(expected), "{name}");
        assert_eq!(org.asked()[number]["data"]["userProfile"]["firstName"], json!(expected));
    }
    let mut idx = org.idx().await;
    idx.sign_up(json!({"email": "long@okta.com", "firstName": "x".repeat(51), "lastName": "\u{2003}"})).await;
    assert_eq!((idx.said_at("firstName").len(), idx.said_at("lastName").len()), (1, 1));
}

#[tokio::test]
async fn nobody_becomes_the_first_administrator_by_signing_up_or_in() {
    const ADMINISTRATOR: &str = "admin@hookwright.invalid";
    let org = FlowOrg::start().await;
    org.answers(&[ALLOW]);
    let mut idx = org.idx().await;
    idx.sign_up(json!({"email": "ADMIN@hookwright.invalid", "firstName": "A", "lastName": "B"})).await;
    assert_eq!((idx.status, idx.said_at("email")), (400, vec!["A user with this Primary email already exists"]));
    // The account has no password, so that none opens it.
    for password in [PASSWORD, "another-password-1"] {
        let mut idx = org.idx().await;
        idx.sign_in(ADMINISTRATOR, password).await;
        assert_eq!(idx.status, 401, "{:#}", idx.body);
        org.org.clock.advance(std::time::Duration::from_secs(10));
    }
    assert!(org.asked().is_empty() && org.org.app.mails().await.expect("mails").is_empty());
    let administrator = org.stored(ADMINISTRATOR).await.expect("the administrator");
    assert!(administrator.status == UserStatus::Provisioned && administrator.password.is_none());
}
