//! A client that drives a flow over IDX, as auth-js does: it knows the state handle and posts to what it was given.

use hookwright_testkit::{Answer, Client, Org};
use http::Method;
use serde_json::{Value, json};

/// Where a flow stands, as its client knows it.
#[derive(Debug, Clone)]
pub(crate) struct Idx {
    client: Client,
    base: String,
    interaction: String,
    /// The address that the client is behind a trusted proxy with.
    pub(crate) forwarded_for: Option<String>,
    pub(crate) handle: String,
    /// What each request carries besides.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The cookie that an answer set last, with its terms.
    pub(crate) cookie: Option<String>,
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Idx {
    pub(crate) async fn introspect(org: &Org, interaction_handle: &str) -> Self {
        let client = Client::new(org.client.address());
        let base = org.app.settings().public_url.clone();
        let interaction = interaction_handle.to_owned();
        let mut idx = Self {
            client,
            base,
            interaction,
            forwarded_for: None,
            handle: String::new(),
            headers: Vec::new(),
            cookie: None,
            status: 0,
            body: Value::Null,
        };
        idx.introspect_again().await;
        assert!(!idx.handle.is_empty(), "a state handle");
        idx
    }

    /// Asks where the flow stands by its interaction handle, as the clients for Go and .NET do before each step.
    pub(crate) async fn introspect_again(&mut self) -> &mut Self {
        let answer = self.send("/idp/idx/introspect", &json!({"interactionHandle": self.interaction})).await;
        self.take(&answer);
        self
    }

    /// The same flow at an org that was started again elsewhere.
    pub(crate) fn moved_to(&self, org: &Org) -> Self {
        Self { client: Client::new(org.client.address()), base: org.app.settings().public_url.clone(), ..self.clone() }
    }

    pub(crate) async fn send(&self, path: &str, body: &Value) -> Answer {
        let mut request = self.client.request(Method::POST, path);
        if let Some(address) = &self.forwarded_for {
            request = request.header("x-forwarded-for", address);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.header("content-type", "application/ion+json; okta-version=1.0.0");
        request.header("accept", "application/ion+json; okta-version=1.0.0").body(body.to_string()).send().await
    }

    fn take(&mut self, answer: &Answer) {
        self.status = answer.status.as_u16();
        self.cookie = answer.headers.get("set-cookie").map(|value| value.to_str().expect("text").to_owned());
        self.body = answer.json();
        assert!(self.body.is_object(), "every answer is JSON: {}", answer.text());
        // Okta's clients go on with the state handle of the last answer.
        if let Some(handle) = self.body["stateHandle"].as_str() {
            handle.clone_into(&mut self.handle);
        }
    }

    /// Posts to the remediation of this name with these values.
    pub(crate) async fn proceed(&mut self, remediation: &str, values: Value) -> &mut Self {
        let href = self.remediation(remediation)["href"].as_str().expect("a href").to_owned();
        let path = href.strip_prefix(&self.base).expect("a path of ours").to_owned();
        self.post(&path, values).await
    }

    /// Posts to a path with these values.
    pub(crate) async fn post(&mut self, path: &str, mut values: Value) -> &mut Self {
        values["stateHandle"] = json!(self.handle);
        let answer = self.send(path, &values).await;
        self.take(&answer);
        self
    }

    /// The same client at another address; the org must trust the proxy that says so.
    pub(crate) fn at_address(mut self, address: &str) -> Self {
        self.headers.push(("x-forwarded-for", address.to_owned()));
        self
    }

    /// The same client with the cookie that a sign-in set.
    pub(crate) fn with_cookie(mut self, set: &str) -> Self {
        self.headers.push(("cookie", set.split(';').next().expect("a cookie").to_owned()));
        self
    }

    /// "Sign up", then the form.
    pub(crate) async fn sign_up(&mut self, profile: Value) -> &mut Self {
        self.proceed("select-enroll-profile", json!({})).await;
        self.register(profile).await
    }

    /// "Sign up", the form, and the password: to the end where no code is mailed.
    pub(crate) async fn join(&mut self, profile: Value) -> &mut Self {
        self.sign_up(profile).await;
        self.choose_password().await
    }

    /// The password after the sign-up form.
    pub(crate) async fn choose_password(&mut self) -> &mut Self {
        self.proceed("enroll-authenticator", json!({"credentials": {"passcode": super::org::PASSWORD}})).await
    }

    pub(crate) async fn register(&mut self, profile: Value) -> &mut Self {
        self.proceed("enroll-profile", json!({"userProfile": profile})).await
    }

    pub(crate) async fn sign_in(&mut self, identifier: &str, password: &str) -> &mut Self {
        self.proceed("identify", json!({"identifier": identifier, "credentials": {"passcode": password}})).await
    }

    pub(crate) fn remediations(&self) -> Vec<&str> {
        let all = self.body["remediation"]["value"].as_array();
        all.into_iter().flatten().filter_map(|it| it["name"].as_str()).collect()
    }

    #[track_caller]
    pub(crate) fn remediation(&self, name: &str) -> &Value {
        let all = self.body["remediation"]["value"].as_array().into_iter().flatten();
        all.into_iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("no {name} in {:#}", self.body))
    }

    /// The fields of the form for a profile.
    pub(crate) fn fields(&self) -> Vec<&Value> {
        let form = self.remediation("enroll-profile");
        let profile = form["value"].as_array().into_iter().flatten().find(|field| field["name"] == "userProfile");
        profile.expect("userProfile")["form"]["value"].as_array().into_iter().flatten().collect()
    }

    /// What is said above the form.
    pub(crate) fn banners(&self) -> Vec<&str> {
        let said = self.body["messages"]["value"].as_array();
        said.into_iter().flatten().filter_map(|it| it["message"].as_str()).collect()
    }

    /// What is said at a field of the profile.
    pub(crate) fn said_at(&self, name: &str) -> Vec<&str> {
        let fields = self.fields();
        let field = fields.iter().find(|field| field["name"] == name).expect("the field");
        let said = field["messages"]["value"].as_array();
        said.into_iter().flatten().filter_map(|it| it["message"].as_str()).collect()
    }

    /// The interaction code at the end.
    #[track_caller]
    pub(crate) fn code(&self) -> &str {
        let values = self.body["successWithInteractionCode"]["value"].as_array().into_iter().flatten();
        let mut code = values.filter(|it| it["name"] == "interaction_code");
        code.next().and_then(|it| it["value"].as_str()).unwrap_or_else(|| panic!("no code in {:#}", self.body))
    }
}
