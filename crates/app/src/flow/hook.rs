//! Asking the hook of a policy: the request as Okta sends it, and the record of the call.

use bytes::Bytes;
use hookwright_contract::outcome::Failure;
use hookwright_contract::request::{
    Attributes, Link, Links, RegistrationContext, RegistrationKind, RegistrationRequest, RequestDetail, RequestUrl,
    User as HookUser,
};
use hookwright_contract::{HookType, check_reply, json};
use hookwright_model::execution::{Actor, Execution, Trigger};
use hookwright_model::id::InlineHookId;
use hookwright_model::redaction::Redaction;
use hookwright_model::registration::{Decision, HookResult, Submission, decide};
use hookwright_model::shown::Shown;
use hookwright_model::system_log::{Outcome, Severity};
use hookwright_model::user::User;
use hookwright_store::Change;
use serde_json::{Map, Value};

use super::run::Run;
use crate::Error;
use crate::events::{self, hook_target};
use crate::hook_call::Occasion;

/// What became of asking.
#[derive(Default)]
pub(super) struct Asked {
    call: Option<Call>,
    /// What is to be written beside the record: events about not asking, a count.
    events: Vec<Change>,
    /// The hook with its revision, to be looked at again.
    pub(super) hook: Option<(InlineHookId, i64)>,
}

struct Call {
    request: Bytes,
    execution: Execution,
    answer: Result<(u16, Bytes), Failure>,
    redaction: Redaction,
}

impl Run<'_> {
    /// Asks the hook, if there is one and it is ACTIVE. No transaction is open meanwhile. `None` if another node has done what
    /// this input asks for: the flow is as that one left it.
    pub(super) async fn ask(
        &mut self,
        hook: Option<&InlineHookId>,
        request: impl FnOnce() -> RegistrationRequest,
        actor: Actor,
    ) -> Result<Option<Asked>, Error> {
        let Some(id) = hook else { return Ok(Some(Asked::default())) };
        let Some(cached) = self.app.cached_hook(id).await? else { return Ok(Some(Asked::default())) };
        if !cached.hook.status.is_active() {
            let target = hook_target(&cached.hook);
            let mut event = self.app.flow_event(events::HOOK_SKIPPED, actor, &self.origin, vec![target]);
            event.severity = Severity::Warn;
            event.outcome =
                Outcome { result: "SKIPPED".into(), reason: Some("The inline hook is INACTIVE".to_owned()) };
            return Ok(Some(Asked { events: vec![Change::AppendEvents(vec![event])], ..Asked::default() }));
        }
        if !self.claim(&self.app.call_settings(&cached.hook)).await? {
            return Ok(None);
        }
        let body = serde_json::to_vec(&self.enveloped(request()));
        let body = Bytes::from(body.map_err(|error| Error::Internal(format!("a hook's request: {error}")))?);
        let occasion = Occasion { trigger: Trigger::Flow, actor, origin: self.origin.clone() };
        let call = self.app.perform(&cached, &self.org.schema, body.clone(), occasion).await?;
        self.unwritten = Some(call.execution.clone());
        Ok(Some(Asked {
            call: Some(Call {
                request: body,
                execution: call.execution,
                answer: call.answer,
                redaction: call.redaction,
            }),
            events: Vec::new(),
            hook: Some((cached.hook.id.clone(), cached.hook.revision)),
        }))
    }

    /// The members around the data. The event's id is that of the attempt: a request that two nodes sent for one form can be
    /// told from two forms.
    fn enveloped(&self, mut request: RegistrationRequest) -> RegistrationRequest {
        let path = match request.kind() {
            RegistrationKind::Progressive => "/idp/idx/enroll/update",
            RegistrationKind::SelfService | RegistrationKind::Other => "/idp/idx/enroll/new",
        };
        let detail = RequestDetail {
            id: Some(self.origin.request_id.clone()),
            method: Some("POST".to_owned()),
            url: Some(RequestUrl { value: Some(path.to_owned()) }),
            ip_address: self.origin.ip_address.map(|address| address.to_string()),
        };
        let context = request.data.context.take().unwrap_or_default();
        request.data.context = Some(RegistrationContext { request: Some(detail), ..context });
        request.event_id = Some(self.flow.attempt.clone());
        request.event_time = Some(self.app.now().to_string());
        request.source = Some(self.org.policy.source.to_string());
        request
    }
}

