//! Where calls may lead, with a resolver that lies.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hookwright_engine::{CallFailure, CallSettings, Engine, EngineOptions, Report, Resolve};
use hookwright_model::address::AddressPolicy;
use hookwright_model::execution::Verdict;
use hookwright_testkit::certificates::{Authority, Identity};
use hookwright_testkit::{ExternalService, Reply};

use crate::bench::{BODY, SHORT, options, patient, registration};

/// Answers each question with the next list of addresses; the last is given again and again.
fn liar(answers: &[&[&str]]) -> (Arc<dyn Resolve>, Arc<AtomicUsize>) {
    let answers: Mutex<Vec<Vec<IpAddr>>> =
        Mutex::new(answers.iter().rev().map(|list| list.iter().map(|text| text.parse().unwrap()).collect()).collect());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let resolver = move |_: &str| -> io::Result<Vec<IpAddr>> {
        count.fetch_add(1, Ordering::SeqCst);
        let mut answers = answers.lock().unwrap();
        Ok(if answers.len() > 1 { answers.pop().unwrap() } else { answers[0].clone() })
    };
    (Arc::new(resolver), asked)
}

/// A service on loopback with a certificate for `hooks.example`, and an engine in production mode, except for `open`.
struct Trap {
    service: ExternalService,
    authority: Authority,
}

impl Trap {
    async fn start() -> Self {
        let authority = Authority::new();
        let identity: Identity = authority.issue(&["hooks.example", "127.0.0.1"]);
        let service = ExternalService::start_tls(&identity).await;
        service.on("/hook", [Reply::json(200, "{}")]);
        Self { service, authority }
    }

    fn engine(&self, policy: AddressPolicy, resolver: Arc<dyn Resolve>) -> Engine {
        let extra_roots = vec![self.authority.root()];
        Engine::new(EngineOptions { policy, resolver, extra_roots, ..EngineOptions::default() }).unwrap()
    }

    async fn call(&self, engine: &Engine, host: &str) -> Report {
        let prepared = engine.prepare(&registration(&self.service.url_at(host, "/hook")), patient());
        engine.call(&prepared, BODY.into()).await
    }
}

fn listing_host() -> AddressPolicy {
    AddressPolicy { allowed_hosts: vec!["hooks.example".to_owned()], ..AddressPolicy::default() }
}

#[tokio::test]
async fn a_name_that_resolves_to_an_inner_address_is_never_connected_to() {
    let trap = Trap::start().await;
    let lists: [&[&str]; 8] = [
        &["127.0.0.1"],
        &["::ffff:127.0.0.1"],
        &["::1"],
        &["0.0.0.0"],
        &["10.0.0.1", "192.168.1.1"],
        &["169.254.169.254"],
        &["64:ff9b::7f00:1"],
        &["fd00:ec2::254"],
    ];
    for list in lists {
        let report = trap.call(&trap.engine(AddressPolicy::default(), liar(&[list]).0), "hooks.example").await;
        assert_eq!(report.result, Err(CallFailure::AddressRefused), "{list:?}");
        assert!(report.attempts[0].failure.as_deref().unwrap().contains(list[0]), "{:?}", report.attempts);
    }
    assert_eq!(trap.service.connections(), 0);
}

