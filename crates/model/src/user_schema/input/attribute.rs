//! Reading one attribute of the org's own.

use serde_json::Value;

use super::super::attribute::{
    Attribute, AttributeFormat, AttributeType, Choice, ItemType, Mutability, Permission, Scope, Uniqueness,
};
use super::{read_master, read_pattern, read_permission};
use crate::Violations;
use crate::fields::Fields;
use crate::profile::{MAX_TEXT_CHARACTERS, check_value};

const MAX_CHOICES: usize = 500;

/// The kinds an attribute may be of, without what their elements are.
const KINDS: [AttributeType; 5] = [
    AttributeType::String,
    AttributeType::Boolean,
    AttributeType::Number,
    AttributeType::Integer,
    AttributeType::Array(ItemType::String),
];

/// The attribute after the change: a new one, or the old one with the members that are there on top.
pub(super) fn read(
    name: &str,
    old: Option<&Attribute>,
    fields: &Fields<'_>,
    violations: &mut Violations,
) -> Option<Attribute> {
    let mut attribute = match old {
        Some(old) => old.clone(),
        None => {
            let permission = Permission::ReadOnly;
            Attribute { permission, kind: new_kind(fields, violations)?, ..Attribute::custom_text(name, name) }
        }
    };
    if old.is_some() {
        check_same_kind(&attribute, fields, violations);
    }
    if let Some(title) = fields.optional_text("title", 1..=255, violations) {
        attribute.title = title;
    }
    if fields.mentions("description") {
        attribute.description =
            fields.optional_text("description", 0..=1_000, violations).filter(|text| !text.is_empty());
    }
    if let Some(required) = fields.boolean("required", violations) {
        attribute.required = required;
    }
    attribute.permission = read_permission(fields, violations).unwrap_or(attribute.permission);
    attribute.master = read_master(fields, violations).unwrap_or(attribute.master);
    attribute.scope = fields.choice("scope", &Scope::ALL, Scope::as_str, violations).unwrap_or(attribute.scope);
    attribute.mutability =
        fields.choice("mutability", &Mutability::ALL, Mutability::as_str, violations).unwrap_or(attribute.mutability);
    read_text_rules(&mut attribute, fields, violations);
    read_bounds(&mut attribute, fields, violations);
    read_choices(&mut attribute, fields, violations);
    read_uniqueness(&mut attribute, fields, violations);
    Some(attribute)
}

fn new_kind(fields: &Fields<'_>, violations: &mut Violations) -> Option<AttributeType> {
    if fields.get("type").is_none() {
        fields.refuse("type", crate::profile::MISSING, violations);
        return None;
    }
    let kind = fields.choice("type", &KINDS, AttributeType::as_str, violations)?;
    let AttributeType::Array(_) = kind else { return Some(kind) };
    let Some(items) = fields.object("items", violations) else {
        fields.refuse("items", crate::profile::MISSING, violations);
        return None;
    };
    let item = items.choice("type", &ItemType::ALL, ItemType::as_str, violations);
    if items.get("type").is_none() {
        items.refuse("type", crate::profile::MISSING, violations);
    }
    item.map(AttributeType::Array)
}

fn check_same_kind(attribute: &Attribute, fields: &Fields<'_>, violations: &mut Violations) {
    if fields.get("type").is_some_and(|sent| sent.as_str() != Some(attribute.kind.as_str())) {
        fields.refuse("type", "The type of an attribute cannot be changed", violations);
    }
    if let AttributeType::Array(item) = attribute.kind
        && let Some(items) = fields.object("items", violations)
        && items.get("type").is_some_and(|sent| sent.as_str() != Some(item.as_str()))
    {
        items.refuse("type", "The type of an attribute cannot be changed", violations);
    }
}

fn read_text_rules(attribute: &mut Attribute, fields: &Fields<'_>, violations: &mut Violations) {
    let is_text = attribute.kind == AttributeType::String;
    for member in ["minLength", "maxLength", "format", "pattern"] {
        if fields.get(member).is_some() && !is_text {
            fields.refuse(member, "The field stands with the type string only", violations);
            return;
        }
    }
    let most = i64::try_from(MAX_TEXT_CHARACTERS).unwrap_or(i64::MAX);
    let length = |member: &str, old: Option<u32>, violations: &mut Violations| {
        if !fields.mentions(member) {
            return old;
        }
        fields.integer(member, 0..=most, violations).and_then(|length| u32::try_from(length).ok())
    };
    attribute.min_length = length("minLength", attribute.min_length, violations);
    attribute.max_length = length("maxLength", attribute.max_length, violations);
    if let (Some(least), Some(most)) = (attribute.min_length, attribute.max_length)
        && least > most
    {
        fields.refuse("minLength", "The field must not be greater than maxLength", violations);
    }
    if fields.mentions("format") {
        attribute.format = fields.choice("format", &AttributeFormat::ALL, AttributeFormat::as_str, violations);
    }
    if fields.mentions("pattern") {
        attribute.pattern = read_pattern(fields, violations);
    }
}

