//! Unit tests of apps.

use serde_json::json;

use super::*;

fn app() -> Application {
    let oauth = OAuthClient {
        client_id: "0oa1".to_owned(),
        client_secret: Some(SecretString::from("canary")),
        application_type: ApplicationType::Web,
        redirect_uris: vec!["https://app.example/callback".to_owned()],
        post_logout_redirect_uris: Vec::new(),
        grant_types: vec![GrantType::AuthorizationCode, GrantType::InteractionCode],
        response_types: vec![ResponseType::Code],
        token_endpoint_auth_method: ClientAuthMethod::ClientSecretBasic,
        pkce_required: true,
        shown: Map::new(),
    };
    Application {
        id: AppId::from_text("0oa1"),
        name: "oidc_client".to_owned(),
        label: "Portal".to_owned(),
        status: LifecycleStatus::Active,
        sign_on_mode: SignOnMode::OpenIdConnect,
        shown: Map::new(),
        oauth: Some(oauth),
        policy_id: PolicyId::from_text("rst1"),
        system: false,
        created: Timestamp::default(),
        last_updated: Timestamp::default(),
        revision: 1,
    }
}

#[test]
fn the_client_secret_is_shown_by_the_create_call_alone() {
    assert!(!app().to_json("").to_string().contains("canary"));
    assert!(!format!("{:?}", app()).contains("canary"));
    let created = app().to_json_with_secret("");
    assert_eq!(created["credentials"]["oauthClient"]["client_secret"], "canary");
}

#[test]
fn an_app_shows_its_client_and_its_policy() {
    let json = app().to_json("https://org");
    assert_eq!(json["credentials"]["oauthClient"]["client_id"], "0oa1");
    assert_eq!(json["settings"]["oauthClient"]["grant_types"], json!(["authorization_code", "interaction_code"]));
    assert_eq!(json["_links"]["profileEnrollment"]["href"], "https://org/api/v1/policies/rst1");
    assert_eq!(json["_links"]["deactivate"]["href"], "https://org/api/v1/apps/0oa1/lifecycle/deactivate");
}
