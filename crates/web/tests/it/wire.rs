//! What comes over a bare connection: no text of the framework gets out, and nothing falls over.

use hookwright_testkit::{Answer, Org, TOKEN};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::expectations::{accepted, refused};
use crate::fixtures::{HOOKS, created, hook, path_of};

fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {TOKEN}\r\n{more}Connection: close\r\n\r\n")
}

/// What is no HTTP is answered by the HTTP library itself, before there is a request: a status and nothing else. That is fine as
/// long as it stays a status without a word.
#[track_caller]
fn is_a_bare_status(bytes: &[u8], statuses: &[u16]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let answer = Answer::parse(bytes).unwrap_or_else(|| panic!("no answer: {text:?}"));
    assert!(statuses.contains(&answer.status.as_u16()), "{text}");
    assert!(answer.body.is_empty(), "{text}");
    let names: Vec<&str> = answer.headers.keys().map(http::HeaderName::as_str).collect();
    assert!(names.iter().all(|name| ["connection", "content-length", "date"].contains(name)), "{text}");
}

#[tokio::test]
async fn what_is_no_http_gets_a_bare_status() {
    let org = Org::start().await;
    for garbage in [
        "nonsense\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET  /two-blanks HTTP/1.1\r\nHost: org\r\n\r\n",
        "G<T / HTTP/1.1\r\nHost: org\r\n\r\n",
        "GET / HTTP/1.1\r\nNo colon\r\n\r\n",
        "GET / HTTP/1.1\r\nBad Name: x\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\0c\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}\r\n\r\n",
    ] {
        let bytes = org.stranger().speak(garbage).await;
        is_a_bare_status(&bytes, &[400, 501, 505]);
    }
    let bytes = org.stranger().speak("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(bytes.is_empty() || Answer::parse(&bytes).is_some_and(|answer| answer.status == 400), "{bytes:?}");
    accepted(&org.client.get(HOOKS).await);
}

#[tokio::test]
async fn heads_that_are_too_large_get_a_bare_status() {
    let org = Org::start().await;
    let many: String = (0..101).map(|number| format!("X-{number}: v\r\n")).collect();
    is_a_bare_status(&org.stranger().speak(get(HOOKS, &many)).await, &[431]);
    let long = format!("X-Long: {}\r\n", "x".repeat(70_000));
    is_a_bare_status(&org.stranger().speak(get(HOOKS, &long)).await, &[431]);
    is_a_bare_status(&org.stranger().speak(get(&format!("/{}", "x".repeat(70_000)), "")).await, &[414, 431]);
    let still_fine: String = (0..90).map(|number| format!("X-{number}: {}\r\n", "v".repeat(600))).collect();
    accepted(&org.stranger().ask(get(HOOKS, &still_fine)).await);
}

#[tokio::test]
async fn a_client_of_http_1_0_is_served() {
    let org = Org::start().await;
    let answer = org.stranger().ask(format!("GET {HOOKS} HTTP/1.0\r\nAuthorization: SSWS {TOKEN}\r\n\r\n")).await;
    assert_eq!(accepted(&answer), serde_json::json!([]));
    let body = hook("old").to_string();
    let post = format!(
        "POST {HOOKS} HTTP/1.0\r\nAuthorization: SSWS {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    accepted(&org.stranger().ask(post).await);
    refused(&org.stranger().ask("GET /nowhere HTTP/1.0\r\n\r\n").await, 404, "E0000008");
}

#[tokio::test]
async fn neither_host_nor_an_absolute_target_changes_links() {
    let org = Org::start().await;
    let hook = created(&org, &hook("mine")).await;
    let path = path_of(&hook);
    for request in [
        format!(
            "GET {path} HTTP/1.1\r\nHost: evil.example\r\nAuthorization: SSWS {TOKEN}\r\nConnection: close\r\n\r\n"
        ),
        format!("GET {path} HTTP/1.1\r\nAuthorization: SSWS {TOKEN}\r\nConnection: close\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\nHost: \r\nAuthorization: SSWS {TOKEN}\r\nConnection: close\r\n\r\n"),
        format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nHost: b\r\nAuthorization: SSWS {TOKEN}\r\nConnection: close\r\n\r\n"
        ),
        format!(
            "GET http://evil.example{path} HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {TOKEN}\r\nConnection: close\r\n\r\n"
        ),
        format!(
            "GET https://evil.example:1{path} HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {TOKEN}\r\nConnection: close\r\n\r\n"
        ),
    ] {
        assert_eq!(accepted(&org.stranger().ask(&request).await), hook, "{request}");
    }
}

#[tokio::test]
async fn methods_that_ask_for_tunnels_and_echoes_are_refused() {
    let org = Org::start().await;
    let connect = org
        .stranger()
        .ask("CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254:80\r\nConnection: close\r\n\r\n")
        .await;
    assert!(connect.status.is_client_error(), "{connect:?}");
    refused(&connect, connect.status.as_u16(), &connect.refusal().1);
    let options = org.stranger().ask("OPTIONS * HTTP/1.1\r\nHost: org\r\nConnection: close\r\n\r\n").await;
    refused(&options, 404, "E0000008");
    let trace = format!("TRACE {HOOKS} HTTP/1.1\r\nHost: org\r\nCookie: canary\r\nConnection: close\r\n\r\n");
    let trace = org.stranger().ask(trace).await;
    refused(&trace, 405, "E0000022");
    assert!(!trace.text().contains("canary"));
    let upgrade = get(
        HOOKS,
        "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
    );
    accepted(&org.stranger().ask(upgrade).await);
}

#[tokio::test]
async fn two_requests_in_one_breath_get_two_answers_in_their_order() {
    let org = Org::start().await;
    let first = "GET /healthz HTTP/1.1\r\nHost: org\r\n\r\n";
    let bytes = org.stranger().speak(format!("{first}{first}{}", get("/nowhere", ""))).await;
    let text = String::from_utf8_lossy(&bytes);
    let statuses: Vec<&str> =
        text.matches("HTTP/1.1 ").zip(text.split("HTTP/1.1 ").skip(1)).map(|(_, rest)| &rest[..3]).collect();
    assert_eq!(statuses, ["200", "200", "404"]);
}

#[tokio::test]
async fn a_length_and_chunks_together_can_not_smuggle_a_request() {
    let org = Org::start().await;
    let path = path_of(&created(&org, &hook("mine")).await);
    accepted(&org.client.post_empty(&format!("{path}/lifecycle/deactivate")).await);
    let smuggled = format!("DELETE {path} HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {TOKEN}\r\n\r\n");
    let outer = format!(
        "POST {HOOKS} HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {TOKEN}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n{smuggled}",
        smuggled.len() + 5
    );
    org.stranger().speak(outer).await;
    accepted(&org.client.get(&path).await);
}

/// A valid request with a few bytes changed, left out, doubled or cut.
fn mutated(random: &mut StdRng, original: &[u8]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..random.random_range(1..6) {
        if bytes.is_empty() {
            break;
        }
        let at = random.random_range(0..bytes.len());
        match random.random_range(0..6) {
            0 => bytes[at] = (random.next_u32() & 0xff) as u8,
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, *b"\r\n\0\"{}[]%:\xff,".get(random.random_range(0..12)).unwrap_or(&0)),
            3 => bytes.truncate(at),
            4 => {
                let end = (at + random.random_range(1..40)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => bytes[at] ^= 1 << random.random_range(0..8),
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_broken_requests_are_refused_without_a_single_5xx() {
    let org = Org::start().await;
    let body = hook("mine").to_string();
    let path = path_of(&created(&org, &hook("kept")).await);
    let with_body = |method: &str, path: &str| {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {TOKEN}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let originals =
        [with_body("POST", HOOKS), with_body("PUT", &path), get(HOOKS, ""), get(&format!("{HOOKS}?type=x"), "")];
    let mut random = StdRng::seed_from_u64(2_100);
    let mut speaking = tokio::task::JoinSet::new();
    for number in 0..2_000 {
        let mut bytes = mutated(&mut random, originals[number % originals.len()].as_bytes());
        // A request that seems to go on is ended by the client: nobody waits for the server's patience.
        bytes.truncate(16_384);
        let client = org.stranger();
        speaking.spawn(async move {
            let answer = half_closed(&client, &bytes).await;
            (bytes, answer)
        });
        if speaking.len() >= 64 {
            judge(speaking.join_next().await);
        }
    }
    while let Some(spoken) = speaking.join_next().await {
        judge(Some(spoken));
    }
    accepted(&org.client.get(HOOKS).await);
}

/// Sends the bytes, closes the sending side, and reads what comes.
async fn half_closed(client: &hookwright_testkit::Client, bytes: &[u8]) -> Vec<u8> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = client.connect().await;
    let mut answer = Vec::new();
    let talk = async {
        // The server may close first; what it said until then counts.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut answer).await;
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), talk).await.expect("an end within ten seconds");
    answer
}

type Spoken = Option<Result<(Vec<u8>, Vec<u8>), tokio::task::JoinError>>;

#[track_caller]
fn judge(spoken: Spoken) {
    let (request, bytes) = spoken.expect("a task").expect("no panic");
    if bytes.is_empty() {
        return;
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let answer = Answer::parse(&bytes).unwrap_or_else(|| panic!("no answer to {request:?}: {bytes:?}"));
    assert!(
        !answer.status.is_server_error() || answer.status == 501 || answer.status == 505,
        "{request:?}: {answer:?}"
    );
    if answer.status.is_client_error() && !answer.body.is_empty() {
        refused(&answer, answer.status.as_u16(), &answer.refusal().1);
    }
}
