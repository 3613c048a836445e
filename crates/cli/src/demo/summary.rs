//! What to do next: the addresses, and `curl` lines that work when pasted.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::json;

use super::guide;
use super::people::{EXISTING, PASSWORD};
use super::play::Registered;
use super::table::Style;
use super::walks;

/// What the demo's reader needs to go on by hand.
pub(super) struct Summary<'a> {
    pub(super) org: SocketAddr,
    pub(super) service: SocketAddr,
    pub(super) token: &'a str,
    /// The folder of the data if it stays.
    pub(super) kept: Option<&'a Path>,
    pub(super) registered: &'a [Registered],
    /// The apps of the sign-in pages, in the order of the hooks.
    pub(super) apps: &'a [String],
    /// The record of a call that the service denied.
    pub(super) denied: Option<&'a str>,
}

impl Summary<'_> {
    /// The text under the table.
    pub(super) fn render(&self, style: Style) -> String {
        let mut text = String::from("\n");
        // Writing into a String can't fail.
        let _ = self.write(&mut text, style);
        text
    }

    fn write(&self, text: &mut String, style: Style) -> std::fmt::Result {
        let data = match self.kept {
            Some(path) => format!("data in {}", path.display()),
            None => "data goes when the demo ends".to_owned(),
        };
        writeln!(text, "{}  http://{}  ({data})", style.bold("Org              "), self.org)?;
        let credentials = format!("Basic authentication {}:{}", guide::USER, guide::PASSWORD);
        writeln!(text, "{}  http://{}  ({credentials})", style.bold("External service "), self.service)?;
        writeln!(text, "{}  {}", style.bold("API token        "), self.token)?;
        let base = format!("http://{}", self.org);
        writeln!(text, "{}  {base}/readyz", style.bold("Open in a browser"))?;
        self.pages(text, style)?;

        let Some(first) = self.registered.first() else { return Ok(()) };
        writeln!(text, "\n{}\n", style.bold("Paste these"))?;
        writeln!(text, "# The hooks")?;
        self.curl(text, "/api/v1/inlineHooks", None)?;
        writeln!(text, "# Somebody signs up; try another address")?;
        let body = json!({
            "eventType": "com.okta.user.pre-registration",
            "requestType": "self.service.registration",
            "data": {"userProfile": {
                "firstName": "Rosario",
                "lastName": "Jones",
                "login": "rosario.jones@okta.com",
                "email": "rosario.jones@okta.com",
            }},
        });
        self.curl(text, &format!("/api/v1/inlineHooks/{}/execute", first.id), Some(&body.to_string()))?;
        if let Some(denied) = self.denied {
            writeln!(text, "# The denied sign-up of the table above, from the request to the verdict")?;
            self.curl(text, &format!("/hookwright/v1/executions/{denied}"), None)?;
        }
        writeln!(text, "# All calls, the last one first")?;
        self.curl(text, "/hookwright/v1/executions?limit=100", None)?;
        writeln!(text, "# What the System Log has of it")?;
        self.curl(text, "/api/v1/logs?sortOrder=DESCENDING&limit=1000", None)?;
        writeln!(text, "Ctrl-C ends the demo.")
    }

    /// The sign-in pages, and whom to try there.
    fn pages(&self, text: &mut String, style: Style) -> std::fmt::Result {
        let [sign_up, number, both] = self.apps else { return Ok(()) };
        writeln!(text, "\n{}\n", style.bold("Try it yourself in a browser"))?;
        let page = |app: &str| format!("http://{}{}", self.org, walks::page_of(app));
        writeln!(text, "{}\n  Sign up as {}, then as {}.", page(sign_up), guide::ALLOWED, guide::DENIED)?;
        writeln!(text, "{}\n  Sign in as {EXISTING}, password {PASSWORD}: you are asked for", page(number))?;
        writeln!(text, "  the employee number. Four digits pass.")?;
        writeln!(text, "{}\n  Both: signing up asks for the employee number, too.", page(both))
    }

    /// A command for any POSIX shell.
    fn curl(&self, text: &mut String, path: &str, body: Option<&str>) -> std::fmt::Result {
        write!(text, "curl -s 'http://{}{path}' \\\n  -H 'Authorization: SSWS {}'", self.org, self.token)?;
        if let Some(body) = body {
            // No body of ours has an apostrophe, which would end the quotes.
            write!(text, " \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'")?;
        }
        writeln!(text, "\n")
    }
}
