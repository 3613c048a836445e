//! A long run under mixed faults: an org, services that misbehave in every way, clients that hang up; and what is left of it.
//!
//! Nothing may be: after the run, calls, connections, tasks and descriptors are as before. `cargo run -p hookwright-testkit
//! --example soak -- 600 15` runs it for ten minutes at 15 requests a second; the suite has a short one.

use std::fmt;
use std::time::{Duration, Instant};

use http::Method;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;

use crate::{ExternalService, Org, Reply};

const HOOKS: &str = "/api/v1/inlineHooks";
const ALLOW: &str = r#"{"commands":[{"type":"com.okta.action.update","value":{"registration":"ALLOW"}}]}"#;
/// How long a call of a hook takes at most, by its settings.
const TIMEOUT_MS: u64 = 200;
/// Descriptors of the database's connections, which are opened when they are first needed and stay.
const DATABASE_DESCRIPTORS: usize = 32;
/// How long everything has to come to rest at the end.
const REST: Duration = Duration::from_secs(30);

/// What there is of everything that could leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// Resident memory in KiB; 0 where the system does not tell.
    pub memory_kib: u64,
    /// Tasks of the runtime.
    pub tasks: usize,
    /// Open file descriptors; 0 where the system does not tell.
    pub descriptors: usize,
    /// Connections to the services that are open.
    pub connections: usize,
    /// Calls of hooks that hold a permit.
    pub calls: usize,
}

/// What a run came to.
#[derive(Debug, Clone)]
pub struct SoakReport {
    /// How long it ran.
    pub duration: Duration,
    /// Requests that were sent to the org.
    pub requests: u64,
    /// Those of them that found no answer in time: on a machine that has nothing to spare, some.
    pub unanswered: u64,
    /// Before the first request, when the org was at rest.
    pub start: Holdings,
    /// After half of the run, under load: what memory is compared with.
    pub warm: Holdings,
    /// After the run, when everything had come to rest.
    pub end: Holdings,
    /// Resident memory in KiB, ten times in the run.
    pub memory_kib: Vec<u64>,
}

impl SoakReport {
    /// What was left behind, one sentence each. Memory is looked at in runs of a minute and more only: before that, caches
    /// and pools are still filling.
    #[must_use]
    pub fn leaks(&self) -> Vec<String> {
        let (start, end) = (self.start, self.end);
        let mut leaks = Vec::new();
        for (what, before, after) in [
            ("tasks", start.tasks, end.tasks),
            ("descriptors", start.descriptors + DATABASE_DESCRIPTORS, end.descriptors),
            ("connections", start.connections, end.connections),
            ("calls", start.calls, end.calls),
        ] {
            if after > before {
                leaks.push(format!("{what}: {before} at the start, {after} at the end"));
            }
        }
        let allowed = self.warm.memory_kib + self.warm.memory_kib / 4 + 16 * 1024;
        if self.duration >= Duration::from_secs(60) && end.memory_kib > allowed {
            leaks.push(format!("memory: {} KiB when warm, {} KiB at the end", self.warm.memory_kib, end.memory_kib));
        }
        leaks
    }
}

impl fmt::Display for SoakReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (requests, unanswered) = (self.requests, self.unanswered);
        writeln!(formatter, "{requests} requests in {} s, {unanswered} without an answer", self.duration.as_secs())?;
        for (when, holdings) in [("start", self.start), ("warm", self.warm), ("end", self.end)] {
            writeln!(formatter, "{when:>6}: {holdings:?}")?;
        }
        write!(formatter, "memory in KiB: {:?}", self.memory_kib)
    }
}

