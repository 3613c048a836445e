//! Certificates and versions: what is not right is refused, and there is no way around it.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use hookwright_engine::{
    CallFailure, ClientIdentity, ClientIdentityError, Engine, EngineOptions, HookTls, Report, TlsFailure, Unreachable,
};
use hookwright_model::execution::Verdict;
use hookwright_testkit::certificates::{Authority, Identity};
use hookwright_testkit::{ExternalService, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::bench::{BODY, options, patient, registration};

const HOST: &str = "hooks.example";

fn engine(authority: &Authority) -> Engine {
    let resolver = |_: &str| -> io::Result<Vec<IpAddr>> { Ok(vec![[127, 0, 0, 1].into()]) };
    let extra_roots = vec![authority.root()];
    Engine::new(EngineOptions { extra_roots, resolver: Arc::new(resolver), ..options() }).unwrap()
}

async fn call(authority: &Authority, identity: &Identity) -> Report {
    let service = ExternalService::start_tls(identity).await;
    service.on("/hook", [Reply::json(200, "{}")]);
    let engine = engine(authority);
    let prepared = engine.prepare(&registration(&service.url_at(HOST, "/hook")), patient());
    let report = engine.call(&prepared, BODY.into()).await;
    assert!(
        report.result.is_ok() || service.requests().is_empty(),
        "a request went to a service that was not accepted"
    );
    report
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_is_accepted() {
    let authority = Authority::new();
    assert_eq!(call(&authority, &authority.issue(&[HOST])).await.result.unwrap().body, "{}");
}

#[tokio::test]
async fn a_name_with_a_dot_at_its_end_is_the_same_name_to_a_certificate() {
    let authority = Authority::new();
    let service = ExternalService::start_tls(&authority.issue(&[HOST])).await;
    let engine = engine(&authority);
    let prepared = engine.prepare(&registration(&service.url_at("hooks.example.", "/hook")), patient());
    assert_eq!(engine.call(&prepared, BODY.into()).await.result.unwrap().status, 204);
}

#[tokio::test]
async fn a_bad_certificate_is_refused_and_the_reason_named() {
    let authority = Authority::new();
    let cases = [
        (authority.issue_expired(&[HOST]), TlsFailure::Expired),
        (authority.issue_not_yet_valid(&[HOST]), TlsFailure::NotYetValid),
        (authority.issue(&["other.example"]), TlsFailure::WrongName),
        (authority.issue(&["127.0.0.1"]), TlsFailure::WrongName),
        (Authority::new().issue(&[HOST]), TlsFailure::UnknownIssuer),
        (Identity::self_signed(&[HOST]), TlsFailure::UnknownIssuer),
    ];
    for (identity, expected) in cases {
        let report = call(&authority, &identity).await;
        let failure = report.result.unwrap_err();
        assert_eq!(failure, CallFailure::Unreachable(Unreachable::Tls(expected)));
        assert_eq!(failure.verdict(), Verdict::Unreachable);
        assert_eq!(report.attempts.len(), 2);
    }
}

#[tokio::test]
async fn an_address_is_accepted_only_if_the_certificate_names_it() {
    let authority = Authority::new();
    for (names, accepted) in [(&["127.0.0.1"][..], true), (&[HOST][..], false)] {
        let service = ExternalService::start_tls(&authority.issue(names)).await;
        let engine = engine(&authority);
        let report = engine.call(&engine.prepare(&registration(&service.url("/hook")), patient()), BODY.into()).await;
        assert_eq!(report.result.is_ok(), accepted, "{names:?}");
    }
}

#[tokio::test]
async fn plain_http_behind_an_https_url_fails() {
    let service = ExternalService::start().await;
    let engine = engine(&Authority::new());
    let url = service.url("/hook").replace("http://", "https://");
    let report = engine.call(&engine.prepare(&registration(&url), patient()), BODY.into()).await;
    assert_eq!(report.result.unwrap_err().verdict(), Verdict::Unreachable);
    assert!(service.requests().is_empty());
}

#[tokio::test]
async fn a_peer_that_offers_tls_1_1_is_refused() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://{}/hook", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut hello = [0; 4096];
            let _ = stream.read(&mut hello).await;
            // A ServerHello of version 3.2: record, handshake, version, random, no session, a cipher, no compression.
            let mut answer = vec![22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
            answer.extend_from_slice(&[7; 32]);
            answer.extend_from_slice(&[0, 0xc0, 0x13, 0]);
            let _ = stream.write_all(&answer).await;
            let _ = stream.read(&mut hello).await;
        }
    });
    let engine = engine(&Authority::new());
    let report = engine.call(&engine.prepare(&registration(&url), patient()), BODY.into()).await;
    assert_eq!(report.result, Err(CallFailure::Unreachable(Unreachable::Tls(TlsFailure::Handshake))));
    serving.abort();
}

