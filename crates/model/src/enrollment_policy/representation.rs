//! How policies and their rules are shown to clients.

use serde_json::{Map, Value, json};

use super::{EnrollmentPolicy, EnrollmentRule, POLICY_TYPE, PolicyHook, RULE_NAME};

impl EnrollmentPolicy {
    /// The policy as the API shows it. `base` is the public URL of the org without a slash at its end.
    #[must_use]
    pub fn to_json(&self, base: &str) -> Value {
        let mut object = Map::new();
        object.insert("id".into(), self.id.as_str().into());
        object.insert("status".into(), self.status.as_str().into());
        object.insert("name".into(), self.name.as_str().into());
        if let Some(description) = &self.description {
            object.insert("description".into(), description.as_str().into());
        }
        object.insert("priority".into(), self.priority.into());
        object.insert("system".into(), self.system.into());
        object.insert("conditions".into(), Value::Null);
        object.insert("created".into(), self.created.to_string().into());
        object.insert("lastUpdated".into(), self.last_updated.to_string().into());
        object.insert("_links".into(), self.links(base));
        object.insert("type".into(), POLICY_TYPE.into());
        Value::Object(object)
    }

    fn links(&self, base: &str) -> Value {
        let own = format!("{base}/api/v1/policies/{}", self.id);
        let link = |path: &str, allow: &[&str]| json!({"href": format!("{own}{path}"), "hints": {"allow": allow}});
        let mut links = Map::new();
        links.insert("mappings".into(), link("/mappings", &["GET", "POST"]));
        links.insert("self".into(), link("", if self.system { &["GET", "PUT"] } else { &["GET", "PUT", "DELETE"] }));
        links.insert("rules".into(), link("/rules", &["GET", "POST"]));
        if !self.system {
            let step = if self.status.is_active() { "deactivate" } else { "activate" };
            links.insert(step.into(), link(&format!("/lifecycle/{step}"), &["POST"]));
        }
        Value::Object(links)
    }

    /// The rule as the API shows it.
    #[must_use]
    pub fn rule_json(&self, base: &str) -> Value {
        let rule = &self.rule;
        json!({
            "id": rule.id,
            "status": "ACTIVE",
            "name": RULE_NAME,
            "priority": 99,
            "created": rule.created,
            "lastUpdated": rule.last_updated,
            "system": true,
            "conditions": null,
            "actions": {"profileEnrollment": rule.action_json()},
            "_links": {"self": {
                "href": format!("{base}/api/v1/policies/{}/rules/{}", self.id, rule.id),
                "hints": {"allow": ["GET", "PUT"]},
            }},
            "type": POLICY_TYPE,
        })
    }
}

impl EnrollmentRule {
    fn action_json(&self) -> Value {
        let attributes: Vec<Value> = self
            .profile_attributes
            .iter()
            .map(|input| json!({"name": input.name, "label": input.label, "required": input.required}))
            .collect();
        let mut action = Map::new();
        action.insert("access".into(), "ALLOW".into());
        action.insert("preRegistrationInlineHooks".into(), self.hook.as_ref().map(hook_json).into());
        action.insert("profileAttributes".into(), attributes.into());
        let groups = self.target_group.as_ref().map(|group| json!([group]));
        action.insert("targetGroupIds".into(), groups.unwrap_or_default());
        action.insert("unknownUserAction".into(), self.unknown_user_action.as_str().into());
        action.insert("activationRequirements".into(), json!({"emailVerification": self.email_verification}));
        if let Some(id) = &self.ui_schema_id {
            action.insert("uiSchemaId".into(), id.as_str().into());
        }
        let progressive = if self.progressive_profiling { "ENABLED" } else { "DISABLED" };
        action.insert("progressiveProfilingAction".into(), progressive.into());
        action.insert("allowedIdentifiers".into(), self.allowed_identifiers.clone().into());
        if self.enroll_password_on_form {
            action.insert("enrollAuthenticatorTypes".into(), json!(["password"]));
        }
        Value::Object(action)
    }
}

fn hook_json(hook: &PolicyHook) -> Value {
    json!([{"inlineHookId": hook.inline_hook_id, "runOn": hook.run_on.as_str()}])
}
