//! `/oauth2/default`: the authorization server's endpoints (OAuth 2.0, OpenID Connect), and its keys in the management API.

mod answer;
mod client;

use axum::extract::State;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hookwright_app::{App, Authorized};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::api::auth::Authenticated;
use crate::api::path::PathText;
use crate::api::shown;
use crate::error::ApiError;
use crate::signin::browser::{Browser, Cookie, FLOW_LIFETIME};
use answer::{OAuthRefusal, bearer_refusal, refusal_page};
use client::{ClientRequest, bearer_token};

type Result<T = Response> = std::result::Result<T, OAuthRefusal>;

/// `GET /oauth2/default/.well-known/openid-configuration`, and the same under OAuth's own name.
pub(crate) async fn discovery(State(app): State<App>) -> Response {
    shown(&app.authorization_server_metadata())
}

/// `GET /oauth2/default/v1/keys`
pub(crate) async fn keys(State(app): State<App>) -> std::result::Result<Response, ApiError> {
    Ok(shown(&app.json_web_key_set().await?))
}

/// `POST /oauth2/default/v1/interact`
pub(crate) async fn interact(State(app): State<App>, request: ClientRequest) -> Result {
    let ClientRequest { parameters, basic, forwarded, origin } = &request;
    let handle = app.interact(parameters, basic.as_ref(), forwarded, origin).await?;
    Ok(shown(&json!({"interaction_handle": handle.expose_secret()})))
}

/// `POST /oauth2/default/v1/token`
pub(crate) async fn token(State(app): State<App>, request: ClientRequest) -> Result {
    Ok(shown(&app.exchange(&request.parameters, request.basic.as_ref(), &request.origin).await?))
}

/// `POST /oauth2/default/v1/introspect`
pub(crate) async fn introspect(State(app): State<App>, request: ClientRequest) -> Result {
    Ok(shown(&app.introspect(&request.parameters, request.basic.as_ref()).await?))
}

/// `POST /oauth2/default/v1/revoke`
pub(crate) async fn revoke(State(app): State<App>, request: ClientRequest) -> Result {
    app.revoke(&request.parameters, request.basic.as_ref(), &request.origin).await?;
    Ok(StatusCode::OK.into_response())
}

/// `GET` and `POST /oauth2/default/v1/userinfo`
pub(crate) async fn userinfo(State(app): State<App>, headers: HeaderMap) -> Response {
    let Some(token) = bearer_token(&headers) else { return bearer_refusal(None) };
    match app.userinfo(token).await {
        Ok(claims) => shown(&claims),
        Err(failure) => bearer_refusal(Some(failure)),
    }
}

/// `GET` and `POST /oauth2/default/v1/authorize`: a browser comes to sign in.
pub(crate) async fn authorize(State(app): State<App>, browser: Browser, request: ClientRequest) -> Result {
    let session = match &browser.session {
        Some(token) => app.signed_in(token.expose_secret()).await?,
        None => None,
    };
    Ok(match app.authorize(&request.parameters, session, &request.origin).await? {
        Authorized::Refused(error) => refusal_page(&error),
        Authorized::Back(location) => found(&location)?,
        Authorized::SignIn(started) => {
            let mut response = found("/signin")?;
            let cookie = browser.set(Cookie::Flow, &started.state_handle, FLOW_LIFETIME);
            response.headers_mut().append(SET_COOKIE, cookie);
            response
        }
    })
}

/// `GET` and `POST /oauth2/default/v1/logout`: a browser comes to sign out.
pub(crate) async fn logout(State(app): State<App>, browser: Browser, request: ClientRequest) -> Result {
    let logout = match app.read_logout(&request.parameters).await {
        Ok(logout) => logout,
        Err(hookwright_app::OAuthFailure::Refused(error)) => return Ok(refusal_page(&error)),
        Err(failure) => return Err(failure.into()),
    };
    let mut response = found(logout.location.as_deref().unwrap_or("/signin"))?;
    let Some(token) = &browser.session else { return Ok(response) };
    let signed_in = app.signed_in(token.expose_secret()).await?;
    // Somebody else may be signed in by now.
    if signed_in.is_some_and(|signed_in| signed_in.user.id == logout.user) {
        app.end_session(token.expose_secret(), &request.origin).await?;
        if let Some(flow) = &browser.flow {
            app.end_flow(flow.expose_secret()).await?;
        }
        response.headers_mut().append(SET_COOKIE, browser.clear(Cookie::Session));
        response.headers_mut().append(SET_COOKIE, browser.clear(Cookie::Flow));
    }
    Ok(response)
}

/// `GET /api/v1/authorizationServers/{id}/credentials/keys`
pub(crate) async fn server_keys(
    State(app): State<App>,
    _: Authenticated,
    PathText(id): PathText,
) -> std::result::Result<Response, ApiError> {
    only_default(&id)?;
    Ok(shown(&app.authorization_server_keys().await?))
}

/// `POST /api/v1/authorizationServers/{id}/credentials/lifecycle/keyRotate`
pub(crate) async fn rotate_keys(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    PathText(id): PathText,
) -> std::result::Result<Response, ApiError> {
    only_default(&id)?;
    Ok(shown(&app.rotate_signing_keys(&caller).await?))
}

/// There is one authorization server.
fn only_default(id: &str) -> std::result::Result<(), ApiError> {
    if id == "default" { Ok(()) } else { Err(ApiError::unknown_path()) }
}

fn found(location: &str) -> Result {
    let location = axum::http::HeaderValue::from_str(location)
        .map_err(|_| ApiError::internal("a redirect URI can't stand in a header"))?;
    Ok((StatusCode::FOUND, [(LOCATION, location)]).into_response())
}
