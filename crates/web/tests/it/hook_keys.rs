//! Hook keys: managed through Okta's API, and used by a hook whose authorization server believes nothing unproven.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use axum::Router;
use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hookwright_testkit::{Client, Org};
use serde_json::{Value, json};

use crate::execute::{ALLOW, execute};
use crate::expectations::{accepted, has_every_header, refused, refused_for};
use crate::fixtures::{HOOKS, created, hook, id_of, path_of};

const KEYS: &str = "/api/v1/hook-keys";
const JWKS: &str = "/hookwright/v1/hook-keys/jwks";

async fn made(org: &Org, name: &str) -> Value {
    accepted(&org.client.post(KEYS, &json!({"name": name})).await)
}

fn key_path(key: &Value) -> String {
    format!("{KEYS}/{}", id_of(key))
}

/// A hook that is signed for by this key, its service and authorization server at this address.
fn signed_hook(name: &str, key: &Value, base: &str) -> Value {
    let mut body = hook(name);
    body["channel"] = json!({"type": "OAUTH", "version": "1.0.0", "config": {
        "uri": format!("{base}/hook"), "authType": "private_key_jwt", "clientId": "a-client", "hookKeyId": key["id"],
        "tokenUrl": format!("{base}/token"), "scope": "hook:call",
    }});
    body
}

#[tokio::test]
async fn a_key_is_made_shown_renamed_and_deleted() {
    let org = Org::start().await;
    let key = made(&org, "First key").await;
    let members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["id", "keyId", "name", "created", "lastUpdated", "isUsed", "_embedded"]);
    let (id, key_id) = (id_of(&key), key["keyId"].as_str().unwrap());
    assert!(id.starts_with("HKY") && id.len() == 20 && key_id.len() == 36, "{key}");
    assert_eq!((&key["name"], &key["isUsed"]), (&json!("First key"), &json!(false)));
    let public = &key["_embedded"];
    let modulus = URL_SAFE_NO_PAD.decode(public["n"].as_str().unwrap()).unwrap();
    assert_eq!((modulus.len(), &public["e"]), (256, &json!("AQAB")));
    assert_eq!((&public["kty"], &public["alg"], &public["use"]), (&json!("RSA"), &json!("RSA"), &Value::Null));
    assert_eq!(public["kid"], key["keyId"]);

    let mut plain = key.clone();
    plain.as_object_mut().unwrap().remove("_embedded");
    assert_eq!(accepted(&org.client.get(&key_path(&key)).await), plain);
    assert_eq!(accepted(&org.client.get(&format!("{}?expand=publickey", key_path(&key))).await), key);
    assert_eq!(accepted(&org.client.get(KEYS).await), json!([plain]));
    assert_eq!(accepted(&org.client.get(&format!("{KEYS}?expand=publickey")).await), json!([key]));
    let shown = accepted(&org.client.get(&format!("{KEYS}/public/{key_id}")).await);
    assert_eq!((&shown["_embedded"], &shown["n"], &shown["kid"]), (public, &public["n"], &public["kid"]));

    let renamed = accepted(&org.client.put(&key_path(&key), &json!({"name": "Second name"})).await);
    assert_eq!((&renamed["name"], &renamed["_embedded"]), (&json!("Second name"), public));
    let deleted = org.client.delete(&key_path(&key)).await;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    refused(&org.client.get(&key_path(&key)).await, 404, "E0000007");
    assert_eq!(accepted(&org.client.get(JWKS).await), json!({"keys": []}));

    let events = accepted(&org.client.get("/api/v1/logs?filter=eventType%20sw%20%22system.hook.key.%22").await);
    let kinds: Vec<&str> =
        events.as_array().unwrap().iter().map(|event| event["eventType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["system.hook.key.created", "system.hook.key.updated", "system.hook.key.deleted"]);
    assert_eq!(events[0]["target"][0]["id"], key["id"]);
}

#[tokio::test]
async fn the_public_halves_are_there_for_everybody_and_the_rest_for_nobody() {
    let org = Org::start().await;
    let (one, two) = (made(&org, "one").await, made(&org, "two").await);
    let answer = org.stranger().get(JWKS).await;
    has_every_header(&answer);
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 2);
    for key in [&one, &two] {
        let jwk = keys.iter().find(|jwk| jwk["kid"] == key["keyId"]).expect("each key is in the set");
        let members: HashSet<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, HashSet::from(["kty", "alg", "use", "kid", "e", "n"]));
        assert_eq!((&jwk["alg"], &jwk["use"]), (&json!("RS256"), &json!("sig")));
        assert_eq!(jwk["n"], key["_embedded"]["n"]);
    }
    let public = format!("{KEYS}/public/{}", one["keyId"].as_str().unwrap());
    for path in [KEYS, &key_path(&one), &public] {
        refused(&org.stranger().get(path).await, 401, "E0000004");
    }
    // No answer and no file holds a private half: in PKCS #8, it begins with version and algorithm.
    let bytes = org.database_bytes();
    let rsa = [0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    assert!(!bytes.windows(rsa.len()).any(|window| window == rsa), "a private half in the clear");
}

