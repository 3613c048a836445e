//! Somebody with a browser: opens the org's pages, fills in their forms, reads what they say.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, bail};
use http::header::{CONTENT_TYPE, COOKIE, HeaderName, LOCATION, SET_COOKIE};
use http::{HeaderValue, Method};

use super::client::{Answer, Client};

/// Pages that lead to each other at most.
const MOST_PAGES: usize = 5;

/// One browser, and the page that is open.
pub(super) struct Visitor<'a> {
    client: &'a mut Client,
    cookies: BTreeMap<String, String>,
    page: String,
    path: String,
    /// How long the last form took, without the page after it.
    pub(super) took: Duration,
}

/// A sentence on a page, with the field that it stands beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) field: Option<String>,
    pub(super) text: String,
}

impl<'a> Visitor<'a> {
    pub(super) fn new(client: &'a mut Client) -> Self {
        Self { client, cookies: BTreeMap::new(), page: String::new(), path: String::new(), took: Duration::ZERO }
    }

    /// Opens a page.
    ///
    /// # Errors
    /// The org does not answer, or has no such page.
    pub(super) async fn open(&mut self, path: &str) -> anyhow::Result<()> {
        let answer = self.request(Method::GET, path, String::new()).await?;
        self.follow(answer, path).await
    }

    /// Fills in a form of the open page and sends it.
    ///
    /// # Errors
    /// The page has no such form, or the org does not answer.
    pub(super) async fn send(&mut self, action: &str, fields: &[(&str, &str)]) -> anyhow::Result<()> {
        if !self.page.contains(&format!(r#"action="{action}""#)) {
            bail!("the page {:?} has no form for {action}", self.title());
        }
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for name in ["token", "attempt", "app"] {
            if let Some(value) = between(&self.page, &format!(r#"type="hidden" name="{name}" value=""#), "\"") {
                form.append_pair(name, &value);
            }
        }
        form.extend_pairs(fields);
        let answer = self.request(Method::POST, action, form.finish()).await?;
        self.took = answer.took;
        self.follow(answer, action).await
    }

    /// Where the open page is.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The heading of the open page.
    pub(super) fn title(&self) -> String {
        between(&self.page, "<h1 id=\"title\"", "</h1>")
            .and_then(|heading| heading.split_once('>').map(|(_, text)| text.to_owned()))
            .unwrap_or_default()
    }

    /// What the open page says about the last form.
    pub(super) fn said(&self) -> Vec<Said> {
        said_on(&self.page)
    }

    async fn follow(&mut self, mut answer: Answer, path: &str) -> anyhow::Result<()> {
        let mut path = path.to_owned();
        for _ in 0..MOST_PAGES {
            let Some(next) = answer.headers.get(LOCATION).filter(|_| answer.status.is_redirection()) else { break };
            path = next.to_str().context("a page leads to no address")?.to_owned();
            answer = self.request(Method::GET, &path, String::new()).await?;
        }
        (self.page, self.path) = (answer.text(), path);
        Ok(())
    }

    async fn request(&mut self, method: Method, path: &str, form: String) -> anyhow::Result<Answer> {
        let mut headers = vec![(HeaderName::from_static("sec-fetch-site"), HeaderValue::from_static("same-origin"))];
        if method == Method::POST {
            headers.push((CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")));
        }
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            headers.push((COOKIE, HeaderValue::from_str(&cookies.join("; "))?));
        }
        let answer = self.client.request(method, path, headers, form).await?;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let pair = cookie.to_str()?.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

/// The sentences of the page of a step: beside fields, and above the form.
fn said_on(page: &str) -> Vec<Said> {
    let mut all = Vec::new();
    for part in page.split("<div class=\"fault\" id=\"field-").skip(1) {
        let Some((field, rest)) = part.split_once("-error\"") else { continue };
        let sentences = rest.split("</div>").next().unwrap_or_default();
        let paragraphs = sentences.split("<p>").skip(1);
        let texts = paragraphs.filter_map(|text| text.split("</p>").next());
        all.extend(texts.map(|text| Said { field: Some(field.to_owned()), text: unescaped(text) }));
    }
    let banner = between(page, "role=\"alert\"", "</div>").unwrap_or_default();
    // What stands beside a field is summed up there too, in a list of links.
    let paragraphs = banner.split("<p class=\"error\">").skip(1).filter_map(|text| text.split("</p>").next());
    all.extend(paragraphs.map(|text| Said { field: None, text: unescaped(text) }));
    all
}

/// What stands between two texts.
fn between(page: &str, start: &str, end: &str) -> Option<String> {
    let (_, rest) = page.split_once(start)?;
    rest.split_once(end).map(|(text, _)| text.to_owned())
}

/// Text without the escapes that the pages use.
fn unescaped(text: &str) -> String {
    let pairs = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    pairs.into_iter().fold(text.to_owned(), |text, (escape, letter)| text.replace(escape, letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_says_is_read_with_its_field() {
        let page = r##"<div class="banner wrong" role="alert">
            <p class="error">Ask &#60;HR&#62;.</p><p class="summary">Errors.</p>
            <ul><li><a href="#field-email">Email: Twice.</a></li></ul></div>
            <div class="fault" id="field-email-error">
            <p>An &#34;okta&#34; email &#38; no other.</p>
            <p>Twice.</p>
            </div>"##;
        let said = |field: Option<&str>, text: &str| Said { field: field.map(str::to_owned), text: text.to_owned() };
        let expected = [
            said(Some("email"), "An \"okta\" email & no other."),
            said(Some("email"), "Twice."),
            said(None, "Ask <HR>."),
        ];
        assert_eq!(said_on(page), expected);
        assert!(said_on("<html>").is_empty());
    }
}
