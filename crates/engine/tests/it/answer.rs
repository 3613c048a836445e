//! Answers of every kind: whole, cut, endless, coded, too large, and what is no answer at all.

use std::time::{Duration, Instant};

use hookwright_contract::{HookType, MAX_REPLY_BYTES};
use hookwright_engine::{BadBody, CallFailure, TooLarge, Unreachable};
use hookwright_model::execution::Verdict;
use hookwright_testkit::Reply;

use crate::bench::{BODY, Bench, SHORT};

/// Well below the time of an attempt, well above what a busy machine takes.
const PROMPT: Duration = Duration::from_secs(5);
const CLOSED: CallFailure = CallFailure::Unreachable(Unreachable::Closed);
const BODY_TOO_LARGE: CallFailure = CallFailure::AnswerTooLarge(TooLarge::Body);
const HEAD_TOO_LARGE: CallFailure = CallFailure::AnswerTooLarge(TooLarge::Head);
const NOT_HTTP: CallFailure = CallFailure::BadBody(BadBody::NotHttp);

async fn failure(reply: Reply) -> CallFailure {
    Bench::start().await.call([reply]).await.result.unwrap_err()
}

async fn body(reply: Reply) -> String {
    let answer = Bench::start().await.call([reply]).await.result.unwrap();
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_whole_answer_comes_back_as_it_was_sent() {
    let text = r#"{ "commands":[ ],"debugContext":{"a":"ü"}}"#;
    let closing = Reply::raw(format!("HTTP/1.1 200 OK\r\n\r\n{text}")).then_close();
    let old = Reply::raw(format!("HTTP/1.0 200 OK\r\nContent-Type: x\r\n\r\n{text}")).then_close();
    let replies = [
        Reply::json(200, text),
        Reply::answer(201, &[("Content-Type", "text/html")], text),
        Reply::chunked(202, &[], text.as_bytes(), 7),
        Reply::chunked(200, &[], text.as_bytes(), 1),
        closing,
        old,
        Reply::json(200, text).dripped(Duration::from_millis(1)),
        Reply::raw("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
            .then_send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len())),
    ];
    for reply in replies {
        assert_eq!(body(reply).await, text);
    }
}

#[tokio::test]
async fn an_empty_answer_is_passed_on_for_the_contract_to_judge() {
    for reply in [Reply::answer(204, &[], ""), Reply::json(200, ""), Reply::chunked(200, &[], b"", 1)] {
        assert_eq!(body(reply).await, "");
    }
}

#[tokio::test]
async fn an_answer_of_the_largest_size_passes_and_a_byte_more_does_not() {
    let largest = vec![b' '; MAX_REPLY_BYTES];
    let larger = vec![b' '; MAX_REPLY_BYTES + 1];
    assert_eq!(body(Reply::json(200, &largest)).await.len(), MAX_REPLY_BYTES);
    assert_eq!(body(Reply::chunked(200, &[], &largest, 60_000)).await.len(), MAX_REPLY_BYTES);
    assert_eq!(failure(Reply::json(200, &larger)).await, BODY_TOO_LARGE);
    assert_eq!(failure(Reply::chunked(200, &[], &larger, 60_000)).await, BODY_TOO_LARGE);
    let unframed = Reply::raw("HTTP/1.1 200 OK\r\n\r\n").then_send(larger).then_close();
    assert_eq!(failure(unframed).await, BODY_TOO_LARGE);
    assert_eq!(failure(Reply::json(200, vec![b' '; 300 * 1024])).await.verdict(), Verdict::AnswerTooLarge);
}

#[tokio::test]
async fn a_larger_content_length_is_refused_unread() {
    let began = Instant::now();
    let reply = Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n").then_hang();
    assert_eq!(failure(reply).await, BODY_TOO_LARGE);
    assert!(began.elapsed() < PROMPT);
}