#[tokio::test]
async fn faults_of_a_key_are_named() {
    let org = Org::start().await;
    let (one, two) = (made(&org, "one").await, made(&org, "two").await);
    for body in
        [json!({}), json!({"name": ""}), json!({"name": "x".repeat(256)}), json!({"name": 1}), json!({"name": "ONE"})]
    {
        refused_for(&org.client.post(KEYS, &body).await, "name");
        refused_for(&org.client.put(&key_path(&two), &body).await, "name");
    }
    accepted(&org.client.put(&key_path(&one), &json!({"name": "One"})).await);
    for missing in ["HKY00000000000000000", "cal1", "%00", "public"] {
        let path = format!("{KEYS}/{missing}");
        refused(&org.client.get(&path).await, 404, "E0000007");
        refused(&org.client.delete(&path).await, 404, "E0000007");
        refused(&org.client.put(&path, &json!({"name": "x"})).await, 404, "E0000007");
        refused(&org.client.get(&format!("{KEYS}/public/{missing}")).await, 404, "E0000007");
    }
}

#[tokio::test]
async fn a_hook_names_a_key_that_is_there_and_keeps_it() {
    let org = Org::start().await;
    let key = made(&org, "mine").await;
    let base = "https://hooks.example.com";
    let unknown = signed_hook("signed", &json!({"id": "HKY00000000000000000"}), base);
    refused_for(&org.client.post(HOOKS, &unknown).await, "channel.config.hookKeyId");
    let hook = created(&org, &signed_hook("signed", &key, base)).await;
    refused_for(&org.client.put(&path_of(&hook), &unknown).await, "channel.config.hookKeyId");
    assert_eq!(accepted(&org.client.get(&key_path(&key)).await)["isUsed"], true);
    let causes = refused(&org.client.delete(&key_path(&key)).await, 403, "E0000107");
    assert!(causes[0].contains("is used"), "{causes:?}");
    accepted(&org.client.post_empty(&format!("{}/lifecycle/deactivate", path_of(&hook))).await);
    assert_eq!(org.client.delete(&path_of(&hook)).await.status, 204);
    assert_eq!(accepted(&org.client.get(&key_path(&key)).await)["isUsed"], false);
    assert_eq!(org.client.delete(&key_path(&key)).await.status, 204);
}

