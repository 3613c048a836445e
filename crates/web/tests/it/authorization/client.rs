//! A client of the authorization server, and a check of its tokens that shares no code with it.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as URL_SAFE};
use hookwright_testkit::{Answer, Client, Org};
use http::Method;
use serde_json::{Value, json};

use crate::flows::idx::Idx;
use crate::flows::org::{FlowOrg, PASSWORD};

pub(crate) const BASE: &str = "/oauth2/default/v1";
pub(crate) const CALLBACK: &str = "https://app.example/login/callback";
pub(crate) const LOGIN: &str = "rosario.jones@okta.com";

/// The verifier of every sign-in here; what matters is that a wrong one is refused.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An org with a user, and an app that it was told of through the API.
pub(crate) struct Party {
    pub(crate) flow: FlowOrg,
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
}

/// An OIDC app as Okta's clients create it.
pub(crate) fn app(label: &str, application_type: &str, method: &str) -> Value {
    json!({
        "name": "oidc_client", "label": label, "signOnMode": "OPENID_CONNECT",
        "credentials": {"oauthClient": {"token_endpoint_auth_method": method}},
        "settings": {"oauthClient": {
            "application_type": application_type,
            "redirect_uris": [CALLBACK],
            "post_logout_redirect_uris": ["https://app.example/bye"],
            "response_types": ["code"],
            "grant_types": ["authorization_code", "interaction_code", "refresh_token"],
        }},
    })
}

impl Party {
    /// A single-page app: no secret, PKCE.
    pub(crate) async fn public() -> Self {
        Self::with(FlowOrg::start().await, &app("Single page", "browser", "none")).await
    }

    /// A web app with a secret.
    pub(crate) async fn confidential() -> Self {
        Self::with(FlowOrg::start().await, &app("Web", "web", "client_secret_basic")).await
    }

    pub(crate) async fn with(flow: FlowOrg, app: &Value) -> Self {
        flow.user(LOGIN).await;
        let answer = flow.org.client.post("/api/v1/apps", app).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let client = &answer.json()["credentials"]["oauthClient"];
        let id = client["client_id"].as_str().expect("a client id").to_owned();
        let secret = client["client_secret"].as_str().map(str::to_owned);
        Self { flow, id, secret }
    }

    pub(crate) fn org(&self) -> &Org {
        &self.flow.org
    }

    /// Posts a form to an endpoint, with the client's proof; a pair replaces one of the client's own.
    pub(crate) async fn post(&self, endpoint: &str, pairs: &[(&str, &str)]) -> Answer {
        let mut all: Vec<(&str, &str)> = pairs.to_vec();
        if !pairs.iter().any(|(name, _)| *name == "client_id") {
            all.push(("client_id", &self.id));
        }
        let mut request = self.org().stranger().request(Method::POST, &format!("{BASE}/{endpoint}"));
        if let Some(secret) = &self.secret {
            all.retain(|(name, _)| *name != "client_id");
            request = request.header("authorization", &basic(&self.id, secret));
        }
        request.header("content-type", "application/x-www-form-urlencoded").body(form(&all)).send().await
    }

    /// `interact`, as auth-js calls it.
    pub(crate) async fn interact(&self, changes: &[(&str, &str)]) -> Answer {
        let own = [
            ("scope", "openid profile email offline_access"),
            ("redirect_uri", CALLBACK),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "the state"),
            ("nonce", "the nonce"),
        ];
        let mut pairs: Vec<_> =
            own.into_iter().filter(|(own, _)| changes.iter().all(|(name, _)| name != own)).collect();
        pairs.extend(changes);
        self.post("interact", &pairs).await
    }

    /// Signs in over IDX; the interaction code.
    pub(crate) async fn interaction_code(&self) -> String {
        let answer = self.interact(&[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let handle = answer.json()["interaction_handle"].as_str().expect("a handle").to_owned();
        let mut idx = Idx::introspect(self.org(), &handle).await;
        idx.sign_in(LOGIN, PASSWORD).await;
        idx.code().to_owned()
    }

    /// Exchanges an interaction code, as auth-js does.
    pub(crate) async fn exchange(&self, code: &str) -> Answer {
        self.exchange_with(code, &[]).await
    }

    pub(crate) async fn exchange_with(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        let own = [
            ("grant_type", "interaction_code"),
            ("interaction_code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let mut pairs: Vec<_> =
            own.into_iter().filter(|(own, _)| changes.iter().all(|(name, _)| name != own)).collect();
        pairs.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        self.post("token", &pairs).await
    }

    /// Signs in and gets tokens.
    pub(crate) async fn tokens(&self) -> Value {
        let answer = self.exchange(&self.interaction_code().await).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    pub(crate) async fn refresh(&self, token: &Value) -> Answer {
        let token = token.as_str().expect("a refresh token");
        self.post("token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    pub(crate) async fn userinfo(&self, tokens: &Value) -> Answer {
        let token = tokens["access_token"].as_str().expect("an access token");
        let request = self.org().stranger().request(Method::GET, &format!("{BASE}/userinfo"));
        request.header("authorization", &format!("Bearer {token}")).send().await
    }

    /// Where `authorize` is asked by a browser.
    pub(crate) fn authorize_path(&self, changes: &[(&str, &str)]) -> String {
        let own = [
            ("client_id", self.id.as_str()),
            ("response_type", "code"),
            ("scope", "openid profile"),
            ("redirect_uri", CALLBACK),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "the state"),
            ("nonce", "the nonce"),
        ];
        let mut pairs: Vec<_> =
            own.into_iter().filter(|(own, _)| changes.iter().all(|(name, _)| name != own)).collect();
        pairs.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        format!("{BASE}/authorize?{}", form(&pairs))
    }

    /// The claims of a token, its signature checked against the published keys as a client would.
    pub(crate) async fn verified(&self, token: &Value) -> Value {
        let keys = self.org().stranger().get(&format!("{BASE}/keys")).await.json();
        verify(token.as_str().expect("a token"), &keys).expect("a token that the org signed")
    }
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")))
}

/// Reads a JWT by RFC 7515 and RFC 7518 alone.
pub(crate) fn verify(token: &str, keys: &Value) -> Option<Value> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { return None };
    let bytes = |part: &str| URL_SAFE.decode(part).ok();
    let header: Value = serde_json::from_slice(&bytes(header)?).ok()?;
    assert_eq!(header["alg"], "RS256");
    let key = keys["keys"].as_array()?.iter().find(|key| key["kid"] == header["kid"])?;
    let (n, e) = (bytes(key["n"].as_str()?)?, bytes(key["e"].as_str()?)?);
    let signed = token.rsplit_once('.')?.0;
    let public = RsaPublicKeyComponents { n: &n, e: &e };
    public.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &bytes(signature)?).ok()?;
    serde_json::from_slice(&bytes(payload)?).ok()
}

/// The left half of a SHA-256, as `at_hash` has it.
pub(crate) fn left_half(text: &str) -> String {
    URL_SAFE.encode(&digest(&SHA256, text.as_bytes()).as_ref()[..16])
}

/// Asserts a refusal in OAuth's own shape.
#[track_caller]
pub(crate) fn oauth_refused(answer: &Answer, status: u16, code: &str) {
    let body = answer.json();
    assert_eq!((answer.status.as_u16(), body["error"].as_str()), (status, Some(code)), "{}", answer.text());
    assert!(body["error_description"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    assert!(answer.header("content-type").starts_with("application/json"));
    assert_eq!(answer.header("cache-control"), "no-cache, no-store");
}

/// A client without any credentials.
pub(crate) fn stranger(org: &Org) -> Client {
    org.stranger()
}
