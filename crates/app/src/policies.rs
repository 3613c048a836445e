//! User profile policies and their one rule each: create, list, read, replace, switch on and off, delete.

use hookwright_contract::HookType;
use hookwright_model::enrollment_policy::{EnrollmentPolicy, POLICY_TYPE};
use hookwright_model::id::{PolicyId, PolicyRuleId};
use hookwright_model::lifecycle::LifecycleStatus;
use hookwright_model::profile::TAKEN;
use hookwright_model::text::cut;
use hookwright_model::{Timestamp, Violations};
use hookwright_store::{Change, CommitError, Conflict};
use serde_json::{Map, Value, json};

use crate::events::{self, EventKind, policy_target, rule_target};
use crate::listing::{Listing, PageQuery};
use crate::{App, Caller, Error};

const OBJECT: &str = "policy";

/// How many policies of this kind an org may have (Okta: 500).
const MAX_POLICIES: u64 = 500;

/// Other kinds of policies that Okta knows: there are none of them here, which is no reason to refuse the question.
const OTHER_TYPES: [&str; 12] = [
    "OKTA_SIGN_ON",
    "PASSWORD",
    "MFA_ENROLL",
    "IDP_DISCOVERY",
    "OAUTH_AUTHORIZATION_POLICY",
    "ACCESS_POLICY",
    "POST_AUTH_SESSION",
    "ENTITY_RISK",
    "DEVICE_SIGNAL_COLLECTION",
    "SESSION_VIOLATION_DETECTION",
    "CLIENT_UPDATE",
    "RESOURCE_ACCESS",
];

/// Which policies to list, as the query says it.
#[derive(Debug, Default)]
pub struct PolicyQuery {
    /// Of which type; must be given.
    pub policy_type: Option<String>,
    /// Only those with this status.
    pub status: Option<String>,
    /// Only those whose name begins so, letter case aside.
    pub q: Option<String>,
    /// Only those that an app of this id comes under.
    pub resource_id: Option<String>,
    /// Which page.
    pub page: PageQuery,
}

impl App {
    /// Makes a policy with the rule of new policies. No app comes under it yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming each wrong field, a taken name, or the limit of policies.
    pub async fn create_policy(
        &self,
        caller: &Caller,
        body: &Map<String, Value>,
        activate: bool,
    ) -> Result<Value, Error> {
        let now = self.now();
        let policy = EnrollmentPolicy::create(self.mint_policy_ids(), body, activate, now).map_err(invalid)?;
        let events = vec![
            self.event(events::POLICY_CREATED, caller, policy_target(&policy), now),
            self.event(events::RULE_ADDED, caller, rule_target(&policy), now),
        ];
        let insert = Change::InsertEnrollmentPolicy { policy: Box::new(policy.clone()), limit: MAX_POLICIES };
        self.commit(vec![insert, Change::AppendEvents(events)], |_| ()).await.map_err(refusal)?;
        Ok(policy.to_json(&self.settings().public_url))
    }

