//! Every route of the router, with every method, as somebody who may, and as everybody who may not.

use std::collections::HashSet;

use hookwright_app::TokenGrant;
use hookwright_model::admin_role::AdminRole;
use hookwright_model::api_scope::ApiScopes;
use hookwright_model::id::UserId;
use hookwright_testkit::{Answer, Client, Org};
use serde_json::json;

use super::*;
use crate::router::paths;

const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// A path of the router with something in place of its variable parts.
fn filled(path: &str) -> String {
    let fill = |part: &str| if part.starts_with('{') { "nothing".to_owned() } else { part.to_owned() };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

/// From elsewhere, so that what is open to this machine is not.
async fn ask(client: &Client, method: &Method, path: &str) -> Answer {
    let request = client.request(method.clone(), &filled(path)).header("X-Forwarded-For", "203.0.113.7");
    request.json(&json!({})).send().await
}

/// Every route with every method that it has, as the router knows them.
async fn routes(org: &Org) -> Vec<(String, Method)> {
    let mut found = Vec::new();
    for path in paths() {
        for method in METHODS {
            if ask(&org.stranger(), &method, &path).await.status != 405 {
                found.push((path.clone(), method));
            }
        }
    }
    found
}

async fn administrator(org: &Org, login: &str, role: AdminRole) -> UserId {
    let profile = json!({"login": login, "email": login, "firstName": "A", "lastName": "B"});
    let user = org.client.post("/api/v1/users", &json!({"profile": profile})).await.json();
    let id = user["id"].as_str().unwrap();
    let granted = org.client.post(&format!("/api/v1/users/{id}/roles"), &json!({"type": role.as_str()})).await;
    assert_eq!(granted.status, 201, "{}", granted.text());
    UserId::from_text(id)
}

#[tokio::test]
async fn every_route_has_its_row_and_every_row_its_route() {
    let org = Org::start().await;
    let mut lacking = Vec::new();
    let mut known = HashSet::new();
    for (path, method) in routes(&org).await {
        if of(&path, &method).is_none() {
            lacking.push(format!("{method} {path}"));
        }
        known.insert((path, method));
    }
    assert!(lacking.is_empty(), "routes without a row in rights.rs: {lacking:#?}");
    for row in ROWS {
        for method in row.rights.iter().flat_map(|(methods, _)| methods.iter()) {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert!(known.contains(&(row.path.to_owned(), method.clone())), "no such route: {method} {}", row.path);
        }
    }
    assert_eq!(BY_PATH.len(), ROWS.len(), "a path has two rows");
}

#[tokio::test]
async fn who_lacks_the_right_is_refused_on_every_route_that_asks_for_one() {
    let org = Org::start().await;
    let reader = administrator(&org, "reader@example.com", AdminRole::ReadOnlyAdmin).await;
    let (_, reading) = org.token_for("reader", TokenGrant::all_of(reader)).await;
    let narrow =
        |scopes: &str| TokenGrant { owner: org.administrator.clone(), scopes: ApiScopes::parse(scopes).unwrap() };
    let (_, elsewhere) = org.token_for("elsewhere", narrow("okta.orgs.manage")).await;
    let mut asked = 0;
    for (path, method) in routes(&org).await {
        let stranger = ask(&org.stranger(), &method, &path).await;
        let with_wrong_token = ask(&org.client.with_token("hwt_wrong"), &method, &path).await;
        let Some(Right::Scope(need)) = of(&path, &method) else { continue };
        // Who lacks a token is told less of readiness, but is told.
        if path == "/readyz" {
            assert!(!stranger.text().contains("openings"));
            continue;
        }
        asked += 1;
        assert_eq!((stranger.status.as_u16(), with_wrong_token.status.as_u16()), (401, 401), "{method} {path}");
        let refused = |answer: Answer| {
            assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text());
            if method != Method::HEAD {
                assert_eq!(answer.refusal(), (403, "E0000006".to_owned()), "{method} {path}");
            }
        };
        refused(ask(&elsewhere, &method, &path).await);
        let by_reader = ask(&reading, &method, &path).await;
        match need.access {
            ApiAccess::Manage => refused(by_reader),
            _ => assert_ne!(by_reader.status, 403, "{method} {path}"),
        }
        // The scope alone is enough, and the one that only reads never is for a write.
        let (_, fitting) = org.token_for("fitting", narrow(&need.to_string())).await;
        assert_ne!(ask(&fitting, &method, &path).await.refusal().1, "E0000006", "{method} {path}");
        if need.access == ApiAccess::Manage {
            let less = ApiScope { access: ApiAccess::Read, ..need };
            let (_, less) = org.token_for("less", narrow(&less.to_string())).await;
            refused(ask(&less, &method, &path).await);
        }
    }
    assert!(asked > 80, "{asked}");
}
