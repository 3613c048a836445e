//! Signed calls: the specification's vector, what is refused, and the traces that calls belong to.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookwright_responder::sample::{self, Matching};
use hookwright_responder::{SignatureError, Signatures};
use http::{HeaderMap, HeaderName, Request};
use proptest::prelude::*;
use tower::ServiceExt as _;

use crate::caller::{Running, request};

/// The vector that the specification's libraries are tested with.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const SENT: u64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn headers(id: &str, time: &str, signature: &str) -> HeaderMap {
    let fields = [("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", signature)];
    fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

fn vector() -> HeaderMap {
    headers(ID, &SENT.to_string(), SIGNATURE)
}

fn hmac_signature(secret: &str, id: &str, time: u64, body: &[u8]) -> String {
    let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let message = [format!("{id}.{time}.").as_bytes(), body].concat();
    format!("v1,{}", STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &bytes), &message)))
}

#[test]
fn the_public_test_vector_is_accepted_within_five_minutes() {
    let signatures = Signatures::new().secret(SECRET).unwrap();
    for now in [SENT - 300, SENT, SENT + 300] {
        assert_eq!(signatures.verify(&vector(), BODY, at(now)), Ok(()), "{now}");
    }
    for now in [SENT - 301, SENT + 301, 0] {
        assert_eq!(signatures.verify(&vector(), BODY, at(now)), Err(SignatureError::WrongTime), "{now}");
    }
    let patient = signatures.tolerance(Duration::from_secs(3600));
    assert_eq!(patient.verify(&vector(), BODY, at(SENT + 3600)), Ok(()));
}

