//! The measuring loops against the baseline service, over real sockets, for a fraction of a second each.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hookwright_benches::service::{Fixed, router};
use hookwright_benches::summary::Summary;
use hookwright_benches::wire::Request;
use hookwright_benches::{closed_loop, in_flight, open_loop};
use url::Url;

const REGISTRATION: &[u8] = include_bytes!("../../registration-request.json");
const BASIC_AUTH: &str = "Basic YWRtaW46c3VwZXJzZWNyZXQ=";

/// Starts the baseline service on a thread of its own, for as long as the test binary runs.
fn service() -> SocketAddr {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let fixed = Fixed { one: vec![b'1'; 500].into(), list: vec![b'2'; 300_000].into() };
            axum::serve(listener, router(fixed)).await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

fn post(address: SocketAddr, path: &str, authorization: &str) -> Request {
    let url = Url::parse(&format!("http://{address}{path}")).unwrap();
    let headers = [("Content-Type", "application/json"), ("Authorization", authorization)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Request::new("POST", &url, &headers, REGISTRATION).unwrap()
}

fn get(address: SocketAddr, path: &str) -> Request {
    Request::new("GET", &Url::parse(&format!("http://{address}{path}")).unwrap(), &[], b"").unwrap()
}

fn closed_plan() -> closed_loop::Plan {
    closed_loop::Plan {
        connections: 4,
        threads: 2,
        warm_up: Duration::ZERO,
        measured: Duration::from_millis(100),
        grace: Duration::from_secs(5),
        most_requests: None,
        unique_from: 0,
        watched: vec![std::process::id()],
    }
}

fn answers(summary: &Summary, status: u16) -> u64 {
    summary.statuses.get(&status).copied().unwrap_or_default()
}

#[test]
fn a_closed_loop_counts_what_was_answered_and_the_cpu_time_it_took() {
    let request = post(service(), "/registrationHookSSR", BASIC_AUTH);
    let summary = closed_loop::run("execute/direct", closed_plan(), &request).unwrap();
    assert_eq!(summary.failed(), 0, "{summary:?}");
    assert!(summary.metrics["requests_per_s"] > 0.0);
    assert!(summary.metrics.contains_key("cpu_us_a_request"));
    assert!(summary.metrics["p50_ms"] <= summary.metrics["p99_ms"]);
}

#[test]
fn a_closed_loop_stops_after_the_requests_that_were_asked_for() {
    let plan = closed_loop::Plan { most_requests: Some(10), measured: Duration::from_secs(30), ..closed_plan() };
    let started_at = Instant::now();
    let summary = closed_loop::run("get/axum", plan, &get(service(), "/list")).unwrap();
    assert_eq!(answers(&summary, 200), 10);
    assert!(started_at.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_refusal_is_counted_as_failed() {
    let request = post(service(), "/registrationHookSSR", "Basic d3Jvbmc6d3Jvbmc=");
    let plan = closed_loop::Plan { most_requests: Some(3), ..closed_plan() };
    let summary = closed_loop::run("execute/direct", plan, &request).unwrap();
    assert_eq!((answers(&summary, 401), summary.failed()), (3, 3));
}

#[test]
fn a_request_without_an_answer_within_the_grace_is_an_error() {
    let request = post(service(), "/slow?delay_ms=20000", BASIC_AUTH);
    let plan = closed_loop::Plan { grace: Duration::from_millis(100), ..closed_plan() };
    let summary = closed_loop::run("stuck/calls", plan, &request).unwrap_err();
    assert!(format!("{summary:#}").contains("no answer within the time of grace"), "{summary:#}");
}

#[test]
fn nobody_listening_is_an_error_and_not_a_figure() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert!(closed_loop::run("get/axum", closed_plan(), &get(address, "/one")).is_err());
    assert!(in_flight::run("in-flight/axum", 2, Duration::from_secs(2), &get(address, "/one")).is_err());
}

#[test]
fn an_open_loop_keeps_its_rate_and_charges_a_stall_to_every_request_it_held_up() {
    let address = service();
    let plan = open_loop::Plan {
        rate: 200.0,
        connections: 2,
        warm_up: Duration::ZERO,
        measured: Duration::from_millis(500),
        timeout: Duration::from_secs(5),
    };
    let quick = open_loop::run("latency/direct", &plan, &get(address, "/one")).unwrap();
    assert_eq!(answers(&quick, 200), 100);
    assert!(quick.metrics.contains_key("lag_p99_ms"));

    // Two connections at 200 a second give each answer 10 ms; one of 30 ms delays all that follow, more and more.
    let slow = open_loop::run("latency/direct", &plan, &post(address, "/slow?delay_ms=30", BASIC_AUTH)).unwrap();
    assert_eq!(answers(&slow, 200), 100);
    assert!(slow.metrics["p50_ms"] > 200.0, "{slow:?}");
}

#[test]
fn requests_in_flight_all_wait_at_once() {
    let request = post(service(), "/slow?delay_ms=300", BASIC_AUTH);
    let started_at = Instant::now();
    let summary = in_flight::run("in-flight/axum", 100, Duration::from_secs(10), &request).unwrap();
    assert_eq!((answers(&summary, 200), summary.failed()), (100, 0));
    assert!(summary.metrics["p50_ms"] >= 300.0);
    assert!(started_at.elapsed() < Duration::from_secs(10), "they did not wait one after the other");
}
