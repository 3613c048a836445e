//! The page of a step: what the template shows, and its answer.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{IntoResponse, Response};

use crate::context::Finished;
use crate::error::ApiError;

/// A page with one form.
#[derive(Template)]
#[template(path = "signin/step.html")]
pub(super) struct StepPage {
    pub(super) title: &'static str,
    /// The app that is signed in to, where it is not the org itself.
    pub(super) app: Option<String>,
    pub(super) lead: Option<String>,
    /// What is said above the form.
    pub(super) banners: Vec<Banner>,
    pub(super) form: FormModel,
    /// Other ways from here.
    pub(super) others: Vec<Action>,
    /// Where mails can be read, in development.
    pub(super) outbox: bool,
}

/// A sentence above the form.
pub(super) struct Banner {
    pub(super) text: String,
    pub(super) is_error: bool,
}

/// The form.
pub(super) struct FormModel {
    pub(super) action: &'static str,
    pub(super) hidden: Vec<(&'static str, String)>,
    /// Whose password is asked for: not shown, but password managers want to know.
    pub(super) username: Option<String>,
    pub(super) fields: Vec<FieldModel>,
    pub(super) button: &'static str,
}

/// One field.
pub(super) struct FieldModel {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) label: String,
    pub(super) required: bool,
    pub(super) control: Control,
    pub(super) autocomplete: Option<&'static str>,
    pub(super) value: String,
    pub(super) errors: Vec<String>,
    pub(super) hint: Option<&'static str>,
    pub(super) autofocus: bool,
}

/// What a field is filled in with.
pub(super) enum Control {
    /// A line; the `type` and `inputmode` of the input.
    Line { kind: &'static str, mode: Option<&'static str>, most: Option<u32> },
    /// Several lines.
    Lines,
    /// One of some values.
    Choice(Vec<ChoiceModel>),
}

/// A value to choose.
pub(super) struct ChoiceModel {
    pub(super) value: String,
    pub(super) title: String,
    pub(super) chosen: bool,
}

/// A way from here that is no form to fill in.
pub(super) struct Action {
    pub(super) action: &'static str,
    pub(super) text: &'static str,
    pub(super) before: &'static str,
}

impl StepPage {
    /// Whether something is wrong with a field.
    fn has_faults(&self) -> bool {
        self.form.fields.iter().any(|field| !field.errors.is_empty())
    }

    /// Whether the page says that something is wrong.
    fn is_refusal(&self) -> bool {
        self.has_faults() || self.banners.iter().any(|banner| banner.is_error)
    }
}

impl FieldModel {
    /// The ids of what describes the field, for who can't see it.
    fn described_by(&self) -> String {
        let hint = self.hint.map(|_| format!("{}-hint", self.id));
        let errors = (!self.errors.is_empty()).then(|| format!("{}-error", self.id));
        hint.into_iter().chain(errors).collect::<Vec<_>>().join(" ")
    }
}

/// The way back to a client, for browsers: a form's answer may not lead to another origin, so a page does.
#[derive(Template)]
#[template(path = "signin/continue.html")]
pub(super) struct ContinuePage {
    pub(super) url: String,
}

/// Other origins learn nothing. Under `no-referrer` the forms of a page would come with `Origin: null` (Fetch, "append a request
/// Origin header"), and browsers that send no `Sec-Fetch-Site` could not show that they are ours: older ones, and all of them
/// where the org is reached by plain HTTP under another name than localhost.
const SENT_TO_OURSELVES: &str = "same-origin";

/// A page as an answer.
pub(crate) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => {
            let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (REFERRER_POLICY, SENT_TO_OURSELVES)];
            let mut response = (status, headers, text).into_response();
            response.extensions_mut().insert(Finished);
            response
        }
        Err(error) => ApiError::internal(format!("a page can't be written: {error}")).into_response(),
    }
}
