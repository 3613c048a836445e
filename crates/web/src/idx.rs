//! IDX: the sign-in flows for clients that drive them by themselves, such as `@okta/okta-auth-js` and the sign-in widget.
//!
//! Answers are ION documents (<https://ionspec.org>) with the members that these clients read. Everything a flow knows hangs
//! on the state handle in the body, so a forged request from a page can do nothing here. The one cookie is the device's: it only
//! says whether the failures of others count, and auth-js and the widget send it by themselves (`withCredentials`). What the widget
//! sends as `X-Device-Fingerprint` follows from public traits of a browser and makes no device a known one.

mod ion;
mod read;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::response::{IntoResponse, Response};
use hookwright_app::{Advanced, App, FlowView};
use hookwright_model::flow::{Input, Step};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::context::Finished;
use crate::error::ApiError;
use crate::signin::browser::{Cookie, DEVICE_LIFETIME};
use crate::signin::status_of;
use read::IdxRequest;

/// What action answers are called; clients take `application/json` too.
const ION: &str = "application/ion+json; okta-version=1.0.0";

/// `POST /idp/idx/introspect`: where a flow stands, by `interactionHandle` or, to go on with it, by `stateToken`.
pub(crate) async fn introspect(State(app): State<App>, request: IdxRequest) -> Result<Response, ApiError> {
    let (handle, mut view) = if let Some(interaction) = request.text("interactionHandle") {
        let Some(found) = app.flow_of_interaction(interaction).await? else { return Ok(expired()) };
        found
    } else {
        let token = request.text("stateToken").map(|token| SecretString::from(token.to_owned()));
        let handle = token.unwrap_or_else(|| request.handle());
        let Some(view) = app.flow(handle.expose_secret()).await? else { return Ok(expired()) };
        (handle, view)
    };
    // What was said about an input is said to the input.
    (view.refusal, view.messages) = (None, Vec::new());
    // Okta's clients for Go and .NET ask here before each step. They expect the password and the way to recover it as long as no
    // proof is chosen, and take that way once more.
    if let Step::RecoveryChoice { identifier, sign_up } = view.step {
        view.step = Step::Password { identifier, sign_up };
        return Ok(shown(&app, &handle, &view, true));
    }
    Ok(answer(&app, &handle, &view))
}

/// `POST /idp/idx/recover`: "Forgot password?"
pub(crate) async fn recover(State(app): State<App>, request: IdxRequest) -> Result<Response, ApiError> {
    advance(&app, &request, Input::Recover).await
}

/// `POST /idp/idx/unlock-account`: "Unlock account?"
pub(crate) async fn unlock_account(State(app): State<App>, request: IdxRequest) -> Result<Response, ApiError> {
    advance(&app, &request, Input::Unlock).await
}

/// `POST /idp/idx/challenge`: the proof that was chosen, with the name where the form asks for it.
pub(crate) async fn challenge(State(app): State<App>, request: IdxRequest) -> Result<Response, ApiError> {
    let authenticator = request.authenticator().unwrap_or_default().to_owned();
    let identifier = request.text("identifier").map(str::to_owned);
    advance(&app, &request, Input::Choose { authenticator, identifier }).await
}

/// `POST /idp/idx/identify`: a name, perhaps with the password.
pub(crate) async fn identify(State(app): State<App>, request: IdxRequest) -> Result<Response, ApiError> {
    let identifier = request.text("identifier").unwrap_or_default().to_owned();
    let input = Input::Identify { identifier, password: request.passcode(), device: request.device() };
    advance(&app, &request, input).await
}

/// `POST /idp/idx/challenge/answer`: the password after the name, the password that is chosen, or the code that was mailed.
pub(crate) async fn answer_challenge(State(app): State<App>, request: IdxRequest) -> Result<Response, ApiError> {
    let Some(view) = app.flow(request.handle().expose_secret()).await? else { return Ok(expired()) };
    let passcode = request.passcode().unwrap_or_default();
    let input = match view.step {
        Step::EmailCode { .. } | Step::RecoveryCode { .. } => Input::EmailCode(passcode),
        _ => Input::Password { password: passcode, device: request.device() },
    };
    advance(&app, &request, input).await
}

/// `POST /idp/idx/challenge/resend`: another mail with a code.
pub(crate) async fn resend(State(app): State<App>, request: IdxRequest) -> Result<Response, ApiError> {
    advance(&app, &request, Input::ResendCode).await
}

/// `POST /idp/idx/enroll`: "Sign up".
pub(crate) async fn enroll(State(app): State<App>, request: IdxRequest) -> Result<Response, ApiError> {
    advance(&app, &request, Input::StartSignUp).await
}

/// `POST /idp/idx/enroll/new`: the sign-up form.
pub(crate) async fn enroll_new(State(app): State<App>, request: IdxRequest) -> Result<Response, ApiError> {
    let input = Input::SignUp { profile: request.user_profile(), password: request.passcode() };
    advance(&app, &request, input).await
}

/// `POST /idp/idx/enroll/update`: the form for what a profile lacks.
pub(crate) async fn enroll_update(State(app): State<App>, request: IdxRequest) -> Result<Response, ApiError> {
    advance(&app, &request, Input::Progressive { profile: request.user_profile() }).await
}

/// `POST /idp/idx/identify/select`: "Already have an account?"
pub(crate) async fn select_identify(State(app): State<App>, request: IdxRequest) -> Result<Response, ApiError> {
    advance(&app, &request, Input::SelectIdentify).await
}

/// `POST /idp/idx/skip`: passes over a form of which nothing is required.
pub(crate) async fn skip(State(app): State<App>, request: IdxRequest) -> Result<Response, ApiError> {
    advance(&app, &request, Input::Skip).await
}

/// `POST /idp/idx/cancel`: from the beginning.
pub(crate) async fn cancel(State(app): State<App>, request: IdxRequest) -> Result<Response, ApiError> {
    advance(&app, &request, Input::Cancel).await
}

async fn advance(app: &App, request: &IdxRequest, input: Input) -> Result<Response, ApiError> {
    match app.advance_flow(&request.handle(), None, input, &request.origin).await? {
        Advanced::Here(arrival) => {
            let mut response = answer(app, &arrival.state_handle, &arrival.view);
            if let Some(device) = &arrival.new_device {
                let cookie = request.browser.set(Cookie::IdxDevice, device, DEVICE_LIFETIME);
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            Ok(response)
        }
        // Where it went is for those alone who made it go there, and for the client that has the interaction handle.
        Advanced::WentOn(_) | Advanced::Gone => Ok(expired()),
    }
}

fn answer(app: &App, handle: &SecretString, view: &FlowView) -> Response {
    shown(app, handle, view, false)
}

fn shown(app: &App, handle: &SecretString, view: &FlowView, recovers: bool) -> Response {
    let document = ion::document(&app.settings().public_url, handle.expose_secret(), view, recovers);
    finished(status_of(view), ION, &document)
}

/// The state handle is unknown or its time is over. As plain JSON: for `introspect`, auth-js reads the text only then.
fn expired() -> Response {
    let text = "The session has expired.";
    let message = json!({"message": text, "i18n": {"key": "idx.session.expired"}, "class": "ERROR"});
    let document = json!({"version": "1.0.0", "messages": {"type": "array", "value": [message]}});
    finished(StatusCode::UNAUTHORIZED, "application/json", &document)
}

fn finished(status: StatusCode, content_type: &'static str, document: &Value) -> Response {
    let mut response = (status, [(CONTENT_TYPE, content_type)], document.to_string()).into_response();
    response.extensions_mut().insert(Finished);
    response
}
