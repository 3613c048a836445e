//! Clients that take their time, or everybody's.

use std::time::{Duration, Instant};

use hookwright_testkit::{Org, OrgOptions, TOKEN};
use hookwright_web::ServerLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::expectations::{accepted, refused};
use crate::fixtures::{HOOKS, created, hook};

async fn org_with(limits: ServerLimits) -> Org {
    Org::start_with(OrgOptions { limits, ..OrgOptions::default() }).await
}

/// How long it takes until the server closes a connection; what it said until then.
async fn until_closed(stream: &mut TcpStream) -> (Duration, Vec<u8>) {
    let began = Instant::now();
    let mut said = Vec::new();
    let reading = async {
        let mut piece = [0; 65_536];
        while let Ok(read @ 1..) = stream.read(&mut piece).await {
            said.extend_from_slice(&piece[..read]);
        }
    };
    tokio::time::timeout(Duration::from_secs(15), reading).await.expect("the server closes the connection");
    (began.elapsed(), said)
}

/// What comes next, which is a small answer as a whole.
async fn read_some(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = vec![0; 8192];
    let read = stream.read(&mut answer).await.expect("an answer");
    answer.truncate(read);
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_slow_clients_hold_nobody_up() {
    let org = Org::start().await;
    let mut slow = Vec::new();
    for number in 0..300 {
        let mut stream = org.client.connect().await;
        let begin = match number % 3 {
            0 => String::new(),
            1 => "GET /api/v1/inlineHooks HTTP/1.1\r\nHost: o".to_owned(),
            _ => format!(
                "POST {HOOKS} HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {TOKEN}\r\nContent-Type: application/json\r\n\
                 Content-Length: 1000\r\n\r\n{{"
            ),
        };
        stream.write_all(begin.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    for number in 0..10 {
        let began = Instant::now();
        created(&org, &hook(&format!("hook {number}"))).await;
        accepted(&org.client.get(HOOKS).await);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
    drop(slow);
}

#[tokio::test]
async fn a_first_head_has_its_time_however_it_trickles() {
    let limits = ServerLimits { first_head: Duration::from_millis(300), ..ServerLimits::default() };
    let org = org_with(limits).await;
    let mut silent = org.client.connect().await;
    assert!(until_closed(&mut silent).await.0 < Duration::from_secs(3));

    let mut trickling = org.client.connect().await;
    let began = Instant::now();
    let trickle = async {
        for letter in "GET /healthz HTTP/1.1\r\nX-Slow: ".bytes().chain(std::iter::repeat(b'x')) {
            if trickling.write_all(&[letter]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), trickle).await.expect("the server ends the trickle");
    assert!(began.elapsed() >= Duration::from_millis(250));
    // Who has asked once in time may ask again later.
    let mut patient = org.client.connect().await;
    for _ in 0..2 {
        patient.write_all(b"GET /healthz HTTP/1.1\r\nHost: org\r\n\r\n").await.unwrap();
        assert!(read_some(&mut patient).await.starts_with(b"HTTP/1.1 200 OK"));
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let limits = ServerLimits { idle: Duration::from_millis(300), ..ServerLimits::default() };
    let org = org_with(limits).await;
    let mut stream = org.client.connect().await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: org\r\n\r\n").await.unwrap();
    let (elapsed, said) = until_closed(&mut stream).await;
    assert!(elapsed < Duration::from_secs(3), "{elapsed:?}");
    assert!(said.starts_with(b"HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_refused() {
    let limits = ServerLimits { body: Duration::from_millis(300), ..ServerLimits::default() };
    let org = org_with(limits).await;
    let head = format!(
        "POST {HOOKS} HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {TOKEN}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000\r\n\r\n{{"
    );
    let mut stream = org.client.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let (elapsed, said) = until_closed(&mut stream).await;
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    let answer = hookwright_testkit::Answer::parse(&said).expect("an answer");
    let causes = refused(&answer, 408, "E0000003");
    assert!(causes[0].contains("in time"), "{causes:?}");
}

#[tokio::test]
async fn a_client_that_takes_no_answers_is_let_go() {
    let limits = ServerLimits { stalled_answer: Duration::from_millis(300), ..ServerLimits::default() };
    let org = org_with(limits).await;
    for number in 0..30 {
        created(&org, &hook(&format!("hook {number}"))).await;
    }
    let mut stream = org.client.connect().await;
    let request = format!("GET {HOOKS} HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {TOKEN}\r\n\r\n");
    // Asks on and on and reads nothing, until both sides' buffers are full and the server has had enough.
    let asking = async { while stream.write_all(request.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(15), asking).await.expect("the server ends the conversation");
    accepted(&org.client.get(HOOKS).await);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_and_the_others_stay() {
    let limits = ServerLimits { connections: 5, ..ServerLimits::default() };
    let org = org_with(limits).await;
    let mut held = Vec::new();
    for _ in 0..5 {
        let mut stream = org.client.connect().await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: org\r\n\r\n").await.unwrap();
        assert!(read_some(&mut stream).await.starts_with(b"HTTP/1.1 200 OK"));
        held.push(stream);
    }
    let mut sixth = org.client.connect().await;
    let (_, said) = until_closed(&mut sixth).await;
    assert!(said.is_empty());
    held.pop();
    let began = Instant::now();
    loop {
        let mut stream = org.client.connect().await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: org\r\nConnection: close\r\n\r\n").await.unwrap();
        if !until_closed(&mut stream).await.1.is_empty() {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "a place that was freed is not given again");
    }
}
