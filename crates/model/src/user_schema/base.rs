//! The attributes that every user profile has, as live orgs show them (Schemas API, "Get the default user schema").

use super::attribute::{
    Attribute, AttributeFormat as Format, Master, Origin, Permission, Permission::Hide, Permission::ReadOnly,
    Permission::ReadWrite, Scope, Uniqueness,
};

/// The names of the base attributes, in Okta's order.
#[expect(clippy::indexing_slicing, reason = "a constant: an index out of bounds would not compile")]
pub const BASE_ATTRIBUTES: [&str; 31] = {
    let mut names = [""; 31];
    let mut index = 0;
    while index < names.len() {
        names[index] = TABLE[index].0;
        index += 1;
    }
    names
};

/// Name, title, and what the users themselves may do.
const TABLE: [(&str, &str, Permission); 31] = [
    ("login", "Username", ReadOnly),
    ("firstName", "First name", ReadWrite),
    ("lastName", "Last name", ReadWrite),
    ("middleName", "Middle name", ReadOnly),
    ("honorificPrefix", "Honorific prefix", ReadOnly),
    ("honorificSuffix", "Honorific suffix", ReadOnly),
    ("email", "Primary email", ReadWrite),
    ("title", "Title", ReadOnly),
    ("displayName", "Display name", ReadOnly),
    ("nickName", "Nickname", ReadOnly),
    ("profileUrl", "Profile Url", ReadOnly),
    ("secondEmail", "Secondary email", ReadWrite),
    ("mobilePhone", "Mobile phone", ReadWrite),
    ("primaryPhone", "Primary phone", Hide),
    ("streetAddress", "Street address", Hide),
    ("city", "City", Hide),
    ("state", "State", Hide),
    ("zipCode", "Zip code", Hide),
    ("countryCode", "Country code", Hide),
    ("postalAddress", "Postal Address", Hide),
    ("preferredLanguage", "Preferred language", ReadOnly),
    ("locale", "Locale", ReadOnly),
    ("timezone", "Time zone", ReadOnly),
    ("userType", "User type", ReadOnly),
    ("employeeNumber", "Employee number", ReadOnly),
    ("costCenter", "Cost center", ReadOnly),
    ("organization", "Organization", ReadOnly),
    ("division", "Division", ReadOnly),
    ("department", "Department", ReadOnly),
    ("managerId", "ManagerId", ReadOnly),
    ("manager", "Manager", ReadOnly),
];

/// The base attributes of a new org.
pub(super) fn attributes() -> Vec<Attribute> {
    TABLE.iter().map(|&(name, title, permission)| attribute(name, title, permission)).collect()
}

fn attribute(name: &str, title: &str, permission: Permission) -> Attribute {
    let (min_length, max_length) = match name {
        "login" => (Some(5), Some(100)),
        "firstName" | "lastName" => (Some(1), Some(50)),
        "mobilePhone" | "primaryPhone" => (None, Some(100)),
        _ => (None, None),
    };
    let format = match name {
        "email" | "secondEmail" => Some(Format::Email),
        "profileUrl" => Some(Format::Uri),
        "countryCode" => Some(Format::CountryCode),
        "preferredLanguage" => Some(Format::LanguageCode),
        "locale" => Some(Format::Locale),
        "timezone" => Some(Format::Timezone),
        _ => None,
    };
    let unique = if matches!(name, "login" | "email") { Uniqueness::Validated } else { Uniqueness::No };
    Attribute {
        min_length,
        max_length,
        format,
        required: matches!(name, "login" | "firstName" | "lastName" | "email"),
        unique,
        permission,
        scope: Scope::None,
        master: Master::ProfileMaster,
        origin: Origin::Base,
        ..Attribute::custom_text(name, title)
    }
}
