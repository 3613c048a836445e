//! Unit tests of reading apps.

use secrecy::ExposeSecret;

use super::super::{ApplicationType, ClientAuthMethod, GrantType};
use super::*;

struct Fixed;
impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

fn create(body: &Value) -> Result<Application, String> {
    let (id, policy) = (AppId::from_text("0oa1"), PolicyId::from_text("rst1"));
    Application::create(id, body.as_object().unwrap(), policy, true, now(), &Fixed).map_err(|error| error.to_string())
}

fn oidc(credentials: Value, settings: Value) -> Value {
    json!({"label": "Portal", "signOnMode": "OPENID_CONNECT", "name": "oidc_client",
        "credentials": {"oauthClient": credentials}, "settings": {"oauthClient": settings}})
}

#[test]
fn a_web_app_gets_a_secret_and_a_browser_app_none() {
    let web = create(&oidc(json!({}), json!({"redirect_uris": ["https://app.example/callback"]}))).unwrap();
    let client = web.oauth.as_ref().unwrap();
    assert_eq!(client.client_id, "0oa1");
    assert_eq!(client.client_secret.as_ref().unwrap().expose_secret().len(), 64);
    assert_eq!(client.token_endpoint_auth_method, ClientAuthMethod::ClientSecretBasic);
    assert!(!client.pkce_required && client.allows(GrantType::AuthorizationCode));

    let settings = json!({"application_type": "browser", "redirect_uris": ["http://localhost:3000/cb"],
        "grant_types": ["authorization_code", "interaction_code"]});
    let browser = create(&oidc(json!({"token_endpoint_auth_method": "none"}), settings)).unwrap().oauth.unwrap();
    assert!(browser.client_secret.is_none() && browser.pkce_required && browser.is_public());
    assert_eq!(browser.application_type, ApplicationType::Browser);
}

#[test]
fn a_put_keeps_client_id_secret_status_and_policy() {
    let body = oidc(
        json!({"client_id": "my-client", "client_secret": "chosen-by-creator"}),
        json!({"redirect_uris": ["https://a.example/cb"]}),
    );
    let app = create(&body).unwrap();
    let mut sent = app.to_json("https://org");
    sent["label"] = json!("Other");
    let replaced = app.replaced(sent.as_object().unwrap(), now(), &Fixed).unwrap();
    let client = replaced.oauth.as_ref().unwrap();
    assert_eq!((replaced.label.as_str(), client.client_id.as_str()), ("Other", "my-client"));
    assert_eq!(client.client_secret.as_ref().unwrap().expose_secret(), "chosen-by-creator");
    assert_eq!(replaced.policy_id, app.policy_id);
    sent["credentials"]["oauthClient"]["client_id"] = json!("another");
    sent["signOnMode"] = json!("BOOKMARK");
    assert_eq!(
        app.replaced(sent.as_object().unwrap(), now(), &Fixed).unwrap_err().to_string(),
        "signOnMode: The sign-on mode of an app cannot be changed; \
         credentials.oauthClient.client_id: The client id cannot be changed"
    );
}

#[test]
fn a_bookmark_leads_to_a_page() {
    let app = create(&json!({"label": "Wiki", "signOnMode": "BOOKMARK", "name": "bookmark",
        "settings": {"app": {"url": "https://wiki.example", "requestIntegration": false}, "notes": {"admin": "mine"}},
        "visibility": {"hide": {"iOS": true}}}))
    .unwrap();
    let json = app.to_json("https://org");
    assert_eq!(json["settings"]["app"], json!({"requestIntegration": false, "url": "https://wiki.example"}));
    assert_eq!(json["settings"]["notes"], json!({"admin": "mine", "enduser": null}));
    assert_eq!(json["visibility"]["hide"], json!({"iOS": true, "web": false}));
    assert_eq!(json["_links"]["appLinks"][0]["href"], "https://wiki.example");
    let script = json!({"label": "x", "signOnMode": "BOOKMARK", "settings": {"app": {"url": "javascript:alert(1)"}}});
    assert_eq!(create(&script).unwrap_err(), "settings.app.url: The field must be an http or https URL");
}

#[test]
fn each_wrong_member_is_named() {
    assert_eq!(create(&json!({})).unwrap_err(), "signOnMode: The field cannot be left blank");
    assert_eq!(
        create(&json!({"signOnMode": "SAML_2_0"})).unwrap_err(),
        "signOnMode: The field must be one of OPENID_CONNECT, BOOKMARK"
    );
    assert_eq!(
        create(&json!({"signOnMode": "OPENID_CONNECT", "visibility": {"hide": {"web": "no"}}})).unwrap_err(),
        "label: The field cannot be left blank; visibility.hide.web: The field must be true or false; \
         settings.oauthClient: The field cannot be left blank"
    );
    let settings = |redirect: &str| json!({"redirect_uris": [redirect]});
    for bad in [
        "",
        "/cb",
        "https://a.example/#x",
        "javascript:alert(1)",
        "https://*.a.example/cb",
        "data:text/html,x",
        "https://u:p@a.b/",
    ] {
        assert_eq!(
            create(&oidc(json!({}), settings(bad))).unwrap_err(),
            "settings.oauthClient.redirect_uris[0]: The field must be an absolute URI without a fragment, and not a script",
            "{bad}"
        );
    }
    assert!(create(&oidc(json!({}), settings("com.example.app:/callback"))).is_ok());
    assert_eq!(
        create(&oidc(
            json!({"token_endpoint_auth_method": "none", "pkce_required": false}),
            json!({"grant_types": ["magic"]})
        ))
        .unwrap_err(),
        "settings.oauthClient.grant_types: Each element must be one of authorization_code, interaction_code, refresh_token, \
         client_credentials, implicit, password, urn:ietf:params:oauth:grant-type:device_code, \
         urn:ietf:params:oauth:grant-type:token-exchange; \
         settings.oauthClient.redirect_uris: The field cannot be left blank; \
         credentials.oauthClient.pkce_required: A client without a secret needs PKCE"
    );
    assert_eq!(
        create(&oidc(json!({"client_secret": "short", "client_id": "a b c d"}), settings("https://a.example/")))
            .unwrap_err(),
        "credentials.oauthClient.client_id: The field must be made of letters, digits and $-_.+!*'(),; \
         credentials.oauthClient.client_secret: The field must be 14 to 100 characters long"
    );
}

#[test]
fn the_dashboard_is_there_for_everybody() {
    let dashboard = Application::dashboard(AppId::from_text("0oa0"), PolicyId::from_text("rst0"), now());
    let json = dashboard.to_json("https://org");
    assert_eq!((&json["name"], &json["label"]), (&json!("okta_enduser"), &json!("Okta Dashboard")));
    assert!(dashboard.system && json["_links"].get("deactivate").is_none());
}
