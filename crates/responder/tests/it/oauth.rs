//! Access tokens: what is accepted, what is not, and how often the issuer is asked for its keys.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hookwright_responder::{AccessTokens, Claims, TokenError};
use http::{HeaderMap, Request};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::caller::{Running, request};

#[path = "../../examples/behind_oauth.rs"]
#[expect(dead_code, reason = "an example has a main")]
mod behind_oauth;

const ISSUER: &str = "https://example.okta.com/oauth2/default";
const NOW: u64 = 1_700_000_000;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// An authorization server: signs, and gives out its keys.
struct Issuer {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    published: Arc<Published>,
    address: SocketAddr,
}

#[derive(Default)]
struct Published {
    set: Mutex<Value>,
    asked: AtomicUsize,
    broken: AtomicBool,
}

impl Issuer {
    async fn start() -> Self {
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let published = Arc::new(Published::default());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/keys", get(keys)).with_state(Arc::clone(&published));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let issuer = Self { rsa, ec, published, address };
        issuer.publish(&["rsa", "ec"]);
        issuer
    }

    /// Its keys under these ids; those that begin with `r` are the RSA key.
    fn publish(&self, ids: &[&str]) {
        let key = |id: &&str| {
            let der = self.rsa.public_key().as_ref();
            // The modulus of 2,048 bits stands behind the zero that keeps it positive.
            let modulus = &der[der.len() - 5 - 256..der.len() - 5];
            let point = self.ec.public_key().as_ref();
            let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            if id.starts_with('r') {
                json!({"kty": "RSA", "kid": id, "use": "sig", "alg": "RS256", "n": text(modulus), "e": "AQAB"})
            } else {
                json!({"kty": "EC", "crv": "P-256", "kid": id, "x": text(&point[1..33]), "y": text(&point[33..])})
            }
        };
        *self.published.set.lock().unwrap() = json!({"keys": ids.iter().map(key).collect::<Vec<_>>()});
    }

    fn tokens(&self) -> AccessTokens {
        AccessTokens::fetching(ISSUER, "api://hooks", &format!("http://{}/keys", self.address)).unwrap()
    }

    fn asked(&self) -> usize {
        self.published.asked.load(Ordering::SeqCst)
    }

    /// A token with this header and these claims, signed as its header says.
    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let random = SystemRandom::new();
        let signature = if header["alg"] == "ES256" {
            self.ec.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec()
        } else {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
            signature
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn token(&self, kid: &str) -> String {
        let algorithm = if kid.starts_with('r') { "RS256" } else { "ES256" };
        self.sign(&json!({"alg": algorithm, "kid": kid}), &claims())
    }
}

async fn keys(State(published): State<Arc<Published>>) -> (StatusCode, String) {
    published.asked.fetch_add(1, Ordering::SeqCst);
    let broken = published.broken.load(Ordering::SeqCst);
    let status = if broken { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
    (status, published.set.lock().unwrap().to_string())
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "api://hooks", "sub": "a-client", "iat": NOW, "exp": NOW + 3600, "scp": ["hook:call"]})
}

fn shown(token: &str) -> HeaderMap {
    [(http::header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())].into_iter().collect()
}

async fn verify(tokens: &AccessTokens, token: &str) -> Result<Claims, TokenError> {
    tokens.verify(&shown(token), at(NOW)).await
}

