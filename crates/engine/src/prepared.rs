//! A hook made ready for calling: everything that does not change between two calls.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use hookwright_contract::HookType;
use hookwright_model::channel::{Channel, ChannelAuth};
use hookwright_model::inline_hook::{InlineHook, is_reserved};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use secrecy::ExposeSecret;
use url::Url;

use crate::Inner;
use crate::admission::Gate;
use crate::breaker::BreakerRule;
use crate::oauth::TokenSource;
use crate::pool::Origin;

/// The time of one attempt unless a hook is set otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);

/// How the calls of one hook are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallSettings {
    /// The time of one attempt, from before resolution to the last byte of the body. 3 s by default.
    pub timeout: Duration,
    /// Whether a failed attempt may be repeated once. By default what the hook type says.
    pub retry: bool,
    /// Calls of this hook at once; `None` takes the engine's own limit.
    pub max_concurrent: Option<usize>,
    /// Calls of this hook that may begin within any second; `None` for no limit, as at Okta.
    pub max_per_second: Option<NonZeroU32>,
    /// When calls fail at once since others failed before; `None` for never, as at Okta.
    pub breaker: Option<BreakerRule>,
}

impl CallSettings {
    /// What Okta does for hooks of this type.
    #[must_use]
    pub fn for_type(hook_type: HookType) -> Self {
        Self {
            timeout: DEFAULT_TIMEOUT,
            retry: hook_type.retries(),
            max_concurrent: None,
            max_per_second: None,
            breaker: None,
        }
    }
}

/// A hook made ready for calling. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Prepared(pub(crate) Arc<PreparedHook>);

/// What [`Prepared`] shares.
#[derive(Debug)]
pub(crate) struct PreparedHook {
    pub(crate) hook_type: HookType,
    pub(crate) settings: CallSettings,
    pub(crate) gate: Arc<Gate>,
    pub(crate) origin: Arc<Origin>,
    /// Why the URL itself may not be called; a hook may have been stored under another policy.
    pub(crate) refusal: Option<String>,
    /// The request target in origin form.
    pub(crate) target: Uri,
    /// All fields that we send; secret values are marked sensitive.
    pub(crate) headers: HeaderMap,
    /// Where the access token comes from, if the service wants one.
    pub(crate) token: Option<Arc<TokenSource>>,
}

impl PreparedHook {
    pub(crate) fn new(hook: &InlineHook, settings: CallSettings, engine: &Inner, origin: Arc<Origin>) -> Self {
        let url = hook.channel.uri.url();
        Self {
            hook_type: hook.hook_type,
            settings,
            gate: engine.admission.gate(hook.id.as_str(), settings),
            origin,
            refusal: engine.connector.policy.judge_url(url).err(),
            target: origin_form(url),
            headers: headers(&hook.channel, url, &engine.user_agent),
            token: match &hook.channel.auth {
                ChannelAuth::OAuth(config) => Some(engine.tokens.source(config, engine)),
                ChannelAuth::None | ChannelAuth::Header { .. } => None,
            },
        }
    }
}

/// Path and query. The WHATWG parser leaves characters in them (such as `|`) that the `http` crate takes too; should it ever
/// refuse one, the request goes to `/`, which no service mistakes for its hook endpoint.
pub(crate) fn origin_form(url: &Url) -> Uri {
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    target.parse::<PathAndQuery>().map_or_else(|_| Uri::from_static("/"), Uri::from)
}

fn headers(channel: &Channel, url: &Url, user_agent: &HeaderValue) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8 + channel.headers.len());
    if let Ok(host) = HeaderValue::from_str(&authority(url)) {
        headers.insert(HOST, host);
    }
    headers.insert(USER_AGENT, user_agent.clone());
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let ChannelAuth::Header { key, value } = &channel.auth
        && let Some((name, mut value)) = field(key, value.expose_secret())
    {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    for header in &channel.headers {
        if let Some((name, value)) = field(&header.key, &header.value)
            && !headers.contains_key(&name)
        {
            headers.insert(name, value);
        }
    }
    headers
}

/// A configured field, if it may be sent. What was stored was checked then, but perhaps by other rules, so it is checked again;
/// names that HTTP forbids are kept in hooks, as live orgs do, and never sent.
fn field(key: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    if is_reserved(key) {
        return None;
    }
    HeaderName::from_bytes(key.as_bytes()).ok().zip(HeaderValue::from_str(value).ok())
}

/// Host and port as they stand in the Host field: no port where it is the scheme's own.
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
