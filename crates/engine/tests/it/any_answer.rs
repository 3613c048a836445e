//! Whatever a service sends, a call comes to a known end, leaves nothing behind and takes no longer than it may.

use std::time::Duration;

use hookwright_contract::{HookType, MAX_REPLY_BYTES};
use hookwright_engine::Report;
use hookwright_model::execution::Verdict;
use hookwright_testkit::Reply;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::bench::Bench;

/// Pieces of answers, good and bad, that are put together at random.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "HTTP/1.1 ",
        "HTTP/1.0 ",
        "HTTP/2 ",
        "http/1.1 ",
        "200 OK\r\n",
        "204 No Content\r\n",
        "500 No\r\n",
        "100 Continue\r\n\r\n",
        "301 \r\n",
        "999 \r\n",
        "Content-Length: 2\r\n",
        "Content-Length: 0\r\n",
        "Content-Length: 99999999999\r\n",
        "Content-Length: x\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Content-Encoding: gzip\r\n",
        "Content-Encoding: br\r\n",
        "Connection: close\r\n",
        "Connection: keep-alive\r\n",
        "Keep-Alive: timeout=0\r\n",
        "Trailer: X\r\n",
        "X: y\r\n",
        "Upgrade: h2c\r\n",
        ": empty\r\n",
        "\r\n",
        "\n",
        "\r",
        "{}",
        "2\r\n{}\r\n",
        "0\r\n\r\n",
        "ffffffffffffffff\r\n",
        "0\r\nX: y\r\n\r\n",
        ";ext=1\r\n",
        "\0",
        "\u{ff}",
    ]);
    prop_oneof![
        8 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..30),
    ]
}

fn reply() -> impl Strategy<Value = (bool, Vec<Vec<u8>>, u8)> {
    (prop::bool::weighted(0.8), prop::collection::vec(piece(), 0..12), 0_u8..3)
}

fn scripted((well_begun, pieces, end): (bool, Vec<Vec<u8>>, u8)) -> Reply {
    let beginning: &[u8] = if well_begun { b"HTTP/1.1 200 OK\r\n" } else { b"" };
    let reply = Reply::raw([beginning, &pieces.concat()].concat());
    match end {
        0 => reply,
        1 => reply.then_close(),
        _ => reply.then_drop(),
    }
}

#[test]
fn any_answer_comes_to_a_known_end_and_leaves_nothing_behind() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let timeout = Duration::from_millis(60);
    let bench = runtime.block_on(Bench::start_within(timeout));
    // Many cases wait for a deadline, so there are fewer of them than of others.
    let cases = Config::default().cases / 4;
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let replies = (reply(), reply());
    let result = runner.run(&replies, |(first, second)| {
        let before = bench.service.requests().len();
        let report = runtime.block_on(bench.call_as(HookType::Registration, [scripted(first), scripted(second)]));
        let asked = bench.service.requests().len() - before;
        prop_assert!(
            asked <= 2 && asked <= report.attempts.len(),
            "{asked} requests in {} attempts",
            report.attempts.len()
        );
        prop_assert!(report.duration < 2 * timeout + Duration::from_secs(2));
        prop_assert_eq!(bench.engine.gauges().calls, 0);
        check(&report)
    });
    result.unwrap();
}

fn check(report: &Report) -> Result<(), TestCaseError> {
    let last = report.attempts.last();
    prop_assert!(last.is_some_and(|attempt| attempt.failure.is_some() == report.result.is_err()));
    match &report.result {
        Ok(answer) => {
            prop_assert!((200..300).contains(&answer.status) && answer.body.len() <= MAX_REPLY_BYTES);
        }
        Err(failure) => {
            use Verdict::{AnswerTooLarge, InvalidAnswer, TimedOut, Unreachable, WrongStatus};
            let possible = [AnswerTooLarge, InvalidAnswer, TimedOut, Unreachable, WrongStatus];
            prop_assert!(possible.contains(&failure.verdict()));
            prop_assert!(!failure.to_string().is_empty());
        }
    }
    Ok(())
}