/// Ways of a service to answer, good ones and bad ones.
fn services() -> Vec<(&'static str, Reply)> {
    let large = format!(r#"{{"debugContext":{{"x":"{}"}}}}"#, "x".repeat(300 * 1024));
    vec![
        ("/well", Reply::json(200, ALLOW)),
        ("/empty", Reply::answer(204, &[], "")),
        ("/slow", Reply::json(200, ALLOW).after(Duration::from_millis(60))),
        ("/down", Reply::json(503, "{}")),
        ("/gone", Reply::json(404, "{}")),
        ("/hanging", Reply::hang()),
        ("/closing", Reply::close()),
        ("/half", Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{").then_drop()),
        ("/garbage", Reply::raw("SSH-2.0-OpenSSH_9\r\n").then_close()),
        ("/dripping", Reply::json(200, ALLOW).dripped(Duration::from_millis(20))),
        ("/large", Reply::json(200, large)),
        ("/endless", Reply::endless_body()),
        ("/bomb", Reply::gzip_bomb(4 * 1024 * 1024)),
        ("/wrong", Reply::json(200, r#"{"commands":[{"type":"com.okta.none","value":1}]}"#)),
        ("/moved", Reply::answer(302, &[("Location", "http://127.0.0.1:1/")], "")),
        ("/chatty", Reply::json(200, ALLOW).then_send("HTTP/1.1 200 OK\r\n\r\n")),
    ]
}

fn hook(name: &str, uri: &str) -> Value {
    json!({
        "name": name, "type": "com.okta.user.pre-registration", "version": "1.0.0",
        "channel": {"type": "HTTP", "version": "1.0.0", "config": {"uri": uri,
            "authScheme": {"type": "HEADER", "key": "Authorization", "value": "a secret of the soak"}}},
    })
}

/// The world of a run.
struct Soak {
    org: Org,
    service: ExternalService,
    hooks: Vec<String>,
}

/// Runs for so long at so many requests a second and tells what is left at the end.
///
/// # Panics
/// The org can't be started or stops answering.
pub async fn run(duration: Duration, requests_per_second: u32) -> SoakReport {
    let soak = Soak::start().await;
    let mut chance = StdRng::seed_from_u64(4);
    let start = soak.rest().await;
    let (began, pause) = (Instant::now(), Duration::from_secs(1) / requests_per_second.max(1));
    let (mut requests, mut unanswered, mut under_way) = (0, 0, JoinSet::new());
    let (mut warm, mut memory_kib) = (None, Vec::new());
    let mut ticks = tokio::time::interval(pause);
    while began.elapsed() < duration {
        ticks.tick().await;
        requests += 1;
        soak.send(&mut under_way, &mut chance, requests);
        while let Some(ended) = under_way.try_join_next() {
            unanswered += u64::from(ended.is_err());
        }
        soak.org.clock.advance(pause);
        let tenths = began.elapsed().as_secs_f64() / duration.as_secs_f64() * 10.0;
        if tenths >= (memory_kib.len() + 1) as f64 {
            soak.service.forget_requests();
            memory_kib.push(resident_kib());
            if memory_kib.len() == 5 {
                warm = Some(soak.holdings().await);
            }
        }
    }
    while let Some(ended) = under_way.join_next().await {
        unanswered += u64::from(ended.is_err());
    }
    drop(under_way);
    let end = soak.rest().await;
    let warm = warm.unwrap_or(end);
    let report = SoakReport { duration: began.elapsed(), requests, unanswered, start, warm, end, memory_kib };
    soak.org.stop().await;
    report
}

impl Soak {
    #[expect(clippy::expect_used, reason = "a failed expectation is how a test fails")]
    async fn start() -> Self {
        let (org, service) = (Org::start().await, ExternalService::start().await);
        let mut hooks = Vec::new();
        for (path, reply) in services() {
            service.on(path, [reply]);
            let answer = org.client.post(HOOKS, &hook(path, &service.url(path))).await.json();
            let id = answer.get("id").and_then(Value::as_str).expect("the hook is made").to_owned();
            let breaks = matches!(path, "/down" | "/hanging");
            let breaker = breaks.then(|| json!({"failures": 5, "openMs": 500}));
            let settings = json!({"timeoutMs": TIMEOUT_MS, "maxConcurrentCalls": 4, "circuitBreaker": breaker});
            let set = org.client.put(&format!("/hookwright/v1/inlineHooks/{id}/settings"), &settings).await;
            assert_eq!(set.status, 200, "{}", set.text());
            hooks.push(id);
        }
        Self { org, service, hooks }
    }

    /// Sends one request of some kind, in a task of its own.
    fn send(&self, under_way: &mut JoinSet<()>, chance: &mut StdRng, number: u64) {
        let client = self.org.client.clone();
        let id = self.hooks.get(chance.random_range(0..self.hooks.len())).cloned().unwrap_or_default();
        let uri = self.service.url("/well");
        let body = json!({"eventId": number.to_string(), "requestType": "self.service.registration",
            "data": {"userProfile": {"login": "a@example.com"}}});
        match chance.random_range(0..100) {
            0..75 => under_way.spawn(async move {
                client.post(&format!("{HOOKS}/{id}/execute"), &body).await;
            }),
            75..82 => under_way.spawn(async move {
                // A client that hangs up in the middle of the call.
                let mut stream = client.connect().await;
                let (body, token) = (body.to_string(), client.token().unwrap_or_default());
                let head = format!(
                    "POST {HOOKS}/{id}/execute HTTP/1.1\r\nHost: x\r\nAuthorization: SSWS {token}\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(head.as_bytes()).await;
                tokio::time::sleep(Duration::from_millis(number % 50)).await;
            }),
            82..88 => under_way.spawn(async move {
                // One that sends half a request, or none at all.
                let mut stream = client.connect().await;
                let _ = stream.write_all(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n{").await;
            }),
            88..92 => under_way.spawn(async move {
                client.request(Method::PUT, &format!("{HOOKS}/{id}")).body("{\"name\":").send().await;
            }),
            92..96 => under_way.spawn(async move {
                client.get("/hookwright/v1/executions?limit=20").await;
                client.get("/api/v1/logs?limit=20").await;
            }),
            _ => under_way.spawn(async move {
                let made = client.post(HOOKS, &hook(&format!("passing {number}"), &uri)).await.json();
                let path = format!("{HOOKS}/{}", made.get("id").and_then(Value::as_str).unwrap_or_default());
                client.post(&format!("{path}/execute"), &body).await;
                client.post_empty(&format!("{path}/lifecycle/deactivate")).await;
                client.delete(&path).await;
            }),
        };
    }

    /// What there is once calls and connections have come to their ends, or when that takes too long.
    async fn rest(&self) -> Holdings {
        let began = Instant::now();
        let mut least = self.holdings().await;
        let mut unchanged = 0;
        // The last tasks end a moment after the last connections.
        while began.elapsed() < REST && (least.connections > 0 || least.calls > 0 || unchanged < 20) {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = self.holdings().await;
            unchanged = if now.tasks < least.tasks || now.descriptors < least.descriptors { 0 } else { unchanged + 1 };
            least = Holdings {
                tasks: least.tasks.min(now.tasks),
                descriptors: least.descriptors.min(now.descriptors),
                ..now
            };
        }
        least
    }

    async fn holdings(&self) -> Holdings {
        let metrics = self.org.app.metrics_text();
        let calls = metrics.lines().find_map(|line| line.strip_prefix("hookwright_size{of=\"calls_under_way\"} "));
        Holdings {
            memory_kib: resident_kib(),
            tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
            descriptors: std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
            connections: self.service.open_connections(),
            calls: calls.and_then(|calls| calls.parse().ok()).unwrap_or(usize::MAX),
        }
    }
}

/// The memory of this process that is in use, in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
