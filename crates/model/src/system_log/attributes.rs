//! Which attributes of an event the `filter` parameter may name, and how each compares.

use std::fmt;

use crate::scim_filter::{AttributePath, Filter, FilterError, LetterCase, Operator, Term};

/// All attributes of an event that have a fixed name. `published` is left out, since `since` and `until` ask for it, and
/// `target.changeDetails`, which Okta doesn't search either.
const FIXED: [&str; 55] = [
    "uuid",
    "eventType",
    "version",
    "severity",
    "displayMessage",
    "legacyEventType",
    "actor.id",
    "actor.type",
    "actor.alternateId",
    "actor.displayName",
    "client.id",
    "client.zone",
    "client.device",
    "client.ipAddress",
    "client.userAgent.rawUserAgent",
    "client.userAgent.os",
    "client.userAgent.browser",
    "client.geographicalContext.city",
    "client.geographicalContext.state",
    "client.geographicalContext.country",
    "client.geographicalContext.postalCode",
    "client.geographicalContext.geolocation.lat",
    "client.geographicalContext.geolocation.lon",
    "request.ipChain.ip",
    "request.ipChain.version",
    "request.ipChain.source",
    "request.ipChain.geographicalContext.city",
    "request.ipChain.geographicalContext.state",
    "request.ipChain.geographicalContext.country",
    "request.ipChain.geographicalContext.postalCode",
    "request.ipChain.geographicalContext.geolocation.lat",
    "request.ipChain.geographicalContext.geolocation.lon",
    "target.id",
    "target.type",
    "target.alternateId",
    "target.displayName",
    "outcome.result",
    "outcome.reason",
    "transaction.id",
    "transaction.type",
    "authenticationContext.authenticationProvider",
    "authenticationContext.authenticationStep",
    "authenticationContext.credentialProvider",
    "authenticationContext.credentialType",
    "authenticationContext.externalSessionId",
    "authenticationContext.rootSessionId",
    "authenticationContext.interface",
    "authenticationContext.issuer.id",
    "authenticationContext.issuer.type",
    "securityContext.asNumber",
    "securityContext.asOrg",
    "securityContext.isp",
    "securityContext.domain",
    "securityContext.isProxy",
    "debugContext.debugData",
];

/// Objects whose members have names of their own making.
const OPEN: [&str; 4] = ["debugContext.debugData", "transaction.detail", "actor.detailEntry", "target.detailEntry"];

/// Attributes that can't be searched for a part of their text.
const WHOLE_ONLY: [&str; 2] = ["debugContext.debugData.url", "debugContext.debugData.requestUri"];

/// The longest part of a filter that an error repeats, in characters.
const MAX_SHOWN_CHARACTERS: usize = 200;

/// Why a filter can't be used. Printed, it is the summary of Okta's error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterRefusal {
    /// The text is no filter.
    Syntax {
        /// The filter, shortened.
        filter: String,
        /// What is wrong with it.
        error: FilterError,
    },
    /// Events have no such attribute, or none that can be searched.
    UnknownField(String),
    /// The attribute can't be searched with this operator.
    Combination {
        /// The operator.
        operator: Operator,
        /// The attribute.
        field: String,
    },
}

impl fmt::Display for FilterRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { filter, error } => write!(formatter, "Invalid filter '{filter}': {error}"),
            Self::UnknownField(field) => write!(formatter, "field is not valid: {field}"),
            Self::Combination { operator, field } => write!(
                formatter,
                "The supplied combination of operator and field is not currently supported. Operator: {}, Field: {field}",
                operator.as_str()
            ),
        }
    }
}

impl std::error::Error for FilterRefusal {}

/// Reads a filter over [events](super::LogEvent) as they are shown.
///
/// Attributes are found in any letter case and also as `event_type`, the spelling that Okta's older examples have. Letter
/// case counts in ids only.
///
/// # Errors
/// See [`FilterRefusal`].
pub fn read_filter(text: &str) -> Result<Filter, FilterRefusal> {
    let syntax = |error| FilterRefusal::Syntax { filter: super::shortened(text, MAX_SHOWN_CHARACTERS), error };
    let mut filter = Filter::parse(text).map_err(syntax)?;
    filter.try_for_each_term(check)?;
    Ok(filter)
}

