//! Origins whose pages may call the org from a browser, or be returned to after signing in.

use serde_json::{Map, Value, json};
use url::Url;

use crate::fields::Fields;
use crate::id::TrustedOriginId;
use crate::lifecycle::LifecycleStatus;
use crate::{Timestamp, Violations};

/// The most characters of an origin's name.
const MAX_NAME_CHARACTERS: usize = 255;

/// An origin that the org trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedOrigin {
    /// Unique key, `tos…`.
    pub id: TrustedOriginId,
    /// Display name, unique in the org.
    pub name: String,
    /// Scheme, host and port as a browser's `Origin` header spells them; unique in the org.
    pub origin: String,
    /// Whether its pages may call the org (CORS).
    pub cors: bool,
    /// Whether people may be sent back to it.
    pub redirect: bool,
    /// Whether it counts.
    pub status: LifecycleStatus,
    /// Who created it.
    pub created_by: String,
    /// Who last changed it.
    pub last_updated_by: String,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed; never before `created`.
    pub last_updated: Timestamp,
    /// Counts the writes. Starts at 1.
    pub revision: i64,
}

/// What a request says of an origin.
struct Given {
    name: String,
    origin: String,
    cors: bool,
    redirect: bool,
    status: Option<LifecycleStatus>,
}

impl TrustedOrigin {
    /// Reads the body of a create call; `by` is who sends it.
    ///
    /// # Errors
    /// Each field that is wrong.
    pub fn create(
        id: TrustedOriginId,
        body: &Map<String, Value>,
        by: &str,
        now: Timestamp,
    ) -> Result<Self, Violations> {
        let given = read(body)?;
        let now = now.whole_seconds();
        Ok(Self {
            id,
            name: given.name,
            origin: given.origin,
            cors: given.cors,
            redirect: given.redirect,
            status: given.status.unwrap_or_default(),
            created_by: by.to_owned(),
            last_updated_by: by.to_owned(),
            created: now,
            last_updated: now,
            revision: 1,
        })
    }

    /// Reads the body of a PUT.
    ///
    /// # Errors
    /// Each field that is wrong.
    pub fn replaced(&self, body: &Map<String, Value>, by: &str, now: Timestamp) -> Result<Self, Violations> {
        let given = read(body)?;
        Ok(Self {
            name: given.name,
            origin: given.origin,
            cors: given.cors,
            redirect: given.redirect,
            ..self.with_status(given.status.unwrap_or(self.status), by, now)
        })
    }

    /// The origin switched on or off.
    #[must_use]
    pub fn with_status(&self, status: LifecycleStatus, by: &str, now: Timestamp) -> Self {
        let last_updated = now.whole_seconds().max(self.created);
        Self { status, last_updated_by: by.to_owned(), last_updated, ..self.clone() }
    }

    /// The origin as the API shows it. `base` is the public URL of the org without a slash at its end.
    #[must_use]
    pub fn to_json(&self, base: &str) -> Value {
        let own = format!("{base}/api/v1/trustedOrigins/{}", self.id);
        let mut scopes = Vec::new();
        if self.cors {
            scopes.push(json!({"type": "CORS"}));
        }
        if self.redirect {
            scopes.push(json!({"type": "REDIRECT"}));
        }
        let step = if self.status.is_active() { "deactivate" } else { "activate" };
        json!({
            "id": self.id,
            "name": self.name,
            "origin": self.origin,
            "scopes": scopes,
            "status": self.status.as_str(),
            "created": self.created,
            "createdBy": self.created_by,
            "lastUpdated": self.last_updated,
            "lastUpdatedBy": self.last_updated_by,
            "_links": {
                "self": {"href": own, "hints": {"allow": ["GET", "PUT", "DELETE"]}},
                step: {"href": format!("{own}/lifecycle/{step}"), "hints": {"allow": ["POST"]}},
            },
        })
    }
}

