//! What the service does with requests that are not as they should be, and with its own failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hookwright_responder::request::RegistrationData;
use hookwright_responder::sample::{self, Matching};
use hookwright_responder::{Answer, Lanes, Problem, RegistrationRequest, Responder};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::caller::{Running, request};

const SIGN_UP: &str = request!("registration.ssr-okta-domain");
const MEBIBYTE: usize = 1024 * 1024;

fn allowing() -> Responder {
    Responder::new().registration("/hook", |_: RegistrationRequest| async { Answer::allow() })
}

#[tokio::test]
async fn health_is_told_to_everybody() {
    let service = Running::start(allowing().basic_auth("admin", "supersecret")).await;
    for path in ["/healthz", "/readyz"] {
        let received = service.ask("GET", path).await;
        assert_eq!((received.status, received.body.as_str()), (200, r#"{"status":"ok"}"#));
        assert_eq!(service.ask("HEAD", path).await.status, 200);
        let received = service.post(path, "").await;
        assert_eq!((received.status, received.header("allow")), (405, vec!["GET, HEAD"]));
    }
}

#[tokio::test]
async fn an_unknown_path_is_a_json_404_and_a_wrong_method_a_405_with_allow() {
    let service = Running::start(allowing()).await;
    for path in ["/", "/hook/", "/hook/../hook", "/HOOK", "/%68ook"] {
        let received = service.post(path, SIGN_UP).await;
        assert_eq!(received.status, 404, "{path}");
        assert_eq!(received.problem().0, "There is no hook at this path.");
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let received = service.ask(method, "/hook").await;
        assert_eq!((received.status, received.header("allow")), (405, vec!["POST"]), "{method}");
        received.problem();
    }
    assert_eq!(service.post("/hook?from=okta", SIGN_UP).await.status, 200);
}

#[tokio::test]
async fn bad_bodies_are_400_and_name_the_member() {
    let service = Running::start(allowing()).await;
    for (body, location) in [
        ("", None),
        ("{", None),
        ("\u{feff}{}", None),
        ("{}", Some("eventType")),
        (request!("token"), Some("eventType")),
        (r#"{"eventType":"com.okta.user.pre-registration"}"#, Some("data")),
        (r#"{"eventType":"com.okta.user.pre-registration","data":{"userProfile":7}}"#, Some("data.userProfile")),
    ] {
        let received = service.post("/hook", body).await;
        assert_eq!(received.status, 400, "{body}");
        assert_eq!(received.problem().1.as_deref(), location, "{body}");
    }
    assert_eq!(service.post("/hook", [0xff, 0x00, 0xc3]).await.status, 400);
}

#[tokio::test]
async fn a_body_may_have_one_mebibyte_and_no_byte_more() {
    let service = Running::start(allowing()).await;
    let padded = |length: usize| format!("{SIGN_UP}{}", " ".repeat(length - SIGN_UP.len()));
    assert_eq!(service.post("/hook", padded(MEBIBYTE)).await.status, 200);
    let received = service.post("/hook", padded(MEBIBYTE + 1)).await;
    assert_eq!((received.status, received.header("connection")), (413, vec!["close"]));
    received.problem();
}

#[tokio::test]
async fn an_announced_length_over_the_cap_is_refused_unread() {
    let service = Running::start(allowing()).await;
    let mut caller = service.connect().await;
    caller.write("POST /hook HTTP/1.1\r\nhost: test\r\ncontent-length: 1048577\r\n\r\n").await;
    assert_eq!(caller.receive(false).await.status, 413);
    assert!(caller.closed().await);
}

#[tokio::test]
async fn a_chunked_body_is_counted_while_it_comes() {
    let service = Running::start(allowing()).await;
    let mut caller = service.connect().await;
    caller.write("POST /hook HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let (one, two) = SIGN_UP.split_at(100);
    caller.write(format!("{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n", one.len(), two.len())).await;
    assert_eq!(caller.receive(false).await.status, 200);

    caller.write("POST /hook HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let chunk = format!("{:x}\r\n{}\r\n", 65_536, " ".repeat(65_536));
    for _ in 0..16 {
        caller.write(&chunk).await;
    }
    caller.write("1\r\n \r\n").await;
    assert_eq!(caller.receive(false).await.status, 413);
}

#[tokio::test]
async fn a_slow_handler_is_a_503_and_is_dropped() {
    struct CountsItsEnd(Arc<AtomicUsize>);
    impl Drop for CountsItsEnd {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let ended = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&ended);
    let responder = Responder::new()
        .registration("/hook", move |_: RegistrationRequest| {
            let guard = CountsItsEnd(Arc::clone(&counter));
            async move {
                std::future::pending::<()>().await;
                drop(guard);
                Answer::allow()
            }
        })
        .decision_time(Duration::from_millis(50));
    let service = Running::start(responder).await;
    let received = service.post("/hook", SIGN_UP).await;
    assert_eq!(received.status, 503);
    assert_eq!(received.problem().0, "The service did not decide in time.");
    assert_eq!(ended.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_default_decision_time_ends_before_okta_gives_up() {
    let responder = Responder::new().registration("/hook", |_: RegistrationRequest| async {
        std::future::pending::<()>().await;
        Answer::allow()
    });
    let service = Running::start(responder).await;
    let start = Instant::now();
    assert_eq!(service.post("/hook", SIGN_UP).await.status, 503);
    let taken = start.elapsed();
    assert!(taken >= Duration::from_millis(2_500) && taken < Duration::from_secs(3), "{taken:?}");
}

#[tokio::test]
async fn a_body_that_never_ends_is_a_408() {
    let service = Running::start(allowing().decision_time(Duration::from_millis(50))).await;
    let mut caller = service.connect().await;
    caller.write("POST /hook HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\n{").await;
    let received = caller.receive(false).await;
    assert_eq!((received.status, received.header("connection")), (408, vec!["close"]));
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_service_lives_on() {
    let responder = allowing()
        .registration("/at-once", |_| -> std::future::Ready<Answer<RegistrationData>> { panic!("at once") })
        .registration("/later", |request: RegistrationRequest| async move {
            tokio::task::yield_now().await;
            if request.kind() != hookwright_responder::request::RegistrationKind::Other {
                panic!("later");
            }
            Answer::allow()
        });
    let service = Running::start(responder).await;
    let mut caller = service.connect().await;
    for path in ["/at-once", "/later"] {
        let received = caller.post(path, "", SIGN_UP).await;
        assert_eq!(received.status, 500);
        assert_eq!(received.problem().0, "The service failed while deciding.");
    }
    assert_eq!(caller.post("/hook", "", SIGN_UP).await.status, 200);
}

#[tokio::test]
async fn a_handler_may_return_a_problem() {
    let responder = Responder::new().registration("/hook", |_| async {
        Err::<Answer<RegistrationData>, _>(Problem::internal("The directory is down."))
    });
    let service = Running::start(responder).await;
    let received = service.post("/hook", SIGN_UP).await;
    assert_eq!((received.status, received.problem().0.as_str()), (500, "The directory is down."));
}

#[tokio::test]
async fn connections_are_kept_alive() {
    let service = Running::start(sample::responder(Matching::Strict)).await;
    let mut caller = service.connect().await;
    for _ in 0..100 {
        assert_eq!(caller.post("/registrationHookSSR", "", SIGN_UP).await.status, 200);
    }
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let service = Running::start(allowing().head_time(Duration::from_millis(50))).await;
    let mut caller = service.connect().await;
    caller.write("POST /hook HTTP/1.1\r\nhost: te").await;
    assert!(caller.closed().await);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_the_same_time() {
    let service = Running::start(allowing().head_time(Duration::from_millis(50))).await;
    let mut caller = service.connect().await;
    assert_eq!(caller.post("/hook", "", SIGN_UP).await.status, 200);
    assert!(caller.closed().await);
}

#[tokio::test]
async fn a_connection_stays_in_its_lane() {
    let responder = Responder::new().registration("/hook", |_: RegistrationRequest| async {
        Answer::deny(std::thread::current().name().unwrap_or_default().to_owned())
    });
    let service = Running::start_in(Lanes::start().unwrap(), responder).await;
    for _ in 0..8 {
        let mut caller = service.connect().await;
        let mut lanes = Vec::new();
        for _ in 0..4 {
            let received = caller.post("/hook", "", SIGN_UP).await;
            assert_eq!(received.status, 200);
            lanes.push(received.body);
        }
        assert!(lanes[0].contains("\"errorSummary\":\"lane-"), "{}", lanes[0]);
        assert!(lanes.iter().all(|lane| lane == &lanes[0]), "{lanes:?}");
    }
    service.stop().await.unwrap();
}

#[tokio::test]
async fn stopping_lets_a_running_request_end_and_takes_no_new_one() {
    for lanes in [Lanes::default(), Lanes::start().unwrap()] {
        stopping_lets_a_running_request_end(lanes).await;
    }
}

async fn stopping_lets_a_running_request_end(lanes: Lanes) {
    let begun = Arc::new(Notify::new());
    let release = Arc::new(Notify::new());
    let responder = Responder::new().registration("/hook", {
        let (begun, release) = (Arc::clone(&begun), Arc::clone(&release));
        move |_: RegistrationRequest| {
            let (begun, release) = (Arc::clone(&begun), Arc::clone(&release));
            async move {
                begun.notify_one();
                release.notified().await;
                Answer::allow()
            }
        }
    });
    let service = Running::start_in(lanes, responder).await;
    let mut idle = service.connect().await;
    let mut busy = service.connect().await;
    let call = tokio::spawn(async move { busy.post("/hook", "", SIGN_UP).await });
    begun.notified().await;
    let task = service.stop();
    assert!(idle.closed().await, "an idle connection is closed at once");
    assert!(!task.is_finished());
    release.notify_one();
    assert_eq!(call.await.unwrap().status, 200);
    task.await.unwrap();
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_says_so() {
    let service = Running::start(allowing()).await;
    let error = allowing().bind(service.address).await.err().unwrap().to_string();
    assert!(error.starts_with("cannot listen: "), "{error}");
}

#[tokio::test]
async fn the_service_can_be_mounted_in_an_axum_router() {
    use axum::body::{Body, to_bytes};
    use tower::ServiceExt;

    let app = axum::Router::new()
        .route("/", axum::routing::get(|| async { "home" }))
        .nest("/hooks", sample::router(Matching::Strict));
    let request = ::http::Request::post("/hooks/registrationHookSSR").body(Body::from(SIGN_UP)).unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = to_bytes(response.into_body(), 1_000).await.unwrap();
    assert!(body.starts_with(br#"{"commands":["#));
}
