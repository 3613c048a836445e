use super::*;

fn recovery_code() -> Stage {
    let mailed = Some(Mailed { user: UserId::from_text("00u1"), proof_epoch: 2, code_sha256: "ab".to_owned() });
    let purpose = RecoveryPurpose::Password;
    Stage::RecoveryCode { purpose, identifier: "x".to_owned(), mailed, sent_ms: 5, failures: 1 }
}

#[test]
fn a_state_comes_back_from_its_json_as_it_was() {
    let stages = [
        Stage::Identify,
        Stage::Password { identifier: "é \"x\"".to_owned() },
        Stage::SignUp,
        Stage::SetPassword { user: UserId::from_text("00u1"), is_new: true },
        Stage::EmailCode { user: UserId::from_text("00u1"), code_sha256: "ab".to_owned(), sent_ms: 5, failures: 1 },
        Stage::Progressive { user: UserId::from_text("00u1") },
        Stage::Recovery { purpose: RecoveryPurpose::Unlock },
        Stage::RecoveryChoice { identifier: "x".to_owned() },
        recovery_code(),
        Stage::ResetPassword { user: UserId::from_text("00u1"), link_sha256: Some([7; 32]) },
        Stage::Unlocked { identifier: "x".to_owned() },
        Stage::Done { user: UserId::from_text("00u1"), authenticated_ms: 7, code_sha256: None },
    ];
    for stage in stages {
        let state = FlowState::beginning(None).at(stage);
        let json = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<FlowState>(&json).unwrap(), state, "{json}");
    }
}

#[test]
fn what_was_proved_is_forgotten_at_a_stage_that_is_about_nobody() {
    let at = Timestamp::from_millis(5);
    let state = FlowState::beginning(None).at(Stage::Progressive { user: UserId::from_text("00u1") }).proven_at(at, 3);
    let next = state.at(Stage::SetPassword { user: UserId::from_text("00u1"), is_new: false });
    assert_eq!((next.proven(), next.proof_epoch), (Some(at), 3));
    for stage in [Stage::Identify, Stage::SignUp, Stage::Password { identifier: "x".to_owned() }] {
        assert_eq!(state.at(stage).proven(), None);
    }
}

#[test]
fn rights_rise_where_a_flow_begins_to_speak_for_somebody() {
    let user = || UserId::from_text("00u1");
    let code = |failures| Stage::EmailCode { user: user(), code_sha256: "ab".to_owned(), sent_ms: 5, failures };
    let password = || Stage::Password { identifier: "x".to_owned() };
    let done = || Stage::Done { user: user(), authenticated_ms: 7, code_sha256: None };
    let stages = || [Stage::Identify, password(), Stage::SignUp, code(0), Stage::Progressive { user: user() }, done()];
    for (number, before) in stages().iter().enumerate() {
        for (other, next) in stages().iter().enumerate() {
            assert_eq!(before.rises_to(next), other > 2 && other != number, "{before:?} {next:?}");
        }
    }
    assert!(!code(0).rises_to(&code(1)), "a wrong code is no rise");
    let reset = Stage::ResetPassword { user: user(), link_sha256: None };
    assert!(!Stage::Identify.rises_to(&recovery_code()), "a code that was asked for proves nothing");
    assert!(recovery_code().rises_to(&reset) && reset.rises_to(&done()));
    let other = Stage::Progressive { user: UserId::from_text("00u2") };
    assert!(Stage::Progressive { user: user() }.rises_to(&other));
}

#[test]
fn a_client_that_leads_can_follow_many_rises_and_a_browser_the_last_one() {
    let client = |face| ClientBinding {
        face,
        client_id: "0oa1".to_owned(),
        redirect_uri: "https://app.example/cb".to_owned(),
        scope: "openid".to_owned(),
        state: None,
        nonce: None,
        code_challenge: None,
        response_mode: None,
    };
    let after = |client, rises: usize| {
        (0..rises).fold(FlowState::beginning(client), |state, number| state.risen(number.to_string())).rises
    };
    assert_eq!(after(Some(client(ClientFace::Interaction)), 3), ["0", "1", "2"]);
    assert_eq!(after(Some(client(ClientFace::Interaction)), MAX_FOLLOWED_RISES + 1), ["32"]);
    assert_eq!(after(Some(client(ClientFace::Authorize)), 3), ["2"]);
    assert_eq!(after(None, 3), ["2"]);
}

#[test]
fn an_address_is_covered() {
    assert_eq!(covered("rosario.jones@okta.com"), "r•••@okta.com");
    assert_eq!(covered("nonsense"), "•••");
    assert_eq!(covered("@x"), "•••@x");
}
