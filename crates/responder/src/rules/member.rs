//! Naming a member of a request.

use std::fmt;

use hookwright_contract::json::{self, Value};
use serde::Deserialize;

/// The way to a member: `data.userProfile.login`, or a JSON Pointer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct MemberPath(Vec<String>);

impl MemberPath {
    pub(super) fn find<'v, 'a>(&self, request: &'v Value<'a>) -> Option<&'v Value<'a>> {
        self.0.iter().try_fold(request, |value, name| match value.as_array() {
            Some(elements) => elements.get(name.parse::<usize>().ok()?),
            None => value.get(name),
        })
    }
}

impl TryFrom<String> for MemberPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let names: Option<Vec<String>> = if text.starts_with('/') {
            json::tokens(&text).map(|tokens| tokens.into_iter().map(Into::into).collect())
        } else {
            let names: Vec<_> = text.split('.').map(str::to_owned).collect();
            (!names.iter().any(String::is_empty)).then_some(names)
        };
        names.map(Self).ok_or_else(|| format!("{text:?} does not name a member, as data.userProfile.login does"))
    }
}

impl fmt::Display for MemberPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("."))
    }
}
