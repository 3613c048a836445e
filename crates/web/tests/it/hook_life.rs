//! The life of a hook: create, read, change, activate, deactivate, delete.

use std::collections::HashSet;
use std::time::Duration;

use hookwright_testkit::{Org, OrgOptions};
use http::Method;
use serde_json::{Value, json};

use crate::expectations::{accepted, has_every_header, has_rate_limit, refused, refused_for};
use crate::fixtures::{HOOKS, created, hook, hook_with, id_of, path_of, shown};

#[tokio::test]
async fn a_created_hook_is_active_and_shown_whole() {
    let org = Org::start().await;
    let answer = org.client.post(HOOKS, &hook("My Test Inline Hook")).await;
    accepted(&answer);
    has_rate_limit(&answer);
    insta::assert_snapshot!(shown(&org, &answer), @r#"
    200
    {
      "id": "[id]",
      "status": "ACTIVE",
      "name": "My Test Inline Hook",
      "type": "com.okta.user.pre-registration",
      "version": "1.0.0",
      "channel": {
        "type": "HTTP",
        "version": "1.0.0",
        "config": {
          "uri": "https://hooks.example.com/registration",
          "headers": [
            {
              "key": "X-Other-Header",
              "value": "some-other-value"
            }
          ],
          "method": "POST",
          "authScheme": {
            "type": "HEADER",
            "key": "Authorization",
            "value": "******"
          }
        }
      },
      "created": "2023-11-14T22:13:20.000Z",
      "lastUpdated": "2023-11-14T22:13:20.000Z",
      "_links": {
        "self": {
          "href": "[org]/api/v1/inlineHooks/[id]"
        },
        "execute": {
          "href": "[org]/api/v1/inlineHooks/[id]/execute",
          "hints": {
            "allow": [
              "POST"
            ]
          }
        },
        "deactivate": {
          "href": "[org]/api/v1/inlineHooks/[id]/lifecycle/deactivate",
          "hints": {
            "allow": [
              "POST"
            ]
          }
        }
      }
    }
    "#);
}

#[tokio::test]
async fn a_hook_lives_from_its_creation_to_its_deletion() {
    let org = Org::start().await;
    let first = created(&org, &hook("first")).await;
    org.clock.advance(Duration::from_millis(1));
    let second = created(&org, &hook("second")).await;
    let path = path_of(&first);
    assert_eq!(accepted(&org.client.get(&path).await), first);
    assert_eq!(accepted(&org.client.get(HOOKS).await), json!([first, second]));

    let deactivated = org.client.post_empty(&format!("{path}/lifecycle/deactivate")).await;
    assert_eq!(accepted(&deactivated)["status"], "INACTIVE");
    assert_eq!(accepted(&org.client.get(&path).await), deactivated.json());
    let links = serde_json::to_string(&deactivated.json()["_links"]).unwrap();
    let own = format!("http://{}{path}", org.client.address());
    insta::assert_snapshot!(
        links.replace(&own, "[hook]"),
        @r#"{"activate":{"href":"[hook]/lifecycle/activate","hints":{"allow":["POST"]}},"self":{"href":"[hook]"},"delete":{"href":"[hook]","hints":{"allow":["DELETE"]}}}"#
    );

    let deleted = org.client.delete(&path).await;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    assert_eq!(deleted.header("content-type"), "");
    has_every_header(&deleted);
    assert_eq!(accepted(&org.client.get(HOOKS).await), json!([second]));
    refused(&org.client.get(&path).await, 404, "E0000007");
}

#[tokio::test]
async fn an_active_hook_is_not_deleted() {
    let org = Org::start().await;
    let hook = created(&org, &hook("in use")).await;
    let answer = org.client.delete(&path_of(&hook)).await;
    let causes = refused(&answer, 403, "E0000107");
    assert_eq!(causes.len(), 1);
    assert!(causes[0].contains(id_of(&hook)) && causes[0].contains("deactivate"), "{causes:?}");
    assert_eq!(answer.json()["errorSummary"], "The entity is not in the expected state for the requested transition.");
    assert_eq!(accepted(&org.client.get(&path_of(&hook)).await), hook);
}

#[tokio::test]
async fn lifecycle_calls_can_be_repeated_and_change_the_date_only_with_the_status() {
    let org = Org::start().await;
    let path = path_of(&created(&org, &hook("on and off")).await);
    let call = async |verb: &str| {
        org.clock.advance(Duration::from_secs(10));
        accepted(&org.client.post_empty(&format!("{path}/lifecycle/{verb}")).await)
    };
    let at_first = call("activate").await;
    assert_eq!((&at_first["status"], &at_first["lastUpdated"]), (&json!("ACTIVE"), &json!("2023-11-14T22:13:20.000Z")));
    let off = call("deactivate").await;
    assert_eq!((&off["status"], &off["lastUpdated"]), (&json!("INACTIVE"), &json!("2023-11-14T22:13:40.000Z")));
    assert_eq!(call("deactivate").await, off);
    let on = call("activate").await;
    assert_eq!((&on["status"], &on["lastUpdated"]), (&json!("ACTIVE"), &json!("2023-11-14T22:14:00.000Z")));
    assert_eq!(on["created"], "2023-11-14T22:13:20.000Z");
}

#[tokio::test]
async fn a_put_replaces_the_whole_hook_but_its_type_status_and_dates() {
    let org = Org::start().await;
    let before = created(&org, &hook_with("before", "/metadata", json!({"optOut": "true"}))).await;
    assert_eq!(before["metadata"], json!({"optOut": "true"}));
    org.clock.advance(Duration::from_millis(61_999));
    let replacement = json!({
        "name": "after", "version": "1.0.1", "status": "INACTIVE",
        "channel": {"type": "HTTP", "version": "1.0.0", "config": {"uri": "https://other.example.com/"}},
    });
    let after = accepted(&org.client.put(&path_of(&before), &replacement).await);
    assert_eq!(after["name"], "after");
    assert_eq!(after["version"], "1.0.1");
    assert_eq!(after["status"], "ACTIVE");
    assert_eq!(after["type"], before["type"]);
    assert_eq!(
        after["channel"]["config"],
        json!({"uri": "https://other.example.com/", "headers": [], "method": "POST", "authScheme": null})
    );
    assert_eq!(after.get("metadata"), None);
    assert_eq!(after["created"], before["created"]);
    assert_eq!(after["lastUpdated"], "2023-11-14T22:14:21.000Z");
    assert_eq!(accepted(&org.client.get(&path_of(&before)).await), after);
}

#[tokio::test]
async fn a_post_changes_only_the_members_that_it_brings() {
    let org = Org::start().await;
    let before = created(&org, &hook("before")).await;
    let mut expected = before.clone();
    expected["name"] = json!("after");
    let after = accepted(&org.client.post(&path_of(&before), &json!({"name": "after"})).await);
    assert_eq!(after, expected);
    let after = accepted(&org.client.post(&path_of(&before), &json!({})).await);
    assert_eq!(after, expected);
    let channel = json!({"type": "HTTP", "config": {"uri": "https://hooks.example.com/elsewhere"}});
    let after = accepted(&org.client.post(&path_of(&before), &json!({"channel": channel})).await);
    assert_eq!(after["channel"]["config"]["uri"], "https://hooks.example.com/elsewhere");
    assert_eq!(after["channel"]["config"]["headers"], json!([]));
    assert_eq!(after["name"], "after");
    refused_for(&org.client.post(&path_of(&before), &json!({"name": ""})).await, "name");
    refused_for(&org.client.post(&path_of(&before), &json!({"version": "one"})).await, "version");
}

#[tokio::test]
async fn the_type_of_a_hook_never_changes() {
    let org = Org::start().await;
    let before = created(&org, &hook("mine")).await;
    let same = hook("mine");
    accepted(&org.client.put(&path_of(&before), &same).await);
    let other = hook_with("mine", "/type", json!("com.okta.saml.tokens.transform"));
    refused_for(&org.client.put(&path_of(&before), &other).await, "type");
    refused_for(&org.client.post(&path_of(&before), &json!({"type": "com.okta.import.transform"})).await, "type");
    refused_for(&org.client.post(&path_of(&before), &json!({"type": 7})).await, "type");
    assert_eq!(accepted(&org.client.get(&path_of(&before)).await)["type"], "com.okta.user.pre-registration");
}

#[tokio::test]
async fn a_status_in_a_body_is_ignored() {
    let org = Org::start().await;
    let hook = created(&org, &hook_with("mine", "/status", json!("INACTIVE"))).await;
    assert_eq!(hook["status"], "ACTIVE");
    accepted(&org.client.post_empty(&format!("{}/lifecycle/deactivate", path_of(&hook))).await);
    let body = hook_with("mine", "/status", json!("ACTIVE"));
    assert_eq!(accepted(&org.client.put(&path_of(&hook), &body).await)["status"], "INACTIVE");
    assert_eq!(accepted(&org.client.post(&path_of(&hook), &body).await)["status"], "INACTIVE");
}

#[tokio::test]
async fn unknown_members_are_ignored_and_read_only_ones_are_never_bound() {
    let org = Org::start().await;
    let mut body = hook("mine");
    for (member, value) in [
        ("id", json!("cal00000000000000001")),
        ("created", json!("1999-01-01T00:00:00.000Z")),
        ("lastUpdated", json!("1999-01-01T00:00:00.000Z")),
        ("_links", json!({"self": {"href": "https://evil.example"}})),
        ("revision", json!(99)),
        ("_embedded", json!({})),
        ("unheardOf", json!([1, 2, {"deep": null}])),
    ] {
        body[member] = value;
    }
    body["channel"]["unheardOf"] = json!(true);
    body["channel"]["config"]["unheardOf"] = json!({"a": 1});
    let hook = created(&org, &body).await;
    assert_ne!(hook["id"], "cal00000000000000001");
    assert_eq!(hook["created"], "2023-11-14T22:13:20.000Z");
    assert!(!hook.to_string().contains("unheardOf") && !hook.to_string().contains("evil"));
    let replaced = accepted(&org.client.put(&path_of(&hook), &body).await);
    assert_eq!(replaced, hook);
}

#[tokio::test]
async fn every_verb_on_a_hook_that_is_not_there_is_answered_with_404() {
    let org = Org::start().await;
    let path = format!("{HOOKS}/calNotThere0000000001");
    let body = hook("mine");
    for (method, tail, body) in [
        (Method::GET, "", None),
        (Method::PUT, "", Some(&body)),
        (Method::POST, "", Some(&body)),
        (Method::DELETE, "", None),
        (Method::POST, "/lifecycle/activate", None),
        (Method::POST, "/lifecycle/deactivate", None),
        (Method::POST, "/execute", Some(&body)),
    ] {
        let request = org.client.request(method, &format!("{path}{tail}"));
        let answer = match body {
            Some(body) => request.json(body).send().await,
            None => request.send().await,
        };
        refused(&answer, 404, "E0000007");
        assert_eq!(answer.json()["errorSummary"], "Not found: Resource not found: calNotThere0000000001 (InlineHook)");
    }
}

#[tokio::test]
async fn ids_have_three_letters_of_their_kind_and_seventeen_more_and_never_repeat() {
    let org = Org::start().await;
    let mut seen = HashSet::new();
    for number in 0..30 {
        let hook = created(&org, &hook(&format!("hook {number}"))).await;
        let id = id_of(&hook);
        assert!(id.starts_with("cal") && id.len() == 20 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
        assert!(seen.insert(id.to_owned()));
    }
}

#[tokio::test]
async fn the_list_is_filtered_by_type() {
    let org = Org::start().await;
    let registration = created(&org, &hook("registration")).await;
    org.clock.advance(Duration::from_millis(1));
    let saml = created(&org, &hook_with("saml", "/type", json!("com.okta.saml.tokens.transform"))).await;
    let list = async |query: &str| accepted(&org.client.get(&format!("{HOOKS}{query}")).await);
    assert_eq!(list("?type=com.okta.user.pre-registration").await, json!([registration]));
    assert_eq!(list("?type=com.okta.saml.tokens.transform").await, json!([saml]));
    assert_eq!(list("?type=com.okta.import.transform").await, json!([]));
    assert_eq!(list("?type=com.okta.tokens.transform").await, json!([]));
    for all in ["", "?", "?type=", "?limit=1", "?after=x&unheardOf=%ff"] {
        assert_eq!(list(all).await, json!([registration, saml]), "{all}");
    }
    let answer = org.client.get(&format!("{HOOKS}?type=com.okta.unheard-of")).await;
    assert!(refused_for(&answer, "type").contains("com.okta.unheard-of"));
    assert_eq!(org.client.get(HOOKS).await.header("link"), "");
}

#[tokio::test]
async fn an_org_has_a_most_of_hooks_whatever_their_type_and_status() {
    let mut options = OrgOptions::default();
    options.settings.inline_hook_limit = 3;
    let org = Org::start_with(options).await;
    let first = created(&org, &hook("1")).await;
    created(&org, &hook_with("2", "/type", json!("com.okta.import.transform"))).await;
    created(&org, &hook("3")).await;
    accepted(&org.client.post_empty(&format!("{}/lifecycle/deactivate", path_of(&first))).await);
    let answer = org.client.post(HOOKS, &hook("4")).await;
    let causes = refused(&answer, 400, "E0000001");
    assert!(causes.len() == 1 && causes[0].contains('3'), "{causes:?}");
    assert_eq!(org.client.delete(&path_of(&first)).await.status, 204);
    created(&org, &hook("4")).await;
}

#[tokio::test]
async fn the_limit_is_one_hundred_unless_it_is_set() {
    let org = Org::start().await;
    for number in 0..100 {
        created(&org, &hook(&format!("hook {number}"))).await;
    }
    refused(&org.client.post(HOOKS, &hook("one too many")).await, 400, "E0000001");
    assert_eq!(accepted(&org.client.get(HOOKS).await).as_array().map(Vec::len), Some(100));
}

#[tokio::test]
async fn the_singular_path_of_the_2018_curl_lines_leads_to_the_same_hooks() {
    let org = Org::start().await;
    let answer = org.client.post("/api/v1/inlineHook", &hook("old style")).await;
    let hook = accepted(&answer);
    let singular = format!("/api/v1/inlineHook/{}", id_of(&hook));
    assert_eq!(accepted(&org.client.get(&singular).await), hook);
    assert_eq!(accepted(&org.client.get(&path_of(&hook)).await), hook);
    assert_eq!(accepted(&org.client.get("/api/v1/inlineHook").await), json!([hook]));
    assert!(hook["_links"]["self"]["href"].as_str().unwrap().contains("/api/v1/inlineHooks/"));
    let off = accepted(&org.client.post_empty(&format!("{singular}/lifecycle/deactivate")).await);
    assert_eq!(off["status"], "INACTIVE");
    accepted(&org.client.put(&singular, &crate::fixtures::hook("new name")).await);
    assert_eq!(org.client.delete(&singular).await.status, 204);
}

#[tokio::test]
async fn hooks_are_the_same_after_a_restart() {
    let org = Org::start().await;
    let before = created(&org, &hook("lasting")).await;
    let org = org.restart().await;
    let mut after = accepted(&org.client.get(&path_of(&before)).await);
    let mut before = before;
    // The links follow the port, which is another one now.
    for hook in [&mut before, &mut after] {
        hook["_links"] = Value::Null;
    }
    assert_eq!(after, before);
}

#[tokio::test]
async fn links_follow_the_public_url_only() {
    let mut options = OrgOptions::default();
    options.settings.public_url = "https://org.example.com".to_owned();
    let org = Org::start_with(options).await;
    let request = org.client.request(Method::POST, HOOKS).json(&hook("mine"));
    let request = request.header("X-Forwarded-Host", "evil.example").header("X-Forwarded-Proto", "http");
    let request = request.header("Forwarded", "host=evil.example").header("X-Original-URL", "https://evil.example");
    let answer = request.send().await;
    assert!(!answer.text().contains("evil"));
    let own = format!("https://org.example.com{}", path_of(&answer.json()));
    assert_eq!(answer.json()["_links"]["self"]["href"], own);
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
}
