//! Rules from a file: a hook service without code.
//!
//! A file lists endpoints, an endpoint lists rules. The first rule whose conditions all hold gives the answer; if none
//! does, it is `{}`, which means "go on".
//!
//! ```
//! # use hookwright_responder::{Responder, rules::Rules};
//! let rules: Rules = r#"
//! [[endpoint]]
//! path = "/hook"
//! hook = "com.okta.user.pre-registration"
//!
//! [[endpoint.rule]]
//! request_types = ["self.service.registration"]
//! when."data.userProfile.email" = { domain = "example.com", subdomains = true }
//! answer.action = "ALLOW"
//!
//! [[endpoint.rule]]
//! answer.action = "DENY"
//! answer.error = "Please use your work address."
//! answer.causes = [{ summary = "Not a work address.", location = "data.userProfile.email" }]
//! "#.parse()?;
//! let service = Responder::new().rules(rules);
//! # Ok::<(), hookwright_responder::rules::RulesError>(())
//! ```
//!
//! | key of an endpoint | meaning |
//! |---|---|
//! | `path` | where it answers |
//! | `hook` | the hook type it is for; anything else gets 400. Without it any JSON object is taken |
//!
//! | key of a rule | meaning |
//! |---|---|
//! | `request_types` | only requests with one of these values of `requestType` |
//! | `requires` | members without which the request gets 400 |
//! | `when."MEMBER"` | conditions on a member; all must hold |
//! | `answer` | what to answer |
//!
//! A member is named by its path, `data.userProfile.email`, or by a JSON Pointer (RFC 6901) if a name has a dot in it.
//!
//! | condition | holds if the member is |
//! |---|---|
//! | `present = true` or `false` | there, even as `null`, or not |
//! | `equals = VALUE` | that value |
//! | `one_of = [VALUE, ...]` | one of these values |
//! | `digits = N` | a text of exactly N ASCII digits |
//! | `length = N` | a text of N characters, as JavaScript counts them |
//! | `pattern = "TEXT"` | a text of that shape: `#` a digit, `?` any character, `*` any characters |
//! | `domain = "NAME"` | an address in that domain; with `subdomains = true` also in one below it |
//! | `domain_contains = "TEXT"` | an address with that text in its domain: easily fooled, for comparison only |
//!
//! | key of an answer | meaning |
//! |---|---|
//! | `action` | `ALLOW` or `DENY`, for registration hooks |
//! | `update_profile`, `update_progressive_profile` | attributes to set |
//! | `commands` | any commands, each with `type` and `value`; they follow the ones above |
//! | `error`, `causes` | a text for people; causes with `summary`, `reason`, `location_type`, `location`, `domain` |
//! | `debug` | members of `debugContext` |
//! | `status` | the HTTP status, 200 if not given; 204 sends no body |
//! | `delay_ms` | milliseconds to wait first, up to 60,000, to play a slow service |
//!
//! In attributes, commands and `debug` a text of the form `"{data.userProfile.email}"` stands for the value of that
//! member of the request, and is left out together with its name if there is no such member.

mod answer;
mod condition;
mod decide;
mod file;
mod member;
mod pattern;
mod template;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use serde_path_to_error::Segment;
use toml::Spanned;

use crate::endpoint::Endpoint;
use file::{EndpointRules, File};

/// The endpoints of a rules file.
#[derive(Debug, Clone)]
pub struct Rules(Vec<EndpointRules>);

/// What is wrong with a rules file.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The text is not TOML, has an unknown key, or a value that makes no sense.
    #[error("line {line}, column {column}: {message}")]
    Invalid {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1, in characters.
        column: usize,
        /// What is wrong, with the key's name.
        message: String,
    },
}

impl Rules {
    /// Reads a rules file.
    ///
    /// # Errors
    /// [`RulesError`], which names the key and line at fault.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RulesError> {
        let path = path.as_ref();
        std::fs::read_to_string(path)
            .map_err(|source| RulesError::Unreadable { path: path.to_owned(), source })?
            .parse()
    }

    /// The paths that these rules answer on, in the order of the file.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(EndpointRules::path)
    }

    pub(crate) fn into_endpoints(self) -> impl Iterator<Item = (String, Endpoint)> {
        self.0.into_iter().map(|rules| {
            let path = rules.path().to_owned();
            let endpoint: Endpoint = Arc::new(move |body| Box::pin(std::future::ready(decide::decide(&rules, &body))));
            (path, endpoint)
        })
    }
}

impl FromStr for Rules {
    type Err = RulesError;

    fn from_str(text: &str) -> Result<Self, RulesError> {
        let file = parse(text)?;
        let mut endpoints = file.endpoint;
        for (index, endpoint) in endpoints.iter().enumerate() {
            let path = endpoint.path();
            if endpoints.iter().take(index).any(|earlier| earlier.path() == path) {
                return Err(invalid(text, endpoint.path.span().start, &format!("path: {path} is given twice")));
            }
        }
        for rule in endpoints.iter_mut().flat_map(|endpoint| &mut endpoint.rule) {
            let start = Spanned::span(rule).start;
            rule.get_mut().line = position(text, start).0;
        }
        Ok(Self(endpoints))
    }
}

fn parse(text: &str) -> Result<File, RulesError> {
    let start = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
    let document = toml::Deserializer::parse(text).map_err(|error| invalid(text, start(&error), error.message()))?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let key = key_of(error.path());
        let error = error.into_inner();
        let message = error.message();
        let last = key.rsplit('.').next().unwrap_or_default();
        // "unknown field `domian`, expected ..." says already which key it is.
        if key.is_empty() || message.contains(&format!("`{last}`")) {
            invalid(text, start(&error), message)
        } else {
            invalid(text, start(&error), &format!("{key}: {message}"))
        }
    })
}

/// The key that a path leads to, as its endpoint or rule calls it: the line tells which one that is.
fn key_of(path: &serde_path_to_error::Path) -> String {
    let names: Vec<&str> = path
        .iter()
        .filter_map(|segment| match segment {
            Segment::Map { key } => Some(key.as_str()),
            _ => None,
        })
        // toml's own marker of values that know their place.
        .filter(|name| !name.starts_with("$__"))
        .collect();
    names.strip_prefix(&["endpoint", "rule"]).or(names.strip_prefix(&["endpoint"])).unwrap_or(&names).join(".")
}

fn invalid(text: &str, start: usize, message: &str) -> RulesError {
    let (line, column) = position(text, start);
    RulesError::Invalid { line, column, message: message.trim_end().to_owned() }
}

/// Line and column, from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or(before);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}
