//! What comes over a bare connection: no text of the framework gets out, and nothing falls over.

use hookwright_testkit::{Answer, Org, TOKEN};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

use crate::expectations::{accepted, refused};
use crate::fixtures::{HOOKS, created, hook, path_of};

fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: org\r\nAuthorization: SSWS {TOKEN}\r\n{more}Connection: close\r\n\r\n")
}

/// What is no request is refused as everything is: with Okta's body and our headers, and then the connection ends.
#[track_caller]
fn is_a_refusal(bytes: &[u8], status: u16, cause: &str) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let answer = Answer::parse(bytes).unwrap_or_else(|| panic!("no answer: {text:?}"));
    assert_eq!(refused(&answer, status, "E0000003"), [cause], "{text}");
    assert_eq!(answer.headers.get("connection").map(|value| value.as_bytes()), Some(b"close".as_slice()), "{text}");
    for name in ["x-okta-request-id", "content-security-policy", "x-content-type-options", "cache-control"] {
        assert!(answer.headers.contains_key(name), "{name} in {text}");
    }
    assert!(answer.json()["errorId"].as_str().is_some_and(|id| id.len() > 10), "{text}");
}

#[tokio::test]
async fn what_is_no_http_is_refused_as_everything_is() {
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
        is_a_refusal(&bytes, 400, "The request is not valid HTTP/1.1");
    }
    let bytes = org.stranger().speak("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(bytes.is_empty() || Answer::parse(&bytes).is_some_and(|answer| answer.status == 400), "{bytes:?}");
    accepted(&org.client.get(HOOKS).await);
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused_as_everything_is() {
    let org = Org::start().await;
    let many: String = (0..101).map(|number| format!("X-{number}: v\r\n")).collect();
    let too_large = "The request has more than 100 header fields, or more than 64 KiB of them";
    is_a_refusal(&org.stranger().speak(get(HOOKS, &many)).await, 431, too_large);
    let long = format!("X-Long: {}\r\n", "x".repeat(70_000));
    is_a_refusal(&org.stranger().speak(get(HOOKS, &long)).await, 431, too_large);
    let long_target = org.stranger().speak(get(&format!("/{}", "x".repeat(70_000)), "")).await;
    match Answer::parse(&long_target).map(|answer| answer.status.as_u16()) {
        Some(414) => is_a_refusal(&long_target, 414, "The request target is too long"),
        _ => is_a_refusal(&long_target, 431, too_large),
    }
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
        format!("GET {path} HTTP/1.1\r\nHost: \r\nAuthorization: SSWS {TOKEN}\r\nConnection: close\r\n\r\n"),
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
async fn a_request_has_exactly_one_host() {
    let org = Org::start().await;
    let ask = async |version: &str, hosts: &str| {
        let request =
            format!("GET {HOOKS} HTTP/{version}\r\n{hosts}Authorization: SSWS {TOKEN}\r\nConnection: close\r\n\r\n");
        org.stranger().ask(request).await
    };
    for (version, hosts) in [
        ("1.1", ""),
        ("1.1", "Host: a\r\nHost: a\r\n"),
        ("1.1", "Host: a\r\nhost: b\r\n"),
        ("1.1", "Host: a b\r\n"),
        ("1.1", "Host: a, b\r\n"),
        ("1.1", "Host: http://a/\r\n"),
        ("1.1", "Host: user@a\r\n"),
        ("1.0", "Host: a\r\nHost: b\r\n"),
    ] {
        let causes = refused(&ask(version, hosts).await, 400, "E0000003");
        assert_eq!(
            causes,
            ["The request must have exactly one Host header field, with a host in it"],
            "{version} {hosts}"
        );
    }
    for (version, hosts) in [
        ("1.1", "Host: org\r\n"),
        ("1.1", "Host: org.example:8080\r\n"),
        ("1.1", "Host: [::1]:8080\r\n"),
        ("1.1", "Host:\r\n"),
        ("1.0", ""),
        ("1.0", "Host: org\r\n"),
    ] {
        accepted(&ask(version, hosts).await);
    }
    // Where no token is needed, either, and for pages.
    for path in ["/healthz", "/signin", "/nowhere"] {
        let answer = org.stranger().ask(format!("GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n")).await;
        assert_eq!(answer.status, 400, "{path}");
    }
}

#[tokio::test]
async fn a_hook_that_leads_back_by_way_of_a_proxy_calls_nothing() {
    let org = Org::start().await;
    // Somebody in front of the org, whom the engine can't know.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (front, behind) = (listener.local_addr().unwrap(), org.stranger());
    let proxy = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = behind.connect().await;
            tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    let mut body = hook("loop");
    body["channel"]["config"]["authScheme"]["value"] = serde_json::json!(format!("SSWS {TOKEN}"));
    body["channel"]["config"]["uri"] = serde_json::json!(format!("http://{front}/"));
    let made = created(&org, &body).await;
    body["channel"]["config"]["uri"] = serde_json::json!(format!("http://{front}{}/execute", path_of(&made)));
    accepted(&org.client.put(&path_of(&made), &body).await);
    let answer = crate::execute::execute(&org, &made).await;
    let causes = crate::execute::failed(&answer, &made, "WRONG_STATUS", 1);
    let record = crate::executions::record(&org, causes[2].trim_start_matches("Execution ")).await;
    assert_eq!(record["attempts"][0]["body"]["errorCode"], "E0000001", "{record}");
    assert!(record["attempts"][0]["body"].to_string().contains("would call itself without end"), "{record}");
    let executions = org.client.get("/hookwright/v1/executions?limit=200").await.json();
    assert_eq!(executions.as_array().unwrap().len(), 1);
    proxy.abort();
    // So is whoever calls himself so, wherever hooks are called.
    for path in [HOOKS, "/idp/idx/introspect", "/idp/idx/enroll/new", "/signin/enroll"] {
        let request = org.client.request(http::Method::POST, path).header("User-Agent", "Hookwright/9.9");
        let answer = request.json(&hook("x")).send().await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
    }
    let request = org.client.request(http::Method::GET, HOOKS).header("User-Agent", "Hookwright/9.9");
    accepted(&request.send().await);
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
