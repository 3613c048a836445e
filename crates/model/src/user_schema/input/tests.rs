//! Unit tests of changes of the schema.

use serde_json::json;

use super::*;
use crate::user_schema::{AttributeType, Choice, ItemType, SchemaDates};

fn updated(schema: &UserSchema, body: &Value) -> Result<SchemaChange, String> {
    schema.updated(body.as_object().unwrap(), Timestamp::from_millis(5_000)).map_err(|error| error.to_string())
}

fn custom(properties: Value) -> Result<SchemaChange, String> {
    updated(&UserSchema::default(), &json!({"definitions": {"custom": {"properties": properties}}}))
}

fn base(properties: Value) -> Result<SchemaChange, String> {
    updated(&UserSchema::default(), &json!({"definitions": {"base": {"properties": properties}}}))
}

#[test]
fn an_attribute_is_made_changed_and_removed() {
    let made = custom(json!({"shoeSize": {
        "title": "Shoe size", "description": "EU", "type": "string", "required": false, "scope": "SELF",
        "enum": ["40", "41"], "oneOf": [{"const": "40", "title": "forty"}, {"const": "41", "title": "forty-one"}],
        "permissions": [{"principal": "SELF", "action": "READ_WRITE"}], "master": {"type": "OKTA"}, "maxLength": 2
    }}))
    .unwrap()
    .schema;
    let shown = &made.to_json("")["definitions"]["custom"]["properties"]["shoeSize"];
    assert_eq!(shown["oneOf"][1], json!({"const": "41", "title": "forty-one"}));
    assert_eq!(shown["permissions"], json!([{"principal": "SELF", "action": "READ_WRITE"}]));
    assert_eq!(made.last_updated, Timestamp::from_millis(5_000));

    let body = json!({"definitions": {"custom": {"properties": {"shoeSize": {"title": "Size", "required": true, "oneOf": null}}}}});
    let changed = updated(&made, &body).unwrap().schema;
    let size = changed.get("shoeSize").unwrap();
    assert!(size.required && size.title == "Size" && size.one_of.is_none() && size.enumeration.is_some());
    let choices = vec![
        Choice { value: json!("40"), title: "40".to_owned() },
        Choice { value: json!("41"), title: "41".to_owned() },
    ];
    assert_eq!(size.choices(), Some(choices));

    let gone =
        updated(&changed, &json!({"definitions": {"custom": {"properties": {"shoeSize": null, "nothing": null}}}}))
            .unwrap();
    assert_eq!((gone.schema.get("shoeSize"), gone.removed), (None, vec!["shoeSize".to_owned()]));
}

#[test]
fn what_an_answer_shows_can_be_sent_back() {
    let made = custom(json!({
        "tags": {"title": "Tags", "type": "array", "items": {"type": "integer", "enum": [1, 2]}},
        "badge": {"type": "string", "unique": true, "pattern": "[0-9]+", "minLength": 2},
        "height": {"type": "number", "minimum": 0.5, "maximum": 3},
    }))
    .unwrap();
    assert_eq!(made.to_validate, ["badge"]);
    assert_eq!(made.schema.get("tags").unwrap().kind, AttributeType::Array(ItemType::Integer));
    let validated = made.schema.with_uniqueness(&made.to_validate, Uniqueness::Validated);
    let shown = validated.to_json("https://org");
    let again = updated(&validated, &shown).unwrap();
    assert_eq!(again.schema, UserSchema { last_updated: again.schema.last_updated, ..validated.clone() });
    assert!(again.to_validate.is_empty() && again.removed.is_empty());
    for schema in [made.schema, validated] {
        let dates = SchemaDates { created: schema.created, last_updated: schema.last_updated, revision: 1 };
        assert_eq!(UserSchema::from_definitions(schema.definitions(), dates).unwrap(), schema);
    }
}

