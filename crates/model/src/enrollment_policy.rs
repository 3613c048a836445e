//! User profile policies (`PROFILE_ENROLLMENT`) with their one rule: who may sign up, with which form, and which hook decides.

mod input;
mod representation;

use crate::Timestamp;
use crate::id::{GroupId, InlineHookId, PolicyId, PolicyRuleId, RegistrationSourceId};
use crate::lifecycle::LifecycleStatus;
use crate::names::names;

/// The `type` of these policies and of their rules.
pub const POLICY_TYPE: &str = "PROFILE_ENROLLMENT";

/// What the one rule of a policy is called.
pub const RULE_NAME: &str = "Catch-all Rule";

/// What the policy of apps without one of their own is called.
const DEFAULT_POLICY_NAME: &str = "Default Policy";

/// The most characters of a policy's name.
const MAX_NAME_CHARACTERS: usize = 255;

/// The most inputs of a form.
const MAX_FORM_ATTRIBUTES: usize = 30;

/// A user profile policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentPolicy {
    /// Unique key, `rst…`.
    pub id: PolicyId,
    /// Display name, unique among these policies.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it takes part; an INACTIVE one lets nobody sign up and asks nobody for anything.
    pub status: LifecycleStatus,
    /// The place in the order of policies; nothing here depends on it.
    pub priority: i32,
    /// Whether it is the default policy, which can't be deleted.
    pub system: bool,
    /// What registration hooks see as the `source` of their requests; stays the same as long as the policy lives.
    pub source: RegistrationSourceId,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed, its rule aside; never before `created`.
    pub last_updated: Timestamp,
    /// The rule.
    pub rule: EnrollmentRule,
    /// Counts the writes of policy and rule together. Starts at 1.
    pub revision: i64,
}

/// The one rule of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrollmentRule {
    /// Unique key, `rul…`.
    pub id: PolicyRuleId,
    /// Whether people without an account may sign up.
    pub unknown_user_action: UnknownUserAction,
    /// Whether people with an account are asked for required attributes that they lack.
    pub progressive_profiling: bool,
    /// The hook that decides, if there is one.
    pub hook: Option<PolicyHook>,
    /// What the form asks for, in this order.
    pub profile_attributes: Vec<FormAttribute>,
    /// Whether a new user has to confirm the email address before the account is active.
    pub email_verification: bool,
    /// The group that new users join, if there is one.
    pub target_group: Option<GroupId>,
    /// Whether the form asks for the password too, instead of a page after it.
    pub enroll_password_on_form: bool,
    /// The attributes that people may sign in with.
    pub allowed_identifiers: Vec<String>,
    /// A form layout of the org's, kept for clients that send it back.
    pub ui_schema_id: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed; never before `created`.
    pub last_updated: Timestamp,
}

names! {
    /// What happens to people whom the org does not know.
    UnknownUserAction {
        /// They may sign up.
        Register = "REGISTER",
        /// They are told that they can't sign in.
        Deny = "DENY",
    }
}

/// The hook of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyHook {
    /// The hook, of the type `com.okta.user.pre-registration`.
    pub inline_hook_id: InlineHookId,
    /// For whom it runs.
    pub run_on: RunOn,
}

names! {
    /// For whom the hook of a policy runs: the console's "Run this hook", which has no field in Okta's own API.
    #[derive(Default)]
    RunOn {
        /// When a new user is created during self-service registration.
        NewUser = "NEW_USER",
        /// When attributes are collected for an existing user.
        ExistingUser = "EXISTING_USER",
        /// Both.
        #[default]
        Both = "BOTH",
    }
}

impl RunOn {
    /// Whether the hook runs when somebody signs up.
    #[must_use]
    pub(crate) const fn on_registration(self) -> bool {
        matches!(self, Self::NewUser | Self::Both)
    }

    /// Whether the hook runs when an existing user is asked for attributes.
    #[must_use]
    pub(crate) const fn on_progressive_profile(self) -> bool {
        matches!(self, Self::ExistingUser | Self::Both)
    }
}

/// One input of the form. It may name an attribute that is not in the user schema: the hook sees it, and it is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormAttribute {
    /// The attribute.
    pub name: String,
    /// What the form calls it.
    pub label: String,
    /// Whether it must be filled in.
    pub required: bool,
}

impl FormAttribute {
    fn new(name: &str, label: &str, required: bool) -> Self {
        Self { name: name.to_owned(), label: label.to_owned(), required }
    }
}

/// The ids of a policy that is being made.
#[derive(Debug, Clone)]
pub struct PolicyIds {
    /// The policy's.
    pub policy: PolicyId,
    /// Its rule's.
    pub rule: PolicyRuleId,
    /// What hooks see.
    pub source: RegistrationSourceId,
}

impl EnrollmentPolicy {
    /// A new policy with the rule that live orgs give it.
    #[must_use]
    pub fn new(ids: PolicyIds, name: String, description: Option<String>, now: Timestamp) -> Self {
        let now = now.whole_seconds();
        let rule = EnrollmentRule {
            id: ids.rule,
            unknown_user_action: UnknownUserAction::Register,
            progressive_profiling: true,
            hook: None,
            profile_attributes: vec![
                FormAttribute::new("email", "Primary email", true),
                FormAttribute::new("firstName", "First name", true),
                FormAttribute::new("lastName", "Last name", true),
            ],
            email_verification: true,
            target_group: None,
            enroll_password_on_form: false,
            allowed_identifiers: vec!["login".to_owned()],
            ui_schema_id: None,
            created: now,
            last_updated: now,
        };
        Self {
            id: ids.policy,
            name,
            description,
            status: LifecycleStatus::Active,
            priority: 1,
            system: false,
            source: ids.source,
            created: now,
            last_updated: now,
            rule,
            revision: 1,
        }
    }

    /// The policy of apps that have none of their own: nobody signs up, nobody is asked for anything.
    #[must_use]
    pub fn default_policy(ids: PolicyIds, now: Timestamp) -> Self {
        let policy = Self::new(ids, DEFAULT_POLICY_NAME.to_owned(), None, now);
        let rule = EnrollmentRule {
            unknown_user_action: UnknownUserAction::Deny,
            progressive_profiling: false,
            ..policy.rule
        };
        Self { system: true, rule, ..policy }
    }

    /// The rule as far as it counts now: `None` while the policy is switched off.
    #[must_use]
    pub fn active_rule(&self) -> Option<&EnrollmentRule> {
        self.status.is_active().then_some(&self.rule)
    }
}

impl EnrollmentRule {
    /// Whether people may sign up by this rule.
    #[must_use]
    pub const fn allows_registration(&self) -> bool {
        matches!(self.unknown_user_action, UnknownUserAction::Register)
    }

    /// The hook that decides when somebody signs up.
    #[must_use]
    pub fn registration_hook(&self) -> Option<&InlineHookId> {
        self.hook.as_ref().filter(|hook| hook.run_on.on_registration()).map(|hook| &hook.inline_hook_id)
    }

    /// The hook that decides when an existing user is asked for attributes.
    #[must_use]
    pub fn progressive_hook(&self) -> Option<&InlineHookId> {
        self.hook.as_ref().filter(|hook| hook.run_on.on_progressive_profile()).map(|hook| &hook.inline_hook_id)
    }
}

#[cfg(test)]
mod tests;
