//! The one road on which a hook is called: `execute`, preview, replay and the flows all take it.
//!
//! A call that has begun runs to its end, so that a client that hangs up neither stops it halfway nor loses its record, and
//! so that its permit lives exactly as long as the work.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookwright_contract::outcome::Failure;
use hookwright_contract::{OnFailure, check_reply, json};
use hookwright_engine::{Asker, AttemptReport, CallHeaders, Report, run_to_end};
use hookwright_model::Timestamp;
use hookwright_model::execution::{Actor, Attempt, Execution, ExecutionSummary, Trigger, Verdict};
use hookwright_model::id::{ExecutionId, InlineHookId};
use hookwright_model::inline_hook::InlineHook;
use hookwright_model::redaction::Redaction;
use hookwright_model::shown::Shown;
use hookwright_model::trace_parent::TraceParent;
use hookwright_model::user_schema::UserSchema;

use crate::cache::CachedHook;
use crate::{App, Caller, Error, HookFailure, RequestOrigin};

/// How much of a text that comes from outside a record has, in characters.
const MAX_TEXT_CHARACTERS: usize = 128;

/// A hook's usable answer.
#[derive(Debug)]
pub struct HookAnswer {
    /// The execution that holds everything about the call.
    pub execution_id: ExecutionId,
    /// The answer's body, byte for byte; empty after a 204.
    pub body: Bytes,
}

/// Why a hook is being called, by whom, for which request.
pub(crate) struct Occasion {
    pub(crate) trigger: Trigger,
    pub(crate) actor: Actor,
    pub(crate) origin: RequestOrigin,
}

impl App {
    /// Sends the body through the hook's channel and returns the service's answer if it fits the contract of the hook's type.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for an INACTIVE hook, [`Error::Malformed`] if the body is no JSON object,
    /// [`Error::HookFailed`] if no usable answer came.
    pub async fn execute_inline_hook(
        &self,
        caller: &Caller,
        id: &InlineHookId,
        body: Bytes,
    ) -> Result<HookAnswer, Error> {
        let cached = self.cached_hook(id).await?.ok_or_else(|| Error::not_found(id))?;
        if !cached.hook.status.is_active() {
            let cause = format!("The inline hook {id} is INACTIVE; activate it before you execute it.");
            return Err(Error::invalid("inlineHook", "status", cause));
        }
        let occasion = Occasion { trigger: Trigger::Execute, actor: caller.actor(), origin: caller.origin.clone() };
        self.call_hook(cached, body, occasion).await
    }

    /// Calls a hook, judges its answer, puts the record into the buffer.
    pub(crate) async fn call_hook(
        &self,
        cached: Arc<CachedHook>,
        body: Bytes,
        occasion: Occasion,
    ) -> Result<HookAnswer, Error> {
        let (app, under_way) = (self.clone(), self.inner.calls.token());
        run_to_end(async move {
            let schema = app.cached_schema().await?;
            let call = app.perform(&cached, &schema, body, occasion).await?;
            app.inner.store.record(call.execution).await;
            drop(under_way);
            call.result
        })
        .await
    }

