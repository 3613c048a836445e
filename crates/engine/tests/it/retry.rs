//! How often a service is asked, counted on the wire.

use std::time::{Duration, Instant};

use hookwright_contract::HookType;
use hookwright_engine::{CallFailure, Unreachable};
use hookwright_model::execution::Verdict;
use hookwright_testkit::{ExternalService, Reply};

use crate::bench::{BODY, Bench, SHORT, patient, registration};

#[tokio::test]
async fn a_5xx_is_asked_once_more_with_the_same_body() {
    let bench = Bench::start().await;
    let report = bench.call([Reply::json(500, "{}"), Reply::json(200, r#"{"commands":[]}"#)]).await;
    assert_eq!(report.result.unwrap().body, r#"{"commands":[]}"#);
    assert_eq!(report.attempts.iter().map(|attempt| attempt.status).collect::<Vec<_>>(), [Some(500), Some(200)]);
    let requests = bench.service.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.body == BODY));
}

#[tokio::test]
async fn two_5xx_are_the_end() {
    let bench = Bench::start().await;
    let report = bench.call([Reply::json(503, "{}"), Reply::json(502, "{}"), Reply::json(200, "{}")]).await;
    assert_eq!(report.result, Err(CallFailure::WrongStatus(502)));
    assert_eq!(bench.service.requests().len(), 2);
}

#[tokio::test]
async fn no_other_status_is_asked_again() {
    for status in [201, 204, 206, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 408, 418, 429] {
        let bench = Bench::start().await;
        let location = bench.service.url("/elsewhere");
        let headers = [("Location", location.as_str()), ("Retry-After", "1")];
        let report = bench.call([Reply::answer(status, &headers, "")]).await;
        let expected = if status < 300 { Ok(status) } else { Err(CallFailure::WrongStatus(status)) };
        assert_eq!(report.result.map(|answer| answer.status), expected);
        assert_eq!(bench.service.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn token_and_telephony_hooks_are_never_asked_again_and_take_only_200() {
    for hook_type in [HookType::Token, HookType::Telephony] {
        let bench = Bench::start_within(Duration::from_millis(800)).await;
        for failure in [Reply::json(500, "{}"), Reply::hang(), Reply::close(), Reply::answer(204, &[], "")] {
            let before = bench.service.requests().len();
            let report = bench.call_as(hook_type, [failure]).await;
            assert!(report.result.is_err());
            assert_eq!((report.attempts.len(), bench.service.requests().len() - before), (1, 1));
        }
        assert_eq!(bench.call_as(hook_type, [Reply::json(200, "{}")]).await.result.unwrap().body, "{}");
        let report = bench.call_as(hook_type, [Reply::json(201, "{}")]).await;
        assert_eq!(report.result, Err(CallFailure::WrongStatus(201)));
    }
}

#[tokio::test]
async fn silence_is_asked_again_and_then_timed_out() {
    let bench = Bench::start_within(SHORT).await;
    let began = Instant::now();
    let report = bench.call([Reply::hang()]).await;
    assert_eq!(report.result, Err(CallFailure::TimedOut(SHORT)));
    assert_eq!(bench.service.requests().len(), 2);
    assert!(began.elapsed() >= 2 * SHORT && began.elapsed() < 2 * SHORT + Duration::from_secs(1));
    for attempt in &report.attempts {
        assert!(attempt.failure.as_deref().unwrap().contains("head"), "{attempt:?}");
    }
    let (first, second) = (&report.attempts[0], &report.attempts[1]);
    assert!(second.started_after >= first.started_after + first.duration);
}

#[tokio::test]
async fn a_service_that_recovers_answers_the_second_attempt() {
    let bench = Bench::start_within(SHORT).await;
    let report = bench.call([Reply::hang(), Reply::json(200, "{}")]).await;
    assert_eq!(report.result.unwrap().body, "{}");
    assert_eq!(report.attempts.len(), 2);
}

#[tokio::test]
async fn the_three_seconds_hold_on_a_real_clock() {
    let bench = Bench::start().await;
    bench.service.on("/hook", [Reply::json(200, "{}").dripped(Duration::from_millis(100))]);
    let hook = registration(&bench.service.url("/hook"));
    let prepared = bench.engine.prepare(&hook, hookwright_engine::CallSettings::for_type(HookType::Token));
    let began = Instant::now();
    let report = bench.engine.call(&prepared, BODY.into()).await;
    assert_eq!(report.result, Err(CallFailure::TimedOut(Duration::from_secs(3))));
    assert!((2.9..4.0).contains(&began.elapsed().as_secs_f64()), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_closed_port_is_tried_twice_and_unreachable() {
    let bench = Bench::start().await;
    let gone = ExternalService::start().await;
    let prepared = bench.engine.prepare(&registration(&gone.url("/hook")), patient());
    drop(gone);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let report = bench.engine.call(&prepared, BODY.into()).await;
    let failure = report.result.unwrap_err();
    assert_eq!(failure, CallFailure::Unreachable(Unreachable::NoConnection));
    assert_eq!(failure.verdict(), Verdict::Unreachable);
    assert_eq!(report.attempts.len(), 2);
}

#[tokio::test]
async fn a_new_connection_that_is_closed_without_an_answer_is_not_asked_again() {
    let bench = Bench::start().await;
    let report = bench.call([Reply::close()]).await;
    assert_eq!(report.result, Err(CallFailure::Unreachable(Unreachable::Closed)));
    assert_eq!(bench.service.requests().len(), 1);
}

#[tokio::test]
async fn a_slow_accept_counts_into_the_time_of_the_attempt() {
    let bench = Bench::start_within(SHORT).await;
    bench.service.accept_after(Duration::from_secs(5));
    let report = bench.call([Reply::json(200, "{}")]).await;
    assert_eq!(report.result, Err(CallFailure::TimedOut(SHORT)));
    assert_eq!(report.attempts.len(), 2);
}
