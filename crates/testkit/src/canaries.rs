//! Every test is a canary test: what goes over the wire as a secret is noted, and when the org ends, it is searched for in all
//! that the org leaves behind: database files, journal, logs, metrics, and, where it never belongs there, answers.
//!
//! Secrets are known by where they stand: in `Authorization` and cookies, and in members and form fields of these names.

mod forms;
mod log;
mod places;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, request};
use serde_json::Value;

pub use forms::{forms, leak};
pub(crate) use places::Remains;
pub use places::dump;

/// Shorter ones are found everywhere by chance.
const SHORTEST: usize = 8;
/// Of longer ones the last half is searched for: the beginning of a signed token says nothing.
const LONGEST: usize = 256;
/// As many as a test can tell apart; a soak sends more.
const MOST_SECRETS: usize = 300;
/// Answers are kept up to this many bytes, each and all.
const LARGEST_ANSWER: usize = 256 << 10;
const MOST_ANSWERS: usize = 8 << 20;

/// Members of JSON and fields of forms that hold a secret, in lower case and without `_`.
const NAMES: &[&str] = &[
    "accesstoken",
    "answer",
    "clientsecret",
    "codeverifier",
    "idtoken",
    "interactioncode",
    "interactionhandle",
    "newpassword",
    "oldpassword",
    "passcode",
    "password",
    "privatekey",
    "recoverytoken",
    "refreshtoken",
    "secret",
    "sessiontoken",
    "statehandle",
    "statetoken",
];

/// Objects whose member `value` is a secret.
const HOLDERS: &[&str] = &["authscheme", "newpassword", "oldpassword", "password"];

/// What only goes in, and is in no answer either.
const NEVER_SHOWN: &[&str] = &["authscheme", "newpassword", "oldpassword", "password", "ssws"];

static WATCHED: LazyLock<Mutex<HashMap<SocketAddr, Arc<Canaries>>>> = LazyLock::new(Mutex::default);

/// The secrets of one org.
#[derive(Debug, Default)]
pub(crate) struct Canaries {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    secrets: BTreeMap<String, Secret>,
    answers: Vec<(String, Vec<u8>)>,
    answers_len: usize,
}

#[derive(Debug, Clone)]
struct Secret {
    /// Where it stood.
    name: String,
    is_never_shown: bool,
}

/// The secrets of the org at this address, if one is watched there.
pub(crate) fn at(address: SocketAddr) -> Option<Arc<Canaries>> {
    locked(&WATCHED).get(&address).cloned()
}

/// Notes from now on what is said to this address.
pub(crate) fn watch(address: SocketAddr, canaries: &Arc<Canaries>) {
    locked(&WATCHED).insert(address, Arc::clone(canaries));
}