    /// A policy as the API shows it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn policy(&self, id: &PolicyId) -> Result<Value, Error> {
        Ok(self.stored_policy(id).await?.to_json(&self.settings().public_url))
    }

    /// Policies of one type, the default one last.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`] without a type or with one that Okta does not know, [`Error::BadCursor`].
    pub async fn policies(&self, query: &PolicyQuery) -> Result<Listing, Error> {
        let refuse = |field: &str, message: &str| Err(Error::InvalidQuery(Violations::one(field, message)));
        match query.policy_type.as_deref() {
            Some(POLICY_TYPE) => {}
            Some(other) if OTHER_TYPES.contains(&other) => return Ok(Listing { items: Vec::new(), next: None }),
            Some(_) => return refuse("type", "There is no such policy type"),
            None => return refuse("type", "The parameter must be given"),
        }
        let status = match query.status.as_deref() {
            None => None,
            Some(name) => match LifecycleStatus::parse(name) {
                Some(status) => Some(status),
                None => return refuse("status", "The status must be ACTIVE or INACTIVE"),
            },
        };
        let limit = query.page.limit(200, 200)?;
        let q = query.q.as_deref().unwrap_or_default().to_lowercase();
        let mut policies = self.inner.store.enrollment_policies().await?;
        policies.retain(|policy| status.is_none_or(|status| policy.status == status));
        policies.retain(|policy| policy.name.to_lowercase().starts_with(&q));
        if let Some(app) = &query.resource_id {
            let app = self.inner.store.application(app).await?;
            policies.retain(|policy| app.as_ref().is_some_and(|app| app.policy_id == policy.id));
        }
        self.policy_page(policies, query, limit)
    }

    /// There are at most [`MAX_POLICIES`], so that they are read at once.
    fn policy_page(
        &self,
        policies: Vec<EnrollmentPolicy>,
        query: &PolicyQuery,
        limit: usize,
    ) -> Result<Listing, Error> {
        let first = match &query.page.after {
            None => 0,
            Some(after) => {
                let place = policies.iter().position(|policy| policy.id.as_str() == after.as_str());
                place.map(|place| place + 1).ok_or(Error::BadCursor)?
            }
        };
        let rest: Vec<EnrollmentPolicy> = policies.into_iter().skip(first).take(limit + 1).collect();
        let (page, next) = crate::listing::page(rest, limit, |policy| policy.id.to_string());
        let base = &self.settings().public_url;
        Ok(Listing { items: page.iter().map(|policy| policy.to_json(base)).collect(), next })
    }

    /// Replaces a policy (PUT): name, description, priority and status.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`].
    pub async fn replace_policy(
        &self,
        caller: &Caller,
        id: &PolicyId,
        body: &Map<String, Value>,
    ) -> Result<Value, Error> {
        let decide = |stored: &EnrollmentPolicy, now| stored.replaced(body, now).map(Some);
        let policy = self.change_policy(caller, id, events::POLICY_UPDATED, decide).await?;
        Ok(policy.to_json(&self.settings().public_url))
    }

    /// Switches a policy on or off; doing it again changes nothing and logs nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongState`] for the default policy.
    pub async fn set_policy_status(
        &self,
        caller: &Caller,
        id: &PolicyId,
        status: LifecycleStatus,
    ) -> Result<(), Error> {
        if self.stored_policy(id).await?.system {
            return Err(Error::WrongState("The default policy cannot be switched on or off.".to_owned()));
        }
        let kind = if status.is_active() { events::POLICY_ACTIVATED } else { events::POLICY_DEACTIVATED };
        let decide = |stored: &EnrollmentPolicy, now| {
            if stored.status == status { Ok(None) } else { stored.with_status(status, now).map(Some) }
        };
        self.change_policy(caller, id, kind, decide).await?;
        Ok(())
    }

    /// Deletes a policy; its apps come under the default one.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongState`] for the default policy.
    pub async fn delete_policy(&self, caller: &Caller, id: &PolicyId) -> Result<(), Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let policy = self.stored_policy(id).await?;
            if policy.system {
                return Err(Error::WrongState("The default policy cannot be deleted.".to_owned()));
            }
            let event = self.event(events::POLICY_DELETED, caller, policy_target(&policy), self.now());
            let deletion = Change::DeleteEnrollmentPolicy { id: id.clone(), revision: policy.revision };
            let forget = move |app: &Self| {
                app.forget_policy(&policy.id);
                app.forget_applications();
            };
            match self.commit(vec![deletion, Change::AppendEvents(vec![event])], forget).await {
                Err(CommitError::Conflict(Conflict::Stale | Conflict::Reference)) => {}
                other => return Ok(other?),
            }
        }
    }

    /// The rules of a policy: always exactly one.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn policy_rules(&self, id: &PolicyId) -> Result<Listing, Error> {
        let policy = self.stored_policy(id).await?;
        Ok(Listing { items: vec![policy.rule_json(&self.settings().public_url)], next: None })
    }

    /// The rule of a policy, by its own id.
    ///
    /// # Errors
    /// [`Error::NotFound`] for either.
    pub async fn policy_rule(&self, id: &PolicyId, rule: &PolicyRuleId) -> Result<Value, Error> {
        let policy = self.policy_with_rule(id, rule).await?;
        Ok(policy.rule_json(&self.settings().public_url))
    }

    /// Replaces the rule of a policy (PUT).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`], also if its hook or its group is not there.
    pub async fn replace_policy_rule(
        &self,
        caller: &Caller,
        id: &PolicyId,
        rule: &PolicyRuleId,
        body: &Map<String, Value>,
    ) -> Result<Value, Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let now = self.now();
            let stored = self.policy_with_rule(id, rule).await?;
            let schema = self.stored_schema().await?;
            let policy = stored.with_rule(body, &schema, now).map_err(invalid_rule)?;
            self.check_references(&policy).await?;
            let event = self.event(events::RULE_UPDATED, caller, rule_target(&policy), now);
            let changes =
                vec![Change::UpdateEnrollmentPolicy(Box::new(policy.clone())), Change::AppendEvents(vec![event])];
            let forget = move |app: &Self| app.forget_policy(&stored.id);
            match self.commit(changes, forget).await {
                Ok(()) => return Ok(policy.rule_json(&self.settings().public_url)),
                Err(CommitError::Conflict(Conflict::Stale | Conflict::Reference)) => {}
                Err(error) => return Err(refusal(error)),
            }
        }
    }

    /// Refuses what Okta refuses too: such a policy has one rule, which is made, switched and deleted with it.
    ///
    /// # Errors
    /// [`Error::NotFound`], or else always [`Error::WrongState`].
    pub async fn refuse_rule_change(&self, id: &PolicyId, rule: Option<&PolicyRuleId>) -> Result<(), Error> {
        match rule {
            Some(rule) => self.policy_with_rule(id, rule).await?,
            None => self.stored_policy(id).await?,
        };
        let cause = "A user profile policy has exactly one rule, which lives and dies with the policy.";
        Err(Error::WrongState(cause.to_owned()))
    }

    /// The apps that come under a policy.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn policy_applications(&self, id: &PolicyId) -> Result<Listing, Error> {
        self.stored_policy(id).await?;
        let apps = self.inner.store.applications_of_policy(id.as_str()).await?;
        let base = &self.settings().public_url;
        Ok(Listing { items: apps.iter().map(|app| app.to_json(base)).collect(), next: None })
    }

    /// The apps that come under a policy, as mappings. A mapping's id is its app's.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn policy_mappings(&self, id: &PolicyId) -> Result<Listing, Error> {
        self.stored_policy(id).await?;
        let apps = self.inner.store.applications_of_policy(id.as_str()).await?;
        Ok(Listing { items: apps.iter().map(|app| self.mapping(id, app.id.as_str())).collect(), next: None })
    }

    /// One mapping of a policy.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn policy_mapping(&self, id: &PolicyId, mapping: &str) -> Result<Value, Error> {
        self.stored_policy(id).await?;
        let app = self.inner.store.application(mapping).await?.filter(|app| app.policy_id == *id);
        let missing = || Error::NotFound { id: cut(mapping, 64), class: "PolicyMapping" };
        app.map(|app| self.mapping(id, app.id.as_str())).ok_or_else(missing)
    }

    fn mapping(&self, policy: &PolicyId, app: &str) -> Value {
        let base = &self.settings().public_url;
        json!({"id": app, "_links": {
            "self": {"href": format!("{base}/api/v1/policies/{policy}/mappings/{app}"), "hints": {"allow": ["GET"]}},
            "application": {"href": format!("{base}/api/v1/apps/{app}")},
            "policy": {"href": format!("{base}/api/v1/policies/{policy}")},
        }})
    }

    async fn change_policy(
        &self,
        caller: &Caller,
        id: &PolicyId,
        kind: EventKind,
        decide: impl Fn(&EnrollmentPolicy, Timestamp) -> Result<Option<EnrollmentPolicy>, Violations>,
    ) -> Result<EnrollmentPolicy, Error> {
        let mut tries = self.tries(id.as_str()).await?;
        loop {
            tries.begin().await?;
            let now = self.now();
            let stored = self.stored_policy(id).await?;
            let Some(policy) = decide(&stored, now).map_err(invalid)? else { return Ok(stored) };
            let event = self.event(kind, caller, policy_target(&policy), now);
            let update = Change::UpdateEnrollmentPolicy(Box::new(policy.clone()));
            let forget = move |app: &Self| app.forget_policy(&stored.id);
            match self.commit(vec![update, Change::AppendEvents(vec![event])], forget).await {
                Ok(()) => return Ok(policy),
                Err(CommitError::Conflict(Conflict::Stale)) => {}
                Err(error) => return Err(refusal(error)),
            }
        }
    }

    /// Hook and group are there, and the hook is one for registrations.
    async fn check_references(&self, policy: &EnrollmentPolicy) -> Result<(), Error> {
        let mut violations = Violations::new();
        if let Some(hook) = &policy.rule.hook {
            let field = "actions.profileEnrollment.preRegistrationInlineHooks[0].inlineHookId";
            let id = &hook.inline_hook_id;
            let found = if id.is_plausible() { self.inner.store.inline_hook(id.as_str()).await? } else { None };
            match found {
                None => violations.add(field, format!("There is no inline hook {}", cut(id.as_str(), 64))),
                Some(hook) if hook.hook_type != HookType::Registration => {
                    let needed = HookType::Registration.as_str();
                    violations.add(field, format!("The inline hook {id} must be of the type {needed}"));
                }
                Some(_) => {}
            }
        }
        if let Some(group) = &policy.rule.target_group
            && self.inner.store.group(group.as_str()).await?.is_none_or(|group| group.built_in)
        {
            let message = "The field must name a group that people can be added to";
            violations.add("actions.profileEnrollment.targetGroupIds[0]", message);
        }
        violations.into_result().map_err(invalid_rule)
    }

    async fn policy_with_rule(&self, id: &PolicyId, rule: &PolicyRuleId) -> Result<EnrollmentPolicy, Error> {
        let policy = self.stored_policy(id).await?;
        if policy.rule.id == *rule { Ok(policy) } else { Err(Error::not_found(rule)) }
    }

    pub(crate) async fn stored_policy(&self, id: &PolicyId) -> Result<EnrollmentPolicy, Error> {
        if !id.is_plausible() {
            return Err(Error::not_found(id));
        }
        self.inner.store.enrollment_policy(id.as_str()).await?.ok_or_else(|| Error::not_found(id))
    }
}

fn refusal(error: CommitError) -> Error {
    match error {
        CommitError::Conflict(Conflict::NameTaken) => Error::invalid(OBJECT, "name", TAKEN),
        CommitError::Conflict(Conflict::LimitReached) => {
            Error::invalid(OBJECT, "", format!("The org has its most user profile policies already, {MAX_POLICIES}"))
        }
        error => error.into(),
    }
}

fn invalid(violations: Violations) -> Error {
    Error::Invalid { object: OBJECT, violations }
}

fn invalid_rule(violations: Violations) -> Error {
    Error::Invalid { object: "policyRule", violations }
}
