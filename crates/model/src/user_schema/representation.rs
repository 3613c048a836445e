//! How the schema is shown to clients, and how it is stored.

use serde_json::{Map, Value, json};

use super::attribute::{Attribute, AttributeType, Origin, Uniqueness};
use super::{SchemaDates, UserSchema};
use crate::Violations;
use crate::user::{USER_SCHEMA_ID, USER_TYPE_ID};

/// How an attribute shows that all values were looked through and differ.
const VALIDATED: &str = "UNIQUE_VALIDATED";

impl UserSchema {
    /// The schema as `GET /api/v1/meta/schemas/user/default` shows it.
    ///
    /// `base` is the public URL of the org without a slash at its end.
    #[must_use]
    pub fn to_json(&self, base: &str) -> Value {
        let link =
            |relation: &str, path: &str| json!({"rel": relation, "href": format!("{base}{path}"), "method": "GET"});
        json!({
            "id": format!("{base}/meta/schemas/user/default"),
            "$schema": "http://json-schema.org/draft-04/schema#",
            "name": "user",
            "title": "User",
            "description": "Okta user profile template with default permission settings",
            "lastUpdated": self.last_updated,
            "created": self.created,
            "definitions": self.definitions(),
            "type": "object",
            "properties": {"profile": {"allOf": [{"$ref": "#/definitions/custom"}, {"$ref": "#/definitions/base"}]}},
            "_links": {
                "self": link("self", &format!("/api/v1/meta/schemas/user/{USER_SCHEMA_ID}")),
                "type": link("type", &format!("/api/v1/meta/types/user/{USER_TYPE_ID}")),
            },
        })
    }

    /// The attributes, the org's own and Okta's: what is stored of a schema besides its dates.
    #[must_use]
    pub fn definitions(&self) -> Value {
        json!({"custom": self.subschema("#custom", Origin::Custom), "base": self.subschema("#base", Origin::Base)})
    }

    /// Reads what [`UserSchema::definitions`] wrote.
    ///
    /// # Errors
    /// What can't be read: the text was damaged, or written by a later release.
    pub fn from_definitions(definitions: Value, dates: SchemaDates) -> Result<Self, Violations> {
        let SchemaDates { created, last_updated, revision } = dates;
        let validated: Vec<String> = match definitions.pointer("/custom/properties") {
            Some(Value::Object(properties)) => properties
                .iter()
                .filter(|(_, attribute)| attribute.get("unique").is_some_and(|unique| unique == VALIDATED))
                .map(|(name, _)| name.clone())
                .collect(),
            _ => Vec::new(),
        };
        let body = Map::from_iter([("definitions".to_owned(), definitions)]);
        let schema = Self::new(created).updated(&body, created)?.schema;
        let schema = schema.with_uniqueness(&validated, Uniqueness::Validated);
        Ok(Self { created, last_updated, revision, ..schema })
    }

    fn subschema(&self, id: &str, origin: Origin) -> Value {
        let attributes = || self.iter().filter(|attribute| attribute.origin == origin);
        let properties: Map<String, Value> =
            attributes().map(|attribute| (attribute.name.clone(), attribute.to_json())).collect();
        let required: Vec<&str> =
            attributes().filter(|attribute| attribute.required).map(|attribute| attribute.name.as_str()).collect();
        json!({"id": id, "type": "object", "properties": properties, "required": required})
    }
}

impl Attribute {
    /// The attribute as the API shows it: rules that it does not have are left out.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        };
        put("title", Some(self.title.as_str().into()));
        put("description", self.description.as_deref().map(Value::from));
        put("type", Some(self.kind.as_str().into()));
        put("required", self.required.then_some(Value::Bool(true)));
        // The login and the email address are unique in every org, and live orgs don't say so.
        let unique = match self.unique {
            _ if self.origin == Origin::Base => None,
            Uniqueness::No => None,
            Uniqueness::Pending => Some("PENDING_UNIQUENESS".into()),
            Uniqueness::Validated => Some(VALIDATED.into()),
        };
        put("unique", unique);
        put("format", self.format.map(|format| format.as_str().into()));
        put("pattern", self.pattern.as_ref().map(|pattern| pattern.as_str().into()));
        put("mutability", Some(self.mutability.as_str().into()));
        put("scope", Some(self.scope.as_str().into()));
        put("minLength", self.min_length.map(Value::from));
        put("maxLength", self.max_length.map(Value::from));
        put("minimum", self.minimum.map(number));
        put("maximum", self.maximum.map(number));
        let choices = self.choices_json();
        match self.kind {
            AttributeType::Array(items) => {
                let mut described = Map::from_iter([("type".to_owned(), items.as_str().into())]);
                described.extend(choices);
                put("items", Some(Value::Object(described)));
            }
            _ => choices.into_iter().for_each(|(name, value)| put(&name, Some(value))),
        }
        put("permissions", Some(json!([{"principal": "SELF", "action": self.permission.as_str()}])));
        put("master", Some(json!({"type": self.master.as_str()})));
        Value::Object(object)
    }

    fn choices_json(&self) -> Map<String, Value> {
        let mut members = Map::new();
        if let Some(values) = &self.enumeration {
            members.insert("enum".into(), Value::Array(values.clone()));
        }
        if let Some(choices) = &self.one_of {
            let choices = choices.iter().map(|choice| json!({"const": choice.value, "title": choice.title}));
            members.insert("oneOf".into(), choices.collect());
        }
        members
    }
}

/// A bound as JSON, without a fraction where it has none.
fn number(value: f64) -> Value {
    let whole = value.trunc();
    if whole == value && value.abs() < 9e15 {
        // In this range the conversion is exact.
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        return Value::from(whole as i64);
    }
    Value::from(value)
}
