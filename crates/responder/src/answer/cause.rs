//! Causes of an error: what was wrong, and where.

use serde::Serialize;

/// Which part of the request a [`Cause`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LocationType {
    /// The body: what people submitted.
    Body,
    /// A header.
    Header,
    /// The URL.
    Url,
    /// The query of the URL.
    Query,
}

/// One cause of an error. On a registration form its text is shown beside the field that the last segment of the
/// location names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "a cause belongs into an answer"]
pub struct Cause {
    error_summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location_type: Option<LocationType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
}

impl Cause {
    /// A cause with a text for people.
    pub fn new(summary: impl Into<String>) -> Self {
        Self { error_summary: summary.into(), reason: None, location_type: None, location: None, domain: None }
    }

    /// A cause at a member of the request body, such as `data.userProfile.email`.
    pub fn at(location: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::new(summary).location_type(LocationType::Body).location(location)
    }

    /// A reason for programs, such as `INVALID_EMAIL_DOMAIN`.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Which part of the request is meant.
    pub fn location_type(mut self, location_type: LocationType) -> Self {
        self.location_type = Some(location_type);
        self
    }

    /// Where in that part.
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// Who the cause lies with, such as `end-user`.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    pub(crate) fn summary(&self) -> &str {
        &self.error_summary
    }
}
