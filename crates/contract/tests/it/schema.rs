//! A user schema for the tests: Okta's base attributes.

use hookwright_contract::{Attribute, UserAttributes};

/// The base attributes, and `secret`, which no hook may set.
pub(crate) struct BaseSchema;

pub(crate) const NAMES: [&str; 31] = [
    "login",
    "email",
    "firstName",
    "lastName",
    "secondEmail",
    "mobilePhone",
    "middleName",
    "honorificPrefix",
    "honorificSuffix",
    "title",
    "displayName",
    "nickName",
    "profileUrl",
    "preferredLanguage",
    "locale",
    "timezone",
    "userType",
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "managerId",
    "manager",
    "primaryPhone",
    "streetAddress",
    "city",
    "state",
    "zipCode",
    "countryCode",
    "postalAddress",
];

impl UserAttributes for BaseSchema {
    fn attribute(&self, name: &str) -> Attribute {
        match name {
            "secret" => Attribute::Forbidden,
            _ if NAMES.contains(&name) => Attribute::Known,
            _ => Attribute::Unknown,
        }
    }

    fn names(&self) -> Vec<&str> {
        NAMES.to_vec()
    }
}