#[tokio::test]
async fn an_endless_answer_is_left_at_once() {
    let trailers = Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n");
    let extensions = Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;");
    for (reply, expected) in [
        (Reply::endless_body(), vec![BODY_TOO_LARGE]),
        (Reply::endless_head(), vec![HEAD_TOO_LARGE]),
        (Reply::endless_informational(), vec![HEAD_TOO_LARGE]),
        (trailers.then_endlessly(format!("X: {}\r\n", "y".repeat(500))), vec![BODY_TOO_LARGE, NOT_HTTP]),
        (extensions.then_endlessly("x=y;".repeat(200)), vec![BODY_TOO_LARGE, NOT_HTTP]),
        (Reply::raw("HTTP/1.1 200 OK\r\nX: ").then_endlessly("y".repeat(4000)), vec![HEAD_TOO_LARGE]),
        (Reply::raw("HTTP/1.1 200 ").then_endlessly("y".repeat(4000)), vec![HEAD_TOO_LARGE]),
    ] {
        let began = Instant::now();
        let failure = failure(reply).await;
        assert!(expected.contains(&failure), "{failure:?}, expected {expected:?}");
        assert!(began.elapsed() < PROMPT, "{failure:?} after {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_head_has_at_most_100_fields_and_64_kib() {
    let head = |fields: usize, size: usize| {
        let fields: String = (0..fields).map(|number| format!("X-{number}: {}\r\n", "v".repeat(size))).collect();
        Reply::raw(format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\n{{}}"))
    };
    assert_eq!(body(head(99, 100)).await, "{}");
    assert_eq!(body(head(60, 1000)).await, "{}");
    assert_eq!(failure(head(100, 1)).await, HEAD_TOO_LARGE);
    assert_eq!(failure(head(70, 1000)).await, HEAD_TOO_LARGE);
}

#[tokio::test]
async fn dripping_does_not_outlive_the_deadline() {
    let pause = Duration::from_millis(20);
    let head =
        Reply::default().then_drip("HTTP/1.1 200 OK\r\nX-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", pause);
    let body = Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").then_drip("x".repeat(1000), pause);
    let chunks =
        Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").then_drip("1\r\nx\r\n".repeat(100), pause);
    for (reply, word) in [(head, "head"), (body, "body"), (chunks, "body")] {
        let bench = Bench::start_within(SHORT).await;
        let began = Instant::now();
        let report = bench.call_as(HookType::Token, [reply]).await;
        assert_eq!(report.result, Err(CallFailure::TimedOut(SHORT)));
        assert!(began.elapsed() < SHORT + PROMPT);
        assert!(report.attempts[0].failure.as_deref().unwrap().contains(word), "{:?}", report.attempts);
    }
}

#[tokio::test]
async fn what_arrived_before_the_deadline_is_recorded() {
    let bench = Bench::start_within(SHORT).await;
    let reply =
        Reply::raw("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nso far").then_hang();
    let report = bench.call_as(HookType::Token, [reply]).await;
    let attempt = &report.attempts[0];
    assert_eq!((attempt.status, attempt.content_type.as_deref()), (Some(200), Some("text/plain")));
    assert_eq!(attempt.body, "so far");
    assert_eq!(attempt.peer, Some(bench.service.address().to_string()));
}

#[tokio::test]
async fn an_answer_that_is_cut_short_is_unreachable_and_not_asked_again() {
    let replies = [
        Reply::lying_about_its_length("{}", 10).then_close(),
        Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}").then_close(),
        Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n").then_close(),
        Reply::raw("HTTP/1.1 200 OK\r\nContent-Le").then_close(),
    ];
    for reply in replies {
        let bench = Bench::start().await;
        let report = bench.call([reply]).await;
        assert_eq!(report.result, Err(CLOSED));
        assert_eq!(bench.service.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_length_that_is_too_short_cuts_the_answer_and_ends_the_connection() {
    let bench = Bench::start().await;
    let report = bench.call([Reply::lying_about_its_length(r#"{"a":1}"#, 2)]).await;
    assert_eq!(report.result.unwrap().body, r#"{""#);
    bench.call([Reply::json(200, "{}")]).await.result.unwrap();
    assert_eq!(bench.service.connections(), 2);
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let replies = [
        "garbage\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 99 Low\r\n\r\n",
        "HTTP/1.1 200 OK\r\nNo Colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}x0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\0\0\u{12}\u{4}\0\0\0\0\0\0\u{3}\0\0\0d",
    ];
    for text in replies {
        let bench = Bench::start().await;
        let report = bench.call([Reply::raw(text).then_close()]).await;
        assert_eq!(report.result, Err(NOT_HTTP), "{text:?}");
        assert_eq!(bench.service.requests().len(), 1, "{text:?}");
    }
}

#[tokio::test]
async fn html_is_an_answer_like_any_other_to_the_engine() {
    let html = "<html><body>It works!</body></html>";
    let bench = Bench::start().await;
    let report = bench.call([Reply::answer(200, &[("Content-Type", "text/html; charset=utf-8")], html)]).await;
    assert_eq!(report.result.unwrap().body, html);
    assert_eq!(report.attempts[0].content_type.as_deref(), Some("text/html; charset=utf-8"));
}

#[tokio::test]
async fn a_redirect_is_not_followed_anywhere() {
    let bench = Bench::start().await;
    for location in [bench.service.url("/elsewhere"), "https://hooks.example.com/".to_owned(), "/elsewhere".to_owned()]
    {
        let report = bench.call([Reply::answer(307, &[("Location", &location)], "")]).await;
        assert_eq!(report.result, Err(CallFailure::WrongStatus(307)));
    }
    assert!(bench.service.requests().iter().all(|request| request.target == "/hook"));
}

#[tokio::test]
async fn a_switch_of_protocol_is_a_wrong_status() {
    let reply =
        Reply::raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n").then_hang();
    assert_eq!(failure(reply).await, CallFailure::WrongStatus(101));
}

#[tokio::test]
async fn an_answer_that_follows_no_request_is_not_taken_for_the_next_one() {
    let bench = Bench::start().await;
    let forged = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n\"forged\"";
    bench.call([Reply::json(200, "{}").then_send(forged)]).await.result.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(bench.call([Reply::json(200, r#""real""#)]).await.result.unwrap().body, r#""real""#);
    assert_eq!(bench.service.connections(), 2);
    bench.call([Reply::answer(204, &[], forged)]).await.result.unwrap();
    assert_eq!(bench.call([Reply::json(200, r#""real""#)]).await.result.unwrap().body, r#""real""#);
}

#[tokio::test]
async fn gzip_is_undone_within_the_same_cap() {
    let bench = Bench::start().await;
    let bomb = Reply::gzip_bomb(50 << 20);
    let began = Instant::now();
    let report = bench.call([bomb]).await;
    assert_eq!(report.result, Err(BODY_TOO_LARGE));
    assert!(began.elapsed() < PROMPT);
    let zeros = bench.call([Reply::gzip_bomb(1000)]).await.result.unwrap().body;
    assert_eq!(zeros, vec![0; 1000]);
    let plain = Reply::answer(200, &[("Content-Encoding", "gzip")], "{}");
    assert_eq!(bench.call([plain]).await.result, Err(CallFailure::BadBody(BadBody::DamagedCoding)));
    let brotli = Reply::answer(200, &[("Content-Encoding", "br")], "{}");
    assert_eq!(bench.call([brotli]).await.result, Err(CallFailure::BadBody(BadBody::UnknownCoding)));
}

#[tokio::test]
async fn the_body_of_a_refused_answer_is_kept_for_the_record_but_not_waited_for() {
    let bench = Bench::start().await;
    let report = bench.call([Reply::answer(400, &[("Content-Type", "text/plain")], "eventId is missing")]).await;
    assert_eq!(report.attempts[0].body, "eventId is missing");
    for reply in [
        Reply::raw("HTTP/1.1 404 No\r\nContent-Length: 100\r\n\r\nso far").then_hang(),
        Reply::raw("HTTP/1.1 404 No\r\nContent-Length: 999999\r\n\r\nso far").then_endlessly("x".repeat(1000)),
        Reply::raw("HTTP/1.1 404 No\r\nContent-Length: 100\r\n\r\nso far").then_close(),
    ] {
        let began = Instant::now();
        let report = bench.call([reply]).await;
        assert_eq!(report.result, Err(CallFailure::WrongStatus(404)));
        assert!(report.attempts[0].body.starts_with(b"so far"));
        assert!(report.attempts[0].body.len() <= 16 * 1024);
        assert!(began.elapsed() < PROMPT);
    }
}

#[tokio::test]
async fn an_early_answer_to_a_large_request_is_read() {
    let bench = Bench::start().await;
    bench.service.on("/hook", [Reply::json(413, "{}").then_close()]);
    let report = bench.engine.call(&bench.prepare(HookType::Registration), vec![b'x'; 4 << 20].into()).await;
    assert_eq!(report.result, Err(CallFailure::WrongStatus(413)));
    assert_eq!(bench.call([Reply::json(200, "{}")]).await.result.unwrap().body, "{}");
    assert_eq!(bench.service.requests().last().unwrap().body, BODY);
}
