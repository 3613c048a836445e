//! Reading the members of a request's objects: each fault is named by its path, and reading goes on after it.
//!
//! A member that is null counts as one that is not there. Unknown members are ignored.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::Violations;
use crate::profile::MISSING;
use crate::text::{composed, has_controls};

/// An object of a request and where it stands.
#[derive(Clone)]
pub(crate) struct Fields<'b> {
    members: &'b Map<String, Value>,
    path: String,
}

impl<'b> Fields<'b> {
    /// The request's outermost object.
    pub(crate) const fn new(members: &'b Map<String, Value>) -> Self {
        Self { members, path: String::new() }
    }

    /// An object further in.
    pub(crate) const fn at(path: String, members: &'b Map<String, Value>) -> Self {
        Self { members, path }
    }

    /// Where the object stands.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Where a member stands.
    pub(crate) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Whether the member is there, also as null.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// The member, unless it is null.
    pub(crate) fn get(&self, name: &str) -> Option<&'b Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// The names of all members.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'b String, &'b Value)> {
        self.members.iter()
    }

    /// Says what is wrong with a member.
    pub(crate) fn refuse(&self, name: &str, message: impl Into<String>, violations: &mut Violations) {
        violations.add(self.path_of(name), message);
    }

    /// A text that must be there.
    pub(crate) fn text(
        &self,
        name: &str,
        characters: RangeInclusive<usize>,
        violations: &mut Violations,
    ) -> Option<String> {
        if self.get(name).is_none_or(|value| value.as_str().is_some_and(|text| text.trim().is_empty())) {
            self.refuse(name, MISSING, violations);
            return None;
        }
        self.optional_text(name, characters, violations)
    }

    /// A text that may be there.
    pub(crate) fn optional_text(
        &self,
        name: &str,
        characters: RangeInclusive<usize>,
        violations: &mut Violations,
    ) -> Option<String> {
        let text = match self.get(name)? {
            Value::String(text) => composed(text),
            _ => {
                self.refuse(name, "The field must be a string", violations);
                return None;
            }
        };
        if !characters.contains(&text.chars().count()) {
            let message = format!("The field must be {} to {} characters long", characters.start(), characters.end());
            self.refuse(name, message, violations);
        } else if has_controls(&text) {
            self.refuse(name, "The field must not contain control characters", violations);
        } else {
            return Some(text);
        }
        None
    }

    /// One of a list of names.
    pub(crate) fn choice<T: Copy>(
        &self,
        name: &str,
        known: &[T],
        show: fn(T) -> &'static str,
        violations: &mut Violations,
    ) -> Option<T> {
        let value = self.get(name)?;
        let found = value.as_str().and_then(|text| known.iter().copied().find(|known| show(*known) == text));
        if found.is_none() {
            let names: Vec<&str> = known.iter().map(|known| show(*known)).collect();
            let message = if names.len() == 1 {
                format!("The field must be {}", names.join(""))
            } else {
                format!("The field must be one of {}", names.join(", "))
            };
            self.refuse(name, message, violations);
        }
        found
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self, name: &str, violations: &mut Violations) -> Option<bool> {
        let value = self.get(name)?;
        if value.as_bool().is_none() {
            self.refuse(name, "The field must be true or false", violations);
        }
        value.as_bool()
    }

    /// A whole number of a range.
    pub(crate) fn integer(&self, name: &str, range: RangeInclusive<i64>, violations: &mut Violations) -> Option<i64> {
        let found = self.get(name)?.as_i64().filter(|number| range.contains(number));
        if found.is_none() {
            let message = format!("The field must be a whole number from {} to {}", range.start(), range.end());
            self.refuse(name, message, violations);
        }
        found
    }

    /// An object.
    pub(crate) fn object(&self, name: &str, violations: &mut Violations) -> Option<Self> {
        match self.get(name)? {
            Value::Object(members) => Some(Self::at(self.path_of(name), members)),
            _ => {
                self.refuse(name, "The field must be an object", violations);
                None
            }
        }
    }

    /// An array of at most so many elements.
    pub(crate) fn array(&self, name: &str, most: usize, violations: &mut Violations) -> Option<&'b [Value]> {
        match self.get(name)? {
            Value::Array(elements) if elements.len() <= most => Some(elements),
            Value::Array(_) => {
                self.refuse(name, format!("The field must have at most {most} elements"), violations);
                None
            }
            _ => {
                self.refuse(name, "The field must be an array", violations);
                None
            }
        }
    }

    /// An array of texts.
    pub(crate) fn texts(&self, name: &str, most: usize, violations: &mut Violations) -> Option<Vec<String>> {
        let elements = self.array(name, most, violations)?;
        let texts: Option<Vec<String>> = elements.iter().map(|text| text.as_str().map(composed)).collect();
        match texts {
            Some(texts) if texts.iter().all(|text| !has_controls(text) && text.chars().count() <= 2_000) => Some(texts),
            _ => {
                self.refuse(name, "The field must be an array of strings", violations);
                None
            }
        }
    }

    /// An array of names of a list.
    pub(crate) fn choices<T: Copy>(
        &self,
        name: &str,
        known: &[T],
        show: fn(T) -> &'static str,
        violations: &mut Violations,
    ) -> Option<Vec<T>> {
        let elements = self.array(name, known.len() * 2, violations)?;
        let find = |value: &Value| known.iter().copied().find(|known| value.as_str() == Some(show(*known)));
        let found: Option<Vec<T>> = elements.iter().map(find).collect();
        if found.is_none() {
            let names: Vec<&str> = known.iter().map(|known| show(*known)).collect();
            self.refuse(name, format!("Each element must be one of {}", names.join(", ")), violations);
        }
        found
    }
}
