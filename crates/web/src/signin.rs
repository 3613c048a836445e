//! The hosted sign-in page: the sign-in flows for people with a browser. Works without JavaScript; there is none.
//!
//! A browser keeps the flow's state handle in a cookie. Each form carries a token that follows from it, so that only a page of
//! ours can have made the form, and the attempt, so that a form sent twice does its work once. Where somebody proved who they
//! are, the answer to that one form brings a fresh state handle, and at the end the session; a form that is sent twice is
//! led to the same next page, and takes no cookie away.

mod asset;
pub(crate) mod browser;
mod form;
mod home;
pub(crate) mod page;
pub(crate) mod refusal;
mod steps;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::response::{IntoResponse, Response};
use hookwright_app::{Advanced, App, Arrival, FlowStart, FlowView, RequestOrigin, SentForm, WentOn};
use hookwright_model::flow::{ClientFace, Input, RefusalStatus, Step};
use hookwright_model::id::AppId;
use hookwright_model::registration::{Message, MessageKind};
use secrecy::{ExposeSecret, SecretString};

use crate::api::query::Query;
use crate::context::RequestContext;
use crate::error::ApiError;
use browser::{Browser, Cookie};
use form::Form;

pub(crate) use asset::style;
pub(crate) use home::{home, outbox, sign_out};

/// `GET /signin`: the page of the step where the browser's flow is. `app` begins a flow for that app.
pub(crate) async fn show(
    State(app): State<App>,
    _context: RequestContext,
    browser: Browser,
    query: Query,
) -> Result<Response, ApiError> {
    let wanted = query.get("app").map(AppId::from_text);
    let Some(handle) = browser.flow.as_ref().filter(|_| wanted.is_none()) else {
        return begin(&app, &browser, wanted.as_ref(), None).await;
    };
    match hosted_flow(&app, handle).await? {
        // Somebody who comes back after the end has a session; where not, it begins anew.
        Some(view) if app.is_over(&view).await? => match &browser.session {
            Some(token) if app.signed_in(token.expose_secret()).await?.is_some() => Ok(see_other("/app/UserHome")),
            _ => begin(&app, &browser, None, None).await,
        },
        Some(view) => Ok(render(&app, handle, &view, None, StatusCode::OK)),
        None => begin(&app, &browser, None, None).await,
    }
}

/// `GET /`: whoever is signed in sees who that is, everybody else the sign-in page.
pub(crate) async fn front() -> Response {
    see_other("/app/UserHome")
}

/// `GET /signin/reset-password/{token}` and `GET /tokens/{token}/verify`: a link that leads to a new password. The address with
/// the token is left at once, and the browser gets a flow of its own.
pub(crate) async fn open_link(
    State(app): State<App>,
    context: RequestContext,
    browser: Browser,
    Path(token): Path<String>,
) -> Result<Response, ApiError> {
    context.count_visit(&app, hookwright_app::RateClass::Other)?;
    let Some(handle) = app.open_link(&token).await? else {
        let text = "This link can't be used any longer. Please ask for a new one.";
        let said = (StatusCode::BAD_REQUEST, Message::banner(MessageKind::Expired, text));
        return begin(&app, &browser, None, Some(said)).await;
    };
    let mut response = see_other("/signin");
    response.headers_mut().append(SET_COOKIE, browser.set(Cookie::Flow, &handle, browser::FLOW_LIFETIME));
    Ok(response)
}

/// `GET /signin/{action}`: the address of a refused form, opened again.
pub(crate) async fn show_again() -> Response {
    see_other("/signin")
}

