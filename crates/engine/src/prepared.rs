//! A hook made ready for calling: everything that does not change between two calls.

use std::sync::Arc;

use hookwright_contract::HookType;
use hookwright_model::channel::{Channel, ChannelAuth};
use hookwright_model::inline_hook::{InlineHook, is_reserved};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use secrecy::ExposeSecret;
use url::Url;

use crate::admission::Gate;
use crate::call_settings::CallSettings;
use crate::oauth::TokenSource;
use crate::pool::Origin;
use crate::{Inner, request_head};

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
            target: request_head::target(url),
            headers: headers(&hook.channel, url, &engine.user_agent),
            token: match &hook.channel.auth {
                ChannelAuth::OAuth(config) => Some(engine.tokens.source(config, engine)),
                ChannelAuth::None | ChannelAuth::Header { .. } => None,
            },
        }
    }
}

fn headers(channel: &Channel, url: &Url, user_agent: &HeaderValue) -> HeaderMap {
    let mut headers = request_head::fields(url, user_agent, "application/json");
    headers.reserve(3 + channel.headers.len());
    if let ChannelAuth::Header { key, value, .. } = &channel.auth
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
