//! Reading policies and their rules from requests. Members that the org decides itself may be sent back and are ignored.

use serde_json::{Map, Value};

use super::{
    EnrollmentPolicy, EnrollmentRule, FormAttribute, MAX_FORM_ATTRIBUTES, MAX_NAME_CHARACTERS, POLICY_TYPE, PolicyHook,
    PolicyIds, RunOn, UnknownUserAction,
};
use crate::fields::Fields;
use crate::id::{GroupId, InlineHookId};
use crate::lifecycle::LifecycleStatus;
use crate::user_schema::{FORBIDDEN_ATTRIBUTES, Permission, UserSchema};
use crate::{Timestamp, Violations};

/// The most attributes that people may sign in with.
const MAX_IDENTIFIERS: usize = 3;

/// What a request says of a policy itself.
struct Given {
    name: String,
    description: Option<String>,
    priority: Option<i32>,
    status: Option<LifecycleStatus>,
}

impl EnrollmentPolicy {
    /// Reads the body of a create call. The policy starts ACTIVE unless the body or the call's `activate` says otherwise.
    ///
    /// # Errors
    /// Each field that is wrong.
    pub fn create(
        ids: PolicyIds,
        body: &Map<String, Value>,
        activate: bool,
        now: Timestamp,
    ) -> Result<Self, Violations> {
        let given = read(body)?;
        let policy = Self::new(ids, given.name, given.description, now);
        let status = given.status.filter(|_| activate);
        Ok(Self {
            status: status.unwrap_or(if activate { LifecycleStatus::Active } else { LifecycleStatus::Inactive }),
            priority: given.priority.unwrap_or(policy.priority),
            ..policy
        })
    }

    /// Reads the body of a PUT: name, description, priority and status.
    ///
    /// # Errors
    /// Each field that is wrong; name and status of the default policy can't change.
    pub fn replaced(&self, body: &Map<String, Value>, now: Timestamp) -> Result<Self, Violations> {
        let given = read(body)?;
        let status = given.status.unwrap_or(self.status);
        if self.system {
            let mut violations = Violations::new();
            if given.name != self.name {
                violations.add("name", "The name of the default policy cannot be changed");
            }
            if !status.is_active() {
                violations.add("status", "The default policy cannot be deactivated");
            }
            violations.into_result()?;
        }
        Ok(Self {
            name: given.name,
            description: given.description,
            priority: given.priority.unwrap_or(self.priority),
            status,
            last_updated: now.whole_seconds().max(self.created),
            ..self.clone()
        })
    }

    /// The policy switched on or off.
    ///
    /// # Errors
    /// The default policy can't be switched off.
    pub fn with_status(&self, status: LifecycleStatus, now: Timestamp) -> Result<Self, Violations> {
        if self.system && !status.is_active() {
            return Err(Violations::one("status", "The default policy cannot be deactivated"));
        }
        Ok(Self { status, last_updated: now.whole_seconds().max(self.created), ..self.clone() })
    }

    /// Reads the body of a PUT of the rule. Whether hook and group exist is for the caller to see.
    ///
    /// # Errors
    /// Each field that is wrong.
    pub fn with_rule(
        &self,
        body: &Map<String, Value>,
        schema: &UserSchema,
        now: Timestamp,
    ) -> Result<Self, Violations> {
        let mut violations = Violations::new();
        let fields = Fields::new(body);
        check_type(&fields, &mut violations);
        let actions = fields.object("actions", &mut violations);
        let action = actions.and_then(|actions| actions.object("profileEnrollment", &mut violations));
        let Some(action) = action else {
            violations.add("actions.profileEnrollment", crate::profile::MISSING);
            return Err(violations);
        };
        let rule = read_action(&self.rule, &action, schema, &mut violations);
        violations.into_result()?;
        let rule = EnrollmentRule { last_updated: now.whole_seconds().max(self.rule.created), ..rule };
        Ok(Self { rule, ..self.clone() })
    }
}

fn check_type(fields: &Fields<'_>, violations: &mut Violations) {
    fields.choice("type", &[POLICY_TYPE], |name| name, violations);
}

fn read(body: &Map<String, Value>) -> Result<Given, Violations> {
    let mut violations = Violations::new();
    let fields = Fields::new(body);
    if fields.get("type").is_none() {
        violations.add("type", crate::profile::MISSING);
    }
    check_type(&fields, &mut violations);
    let name = fields.text("name", 1..=MAX_NAME_CHARACTERS, &mut violations);
    let description = fields.optional_text("description", 0..=1_024, &mut violations).filter(|text| !text.is_empty());
    let priority = fields.integer("priority", 0..=1_000_000, &mut violations);
    let status = fields.choice("status", &LifecycleStatus::ALL, LifecycleStatus::as_str, &mut violations);
    violations.into_result()?;
    let priority = priority.and_then(|priority| i32::try_from(priority).ok());
    Ok(Given { name: name.unwrap_or_default(), description, priority, status })
}

