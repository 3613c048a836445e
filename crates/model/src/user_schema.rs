//! The schema of user profiles: which attributes there are, and what values they take.

mod attribute;
mod base;
mod input;
mod representation;
mod unique;

use hookwright_contract::{Attribute as CommandTarget, UserAttributes};
use serde_json::{Map, Value};

use crate::Timestamp;

pub use attribute::{
    Attribute, AttributeFormat, AttributeType, Choice, ItemType, Master, Mutability, Origin, Pattern, Permission,
    Scope, Uniqueness,
};
pub use base::BASE_ATTRIBUTES;
pub use input::SchemaChange;
pub use unique::UniqueValue;

/// What no hook may ever set and no custom attribute be called: credentials, and what belongs to the user object and not to
/// the profile.
pub(crate) const FORBIDDEN_ATTRIBUTES: [&str; 16] = [
    "password",
    "passcode",
    "credentials",
    "recovery_question",
    "id",
    "status",
    "type",
    "roles",
    "groups",
    "groupIds",
    "realmId",
    "created",
    "activated",
    "lastUpdated",
    "_links",
    "_embedded",
];

/// The schema of the org's one type of users: Okta's base attributes, then the org's own.
#[derive(Debug, Clone, PartialEq)]
pub struct UserSchema {
    attributes: Vec<Attribute>,
    /// When the schema was made.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// Counts the writes. Starts at 1.
    pub revision: i64,
}

/// What a stored schema has besides its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaDates {
    /// When the schema was made.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// How often it was written.
    pub revision: i64,
}

impl UserSchema {
    /// The schema of a new org: the base attributes as live orgs have them.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let now = now.whole_seconds();
        Self { attributes: base::attributes(), created: now, last_updated: now, revision: 1 }
    }

    /// The attribute of this name. Names are compared as they are written.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// All attributes: the base ones in Okta's order, then the org's own in the order they were made.
    pub fn iter(&self) -> std::slice::Iter<'_, Attribute> {
        self.attributes.iter()
    }

    /// Sets what a login must look like; without a pattern it must look like an email address.
    #[cfg(test)]
    pub(crate) fn set_login_pattern(&mut self, pattern: Option<Pattern>) {
        if let Some(login) = self.attributes.iter_mut().find(|attribute| attribute.name == "login") {
            login.pattern = pattern;
        }
    }

    /// The attributes whose values no two users may share, but for the login, which stands in an index of its own.
    fn unique_attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(|attribute| attribute.is_unique() && attribute.name != "login")
    }

    /// The values of a profile that no other user may have, the login aside.
    #[must_use]
    pub fn unique_values(&self, profile: &Map<String, Value>) -> Vec<UniqueValue> {
        let value = |attribute: &Attribute| UniqueValue::of(&attribute.name, profile.get(&attribute.name)?);
        self.unique_attributes().filter_map(value).collect()
    }

    /// The profile without what is not in the schema, such as the values of attributes that are gone.
    #[must_use]
    pub fn known_part(&self, profile: &Map<String, Value>) -> Map<String, Value> {
        let known = profile.iter().filter(|(name, _)| self.get(name).is_some());
        known.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

impl Default for UserSchema {
    /// The schema of an org that has no attributes of its own.
    fn default() -> Self {
        Self::new(Timestamp::default())
    }
}

impl UserAttributes for UserSchema {
    fn attribute(&self, name: &str) -> CommandTarget {
        match self.get(name) {
            Some(attribute) if attribute.mutability == Mutability::ReadWrite => CommandTarget::Known,
            Some(_) => CommandTarget::Forbidden,
            None if FORBIDDEN_ATTRIBUTES.iter().any(|forbidden| forbidden.eq_ignore_ascii_case(name)) => {
                CommandTarget::Forbidden
            }
            None => CommandTarget::Unknown,
        }
    }

    fn names(&self) -> Vec<&str> {
        let writable = self.attributes.iter().filter(|attribute| attribute.mutability == Mutability::ReadWrite);
        writable.map(|attribute| attribute.name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests;