fn check(term: &mut Term) -> Result<(), FilterRefusal> {
    let written = term.attribute().to_string();
    let Some(attribute) = known(term.attribute()) else {
        return Err(FilterRefusal::UnknownField(super::shortened(&written, MAX_SHOWN_CHARACTERS)));
    };
    let whole_only = WHOLE_ONLY.iter().find(|name| fold(name) == fold(&attribute.to_string()));
    if let (Operator::Contains, Some(field)) = (term.operator(), whole_only) {
        return Err(FilterRefusal::Combination { operator: Operator::Contains, field: (*field).to_owned() });
    }
    if attribute.segments().last().is_some_and(|name| name == "id" || name == "uuid" || name.ends_with("Id")) {
        term.set_letter_case(LetterCase::Exact);
    }
    term.set_attribute(attribute);
    Ok(())
}

/// The attribute in its own spelling.
fn known(written: &AttributePath) -> Option<AttributePath> {
    let segments = written.segments();
    for open in OPEN {
        let names: Vec<&str> = open.split('.').collect();
        if let Some((head, tail)) = segments.split_at_checked(names.len())
            && !tail.is_empty()
            && same(head, &names)
        {
            let below = names.iter().skip(1).map(|name| (*name).to_owned()).chain(tail.iter().cloned());
            return Some(AttributePath::new(*names.first()?, below));
        }
    }
    // An object is known by its members; it can be asked for with `pr`.
    FIXED.iter().chain(&OPEN).find_map(|fixed| {
        let names: Vec<&str> = fixed.split('.').take(segments.len()).collect();
        let below = names.iter().skip(1).map(|name| (*name).to_owned());
        same(segments, &names).then(|| Some(AttributePath::new(*names.first()?, below)))?
    })
}

fn same(segments: &[String], names: &[&str]) -> bool {
    segments.len() == names.len() && segments.iter().zip(names).all(|(segment, name)| fold(segment) == fold(name))
}

/// A name without what may differ in its spelling.
fn fold(name: &str) -> String {
    name.chars().filter(|&letter| letter != '_').map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_in_any_spelling() {
        for (filter, read) in [
            (r#"event_type eq "x""#, r#"eventType eq "x""#),
            (r#"TARGET.ID eq "x""#, r#"target.id eq "x""#),
            (r#"client.userAgent pr"#, "client.userAgent pr"),
            ("target pr and debugContext pr", "target pr and debugContext pr"),
            (r#"debugcontext.debug_data.Own.name eq "x""#, r#"debugContext.debugData.Own.name eq "x""#),
            (r#"transaction.detail.requestApiTokenId eq "x""#, r#"transaction.detail.requestApiTokenId eq "x""#),
            (r#"debugContext.debugData.url sw "https://""#, r#"debugContext.debugData.url sw "https://""#),
        ] {
            assert_eq!(read_filter(filter).unwrap().to_string(), read, "{filter}");
        }
    }

    #[test]
    fn every_attribute_of_an_event_can_be_asked_for() {
        for name in FIXED.iter().chain(&OPEN) {
            assert_eq!(read_filter(&format!("{name} pr")).unwrap().to_string(), format!("{name} pr"));
        }
    }

    #[test]
    fn refusals_read_as_okta_words_them() {
        for (filter, text) in [
            (r#"published gt "2024-01-01""#, "field is not valid: published"),
            (r#"actor.id eq "1" and some_invalid_field pr"#, "field is not valid: some_invalid_field"),
            ("target.changeDetails.from pr", "field is not valid: target.changeDetails.from"),
            ("actor.id.deeper pr", "field is not valid: actor.id.deeper"),
            (
                r#"debugContext.debugData.url co "/oauth/""#,
                "The supplied combination of operator and field is not currently supported. Operator: co, \
                 Field: debugContext.debugData.url",
            ),
            (
                r#"not (debugContext.debugData.requestURI co "x")"#,
                "The supplied combination of operator and field is not currently supported. Operator: co, \
                 Field: debugContext.debugData.requestUri",
            ),
            (
                r#"display_message eqq "Create okta user""#,
                r#"Invalid filter 'display_message eqq "Create okta user"': Unrecognized attribute operator 'eqq' at position 16. Expected: eq,ne,co,sw,ew,pr,gt,ge,lt,le"#,
            ),
        ] {
            assert_eq!(read_filter(filter).unwrap_err().to_string(), text, "{filter}");
        }
    }

    #[test]
    fn letter_case_counts_in_ids_only() {
        let event = serde_json::json!({"target": [{"id": "calA", "displayName": "Hook"}]});
        assert!(read_filter(r#"target.id eq "calA" and target.displayName eq "HOOK""#).unwrap().matches(&event));
        assert!(!read_filter(r#"target.id eq "cala""#).unwrap().matches(&event));
    }
}
