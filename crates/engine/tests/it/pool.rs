//! Connections that are used again, and those that are not.

use std::time::Duration;

use hookwright_contract::HookType;
use hookwright_engine::{CallFailure, Unreachable};
use hookwright_testkit::Reply;

use crate::bench::{BODY, Bench, SHORT};

#[tokio::test]
async fn calls_one_after_the_other_share_a_connection() {
    let bench = Bench::start().await;
    bench.service.on("/hook", [Reply::json(200, "{}")]);
    let prepared = bench.prepare(HookType::Registration);
    for number in 0..10 {
        let report = bench.engine.call(&prepared, BODY.into()).await;
        assert_eq!(report.attempts[0].reused_connection, number > 0);
    }
    assert_eq!(bench.service.connections(), 1);
    assert_eq!(bench.engine.gauges().idle_connections, 1);
}

#[tokio::test]
async fn hooks_that_lead_to_one_place_share_its_connections() {
    let bench = Bench::start().await;
    for hook_type in HookType::ALL {
        bench.call_as(hook_type, [Reply::chunked(200, &[], b"{}", 1)]).await.result.unwrap();
    }
    assert_eq!(bench.service.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_the_service_closed_is_replaced_silently() {
    let bench = Bench::start().await;
    bench.service.on("/hook", [Reply::json(200, "{}").then_close()]);
    let prepared = bench.prepare(HookType::Token);
    for _ in 0..3 {
        let report = bench.engine.call(&prepared, BODY.into()).await;
        assert_eq!((report.result.map(|answer| answer.status), report.attempts.len()), (Ok(200), 1));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(bench.service.requests().len(), 3);
}

#[tokio::test]
async fn a_connection_that_the_service_wants_closed_is_not_used_again() {
    let bench = Bench::start().await;
    for _ in 0..2 {
        bench.call([Reply::answer(200, &[("Connection", "close")], "{}")]).await.result.unwrap();
    }
    assert_eq!(bench.service.connections(), 2);
    assert_eq!(bench.engine.gauges().idle_connections, 0);
}

#[tokio::test]
async fn a_reused_connection_that_is_lost_without_an_answer_counts_as_no_connection() {
    let bench = Bench::start().await;
    bench.call([Reply::json(200, "{}")]).await.result.unwrap();
    let report = bench.call([Reply::close(), Reply::json(200, r#""second""#)]).await;
    assert_eq!(report.result.unwrap().body, r#""second""#);
    assert_eq!(report.attempts.len(), 2);
    let report = bench.call_as(HookType::Token, [Reply::close()]).await;
    assert_eq!(report.result, Err(CallFailure::Unreachable(Unreachable::Closed)));
    assert_eq!(report.attempts.len(), 1);
}

#[tokio::test]
async fn a_connection_waits_no_longer_than_the_service_says() {
    let bench = Bench::start().await;
    for (timeout, idle) in [("timeout=1", 0), ("timeout=5, max=100", 1), ("max=100", 1), ("timeout=x", 1)] {
        bench.call([Reply::answer(200, &[("Keep-Alive", timeout)], "{}")]).await.result.unwrap();
        assert_eq!(bench.engine.gauges().idle_connections, idle, "{timeout}");
    }
}

#[tokio::test]
async fn connections_of_failed_attempts_are_closed() {
    let bench = Bench::start_within(SHORT).await;
    for reply in [Reply::hang(), Reply::endless_body(), Reply::lying_about_its_length("{}", 9), Reply::raw("x\r\n\r\n")]
    {
        bench.call([reply]).await.result.unwrap_err();
    }
    for _ in 0..50 {
        if bench.service.open_connections() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!((bench.service.open_connections(), bench.engine.gauges().idle_connections), (0, 0));
}

#[tokio::test]
async fn idle_connections_are_closed_when_nobody_asks_for_them() {
    let bench = Bench::start().await;
    bench.call([Reply::answer(200, &[("Keep-Alive", "timeout=2")], "{}")]).await.result.unwrap();
    assert_eq!(bench.engine.gauges().idle_connections, 1);
    tokio::time::sleep(Duration::from_millis(2300)).await;
    assert_eq!((bench.engine.gauges().idle_connections, bench.service.open_connections()), (0, 0));
}
