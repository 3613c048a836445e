//! The shape of a rules file.

use std::collections::BTreeMap;

use hookwright_contract::HookType;
use serde::Deserialize;
use toml::Spanned;

use super::answer::AnswerRule;
use super::condition::Condition;
use super::member::MemberPath;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) endpoint: Vec<EndpointRules>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointRules {
    pub(super) path: Spanned<EndpointPath>,
    pub(super) hook: Option<HookType>,
    #[serde(default)]
    pub(super) rule: Vec<Spanned<Rule>>,
}

impl EndpointRules {
    pub(super) fn path(&self) -> &str {
        &self.path.get_ref().0
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) request_types: Option<Vec<String>>,
    #[serde(default)]
    pub(super) requires: Vec<MemberPath>,
    #[serde(default)]
    pub(super) when: BTreeMap<MemberPath, Condition>,
    #[serde(default)]
    pub(super) answer: AnswerRule,
    /// Where the rule stands in its file, for the log.
    #[serde(skip)]
    pub(super) line: usize,
}

/// A path that can be asked for and is not one of the service's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct EndpointPath(String);

impl TryFrom<String> for EndpointPath {
    type Error = String;

    fn try_from(path: String) -> Result<Self, String> {
        let unfit = |character: char| character.is_control() || character.is_whitespace() || "?#".contains(character);
        if !path.starts_with('/') {
            Err(format!("{path:?} does not begin with a slash"))
        } else if path.contains(unfit) {
            Err(format!("{path:?} has a character that no request path has"))
        } else if matches!(&*path, "/healthz" | "/readyz") {
            Err(format!("{path} is the service's own"))
        } else {
            Ok(Self(path))
        }
    }
}