    /// Calls a hook and judges its answer; the record is the caller's to keep, and so is the care that the call runs to its
    /// end.
    pub(crate) async fn perform(
        &self,
        cached: &CachedHook,
        schema: &UserSchema,
        body: Bytes,
        mut occasion: Occasion,
    ) -> Result<HookCall, Error> {
        let request = match json::parse(&body) {
            Ok(request @ json::Value::Object(_)) => request,
            Ok(other) => return Err(Error::Malformed(format!("expected a JSON object, found {}", other.type_name()))),
            Err(malformed) => return Err(Error::Malformed(malformed.to_string())),
        };
        let started = self.now();
        let id = ExecutionId::mint_at(started, self.entropy());
        let trace = match occasion.origin.trace_parent {
            Some(parent) => parent.child(self.entropy()),
            None => TraceParent::new(self.entropy()),
        };
        occasion.origin.trace_parent = Some(trace);
        let mut headers = CallHeaders::traced(trace);
        if !cached.message_keys.is_empty() {
            headers = headers.signed(&cached.message_keys, id.as_str(), started, &body);
        }
        let mut report =
            self.inner.engine.call_here(&cached.prepared, body.clone(), headers, self.asker(&occasion)).await;
        let redaction = cached.redaction_with(report.access_token.take()).of_request(&request);
        let judgement = judge(cached, (&request, schema), &report, &redaction);
        cached.metrics.observe(judgement.verdict, report.attempts.len(), report.duration);

        let result = match &judgement.failure {
            None => Ok(HookAnswer {
                execution_id: id.clone(),
                body: report.result.as_ref().ok().map(|answer| answer.body.clone()).unwrap_or_default(),
            }),
            Some(reason) => Err(Error::HookFailed(Box::new(HookFailure {
                hook_id: cached.hook.id.clone(),
                execution_id: id.to_string(),
                verdict: told_verdict(judgement.verdict),
                reason: reason.clone(),
                attempts: describe_attempts(&report, &redaction),
            }))),
        };
        let answer = match (&report.result, judgement.fault) {
            (Err(failure), _) => Err(failure_of(failure.verdict())),
            (Ok(_), Some(fault)) => Err(fault),
            (Ok(answer), None) => Ok((answer.status, answer.body.clone())),
        };
        let summary = summary(cached, occasion, &request, (started, report), judgement, &redaction);
        let execution = Execution { id, summary, request: redaction.request(&request, &body) };
        Ok(HookCall { execution, result, answer, redaction })
    }
}

impl App {
    /// On whose behalf a hook is called, where its places are to be shared: an API token, or the network of somebody whom nobody
    /// knows, where addresses are limited at all.
    fn asker(&self, occasion: &Occasion) -> Option<Asker> {
        match occasion.trigger {
            Trigger::Flow => self.limited_network(&occasion.origin).map(Asker::Network),
            Trigger::Execute | Trigger::Preview | Trigger::Replay => {
                let mut hasher = DefaultHasher::new();
                occasion.origin.api_token_id.as_deref().unwrap_or(&occasion.actor.id).hash(&mut hasher);
                Some(Asker::Administrator(hasher.finish()))
            }
        }
    }
}

/// A call that was made: its record, and what it came to.
pub(crate) struct HookCall {
    pub(crate) execution: Execution,
    result: Result<HookAnswer, Error>,
    /// Status and body of an answer that keeps the contract, or why a flow can't use it.
    pub(crate) answer: Result<(u16, Bytes), Failure>,
    /// Takes the secrets that the service was shown out of what it says.
    pub(crate) redaction: Redaction,
}

/// How a call ended, as far as callers of the API may know: whether an address is refused or nobody is there tells who is in the
/// inner network. The execution has the whole of it.
const fn told_verdict(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::AddressRefused => Verdict::Unreachable,
        other => other,
    }
}

/// A verdict without an answer, as flows sort it.
const fn failure_of(verdict: Verdict) -> Failure {
    match verdict {
        Verdict::TimedOut => Failure::TimedOut,
        // What a flow says of it stands in the System Log, too.
        Verdict::Unreachable | Verdict::AddressRefused => Failure::Unreachable,
        Verdict::AtCapacity | Verdict::RateLimited | Verdict::CircuitOpen => Failure::AtCapacity,
        Verdict::TokenRefused => Failure::TokenRefused,
        Verdict::WrongStatus => Failure::WrongStatus,
        Verdict::AnswerTooLarge => Failure::AnswerTooLarge,
        Verdict::Answered | Verdict::ErrorReturned | Verdict::InvalidAnswer => Failure::Malformed,
    }
}

