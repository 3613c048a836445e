use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::outcome::{AttemptReport, BadBody, CallFailure, TooLarge, Unreachable};
use crate::progress::Stage;

const TIMEOUT: Duration = Duration::from_secs(3);
const RETRYING: Rule = Rule { timeout: TIMEOUT, retry: true };
const ONCE: Rule = Rule { timeout: TIMEOUT, retry: false };

/// One attempt as it will go: how long it takes, then what comes of it.
type Scripted = (Duration, Result<u16, CallFailure>);

struct Script(Mutex<VecDeque<Scripted>>);

impl SendAttempt for Script {
    async fn send(&self, progress: &mut Progress) -> Result<Answer, Failed> {
        let (delay, result) = self.0.lock().unwrap().pop_front().unwrap();
        progress.stage = Stage::Head;
        if let Err(CallFailure::WrongStatus(status)) = result {
            progress.status = Some((status, false));
        }
        tokio::time::sleep(delay).await;
        result.map(|status| Answer { status, body: Bytes::new() }).map_err(Failed::sent)
    }
}

async fn play(
    rule: Rule,
    script: impl IntoIterator<Item = Scripted>,
) -> (Vec<AttemptReport>, Result<Answer, CallFailure>) {
    let script = Script(Mutex::new(script.into_iter().collect()));
    let report = run(rule, Instant::now(), &script).await;
    (report.attempts, report.result)
}

const fn after(millis: u64, result: Result<u16, CallFailure>) -> Scripted {
    (Duration::from_millis(millis), result)
}

const NEVER: Scripted = after(3_600_000, Ok(200));

#[tokio::test(start_paused = true)]
async fn an_answer_in_the_last_millisecond_counts_and_one_after_it_does_not() {
    let (attempts, result) = play(ONCE, [after(2_999, Ok(200))]).await;
    assert_eq!((attempts.len(), result.unwrap().status), (1, 200));
    let (attempts, result) = play(ONCE, [after(3_001, Ok(200))]).await;
    assert_eq!((attempts.len(), result), (1, Err(CallFailure::TimedOut(TIMEOUT))));
}

#[tokio::test(start_paused = true)]
async fn two_silent_attempts_take_six_seconds_and_no_more() {
    let began = Instant::now();
    let (attempts, result) = play(RETRYING, [NEVER, NEVER]).await;
    assert_eq!(result, Err(CallFailure::TimedOut(TIMEOUT)));
    assert!(began.elapsed() < Duration::from_millis(6_010));
    let times: Vec<(u128, u128)> =
        attempts.iter().map(|attempt| (attempt.started_after.as_millis(), attempt.duration.as_millis())).collect();
    assert!(matches!(times[..], [(0, 3000..=3002), (3000..=3002, 3000..=3002)]), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_its_own_three_seconds() {
    let (attempts, result) =
        play(RETRYING, [after(2_900, Err(CallFailure::WrongStatus(500))), after(2_900, Ok(204))]).await;
    assert_eq!((attempts.len(), result.unwrap().status), (2, 204));
    assert_eq!(attempts[0].status, Some(500));
    assert!(attempts[0].failure.as_deref().unwrap().contains("500"));
    assert_eq!(attempts[1].failure, None);
}

#[tokio::test(start_paused = true)]
async fn the_second_attempt_begins_without_delay() {
    let began = Instant::now();
    play(RETRYING, [after(10, Err(CallFailure::WrongStatus(503))), after(10, Ok(200))]).await.1.unwrap();
    assert!(began.elapsed() <= Duration::from_millis(25));
}

#[tokio::test(start_paused = true)]
async fn what_comes_to_no_connection_takes_the_same_time_and_as_many_attempts() {
    let no_connection = CallFailure::Unreachable(Unreachable::NoConnection);
    let mut seen = Vec::new();
    for (millis, failure) in [
        (0, CallFailure::AddressRefused),
        (1, CallFailure::AddressRefused),
        (30, no_connection.clone()),
        (90, no_connection),
    ] {
        let began = Instant::now();
        let twice = [after(millis, Err(failure.clone())), after(millis, Err(failure))];
        let (attempts, result) = play(RETRYING, twice).await;
        let told: Vec<_> =
            attempts.iter().map(|attempt| (attempt.told.clone(), attempt.duration.as_millis() / 10)).collect();
        seen.push((told, result.unwrap_err().to_string(), began.elapsed().as_millis() / 10));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
    assert_eq!(seen[0].2, 20, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_status_that_is_no_success_decides_even_if_its_body_never_ends() {
    struct Drip(AtomicU32);
    impl SendAttempt for Drip {
        async fn send(&self, progress: &mut Progress) -> Result<Answer, Failed> {
            self.0.fetch_add(1, Ordering::SeqCst);
            progress.status = Some((404, false));
            tokio::time::sleep(TIMEOUT * 2).await;
            Ok(Answer { status: 200, body: Bytes::new() })
        }
    }
    let drip = Drip(AtomicU32::new(0));
    let report = run(RETRYING, Instant::now(), &drip).await;
    assert_eq!((report.attempts.len(), report.result), (1, Err(CallFailure::WrongStatus(404))));
    assert_eq!(drip.0.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_used_up_the_second_request_is_the_last() {
    struct Greedy;
    impl SendAttempt for Greedy {
        async fn send(&self, progress: &mut Progress) -> Result<Answer, Failed> {
            progress.may_send_again = false;
            Err(Failed::sent(CallFailure::WrongStatus(500)))
        }
    }
    assert_eq!(run(RETRYING, Instant::now(), &Greedy).await.attempts.len(), 1);
}

fn outcome() -> impl Strategy<Value = Result<u16, CallFailure>> {
    prop_oneof![
        (200_u16..300).prop_map(Ok),
        (300_u16..700).prop_map(|status| Err(CallFailure::WrongStatus(status))),
        Just(Err(CallFailure::Unreachable(Unreachable::NoConnection))),
        Just(Err(CallFailure::Unreachable(Unreachable::Closed))),
        Just(Err(CallFailure::AnswerTooLarge(TooLarge::Body))),
        Just(Err(CallFailure::BadBody(BadBody::NotHttp))),
        Just(Err(CallFailure::AddressRefused)),
    ]
}

proptest! {
    #[test]
    fn no_call_makes_three_attempts_or_takes_longer_than_two(
        retry in any::<bool>(),
        script in prop::collection::vec((0_u64..5_000, outcome()), 3),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let script: Vec<Scripted> = script.into_iter().map(|(millis, outcome)| after(millis, outcome)).collect();
        runtime.block_on(async {
            let began = Instant::now();
            let (attempts, result) = play(Rule { timeout: TIMEOUT, retry }, script.clone()).await;
            prop_assert!(began.elapsed() <= Duration::from_millis(6_010));
            prop_assert!(attempts.len() == 1 || (retry && attempts.len() == 2));
            prop_assert!(attempts.last().unwrap().failure.is_some() == result.is_err());
            let first = &script[0];
            let worth = first.0 > TIMEOUT && !matches!(first.1, Err(CallFailure::WrongStatus(status)) if status / 100 != 5)
                || matches!(first.1, Err(CallFailure::WrongStatus(500..=599) | CallFailure::AddressRefused
                    | CallFailure::Unreachable(Unreachable::NoConnection)));
            // Within a millisecond of the deadline either may win.
            if first.0.abs_diff(TIMEOUT) > Duration::from_millis(2) {
                prop_assert_eq!(attempts.len() == 2, retry && worth);
            }
            Ok(())
        })?;
    }
}