fn read(body: &Map<String, Value>) -> Result<Given, Violations> {
    let mut violations = Violations::new();
    let fields = Fields::new(body);
    let name = fields.text("name", 1..=MAX_NAME_CHARACTERS, &mut violations);
    let text = fields.text("origin", 1..=255, &mut violations);
    let origin = text.and_then(|text| {
        let origin = canonical_origin(&text);
        if origin.is_none() {
            violations.add("origin", "The field must be an origin such as https://app.example.com");
        }
        origin
    });
    let status = fields.choice("status", &LifecycleStatus::ALL, LifecycleStatus::as_str, &mut violations);
    let (mut cors, mut redirect) = (false, false);
    for (index, scope) in fields.array("scopes", 8, &mut violations).unwrap_or_default().iter().enumerate() {
        match scope.get("type").and_then(Value::as_str) {
            Some("CORS") => cors = true,
            Some("REDIRECT") => redirect = true,
            _ => violations.add(format!("scopes[{index}].type"), "The field must be one of CORS, REDIRECT"),
        }
    }
    if fields.array("scopes", 8, &mut Violations::new()).is_none_or(<[Value]>::is_empty) {
        violations.add("scopes", crate::profile::MISSING);
    }
    violations.into_result()?;
    Ok(Given { name: name.unwrap_or_default(), origin: origin.unwrap_or_default(), cors, redirect, status })
}

/// Scheme, host and port as browsers write them; `None` for anything with a path, a query or a user, and for `null`.
#[must_use]
fn canonical_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let bare = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && !text.contains(['@', '\\', '*']);
    bare.then(|| url.origin().ascii_serialization())
}

/// The origin of a page at this URL, as its browser writes it; `None` for what is no page of the web.
#[must_use]
pub fn origin_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(body: &Value) -> Result<TrustedOrigin, String> {
        let now = Timestamp::from_millis(1_700_000_000_000);
        TrustedOrigin::create(TrustedOriginId::from_text("tos1"), body.as_object().unwrap(), "00T1", now)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        assert_eq!(canonical_origin("HTTPS://App.Example.com:443/").as_deref(), Some("https://app.example.com"));
        assert_eq!(canonical_origin("http://localhost:3000").as_deref(), Some("http://localhost:3000"));
        for bad in [
            "",
            "null",
            "app.example.com",
            "https://a/b",
            "https://a?x",
            "https://a#",
            "https://u@a",
            "ftp://a",
            "https://*.a.b",
        ] {
            assert_eq!(canonical_origin(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_pages_of_the_web_have_an_origin() {
        assert_eq!(origin_of("https://App.Example.com:443/cb?x#y").as_deref(), Some("https://app.example.com"));
        assert_eq!(origin_of("http://localhost:3000/").as_deref(), Some("http://localhost:3000"));
        for bad in ["com.example:/cb", "file:///a", "null", "", "data:text/html,x"] {
            assert_eq!(origin_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_origin_is_read_and_shown() {
        let origin =
            create(&json!({"name": "App", "origin": "https://app.example.com/", "scopes": [{"type": "CORS"}]}))
                .unwrap();
        let json = origin.to_json("https://org");
        assert_eq!(json["origin"], "https://app.example.com");
        assert_eq!(json["scopes"], json!([{"type": "CORS"}]));
        assert_eq!(json["_links"]["deactivate"]["hints"]["allow"], json!(["POST"]));
        let off = origin.with_status(LifecycleStatus::Inactive, "00T2", origin.created).to_json("");
        assert_eq!((&off["status"], &off["lastUpdatedBy"]), (&json!("INACTIVE"), &json!("00T2")));
        assert!(off["_links"].get("activate").is_some());
    }

    #[test]
    fn each_wrong_field_is_named() {
        assert_eq!(
            create(&json!({"origin": "x", "scopes": [{"type": "IFRAME"}]})).unwrap_err(),
            "name: The field cannot be left blank; origin: The field must be an origin such as https://app.example.com; \
             scopes[0].type: The field must be one of CORS, REDIRECT"
        );
        assert_eq!(
            create(&json!({"name": "a", "origin": "http://a", "scopes": []})).unwrap_err(),
            "scopes: The field cannot be left blank"
        );
    }
}