fn read_action(
    old: &EnrollmentRule,
    action: &Fields<'_>,
    schema: &UserSchema,
    violations: &mut Violations,
) -> EnrollmentRule {
    action.choice("access", &["ALLOW"], |name| name, violations);
    if action.get("unknownUserAction").is_none() {
        action.refuse("unknownUserAction", crate::profile::MISSING, violations);
    }
    let unknown_user_action =
        action.choice("unknownUserAction", &UnknownUserAction::ALL, UnknownUserAction::as_str, violations);
    let progressive = action.choice("progressiveProfilingAction", &["ENABLED", "DISABLED"], |name| name, violations);
    let requirements = action.object("activationRequirements", violations);
    let email_verification =
        requirements.and_then(|requirements| requirements.boolean("emailVerification", violations));
    // The name of 2024 is taken too.
    let authenticators = ["enrollAuthenticatorTypes", "enrollAuthenticators"]
        .map(|member| action.choices(member, &["password"], |name| name, violations));
    EnrollmentRule {
        unknown_user_action: unknown_user_action.unwrap_or(old.unknown_user_action),
        progressive_profiling: progressive == Some("ENABLED"),
        hook: read_hook(action, violations),
        profile_attributes: read_form(action, schema, violations),
        email_verification: email_verification.unwrap_or(true),
        target_group: read_group(action, violations),
        enroll_password_on_form: authenticators.iter().flatten().any(|types| !types.is_empty()),
        allowed_identifiers: read_identifiers(action, schema, violations),
        ui_schema_id: action.optional_text("uiSchemaId", 1..=64, violations).or_else(|| old.ui_schema_id.clone()),
        ..old.clone()
    }
}

fn read_hook(action: &Fields<'_>, violations: &mut Violations) -> Option<PolicyHook> {
    let elements = action.array("preRegistrationInlineHooks", 1, violations)?;
    let path = format!("{}[0]", action.path_of("preRegistrationInlineHooks"));
    let Value::Object(members) = elements.first()? else {
        violations.add(path, "The field must be an object");
        return None;
    };
    let hook = Fields::at(path, members);
    let id = hook.text("inlineHookId", 1..=64, violations)?;
    let run_on = hook.choice("runOn", &RunOn::ALL, RunOn::as_str, violations).unwrap_or_default();
    Some(PolicyHook { inline_hook_id: InlineHookId::from_text(id), run_on })
}

fn read_group(action: &Fields<'_>, violations: &mut Violations) -> Option<GroupId> {
    let ids = action.array("targetGroupIds", 1, violations)?;
    let id = ids.first()?;
    let text = id.as_str().filter(|text| !text.is_empty() && text.len() <= 64);
    if text.is_none() {
        action.refuse("targetGroupIds", "The field must be an array of group ids", violations);
    }
    text.map(GroupId::from_text)
}

fn read_form(action: &Fields<'_>, schema: &UserSchema, violations: &mut Violations) -> Vec<FormAttribute> {
    let Some(elements) = action.array("profileAttributes", MAX_FORM_ATTRIBUTES, violations) else {
        return if action.get("profileAttributes").is_none() { default_form(schema) } else { Vec::new() };
    };
    let mut form: Vec<FormAttribute> = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let path = format!("{}[{index}]", action.path_of("profileAttributes"));
        let Value::Object(members) = element else {
            violations.add(path, "The field must be an object");
            continue;
        };
        let input = Fields::at(path, members);
        let Some(attribute) = read_input(&input, schema, violations) else { continue };
        if form.iter().any(|other| other.name.eq_ignore_ascii_case(&attribute.name)) {
            input.refuse("name", "The attribute is on the form already", violations);
            continue;
        }
        form.push(attribute);
    }
    for name in ["email", "firstName", "lastName"] {
        let needed = name == "email" || schema.get(name).is_some_and(|attribute| attribute.required);
        if needed && !form.iter().any(|input| input.name == name) {
            action.refuse("profileAttributes", format!("The attribute {name} cannot be left out"), violations);
        }
    }
    form
}

fn read_input(input: &Fields<'_>, schema: &UserSchema, violations: &mut Violations) -> Option<FormAttribute> {
    let name = input.text("name", 1..=100, violations)?;
    let required = input.boolean("required", violations).unwrap_or(false);
    let label = input.optional_text("label", 0..=255, violations).filter(|label| !label.trim().is_empty());
    let Some(attribute) = schema.get(&name) else {
        // What is not in the schema goes to the hook and is never stored; but it must not look like a credential.
        if FORBIDDEN_ATTRIBUTES.iter().any(|reserved| reserved.eq_ignore_ascii_case(&name)) {
            input.refuse("name", "The name is reserved", violations);
            return None;
        }
        return Some(FormAttribute { label: label.unwrap_or_else(|| name.clone()), name, required });
    };
    if attribute.permission != Permission::ReadWrite {
        let message = format!("The user permission of the attribute {name} must be READ_WRITE");
        input.refuse("name", message, violations);
    }
    if attribute.required && !required {
        let message = format!("The user schema requires the attribute {name}, so the form must too");
        input.refuse("required", message, violations);
    }
    Some(FormAttribute { label: label.unwrap_or_else(|| attribute.title.clone()), name, required })
}

fn default_form(schema: &UserSchema) -> Vec<FormAttribute> {
    let names = ["email", "firstName", "lastName"].into_iter().filter_map(|name| schema.get(name));
    let needed = names.filter(|attribute| attribute.required || attribute.name == "email");
    needed.map(|attribute| FormAttribute::new(&attribute.name, &attribute.title, true)).collect()
}

fn read_identifiers(action: &Fields<'_>, schema: &UserSchema, violations: &mut Violations) -> Vec<String> {
    let names = action.texts("allowedIdentifiers", MAX_IDENTIFIERS, violations).unwrap_or_default();
    if names.is_empty() {
        return vec!["login".to_owned()];
    }
    if !names.iter().all(|name| schema.get(name).is_some()) {
        action.refuse("allowedIdentifiers", "Each element must be an attribute of the user schema", violations);
    }
    names
}

#[cfg(test)]
mod tests;
