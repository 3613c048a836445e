//! Conditions on one member of a request.

use hookwright_contract::json::Value;
use serde::Deserialize;

use super::pattern::has_shape;
use crate::domain::{domain_of, lies_within};

/// Conditions on one member; all that are given must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    present: Option<bool>,
    equals: Option<serde_json::Value>,
    one_of: Option<Vec<serde_json::Value>>,
    digits: Option<usize>,
    length: Option<usize>,
    pattern: Option<String>,
    domain: Option<String>,
    subdomains: Option<bool>,
    domain_contains: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct Condition(Vec<Test>);

#[derive(Debug, Clone)]
enum Test {
    Present(bool),
    OneOf(Vec<serde_json::Value>),
    Digits(usize),
    Length(usize),
    Pattern(String),
    Domain { name: String, subdomains: bool },
    DomainContains(String),
}

impl TryFrom<Written> for Condition {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        if written.subdomains.is_some() && written.domain.is_none() {
            return Err("has subdomains without a domain");
        }
        let subdomains = written.subdomains.unwrap_or(false);
        let tests = [
            written.present.map(Test::Present),
            written.equals.map(|value| Test::OneOf(vec![value])),
            written.one_of.map(Test::OneOf),
            written.digits.map(Test::Digits),
            written.length.map(Test::Length),
            written.pattern.map(Test::Pattern),
            written.domain.map(|name| Test::Domain { name, subdomains }),
            written.domain_contains.map(Test::DomainContains),
        ];
        let tests: Vec<Test> = tests.into_iter().flatten().collect();
        if tests.is_empty() { Err("has no condition") } else { Ok(Self(tests)) }
    }
}

impl Condition {
    /// Whether the member, if there is one, is as it should be.
    pub(super) fn holds(&self, member: Option<&Value<'_>>) -> bool {
        self.0.iter().all(|test| test.holds(member))
    }
}

impl Test {
    fn holds(&self, member: Option<&Value<'_>>) -> bool {
        if let Self::Present(wanted) = self {
            return member.is_some() == *wanted;
        }
        let Some(member) = member else { return false };
        if let Self::OneOf(values) = self {
            return values.contains(&member.to_json());
        }
        member.as_str().is_some_and(|text| self.holds_for(text))
    }

    fn holds_for(&self, text: &str) -> bool {
        match self {
            Self::Present(_) | Self::OneOf(_) => false,
            Self::Digits(count) => text.len() == *count && text.bytes().all(|byte| byte.is_ascii_digit()),
            Self::Length(count) => text.encode_utf16().count() == *count,
            Self::Pattern(pattern) => has_shape(text, pattern),
            Self::Domain { name, subdomains } => domain_of(text)
                .is_some_and(|domain| domain.eq_ignore_ascii_case(name) || *subdomains && lies_within(domain, name)),
            Self::DomainContains(part) => text.split('@').nth(1).is_some_and(|domain| domain.contains(part.as_str())),
        }
    }
}