#[test]
fn of_base_attributes_only_permission_nullability_and_login_pattern_change() {
    let change = base(json!({
        "employeeNumber": {"permissions": [{"principal": "SELF", "action": "READ_WRITE"}]},
        "lastName": {"required": false},
        "login": {"pattern": ".+", "type": "string", "minLength": 5},
    }));
    let schema = change.unwrap().schema;
    assert_eq!(schema.get("employeeNumber").unwrap().permission, Permission::ReadWrite);
    assert!(!schema.get("lastName").unwrap().required);
    assert_eq!(schema.get("login").unwrap().pattern.as_ref().unwrap().as_str(), ".+");
    for (properties, refusal) in [
        (
            json!({"email": {"required": false}}),
            "definitions.base.properties.email.required: Only firstName and lastName may be made optional",
        ),
        (json!({"city": null}), "definitions.base.properties.city: A base attribute cannot be removed"),
        (json!({"shoeSize": {}}), "definitions.base.properties.shoeSize: There is no such base attribute"),
        (
            json!({"city": {"maxLength": 3}}),
            "definitions.base.properties.city.maxLength: The field of a base attribute cannot be changed",
        ),
        (
            json!({"city": {"permissions": [{"principal": "ALL", "action": "ANY"}]}}),
            "definitions.base.properties.city.permissions[0].principal: The field must be SELF; \
             definitions.base.properties.city.permissions[0].action: The field must be one of HIDE, READ_ONLY, READ_WRITE",
        ),
    ] {
        assert_eq!(base(properties).unwrap_err(), refusal);
    }
}

#[test]
fn names_differ_from_all_others_and_are_not_reserved() {
    for name in ["FIRSTNAME", "password", "Status", "1st", "a-b", "", "ä"] {
        assert!(custom(json!({name: {"type": "string"}})).is_err(), "{name}");
    }
    assert!(custom(json!({"a": {"type": "string"}, "A": {"type": "string"}})).is_err());
    assert!(custom(json!({"_a1": {"type": "string"}})).is_ok());
}

#[test]
fn each_rule_that_makes_no_sense_is_named() {
    for (attribute, refusal) in [
        (json!({}), "type: The field cannot be left blank"),
        (json!({"type": "object"}), "type: The field must be one of string, boolean, number, integer, array"),
        (json!({"type": "array"}), "items: The field cannot be left blank"),
        (
            json!({"type": "string", "minLength": 3, "maxLength": 2}),
            "minLength: The field must not be greater than maxLength",
        ),
        (json!({"type": "number", "maxLength": 2}), "maxLength: The field stands with the type string only"),
        (json!({"type": "string", "minimum": 2}), "minimum: The field must be a number, and stands with numbers only"),
        (json!({"type": "string", "enum": ["a", 1]}), "enum: Each value must be of the attribute's type"),
        (json!({"type": "string", "enum": ["a", "a"]}), "enum: The values must differ"),
        (json!({"type": "string", "oneOf": [{"const": "a", "title": "A"}]}), "oneOf: The field stands with enum only"),
        (
            json!({"type": "string", "enum": ["a", "b"], "oneOf": [{"const": "b", "title": "B"}, {"const": "a", "title": "A"}]}),
            "oneOf: The field must name the values of enum, in the same order",
        ),
        (
            json!({"type": "string", "pattern": "("}),
            "pattern: The pattern is not a regular expression that is understood here",
        ),
        (
            json!({"type": "string", "format": "ipv4"}),
            "format: The field must be one of country-code, date-time, email, \
            encrypted, hashed, language-code, locale, ref-id, timezone, uri",
        ),
        (json!({"type": "boolean", "unique": true}), "unique: Only texts and numbers can be unique"),
        (json!({"type": "string", "required": "yes"}), "required: The field must be true or false"),
    ] {
        let error = custom(json!({"a": attribute})).unwrap_err();
        assert_eq!(error, format!("definitions.custom.properties.a.{refusal}"));
    }
}

#[test]
fn five_attributes_may_be_unique_and_a_type_stays() {
    let many: Map<String, Value> =
        (0..6).map(|n| (format!("a{n}"), json!({"type": "string", "unique": true}))).collect();
    assert_eq!(
        custom(Value::Object(many)).unwrap_err(),
        "definitions.custom.properties: At most 5 custom attributes may be unique"
    );
    let made = custom(json!({"a": {"type": "string"}})).unwrap().schema;
    let error =
        updated(&made, &json!({"definitions": {"custom": {"properties": {"a": {"type": "number"}}}}})).unwrap_err();
    assert_eq!(error, "definitions.custom.properties.a.type: The type of an attribute cannot be changed");
}
