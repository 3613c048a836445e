//! User profile policies as rows: what the rule refers to in columns of its own, the rest of it as JSON.

use hookwright_model::Timestamp;
use hookwright_model::enrollment_policy::{
    EnrollmentPolicy, EnrollmentRule, FormAttribute, PolicyHook, RunOn, UnknownUserAction,
};
use hookwright_model::id::{GroupId, InlineHookId, PolicyId, PolicyRuleId, RegistrationSourceId};
use hookwright_model::lifecycle::LifecycleStatus;
use serde::{Deserialize, Serialize};

use crate::change::Conflict;
use crate::database::{can_be_stored, fetch};
use crate::error::StoreError;
use crate::statement::{Argument, Otherwise, Probe, Statement};
use crate::store::Store;
use crate::stored_form::{from_text, to_text, unknown};

const INSERT: &str = "INSERT INTO enrollment_policies (id, name, folded_name, description, status, priority, is_system, \
     source_id, inline_hook_id, target_group_id, rule, created_ms, last_updated_ms, revision) \
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14 \
     WHERE (SELECT count(*) FROM enrollment_policies) < $15 ON CONFLICT DO NOTHING";

const UPDATE: &str = "UPDATE enrollment_policies SET name = $3, folded_name = $4, description = $5, status = $6, \
     priority = $7, inline_hook_id = $8, target_group_id = $9, rule = $10, last_updated_ms = $11, \
     revision = revision + 1 WHERE id = $1 AND revision = $2 \
     AND NOT EXISTS (SELECT 1 FROM enrollment_policies AS other WHERE other.folded_name = $4 AND other.id <> $1)";

const TO_DEFAULT: &str = "UPDATE applications SET revision = revision + 1, \
     policy_id = (SELECT id FROM enrollment_policies WHERE is_system = 1) \
     WHERE policy_id = $1";

const DELETE: &str = "DELETE FROM enrollment_policies WHERE id = $1 AND revision = $2 AND is_system = 0";

const SYSTEM_THERE: &str = "SELECT id FROM enrollment_policies WHERE is_system = 1 AND $1 = 1";

const NAME_TAKEN: &str = "SELECT id FROM enrollment_policies WHERE folded_name = $1 AND id <> $2";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, description, status, priority, is_system, source_id, inline_hook_id, target_group_id, \
             rule, created_ms, last_updated_ms, revision FROM enrollment_policies ",
            $rest
        )
    };
}

pub(crate) fn insert(policy: &EnrollmentPolicy, limit: u64) -> Result<Statement, StoreError> {
    let arguments = vec![
        Argument::Text(policy.id.as_str().to_owned()),
        Argument::Text(policy.name.clone()),
        Argument::Text(policy.name.to_lowercase()),
        Argument::OptionalText(policy.description.clone()),
        Argument::Fixed(policy.status.as_str()),
        Argument::Integer(policy.priority.into()),
        Argument::Integer(policy.system.into()),
        Argument::Text(policy.source.as_str().to_owned()),
        hook_id(&policy.rule),
        group_id(&policy.rule),
        Argument::Text(to_text(&StoredRule::of(&policy.rule))?),
        Argument::Integer(policy.created.as_millis()),
        Argument::Integer(policy.last_updated.as_millis()),
        Argument::Integer(policy.revision),
        Argument::Integer(i64::try_from(limit).unwrap_or(i64::MAX)),
    ];
    let system = vec![Argument::Integer(policy.system.into())];
    let probes = vec![Probe::new(SYSTEM_THERE, system, Conflict::AlreadyThere), name_taken(policy, "")];
    Ok(Statement::new(INSERT, arguments).or(Otherwise::FirstFound { probes, conflict: Conflict::LimitReached }))
}

pub(crate) fn update(policy: &EnrollmentPolicy) -> Result<Statement, StoreError> {
    let arguments = vec![
        Argument::Text(policy.id.as_str().to_owned()),
        Argument::Integer(policy.revision),
        Argument::Text(policy.name.clone()),
        Argument::Text(policy.name.to_lowercase()),
        Argument::OptionalText(policy.description.clone()),
        Argument::Fixed(policy.status.as_str()),
        Argument::Integer(policy.priority.into()),
        hook_id(&policy.rule),
        group_id(&policy.rule),
        Argument::Text(to_text(&StoredRule::of(&policy.rule))?),
        Argument::Integer(policy.last_updated.as_millis()),
    ];
    let probes = vec![name_taken(policy, policy.id.as_str())];
    Ok(Statement::new(UPDATE, arguments).or(Otherwise::FirstFound { probes, conflict: Conflict::Stale }))
}

pub(crate) fn delete(id: &PolicyId, revision: i64) -> Vec<Statement> {
    let id = || Argument::Text(id.as_str().to_owned());
    let delete = Statement::new(DELETE, vec![id(), Argument::Integer(revision)]);
    vec![Statement::new(TO_DEFAULT, vec![id()]), delete.or(Otherwise::Conflict(Conflict::Stale))]
}

fn name_taken(policy: &EnrollmentPolicy, but: &str) -> Probe {
    let arguments = vec![Argument::Text(policy.name.to_lowercase()), Argument::Text(but.to_owned())];
    Probe::new(NAME_TAKEN, arguments, Conflict::NameTaken)
}

fn hook_id(rule: &EnrollmentRule) -> Argument {
    Argument::OptionalText(rule.hook.as_ref().map(|hook| hook.inline_hook_id.as_str().to_owned()))
}

fn group_id(rule: &EnrollmentRule) -> Argument {
    Argument::OptionalText(rule.target_group.as_ref().map(|group| group.as_str().to_owned()))
}