#[tokio::test]
async fn literal_hosts_take_the_same_road() {
    let trap = Trap::start().await;
    let engine = trap.engine(AddressPolicy::default(), liar(&[&["8.8.8.8"]]).0);
    for host in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "a.localhost", "0.0.0.0", "10.0.0.1"] {
        assert_eq!(trap.call(&engine, host).await.result, Err(CallFailure::AddressRefused), "{host}");
    }
    assert_eq!(trap.service.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_between_two_connections_is_judged_anew() {
    let trap = Trap::start().await;
    // An allowed address first (nothing answers there), loopback next: the second attempt must not go there.
    let policy = AddressPolicy { allowed_networks: vec!["127.0.0.2/32".parse().unwrap()], ..AddressPolicy::default() };
    let (resolver, asked) = liar(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let report = trap.call(&trap.engine(policy, resolver), "hooks.example").await;
    assert_eq!(report.result, Err(CallFailure::AddressRefused));
    assert_eq!((asked.load(Ordering::SeqCst), report.attempts.len(), trap.service.connections()), (2, 2, 0));
}

#[tokio::test]
async fn a_mixed_answer_loses_its_bad_addresses() {
    let trap = Trap::start().await;
    let policy = AddressPolicy { allowed_networks: vec!["127.0.0.1/32".parse().unwrap()], ..AddressPolicy::default() };
    let (resolver, _) = liar(&[&["10.0.0.1", "169.254.169.254", "127.0.0.1", "::1"]]);
    let report = trap.call(&trap.engine(policy, resolver), "hooks.example").await;
    assert_eq!(report.result.unwrap().body, "{}");
    assert_eq!(report.attempts[0].peer, Some(trap.service.address().to_string()));
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let trap = Trap::start().await;
    let networks = ["127.0.0.0/8", "192.0.2.0/24"].map(|text| text.parse().unwrap()).to_vec();
    let policy = AddressPolicy { allowed_networks: networks, ..AddressPolicy::default() };
    let (resolver, _) = liar(&[&["127.0.0.9", "192.0.2.1", "127.0.0.1"]]);
    let engine = trap.engine(policy, resolver);
    let settings = CallSettings { timeout: Duration::from_secs(10), ..patient() };
    let prepared = engine.prepare(&registration(&trap.service.url_at("hooks.example", "/hook")), settings);
    let report = engine.call(&prepared, BODY.into()).await;
    assert_eq!((report.result.unwrap().status, report.attempts.len()), (200, 1));
}

#[tokio::test]
async fn a_listed_host_may_lead_inside() {
    let trap = Trap::start().await;
    let report = trap.call(&trap.engine(listing_host(), liar(&[&["127.0.0.1"]]).0), "hooks.example").await;
    assert_eq!(report.result.unwrap().body, "{}");
    assert_eq!(
        trap.service.requests()[0].header("host"),
        Some(&*format!("hooks.example:{}", trap.service.address().port()))
    );
}

#[tokio::test]
async fn a_host_without_addresses_and_one_that_is_refused_look_alike() {
    let trap = Trap::start().await;
    let refused = trap.call(&trap.engine(AddressPolicy::default(), liar(&[&["10.0.0.1"]]).0), "hooks.example").await;
    let unknown: Arc<dyn Resolve> = Arc::new(|_: &str| Err(io::Error::other("no such host")));
    let unknown = trap.call(&trap.engine(AddressPolicy::default(), unknown), "hooks.example").await;
    let empty = trap.call(&trap.engine(AddressPolicy::default(), liar(&[&[]]).0), "hooks.example").await;
    let silent = trap.call(&trap.engine(listing_host(), liar(&[&["127.0.0.9"]]).0), "hooks.example").await;
    let texts = [&refused, &unknown, &empty, &silent].map(|report| report.result.clone().unwrap_err().to_string());
    assert!(texts.iter().all(|text| text == &texts[0]), "{texts:?}");
    assert!([&refused, &unknown, &empty, &silent].iter().all(|report| report.attempts.len() == 2));
    assert!(refused.duration.abs_diff(unknown.duration) < Duration::from_millis(100));
    assert_eq!(refused.result.unwrap_err().verdict(), Verdict::AddressRefused);
}

#[tokio::test]
async fn our_own_listener_is_never_called() {
    let service = ExternalService::start().await;
    let engine = Engine::new(options()).unwrap();
    engine.refuse_own_listener(service.address());
    for host in ["127.0.0.1", "localhost"] {
        let prepared = engine.prepare(&registration(&service.url_at(host, "/hook")), patient());
        let report = engine.call(&prepared, BODY.into()).await;
        assert!(report.result.is_err());
    }
    let engine = Engine::new(options()).unwrap();
    engine.refuse_own_listener((std::net::Ipv6Addr::UNSPECIFIED, service.address().port()).into());
    let prepared = engine.prepare(&registration(&service.url("/hook")), patient());
    assert_eq!(engine.call(&prepared, BODY.into()).await.result, Err(CallFailure::AddressRefused));
    assert_eq!(service.connections(), 0);
}

#[tokio::test]
async fn a_resolver_that_never_answers_ends_with_the_attempt() {
    struct Silent;
    impl Resolve for Silent {
        fn resolve<'a>(
            &'a self,
            _: &'a str,
        ) -> std::pin::Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
            Box::pin(std::future::pending())
        }
    }
    let trap = Trap::start().await;
    let began = Instant::now();
    let engine = trap.engine(AddressPolicy::default(), Arc::new(Silent));
    let hook = registration(&trap.service.url_at("hooks.example", "/hook"));
    let settings = CallSettings { timeout: SHORT, ..patient() };
    let report = engine.call(&engine.prepare(&hook, settings), BODY.into()).await;
    assert_eq!(report.result.unwrap_err().verdict(), Verdict::TimedOut);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(report.attempts[0].failure.as_deref().unwrap().contains("name"), "{:?}", report.attempts);
}

#[tokio::test]
async fn a_proxy_in_the_environment_is_not_asked() {
    // The process's environment can't be changed safely in a test; a child process gets a trap as its proxy.
    let trap = ExternalService::start().await;
    let target = ExternalService::start().await;
    let proxy = format!("http://{}", trap.address());
    let child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "address::a_child_calls_what_it_is_told", "--nocapture"])
        .env("HOOK_URL", target.url("/hook"))
        .envs(
            ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
                .map(|name| (name, &proxy)),
        )
        .stdout(std::process::Stdio::null())
        .status()
        .await
        .unwrap();
    assert!(child.success());
    assert_eq!((trap.connections(), target.requests().len()), (0, 1));
}

#[tokio::test]
async fn a_child_calls_what_it_is_told() {
    #[expect(clippy::disallowed_methods, reason = "how the parent test tells its child what to call")]
    let Ok(url) = std::env::var("HOOK_URL") else { return };
    let engine = Engine::new(options()).unwrap();
    engine.call(&engine.prepare(&registration(&url), patient()), BODY.into()).await.result.unwrap();
}
