//! Reading changes of the schema: a partial update, as `POST /api/v1/meta/schemas/user/default` takes it.
//!
//! Of Okta's own attributes only the permission, the master, whether firstName and lastName are required, and the pattern of
//! the login can change; the org's own attributes can change in all but their type, and go when they are set to null.

mod attribute;

use serde_json::{Map, Value};

use super::attribute::{Attribute, Master, Origin, Pattern, Permission, Uniqueness};
use super::{FORBIDDEN_ATTRIBUTES, UserSchema};
use crate::fields::Fields;
use crate::{Timestamp, Violations};

/// How many of the org's own attributes may be unique.
const MAX_UNIQUE_ATTRIBUTES: usize = 5;

/// How many attributes of its own an org may have.
const MAX_CUSTOM_ATTRIBUTES: usize = 250;

/// The longest name of an attribute of the org's own, in characters.
const MAX_NAME_CHARACTERS: usize = 100;

/// A schema that was read from a change, and what has to be done with the values of existing users.
#[derive(Debug, Clone, PartialEq)]
pub struct SchemaChange {
    /// The schema after the change.
    pub schema: UserSchema,
    /// Attributes that are gone: the values of existing users go too.
    pub removed: Vec<String>,
    /// Attributes that became unique: the values of existing users have to be looked through.
    pub to_validate: Vec<String>,
}

impl UserSchema {
    /// Reads the body of a partial update.
    ///
    /// # Errors
    /// Each member that is wrong.
    pub fn updated(&self, body: &Map<String, Value>, now: Timestamp) -> Result<SchemaChange, Violations> {
        let mut violations = Violations::new();
        let mut change = SchemaChange { schema: self.clone(), removed: Vec::new(), to_validate: Vec::new() };
        if let Some(definitions) = Fields::new(body).object("definitions", &mut violations) {
            let properties = |name: &str, violations: &mut Violations| {
                definitions.object(name, violations).and_then(|part| part.object("properties", violations))
            };
            if let Some(base) = properties("base", &mut violations) {
                change.update_base(&base, &mut violations);
            }
            if let Some(custom) = properties("custom", &mut violations) {
                change.update_custom(&custom, &mut violations);
            }
        }
        change.check_totals(&mut violations);
        violations.into_result()?;
        change.schema.last_updated = now.whole_seconds().max(self.created);
        Ok(change)
    }

    /// The schema with these attributes' uniqueness settled: all values were looked through, or given up.
    #[must_use]
    pub fn with_uniqueness(&self, names: &[String], uniqueness: Uniqueness) -> Self {
        let mut schema = self.clone();
        for attribute in schema.attributes.iter_mut().filter(|attribute| names.contains(&attribute.name)) {
            attribute.unique = uniqueness;
        }
        schema
    }
}

impl SchemaChange {
    fn update_base(&mut self, properties: &Fields<'_>, violations: &mut Violations) {
        for (name, value) in properties.members() {
            let known =
                self.schema.attributes.iter_mut().find(|known| known.origin == Origin::Base && known.name == *name);
            match (known, value) {
                (None, _) => properties.refuse(name, "There is no such base attribute", violations),
                (Some(_), Value::Null) => properties.refuse(name, "A base attribute cannot be removed", violations),
                (Some(known), Value::Object(members)) => {
                    update_base_attribute(known, &Fields::at(properties.path_of(name), members), violations);
                }
                (Some(_), _) => properties.refuse(name, "The field must be an object", violations),
            }
        }
    }

    fn update_custom(&mut self, properties: &Fields<'_>, violations: &mut Violations) {
        for (name, value) in properties.members() {
            let place =
                self.schema.attributes.iter().position(|known| known.origin == Origin::Custom && known.name == *name);
            match value {
                Value::Null => {
                    if let Some(place) = place {
                        self.schema.attributes.remove(place);
                        self.removed.push(name.clone());
                    }
                }
                Value::Object(members) => {
                    let fields = Fields::at(properties.path_of(name), members);
                    self.put_custom(name, place, &fields, violations);
                }
                _ => properties.refuse(name, "The field must be an object", violations),
            }
        }
    }

