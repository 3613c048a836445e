//! The attributes of a user's profile.

use hookwright_contract::{Attribute, UserAttributes};

/// The base attributes of every user profile, in Okta's order.
pub const BASE_ATTRIBUTES: [&str; 31] = [
    "login",
    "firstName",
    "lastName",
    "middleName",
    "honorificPrefix",
    "honorificSuffix",
    "email",
    "title",
    "displayName",
    "nickName",
    "profileUrl",
    "secondEmail",
    "mobilePhone",
    "primaryPhone",
    "streetAddress",
    "city",
    "state",
    "zipCode",
    "countryCode",
    "postalAddress",
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
];

/// What no hook may ever set: credentials, and what belongs to the user object and not to the profile.
pub const FORBIDDEN_ATTRIBUTES: [&str; 16] = [
    "password",
    "passcode",
    "credentials",
    "recovery_question",
    "id",
    "status",
    "type",
    "roles",
    "groups",
    "groupIds",
    "realmId",
    "created",
    "activated",
    "lastUpdated",
    "_links",
    "_embedded",
];

/// The schema of an org that has no custom attributes.
#[derive(Debug, Clone, Copy, Default)]
pub struct BaseAttributes;

impl UserAttributes for BaseAttributes {
    fn attribute(&self, name: &str) -> Attribute {
        if BASE_ATTRIBUTES.contains(&name) {
            Attribute::Known
        } else if FORBIDDEN_ATTRIBUTES.iter().any(|forbidden| forbidden.eq_ignore_ascii_case(name)) {
            Attribute::Forbidden
        } else {
            Attribute::Unknown
        }
    }

    fn names(&self) -> Vec<&str> {
        BASE_ATTRIBUTES.to_vec()
    }
}
