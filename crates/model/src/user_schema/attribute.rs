//! One attribute of a user profile and the rules for its values.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::names::names;

/// A compiled pattern may take this many bytes; larger ones are refused.
const MAX_PATTERN_BYTES: usize = 256 * 1024;

/// One attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// The name in the profile, such as `employeeNumber`.
    pub name: String,
    /// What forms call it.
    pub title: String,
    /// What it is for.
    pub description: Option<String>,
    /// The kind of its values.
    pub kind: AttributeType,
    /// The fewest characters of a text.
    pub min_length: Option<u32>,
    /// The most characters of a text.
    pub max_length: Option<u32>,
    /// The least value of a number.
    pub minimum: Option<f64>,
    /// The greatest value of a number.
    pub maximum: Option<f64>,
    /// The only values it takes, of an array its elements.
    pub enumeration: Option<Vec<Value>>,
    /// Names for the values of `enumeration`, in the same order.
    pub one_of: Option<Vec<Choice>>,
    /// What a text must look like as a whole.
    pub pattern: Option<Pattern>,
    /// What a text stands for.
    pub format: Option<AttributeFormat>,
    /// Whether each user must have a value.
    pub required: bool,
    /// Whether no two users may have the same value.
    pub unique: Uniqueness,
    /// What the users themselves may do with it.
    pub permission: Permission,
    /// Whether the attribute is shared among assignments or personal.
    pub scope: Scope,
    /// Who may change the value at all.
    pub mutability: Mutability,
    /// Where the value is mastered.
    pub master: Master,
    /// Okta's own or the org's.
    pub origin: Origin,
}

impl Attribute {
    /// A text attribute of the org's own without any rule.
    #[must_use]
    pub(crate) fn custom_text(name: &str, title: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            description: None,
            kind: AttributeType::String,
            min_length: None,
            max_length: None,
            minimum: None,
            maximum: None,
            enumeration: None,
            one_of: None,
            pattern: None,
            format: None,
            required: false,
            unique: Uniqueness::No,
            permission: Permission::ReadWrite,
            scope: Scope::None,
            mutability: Mutability::ReadWrite,
            master: Master::ProfileMaster,
            origin: Origin::Custom,
        }
    }

    /// Whether no two users may have the same value; true too while the values of existing users are being looked through.
    #[must_use]
    pub const fn is_unique(&self) -> bool {
        !matches!(self.unique, Uniqueness::No)
    }

    /// The values to choose from with what to call them, if there is such a list.
    #[must_use]
    pub fn choices(&self) -> Option<Vec<Choice>> {
        if let Some(choices) = &self.one_of {
            return Some(choices.clone());
        }
        let values = self.enumeration.as_ref()?;
        let named = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(values.iter().map(|value| Choice { value: value.clone(), title: named(value) }).collect())
    }
}

/// The kind of an attribute's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeType {
    /// `string`
    String,
    /// `boolean`
    Boolean,
    /// `number`
    Number,
    /// `integer`, of 32 bits
    Integer,
    /// `array`
    Array(ItemType),
}

impl AttributeType {
    /// The name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Array(_) => "array",
        }
    }
}

names! {
    /// The kind of an array's elements.
    ItemType {
        /// `string`
        String = "string",
        /// `number`
        Number = "number",
        /// `integer`, of 32 bits
        Integer = "integer",
    }
}

/// A value to choose and what it is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The value.
    pub value: Value,
    /// Its name.
    pub title: String,
}

/// A regular expression that a text must match as a whole. It is matched in time linear to the text.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence: look-around and back references are not spoken here.
    pub fn parse(text: &str) -> Result<Self, String> {
        let build = |pattern: &str| RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build();
        // The text alone first: what closes our group must not be taken for a part of it.
        build(text).and_then(|_| build(&format!("^(?:{text})$"))).map_or_else(
            |error| match error {
                regex::Error::CompiledTooBig(_) => Err("The pattern is too large".to_owned()),
                _ => Err("The pattern is not a regular expression that is understood here".to_owned()),
            },
            |regex| Ok(Self { text: text.to_owned(), regex }),
        )
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole text matches.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, formatter)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

names! {
    /// What a text stands for.
    AttributeFormat {
        /// An ISO 3166-1 alpha-2 code.
        CountryCode = "country-code",
        /// An RFC 3339 date and time.
        DateTime = "date-time",
        /// An email address.
        Email = "email",
        /// Encrypted elsewhere.
        Encrypted = "encrypted",
        /// Hashed elsewhere.
        Hashed = "hashed",
        /// A language tag such as `en` or `en-US`.
        LanguageCode = "language-code",
        /// A language and a country such as `en_US`.
        Locale = "locale",
        /// The id of another object.
        RefId = "ref-id",
        /// A name of the IANA time zone database.
        Timezone = "timezone",
        /// An absolute URI.
        Uri = "uri",
    }
}

names! {
    /// What the users themselves may do with an attribute (the permission of the principal `SELF`). Hooks are not bound by it.
    Permission {
        /// Not even see it.
        Hide = "HIDE",
        /// See it.
        ReadOnly = "READ_ONLY",
        /// See and change it; only such attributes can stand on an enrolment form.
        ReadWrite = "READ_WRITE",
    }
}

names! {
    /// Whether an attribute is personal. Kept and shown; nothing here depends on it.
    Scope {
        /// Not personal.
        None = "NONE",
        /// Personal.
        Itself = "SELF",
    }
}

names! {
    /// Who may change a value at all.
    Mutability {
        /// Whoever may change the profile.
        ReadWrite = "READ_WRITE",
        /// Nobody here: another system's value.
        ReadOnly = "READ_ONLY",
        /// Nobody, once it is set.
        Immutable = "IMMUTABLE",
        /// Whoever may change the profile, but nobody sees it.
        WriteOnly = "WRITE_ONLY",
    }
}

names! {
    /// Where a value is mastered.
    Master {
        /// Where the profile is.
        ProfileMaster = "PROFILE_MASTER",
        /// In Okta.
        Okta = "OKTA",
        /// Where the attribute says itself.
        Override = "OVERRIDE",
    }
}

/// Whether values must differ from user to user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// They need not.
    No,
    /// They must from now on; those of existing users are being looked through.
    Pending,
    /// They do.
    Validated,
}

/// Who made an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Okta: it is there in every org.
    Base,
    /// The org.
    Custom,
}
