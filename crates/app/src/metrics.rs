//! What is counted and timed, in the OpenMetrics text format. No registry is global: a test has its own.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use hookwright_engine::{CircuitState, Gauges as EngineGauges};
use hookwright_model::execution::Verdict;
use hookwright_model::id::InlineHookId;
use hookwright_store::Gauges as StoreGauges;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds in seconds: from a local service's tenths of a millisecond to two attempts of three seconds.
const SECONDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 6.5];

/// The most attempts of one call.
const MAX_ATTEMPTS: u32 = 2;

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// The metrics of an org.
pub struct Metrics {
    registry: Registry,
    executions: Family<ExecutionLabels, Counter<u64, AtomicU64>>,
    execution_seconds: Histograms<HookLabels>,
    requests: Family<RequestLabels, Counter<u64, AtomicU64>>,
    request_seconds: Histograms<RouteLabels>,
    sizes: Family<SizeLabels, Gauge>,
    circuits: Family<HookLabels, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExecutionLabels {
    hook: String,
    verdict: &'static str,
    attempts: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HookLabels {
    hook: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    method: &'static str,
    status: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SizeLabels {
    of: &'static str,
}

/// What one hook's calls are counted in, looked up once.
pub(crate) struct HookMetrics {
    hook: String,
    seconds: Histogram,
    executions: Family<ExecutionLabels, Counter<u64, AtomicU64>>,
    answered_at_once: Counter<u64, AtomicU64>,
}

impl HookMetrics {
    /// Counts a call that ended.
    pub(crate) fn observe(&self, verdict: Verdict, attempts: usize, duration: Duration) {
        self.seconds.observe(duration.as_secs_f64());
        if verdict == Verdict::Answered && attempts == 1 {
            self.answered_at_once.inc();
            return;
        }
        let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
        let labels = ExecutionLabels { hook: self.hook.clone(), verdict: verdict.as_str(), attempts };
        self.executions.get_or_create(&labels).inc();
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("hookwright");
        let executions = Family::default();
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let execution_seconds = Histograms::new_with_constructor(histogram);
        let requests = Family::default();
        let request_seconds = Histograms::new_with_constructor(histogram);
        let sizes = Family::default();
        registry.register("executions", "Hook calls by hook, verdict and number of attempts", executions.clone());
        registry.register(
            "execution_seconds",
            "How long hook calls took, all attempts together, in seconds",
            execution_seconds.clone(),
        );
        registry.register("requests", "Requests answered by route, method and status", requests.clone());
        registry.register("request_seconds", "How long requests took by route, in seconds", request_seconds.clone());
        registry.register("size", "Present sizes of pools, queues and buffers", sizes.clone());
        let circuits = Family::default();
        registry.register(
            "circuit",
            "Circuits of hooks that have a circuit breaker: 0 closed, 1 about to try again, 2 open",
            circuits.clone(),
        );
        Self { registry, executions, execution_seconds, requests, request_seconds, sizes, circuits }
    }

    /// The counters of one hook.
    pub(crate) fn of_hook(&self, id: &InlineHookId) -> HookMetrics {
        let hook = id.to_string();
        let at_once = ExecutionLabels { hook: hook.clone(), verdict: Verdict::Answered.as_str(), attempts: 1 };
        HookMetrics {
            seconds: self.execution_seconds.get_or_create_owned(&HookLabels { hook: hook.clone() }),
            answered_at_once: self.executions.get_or_create_owned(&at_once),
            executions: self.executions.clone(),
            hook,
        }
    }

    /// Drops the counters of a hook that is gone, so that making and deleting hooks doesn't fill the memory.
    pub(crate) fn forget_hook(&self, id: &InlineHookId) {
        let hook = id.to_string();
        self.execution_seconds.remove(&HookLabels { hook: hook.clone() });
        for verdict in Verdict::ALL {
            for attempts in 0..=MAX_ATTEMPTS {
                self.executions.remove(&ExecutionLabels { hook: hook.clone(), verdict: verdict.as_str(), attempts });
            }
        }
    }

    /// Counts an answered request. `route` and `method` are from closed lists, so that no client can grow the metrics.
    pub fn observe_request(&self, route: &'static str, method: &'static str, status: u16, duration: Duration) {
        self.requests.get_or_create(&RequestLabels { route, method, status: status.into() }).inc();
        self.request_seconds.get_or_create(&RouteLabels { route }).observe(duration.as_secs_f64());
    }

    pub(crate) fn encode(&self, store: &StoreGauges, engine: &EngineGauges) -> String {
        let sizes = [
            ("calls_under_way", engine.calls),
            ("calls_at_most", engine.max_calls),
            ("connections_idle", engine.idle_connections),
            ("records_buffered", store.buffered_records),
            ("commits_waiting", store.waiting_commits),
            ("database_connections", store.connections),
            ("database_connections_idle", store.idle_connections),
        ];
        for (of, size) in sizes {
            self.sizes.get_or_create(&SizeLabels { of }).set(i64::try_from(size).unwrap_or(i64::MAX));
        }
        if let Some(hears_nodes) = store.hears_nodes {
            self.sizes.get_or_create(&SizeLabels { of: "nodes_heard" }).set(i64::from(hears_nodes));
        }
        self.circuits.clear();
        for (hook, state) in &engine.circuits {
            let level = match state {
                CircuitState::Closed => 0,
                CircuitState::HalfOpen => 1,
                CircuitState::Open => 2,
            };
            self.circuits.get_or_create(&HookLabels { hook: hook.clone() }).set(level);
        }
        let mut text = String::new();
        match prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }
}