#[tokio::test]
async fn tokens_of_both_algorithms_are_accepted_and_the_keys_asked_for_once() {
    let issuer = Issuer::start().await;
    let tokens = issuer.tokens().scope("hook:call");
    for _ in 0..5 {
        for kid in ["rsa", "ec"] {
            let claims = verify(&tokens, &issuer.token(kid)).await.unwrap();
            assert_eq!((claims.subject(), claims.has_scope("hook:call")), (Some("a-client"), true));
        }
    }
    let typed = json!({"alg": "RS256", "typ": "at+jwt"});
    let mut other = claims();
    other["aud"] = json!(["x", "api://hooks"]);
    other["scope"] = json!("openid hook:call");
    other.as_object_mut().unwrap().remove("scp");
    verify(&tokens, &issuer.sign(&typed, &other)).await.unwrap();
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_is_noticed() {
    let issuer = Issuer::start().await;
    let tokens = issuer.tokens().scope("hook:call");
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        issuer.sign(&json!({"alg": "RS256", "kid": "rsa"}), &claims)
    };
    for (name, value, error) in [
        ("iss", json!("https://evil.example"), TokenError::WrongIssuer),
        ("iss", json!(format!("{ISSUER}/")), TokenError::WrongIssuer),
        ("iss", json!(null), TokenError::WrongIssuer),
        ("aud", json!("api://other"), TokenError::WrongAudience),
        ("aud", json!([]), TokenError::WrongAudience),
        ("aud", json!({"api://hooks": 1}), TokenError::WrongAudience),
        ("exp", json!(NOW - 30), TokenError::WrongTime),
        ("exp", json!("soon"), TokenError::WrongTime),
        ("exp", json!(null), TokenError::WrongTime),
        ("nbf", json!(NOW + 31), TokenError::WrongTime),
        ("nbf", json!("now"), TokenError::WrongTime),
        ("scp", json!(["hook:calls"]), TokenError::WrongScope),
        ("scp", json!("hook:call"), TokenError::WrongScope),
    ] {
        assert_eq!(verify(&tokens, &with(name, value.clone())).await, Err(error), "{name} {value}");
    }
    verify(&tokens, &with("exp", json!(NOW - 29))).await.unwrap();
    verify(&tokens, &with("nbf", json!(NOW + 30))).await.unwrap();

    for header in [
        json!({"alg": "none", "kid": "rsa"}),
        json!({"alg": "HS256", "kid": "rsa"}),
        json!({"alg": "RS512", "kid": "rsa"}),
        json!({"alg": "rs256", "kid": "rsa"}),
        json!({"alg": "RS256", "kid": "rsa", "crit": ["b64"]}),
        json!({"alg": "RS256", "kid": "rsa", "typ": "logout+jwt"}),
        json!({"kid": "rsa"}),
    ] {
        assert_eq!(verify(&tokens, &issuer.sign(&header, &claims())).await, Err(TokenError::Malformed), "{header}");
    }
    let good = issuer.token("rsa");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let mut rich = claims();
    rich["scp"] = json!(["hook:call", "admin"]);
    let forged = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(rich.to_string()));
    let wrong = TokenError::WrongSignature;
    for bad in [forged, format!("{signed}."), format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 256]))] {
        assert_eq!(verify(&tokens, &bad).await, Err(wrong), "{bad}");
    }
    // A key of one kind verifies no token of the other.
    let mixed = issuer.sign(&json!({"alg": "ES256", "kid": "rsa"}), &claims());
    assert_eq!(verify(&tokens, &mixed).await, Err(TokenError::UnknownKey));
    for bad in ["", "x", "a.b", "a.b.c", "a.b.c.d", signed, &format!("{good}.x"), &"a".repeat(20_000)] {
        assert_eq!(verify(&tokens, bad).await, Err(TokenError::Malformed), "{bad}");
    }
    let mut twice = shown(&good);
    twice.append("authorization", "Bearer x".parse().unwrap());
    let basic: HeaderMap = [(http::header::AUTHORIZATION, "Basic eDp5".parse().unwrap())].into_iter().collect();
    for headers in [HeaderMap::new(), basic, twice] {
        assert_eq!(tokens.verify(&headers, at(NOW)).await, Err(TokenError::Missing));
    }
}

/// A source of keys that answers as it is told, without a network, so that the clock may be paused.
#[derive(Clone, Default)]
struct Told(Arc<Published>);

