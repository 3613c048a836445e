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
async fn in_a_full_house_the_longest_idle_connection_goes_for_a_newcomer() {
    for limits in [
        ServerLimits { connections: 5, ..ServerLimits::default() },
        ServerLimits { connections_per_peer: 5, ..ServerLimits::default() },
    ] {
        let org = org_with(limits).await;
        let mut held = Vec::new();
        for _ in 0..5 {
            let mut stream = org.client.connect().await;
            asked_again(&mut stream).await;
            held.push(stream);
        }
        // The first one is used again, so that the second was idle the longest.
        asked_again(&mut held[0]).await;
        let mut newcomer = org.client.connect().await;
        asked_again(&mut newcomer).await;
        assert!(until_closed(&mut held[1]).await.1.is_empty());
        held.remove(1);
        for stream in &mut held {
            asked_again(stream).await;
        }
        asked_again(&mut newcomer).await;
    }
}

/// A request on a connection that is kept.
async fn asked_again(stream: &mut TcpStream) {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: org\r\n\r\n").await.expect("an open connection");
    assert!(read_some(stream).await.starts_with(b"HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn requests_under_way_are_not_cut_off_for_newcomers() {
    let limits = ServerLimits { connections: 3, ..ServerLimits::default() };
    let org = org_with(limits).await;
    let mut busy = Vec::new();
    for number in 0..3 {
        let mut stream = org.client.connect().await;
        let body = hook(&format!("hook {number}")).to_string();
        let head = format!(
            "POST {HOOKS} HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {TOKEN}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // It has begun: the body is being waited for.
        assert!(read_some(&mut stream).await.starts_with(b"HTTP/1.1 100 Continue"));
        busy.push((stream, body));
    }
    let mut newcomer = org.client.connect().await;
    assert!(until_closed(&mut newcomer).await.1.is_empty(), "there is no place for it");
    for (stream, body) in &mut busy {
        stream.write_all(body.as_bytes()).await.unwrap();
        assert!(read_some(stream).await.starts_with(b"HTTP/1.1 200 OK"));
    }
    let mut newcomer = org.client.connect().await;
    asked_again(&mut newcomer).await;
}

#[tokio::test]
async fn one_address_has_256_connections_and_a_proxy_as_many_as_there_are() {
    let mut options = OrgOptions::default();
    options.settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    for (options, kept) in [(OrgOptions::default(), 256), (options, 300)] {
        let org = Org::start_with(options).await;
        let mut held = Vec::new();
        for _ in 0..300 {
            let mut stream = org.client.connect().await;
            asked_again(&mut stream).await;
            held.push(stream);
        }
        // Those that had to go were told so before their place was taken.
        let mut open = 0;
        for stream in &mut held {
            let said = tokio::time::timeout(Duration::from_millis(5), stream.read(&mut [0; 1])).await;
            open += usize::from(said.is_err());
        }
        assert_eq!(open, kept);
    }
}
