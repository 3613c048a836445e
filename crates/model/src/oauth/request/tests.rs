use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::application::{ApplicationType, ClientAuthMethod};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn client() -> OAuthClient {
    OAuthClient {
        client_id: "0oa1".to_owned(),
        client_secret: None,
        application_type: ApplicationType::Browser,
        redirect_uris: vec!["https://app.example/cb".to_owned(), "https://app.example/cb?x=1".to_owned()],
        post_logout_redirect_uris: Vec::new(),
        grant_types: vec![GrantType::AuthorizationCode, GrantType::InteractionCode],
        response_types: vec![ResponseType::Code],
        token_endpoint_auth_method: ClientAuthMethod::None,
        pkce_required: true,
        shown: Map::new(),
    }
}

/// A good request with these parameters instead of its own; an empty value leaves one out.
fn parameters(changes: &[(&str, &str)]) -> Parameters {
    let mut pairs = vec![
        ("client_id", "0oa1"),
        ("redirect_uri", "https://app.example/cb"),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("state", "a b&c"),
        ("nonce", "n"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    pairs.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    pairs.extend(changes);
    Parameters::new(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())))
}

#[test]
fn a_good_request_is_bound_as_it_was_asked() {
    let request = read_authorize(&parameters(&[]), &client()).unwrap();
    assert_eq!((request.prompt, request.max_age), (Prompt::IfNeeded, None));
    assert_eq!(request.binding.code_challenge.as_deref(), Some(CHALLENGE));
    assert_eq!((request.binding.scope.as_str(), request.binding.nonce.as_deref()), ("openid email", Some("n")));
    let binding = read_interact(&parameters(&[]), &client()).unwrap();
    assert_eq!(binding.face, ClientFace::Interaction);
}

#[test]
fn nothing_is_sent_to_a_redirect_uri_that_is_not_the_clients_letter_by_letter() {
    for uri in [
        "",
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://APP.example/cb",
        "https://app.example/cb#x",
        "https://app.example/cb?x=2",
        "https://app.example:443/cb",
        "https://evil.example/cb",
    ] {
        let refusal = read_authorize(&parameters(&[("redirect_uri", uri)]), &client()).unwrap_err();
        assert!(matches!(refusal, AuthorizeRefusal::Here(error) if error.code == "invalid_request"), "{uri}");
        assert!(read_interact(&parameters(&[("redirect_uri", uri)]), &client()).is_err(), "{uri}");
    }
    let twice = [("redirect_uri", "https://app.example/cb"), ("redirect_uri", "https://evil.example/cb")];
    assert!(matches!(read_authorize(&parameters(&twice), &client()), Err(AuthorizeRefusal::Here(_))));
}

#[test]
fn other_faults_are_told_to_the_client_with_its_state() {
    let long = "x".repeat(3_000);
    for (name, value, code) in [
        ("response_type", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_mode", "okta_post_message", "unsupported_response_mode"),
        ("request", "e30", "request_not_supported"),
        ("scope", "", "invalid_request"),
        ("scope", "all", "invalid_scope"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("prompt", "create", "invalid_request"),
        ("max_age", "-1", "invalid_request"),
        ("nonce", long.as_str(), "invalid_request"),
    ] {
        let refusal = read_authorize(&parameters(&[(name, value)]), &client()).unwrap_err();
        let AuthorizeRefusal::AtClient(target, error) = refusal else { panic!("{name}={value}") };
        assert_eq!((target.state.as_deref(), error.code), (Some("a b&c"), code), "{name}={value}");
    }
}

#[test]
fn a_client_gets_only_what_its_app_allows() {
    let none = OAuthClient { grant_types: vec![GrantType::ClientCredentials], ..client() };
    assert_eq!(read_interact(&parameters(&[]), &none).unwrap_err().code, "unauthorized_client");
    let AuthorizeRefusal::AtClient(_, error) = read_authorize(&parameters(&[]), &none).unwrap_err() else { panic!() };
    assert_eq!(error.code, "unauthorized_client");
    let lenient = OAuthClient { pkce_required: false, ..client() };
    let without = parameters(&[("code_challenge", ""), ("code_challenge_method", "")]);
    assert_eq!(read_authorize(&without, &lenient).unwrap().binding.code_challenge, None);
    assert!(read_interact(&without, &lenient).is_err(), "an interaction code always needs PKCE");
}

#[test]
fn an_answer_keeps_the_query_of_the_redirect_uri_and_escapes_the_state() {
    let target = |uri: &str, mode: Option<&str>| ResponseTarget {
        redirect_uri: uri.to_owned(),
        response_mode: mode.map(str::to_owned),
        state: Some("a b&c".to_owned()),
    };
    let at = |uri, mode| target(uri, mode).with_code("xyz").unwrap();
    assert_eq!(at("https://app.example/cb", None), "https://app.example/cb?code=xyz&state=a+b%26c");
    assert_eq!(at("https://app.example/cb?x=1", Some("query")), "https://app.example/cb?x=1&code=xyz&state=a+b%26c");
    assert_eq!(at("https://app.example/cb", Some("fragment")), "https://app.example/cb#code=xyz&state=a+b%26c");
    let error = OAuthError::new("login_required", "Nobody is signed in.");
    assert_eq!(
        target("com.example:/cb", None).with_error(&error).unwrap(),
        "com.example:/cb?error=login_required&error_description=Nobody+is+signed+in.&state=a+b%26c"
    );
}

#[test]
fn a_verifier_has_43_to_128_plain_characters() {
    assert!(is_code_verifier(&"a".repeat(43)) && is_code_verifier(&"-._~".repeat(32)));
    for bad in ["a".repeat(42), "a".repeat(129), "é".repeat(43), " ".repeat(43)] {
        assert!(!is_code_verifier(&bad), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_request_makes_the_reader_panic_or_changes_the_redirect_uri(
        pairs in proptest::collection::vec(("(redirect_uri|state|scope|prompt|max_age|nonce|[a-z_]{1,8})", ".{0,40}"), 0..12)
    ) {
        if let Ok(request) = read_authorize(&Parameters::new(pairs.clone()), &client()) {
            prop_assert!(client().redirect_uris.contains(&request.binding.redirect_uri));
        }
        let _ = read_interact(&Parameters::new(pairs), &client());
    }
}
