//! At most two attempts, each with its own deadline. Knows nothing of sockets, so that its tests run on a paused clock.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use crate::classify::Failed;
use crate::outcome::{Answer, Report};
use crate::progress::Progress;

/// How long an attempt takes at least that comes to no connection. What an address policy refuses, what a resolver near or far
/// doesn't know, and what a host turns away would otherwise be told apart by their milliseconds.
pub(crate) const NO_CONNECTION: Duration = Duration::from_millis(100);

/// How a call may spend its time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// The time of each attempt.
    pub(crate) timeout: Duration,
    /// Whether there may be a second attempt.
    pub(crate) retry: bool,
}

/// Sends one attempt; the deadline is kept by [`run`], which drops the future when it has passed.
pub(crate) trait SendAttempt {
    /// Sends the request and reads the answer, writing down in `progress` how far it came.
    fn send(&self, progress: &mut Progress) -> impl Future<Output = Result<Answer, Failed>> + Send;
}

/// Makes the attempts of a call. `started` is when the call began.
pub(crate) async fn run(rule: Rule, started: Instant, sender: &impl SendAttempt) -> Report {
    let mut attempts = Vec::with_capacity(1);
    loop {
        let began = Instant::now();
        let mut progress = Progress { may_send_again: attempts.is_empty(), ..Progress::default() };
        let result = match tokio::time::timeout_at(began + rule.timeout, sender.send(&mut progress)).await {
            Ok(result) => result,
            Err(_) => Err(progress.out_of_time(rule.timeout)),
        };
        if result.as_ref().is_err_and(Failed::is_no_connection) {
            tokio::time::sleep_until(began + NO_CONNECTION.min(rule.timeout)).await;
        }
        let again =
            rule.retry && progress.may_send_again && result.as_ref().is_err_and(Failed::is_worth_another_attempt);
        let access_token = progress.token.as_ref().map(|token| SecretString::from(token.token()));
        attempts.push(progress.into_record(began.duration_since(started), began.elapsed(), &result));
        if !again {
            let result = result.map_err(|failed| failed.failure);
            return Report { attempts, result, duration: started.elapsed(), access_token };
        }
    }
}

#[cfg(test)]
mod tests;