/// `POST /signin/{action}`: a form of one of the pages.
pub(crate) async fn act(
    State(app): State<App>,
    context: RequestContext,
    browser: Browser,
    Path(action): Path<String>,
    form: Form,
) -> Result<Response, ApiError> {
    context.count_visit(&app, hookwright_app::RateClass::Other)?;
    let wanted = form.text("app").map(AppId::from_text);
    let token = form.text("token").unwrap_or_default();
    let flow = browser.flow.clone().filter(|flow| App::is_form_token(flow.expose_secret(), token));
    let attempt = form.text("attempt").filter(|attempt| !attempt.is_empty());
    let Some(handle) = flow.filter(|_| browser.is_same_origin) else {
        if is_of_an_earlier_page(&app, &browser, attempt).await? {
            return Ok(see_other("/signin"));
        }
        let said = if browser.flow.is_none() { lost() } else { forged() };
        if !browser.is_same_origin {
            tracing::info!(origin = browser.origin, "refused a form of another origin than that of --public-url");
        }
        return begin_again(&app, &browser, wanted.as_ref(), (StatusCode::FORBIDDEN, said)).await;
    };
    let Some(input) = form.input(&action, browser.device.as_ref()) else { return Err(ApiError::unknown_path()) };
    let begins = matches!(
        input,
        Input::Identify { password: Some(_), .. }
            | Input::Recover
            | Input::Unlock
            | Input::StartSignUp
            | Input::Cancel
            | Input::SelectIdentify
    );
    if hosted_flow(&app, &handle).await?.is_none() {
        if let Some(went_on) = app.flow_went_on(&handle, Some(token)).await? {
            return Ok(led_on(&browser, &went_on));
        }
        // The first form of a browser begins the flow that its page has only shown.
        if !begins || attempt.is_some() {
            return begin_again(&app, &browser, wanted.as_ref(), (StatusCode::BAD_REQUEST, expired())).await;
        }
        let start = FlowStart { application: wanted.clone(), ..FlowStart::default() };
        app.begin_flow(&handle, start, &form.origin).await?;
    }
    let sent = SentForm { attempt: attempt.map(str::to_owned), token: token.to_owned() };
    match app.advance_flow(&handle, Some(sent), input, &form.origin).await? {
        Advanced::Here(arrival) => {
            let rose = arrival.state_handle.expose_secret() != handle.expose_secret();
            let mut response = after(&app, &browser, &arrival, &form.origin).await?;
            if let Some(device) = &arrival.new_device {
                let cookie = browser.set(Cookie::Device, device, browser::DEVICE_LIFETIME);
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            if rose {
                let cookie = browser.set(Cookie::Flow, &arrival.state_handle, browser::FLOW_LIFETIME);
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            Ok(response)
        }
        Advanced::WentOn(went_on) => Ok(led_on(&browser, &went_on)),
        Advanced::Gone => begin_again(&app, &browser, wanted.as_ref(), (StatusCode::BAD_REQUEST, expired())).await,
    }
}

/// The flow of a browser. One that a client leads by itself is not the pages': whoever began it could have planted it here.
async fn hosted_flow(app: &App, handle: &SecretString) -> Result<Option<FlowView>, ApiError> {
    let view = app.flow(handle.expose_secret()).await?;
    Ok(view.filter(|view| view.client.as_ref().is_none_or(|client| client.face != ClientFace::Interaction)))
}

/// Whether a form without the right token is one of this browser's own, sent from a page that it has left behind: its flow is
/// there and stands elsewhere.
async fn is_of_an_earlier_page(app: &App, browser: &Browser, attempt: Option<&str>) -> Result<bool, ApiError> {
    let Some(handle) = browser.flow.as_ref().filter(|_| browser.is_same_origin) else { return Ok(false) };
    Ok(hosted_flow(app, handle).await?.is_some_and(|view| attempt != Some(view.attempt.as_str())))
}

/// The way on for a form whose flow went on by another form. No cookie is taken away: the browser may have that of the other
/// answer by now.
fn led_on(browser: &Browser, WentOn(next): &WentOn) -> Response {
    let mut response = see_other("/signin");
    if let Some(handle) = next {
        let cookie = browser.set(Cookie::Flow, handle, browser::FLOW_LIFETIME);
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// What a browser gets after its form: the form again with its faults, or the way to the next page.
async fn after(
    app: &App,
    browser: &Browser,
    Arrival { view, state_handle, session, .. }: &Arrival,
    origin: &RequestOrigin,
) -> Result<Response, ApiError> {
    if view.refusal.is_some() {
        return Ok(render(app, state_handle, view, None, status_of(view)));
    }
    if !matches!(view.step, Step::Done { .. }) {
        return Ok(see_other("/signin"));
    }
    let goal = if view.client.is_some() { "/signin" } else { "/app/UserHome" };
    let mut response = see_other(goal);
    let Some(session) = session else { return Ok(response) };
    // Whoever was signed in with this browser is no longer.
    if let Some(old) = &browser.session {
        app.end_session(old.expose_secret(), origin).await?;
    }
    let session_cookie = browser.set(Cookie::Session, &session.token, session.lifetime);
    response.headers_mut().append(SET_COOKIE, session_cookie);
    Ok(response)
}

/// The beginning of a flow that is not there yet, under a fresh handle.
async fn begin(
    app: &App,
    browser: &Browser,
    wanted: Option<&AppId>,
    said: Option<(StatusCode, Message)>,
) -> Result<Response, ApiError> {
    let mut view = app.flow_beginning(wanted).await?;
    let (status, message) = said.unzip();
    view.messages.extend(message);
    let handle = app.mint_secret();
    let mut response = render(app, &handle, &view, wanted, status.unwrap_or(StatusCode::OK));
    response.headers_mut().append(SET_COOKIE, browser.set(Cookie::Flow, &handle, browser::FLOW_LIFETIME));
    Ok(response)
}

/// The beginning again, for the app of the form that came too late, if there is such an app.
async fn begin_again(
    app: &App,
    browser: &Browser,
    wanted: Option<&AppId>,
    said: (StatusCode, Message),
) -> Result<Response, ApiError> {
    match begin(app, browser, wanted, Some(said.clone())).await {
        Err(_) if wanted.is_some() => begin(app, browser, None, Some(said)).await,
        answer => answer,
    }
}

fn render(app: &App, handle: &SecretString, view: &FlowView, wanted: Option<&AppId>, status: StatusCode) -> Response {
    if let (Step::Done { .. }, Some(client), Some(code)) = (&view.step, &view.client, &view.code)
        && client.face == ClientFace::Authorize
    {
        return steps::hand_over(client, code);
    }
    let token = app.mint_form_token(handle.expose_secret());
    let development = app.settings().address_policy.development;
    let page = steps::page(view, &token, wanted.map(AppId::as_str), development);
    page::html(status, &page)
}

/// The status of the answer to an input.
pub(crate) const fn status_of(view: &FlowView) -> StatusCode {
    match view.refusal {
        None => StatusCode::OK,
        Some(RefusalStatus::Wrong) => StatusCode::BAD_REQUEST,
        Some(RefusalStatus::Unproven) => StatusCode::UNAUTHORIZED,
        Some(RefusalStatus::TooMany) => StatusCode::TOO_MANY_REQUESTS,
    }
}

/// The way to another page of ours.
fn see_other(path: &'static str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response()
}

fn forged() -> Message {
    let text = "We couldn't tell that this form came from this page. Please allow cookies and try again.";
    Message::banner(MessageKind::Expired, text)
}

fn lost() -> Message {
    let text = "This page was open for too long, or cookies are blocked. Please try again.";
    Message::banner(MessageKind::Expired, text)
}

fn expired() -> Message {
    Message::banner(MessageKind::Expired, "Your session has expired. Please try again.")
}