fn read_bounds(attribute: &mut Attribute, fields: &Fields<'_>, violations: &mut Violations) {
    let is_number = matches!(attribute.kind, AttributeType::Number | AttributeType::Integer);
    let bound = |member: &str, old: Option<f64>, violations: &mut Violations| match fields.get(member) {
        None => old.filter(|_| !fields.mentions(member)),
        Some(Value::Number(number)) if is_number => number.as_f64(),
        Some(_) => {
            fields.refuse(member, "The field must be a number, and stands with numbers only", violations);
            old
        }
    };
    attribute.minimum = bound("minimum", attribute.minimum, violations);
    attribute.maximum = bound("maximum", attribute.maximum, violations);
    if let (Some(least), Some(most)) = (attribute.minimum, attribute.maximum)
        && least > most
    {
        fields.refuse("minimum", "The field must not be greater than maximum", violations);
    }
}

/// `enum` and `oneOf`; of an array they stand in `items`.
fn read_choices(attribute: &mut Attribute, fields: &Fields<'_>, violations: &mut Violations) {
    let place = match attribute.kind {
        AttributeType::Array(_) => fields.object("items", violations),
        _ => Some(fields.clone()),
    };
    let Some(place) = place else { return };
    if place.mentions("enum") {
        attribute.enumeration =
            place.array("enum", MAX_CHOICES, violations).filter(|values| !values.is_empty()).map(<[Value]>::to_vec);
        if !place.mentions("oneOf") {
            attribute.one_of = None;
        }
    }
    if place.mentions("oneOf") {
        attribute.one_of = read_one_of(&place, violations);
    }
    check_choices(attribute, &place, violations);
}

fn read_one_of(place: &Fields<'_>, violations: &mut Violations) -> Option<Vec<Choice>> {
    let elements = place.array("oneOf", MAX_CHOICES, violations).filter(|elements| !elements.is_empty())?;
    let mut choices = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let path = format!("{}[{index}]", place.path_of("oneOf"));
        let Value::Object(members) = element else {
            violations.add(path, "The field must be an object");
            continue;
        };
        let choice = Fields::at(path, members);
        let title = choice.text("title", 1..=255, violations);
        let Some(value) = choice.get("const") else {
            choice.refuse("const", crate::profile::MISSING, violations);
            continue;
        };
        choices.extend(title.map(|title| Choice { value: value.clone(), title }));
    }
    Some(choices)
}

/// The values are of the attribute's type and differ; `oneOf` names them all, in the same order.
fn check_choices(attribute: &Attribute, place: &Fields<'_>, violations: &mut Violations) {
    let Some(values) = &attribute.enumeration else {
        if attribute.one_of.is_some() {
            place.refuse("oneOf", "The field stands with enum only", violations);
        }
        return;
    };
    let plain = Attribute {
        enumeration: None,
        min_length: None,
        max_length: None,
        minimum: None,
        maximum: None,
        pattern: None,
        format: None,
        ..attribute.clone()
    };
    let fits = |value: &Value| match attribute.kind {
        AttributeType::Array(_) => check_value(&plain, &Value::Array(vec![value.clone()])).is_ok(),
        AttributeType::Boolean => false,
        _ => check_value(&plain, value).is_ok(),
    };
    if !values.iter().all(fits) {
        place.refuse("enum", "Each value must be of the attribute's type", violations);
    }
    let repeated =
        values.iter().enumerate().any(|(index, value)| values.iter().take(index).any(|other| other == value));
    if repeated {
        place.refuse("enum", "The values must differ", violations);
    }
    let named = attribute.one_of.as_ref().is_none_or(|choices| {
        choices.len() == values.len() && choices.iter().zip(values).all(|(choice, value)| choice.value == *value)
    });
    if !named {
        place.refuse("oneOf", "The field must name the values of enum, in the same order", violations);
    }
}

fn read_uniqueness(attribute: &mut Attribute, fields: &Fields<'_>, violations: &mut Violations) {
    let unique = match fields.get("unique") {
        None if fields.mentions("unique") => false,
        None => return,
        Some(Value::Bool(unique)) => *unique,
        // What an answer showed may come back.
        Some(Value::String(text)) if text == "UNIQUE_VALIDATED" || text == "PENDING_UNIQUENESS" => true,
        Some(_) => return fields.refuse("unique", "The field must be true or false", violations),
    };
    if unique && matches!(attribute.kind, AttributeType::Array(_) | AttributeType::Boolean) {
        return fields.refuse("unique", "Only texts and numbers can be unique", violations);
    }
    attribute.unique = match (unique, attribute.unique) {
        (false, _) => Uniqueness::No,
        (true, Uniqueness::Validated) => Uniqueness::Validated,
        (true, _) => Uniqueness::Pending,
    };
}
