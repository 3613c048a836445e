//! A browser without JavaScript: cookies, pages, and forms that are filled in and sent.

use std::collections::BTreeMap;

use hookwright_testkit::{Answer, Client, Org};
use http::Method;

/// One browser.
#[derive(Clone)]
pub(crate) struct Browser {
    client: Client,
    origin: String,
    pub(crate) cookies: BTreeMap<String, String>,
    /// The last page.
    pub(crate) page: String,
    pub(crate) status: u16,
    /// Where the last page was.
    pub(crate) path: String,
}

impl Browser {
    pub(crate) fn of(org: &Org) -> Self {
        Self {
            client: Client::new(org.client.address()),
            origin: org.app.settings().public_url.clone(),
            cookies: BTreeMap::new(),
            page: String::new(),
            status: 0,
            path: String::new(),
        }
    }

    /// Opens a page and follows where it leads.
    pub(crate) async fn open(&mut self, path: &str) -> &mut Self {
        let answer = self.request(Method::GET, path, &[], None).await;
        self.follow(answer, path).await;
        self
    }

    /// One request with the cookies; keeps what the answer sets.
    pub(crate) async fn request(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let mut request = self.client.request(method, path);
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", &pairs.join("; "));
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        }
        let answer = request.send().await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().expect("text");
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
            let (name, value) = set.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    async fn follow(&mut self, mut answer: Answer, path: &str) {
        let mut path = path.to_owned();
        for _ in 0..5 {
            if !matches!(answer.status.as_u16(), 302 | 303) {
                break;
            }
            path = answer.header("location").to_owned();
            answer = self.request(Method::GET, &path, &[], None).await;
        }
        (self.status, self.page, self.path) = (answer.status.as_u16(), answer.text(), path);
    }

    /// The value of a hidden field of the page's first form.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let start = format!(r#"<input type="hidden" name="{name}" value=""#);
        let rest = self.page.split(&start).nth(1).unwrap_or_default();
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    /// The body of a form of the page with these fields filled in.
    pub(crate) fn filled(&self, fields: &[(&str, &str)]) -> String {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for name in ["token", "attempt", "app"] {
            if self.page.contains(&format!(r#"name="{name}""#)) {
                body.append_pair(name, &self.hidden(name));
            }
        }
        for (name, value) in fields {
            body.append_pair(name, value);
        }
        body.finish()
    }

    /// Fills in and sends a form of the page.
    pub(crate) async fn send(&mut self, action: &str, fields: &[(&str, &str)]) -> &mut Self {
        assert!(self.page.contains(&format!(r#"action="{action}""#)), "no form {action} in {}", self.page);
        let body = self.filled(fields);
        self.post(action, body).await
    }

    pub(crate) async fn post(&mut self, action: &str, body: String) -> &mut Self {
        let origin = self.origin.clone();
        let headers = [("origin", origin.as_str()), ("sec-fetch-site", "same-origin")];
        let answer = self.request(Method::POST, action, &headers, Some(body)).await;
        self.follow(answer, action).await;
        self
    }

    /// Posts to IDX, as a page with a script would.
    pub(crate) async fn idx(&mut self, path: &str, body: String) -> Answer {
        self.client.request(Method::POST, path).header("content-type", "application/json").body(body).send().await
    }

    pub(crate) async fn sign_in(&mut self, identifier: &str, password: &str) -> &mut Self {
        self.open(&format!("/signin?app={}", super::org::APP)).await;
        self.send("/signin/identify", &[("identifier", identifier), ("passcode", password)]).await
    }

    /// Closes all pages, as after a day; what knows the browser again stays.
    pub(crate) fn forget_session(&mut self) {
        self.cookies.retain(|name, _| name.contains("browser"));
    }
}