#[tokio::test]
async fn connections_are_used_again_under_tls_too() {
    let authority = Authority::new();
    let service = ExternalService::start_tls(&authority.issue(&[HOST])).await;
    service.on("/hook", [Reply::json(200, "{}")]);
    let engine = engine(&authority);
    let prepared = engine.prepare(&registration(&service.url_at(HOST, "/hook")), patient());
    for _ in 0..5 {
        engine.call(&prepared, BODY.into()).await.result.unwrap();
    }
    assert_eq!(service.connections(), 1);
}

#[tokio::test]
async fn an_answer_without_a_length_that_is_cut_under_tls_is_not_taken_for_whole() {
    let authority = Authority::new();
    let service = ExternalService::start_tls(&authority.issue(&[HOST])).await;
    let engine = engine(&authority);
    let prepared = engine.prepare(&registration(&service.url_at(HOST, "/hook")), patient());
    service.on("/hook", [Reply::raw("HTTP/1.1 200 OK\r\n\r\n{}").then_drop()]);
    let report = engine.call(&prepared, BODY.into()).await;
    assert_eq!(report.result, Err(CallFailure::Unreachable(Unreachable::Closed)));
    service.on("/hook", [Reply::raw("HTTP/1.1 200 OK\r\n\r\n{}").then_close()]);
    assert_eq!(engine.call(&prepared, BODY.into()).await.result.unwrap().body, "{}");
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_service_that_asks_for_it() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let service = ExternalService::start_mutual_tls(&authority.issue(&[HOST]), &clients).await;
    service.on("/hook", [Reply::json(200, "{}")]);
    let engine = engine(&authority);
    let hook = registration(&service.url_at(HOST, "/hook"));
    let identity = |identity: &Identity| {
        let identity =
            ClientIdentity::from_pem(identity.chain_pem().as_bytes(), identity.key_pem().as_bytes()).unwrap();
        HookTls { identity: Some(identity), ..HookTls::default() }
    };
    let with = engine.prepare_with_tls(&hook, patient(), &identity(&clients.issue(&["org.example"]))).unwrap();
    let other = engine.prepare_with_tls(&hook, patient(), &identity(&authority.issue(&["org.example"]))).unwrap();
    let without = engine.prepare(&hook, patient());
    for _ in 0..2 {
        assert_eq!(engine.call(&with, BODY.into()).await.result.unwrap().body, "{}");
        for refused in [&other, &without] {
            let report = engine.call(refused, BODY.into()).await;
            assert_eq!(report.result, Err(CallFailure::Unreachable(Unreachable::Tls(TlsFailure::OwnCertificate))));
        }
    }
    assert_eq!(service.requests().len(), 2);
    assert!(
        service.requests().iter().all(|request| request.connection == 0),
        "the hook's own connection was used again"
    );
}

#[tokio::test]
async fn an_authority_can_be_trusted_for_one_hook_alone() {
    let private = Authority::new();
    let service = ExternalService::start_tls(&private.issue(&[HOST])).await;
    let engine = engine(&Authority::new());
    let hook = registration(&service.url_at(HOST, "/hook"));
    let tls = HookTls { extra_roots: vec![private.root()], ..HookTls::default() };
    let trusting = engine.prepare_with_tls(&hook, patient(), &tls).unwrap();
    assert!(engine.call(&trusting, BODY.into()).await.result.is_ok());
    assert!(engine.call(&engine.prepare(&hook, patient()), BODY.into()).await.result.is_err());
}

#[test]
fn a_client_certificate_without_its_key_is_refused() {
    let authority = Authority::new();
    let (one, other) = (authority.issue(&["a.example"]), authority.issue(&["a.example"]));
    let read = |chain: &str, key: &str| ClientIdentity::from_pem(chain.as_bytes(), key.as_bytes()).err();
    assert_eq!(read(&one.chain_pem(), &one.key_pem()), None);
    assert_eq!(read(&one.chain_pem(), &other.key_pem()), Some(ClientIdentityError::Mismatch));
    assert_eq!(read("", &one.key_pem()), Some(ClientIdentityError::Certificate));
    assert_eq!(read(&one.chain_pem(), "nothing"), Some(ClientIdentityError::PrivateKey));
}
