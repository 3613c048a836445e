//! Services behind an authorization server.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hookwright_contract::HookType;
use hookwright_engine::{
    Assertions, CallFailure, CallSettings, Engine, EngineOptions, HookKey, HookKeyError, HookKeys, Prepared, Report,
};
use hookwright_model::Timestamp;
use hookwright_model::address::AddressPolicy;
use hookwright_model::channel::{ChannelAuth, OAuthClientAuth, OAuthConfig};
use hookwright_model::execution::Verdict;
use hookwright_model::hook_uri::HookUri;
use hookwright_testkit::{ExternalService, FixedClock, Reply, SeededEntropy, SeenRequest};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::bench::{BODY, PATIENT, SHORT, hook, options};

const SECRET: &str = "s3cret-client";

struct Guarded {
    engine: Engine,
    /// Is both the authorization server (`/token`) and the service (`/hook`).
    service: ExternalService,
    timeout: Duration,
}

impl Guarded {
    async fn start() -> Self {
        Self::start_with(options()).await
    }

    async fn start_with(options: EngineOptions) -> Self {
        let service = ExternalService::start().await;
        service.on("/hook", [Reply::json(200, "{}")]);
        Self { engine: Engine::new(options).unwrap(), service, timeout: PATIENT }
    }

    fn prepare(&self, hook_type: HookType, client_auth: OAuthClientAuth) -> Prepared {
        let mut hook = hook(&self.service.url("/hook"), hook_type, &json!({}));
        hook.channel.auth = ChannelAuth::OAuth(OAuthConfig {
            client_id: "client 1".to_owned(),
            token_url: HookUri::parse_stored(&self.service.url("/token")).unwrap(),
            scope: Some("hook.call".to_owned()),
            client_auth,
        });
        self.engine.prepare(&hook, CallSettings { timeout: self.timeout, ..CallSettings::for_type(hook_type) })
    }

    async fn call(&self) -> Report {
        let prepared = self.prepare(HookType::Registration, OAuthClientAuth::ClientSecretPost(SECRET.into()));
        self.engine.call(&prepared, BODY.into()).await
    }

    fn seen(&self, path: &str) -> Vec<SeenRequest> {
        self.service.requests().into_iter().filter(|request| request.target == path).collect()
    }

    fn count(&self) -> (usize, usize) {
        (self.seen("/token").len(), self.seen("/hook").len())
    }
}

fn token(token: &str, expires_in: Option<u64>) -> Reply {
    let mut body = json!({"access_token": token, "token_type": "Bearer"});
    if let Some(seconds) = expires_in {
        body["expires_in"] = seconds.into();
    }
    Reply::json(200, body.to_string())
}

fn form(request: &SeenRequest) -> Vec<(String, String)> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

#[tokio::test]
async fn a_token_is_asked_for_with_the_client_s_secret_and_shown_to_the_service() {
    let guarded = Guarded::start().await;
    guarded.service.on("/token", [token("t0ken", Some(3600))]);
    assert_eq!(guarded.call().await.result.unwrap().body, "{}");
    let asked = guarded.seen("/token").remove(0);
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(asked.header("authorization"), None);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = [
        pair("grant_type", "client_credentials"),
        pair("client_id", "client 1"),
        pair("client_secret", SECRET),
        pair("scope", "hook.call"),
    ];
    assert_eq!(form(&asked), expected);
    let called = guarded.seen("/hook").remove(0);
    assert_eq!((called.header("authorization"), &called.body[..]), (Some("Bearer t0ken"), BODY));
}

#[tokio::test]
async fn a_token_is_kept_until_it_ends_also_when_the_hook_is_prepared_anew() {
    let guarded = Guarded::start().await;
    guarded.service.on("/token", [token("t0ken", Some(3600))]);
    for _ in 0..3 {
        guarded.call().await.result.unwrap();
    }
    assert_eq!(guarded.count(), (1, 3));
}