impl hookwright_responder::KeySource for Told {
    fn fetch(&self) -> std::pin::Pin<Box<dyn Future<Output = Result<bytes::Bytes, String>> + Send + '_>> {
        Box::pin(async {
            self.0.asked.fetch_add(1, Ordering::SeqCst);
            if self.0.broken.load(Ordering::SeqCst) {
                return std::future::pending().await;
            }
            Ok(self.0.set.lock().unwrap().to_string().into())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_asked_for_twice_a_minute_at_most() {
    let issuer = Issuer::start().await;
    let told = Told(Arc::clone(&issuer.published));
    let tokens = AccessTokens::with_source(ISSUER, "api://hooks", told.clone());
    verify(&tokens, &issuer.token("rsa")).await.unwrap();
    for number in 0..100 {
        let error = verify(&tokens, &issuer.token(&format!("r{number}"))).await.unwrap_err();
        assert_eq!(error, TokenError::UnknownKey);
    }
    assert_eq!(issuer.asked(), 1, "the keys were asked for just now");
    // The issuer changes its key, and its tokens are accepted half a minute later at the latest.
    issuer.publish(&["r-new"]);
    tokio::time::advance(Duration::from_secs(30)).await;
    verify(&tokens, &issuer.token("r-new")).await.unwrap();
    assert_eq!(verify(&tokens, &issuer.token("rsa")).await, Err(TokenError::UnknownKey), "the old key is gone");
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn keys_are_used_for_a_day_where_the_issuer_hangs_and_never_hold_a_call_up_for_long() {
    let issuer = Issuer::start().await;
    let tokens = AccessTokens::with_source(ISSUER, "api://hooks", Told(Arc::clone(&issuer.published)));
    issuer.published.broken.store(true, Ordering::SeqCst);
    let begun = tokio::time::Instant::now();
    assert_eq!(verify(&tokens, &issuer.token("rsa")).await, Err(TokenError::NoKeys));
    assert!(begun.elapsed() <= Duration::from_millis(2_001), "{:?}", begun.elapsed());
    issuer.published.broken.store(false, Ordering::SeqCst);
    assert_eq!(verify(&tokens, &issuer.token("rsa")).await, Err(TokenError::NoKeys), "not again so soon");
    tokio::time::advance(Duration::from_secs(30)).await;
    verify(&tokens, &issuer.token("rsa")).await.unwrap();
    issuer.published.broken.store(true, Ordering::SeqCst);
    for hours in [1, 22] {
        tokio::time::advance(Duration::from_secs(hours * 3600)).await;
        verify(&tokens, &issuer.token("rsa")).await.unwrap();
    }
    tokio::time::advance(Duration::from_secs(2 * 3600)).await;
    assert_eq!(verify(&tokens, &issuer.token("rsa")).await, Err(TokenError::NoKeys));
}

#[tokio::test]
async fn a_responder_and_any_router_ask_for_a_token() {
    let issuer = Issuer::start().await;
    let url = format!("http://{}/keys", issuer.address);
    let service = Running::start(behind_oauth::service(ISSUER, &url).unwrap()).await;
    let body = request!("registration.ssr-okta-domain");
    #[expect(clippy::disallowed_methods, reason = "the responder's time is the system's")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let token = |scopes: &[&str], lasts: u64| {
        let mut claims = claims();
        claims["exp"] = json!(now + lasts);
        claims["scp"] = json!(scopes);
        issuer.sign(&json!({"alg": "RS256", "kid": "rsa"}), &claims)
    };
    let post = async |token: String| {
        service.connect().await.post("/hook", &format!("authorization: Bearer {token}\r\n"), body).await
    };
    assert_eq!(post(token(&["hook:call"], 60)).await.status, 200);
    let refused = service.post("/nothing", body).await;
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, vec!["Bearer"]),
        "before the path is looked at"
    );
    let refused = post("x.y.z".to_owned()).await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, vec![r#"Bearer error="invalid_token""#]));
    let refused = post(token(&[], 60)).await;
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (403, vec![r#"Bearer error="insufficient_scope""#])
    );

    let tokens = issuer.tokens();
    let app: Router = Router::new().route("/hook", post_claims()).layer(tokens);
    let ask = async |token: &str| {
        let request = Request::post("/hook").header("authorization", format!("Bearer {token}"));
        let response = app.clone().oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
        (response.status().as_u16(), axum::body::to_bytes(response.into_body(), 1_000).await.unwrap())
    };
    assert_eq!(ask(&token(&[], 60)).await, (200, "a-client".into()));
    assert_eq!(ask("x").await.0, 401);
}

fn post_claims() -> axum::routing::MethodRouter {
    post(|request: axum::extract::Request| async move {
        request.extensions().get::<Claims>().and_then(Claims::subject).unwrap_or_default().to_owned()
    })
}

#[tokio::test]
async fn without_keys_the_answer_is_503_so_that_the_org_tries_again() {
    let issuer = Issuer::start().await;
    issuer.published.broken.store(true, Ordering::SeqCst);
    let url = format!("http://{}/keys", issuer.address);
    let service = Running::start(behind_oauth::service(ISSUER, &url).unwrap()).await;
    let header = format!("authorization: Bearer {}\r\n", issuer.token("rsa"));
    let body = request!("registration.ssr-okta-domain");
    assert_eq!(service.connect().await.post("/hook", &header, body).await.status, 503);
}

proptest! {
    #[test]
    fn no_token_makes_verifying_panic_or_accept(token in "[ -~]{0,200}|[A-Za-z0-9_-]{0,80}(\\.[A-Za-z0-9_-]{0,80}){0,4}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let told = Told::default();
        *told.0.set.lock().unwrap() = json!({"keys": []});
        let tokens = AccessTokens::with_source(ISSUER, "api://hooks", told);
        prop_assert!(runtime.block_on(verify(&tokens, &token)).is_err());
    }
}