impl Asked {
    /// Something that is to be written with the record.
    pub(super) fn note(&mut self, change: Option<Change>) {
        self.events.extend(change);
    }

    /// Decides about what was submitted, and gives the changes that keep the record of the call.
    pub(super) fn decide(&self, submission: &Submission<'_>) -> Decision {
        let Some(call) = &self.call else { return decide(submission, &HookResult::NotAsked) };
        let redaction = &call.redaction;
        let failed = |failure| HookResult::Asked { request: &json::Value::Null, answer: Err(failure), redaction };
        let Ok(request) = json::parse(&call.request) else { return decide(submission, &failed(Failure::Malformed)) };
        let reply = match &call.answer {
            Ok((status, body)) => check_reply(HookType::Registration, &request, *status, body, submission.schema)
                .map_err(|fault| (&fault).into()),
            Err(failure) => Err(*failure),
        };
        let answer = reply.as_ref().map_err(|failure| *failure);
        decide(submission, &HookResult::Asked { request: &request, answer, redaction })
    }

    /// The record of the call with its effect, to be written with what the flow does.
    pub(super) fn record(&self, effect: impl Into<Shown>) -> Vec<Change> {
        let mut changes = self.events.clone();
        if let Some(call) = &self.call {
            let mut execution = call.execution.clone();
            execution.summary.effect = Some(effect.into().cut(500));
            changes.push(Change::AppendExecution(execution));
        }
        changes
    }

    /// The execution's id, for the events that belong to it.
    pub(super) fn execution_id(&self) -> Option<String> {
        self.call.as_ref().map(|call| call.execution.id.as_str().to_owned())
    }
}

/// The request about somebody who signs up.
pub(super) fn sign_up_request(submitted: &Map<String, Value>) -> RegistrationRequest {
    RegistrationRequest::sign_up(guide_order(submitted))
}

/// The request about a user who completes their profile.
pub(super) fn profile_update_request(user: &User, delta: &Map<String, Value>) -> RegistrationRequest {
    let text = |name: &str| user.profile.get(name).and_then(Value::as_str);
    let profile = [
        ("firstName", text("firstName")),
        ("lastName", text("lastName")),
        // The request spells it otherwise than the schema; what the user has not set is what Okta assumes.
        ("timeZone", Some(text("timezone").unwrap_or("America/Los_Angeles"))),
        ("login", text("login")),
        ("locale", Some(text("locale").unwrap_or("en_US"))),
    ];
    let link = |what: &str| Some(Link { href: Some(format!("/api/v1/users/{}/{what}", user.id)) });
    let context_user = HookUser {
        id: Some(user.id.to_string()),
        password_changed: user.password_changed.map(|changed| changed.whole_seconds().to_string()),
        profile: Some(profile.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()),
        links: Some(Links { groups: link("groups"), factors: link("factors") }),
    };
    RegistrationRequest::profile_update(context_user, Attributes::from(delta.clone()))
}

/// Names first, then login and email, as Okta's example has them; then the rest of the form in its order.
fn guide_order(submitted: &Map<String, Value>) -> Attributes {
    const FIRST: [&str; 4] = ["firstName", "lastName", "login", "email"];
    let first = FIRST.iter().filter_map(|name| submitted.get_key_value(*name));
    let rest = submitted.iter().filter(|(name, _)| !FIRST.contains(&name.as_str()));
    first.chain(rest).map(|(name, value)| (name.clone(), value.clone())).collect()
}
