//! Many calls over a network that delays, loses and cuts, to services that restart: seeded, on a paused clock.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookwright_contract::HookType;
use hookwright_engine::{CallFailure, CallSettings, Engine, EngineOptions, Prepared, Report};
use hookwright_model::id::InlineHookId;
use hookwright_testkit::simulation::{Exchange, Fate, SimulatedNetwork, Time, chance, run_seeds, seeds};
use rand::RngExt as _;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::bench::{hook, options};

const CALLS: u64 = 60;
/// Calls at once of the hook that has a limit of its own.
const LIMIT: usize = 2;
/// What a deadline may be late by: tokio's timers tick in milliseconds.
const TICK: Duration = Duration::from_millis(5);

/// Seeds that found a fault once; they are run besides the others for ever.
const KEPT: [u64; 0] = [];

/// One hook of the simulation.
struct Target {
    prepared: Prepared,
    id: String,
    /// Requests of one call on the wire at most.
    requests: usize,
}

/// What one call came to; nothing if its caller hung up.
type Outcome = (u64, usize, Option<Report>);

fn targets(engine: &Engine) -> Vec<Target> {
    let limited = CallSettings { max_concurrent: Some(LIMIT), ..CallSettings::for_type(HookType::Registration) };
    [
        (HookType::Registration, CallSettings::for_type(HookType::Registration), 2),
        (HookType::Token, CallSettings::for_type(HookType::Token), 1),
        (HookType::Registration, limited, 2),
    ]
    .into_iter()
    .enumerate()
    .map(|(number, (hook_type, settings, requests))| {
        let mut hook = hook(&format!("http://127.0.0.1:{}/hook", 9001 + number), hook_type, &json!({}));
        hook.id = InlineHookId::from_text(format!("cal{number:017}"));
        Target { prepared: engine.prepare(&hook, settings), id: hook.id.to_string(), requests }
    })
    .collect()
}

fn call_of(body: &[u8]) -> u64 {
    let body: Value = serde_json::from_slice(body).unwrap();
    body["call"].as_u64().unwrap()
}

fn body_of(call: u64) -> Bytes {
    json!({ "call": call }).to_string().into()
}

/// Runs one seed; gives everything that happened, in order.
async fn run(seed: u64) -> Result<String, String> {
    let network = SimulatedNetwork::new(
        seed,
        Time::default(),
        |body| json!({"commands": [], "debugContext": {"call": call_of(body)}}).to_string(),
        |body| call_of(body).to_string(),
    );
    let engine = Engine::new(EngineOptions { network: Arc::new(network.clone()), ..options() }).unwrap();
    let targets = Arc::new(targets(&engine));
    let mut calls = JoinSet::new();
    for call in 1..=CALLS {
        calls.spawn(one_call(seed, call, engine.clone(), Arc::clone(&targets)));
    }
    let mut outcomes = Vec::new();
    while let Some(outcome) = calls.join_next().await {
        outcomes.push(outcome.unwrap()?);
    }
    // Those whose callers hung up go on to their end.
    sleep(Duration::from_secs(7)).await;
    let gauges = engine.gauges();
    if gauges.calls != 0 || !gauges.calls_by_hook.is_empty() {
        return Err(format!("calls were left behind: {gauges:?}"));
    }
    let mut seen: HashMap<u64, Vec<Exchange>> = HashMap::new();
    for exchange in network.exchanges() {
        seen.entry(call_of(&exchange.body)).or_default().push(exchange);
    }
    let mut trace = String::new();
    for (call, target, report) in &outcomes {
        let requests = seen.get(call).map(Vec::as_slice).unwrap_or_default();
        let target = targets.get(*target).unwrap();
        judge(*call, target, report.as_ref(), requests).map_err(|fault| format!("call {call}: {fault}"))?;
        writeln!(trace, "{call} {report:?} {requests:?}").unwrap();
    }
    network.heal();
    for target in targets.iter() {
        let report = engine.call(&target.prepared, body_of(0)).await;
        // A token hook is asked once, and that request may meet a connection that ended with the restart.
        if report.result.is_err()
            && (target.requests > 1 || engine.call(&target.prepared, body_of(0)).await.result.is_err())
        {
            return Err(format!("a service that is well again is not reached: {report:?}"));
        }
    }
    Ok(trace)
}