/// The record of a call, secrets taken out.
fn summary(
    cached: &CachedHook,
    occasion: Occasion,
    request: &json::Value<'_>,
    (started, report): (Timestamp, Report),
    judgement: Judgement,
    redaction: &Redaction,
) -> ExecutionSummary {
    let text = |member: &str| {
        let text = request.get(member).and_then(json::Value::as_str)?;
        Some(redaction.text(text).cut(MAX_TEXT_CHARACTERS))
    };
    ExecutionSummary {
        hook_id: cached.hook.id.as_str().into(),
        hook_name: cached.hook.name.clone(),
        hook_type: cached.hook.hook_type,
        url: cached.shown_uri.clone(),
        trigger: occasion.trigger,
        actor: occasion.actor,
        origin: occasion.origin,
        event_id: text("eventId"),
        request_type: text("requestType"),
        started_ms: started.as_millis(),
        duration_us: micros(report.duration),
        verdict: judgement.verdict,
        failure: judgement.failure,
        effect: judgement.effect,
        attempts: report.attempts.into_iter().map(|attempt| recorded(attempt, redaction)).collect(),
    }
}

/// The record of an attempt.
fn recorded(attempt: AttemptReport, redaction: &Redaction) -> Attempt {
    let text = |text: Option<String>| text.map(|text| redaction.text(text));
    Attempt {
        started_after_us: micros(attempt.started_after),
        duration_us: micros(attempt.duration),
        status: attempt.status,
        content_type: text(attempt.content_type).map(|text| text.cut(MAX_TEXT_CHARACTERS)),
        reused_connection: attempt.reused_connection,
        peer: attempt.peer,
        failure: text(attempt.failure),
        body: redaction.answer(&attempt.body),
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

struct Judgement {
    verdict: Verdict,
    failure: Option<Shown>,
    effect: Option<Shown>,
    fault: Option<Failure>,
}

/// What a call came to: the engine's failure, the contract's fault, or an answer. A fault quotes the answer, which may quote
/// what we sent.
fn judge(
    cached: &CachedHook,
    (request, schema): (&json::Value<'_>, &UserSchema),
    report: &Report,
    redaction: &Redaction,
) -> Judgement {
    let hook = &cached.hook;
    let failed = |verdict, failure: String, fault| Judgement {
        verdict,
        failure: Some(redaction.text(failure)),
        effect: Some(effect_of_failure(hook).into()),
        fault,
    };
    let answer = match &report.result {
        Ok(answer) => answer,
        Err(failure) => return failed(failure.verdict(), failure.to_string(), None),
    };
    match check_reply(hook.hook_type, request, answer.status, &answer.body, schema) {
        Ok(reply) => {
            let verdict = if reply.error.is_some() { Verdict::ErrorReturned } else { Verdict::Answered };
            Judgement { verdict, failure: None, effect: None, fault: None }
        }
        Err(fault) => failed(Verdict::InvalidAnswer, format!("{}: {fault}", fault.reason), Some((&fault).into())),
    }
}

/// What a flow does that gets no usable answer of this hook.
fn effect_of_failure(hook: &InlineHook) -> &'static str {
    match hook.settings.on_failure(hook.hook_type) {
        OnFailure::Stop => "flow STOP",
        OnFailure::ContinueUnchanged => "flow CONTINUE",
        OnFailure::FallbackProvider => "flow FALLBACK_PROVIDER",
    }
}

/// One sentence an attempt, for the causes of an error.
fn describe_attempts(report: &Report, redaction: &Redaction) -> Vec<Shown> {
    let attempts = report.attempts.iter().enumerate();
    attempts
        .map(|(index, attempt)| {
            let millis = attempt.duration.as_millis();
            let what = match (&attempt.told, attempt.status) {
                (Some(told), _) => told.clone(),
                (None, Some(status)) => format!("The service answered with status {status}"),
                (None, None) => "No answer".to_owned(),
            };
            redaction.text(format!("Attempt {} of {}, {millis} ms: {what}", index + 1, report.attempts.len()))
        })
        .collect()
}