    fn put_custom(&mut self, name: &str, place: Option<usize>, fields: &Fields<'_>, violations: &mut Violations) {
        let old = place.and_then(|place| self.schema.attributes.get(place)).cloned();
        if old.is_none()
            && let Err(message) = check_name(name, &self.schema)
        {
            violations.add(fields.path(), message);
            return;
        }
        let before = violations.iter().count();
        let Some(attribute) = attribute::read(name, old.as_ref(), fields, violations) else { return };
        if violations.iter().count() > before {
            return;
        }
        if attribute.unique == Uniqueness::Pending {
            self.to_validate.push(name.to_owned());
        }
        match place.and_then(|place| self.schema.attributes.get_mut(place)) {
            Some(slot) => *slot = attribute,
            None => self.schema.attributes.push(attribute),
        }
    }

    fn check_totals(&self, violations: &mut Violations) {
        let custom = || self.schema.attributes.iter().filter(|attribute| attribute.origin == Origin::Custom);
        if custom().count() > MAX_CUSTOM_ATTRIBUTES {
            let message = format!("There may be at most {MAX_CUSTOM_ATTRIBUTES} custom attributes");
            violations.add("definitions.custom.properties", message);
        }
        if custom().filter(|attribute| attribute.is_unique()).count() > MAX_UNIQUE_ATTRIBUTES {
            let message = format!("At most {MAX_UNIQUE_ATTRIBUTES} custom attributes may be unique");
            violations.add("definitions.custom.properties", message);
        }
    }
}

fn update_base_attribute(known: &mut Attribute, fields: &Fields<'_>, violations: &mut Violations) {
    if let Some(permission) = read_permission(fields, violations) {
        known.permission = permission;
    }
    if let Some(master) = read_master(fields, violations) {
        known.master = master;
    }
    if let Some(required) = fields.boolean("required", violations)
        && required != known.required
    {
        if matches!(known.name.as_str(), "firstName" | "lastName") {
            known.required = required;
        } else {
            fields.refuse("required", "Only firstName and lastName may be made optional", violations);
        }
    }
    if known.name == "login" && fields.mentions("pattern") {
        known.pattern = read_pattern(fields, violations);
    }
    let shown = known.to_json();
    for member in ["type", "format", "minLength", "maxLength", "pattern", "enum", "mutability", "scope", "unique"] {
        let differs = fields.get(member).is_some_and(|sent| shown.get(member) != Some(sent));
        let may_change = member == "pattern" && known.name == "login";
        if differs && !may_change {
            fields.refuse(member, "The field of a base attribute cannot be changed", violations);
        }
    }
}

/// The permission of the users themselves; the only principal there is.
fn read_permission(fields: &Fields<'_>, violations: &mut Violations) -> Option<Permission> {
    let mut found = None;
    for (index, element) in fields.array("permissions", 8, violations)?.iter().enumerate() {
        let path = format!("{}[{index}]", fields.path_of("permissions"));
        let Value::Object(members) = element else {
            violations.add(path, "The field must be an object");
            continue;
        };
        let permission = Fields::at(path, members);
        if permission.get("principal").and_then(Value::as_str) != Some("SELF") {
            permission.refuse("principal", "The field must be SELF", violations);
        }
        found = permission.choice("action", &Permission::ALL, Permission::as_str, violations).or(found);
    }
    found
}

fn read_master(fields: &Fields<'_>, violations: &mut Violations) -> Option<Master> {
    fields.object("master", violations)?.choice("type", &Master::ALL, Master::as_str, violations)
}

fn read_pattern(fields: &Fields<'_>, violations: &mut Violations) -> Option<Pattern> {
    let text = fields.optional_text("pattern", 1..=1_000, violations)?;
    Pattern::parse(&text).map_err(|message| fields.refuse("pattern", message, violations)).ok()
}

/// Letters, digits and `_`, a letter first; unlike all other names, letter case aside.
fn check_name(name: &str, schema: &UserSchema) -> Result<(), String> {
    let well_formed = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if !well_formed || name.len() > MAX_NAME_CHARACTERS {
        let message = format!(
            "The name of an attribute must be 1 to {MAX_NAME_CHARACTERS} letters, digits and underscores, and not begin \
             with a digit"
        );
        return Err(message);
    }
    if FORBIDDEN_ATTRIBUTES.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return Err("The name is reserved".to_owned());
    }
    if schema.iter().any(|known| known.name.eq_ignore_ascii_case(name)) {
        return Err("There is an attribute of this name already, letter case aside".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