async fn one_call(seed: u64, call: u64, engine: Engine, targets: Arc<Vec<Target>>) -> Result<Outcome, String> {
    let mut chance = chance(seed, ("call", call));
    sleep(Duration::from_millis(chance.random_range(0..20_000))).await;
    let number = chance.random_range(0..targets.len());
    let target = targets.get(number).unwrap();
    let hangs_up = chance.random_ratio(1, 10).then(|| Duration::from_millis(chance.random_range(0..3_000)));
    let under_way = engine.call(&target.prepared, body_of(call));
    let report = match hangs_up {
        Some(after) => tokio::time::timeout(after, under_way).await.ok(),
        None => Some(under_way.await),
    };
    let limited = targets.last().unwrap();
    let by_hook = engine.gauges().calls_by_hook;
    match by_hook.iter().find(|(id, _)| *id == limited.id) {
        Some((_, calls)) if *calls > LIMIT => Err(format!("{calls} calls of the hook with a limit of {LIMIT}")),
        _ => Ok((call, number, report)),
    }
}

/// What must hold of a call, whatever happened to it.
fn judge(call: u64, target: &Target, report: Option<&Report>, requests: &[Exchange]) -> Result<(), String> {
    if requests.len() > target.requests {
        return Err(format!("{} requests on the wire", requests.len()));
    }
    if let Some((_, before)) = requests.split_last() {
        // Answered for good, and early enough.
        let settled = |exchange: &&Exchange| {
            exchange.answered
                && match exchange.fate {
                    Fate::Answer(after) => after < Duration::from_millis(100),
                    Fate::Status(status) => status < 500,
                    _ => false,
                }
        };
        if let Some(exchange) = before.iter().find(settled) {
            return Err(format!("asked again after {exchange:?}"));
        }
    }
    let Some(report) = report else { return Ok(()) };
    let attempts = report.attempts.len();
    if attempts > target.requests || requests.len() > attempts.max(1) {
        return Err(format!("{attempts} attempts, {} requests", requests.len()));
    }
    let bound = (Duration::from_secs(3) + TICK) * u32::try_from(attempts.max(1)).unwrap();
    if report.duration > bound {
        return Err(format!("it took {:?} with {attempts} attempts", report.duration));
    }
    match &report.result {
        Ok(answer) => {
            let echo: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
            if echo["debugContext"]["call"] != call {
                return Err(format!("it got the answer of another call: {echo}"));
            }
            requests
                .iter()
                .any(|exchange| exchange.answered)
                .then_some(())
                .ok_or("an answer that nobody gave".to_owned())
        }
        Err(CallFailure::AtCapacity { .. }) if !requests.is_empty() => {
            Err("a call without a place was sent".to_owned())
        }
        Err(_) => Ok(()),
    }
}

#[test]
fn no_fault_of_the_network_hangs_repeats_or_mixes_up_calls() {
    run_seeds("engine", KEPT.into_iter().chain(seeds(200)), |seed| async move { run(seed).await.map(drop) });
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let runs = [(); 2].map(|()| {
        let traces = std::cell::RefCell::new(Vec::new());
        run_seeds("engine", 1..=3, |seed| {
            let traces = &traces;
            async move {
                let trace = run(seed).await?;
                traces.borrow_mut().push(trace);
                Ok(())
            }
        });
        traces.into_inner()
    });
    let [first, second] = runs;
    assert!(first.iter().all(|trace| trace.lines().count() >= usize::try_from(CALLS).unwrap()));
    assert_eq!(first, second);
    assert_ne!(first.first(), first.get(1), "two seeds gave one run");
}