/// An authorization server and the service behind it. It knows the org's address, and no more.
#[derive(Clone)]
struct Guarded {
    org: Client,
    /// Where it listens itself.
    base: String,
    seen: Arc<Mutex<HashSet<String>>>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Guarded {
    async fn start(org: &Org) -> Self {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("it works");
        let base = format!("http://{}", listener.local_addr().expect("a bound listener"));
        let guarded = Self { org: org.stranger(), base, seen: Arc::default(), calls: Arc::default() };
        let router = Router::new()
            .route("/token", post(Self::token))
            .route("/hook", post(Self::hook))
            .with_state(guarded.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        guarded
    }

    async fn token(State(guarded): State<Self>, RawForm(form): RawForm) -> (StatusCode, String) {
        match guarded.judge(&form).await {
            Ok(jti) => {
                let token = json!({"access_token": format!("for-{jti}"), "token_type": "Bearer", "expires_in": 3600});
                (StatusCode::OK, token.to_string())
            }
            Err(why) => {
                guarded.calls.lock().expect("no panic while it is held").push(format!("refused: {why}"));
                (StatusCode::UNAUTHORIZED, json!({"error": "invalid_client"}).to_string())
            }
        }
    }

    async fn hook(State(guarded): State<Self>, headers: HeaderMap) -> (StatusCode, &'static str) {
        let shown = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let known = shown
            .strip_prefix("Bearer for-")
            .is_some_and(|jti| guarded.seen.lock().expect("no panic while it is held").contains(jti));
        guarded.calls.lock().expect("no panic while it is held").push(format!("called: {known}"));
        if known { (StatusCode::OK, ALLOW) } else { (StatusCode::UNAUTHORIZED, "") }
    }

    /// RFC 7523 section 3, with the key that the org publishes.
    async fn judge(&self, form: &[u8]) -> Result<String, &'static str> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(form).into_owned().collect();
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        if value("grant_type") != "client_credentials" || value("scope") != "hook:call" {
            return Err("another grant");
        }
        if value("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
            return Err("another kind of assertion");
        }
        let assertion = value("client_assertion");
        let (signed, signature) = assertion.rsplit_once('.').ok_or("no JWT")?;
        let (header, claims) = signed.split_once('.').ok_or("no JWT")?;
        let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap_or_default());
        let (header, claims) = (read(header).map_err(|_| "no header")?, read(claims).map_err(|_| "no claims")?);
        let set = self.org.get(JWKS).await.json();
        let keys = set["keys"].as_array().ok_or("no keys")?;
        let key = keys.iter().find(|key| key["kid"] == header["kid"] && header["alg"] == key["alg"]).ok_or("no key")?;
        let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap_or_default()).unwrap_or_default();
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "no signature")?;
        RsaPublicKeyComponents { n: number("n"), e: number("e") }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .map_err(|_| "a wrong signature")?;
        if claims["iss"] != "a-client" || claims["sub"] != "a-client" {
            return Err("another client");
        }
        if claims["aud"] != json!(format!("{}/token", self.base)) {
            return Err("another audience");
        }
        let (issued, ends) = (claims["iat"].as_i64().ok_or("no iat")?, claims["exp"].as_i64().ok_or("no exp")?);
        // The org under test stands still at this second.
        if issued != 1_700_000_000 || ends - issued != 300 {
            return Err("another time");
        }
        let jti = claims["jti"].as_str().filter(|jti| jti.len() >= 16).ok_or("no jti")?;
        if self.seen.lock().expect("no panic while it is held").insert(jti.to_owned()) {
            Ok(jti.to_owned())
        } else {
            Err("a replay")
        }
    }
}

#[tokio::test]
async fn a_hook_proves_itself_with_its_key_and_calls_with_the_token_it_gets() {
    let org = Org::start().await;
    let guarded = Guarded::start(&org).await;
    let key = made(&org, "mine").await;
    let hook = created(&org, &signed_hook("signed", &key, &guarded.base)).await;
    for _ in 0..3 {
        assert_eq!(accepted(&execute(&org, &hook).await).to_string(), ALLOW);
    }
    assert_eq!(*guarded.calls.lock().expect("no panic while it is held"), ["called: true"; 3]);
    assert_eq!(guarded.seen.lock().expect("no panic while it is held").len(), 1, "one token for all of them");

    // Another key is another configuration: it buys a token of its own.
    let other = made(&org, "other").await;
    accepted(&org.client.put(&path_of(&hook), &signed_hook("signed", &other, &guarded.base)).await);
    assert_eq!(accepted(&execute(&org, &hook).await).to_string(), ALLOW);
    assert_eq!(guarded.seen.lock().expect("no panic while it is held").len(), 2);
    assert_eq!(org.client.delete(&key_path(&key)).await.status, 204);

    // The key outlives a restart, sealed.
    let org = org.restart().await;
    let after = Guarded::start(&org).await;
    accepted(&org.client.put(&path_of(&hook), &signed_hook("signed", &other, &after.base)).await);
    assert_eq!(accepted(&execute(&org, &hook).await).to_string(), ALLOW);
    assert_eq!(*after.calls.lock().expect("no panic while it is held"), ["called: true"]);
}

#[tokio::test]
async fn keys_are_made_one_at_a_time_and_never_more_than_fifty() {
    let org = Org::start().await;
    let making = (0..6).map(|number| {
        let client = org.client.clone();
        tokio::spawn(async move { client.post(KEYS, &json!({"name": format!("key {}", number % 3)})).await })
    });
    let mut made = 0;
    for answer in making.collect::<Vec<_>>() {
        let answer = answer.await.expect("it works");
        if answer.status == 200 {
            made += 1;
        } else if answer.status != 429 {
            refused_for(&answer, "name");
        }
    }
    assert_eq!(accepted(&org.client.get(KEYS).await).as_array().map(Vec::len), Some(made));
    assert!((1..=3).contains(&made), "{made}");
}
