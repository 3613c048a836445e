//! Groups of users. One of them, Everyone, is built in and holds every user.

use serde_json::{Map, Value, json};

use crate::id::GroupId;
use crate::{Timestamp, Violations};

/// What the built-in group is called.
const EVERYONE: &str = "Everyone";

/// The most characters of a group's name.
const MAX_NAME_CHARACTERS: usize = 255;

/// The most characters of a group's description.
const MAX_DESCRIPTION_CHARACTERS: usize = 1_024;

/// A group of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Unique key, `00g…`.
    pub id: GroupId,
    /// Display name, unique in the org.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is built in: it can't be changed, and everybody is in it.
    pub built_in: bool,
    /// When it was created.
    pub created: Timestamp,
    /// When its profile last changed; never before `created`.
    pub last_updated: Timestamp,
    /// When somebody last joined or left.
    pub last_membership_updated: Timestamp,
    /// Counts the writes of its profile. Starts at 1.
    pub revision: i64,
}

impl Group {
    /// The group that every user is in.
    #[must_use]
    pub fn everyone(id: GroupId, now: Timestamp) -> Self {
        let now = now.whole_seconds();
        Self {
            id,
            name: EVERYONE.to_owned(),
            description: Some("All users in your organization".to_owned()),
            built_in: true,
            created: now,
            last_updated: now,
            last_membership_updated: now,
            revision: 1,
        }
    }

    /// Reads the body of a create call.
    ///
    /// # Errors
    /// Each field that is wrong.
    pub fn create(id: GroupId, body: &Map<String, Value>, now: Timestamp) -> Result<Self, Violations> {
        let (name, description) = read_profile(body)?;
        let now = now.whole_seconds();
        Ok(Self {
            id,
            name,
            description,
            built_in: false,
            created: now,
            last_updated: now,
            last_membership_updated: now,
            revision: 1,
        })
    }

    /// Reads the body of a PUT.
    ///
    /// # Errors
    /// Each field that is wrong.
    pub fn replaced(&self, body: &Map<String, Value>, now: Timestamp) -> Result<Self, Violations> {
        let (name, description) = read_profile(body)?;
        Ok(Self { name, description, last_updated: now.whole_seconds().max(self.created), ..self.clone() })
    }

    /// The group as the API shows it. `base` is the public URL of the org without a slash at its end.
    #[must_use]
    pub fn to_json(&self, base: &str) -> Value {
        let own = format!("{base}/api/v1/groups/{}", self.id);
        json!({
            "id": self.id,
            "created": self.created,
            "lastUpdated": self.last_updated,
            "lastMembershipUpdated": self.last_membership_updated,
            "objectClass": ["okta:user_group"],
            "type": if self.built_in { "BUILT_IN" } else { "OKTA_GROUP" },
            "profile": {"name": self.name, "description": self.description},
            "_links": {
                "logo": [],
                "users": {"href": format!("{own}/users")},
                "apps": {"href": format!("{own}/apps")},
            },
        })
    }
}

fn read_profile(body: &Map<String, Value>) -> Result<(String, Option<String>), Violations> {
    let mut violations = Violations::new();
    let empty = Map::new();
    let profile = match body.get("profile") {
        Some(Value::Object(profile)) => profile,
        None | Some(Value::Null) => &empty,
        Some(_) => return Err(Violations::one("profile", "The field must be an object")),
    };
    let name = match profile.get("name") {
        Some(Value::String(name)) if !name.trim().is_empty() => {
            read(name, "name", MAX_NAME_CHARACTERS, &mut violations)
        }
        None | Some(Value::Null | Value::String(_)) => {
            violations.add("name", crate::profile::MISSING);
            None
        }
        Some(_) => {
            violations.add("name", "The field must be a string");
            None
        }
    };
    let description = match profile.get("description") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => read(text, "description", MAX_DESCRIPTION_CHARACTERS, &mut violations),
        Some(_) => {
            violations.add("description", "The field must be a string");
            None
        }
    };
    for member in profile.keys().filter(|member| !matches!(member.as_str(), "name" | "description" | "objectClass")) {
        let member: String = member.chars().filter(|letter| !letter.is_control()).take(100).collect();
        violations.add("", format!("Property name '{member}' is not defined in profile"));
    }
    violations.into_result()?;
    Ok((name.unwrap_or_default(), description))
}

fn read(text: &str, field: &str, most: usize, violations: &mut Violations) -> Option<String> {
    let text = crate::text::composed(text);
    if text.chars().count() > most {
        violations.add(field, format!("The field must be at most {most} characters long"));
    } else if crate::text::has_controls(&text) {
        violations.add(field, "The field must not contain control characters");
    } else {
        return Some(text);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(body: Value) -> Result<Group, String> {
        let now = Timestamp::from_millis(1_700_000_000_000);
        Group::create(GroupId::from_text("00g1"), body.as_object().unwrap(), now).map_err(|error| error.to_string())
    }

    #[test]
    fn a_group_is_read_and_shown() {
        let group = create(json!({"profile": {"name": "Staff", "description": null}})).unwrap();
        let json = group.to_json("https://org");
        assert_eq!(json["profile"], json!({"name": "Staff", "description": null}));
        assert_eq!(json["type"], "OKTA_GROUP");
        assert_eq!(json["_links"]["users"]["href"], "https://org/api/v1/groups/00g1/users");
        assert_eq!(Group::everyone(GroupId::from_text("00g0"), group.created).to_json("")["type"], "BUILT_IN");
    }

    #[test]
    fn each_wrong_field_is_named() {
        assert_eq!(create(json!({})), Err("name: The field cannot be left blank".to_owned()));
        assert_eq!(
            create(json!({"profile": {"name": 1, "description": "\u{0}", "owner": 1}})),
            Err("name: The field must be a string; description: The field must not contain control characters; \
                 Property name 'owner' is not defined in profile"
                .to_owned())
        );
        let long = create(json!({"profile": {"name": "x".repeat(256)}}));
        assert_eq!(long, Err("name: The field must be at most 255 characters long".to_owned()));
    }
}