#[test]
fn whatever_is_changed_is_noticed() {
    let signatures = Signatures::new().secret(SECRET).unwrap();
    let verify = |headers: &HeaderMap, body: &[u8]| signatures.verify(headers, body, at(SENT));
    assert_eq!(verify(&vector(), br#"{"test": 2432232315}"#), Err(SignatureError::WrongSignature));
    let time = SENT.to_string();
    for (id, time, signature) in [
        ("msg_other", time.as_str(), SIGNATURE),
        (ID, "1614265331", SIGNATURE),
        (ID, &time, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF="),
        (ID, &time, "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        (ID, &time, "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        (ID, &time, "v1,"),
        (ID, &time, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        (ID, &time, ""),
    ] {
        assert_eq!(verify(&headers(id, time, signature), BODY), Err(SignatureError::WrongSignature), "{signature}");
    }
    for (id, time) in [("", time.as_str()), (ID, ""), (ID, "+1614265330"), (ID, "1614265330.0"), (ID, "-1")] {
        assert_eq!(verify(&headers(id, time, SIGNATURE), BODY), Err(SignatureError::Unsigned), "{id} {time}");
    }
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut without = vector();
        let value = without.remove(name).unwrap();
        assert_eq!(verify(&without, BODY), Err(SignatureError::Unsigned), "{name}");
        without.append(name, value.clone());
        without.append(name, value);
        assert_eq!(verify(&without, BODY), Err(SignatureError::Unsigned), "{name} twice");
    }
    assert_eq!(Signatures::new().verify(&vector(), BODY, at(SENT)), Err(SignatureError::WrongSignature));
}

#[test]
fn one_of_several_signatures_is_enough_and_one_of_several_secrets() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = format!("whpk_{}", STANDARD.encode(pair.public_key().as_ref()));
    let message = [format!("{ID}.{SENT}.").as_bytes(), BODY].concat();
    let asymmetric = format!("v1a,{}", STANDARD.encode(pair.sign(&message)));
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let both = Signatures::new().secret(other).unwrap().secret(SECRET).unwrap();
    let asymmetric_only = Signatures::new().public_key(&public).unwrap();
    let all = format!("{asymmetric} v9,x {SIGNATURE}");
    for signatures in [&both, &asymmetric_only] {
        assert_eq!(signatures.verify(&headers(ID, &SENT.to_string(), &all), BODY, at(SENT)), Ok(()));
    }
    assert_eq!(asymmetric_only.verify(&vector(), BODY, at(SENT)), Err(SignatureError::WrongSignature));
    // The public half is known to all: as an HMAC secret it must be worth nothing.
    let forged = hmac_signature(&public.replace("whpk_", "whsec_"), ID, SENT, BODY);
    let forged = headers(ID, &SENT.to_string(), &forged);
    assert_eq!(asymmetric_only.verify(&forged, BODY, at(SENT)), Err(SignatureError::WrongSignature));
}

#[test]
fn an_id_is_accepted_once_where_that_is_asked_for() {
    let once = Signatures::new().secret(SECRET).unwrap().once_only();
    assert_eq!(once.verify(&vector(), b"forged", at(SENT)), Err(SignatureError::WrongSignature));
    assert_eq!(once.verify(&vector(), BODY, at(SENT)), Ok(()));
    assert_eq!(once.clone().verify(&vector(), BODY, at(SENT + 1)), Err(SignatureError::Replayed));
    let more = Signatures::new().secret(SECRET).unwrap();
    assert_eq!((more.verify(&vector(), BODY, at(SENT)), more.verify(&vector(), BODY, at(SENT))), (Ok(()), Ok(())));
}

#[test]
fn only_keys_of_the_specification_are_taken_and_none_is_repeated() {
    for bad in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_???", "whpk_AAAA"] {
        let error = Signatures::new().secret(bad).unwrap_err().to_string();
        assert!(bad.len() < 8 || !error.contains(bad), "{error}");
        assert!(Signatures::new().public_key(bad).is_err(), "{bad}");
    }
    assert!(!format!("{:?}", Signatures::new().secret(SECRET).unwrap()).contains("MfKQ"));
}

#[tokio::test]
async fn a_responder_answers_signed_calls_only() {
    let signatures = Signatures::new().secret(SECRET).unwrap();
    let responder = sample::responder(Matching::Strict).signed(signatures).basic_auth("admin", "supersecret");
    let service = Running::start(responder).await;
    let body = request!("registration.ssr-okta-domain");
    let basic = "authorization: Basic YWRtaW46c3VwZXJzZWNyZXQ=\r\n";
    #[expect(clippy::disallowed_methods, reason = "the responder's time is the system's")]
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let signed = |secret: &str| {
        let signature = hmac_signature(secret, "exe1", seconds, body.as_bytes());
        format!("webhook-id: exe1\r\nwebhook-timestamp: {seconds}\r\nwebhook-signature: {signature}\r\n")
    };
    let post = async |headers: String| service.connect().await.post("/registrationHookSSR", &headers, body).await;
    assert_eq!(post(format!("{basic}{}", signed(SECRET))).await.status, 200);
    assert_eq!(post(signed(SECRET)).await.status, 401, "the other credentials count as well");
    let refused = post(basic.to_owned()).await;
    assert_eq!((refused.status, refused.problem().0.as_str()), (401, "The call is not signed."));
    let wrong = post(format!("{basic}{}", signed("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))).await;
    assert_eq!((wrong.status, wrong.problem().0.as_str()), (401, "The signature is wrong."));
}

#[tokio::test]
async fn the_layer_hands_the_body_on_and_stops_what_is_too_large() {
    let signatures = Signatures::new().secret(SECRET).unwrap().tolerance(Duration::from_secs(u64::from(u32::MAX)));
    let app: Router = Router::new().route("/hook", post(|body: String| async move { body })).layer(signatures);
    let ask = async |headers: HeaderMap, body: Vec<u8>| {
        let mut request = Request::post("/hook").body(Body::from(body)).unwrap();
        *request.headers_mut() = headers;
        let response = app.clone().oneshot(request).await.unwrap();
        (response.status().as_u16(), to_bytes(response.into_body(), 10_000).await.unwrap())
    };
    assert_eq!(ask(vector(), BODY.to_vec()).await, (200, BODY.into()));
    assert_eq!(ask(HeaderMap::new(), BODY.to_vec()).await.0, 401);
    assert_eq!(ask(vector(), vec![b'x'; 1024 * 1024 + 1]).await.0, 413);
}

proptest! {
    #[test]
    fn no_headers_make_verifying_panic_or_accept(
        id in "[ -~]{0,40}", time in "[ -~]{0,20}|[0-9]{1,20}", signature in "[ -~]{0,120}|(v1,[A-Za-z0-9+/=]{0,60} ?){0,20}",
    ) {
        let signatures = Signatures::new().secret(SECRET).unwrap();
        prop_assert!(signatures.verify(&headers(&id, &time, &signature), BODY, at(SENT)).is_err());
    }
}
