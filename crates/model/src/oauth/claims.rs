//! What tokens say.

use serde_json::{Map, Value, json};

use super::{DEFAULT_AUDIENCE, Scopes, TOKEN_LIFETIME};
use crate::Timestamp;
use crate::user::User;

/// What the tokens of one answer have in common.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// The authorization server, as its discovery document names it.
    pub issuer: &'a str,
    /// The client.
    pub client_id: &'a str,
    /// The user.
    pub user: &'a User,
    /// What was granted.
    pub scopes: &'a Scopes,
    /// When the user proved who they are.
    pub authenticated: Timestamp,
    /// The present.
    pub now: Timestamp,
}

fn seconds(instant: Timestamp) -> i64 {
    instant.as_millis().div_euclid(1_000)
}

/// The claims of an access token. `jti` makes it unique.
#[must_use]
pub fn access_token_claims(issue: &Issue<'_>, jti: &str) -> Value {
    json!({
        "ver": 1,
        "jti": jti,
        "iss": issue.issuer,
        "aud": DEFAULT_AUDIENCE,
        "iat": seconds(issue.now),
        "exp": seconds(issue.now.plus(TOKEN_LIFETIME)),
        "cid": issue.client_id,
        "uid": issue.user.id,
        "scp": issue.scopes.iter().collect::<Vec<_>>(),
        "auth_time": seconds(issue.authenticated),
        "sub": issue.user.login(),
    })
}

/// The claims of an ID token (OpenID Connect Core section 2). `at_hash` ties it to the access token beside it.
#[must_use]
pub fn id_token_claims(issue: &Issue<'_>, jti: &str, nonce: Option<&str>, at_hash: &str) -> Value {
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("sub", json!(issue.user.id));
    if issue.scopes.contains("profile") {
        put("name", json!(issue.user.full_name()));
        put("preferred_username", json!(issue.user.login()));
    }
    if issue.scopes.contains("email") {
        put("email", json!(issue.user.email()));
    }
    put("ver", json!(1));
    put("iss", json!(issue.issuer));
    put("aud", json!(issue.client_id));
    put("iat", json!(seconds(issue.now)));
    put("exp", json!(seconds(issue.now.plus(TOKEN_LIFETIME))));
    put("jti", json!(jti));
    put("amr", json!(["pwd"]));
    if let Some(nonce) = nonce {
        put("nonce", json!(nonce));
    }
    put("auth_time", json!(seconds(issue.authenticated)));
    put("at_hash", json!(at_hash));
    Value::Object(claims)
}

/// What `userinfo` says of a user (OpenID Connect Core section 5.1), as far as the scopes go.
#[must_use]
pub fn userinfo_claims(user: &User, scopes: &Scopes) -> Value {
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), json!(user.id));
    let attribute = |name: &str| user.profile.get(name).filter(|value| !value.is_null()).cloned();
    let mut copy = |pairs: &[(&str, &str)]| {
        for (claim, name) in pairs {
            if let Some(value) = attribute(name) {
                claims.insert((*claim).to_owned(), value);
            }
        }
    };
    if scopes.contains("profile") {
        copy(&[
            ("given_name", "firstName"),
            ("middle_name", "middleName"),
            ("family_name", "lastName"),
            ("nickname", "nickName"),
            ("preferred_username", "login"),
            ("profile", "profileUrl"),
            ("zoneinfo", "timezone"),
            ("locale", "locale"),
        ]);
    }
    if scopes.contains("email") {
        copy(&[("email", "email")]);
    }
    if scopes.contains("phone") {
        copy(&[("phone_number", "primaryPhone")]);
    }
    if scopes.contains("profile") {
        claims.insert("name".to_owned(), json!(user.full_name()));
        claims.insert("updated_at".to_owned(), json!(seconds(user.last_updated)));
    }
    if scopes.contains("email") {
        claims.insert("email_verified".to_owned(), json!(user.email_verified));
    }
    let address: Map<String, Value> = [
        ("street_address", "streetAddress"),
        ("locality", "city"),
        ("region", "state"),
        ("postal_code", "zipCode"),
        ("country", "countryCode"),
    ]
    .into_iter()
    .filter_map(|(claim, name)| Some((claim.to_owned(), attribute(name)?)))
    .collect();
    if scopes.contains("address") && !address.is_empty() {
        claims.insert("address".to_owned(), Value::Object(address));
    }
    Value::Object(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;

    fn user() -> User {
        let profile = json!({
            "login": "rosario.jones@okta.com", "email": "rosario@okta.com", "firstName": "Rosario", "lastName": "Jones",
            "city": "Lisbon", "primaryPhone": "+351 1", "employeeNumber": "1234",
        });
        let now = Timestamp::from_millis(1_700_000_000_000);
        User::create(UserId::from_text("00u1"), profile.as_object().unwrap(), None, false, now)
    }

    #[test]
    fn tokens_say_who_for_whom_and_how_long() {
        let (user, scopes) = (user(), Scopes::granted("openid profile email"));
        let issue = Issue {
            issuer: "https://org/oauth2/default",
            client_id: "0oa1",
            user: &user,
            scopes: &scopes,
            authenticated: Timestamp::from_millis(1_700_000_000_999),
            now: Timestamp::from_millis(1_700_000_060_000),
        };
        let access = access_token_claims(&issue, "AT.1");
        assert_eq!((&access["aud"], &access["sub"]), (&json!("api://default"), &json!("rosario.jones@okta.com")));
        assert_eq!(access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap(), 3_600);
        assert_eq!(access["scp"], json!(["openid", "profile", "email"]));
        let id = id_token_claims(&issue, "ID.1", Some("n"), "h");
        assert_eq!((&id["sub"], &id["aud"], &id["nonce"]), (&json!("00u1"), &json!("0oa1"), &json!("n")));
        assert_eq!((&id["name"], &id["email"]), (&json!("Rosario Jones"), &json!("rosario@okta.com")));
        assert_eq!(id["auth_time"], json!(1_700_000_000));
    }

    #[test]
    fn userinfo_says_no_more_than_the_scopes_allow() {
        let said = |scopes: &str| userinfo_claims(&user(), &Scopes::granted(scopes));
        assert_eq!(said("openid"), json!({"sub": "00u1"}));
        assert_eq!(said("openid email")["email"], "rosario@okta.com");
        assert_eq!(said("openid phone address")["address"], json!({"locality": "Lisbon"}));
        let all = said("openid profile email phone address");
        assert_eq!((&all["family_name"], &all["phone_number"]), (&json!("Jones"), &json!("+351 1")));
        assert!(!all.to_string().contains("1234"), "{all}");
    }
}