/// The rule without what stands in columns, as JSON in a column. Members are only ever added.
#[derive(Serialize, Deserialize)]
struct StoredRule {
    id: String,
    register: bool,
    progressive_profiling: bool,
    run_on: Option<String>,
    /// Name, label, and whether it is required.
    profile_attributes: Vec<(String, String, bool)>,
    email_verification: bool,
    enroll_password_on_form: bool,
    allowed_identifiers: Vec<String>,
    ui_schema_id: Option<String>,
    created_ms: i64,
    last_updated_ms: i64,
}

impl StoredRule {
    fn of(rule: &EnrollmentRule) -> Self {
        let inputs = rule.profile_attributes.iter();
        Self {
            id: rule.id.as_str().to_owned(),
            register: rule.allows_registration(),
            progressive_profiling: rule.progressive_profiling,
            run_on: rule.hook.as_ref().map(|hook| hook.run_on.as_str().to_owned()),
            profile_attributes: inputs.map(|it| (it.name.clone(), it.label.clone(), it.required)).collect(),
            email_verification: rule.email_verification,
            enroll_password_on_form: rule.enroll_password_on_form,
            allowed_identifiers: rule.allowed_identifiers.clone(),
            ui_schema_id: rule.ui_schema_id.clone(),
            created_ms: rule.created.as_millis(),
            last_updated_ms: rule.last_updated.as_millis(),
        }
    }

    fn into_rule(self, hook: Option<String>, group: Option<String>) -> EnrollmentRule {
        let run_on = self.run_on.as_deref().and_then(RunOn::parse).unwrap_or_default();
        let inputs = self.profile_attributes.into_iter();
        EnrollmentRule {
            id: PolicyRuleId::from_text(self.id),
            unknown_user_action: if self.register { UnknownUserAction::Register } else { UnknownUserAction::Deny },
            progressive_profiling: self.progressive_profiling,
            hook: hook.map(|id| PolicyHook { inline_hook_id: InlineHookId::from_text(id), run_on }),
            profile_attributes: inputs.map(|(name, label, required)| FormAttribute { name, label, required }).collect(),
            email_verification: self.email_verification,
            target_group: group.map(GroupId::from_text),
            enroll_password_on_form: self.enroll_password_on_form,
            allowed_identifiers: self.allowed_identifiers,
            ui_schema_id: self.ui_schema_id,
            created: Timestamp::from_millis(self.created_ms),
            last_updated: Timestamp::from_millis(self.last_updated_ms),
        }
    }
}

#[derive(sqlx::FromRow)]
struct PolicyRow {
    id: String,
    name: String,
    description: Option<String>,
    status: String,
    priority: i64,
    is_system: i64,
    source_id: String,
    inline_hook_id: Option<String>,
    target_group_id: Option<String>,
    rule: String,
    created_ms: i64,
    last_updated_ms: i64,
    revision: i64,
}

impl TryFrom<PolicyRow> for EnrollmentPolicy {
    type Error = StoreError;

    fn try_from(row: PolicyRow) -> Result<Self, StoreError> {
        let rule: StoredRule = from_text(&row.rule, &|| format!("policy {}", row.id))?;
        Ok(Self {
            name: row.name,
            description: row.description,
            status: LifecycleStatus::parse(&row.status).ok_or_else(|| unknown("policy", &row.id))?,
            priority: i32::try_from(row.priority).unwrap_or(i32::MAX),
            system: row.is_system == 1,
            source: RegistrationSourceId::from_text(row.source_id),
            created: Timestamp::from_millis(row.created_ms),
            last_updated: Timestamp::from_millis(row.last_updated_ms),
            rule: rule.into_rule(row.inline_hook_id, row.target_group_id),
            revision: row.revision,
            id: PolicyId::from_text(row.id),
        })
    }
}

impl Store {
    /// The policy of this id.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn enrollment_policy(&self, id: &str) -> Result<Option<EnrollmentPolicy>, StoreError> {
        if !can_be_stored(id) {
            return Ok(None);
        }
        let row = fetch!(self.database(), fetch_optional, PolicyRow, select!("WHERE id = $1"), id)?;
        row.map(EnrollmentPolicy::try_from).transpose()
    }

    /// The policy of apps that have none of their own; `None` before the org is made.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn default_enrollment_policy(&self) -> Result<Option<EnrollmentPolicy>, StoreError> {
        let row = fetch!(self.database(), fetch_optional, PolicyRow, select!("WHERE is_system = 1"))?;
        row.map(EnrollmentPolicy::try_from).transpose()
    }

    /// All policies in the order they were made, the default one last, as Okta lists them.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn enrollment_policies(&self) -> Result<Vec<EnrollmentPolicy>, StoreError> {
        let rows = fetch!(self.database(), fetch_all, PolicyRow, select!("ORDER BY is_system, id"))?;
        rows.into_iter().map(EnrollmentPolicy::try_from).collect()
    }

    /// The policies that use a hook.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn enrollment_policies_with_hook(&self, hook: &str) -> Result<Vec<EnrollmentPolicy>, StoreError> {
        let sql = select!("WHERE inline_hook_id = $1 ORDER BY id");
        let rows = fetch!(self.database(), fetch_all, PolicyRow, sql, hook)?;
        rows.into_iter().map(EnrollmentPolicy::try_from).collect()
    }

    /// The policies that add people to a group.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn enrollment_policies_with_group(&self, group: &str) -> Result<Vec<EnrollmentPolicy>, StoreError> {
        let sql = select!("WHERE target_group_id = $1 ORDER BY id");
        let rows = fetch!(self.database(), fetch_all, PolicyRow, sql, group)?;
        rows.into_iter().map(EnrollmentPolicy::try_from).collect()
    }
}
