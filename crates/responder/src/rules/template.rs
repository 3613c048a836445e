//! Values of an answer, into which members of the request can be copied.

use hookwright_contract::json::Value;
use serde::Deserialize;
use serde_json::Map;

use super::member::MemberPath;

/// A value as the file has it; a text of the form `{data.userProfile.email}` stands for that member of the request.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub(super) enum Template {
    Literal(serde_json::Value),
    Member(MemberPath),
    Array(Vec<Template>),
    Object(Vec<(String, Template)>),
}

impl Template {
    /// The value for a request; `None` if it is a member that the request does not have.
    pub(super) fn fill(&self, request: &Value<'_>) -> Option<serde_json::Value> {
        match self {
            Self::Literal(value) => Some(value.clone()),
            Self::Member(path) => path.find(request).map(Value::to_json),
            Self::Array(elements) => {
                Some(elements.iter().filter_map(|element| element.fill(request)).collect::<Vec<_>>().into())
            }
            Self::Object(members) => Some(fill_members(members, request).into()),
        }
    }
}

/// An object of templates.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub(super) struct Members(Vec<(String, Template)>);

impl Members {
    pub(super) fn fill(&self, request: &Value<'_>) -> Map<String, serde_json::Value> {
        fill_members(&self.0, request)
    }
}

fn fill_members(members: &[(String, Template)], request: &Value<'_>) -> Map<String, serde_json::Value> {
    members.iter().filter_map(|(name, template)| Some((name.clone(), template.fill(request)?))).collect()
}

impl TryFrom<serde_json::Value> for Template {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        Ok(match value {
            serde_json::Value::String(text) => match placeholder(&text) {
                Some(path) => Self::Member(path.to_owned().try_into()?),
                None => Self::Literal(text.into()),
            },
            serde_json::Value::Array(elements) => {
                Self::Array(elements.into_iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            serde_json::Value::Object(_) => Self::Object(Members::try_from(value)?.0),
            other => Self::Literal(other),
        })
    }
}

impl TryFrom<serde_json::Value> for Members {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        let serde_json::Value::Object(members) = value else { return Err("must be a table".to_owned()) };
        let member = |(name, value)| Ok((name, Template::try_from(value)?));
        members.into_iter().map(member).collect::<Result<_, String>>().map(Self)
    }
}

fn placeholder(text: &str) -> Option<&str> {
    text.strip_prefix('{')?.strip_suffix('}')
}
