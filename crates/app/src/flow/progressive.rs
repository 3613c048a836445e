//! Completing a profile at sign-in: the same walk as signing up, with a user who is there already.

use hookwright_contract::request::RegistrationKind;
use hookwright_model::flow::RefusalStatus;
use hookwright_model::id::UserId;
use hookwright_model::registration::{Decision, Submission, missing_fields, read_form, refusal_for_taken};
use hookwright_model::user::{User, UserStatus};
use hookwright_store::{Change, Conflict, Expected};
use serde_json::{Map, Value};

use super::hook::profile_update_request;
use super::registration::{failed, kept};
use super::run::Run;
use crate::Error;
use crate::events::{self, user_actor, user_target};

impl Run<'_> {
    /// The form for what the profile lacks.
    pub(super) async fn complete_profile(&mut self, user: &UserId, given: Map<String, Value>) -> Result<(), Error> {
        let Some(user) = self.user(user).await?.filter(|user| user.status == UserStatus::Active) else {
            return self.begin_again().await;
        };
        let rule = self.org.policy.active_rule().filter(|rule| rule.progressive_profiling).cloned();
        let schema = self.org.schema.clone();
        let fields = rule.as_ref().map(|rule| missing_fields(rule, &schema, &user)).unwrap_or_default();
        let Some(rule) = rule.filter(|_| !fields.is_empty()) else { return self.finish_sign_in(&user).await };
        let values = kept(&fields, &given);
        let submitted = match read_form(&fields, &schema, &given, false) {
            Ok(submitted) => submitted,
            Err(messages) => return self.refuse(RefusalStatus::Wrong, messages, values).await,
        };
        let delta = changed_only(&submitted, &user);
        let submission = Submission {
            kind: RegistrationKind::Progressive,
            schema: &schema,
            fields: &fields,
            existing: &user.profile,
            submitted: &delta,
        };
        let request = || profile_update_request(&user, &delta);
        let asked = self.ask(rule.progressive_hook(), request, user_actor(&user)).await?;
        let Some(asked) = asked else { return Ok(()) };
        let decision = asked.decide(&submission);
        let effect = decision.effect(submission.kind);
        let admission = match decision {
            Decision::Refuse(refusal) => return self.refuse_form(refusal, values, asked.record(effect)).await,
            Decision::Admit(admission) => admission,
        };
        let now = self.app.now();
        let mut changed = user.with_profile(&admission.profile, now);
        let mut event = self.app.flow_event(
            events::PROFILE_UPDATED,
            user_actor(&changed),
            &self.origin,
            vec![user_target(&changed)],
        );
        if let Some(id) = asked.execution_id() {
            event.debug_data.insert("executionId".to_owned(), Value::from(id));
        }
        let mut changes = vec![Change::update_user_profile(changed.clone(), &schema)];
        changes.extend(asked.record(effect));
        changes.push(Change::AppendEvents(vec![event]));
        changed.revision += 1;
        let mut next = self.done(&changed, self.proven(now), changes);
        next.expected =
            Expected { policy: Some((self.org.policy.id.clone(), self.org.policy.revision)), hook: asked.hook.clone() };
        let refusal = match self.commit(next).await? {
            Ok(()) => return Ok(()),
            Err(Conflict::Stale) if self.was_moved().await? => return self.reread().await,
            Err(Conflict::LoginTaken) => refusal_for_taken(&submission, "login"),
            Err(Conflict::UniqueTaken { attribute }) => refusal_for_taken(&submission, &attribute),
            // The user, the policy or the hook is another by now: the hook judged what is so no longer.
            Err(conflict) => failed(submission.kind, &conflict.to_string()),
        };
        let effect = Decision::Refuse(refusal.clone()).effect(submission.kind);
        self.refuse_form(refusal, values, asked.record(effect)).await
    }

    /// "Skip": only where nothing that is asked must be filled in.
    pub(super) async fn skip_profile(&mut self, user: &UserId) -> Result<(), Error> {
        let Some(user) = self.user(user).await?.filter(|user| user.status == UserStatus::Active) else {
            return self.begin_again().await;
        };
        let rule = self.org.policy.active_rule().filter(|rule| rule.progressive_profiling);
        let missing = rule.map(|rule| missing_fields(rule, &self.org.schema, &user)).unwrap_or_default();
        if missing.iter().any(|field| field.required) {
            return Ok(());
        }
        self.finish_sign_in(&user).await
    }

    async fn finish_sign_in(&mut self, user: &User) -> Result<(), Error> {
        let next = self.done(user, self.proven(self.app.now()), Vec::new());
        self.finish(next).await
    }
}

/// What is added or changed.
fn changed_only(submitted: &Map<String, Value>, user: &User) -> Map<String, Value> {
    let other = submitted.iter().filter(|(name, value)| user.profile.get(*name) != Some(*value));
    other.map(|(name, value)| (name.clone(), value.clone())).collect()
}
