//! Who may call and who may not.

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use hookwright_responder::sample::{self, Matching};
use hookwright_responder::{Guard, Responder};
use http::{HeaderName, Request};
use tower::ServiceExt;

use crate::caller::{Received, Running, request};

const SIGN_UP: &str = request!("registration.ssr-okta-domain");
const PATH: &str = "/registrationHookSSR";
/// The guide's `admin:supersecret`.
const SECRET: &str = "YWRtaW46c3VwZXJzZWNyZXQ=";

fn guarded() -> Responder {
    sample::responder(Matching::Strict).basic_auth("admin", "supersecret")
}

async fn call(responder: Responder, headers: &str) -> Received {
    Running::start(responder).await.connect().await.post(PATH, headers, SIGN_UP).await
}

#[tokio::test]
async fn the_secret_of_the_guide_is_let_in() {
    for header in [
        format!("authorization: Basic {SECRET}\r\n"),
        format!("AUTHORIZATION: basic {SECRET}\r\n"),
        format!("Authorization: BASIC   {SECRET}\r\n"),
    ] {
        assert_eq!(call(guarded(), &header).await.status, 200, "{header}");
    }
}

#[tokio::test]
async fn everybody_else_gets_a_401_with_a_challenge() {
    for header in [
        String::new(),
        format!("authorization: {SECRET}\r\n"),
        format!("authorization: Basic{SECRET}\r\n"),
        format!("authorization: Bearer {SECRET}\r\n"),
        "authorization: Basic\r\n".to_owned(),
        "authorization: Basic \r\n".to_owned(),
        "authorization: Basic YWRtaW46c3VwZXJzZWNyZXQ\r\n".to_owned(),
        "authorization: Basic YWRtaW46c3VwZXJzZWNyZXU=\r\n".to_owned(),
        format!("authorization: Basic {SECRET}\r\nauthorization: Basic {SECRET}\r\n"),
        format!("x-authorization: Basic {SECRET}\r\n"),
    ] {
        let received = call(guarded(), &header).await;
        assert_eq!(received.status, 401, "{header}");
        assert_eq!(received.header("www-authenticate"), [r#"Basic realm="inline hook", charset="UTF-8""#]);
        assert_eq!(received.problem().0, "Authentication is required.");
    }
}

#[tokio::test]
async fn strangers_cannot_tell_which_paths_there_are() {
    let service = Running::start(guarded()).await;
    assert_eq!(service.post("/nothing-here", SIGN_UP).await.status, 401);
    assert_eq!(service.ask("GET", PATH).await.status, 401);
}

#[tokio::test]
async fn a_header_of_ones_own_is_as_good_and_old_and_new_secret_may_live_side_by_side() {
    let name = HeaderName::from_static("x-telephony-key");
    let responder =
        || sample::responder(Matching::Strict).header_auth(name.clone(), "old").header_auth(name.clone(), "new");
    assert_eq!(call(responder(), "x-telephony-key: old\r\n").await.status, 200);
    assert_eq!(call(responder(), "X-Telephony-Key: new\r\n").await.status, 200);
    let received = call(responder(), "x-telephony-key: other\r\n").await;
    assert_eq!(received.status, 401);
    assert_eq!(received.header("www-authenticate"), [r#"Header name="x-telephony-key""#]);
    assert_eq!(call(guarded().header_auth(name.clone(), "new"), "x-telephony-key: new\r\n").await.status, 200);
}

#[tokio::test]
async fn the_guard_protects_any_axum_router() {
    let app = || -> Router {
        Router::new().route("/", post(|| async { "{}" })).layer(Guard::new().basic("admin", "supersecret"))
    };
    let open = Request::post("/").body(Body::empty()).unwrap();
    assert_eq!(app().oneshot(open).await.unwrap().status(), 401);
    let signed = Request::post("/").header("authorization", format!("Basic {SECRET}")).body(Body::empty()).unwrap();
    assert_eq!(app().oneshot(signed).await.unwrap().status(), 200);
}