#[tokio::test]
async fn a_token_without_a_time_or_of_a_minute_is_not_kept() {
    for expires_in in [None, Some(60), Some(1)] {
        let guarded = Guarded::start().await;
        guarded.service.on("/token", [token("t0ken", expires_in)]);
        for _ in 0..3 {
            guarded.call().await.result.unwrap();
        }
        assert_eq!(guarded.count(), (3, 3), "{expires_in:?}");
    }
}

#[tokio::test]
async fn another_secret_finds_no_token_of_the_old_one() {
    let guarded = Guarded::start().await;
    guarded.service.on("/token", [token("t0ken", Some(3600))]);
    for secret in ["one", "other"] {
        let prepared = guarded.prepare(HookType::Registration, OAuthClientAuth::ClientSecretPost(secret.into()));
        guarded.engine.call(&prepared, BODY.into()).await.result.unwrap();
    }
    assert_eq!(guarded.count(), (2, 2));
}

#[tokio::test]
async fn many_calls_at_once_ask_for_one_token() {
    let guarded = Guarded::start().await;
    guarded.service.on("/token", [token("t0ken", Some(3600)).after(Duration::from_millis(50))]);
    let reports = futures::future::join_all((0..20).map(|_| guarded.call())).await;
    assert!(reports.iter().all(|report| report.result.is_ok()));
    assert_eq!(guarded.count(), (1, 20));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_within_the_attempt() {
    let guarded = Guarded::start().await;
    guarded.service.on("/token", [token("old", Some(3600)), token("new", Some(3600))]);
    guarded.service.on("/hook", [Reply::json(401, "{}"), Reply::json(200, "{}")]);
    let report = guarded.call().await;
    assert_eq!((report.result.unwrap().status, report.attempts.len()), (200, 1));
    let shown: Vec<String> =
        guarded.seen("/hook").iter().map(|request| request.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(shown, ["Bearer old", "Bearer new"]);
    guarded.call().await.result.unwrap();
    assert_eq!(guarded.count(), (2, 3));
}

#[tokio::test]
async fn a_token_that_was_refused_is_never_shown_again() {
    let guarded = Guarded::start().await;
    guarded.service.on("/token", ["first", "second", "third"].map(|text| token(text, Some(3600))));
    guarded.service.on("/hook", [Reply::json(401, "{}"), Reply::json(401, "{}"), Reply::json(200, "{}")]);
    assert_eq!(guarded.call().await.result, Err(CallFailure::WrongStatus(401)));
    guarded.call().await.result.unwrap();
    let shown: Vec<String> =
        guarded.seen("/hook").iter().map(|request| request.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(shown, ["Bearer first", "Bearer second", "Bearer third"]);
}

#[tokio::test]
async fn no_call_makes_more_than_two_requests_to_the_service() {
    for hook_type in [HookType::Registration, HookType::Token] {
        for (replies, status) in [([401, 401], 401), ([401, 500], 500)] {
            let guarded = Guarded::start().await;
            guarded.service.on("/token", [token("t0ken", Some(3600))]);
            guarded.service.on("/hook", replies.map(|status| Reply::json(status, "{}")));
            let prepared = guarded.prepare(hook_type, OAuthClientAuth::ClientSecretPost(SECRET.into()));
            let report = guarded.engine.call(&prepared, BODY.into()).await;
            assert_eq!(report.result, Err(CallFailure::WrongStatus(status)));
            assert_eq!(guarded.seen("/hook").len(), 2);
        }
    }
    let guarded = Guarded::start().await;
    guarded.service.on("/token", [token("t0ken", Some(3600))]);
    guarded.service.on("/hook", [Reply::json(500, "{}"), Reply::json(401, "{}"), Reply::json(200, "{}")]);
    assert_eq!(guarded.call().await.result, Err(CallFailure::WrongStatus(401)));
    assert_eq!(guarded.seen("/hook").len(), 2);
}

#[tokio::test]
async fn a_refusal_is_told_by_its_code_and_not_asked_again() {
    let guarded = Guarded::start().await;
    let body = json!({"error": "invalid_client", "error_description": "the secret s3cret-client is wrong"}).to_string();
    guarded.service.on("/token", [Reply::json(401, body)]);
    let report = guarded.call().await;
    let failure = report.result.clone().unwrap_err();
    assert_eq!(failure.verdict(), Verdict::TokenRefused);
    let text = "Failed to get access token. The request was invalid, reason: \
                the authorization server answered with status 401 (invalid_client).";
    assert_eq!(failure.to_string(), text);
    assert_eq!(guarded.count(), (1, 0));
    assert!(!format!("{report:?}").contains("s3cret"));
}

#[tokio::test]
async fn an_authorization_server_that_is_down_or_busy_is_asked_once_more() {
    for (reply, asked) in [(Reply::json(503, "{}"), 2), (Reply::raw("x\r\n\r\n").then_close(), 1)] {
        let guarded = Guarded::start().await;
        guarded.service.on("/token", [reply]);
        let report = guarded.call().await;
        assert_eq!(report.result.unwrap_err().verdict(), Verdict::TokenRefused);
        assert_eq!(guarded.count(), (asked, 0));
    }
    let guarded = Guarded::start().await;
    guarded.service.on("/token", [Reply::json(500, "{}"), token("t0ken", None)]);
    assert_eq!(guarded.call().await.result.unwrap().body, "{}");
}

#[tokio::test]
async fn a_silent_authorization_server_uses_up_the_attempt_s_time() {
    let guarded = Guarded { timeout: SHORT, ..Guarded::start().await };
    guarded.service.on("/token", [Reply::hang()]);
    let report = guarded.call().await;
    assert_eq!(report.result, Err(CallFailure::TimedOut(SHORT)));
    assert!(report.attempts[0].failure.as_deref().unwrap().contains("authorization server"), "{:?}", report.attempts);
    guarded.service.on("/token", [token("t0ken", None).after(SHORT - Duration::from_millis(100))]);
    guarded.service.on("/hook", [Reply::json(200, "{}").after(Duration::from_millis(200))]);
    assert_eq!(guarded.call().await.result, Err(CallFailure::TimedOut(SHORT)));
}

#[tokio::test]
async fn the_token_url_stands_under_the_same_address_policy() {
    let guarded = Guarded::start().await;
    let mut hook = hook(&guarded.service.url("/hook"), HookType::Registration, &json!({}));
    for url in ["https://10.0.0.1/token", "http://hooks.example.com/token", "https://169.254.169.254/token"] {
        hook.channel.auth = ChannelAuth::OAuth(OAuthConfig {
            client_id: "c".to_owned(),
            token_url: HookUri::parse_stored(url).unwrap(),
            scope: None,
            client_auth: OAuthClientAuth::ClientSecretPost(SECRET.into()),
        });
        let prepared = guarded.engine.prepare(&hook, CallSettings::for_type(HookType::Registration));
        let report = guarded.engine.call(&prepared, BODY.into()).await;
        let text = report.result.unwrap_err().to_string();
        assert!(text.contains("could not be reached"), "{text}");
    }
    assert_eq!(guarded.count(), (0, 0));
    let policy = AddressPolicy::default();
    let closed = Guarded::start_with(EngineOptions { policy, ..EngineOptions::default() }).await;
    assert_eq!(closed.call().await.result, Err(CallFailure::AddressRefused));
}

#[tokio::test]
async fn a_token_that_a_service_sends_back_is_not_recorded() {
    let guarded = Guarded::start().await;
    guarded.service.on("/token", [token("t0ken-of-mine", Some(3600))]);
    for status in [200, 400] {
        guarded.service.on("/hook", [Reply::json(status, r#"{"debugContext":{"got":"Bearer t0ken-of-mine"}}"#)]);
        let report = guarded.call().await;
        let recorded = String::from_utf8(report.attempts[0].body.to_vec()).unwrap();
        assert_eq!(recorded, r#"{"debugContext":{"got":"Bearer ******"}}"#);
        assert!(!format!("{:?}", report.attempts).contains("t0ken"));
        assert_eq!(report.access_token.unwrap().expose_secret(), "t0ken-of-mine");
    }
}

struct OneKey(Arc<HookKey>);

impl HookKeys for OneKey {
    fn hook_key<'a>(
        &'a self,
        id: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Arc<HookKey>, HookKeyError>> + Send + 'a>> {
        let found = (id == "HKY00000000000000001").then(|| Arc::clone(&self.0));
        Box::pin(std::future::ready(found.ok_or_else(|| HookKeyError::Unknown(id.to_owned()))))
    }
}

fn key() -> Arc<HookKey> {
    use aws_lc_rs::encoding::AsDer;
    let pair = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
    Arc::new(HookKey::from_pkcs8("7fbc27fd-e3df-4522-86bf-1930110256ad", der.as_ref()).unwrap())
}

fn with_key(key: &Arc<HookKey>) -> EngineOptions {
    let assertions = Assertions {
        keys: Arc::new(OneKey(Arc::clone(key))),
        clock: Arc::new(FixedClock::at(Timestamp::from_millis(1_700_000_000_123))),
        entropy: Arc::new(SeededEntropy::new(7)),
    };
    EngineOptions { assertions: Some(assertions), ..options() }
}

#[tokio::test]
async fn a_hook_key_signs_the_assertion() {
    let key = key();
    let guarded = Guarded::start_with(with_key(&key)).await;
    guarded.service.on("/token", [token("t0ken", None)]);
    let auth = OAuthClientAuth::PrivateKeyJwt { hook_key_id: "HKY00000000000000001".to_owned() };
    let prepared = guarded.prepare(HookType::Registration, auth);
    for _ in 0..2 {
        guarded.engine.call(&prepared, BODY.into()).await.result.unwrap();
    }
    let forms: Vec<_> = guarded.seen("/token").iter().map(form).collect();
    let names: Vec<&str> = forms[0].iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["grant_type", "client_assertion_type", "client_assertion", "scope"]);
    assert_eq!(forms[0][1].1, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let parts: Vec<&str> = forms[0][2].1.split('.').collect();
    let part =
        |index: usize| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[index]).unwrap()).unwrap() };
    assert_eq!(part(0), json!({"alg": "RS256", "typ": "JWT", "kid": "7fbc27fd-e3df-4522-86bf-1930110256ad"}));
    let mut claims = part(1);
    let id = claims.as_object_mut().unwrap().remove("jti").unwrap();
    let url = guarded.service.url("/token");
    assert_eq!(
        claims,
        json!({"iss": "client 1", "sub": "client 1", "aud": url, "iat": 1_700_000_000, "exp": 1_700_000_300})
    );
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_der().unwrap());
    let signed = format!("{}.{}", parts[0], parts[1]);
    public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
    assert_ne!(forms[0][2].1, forms[1][2].1, "each assertion has an id of its own");
    assert!(id.as_str().unwrap().len() >= 16);
}

#[tokio::test]
async fn without_its_hook_key_a_hook_gets_no_token() {
    let auth = |id: &str| OAuthClientAuth::PrivateKeyJwt { hook_key_id: id.to_owned() };
    for (options, id, word) in [(options(), "HKY1", "no hook keys"), (with_key(&key()), "HKY1", "no hook key HKY1")] {
        let guarded = Guarded::start_with(options).await;
        let report = guarded.engine.call(&guarded.prepare(HookType::Registration, auth(id)), BODY.into()).await;
        let failure = report.result.unwrap_err();
        assert_eq!(failure.verdict(), Verdict::TokenRefused);
        assert!(failure.to_string().contains(word), "{failure}");
        assert_eq!(guarded.count(), (0, 0));
    }
    assert!(HookKey::from_pkcs8("k", b"not a key").is_err());
}