/// Another org may have the address soon.
pub(crate) fn forget(canaries: &Arc<Canaries>) {
    locked(&WATCHED).retain(|_, watched| !Arc::ptr_eq(watched, canaries));
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name as [`NAMES`] spells it.
fn plain_name(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.chars().filter(|letter| *letter != '_' && *letter != '-').collect::<String>().to_ascii_lowercase()
}

impl Canaries {
    /// Notes the secrets of a request.
    pub(crate) fn note_request(&self, head: &request::Parts, body: &[u8]) {
        let mut found = Vec::new();
        for value in head.headers.get_all(AUTHORIZATION).iter().filter_map(|value| value.to_str().ok()) {
            if let Some((scheme, credentials)) = value.split_once(' ') {
                // Those of an app are shown to it, those of the API only where they were made.
                let name = if scheme == "SSWS" { "ssws" } else { "authorization" };
                credentials_of(scheme, credentials, name, &mut found);
            }
        }
        for value in head.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            found.extend(value.split(';').filter_map(cookie));
        }
        in_body(body, &mut found);
        self.note(found);
    }

    /// Notes the secrets of an answer, and keeps it.
    pub(crate) fn note_answer(&self, what: &str, headers: &HeaderMap, body: &[u8]) {
        let mut found = Vec::new();
        for value in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            found.extend(value.split(';').next().and_then(cookie));
        }
        if let Some((_, query)) = headers.get(LOCATION).and_then(|to| to.to_str().ok()?.split_once('?')) {
            found
                .extend(fields(query).filter(|(name, _)| name == "code" || NAMES.contains(&plain_name(name).as_str())));
        }
        in_body(body, &mut found);
        self.note(found);
        let mut state = locked(&self.state);
        // `execute` hands on what the service said.
        let is_the_services = what.ends_with("/execute");
        if !is_the_services && body.len() <= LARGEST_ANSWER && state.answers_len <= MOST_ANSWERS {
            let kept = [format!("{headers:?}\n").as_bytes(), body].concat();
            state.answers_len += kept.len();
            state.answers.push((format!("the answer to {what}"), kept));
        }
    }

    fn note(&self, found: Vec<(String, String)>) {
        let mut state = locked(&self.state);
        for (name, secret) in found {
            let secret = if secret.len() > LONGEST { its_end(&secret) } else { secret };
            if secret.len() < SHORTEST || state.secrets.len() >= MOST_SECRETS || is_monotonous(&secret) {
                continue;
            }
            let is_never_shown = NEVER_SHOWN.contains(&plain_name(&name).as_str());
            let noted = state.secrets.entry(secret).or_insert_with(|| Secret { name, is_never_shown });
            noted.is_never_shown |= is_never_shown;
        }
    }

    /// Where a secret has got to, if one has.
    fn leak(&self, places: &[(String, Vec<u8>)]) -> Option<String> {
        let state = locked(&self.state);
        let of = |wanted: fn(&Secret) -> bool| -> Vec<(&str, &str)> {
            let wanted = state.secrets.iter().filter(|(_, secret)| wanted(secret));
            wanted.map(|(text, secret)| (secret.name.as_str(), text.as_str())).collect()
        };
        leak(&of(|_| true), places).or_else(|| leak(&of(|secret| secret.is_never_shown), &state.answers))
    }
}

/// What stands in place of a secret, or fills a field.
fn is_monotonous(text: &str) -> bool {
    text.chars().skip(1).all(|letter| text.starts_with(letter))
}

/// The last half of what is searched for at most.
fn its_end(secret: &str) -> String {
    let from = (secret.len() - LONGEST / 2..secret.len()).find(|at| secret.is_char_boundary(*at));
    secret.get(from.unwrap_or_default()..).unwrap_or_default().to_owned()
}

/// The secrets of a value of `Authorization`, or of a hook's header: the password of Basic is one of its own.
fn credentials_of(scheme: &str, credentials: &str, name: &str, found: &mut Vec<(String, String)>) {
    found.push((name.to_owned(), credentials.to_owned()));
    if scheme.eq_ignore_ascii_case("basic")
        && let Some(decoded) = STANDARD.decode(credentials).ok().and_then(|bytes| String::from_utf8(bytes).ok())
        && let Some((_, password)) = decoded.split_once(':')
    {
        found.push((name.to_owned(), password.to_owned()));
    }
}

/// A cookie, whose value is a secret if it looks like chance.
fn cookie(pair: &str) -> Option<(String, String)> {
    let (name, value) = pair.trim().split_once('=')?;
    (value.len() >= 2 * SHORTEST).then(|| (format!("cookie {name}"), value.to_owned()))
}

fn in_body(body: &[u8], found: &mut Vec<(String, String)>) {
    if let Ok(json) = serde_json::from_slice::<Value>(body) {
        in_json(&json, "", found);
    } else if let Ok(text) = std::str::from_utf8(body)
        && text.len() <= LARGEST_ANSWER
        && !text.contains(['<', '\n', ' '])
    {
        found.extend(fields(text).filter(|(name, _)| NAMES.contains(&plain_name(name).as_str())));
    }
}

fn in_json(json: &Value, holder: &str, found: &mut Vec<(String, String)>) {
    match json {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "value" && HOLDERS.contains(&plain_name(holder).as_str()) => {
                        found.push((holder.to_owned(), text.clone()));
                        if let Some((scheme, credentials)) = text.split_once(' ') {
                            credentials_of(scheme, credentials, holder, found);
                        }
                    }
                    Value::String(text) if NAMES.contains(&plain_name(name).as_str()) => {
                        found.push((name.clone(), text.clone()));
                    }
                    _ => in_json(value, name, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| in_json(item, holder, found)),
        _ => {}
    }
}

/// The fields of a form or a query.
fn fields(text: &str) -> impl Iterator<Item = (String, String)> {
    let decoded =
        |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| (name.into_owned(), value.into_owned());
    url::form_urlencoded::parse(text.as_bytes()).map(decoded)
}
