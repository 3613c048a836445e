//! Calls through an egress proxy.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hookwright_engine::{CallFailure, EgressProxy, Engine, EngineOptions, ProxyTarget, Report, Unreachable};
use hookwright_model::address::AddressPolicy;
use hookwright_testkit::certificates::Authority;
use hookwright_testkit::{ExternalService, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::bench::{BODY, patient, registration};

/// A proxy that leads every tunnel to one service, whatever was asked for, and remembers what it was.
struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Proxy {
    async fn start(service: SocketAddr, answer: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let serving = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                seen.lock().unwrap().push(String::from_utf8(head).unwrap());
                client.write_all(answer.as_bytes()).await.unwrap();
                if answer.contains(" 200 ") {
                    #[expect(clippy::disallowed_methods, reason = "the test's own proxy")]
                    let mut target = TcpStream::connect(service).await.unwrap();
                    tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut target).await });
                }
            }
        });
        Self { address, asked, serving }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A call to `https://hooks.example/hook` through the proxy, where the name resolves to `resolved`.
async fn call(proxy: &Proxy, authority: &Authority, target: ProxyTarget, resolved: &'static str) -> Report {
    let resolver = move |_: &str| -> io::Result<Vec<IpAddr>> { Ok(vec![resolved.parse().unwrap()]) };
    let url = format!("http://us%65r:pass@{}", proxy.address);
    let engine = Engine::new(EngineOptions {
        policy: AddressPolicy::default(),
        resolver: Arc::new(resolver),
        proxy: Some(EgressProxy::parse(&url, target).unwrap()),
        extra_roots: vec![authority.root()],
        ..EngineOptions::default()
    })
    .unwrap();
    engine.call(&engine.prepare(&registration("https://hooks.example/hook"), patient()), BODY.into()).await
}

async fn service(authority: &Authority) -> ExternalService {
    let service = ExternalService::start_tls(&authority.issue(&["hooks.example"])).await;
    service.on("/hook", [Reply::json(200, "{}")]);
    service
}

#[tokio::test]
async fn the_proxy_gets_the_address_that_was_judged() {
    let authority = Authority::new();
    let service = service(&authority).await;
    let proxy = Proxy::start(service.address(), "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await;
    let report = call(&proxy, &authority, ProxyTarget::JudgedAddress, "8.8.8.8").await;
    assert_eq!(report.result.unwrap().body, "{}");
    let asked = "CONNECT 8.8.8.8:443 HTTP/1.1\r\nHost: 8.8.8.8:443\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n";
    assert_eq!(proxy.asked(), [asked]);
    let seen = service.requests().remove(0);
    assert_eq!(seen.header("host"), Some("hooks.example"));
    assert!(!String::from_utf8_lossy(&seen.head).contains("dXNlcjpwYXNz"), "the proxy's password went to the service");
    let peer = report.attempts[0].peer.clone().unwrap();
    assert_eq!(peer, format!("8.8.8.8:443 through {}", proxy.address));
    let report = call(&proxy, &authority, ProxyTarget::JudgedAddress, "10.0.0.1").await;
    assert_eq!(report.result, Err(CallFailure::AddressRefused));
    assert_eq!(proxy.asked().len(), 1);
}

#[tokio::test]
async fn a_proxy_that_is_the_judge_gets_the_name() {
    let authority = Authority::new();
    let service = service(&authority).await;
    let proxy = Proxy::start(service.address(), "HTTP/1.0 200 OK\r\n\r\n").await;
    let report = call(&proxy, &authority, ProxyTarget::Name, "10.0.0.1").await;
    assert_eq!(report.result.unwrap().body, "{}");
    assert!(proxy.asked()[0].starts_with("CONNECT hooks.example:443 HTTP/1.1\r\n"), "{:?}", proxy.asked());
}

#[tokio::test]
async fn a_proxy_that_refuses_leaves_the_service_unreachable() {
    let authority = Authority::new();
    let service = service(&authority).await;
    for answer in ["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "SSH-2.0\r\n\r\n"] {
        let proxy = Proxy::start(service.address(), answer).await;
        let report = call(&proxy, &authority, ProxyTarget::Name, "8.8.8.8").await;
        assert_eq!(report.result, Err(CallFailure::Unreachable(Unreachable::NoConnection)));
        assert!(report.attempts[0].failure.as_deref().unwrap().contains("proxy"), "{:?}", report.attempts);
    }
    assert_eq!(service.connections(), 0);
}

#[tokio::test]
async fn calls_to_loopback_go_around_the_proxy() {
    let service = ExternalService::start().await;
    let proxy = Proxy::start(service.address(), "HTTP/1.1 200 OK\r\n\r\n").await;
    let parsed = EgressProxy::parse(&format!("http://{}", proxy.address), ProxyTarget::Name).unwrap();
    let engine = Engine::new(EngineOptions { proxy: Some(parsed), ..crate::bench::options() }).unwrap();
    engine.call(&engine.prepare(&registration(&service.url("/hook")), patient()), BODY.into()).await.result.unwrap();
    assert!(proxy.asked().is_empty());
}
