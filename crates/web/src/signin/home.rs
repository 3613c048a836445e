//! The page of somebody who is signed in, the way out, and the outbox of development.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use hookwright_app::App;
use hookwright_model::user_schema::{Choice, Permission};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::browser::{Browser, Cookie};
use super::form::Form;
use super::page::html;
use super::see_other;
use crate::error::ApiError;

#[derive(Template)]
#[template(path = "signin/home.html")]
struct HomePage {
    name: String,
    attributes: Vec<(String, String)>,
    token: String,
}

#[derive(Template)]
#[template(path = "signin/outbox.html")]
struct OutboxPage {
    mails: Vec<ShownMail>,
}

struct ShownMail {
    to: String,
    subject: String,
    body: String,
    created: String,
}

/// `GET /app/UserHome`: who is signed in, and their profile as far as they may see it.
pub(crate) async fn home(State(app): State<App>, browser: Browser) -> Result<Response, ApiError> {
    let Some(token) = &browser.session else { return Ok(see_other("/signin")) };
    let Some(signed_in) = app.signed_in(token.expose_secret()).await? else { return Ok(see_other("/signin")) };
    let schema = app.cached_schema().await?;
    let visible = schema.iter().filter(|attribute| attribute.permission != Permission::Hide);
    let attributes = visible.filter_map(|attribute| {
        let value = signed_in.user.profile.get(&attribute.name)?;
        let choices = attribute.choices().unwrap_or_default();
        Some((attribute.title.clone(), printed(value, &choices)))
    });
    let page = HomePage {
        name: signed_in.user.full_name(),
        attributes: attributes.collect(),
        token: app.mint_form_token(token.expose_secret()),
    };
    Ok(html(StatusCode::OK, &page))
}

/// `POST /app/sign-out`: ends the session.
pub(crate) async fn sign_out(State(app): State<App>, browser: Browser, form: Form) -> Result<Response, ApiError> {
    let Some(token) = &browser.session else { return Ok(see_other("/signin")) };
    let given = form.text("token").unwrap_or_default();
    if !browser.is_same_origin || !App::is_form_token(token.expose_secret(), given) {
        return Ok(see_other("/app/UserHome"));
    }
    app.end_session(token.expose_secret(), &form.origin).await?;
    if let Some(flow) = &browser.flow {
        app.end_flow(flow.expose_secret()).await?;
    }
    let mut response = see_other("/signin");
    response.headers_mut().append(SET_COOKIE, browser.clear(Cookie::Session));
    response.headers_mut().append(SET_COOKIE, browser.clear(Cookie::Flow));
    Ok(response)
}

/// `GET /hookwright/outbox`: the mails that were written, in development only.
pub(crate) async fn outbox(State(app): State<App>) -> Result<Response, ApiError> {
    if !app.settings().address_policy.development {
        return Err(ApiError::unknown_path());
    }
    let mails = app.mails().await?;
    let shown = mails.into_iter().map(|mail| ShownMail {
        created: mail.created.to_string(),
        to: mail.to,
        subject: mail.subject,
        body: mail.body,
    });
    Ok(html(StatusCode::OK, &OutboxPage { mails: shown.collect() }))
}

/// A value as the form shows it: a choice by its title, a switch as yes or no.
fn printed(value: &Value, choices: &[Choice]) -> String {
    if let Some(choice) = choices.iter().find(|choice| choice.value == *value) {
        return choice.title.clone();
    }
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "Yes" } else { "No" }.to_owned(),
        Value::Array(elements) => {
            elements.iter().map(|element| printed(element, choices)).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_as_the_form_shows_them() {
        let choices = [Choice { value: json!("b"), title: "Blue".to_owned() }];
        for (value, shown) in [
            (json!("b"), "Blue"),
            (json!(["b", "c"]), "Blue, c"),
            (json!("text"), "text"),
            (json!(true), "Yes"),
            (json!(7), "7"),
        ] {
            assert_eq!(printed(&value, &choices), shown);
        }
    }
}
