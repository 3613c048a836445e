//! What one call costs: processor time on warm connections, memory while a slow service thinks.
//!
//! Run with `cargo run --release -p hookwright-engine --example call_cost`. Three ways take turns, seven rounds each, 32 calls at
//! once on one thread: bare sockets (what the kernel asks for), hyper-util's client (what a library asks for), the engine. Then
//! 1,000 calls wait at once. The service is another process. Linux only: the kernel counts this thread's time and memory.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints its figures and may fail loudly")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hookwright_contract::HookType;
use hookwright_engine::{CallSettings, Engine, EngineOptions, Prepared};
use hookwright_model::Timestamp;
use hookwright_model::address::AddressPolicy;
use hookwright_model::id::InlineHookId;
use hookwright_model::inline_hook::InlineHook;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;

const CALLERS: usize = 32;
const CALLS: usize = 20_000;
const ROUNDS: usize = 7;
const IN_FLIGHT: usize = 1000;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 81\r\ndate: Sun, 22 Nov 2026 12:00:00 GMT\r\n\r\n\
    {\"commands\":[{\"type\":\"com.okta.action.update\",\"value\":{\"registration\":\"ALLOW\"}}]}";

fn main() {
    if std::env::args().nth(1).as_deref() == Some("service") {
        return serve();
    }
    let mut child =
        Command::new(std::env::current_exe().unwrap()).arg("service").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    run(line.trim().parse().unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
}

fn run(service: SocketAddr) {
    let body = Bytes::from(format!(r#"{{"eventId":"1","data":"{}"}}"#, "x".repeat(610)));
    let mut figures = [Vec::new(), Vec::new(), Vec::new()];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (engine, prepared) = build(service, "/quick");
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(CALLERS).build_http();
    let mut sockets: Vec<TcpStream> = (0..CALLERS).map(|_| connect(service)).collect();
    for round in 0..=ROUNDS {
        let costs = [
            measure(|| bare(&mut sockets, service, &body)),
            measure(|| runtime.block_on(library(&client, service, &body))),
            measure(|| runtime.block_on(ours(&engine, &prepared, &body))),
        ];
        // The first round warms up.
        if round > 0 {
            for (list, cost) in figures.iter_mut().zip(costs) {
                list.push(cost);
            }
        }
    }
    println!("                 CPU a call     calls a second");
    for (name, mut list) in ["bare sockets", "hyper-util", "engine"].into_iter().zip(figures) {
        list.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (cpu, rate) = list.get(list.len() / 2).copied().unwrap();
        println!("{name:<16} {cpu:>7.2} us     {rate:>10.0}");
    }
    let before = resident_kib();
    let (engine, prepared) = build(service, "/slow");
    runtime.block_on(async {
        let calls = futures::future::join_all((0..IN_FLIGHT).map(|_| engine.call(&prepared, body.clone())));
        let look = async {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            (engine.gauges().calls, resident_kib())
        };
        let (reports, (calls, during)) = futures::join!(calls, look);
        assert!(reports.iter().all(|report| report.result.is_ok()));
        println!("memory a call, {calls} in flight: {:.1} KiB", (during - before) / calls as f64);
    });
}

fn resident_kib() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    text.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok()).unwrap()
}

/// Microseconds of this thread's processor time a call, and calls a second.
fn measure(work: impl FnOnce()) -> (f64, f64) {
    let (began, before) = (Instant::now(), thread_time());
    work();
    let calls = CALLS as f64;
    ((thread_time() - before).as_secs_f64() * 1e6 / calls, calls / began.elapsed().as_secs_f64())
}

fn thread_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

fn build(service: SocketAddr, path: &str) -> (Engine, Prepared) {
    let policy = AddressPolicy::for_development();
    let engine = Engine::new(EngineOptions {
        policy: policy.clone(),
        max_calls: IN_FLIGHT,
        max_calls_per_hook: IN_FLIGHT,
        ..EngineOptions::default()
    })
    .unwrap();
    let hook = json!({
        "name": "Cost", "type": "com.okta.user.pre-registration", "version": "1.0.0",
        "channel": {"type": "HTTP", "version": "1.0.0", "config": {
            "uri": format!("http://{service}{path}"),
            "authScheme": {"type": "HEADER", "key": "Authorization", "value": "Basic YWRtaW46c3VwZXJzZWNyZXQ="}}}
    });
    let id = InlineHookId::from_text("cal00000000000000001");
    let hook = InlineHook::create(id, &(&hook).into(), &policy, Timestamp::from_millis(0)).unwrap();
    let prepared = engine.prepare(
        &hook,
        CallSettings { timeout: Duration::from_secs(20), ..CallSettings::for_type(HookType::Registration) },
    );
    (engine, prepared)
}

async fn ours(engine: &Engine, prepared: &Prepared, body: &Bytes) {
    let caller = || async {
        for _ in 0..CALLS / CALLERS {
            let report = engine.call(prepared, body.clone()).await;
            assert_eq!(report.result.unwrap().body.len(), 81);
        }
    };
    futures::future::join_all((0..CALLERS).map(|_| tokio::task::unconstrained(caller()))).await;
}

async fn library(client: &Client<HttpConnector, Full<Bytes>>, service: SocketAddr, body: &Bytes) {
    let caller = || async {
        for _ in 0..CALLS / CALLERS {
            let request = http::Request::post(format!("http://{service}/registrationHookSSR"))
                .header("authorization", "Basic YWRtaW46c3VwZXJzZWNyZXQ=")
                .header("accept", "application/json")
                .header("content-type", "application/json")
                .header("accept-encoding", "identity")
                .header("user-agent", "Hookwright/0")
                .body(Full::new(body.clone()))
                .unwrap();
            let answer = client.request(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
            assert_eq!(answer.len(), 81);
        }
    };
    futures::future::join_all((0..CALLERS).map(|_| tokio::task::unconstrained(caller()))).await;
}

/// One write and one read a call, without a reactor: the least that the kernel can be asked for.
fn bare(sockets: &mut [TcpStream], service: SocketAddr, body: &Bytes) {
    let head = format!(
        "POST /registrationHookSSR HTTP/1.1\r\nhost: {service}\r\nauthorization: Basic YWRtaW46c3VwZXJzZWNyZXQ=\r\naccept: application/json\r\n\
         content-type: application/json\r\naccept-encoding: identity\r\nuser-agent: Hookwright/0\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let request = [head.as_bytes(), body].concat();
    let mut buffer = [0; 4096];
    for _ in 0..CALLS / CALLERS {
        for socket in &mut *sockets {
            socket.write_all(&request).unwrap();
        }
        for socket in &mut *sockets {
            assert_eq!(socket.read(&mut buffer).unwrap(), ANSWER.len());
        }
    }
}

fn connect(service: SocketAddr) -> TcpStream {
    #[expect(clippy::disallowed_methods, reason = "the example's own service")]
    let stream = TcpStream::connect(service).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A thread for each connection that answers as soon as a whole request is there, or two seconds later if it begins with
/// `POST /slow`.
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        stream.set_nodelay(true).unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            let mut filled = 0;
            while let Some(free) = buffer.get_mut(filled..)
                && let Ok(read) = stream.read(free)
                && read > 0
            {
                filled += read;
                let seen = buffer.get(..filled).unwrap();
                // The body is the same in all requests, so its end can be told without parsing.
                if seen.ends_with(b"x\"}") {
                    if seen.starts_with(b"POST /slow") {
                        std::thread::sleep(Duration::from_secs(2));
                    }
                    stream.write_all(ANSWER).unwrap();
                    filled = 0;
                }
            }
        });
    }
}
