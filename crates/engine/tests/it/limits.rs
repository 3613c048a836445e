//! Calls at once, and callers who hang up.

use std::time::{Duration, Instant};

use hookwright_contract::HookType;
use hookwright_engine::{CallFailure, CallSettings, CapacityScope, Engine, EngineOptions};
use hookwright_model::execution::Verdict;
use hookwright_testkit::{ExternalService, Reply};

use crate::bench::{BODY, Bench, options, patient, registration};

fn settings(max_concurrent: Option<usize>) -> CallSettings {
    let timeout = Duration::from_millis(500);
    CallSettings { timeout, max_concurrent, ..CallSettings::for_type(HookType::Token) }
}

#[tokio::test]
async fn a_call_beyond_the_limit_fails_at_once_and_leaves_no_trace_on_the_wire() {
    let bench = Bench::start().await;
    bench.service.on("/hook", [Reply::hang()]);
    let prepared = bench.engine.prepare(&registration(&bench.service.url("/hook")), settings(Some(2)));
    let call = || bench.engine.call(&prepared, BODY.into());
    let began = Instant::now();
    let (first, second, third) = tokio::join!(call(), call(), async {
        let report = call().await;
        (report, began.elapsed(), bench.engine.gauges())
    });
    assert_eq!(first.result.unwrap_err().verdict(), Verdict::TimedOut);
    assert_eq!(second.result.unwrap_err().verdict(), Verdict::TimedOut);
    let (third, waited, gauges) = third;
    assert_eq!(third.result, Err(CallFailure::AtCapacity { scope: CapacityScope::Hook, limit: 2 }));
    assert!(third.attempts.is_empty() && waited < Duration::from_millis(100));
    assert_eq!((gauges.calls, gauges.calls_by_hook), (2, vec![("cal00000000000000001".to_owned(), 2)]));
    assert_eq!(bench.service.requests().len(), 2);
    assert_eq!(bench.engine.gauges().calls, 0);
}

#[tokio::test]
async fn the_limit_over_all_hooks_holds_too() {
    let engine = Engine::new(EngineOptions { max_calls: 3, max_calls_per_hook: 32, ..options() }).unwrap();
    let service = ExternalService::start().await;
    service.on("/hook", [Reply::hang()]);
    let prepared = engine.prepare(&registration(&service.url("/hook")), settings(None));
    let calls = (0..10).map(|_| engine.call(&prepared, BODY.into()));
    let reports = futures::future::join_all(calls).await;
    let refused = |report: &&hookwright_engine::Report| {
        report.result == Err(CallFailure::AtCapacity { scope: CapacityScope::All, limit: 3 })
    };
    assert_eq!(reports.iter().filter(refused).count(), 7);
}

#[tokio::test]
async fn a_caller_who_hangs_up_stops_neither_the_call_nor_frees_its_place() {
    let bench = Bench::start().await;
    bench.service.on("/hook", [Reply::json(500, "{}").after(Duration::from_millis(100)), Reply::json(200, "{}")]);
    let prepared = bench.engine.prepare(
        &registration(&bench.service.url("/hook")),
        CallSettings { max_concurrent: Some(1), ..CallSettings::for_type(HookType::Registration) },
    );
    let call = bench.engine.call(&prepared, BODY.into());
    assert!(tokio::time::timeout(Duration::from_millis(30), call).await.is_err());
    assert_eq!(bench.engine.gauges().calls, 1);
    let report = bench.engine.call(&prepared, BODY.into()).await;
    assert_eq!(report.result.unwrap_err().verdict(), Verdict::AtCapacity);
    let ended = async {
        while bench.engine.gauges().calls > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), ended).await.unwrap();
    assert_eq!(bench.service.requests().len(), 2, "the retry was made although nobody waited");
}

#[tokio::test]
async fn one_stuck_hook_does_not_slow_another() {
    let bench = Bench::start().await;
    bench.service.on("/stuck", [Reply::hang()]);
    bench.service.on("/quick", [Reply::json(200, "{}")]);
    let mut stuck = registration(&bench.service.url("/stuck"));
    stuck.id = hookwright_model::id::InlineHookId::from_text("cal00000000000000002");
    let stuck = bench.engine.prepare(&stuck, CallSettings::for_type(HookType::Token));
    let quick = bench.engine.prepare(&registration(&bench.service.url("/quick")), settings(None));
    let waiting: Vec<_> = (0..32)
        .map(|_| {
            let (engine, stuck) = (bench.engine.clone(), stuck.clone());
            tokio::spawn(async move { engine.call(&stuck, BODY.into()).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let report = bench.engine.call(&stuck, BODY.into()).await;
    assert_eq!(report.result.unwrap_err().verdict(), Verdict::AtCapacity);
    for _ in 0..50 {
        let report = bench.engine.call(&quick, BODY.into()).await;
        assert!(report.result.is_ok() && report.duration < Duration::from_millis(50), "{report:?}");
    }
    for call in waiting {
        call.abort();
    }
}

#[tokio::test]
async fn a_thousand_calls_are_in_flight_at_once() {
    let engine = Engine::new(EngineOptions { max_calls: 1000, max_calls_per_hook: 1000, ..options() }).unwrap();
    let service = ExternalService::start().await;
    service.on("/hook", [Reply::json(200, "{}").after(Duration::from_millis(1500))]);
    let prepared = engine.prepare(&registration(&service.url("/hook")), CallSettings { retry: false, ..patient() });
    let calls = (0..1000).map(|_| engine.call(&prepared, BODY.into()));
    let reports = futures::future::join_all(calls).await;
    assert!(reports.iter().all(|report| report.result.is_ok()));
}
